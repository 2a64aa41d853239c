"""How items of BEPS and IBPS end that nobody answers in the run: at their limit, open, or outside its dates."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.run.message_log import read_log
from cnaps_sim.words.bank_code import with_check_digit

HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000
ELEVEN = 11 * HOUR
A, B, C = (with_check_digit(f"3131000{number:04d}") for number in (1, 2, 3))
QUIET = {"refused_share": "0", "unanswered_share": "0", "reply_sigma": "0"}


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


#: B answers the first four while it is logged out; the others are sent before, after, or too late to be answered.
BEPS = [
    pay("debit-2", "2025-06-17T11:00", B, C, 2, type="BDBT", package="debit"),
    pay("debit-3", "2025-06-17T11:00", B, C, 3, type="BDBT", package="debit"),
    pay("credit", "11:00", A, B, 5, type="BRTC"),
    pay("early", "2025-06-16T15:59:59.999", A, B, 7),
    pay("late", "2025-06-18T16:00", A, B, 11, type="BDBT"),
    pay("years-ago", "2001-01-01T00:00", A, B, 13, type="BRTC"),
    pay("in-dollars", "2025-06-19T10:00", A, B, 17, currency="USD"),
    pay("to-itself", "2025-06-16T10:00", A, A, 19),
    pay("unanswered", "2025-06-18T15:45", A, B, 23, type="BRGD"),
    pay("netted", "10:00", A, B, 29),
]
IBPS = [pay("online", "11:00", A, B, 31), pay("last", "2025-06-18T15:59:59.900", A, B, 37)]


def scenario(**changes: Any) -> dict[str, Any]:
    """Two dates; B logs out half a second after 11:00 and stays away for an hour."""
    return {
        "name": "ends",
        "date": "2025-06-17",
        "days": 2,
        "accounts": [{"account": code, "balance": 100, "credit_line": 200} for code in (A, B, C)],
        "workload": [
            {"system": "HVPS", "payments": [pay("gross", "09:00", A, B, 1)]},
            {"system": "BEPS", "payments": BEPS},
            {"system": "IBPS", "payments": IBPS},
        ],
        "beps": {**QUIET, "reply_median": "30 min", "realtime_sigma": "0"},
        "ibps": {**QUIET, "reply_median": "1 s"},
        "actions": [
            {"at": "11:00:00.500", "do": "log_out", "account": B},
            {"at": "12:00", "do": "log_in", "account": B},
        ],
        "record": {"BEPS": "payments", "IBPS": "payments"},
        "series_step": "10 s",
        **changes,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.simulate(scenario(), out=tmp_path_factory.mktemp("ends") / "run")


def ends(run: cs.Run, payment_id: str, *names: str) -> tuple[Any, ...]:
    row = next(row for row in run.table("payments").to_pylist() if row["payment_id"] == payment_id)
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(("payment_id", "limit_ms"), [("credit", MINUTE), ("online", 20_000)])
def test_what_a_logged_out_bank_should_answer_expires_when_its_limit_runs_out(
    run: cs.Run, payment_id: str, limit_ms: int
) -> None:
    found = ends(run, payment_id, "status", "reason", "reason_iso", "submitted_ms", "ended_ms")
    assert found == ("PR32", "RJ90", "AB05", ELEVEN, ELEVEN + limit_ms)


def test_a_limit_of_working_days_runs_from_the_date_of_submission() -> None:
    """Four working days after Tuesday it is Monday."""
    longer = cs.simulate(scenario(days=6, beps={**QUIET, "reply_median": "30 min", "reply_days": 4}))
    assert ends(longer, "debit-2", "status", "ended_ms") == ("PR32", ELEVEN + 6 * DAY)


@pytest.mark.parametrize("payment_id", ["debit-2", "debit-3", "unanswered", "last"])
def test_an_item_whose_answer_or_limit_lies_beyond_the_run_is_open(run: cs.Run, payment_id: str) -> None:
    assert ends(run, payment_id, "status", "reason", "reason_iso", "ended_ms", "netted_ms") == ("PR11", *[None] * 4)


@pytest.mark.parametrize(
    ("payment_id", "sent_ms", "date", "iso"),
    [
        ("early", -8 * HOUR - 1, "2025-06-17", "TM01"),
        ("late", DAY + 16 * HOUR, "2025-06-18", "TM01"),
        ("years-ago", -8933 * DAY, "2025-06-17", "TM01"),
        ("in-dollars", 2 * DAY + 10 * HOUR, "2025-06-18", "AM03"),
        ("to-itself", -14 * HOUR, "2025-06-17", "RC01"),
    ],
)
def test_an_item_sent_outside_the_run_is_refused_at_its_own_time(
    run: cs.Run, payment_id: str, sent_ms: int, date: str, iso: str
) -> None:
    names = ("instructed_ms", "submitted_ms", "ended_ms", "status", "reason_iso")
    assert ends(run, payment_id, *names) == (sent_ms, sent_ms, sent_ms, "PR09", iso)
    assert str(ends(run, payment_id, "date")[0]) == date


def test_open_items_count_as_queued_and_stand_in_no_cap_queue(run: cs.Run) -> None:
    systems = run.summary["systems"]
    assert systems["BEPS"]["queued"] == {"count": 3, "value_fen": 2_800}
    assert systems["IBPS"]["queued"] == {"count": 1, "value_fen": 3_700}
    assert systems["BEPS"]["peak_queue"] == {"count": 0, "value_fen": 0}
    assert run.manifest["outcomes"]["BEPS"]["refusals"].keys() == {
        "TIMED_OUT", "OUT_OF_HOURS", "NO_BOOK", "SELF_PAYMENT"
    }  # fmt: skip
    for system in ("BEPS", "IBPS"):
        for measure in ("count", "value_fen"):
            parts = sum(
                systems[system][name][measure] for name in ("settled", "rejected", "returned", "cancelled", "queued")
            )
            assert parts == systems[system]["submitted"][measure] == run.manifest["items"][system][measure]
    assert "queued" not in run.manifest["caps"][B]


def test_the_series_counts_an_item_as_rejected_from_its_limit_on(run: cs.Run) -> None:
    series = run.series[(run.series.measure == "rejected_count") & (run.series.time_ms >= ELEVEN)]
    told = {name: dict(zip(rows.time_ms, rows.value, strict=True)) for name, rows in series.groupby("scope")}
    online, bulk = told["IBPS"], told["BEPS"]
    assert [online[ELEVEN + second * 1000] for second in (0, 10, 20, 30)] == [0, 0, 1, 1]
    assert [bulk[ELEVEN + second * 1000] - bulk[ELEVEN] for second in (10, 50, 60, 70, 3600)] == [0, 0, 1, 1, 1]


def test_a_folder_with_such_items_passes_its_audit_and_verifies(run: cs.Run) -> None:
    assert run.folder is not None
    assert audit_folder(run.folder).passed
    assert verify_folder(run.folder, headline) == []


def test_without_items_recorded_the_totals_are_the_same(run: cs.Run) -> None:
    less = cs.simulate(scenario(record={"BEPS": "totals", "IBPS": "totals"}))
    for key in ("items", "outcomes", "rounds", "caps"):
        assert less.manifest[key] == run.manifest[key], key
    assert less.table("series").equals(run.table("series"))


def test_as_messages_both_banks_hear_of_it_at_the_limit_and_of_an_open_item_nothing(
    run: cs.Run, tmp_path: Path
) -> None:
    told = cs.simulate(scenario(messages="all"), out=tmp_path / "told")
    for name in ("payments", "series", "rounds"):
        assert told.table(name).equals(run.table(name)), name
    assert verify_folder(tmp_path / "told", headline) == []
    assert told.messages_folder is not None
    heard: dict[str, list[tuple[str, int]]] = {}
    for _, record, _ in read_log(told.messages_folder):
        if record.sender == "0000" and record.iso.startswith("pacs.002"):
            heard.setdefault(record.reference, []).append((record.receiver, record.sent_ms))
    assert heard["credit"] == [(A, ELEVEN + MINUTE), (B, ELEVEN + MINUTE)]
    assert heard["online"] == [(A, ELEVEN + 20_000), (B, ELEVEN + 20_000)]
    assert heard.keys() == {"gross", "credit", "online", "netted"}


def test_a_package_of_mixed_rows_is_refused_alike_from_a_scenario_and_from_a_file(tmp_path: Path) -> None:
    rows = [
        pay("one", "10:00", A, B, 1, package="mixed"),
        pay("two", "10:00", A, C, 2, package="mixed"),
        pay("three", "10:00:01", A, B, 3, package="mixed"),
        pay("four", "2025-06-17T10:00", A, B, 4, package="other"),
        pay("five", "10:00", A, B, 5, package="other"),
    ]
    place = tmp_path / "mixed.csv"
    with place.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    written = cs.simulate(scenario(workload=[{"system": "BEPS", "payments": rows}], actions=[]))
    filed = cs.simulate(scenario(workload=[{"system": "BEPS", "file": str(place)}], actions=[]))
    assert written.table("payments").equals(filed.table("payments"))
    found = {row["payment_id"]: (row["status"], row["reason_iso"]) for row in written.table("payments").to_pylist()}
    assert [found[name] for name in ("one", "two", "three")] == [("PR09", "FF01")] * 3
    assert [found[name] for name in ("four", "five")] == [("PR03", None)] * 2


@pytest.mark.parametrize("messages", ["off", "all"])
def test_a_refused_order_about_a_retail_item_speaks_of_netting(messages: str) -> None:
    orders = [
        {"at": "10:30", "do": "cancel", "payment": "unanswered"},
        {"at": "10:30", "do": "stop_payment", "payment": "unanswered"},
        {"at": "11:30", "do": "recall", "payment": "online"},
    ]
    events = cs.simulate(scenario(actions=orders + scenario()["actions"], messages=messages)).events
    refused = events[events.kind == "refusal"]
    assert dict(zip(refused.subject + "/" + refused.detail.str.split(" refused: ").str[0],
                    refused.detail.str.split(": ").str[1], strict=True)) == {
        "unanswered/cancel": "its package is not waiting in the cap queue",
        "unanswered/stop payment": "it has not been sent, or it has ended without being netted",
        "online/recall": "it has not been netted",
    }  # fmt: skip
