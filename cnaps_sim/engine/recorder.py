"""The recorder: keeps what happened, as columns, bounded, until the result tables are made.

The books' log is the only source: the recorder never asks an account what it thinks has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnaps_sim.core import Books
from cnaps_sim.core.records import LEVELS, LOG, MOVE, Records, joined
from cnaps_sim.words.codes import Act, TransferKind

#: Parts of the log that are joined to one.
_JOINED_AT = 1024
_WARNINGS = (int(Act.WARNING_RAISED), int(Act.WARNING_CLEARED))


@dataclass(frozen=True)
class Booking:
    """An instruction of the central bank: a queue item of levels 0 and 2-5, or a transfer without a queue."""

    sequence: int
    kind: TransferKind
    time_ms: int
    debtor: int
    creditor: int
    amount: int
    level: int
    payment_id: str | None  # None: no item of the queue, only a transfer (injection, loan)
    type: str | None = None
    original: int | None = None  # the payment that a reversal reverses
    net: str | None = None  # the table of nets it belongs to


@dataclass
class Event:
    """Something worth telling that is no payment."""

    time_ms: int
    kind: str
    subject: str
    detail: str


@dataclass
class Matching:
    """A queue matching (排队撮合): what it chose and what became of it; all counts are of the chosen set itself.

    number: from 1; time_ms: when it chose; settled_ms: when its payments were posted, None if it settled nothing
    bound_fen: bound of the linear relaxation, None where the scenario asks for none
    accounts: accounts with a payment settled, as debtor or creditor
    """

    number: int
    time_ms: int
    settled_ms: int | None
    trigger: str
    algorithm: str
    considered: int
    considered_fen: int
    settled: int
    settled_fen: int
    bound_fen: int | None
    accounts: int


@dataclass
class DayClose:
    """The accounts at the end of a business date: a copy of their records, and what was lent and charged."""

    accounts: Records
    interest_fen: Any
    penalty_fen: Any
    peaks: dict[str, int]


@dataclass
class Sample:
    """The accounts and queues at one instant."""

    time_ms: int
    balance_fen: Any
    queued_fen: Any
    hvps_queue: tuple[int, int]
    saps_queue: tuple[int, int]


@dataclass
class Recorder:
    """Everything a run leaves behind.

    keep_log: whether per-payment detail is wanted; without it the log is only passed on to `listeners`.
    moves: transfers that rules of the books made by themselves (records.MOVE), in parts, in order.
    warnings: balance warnings raised or cleared so far.
    """

    books: Books
    keep_log: bool = True
    listeners: list[Callable[[Records], None]] = field(default_factory=list)
    on_warning: Callable[[int, int, bool], None] | None = None
    log: list[Records] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    moves: list[Records] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    matchings: list[Matching] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    day_closes: list[DayClose] = field(default_factory=list)
    warnings: int = 0

    _joined: int = 0

    def __post_init__(self) -> None:
        self.last_act = np.zeros(self.sequences, np.int8)

    @property
    def sequences(self) -> int:
        """How many payments and bookings have a number: those of the workload come first."""
        return int(self.books.desk["next_booking"][0])

    def number_booking(self) -> int:
        """The sequence of the next booking of the central bank, which is taken."""
        return self.books.number_booking()

    def drain(self) -> None:
        """Take over the books' log since the last call."""
        moves = self.books.drain_moves()
        if len(moves):
            self.moves.append(moves)
        log = self.books.drain_log()
        if len(log) == 0:
            return
        missing = self.sequences - len(self.last_act)
        if missing > 0:
            self.last_act = np.concatenate([self.last_act, np.zeros(missing + self.sequences // 8, np.int8)])
        about_payments = log
        is_warning = (log["act"] == _WARNINGS[0]) | (log["act"] == _WARNINGS[1])
        if is_warning.any():
            self.warnings += int(is_warning.sum())
            self._tell_warnings(log[is_warning])
            about_payments = log[~is_warning]
        self.last_act[about_payments["sequence"]] = about_payments["act"]
        for listen in self.listeners:
            listen(log)
        if self.keep_log:
            self.log.append(about_payments)
            if len(self.log) - self._joined == _JOINED_AT:  # where messages travel, most have one entry
                self.log[self._joined :] = [joined(self.log[self._joined :], LOG)]
                self._joined += 1

    def _tell_warnings(self, warnings: Records) -> None:
        if self.on_warning is None:
            return
        for entry in warnings:
            self.on_warning(int(entry["time_ms"]), int(entry["sequence"]), entry["act"] == Act.WARNING_RAISED)

    def act_of(self, sequence: int) -> Act:
        """The latest thing the books did with a payment."""
        self.drain()
        return Act(int(self.last_act[sequence])) if sequence < len(self.last_act) else Act.NONE

    def latest(self, sequence: int) -> Any | None:
        """The latest log entry about a payment, None if there is none; quick where it is not long ago."""
        self.drain()
        for part in reversed(self.log):
            found = np.flatnonzero(part["sequence"] == sequence)
            if len(found):
                return part[found[-1]]
        return None

    def tell(self, time_ms: int, kind: str, subject: str, detail: str) -> None:
        """Note an event."""
        self.events.append(Event(int(time_ms), kind, subject, detail))

    def sample(self, time_ms: int) -> None:
        """Look at every account and queue now."""
        desk = self.books.desk[0]
        hvps = (int(desk["hvps_waiting_count"]), int(desk["hvps_waiting_fen"]))
        total = (int(desk["waiting_count"]), int(desk["waiting_fen"]))
        self.samples.append(
            Sample(
                int(time_ms),
                np.array(self.books.accounts["balance"]),
                self.books.queues["waiting_fen"][:, :LEVELS].sum(axis=1),
                hvps,
                (total[0] - hvps[0], total[1] - hvps[1]),
            )
        )

    def all_moves(self) -> Records:
        """All moves of the run, in order."""
        return np.concatenate(self.moves) if self.moves else np.zeros(0, MOVE)

    def whole_log(self) -> Records:
        """All log entries about payments, in order."""
        return joined(self.log, LOG)
