"""Release and matching in queue order: one by one, pair by pair, and all accounts together.

`multilateral` and `bilateral-fifo` keep the sequence constraint: of each account's queue they take a leading run.
What an account has available below zero counts as nothing: it may pass on what it receives, and is never pushed
further down (see `QueueTable.blocking`). Sources: settlement queue rules; Bech and Soramäki (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.optimise.drop_rules import drop_last, match_leading_runs, match_pairs
from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable, Rows
from cnaps_sim.optimise.registry import algorithm
from cnaps_sim.optimise.release_rules import line_up, release_in_order, release_with_bypass

Places = npt.NDArray[np.int64]

#: (debtor, creditor, fen): an account's limit on what it sends to another, net of what it receives from it.
Limit = tuple[int, int, int]

_BECH: Final = "Bech and Soramäki (2001), Gridlock resolution in interbank payment systems"


class Queues(NamedTuple):
    """Each account's queue: rows `order[start[i]:start[i + 1]]` of the table, head first."""

    start: Places
    order: Places

    @classmethod
    def of(cls, queue: QueueTable) -> Queues:
        """The queues of a table, in time proportional to its length."""
        start = np.zeros(queue.accounts + 2, np.int64)
        order = np.empty(len(queue), np.int64)
        line_up(queue.debtor, start, order)
        return cls(start[:-1].copy(), order)


def usable(queue: QueueTable) -> Fen:
    """What each account may use when payments settle together, fen: its available funds, at least 0."""
    return np.maximum(queue.available, 0)


@algorithm(
    "fifo",
    reference="settlement queue rules, discipline fifo",
    chinese="先进先出",
    keeps_sequence=True,
    for_runs=False,
)
def fifo(queue: QueueTable) -> Chosen:
    """Strict one-by-one release: each account pays from the head of its queue while it can; nothing nets."""
    queues = Queues.of(queue)
    chosen = np.zeros(len(queue), np.bool_)
    release_in_order(
        queue.available.copy(), queue.creditor, queue.amount, queues.start, queues.order, queues.start.copy(),
        np.zeros(queue.accounts, np.bool_), np.zeros(queue.accounts, np.int64), chosen,
    )  # fmt: skip
    return chosen


@algorithm("bypass", reference="settlement queue rules, discipline bypass", chinese="可绕行排队", for_runs=False)
def bypass(queue: QueueTable) -> Chosen:
    """One-by-one release in which later payments of the same level may pass one that is not funded."""
    queues = Queues.of(queue)
    chosen = np.zeros(len(queue), np.bool_)
    release_with_bypass(
        queue.available.copy(), queue.creditor, queue.amount, queue.level, queues.start, queues.order,
        np.diff(queues.start), np.zeros(queue.accounts, np.bool_), np.zeros(queue.accounts, np.int64), chosen,
    )  # fmt: skip
    return chosen


@algorithm(
    "bilateral-fifo",
    reference=f"{_BECH}, for two accounts at a time",
    chinese="双边撮合（保持次序）",
    keeps_sequence=True,
)
def bilateral_fifo(queue: QueueTable) -> Chosen:
    """Pair by pair, only the leading run of each queue addressed to the other; the deficient side drops its last."""
    queues = Queues.of(queue)
    chosen = np.zeros(len(queue), np.bool_)
    pairs = _pairs(queue)
    match_leading_runs(
        usable(queue), queue.creditor, queue.amount, queues.start, queues.order, queues.start.copy(),
        pairs.first, pairs.second, chosen,
    )  # fmt: skip
    return chosen


@algorithm("bilateral", reference="offsetting of pairs, passing over payments to others", chinese="双边撮合")
def bilateral(queue: QueueTable) -> Chosen:
    """Pair by pair, all payments of the pair in queue order; the deficient side drops its last."""
    chosen = np.zeros(len(queue), np.bool_)
    pairs = _pairs(queue)
    never = np.full(len(pairs.first), -1, np.int64)
    match_pairs(
        usable(queue), queue.amount, pairs.order, pairs.there, pairs.there_end, pairs.back, pairs.back_end,
        pairs.there_fen, pairs.back_fen, pairs.first, pairs.second, never, never.copy(), chosen,
    )  # fmt: skip
    return chosen


@algorithm("multilateral", reference=_BECH, chinese="多边撮合", keeps_sequence=True)
def multilateral(queue: QueueTable) -> Chosen:
    """All accounts together, keeping each queue's order: drop last payments of negative accounts. Best under FIFO."""
    return multilateral_within(queue, ())


