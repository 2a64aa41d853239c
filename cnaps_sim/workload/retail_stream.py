"""Retail stream: generated days of BEPS (小额) and IBPS (网银), calibrated on published volumes.

Counts are exact in every retail date, the value follows from the tabulated distribution of amounts to well below a
thousandth. Source: rule section "volumes to calibrate on"; what is [P] stands in `retail_terms.RetailParameters`.
"""

from __future__ import annotations

import datetime as dt
import functools
import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import Records, new
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MS_PER_DAY
from cnaps_sim.workload.network import Network, core_periphery
from cnaps_sim.workload.retail_alias import alias_table
from cnaps_sim.workload.retail_amounts import AmountTable, amount_table, lag_table
from cnaps_sim.workload.retail_chunk import CHUNK_MS, SLOTS, Integers, RetailChunk, RetailStream
from cnaps_sim.workload.retail_counts import CLASSES, SLOW, UnitClass, date_counts
from cnaps_sim.workload.retail_draw import CLASS, PART, POSITIONS, SECONDS, Counts, draw_chunk
from cnaps_sim.workload.retail_hours import elapsed
from cnaps_sim.workload.retail_ids import generated_ids
from cnaps_sim.workload.retail_terms import RetailParameters, RetailTerms, Volume

SYSTEMS: Final = (System.BEPS, System.IBPS)
_ALL_CLASSES: Final = tuple(unit_class for system in SYSTEMS for unit_class in CLASSES[system])
_FIRST_CLASS: Final = (0, len(CLASSES[System.BEPS]), len(_ALL_CLASSES))
#: Rows of the latencies.
_REALTIME, _DEBIT, _IBPS = range(3)
_KEYS: Final = ("times", "classes", "links", "packages")


