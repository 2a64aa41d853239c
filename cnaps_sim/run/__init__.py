"""The run: one scenario wired together (`world`), executed (`runner`), turned into tables (`results`) and kept (`store`)."""
