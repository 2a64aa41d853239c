"""Covering a debit that own money does not pay: pool, then overdraft or pledge, whichever the account has.

Only a payment that nothing stands in front of is covered, and only if the cover is whole. Source: the account rules
(how a debit is covered; the order is a modelling default, no public source says it).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import available, own_funds
from cnaps_sim.core.pledges import lend_on_pledge, room
from cnaps_sim.core.pools import can_rescue, rescue
from cnaps_sim.core.records import IN_POOL, PLEDGES, Records, Tools
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Cause

_NO_CAUSE: Final = int(Cause.NONE)
_BY_POOL: Final = int(Cause.POOL)
_BY_PLEDGE: Final = int(Cause.PLEDGE)
_COVERED: Final = IN_POOL | PLEDGES


@clause
def has_cover(account: Records) -> bool:
    """Whether anything but own money and overdraft may pay the account's debits."""
    return account.alert & _COVERED != 0  # type: ignore[no-any-return]


@clause
def needs_cover(account: Records, level: int, amount: int) -> bool:
    """Whether a debit that can be paid lacks own money, on an account that a pool or a pledge may cover."""
    return account.alert & _COVERED != 0 and own_funds(account, level) < amount  # type: ignore[no-any-return]


@rule
def can_be_covered(accounts: Records, tools: Tools, row: int, level: int, amount: int) -> bool:
    """Whether a pool or a pledge covers a debit that own money and overdraft do not pay."""
    account = accounts[row]
    lacking = amount - own_funds(account, level)
    if can_rescue(accounts, tools, row, lacking):
        return True
    return account.alert & PLEDGES != 0 and room(account) >= lacking  # type: ignore[no-any-return]


@rule
def cover(
    books: Records,
    accounts: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    sequence: int,
    row: int,
    level: int,
    amount: int,
) -> int:
    """Bring the money that a payable debit lacks; returns what covered it (`codes.Cause`), NONE if nothing had to."""
    account = accounts[row]
    lacking = amount - own_funds(account, level)
    if lacking <= 0:
        return _NO_CAUSE
    if can_rescue(accounts, tools, row, lacking):
        rescue(books, accounts, tools, log, time_ms, sequence, row, lacking)
        return _BY_POOL
    if available(books[0].phase, account, level) >= amount:
        return _NO_CAUSE
    assert account.alert & PLEDGES
    loan = max(lacking, min(account.pledge_start, room(account)))
    lend_on_pledge(books, accounts, tools, log, time_ms, row, loan, sequence)
    if loan > lacking:  # what is left over may serve what waits, an older loan, or the pool
        wake(books, accounts, tools, row, _BY_PLEDGE)
    return _BY_PLEDGE
