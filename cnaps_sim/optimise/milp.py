"""A mixed-integer program for the bank clearing problem, solved by HiGHS: through highspy, else through scipy.

Equal payments of one pair are one whole-number column; every account that could run short is one row. HiGHS works with
tolerances in floating point: what it returns is a proposal that the caller verifies in whole numbers, and a bound
that is rounded away from the proposal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from math import gcd
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable, Rows
from cnaps_sim.words.errors import InputError

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

#: Feasibility tolerance of HiGHS, in scaled units.
_TOLERANCE: Final = 1e-6
#: Amounts are divided by this many common units (or fewer): the tolerance is then less than half a unit.
_FINE: Final = 400_000
#: No scaled amount is larger.
_LARGEST: Final = 1e6


class Cut(NamedTuple):
    """At least one of these columns must change: `out` must be below what it was, or `into` above."""

    out: Places
    into: Places


@dataclass(frozen=True, eq=False)
class Columns:
    """Payments as columns of the program.

    debtor, creditor: account rows; amount: fen; most: how many payments the column stands for
    rows:  rows of the table, column after column, inside a column in queue order; start: where each column begins
    unit:  fen; every amount is a multiple of it
    """

    debtor: Rows
    creditor: Rows
    amount: Fen
    most: Places
    rows: Places
    start: Places
    unit: int

    def __len__(self) -> int:
        return len(self.amount)

    @classmethod
    def of(cls, queue: QueueTable, rows: Places, merged: bool = True) -> Columns:
        """The columns of some rows of a table; `merged` puts equal payments of one pair together."""
        debtor, creditor, amount = queue.debtor[rows], queue.creditor[rows], queue.amount[rows]
        unit = gcd(*np.unique(amount).tolist()) if len(amount) else 1
        if merged:
            order = np.lexsort((rows, amount, creditor, debtor))
            same = (np.diff(debtor[order]) == 0) & (np.diff(creditor[order]) == 0) & (np.diff(amount[order]) == 0)
            start = np.flatnonzero(np.concatenate((np.ones(min(len(rows), 1), np.bool_), ~same)))
        else:
            order = start = np.arange(len(rows))
        most = np.diff(np.append(start, len(rows)))
        head = order[start]
        return cls(debtor[head], creditor[head], amount[head], most, rows[order], start, unit)

    def choice(self, taken: Places, length: int) -> Chosen:
        """The payments chosen when each column contributes its `taken` first ones; `length`: rows of the table."""
        chosen = np.zeros(length, np.bool_)
        place = np.arange(len(self.rows)) - np.repeat(self.start, self.most)
        chosen[self.rows[place < np.repeat(taken, self.most)]] = True
        return chosen

    def counts(self, chosen: Chosen) -> Places:
        """How many payments of each column are chosen."""
        return np.add.reduceat(chosen[self.rows], self.start, dtype=np.int64)


@dataclass(frozen=True)
class Limits:
    """When to stop before optimality is proven.

    nodes: of the search tree; gap: relative, 0 for a proof; seconds: None for no limit of time
    """

    nodes: int
    gap: float = 0.0
    seconds: float | None = None


class Proposal(NamedTuple):
    """What the solver answers: how many payments of each column (None if it has no solution), and a proven bound, fen.

    bound is -1 if the program has no solution at all, None if nothing is proven.
    """

    taken: Places | None
    bound: int | None


def propose(
    columns: Columns,
    usable: Fen,
    limits: Limits,
    *,
    start: Places | None = None,
    cuts: Sequence[Cut] = (),
    ordered: Sequence[Places] = (),
    at_least_one: bool = False,
) -> Proposal:
    """The most valuable choice under the accounts' funds.

    usable: fen by account; start: a feasible number per column to begin with
    ordered: columns of which a later one needs every earlier one (unmerged columns only)
    at_least_one: any non-empty choice will do, whatever its value
    """
    program = _program(columns, usable, cuts, ordered, at_least_one)
    if find_spec("highspy") is not None:
        found, bound = _by_highspy(program, limits, start)
    elif find_spec("scipy") is not None:
        found, bound = _by_scipy(program, limits)
    else:
        raise InputError("algorithm", "exact", "needs a solver that is not installed", "", "highspy or scipy")
    taken = None if found is None else np.clip(np.rint(found).astype(np.int64), 0, columns.most)
    if bound == -np.inf:
        return Proposal(taken, -1)
    if bound is None or at_least_one:
        return Proposal(taken, None)
    proven = bound * program.scale + _TOLERANCE * program.scale + 1e-12 * abs(bound) * program.scale
    return Proposal(taken, int(proven // columns.unit) * columns.unit)


class _Program(NamedTuple):
    """max cost·x, lower ≤ matrix·x ≤ upper, 0 ≤ x ≤ most, x whole; the matrix by column (start, row, value)."""

    cost: Numbers
    most: Numbers
    lower: Numbers
    upper: Numbers
    start: Places
    row: Places
    value: Numbers
    scale: float


class _Entries:
    """Matrix entries, collected row by row."""

    def __init__(self) -> None:
        self.row: list[Places] = []
        self.column: list[Places] = []
        self.value: list[Numbers] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, column: Places, value: Numbers, lower: float, upper: float) -> None:
        self.row.append(np.full(len(column), len(self.lower)))
        self.column.append(column)
        self.value.append(value)
        self.lower.append(lower)
        self.upper.append(upper)


def _scale(columns: Columns) -> float:
    largest = float(columns.amount.max())
    return max(min(largest, float(_FINE * columns.unit)), largest / _LARGEST)


def _program(
    columns: Columns, usable: Fen, cuts: Sequence[Cut], ordered: Sequence[Places], at_least_one: bool
) -> _Program:
    scale = _scale(columns)
    scaled = columns.amount / scale
    every = np.arange(len(columns))
    entries = _Entries()
    total = np.zeros(len(usable), np.int64)
    np.add.at(total, columns.debtor, columns.amount * columns.most)
    tight = np.flatnonzero(total > usable)
    new_row = np.full(len(usable), -1, np.int64)
    new_row[tight] = np.arange(len(tight))
    sent, received = new_row[columns.debtor], new_row[columns.creditor]
    entries.row += [sent[sent >= 0], received[received >= 0]]
    entries.column += [every[sent >= 0], every[received >= 0]]
    entries.value += [scaled[sent >= 0], -scaled[received >= 0]]
    # Amounts are whole units, so what is over in an account is of no use; dropping it makes the row tighter.
    entries.upper += (usable[tight] // columns.unit * columns.unit / scale).tolist()
    entries.lower += [-np.inf] * len(tight)
    _add_cuts(entries, columns, cuts)
    for queue in ordered:
        for earlier, later in pairwise(queue.tolist()):
            entries.add(np.array([earlier, later]), np.array([1.0, -1.0]), 0.0, np.inf)
    if at_least_one:
        entries.add(every, np.ones(len(every)), 1.0, np.inf)
    row, column = np.concatenate(entries.row), np.concatenate(entries.column)
    by_column = np.lexsort((row, column))
    return _Program(
        cost=np.zeros(len(columns)) if at_least_one else scaled,
        most=columns.most.astype(np.float64),
        lower=np.array(entries.lower, np.float64),
        upper=np.array(entries.upper, np.float64),
        start=np.searchsorted(column[by_column], np.arange(len(columns) + 1)),
        row=row[by_column],
        value=np.concatenate(entries.value)[by_column],
        scale=scale,
    )


def _add_cuts(entries: _Entries, columns: Columns, cuts: Sequence[Cut]) -> None:
    """Columns of one payment each: Σ (1 - out) + Σ into ≥ 1."""
    for out, into in cuts:
        assert columns.most[out].max(initial=1) == columns.most[into].max(initial=1) == 1
        value = np.concatenate((np.full(len(out), -1.0), np.ones(len(into))))
        entries.add(np.concatenate((out, into)), value, 1.0 - len(out), np.inf)


def _by_highspy(program: _Program, limits: Limits, start: Places | None) -> tuple[Numbers | None, float | None]:
    import highspy

    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    options: dict[str, Any] = {
        "threads": 1, "random_seed": 0, "mip_abs_gap": 0.0, "mip_rel_gap": limits.gap, "mip_max_nodes": limits.nodes,
        "mip_feasibility_tolerance": _TOLERANCE,
    }  # fmt: skip
    if limits.seconds is not None:
        options["time_limit"] = float(limits.seconds)
    for name, value in options.items():
        solver.setOptionValue(name, value)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.upper)
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, np.zeros(len(program.cost)), program.most
    model.row_lower_, model.row_upper_ = program.lower, program.upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = program.start.astype(np.int32)
    model.a_matrix_.index_ = program.row.astype(np.int32)
    model.a_matrix_.value_ = program.value
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(program.cost)
    solver.passModel(model)
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.astype(np.float64).tolist()
        solver.setSolution(known)
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None, -np.inf
    information = solver.getInfo()
    has_solution = information.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    found = np.array(solver.getSolution().col_value) if has_solution else None
    bound = float(information.mip_dual_bound)
    return found, bound if np.isfinite(bound) else None


def _by_scipy(program: _Program, limits: Limits) -> tuple[Numbers | None, float | None]:
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_array

    matrix = csc_array(
        (program.value, program.row, program.start), shape=(len(program.upper), len(program.cost))
    )  # fmt: skip
    options: dict[str, Any] = {"mip_rel_gap": limits.gap, "node_limit": limits.nodes}
    if limits.seconds is not None:
        options["time_limit"] = float(limits.seconds)
    with _silence():
        answer = milp(
            -program.cost,
            integrality=np.ones(len(program.cost)),
            bounds=Bounds(0, program.most),
            constraints=LinearConstraint(matrix, program.lower, program.upper),
            options=options,
        )
    if answer.status == 2:
        return None, -np.inf
    bound = answer.mip_dual_bound
    return answer.x, None if bound is None or not np.isfinite(bound) else -float(bound)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Inside, what native code prints to stdout is lost: scipy's HiGHS cannot be told to be quiet."""
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, TypeError):
            ctypes.CDLL(None).fflush(None)  # what C has buffered would otherwise come out later
        os.dup2(kept, 1)
        os.close(kept)
