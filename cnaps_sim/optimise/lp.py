"""LP bound: the most value that could settle if payments could be cut into fen.

The LP relaxation of the bank clearing problem (Güntzer, Jungnickel and Leclerc 1998) asks for a share of every
payment. Written in fen it is a network flow between accounts: payments of the same pair add up to one arc, all data
are whole fen, so the optimum is a whole number of fen and so are the shadow prices. It is solved in whole numbers
(`flow_rules`) and proves itself: the shadow prices give an upper bound by weak duality, and it equals the value found.
Chinese: 线性规划上界.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.optimise.flow_rules import push_deficits
from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable
from cnaps_sim.optimise.registry import algorithm

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The optimum of the LP relaxation.

    bound:   fen; no choice of payments settles more
    settled: fen of each payment that the relaxation settles: of a pair's total, the earliest payments first
    price:   shadow price by account: at the optimum, how many fen more would settle with one fen more available
    """

    bound: int
    settled: Fen
    price: Places


class _Network(NamedTuple):
    """One arc per ordered pair of accounts with a payment, and the order of payments by pair."""

    debtor: Places
    creditor: Places
    total: Fen
    order: Places
    start: Places


def relax(queue: QueueTable) -> Relaxation:
    """Solve the LP relaxation of the queue, without the sequence constraint, exactly."""
    usable = np.maximum(queue.available, 0)
    network = _network(queue)
    taken, price = _take_out(usable, network)
    kept = network.total - taken
    bound = _exact_sum(kept)
    assert bound == dual_bound(queue, price), "the LP relaxation was not solved to its optimum"
    return Relaxation(bound, _by_payment(queue, network, kept), price)


def bound_fen(queue: QueueTable) -> int:
    """The LP bound: whole fen, never below what can settle."""
    return relax(queue).bound


def dual_bound(queue: QueueTable, price: Places) -> int:
    """The upper bound that any prices of at least 0 prove by weak duality, fen.

    Money at account i is worth price[i]; a payment is worth its amount, costs its debtor's and earns its creditor's
    price. Whatever settles is worth no more than all money and every payment that gains.
    """
    assert not len(price) or int(price.min()) >= 0
    gain = np.maximum(1 - price[queue.debtor] + price[queue.creditor], 0)
    return _exact_product(np.maximum(queue.available, 0), price) + _exact_product(queue.amount, gain)


@algorithm(
    "lp",
    reference="LP relaxation of the bank clearing problem",
    chinese="线性规划上界",
    uses_lp=True,
    for_runs=False,
)
def settle_nothing(queue: QueueTable) -> Chosen:
    """Settles nothing: its bound is what the others are measured by."""
    return np.zeros(len(queue), np.bool_)


def _network(queue: QueueTable) -> _Network:
    pair = queue.debtor.astype(np.int64) * queue.accounts + queue.creditor
    order = np.argsort(pair, kind="stable")
    sorted_pair = pair[order]
    start = np.flatnonzero(np.concatenate((np.ones(min(len(pair), 1), np.bool_), sorted_pair[1:] != sorted_pair[:-1])))
    total = np.add.reduceat(queue.amount[order], start) if len(start) else np.zeros(0, np.int64)
    found = sorted_pair[start]
    return _Network(found // max(queue.accounts, 1), found % max(queue.accounts, 1), total, order, start)


def _take_out(usable: Fen, network: _Network) -> tuple[Fen, Places]:
    """The least fen to take out of each pair's payments so that no account is short, and the shadow prices."""
    accounts, arcs = len(usable), len(network.total)
    closing = usable.copy()
    np.subtract.at(closing, network.debtor, network.total)
    np.add.at(closing, network.creditor, network.total)
    tail = np.concatenate((network.debtor, network.creditor))
    by_tail = np.argsort(tail, kind="stable")
    place = np.empty(2 * arcs, np.int64)
    place[by_tail] = np.arange(2 * arcs)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(tail, minlength=accounts))))
    room = np.concatenate((network.total, np.zeros(arcs, np.int64)))[by_tail]
    cost = np.concatenate((np.ones(arcs, np.int64), np.full(arcs, -1)))[by_tail]
    to = np.concatenate((network.creditor, network.debtor))[by_tail]
    twin = np.concatenate((place[arcs:], place[:arcs]))[by_tail]
    price, fresh, waiting, step, cursor, path = np.zeros((6, accounts), np.int64)
    owed, slack = np.maximum(-closing, 0), np.maximum(closing, 0)
    listed = np.zeros(accounts, np.bool_)
    push_deficits(
        first, to, twin, room, cost, owed, slack, price, fresh, listed, waiting, step, cursor, path
    )  # fmt: skip
    return network.total - room[place[:arcs]], price


def _by_payment(queue: QueueTable, network: _Network, kept: Fen) -> Fen:
    """What a pair settles, handed to its payments from the earliest on."""
    if not len(queue):
        return np.zeros(0, np.int64)
    amount = queue.amount[network.order]
    before = np.cumsum(amount) - amount
    length = np.diff(np.append(network.start, len(queue)))
    before -= np.repeat(before[network.start], length)
    settled = np.empty(len(queue), np.int64)
    settled[network.order] = np.clip(np.repeat(kept, length) - before, 0, amount)
    return settled


def _exact_sum(values: Fen) -> int:
    return _exact_product(values, np.ones(len(values), np.int64))


def _exact_product(values: Fen, times: Places) -> int:
    """Σ values · times beyond 64 bits: in two halves, for multipliers and lengths up to 2^15 and 2^16 and more."""
    if len(times) and int(times.max()) * len(times) >= 2**31:
        return sum(int(value) * int(number) for value, number in zip(values, times, strict=True))
    high = int(((values >> 32) * times).sum())
    low = int(((values & (2**32 - 1)) * times).sum())
    return (high << 32) + low
