"""Compiled rules: a short account keeps the set of its payments that uses its money best.

The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def keep_best_set(
    money: int, amount: Array, order: Array, begin: int, end: int, chosen: Array, reached_by: Array
) -> int:
    """Of the chosen payments `order[begin:end]` keep a set of the largest sum that `money` covers; returns the sum.

    Dynamic programming over `reached_by.shape[0] - 1` equal parts of the money, amounts rounded up to whole parts:
    exact where money has no more fen than there are parts. What then still fits is kept too, largest first.
    reached_by: int64; the place of the payment by which a sum was first reached
    """
    parts = reached_by.shape[0] - 1
    part = max(1, (money + parts - 1) // parts)
    most = money // part
    for total in range(most + 1):
        reached_by[total] = -1
    highest = 0
    for place in range(begin, end):
        row = order[place]
        size = (amount[row] - 1) // part + 1
        if chosen[row] and size <= most:
            for total in range(min(most, highest + size), size - 1, -1):
                before = total - size
                if reached_by[total] < 0 and (before == 0 or reached_by[before] >= 0):
                    reached_by[total] = place
                    highest = max(highest, total)
            if highest == most and part == 1:
                break
    for place in range(begin, end):
        if chosen[order[place]]:
            chosen[order[place]] = False
            reached_by[parts] = reached_by[parts]
    return highest
