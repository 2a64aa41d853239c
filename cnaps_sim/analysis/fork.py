"""Fork a run: again from its start to an instant, then on under another rule."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.simulate import Settings, keep, settings
from cnaps_sim.run import runner
from cnaps_sim.run.fork import forked
from cnaps_sim.run.fork_past import check_past
from cnaps_sim.run.store import Run, check_folder, default_folder, load
from cnaps_sim.run.world import Progress
from cnaps_sim.scenario.load import Loaded, from_dict
from cnaps_sim.scenario.moments import Moment
from cnaps_sim.words.errors import AuditError, InputError


def fork(
    run: str | Path | Run,
    at: str | dt.time | dt.datetime,
    *,
    set: Settings = (),
    out: str | Path | None = None,
    force: bool = False,
) -> Run:
    """Play a run again until an instant, check that all is as it was, and go on under another rule.

    run: a run folder, or a Run
    at: `HH:MM[:SS[.mmm]]` on the first business date, or a full date-time; the new rules hold before what arrives then,
        and what waits is looked at again at once under them, accounts in the order of the file
    set: `hvps.discipline`, `hvps.matching…`, `hvps.reprioritise`, `limits`, and `actions` from the instant on
    out, force: as of `simulate`

    Without `set` the tables are those of the run, to the digest. InputError names a key that would alter the past, or a
    table whose past is not repeated. AuditError if the run breaks a rule of the books.
    """
    made = play_fork(run if isinstance(run, Run) else load(run), at, set, out=out, force=force)
    if made.manifest["audit"]["verdict"] != "passed":
        raise AuditError(made.manifest["audit"]["breaches"])
    return made


def play_fork(
    original: Run,
    at: str | dt.time | dt.datetime,
    overrides: Settings = (),
    *,
    progress: Progress | None = None,
    watch: runner.Watch | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> Run:
    """As `fork`, without a word about the auditor's verdict. progress, watch: see `runner.simulate`."""
    base = _base_of(original)
    told = settings(overrides)
    later = from_dict(original.scenario, told)
    typed = dict(each.partition("=")[::2] if isinstance(each, str) else each for each in told)
    asked = forked(base, later, _moment(at).ms(base.scenario.date), typed)
    if out is not None:
        check_folder(Path(out), force)
    replication = original.manifest.get("replication", 0)
    run = runner.simulate(later, headline, replication, progress, watch=watch, fork=asked)
    check_past(original, run, asked.at_ms)
    if out is not None:
        keep(run, Path(out), force)
    run.forget_unwanted()
    return run


def _base_of(run: Run) -> Loaded:
    """The scenario of a run that is to be forked. InputError if it is itself a fork, or its files have changed."""
    place = str(run.folder or run.scenario.get("name"))
    if "fork" in run.manifest:
        raise InputError("fork", "", "is itself a fork", place, "the run from which it was forked")
    base = from_dict(run.scenario)
    for key, path in base.files.items():
        if run.manifest["inputs"].get(key) != runner.file_sha256(path):
            raise InputError("fork", key, "the input file has changed since the run", path, "the file of the run")
    return base


def usual_folder(original: Run) -> Path:
    """Where a fork goes when nobody says: `runs/<name>-fork-s<seed>`."""
    return default_folder(f"{original.scenario.get('name')}-fork", int(original.manifest["seed"]))


def _moment(at: str | dt.time | dt.datetime) -> Moment:
    text = at.isoformat() if isinstance(at, dt.datetime | dt.time) else at
    try:
        return Moment.parse(text)
    except ValueError as error:
        raise InputError("at", "", str(error), text, "08:30, 08:30:00.250 or 2025-06-17T08:30:00") from None
