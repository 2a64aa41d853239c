"""Limits (双边限额, 多边限额): how much more a participant sends than it receives, to one other or to all together.

A bilateral limit is towards one creditor, a multilateral one towards ANYBODY. A limit binds payments of levels 6 and
7, and only they count: sent less received since the day began may not exceed it. The limits of one debtor form a
chain; an account without limits costs one comparison.

A limit may be set, changed and removed in the course of a day. One set where there was none counts from its setting
on, because nobody has kept what flowed before (a modelling default: no public source says from when). A removed one
binds nothing, but goes on counting: set again, it counts the whole day.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import ANYBODY, NOBODY, Records
from cnaps_sim.words.codes import Level

_HIGH: Final = int(Level.HIGH)


@clause
def find_limit(accounts: Records, limits: Records, debtor_row: int, creditor_row: int) -> int:
    """The row of the debtor's limit towards the creditor, or NOBODY."""
    row = accounts[debtor_row].first_limit
    while row != NOBODY and limits[row].creditor != creditor_row:
        row = limits[row].next
    return row  # type: ignore[no-any-return]


@clause
def is_within_limit(
    accounts: Records, limits: Records, debtor_row: int, creditor_row: int, amount: int, level: int
) -> bool:
    """Whether a payment of `level` keeps its debtor's limits: towards its creditor, and towards all together."""
    if limits.shape[0] == 0 or level < _HIGH:
        return True
    row = accounts[debtor_row].first_limit
    while row != NOBODY:
        limit = limits[row]
        if (limit.creditor == creditor_row or limit.creditor == ANYBODY) and limit.net + amount > limit.most:
            return False
        row = limit.next
    return True


@clause
def count_in_limits(
    accounts: Records, limits: Records, debtor_row: int, creditor_row: int, amount: int, level: int
) -> None:
    """A payment has settled: the debtor's nets rise, those of the creditor fall."""
    if limits.shape[0] == 0 or level < _HIGH:
        return
    row = accounts[debtor_row].first_limit
    while row != NOBODY:
        if limits[row].creditor == creditor_row or limits[row].creditor == ANYBODY:
            limits[row].net += amount
        row = limits[row].next
    row = accounts[creditor_row].first_limit
    while row != NOBODY:
        if limits[row].creditor == debtor_row or limits[row].creditor == ANYBODY:
            limits[row].net -= amount
        row = limits[row].next


@clause
def try_in_limits(accounts: Records, limits: Records, debtor_row: int, creditor_row: int, amount: int) -> None:
    """The same in the nets of a set of payments that a matching tries; a negative amount takes a payment out."""
    row = accounts[debtor_row].first_limit
    while row != NOBODY:
        if limits[row].creditor == creditor_row or limits[row].creditor == ANYBODY:
            limits[row].trial += amount
        row = limits[row].next
    row = accounts[creditor_row].first_limit
    while row != NOBODY:
        if limits[row].creditor == debtor_row or limits[row].creditor == ANYBODY:
            limits[row].trial -= amount
        row = limits[row].next


@clause
def count_breaches(accounts: Records, limits: Records, account_row: int) -> int:
    """How many limits of an account the set that a matching tries would exceed."""
    breaches = 0
    row = accounts[account_row].first_limit
    while row != NOBODY:
        if limits[row].trial > limits[row].most:
            breaches += 1
        row = limits[row].next
    return breaches


@rule
def start_limits(limits: Records) -> None:
    """A business date begins: every net starts from zero."""
    for row in range(limits.shape[0]):
        limits[row].net = 0
