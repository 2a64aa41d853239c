"""`cs.compare`: two runs or two studies, whichever is given, and their page if it is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

from cnaps_sim.analysis.compare.files import page_place, write_comparison
from cnaps_sim.analysis.compare.runs import Comparison, compare_runs
from cnaps_sim.analysis.compare.studies import Cells, StudyComparison, compare_studies
from cnaps_sim.analysis.study.study import Study
from cnaps_sim.run.store import Run
from cnaps_sim.run.sweep.folder import STUDY
from cnaps_sim.words.errors import InputError


@overload
def compare(
    run_a: Study, run_b: Study, *, where_a: Cells = ..., where_b: Cells = ..., out: str | Path | None = ...
) -> StudyComparison: ...
@overload
def compare(run_a: Run, run_b: Run, *, out: str | Path | None = ...) -> Comparison: ...
@overload
def compare(
    run_a: str | Path | Run | Study,
    run_b: str | Path | Run | Study,
    *,
    where_a: Cells = ...,
    where_b: Cells = ...,
    out: str | Path | None = ...,
) -> Any: ...
def compare(
    run_a: str | Path | Run | Study,
    run_b: str | Path | Run | Study,
    *,
    where_a: Cells = None,
    where_b: Cells = None,
    out: str | Path | None = None,
) -> Any:
    """Pair two runs by payment id and say what the second changes, and for whom because of whom: a `Comparison`.

    run_a, run_b: run folders, or `Run`s. InputError if their dates or payments differ, or payments were not recorded.
    out: also write a page with plots, a .html file or compare.html in a folder

    Two studies, as folders or `Study`s, are paired run by run instead: a `StudyComparison` (see `compare.studies`, also
    for where_a and where_b).
    """
    place = None if out is None else page_place(out)
    found = _compared(run_a, run_b, where_a, where_b)
    if place is not None:
        write_comparison(found, place)
    return found


def _compared(
    run_a: str | Path | Run | Study, run_b: str | Path | Run | Study, where_a: Cells, where_b: Cells
) -> Comparison | StudyComparison:
    studies = [_is_study(each) for each in (run_a, run_b)]
    if all(studies):
        assert not isinstance(run_a, Run)
        assert not isinstance(run_b, Run)
        return compare_studies(run_a, run_b, where_a, where_b)
    for place, given in zip(("RUN_A", "RUN_B"), studies, strict=True):
        if given:
            raise InputError(place, "", "is a study beside a run", "", "two runs, or two studies")
    for name, where in (("where_a", where_a), ("where_b", where_b)):
        if where:
            raise InputError(name, "", "chooses points of a study, and these are runs", "", "two studies")
    assert not isinstance(run_a, Study)
    assert not isinstance(run_b, Study)
    return compare_runs(run_a, run_b)


def _is_study(given: str | Path | Run | Study) -> bool:
    if not isinstance(given, str | Path | Run | Study):
        raise InputError("compare", "", "is no run and no study", type(given).__name__, "a folder, a Run or a Study")
    return isinstance(given, Study) or (not isinstance(given, Run) and (Path(given) / STUDY).is_file())
