"""One queue, one matching: what an algorithm settles of it, and how far that is from the best.

Works on queue tables; `cnaps_sim.analysis.match` reads files and data frames, and names accounts and payments.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cnaps_sim.optimise.exact import Answer, solve_exactly, with_time
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import Algorithm, checked, find, names, settle

#: The default of the command and of Python.
DEFAULT_ALGORITHM: Final = "multilateral"


@dataclass(frozen=True, eq=False)
class Matched:
    """What one algorithm settles of a queue.

    chosen: the payments; value: fen; bound: LP bound, fen; seconds: of the algorithm alone
    proven: fen that no choice can exceed, where the algorithm proves more than the LP bound; else the LP bound
    """

    algorithm: Algorithm
    chosen: Chosen
    value: int
    bound: int
    proven: int
    seconds: float

    @property
    def gap(self) -> float:
        """1 - value / LP bound; 0 if the bound is 0."""
        return (self.bound - self.value) / self.bound if self.bound else 0.0


def match_queue(
    queue: QueueTable,
    algorithm: str = DEFAULT_ALGORITHM,
    time_limit: float | None = None,
    accounts: Sequence[str] | None = None,
    bound: int | None = None,
) -> Matched:
    """Run an algorithm on a queue, from the available funds of the table with all payments queued.

    algorithm:  a name or `package.module:function`
    time_limit: seconds for `exact`, instead of its limit of nodes
    accounts:   ids for errors; bound: the LP bound where it is known already

    InputError if there is no such algorithm, or if what it chose cannot be posted.
    """
    chosen_by = find(algorithm)
    bound = bound_fen(queue) if bound is None else bound
    if chosen_by.bundled:
        chosen_by.solve(_two_payments())  # so that the time below is the matching's, not the compiler's
    proven = bound
    begin = time.perf_counter()
    if chosen_by.name == "exact":
        answer = _exactly(queue, time_limit)
        chosen = checked(queue, answer.chosen, chosen_by, accounts)
        proven = min(bound, answer.bound)
    else:
        chosen = settle(chosen_by, queue, accounts)
    seconds = time.perf_counter() - begin
    return Matched(chosen_by, chosen, queue.value(chosen), bound, proven, seconds)


def compare_queue(
    queue: QueueTable, time_limit: float | None = None, accounts: Sequence[str] | None = None
) -> list[Matched]:
    """Every bundled algorithm on the same queue, in documented order."""
    bound = bound_fen(queue)
    return [match_queue(queue, name, time_limit, accounts, bound) for name in names()]


def _exactly(queue: QueueTable, time_limit: float | None) -> Answer:
    return solve_exactly(queue, None if time_limit is None else with_time(time_limit))


def _two_payments() -> QueueTable:
    return QueueTable.of(np.array([1, 0]), [0, 1], [1, 0], [1, 1])
