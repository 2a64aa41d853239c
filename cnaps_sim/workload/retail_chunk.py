"""Retail chunks: a stream of BEPS and IBPS units (包, or one payment), five minutes at a time.

A stream is cut by a grid that the retail dates fix, never the machine: `SLOTS` chunks in each date, empty ones
included. A national day has 61 million items, so nobody keeps more of it than a few chunks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import Records
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_MINUTE

Integers = npt.NDArray[np.int64]

#: Simulated time of one chunk.
CHUNK_MS: Final = 5 * MS_PER_MINUTE
#: Chunks of a retail date.
SLOTS: Final = MS_PER_DAY // CHUNK_MS

_CODES: Final = pa.array([kind.code for kind in RetailKind], pa.string())


@dataclass(frozen=True, eq=False)
class RetailChunk:
    """The units of at most five minutes, in order of their cap check; ties BEPS before IBPS, then order given.

    number:       place of the chunk in its stream
    date_index:   retail date of the run, 0 = first
    begins_ms, ends_ms: the units' times are from `begins_ms` on and before `ends_ms`
    rows:         RETAIL records; row r is unit `first_unit + r`
    first_unit:   number over the run of the unit in row 0
    first_item:   number over the run of its first item; the items of row r are the next `rows["items"][r]`
    amounts:      int64 fen of each item, in row order; a view of `rows["amount"]` where every row has one item
    first_number: number in its retail date of the first item, from 1, where every id is generated and the numbers
                  are consecutive (`retail_ids.generated_ids` makes the ids of them); None where ids are given
    on_behalf_of: the indirect participant behind the debtor of each item (dictionary-encoded text, null if none);
                  None if none has one
    """

    number: int
    date_index: int
    begins_ms: int
    ends_ms: int
    rows: Records
    first_unit: int
    first_item: int
    amounts: Integers
    first_number: int | None
    _ids: Callable[[], pa.StringArray]
    on_behalf_of: pa.Array | None = None

    def __post_init__(self) -> None:
        assert self.rows.dtype == RETAIL
        assert self.on_behalf_of is None or len(self.on_behalf_of) == len(self.amounts)

    def ids(self) -> pa.StringArray:
        """The payment id of each item; made when asked for."""
        return self._ids()

    @property
    def types(self) -> pa.DictionaryArray:
        """The type of each item: the code of its kind (业务类型)."""
        kinds = np.repeat(np.asarray(self.rows["kind"]), self.rows["items"])
        return pa.DictionaryArray.from_arrays(pa.array(kinds, pa.int8()), _CODES)


class RetailStream(ABC):
    """Units of a run in chunks; the same bytes however often and in whatever order the chunks are asked for.

    dates: the retail dates of the run; chunk n lies in date n // SLOTS
    notes: what the manifest tells about how the stream was made
    """

    def __init__(self, dates: Sequence[RetailDay], notes: dict[str, object] | None = None) -> None:
        self.dates = tuple(dates)
        self.notes: dict[str, object] = notes or {}

    @property
    def chunk_count(self) -> int:
        return len(self.dates) * SLOTS

    @property
    @abstractmethod
    def unit_count(self) -> int:
        """Units of the run."""

    @property
    @abstractmethod
    def item_count(self) -> int:
        """Items of the run."""

    @abstractmethod
    def chunk(self, number: int) -> RetailChunk:
        """Chunk `number`, from 0. May be called by several threads at once."""

    def begins_ms(self, number: int) -> int:
        """When a chunk begins, ms of the run."""
        return self.dates[number // SLOTS].begins_ms + number % SLOTS * CHUNK_MS

    def chunks(self) -> Iterator[RetailChunk]:
        """All chunks in order of time."""
        return (self.chunk(number) for number in range(self.chunk_count))

    def prefetched(self, workers: int) -> Iterator[RetailChunk]:
        """All chunks in order of time, made by `workers` threads while the caller works on an earlier one.

        At most `workers + 1` chunks are made ahead of the one handed out. What goes wrong in a thread is raised here.
        An iterator that is closed or dropped early leaves no thread behind. 0 workers: as `chunks`.
        """
        if workers < 1:
            yield from self.chunks()
            return
        ahead: deque[Future[RetailChunk]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="retail") as pool:
            try:
                for number in range(self.chunk_count):
                    ahead.append(pool.submit(self.chunk, number))
                    if len(ahead) > workers + 1:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()
