"""Covering a debit: own funds, then the pool, then overdraft or pledge, whichever the account has.

Source: rules of the account (how a debit is covered). Only the head of the queue is covered by a pool or a pledge.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.pledges import Pledges
from cnaps_sim.words.codes import Cause


class Cover(IntEnum):
    """How a debit that nothing else hinders can be paid; NONE: it cannot."""

    NONE = 0
    PLAIN = 1  # own funds, or with the overdraft that may be used
    POOL = 2  # a rescue first
    PLEDGE = 3  # a pledge loan first


# Looked up once; see `account`.
NONE: Final = Cover.NONE
PLAIN: Final = Cover.PLAIN
_POOL: Final = Cover.POOL
_PLEDGE: Final = Cover.PLEDGE


class Covering(Pledges):
    """The ledger with all that may cover a short account."""

    def _cover(self, account: Account, amount: int, level: int) -> Cover:
        """How a debit is paid that nothing stands in front of. Nothing moves yet."""
        lacking = amount - account.own(level, self.phase)
        if lacking <= 0:
            return PLAIN
        if self._can_rescue(account, lacking):
            return _POOL
        if account.credit(level, self.phase) >= lacking:
            return PLAIN
        return _PLEDGE if self._can_borrow(account, lacking) else NONE

    def _bring(
        self, time: int, sequence: int, account: Account, amount: int, level: int, cover: Cover
    ) -> tuple[Cause, bool]:
        """Move to the account what payment `sequence` lacks, as just found; answers what covered it.

        The account is not woken by it, because it pays next, and neither are those that give.
        """
        lacking = amount - account.own(level, self.phase)
        if cover is _POOL:
            self._rescue(time, sequence, account, lacking)
            return Cause.POOL, False
        assert cover is _PLEDGE, f"payment {sequence} needs no cover"
        return Cause.PLEDGE, self._lend_lacking(time, sequence, account, lacking)
