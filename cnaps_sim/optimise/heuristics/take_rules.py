"""Compiled rules: take payments out of short accounts, and take payments in that can be funded.

The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def best_fit_of(amount: Array, order: Array, chosen: Array, begin: int, end: int, deficit: int) -> int:
    """The place in `order[begin:end]`, largest first, of the smallest chosen payment that covers a deficit alone.

    The largest chosen one if none does; -1 if none is chosen.
    """
    low = begin
    high = end
    while low < high:
        middle = (low + high) // 2
        if amount[order[middle]] >= deficit:
            low = middle + 1
        else:
            high = middle
    for place in range(low - 1, begin - 1, -1):
        if chosen[order[place]]:
            return place
    for place in range(low, end):
        if chosen[order[place]]:
            return place
    return -1


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
    order:  the payments of account i are `order[first[i]:first[i + 1]]`, in the order in which it gives them up;
            with `best_fit` the largest first, and it gives up the one that fits its deficit best
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
            while not chosen[order[start]]:
                start += 1
                assert start < first[account + 1], "an account without payments to give up is never short"
            place = start
            if best_fit:
                place = best_fit_of(amount, order, chosen, start, first[account + 1], -slack[account])
            row = order[place]
            chosen[row] = False
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
