"""Told: what the auditor of the stream hears that the books hear too: terms of accounts, pools and pledges, the phase.

Each is noted beside the entry of the log from which on it holds; the log has been drained before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Ints
from cnaps_sim.audit.in_force import Change
from cnaps_sim.audit.limits import REMOVED
from cnaps_sim.audit.limits import RULE as LIMITS_KEPT
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Phase

#: The money terms of an account that matter to the audit, fen.
_FIELDS: Final = ("overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent")


class ToolTerms(NamedTuple):
    """Liquidity tools at the start of a run; one array element per account row, money in fen; None: zero everywhere.

    earmark, reserved_high, reserved_urgent: what an account keeps beside its floor (圈存, HPAR, UPAR)
    pools:     fund pools (资金池): (random order?, account rows in list order); an account is in one at most
    active:    which of them work; all if left out
    pool_seed: of the order in which members of random pools are asked
    room, start, automatic: of pledge loans (质押融资): what may be owed at once, the smallest automatic loan, and
        whether loans are made automatically
    lender, interest_account, rate_ppm: rows of the accounts that lend against pledges and earn the interest, and the
        yearly rate in millionths
    """

    earmark: NDArray[np.int64] | None = None
    reserved_high: NDArray[np.int64] | None = None
    reserved_urgent: NDArray[np.int64] | None = None
    pools: Sequence[tuple[bool, Sequence[int]]] = ()
    active: Sequence[bool] | None = None
    pool_seed: int = 0
    room: NDArray[np.int64] | None = None
    start: NDArray[np.int64] | None = None
    automatic: NDArray[np.bool_] | None = None
    lender: int = -1
    interest_account: int = -1
    rate_ppm: int = 0

    def in_force(self, count: int) -> dict[str, Ints]:
        """The terms as numbers by account, those of pools by pool."""
        given = {
            "earmark": self.earmark,
            "reserved_high": self.reserved_high,
            "reserved_urgent": self.reserved_urgent,
            "room": self.room,
            "start": self.start,
            "automatic": self.automatic,
        }
        terms = {name: np.zeros(count, np.int64) if v is None else np.array(v, np.int64) for name, v in given.items()}
        terms["reserved_matching"] = np.zeros(count, np.int64)
        terms["closed"] = np.zeros(count, np.int64)
        active = [True] * len(self.pools) if self.active is None else self.active
        return terms | {"pool": np.array(active, np.int64)}


class Told:
    """The part of an auditor that is told what changes."""

    def __init__(self) -> None:
        self._findings = Findings()
        self._entries = 0  # of the pending log
        self._changes: list[Change] = []
        self._kept: Ints = np.zeros(0, np.int64)  # for the matching under way

    def see_limit_change(self, time_ms: int, account: int, field: str, value: int) -> None:
        """A money term of an account changes (fen): overdraft limit, floor, earmark or a reservation."""
        if field in _FIELDS:
            self._note(time_ms, field, account, value)

    def see_bilateral_limit(self, time_ms: int, debtor: int, creditor: int, fen: int | None) -> None:
        """A pair's bilateral limit (双边限额) becomes `fen`, or ends (None).

        One that the pair has not had before counts from now on; one that ends goes on counting, should it return.
        """
        if fen is not None:
            self._findings.made(LIMITS_KEPT)
        self._note(time_ms, "limit", debtor, REMOVED if fen is None else fen, creditor)

    def see_control(self, time_ms: int, account: int, held: bool) -> None:
        """Debit control (借记控制) or a freeze begins, or the last of the two ends."""
        self._note(time_ms, "held", account, int(held))

    def see_life(self, time_ms: int, account: int, is_open: bool) -> None:
        """An account opens, or is open no longer: frozen, closed or about to be; it then gives nothing to others."""
        self._note(time_ms, "closed", account, int(not is_open))

    def see_reserved(self, time_ms: int, kept: NDArray[np.int64]) -> None:
        """What each account keeps for a matching under way (fen); nothing when it ends."""
        before = self._kept if len(self._kept) else np.zeros(len(kept), np.int64)
        for account in np.flatnonzero(kept != before).tolist():
            self._note(time_ms, "reserved_matching", account, int(kept[account]))
        self._kept = np.array(kept, np.int64)

    def see_phase(self, time_ms: int, phase: Phase, special: bool = False) -> None:
        """The business day enters a phase; `special`: a session that takes only special payments."""
        self._note(time_ms, "phase", -1, int(phase) * 2 + int(special))

    def see_pool(self, time_ms: int, pool: int, active: bool) -> None:
        """A fund pool (资金池) works from now on, or no longer."""
        self._note(time_ms, "pool", pool, int(active))

    def see_pledge(self, time_ms: int, account: int, room: int, start: int, automatic: bool) -> None:
        """The terms of pledge financing (质押融资) of an account change; room and smallest automatic loan in fen."""
        self._note(time_ms, "room", account, room)
        self._note(time_ms, "start", account, start)
        self._note(time_ms, "automatic", account, int(automatic))

    def see_overdue(self, time_ms: int, extra_ppm: int) -> None:
        """Every pledge loan not yet overdue (逾期) becomes so, and bears so much more a year, in millionths."""
        self._note(time_ms, "overdue", -1, extra_ppm)

    def see_write_off(self, time_ms: int, account: int) -> None:
        """The pledge loans of an account in default (违约) are over without repayment: its bonds are realised."""
        self._note(time_ms, "write_off", account, 0)

    def _note(self, time_ms: int, what: str, account: int, value: int, towards: int = -1) -> None:
        self._changes.append(Change(self._entries, int(time_ms), what, int(account), int(value), int(towards)))
