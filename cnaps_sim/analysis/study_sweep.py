"""Sweep: play a scenario at many points, with many replications, on one machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cnaps_sim.analysis.simulate import read
from cnaps_sim.analysis.study import Study
from cnaps_sim.run.sweep_folder import Keeper, check_inputs, read_plan, read_runs
from cnaps_sim.run.sweep_plan import Plan
from cnaps_sim.run.sweep_workers import here, on_cluster, usual_workers
from cnaps_sim.scenario.vary import MOST_REPLICATIONS, read_vary
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.run.sweep_play import Played
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
    set: Sequence[str] | Mapping[str, Any] = (),
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
    workers: processes of this machine, all cores if left out; scheduler: address of a Dask scheduler instead. The
        results do not depend on either
    out: a new or empty folder; an interrupted study leaves in it what is finished
    resume: the folder of an interrupted study, which is gone on with; finished runs are not repeated
    progress: told how many runs are done, and of how many

    InputError says what in the scenario, its files or the points is wrong.
    """
    if workers is not None and not 1 <= workers <= _MOST_WORKERS:
        raise InputError("workers", "", "is no number of workers", workers, f"from 1 to {_MOST_WORKERS}")
    if workers is not None and scheduler is not None:
        raise InputError("workers", "", "stands beside a scheduler, which has its own", workers, "one of the two")
    plan = None if scenario is None else planned(read(scenario, set, seed), vary, replications, design, points)
    if resume is None:
        if plan is None:
            raise InputError("scenario", "", "is missing", "", "a file, a bundled name, or a study to resume")
        plan.check()
        keeper = Keeper(plan, None if out is None else Path(out))
        keeper.begin()
    else:
        if out is not None:
            raise InputError("out", "", "stands beside a study to resume, which has its folder", out, "one of the two")
        begun, complete = read_plan(resume, "resume")
        if plan is not None and plan.digest != begun.digest:
            raise InputError("resume", "", "is a study of other runs", resume, "the same options, or none")
        if complete:
            return Study(begun, read_runs(resume), Path(resume))
        check_inputs(begun)
        keeper = Keeper(begun, Path(resume))
        keeper.go_on()
    return _played(keeper, workers, scheduler, progress)


def planned(
    loaded: Loaded,
    vary: Mapping[str, Any] | None = None,
    replications: int | None = None,
    design: str | None = None,
    points: int | None = None,
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
    return Plan.of(loaded, terms, replications or loaded.scenario.replications or 1)


def _played(keeper: Keeper, workers: int | None, scheduler: str | None, progress: Done | None) -> Study:
    plan, missing = keeper.plan, keeper.missing

    def tell() -> None:
        if progress is not None:
            progress(len(keeper.played), plan.runs)

    try:
        tell()
        for run, measured in _running(plan, missing, workers, scheduler, tell):
            keeper.keep(run, measured)
            tell()
        table = keeper.finish()
    finally:
        keeper.close()
    return Study(plan, table, keeper.place)


def _running(
    plan: Plan, missing: list[int], workers: int | None, scheduler: str | None, tell: Callable[[], None]
) -> Iterator[Played]:
    if not missing:
        return iter(())
    if scheduler is not None:
        return on_cluster(plan, missing, scheduler)
    count = usual_workers(len(missing)) if workers is None else min(workers, len(missing))
    return here(plan, missing, count, lambda _time_ms, _payments: tell())
