"""Bilateral limits (双边限额): how much more a participant sends to another than it receives from it.

A limit binds payments of levels 6 and 7, and only they count: sent less received since the day began may not exceed
it. The limits of one debtor form a chain; an account without limits costs one comparison.

A limit may be set, changed and removed in the course of a day. One set for a pair that had none counts from its
setting on, because nobody has kept what flowed before (a modelling default: no public source says from when). A
removed one binds nothing, but goes on counting: set again, it counts the whole day.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import NOBODY, Records
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
    """Whether a payment of `level` keeps its debtor's limit towards its creditor."""
    if limits.shape[0] == 0 or level < _HIGH:
        return True
    row = find_limit(accounts, limits, debtor_row, creditor_row)
    return row == NOBODY or limits[row].net + amount <= limits[row].most  # type: ignore[no-any-return]


@clause
def count_in_limits(
    accounts: Records, limits: Records, debtor_row: int, creditor_row: int, amount: int, level: int
) -> None:
    """A payment has settled: the debtor's net towards the creditor rises, the creditor's towards the debtor falls."""
    if limits.shape[0] == 0 or level < _HIGH:
        return
    there = find_limit(accounts, limits, debtor_row, creditor_row)
    if there != NOBODY:
        limits[there].net += amount
    back = find_limit(accounts, limits, creditor_row, debtor_row)
    if back != NOBODY:
        limits[back].net -= amount


@rule
def start_limits(limits: Records) -> None:
    """A business date begins: every net starts from zero."""
    for row in range(limits.shape[0]):
        limits[row].net = 0
