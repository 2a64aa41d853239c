"""The run: a scenario wired together (`world`), executed (`runner`), made into tables (`results`), kept (`store`)."""
