"""The exact answer and the program behind it."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from cnaps_sim.optimise import exact, milp
from cnaps_sim.optimise.exact import any_choice, movable, repaired, solve_exactly, with_time
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.milp import Columns, Cut, Limits, propose
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.sequence import multilateral, usable
from cnaps_sim.words.errors import InputError


def random_queue(seed: int, accounts: int, count: int, tight: float = 0.2, largest: int = 10**8) -> QueueTable:
    draws = np.random.default_rng(seed)
    debtor = draws.integers(0, accounts, count)
    creditor = (debtor + draws.integers(1, accounts, count)) % accounts
    available = draws.integers(0, int(largest * tight), accounts)
    return QueueTable.of(available, debtor, creditor, draws.integers(1, largest, count))


@pytest.mark.parametrize(("seed", "accounts", "count"), [(1, 30, 80), (2, 40, 100), (3, 12, 60)])
def test_a_hundred_payments_are_proven(seed: int, accounts: int, count: int) -> None:
    queue = random_queue(seed, accounts, count)
    answer = solve_exactly(queue, Limits(nodes=5_000))
    assert answer.optimal
    assert answer.gap == 0
    assert queue.value(multilateral(queue)) <= answer.value <= bound_fen(queue)
    assert not len(queue.blocking(answer.chosen))


@pytest.mark.parametrize("seed", range(4))
def test_search_and_program_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = random_queue(seed, 5, 16, largest=10**9)
    searched = solve_exactly(queue)
    monkeypatch.setattr(exact, "MOST_SEARCHED", 0)
    solved = solve_exactly(queue)
    assert solved.value == searched.value
    assert searched.optimal
    assert solved.optimal


@pytest.mark.parametrize("seed", range(5))
def test_amounts_from_a_fen_to_ten_trillion_yuan_never_give_an_infeasible_set(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What floating point cannot tell apart is verified in whole numbers."""
    monkeypatch.setattr(exact, "MOST_SEARCHED", 0)
    draws = np.random.default_rng(seed)
    amount = (10.0 ** draws.uniform(0, 15, 40)).astype(np.int64) + 1
    debtor = draws.integers(0, 6, 40)
    creditor = (debtor + draws.integers(1, 6, 40)) % 6
    queue = QueueTable.of((10.0 ** draws.uniform(0, 13, 6)).astype(np.int64), debtor, creditor, amount)
    answer = solve_exactly(queue, Limits(nodes=50))
    assert not len(queue.blocking(answer.chosen))
    assert queue.value(answer.chosen) == answer.value <= answer.bound <= bound_fen(queue)


def test_a_fen_too_much_among_trillions_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A owes 10^15 + 1 and would receive 10^15: no floating-point tolerance may let it pass."""
    monkeypatch.setattr(exact, "MOST_SEARCHED", 0)
    trillion = 10**15
    queue = QueueTable.of([0, 0, 3], [0, 1, 2], [1, 0, 0], [trillion + 1, trillion, 3])
    assert solve_exactly(queue).chosen.tolist() == [True, True, True]
    short = QueueTable.of([0, 0, 0], [0, 1, 2], [1, 0, 0], [trillion + 1, trillion, 3])
    assert not solve_exactly(short).chosen.any()
    assert any_choice(short) == (None, True)


def test_work_is_limited_the_same_way_every_time() -> None:
    queue = random_queue(5, 10, 120)
    answers = [solve_exactly(queue, Limits(nodes=3)) for _ in range(2)]
    assert answers[0].chosen.tolist() == answers[1].chosen.tolist()
    assert answers[0].bound == answers[1].bound >= answers[0].value
    assert 0 <= answers[0].gap < 1


def test_a_limit_of_time_is_kept_and_a_known_choice_is_not_lost() -> None:
    queue = random_queue(6, 10, 300)
    known = solve_exactly(queue, Limits(nodes=1)).chosen
    answer = solve_exactly(queue, with_time(0.2), starts=[known])
    assert answer.value >= queue.value(known)


def test_a_start_at_the_bound_needs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = QueueTable.of(np.zeros(40), np.arange(40), (np.arange(40) + 1) % 40, np.full(40, 7))
    monkeypatch.setattr(exact, "propose", None)
    assert solve_exactly(queue).optimal


def test_payments_that_nobody_can_ever_fund_are_put_aside() -> None:
    """C owes more than it could have; then B, which only C would pay, is out too."""
    queue = QueueTable.of([5, 0, 1], [2, 1, 0], [1, 0, 2], [9, 4, 5])
    assert movable(queue).tolist() == [2]


def test_equal_payments_of_a_pair_are_one_column_and_the_earliest_are_taken() -> None:
    queue = QueueTable.of([10, 0, 0], [0, 0, 0, 1], [1, 2, 1, 0], [4, 4, 4, 6])
    columns = Columns.of(queue, np.arange(4))
    assert columns.most.tolist() == [2, 1, 1]
    assert columns.unit == 2
    taken = np.array([1, 0, 0])
    assert columns.choice(taken, 4).tolist() == [True, False, False, False]
    assert columns.counts(columns.choice(taken, 4)).tolist() == taken.tolist()


def test_a_cut_rules_out_a_choice() -> None:
    queue = QueueTable.of([10, 0], [0, 0], [1, 1], [6, 4])
    columns = Columns.of(queue, np.arange(2))
    free, _ = propose(columns, usable(queue), Limits(10))
    assert free is not None
    assert free.tolist() == [1, 1]
    amounts = columns.amount.tolist()
    both = Cut(np.array([0, 1]), np.zeros(0, np.int64))
    cut, bound = propose(columns, usable(queue), Limits(10), cuts=[both])
    assert cut is not None
    assert cut.tolist() == [int(fen == 6) for fen in amounts]
    assert bound == 6


def test_what_is_infeasible_is_repaired_by_the_smallest_payment_that_suffices() -> None:
    queue = QueueTable.of([5, 0], [0, 0, 0, 1], [1, 1, 1, 0], [4, 3, 9, 7])
    assert repaired(queue, np.ones(4, np.bool_)).tolist() == [False, True, True, True]


def only(*solvers: str) -> object:
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return real(name, package) if name in solvers or name not in ("highspy", "scipy") else None

    return find_spec


@pytest.mark.parametrize("seed", range(3))
def test_scipy_stands_in_where_highspy_has_no_wheel(
    seed: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("scipy")
    queue = random_queue(seed, 20, 60)
    usual = solve_exactly(queue, Limits(nodes=5_000))
    monkeypatch.setattr(milp, "find_spec", only("scipy"))
    other = solve_exactly(queue, Limits(nodes=5_000))
    assert other.value == usual.value
    assert other.optimal
    assert capfd.readouterr().out == ""


def test_without_a_solver_small_queues_are_still_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milp, "find_spec", only())
    assert solve_exactly(random_queue(1, 4, 12)).optimal
    with pytest.raises(InputError, match="highspy or scipy"):
        solve_exactly(random_queue(1, 20, 60))
