"""Theorems about matching, against brute force on small queues and against the mixed-integer program on larger ones.

With the sequence constraint: Bech and Soramäki (2001). Without it: Güntzer, Jungnickel and Leclerc (1998). What does
not hold has its counter-example here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.optimise.doctor import diagnose
from cnaps_sim.optimise.exact import any_choice, solve_exactly
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithms, first_passed, settle
from cnaps_sim.optimise.sequence import Limit, bilateral_fifo, fifo, multilateral, multilateral_within, rest

#: (debtor, creditor, fen) in queue order.
Payments = list[tuple[int, int, int]]
Release = Callable[[QueueTable], Chosen]
N = 4

#: Rules are compiled on first use, so a first case may take long.
many = settings(max_examples=100, deadline=None)


@st.composite
def payments(draw: st.DrawFn, most: int = 10, wide: bool = False) -> Payments:
    pair = st.permutations(range(N)).map(lambda order: order[:2])
    fen = st.sampled_from([1, 2, 3, 10**6, 10**6 + 1, 10**12, 10**12 + 3, 10**15]) if wide else st.integers(1, 9)
    return [(debtor, creditor, a) for (debtor, creditor), a in draw(st.lists(st.tuples(pair, fen), max_size=most))]


def funds(lowest: int = 0) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(lowest, 12), min_size=N, max_size=N)


@st.composite
def queues(draw: st.DrawFn, most: int = 10) -> QueueTable:
    levels = draw(st.lists(st.sampled_from([1, 6, 7]), min_size=most, max_size=most))
    rows = draw(payments(most))
    return table(draw(funds(-3)), rows, sorted(levels[: len(rows)]))


def table(available: Sequence[int], rows: Payments, level: Sequence[int] | None = None) -> QueueTable:
    debtor, creditor, amount = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return QueueTable.of(available, debtor, creditor, amount, level)


def random_queue(seed: int, accounts: int, count: int, tight: float) -> QueueTable:
    draws = np.random.default_rng(seed)
    debtor = draws.integers(0, accounts, count)
    creditor = (debtor + draws.integers(1, accounts, count)) % accounts
    available = draws.integers(0, max(int(tight * 1_000_000), 1), accounts)
    return QueueTable.of(available, debtor, creditor, draws.integers(1, 1_000_000, count))


def is_feasible(queue: QueueTable, chosen: Chosen) -> bool:
    return not len(queue.blocking(chosen))


def prefix_sets(queue: QueueTable) -> list[Chosen]:
    """Every choice that takes a leading run of each account's queue."""
    own = [np.flatnonzero(queue.debtor == account) for account in range(queue.accounts)]
    found = []
    for lengths in product(*(range(len(rows) + 1) for rows in own)):
        chosen = np.zeros(len(queue), np.bool_)
        for rows, length in zip(own, lengths, strict=True):
            chosen[rows[:length]] = True
        found.append(chosen)
    return found


def best_value(queue: QueueTable) -> int:
    """The most value of any feasible choice, by looking at all of them."""
    choices = (np.arange(2 ** len(queue))[:, None] >> np.arange(len(queue))) & 1
    moved = np.zeros((len(queue), queue.accounts), np.int64)
    for row in range(len(queue)):
        moved[row, queue.debtor[row]] -= queue.amount[row]
        moved[row, queue.creditor[row]] += queue.amount[row]
    closing = np.maximum(queue.available, 0) + choices @ moved
    value = choices @ queue.amount
    return int(value[(closing >= 0).all(axis=1)].max())


# with the sequence constraint -----------------------------------------------------------------------------------


def drop_in_any_order(queue: QueueTable, draws: Random) -> Chosen:
    """The definition, one drop at a time, deficient accounts in random order."""
    chosen = np.ones(len(queue), np.bool_)
    while True:
        closing = np.maximum(queue.available, 0) + queue.closing(chosen) - queue.available
        own = [np.flatnonzero(chosen & (queue.debtor == account)) for account in np.flatnonzero(closing < 0)]
        droppable = [rows for rows in own if len(rows)]
        if not droppable:
            return chosen
        chosen[draws.choice(droppable)[-1]] = False


