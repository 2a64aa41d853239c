"""Funds: what an account may spend at a level, and which of its debits are held.

Source: the account rules of the settlement account system (清算账户管理系统): available = balance − earmarked
− floor − reservations for other levels + intraday overdraft limit.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import Records
from cnaps_sim.words.codes import Level, Life, Phase

_WINDOW: Final = int(Phase.CLEARING_WINDOW)
_FROZEN: Final = int(Life.FROZEN)
_REVERSAL: Final = int(Level.REVERSAL)
_URGENT: Final = int(Level.URGENT)
_SAME_CITY: Final = int(Level.SAME_CITY_NET)
_ROUND_NET: Final = int(Level.ROUND_NET)
_NORMAL: Final = int(Level.NORMAL)
#: Levels that pass debit control and freezing, as a bit mask: reversals and same-city nets.
_EXEMPT: Final = (1 << int(Level.REVERSAL)) | (1 << int(Level.SAME_CITY_NET))
_ALL_LEVELS: Final = 0xFF


@clause
def is_hvps(level: int) -> bool:
    """Whether a level is one at which participants send: 1, 6 or 7."""
    return level == _URGENT or level > 5


@clause
def usable_credit(phase: int, account: Records, level: int) -> int:
    """The intraday overdraft limit (日间透支限额) as far as this level may use it now.

    In the clearing window only levels 0 and 1 may; the others need a positive balance.
    """
    if phase == _WINDOW and level > _URGENT and not account.central_bank:
        return 0
    return account.overdraft_limit  # type: ignore[no-any-return]


@clause
def own_funds(account: Records, level: int) -> int:
    """What the account may spend at `level` without any credit, in fen; may be negative.

    Level 4 may use the earmark (圈存) and no reservation stands against it; HPAR is kept from levels 2-7,
    UPAR from level 7.
    """
    funds = account.balance - account.floor - account.reserved_matching
    if level == _ROUND_NET:
        return funds  # type: ignore[no-any-return]
    funds -= account.earmark
    if level > _URGENT:
        funds -= account.reserved_high
    if level == _NORMAL:
        funds -= account.reserved_urgent
    return funds  # type: ignore[no-any-return]


@clause
def available(phase: int, account: Records, level: int) -> int:
    """What the account may spend at `level` (可用额度): own funds plus usable credit, in fen; may be negative."""
    return own_funds(account, level) + usable_credit(phase, account, level)


@rule
def available_at(books: Records, accounts: Records, row: int, level: int) -> int:
    """What one account may spend at `level` now, in fen; for whoever looks from outside the rules."""
    return available(books[0].phase, accounts[row], level)


@clause
def earmark_used(phase: int, account: Records, level: int, amount: int) -> int:
    """How much of the earmark a debit of `amount` uses up: only level 4 touches it, after ordinary funds."""
    if level != _ROUND_NET or account.earmark == 0:
        return 0
    ordinary = max(0, available(phase, account, level) - account.earmark)
    return min(account.earmark, max(0, amount - ordinary))


@clause
def is_held(account: Records, level: int) -> bool:
    """Debit control (借记控制) or freezing (AS06) holds every debit but reversals and same-city nets."""
    if not account.debit_control and account.life != _FROZEN:
        return False
    return level != _REVERSAL and level != _SAME_CITY


@clause
def movable_levels(account: Records) -> int:
    """Bit mask of the levels that hold a payment which no control holds back."""
    if account.debit_control or account.life == _FROZEN:
        return account.waiting_levels & _EXEMPT  # type: ignore[no-any-return]
    return account.waiting_levels & _ALL_LEVELS  # type: ignore[no-any-return]
