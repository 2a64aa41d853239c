"""Simple cycles: payments one by one, then rings of payments that fund each other. Chinese: 简单环路."""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.optimise.heuristics import cycle_rules, take_rules
from cnaps_sim.optimise.heuristics.accounts import funds, lists
from cnaps_sim.optimise.heuristics.take_out import largest_first
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm

#: The search for cycles stops after looking at this many payments, so that its time has a limit.
LONGEST_SEARCH: Final = 6_000_000


@algorithm(
    "simple-cycles",
    reference="own; compare Humes et al. (2012), TORC3: Token-ring clearing heuristic for currency circulation",
    chinese="简单环路",
)
def simple_cycles(queue: QueueTable) -> Chosen:
    """Payments are taken in as they can be funded, then simple cycles through each waiting payment, largest first.

    A cycle settles if every account on it can pay with what it is brought and what it has. Queues that need two
    cycles at once stay.
    """
    return cycles_within(queue, LONGEST_SEARCH)


def cycles_within(queue: QueueTable, limit: int) -> Chosen:
    """`simple_cycles` that looks for cycles no longer than at about `limit` payments."""
    count, accounts = len(queue), queue.accounts
    chosen = np.zeros(count, np.bool_)
    left = funds(queue)
    by_size = largest_first(queue)
    order, first = lists(queue.debtor, accounts, -queue.amount)
    brought, came_by, frontier = np.zeros((3, accounts), np.int64)
    spent = np.zeros(1, np.int64)
    again = True
    while again:
        take_rules.put_in(left, queue.debtor, queue.creditor, queue.amount, by_size, chosen)
        again = cycle_rules.settle_cycles(
            left, queue.debtor, queue.creditor, queue.amount, by_size, order, first, chosen,
            brought, came_by, frontier, spent, limit,
        )  # fmt: skip
    return chosen
