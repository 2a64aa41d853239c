"""Results of retail clearing: once the day is played, its units are made again and become totals and payments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cnaps_sim.audit.retail_tables import RetailItems
from cnaps_sim.core.records import Records
from cnaps_sim.run.columns import schema
from cnaps_sim.run.retail.actions import interventions
from cnaps_sim.run.retail.clearing import WORKERS, RetailClearing
from cnaps_sim.run.retail.columns import SYSTEMS
from cnaps_sim.run.retail.fates import RetailFates, RoundEnd, UnitNames, is_open
from cnaps_sim.run.retail.parts import RetailPayments, by_date, retail_parts
from cnaps_sim.run.retail.totals import ItemTotals
from cnaps_sim.run.spool import Spooled, spool
from cnaps_sim.scenario.rules import Detail
from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail_days import RoundKind
from cnaps_sim.workload.retail_chunk import RetailChunk


@dataclass(frozen=True)
class RetailResults:
    """What retail clearing adds to a run.

    items, outcomes: per system, for the manifest and the summary
    rounds, caps: what the manifest tells of each round, and of each participant's cap
    payments: the whole table of payments as it is recorded; None if no retail item is
    seen:     the auditor of its rows
    late:     `retail.fates.LATE` records of the units that expire after the netting server has decided so
    tallies:  its sums by kind and act (`core.netting_records.TALLY`), where those of them that stay open are open
    """

    items: dict[str, dict[str, Any]]
    outcomes: dict[str, dict[str, Any]]
    rounds: list[dict[str, Any]]
    caps: dict[str, dict[str, Any]]
    payments: Spooled | None
    seen: RetailItems
    late: Records
    tallies: Records


def retail_results(clearing: RetailClearing, settled: pa.Table) -> RetailResults:
    """Make every unit of the run again and take it into totals and, where recorded, payments.

    settled: the rows of HVPS and SAPS that are recorded
    """
    world = clearing.world
    log = clearing.recorder.whole_log()
    rounds = [
        RoundEnd(each.time_ms, each.kind in (RoundKind.LAST, RoundKind.ONLY), each.logged)
        for each in clearing.recorder.rounds
    ]
    fates = RetailFates(log, rounds, interventions(clearing, log), clearing.limits)
    accounts = world.directory.accounts
    dates = [day.date for day in clearing.stream.dates]
    totals = ItemTotals(accounts, dates)
    record = world.loaded.scenario.record
    recorded = [system for system in SYSTEMS if record.get(system, Detail.TOTALS) == Detail.PAYMENTS]
    seen = RetailItems(with_checksum=False)  # it is being taken from the same items
    payments = None
    if recorded:
        names = UnitNames.collect(_ahead(clearing), log) if fates.names_units else None
        rows = RetailPayments(fates, names, accounts, dates, world.recorder.sequences)
        parts = retail_parts(_ahead(clearing), fates, totals, rows, recorded)
        payments = spool(by_date(settled, parts), schema("payments"), see=seen.see_part)
    else:
        _read_all(retail_parts(_ahead(clearing), fates, totals))
    counts = totals.counts
    lowest = clearing.netting.positions["lowest_headroom"][: len(world.population.rows)]
    return RetailResults(
        totals.as_manifest(),
        totals.outcomes(),
        counts.rounds(clearing.recorder.rounds, dates),
        counts.caps(np.ascontiguousarray(lowest)),
        payments,
        seen,
        counts.late,
        _with_open(clearing.netting.tallies, counts.late),
    )


def _with_open(tallies: Records, late: Records) -> Records:
    """Tallies in which what never expires is open."""
    tallies = tallies.copy()
    for unit in late[is_open(late)]:
        for name, number in (("units", 1), ("items", unit["items"]), ("fen", unit["fen"])):
            tallies[name][unit["kind"], Act.EXPIRED] -= number
            tallies[name][unit["kind"], Act.OPEN] += number
    return tallies


def _ahead(clearing: RetailClearing) -> Iterator[RetailChunk]:
    return clearing.stream.prefetched(WORKERS)


def _read_all(parts: Iterable[pa.Table]) -> None:
    for _ in parts:
        raise AssertionError("nothing is recorded item by item")