@many
@given(queues(), st.randoms(use_true_random=False))
def test_the_answer_is_the_same_whatever_order_accounts_are_treated_in(queue: QueueTable, draws: Random) -> None:
    assert multilateral(queue).tolist() == drop_in_any_order(queue, draws).tolist()


@many
@given(queues(8))
def test_the_answer_contains_every_feasible_prefix_set(queue: QueueTable) -> None:
    answer = multilateral(queue)
    assert is_feasible(queue, answer)
    assert first_passed(queue, answer) is None
    for chosen in prefix_sets(queue):
        if is_feasible(queue, chosen):
            assert not (chosen & ~answer).any()


@many
@given(queues(6))
def test_feasible_prefix_sets_are_closed_under_union(queue: QueueTable) -> None:
    feasible = [chosen for chosen in prefix_sets(queue) if is_feasible(queue, chosen)]
    assert all(is_feasible(queue, one | two) for one in feasible[:20] for two in feasible[-20:])


@many
@given(queues(), st.lists(st.integers(0, 9), min_size=N, max_size=N))
def test_more_liquidity_never_shrinks_the_answer(queue: QueueTable, more: list[int]) -> None:
    richer = QueueTable(queue.available + np.array(more), queue.debtor, queue.creditor, queue.amount, queue.level)
    for release in (multilateral, fifo):
        assert not (release(queue) & ~release(richer)).any()


@pytest.mark.parametrize("seed", range(6))
def test_no_program_finds_a_better_prefix_set_among_hundreds(seed: int) -> None:
    queue = random_queue(seed, 8 + 4 * seed, 120 + 40 * seed, 0.5 + seed)
    answer = solve_exactly(queue, keeps_sequence=True)
    assert answer.optimal
    assert answer.chosen.tolist() == multilateral(queue).tolist()


@many
@given(queues())
def test_strict_release_does_not_depend_on_the_order_of_accounts(queue: QueueTable) -> None:
    flipped = QueueTable.of(
        queue.available[::-1], N - 1 - queue.debtor, N - 1 - queue.creditor, queue.amount, queue.level
    )
    assert fifo(queue).tolist() == fifo(flipped).tolist()


@many
@given(queues())
def test_what_keeps_the_order_lies_inside_one_another(queue: QueueTable) -> None:
    """One by one, pair by pair, all together."""
    if (queue.available < 0).any():  # one by one, less than nothing must be filled up before an account pays
        assert not (fifo(queue) & ~multilateral(queue)).any()
        return
    assert not (fifo(queue) & ~bilateral_fifo(queue)).any()
    assert not (bilateral_fifo(queue) & ~multilateral(queue)).any()


# bilateral limits -----------------------------------------------------------------------------------------------


@st.composite
def limits(draw: st.DrawFn) -> list[Limit]:
    pairs = draw(st.lists(st.permutations(range(N)).map(lambda order: (order[0], order[1])), unique=True, max_size=4))
    return [(debtor, creditor, draw(st.integers(0, 9))) for debtor, creditor in pairs]


def within(queue: QueueTable, chosen: Chosen, most: list[Limit]) -> bool:
    def sent(debtor: int, creditor: int) -> int:
        return int(queue.amount[chosen & (queue.debtor == debtor) & (queue.creditor == creditor)].sum())

    return all(sent(debtor, creditor) - sent(creditor, debtor) <= fen for debtor, creditor, fen in most)


@many
@given(queues(8), limits())
def test_under_bilateral_limits_the_answer_is_still_the_largest(queue: QueueTable, most: list[Limit]) -> None:
    answer = multilateral_within(queue, most)
    assert is_feasible(queue, answer)
    assert within(queue, answer, most)
    for chosen in prefix_sets(queue):
        if is_feasible(queue, chosen) and within(queue, chosen, most):
            assert not (chosen & ~answer).any()


