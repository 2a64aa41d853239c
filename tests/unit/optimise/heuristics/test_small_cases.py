"""Small queues whose best answer is known, and what each family makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.registry import find

A, B, C, D = range(4)

FIGURE_8 = QueueTable.of([0, 0, 0, 0], [A, B, B, C, D], [B, C, D, A, A], [10, 5, 5, 5, 5])
SUBSET_SUM = QueueTable.of([0, 0], [A, B, B, B, B, B, B], [B, A, A, A, A, A, A], [100, 23, 29, 49, 28, 31, 21])
PAIR_SUBSET = QueueTable.of([50, 0], [A, A, B], [B, B, A], [100, 100, 90])
STAR = QueueTable.of([0, 0, 4, 0], [0, 0, 0, 1, 2, 3], [1, 2, 3, 0, 0, 0], [30, 20, 10, 25, 25, 10])
DEADLOCK = QueueTable.of([0, 0], [A, B, B, B, B], [B, A, A, A, A], [73, 17, 23, 31, 41])
NO_DEADLOCK = QueueTable.of([0, 0], [A, B, B, B, B], [B, A, A, A, A], [72, 17, 23, 31, 41])
UNEQUAL_RING = QueueTable.of([0, 0, 0], [A, B, C], [B, C, A], [10, 8, 6])
UNEQUAL_RING_FUNDED = QueueTable.of([4, 0, 0], [A, B, C], [B, C, A], [10, 8, 6])
SIX_OFFERS = QueueTable.of([10, 8], [A, B, A, B, A, B], [B, A, B, A, B, A], [20, 15, 30, 12, 15, 80])
ONE_BY_ONE = QueueTable.of([100, 0], [A, A], [B, B], [60, 60])


def ring(accounts: int, amount: int = 7) -> QueueTable:
    """Equal payments round a ring, no money."""
    row = np.arange(accounts)
    return QueueTable.of(np.zeros(accounts), row, (row + 1) % accounts, np.full(accounts, amount))


@pytest.mark.parametrize(
    ("queue", "best"),
    [
        pytest.param(FIGURE_8, 30, id="figure-8: two cycles through one payment"),
        pytest.param(SUBSET_SUM, 200, id="subset sum: 100 against 23, 49 and 28"),
        pytest.param(PAIR_SUBSET, 190, id="pair subset: one 100 and the 90"),
        pytest.param(STAR, 20, id="star: only the pair of equals"),
        pytest.param(DEADLOCK, 0, id="true deadlock"),
        pytest.param(NO_DEADLOCK, 144, id="one unit less, and the deadlock is none"),
        pytest.param(UNEQUAL_RING, 0, id="unequal ring"),
        pytest.param(UNEQUAL_RING_FUNDED, 24, id="unequal ring with 4 at A"),
        pytest.param(SIX_OFFERS, 62, id="published six payments of two banks"),
        pytest.param(ONE_BY_ONE, 60, id="two payments, money for one"),
    ],
)
def test_rising_prices_finds_the_best(queue: QueueTable, best: int) -> None:
    assert queue.value(find("rising-prices").solve(queue)) == best


@pytest.mark.parametrize("accounts", [3, 4, 7, 20, 50])
@pytest.mark.parametrize(
    "name", ["take-out-last", "take-out-best-fit", "account-knapsack", "simple-cycles", "rising-prices"]
)
def test_a_ring_settles_whole(name: str, accounts: int) -> None:
    assert find(name).solve(ring(accounts)).all()


@pytest.mark.parametrize("name", ["put-in-arrival", "put-in-largest", "put-in-smallest"])
def test_one_by_one_never_starts_a_ring(name: str) -> None:
    assert not find(name).solve(ring(5)).any()


@pytest.mark.parametrize("name", ["take-out-last", "lp-rounding", "rising-prices"])
def test_figure_8_settles_by_what_looks_at_all_accounts(name: str) -> None:
    assert find(name).solve(FIGURE_8).all()


def test_a_single_cycle_does_not_solve_figure_8() -> None:
    assert not find("simple-cycles").solve(FIGURE_8).any()


@pytest.mark.parametrize("name", ["account-knapsack", "rising-prices"])
def test_the_subset_sum_is_exact(name: str) -> None:
    """81 of 181 have to go: 29, 31 and 21, and no other set."""
    settled = find(name).solve(SUBSET_SUM)
    assert SUBSET_SUM.amount[settled].tolist() == [100, 23, 49, 28]


@pytest.mark.parametrize("name", ["take-out-last", "take-out-largest", "take-out-smallest", "take-out-best-fit"])
def test_take_out_gives_up_one_of_two_that_cannot_both_be_funded(name: str) -> None:
    assert find(name).solve(ONE_BY_ONE).sum() == 1


def test_what_is_given_up_comes_back_when_it_can_be_funded() -> None:
    """5 too much: the 4 is given up, 1 is still missing, the 5 is given up too; 4 are left, so the 4 comes back."""
    queue = QueueTable.of([13, 0], [A, A, A], [B, B, B], [4, 5, 9])
    assert find("take-out-smallest").solve(queue).tolist() == [True, False, True]


def test_best_fit_gives_up_the_smallest_that_covers_the_deficit() -> None:
    queue = QueueTable.of([20, 0], [A, A, A, A], [B, B, B, B], [3, 9, 7, 12])  # 11 too much
    assert find("take-out-best-fit").solve(queue).tolist() == [True, True, True, False]
    assert find("take-out-smallest").solve(queue).tolist() == [False, False, True, True]


def test_an_account_below_zero_passes_on_what_it_receives() -> None:
    queue = QueueTable.of([-50, 30], [B, A], [A, B], [30, 30])
    for name in ("take-out-last", "simple-cycles", "account-knapsack", "rising-prices"):
        assert find(name).solve(queue).all()
