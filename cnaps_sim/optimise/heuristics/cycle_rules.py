"""Compiled rules: find a simple cycle of waiting payments that settles together.

The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def settle(row: int, slack: Array, debtor: Array, creditor: Array, amount: Array, chosen: Array) -> None:
    """Take a payment in."""
    chosen[row] = True
    slack[debtor[row]] -= amount[row]
    slack[creditor[row]] += amount[row]


@rule
def find_way_back(
    begin: int,
    slack: Array,
    debtor: Array,
    creditor: Array,
    amount: Array,
    order: Array,
    first: Array,
    chosen: Array,
    brought: Array,
    came_by: Array,
    frontier: Array,
    spent: Array,
) -> int:
    """The last payment of a cycle that begins with payment `begin`; -1 if none was found.

    From its creditor on, an account may pass on what it is brought and its slack; the account that is brought most
    goes first, each account once.
    brought: fen by account, -1 where nothing came; came_by: the payment that did, -2 less it once the account is done
    """
    home = debtor[begin]
    needed = amount[begin] - slack[home]
    for account in range(slack.shape[0]):
        brought[account] = came_by[account] = -1
    brought[creditor[begin]] = amount[begin]
    came_by[creditor[begin]] = begin
    frontier[0] = creditor[begin]
    length = 1
    spent[0] += slack.shape[0] >> 2
    while length > 0:
        place = 0
        for other in range(1, length):
            if brought[frontier[other]] > brought[frontier[place]]:
                place = other
        account = frontier[place]
        length -= 1
        frontier[place] = frontier[length]
        money = brought[account] + slack[account]
        came_by[account] = -2 - came_by[account]
        spent[0] += length + first[account + 1] - first[account]
        for place in range(first[account], first[account + 1]):
            row = order[place]
            if chosen[row] or amount[row] > money:
                continue
            other = creditor[row]
            if other == home:
                if amount[row] >= needed:
                    return row  # type: ignore[no-any-return]
            elif amount[row] > brought[other] and came_by[other] > -2:
                if brought[other] < 0:
                    frontier[length] = other
                    length += 1
                brought[other] = amount[row]
                came_by[other] = row
    return -1


@rule
def settle_cycles(
    slack: Array,
    debtor: Array,
    creditor: Array,
    amount: Array,
    by_size: Array,
    order: Array,
    first: Array,
    chosen: Array,
    brought: Array,
    came_by: Array,
    frontier: Array,
    spent: Array,
    limit: int,
) -> bool:
    """Settle a simple cycle through each waiting payment for which one is found, the largest payments first.

    slack, chosen: as they are, become what they are then; by_size: all rows, largest first
    order:   the payments of account i are `order[first[i]:first[i + 1]]`, largest first
    brought, came_by, frontier: int64, one place per account
    spent:   one number, how many payments have been looked at; the search stops at `limit`
    False: no cycle was found
    """
    found = False
    for place in range(by_size.shape[0]):
        begin = by_size[place]
        if chosen[begin] or spent[0] >= limit:
            continue
        row = find_way_back(
            begin, slack, debtor, creditor, amount, order, first, chosen, brought, came_by, frontier, spent
        )
        if row < 0:
            continue
        found = True
        settle(begin, slack, debtor, creditor, amount, chosen)
        while row != begin:
            settle(row, slack, debtor, creditor, amount, chosen)
            row = -2 - came_by[debtor[row]]
    return found
