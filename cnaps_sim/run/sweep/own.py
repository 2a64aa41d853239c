"""A researcher's own measures in a study (自定义指标): functions of a run, which is then simulated in full.

    def dearest_wait(run, *, by=None, where=None):   # called as dearest_wait(run)
        return int(…)                                # a number, or a frame with measure, value and unit

A measure is named by its import path `module:function`, by which a worker finds it. The run is the `Run` that
`cs.simulate` returns, its tables in memory, without what `compare_tools` and `hvps.matching.saving` would add to it.
Whatever the function raises becomes one InputError that names it and the run.
"""

from __future__ import annotations

import math
import operator
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from cnaps_sim.optimise.registry import module_named
from cnaps_sim.run.runner import Summarise
from cnaps_sim.run.store import Run
from cnaps_sim.run.sweep.measures import BUILT_IN, Measured, Value
from cnaps_sim.words.errors import InputError, nearest

#: A function of a run.
Measure = Callable[[Run], Any]
#: What a caller may name: functions and import paths, or a single one.
Measures = str | Measure | Sequence[str | Measure]

PLACE: Final = "measures"
PATH_FORM: Final = "module:function"
COLUMNS: Final = ("measure", "value", "unit")
_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_ANSWERS: Final = "a number, or a frame with the columns measure, value and unit"
_INT64: Final = 2**63


@dataclass(frozen=True)
class Own:
    """The own measures of a study.

    paths:     `module:function` of each; a function that cannot be imported has the path that it would have
    summarise: makes the summary of a full run; it lives above this room
    functions: themselves; empty in a worker, which imports them
    """

    paths: tuple[str, ...]
    summarise: Summarise
    functions: tuple[Measure, ...] = field(default=(), compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Own, (self.paths, self.summarise)

    @property
    def only_here(self) -> str:
        """The first one that another process could not import; "" if all can be."""
        pairs = zip(self.paths, self.functions, strict=True)
        return next((path for path, function in pairs if not _is_importable(path, function)), "")

    def of(self, run: Run, told: str) -> list[Measured]:
        """What they say of a run. InputError, with `told` for the run, for whatever one raises or answers wrongly."""
        found: dict[str, Measured] = {}
        functions = self.functions or tuple(map(imported, self.paths))
        for path, function in zip(self.paths, functions, strict=True):
            try:
                answer = function(run)
            except (Exception, SystemExit) as error:
                problem = f"failed in {told}{_line_of(error, function)}: {type(error).__name__}: {error}"
                raise InputError(PLACE, path, problem) from error
            for each in _rows(answer, path, told):
                if each.measure in BUILT_IN:
                    problem = "answers with a name that every study has for something else"
                    raise InputError(PLACE, path, problem, each.measure, "another name")
                if each.measure in found:
                    problem = f"answers with a measure that is there already in {told}"
                    raise InputError(PLACE, path, problem, each.measure, "each measure once")
                found[each.measure] = each
        return list(found.values())


def own_measures(given: Measures, summarise: Summarise) -> Own | None:
    """The own measures that a caller names; None without one. InputError for what is none, cannot be had, or is twice.

    given: functions of a run, import paths `module:function`, or one of them
    """
    told: list[Any] = (
        [given]
        if isinstance(given, str) or callable(given)
        else list(given)
        if isinstance(given, Iterable)
        else [given]
    )
    paths: list[str] = []
    functions: list[Measure] = []
    for each in told:
        if not isinstance(each, str) and not callable(each):
            raise InputError(PLACE, "", "is no measure", each, f"functions of a run, or {PATH_FORM}")
        path = each if isinstance(each, str) else _path_of(each)
        if path in paths:
            raise InputError(PLACE, path, "given twice", "", "functions with names of their own, each once")
        paths.append(path)
        functions.append(imported(each) if isinstance(each, str) else each)
    return Own(tuple(paths), summarise, tuple(functions)) if paths else None


def imported(path: str) -> Measure:
    """The function at an import path. InputError if there is none."""
    if _PATH.fullmatch(path) is None:
        raise InputError(PLACE, "", "is no import path", path, f"{PATH_FORM}, such as my_measures:dearest_wait")
    name, _, attribute = path.partition(":")
    try:
        module = module_named(name)
    except Exception as error:
        problem = f"the module {name} cannot be imported, {type(error).__name__}: {error}"
        raise InputError(PLACE, path, problem, "", "a module that Python finds") from error
    try:
        function = operator.attrgetter(attribute)(module)
    except AttributeError:
        known = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
        problem = f"the module {name} has no {attribute}"
        raise InputError(PLACE, path, problem, "", nearest(attribute, known) or PATH_FORM) from None
    if not callable(function):
        raise InputError(PLACE, path, "is no function", "", "a function of a run")
    return function  # type: ignore[no-any-return]


def _path_of(function: Measure) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}:{named.__qualname__}"


def _is_importable(path: str, function: Measure) -> bool:
    """Whether another process finds this very function at its path; a script or notebook cannot be imported."""
    if path.startswith("__main__:"):
        return False
    try:
        return imported(path) is function
    except InputError:
        return False


# answers ------------------------------------------------------------------------------------------------------


def _rows(answer: Any, path: str, told: str) -> Iterator[Measured]:
    """The measures in an answer."""
    import pandas as pd

    if isinstance(answer, pd.DataFrame):
        if missing := [name for name in COLUMNS if name not in answer.columns]:
            problem = f"answers with a frame that lacks {missing[0]} in {told}"
            raise InputError(PLACE, path, problem, ", ".join(map(str, answer.columns)) or "no columns", _ANSWERS)
        for measure, value, unit in zip(*(answer[name].tolist() for name in COLUMNS), strict=True):
            unit_text = "" if pd.isna(unit) else str(unit)
            none = value is None or value is pd.NA or value is pd.NaT
            yield Measured(None, str(measure), unit_text, None if none else _value(value, path, told))
        return
    name = path.rpartition(":")[2].rpartition(".")[2]
    yield Measured(None, name, "", _value(answer, path, told))


def _value(value: Any, path: str, told: str) -> Value:
    """A number as a study keeps it: int64 or a finite float, None for nan."""
    if isinstance(value, bool | int | np.bool_ | np.integer):
        whole = int(value)
        if not -_INT64 <= whole < _INT64:
            raise InputError(PLACE, path, f"answers with a number too large for int64 in {told}", whole)
        return whole
    if isinstance(value, float | np.floating | Decimal | Fraction):
        ratio = float(value)
        if math.isinf(ratio):
            raise InputError(PLACE, path, f"answers with infinity in {told}", "", "a finite number, nan for none")
        return None if math.isnan(ratio) else ratio
    raise InputError(PLACE, path, f"answers with what is no number in {told}", type(value).__name__, _ANSWERS)


def _line_of(error: BaseException, function: Measure) -> str:
    """The deepest line of the measure's own file on the way to an exception."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__) if code is not None else []
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    return f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
