"""Amended retail: a stream of units that orders change while the run goes on.

A unit that has not come to its cap check can be stopped (止付); a return (退汇) of a netted item joins the stream as a
unit of its own, at the instant at which it is sent. Reading the stream again tells the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import Records, as_records
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import SLOTS, Integers, RetailChunk, RetailStream


@dataclass(frozen=True)
class Return:
    """A netted item that its payee's bank sends back: one item of its own. Money in fen, time in ms of the run.

    payment_id: its own id; original, item: the unit that was netted and the place of the item in it
    """

    payment_id: str
    time_ms: int
    debtor: int
    creditor: int
    amount: int
    kind: RetailKind
    original: int
    item: int

    def as_row(self) -> Records:
        """It as the one row of a flow (RETAIL)."""
        row = np.zeros(1, RETAIL)
        for name in ("time_ms", "amount", "debtor", "creditor", "kind"):
            row[name] = getattr(self, name)
        row["items"] = 1
        return as_records(row)


class AmendedRetail(RetailStream):
    """A stream with stops and returns; neither may concern what has come to its cap check.

    stopped: of each stopped unit, by its number in the stream beneath, when it would have come to its cap check and
             when it was stopped (ms of the run)
    returns: in order of time
    arrived_ms: when the message of each unit reached the centre, by its number; None where units do not travel, or as
             long as the run goes on
    """

    def __init__(self, stream: RetailStream) -> None:
        super().__init__(stream.dates, stream.notes)
        self.stream = stream
        self.stopped: dict[int, tuple[int, int]] = {}
        self.returns: list[Return] = []
        self.arrived_ms: Integers | None = None

    @property
    def unit_count(self) -> int:
        return self.stream.unit_count + len(self.returns)

    @property
    def item_count(self) -> int:
        return self.stream.item_count + len(self.returns)

    def chunk(self, number: int) -> RetailChunk:
        return self.amended(self.stream.chunk(number))

    def prefetched(self, workers: int) -> Iterator[RetailChunk]:
        """As in the stream beneath; what counts is what is known when a chunk is handed out."""
        for chunk in self.stream.prefetched(workers):
            yield self.amended(chunk)

    def number_of(self, unit: int, time_ms: int) -> int:
        """The number of a unit of the stream beneath that comes at `time_ms`: returns sent before it came count."""
        return unit + bisect_right([sent.time_ms for sent in self.returns], time_ms - 1)

    def stops(self) -> list[tuple[int, int]]:
        """The number of each stopped unit, and when it was stopped."""
        return [(self.number_of(unit, comes_ms), at_ms) for unit, (comes_ms, at_ms) in self.stopped.items()]

    def units_of_returns(self) -> list[int]:
        """The number of each return's unit."""
        chunks: dict[int, RetailChunk] = {}
        numbers = []
        for place, sent in enumerate(self.returns):
            number = self.slot_of(sent.time_ms)
            chunk = chunks.setdefault(number, self.stream.chunk(number))
            before = int(np.searchsorted(chunk.rows["time_ms"], sent.time_ms, side="right"))
            numbers.append(chunk.first_unit + before + place)
        return numbers

    def slot_of(self, time_ms: int) -> int:
        """The chunk in which an instant lies."""
        begins = [self.begins_ms(date * SLOTS) for date in range(len(self.dates))]
        date = max(bisect_right(begins, time_ms) - 1, 0)
        slots = range(date * SLOTS, (date + 1) * SLOTS)
        return slots[bisect_right(slots, time_ms, key=self.begins_ms) - 1]

    def amended(self, chunk: RetailChunk) -> RetailChunk:
        """A chunk of the stream beneath with the returns sent in it and the stops known now."""
        times = [sent.time_ms for sent in self.returns]
        first, last = bisect_right(times, chunk.begins_ms - 1), bisect_right(times, chunk.ends_ms - 1)
        if first:
            chunk = replace(
                chunk, first_unit=chunk.first_unit + first, first_item=chunk.first_item + first, first_number=None
            )
        if last > first:
            chunk = _with_returns(chunk, self.returns[first:last])
        if self.stopped:
            rows = np.array([unit for unit, _ in self.stops()], np.int64) - chunk.first_unit
            chunk.rows["refusal"][rows[(rows >= 0) & (rows < len(chunk.rows))]] = Refusal.STOPPED
        if self.arrived_ms is not None:
            here = self.arrived_ms[chunk.first_unit : chunk.first_unit + len(chunk.rows)]
            chunk.rows["lag_ms"] = chunk.rows["time_ms"] - here
        return chunk


def _with_returns(chunk: RetailChunk, returns: list[Return]) -> RetailChunk:
    """The chunk with these returns in it, each after the rows of its millisecond."""
    added = np.concatenate([sent.as_row() for sent in returns])
    places = np.searchsorted(chunk.rows["time_ms"], added["time_ms"], side="right")
    ends = np.concatenate([[0], np.cumsum(chunk.rows["items"])])
    at_items = ends[places]
    ids = [text.as_py() for text in chunk.ids()]
    principals = None if chunk.on_behalf_of is None else chunk.on_behalf_of.cast(pa.string()).to_pylist()
    for number, (at, sent) in enumerate(zip(at_items.tolist(), returns, strict=True)):
        ids.insert(at + number, sent.payment_id)
        if principals is not None:
            principals.insert(at + number, None)
    texts = pa.array(ids, pa.string())
    return replace(
        chunk,
        rows=as_records(np.insert(np.asarray(chunk.rows), places, added)),
        amounts=np.insert(chunk.amounts, at_items, added["amount"]),
        first_number=None,
        _ids=lambda: texts,
        on_behalf_of=None if principals is None else pa.array(principals, pa.string()).dictionary_encode(),
    )
