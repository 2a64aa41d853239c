"""The runner: plays a scenario, makes its tables, has them audited and writes the manifest."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pyarrow as pa

import cnaps_sim
from cnaps_sim.audit import Verdict
from cnaps_sim.audit.digest import item_checksum, table_digest
from cnaps_sim.audit.tables import audit_tables
from cnaps_sim.run import results
from cnaps_sim.run.access_study import compare_access
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.columns import empty_table
from cnaps_sim.run.fates import Fates, Instructions
from cnaps_sim.run.fork import Fork, schedule
from cnaps_sim.run.retail.kinds import kinds_told
from cnaps_sim.run.saving import liquidity_saving
from cnaps_sim.run.store import Run
from cnaps_sim.run.tool_study import Done, compare_tools
from cnaps_sim.run.tools import granted
from cnaps_sim.run.world import Progress, World
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.resolve import resolved, scenario_sha256
from cnaps_sim.scenario.rules import Detail
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.words.codes import System
from cnaps_sim.words.tables import TABLES

if TYPE_CHECKING:
    from cnaps_sim.core.records import Records
    from cnaps_sim.run.retail.results import RetailResults

#: Tables that hold one row per payment, and those that hold one row per account and date or sample.
PAYMENT_TABLES = ("payments", "transfers")
ACCOUNT_TABLES = ("accounts", "series")

#: Computes the summary of a run from its tables; it lives above this room.
Summarise = Callable[[Run], dict[str, Any]]
#: Handed a world before it is played; what it returns is called when it has been.
Watch = Callable[[World], Callable[[], None]]


def simulate(
    loaded: Loaded,
    summarise: Summarise,
    replication: int = 0,
    progress: Progress | None = None,
    replay: Path | None = None,
    compared: Done | None = None,
    watch: Watch | None = None,
    fork: Fork | None = None,
) -> Run:
    """Run a scenario and return everything it leaves behind, audited. InputError for what its files hold wrong.

    compared: told how many steps of the comparison of tools are done, where the scenario asks for one
    fork: `loaded` takes over in mid-run (see `fork`); what a whole day would save is not sought then
    watch: looks on (see `monitor`)
    replay: the message log of an earlier run; what reached the centre then reaches it again (see `exchange.Exchange`)
    """
    laps = _Laps()
    world = _prepared(loaded, replication, progress, replay, fork)
    seen_played = None if watch is None else watch(world)
    laps.end("generate")
    stream_verdict = world.run()
    if seen_played is not None:
        seen_played()
    world.loaded = loaded  # what is told from here on is the scenario that the run came to follow
    laps.end("simulate")
    tables = make_tables(world)
    retail = None if world.retail is None else _retail_results(world, tables)
    if retail is not None:
        tables |= _retail_tables(world, tables["series"], retail.late)
    laps.end("tables")
    run = _run_of(world, tables, retail, fork)
    _audit(run, stream_verdict, tables, retail, world)
    laps.end("digest_and_audit")
    manifest, terms = run.manifest, loaded.scenario
    if fork is None and terms.hvps.matching.is_on and terms.hvps.matching.saving:
        manifest["matching"] = liquidity_saving(loaded, world.population, progress).as_dict()
    laps.end("saving")
    if fork is None and terms.compare_tools:
        manifest["tools"] = compare_tools(world, replication, compared)
    if fork is None and terms.compare_access:
        manifest["access"] = compare_access(world, replication)
    laps.end("comparing")
    manifest["summary"] = summarise(run)
    manifest["wall_s"] = laps.all()
    return run


class _Laps:
    """Seconds of wall time, part by part."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def end(self, part: str) -> None:
        """A part of the run ends here."""
        now = time.perf_counter()
        self._laps[part] = round(now - self._last, 3)
        self._last = now

    def all(self) -> dict[str, float]:
        """Each part, and all together until now."""
        return {**self._laps, "total": round(time.perf_counter() - self._started, 3)}


def _prepared(
    loaded: Loaded, replication: int, progress: Progress | None, replay: Path | None, fork: Fork | None
) -> World:
    """The world with all that is known beforehand on its clock."""
    start, later = (loaded, None) if fork is None else (fork.start, fork.later)
    world = World(start, replication, progress, replay=replay, later=later)
    _tell_rejected(world)
    Actions(world).schedule()
    if fork is not None:
        schedule(fork, world)
    return world


