"""The exact answer: the most valuable choice without the sequence constraint, with a proof or with the gap left.

The bank clearing problem is NP-hard (Güntzer, Jungnickel and Leclerc 1998). A handful of payments is searched in whole
numbers; more go to a mixed-integer program. Every choice is verified in whole numbers: where the solver's tolerances
let an account go below zero, the reason is added as a cut and the program is solved again. Chinese: 精确撮合.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.milp import Columns, Cut, Limits, propose
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm, algorithms, settle
from cnaps_sim.optimise.search_rules import search
from cnaps_sim.optimise.sequence import Queues, bilateral_then_multilateral, multilateral, rest, usable

Places = npt.NDArray[np.int64]

#: Up to this many payments are searched in whole numbers.
MOST_SEARCHED: Final = 20
#: Nodes of the search tree times columns, at most [P]: some seconds of work, the same on every machine.
WORK: Final = 200_000
#: More columns than this are not given to the solver at all [P].
MOST_COLUMNS: Final = 10_000
#: Rounds of cuts before what is infeasible is repaired by hand.
_ROUNDS: Final = 20


@dataclass(frozen=True, eq=False)
class Answer:
    """The best choice found, and the proof.

    chosen: the payments; value: fen; bound: fen, proven, no choice settles more
    """

    chosen: Chosen
    value: int
    bound: int

    @property
    def optimal(self) -> bool:
        """Is it proven that nothing settles more?"""
        return self.value == self.bound

    @property
    def gap(self) -> float:
        """What may be missing, as a share of the bound; 0 if it is proven optimal."""
        return (self.bound - self.value) / self.bound if self.bound else 0.0


@algorithm(
    "exact",
    reference="Güntzer, Jungnickel and Leclerc (1998), as a mixed-integer program",
    chinese="精确撮合",
    exact=True,
    uses_lp=True,
)
def exact(queue: QueueTable) -> Chosen:
    """The most valuable choice of all, proven for hundreds of payments; within a limit of nodes for thousands."""
    return solve_exactly(queue).chosen


def solve_exactly(
    queue: QueueTable,
    limits: Limits | None = None,
    starts: Iterable[Chosen] = (),
    keeps_sequence: bool = False,
) -> Answer:
    """The most valuable choice, with the value that is proven to be out of reach.

    limits: nodes, gap and time; by default as many nodes as `WORK` allows, so that the answer is always the same
    starts: feasible choices known already
    keeps_sequence: take a leading run of each queue (`multilateral` does it at once; this is its independent check)
    """
    if keeps_sequence:
        nothing = np.zeros(len(queue), np.bool_)
        return _improved(queue, np.arange(len(queue)), limits, nothing, bound_fen(queue), True)
    candidates = movable(queue)
    if len(candidates) <= MOST_SEARCHED:
        chosen = _searched(queue, candidates)
        value = queue.value(chosen)
        return Answer(chosen, value, value)
    bound = bound_fen(queue)
    best = max([*by_the_others(queue), *starts], key=queue.value)
    if queue.value(best) == bound:
        return Answer(best, bound, bound)
    return _improved(queue, candidates, limits, best, bound, False)


def any_choice(queue: QueueTable, nodes: int | None = None) -> tuple[Chosen | None, bool]:
    """Some non-empty choice, whatever its value, and whether the answer is certain.

    (choice, True): it settles; (None, True): proven that nothing can settle; (None, False): not decided
    """
    candidates = movable(queue)
    if not len(candidates):
        return None, True
    if len(candidates) <= MOST_SEARCHED:
        chosen = _searched(queue, candidates)
        return (chosen if chosen.any() else None), True
    if bound_fen(queue) == 0:
        return None, True
    for found in by_the_others(queue):
        if found.any():
            return found, True
    columns = Columns.of(queue, candidates)
    if len(columns) > MOST_COLUMNS:
        return None, False
    limits = Limits(nodes or _nodes(columns))
    cuts: list[Cut] = []
    for _ in range(_ROUNDS):
        taken, bound = propose(columns, usable(queue), limits, cuts=cuts, at_least_one=True)
        if taken is None:
            return None, bound == -1
        chosen = columns.choice(taken, len(queue))
        blocking = queue.blocking(chosen)
        if not len(blocking):
            return chosen, True
        columns, cuts = _sharpened(queue, candidates, columns, chosen, blocking, cuts)
    return None, False


def by_the_others(queue: QueueTable) -> Iterator[Chosen]:
    """What the other algorithms settle, one after another; of very many payments, those that start from the bound."""
    yield multilateral(queue)
    yield bilateral_then_multilateral(queue)
    many = len(queue) > MOST_COLUMNS
    for item in algorithms():
        if item.bundled and item.for_runs and not item.exact and (item.uses_lp or not many):
            yield settle(item, queue)


def movable(queue: QueueTable) -> Places:
    """Rows of the payments that some choice may contain: their debtor could fund them if it received all it can.

    A payment that is out lowers what its creditor can receive, so this repeats until nothing more falls out.
    """
    rows = np.arange(len(queue))
    while True:
        reach = usable(queue)
        np.add.at(reach, queue.creditor[rows], queue.amount[rows])
        funded = queue.amount[rows] <= reach[queue.debtor[rows]]
        if funded.all():
            return rows
        rows = rows[funded]


def _searched(queue: QueueTable, rows: Places) -> Chosen:
    """The best of all choices out of a few rows; the largest payments are decided on first."""
    order = rows[np.argsort(-queue.amount[rows], kind="stable")]
    amount = queue.amount[order]
    at_best = usable(queue)
    np.add.at(at_best, queue.creditor[order], amount)
    later = np.concatenate((np.cumsum(amount[::-1])[::-1], np.zeros(1, np.int64)))
    best = np.zeros(len(order), np.bool_)
    search(at_best, queue.debtor[order], queue.creditor[order], amount, later, 0, np.zeros(len(order), np.int8), best)
    chosen = np.zeros(len(queue), np.bool_)
    chosen[order[best]] = True
    return chosen


def _improved(
    queue: QueueTable, candidates: Places, limits: Limits | None, best: Chosen, bound: int, keeps_sequence: bool
) -> Answer:
    """What the mixed-integer program makes of a start."""
    columns = Columns.of(queue, candidates, merged=not keeps_sequence)
    if not len(columns) or len(columns) > MOST_COLUMNS:
        return Answer(best, queue.value(best), bound)
    limits = limits or Limits(_nodes(columns))
    ordered = _runs(queue) if keeps_sequence else ()
    cuts: list[Cut] = []
    for _ in range(_ROUNDS):
        start = columns.counts(best)
        taken, proven = propose(columns, usable(queue), limits, start=start, cuts=cuts, ordered=ordered)
        if proven is not None and proven >= 0:
            bound = min(bound, proven)
        if taken is None:
            break
        chosen = columns.choice(taken, len(queue))
        blocking = queue.blocking(chosen)
        if not len(blocking):
            best = max(best, chosen, key=queue.value)
            break
        if not keeps_sequence:
            best = max(best, repaired(queue, chosen), key=queue.value)
        columns, cuts = _sharpened(queue, candidates, columns, chosen, blocking, cuts)
        if limits.seconds is not None:
            limits = replace(limits, seconds=limits.seconds / 2)
    if not keeps_sequence:
        best = _filled(queue, best)
    return Answer(best, queue.value(best), max(bound, queue.value(best)))


def _nodes(columns: Columns) -> int:
    return max(1, WORK // max(len(columns), 1))


def _runs(queue: QueueTable) -> list[Places]:
    """Each account's queue as columns, which are the rows of the table when every payment is a column of its own."""
    queues = Queues.of(queue)
    return [queues.order[a:b] for a, b in zip(queues.start[:-1], queues.start[1:], strict=True) if b - a > 1]


