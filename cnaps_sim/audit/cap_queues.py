"""Cap queues: does what waits for headroom (轧差排队) leave in the order of amounts?

Only what waits is kept, one short tuple per unit, so the audit follows the queues entry by entry.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy as np

from cnaps_sim.audit.net_entries import ONE_FINAL, REFUSALS_HOLD, Flags, Ints, NetEntries
from cnaps_sim.audit.net_rows import FROM_NOTHING
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Refusal
from cnaps_sim.words.units import format_clock, format_fen

IN_ORDER: Final = "cap-queue-order"
RETRIED: Final = "cap-queue-retried"
SWITCH: Final = "switch-empties-queue"

_QUEUED, _NETTED, _REFUSED, _CANCELLED = (int(a) for a in (Act.QUEUED, Act.NETTED, Act.REFUSED, Act.CANCELLED))
_STOPPED: Final = int(Act.STOPPED)
#: Acts by which a unit leaves from anywhere in the queue.
_WITHDRAWN: Final = (_CANCELLED, _STOPPED)


class Waiting(NamedTuple):
    """A unit in a cap queue; the first three fields are the order of the queue."""

    amount: int  # fen
    time_ms: int
    unit: int
    debtor: int
    creditor: int
    items: int
    kind: int


class CapQueues:
    """What waits, participant by participant."""

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        self._heaps: dict[int, list[Waiting]] = {}
        self._cancelled_by_time: list[tuple[int, int]] = []

    def see(self, entries: NetEntries, closed: Flags, units_told: int, findings: Findings) -> None:
        """Follow a stretch and fill in the terms of the units that waited; `units_told` of them were ever told.

        `cap-queue-order`: a payer's units leave its queue smallest first (ties: time, then number), unless a matching
        takes them or they are cancelled. `one-final-state-retail`: nothing happens to a unit that has ended, nor does
        a waiting one come a second time.
        """
        findings.made(IN_ORDER, ONE_FINAL)
        relevant = np.flatnonzero(~entries.arrival | (entries.sound & (entries.act == Act.QUEUED)))
        if not len(relevant):
            return
        columns = (relevant, *(c[relevant] for c in (entries.arrival, entries.unit, entries.act, entries.refusal)))
        for k, arrives, unit, act, refusal in zip(*(column.tolist() for column in columns), strict=True):
            if arrives:
                self._enter(k, entries)
                continue
            here = self.waiting.get(unit)
            if here is None:
                rule, stood = (ONE_FINAL, "had ended") if 0 <= unit < units_told else (FROM_NOTHING, "never came")
                findings.breach(rule, f"{entries.name(k)} was put to act {act} although it {stood}")
            elif act not in (_NETTED, _REFUSED, _CANCELLED, _STOPPED):
                findings.breach(ONE_FINAL, f"{entries.name(k)} was put to act {act} although it was queued")
            else:
                self._check_order(k, here, entries, findings)
                self._check_reason(k, here, act, refusal, closed, entries, findings)
                self._leave(k, here, entries)

    def _enter(self, k: int, entries: NetEntries) -> None:
        here = Waiting(
            amount=int(entries.amount[k]),
            time_ms=int(entries.time_ms[k]),
            unit=int(entries.unit[k]),
            debtor=int(entries.debtor[k]),
            creditor=int(entries.creditor[k]),
            items=int(entries.items[k]),
            kind=int(entries.kind[k]),
        )
        self.waiting[here.unit] = here
        heappush(self._heaps.setdefault(here.debtor, []), here)

    def _leave(self, k: int, here: Waiting, entries: NetEntries) -> None:
        del self.waiting[here.unit]
        entries.sound[k] = True
        entries.debtor[k], entries.creditor[k], entries.kind[k] = here.debtor, here.creditor, here.kind
        entries.amount[k], entries.items[k] = here.amount, here.items

    def _check_order(self, k: int, here: Waiting, entries: NetEntries, findings: Findings) -> None:
        head = self.head(here.debtor)
        by_matching = int(entries.cause[k]) <= MATCHING_CAUSE
        if head != here and not by_matching and int(entries.act[k]) not in _WITHDRAWN and head is not None:
            findings.breach(
                IN_ORDER,
                f"{entries.name(k)} over {format_fen(here.amount)} CNY left the cap queue before unit {head.unit} over "
                f"{format_fen(head.amount)} CNY, which stood ahead of it",
            )

    def _check_reason(
        self, k: int, here: Waiting, act: int, refusal: int, closed: Flags, entries: NetEntries, findings: Findings
    ) -> None:
        """A waiting unit is refused only if its payee's account has closed; what time cancels is noted."""
        right = refusal == (Refusal.STOPPED if act == _STOPPED else Refusal.NONE)
        if act == _REFUSED:
            right = refusal == Refusal.CLOSED_ACCOUNT and bool(closed[here.creditor])
        elif act == _CANCELLED and refusal == Refusal.CAP_QUEUE_CLOSED:
            self._cancelled_by_time.append((here.unit, int(entries.time_ms[k])))
            right = True
        if not right:
            findings.breach(REFUSALS_HOLD, f"{entries.name(k)} left the cap queue by act {act} with refusal {refusal}")

    def head(self, debtor: int) -> Waiting | None:
        """The first of a payer's waiting units."""
        heap = self._heaps.get(debtor, [])
        while heap and self.waiting.get(heap[0].unit) != heap[0]:
            heappop(heap)
        return heap[0] if heap else None

    def check_retried(self, time_ms: int, headroom: Ints, names: list[str], findings: Findings) -> None:
        """`cap-queue-retried`: when all is quiet, the first of each cap queue is beyond its payer's headroom (fen)."""
        findings.made(RETRIED)
        for debtor in sorted(self._heaps):
            head = self.head(debtor)
            if head is None:
                del self._heaps[debtor]
            elif head.amount <= headroom[debtor]:
                findings.breach(
                    RETRIED,
                    f"unit {head.unit} of {names[debtor]} over {format_fen(head.amount)} CNY waits at "
                    f"{format_clock(time_ms)} with headroom of {format_fen(int(headroom[debtor]))} CNY",
                )

    def end_date(self, time_ms: int, waiting_count: int, findings: Findings) -> None:
        """`switch-empties-queue`: at the date switch nothing waits, and only then does time cancel what waited.

        waiting_count: the server's own count
        """
        findings.made(SWITCH)
        clock = format_clock(time_ms)
        if self.waiting or waiting_count:
            findings.breach(SWITCH, f"{max(len(self.waiting), waiting_count)} units still wait for headroom at {clock}")
        self._tell_untimely([unit for unit, at in self._cancelled_by_time if at != time_ms], findings)
        self._cancelled_by_time = []

    def finish(self, stopped: bool, findings: Findings) -> None:
        """The run is over: nothing waits any more, unless it was broken off."""
        findings.made(ONE_FINAL, IN_ORDER)
        if not stopped:
            left = sorted(self.waiting)
            findings.breaches(ONE_FINAL, len(left), lambda k: f"unit {left[k]} was queued and nothing more")
            self._tell_untimely([unit for unit, _ in self._cancelled_by_time], findings)

    def _tell_untimely(self, units: list[int], findings: Findings) -> None:
        findings.breaches(SWITCH, len(units), lambda k: f"unit {units[k]} was cancelled by time at no date switch")