def _run_of(world: World, tables: dict[str, pa.Table], retail: RetailResults | None, fork: Fork | None) -> Run:
    """The run with tables and manifest, not yet audited."""
    loaded = world.loaded
    comes_later = retail is not None and retail.payments is not None  # with a digest of its own
    unwanted = unwanted_tables(loaded.scenario.record)
    manifest = _manifest(world, tables, (*unwanted, "payments") if comes_later else unwanted)
    if given := granted(loaded, world.population, world.tools):
        manifest["granted"] = given
    if fork is not None:
        manifest["fork"] = fork.told()
    run = Run(tables, manifest, resolved_with_places(loaded), loaded.source_text)
    run.unwanted = tuple(name for name in unwanted if not (comes_later and name == "payments"))
    if retail is not None:
        manifest["items"] |= retail.items
        manifest["outcomes"] = with_peaks(world, retail)
        manifest |= {"rounds": retail.rounds, "caps": retail.caps}
        if comes_later:
            rows = tables["payments"].num_rows + retail.seen.rows
            manifest["tables"].setdefault("payments", {"sha256": ""})["rows"] = rows
    if world.exchange is not None:
        manifest["messages"] = world.exchange.summary()
        run.message_log = world.exchange.log
    return run


def _audit(
    run: Run, stream_verdict: Verdict, tables: Mapping[str, pa.Table], retail: RetailResults | None, world: World
) -> None:
    """Put the auditor's verdict into the manifest, and the digest of retail payments when they have been seen."""
    recorded = _recorded(tables, world.retail is not None)
    if retail is not None and retail.payments is not None:  # even if retail items are all that it holds
        recorded["payments"] = tables["payments"]
    seen = None if retail is None else retail.seen
    verdict = stream_verdict + audit_tables(
        recorded, run.manifest, check_digests=False, retail=seen, scenario=run.scenario
    )  # fmt: skip
    run.manifest["audit"] = _verdict(verdict)
    if retail is not None and retail.payments is not None:
        run.recorded_payments = retail.payments
        run.manifest["tables"]["payments"] = {"rows": retail.payments.rows, "sha256": retail.payments.sha256}


def _retail_results(world: World, tables: Mapping[str, pa.Table]) -> RetailResults:
    """Totals and payments of BEPS and IBPS, beside the payments of HVPS and SAPS where these are recorded."""
    from cnaps_sim.run.retail.results import retail_results

    assert world.retail is not None
    detail = world.loaded.scenario.record.get(System.HVPS, Detail.PAYMENTS)
    settled = tables["payments"] if detail == Detail.PAYMENTS else empty_table("payments")
    return retail_results(world.retail, settled)


def _tell_rejected(world: World) -> None:
    """Note the message files that bring no payment, at the instant at which the run begins."""
    begins_ms = Hvps.begins_ms(world.timetable.business_days[0])
    for file in world.population.rejected:
        world.recorder.tell(begins_ms, "message_rejected", file.name, file.fault.sentence())


def with_peaks(world: World, retail: RetailResults) -> dict[str, dict[str, Any]]:
    """The outcomes with what the netting server counted: kinds, and the longest cap queue, which only BEPS has."""
    assert world.netting is not None
    desk = world.netting.netting[0]
    for system, of_system in retail.outcomes.items():
        queues = system == System.BEPS
        of_system["peak_queue"] = {
            "count": int(desk["peak_waiting_count"]) if queues else 0,
            "value_fen": int(desk["peak_waiting_fen"]) if queues else 0,
        }
        of_system["kinds"] = kinds_told(retail.tallies, System(system))
    return retail.outcomes


def make_tables(world: World) -> dict[str, pa.Table]:
    """All result tables of a world that has been played, but for what retail clearing adds to them."""
    recorder, flow, directory, timetable = world.recorder, world.population.flow, world.directory, world.timetable
    log = recorder.whole_log()
    told = Instructions.gather(flow, recorder)
    fates = Fates.read(told, log, recorder)
    with ThreadPoolExecutor(2) as beside:  # each table is array work that leaves the interpreter free
        making = {
            "payments": beside.submit(results.payments_table, told, fates, flow, recorder, directory, timetable),
            "transfers": beside.submit(results.transfers_table, told, fates, log, directory, timetable),
            "series": beside.submit(results.series_table, recorder, told, fates, directory, timetable),
            "accounts": beside.submit(results.accounts_table, recorder.day_closes, world.opening, directory, timetable),
            "matchings": beside.submit(results.matchings_table, recorder, timetable),
            "events": beside.submit(results.events_table, recorder, timetable),
        }
        tables = {name: made.result() for name, made in making.items()}
    return {name: tables.get(name, empty_table(name)) for name in TABLES}


