"""Reference: the central bank's books and the netting server in plain Python, slow and obvious.

This is the rule book of the settlement accounts (清算账户管理系统, SAPS) written with lists, deques and small
classes, one room per subject:

- `account`: one settlement account and what it can spend;
- `loan`: one pledge loan and the interest on it;
- `queue`: its settlement queue with the eight levels;
- `limits`: what a participant lets flow to another, net;
- `ledger`: the one place where money moves, and the log;
- `pools`: accounts that rescue one another;
- `pledges`: loans against bonds and their repayment;
- `covering`: own funds, pool, overdraft or pledge, in this order;
- `admission`: who is refused on arrival, in which order of precedence;
- `settlement`: submit, queue, release in cascades;
- `orders`: what a participant may do with its own queued payment;
- `policy`: a bank's outbox and when it sends from it;
- `terms`: limits, controls, log-in, pools, pledges;
- `matching`: payments that settle together when none of them could alone;
- `window`: what happens when the clearing window closes;
- `books`: all of them together, plus flows and snapshots.

And that of the netting server (轧差服务器, NETS):

- `netting_ledger`: positions, cap queues, log;
- `netting_admission`: who is refused before headroom is looked at;
- `netting`: net, queue, release, match, close rounds.

The compiled books and the compiled netting server are driven beside these with the same actions and must agree in
every field. So this room imports the words of the package and nothing else.
"""

from cnaps_sim.reference.books import Books
from cnaps_sim.reference.netting import Netting

__all__ = ["Books", "Netting"]
