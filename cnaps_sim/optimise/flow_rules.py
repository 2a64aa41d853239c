"""Compiled rules: move the accounts' deficits along queued payments to accounts with funds to spare.

Let everything settle: some accounts are short. Taking a fen out of a payment moves a fen of shortage from its debtor
to its creditor. The least value to take out is a minimum-cost flow in which every payment costs 1 per fen: whole
numbers throughout, so no tolerance. Primal-dual method: prices are distances to the nearest account with funds to
spare, deficits flow along shortest paths (Ford and Fulkerson 1962; blocking flows of Dinic 1970). The rules of this
file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def set_prices(
    first: Array,
    to: Array,
    twin: Array,
    room: Array,
    cost: Array,
    slack: Array,
    price: Array,
    fresh: Array,
    listed: Array,
    waiting: Array,
) -> None:
    """Raise each account's price to its distance from the nearest account with slack (label correcting).

    Accounts that cannot reach one keep their distance from the others: they rise as far as the highest rise.
    fresh, waiting: int64, one place per account; listed: False per account; the rest as in `push_deficits`
    """
    far = 1 << 60
    accounts = price.shape[0]
    begin = 0
    length = 0
    for account in range(accounts):
        fresh[account] = far
        if slack[account] > 0:
            fresh[account] = 0
            waiting[length] = account
            listed[account] = True
            length += 1
    while length > 0:
        account = waiting[begin]
        begin = begin + 1 if begin + 1 < accounts else 0
        length -= 1
        listed[account] = False
        for arc in range(first[account], first[account + 1]):
            inward = twin[arc]
            other = to[arc]
            if room[inward] > 0 and fresh[account] + cost[inward] < fresh[other]:
                fresh[other] = fresh[account] + cost[inward]
                if not listed[other]:
                    last = begin + length
                    waiting[last if last < accounts else last - accounts] = other
                    listed[other] = True
                    length += 1
    rise = 0
    for account in range(accounts):
        if fresh[account] < far:
            rise = max(rise, fresh[account] - price[account])
    for account in range(accounts):
        price[account] = fresh[account] if fresh[account] < far else price[account] + rise


@rule
def set_steps(
    first: Array,
    to: Array,
    twin: Array,
    room: Array,
    cost: Array,
    slack: Array,
    price: Array,
    step: Array,
    waiting: Array,
) -> None:
    """How many arcs each account is away from one with slack, along arcs that follow the prices; -9 if it is not."""
    length = 0
    for account in range(price.shape[0]):
        step[account] = -9
        if slack[account] > 0:
            step[account] = 0
            waiting[length] = account
            length += 1
    served = 0
    while served < length:
        account = waiting[served]
        served += 1
        for arc in range(first[account], first[account + 1]):
            inward = twin[arc]
            other = to[arc]
            if step[other] == -9 and room[inward] > 0 and price[other] == price[account] + cost[inward]:
                step[other] = step[account] + 1
                waiting[length] = other
                length += 1


@rule
def push_from(
    source: int,
    first: Array,
    to: Array,
    twin: Array,
    room: Array,
    cost: Array,
    owed: Array,
    slack: Array,
    price: Array,
    step: Array,
    cursor: Array,
    path: Array,
) -> bool:
    """Push one account's deficit along arcs that follow prices and steps, until it is gone or blocked."""
    moved = False
    depth = 0
    account = source
    while owed[source] > 0:
        if slack[account] > 0:
            value = min(owed[source], slack[account])
            for place in range(depth):
                value = min(value, room[path[place]])
            for place in range(depth):
                room[path[place]] -= value
                room[twin[path[place]]] += value
            owed[source] -= value
            slack[account] -= value
            moved = True
            depth = 0
            account = source
            continue
        arc = cursor[account]
        while arc < first[account + 1] and not (
            room[arc] > 0 and step[to[arc]] == step[account] - 1 and price[account] == price[to[arc]] + cost[arc]
        ):
            arc += 1
        cursor[account] = arc
        if arc < first[account + 1]:
            path[depth] = arc
            depth += 1
            account = to[arc]
        elif depth == 0:
            break
        else:
            depth -= 1
            account = to[twin[path[depth]]]
            cursor[account] += 1
    return moved


@rule
def push_deficits(
    first: Array,
    to: Array,
    twin: Array,
    room: Array,
    cost: Array,
    owed: Array,
    slack: Array,
    price: Array,
    fresh: Array,
    listed: Array,
    waiting: Array,
    step: Array,
    cursor: Array,
    path: Array,
) -> None:
    """Move all deficits to accounts with slack at the least cost.

    first:  arcs of account i are `first[i]` to `first[i + 1]`; to: the account at an arc's end; twin: the arc back
    room:   fen an arc can still take, becomes what is left; cost: 1 for taking out of a payment, -1 for putting back
    owed:   deficit by account, fen, becomes 0; slack: fen to spare by account, becomes what is left
    price:  zeros; becomes the dual solution: what one fen more of available funds would let settle
    fresh, waiting, step, cursor, path: int64, one place per account; listed: False per account
    """
    accounts = price.shape[0]
    left = True
    while left:
        left = False
        for account in range(accounts):
            left = left or owed[account] > 0
        if not left:
            break
        set_prices(first, to, twin, room, cost, slack, price, fresh, listed, waiting)
        moved = True
        while moved:
            moved = False
            set_steps(first, to, twin, room, cost, slack, price, step, waiting)
            for account in range(accounts):
                cursor[account] = first[account]
            for account in range(accounts):
                if owed[account] > 0 and step[account] > 0:
                    pushed = push_from(account, first, to, twin, room, cost, owed, slack, price, step, cursor, path)
                    moved = moved or pushed