def _retail_tables(world: World, series: pa.Table, late: Records) -> dict[str, pa.Table]:
    """Rounds, and the series with what the netting server adds to it."""
    from cnaps_sim.run.retail.tables import merged_series, retail_series, rounds_table

    clearing = world.retail
    assert clearing is not None
    accounts, days = world.directory.accounts, clearing.stream.dates
    added = retail_series(clearing.recorder, accounts[: len(world.population.rows)], days, late)
    return {"rounds": rounds_table(clearing.recorder, accounts, days), "series": merged_series(series, added)}


def _recorded(tables: Mapping[str, pa.Table], has_retail: bool) -> dict[str, pa.Table]:
    """Tables with rows; rounds that left no net have a table too."""
    return {name: table for name, table in tables.items() if table.num_rows or (has_retail and name == "rounds")}


def _manifest(world: World, tables: Mapping[str, pa.Table], unread: Sequence[str]) -> dict[str, Any]:
    """The manifest but for the verdict, the summary and wall times. Tables that nobody will read have no digest."""
    scenario = world.loaded.scenario
    inputs = {key: file_sha256(path) for key, path in world.loaded.files.items()}
    recorded = _recorded(tables, world.retail is not None)
    return {
        "version": cnaps_sim.__version__,
        "scenario": scenario.name,
        "scenario_sha256": scenario_sha256(scenario, inputs),
        "inputs": inputs,
        "seed": scenario.seed,
        "date": scenario.date.isoformat(),
        "days": scenario.days,
        "timetable": [
            {
                "date": day.date.isoformat(),
                "opens_ms": day.opens_ms,
                "cut_off_ms": day.cut_off_ms,
                "window_end_ms": day.window_end_ms,
            }
            for day in world.timetable.business_days
        ],
        "calendar_warnings": list(world.timetable.calendar.warnings),
        "workload": world.population.flow.notes | (retail.notes if (retail := world.population.retail) else {}),
        "packages": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": numba.__version__,
            "pyarrow": pa.__version__,
        },
        "tables": {
            name: {"rows": table.num_rows, "sha256": "" if name in unread else table_digest(table)}
            for name, table in recorded.items()
        },
        "items": _items(tables["payments"]),
    }


def _items(payments: pa.Table) -> dict[str, Any]:
    """Count, value and order-free checksum of each system's payments."""
    system = payments["system"].combine_chunks()
    codes = system.indices.to_numpy(zero_copy_only=False)
    amounts = payments["amount_fen"].to_numpy()
    items = {}
    for code, name in enumerate(system.dictionary.to_pylist()):
        chosen = codes == code
        if chosen.any():
            part = payments if chosen.all() else payments.filter(pa.array(chosen))
            items[name] = {
                "count": int(chosen.sum()),
                "value_fen": sum_exactly(amounts[chosen]),
                "checksum": item_checksum(part),
            }
    return items


def sum_exactly(amounts: np.ndarray[Any, Any]) -> int:
    """A sum of fen that cannot overflow: high and low halves apart."""
    return (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFFFFFF).sum())


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": "passed" if verdict.passed else "failed",
        "rules": verdict.rules,
        "breaches": verdict.breaches,
    }


def resolved_with_places(loaded: Loaded) -> dict[str, Any]:
    """The resolved scenario with its input files as absolute paths, so that the run can be repeated from anywhere."""
    data = resolved(loaded.scenario)
    for key, path in loaded.files.items():
        *way, last = key.split(".")
        part: Any = data
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part[step]
        part[last] = str(Path(path).resolve())
    return data


def unwanted_tables(record: Mapping[System, Detail]) -> tuple[str, ...]:
    """The tables that the scenario does not want kept."""
    detail = record.get(System.HVPS, Detail.PAYMENTS)
    if detail == Detail.ACCOUNTS:
        return PAYMENT_TABLES
    return PAYMENT_TABLES + ACCOUNT_TABLES if detail == Detail.TOTALS else ()


def file_sha256(path: Path) -> str:
    """The digest of an input file, or of a folder of messages."""
    if path.is_dir():
        from cnaps_sim.run.message_folder import folder_sha256

        return folder_sha256(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
