"""Compiled rules: a short account keeps the set of its payments that uses its money best.

The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def find_best_set(
    money: int, amount: Array, order: Array, begin: int, end: int, chosen: Array, kept: Array, reached_by: Array
) -> None:
    """Mark in `kept` a set of the chosen payments `order[begin:end]` with the largest sum that `money` covers.

    Dynamic programming over equal parts of the money, amounts rounded up to whole parts: exact where money has no
    more fen than `reached_by` has places for parts. reached_by: int64, the place that first reached a sum.
    """
    parts = reached_by.shape[0] - 1
    part = max(1, (money - 1) // parts + 1)
    most = money // part
    for total in range(most + 1):
        reached_by[total] = -1
    highest = 0
    for place in range(begin, end):
        size = (amount[order[place]] - 1) // part + 1
        if chosen[order[place]] and size <= most and highest < most:
            for total in range(min(most, highest + size), size - 1, -1):
                if reached_by[total] < 0 and (total == size or reached_by[total - size] >= 0):
                    reached_by[total] = place
                    highest = max(highest, total)
    while highest > 0:
        row = order[reached_by[highest]]
        kept[row] = True
        highest -= (amount[row] - 1) // part + 1


@rule
def keep_best_set(
    account: int,
    slack: Array,
    creditor: Array,
    amount: Array,
    order: Array,
    first: Array,
    chosen: Array,
    kept: Array,
    reached_by: Array,
) -> None:
    """A short account keeps the best set of its chosen payments, and what then still fits, largest first."""
    money = slack[account]
    for place in range(first[account], first[account + 1]):
        if chosen[order[place]]:
            money += amount[order[place]]
    find_best_set(money, amount, order, first[account], first[account + 1], chosen, kept, reached_by)
    for place in range(first[account], first[account + 1]):
        if kept[order[place]]:
            money -= amount[order[place]]
    for place in range(first[account], first[account + 1]):
        row = order[place]
        if kept[row]:
            kept[row] = False
        elif chosen[row] and amount[row] <= money:
            money -= amount[row]
        elif chosen[row]:
            chosen[row] = False
            slack[creditor[row]] -= amount[row]
    slack[account] = money


@rule
def take_out_by_best_sets(
    slack: Array,
    creditor: Array,
    amount: Array,
    order: Array,
    first: Array,
    chosen: Array,
    kept: Array,
    reached_by: Array,
) -> None:
    """Every short account keeps its best set, the most short first, until none is short.

    slack: fen left per account if everything chosen settles, becomes what is left; kept: False per payment
    order: the payments of account i are `order[first[i]:first[i + 1]]`, the largest first
    """
    while True:
        worst = 0
        for account in range(1, slack.shape[0]):
            if slack[account] < slack[worst]:
                worst = account
        if slack[worst] >= 0:
            break
        keep_best_set(worst, slack, creditor, amount, order, first, chosen, kept, reached_by)
