"""Sweep: play a scenario at many points, with many replications, on one machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.simulate import Settings, read
from cnaps_sim.analysis.study.study import Study
from cnaps_sim.run.sweep.folder import Keeper, check_inputs, read_plan, read_runs
from cnaps_sim.run.sweep.keys import check_keys
from cnaps_sim.run.sweep.own import Measures, Own, own_measures
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.run.sweep.workers import as_worth, here, on_cluster
from cnaps_sim.scenario.vary import MOST_REPLICATIONS, read_vary
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.run.sweep.play import Played
    from cnaps_sim.scenario.load import Loaded
    from cnaps_sim.scenario.model import Scenario

#: Told how many runs are done, and how many there will be.
Done = Callable[[int, int], None]
_MOST_WORKERS: Final = 1_024
_EXAMPLE: Final = "liquidity.alpha=0,0.5,1"


def sweep(
    scenario: str | Path | Mapping[str, Any] | Scenario | None = None,
    *,
    vary: Mapping[str, Any] | None = None,
    replications: int | None = None,
    design: str | None = None,
    points: int | None = None,
    seed: int | None = None,
    set: Settings = (),
    measures: Measures | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    progress: Done | None = None,
) -> Study:
    """Play a scenario at every point of a grid or design, and return the `Study`; writes nothing unless `out` is given.

    scenario, seed, set: as of `simulate`; with `resume` the scenario may be left out
    vary: `{"liquidity.alpha": [0, .5, 1]}`, in a design also `{"liquidity.alpha": {"from": 0, "to": 1}}`; without it
        what the scenario varies (its key `vary`)
    replications: how often each point is played, each time with other random streams, which all points share; without
        it the scenario's own, else 1
    design: full (every combination), latin-hypercube or sobol; points: of a design
    measures: own measures, functions of a `Run` or `"module:function"`, each of which answers with a number or a frame
        with `measure`, `value` and `unit`; every run is then simulated in full, which is slower. With `resume` those of
        the study, or none
    workers: processes of this machine; if left out, this process plays the first runs, and all cores the others where
        that saves time. scheduler: address of a Dask scheduler instead. The results depend on neither. A measure
        defined in a script or notebook can only be called here: with `workers=1`, or `workers` left out
    out: a new or empty folder; an interrupted study leaves in it what is finished
    resume: the folder of an interrupted study, which is gone on with; finished runs are not repeated
    progress: told how many runs are done, and of how many

    InputError says what in the scenario, its files, the points or a measure is wrong. AuditError if a run that was
    simulated in full breaks a rule of the books.
    """
    own = None if measures is None else own_measures(measures, headline)
    names = () if own is None else own.paths
    begun, complete = (None, False) if resume is None else read_plan(resume, "resume")
    loaded = None if scenario is None else read(scenario, set, seed)
    if begun is not None:
        names = begun.measures if measures is None else names
        asked = {"vary": vary, "replications": replications, "design": design, "points": points, "seed": seed}
        _check_options(asked | {"set": set or None}, loaded, str(resume))
    plan = None if loaded is None else planned(loaded, vary, replications, design, points, names)
    if begun is None:
        keeper = _new(plan, out)
    else:
        assert resume is not None
        if out is not None:
            raise InputError("out", "", "stands beside a study to resume, which has its folder", out, "one of the two")
        _check_same(begun, plan, names, resume)
        if complete:
            return Study(begun, read_runs(begun, resume), Path(resume))
        check_inputs(begun)
        keeper = Keeper(begun, Path(resume))
        own = own or own_measures(names, headline)
    workers = _workers(own, workers, scheduler)
    keeper.begin() if begun is None else keeper.go_on()
    return _played(keeper, own, workers, scheduler, progress)


def _new(plan: Plan | None, out: str | Path | None) -> Keeper:
    """What keeps a study that begins, every point of it checked. InputError if there is no scenario."""
    if plan is None:
        raise InputError("scenario", "", "is missing", "", "a file, a bundled name, or a study to resume")
    plan.check()
    return Keeper(plan, None if out is None else Path(out))


def _check_same(begun: Plan, plan: Plan | None, measures: Sequence[str], resume: str | Path) -> None:
    """InputError if a study to resume is not the one that is asked for."""
    if tuple(measures) != begun.measures:
        allowed = ", ".join(begun.measures) or "no measures"
        told = ", ".join(measures) or "none"
        raise InputError("measures", "", "are not those of the study to resume", told, allowed)
    if plan is not None and plan.digest != begun.digest:
        raise InputError("resume", "", "is a study of other runs", resume, "the same options, or none")


def _workers(own: Own | None, workers: int | None, scheduler: str | None) -> int | None:
    """How many workers may play: one where a measure can only be called here. InputError for any others asked for."""
    if workers is not None and not 1 <= workers <= _MOST_WORKERS:
        raise InputError("workers", "", "is no number of workers", workers, f"from 1 to {_MOST_WORKERS}")
    if workers is not None and scheduler is not None:
        raise InputError("workers", "", "stands beside a scheduler, which has its own", workers, "one of the two")
    if own is None or not own.only_here:
        return workers
    if scheduler is not None or (workers or 1) > 1:
        problem = "stands in a script or notebook, or inside a function, where workers cannot import it"
        raise InputError("measures", own.only_here, problem, "", "a function of a module, or workers=1")
    return 1


def _check_options(asked: Mapping[str, Any], loaded: Loaded | None, resume: str) -> None:
    """Beside a study to resume stand all its options, or none. InputError for anything between."""
    if loaded is None:
        for name, value in asked.items():
            if value is not None:
                problem = "stands beside a study to resume, which has its own"
                raise InputError(name, "", problem, value, "all options of the study, its scenario too, or none")
    elif asked["vary"] is None and loaded.scenario.vary is None:
        raise InputError("resume", "", "is a study of other runs", resume, "the same options, or none")


def planned(
    loaded: Loaded,
    vary: Mapping[str, Any] | None = None,
    replications: int | None = None,
    design: str | None = None,
    points: int | None = None,
    measures: Sequence[str] = (),
) -> Plan:
    """The plan of a study: what the scenario says about it, unless an argument says otherwise."""
    own = loaded.scenario.vary
    if vary is None and own is None:
        raise InputError("vary", "", "nothing varies", "", f"{_EXAMPLE}, or a scenario with the key vary")
    if vary is not None and not vary:
        raise InputError("vary", "", "nothing varies", "{}", _EXAMPLE)
    if replications is not None and not 1 <= replications <= MOST_REPLICATIONS:
        allowed = f"from 1 to {MOST_REPLICATIONS:,}"
        raise InputError("replications", "", "is no number of replications", replications, allowed)
    terms = own
    if own is None or vary is not None or design is not None or points is not None:
        keys: Mapping[str, Any] = vary if vary is not None else own.keys if own is not None else {}
        told: dict[str, Any] = {"keys": keys, "design": design, "points": points}
        terms = read_vary({name: value for name, value in told.items() if value is not None})
    assert terms is not None
    plan = Plan.of(loaded, terms, replications or loaded.scenario.replications or 1, measures)
    check_keys(loaded, terms, plan, "vary" if vary is not None else loaded.place_of(("vary",)))
    return plan


def _played(
    keeper: Keeper, own: Own | None, workers: int | None, scheduler: str | None, progress: Done | None
) -> Study:
    plan, missing = keeper.plan, keeper.missing

    def tell() -> None:
        if progress is not None:
            progress(len(keeper.played), plan.runs)

    try:
        tell()
        for run, measured in _running(plan, missing, own, workers, scheduler, tell):
            keeper.keep(run, measured)
            tell()
        table = keeper.finish()
    finally:
        keeper.close()
    return Study(plan, table, keeper.place)


def _running(
    plan: Plan,
    missing: list[int],
    own: Own | None,
    workers: int | None,
    scheduler: str | None,
    tell: Callable[[], None],
) -> Iterator[Played]:
    if not missing:
        return iter(())
    if scheduler is not None:
        return on_cluster(plan, missing, scheduler, own)

    def look(_time_ms: int, _payments: int) -> None:
        tell()

    if workers is None:
        return as_worth(plan, missing, look, own)
    return here(plan, missing, min(workers, len(missing)), look, own)
