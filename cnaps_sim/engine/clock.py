"""The clock: SimPy runs the events that decide, the books run the payments in between.

Business-day phases, actions, faults and samples are SimPy events. Before one of them happens, every payment
of the fed flow that comes first is settled, queued or refused in one compiled call. At one instant the order
is fixed (`Rank`); events of one rank keep the order in which they were scheduled.

This is the only file that imports SimPy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from enum import IntEnum
from itertools import chain
from typing import Any

import numpy as np
import simpy

from cnaps_sim.core import Books
from cnaps_sim.core.netting_desk import SLICE, Netting
from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import FLOW, Records, new
from cnaps_sim.workload.retail_chunk import CHUNK_MS, RetailChunk

Event = simpy.Event
Process = Generator[simpy.Event, Any, None]
Rows = np.ndarray[Any, np.dtype[np.int64]]

_END_OF_TIME = 2**62
_NO_PAYMENTS = new(FLOW, 0)
_NO_UNITS = new(RETAIL, 0)


class Rank(IntEnum):
    """Order of events at one instant. SimPy's own bookkeeping (0 and 1) comes before all of them."""

    CLOSING = 10  # closing acts of the ending phase or date
    PHASE = 20  # phase change or date switch
    FAULT = 30
    ARRIVAL = 40  # payments of the flows, deliveries
    CAP_CHECK = 45  # retail units whose messages have all arrived
    DECISION = 47  # banks that look at what they keep, when all that arrives has been booked
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

    def chunk(self, one_by_one: bool = False) -> Records:
        """The rows up to the end of the current chunk, or the next skipped row; `next_row` lies inside.

        one_by_one: up to the next row alone, because somebody looks after each payment
        """
        while self._edges[self._edge] <= self.next_row:
            self._edge += 1
        self.edge_row = self.next_row + 1 if one_by_one else int(self._edges[self._edge])
        return self.rows[: self.edge_row]

    @property
    def edge_ms(self) -> int:
        """Time of the first row after the present chunk; the end of time when there is none."""
        return int(self.rows["time_ms"][self.edge_row]) if self.edge_row < len(self.rows) else _END_OF_TIME

    def go_on(self, next_row: int) -> bool:
        """The books have come to this row; whether that is where a chunk ends."""
        self.next_row = next_row
        if next_row == self.edge_row:
            self._pass_skipped()
        return next_row == int(self._edges[self._edge])

    def _pass_skipped(self) -> None:
        while self._skipped[self.next_row]:
            self.next_row += 1


class RetailFeed:
    """The flow of retail units being fed to the netting server, chunk by chunk, and how far it has come.

    chunks:   in order of time; the next one is asked for when the present one has been netted
    on_chunk: told a chunk that has been netted to its end, before the next one is asked for
    """

    def __init__(self, chunks: Iterator[RetailChunk]) -> None:
        self._chunks = chunks
        self.chunk: RetailChunk | None = None
        self.next_row = 0
        self.on_chunk: list[Callable[[], None]] = []
        self._load()

    def _load(self) -> None:
        """Go to the next row, in the present chunk or in the first later one that has any."""
        while self.chunk is None or self.next_row == len(self.chunk.rows):
            if self.chunk is not None:
                for tell in self.on_chunk:
                    tell()
            self.chunk = next(self._chunks, None)
            self.next_row = 0
            if self.chunk is None:
                return

    @property
    def next_ms(self) -> int:
        """Time of the next unit; the end of time when there is none."""
        return _END_OF_TIME if self.chunk is None else int(self.chunk.rows["time_ms"][self.next_row])

    def slice(self) -> tuple[Records, int, int]:
        """Rows that one call may net, number of row 0, and the instant before which the flows may go.

        At the last ms of a slice the payments go before all units, whether these fit in or not.
        """
        if self.chunk is None:
            return _NO_UNITS, 0, _END_OF_TIME
        rows = self.chunk.rows
        end = self.next_row + SLICE
        if end >= len(rows):
            return rows, self.chunk.first_unit, self.chunk.ends_ms
        return rows[:end], self.chunk.first_unit, int(rows["time_ms"][end]) + 1

    def go_on(self, next_row: int) -> None:
        """The netting server has come to this row."""
        self.next_row = next_row
        if self.chunk is not None and next_row == len(self.chunk.rows):
            self._load()

    def go_back_to(self, chunk: RetailChunk, next_row: int, again: Callable[[int], RetailChunk]) -> None:
        """Go on in a chunk that has been made anew, with units that were not there before.

        next_row: how many of its rows have come; again: makes a chunk anew by its number
        """
        if self.chunk is not None and self.chunk.number > chunk.number:
            later = map(again, [self.chunk.number])  # made when it is needed, with what is known then
            self._chunks = chain(later, self._chunks)
        self.chunk, self.next_row = chunk, next_row

    def rows_come(self) -> tuple[Records, int, int] | None:
        """The present chunk's rows, the number of row 0, and how many of them have come."""
        return None if self.chunk is None else (self.chunk.rows, self.chunk.first_unit, self.next_row)


