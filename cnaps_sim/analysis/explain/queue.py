"""Who stood ahead of a payment in the settlement queue (清算排队) when it arrived, at the levels of that moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.metrics.columns import Run
from cnaps_sim.analysis.metrics.payments import Payments, rows_with_id
from cnaps_sim.analysis.metrics.queue import places
from cnaps_sim.words.codes import Level, Priority, System

#: Levels whose debits neither debit control nor a freeze holds (rule section "account control").
EXEMPT: Final = (Level.REVERSAL, Level.SAME_CITY_NET)
_MOVED: Final = "moved to the tail of level "
_NEW_LEVEL: Final = re.compile(re.escape(_MOVED) + r"([0-7])")


class Ahead(NamedTuple):
    """Rows of the payments ahead, highest level first, and rows of which it is not known."""

    rows: list[int]
    unsure: list[int]


class Line:
    """The queues of a run as its payments entered and left them."""

    def __init__(self, run: Run, payments: Payments, told: Told) -> None:
        self.payments = payments
        self.entry, self.exit = places(payments)
        self._changes: dict[int, list[tuple[int, int]]] = {}
        self._find_changes(told)
        self._priority = written_out(run) if self._changes else {}

    def _find_changes(self, told: Told) -> None:
        ids = self.payments.table.column("payment_id")
        row_of: dict[str, int | None] = {}
        for event in told.beginning(_MOVED):
            found = _NEW_LEVEL.fullmatch(event.detail)
            if found is None:
                continue
            if event.subject not in row_of:
                row_of[event.subject] = next(iter(rows_with_id(ids, event.subject, strict=False)), None)
            row = row_of[event.subject]
            if row is not None:
                self._changes.setdefault(row, []).append((event.time, int(found[1])))

    def is_changed(self, row: int) -> bool:
        """Did its level change while it waited?"""
        return row in self._changes

    def level(self, row: int, time: int | None = None) -> Level | None:
        """Level of a payment on arrival, or as an arrival at `time` met it; None if the run does not tell.

        Arrivals come before the actions of their instant.
        """
        changes = self._changes.get(row)
        if not changes:
            return Level(int(self.payments.numbers("level")[row]))
        before = [level for at, level in changes if time is not None and at < time]
        if before:
            return Level(before[-1])
        priority = self._priority.get(str(self.payments.table.column("payment_id")[row].as_py()))
        return None if priority is None else priority.level

    def ahead(self, row: int, held: bool) -> Ahead:
        """Payments of the same account that waited ahead of it when it arrived.

        held: the account's debits are held, so that levels 0 and 3 pass everything else
        """
        own = self.level(row)
        if own is None:
            return Ahead([], [])
        debtor, place = self.payments.codes("debtor").codes, self.entry[row]
        there = (self.entry >= 0) & (self.entry < place) & ((self.exit < 0) | (self.exit > place))
        arrived = int(self.payments.submitted[row])
        rows: list[tuple[int, int, int]] = []
        unsure: list[int] = []
        for other in np.flatnonzero(there & (debtor == debtor[row])).tolist():
            level = self.level(other, arrived)
            if level is None and own != Level.NORMAL:
                unsure.append(other)
            elif (level or Level.REVERSAL) <= own and not (held and own in EXEMPT and level not in EXEMPT):
                rows.append((own if level is None else level, int(self.entry[other]), other))
        return Ahead([other for _, _, other in sorted(rows)], unsure)


def written_out(run: Run) -> dict[str, Priority]:
    """Priority of each payment that the scenario writes out, as it was sent; the first of an id counts."""
    scenario = getattr(run, "scenario", None)
    workload = scenario.get("workload") if isinstance(scenario, Mapping) else None
    told: dict[str, Priority] = {}
    for entry in workload if isinstance(workload, list) else []:
        payments: Any = entry.get("payments") if isinstance(entry, Mapping) else None
        for payment in payments if isinstance(payments, list) else []:
            word = payment.get("priority", Priority.NORM)
            if entry.get("system", System.HVPS) == System.HVPS and word in list(Priority):
                told.setdefault(str(payment.get("payment_id")), Priority(word))
    return told
