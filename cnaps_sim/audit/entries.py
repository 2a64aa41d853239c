"""Entries: a stretch of the books' log, each entry beside the terms of its payment.

Reading a stretch is itself the check that the log speaks of payments that exist and still can do what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.open_payments import OpenPayments, Rows
from cnaps_sim.audit.standing import AFTER, ALLOWED, Standing
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Level, Refusal
from cnaps_sim.words.units import format_clock

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Codes of acts fit into the tables of `standing`; the rest of that room stands for unknown acts.
_NO_ACT: Final = 15
_WARNINGS: Final = (Act.WARNING_RAISED, Act.WARNING_CLEARED)


@dataclass(frozen=True)
class Entries:
    """The entries about payments in one stretch of the log, in the order of the log; arrays of equal length.

    Entries that cannot be true are reported and left out.

    place:        place in the stretch
    before:       standing before the act
    level_before: level of the queue before the act; `level` is the one after it
    ordinal:      of the payment when it entered its queue, if that was before this stretch
    previous:     the preceding entry about the same payment in this stretch, -1 if none
    payment:      place of the payment among `terms`
    terms:        the payments concerned, ascending; standing and level are already those after the stretch
    terms_before: their standing before it
    """

    place: Ints
    sequence: Ints
    time_ms: Ints
    cause: Ints
    act: NDArray[np.uint8]
    level: NDArray[np.int8]
    level_before: NDArray[np.int8]
    before: NDArray[np.uint8]
    debtor: NDArray[np.int32]
    creditor: NDArray[np.int32]
    amount: Ints
    special: Flags
    ordinal: Ints
    previous: Ints
    payment: Ints
    terms: Rows
    terms_before: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.place)

    def settled(self) -> Flags:
        settled: Flags = self.act == Act.SETTLED
        return settled

    def matching(self) -> Ints | None:
        """Number of the queue matching (排队撮合) that settled each payment, 0 for none; None if there is none."""
        matched = self.cause <= MATCHING_CAUSE
        matched &= self.settled()
        return np.where(matched, MATCHING_CAUSE - self.cause, 0) if matched.any() else None

    def on_arrival(self) -> Flags:
        """Entries by which the books answer a payment that is just coming in."""
        arriving: Flags = (self.before == Standing.ANNOUNCED) | (self.before == Standing.SUBMITTED)
        return arriving


def read_entries(log: Rows, payments: OpenPayments, accounts: int, findings: Findings) -> Entries:
    """Read a stretch of the log (fields as in the books' log) and check what each entry says by itself.

    `nothing-from-nothing`: an entry names a payment that was announced, or for warnings an account; the act can
    follow from where the payment stands; the level is the payment's own; what moves or queues is more than zero.
    `one-final-state`: no act follows a final one.
    """
    findings.made("nothing-from-nothing", "one-final-state")
    act = log["act"]
    warning = (act == _WARNINGS[0]) | (act == _WARNINGS[1])
    findings.where(
        "nothing-from-nothing",
        warning & ((log["sequence"] < 0) | (log["sequence"] >= accounts)),
        lambda row: (
            f"a balance warning at {format_clock(int(log['time_ms'][row]))} names account row {log['sequence'][row]}"
        ),
    )
    place = np.flatnonzero(~warning)
    sequence = np.ascontiguousarray(log["sequence"])[place]
    order = np.argsort(sequence, kind="stable")
    read = _Reading(log, place[order], sequence[order], payments, accounts)
    read.report(findings)
    return read.entries(order)


class _Reading:
    """The entries sorted by payment, so that each entry's predecessor is the one before it."""

    def __init__(self, log: Rows, place: Ints, sequence: Ints, payments: OpenPayments, accounts: int) -> None:
        self.log = log
        self.place = place
        self.sequence = sequence
        self.first = np.ones(len(place), np.bool_)
        self.first[1:] = sequence[1:] != sequence[:-1]
        self.payment = np.cumsum(self.first) - 1
        self.starts = np.flatnonzero(self.first)
        self.stops = np.append(self.starts[1:], len(place))[: len(self.starts)]
        known = sequence[self.first]
        self.terms_before = payments.standing.read(known)
        self.terms = payments.terms(known, self.terms_before)
        terms = self.terms
        self.real = (terms["debtor"] >= 0) & (terms["debtor"] < accounts) & (terms["level"] >= 0)
        self.real &= (terms["creditor"] >= 0) & (terms["creditor"] < accounts) & (terms["level"] < len(Level))
        self.time_ms, self.cause = self._column("time_ms"), self._column("cause")
        self.said_level, self.said_refusal = self._column("level"), self._column("refusal")
        act = self._column("act")
        impossible = (act < Act.SETTLED) | (act > Act.SUBMITTED)
        impossible |= _moves(act) & ~self.real[self.payment]  # nothing moves between accounts that do not exist
        self.act = np.where(impossible, _NO_ACT, act).astype(np.uint8)
        self._follow()
        self._follow_levels()

    def _follow(self) -> None:
        """Standing before and after each entry; an act that cannot follow changes nothing."""
        self.before = np.empty(len(self.place), np.uint8)
        self.before[1:] = AFTER[self.act[:-1]]
        self.before[self.first] = self.terms_before
        self.possible = ALLOWED[self.before, self.act]
        for payment in sorted(set(self.payment[~self.possible].tolist())):
            standing = self.terms_before[payment]
            for k in range(self.starts[payment], self.stops[payment]):
                self.before[k] = standing
                self.possible[k] = ALLOWED[standing, self.act[k]]
                if self.possible[k]:
                    standing = AFTER[self.act[k]]
        after = np.where(self.possible, AFTER[self.act], self.before)
        self.terms["standing"] = after[self.stops - 1]

    def _follow_levels(self) -> None:
        """Level before and after each entry: a payment keeps its own until an entry moves it to another."""
        self.level_before = self.terms["level"][self.payment]
        said = self.said_level
        self.level = self.level_before.copy()
        changed = self.possible & (self.act == Act.LEVEL_CHANGED)
        for k in np.flatnonzero(changed):
            payment = self.payment[k]
            if 0 <= said[k] < len(Level):
                self.level[k] = said[k]
                self.level_before[k + 1 : self.stops[payment]] = said[k]
                self.level[k + 1 : self.stops[payment]] = said[k]
                self.terms["level"][payment] = said[k]
        stated = _moves(self.act) | changed
        self.wrong_level = stated & self.possible & (said != self.level)

    def report(self, findings: Findings) -> None:
        final = self.before >= Standing.SETTLED
        findings.where(
            "one-final-state",
            ~self.possible & final,
            lambda k: f"{self._named(k)} was {_word(self.act[k])} although it was already {self._stood(k)}",
        )
        findings.where(
            "nothing-from-nothing",
            ~self.possible & ~final,
            lambda k: f"{self._named(k)} was {_word(self.act[k])} although it was {self._stood(k)}",
        )
        findings.where(
            "nothing-from-nothing",
            self.wrong_level,
            lambda k: (
                f"{self._named(k)} was {_word(self.act[k])} at level {self.said_level[k]}, "
                f"which is not its level {self.level[k]}"
            ),
        )
        moves = self.possible & _moves(self.act)
        amount = self.terms["amount"][self.payment]
        findings.where(
            "nothing-from-nothing",
            moves & (amount <= 0),
            lambda k: f"{self._named(k)} was {_word(self.act[k])} with an amount of {amount[k]} fen",
        )
        self._report_refusals(moves, findings)
        findings.where(
            "log-in-time-order",
            self.possible & (self.time_ms < self.terms["time_ms"][self.payment]),
            lambda k: f"{self._named(k)} was {_word(self.act[k])} before its own time",
        )

    def _report_refusals(self, moves: Flags, findings: Findings) -> None:
        """`refusals-hold`: what had to be refused never moves or queues, and every refusal states its reason."""
        terms = self.terms
        barred = (terms["refusal"] != Refusal.NONE) | (terms["debtor"] == terms["creditor"])
        findings.where(
            "refusals-hold",
            moves & barred[self.payment],
            lambda k: f"{self._named(k)} was {_word(self.act[k])} although it had to be refused",
        )
        refused = (self.act == Act.REFUSED) | (self.act == Act.RETURNED)
        stated = self.said_refusal != Refusal.NONE
        findings.where(
            "refusals-hold",
            self.possible & (refused != stated),
            lambda k: f"{self._named(k)} was {_word(self.act[k])} with refusal {self.said_refusal[k]}",
        )

    def entries(self, order: Ints) -> Entries:
        """The entries that can be true, back in the order of the log."""
        terms = self.terms
        kept = np.zeros(len(order), np.bool_)
        kept[order] = self.possible & self.real[self.payment]
        sorted_place = np.empty(len(order), np.int64)  # where each entry of the log went when they were sorted
        sorted_place[order] = np.arange(len(order))
        source = sorted_place[kept]
        place, payment = self.place[source], self.payment[source]
        return Entries(
            place=place,
            sequence=self.sequence[source],
            time_ms=self.time_ms[source],
            cause=self.cause[source],
            act=self.act[source],
            level=self.level[source],
            level_before=self.level_before[source],
            before=self.before[source],
            debtor=terms["debtor"][payment],
            creditor=terms["creditor"][payment],
            amount=terms["amount"][payment],
            special=terms["special"][payment],
            ordinal=terms["ordinal"][payment],
            previous=self._previous(order, kept, source),
            payment=payment,
            terms=terms,
            terms_before=self.terms_before,
        )

    def _previous(self, order: Ints, kept: Flags, source: Ints) -> Ints:
        number = np.cumsum(kept) - 1  # of each entry of the log among the kept ones
        before = np.maximum(source - 1, 0)
        same = ~self.first[source] & kept[order[before]]
        return np.where(same, number[order[before]], -1)

    def _column(self, name: str) -> NDArray[Any]:
        """A field of the log, one value per sorted entry."""
        return np.ascontiguousarray(self.log[name])[self.place]

    def _named(self, k: int) -> str:
        return f"payment {self.sequence[k]} at {format_clock(int(self.time_ms[k]))}"

    def _stood(self, k: int) -> str:
        return Standing(int(self.before[k])).words


def _moves(act: NDArray[Any]) -> Flags:
    """Acts by which money moves, or stands in line to move."""
    moves: Flags = (act == Act.SETTLED) | (act == Act.QUEUED)
    return moves


def _word(act: Any) -> str:
    """An act in words: `moved to head`."""
    return Act(int(act)).name.lower().replace("_", " ") if act != _NO_ACT else "put to an act that cannot be"
