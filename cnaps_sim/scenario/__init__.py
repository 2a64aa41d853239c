"""Scenarios: what a run simulates, read from YAML 1.2 and checked before anything starts.

`model` says what a scenario is, `load` reads one. Nothing is imported here, because pydantic is slow to start and
commands that need no scenario should not pay for it.
"""
