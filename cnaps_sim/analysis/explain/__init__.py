"""Explain: the story of one payment, told from a run's tables."""