@many
@given(queues(8), limits(), st.lists(st.integers(0, 9), min_size=N, max_size=N))
def test_under_bilateral_limits_more_liquidity_or_room_never_shrinks_it(
    queue: QueueTable, most: list[Limit], more: list[int]
) -> None:
    answer = multilateral_within(queue, most)
    richer = QueueTable(queue.available + np.array(more), queue.debtor, queue.creditor, queue.amount, queue.level)
    wider = [(debtor, creditor, fen + 1) for debtor, creditor, fen in most]
    assert not (answer & ~multilateral_within(richer, most)).any()
    assert not (answer & ~multilateral_within(queue, wider)).any()


# in the course of a day -----------------------------------------------------------------------------------------


class Day:
    """Payments that arrive one after another, and what has settled so far; released by whatever is asked for."""

    def __init__(self, opening: Sequence[int]) -> None:
        self.available = np.array(opening, np.int64)
        self.waiting: list[int] = []
        self.rows: Payments = []
        self.levels: list[int] = []
        self.settled: dict[int, int] = {}
        self.now = 0

    def arrive(self, row: tuple[int, int, int], level: int = 7) -> None:
        self.now += 1
        self.waiting.append(len(self.rows))
        self.rows.append(row)
        self.levels.append(level)
        self.waiting.sort(key=lambda number: self.levels[number])
        self.release(fifo)

    def release(self, choose: Release) -> None:
        levels = [self.levels[number] for number in self.waiting]
        queue = table(self.available.tolist(), [self.rows[number] for number in self.waiting], levels)
        chosen = choose(queue)
        self.settled |= {number: self.now for number, out in zip(self.waiting, chosen, strict=True) if out}
        self.waiting = [number for number, out in zip(self.waiting, chosen, strict=True) if not out]
        self.available = queue.closing(chosen)


def play(opening: Sequence[int], rows: Payments, choose: Release) -> dict[int, int]:
    """When each payment settles if the queue is released by `choose` after every arrival."""
    day = Day(opening)
    for row in rows:
        day.arrive(row)
        day.release(choose)
    return day.settled


@many
@given(funds(), payments(12), st.lists(st.sampled_from([None, bilateral_fifo, multilateral]), min_size=12, max_size=12))
def test_after_a_matching_all_that_has_settled_is_the_answer_for_the_whole_history(
    opening: list[int], rows: Payments, before: list[Release | None]
) -> None:
    """One level, no other change of money: whatever ran before."""
    day = Day(opening)
    for number, row in enumerate(rows):
        day.arrive(row)
        choose = before[number]
        if choose is not None:
            day.release(choose)
        if choose is multilateral:
            whole = multilateral(table(opening, rows[: number + 1]))
            assert sorted(day.settled) == np.flatnonzero(whole).tolist()


@many
@given(funds(), payments(12))
def test_continuous_matching_settles_each_payment_no_later_than_other_orderly_release(
    opening: list[int], rows: Payments
) -> None:
    continuous = play(opening, rows, multilateral)
    for other in (fifo, bilateral_fifo):
        for number, settled_at in play(opening, rows, other).items():
            assert continuous[number] <= settled_at


