"""Retail payments of a scenario as one stream of units, and the caps that are made for generated accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cnaps_sim.run.columns import Array
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.scenario.workload import (
    RETAIL_SYSTEMS,
    BepsGenerator,
    IbpsGenerator,
    RetailGenerator,
    WorkloadFile,
    WorkloadMessages,
    WorkloadPayments,
)
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail_days import RetailDay, retail_days
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.retail_chunk import RetailStream
from cnaps_sim.workload.retail_items import RetailItems, items_from_rows, read_items
from cnaps_sim.workload.retail_merge import merged
from cnaps_sim.workload.retail_replay import ReplayedRetail
from cnaps_sim.workload.retail_stream import GeneratedRetail
from cnaps_sim.workload.retail_terms import (
    BepsTerms,
    ClientLine,
    IbpsTerms,
    RetailParameters,
    RetailTerms,
    Volume,
)

if TYPE_CHECKING:
    from cnaps_sim.run.message_files import MessageFiles

#: Key of what the manifest tells about message files of BEPS and IBPS: files, payments, rejected.
RETAIL_NOTES: Final = "retail_messages"
#: Caps are computed in whole millionths of the outflow.
_PARTS = 1_000_000


def retail_terms(loaded: Loaded) -> RetailTerms:
    """The limits of both systems, and how banks answer, as the scenario says."""
    scenario = loaded.scenario
    beps = {name: getattr(scenario.beps, name) for name in BepsTerms.__dataclass_fields__}
    ibps = {name: getattr(scenario.ibps, name) for name in IbpsTerms.__dataclass_fields__}
    return RetailTerms(BepsTerms(**beps), IbpsTerms(**ibps))


def retail_stream(
    loaded: Loaded,
    index: Mapping[str, int],
    sizes: Array,
    timetable: Timetable,
    streams: Streams,
    messages: MessageFiles | None = None,
) -> RetailStream:
    """All payments of BEPS and IBPS that the scenario brings, in one stream.

    messages: reads message files, if the scenario has any; those that bring nothing join its `rejected`
    """
    rounds = loaded.scenario.nets.rounds
    days = retail_days(timetable, rounds.working, rounds.other)
    terms = retail_terms(loaded)
    made: list[RetailStream] = []
    if any(isinstance(entry, RetailGenerator) for entry in loaded.scenario.workload):
        made.append(_generated(loaded, sizes, timetable, streams, days, terms))
    sources = _sources(loaded, index)
    told: dict[str, object] = {}
    if messages is not None:
        filed, told = _filed(loaded, index, days, timetable, messages)
        sources = sorted([*sources, *filed], key=lambda one: one[0])
    if sources or not made:
        clients = [
            ClientLine(client.name, index[client.direct], client.value, client.credit_line)
            for client in loaded.scenario.clients
        ]
        replayed = ReplayedRetail([source for _, source in sources], days, streams, terms, clients)
        replayed.notes.update(told)
        made.append(replayed)
    return merged(made)


def _filed(
    loaded: Loaded,
    index: Mapping[str, int],
    days: Sequence[RetailDay],
    timetable: Timetable,
    messages: MessageFiles,
) -> tuple[list[tuple[int, RetailItems]], dict[str, object]]:
    """What message files of BEPS and IBPS bring, with the place of each entry; and their counts for the manifest."""
    from cnaps_sim.run.retail.message_files import RetailMessageFiles  # messages take a while to load

    travelling = loaded.scenario.messages > 0
    reader = RetailMessageFiles(index, days, timetable.first_date, messages.expected, messages.seen, travelling)
    filed = [
        (number, reader.read(loaded.files[f"workload.{number}.messages"], entry.system, f"workload.{number}"))
        for number, entry in enumerate(loaded.scenario.workload)
        if isinstance(entry, WorkloadMessages) and entry.system in RETAIL_SYSTEMS
    ]
    messages.rejected += reader.rejected
    return filed, {RETAIL_NOTES: reader.counts} if filed else {}


def _sources(loaded: Loaded, index: Mapping[str, int]) -> list[tuple[int, RetailItems]]:
    """What files and the scenario itself bring, entry by entry, with the place of each entry."""
    scenario = loaded.scenario
    inline = resolved(scenario)["workload"]
    sources: list[tuple[int, RetailItems]] = []
    for number, entry in enumerate(scenario.workload):
        name = f"workload.{number}"
        if entry.system not in RETAIL_SYSTEMS:
            continue
        if isinstance(entry, WorkloadFile):
            path = loaded.files[f"{name}.file"]
            items = read_items(path, index, scenario.date, entry.system, name, loaded.systems_in(path))
            sources.append((number, items))
        elif isinstance(entry, WorkloadPayments):
            places = [loaded.place_of(("workload", number, "payments", row)) for row in range(len(entry.payments))]
            rows = inline[number]["payments"]
            items = items_from_rows(rows, index, scenario.date, entry.system, name, places.__getitem__)
            sources.append((number, items))
    return sources


def _generated(
    loaded: Loaded,
    sizes: Array,
    timetable: Timetable,
    streams: Streams,
    days: Sequence[RetailDay],
    terms: RetailTerms,
) -> GeneratedRetail:
    """The units that the scenario's generators make."""
    scenario = loaded.scenario
    volumes: dict[System, Volume] = {}
    shapes: dict[str, Any] = {}
    where: dict[str, int] = {}
    for number, entry in enumerate(scenario.workload):
        if isinstance(entry, RetailGenerator):
            assert isinstance(entry, BepsGenerator | IbpsGenerator)
            volumes[entry.system] = Volume(entry.count, entry.value).scaled(Decimal(scenario.scale))
            shapes |= (shape := _shape(entry))
            where |= dict.fromkeys(shape, number)
    try:
        return GeneratedRetail(sizes, days, volumes, timetable.calendar, streams, terms, RetailParameters(**shapes))
    except InputError as error:
        terms_of = error.place if error.place in ("beps", "ibps") else ""
        if terms_of:  # a term of the system, not of its generator
            key = f"{terms_of}.{error.key}"
            raise InputError(loaded.place_of(key), key, error.problem, error.value, error.allowed) from None
        number = where.get(error.key, next(iter(where.values())))
        place = loaded.place_of(("workload", number))
        raise InputError(place, f"workload.{number}.{error.key}", error.problem, error.value, error.allowed) from None


def _shape(entry: BepsGenerator | IbpsGenerator) -> dict[str, Any]:
    """What a generator's entry says of the day it makes, by the names of `RetailParameters`."""
    prefix = entry.system.lower()
    shape: dict[str, Any] = {f"{prefix}_median": entry.median, f"{prefix}_sigma": entry.sigma}
    if isinstance(entry, IbpsGenerator):
        return {**shape, "ibps_debit_share": entry.debit_share}
    known = RetailParameters.__dataclass_fields__
    return shape | {name: getattr(entry, name) for name in type(entry).model_fields if name in known}


def credit_lines(loaded: Loaded, rows: list[AccountRow], stream: RetailStream | None) -> Array:
    """The credit line of each participant's cap, fen: as given, or a share of what it is expected to send in a day."""
    given = np.array([row["credit_line"] for row in rows], np.int64)
    share = loaded.scenario.nets.cap_share
    if share is None or not isinstance(stream, GeneratedRetail):
        return given
    outflow = stream.daily_outflow_fen()
    parts = int((share * _PARTS).to_integral_value())
    return outflow // _PARTS * parts + outflow % _PARTS * parts // _PARTS
