"""Stops: a stream of units some of which are stopped (止付) while the run goes on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnaps_sim.words.codes import Refusal
from cnaps_sim.workload.retail_chunk import RetailChunk, RetailStream


class StoppableRetail(RetailStream):
    """A stream whose units can be stopped before they come to their cap check; later readings tell the same.

    stopped: instant (ms of the run) at which each stopped unit was stopped, by its number
    """

    def __init__(self, stream: RetailStream) -> None:
        super().__init__(stream.dates, stream.notes)
        self.stream = stream
        self.stopped: dict[int, int] = {}

    @property
    def unit_count(self) -> int:
        return self.stream.unit_count

    @property
    def item_count(self) -> int:
        return self.stream.item_count

    def chunk(self, number: int) -> RetailChunk:
        return self.marked(self.stream.chunk(number))

    def prefetched(self, workers: int) -> Iterator[RetailChunk]:
        """As in the stream beneath; stops count that are known when a chunk is handed out."""
        for chunk in self.stream.prefetched(workers):
            yield self.marked(chunk)

    def marked(self, chunk: RetailChunk) -> RetailChunk:
        """The chunk, its stopped units marked in place."""
        if self.stopped:
            units = np.array(list(self.stopped), np.int64) - chunk.first_unit
            rows = units[(units >= 0) & (units < len(chunk.rows))]
            chunk.rows["refusal"][rows] = Refusal.STOPPED
        return chunk
