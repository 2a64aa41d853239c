"""Bank's view: what a bank with a policy of its own may see, read from the books at a decision point."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from cnaps_sim.core.records import LEVELS, Records
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.participants.behaviours.view import View, Waiting, locked
from cnaps_sim.run.columns import Array
from cnaps_sim.run.outboxes import Outboxes
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Phase
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.workload.flow import NO_DUE_TIME, Flow

_TERMS = ("overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent")


class Views:
    """Makes the views of the banks that decide for themselves.

    banks: their account rows; names: ids of all accounts by row
    outboxes: what they keep; of what is on its way to the centre a bank knows, and counts it as sent
    """

    def __init__(
        self, recorder: Recorder, flow: Flow, names: Sequence[str], banks: Sequence[int], outboxes: Outboxes
    ) -> None:
        self.books = recorder.books
        self.outboxes = outboxes
        self.recorder = recorder
        self.flow = flow
        self.names = np.array(names, dtype=np.str_)
        self._place = {bank: place for place, bank in enumerate(banks)}
        self._is_bank = np.zeros(len(names), np.bool_)
        self._is_bank[list(banks)] = True
        self._sent = np.zeros((len(banks), len(names)), np.int64)
        self._received = np.zeros_like(self._sent)
        self._submitted_ms: Array = np.array(flow.rows["time_ms"])
        recorder.listeners.append(self._see)

    def start_date(self) -> None:
        """A business date begins: what was sent and received starts afresh."""
        self.recorder.drain()
        self._sent[:] = 0
        self._received[:] = 0

    def _see(self, log: Records) -> None:
        rows = log[log["sequence"] < len(self.flow)]
        left = rows[rows["act"] == int(Act.SUBMITTED)]
        self._submitted_ms[left["sequence"]] = left["time_ms"]
        settled = rows["sequence"][rows["act"] == int(Act.SETTLED)]
        paid = self.flow.rows[settled]
        debtor, creditor, amount = paid["debtor"], paid["creditor"], paid["amount"]
        for sums, own, other in ((self._sent, debtor, creditor), (self._received, creditor, debtor)):
            for row in np.flatnonzero(self._is_bank[own]).tolist():
                sums[self._place[int(own[row])], int(other[row])] += int(amount[row])

    def view(
        self, bank: int, time_ms: int, day: BusinessDay, opening: int, until_ms: int, rng: np.random.Generator
    ) -> View:
        """What one bank sees now. The recorder has been drained."""
        account = self.books.accounts[bank : bank + 1]
        desk = self.books.desk
        figures = {name: int(account[name][0]) for name in account.dtype.names}
        on_way_count, on_way_fen = self.outboxes.on_way(bank)
        available = {int(level): self.books.available(bank, level) - on_way_fen for level in HVPS_LEVELS}
        return View(
            account=str(self.names[bank]),
            terms=MappingProxyType({name: figures[name] for name in _TERMS}),
            balance=figures["balance"] - on_way_fen,
            opening=opening,
            available=MappingProxyType(available),
            queue=self._waiting([self.books.waiting(bank, level) for level in range(LEVELS)]),
            outbox=self._waiting([self.outboxes.kept(bank)], in_outbox=True),
            sent_count=figures["sent_count"] + on_way_count,
            sent_fen=figures["sent"] + on_way_fen,
            received_count=figures["received_count"],
            received_fen=figures["received"],
            sent_to=self._by_counterparty(self._sent, bank),
            received_from=self._by_counterparty(self._received, bank),
            queued_for_it=figures["incoming_fen"],
            time_ms=time_ms,
            phase=Phase(int(desk["phase"][0])).name.lower(),
            opens_ms=day.opens_ms,
            until_ms=until_ms,
            cut_off_ms=day.cut_off_ms,
            rng=rng,
        )

    def _by_counterparty(self, sums: Array, bank: int) -> MappingProxyType[str, int]:
        row = sums[self._place[bank]]
        return MappingProxyType({str(self.names[other]): int(row[other]) for other in np.flatnonzero(row)})

    def _waiting(self, queues: Sequence[Sequence[int]], in_outbox: bool = False) -> Waiting:
        """Payments of the eight levels, or of the outbox; in a queue bookings of the central bank stand, too."""
        sequence = np.array([number for queue in queues for number in queue], np.int64)
        level = np.repeat(np.arange(len(queues)), [len(queue) for queue in queues])
        amount, creditor, since_ms = (np.zeros(len(sequence), np.int64) for _ in range(3))
        due_ms = np.full(len(sequence), NO_DUE_TIME)
        own = sequence < len(self.flow)
        told = sequence[own]
        rows = self.flow.rows[told]
        amount[own], creditor[own] = rows["amount"], rows["creditor"]
        since_ms[own] = rows["time_ms"] if in_outbox else self._submitted_ms[told]
        if in_outbox:
            level = np.array(rows["level"])
        if self.flow.due_ms is not None:
            due_ms[own] = self.flow.due_ms[told]
        booked = {} if own.all() else {booking.sequence: booking for booking in self.recorder.bookings}
        for place in np.flatnonzero(~own).tolist():
            booking = booked[int(sequence[place])]
            amount[place], creditor[place], since_ms[place] = booking.amount, booking.creditor, booking.time_ms
        return Waiting(
            locked(amount), locked(self.names[creditor], np.str_), locked(level), locked(since_ms), locked(due_ms)
        )
