"""Retail parts: the items of BEPS and IBPS as parts of the table of payments, one part per chunk of the flow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cnaps_sim.run.columns import ARROW_TYPES, NEVER, Array, build
from cnaps_sim.run.retail.columns import STATUSES, SYSTEMS, ItemColumns, item_columns
from cnaps_sim.run.retail.fates import RetailFates, UnitNames
from cnaps_sim.run.retail.totals import ItemTotals
from cnaps_sim.words.codes import Cause, Refusal, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import RetailChunk

_EPOCH: Final = dt.date(1970, 1, 1)


def _words(words: Iterable[str]) -> pa.Array:
    return pa.array(list(words), pa.string())


def _places(words: Sequence[str]) -> tuple[pa.Array, Array]:
    """The different words but the empty one, and the place of each given word among them; -1 for an empty one."""
    different = [word for word in dict.fromkeys(words) if word]
    return _words(different), np.array([different.index(word) if word else -1 for word in words], np.int32)


_SYSTEM_WORDS: Final = _words(system.value for system in SYSTEMS)
_TYPE_WORDS: Final = _words(kind.code for kind in RetailKind)
_STATUS_WORDS: Final = _words(status.value for status in STATUSES)
_REASON_WORDS, _REASON_OF = _places([str(refusal.reason or "") if refusal else "" for refusal in Refusal])
_ISO_WORDS, _ISO_OF = _places([refusal.iso for refusal in Refusal])


class RetailPayments:
    """Makes the rows of retail items in the table of payments; dictionaries are the same in every part.

    fates, names:   what became of the units; `names` may be None where `fates.names_units` is false
    accounts:       names of the account rows
    dates:          the retail dates of the run by their index
    first_sequence: sequence of the run's first item: those of HVPS payments and bookings come before it
    """

    def __init__(
        self,
        fates: RetailFates,
        names: UnitNames | None,
        accounts: Sequence[str],
        dates: Sequence[dt.date],
        first_sequence: int,
    ) -> None:
        self._fates = fates
        self._names = names or UnitNames()
        self._accounts = _words(accounts)
        self._days = [(date - _EPOCH).days for date in dates]
        self._first_sequence = first_sequence

    def part(self, items: ItemColumns) -> pa.Table:
        """The rows of one chunk's items, in order of item numbers, with exactly the documented columns."""
        chunk, count = items.chunk, len(items.kind)
        first = self._first_sequence + chunk.first_item
        submitted = pa.array(items.submitted_ms)
        principals = chunk.on_behalf_of
        if principals is not None and principals.type != ARROW_TYPES["text"]:
            principals = principals.cast(pa.string()).dictionary_encode()
        columns: dict[str, Any] = {
            "date": pa.array(np.full(count, self._days[chunk.date_index], np.int32)).view(pa.date32()),
            "sequence": np.arange(first, first + count),
            "payment_id": chunk.ids().cast(pa.string()),
            "system": _text(items.systems, _SYSTEM_WORDS),
            "debtor": _text(items.debtor, self._accounts),
            "creditor": _text(items.creditor, self._accounts),
            "on_behalf_of": principals,
            "amount_fen": items.amounts,
            "type": _text(items.kind, _TYPE_WORDS),
            "instructed_ms": submitted,
            "submitted_ms": submitted,
            "netted_ms": _given(items.netted_ms, NEVER),
            "ended_ms": _given(items.ended_ms, NEVER),
            "round": _given(items.net_round, 0),
            "status": _text(items.status, _STATUS_WORDS),
            "released_by": self._released_by(chunk, count),
        }
        if items.refusal.any():
            columns["reason"] = _text(_REASON_OF[items.refusal], _REASON_WORDS, -1)
            columns["reason_iso"] = _text(_ISO_OF[items.refusal], _ISO_WORDS, -1)
        return build("payments", {name: values for name, values in columns.items() if values is not None})

    def _released_by(self, chunk: RetailChunk, count: int) -> pa.DictionaryArray | None:
        fates = self._fates.of(chunk)
        released = fates[fates["cause"] != int(Cause.NONE)]
        if not len(released):
            return None
        causes, codes = np.unique(released["cause"], return_inverse=True)
        places = np.full(count, -1, np.int32)
        each = np.ascontiguousarray(chunk.rows["items"], np.int64)
        rows = released["unit"] - chunk.first_unit
        items = each[rows]
        before = np.cumsum(items) - items  # of the released items, those of earlier units
        at = np.repeat(np.cumsum(each)[rows] - items - before, items) + np.arange(items.sum())
        places[at] = np.repeat(codes, items)
        return _text(places, _words(self._names.words(causes)), -1)


def _text(codes: Array, words: pa.Array, null: int | None = None) -> pa.DictionaryArray:
    indices = pa.array(codes) if null is None else pa.array(codes, mask=codes == null)
    return pa.DictionaryArray.from_arrays(indices, words, safe=False)


def _given(values: Array, null: int | np.int64) -> pa.Array:
    missing = values == null
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)


def retail_parts(
    chunks: Iterable[RetailChunk],
    fates: RetailFates,
    totals: ItemTotals,
    payments: RetailPayments | None = None,
    recorded: Collection[System] = SYSTEMS,
) -> Iterator[pa.Table]:
    """Add up every item of the flow in `totals`, and yield the rows of the recorded ones, chunk by chunk.

    chunks:   all chunks of the run, in order
    payments: makes the rows; None if no item is recorded
    recorded: the systems whose items are

    The iterator must be read to its end, for the totals too.
    """
    codes = [code for code, system in enumerate(SYSTEMS) if system in recorded]
    for chunk in chunks:
        if not len(chunk.rows):
            continue
        items = item_columns(chunk, fates)
        totals.add(items)
        totals.counts.add_queued(chunk, fates.of(chunk))
        totals.counts.add_late(fates.late(chunk))
        if payments is None or not codes:
            continue
        part = payments.part(items)
        if len(codes) < len(SYSTEMS):
            part = part.filter(pa.array(items.systems == codes[0]))
        if part.num_rows:
            yield part


def by_date(settled: pa.Table, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The whole table of payments in parts by (date, sequence): of each date HVPS and SAPS first, then retail items.

    settled: the payments of HVPS and SAPS, in that order already; parts: retail items, each of one date, in order
    """
    days = settled["date"].cast(pa.int32()).to_numpy()
    row = 0
    for part in parts:
        end = int(np.searchsorted(days, part["date"][0].cast(pa.int32()).as_py(), side="right"))
        if end > row:
            yield settled.slice(row, end - row)
            row = end
        yield part
    if row < len(days) or not len(days):
        yield settled.slice(row)
