"""Knapsack per account: a short account keeps the set of its payments that uses its money best. Chinese: 背包法."""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.optimise.heuristics import knapsack_rules, take_rules
from cnaps_sim.optimise.heuristics.accounts import lists, slack
from cnaps_sim.optimise.heuristics.take_out import largest_first
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm

#: Into how many equal parts an account's money is divided: a kept set may miss a payment's part each of the best sum.
PARTS: Final = 1024


@algorithm(
    "account-knapsack",
    reference="take-out of Güntzer, Jungnickel and Leclerc (1998) with a subset sum per account, "
    "dynamic programming after Bellman (1957)",
    chinese="账户背包法",
)
def account_knapsack(queue: QueueTable) -> Chosen:
    """Short accounts keep their best-fitting set of payments; then whatever can be funded comes back."""
    chosen = np.ones(len(queue), np.bool_)
    if not len(queue):
        return chosen
    left = slack(queue, chosen)
    order, first = lists(queue.debtor, queue.accounts, -queue.amount)
    knapsack_rules.take_out_by_best_sets(
        left, queue.creditor, queue.amount, order, first, chosen,
        np.zeros(len(queue), np.bool_), np.zeros(PARTS + 1, np.int64),
    )  # fmt: skip
    take_rules.put_in(left, queue.debtor, queue.creditor, queue.amount, largest_first(queue), chosen)
    return chosen
