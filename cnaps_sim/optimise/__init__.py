"""Optimise: what of a queue can settle together — bounds, exact solutions, heuristics and a diagnosis.

Works on queues as plain tables (`queue_table.QueueTable`); nothing here knows the books.
"""
