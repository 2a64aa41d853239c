"""The replay agrees with posting one transfer after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.audit.replay import Replay

accounts = st.integers(0, 4)
postings = st.lists(st.tuples(accounts, accounts, st.integers(1, 10**17)), max_size=30)


@given(st.lists(st.integers(-(10**17), 10**17), min_size=5, max_size=5), postings)
def test_a_replay_is_posting_one_by_one(opening: list[int], moves: list[tuple[int, int, int]]) -> None:
    balance, lowest, after = list(opening), list(opening), []
    for debtor, creditor, amount in moves:
        balance[debtor] -= amount
        after.append(balance[debtor])
        lowest[debtor] = min(lowest[debtor], balance[debtor])
        balance[creditor] += amount
    debtors, creditors, amounts = (np.array([move[k] for move in moves], np.int64) for k in range(3))
    replay = Replay(np.array(opening), debtors, creditors, amounts)
    assert replay.closing().tolist() == balance
    assert replay.lowest().tolist() == lowest
    assert replay.debtor_after().tolist() == after


def test_more_accounts_than_sixteen_bits_are_replayed() -> None:
    opening = np.zeros(70_000, np.int64)
    replay = Replay(opening, np.array([69_999, 1]), np.array([1, 69_999]), np.array([5, 3]))
    assert replay.closing()[[1, 69_999]].tolist() == [2, -2]
    assert replay.lowest()[[1, 69_999]].tolist() == [0, -5]
