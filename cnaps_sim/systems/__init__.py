"""The systems of the national centre: SAPS (accounts), HVPS (business day), CCMS (log-in, states)."""