class GeneratedRetail(RetailStream):
    """Generated units of a run.

    sizes:      weight of each account, by row (`population.Accounts.size`), two at least
    days:       the retail dates of the run
    volumes:    what each system nets in an ordinary retail date; a system that is absent has nothing. A payroll date
                has more regular credits, and value in proportion.
    calendar:   says how many natural days the working days of a debit's limit are
    streams:    uses `retail.network`, and of each system and date `SYSTEM.classes.DATE`, `SYSTEM.chunks.DATE` and
                `SYSTEM.amounts.DATE`, each always from its beginning; one system's units do not depend on the other's

    `notes` tells `beps_amount_factor` and `ibps_amount_factor`, what every amount of the tabulated distribution was
    multiplied by to reach the value. Where the item limit changes within the run it is that of the first date.
    InputError if there are fewer than two accounts, or for a count or value that cannot be.
    """

    def __init__(
        self,
        sizes: npt.NDArray[np.float64],
        days: Sequence[RetailDay],
        volumes: Mapping[System, Volume],
        calendar: Calendar,
        streams: Streams,
        terms: RetailTerms | None = None,
        parameters: RetailParameters | None = None,
    ) -> None:
        super().__init__(days)
        self.terms = terms or RetailTerms()
        self.parameters = parameters or RetailParameters()
        self._volumes = {system: volumes.get(system, Volume(0, 0)) for system in SYSTEMS}
        _check(len(sizes), self._volumes)
        self._network = self._network_of(sizes, streams)
        self._links = alias_table(self._network)
        self._tables = [self._amounts(day) for day in self.dates]
        for place, system in enumerate(SYSTEMS):
            if self._volumes[system].count:
                self.notes[f"{system.lower()}_amount_factor"] = repr(self._tables[0][place].factor)
        self._lag_tables = self._latencies()
        self._fixed_lags = [[_fixed_lag(each, day, calendar, self.terms) for each in _ALL_CLASSES] for day in days]
        self._count(streams)
        self._room = threading.local()

    @property
    def unit_count(self) -> int:
        return int(self._units_before[-1])

    @property
    def item_count(self) -> int:
        return int(self._items_before[-1])

    def daily_outflow_fen(self) -> Integers:
        """What each account is expected to pay over both systems in an ordinary retail date, fen."""
        shares = np.bincount(self._network.debtor, self._network.probability, minlength=self._accounts)
        value = sum(volume.value_fen for volume in self._volumes.values())
        outflow: Integers = np.rint(shares * float(value)).astype(np.int64)
        return outflow

    def chunk(self, number: int) -> RetailChunk:
        date_index, slot = divmod(number, SLOTS)
        units = self._units[date_index][slot + 1] - self._units[date_index][slot]
        items = self._items[date_index][slot + 1] - self._items[date_index][slot]
        rows = new(RETAIL, int(units.sum()))
        item_count = int(items.sum())
        amounts = np.empty(item_count if item_count > len(rows) else 0, np.int64)
        begins_ms = self.begins_ms(number)
        tables = np.stack([table.entries for table in self._tables[date_index]])
        classes = self._classes(date_index, units, items)
        # Mixing bits overflows on purpose; numpy says so where the loop runs uncompiled.
        with np.errstate(over="ignore"):
            written = draw_chunk(
                rows,
                amounts,
                self._parts(date_index, slot, units),
                classes,
                self._links,
                tables,
                self._lag_tables,
                *self._counters(),
                begins_ms,
            )
        assert written == item_count, "every item is in a unit"
        first_item = int(self._items_before[number])
        first_number = first_item - int(self._items_before[date_index * SLOTS]) + 1
        return RetailChunk(
            number=number,
            date_index=date_index,
            begins_ms=begins_ms,
            ends_ms=begins_ms + CHUNK_MS,
            rows=rows,
            first_unit=int(self._units_before[number]),
            first_item=first_item,
            amounts=amounts if item_count > len(rows) else rows["amount"],
            first_number=first_number,
            _ids=lambda: _ids_of(self.dates[date_index].date, first_number, rows),
        )

    def _network_of(self, sizes: npt.NDArray[np.float64], streams: Streams) -> Network:
        given = self.parameters
        self._accounts = len(sizes)
        return core_periphery(
            sizes, given.core_count, given.ties, float(given.reciprocity), streams.fresh("retail.network")
        )

    def _amounts(self, day: RetailDay) -> tuple[AmountTable, ...]:
        """The distribution of each system's amounts under the limits of a retail date."""
        given = self.parameters
        shapes = ((given.beps_median, given.beps_sigma), (given.ibps_median, given.ibps_sigma))
        tables = []
        for system, (median, sigma) in zip(SYSTEMS, shapes, strict=True):
            largest = min(given.largest, self.terms.item_limit(system, day.date))
            volume = self._volumes[system]
            tables.append(_known_table(median, sigma, largest, volume.count, volume.value_fen))
        return tuple(tables)

    def _latencies(self) -> Integers:
        beps, ibps = self.terms.beps, self.terms.ibps
        # So many natural days are never more than so many working days.
        slow_limit_ms = beps.reply_days * MS_PER_DAY
        tables = [np.zeros(0, np.int64)] * 3
        tables[_REALTIME] = lag_table(beps.realtime_median, beps.realtime_sigma, beps.realtime_limit)
        tables[_DEBIT] = lag_table(beps.reply_median, beps.reply_sigma, slow_limit_ms)
        tables[_IBPS] = lag_table(ibps.reply_median, ibps.reply_sigma, ibps.reply_limit)
        return np.stack(tables)

    def _count(self, streams: Streams) -> None:
        """All counts of the run, and the keys of its draws."""
        spread = [elapsed(system, self.parameters) for system in SYSTEMS]
        self._units, self._items, self._keys, self._amount_keys = [], [], [], []
        for day in self.dates:
            counts = [
                date_counts(system, day, self._volumes[system].count, spread[i], self.parameters, self.terms, streams)
                for i, system in enumerate(SYSTEMS)
            ]
            self._units.append(np.hstack([part.units for part in counts]))
            self._items.append(np.hstack([part.items for part in counts]))
            self._keys.append([_bits(streams, system, "chunks", day, (SLOTS, len(_KEYS))) for system in SYSTEMS])
            self._amount_keys.append([_bits(streams, system, "amounts", day, (4,)) for system in SYSTEMS])
        self._units_before = _before(self._units)
        self._items_before = _before(self._items)

    def _parts(self, date_index: int, slot: int, units: Integers) -> Records:
        parts = new(PART, len(SYSTEMS))
        for place in range(len(SYSTEMS)):
            part = parts[place]
            span = slice(_FIRST_CLASS[place], _FIRST_CLASS[place + 1])
            for name, key in zip(_KEYS, self._keys[date_index][place][slot], strict=True):
                part[name] = key
            strata = max(int(self._items[date_index][-1, span].sum()), 1)
            bits = (strata - 1).bit_length()
            part["amounts"], *factors = self._amount_keys[date_index][place]
            for name, factor in zip(("first_factor", "second_factor", "third_factor"), factors, strict=True):
                part[name] = factor | np.uint64(1)
            part["mask"], part["fold"] = (1 << bits) - 1, bits // 2 + 1
            part["strata"], part["step"] = strata, POSITIONS // strata
            part["items_come"] = self._items[date_index][slot, span].sum()
            part["units_left"] = units[span].sum()
            part["first_class"], part["after_class"] = span.start, span.stop
        return parts

    def _classes(self, date_index: int, units: Integers, items: Integers) -> Records:
        classes = new(CLASS, len(_ALL_CLASSES))
        classes["units_left"], classes["items_left"] = units, items
        classes["most_items"] = self.terms.beps.package_limit
        classes["kind"] = [each.kind for each in _ALL_CLASSES]
        classes["refusal"] = [each.refusal for each in _ALL_CLASSES]
        classes["lag_table"] = [_lag_row(each) for each in _ALL_CLASSES]
        classes["fixed_lag_ms"] = self._fixed_lags[date_index]
        return classes

    def _counters(self) -> tuple[Counts, Counts]:
        """Room to count arrivals in, per thread: by ms and by second, all zeros between two chunks."""
        room: Any = self._room
        if not hasattr(room, "counters"):
            room.counters = np.zeros((len(SYSTEMS), CHUNK_MS), np.int32), np.zeros(SECONDS, np.int32)
        counters: tuple[Counts, Counts] = room.counters
        return counters