def _sharpened(
    queue: QueueTable, candidates: Places, columns: Columns, chosen: Chosen, blocking: Places, cuts: list[Cut]
) -> tuple[Columns, list[Cut]]:
    """One column per payment, and a cut for every account that the choice would push below zero.

    Such an account must pay something less of what it paid, or receive something more than it received.
    """
    if len(columns) != len(candidates):
        columns, cuts = Columns.of(queue, candidates, merged=False), []
    taken = chosen[columns.rows]
    out = [np.flatnonzero(taken & (columns.debtor == account)) for account in blocking]
    into = [np.flatnonzero(~taken & (columns.creditor == account)) for account in blocking]
    return columns, [*cuts, *(Cut(*pair) for pair in zip(out, into, strict=True))]


def repaired(queue: QueueTable, chosen: Chosen) -> Chosen:
    """A feasible choice out of one that is not: an account below zero takes out its smallest payment that suffices.

    If none suffices alone, its largest.
    """
    chosen = chosen.copy()
    closing = queue.closing(chosen) - np.minimum(queue.available, 0)
    while len(short := np.flatnonzero(closing < 0)):
        account = short[0]
        rows = np.flatnonzero(chosen & (queue.debtor == account))
        enough = rows[queue.amount[rows] >= -closing[account]]
        row = enough[np.argmin(queue.amount[enough])] if len(enough) else rows[np.argmax(queue.amount[rows])]
        chosen[row] = False
        closing[account] += queue.amount[row]
        closing[queue.creditor[row]] -= queue.amount[row]
    return chosen


def _filled(queue: QueueTable, chosen: Chosen) -> Chosen:
    """Adds what still settles beside a choice: amounts too small for the solver to see beside the largest."""
    for _ in range(_ROUNDS):
        left = np.flatnonzero(~chosen)
        beside = rest(queue, chosen)
        rows = movable(beside)
        if not len(rows):
            break
        order = rows[np.argsort(-beside.amount[rows], kind="stable")][:MOST_SEARCHED]
        more = max(_searched(beside, order), bilateral_then_multilateral(beside), key=beside.value)
        if not more.any():
            break
        chosen = chosen.copy()
        chosen[left[more]] = True
    return chosen


def with_time(seconds: float, gap: float = 0.0) -> Limits:
    """A limit of seconds instead of nodes: results then depend on the machine, so never inside a run."""
    return replace(Limits(nodes=2**31 - 1), gap=gap, seconds=seconds)
