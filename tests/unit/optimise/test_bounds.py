"""Bounds on the liquidity of a day."""

from __future__ import annotations

from collections import deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.optimise.bounds import account_bounds, net_paths

Payments = list[tuple[int, int, int]]
N = 4


@st.composite
def days(draw: st.DrawFn) -> Payments:
    pair = st.permutations(range(N)).map(lambda order: order[:2])
    payments = draw(st.lists(st.tuples(pair, st.integers(1, 12)), max_size=14))
    return [(debtor, creditor, amount) for (debtor, creditor), amount in payments]


def bounds(payments: Payments, n: int = N) -> tuple[list[int], list[int]]:
    columns = np.array(payments, np.int64).reshape(-1, 3)
    lower, upper = account_bounds(n, columns[:, 0], columns[:, 1], columns[:, 2])
    return lower.tolist(), upper.tolist()


def plain_fifo(opening: list[int], payments: Payments) -> tuple[int, int]:
    """Payments that had to wait and payments never settled, in strict order without matching."""
    balance = list(opening)
    queues: list[deque[tuple[int, int, int]]] = [deque() for _ in opening]
    waited = 0
    for payment in payments:
        queues[payment[0]].append(payment)
        before = sum(map(len, queues))
        settle(balance, queues)
        waited += sum(map(len, queues)) == before
    return waited, sum(map(len, queues))


def settle(balance: list[int], queues: list[deque[tuple[int, int, int]]]) -> None:
    moved = True
    while moved:
        moved = False
        for queue in queues:
            if queue and balance[queue[0][0]] >= queue[0][2]:
                debtor, creditor, amount = queue.popleft()
                balance[debtor] -= amount
                balance[creditor] += amount
                moved = True


def test_the_toy_day_needs_60_at_most_and_30_at_least() -> None:
    """A pays B 60, B pays C 50, C pays A 40, A pays C 10."""
    assert bounds([(0, 1, 60), (1, 2, 50), (2, 0, 40), (0, 2, 10)], 3) == ([30, 0, 0], [60, 0, 0])


def test_no_payment_needs_no_liquidity() -> None:
    assert bounds([], 3) == ([0, 0, 0], [0, 0, 0])


def test_an_account_that_pays_nothing_needs_nothing() -> None:
    assert bounds([(0, 1, 7)], 3) == ([7, 0, 0], [7, 0, 0])


def test_more_accounts_than_a_short_integer_counts_are_told_apart() -> None:
    lower, upper = account_bounds(70_000, np.array([0, 69_999]), np.array([65_536, 0]), np.array([5, 9]))
    assert np.flatnonzero(lower).tolist() == [69_999]
    assert np.flatnonzero(upper).tolist() == [0, 69_999]


def test_running_totals_past_63_bits_do_not_disturb_another_account() -> None:
    """Sums run over all accounts together; every account's own total is far below 2^63."""
    huge = 90_000_000_000_000_000
    pairs = [(account, account + 1, huge) for account in range(0, 300, 2)]
    assert bounds(pairs, 301)[1] == [huge if account % 2 == 0 and account < 300 else 0 for account in range(301)]


@given(days())
def test_bounds_are_what_a_plain_loop_says(payments: Payments) -> None:
    net, peak = [0] * N, [0] * N
    for debtor, creditor, amount in payments:
        net[debtor] += amount
        net[creditor] -= amount
        peak[debtor] = max(peak[debtor], net[debtor])
    assert bounds(payments) == ([max(0, owed) for owed in net], peak)


@given(days())
def test_with_the_upper_bounds_nothing_waits_in_plain_fifo(payments: Payments) -> None:
    assert plain_fifo(bounds(payments)[1], payments) == (0, 0)


@given(days())
def test_with_the_lower_bounds_one_full_net_settles_all(payments: Payments) -> None:
    balance = np.array(bounds(payments)[0])
    for debtor, creditor, amount in payments:
        balance[debtor] -= amount
        balance[creditor] += amount
    assert (balance >= 0).all()


@given(days(), st.integers(0, N - 1))
def test_one_fen_below_a_lower_bound_something_never_settles(payments: Payments, account: int) -> None:
    lower, upper = bounds(payments)
    if lower[account]:
        opening = [max(upper[other], 1_000) for other in range(N)]
        opening[account] = lower[account] - 1
        assert plain_fifo(opening, payments)[1] > 0


@given(days())
def test_a_path_gives_the_net_after_each_posting_of_an_account(payments: Payments) -> None:
    columns = np.array(payments, np.int64).reshape(-1, 3)
    paths = net_paths(N, columns[:, 0], columns[:, 1], columns[:, 2])
    ends = np.append(paths.start, len(paths.net_debit))[1:].tolist()
    for account, start, end in zip(paths.account.tolist(), paths.start.tolist(), ends, strict=True):
        net = 0
        own = [number for number, payment in enumerate(payments) if account in payment[:2]]
        assert paths.posting[start:end].tolist() == own
        for number, seen in zip(own, paths.net_debit[start:end].tolist(), strict=True):
            net += payments[number][2] if payments[number][0] == account else -payments[number][2]
            assert seen == net
