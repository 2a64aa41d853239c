"""Replay: what an earlier run's message log says reached the centre reaches it again, at the same instants.

The banks write nothing, but the scenario's actions are carried out beside the log. An order that a bank gave in an
action and that arrived at once waits for that action, so that it stands among the other actions where it stood.
Banks with a policy decide again when they send; a payment that one of them has kept arrives when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cnaps_sim.engine.clock import Clock, Process, Rank
from cnaps_sim.messages import credits, debits, returns, status, system_state
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.run.message_log import Record, read_log

#: What banks send on instructions of their customers or as answers, not in an action.
_UNORDERED: Final = frozenset(
    {
        credits.PACS_008,
        credits.PACS_009,
        debits.PACS_003,
        status.PACS_002,
        returns.PACS_004,
        returns.CAMT_029,
        system_state.ADMI_011,
    }
)


class Replay:
    """The messages of a log on their way to the centre, in the order in which they reached it.

    folder:  the message log
    deliver: what the centre does with each
    is_kept: whether a bank with a policy still keeps the payment that a message carries
    """

    def __init__(
        self, folder: Path, clock: Clock, deliver: Callable[[bytes], None], is_kept: Callable[[Record], bool]
    ) -> None:
        self._clock = clock
        self._deliver = deliver
        self._is_kept = is_kept
        self._rest = (record for _, record, _ in read_log(folder) if record.receiver == CENTRE != record.sender)
        self._first_sent: dict[tuple[str, str], int] = {}
        self._next: Record | None = None
        self._step()

    def _step(self) -> None:
        """On to the next record that reached the centre."""
        for record in self._rest:
            if record.iso not in _UNORDERED:
                key = (record.sender, record.business_id)
                self._first_sent[key] = min(record.sent_ms, self._first_sent.get(key, record.sent_ms))
            if record.received_ms is not None:
                self._next = record
                return
        self._next = None

    def deliveries(self) -> Process:
        """Every arrival that no action has caused, at its instant."""
        while self._next is not None:
            assert self._next.received_ms is not None
            time_ms = self._next.received_ms
            yield self._clock.at(time_ms, Rank.ARRIVAL)
            yield self._clock.at(time_ms, Rank.ARRIVAL)  # the payments of this instant have been instructed
            self._deliver_answers(time_ms)
            if self._is_due(time_ms):  # ordered at this instant: its action delivers it, or nothing does
                yield self._clock.at(time_ms, Rank.SAMPLE)
                while self._is_due(time_ms):
                    self._deliver_next()

    def sent(self) -> None:
        """A bank with a policy has sent a payment: if it arrives at once, it does so now, and what followed from it."""
        now = int(self._clock.now)
        self._clock.call_at(now, Rank.ARRIVAL, lambda: self._deliver_answers(now))

    def order(self, member: str, reference: str = "") -> None:
        """An action has a bank order something: what the log has of it at this instant, and what followed from it."""
        now = int(self._clock.now)
        self._clock.call_at(now, Rank.ARRIVAL, lambda: self._deliver_order(now, member, reference))

    def _deliver_order(self, now: int, member: str, reference: str) -> None:
        ordered = self._next
        if ordered is None or not self._is_ordered(now) or (ordered.sender, ordered.reference) != (member, reference):
            return  # it did not arrive at once, or not at all
        while self._is_due(now) and self._next is not None and self._next.data == ordered.data:
            self._deliver_next()
        self._deliver_answers(now)

    def _deliver_answers(self, time_ms: int) -> None:
        while self._is_due(time_ms) and not self._is_ordered(time_ms):
            assert self._next is not None
            if self._is_kept(self._next):
                return
            self._deliver_next()

    def _is_due(self, time_ms: int) -> bool:
        return self._next is not None and self._next.received_ms == time_ms

    def _is_ordered(self, time_ms: int) -> bool:
        """Whether the next message was ordered by an action of this very instant."""
        record = self._next
        if record is None or record.iso in _UNORDERED or not record.received_ms == record.sent_ms == time_ms:
            return False
        return self._first_sent[record.sender, record.business_id] == time_ms  # a resend comes of itself

    def _deliver_next(self) -> None:
        assert self._next is not None
        data = self._next.data
        self._step()
        self._deliver(data)
