"""Take-out: let everything settle, then short accounts give payments up; what fits at the end comes back.

The payments given up first make the family: the last of the queue, the largest, the smallest, or the one that fits
the deficit best. Without the return at the end, giving up the last is `multilateral`. Chinese: 剔除法.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.optimise.heuristics import take_rules
from cnaps_sim.optimise.heuristics.accounts import Places, lists, slack
from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable
from cnaps_sim.optimise.registry import algorithm

_GUENTZER: Final = "Güntzer, Jungnickel and Leclerc (1998), Efficient algorithms for the clearing of interbank payments"


@algorithm("take-out-last", reference=_GUENTZER, chinese="剔除末笔")
def last(queue: QueueTable) -> Chosen:
    """Short accounts give up their last payments; then whatever can be funded comes back, in queue order."""
    rows = np.arange(len(queue), dtype=np.int64)
    return repaired(queue, np.ones(len(queue), np.bool_), -rows, rows)


@algorithm("take-out-largest", reference=_GUENTZER, chinese="剔除最大笔")
def largest(queue: QueueTable) -> Chosen:
    """Short accounts give up their largest payments; then whatever can be funded comes back, largest first."""
    return repaired(queue, np.ones(len(queue), np.bool_), -queue.amount, largest_first(queue))


@algorithm("take-out-smallest", reference=_GUENTZER, chinese="剔除最小笔")
def smallest(queue: QueueTable) -> Chosen:
    """Short accounts give up their smallest payments; then whatever can be funded comes back, largest first."""
    return repaired(queue, np.ones(len(queue), np.bool_), queue.amount, largest_first(queue))


@algorithm("take-out-best-fit", reference=_GUENTZER, chinese="剔除最适笔")
def best_fit(queue: QueueTable) -> Chosen:
    """Short accounts give up the smallest payment that covers the deficit, else the largest; then as above."""
    return repaired(queue, np.ones(len(queue), np.bool_), -queue.amount, largest_first(queue), best_fit=True)


def largest_first(queue: QueueTable) -> Places:
    """Rows of the queue from the largest amount down, equal ones in queue order."""
    return np.argsort(-queue.amount, kind="stable")


def repaired(queue: QueueTable, start: Chosen, key: Fen, back: Places, best_fit: bool = False) -> Chosen:
    """The choice `start` without what short accounts give up, and with what can then be funded.

    key: each account gives up the payment with the least key first; with `best_fit` it must be minus the amount
    back: rows in the order in which they come back
    """
    chosen = start.copy()
    left = slack(queue, chosen)
    order, first = lists(queue.debtor, queue.accounts, key)
    take_rules.take_out(
        left, queue.creditor, queue.amount, order, first, best_fit, chosen,
        np.zeros(queue.accounts, np.int64), np.zeros(queue.accounts, np.bool_),
    )  # fmt: skip
    take_rules.put_in(left, queue.debtor, queue.creditor, queue.amount, back, chosen)
    return chosen
