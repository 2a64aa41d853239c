"""Access: accounts of one owner apart and pooled; the part of the report about it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import access, liquidity
from cnaps_sim.analysis.report.page import render
from cnaps_sim.optimise.bounds import account_bounds


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


@pytest.fixture
def two_branches(hand_made: Any) -> Any:
    """The bank's branches pay 80 and get 30, and get 30: apart they need 50 and -30, pooled 20."""
    rows = [
        hand_made.payment(0, "A-01", "B", 80, "09:00"),
        hand_made.payment(1, "B", "A-02", 30, "10:00"),
        hand_made.payment(2, "B", "A-01", 30, "11:00"),
        hand_made.payment(3, "A-02", "A-01", 5, "12:00"),
    ]
    accounts = [
        hand_made.account("A-01", 90, 10, owner="A"),
        hand_made.account("A-02", 10, 10, owner="A"),
        hand_made.account("B", 0, 0),
    ]
    return hand_made.make_run(rows, accounts, scenario={"access": "branches"})


def test_two_branches_apart_and_pooled(two_branches: Any) -> None:
    found = access(two_branches, by="owner")
    assert values(found[found["owner"] == "A"]) == {
        "entities": 1,
        "accounts": 2,
        "opening": 10_000,
        "peak_used": 8_000,
        "pooled_peak_used": 8_000,
        "lower_bound": 4_500,  # A-02 sends A-01 five of what it has got
        "pooled_lower_bound": 2_000,
        "upper_bound": 8_000,
        "pooled_upper_bound": 8_000,
        "inside": 500,
    }


def test_what_one_branch_lacks_the_other_has(hand_made: Any) -> None:
    rows = [hand_made.payment(0, "B", "A-02", 30, "08:00"), hand_made.payment(1, "A-01", "B", 50, "09:00")]
    accounts = [
        hand_made.account("A-01", 50, 0, owner="A"),
        hand_made.account("A-02", 0, 0, owner="A"),
        hand_made.account("B", 30, 0),
    ]
    found = values(access(hand_made.make_run(rows, accounts), where={"owner": "A"}))
    assert (found["lower_bound"], found["pooled_lower_bound"]) == (5_000, 2_000)
    assert (found["peak_used"], found["pooled_peak_used"]) == (5_000, 2_000)


def test_what_one_matching_settles_is_used_when_all_is_posted(hand_made: Any) -> None:
    """Three accounts in a ring that a matching clears: posted one by one, the first leg would look like a use."""
    ring = [("A", "B"), ("B", "C"), ("C", "A")]
    rows = [
        hand_made.payment(place, debtor, creditor, 100, "09:00", **hand_made.waiting("10:00", "matching:1"))
        for place, (debtor, creditor) in enumerate(ring)
    ]
    found = values(access(hand_made.make_run(rows)))
    assert (found["peak_used"], found["pooled_peak_used"]) == (0, 0)


def test_with_one_account_per_owner_nothing_is_to_be_saved(toy_day: Any, queueing_day: Any) -> None:
    for run in (toy_day, queueing_day):
        found = values(access(run))
        assert found["lower_bound"] == found["pooled_lower_bound"] == values(liquidity(run))["lower_bound"]
        assert found["upper_bound"] == found["pooled_upper_bound"]
        assert found["inside"] == 0


N = 6
TRIPLES = st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.integers(1, 20)).filter(
    lambda row: row[0] != row[1]
)


@given(st.lists(TRIPLES, max_size=20), st.lists(st.integers(0, 2), min_size=N, max_size=N))
def test_pooling_raises_neither_bound_of_any_owner(payments: list[tuple[int, int, int]], owner: list[int]) -> None:
    """Theorem: the bounds of a pool are at most the sums of those of its accounts."""
    columns, owners = np.array(payments, np.int64).reshape(-1, 3), np.array(owner)
    apart = account_bounds(N, columns[:, 0], columns[:, 1], columns[:, 2])
    debtor, creditor = owners[columns[:, 0]], owners[columns[:, 1]]
    between = debtor != creditor
    pooled = account_bounds(3, debtor[between], creditor[between], columns[between, 2])
    for one, sums in zip(pooled, apart, strict=True):
        assert all(one[pool] <= sums[owners == pool].sum() for pool in range(3))


def test_the_metric_is_grouped_by_entity_class_and_date_only(toy_day: Any) -> None:
    with pytest.raises(cs.InputError, match="cannot be grouped by"):
        access(toy_day, by="account")


def test_the_report_compares_accounts_apart_and_pooled(two_branches: Any) -> None:
    html = render(two_branches)
    part = html[html.index('<section id="access">') :]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part[: part.index("</section>")]))
    for told in (
        "3 accounts of 2 legal entities, with CNY 100.00 at the opening; CNY 5.00 settled between accounts of one",
        "lower bound: one netting of the day CNY 45.00 CNY 20.00 55.6 %",
    ):
        assert told in words


def test_the_report_of_single_point_access_has_no_such_part(toy_day: Any) -> None:
    assert 'id="access"' not in render(toy_day)
