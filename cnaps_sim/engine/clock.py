"""The clock: SimPy runs the events that decide, the books run the payments in between.

Business-day phases, actions, faults and samples are SimPy events. Before one of them happens, every payment
of the fed flow that comes first is settled, queued or refused in one compiled call. At one instant the order
is fixed (`Rank`); events of one rank keep the order in which they were scheduled.

This is the only file that imports SimPy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import IntEnum
from typing import Any

import numpy as np
import simpy

from cnaps_sim.core import Books
from cnaps_sim.core.records import Records
from cnaps_sim.words.units import MS_PER_MINUTE

Event = simpy.Event
Process = Generator[simpy.Event, Any, None]
Rows = np.ndarray[Any, np.dtype[np.int64]]

#: Simulated time that one chunk of a flow covers; fixed, so that nothing depends on the machine.
CHUNK_MS = 5 * MS_PER_MINUTE
_END_OF_TIME = 2**62


class Rank(IntEnum):
    """Order of events at one instant. SimPy's own bookkeeping (0 and 1) comes before all of them."""

    CLOSING = 10  # closing acts of the ending phase or date
    PHASE = 20  # phase change or date switch
    FAULT = 30
    ARRIVAL = 40  # payments of the flows, deliveries
    ACTION = 50  # queue operations and every other scheduled action
    MATCHING = 60
    ROUND = 70
    SAMPLE = 80


class Feed:
    """A flow being fed to the books: rows sorted by time, and how far it has come.

    skip: rows, ascending, that reach the books another way, as messages
    """

    def __init__(self, rows: Records, first_sequence: int, skip: Rows | None = None) -> None:
        self.rows = rows
        self.first_sequence = first_sequence
        self.next_row = 0
        self.edge_row = 0
        skipped = np.zeros(0, np.int64) if skip is None else skip
        self._skipped = np.zeros(len(rows) + 1, np.bool_)
        self._skipped[skipped] = True
        self._edges = np.union1d(self._chunk_edges(rows), skipped)
        self._edge = 0
        self._pass_skipped()

    @staticmethod
    def _chunk_edges(rows: Records) -> Rows:
        """Row numbers at which a new chunk of simulated time begins, and the end."""
        if len(rows) == 0:
            return np.zeros(1, np.int64)
        changes = np.flatnonzero(np.diff(rows["time_ms"] // CHUNK_MS)) + 1
        return np.append(changes, len(rows)).astype(np.int64)

    @property
    def next_ms(self) -> int:
        """Time of the next row; the end of time when there is none."""
        return int(self.rows["time_ms"][self.next_row]) if self.next_row < len(self.rows) else _END_OF_TIME

    def chunk(self) -> Records:
        """The rows up to the end of the current chunk, or the next skipped row; `next_row` lies inside."""
        while self._edges[self._edge] <= self.next_row:
            self._edge += 1
        self.edge_row = int(self._edges[self._edge])
        return self.rows[: self.edge_row]

    def go_on(self, next_row: int) -> bool:
        """The books have come to this row; whether that is where a chunk ends."""
        self.next_row = next_row
        ended = next_row == self.edge_row
        if ended:
            self._pass_skipped()
        return ended

    def _pass_skipped(self) -> None:
        while self._skipped[self.next_row]:
            self.next_row += 1


class Clock(simpy.Environment):
    """Simulated time in ms, with one agenda of control events and the flow that is fed in between.

    after_each: called with the present time after every control event and whenever the flow stopped early
        (a watch line was crossed, or the clearing window was cured).
    on_chunk: called whenever the books' log should be drained, at the end of each chunk of a flow.
    crossings: watch lines crossed so far, those of balances (each has its entry in the log) and of the queue's growth.
    """

    def __init__(self, books: Books, start_ms: int) -> None:
        super().__init__(initial_time=start_ms)
        self.books = books
        self.feeds: list[Feed] = []
        self.after_each: list[Callable[[int], None]] = []
        self.on_chunk: list[Callable[[], None]] = []
        self.crossings = 0

    def at(self, time_ms: int, rank: Rank) -> simpy.Event:
        """An event that happens at `time_ms`, in its rank's place among the events of that instant."""
        assert time_ms >= self.now, "an event cannot be scheduled in the past"
        event = simpy.Event(self)
        event._ok = True
        event._value = None
        self.schedule(event, priority=int(rank), delay=time_ms - self.now)  # type: ignore[arg-type]
        return event

    def call_at(self, time_ms: int, rank: Rank, act: Callable[[], None]) -> None:
        """Call `act` at `time_ms`."""
        callbacks = self.at(time_ms, rank).callbacks
        assert callbacks is not None
        callbacks.append(lambda _: act())

    def feed(self, rows: Records, first_sequence: int, skip: Rows | None = None) -> None:
        """Feed a flow: rows of `records.FLOW` sorted by time, but for those to skip."""
        assert not self.feeds, "one flow at a time: merge them first"
        self.feeds.append(Feed(rows, first_sequence, skip))

    def step(self) -> None:
        """Settle what comes before the next control event, then let that event happen."""
        while self._queue and self._advance(self._next_bound()):
            pass  # the flow stopped early: whoever listened may have scheduled something sooner
        super().step()
        self.crossings += self.books.take_crossings()
        self._notify()

    def finish(self) -> None:
        """Feed the rest of the flows; no control event is left that could come between."""
        while self._advance(_END_OF_TIME):
            pass

    def _next_bound(self) -> int:
        """Payments before this instant come before the next control event."""
        time_ms, rank = self._queue[0][:2]
        return int(time_ms) if rank < Rank.ARRIVAL else int(time_ms) + 1

    def _advance(self, until_ms: int) -> bool:
        """Advance the flow to `until_ms` (exclusive); True if it stopped early and somebody was told."""
        for feed in self.feeds:
            while feed.next_ms < until_ms:
                rows = feed.chunk()
                at = self.books.advance(rows, feed.next_row, until_ms, feed.first_sequence)
                chunk_ended = feed.go_on(at)
                crossed = self.books.take_crossings()
                self.crossings += crossed
                stopped = crossed > 0 or self.books.is_window_cured()
                if chunk_ended:
                    self._drain()
                if stopped:
                    self._now = int(rows["time_ms"][at - 1])
                    self._notify()
                    return True
        return False

    def _drain(self) -> None:
        for drain in self.on_chunk:
            drain()

    def _notify(self) -> None:
        for listen in self.after_each:
            listen(int(self.now))