@many
@given(funds(), payments(6), st.integers(1, 4))
def test_split_pieces_are_ordinary_payments(opening: list[int], rows: Payments, piece: int) -> None:
    pieces = [
        (debtor, creditor, size)
        for debtor, creditor, fen in rows
        for size in [piece] * (fen // piece) + ([fen % piece] if fen % piece else [])
    ]
    settled = play(opening, pieces, multilateral)
    assert sorted(settled) == np.flatnonzero(multilateral(table(opening, pieces))).tolist()


A, B, C, D = range(N)
URGT, NORM = 1, 7


def test_with_two_levels_the_answer_for_the_history_may_be_another_set() -> None:
    """A holds 10: a NORM payment of 10 settles, then an URGT one arrives; of both together only that would settle."""
    day = Day([10, 0, 0, 0])
    day.arrive((A, B, 10), NORM)
    day.arrive((A, B, 10), URGT)
    day.release(multilateral)
    assert list(day.settled) == [0]
    assert multilateral(table([10, 0, 0, 0], [(A, B, 10), (A, B, 10)], [URGT, NORM])).tolist() == [True, False]


@pytest.mark.parametrize(("choose", "value"), [(fifo, 10), (multilateral, 8)])
def test_with_two_levels_continuous_matching_may_settle_less_than_plain_fifo(choose: Release, value: int) -> None:
    day = Day([5, 0, 0, 0])
    for row, level in (((A, B, 6), NORM), ((B, A, 2), NORM), ((A, C, 5), URGT), ((C, D, 5), NORM)):
        day.arrive(row, level)
        day.release(choose)
    assert sum(day.rows[number][2] for number in day.settled) == value


# without the sequence constraint --------------------------------------------------------------------------------


@many
@given(queues(11))
def test_the_exact_answer_is_that_of_brute_force_and_under_the_bound(queue: QueueTable) -> None:
    answer = solve_exactly(queue)
    assert answer.optimal
    assert is_feasible(queue, answer.chosen)
    assert answer.value == queue.value(answer.chosen) == best_value(queue) <= bound_fen(queue)


@many
@given(st.lists(st.sampled_from([0, 1, 2, 10**6, 10**12]), min_size=N, max_size=N), payments(9, wide=True))
def test_amounts_from_a_fen_to_ten_trillion_yuan_are_exact(opening: list[int], rows: Payments) -> None:
    queue = table(opening, rows)
    answer = solve_exactly(queue)
    assert is_feasible(queue, answer.chosen)
    assert answer.value == best_value(queue) <= bound_fen(queue)


@many
@given(queues(10))
def test_a_set_is_found_if_and_only_if_there_is_one(queue: QueueTable) -> None:
    found, certain = any_choice(queue)
    assert certain
    assert (found is not None) == (best_value(queue) > 0)
    assert found is None or (found.any() and is_feasible(queue, found))


@many
@given(queues(10))
def test_every_algorithm_settles_a_feasible_set_and_none_beats_the_exact_one(queue: QueueTable) -> None:
    best = best_value(queue)
    for item in algorithms():
        chosen = settle(item, queue)
        assert queue.value(chosen) <= best
        if item.exact:
            assert queue.value(chosen) == best


@many
@given(queues(8))
def test_the_diagnosis_is_what_brute_force_finds(queue: QueueTable) -> None:
    found = diagnose(queue)
    left = rest(queue, fifo(queue))
    orderly = any(chosen.any() and is_feasible(left, chosen) for chosen in prefix_sets(left))
    free = best_value(left) > 0
    assert found.diagnosis == ("clear" if not len(left) else "gridlock" if orderly else "deadlock")
    assert found.diagnosis_free == ("clear" if not len(left) else "gridlock" if free else "deadlock")
    for witness, orderly_one in ((found.witness, True), (found.witness_free, False)):
        if witness is not None:
            assert witness.any()
            assert not (witness & found.released).any()
            assert is_feasible(left, witness[~found.released])
            assert not orderly_one or first_passed(left, witness[~found.released]) is None
    assert (found.witness is None) == (found.diagnosis != "gridlock")
    assert (found.witness_free is None) == (found.diagnosis_free != "gridlock")


@many
@given(queues(10))
def test_the_injection_clears_the_queue_and_nothing_less_does(queue: QueueTable) -> None:
    needed = diagnose(queue).injection
    for account in [None, *np.flatnonzero(needed).tolist()]:
        given_fen = needed.copy()
        if account is not None:
            given_fen[account] -= 1
        topped = QueueTable(queue.available + given_fen, queue.debtor, queue.creditor, queue.amount, queue.level)
        assert multilateral(topped).all() == (account is None)
        assert solve_exactly(topped).chosen.all() == (account is None)
