"""Simulate: from a scenario to an audited run with its summary, in memory or as a folder with a report."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.two_files import of_files
from cnaps_sim.run import runner
from cnaps_sim.run.store import Run, check_folder, default_folder, save
from cnaps_sim.run.tool_study import Done
from cnaps_sim.run.world import Progress
from cnaps_sim.scenario.load import Loaded, from_dict, load
from cnaps_sim.words.errors import AuditError, InputError

if TYPE_CHECKING:
    from cnaps_sim.audit import Verdict
    from cnaps_sim.scenario.model import Scenario

#: What `set` may be: one `KEY=VALUE`, a list of them, or keys with their values.
Settings = str | Sequence[str] | Mapping[str, Any]


def simulate(
    scenario: str | Path | Mapping[str, Any] | Scenario | None = None,
    *,
    accounts: str | Path | None = None,
    payments: str | Path | None = None,
    date: str | dt.date | None = None,
    seed: int | None = None,
    replication: int = 0,
    set: Settings = (),
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario and return the `Run`; writes nothing unless `out` names a folder.

    scenario: a bundled name, a path, a dict with the keys of a scenario file, or a Scenario
    accounts, payments, date: two files in place of a scenario (see `analysis.two_files`), and their business date
    seed: replaces the scenario's seed; replication: number of the replication in a study, from 0
    set: `{"hvps.discipline": "bypass"}`, `["hvps.discipline=bypass"]` or `"hvps.discipline=bypass"`
    out: a new or empty folder; with `force` an earlier run's folder is replaced

    InputError says what in the scenario or its files is wrong. AuditError if the run breaks a rule of the books.
    """
    if scenario is None:
        loaded = of_files(accounts, payments, date, settings(set), seed)
    else:
        if accounts is not None or payments is not None or date is not None:
            raise InputError("scenario", "", "stands beside accounts, payments or date", scenario, "one of the two")
        loaded = read(scenario, set, seed)
    run = play(loaded, replication=replication, progress=progress, out=out, force=force)
    if run.manifest["audit"]["verdict"] != "passed":
        raise AuditError(run.manifest["audit"]["breaches"])
    return run


def read(
    scenario: str | Path | Mapping[str, Any] | Scenario,
    overrides: Settings = (),
    seed: int | None = None,
) -> Loaded:
    """The checked scenario behind whatever names it."""
    told = settings(overrides)
    if isinstance(scenario, str | Path):
        texts = [each if isinstance(each, str) else f"{each[0]}={_in_yaml(each[1])}" for each in told]
        return load(scenario, texts, seed)
    return from_dict(scenario, told, seed)


def settings(given: Settings) -> list[str | tuple[str, Any]]:
    """What `set` says, one by one: `KEY=VALUE` texts, or pairs of a key and a value. InputError for anything else."""
    if isinstance(given, str):
        return [given]
    told: list[Any] = list(
        given.items() if isinstance(given, Mapping) else given if isinstance(given, Iterable) else [given]
    )
    for each in told:
        key = each[0] if isinstance(each, tuple) and len(each) == 2 else each
        if not isinstance(key, str):
            raise InputError("set", "", "says no key", key, 'KEY=VALUE texts, or a dict such as {"days": 2}')
    return told


def _in_yaml(value: Any) -> Any:
    """True, False and None as YAML writes them; all else reads as it prints."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value


def play(
    loaded: Loaded,
    *,
    replication: int = 0,
    progress: Progress | None = None,
    compared: Done | None = None,
    watch: runner.Watch | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> Run:
    """Run a checked scenario; with `out` also write its folder and report. compared, watch: see `runner.simulate`."""
    if out is not None:
        check_folder(Path(out), force)
        # Drawing packages take a while to load: that goes on while the run is played.
        threading.Thread(target=importlib.import_module, args=("cnaps_sim.analysis.report.page",), daemon=True).start()
    run = runner.simulate(loaded, headline, replication, progress, compared=compared, watch=watch)
    if out is not None:
        keep(run, Path(out), force)
    run.forget_unwanted()
    return run


def keep(run: Run, place: Path, force: bool = False) -> None:
    """Write a run's folder, its report included."""
    from cnaps_sim.analysis.report.page import write_report

    save(run, place, force, also=lambda kept, folder: write_report(kept, folder / "report.html"))


def audit(run: str | Path | Run, *, ignore_digests: bool = False) -> Verdict:
    """Re-check the tables of a run folder against the rules of settlement: the command `audit`.

    run: the folder, or a Run that has one
    ignore_digests: also read tables that other programs have rewritten

    InputError if it is no run folder; whatever is wrong inside a table is a breach of the verdict.
    """
    from cnaps_sim.run.check import audit_folder

    return audit_folder(_folder_of(run), ignore_digests=ignore_digests)


def verify(run: str | Path | Run) -> list[str]:
    """Repeat a run, or check its message log and replay it: the command `verify`. One sentence per difference.

    run: the folder, or a Run that has one. InputError if it is no run folder.
    """
    from cnaps_sim.run.check import verify_folder

    return verify_folder(_folder_of(run), headline)


def _folder_of(run: str | Path | Run) -> str | Path:
    if not isinstance(run, Run):
        return run
    if run.folder is None:
        raise InputError("run", "", "has no folder", repr(run), "a run folder; simulate(..., out=DIR) writes one")
    return run.folder


def usual_folder(loaded: Loaded) -> Path:
    """Where a run goes when nobody says: `runs/<name>-s<seed>`."""
    return default_folder(loaded.scenario.name, loaded.scenario.seed)
