"""Retail merge: several streams of BEPS and IBPS as one, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import as_records
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import Integers, RetailChunk, RetailStream
from cnaps_sim.workload.retail_ids import first_generated
from cnaps_sim.workload.retail_replay import ReplayedRetail
from cnaps_sim.workload.retail_stream import GeneratedRetail


def merged(streams: Sequence[RetailStream]) -> RetailStream:
    """One stream of several over the same retail dates: by time, ties BEPS before IBPS, then the order of the list.

    The ids of generated items stay those of their own stream. InputError for an id of a recorded payment that has
    the form of a generated one, where there are generated ones too. ValueError if there is no stream, or if their
    dates differ.
    """
    if not streams:
        raise ValueError("there is no stream to merge")
    if len({stream.dates for stream in streams}) > 1:
        raise ValueError("streams of different dates cannot be merged")
    if any(isinstance(stream, GeneratedRetail) for stream in streams):
        for stream in streams:
            if isinstance(stream, ReplayedRetail):
                _check_free(stream)
    return streams[0] if len(streams) == 1 else MergedRetail(streams)


class MergedRetail(RetailStream):
    """The units of several streams; made by `merged`."""

    def __init__(self, streams: Sequence[RetailStream]) -> None:
        notes = {key: note for stream in streams for key, note in stream.notes.items()}
        super().__init__(streams[0].dates, notes)
        self._streams = tuple(streams)

    @property
    def unit_count(self) -> int:
        return sum(stream.unit_count for stream in self._streams)

    @property
    def item_count(self) -> int:
        return sum(stream.item_count for stream in self._streams)

    def chunk(self, number: int) -> RetailChunk:
        parts = [stream.chunk(number) for stream in self._streams]
        first_unit, first_item = sum(part.first_unit for part in parts), sum(part.first_item for part in parts)
        filled = [part for part in parts if len(part.rows)] or parts[:1]
        if len(filled) == 1:
            return replace(filled[0], first_unit=first_unit, first_item=first_item)
        return _interleaved(filled, first_unit, first_item)


def _interleaved(parts: Sequence[RetailChunk], first_unit: int, first_item: int) -> RetailChunk:
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows["time_ms"] * 2 + (rows["kind"] >= RetailKind.IBPS_CREDIT), kind="stable")
    items = _items_of_rows(rows["items"].astype(np.int64), order)
    amounts = np.concatenate([part.amounts for part in parts])[items]

    def ids() -> pa.StringArray:
        return pa.concat_arrays([part.ids() for part in parts]).take(pa.array(items))

    return replace(
        parts[0],
        rows=as_records(rows[order]),
        first_unit=first_unit,
        first_item=first_item,
        amounts=amounts,
        first_number=None,
        _ids=ids,
        on_behalf_of=_principals(parts, items),
    )


def _items_of_rows(held: Integers, order: Integers) -> Integers:
    """The items of rows in a new order, where row r has `held[r]` items and all stand one after another."""
    first = np.cumsum(held) - held
    held = held[order]
    come = np.cumsum(held) - held
    return np.repeat(first[order] - come, held) + np.arange(int(held.sum()), dtype=np.int64)


def _principals(parts: Sequence[RetailChunk], items: Integers) -> pa.Array | None:
    if all(part.on_behalf_of is None for part in parts):
        return None
    texts = [
        pa.nulls(len(part.amounts), pa.string()) if part.on_behalf_of is None else part.on_behalf_of.cast(pa.string())
        for part in parts
    ]
    return pc.dictionary_encode(pa.concat_arrays(texts).take(pa.array(items)))


def _check_free(stream: ReplayedRetail) -> None:
    row = first_generated(stream.payment_ids)
    if row is None:
        return
    payment_id = stream.payment_ids[row].as_py()
    place = stream.place_of(payment_id) or "workload"
    allowed = "other ids than B or I and 17 digits"
    raise InputError(place, "payment_id", "is of the form of generated payments", payment_id, allowed)
