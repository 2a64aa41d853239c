"""The auditor of the stored tables finds each damage to what matchings settled by the name of its rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit import postings

OTHER_DATE = dt.date(2025, 6, 18)


def test_correct_matchings_pass(matched: Any) -> None:
    verdict = matched.verdict()
    assert verdict.passed, verdict.breaches
    assert {"matchings-possible", "matchings-agree", "in-order", "lowest-replay"} <= set(verdict.rules)


@pytest.mark.parametrize("missing", ["payments", "transfers", "accounts", "series"])
def test_other_tables_are_not_missed(matched: Any, missing: str) -> None:
    del matched.tables[missing]
    del matched.manifest["tables"][missing]
    verdict = matched.verdict()
    assert verdict.passed, verdict.breaches


def test_tables_without_rows_are_no_breach(matched: Any) -> None:
    for name in matched.tables:
        matched.tables[name] = matched.tables[name].slice(0, 0)
    assert matched.sign().broken() == set()


def test_without_a_table_of_matchings_none_took_place(matched: Any) -> None:
    del matched.tables["matchings"]
    assert matched.sign().broken() == {"matchings-agree", "released-by"}


def test_a_table_of_matchings_that_cannot_be_read_is_the_only_breach(matched: Any) -> None:
    matched.tables["matchings"] = OSError("not a Parquet file")
    assert matched.broken() == {"readable"}


@pytest.mark.parametrize(
    "values", [{"matching": 4}, {"matching": 2}, {"time_ms": 57}, {"time_ms": 71}], ids=lambda v: str(v)
)
def test_matchings_out_of_order_break_in_order(matched: Any, values: dict[str, int]) -> None:
    row = 2 if values != {"time_ms": 71} else 1
    assert "in-order" in matched.change("matchings", row, **values).broken()


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (0, {"considered": 3}),
        (0, {"considered_fen": 33}),
        (0, {"bound_fen": 33}),
        (0, {"time_ms": 41}),
        (2, {"considered": 0, "considered_fen": 0}),
        (2, {"settled_ms": 70}),
    ],
)
def test_more_settled_than_there_was_breaks_matchings_possible(matched: Any, row: int, values: Any) -> None:
    assert matched.change("matchings", row, **values).broken() == {"matchings-possible"}


@pytest.mark.parametrize(
    "values",
    [
        {"settled": 3},
        {"settled_fen": 33},
        {"accounts": 2},
        {"settled_ms": 41},
        {"date": OTHER_DATE},
    ],
)
def test_another_sum_than_payments_and_transfers_make_breaks_matchings_agree(matched: Any, values: Any) -> None:
    matched.change("matchings", 0, **values)
    assert matched.broken() == {"matchings-agree"}
    for name in ("payments", "transfers"):
        table = matched.tables.pop(name)
        told = matched.manifest["tables"].pop(name)
        is_transfers_own = name == "transfers" and "date" in values
        assert matched.broken() == (set() if is_transfers_own else {"matchings-agree"})
        matched.tables[name], matched.manifest["tables"][name] = table, told


def test_a_payment_taken_from_a_matching_breaks_matchings_agree(matched: Any) -> None:
    assert matched.change("payments", 3, released_by="limit").broken() == {"matchings-agree"}
    assert "transfer 1 (P3)" in " ".join(matched.verdict().breaches)


def test_payments_exchanged_between_table_and_transfers_break_matchings_agree(matched: Any) -> None:
    """Sums and accounts agree, but they are not the same payments."""
    payments, transfers = matched.rows("payments"), matched.rows("transfers")
    payments[1].update(debtor="A", creditor="B", level=7, priority="NORM")
    for row in (transfers[0], transfers[2]):
        row.update(debtor="A", creditor="B", level=7)
    payments[1]["released_by"] = "limit"
    transfers[0]["matching"], transfers[1]["matching"], transfers[2]["matching"] = None, 1, 1
    matched.replace("payments", payments).replace("transfers", transfers)
    assert any("do not say so" in text for text in matched.verdict().breaches)


def test_a_payment_of_level_1_in_a_matching_breaks_matchings_agree(matched: Any) -> None:
    assert matched.change("payments", 1, level=1, priority="URGT").broken() == {"matchings-agree"}


def test_transfers_that_stand_apart_break_matchings_agree(matched: Any) -> None:
    rows = matched.rows("transfers")
    rows[6], rows[7], rows[8] = rows[6], rows[8], rows[7]
    for number, row in enumerate(rows):
        row["sequence"] = number
    assert "matchings-agree" in matched.replace("transfers", rows).broken()


def test_a_transfer_of_a_matching_that_never_was_breaks_matchings_agree(matched: Any) -> None:
    assert matched.change("transfers", 4, matching=9).broken() == {"matchings-agree"}


@pytest.mark.parametrize("text", ["matching:4", "matching:0", "matching:", "matching:x"])
def test_a_release_by_a_matching_that_never_was_breaks_released_by(matched: Any, text: str) -> None:
    assert "released-by" in matched.change("payments", 4, released_by=text).broken()


def test_a_payment_releases_others_of_its_debtor_only_when_a_matching_settled_it(matched: Any) -> None:
    matched.change("payments", 7, released_by="limit").change("transfers", 7, matching=None)
    matched.change("matchings", 1, settled=1, settled_fen=10)
    assert matched.broken() == {"released-by", "lowest-replay"}


@pytest.mark.parametrize("stretch", [1, 3, 5, 8])
def test_what_a_matching_posts_is_not_cut_in_two(matched: Any, stretch: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(postings, "_STRETCH", stretch)
    verdict = matched.verdict()
    assert verdict.passed, verdict.breaches


@pytest.mark.parametrize(("row", "lowest"), [(0, -6), (0, -10), (1, -10)])
def test_a_balance_inside_a_matching_is_no_lowest_balance(matched: Any, row: int, lowest: int) -> None:
    matched.change("accounts", row, lowest_fen=lowest, peak_overdraft_fen=-lowest)
    assert matched.broken() == {"lowest-replay"}


def test_without_the_matching_the_same_transfers_go_below_zero(matched: Any) -> None:
    rows = [{**row, "matching": None} for row in matched.rows("transfers")]
    assert matched.replace("transfers", rows).broken() == {"lowest-replay", "matchings-agree"}


def test_many_matchings_are_compared_at_once(matched: Any) -> None:
    """Every matching's sums are its own, whatever the order of the rows."""
    numbers = np.array([row["settled_fen"] for row in matched.rows("matchings")])
    assert numbers.tolist() == [34, 18, 0]
    rows = matched.rows("matchings")
    rows[0]["settled_fen"], rows[1]["settled_fen"] = 18, 34
    rows[1]["considered_fen"] = 40
    matched.replace("matchings", rows)
    assert matched.verdict().rules["matchings-agree"] == 4
