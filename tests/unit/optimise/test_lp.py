"""The LP bound: whole fen, exact, and never below what can settle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.optimise.lp import bound_fen, dual_bound, relax
from cnaps_sim.optimise.queue_table import QueueTable

highspy = pytest.importorskip("highspy")


def random_queue(seed: int, accounts: int, count: int, largest: int = 10**8) -> QueueTable:
    draws = np.random.default_rng(seed)
    debtor = draws.integers(0, accounts, count)
    creditor = (debtor + draws.integers(1, accounts, count)) % accounts
    available = draws.integers(-largest // 10, largest, accounts)
    return QueueTable.of(available, debtor, creditor, draws.integers(1, largest, count))


def by_highs(queue: QueueTable) -> float:
    """The optimum of the relaxation by a solver for linear programs, fen: one column per payment."""
    model = highspy.Highs()
    model.silent()
    share = [model.addVariable(0, 1) for _ in range(len(queue))]
    for account, fen in enumerate(np.maximum(queue.available, 0).tolist()):
        sent = [int(queue.amount[row]) / 1e6 * share[row] for row in np.flatnonzero(queue.debtor == account)]
        received = [int(queue.amount[row]) / 1e6 * share[row] for row in np.flatnonzero(queue.creditor == account)]
        if sent:
            model.addConstr(sum(sent) - sum(received) <= fen / 1e6)
    model.maximize(sum(int(queue.amount[row]) / 1e6 * share[row] for row in range(len(queue))))
    return float(model.getObjectiveValue()) * 1e6


@pytest.mark.parametrize(("seed", "accounts", "count"), [(1, 3, 12), (2, 8, 60), (3, 20, 150), (4, 40, 120)])
def test_the_bound_is_the_optimum_of_the_linear_program(seed: int, accounts: int, count: int) -> None:
    queue = random_queue(seed, accounts, count)
    assert bound_fen(queue) == pytest.approx(by_highs(queue), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(0, 60), st.sampled_from([3, 10**8, 10**15]))
def test_the_solution_is_feasible_and_its_prices_prove_that_it_is_the_best(
    seed: int, accounts: int, count: int, largest: int
) -> None:
    queue = random_queue(seed, accounts, count, largest)
    relaxed = relax(queue)
    closing = np.maximum(queue.available, 0)
    np.subtract.at(closing, queue.debtor, relaxed.settled)
    np.add.at(closing, queue.creditor, relaxed.settled)
    assert (closing >= 0).all()
    assert ((relaxed.settled >= 0) & (relaxed.settled <= queue.amount)).all()
    assert relaxed.bound == sum(relaxed.settled.tolist()) == dual_bound(queue, relaxed.price)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_any_prices_prove_a_bound(seed: int, price: list[int]) -> None:
    queue = random_queue(seed, 6, 40)
    assert dual_bound(queue, np.array(price)) >= bound_fen(queue)


def test_a_price_says_what_one_fen_more_lets_settle() -> None:
    """A fen more at the start of a chain of three empty accounts passes through two payments."""
    chain = QueueTable.of([5, 0, 0], [0, 1], [1, 2], [100, 100])
    relaxed = relax(chain)
    assert (relaxed.bound, relaxed.price.tolist()) == (10, [2, 1, 0])
    assert relaxed.settled.tolist() == [5, 5]
    richer = QueueTable.of([6, 0, 0], [0, 1], [1, 2], [100, 100])
    assert bound_fen(richer) - relaxed.bound == relaxed.price[0]


def test_of_a_pair_the_earliest_payments_are_settled_first() -> None:
    queue = QueueTable.of([10, 0], [0, 0, 0], [1, 1, 1], [4, 4, 4])
    assert relax(queue).settled.tolist() == [4, 4, 2]


def test_totals_near_the_largest_number_stay_exact() -> None:
    huge = 4_000_000_000_000_000_000
    queue = QueueTable.of([1, 0, 0], [0, 1], [1, 0], [huge, huge])
    assert bound_fen(queue) == 2 * huge
    assert bound_fen(QueueTable.of([1, 0, 0], [0, 1], [1, 2], [huge, huge])) == 2


@pytest.mark.parametrize(("available", "rows"), [([], []), ([5, 5], []), ([-5, 0], [(0, 1, 3)])])
def test_where_nothing_can_settle_the_bound_is_0(available: list[int], rows: list[tuple[int, int, int]]) -> None:
    debtor, creditor, amount = ([row[column] for row in rows] for column in range(3))
    assert bound_fen(QueueTable.of(available, debtor, creditor, amount)) == 0
