"""Reference: the central bank's books in plain Python, slow and obvious.

This is the rule book of the settlement accounts (清算账户管理系统, SAPS) written with lists, deques and small
classes, one room per subject:

- `account`: one settlement account and what it can spend;
- `queue`: its settlement queue with the eight levels;
- `limits`: what a participant lets flow to another, net;
- `ledger`: the one place where money moves, and the log;
- `admission`: who is refused on arrival, in which order of precedence;
- `settlement`: submit, queue, release in cascades;
- `orders`: what a participant may do with its own queued payment;
- `terms`: limits, controls, log-in;
- `matching`: payments that settle together when none of them could alone;
- `window`: what happens when the clearing window closes;
- `books`: all of them together, plus flows and snapshots.

The compiled books are driven beside these with the same actions and must agree in every field. So this room
imports the words of the package and nothing else.
"""

from cnaps_sim.reference.books import Books

__all__ = ["Books"]
