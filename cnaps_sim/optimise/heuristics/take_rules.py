"""Compiled rules: take payments out of short accounts, and take payments in that can be funded.

The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def next_out(amount: Array, order: Array, chosen: Array, begin: int, end: int, deficit: int, best_fit: bool) -> int:
    """The place in `order[begin:end]` of the payment that a short account gives up; -1 if it has none.

    The first chosen one; with `best_fit`, where the list runs from the largest down, the smallest that covers the
    deficit alone, or else the largest.
    """
    found = -1
    for place in range(begin, end):
        if chosen[order[place]]:
            if found >= 0 and amount[order[place]] < deficit:
                break
            found = place
            if not best_fit:
                break
    return found


@rule
def take_out(
    slack: Array,
    creditor: Array,
    amount: Array,
    order: Array,
    first: Array,
    best_fit: bool,
    chosen: Array,
    waiting: Array,
    listed: Array,
) -> None:
    """Short accounts give up payments until none is short; the accounts first found short go first.

    slack:  fen left per account if everything chosen settles, becomes what is left after the drops
    order:  the payments of account i are `order[first[i]:first[i + 1]]`, in the order in which it gives them up
    chosen: becomes the answer
    waiting: int64, one place per account; listed: False per account
    """
    accounts = slack.shape[0]
    begin = 0
    length = 0
    for account in range(accounts):
        if slack[account] < 0:
            waiting[length] = account
            listed[account] = True
            length += 1
    while length > 0:
        account = waiting[begin]
        begin = begin + 1 if begin + 1 < accounts else 0
        length -= 1
        listed[account] = False
        start = first[account]
        while slack[account] < 0:
            place = next_out(amount, order, chosen, start, first[account + 1], -slack[account], best_fit)
            assert place >= 0
            row = order[place]
            chosen[row] = False
            if not best_fit:
                start = place + 1
            slack[account] += amount[row]
            other = creditor[row]
            slack[other] -= amount[row]
            if slack[other] < 0 and not listed[other]:
                last = begin + length
                waiting[last if last < accounts else last - accounts] = other
                listed[other] = True
                length += 1


@rule
def put_in(slack: Array, debtor: Array, creditor: Array, amount: Array, order: Array, chosen: Array) -> None:
    """Take in every payment that its debtor can fund, in the given order, again and again until none fits."""
    again = True
    while again:
        again = False
        for place in range(order.shape[0]):
            row = order[place]
            if not chosen[row] and slack[debtor[row]] >= amount[row]:
                chosen[row] = True
                slack[debtor[row]] -= amount[row]
                slack[creditor[row]] += amount[row]
                again = True