class Clock(simpy.Environment):
    """Simulated time in ms, with one agenda of control events and the flows that are fed in between.

    after_each: called with the present time after every control event and whenever a flow stopped early
        (a watch line was crossed, a queued round net was posted, or the clearing window was cured).
    on_chunk: called whenever the books' log should be drained, at the end of each chunk of a flow.
    stop_if: asked after each payment of the flow whether somebody has to be told now; None while nobody asks, because
        asking costs a call a payment.
    crossings: the books' watch lines crossed so far, those of balances (each has its entry in the log) and of the
        queue's growth.
    """

    def __init__(self, books: Books, start_ms: int, netting: Netting | None = None) -> None:
        super().__init__(initial_time=start_ms)
        self.books = books
        self.netting = netting
        self.feeds: list[Feed] = []
        self.retail: RetailFeed | None = None
        self.after_each: list[Callable[[int], None]] = []
        self.on_chunk: list[Callable[[], None]] = []
        self.stop_if: Callable[[], bool] | None = None
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

    def feed_retail(self, chunks: Iterator[RetailChunk]) -> RetailFeed:
        """Feed the netting server: chunks of retail units in order of time."""
        assert self.netting is not None
        assert self.retail is None, "one flow of units at a time: merge them first"
        self.retail = RetailFeed(chunks)
        return self.retail

    def step(self) -> None:
        """Settle what comes before the next control event, then let that event happen."""
        while self._queue and self._advance(self._next_bound()):
            pass  # a flow stopped early: whoever listened may have scheduled something sooner
        super().step()
        self._take_crossings()
        self._notify()

    def finish(self) -> None:
        """Feed the rest of the flows; no control event is left that could come between."""
        while self._advance(_END_OF_TIME):
            pass

    def _next_bound(self) -> int:
        """Payments before this instant come before the next control event."""
        time_ms, rank = self._queue[0][:2]
        return int(time_ms) if rank < Rank.ARRIVAL else int(time_ms) + 1

    def _is_stopped(self) -> bool:
        return self.stop_if is not None and self.stop_if()

    def _take_crossings(self) -> bool:
        """Count the watch lines crossed; whether any was."""
        crossed = self.books.take_crossings()
        self.crossings += crossed
        return (crossed + (0 if self.netting is None else self.netting.take_crossings())) > 0

    def _advance(self, until_ms: int) -> bool:
        """Advance the flows to `until_ms` (exclusive); True if they stopped early and somebody was told."""
        while True:
            payments_due = bool(self.feeds) and self.feeds[0].next_ms < until_ms
            if not payments_due and (self.retail is None or self.retail.next_ms >= until_ms):
                return False
            alone = self.retail is None
            stopped_ms = self._advance_payments(until_ms) if alone else self._advance_both(until_ms)
            if stopped_ms is not None:
                self._now = stopped_ms
                self._notify()
                return True

    def _advance_payments(self, until_ms: int) -> int | None:
        """Advance the flow of payments by a chunk at most; the instant at which it stopped early, if it did."""
        feed = self.feeds[0]
        rows = feed.chunk(self.stop_if is not None)
        at = self.books.advance(rows, feed.next_row, until_ms, feed.first_sequence)
        chunk_ended = feed.go_on(at)
        stopped = self._take_crossings() or self.books.is_window_cured() or self._is_stopped()
        if chunk_ended:
            self._drain()
        return int(rows["time_ms"][at - 1]) if stopped else None

    def _advance_both(self, until_ms: int) -> int | None:
        """Advance both flows together by a chunk of either at most; the instant at which they stopped early."""
        assert self.netting is not None
        assert self.retail is not None
        units, first_unit, slice_ends_ms = self.retail.slice()
        until_ms = min(until_ms, slice_ends_ms)
        first_row = self.retail.next_row
        rows, first, first_sequence, edge_ms = _NO_PAYMENTS, 0, 0, _END_OF_TIME
        feed = self.feeds[0] if self.feeds else None
        if feed is not None and feed.next_ms < until_ms:
            rows, first, first_sequence = feed.chunk(self.stop_if is not None), feed.next_row, feed.first_sequence
            edge_ms = feed.edge_ms if self.stop_if is None else feed.next_ms + 1  # units wait for who looks
        row, unit_row = self.books.advance_with(
            self.netting,
            (rows, first, until_ms, first_sequence),
            (units, first_row, min(until_ms, edge_ms), first_unit),
        )
        stopped = self._take_crossings() or self.books.nets_posted() or self.books.is_window_cured()
        times = [int(rows["time_ms"][row - 1])] if row > first else []
        times += [int(units["time_ms"][unit_row - 1])] if unit_row > first_row else []
        chunk_ended = feed is not None and row > first and feed.go_on(row)
        self.retail.go_on(unit_row)  # before anybody reads a log: what is in it has come
        stopped = stopped or self._is_stopped()
        if chunk_ended:
            self._drain()
        return max(times) if stopped and times else None

    def _drain(self) -> None:
        for drain in self.on_chunk:
            drain()

    def _notify(self) -> None:
        for listen in self.after_each:
            listen(int(self.now))
