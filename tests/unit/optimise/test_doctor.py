"""The gridlock doctor's findings, and the sentences in which it tells them."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.optimise import doctor, exact
from cnaps_sim.optimise.doctor import Diagnosis, diagnose, injection
from cnaps_sim.optimise.doctor_words import sentences
from cnaps_sim.optimise.exact import solve_exactly
from cnaps_sim.optimise.queue_table import QueueTable

NAMES = ("A", "B", "C", "D", "E")


def told(queue: QueueTable, found: Diagnosis | None = None, best_fen: int | None = None) -> list[str]:
    ids = [f"P{row + 1}" for row in range(len(queue))]
    return sentences(queue, found or diagnose(queue), NAMES, ids, best_fen)


def test_a_clear_queue_needs_nothing() -> None:
    assert told(QueueTable.of([500, 0], [0, 1], [1, 0], [500, 300])) == [
        "Clear: released one by one in queue order, every payment settles; no matching is needed.",
        "No new money is needed: the whole queue settles in one net.",
    ]
    assert told(QueueTable.of([5, 0], [], [], [])) == ["Clear: nothing is queued."]


def test_a_ring_is_told_as_a_ring() -> None:
    """One payment settles by itself; of the rest the smallest set is shown, a cycle."""
    queue = QueueTable.of(
        [0, 0, 0, 100, 0], [3, 0, 1, 2, 4], [4, 1, 2, 0, 0], [100, 1_000, 1_000, 1_000, 99_900]
    )  # fmt: skip
    found = diagnose(queue)
    assert found.released.tolist() == [True, False, False, False, False]
    assert found.witness is not None
    assert np.flatnonzero(found.witness).tolist() == [1, 2, 3]
    assert told(queue, found) == [
        "Gridlock: 1 of 5 payments settles one by one, then each account waits for money from another; in queue "
        "order P2, P3 and P4 settle together (A → B → C → A).",
        "CNY 998 of new money at E clears the whole queue.",
        "Keeping the queue order costs at most 3.125 %: it settles CNY 31 of CNY 32, the most that any matching could "
        "settle.",
    ]
    assert told(queue, found, solve_exactly(queue).value)[2] == (
        "Keeping the queue order costs nothing: it settles CNY 31, the most that can settle."
    )


def test_a_deadlock_in_order_that_another_order_frees() -> None:
    queue = QueueTable.of([0, 400], [0, 0, 1], [1, 1, 0], [9_000, 500, 600])
    found = diagnose(queue)
    assert (found.diagnosis, found.diagnosis_free) == ("deadlock", "gridlock")
    assert told(queue, found)[0] == (
        "Deadlock in queue order: none of 3 payments settles one by one, and no payments that keep each account's "
        "order can settle together. Without the order it is a gridlock: P2 and P3 settle together (A → B → A)."
    )
    assert told(queue, found)[1] == "CNY 89 of new money at A clears the whole queue."


def test_a_single_payment_behind_a_large_one_is_witness_enough() -> None:
    queue = QueueTable.of([600, 0], [0, 0], [1, 1], [9_000, 500])
    assert "it is a gridlock: P2 settles." in told(queue)[0]


def test_a_true_deadlock_says_that_only_new_money_helps() -> None:
    queue = QueueTable.of([0, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0], [7300, 1700, 2300, 3100, 4100])
    found = diagnose(queue)
    assert (found.diagnosis, found.diagnosis_free, found.witness, found.witness_free) == (
        "deadlock", "deadlock", None, None
    )  # fmt: skip
    assert told(queue, found)[0] == (
        "Deadlock: none of 5 payments settles one by one, and no set of the others can settle together, in queue "
        "order or in any other; only new money helps."
    )
    assert found.fifo_cost() == 1
    assert found.fifo_cost(0) == 0


def test_what_was_not_decided_is_not_called_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "any_choice", lambda *_: (None, False))
    queue = QueueTable.of([0, 0], [0, 1], [1, 0], [7, 5])
    found = diagnose(queue)
    assert (found.diagnosis, found.diagnosis_free, found.witness_free) == ("deadlock", "undecided", None)
    assert told(queue, found)[0].endswith(
        "Whether some can in another order was not decided within the limit of the search."
    )


def test_sixty_payments_against_one_are_decided_or_said_not_to_be() -> None:
    """A subset of even amounts never adds up to an odd one; the search may or may not find that out."""
    draws = np.random.default_rng(1)
    small = draws.integers(10**8, 10**9, 60) * 2
    queue = QueueTable.of([0, 0], [0] + [1] * 60, [1] + [0] * 60, [int(small.sum() // 4) * 2 + 1, *small])
    assert diagnose(queue, nodes=1).diagnosis_free in ("deadlock", "undecided")


def test_several_accounts_that_need_money_are_named_largest_first() -> None:
    queue = QueueTable.of([0, 100, 0, 0], [0, 1, 2], [3, 3, 3], [200, 900, 500])
    assert injection(queue).tolist() == [200, 800, 500, 0]
    assert (
        told(queue)[1] == "CNY 15 of new money clears the whole queue: B needs CNY 8, C needs CNY 5 and A needs CNY 2."
    )


def test_many_names_are_cut_short() -> None:
    count = 30
    queue = QueueTable.of(np.zeros(count + 1), np.arange(count), np.full(count, count), np.full(count, 150))
    ids = [str(row) for row in range(count)]
    needs = sentences(queue, diagnose(queue), [f"N{row}" for row in range(count + 1)], ids)[1]
    assert needs.endswith("N4 needs CNY 1.50 and 25 more accounts.")


def test_less_than_nothing_available_is_filled_up_only_if_the_account_owes() -> None:
    assert injection(QueueTable.of([-5, 0], [0, 1], [1, 0], [8, 6])).tolist() == [7, 0]
    assert injection(QueueTable.of([-5, 0], [0, 1], [1, 0], [6, 6])).tolist() == [0, 0]


@pytest.mark.parametrize("searched", [20, 0])
def test_a_witness_without_order_is_as_small_as_can_be(searched: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of three behind heads that nobody can fund, and a larger one beside it."""
    monkeypatch.setattr(exact, "MOST_SEARCHED", searched)
    ring = [(0, 1, 5), (1, 2, 5), (2, 0, 5), (3, 4, 7), (4, 3, 7)]
    rows = [(bank, (bank + 1) % 5, 1_000 + bank) for bank in range(5)] + ring
    debtor, creditor, amount = ([row[column] for row in rows] for column in range(3))
    found = diagnose(QueueTable.of([0] * 5, debtor, creditor, amount))
    assert found.diagnosis_free == "gridlock"
    assert found.witness_free is not None
    assert int(found.witness_free.sum()) in (2, 3)


def test_a_large_witness_is_not_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_MOST_SHRUNK", 2)
    found = diagnose(QueueTable.of([0, 0, 0], [0, 1, 2], [1, 2, 0], [5, 5, 5]))
    assert found.witness is not None
    assert found.witness.all()
