"""One account per legal entity or one per branch: the same payments and the same money, spread differently."""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs

SMALL: dict[str, Any] = {
    "name": "access",
    "days": 2,
    "accounts": {"generate": "national", "count": 40},
    "workload": [{"system": "HVPS", "generator": "national", "count": 2_000, "value": 44_380_000_000}],
    "liquidity": {"share_of_outflow": ["0.2", "0.3"]},
}
RETAIL: list[dict[str, Any]] = [
    {"system": "BEPS", "generator": "national", "count": 1_000, "value": 40_000_000},
    {"system": "IBPS", "generator": "national", "count": 1_000, "value": 16_000_000},
]


@functools.cache
def day(access: str) -> cs.Run:
    return cs.simulate({**SMALL, "access": access})


def owned(run: cs.Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Payments with the entities at their two ends instead of the accounts."""
    owner = run.accounts.drop_duplicates("account").set_index("account")["owner"]
    return frame.assign(debtor=frame["debtor"].map(owner), creditor=frame["creditor"].map(owner))


def test_payments_between_entities_are_the_same_in_both_modes() -> None:
    told = ["date", "payment_id", "debtor", "creditor", "amount_fen", "priority", "level", "type", "instructed_ms"]
    single, branches = day("single").payments, owned(day("branches"), day("branches").payments)
    between = branches[branches["debtor"] != branches["creditor"]]
    assert len(single) == 4_000
    pd.testing.assert_frame_equal(between[told].reset_index(drop=True), single[told])


def test_what_comes_on_top_is_inside_an_entity_and_counted_in_both_manifests() -> None:
    branches = owned(day("branches"), day("branches").payments)
    inside = branches[branches["debtor"] == branches["creditor"]]
    assert inside["payment_id"].str.startswith("N").all()
    notes = [day(access).manifest["workload"]["intrabank"] for access in ("single", "branches")]
    assert [[(note["count"], note["value_fen"]) for note in days] for days in notes] == [
        list(inside.groupby("date")["amount_fen"].agg(["count", "sum"]).itertuples(index=False, name=None))
    ] * 2
    assert [note["count"] for note in notes[0]] == [200, 200]  # a tenth of the count
    assert [days[0]["booked"] for days in notes] == ["inside the bank", "between accounts of one owner"]


@pytest.mark.parametrize("liquidity", [{"share_of_outflow": ["0.2", "0.3"]}, {"alpha": "0.5"}], ids=["share", "alpha"])
def test_each_entity_opens_with_the_same_money(liquidity: dict[str, Any]) -> None:
    openings = []
    for access in ("single", "branches"):
        run = cs.simulate({**SMALL, "days": 1, "access": access, "liquidity": liquidity})
        openings.append(run.accounts.groupby("owner")["opening_fen"].sum())
    pd.testing.assert_series_equal(*openings)
    assert openings[0].sum() > 0


def test_another_share_inside_entities_leaves_the_payments_between_them_as_they_are() -> None:
    changed = [{**SMALL["workload"][0], "intrabank_share": "0.5"}]
    more = cs.simulate({**SMALL, "access": "branches", "workload": changed}).payments
    few, more = (frame[frame["payment_id"].str.startswith("H")] for frame in (day("branches").payments, more))
    told = ["payment_id", "debtor", "creditor", "amount_fen", "instructed_ms"]
    pd.testing.assert_frame_equal(few[told].reset_index(drop=True), more[told].reset_index(drop=True))


def test_without_a_share_no_payment_is_inside_an_entity() -> None:
    without = [{**SMALL["workload"][0], "intrabank_share": 0}]
    run = cs.simulate({**SMALL, "access": "branches", "workload": without})
    assert len(run.payments) == 4_000
    assert "intrabank" not in run.manifest["workload"]


def test_positions_of_retail_belong_to_the_head_office() -> None:
    terms = {**SMALL, "days": 1, "workload": [*SMALL["workload"], *RETAIL], "record": {"IBPS": "payments"}}
    single, branches = (cs.simulate({**terms, "access": access}) for access in ("single", "branches"))
    assert branches.rounds["participant"].str.endswith("-01").all()
    nets = [run.rounds.assign(participant=run.rounds["participant"].str[:12]) for run in (single, branches)]
    told = ["round", "time_ms", "kind", "participant", "net_fen"]
    pd.testing.assert_frame_equal(nets[0][told], nets[1][told])
    items = [run.payments[run.payments["system"] == "IBPS"]["status"].tolist() for run in (single, branches)]
    assert items[0] == items[1] != []


def test_pooling_by_owner_gives_the_bounds_of_single_point_access() -> None:
    """Which are no higher than those of the branches (theorem)."""
    single, branches = (cs.metrics.access(day(access), by="date") for access in ("single", "branches"))
    pooled, apart = (frame.set_index(["measure", "date"])["value"] for frame in (single, branches))
    for bound in ("lower_bound", "upper_bound"):
        assert (apart[f"pooled_{bound}"] == pooled[bound]).all()
        assert (apart[bound] > pooled[bound]).all()
