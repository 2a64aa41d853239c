"""One queue, one matching: value, bound and gap."""

from __future__ import annotations

import pytest

from cnaps_sim.optimise.match import compare_queue, match_queue
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.registry import names
from cnaps_sim.words.errors import InputError

UBIN = QueueTable.of([10, 8], [0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0], [20, 15, 30, 12, 15, 80])


def test_a_matching_tells_value_bound_gap_and_proof() -> None:
    matched = match_queue(UBIN, "exact")
    assert (matched.value, matched.bound, matched.proven) == (62, 138, 62)
    assert matched.gap == 1 - 62 / 138
    assert matched.seconds >= 0
    assert match_queue(UBIN).value == 47


def test_the_bound_itself_settles_nothing() -> None:
    matched = match_queue(UBIN, "lp")
    assert (matched.value, matched.gap) == (0, 1)


def test_a_bound_of_0_leaves_no_gap() -> None:
    assert match_queue(QueueTable.of([0, 0], [0], [1], [5]), "exact").gap == 0


def test_all_are_compared_in_documented_order_under_one_bound() -> None:
    found = compare_queue(UBIN)
    assert [matched.algorithm.name for matched in found] == names()
    assert {matched.bound for matched in found} == {138}
    best = next(matched.value for matched in found if matched.algorithm.exact)
    assert all(matched.value <= best for matched in found)


def test_an_unknown_algorithm_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no such algorithm"):
        match_queue(UBIN, "best")
