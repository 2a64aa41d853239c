"""Reference: the netting server (轧差服务器, NETS) in plain Python, slow and obvious.

Source: netting rules (BEPS, IBPS). A *unit* is what is checked and netted as one: a package (包) of BEPS or one
payment of IBPS. The debtor is the payer's participant, also of a debit, which the payee's participant starts. Money is
fen, time is milliseconds of the run.

headroom = cap + position + unsettled. A unit within its payer's headroom is netted at once; else it waits in its
payer's cap queue (轧差排队), smallest amount first, or is refused if it is of a kind that does not wait.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import count
from operator import itemgetter
from typing import Any, Final

from cnaps_sim.reference.netting_admission import ACCEPTED, REFUSED, judge, told_by_row
from cnaps_sim.reference.netting_ledger import NettingLedger, Participant, Unit
from cnaps_sim.reference.rows import plain_rows
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Answer, Cause, Refusal
from cnaps_sim.words.retail import RetailKind

_POSITION_FIELDS: Final = (
    "position", "unsettled", "cap", "lowest_headroom", "cap_line", "sent", "received", "sent_count", "received_count",
    "closed", "logged_in", "warned",
)  # fmt: skip
_TIME: Final = itemgetter(0)

# Looked up once, because looking them up for each unit costs more than the rules.
_IS_DEBIT: Final = [kind.is_debit for kind in RetailKind]
_QUEUES: Final = [kind.queues for kind in RetailKind]
_NETTED: Final = Act.NETTED


class Netting(NettingLedger):
    """The netting server.

    `Netting(participants, log_all=False)`: one mapping per participant in row order, with any of cap, cap_line, closed,
    logged_in; whether the log also says what a row of the flow tells by itself.

    woken  participants whose cap queue is to be retried, first woken first
    """

    def __init__(self, participants: Sequence[Mapping[str, Any]], *, log_all: bool = False) -> None:
        super().__init__(participants, log_all=log_all)
        self.woken: deque[Participant] = deque()

    # Units come

    def submit(
        self,
        time: int,
        unit: int,
        debtor: int,
        creditor: int,
        amount: int,
        items: int,
        kind: int,
        refusal: int = 0,
        lag_ms: int = 0,
    ) -> Act:
        """One unit comes to its cap check: NETTED, QUEUED, REFUSED, STOPPED, EXPIRED or OPEN.

        time in ms, amount in fen (> 0) of all items (> 0), participants by row; `refusal` is what is known without the
        netting server. It was submitted `lag_ms` ago. A unit that is netted releases others in a cascade.
        """
        assert amount > 0
        assert items > 0
        self.units_come += 1
        payer, payee = self.participants[debtor], self.participants[creditor]
        outcome = judge(payer, payee, kind, refusal, time - lag_ms)
        if outcome is ACCEPTED:
            if payer.cap + payer.position + payer.unsettled >= amount:
                self._net_at_once(time, unit, payer, payee, amount, items, kind)
                return _NETTED
            if _QUEUES[kind]:
                return self._queue(time, Unit(unit, time, debtor, creditor, amount, items, kind))
            outcome = REFUSED[Refusal.CAP]
        act, why = outcome
        self._count(kind, act, items, amount)
        if self.log_all or outcome != told_by_row(refusal):
            self._note(time, unit, kind, act, why)
        return act

    def _net_at_once(
        self, time: int, unit: int, payer: Participant, payee: Participant, amount: int, items: int, kind: int
    ) -> None:
        """The payer has the headroom; what waits at the payee may now have it too."""
        self._move(payer, payee, amount, items, kind)
        if self.log_all:
            self._note(time, unit, kind, _NETTED)
        self._look_after(time, payer, payee)
        if payee.queue:
            self._wake(payee, unit)
            self._cascade(time)

    def _queue(self, time: int, unit: Unit) -> Act:
        """The payer is short of headroom (PR11)."""
        self._enqueue(unit)
        self._count(unit.kind, Act.QUEUED, unit.items, unit.amount)
        self._note(time, unit.number, unit.kind, Act.QUEUED)
        return Act.QUEUED

    def advance(self, rows: Any, first: int, until_ms: int, first_unit: int) -> int:
        """Submit the units of a flow from row `first` while their time is before `until_ms`.

        rows: structured array or list of (time_ms, amount, lag_ms, debtor, creditor, items, kind, refusal), sorted by
        time; row r is unit `first_unit + r`. Stops after a row when a watch line was crossed. Answers the next row.
        """
        end = bisect_left(rows, until_ms, lo=first, key=_TIME)
        submit = self.submit
        for unit, row in zip(count(first_unit + first), plain_rows(rows, first, end), strict=False):
            time, amount, lag_ms, debtor, creditor, items, kind, refusal = row
            submit(time, unit, debtor, creditor, amount, items, kind, refusal, lag_ms)
            if self.crossings:
                return unit - first_unit + 1
        return end

    # Units are released

    def _wake(self, participant: Participant, cause: int) -> None:
        """The participant's cap queue may move now: have it retried, in the order woken.

        A later cause replaces an earlier one while the participant waits for its turn.
        """
        if not participant.queue:
            return
        participant.woken_by = cause
        if not participant.woken:
            participant.woken = True
            self.woken.append(participant)

    def _cascade(self, time: int) -> None:
        """Retry the woken participants, first woken first, until nothing moves any more."""
        while self.woken:
            participant = self.woken.popleft()
            participant.woken = False
            self._retry(time, participant)

    def _retry(self, time: int, payer: Participant) -> None:
        """Net from the head of one cap queue what its headroom allows.

        A unit whose creditor has been closed is refused when its turn comes.
        """
        cause = payer.woken_by
        while payer.queue and payer.queue[0].amount <= payer.headroom():
            unit = payer.queue[0]
            payee = self.participants[unit.creditor]
            if payee.closed:
                self._end(time, unit, Act.REFUSED, Refusal.CLOSED_ACCOUNT, cause)
            else:
                self._net_queued(time, unit, cause)
                self._look_after(time, payer, payee)
                self._wake(payee, unit.number)

    def _net_queued(self, time: int, unit: Unit, cause: int) -> None:
        """A waiting unit is netted; `cause` released it."""
        self._dequeue(unit)
        payer, payee = self.participants[unit.debtor], self.participants[unit.creditor]
        self._move(payer, payee, unit.amount, unit.items, unit.kind)
        self._note(time, unit.number, unit.kind, _NETTED, cause=cause)

    # Multilateral matching of the cap queues

    def match(self, time: int, number: int) -> tuple[int, int, int, int]:
        """Matching `number` nets together the largest set that leaves no sender short (解开业务死锁).

        Answers the units considered and their fen, the units netted and their fen.
        """
        considered = [
            [unit for unit in payer.queue if not self.participants[unit.creditor].closed] for payer in self.participants
        ]
        chosen = self._largest(considered)
        cause = MATCHING_CAUSE - number
        for unit in _flat(chosen):
            self._net_queued(time, unit, cause)
        receivers = {unit.creditor for unit in _flat(chosen)}
        senders = {unit.debtor for unit in _flat(chosen)}
        for row in sorted(receivers | senders):
            self.participants[row].note_lowest()
            self._watch(time, self.participants[row])
        for row in sorted(receivers):
            self._wake(self.participants[row], cause)
        self._cascade(time)
        return (*_count_and_fen(considered), *_count_and_fen(chosen))

    def _largest(self, considered: list[list[Unit]]) -> list[list[Unit]]:
        """Per payer the leading part of its units that can be netted together with those of the others.

        While a sender would be short, the last of its units is dropped. A unit that is dropped is missing in every
        set that leaves no sender short, so the answer does not depend on the order.
        """
        chosen = [list(units) for units in considered]
        while True:
            closing = [participant.headroom() for participant in self.participants]
            for unit in _flat(chosen):
                closing[unit.debtor] -= unit.amount
                closing[unit.creditor] += unit.amount
            short = [units for units, fen in zip(chosen, closing, strict=True) if fen < 0 and units]
            if not short:
                return chosen
            for units in short:
                del units[-1]

    # Caps, rounds, participants

    def set_cap(self, time: int, participant: int, cap: int) -> None:
        """A new net debit cap (净借记限额), forced: headroom may become negative, what is netted stays."""
        changed = self.participants[participant]
        changed.cap = cap
        self._headroom_changed(time, changed, Cause.LIMIT)

    def net_posted(self, time: int, participant: int, net: int, cap: int | None = None) -> None:
        """The settlement accounts have posted a round net of a participant, fen; positive if it received.

        cap: the net debit cap from now on, if the posting used up an earmark
        """
        self.nets_posted(time, {participant: net}, {} if cap is None else {participant: cap})

    def nets_posted(self, time: int, nets: Mapping[int, int], caps: Mapping[int, int]) -> None:
        """Round nets of one instant: all are taken off, with the caps that they changed, before a queue is retried."""
        touched = [self.participants[row] for row in sorted(nets)]
        for posted in touched:
            posted.unsettled -= nets[posted.row]
            posted.cap = caps.get(posted.row, posted.cap)
        for posted in touched:
            posted.note_lowest()
            self._watch(time, posted)
            self._wake(posted, Cause.ROUND)
        self._cascade(time)

    def _headroom_changed(self, time: int, participant: Participant, cause: int) -> None:
        participant.note_lowest()
        self._watch(time, participant)
        self._wake(participant, cause)
        self._cascade(time)

    def close_round(self) -> list[int]:
        """A round (场次) ends: each participant's net of it, fen. Headroom stays, position becomes unsettled."""
        nets = [participant.position for participant in self.participants]
        assert sum(nets) == 0
        for participant in self.participants:
            participant.unsettled += participant.position
            participant.position = 0
        return nets

    def set_cap_line(self, time: int, participant: int, line: int) -> None:
        """A new line of the cap warning (限额预警), fen of headroom."""
        self.participants[participant].cap_line = line
        self._watch(time, self.participants[participant])

    def set_closed(self, participant: int, on: bool) -> None:
        """Whether the participant's account is closed: nothing more is netted to or from it on arrival."""
        self.participants[participant].closed = on

    def set_logged_in(self, time: int, participant: int, on: bool) -> None:
        """Whether the participant is logged in from now on: only then does it start units and answer."""
        self.participants[participant].log(time, on)

    # Units are withdrawn

    def cancel(self, time: int, unit: int, by: int) -> Answer:
        """Its initiator withdraws a waiting unit, whole (PR08). The others wait for headroom, so none is released."""
        return self._withdraw(time, unit, by, Act.CANCELLED)

    def stop(self, time: int, unit: int, by: int) -> Answer:
        """Its initiator has a waiting unit stopped, whole (PR21)."""
        return self._withdraw(time, unit, by, Act.STOPPED, Refusal.STOPPED)

    def _withdraw(self, time: int, unit: int, by: int, act: Act, refusal: int = Refusal.NONE) -> Answer:
        waiting = self.queued.get(unit)
        if waiting is None:
            return Answer.NOT_WAITING
        if by != (waiting.creditor if _IS_DEBIT[waiting.kind] else waiting.debtor):
            return Answer.NOT_OWN
        self._end(time, waiting, act, refusal)
        return Answer.DONE

    def cancel_queue(self, time: int) -> None:
        """The date switches: what still waits is cancelled (PR08), participants in row order, each in queue order."""
        for unit in _flat([list(participant.queue) for participant in self.participants]):
            self._end(time, unit, Act.CANCELLED, Refusal.CAP_QUEUE_CLOSED)

    # What can be seen

    def snapshot(self) -> dict[str, Any]:
        """Everything observable: positions, queues (only those that hold something), counters, tallies."""
        desk = {
            "waiting_count": len(self.queued),
            "waiting_fen": self.waiting_fen,
            "peak_waiting_count": self.peak_waiting_count,
            "peak_waiting_fen": self.peak_waiting_fen,
            "units_come": self.units_come,
            "crossings": self.crossings,
        }
        return {
            "positions": [_position(participant) for participant in self.participants],
            "queues": {at.row: self.waiting(at.row) for at in self.participants if at.queue},
            "desk": desk,
            "tallies": self.tallies,
        }


def _flat(queues: list[list[Unit]]) -> list[Unit]:
    """All units, payers in row order, each in queue order."""
    return [unit for units in queues for unit in units]


def _count_and_fen(queues: list[list[Unit]]) -> tuple[int, int]:
    units = _flat(queues)
    return len(units), sum(unit.amount for unit in units)


def _position(participant: Participant) -> dict[str, int]:
    """What can be seen of one participant."""
    waiting = [unit.amount for unit in participant.queue]
    fields = {name: getattr(participant, name) for name in _POSITION_FIELDS}
    return {**fields, "waiting_count": len(waiting), "waiting_fen": sum(waiting)}
