"""Compiled rules: one-by-one release of a standing queue, exactly as the books release theirs.

Every account with something queued is woken in row order; a woken account pays what it can from the head of its
queue; each payment wakes its creditor; first woken, first served. Source: settlement queue rules, disciplines `fifo`
and `bypass`. The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def line_up(debtor: Array, start: Array, order: Array) -> None:
    """Each account's queue: `order[start[i]:start[i + 1]]` are the rows that account i pays, in queue order.

    debtor: account rows; start: zeros, int64, two longer than there are accounts; order: int64, one per payment
    """
    for row in range(debtor.shape[0]):
        start[debtor[row] + 2] += 1
    for account in range(2, start.shape[0]):
        start[account] += start[account - 1]
    for row in range(debtor.shape[0]):
        place = debtor[row] + 1
        order[start[place]] = row
        start[place] += 1


@rule
def release_in_order(
    available: Array,
    creditor: Array,
    amount: Array,
    start: Array,
    order: Array,
    head: Array,
    woken: Array,
    chain: Array,
    chosen: Array,
) -> None:
    """Strict FIFO: an account pays from the head of its queue until the next payment is not funded.

    available: fen by account, becomes what is left; start, order: see `line_up`; head: a copy of `start`
    woken: False per account; chain: int64, one place per account; chosen: False per payment, True where released
    """
    accounts = available.shape[0]
    first = 0
    length = 0
    for account in range(accounts):
        if head[account] < start[account + 1]:
            chain[length] = account
            woken[account] = True
            length += 1
    while length > 0:
        account = chain[first]
        first = (first + 1) % accounts
        length -= 1
        woken[account] = False
        while head[account] < start[account + 1]:
            row = order[head[account]]
            if amount[row] > available[account]:
                break
            head[account] += 1
            chosen[row] = True
            available[account] -= amount[row]
            payee = creditor[row]
            available[payee] += amount[row]
            if not woken[payee] and head[payee] < start[payee + 1]:
                chain[(first + length) % accounts] = payee
                woken[payee] = True
                length += 1


@rule
def release_with_bypass(
    available: Array,
    creditor: Array,
    amount: Array,
    level: Array,
    start: Array,
    order: Array,
    waiting: Array,
    woken: Array,
    chain: Array,
    chosen: Array,
) -> None:
    """Bypass: inside the highest level that holds a payment, the first one that is funded settles.

    waiting: number of payments still queued by account; the rest as in `release_in_order`.
    While an account pays nobody credits it, so what was too large stays too large: the scan may go on where it is.
    """
    accounts = available.shape[0]
    first = 0
    length = 0
    for account in range(accounts):
        if waiting[account] > 0:
            chain[length] = account
            woken[account] = True
            length += 1
    while length > 0:
        account = chain[first]
        first = (first + 1) % accounts
        length -= 1
        woken[account] = False
        blocked_level = 127
        for place in range(start[account], start[account + 1]):
            row = order[place]
            if chosen[row]:
                continue
            if level[row] > blocked_level:
                break
            if amount[row] > available[account]:
                blocked_level = level[row]
                continue
            chosen[row] = True
            waiting[account] -= 1
            available[account] -= amount[row]
            payee = creditor[row]
            available[payee] += amount[row]
            if not woken[payee] and waiting[payee] > 0:
                chain[(first + length) % accounts] = payee
                woken[payee] = True
                length += 1
