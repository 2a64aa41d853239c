"""Retail payments of a scenario as one stream of units, and the caps that are made for generated accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

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
) -> RetailStream:
    """All payments of BEPS and IBPS that the scenario brings, in one stream."""
    rounds = loaded.scenario.nets.rounds
    days = retail_days(timetable, rounds.working, rounds.other)
    terms = retail_terms(loaded)
    made: list[RetailStream] = []
    if any(isinstance(entry, RetailGenerator) for entry in loaded.scenario.workload):
        made.append(_generated(loaded, sizes, timetable, streams, days, terms))
    sources = _sources(loaded, index)
    if sources or not made:
        clients = [
            ClientLine(client.name, index[client.direct], client.value, client.credit_line)
            for client in loaded.scenario.clients
        ]
        made.append(ReplayedRetail(sources, days, streams, terms, clients))
    return merged(made)


def _sources(loaded: Loaded, index: Mapping[str, int]) -> list[RetailItems]:
    """What files and the scenario itself bring, entry by entry."""
    scenario = loaded.scenario
    inline = resolved(scenario)["workload"]
    sources = []
    for number, entry in enumerate(scenario.workload):
        name = f"workload.{number}"
        if entry.system not in RETAIL_SYSTEMS:
            continue
        if isinstance(entry, WorkloadFile):
            sources.append(read_items(loaded.files[f"{name}.file"], index, scenario.date, entry.system, name))
        elif isinstance(entry, WorkloadPayments):
            places = [loaded.place_of(("workload", number, "payments", row)) for row in range(len(entry.payments))]
            sources.append(
                items_from_rows(
                    inline[number]["payments"], index, scenario.date, entry.system, name, places.__getitem__
                )
            )  # fmt: skip
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
