"""Whole numbers divided in proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.workload.shares import largest_remainder


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),  # equal remainders: the earlier one
        (100, [20, 60, 920], [2, 6, 92]),
        (1, [1, 3, 2], [0, 1, 0]),
        (0, [1, 2], [0, 0]),
        (7, [0, 5], [0, 7]),
    ],
)
def test_parts_are_rounded_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert largest_remainder(total, weights) == parts


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1).filter(any))
def test_parts_add_up_and_stay_within_one_of_their_share(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0]), (-1, [1]), (1, [2, -1])])
def test_shares_that_make_no_sense_are_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="shares need"):
        largest_remainder(total, weights)