@functools.lru_cache(maxsize=16)
def _known_table(median: int, sigma: Decimal, largest: int, count: int, value_fen: int) -> AmountTable:
    return amount_table(median, sigma, largest, count, value_fen)


def _check(accounts: int, volumes: Mapping[System, Volume]) -> None:
    if accounts < 2:
        raise InputError("workload", "accounts", "payments need at least two accounts", accounts)
    for volume in volumes.values():
        if volume.count < 0:
            raise InputError("workload", "count", "must be 0 or more", volume.count)


def _lag_row(unit_class: UnitClass) -> int:
    """Which table of latencies a class has, -1 for none."""
    if unit_class.refusal is Refusal.TIMED_OUT or not unit_class.kind.has_reply:
        return -1
    if unit_class.kind.system is System.IBPS:
        return _IBPS
    return _DEBIT if unit_class.kind in SLOW else _REALTIME


def _fixed_lag(unit_class: UnitClass, day: RetailDay, calendar: Calendar, terms: RetailTerms) -> int:
    """How long a class without a table of latencies has waited, ms: its whole limit, or not at all.

    The limit of a slow debit ends at its time of day on the last of its working days.
    """
    kind = unit_class.kind
    if unit_class.refusal is not Refusal.TIMED_OUT:
        return 0
    if kind in SLOW:
        sent = day.date
        for _ in range(terms.beps.reply_days):
            sent = calendar.previous_working_day(sent)
        return (day.date - sent).days * MS_PER_DAY
    return terms.ibps.reply_limit if kind.system is System.IBPS else terms.beps.realtime_limit


def _bits(
    streams: Streams, system: System, name: str, day: RetailDay, shape: tuple[int, ...]
) -> npt.NDArray[np.uint64]:
    stream = streams.fresh(f"{system.lower()}.{name}.{day.date}")
    return stream.integers(0, 2**64, size=shape, dtype=np.uint64)


def _before(dates: Sequence[Integers]) -> Integers:
    """What has come over the run before each chunk, and after the last, of running counts date by date."""
    before = [np.zeros(1, np.int64)]
    for counts in dates:
        before.append(counts.sum(axis=1)[1:] + before[-1][-1])
    return np.concatenate(before)


def _ids_of(date: dt.date, first_number: int, rows: Records) -> pa.StringArray:
    is_ibps = np.repeat(np.asarray(rows["kind"]) >= RetailKind.IBPS_CREDIT, rows["items"])
    return generated_ids(date, first_number, is_ibps)
