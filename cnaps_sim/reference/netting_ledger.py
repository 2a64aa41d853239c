"""The ledger of the netting server (轧差服务器, NETS): positions, cap queues, watch lines, tallies, log.

Source: netting rules (BEPS and IBPS). Money is fen, time is milliseconds of the run. Nothing but the sign of a
position moves here: what one participant owes more, another owes less.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from cnaps_sim.words.codes import Act, Cause, Refusal
from cnaps_sim.words.retail import RetailKind

#: Below any headroom: a participant with this line is never warned.
NEVER: Final = -(2**63)
#: Before any instant.
BEGINNING: Final = -(2**63)
#: (unit, time_ms, cause, units_come, act, refusal, kind)
LogEntry = tuple[int, int, int, int, int, int, int]

# Looked up once, because looking them up for each unit costs more than the rules.
_NETTED: Final = Act.NETTED
_NO_REFUSAL: Final = Refusal.NONE
_NO_CAUSE: Final = Cause.NONE


class Unit:
    """A unit that waits in the cap queue (轧差排队) of its payer: a package (包) of BEPS.

    Queues are in the order of `rank`: the smallest amount first, of equal amounts the one that came first.
    """

    __slots__ = ("amount", "creditor", "debtor", "items", "kind", "number", "rank")

    def __init__(
        self, number: int, time_ms: int, debtor: int, creditor: int, amount: int, items: int, kind: int
    ) -> None:
        self.number = number
        self.debtor = debtor
        self.creditor = creditor
        self.amount = amount
        self.items = items
        self.kind = kind
        self.rank = amount, time_ms, number


_RANK: Final = attrgetter("rank")


class Participant:
    """A participant as the netting server sees it.

    position         轧差净额: received less sent since the last round
    unsettled        signed sum of its round nets that the settlement accounts have not posted
    cap              净借记限额: earmark + pledged value + credit line
    cap_line         限额预警: the participant is `warned` while its headroom is below the line
    lowest_headroom  since the run began, after a netting or a change of the cap
    sent, received   netted since the run began, fen; `_count` in items
    log_ins          (instant, logged in from then on), the latest last; the first stands before any instant
    queue            its cap queue, the next to be netted first
    woken, woken_by  whether the queue is about to be retried, and the latest cause for it
    """

    __slots__ = (
        "cap", "cap_line", "closed", "log_ins", "logged_in", "lowest_headroom", "position", "queue", "received",
        "received_count", "row", "sent", "sent_count", "unsettled", "warned", "woken", "woken_by",
    )  # fmt: skip

    def __init__(self, row: int, terms: Mapping[str, Any]) -> None:
        self.row = row
        self.cap = int(terms.get("cap", 0))
        self.cap_line = int(terms.get("cap_line", NEVER))
        self.closed = bool(terms.get("closed", False))
        self.log_ins: list[tuple[int, bool]] = []
        self.log(BEGINNING, bool(terms.get("logged_in", True)))
        self.position = self.unsettled = 0
        self.sent = self.received = 0
        self.sent_count = self.received_count = 0
        self.lowest_headroom = self.headroom()
        self.warned = self.headroom() < self.cap_line
        self.queue: list[Unit] = []
        self.woken = False
        self.woken_by = 0

    def headroom(self) -> int:
        """What it can still send: cap + position + unsettled. Negative only after a cut of the cap."""
        return self.cap + self.position + self.unsettled

    def log(self, time: int, on: bool) -> None:
        """It is logged in (`on`) or out from this instant on."""
        self.logged_in = on
        self.log_ins.append((time, on))

    def was_logged_in(self, instant: int) -> bool:
        """Whether it was logged in at an instant: as the latest change at or before it says."""
        for since, on in reversed(self.log_ins):
            if since <= instant:
                return on
        raise AssertionError("an instant before the beginning")

    def note_lowest(self) -> None:
        """Keep the lowest headroom of the run."""
        headroom = self.cap + self.position + self.unsettled
        if headroom < self.lowest_headroom:
            self.lowest_headroom = headroom


class NettingLedger:
    """Participants, the one place where positions move, cap queues, log and tallies.

    participants    rows 0..n-1 in the order of the file
    queued          every unit in a cap queue, by its number
    units_come      units that have come to their cap check
    log_all         also log what a row of the flow tells by itself: netted on arrival, refused by its row
    crossings       watch lines crossed since the clock last looked
    peak_waiting_…  highest count and value of all cap queues right after a unit was queued
    """

    def __init__(self, participants: Sequence[Mapping[str, Any]], *, log_all: bool = False) -> None:
        self.participants = [Participant(row, terms) for row, terms in enumerate(participants)]
        self.log_all = log_all
        self.queued: dict[int, Unit] = {}
        self.waiting_fen = 0
        self.peak_waiting_count = self.peak_waiting_fen = 0
        self.units_come = self.crossings = 0
        self.log: list[LogEntry] = []
        self._tallies = {(int(kind), int(act)): [0, 0, 0] for kind in RetailKind for act in Act}

    # What is written down

    def _note(
        self, time: int, unit: int, kind: int, act: int, refusal: int = _NO_REFUSAL, cause: int = _NO_CAUSE
    ) -> None:
        """Write one log entry."""
        self.log.append((unit, time, cause, self.units_come, act, refusal, kind))

    def _count(self, kind: int, act: int, items: int, amount: int) -> None:
        """Count one unit's outcome, final or not."""
        tally = self._tallies[kind, act]
        tally[0] += 1
        tally[1] += items
        tally[2] += amount

    def _end(self, time: int, unit: Unit, act: Act, refusal: int = _NO_REFUSAL, cause: int = _NO_CAUSE) -> None:
        """A unit leaves its queue without being netted: cancelled, or refused when its turn came."""
        self._dequeue(unit)
        self._count(unit.kind, act, unit.items, unit.amount)
        self._note(time, unit.number, unit.kind, act, refusal, cause)

    def _watch(self, time: int, participant: Participant) -> None:
        """Has the headroom crossed its warning line (限额预警), downwards or upwards?"""
        headroom = participant.cap + participant.position + participant.unsettled
        if (headroom < participant.cap_line) != participant.warned:
            participant.warned = not participant.warned
            self.crossings += 1
            act = Act.CAP_WARNING_RAISED if participant.warned else Act.CAP_WARNING_CLEARED
            self._note(time, participant.row, 0, act)

    # What moves

    def _move(self, debtor: Participant, creditor: Participant, amount: int, items: int, kind: int) -> None:
        """Net one unit (PR03): the debtor owes more and the creditor less, final."""
        debtor.position -= amount
        debtor.sent += amount
        debtor.sent_count += items
        creditor.position += amount
        creditor.received += amount
        creditor.received_count += items
        self._count(kind, _NETTED, items, amount)

    def _look_after(self, time: int, debtor: Participant, creditor: Participant) -> None:
        """After a unit was netted: the debtor's lowest headroom, and both watch lines."""
        debtor.note_lowest()
        self._watch(time, debtor)
        self._watch(time, creditor)

    # What waits

    def _enqueue(self, unit: Unit) -> None:
        """Into the cap queue of its payer."""
        assert unit.number not in self.queued, f"unit {unit.number} waits already"
        insort(self.participants[unit.debtor].queue, unit, key=_RANK)
        self.queued[unit.number] = unit
        self.waiting_fen += unit.amount
        self.peak_waiting_count = max(self.peak_waiting_count, len(self.queued))
        self.peak_waiting_fen = max(self.peak_waiting_fen, self.waiting_fen)

    def _dequeue(self, unit: Unit) -> None:
        """Out of the cap queue: netted, refused or cancelled."""
        queue = self.participants[unit.debtor].queue
        place = bisect_left(queue, unit.rank, key=_RANK)
        assert queue[place] is unit
        del queue[place]
        del self.queued[unit.number]
        self.waiting_fen -= unit.amount

    # What can be asked

    def headroom(self, participant: int) -> int:
        """What a participant can still send, fen; see `Participant.headroom`."""
        return self.participants[participant].headroom()

    def waiting(self, participant: int) -> list[int]:
        """The units that wait for a participant's headroom, the next to be netted first."""
        return [unit.number for unit in self.participants[participant].queue]

    @property
    def tallies(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """(kind, act) → (units, items, fen) of every outcome so far; those that never were are left out."""
        return {key: (units, items, fen) for key, (units, items, fen) in self._tallies.items() if units}

    def drain_log(self) -> list[LogEntry]:
        """The log entries since the last drain: (unit, time_ms, cause, units_come, act, refusal, kind)."""
        entries, self.log = self.log, []
        return entries

    def take_crossings(self) -> int:
        """How many watch lines were crossed since this was last asked."""
        crossings, self.crossings = self.crossings, 0
        return crossings
