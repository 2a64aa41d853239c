"""Retail replay: recorded items of BEPS and IBPS as a stream, with packages formed and replies drawn.

`retail_items` reads the files, `retail_units` forms packages and lets the other banks answer, `retail_clients` holds
clients to their lines; here all sources become one stream in order of time. Every item ends exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import new
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.streams import Streams
from cnaps_sim.workload.ids import first_duplicate
from cnaps_sim.workload.retail_chunk import CHUNK_MS, SLOTS, Integers, RetailChunk, RetailStream
from cnaps_sim.workload.retail_clients import hold_to_lines
from cnaps_sim.workload.retail_items import RetailItems
from cnaps_sim.workload.retail_terms import ClientLine, RetailTerms
from cnaps_sim.workload.retail_units import Units, draw_replies, formed_units


class ReplayedRetail(RetailStream):
    """The units of all sources, in memory.

    sources: items of one system each; of equal times BEPS goes before IBPS, then the order of the sources
    days:    the retail dates of the run
    clients: lines of indirect participants

    InputError for an id that stands in two sources, and for an item on behalf of another bank's client.
    """

    def __init__(
        self,
        sources: Sequence[RetailItems],
        days: Sequence[RetailDay],
        streams: Streams,
        terms: RetailTerms | None = None,
        clients: Sequence[ClientLine] = (),
    ) -> None:
        super().__init__(days)
        terms = terms or RetailTerms()
        self.payment_ids = pa.concat_arrays([items.payment_ids for items in sources] or [pa.array([], pa.string())])
        self._sources = tuple(sources)
        self._check_ids()
        formed = [(items, formed_units(items, self.dates, terms)) for items in sources]
        for items, units in formed:
            draw_replies(units, items, self.dates, terms, streams)
        hold_to_lines(formed, clients, self.dates)
        order = self._fill_rows(formed)
        self._fill_items(formed, order)
        grid = [self.begins_ms(number) for number in range(self.chunk_count)]
        self._edges = np.append(np.searchsorted(self.rows["time_ms"], grid), len(self.rows))

    @property
    def unit_count(self) -> int:
        return len(self.rows)

    @property
    def item_count(self) -> int:
        return len(self.payment_ids)

    def chunk(self, number: int) -> RetailChunk:
        first, after = (int(edge) for edge in self._edges[number : number + 2])
        first_item, after_item = int(self._item_edges[first]), int(self._item_edges[after])
        ids = self.payment_ids[first_item:after_item]
        return RetailChunk(
            number=number,
            date_index=number // SLOTS,
            begins_ms=self.begins_ms(number),
            ends_ms=self.begins_ms(number) + CHUNK_MS,
            rows=self.rows[first:after].copy(),
            first_unit=first,
            first_item=first_item,
            amounts=self.amounts[first_item:after_item],
            first_number=None,
            _ids=lambda: ids,
            on_behalf_of=None if self.on_behalf_of is None else self.on_behalf_of[first_item:after_item],
        )

    def place_of(self, payment_id: str) -> str | None:
        """Where a payment stands in its source; None if no source has it."""
        for items in self._sources:
            row = pc.index(items.payment_ids, payment_id).as_py()
            if row >= 0:
                return items.place(row)
        return None

    def _check_ids(self) -> None:
        twice = first_duplicate(self.payment_ids)
        if twice is None:
            return
        payment_id = self.payment_ids[twice[1]].as_py()
        holders = [items for items in self._sources if pc.index(items.payment_ids, payment_id).as_py() >= 0]
        first, second = (items.place(pc.index(items.payment_ids, payment_id).as_py()) for items in holders[:2])
        raise InputError(second, "payment_id", f"already used at {first}", payment_id)

    def _fill_rows(self, formed: Sequence[tuple[RetailItems, Units]]) -> Integers:
        """The rows in order of their cap check; the place of each in the order of the sources."""
        rows = new(RETAIL, sum(len(units.first) for _, units in formed))
        at = 0
        for items, units in formed:
            part = rows[at : at + len(units.first)]
            part["time_ms"], part["amount"], part["items"] = units.time_ms, units.amount, units.items
            part["debtor"], part["creditor"] = items.debtor[units.first], items.creditor[units.first]
            part["lag_ms"], part["kind"], part["refusal"] = units.time_ms - units.sent_ms, units.kind, units.refusal
            at += len(part)
        order = np.argsort(rows["time_ms"] * 2 + (rows["kind"] >= RetailKind.IBPS_CREDIT), kind="stable")
        self.rows = rows[order]
        return order.astype(np.int64)

    def _fill_items(self, formed: Sequence[tuple[RetailItems, Units]], order: Integers) -> None:
        """The items in the order of their units, those of a unit in the order given."""
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        first_unit = np.cumsum([0, *(len(units.first) for _, units in formed)])
        joined = [units.unit_of + before for (_, units), before in zip(formed, first_unit, strict=False)]
        unit_of = np.concatenate(joined) if joined else np.zeros(0, np.int64)
        items = np.argsort(place[unit_of], kind="stable")
        amounts = [source.amount for source, _ in formed]
        self.amounts: Integers = (np.concatenate(amounts) if amounts else np.zeros(0, np.int64))[items]
        self.payment_ids = self.payment_ids.take(pa.array(items))
        self.on_behalf_of = _principals([source for source, _ in formed], items)
        self._item_edges = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.rows["items"], dtype=np.int64)))


def _principals(sources: Sequence[RetailItems], order: Integers) -> pa.Array | None:
    if all(items.on_behalf_of is None for items in sources):
        return None
    texts = [
        pa.nulls(len(items), pa.string()) if items.on_behalf_of is None else items.on_behalf_of.cast(pa.string())
        for items in sources
    ]
    return pc.dictionary_encode(pa.concat_arrays(texts).take(pa.array(order)))
