"""Retail clearing in a run: BEPS and IBPS on the netting server, their population, tables and counts."""
