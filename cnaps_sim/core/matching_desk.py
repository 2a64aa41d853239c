"""The matching desk: the Python face of queue matching (排队撮合); see `matching` and `multilateral` for its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.core import matching, multilateral
from cnaps_sim.core.records import NO_QUEUE_LINE, NOBODY, PAIRS_KEPT_UP_TO, TRIAL, Records, new
from cnaps_sim.core.tables import Tables
from cnaps_sim.words.codes import MATCHING_CAUSE, Level

#: Waiting payments as numbers that mean something to the books alone: rows of the open table.
Tickets = npt.NDArray[np.int64]


class Matchable(NamedTuple):
    """Every payment that a matching considers, as parallel columns; and per account what it may use, fen.

    available: for an algorithm that knows one sum per account: less what is reserved from level 7 if the account has
        a payment of level 7 here; at least 0 for one that only receives
    before_reservation: the same before the reservation from level 7; may be negative where an account only receives
    """

    ticket: Tickets
    debtor: npt.NDArray[np.int32]
    creditor: npt.NDArray[np.int32]
    amount: npt.NDArray[np.int64]
    level: npt.NDArray[np.int8]
    available: npt.NDArray[np.int64]
    before_reservation: npt.NDArray[np.int64]


class MatchingDesk(Tables):
    """What the books offer to whoever runs the matching of queues."""

    def __init__(self, accounts: Sequence[Mapping[str, Any]], **terms: Any) -> None:
        super().__init__(accounts, **terms)
        self._trial: Records = new(TRIAL, len(accounts))
        self._net = np.zeros(len(accounts), np.int64)
        self._sends = np.zeros(len(accounts), np.int8)
        self._chosen = np.zeros(0, np.int64)

    def matchable(self) -> Matchable:
        """Every payment that a matching considers, account by account, each in queue order; see `core.matching`."""
        assert not self.desk["matching_locked"][0], "a matching is under way"
        rows = self._room_for_waiting()
        rows = rows[: matching.line_up(self.desk, self.accounts, self.queues, self.payments, rows)]
        found = self.payments[rows]
        levels = np.zeros(len(self.accounts), np.int8)
        np.maximum.at(levels, found["debtor"], found["level"])
        funds = np.zeros((2, len(self.accounts)), np.int64)
        matching.funds_at_levels(self.desk, self.accounts, funds)
        available = np.where(levels == Level.NORMAL, funds[1], np.where(levels > 0, funds[0], np.maximum(0, funds[0])))
        debtor, creditor, amount, level = (np.array(found[name]) for name in ("debtor", "creditor", "amount", "level"))
        return Matchable(rows, debtor, creditor, amount, level, available, funds[0])

    def matchable_totals(self) -> tuple[int, int]:
        """Count and value (fen) of what a matching would consider."""
        self._consider()
        return int(self._trial["kept"].sum()), int(self._trial["fen"].sum())

    def choose_multilateral(self) -> Tickets:
        """The largest set that keeps the order of every queue, as tickets in the order of posting."""
        self._consider()
        rows = self._room_for_waiting()
        tables = (self.desk, self.accounts, self.queues, self.owed, self.payments, self.limits)
        return rows[: multilateral.choose(*tables, self._trial, rows)]

    def settle_together(self, time_ms: int, number: int, tickets: Tickets) -> int:
        """Matching `number` posts these payments together, or none if an account stops it: its row, else NOBODY."""
        self.make_room(1)
        cause = MATCHING_CAUSE - number
        return int(matching.settle_together(*self._tables, time_ms, cause, tickets, self._net, self._sends))

    def reserve_for_matching(self, tickets: Tickets) -> int:
        """A matching that takes time begins; the row of the account that stops it, else NOBODY."""
        tables = (self.desk, self.accounts, self.queues, self.payments, self.limits)
        blocking = int(matching.reserve(*tables, tickets, self._net, self._sends))
        if blocking == NOBODY:
            self._chosen = tickets
        return blocking

    def settle_reserved(self, time_ms: int, number: int) -> int:
        """The matching under way ends: all its payments post, or none if an account stops it: its row, else NOBODY."""
        self.make_room(1)
        chosen, self._chosen = self._chosen, np.zeros(0, np.int64)
        cause = MATCHING_CAUSE - number
        return int(matching.settle_reserved(*self._tables, time_ms, cause, chosen, self._net, self._sends))

    def set_queue_lines(self, count: int = NO_QUEUE_LINE, fen: int = NO_QUEUE_LINE) -> None:
        """Watch lines of the queue: `advance` stops when a payment makes it longer or worth more than these."""
        self.desk["count_line"] = count
        self.desk["fen_line"] = fen
        self.desk["is_over_count"] = self.desk["hvps_waiting_count"] > count
        self.desk["is_over_fen"] = self.desk["hvps_waiting_fen"] > fen

    def set_stop_when_queued(self, on: bool) -> None:
        """While on, `advance` stops after every payment that finds or leaves something queued at levels 6 and 7."""
        self.desk["stop_when_queued"] = on

    def _consider(self) -> None:
        """Fill the trial with all that may take part; from the first matching on, keep what each owes each other."""
        count = len(self.accounts)
        if len(self.owed) == 0 and count <= PAIRS_KEPT_UP_TO:
            self.owed = np.zeros((count, count), np.int64)
            multilateral.sum_up_owed(self.queues, self.payments, self.owed)
        multilateral.consider(self.desk, self.accounts, self.queues, self.owed, self.payments, self._trial)

    def _room_for_waiting(self) -> Tickets:
        return np.empty(int(self.desk["normal_waiting_count"][0]), np.int64)
