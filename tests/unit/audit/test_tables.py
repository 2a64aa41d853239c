"""The auditor of the stored tables passes a correct run and finds each damage by the name of its rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

FIRST, SECOND = dt.date(2025, 6, 17), dt.date(2025, 6, 18)
NEXT = 86_400_000
RULES = {
    "manifest", "readable", "columns", "required", "row-counts", "digests", "in-order", "outcomes", "times-ordered",
    "levels-and-priorities", "returned-at-close", "items-agree", "transfers-valid", "released-by",
    "transfers-match-payments", "days-chain", "money-conserved", "no-overnight-overdraft", "sums-agree",
    "series-replay", "balances-replay", "lowest-replay", "matchings-agree",
}  # fmt: skip


def test_correct_tables_pass_every_rule(stored: Any) -> None:
    verdict = stored.verdict()
    assert verdict.passed, verdict.breaches
    assert set(verdict.rules) == RULES


@pytest.mark.parametrize("missing", ["payments", "transfers", "accounts", "series", "events"])
def test_tables_that_were_not_recorded_are_not_missed(stored: Any, missing: str) -> None:
    del stored.tables[missing]
    del stored.manifest["tables"][missing]
    verdict = stored.verdict()
    assert verdict.passed, verdict.breaches


@pytest.mark.parametrize("manifest", [None, [], {"tables": 3}, {"tables": {"payments": 7}, "items": {}}, {}])
def test_a_manifest_that_lists_nothing_breaks_manifest(stored: Any, manifest: Any) -> None:
    stored.manifest = manifest
    assert "manifest" in stored.broken()


def test_a_missing_table_breaks_readable(stored: Any) -> None:
    del stored.tables["series"]
    assert stored.broken() == {"readable"}


def test_a_table_that_could_not_be_read_breaks_readable(stored: Any) -> None:
    stored.tables["series"] = OSError("not a Parquet file")
    assert stored.broken() == {"readable"}
    assert "not a Parquet file" in stored.verdict().breaches[0]


@pytest.mark.parametrize("name", ["surplus", "rounds"])
def test_a_table_the_manifest_does_not_list_breaks_readable(stored: Any, name: str) -> None:
    stored.tables[name] = stored.tables["events"]
    assert "readable" in stored.broken()


def test_a_column_too_many_breaks_columns(stored: Any) -> None:
    table = stored.tables["payments"]
    stored.tables["payments"] = table.append_column("mood", pa.nulls(len(table), pa.int64()))
    assert stored.sign().broken() == {"columns"}


def test_a_missing_column_breaks_columns_and_leaves_other_checks(stored: Any) -> None:
    stored.tables["payments"] = stored.tables["payments"].drop_columns(["released_by"])
    verdict = stored.sign().verdict()
    assert {rule for rule, count in verdict.rules.items() if count} == {"columns"}
    assert "released-by" not in verdict.rules
    assert "times-ordered" in verdict.rules


def test_a_column_of_another_type_breaks_columns(stored: Any) -> None:
    table = stored.tables["transfers"]
    place = table.schema.get_field_index("amount_fen")
    stored.tables["transfers"] = table.set_column(place, "amount_fen", table["amount_fen"].cast(pa.float64()))
    assert stored.sign().broken() == {"columns"}


def test_a_column_given_twice_breaks_columns(stored: Any) -> None:
    table = stored.tables["events"]
    stored.tables["events"] = table.append_column("kind", table["kind"])
    assert "columns" in stored.broken()


def test_a_null_where_a_value_is_required_breaks_required(stored: Any) -> None:
    assert stored.change("accounts", 0, owner=None).broken() == {"required"}


def test_a_lost_row_breaks_row_counts(stored: Any) -> None:
    stored.tables["series"] = stored.tables["series"].slice(0, 9)
    assert stored.broken() == {"row-counts", "digests"}
    assert stored.broken(ignore_digests=True) == {"row-counts"}


def test_another_value_breaks_digests(stored: Any) -> None:
    told = stored.manifest
    stored.change("events", 0, detail="nothing").manifest = told
    assert stored.broken() == {"digests"}
    assert stored.broken(ignore_digests=True) == set()
    assert stored.broken(check_digests=False) == set()


@pytest.mark.parametrize("key", ["count", "value_fen", "checksum"])
def test_items_that_are_not_those_of_the_manifest_break_items_agree(stored: Any, key: str) -> None:
    stored.manifest["items"]["HVPS"][key] = 5
    assert stored.broken() == {"items-agree"}
    del stored.manifest["items"]["HVPS"]
    assert stored.broken() == {"items-agree"}
    stored.manifest["items"] = None
    assert stored.broken() == {"items-agree"}


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (0, {"status": "PR05"}),
        (0, {"status": "PR03"}),
        (0, {"status": "PR09"}),
        (0, {"reason": "RJ90", "reason_iso": "TM01"}),
        (0, {"reason_iso": "TM01"}),
        (0, {"system": "CCMS"}),
        (5, {"status": "PR04"}),
        (5, {"ended_ms": None}),
        (5, {"reason": "RJ94", "reason_iso": "AM23"}),
        (5, {"status": "PR12"}),
        (5, {"submitted_ms": None}),
        (7, {"reason_iso": None}),
        (7, {"reason_iso": "AM23"}),
        (7, {"reason": "RJ99"}),
        (8, {"reason_iso": "TM01"}),
        (8, {"status": "PR32", "reason": "RJ90"}),
    ],
)
def test_an_impossible_outcome_breaks_outcomes(stored: Any, row: int, values: dict[str, Any]) -> None:
    assert "outcomes" in stored.change("payments", row, **values).broken()


def test_open_and_reversed_payments_are_outcomes(stored: Any) -> None:
    stored.change("payments", 5, status="PR12", ended_ms=None, submitted_ms=None)
    stored.change("payments", 0, status="PR22", ended_ms=99)
    assert stored.broken() == set()


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (1, {"instructed_ms": 35}),
        (1, {"submitted_ms": 19}),
        (1, {"submitted_ms": 31}),
        (1, {"ended_ms": 31}),
        (1, {"ended_ms": 29}),
        (5, {"ended_ms": 39}),
        (0, {"status": "PR22", "ended_ms": 9}),
    ],
)
def test_an_effect_before_its_cause_breaks_times_ordered(stored: Any, row: int, values: dict[str, Any]) -> None:
    assert stored.change("payments", row, **values).broken() - {"series-replay"} == {"times-ordered"}


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (0, {"priority": "HIGH"}),
        (0, {"priority": None}),
        (0, {"priority": "LAST"}),
        (0, {"level": 6}),
        (0, {"level": 9}),
        (0, {"level": 3, "priority": None}),
        (9, {"priority": "NORM"}),
        (9, {"level": 7}),
        (5, {"amount_fen": 0}),
    ],
)
def test_a_level_of_another_priority_breaks_levels_and_priorities(
    stored: Any, row: int, values: dict[str, Any]
) -> None:
    assert stored.change("payments", row, **values).broken() == {"levels-and-priorities"}


def swap(rows: list[Any], one: int, other: int) -> list[Any]:
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def test_payments_out_of_order_break_in_order(stored: Any) -> None:
    assert stored.replace("payments", swap(stored.rows("payments"), 0, 2)).broken() == {"in-order"}
    assert stored.replace("payments", swap(stored.rows("payments"), 5, 6)).broken() == {"in-order"}


def test_a_sequence_used_twice_breaks_in_order(stored: Any) -> None:
    assert stored.change("payments", 6, sequence=2).broken() == {"in-order"}


def test_events_out_of_order_break_in_order(stored: Any) -> None:
    assert stored.change("events", 1, time_ms=96).broken() == {"in-order"}
    assert stored.change("events", 1, time_ms=90, sequence=8).broken() == {"in-order"}


def test_transfers_numbered_wrongly_break_in_order(stored: Any) -> None:
    assert stored.change("transfers", 1, sequence=7).broken() == {"in-order"}


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (1, {"released_by": None}),
        (1, {"released_by": "P999"}),
        (1, {"released_by": "luck"}),
        (1, {"released_by": "P0"}),
        (1, {"released_by": "P2"}),
        (1, {"released_by": "P8"}),
        (5, {"released_by": "limit"}),
        (8, {"released_by": "P0"}),
    ],
)
def test_a_wrong_releaser_breaks_released_by(stored: Any, row: int, values: dict[str, Any]) -> None:
    assert stored.change("payments", row, **values).broken() == {"released-by"}


@pytest.mark.parametrize(
    ("word", "row", "values"),
    [
        ("limit", 1, {"time_ms": 30, "kind": "action", "subject": "A"}),
        ("control", 1, {"time_ms": 30, "kind": "action", "subject": "A"}),
        ("control", 1, {"time_ms": 30, "subject": "HVPS"}),
        ("move", 1, {"time_ms": 30, "kind": "action", "subject": "P2"}),
        ("return", 1, {"time_ms": 30, "subject": "HVPS"}),
    ],
)
def test_a_word_that_releases_needs_an_event_of_its_instant(
    stored: Any, word: str, row: int, values: dict[str, Any]
) -> None:
    """Where payments travel as messages, orders are told when they are answered."""
    assert stored.change("payments", 1, released_by=word).broken() == {"released-by"}
    stored.manifest["messages"] = {"payments": 9}
    assert stored.broken() == ({"released-by"} if word == "return" else set())
    assert stored.change("events", row, **values).broken() == set()


def test_a_payment_released_by_a_cancellation_stood_behind_one_that_was_cancelled_then(stored: Any) -> None:
    assert stored.change("payments", 1, released_by="cancel").broken() == {"released-by"}
    stored.change("payments", 2, status="PR08", settled_ms=None, released_by=None)
    assert "released-by" not in stored.broken()


@pytest.mark.parametrize("word", ["injection", "penalty", "pool", "pledge", "loan"])
def test_a_payment_released_by_money_was_given_it_at_that_instant(stored: Any, word: str) -> None:
    assert stored.change("payments", 1, released_by=word).broken() == {"released-by"}
    assert "released-by" not in stored.change("transfers", 2, kind=word).broken()


def test_no_round_releases_a_payment_of_the_settlement_queue(stored: Any) -> None:
    assert stored.change("payments", 1, released_by="round").broken() == {"released-by"}


@pytest.mark.parametrize(
    ("scope", "measure", "right"),
    [
        ("A", "queued_fen", 60), ("B", "queued_fen", 0), ("HVPS", "queued_fen", 60), ("HVPS", "queued_count", 2),
        ("SAPS", "queued_count", 0), ("HVPS", "submitted_count", 4), ("HVPS", "submitted_fen", 125),
        ("HVPS", "settled_count", 2), ("HVPS", "settled_fen", 65),
    ],
)  # fmt: skip
def test_a_sampled_queue_that_the_payments_do_not_make_breaks_series_replay(
    stored: Any, scope: str, measure: str, right: int
) -> None:
    """At 22 ms two payments of A wait, and two have settled."""
    day = {"opens_ms": 0, "cut_off_ms": 90}
    for value, broken in ((right, set()), (right + 1, {"series-replay"})):
        stored.change("series", -1, time_ms=22, scope=scope, measure=measure, value=value)
        stored.manifest["timetable"] = [
            {"date": "2025-06-17", "window_end_ms": 100, **day}, {"date": "2025-06-18", "window_end_ms": 9, **day}
        ]  # fmt: skip
        assert stored.broken(ignore_digests=True) == broken


@pytest.mark.parametrize(("row", "ended"), [(8, NEXT + 97), (7, NEXT + 20)])
def test_a_return_before_the_close_breaks_returned_at_close(stored: Any, row: int, ended: int) -> None:
    assert stored.change("payments", row, reason="RJ99", reason_iso="AM04", ended_ms=ended).broken() == {
        "returned-at-close"
    }


def test_a_settlement_after_the_close_breaks_returned_at_close(stored: Any) -> None:
    stored.change("payments", 6, settled_ms=NEXT + 101, ended_ms=NEXT + 101, released_by="limit")
    assert "returned-at-close" in stored.broken()


@pytest.mark.parametrize(
    "values",
    [
        {"amount_fen": 0},
        {"creditor": "A"},
        {"creditor": "Z"},
        {"kind": "gift"},
        {"level": 8},
        {"date": dt.date(2025, 6, 1)},
    ],
)
def test_a_transfer_that_cannot_be_breaks_transfers_valid(stored: Any, values: dict[str, Any]) -> None:
    assert "transfers-valid" in stored.change("transfers", 0, **values).broken()


def test_a_payment_kind_without_a_payment_breaks_transfers_valid(stored: Any) -> None:
    assert stored.change("transfers", 0, payment_id=None).broken() == {"transfers-valid", "transfers-match-payments"}


@pytest.mark.parametrize(
    "values", [{"amount_fen": 61}, {"debtor": "C"}, {"creditor": "C"}, {"time_ms": 9}, {"payment_id": "P5"}]
)
def test_a_transfer_unlike_its_payment_breaks_transfers_match_payments(stored: Any, values: dict[str, Any]) -> None:
    verdict = stored.change("transfers", 0, **values).verdict()
    assert verdict.rules["transfers-match-payments"] == 2
    sentences = [text for text in verdict.breaches if text.startswith("transfers-match-payments")]
    assert "payment P0 settled" in sentences[0]


def test_a_payment_posted_twice_breaks_transfers_match_payments(stored: Any) -> None:
    rows = stored.rows("transfers")
    rows.insert(1, {**rows[0]})
    for number, row in enumerate(rows):
        row["sequence"] = number
    verdict = stored.replace("transfers", rows).verdict()
    assert verdict.rules["transfers-match-payments"] == 1


def test_a_closing_balance_the_transfers_do_not_make_breaks_balances_replay(stored: Any) -> None:
    stored.change("accounts", 4, closing_fen=31, received_fen=26).change("accounts", 5, closing_fen=59, sent_fen=26)
    stored.change("accounts", 5, lowest_fen=59)
    assert stored.broken() == {"balances-replay", "sums-agree", "lowest-replay"}


def test_a_wrong_lowest_balance_breaks_lowest_replay(stored: Any) -> None:
    assert stored.change("accounts", 0, lowest_fen=4).broken() == {"lowest-replay"}


def test_a_wrong_peak_overdraft_breaks_lowest_replay(stored: Any) -> None:
    assert stored.change("accounts", 7, peak_overdraft_fen=11).broken() == {"lowest-replay", "sums-agree"}


@pytest.mark.parametrize("column", ["sent_fen", "received_fen", "sent_count", "received_count", "penalty_loan_fen"])
def test_a_wrong_sum_breaks_sums_agree(stored: Any, column: str) -> None:
    value = stored.rows("accounts")[1][column] + 1
    assert stored.change("accounts", 1, **{column: value}).broken() == {"sums-agree"}


def test_sums_are_checked_without_transfers(stored: Any) -> None:
    del stored.tables["transfers"]
    del stored.tables["series"]
    assert stored.change("accounts", 1, sent_fen=31).broken() == {"sums-agree"}
    assert stored.change("accounts", 1, sent_fen=30, lowest_fen=51).broken() == {"sums-agree"}


def test_an_opening_that_is_not_the_last_closing_breaks_days_chain(stored: Any) -> None:
    stored.change("accounts", 4, opening_fen=6).change("accounts", 5, opening_fen=84)
    assert "days-chain" in stored.broken()


def test_an_account_without_a_row_breaks_days_chain(stored: Any) -> None:
    rows = stored.rows("accounts")
    assert "days-chain" in stored.replace("accounts", rows[:-1]).broken()
    assert "days-chain" in stored.replace("accounts", [*rows, rows[-1]]).broken()


def test_money_from_nowhere_breaks_money_conserved(stored: Any) -> None:
    stored.change("accounts", 7, closing_fen=61, received_fen=71)
    assert "money-conserved" in stored.broken()


def test_an_account_below_zero_at_night_breaks_no_overnight_overdraft(stored: Any) -> None:
    del stored.tables["transfers"]
    stored.change("accounts", 6, closing_fen=-1, sent_fen=71, lowest_fen=-1, peak_overdraft_fen=1)
    stored.change("accounts", 7, closing_fen=61, received_fen=71)
    assert stored.broken() == {"no-overnight-overdraft"}


def test_the_central_bank_may_be_below_zero(stored: Any) -> None:
    del stored.tables["transfers"]
    stored.change("accounts", 7, closing_fen=-1, sent_fen=71).change("accounts", 6, closing_fen=61, received_fen=71)
    assert stored.broken() == set()


@pytest.mark.parametrize("row", range(9))
def test_a_wrong_sample_breaks_series_replay(stored: Any, row: int) -> None:
    value = stored.rows("series")[row]["value"] + 1
    assert stored.change("series", row, value=value).broken() == {"series-replay"}


def test_a_sample_of_an_unknown_date_breaks_series_replay(stored: Any) -> None:
    assert stored.change("series", 0, date=dt.date(2025, 7, 1)).broken() == {"series-replay"}


def test_tables_without_rows_are_no_breach(stored: Any) -> None:
    for name in stored.tables:
        stored.tables[name] = stored.tables[name].slice(0, 0)
    assert stored.sign().broken() == set()
