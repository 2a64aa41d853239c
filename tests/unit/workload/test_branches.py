"""Branches: how many there are, who is drawn for a payment, how money is split."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.scenario.accounts import BranchCounts
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.branches import Branches, branch_rows, inside_amounts, inside_flow, open_branches
from cnaps_sim.workload.population import account_rows, national_accounts

DAY = Timetable(dt.date(2025, 6, 17), 1, Calendar()).business_days[0]


def three() -> Branches:
    """Entities with three branches, one, and two."""
    return open_branches([3, 1, 2], 1.2)


def test_the_320_entities_have_1737_branches() -> None:
    counts = BranchCounts()
    assert sum(counts.of_kind(kind) for kind in national_accounts().kind) == 1_737


def test_head_offices_come_first_in_the_order_of_their_entities() -> None:
    branches = three()
    assert branches.entity.tolist() == [0, 1, 2, 0, 0, 2]
    assert branches.number.tolist() == [1, 1, 1, 2, 3, 2]


def test_a_head_office_is_the_largest_branch_of_its_entity() -> None:
    weight = three().weight
    assert weight[0] > weight[3] > weight[4]
    assert weight[2] > weight[5]


def test_accounts_of_branches_are_numbered_and_owned_by_their_entity() -> None:
    entities = account_rows(national_accounts(3))
    rows = branch_rows(entities, open_branches([2, 1, 1], 1.2))
    first = entities[0]["account"]
    assert [row["account"] for row in rows if row["owner"] == first] == [f"{first}-01", f"{first}-02"]
    assert [row["kind"] for row in rows] == [entities[i]["kind"] for i in (0, 1, 2, 0)]
    assert len({row["name"] for row in rows}) == 4


def test_branches_are_drawn_inside_their_entity_in_proportion_to_weight() -> None:
    branches = three()
    drawn = branches.draw(np.repeat([0, 1, 2], 30_000), Streams(1)["draw"])
    assert branches.entity[drawn].tolist() == np.repeat([0, 1, 2], 30_000).tolist()
    shares = np.bincount(drawn, minlength=6) / 30_000
    weights = branches.weight / np.bincount(branches.entity, branches.weight)[branches.entity]
    assert shares == pytest.approx(weights, abs=0.01)


def test_the_other_end_of_a_payment_inside_an_entity_is_another_branch_in_proportion() -> None:
    branches = three()
    own = np.repeat([3, 5, 2], 30_000)
    other = branches.draw_other(own, Streams(1)["draw"])
    assert set(zip(own.tolist(), other.tolist(), strict=True)) == {(3, 0), (3, 4), (5, 2), (2, 5)}
    assert (other == 0).sum() / 30_000 == pytest.approx(
        branches.weight[0] / (branches.weight[0] + branches.weight[4]), abs=0.01
    )


@given(st.lists(st.integers(0, 10**17), min_size=3, max_size=3))
def test_money_is_split_to_the_fen(totals: list[int]) -> None:
    branches = three()
    parts = branches.split(np.array(totals))
    assert [int(parts[branches.entity == entity].sum()) for entity in range(3)] == totals
    assert parts[0] >= parts[3] >= parts[4]


def test_payments_inside_entities_have_two_branches_of_one_and_ids_in_order() -> None:
    branches = three()
    amounts = inside_amounts(500, 15_000_000, 2.2, 1.0, DAY, Streams(1))
    flow = inside_flow(amounts, np.array([3.0, 9.0, 1.0]), branches, DAY, Streams(1))
    debtor, creditor = flow.rows["debtor"], flow.rows["creditor"]
    assert (branches.entity[debtor] == branches.entity[creditor]).all()
    assert (debtor != creditor).all()
    share = (branches.entity[debtor] == 0).mean()  # the entity with one branch has none: 3 of 3 + 1
    assert share == pytest.approx(0.75, abs=0.06)
    assert (flow.rows["amount"] == amounts).all()
    assert flow.payment_ids[0].as_py() == "N2025061700000001"
