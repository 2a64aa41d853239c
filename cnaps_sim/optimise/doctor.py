"""The gridlock doctor: what ails a queue, what would free it, and why.

Clear: released one by one, everything settles. Gridlock: one by one nothing more settles, but a set of payments can
settle together. Deadlock: no set can; new money helps, or leaving the order of the queues. Judged twice: for sets that
keep each account's order, exactly; and for any set, which is NP-complete to decide, with a certificate or a plain
"undecided". Sources: Bech and Soramäki (2001); Güntzer, Jungnickel and Leclerc (1998). Chinese: 业务死锁诊断.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from cnaps_sim.optimise.exact import any_choice, by_the_others, repaired
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable
from cnaps_sim.optimise.sequence import Queues, fifo, multilateral, rest

#: A witness of more payments than this is not made smaller.
_MOST_SHRUNK: Final = 400


class Verdict(StrEnum):
    """What is left of a queue after strict one-by-one release."""

    CLEAR = "clear"  # nothing
    GRIDLOCK = "gridlock"  # 业务阻塞: payments that can settle together
    DEADLOCK = "deadlock"  # 业务死锁: payments of which no set can settle
    UNDECIDED = "undecided"  # the solver stopped at its limit


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """The doctor's findings about a queue.

    diagnosis:      with the sequence constraint, exact
    diagnosis_free: without it; certain unless it says undecided
    released:       the payments that strict one-by-one release settles
    witness:        of the rest, payments that settle together and keep the order; None if there are none
    witness_free:   the same without the order
    injection:      fen by account, the least new money with which the whole queue settles together
    in_order_fen:   the most value that can settle in queue order
    bound_fen:      the LP bound of what can settle in any order
    """

    diagnosis: Verdict
    diagnosis_free: Verdict
    released: Chosen
    witness: Chosen | None
    witness_free: Chosen | None
    injection: Fen
    in_order_fen: int
    bound_fen: int

    def fifo_cost(self, best_fen: int | None = None) -> float:
        """The share of the best value that keeping the order costs; `best_fen`: the optimum where it is known.

        Without it the LP bound stands in for the optimum, and the cost is at most the answer.
        """
        best = self.bound_fen if best_fen is None else best_fen
        return (best - self.in_order_fen) / best if best else 0.0


def diagnose(queue: QueueTable, nodes: int | None = None) -> Diagnosis:
    """Examine a queue. `nodes` limits the search for a set without order; never a limit of time."""
    released = fifo(queue)
    left = rest(queue, released)
    together = multilateral(left)
    witness = free = None
    if together.any():
        verdict = free_verdict = Verdict.GRIDLOCK
        witness = free = _leading_witness(left)
    elif not len(left):
        verdict = free_verdict = Verdict.CLEAR
    else:
        verdict = Verdict.DEADLOCK
        free, certain = _free_witness(left, nodes)
        free_verdict = Verdict.GRIDLOCK if free is not None else Verdict.DEADLOCK if certain else Verdict.UNDECIDED
    return Diagnosis(
        diagnosis=verdict,
        diagnosis_free=free_verdict,
        released=released,
        witness=_in_whole(released, witness),
        witness_free=_in_whole(released, free),
        injection=injection(queue),
        in_order_fen=queue.value(multilateral(queue)),
        bound_fen=bound_fen(queue),
    )


def injection(queue: QueueTable) -> Fen:
    """The least new money by account, fen, with which everything queued settles in one net.

    An account needs what it owes net of what it is owed, less what it has available.
    """
    owed = np.zeros(queue.accounts, np.int64)
    np.add.at(owed, queue.debtor, queue.amount)
    np.subtract.at(owed, queue.creditor, queue.amount)
    return np.where(owed > 0, np.maximum(owed - queue.available, 0), 0)


def _in_whole(released: Chosen, witness: Chosen | None) -> Chosen | None:
    """A witness among the payments left, as payments of the whole queue."""
    if witness is None:
        return None
    whole = np.zeros(len(released), np.bool_)
    whole[np.flatnonzero(~released)[witness]] = True
    return whole


def _leading_witness(queue: QueueTable) -> Chosen:
    """A small non-empty set that settles together and keeps the order: from ever longer heads of the queues."""
    queues = Queues.of(queue)
    ahead = np.empty(len(queue), np.int64)
    ahead[queues.order] = np.arange(len(queue)) - np.repeat(queues.start[:-1], np.diff(queues.start))
    length = 1
    while True:
        found = _in_order_within(queue, ahead < length)
        if found.any():
            return _shrunk_in_order(queue, found)
        length *= 2


def _in_order_within(queue: QueueTable, allowed: Chosen) -> Chosen:
    """`multilateral` when only some of the payments take part, the first ones of each queue."""
    part = QueueTable(
        queue.available, queue.debtor[allowed], queue.creditor[allowed], queue.amount[allowed], queue.level[allowed]
    )
    found = np.zeros(len(queue), np.bool_)
    found[np.flatnonzero(allowed)[multilateral(part)]] = True
    return found


def _shrunk_in_order(queue: QueueTable, found: Chosen) -> Chosen:
    """The same without last payments that are not needed, so that no smaller set inside it settles in order."""
    if int(found.sum()) > _MOST_SHRUNK:
        return found
    accounts = np.unique(queue.debtor[found])[::-1]
    shrinking = True
    while shrinking:
        shrinking = False
        for account in accounts:
            own = np.flatnonzero(found & (queue.debtor == account))
            if len(own):
                fewer = found.copy()
                fewer[own[-1]] = False
                fewer = _in_order_within(queue, fewer)
                if fewer.any():
                    found, shrinking = fewer, True
    return found


def _free_witness(queue: QueueTable, nodes: int | None) -> tuple[Chosen | None, bool]:
    """A small non-empty set that settles together in whatever order, and whether the answer is certain."""
    funded = np.flatnonzero(queue.amount <= queue.available[queue.debtor])
    if len(funded):
        single = np.zeros(len(queue), np.bool_)
        single[funded[0]] = True
        return single, True
    found, certain = any_choice(queue, nodes)
    if found is None:
        return None, certain
    others = by_the_others(queue) if len(queue) <= _MOST_SHRUNK else ()
    small = [_shrunk(queue, choice) for choice in (found, *others) if choice.any()]
    return min(small, key=np.count_nonzero), True


def _shrunk(queue: QueueTable, found: Chosen) -> Chosen:
    """The same without payments that are not needed, found by leaving out one at a time."""
    if int(found.sum()) > _MOST_SHRUNK:
        return found
    for row in np.flatnonzero(found)[::-1]:
        if found[row]:
            fewer = found.copy()
            fewer[row] = False
            fewer = repaired(queue, fewer)
            if fewer.any():
                found = fewer
    return found
