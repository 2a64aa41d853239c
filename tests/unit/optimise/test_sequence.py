"""Release and matching in queue order on tables; the cases with names are in tests/spec/matching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.core import Books
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.sequence import (
    Queues,
    bilateral,
    bilateral_then_multilateral,
    bypass,
    fifo,
    multilateral,
    multilateral_within,
    rest,
)
from cnaps_sim.words.codes import Act, Cause, Discipline, Phase

N = 5


@st.composite
def queues(draw: st.DrawFn) -> QueueTable:
    pair = st.permutations(range(N)).map(lambda order: order[:2])
    rows = draw(st.lists(st.tuples(pair, st.integers(1, 9), st.sampled_from([1, 6, 7])), max_size=14))
    rows.sort(key=lambda row: row[2])
    available = draw(st.lists(st.integers(-4, 12), min_size=N, max_size=N))
    debtor, creditor = [row[0][0] for row in rows], [row[0][1] for row in rows]
    return QueueTable.of(available, debtor, creditor, [row[1] for row in rows], [row[2] for row in rows])


def as_the_books_do(queue: QueueTable, discipline: Discipline) -> list[int]:
    """The same queue in the books: everything waits until all accounts are retried in row order."""
    books = Books([{"balance": 1_000, "debit_control": True} for _ in range(N)], discipline=discipline)
    books.set_phase(Phase.DAYTIME)
    for row in range(len(queue)):
        columns = (queue.debtor, queue.creditor, queue.amount, queue.level)
        assert books.submit(0, row, *(int(column[row]) for column in columns)) is Act.QUEUED
    books.accounts["balance"] = queue.available
    books.accounts["debit_control"] = False
    books.drain_log()
    books.retry_all(0, Cause.LIMIT)
    log = books.drain_log()
    return sorted(log["sequence"][log["act"] == Act.SETTLED].tolist())


@settings(max_examples=150, deadline=None)
@given(queues(), st.sampled_from([Discipline.FIFO, Discipline.BYPASS]))
def test_one_by_one_release_is_that_of_the_books(queue: QueueTable, discipline: Discipline) -> None:
    release = fifo if discipline is Discipline.FIFO else bypass
    assert np.flatnonzero(release(queue)).tolist() == as_the_books_do(queue, discipline)


@settings(max_examples=100, deadline=None)
@given(queues())
def test_each_account_s_queue_is_its_rows_in_order(queue: QueueTable) -> None:
    lined_up = Queues.of(queue)
    for account in range(queue.accounts):
        own = lined_up.order[lined_up.start[account] : lined_up.start[account + 1]]
        assert own.tolist() == np.flatnonzero(queue.debtor == account).tolist()


@settings(max_examples=100, deadline=None)
@given(queues())
def test_after_bilateral_matching_no_pair_has_anything_left_to_match(queue: QueueTable) -> None:
    chosen = bilateral(queue)
    assert not len(queue.blocking(chosen))
    left = rest(queue, chosen)
    for one in range(N):
        for two in range(one):
            pair = ((left.debtor == one) & (left.creditor == two)) | ((left.debtor == two) & (left.creditor == one))
            usable = np.maximum(queue.available, 0) + left.available - queue.available
            between = QueueTable(usable, left.debtor[pair], left.creditor[pair], left.amount[pair], left.level[pair])
            assert not multilateral(between).any()


@settings(max_examples=100, deadline=None)
@given(queues())
def test_bilateral_then_multilateral_settles_at_least_the_bilateral_part(queue: QueueTable) -> None:
    chosen = bilateral_then_multilateral(queue)
    assert not (bilateral(queue) & ~chosen).any()
    assert not len(queue.blocking(chosen))


def test_an_account_with_less_than_nothing_may_pass_on_what_it_receives_and_no_more() -> None:
    queue = QueueTable.of([-5, 10], [0, 1], [1, 0], [7, 7])
    assert multilateral(queue).all()
    assert fifo(queue).tolist() == [False, True]
    assert multilateral(QueueTable.of([-5, 10], [0, 1], [1, 0], [8, 7])).tolist() == [False, True]


def test_a_bilateral_limit_drops_the_sender_s_last_payment_whoever_it_is_for() -> None:
    queue = QueueTable.of([20, 0, 0], [0, 0, 1], [1, 2, 0], [10, 5, 3])
    assert multilateral(queue).all()
    assert multilateral_within(queue, [(0, 1, 7)]).all()
    assert multilateral_within(queue, [(0, 1, 6)]).tolist() == [False, False, False]
    assert multilateral_within(QueueTable.of([20, 3, 0], [0, 0, 1], [1, 2, 0], [10, 5, 3]), [(0, 1, 6)]).tolist() == [
        False, False, True
    ]  # fmt: skip


@pytest.mark.parametrize("release", [fifo, bypass, bilateral, multilateral])
def test_no_accounts_or_no_payments_are_no_trouble(release: object) -> None:
    assert callable(release)
    assert len(release(QueueTable.of([], [], [], []))) == 0
    assert len(release(QueueTable.of([5], [], [], []))) == 0


def test_totals_up_to_the_largest_number_stay_exact() -> None:
    huge = 9_000_000_000_000_000_000
    queue = QueueTable.of([0, 0, huge], [0, 1], [1, 0], [huge - 1, huge - 1])
    assert multilateral(queue).all()
    assert bilateral(queue).all()