def multilateral_within(queue: QueueTable, limits: Sequence[Limit]) -> Chosen:
    """`multilateral` under bilateral limits: net of what it receives from it, no account sends another more than that.

    limits: fen at least 0, each pair once; an account over a limit drops its last payment, whoever it is for
    """
    queues = Queues.of(queue)
    order, end = queues.order, queues.start[1:].copy()
    limit_of, reverse_of, net, most = _limits(queue, limits)
    breaches = np.zeros(queue.accounts, np.int64)
    for number in np.flatnonzero(net > most).tolist():
        breaches[limits[number][0]] += 1
    drop_last(
        _closing_all(queue), queue.creditor[order], queue.amount[order], queues.start, end,
        limit_of[order] if limits else limit_of, reverse_of[order] if limits else reverse_of, net, most, breaches,
        np.zeros(queue.accounts, np.int64), np.zeros(queue.accounts, np.bool_),
    )  # fmt: skip
    chosen = np.empty(len(queue), np.bool_)
    chosen[order] = np.arange(len(queue)) < np.repeat(end, np.diff(queues.start))
    return chosen


@algorithm(
    "bilateral-then-multilateral",
    reference="bilateral offsetting first, then Bech and Soramäki (2001) on what is left",
    chinese="先双边后多边撮合",
)
def bilateral_then_multilateral(queue: QueueTable) -> Chosen:
    """`bilateral` until nothing moves, then `multilateral` on what is left."""
    chosen = bilateral(queue)
    left = np.flatnonzero(~chosen)
    chosen[left] = multilateral(rest(queue, chosen))
    return chosen


def rest(queue: QueueTable, chosen: Chosen) -> QueueTable:
    """What is left of a queue when the chosen payments have settled."""
    left = ~chosen
    return QueueTable(
        queue.closing(chosen), queue.debtor[left], queue.creditor[left], queue.amount[left], queue.level[left]
    )


def _closing_all(queue: QueueTable) -> Fen:
    """What each account may still use if everything settles, fen."""
    closing = usable(queue)
    np.subtract.at(closing, queue.debtor, queue.amount)
    np.add.at(closing, queue.creditor, queue.amount)
    return closing


class _Pairs(NamedTuple):
    """The pairs of accounts that have a payment between them, in account order; see `drop_rules.match_pairs`."""

    first: Places
    second: Places
    order: Places
    there: Places
    there_end: Places
    back: Places
    back_end: Places
    there_fen: Fen
    back_fen: Fen


def _pairs(queue: QueueTable) -> _Pairs:
    low = np.minimum(queue.debtor, queue.creditor).astype(np.int64)
    high = np.maximum(queue.debtor, queue.creditor)
    direction = (low * queue.accounts + high) * 2 + (queue.debtor > queue.creditor)
    order = np.argsort(direction, kind="stable")
    direction = direction[order]
    pair = np.unique(direction >> 1)
    edges = np.searchsorted(direction, np.stack([pair * 2, pair * 2 + 1, pair * 2 + 2]))
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(queue.amount[order])))
    sums = running[edges]
    return _Pairs(
        first=pair // max(queue.accounts, 1),
        second=pair % max(queue.accounts, 1),
        order=order,
        there=edges[0].copy(),
        there_end=edges[1].copy(),
        back=edges[1].copy(),
        back_end=edges[2].copy(),
        there_fen=sums[1] - sums[0],
        back_fen=sums[2] - sums[1],
    )


def _limits(queue: QueueTable, limits: Sequence[Limit]) -> tuple[Rows, Rows, Fen, Fen]:
    """Per payment its debtor's limit and its creditor's, per limit the net value queued and the most allowed."""
    limit_of = np.full(len(queue) if limits else 0, -1, np.int32)
    reverse_of = limit_of.copy()
    net = np.zeros(len(limits), np.int64)
    for number, (debtor, creditor, _fen) in enumerate(limits):
        sent = (queue.debtor == debtor) & (queue.creditor == creditor)
        received = (queue.debtor == creditor) & (queue.creditor == debtor)
        limit_of[sent] = number
        reverse_of[received] = number
        net[number] = queue.amount[sent].sum() - queue.amount[received].sum()
    return limit_of, reverse_of, net, np.array([fen for _, _, fen in limits], np.int64)
