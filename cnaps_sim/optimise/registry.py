"""The algorithms that choose which queued payments settle together, by name.

An algorithm is one function from a `QueueTable` to a choice, declared in a line above it:

    @algorithm("largest-first", reference="Smith (2026), An example", keeps_sequence=False)
    def largest_first(queue: QueueTable) -> Chosen:
        ...

A researcher's own function needs no declaration: `package.module:function` names it wherever a name is asked for.
What it answers is verified (`checked`) before anything is posted. Chinese: 撮合算法.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

import numpy as np

from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_fen

Solve = Callable[[QueueTable], Chosen]

#: Where the bundled algorithms are declared, in documented order; a package imports its modules in that order.
_MODULES: Final = (
    "cnaps_sim.optimise.sequence",
    "cnaps_sim.optimise.heuristics",
    "cnaps_sim.optimise.exact",
    "cnaps_sim.optimise.lp",
)
#: What a choice must look like.
_FORM: Final = "one truth value per payment, or the numbers of the chosen rows"


@dataclass(frozen=True)
class Algorithm:
    """How to choose payments of a queue that settle together.

    name:           what users call it; for a researcher's function `package.module:function`
    solve:          the function
    reference:      where it comes from
    chinese:        its Chinese term, if there is one
    keeps_sequence: takes a leading run of each account's queue (the sequence constraint)
    exact:          proves that no choice settles more, unless it stops at its limit
    uses_lp:        needs the bound of the LP relaxation
    for_runs:       may be the matching of a scenario; False for what a run does anyway and for mere bounds
    bundled:        comes with the program
    """

    name: str
    solve: Solve
    reference: str = ""
    chinese: str = ""
    keeps_sequence: bool = False
    exact: bool = False
    uses_lp: bool = False
    for_runs: bool = True
    bundled: bool = False

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.solve.__doc__ or "").strip().partition("\n")[0]


_declared: dict[str, Algorithm] = {}


def algorithm(
    name: str,
    *,
    reference: str,
    chinese: str = "",
    keeps_sequence: bool = False,
    exact: bool = False,
    uses_lp: bool = False,
    for_runs: bool = True,
) -> Callable[[Solve], Solve]:
    """Declare the function below as the algorithm `name`; the function itself stays as it is. See `Algorithm`."""

    def declare(solve: Solve) -> Solve:
        other = _declared.get(name)
        assert other is None or _home(other.solve) == _home(solve), f"two algorithms are called {name}"
        bundled = str(solve.__module__).startswith("cnaps_sim.optimise.")
        _declared[name] = Algorithm(
            name, solve, reference, chinese, keeps_sequence, exact, uses_lp, for_runs, bundled
        )  # fmt: skip
        return solve

    return declare


def algorithms() -> list[Algorithm]:
    """The bundled algorithms in documented order, then those that an imported module has declared."""
    for module in _MODULES:
        importlib.import_module(module)
    return sorted(_declared.values(), key=_documented_place)


def names(for_runs: bool = False) -> list[str]:
    """The names of the bundled algorithms in documented order; `for_runs`: those a scenario may ask for."""
    return [item.name for item in algorithms() if item.bundled and (item.for_runs or not for_runs)]


def find(name: str, place: str = "algorithm", key: str = "") -> Algorithm:
    """The algorithm of that name, or a researcher's function `package.module:function`, which is imported.

    place, key: where the name was written, for the error. InputError if there is no such algorithm.
    """
    known = {item.name: item for item in algorithms()}
    if name in known:
        return known[name]
    if ":" in name:
        return _imported(name, place, key)
    raise InputError(place, key, "no such algorithm", name, ", ".join([*known, "package.module:function"]))


def checked(
    queue: QueueTable,
    choice: Any,
    chosen_by: Algorithm,
    accounts: Sequence[str] | None = None,
    place: str = "algorithm",
    key: str = "",
) -> Chosen:
    """A choice that may be posted: of the right form, within the queue, feasible, and as its algorithm declares.

    choice:   what the algorithm answered: one truth value per payment, or the numbers of the chosen rows
    accounts: ids of the accounts, for the error; their row numbers if left out

    InputError naming the algorithm, and the account that would be below zero. Nothing else happens.
    """

    def refuse(problem: str, value: object = "", allowed: str = "") -> InputError:
        return InputError(place, key, f"the algorithm {chosen_by.name} {problem}", value, allowed)

    chosen = _as_mask(queue, choice, refuse)
    blocking = queue.blocking(chosen)
    if len(blocking):
        row = int(blocking[0])
        name = f"account {accounts[row]}" if accounts is not None else f"account {row}"
        problem = f"chose payments that {name} cannot fund; it would have"
        raise refuse(problem, format_fen(int(queue.closing(chosen)[row])), "no account below zero")
    if chosen_by.keeps_sequence:
        passed = first_passed(queue, chosen)
        if passed is not None:
            raise refuse("says that it keeps the sequence but passes over the payment of row", passed)
    return chosen


def settle(
    chosen_by: Algorithm,
    queue: QueueTable,
    accounts: Sequence[str] | None = None,
    place: str = "algorithm",
    key: str = "",
) -> Chosen:
    """Run an algorithm on a queue and verify what it answers; see `checked`.

    A researcher's function gets a copy of the queue; whatever it raises becomes an InputError that names it.
    """
    if chosen_by.bundled:
        return checked(queue, chosen_by.solve(queue), chosen_by, accounts, place, key)
    copy = QueueTable(
        queue.available.copy(), queue.debtor.copy(), queue.creditor.copy(), queue.amount.copy(), queue.level.copy()
    )  # fmt: skip
    try:
        choice = chosen_by.solve(copy)
    except (Exception, SystemExit) as error:
        problem = f"the algorithm {chosen_by.name} failed"
        raise InputError(place, key, problem, f"{type(error).__name__}: {error}") from error
    return checked(queue, choice, chosen_by, accounts, place, key)


def first_passed(queue: QueueTable, chosen: Chosen) -> int | None:
    """The first payment left waiting although a later one of the same account is chosen; None if there is none."""
    count = len(queue)
    last_chosen = np.full(queue.accounts, -1, np.int64)
    rows = np.flatnonzero(chosen)
    np.maximum.at(last_chosen, queue.debtor[rows], rows)
    passed = np.flatnonzero(~chosen & (np.arange(count) < last_chosen[queue.debtor]))
    return int(passed[0]) if len(passed) else None


def _as_mask(queue: QueueTable, choice: Any, refuse: Callable[..., InputError]) -> Chosen:
    try:
        array = np.asarray(choice)
    except (TypeError, ValueError):
        raise refuse("answered something that is no array", type(choice).__name__, _FORM) from None
    count = len(queue)
    if array.dtype == np.bool_:
        if array.shape != (count,):
            raise refuse(f"answered for {array.size} payments where {count} are queued", allowed=_FORM)
        return array.copy()
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise refuse("answered something that is no choice", f"{array.dtype}, {array.ndim} dimensions", _FORM)
    rows = array.astype(np.int64)
    foreign = rows[(rows < 0) | (rows >= count)]
    if len(foreign):
        raise refuse("chose a payment that is not in the queue", f"row {foreign[0]}", f"rows 0 to {count - 1}")
    chosen = np.zeros(count, np.bool_)
    chosen[rows] = True
    if int(chosen.sum()) != len(rows):
        twice = int(np.flatnonzero(np.bincount(rows, minlength=count) > 1)[0])
        raise refuse("chose a payment twice", f"row {twice}", _FORM)
    return chosen


def _imported(name: str, place: str, key: str) -> Algorithm:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute or not all(part.isidentifier() for part in module_name.split(".")):
        raise InputError(place, key, "not an algorithm", name, "package.module:function")
    try:
        module = module_named(module_name)
    except Exception as error:
        problem = f"the module {module_name} cannot be imported, {type(error).__name__}: {error}"
        raise InputError(place, key, problem, name, "a module that Python finds") from error
    solve = getattr(module, attribute, None)
    if solve is None:
        found = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
        raise InputError(place, key, f"the module {module_name} has no {attribute}", name, nearest(attribute, found))
    if not callable(solve):
        raise InputError(place, key, f"{attribute} of {module_name} is no function", name, "a function of a QueueTable")
    declared = next((item for item in _declared.values() if item.solve is solve), None)
    return Algorithm(name, solve) if declared is None else replace(declared, name=name)


def module_named(name: str) -> ModuleType:
    """The module; looked for in the working folder last, which a console command does not search by itself."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        folder = os.getcwd()
        if error.name is None or not name.startswith(error.name) or folder in sys.path:
            raise
    sys.path.append(folder)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def _home(solve: Solve) -> tuple[str, str]:
    return str(solve.__module__), getattr(solve, "__qualname__", "")


def _documented_place(item: Algorithm) -> tuple[int, int]:
    home = str(item.solve.__module__)
    place = next((i for i, module in enumerate(_MODULES) if home == module or home.startswith(module + ".")), 99)
    return place, list(_declared).index(item.name)
