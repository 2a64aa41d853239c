"""Forks of runs with retail clearing, tools, behaviours and messages: the past that is checked, and what lies after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import cnaps_sim as cs
from cnaps_sim.words.errors import InputError

HOUR = 3_600_000
HALF_PAST_NINE = 9 * HOUR + HOUR // 2


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount}


#: Two dates; C has a cap of 100, under which Q2 waits from 09:05 on, and the round of 09:00 has held P.
RETAIL: dict[str, Any] = {
    "name": "retail",
    "days": 2,
    "accounts": [{"account": name, "balance": 100, "credit_line": 100} for name in "ABC"],
    "workload": [
        {"system": "HVPS", "payments": [pay("H1", "09:10", "A", "B", 5), pay("H2", "13:00", "A", "B", 5)]},
        {
            "system": "BEPS",
            "payments": [
                pay("P", "08:50", "A", "B", 20),
                pay("Q1", "09:05", "C", "B", 80),
                pay("Q2", "09:06", "C", "B", 40),
                pay("N", "2025-06-18T10:00", "B", "C", 7),
            ],
        },
        {"system": "IBPS", "payments": [pay("I", "09:08", "A", "B", 5), pay("J", "12:30", "C", "B", 40)]},
    ],
    "record": {"HVPS": "payments", "BEPS": "payments", "IBPS": "payments"},
    "series_step": "30 min",
}


def digests(run: cs.Run) -> dict[str, str]:
    return {name: told["sha256"] for name, told in run.manifest["tables"].items()}


def fates(run: cs.Run) -> dict[str, tuple[str, int | None]]:
    frame = run.payments[run.payments["system"].isin(["BEPS", "IBPS"])]
    rows = zip(frame["payment_id"], frame["status"], frame["netted_ms"], strict=True)
    return {name: (status, netted) for name, status, netted in rows}


@pytest.mark.parametrize(
    ("name", "changes", "at"),
    [
        ("cap-squeeze", {"scale": "0.01", "accounts.count": "20"}, "11:30"),
        ("cap-squeeze", {"scale": "0.01", "accounts.count": "20", "record": "{HVPS: totals}"}, "2025-06-16T18:00"),
        ("payroll-day", {"scale": "0.01", "accounts.count": "20"}, "12:00"),
        ("spring-festival-2026", {"scale": "0.001", "accounts.count": "20"}, "2026-02-18T12:00"),
        ("liquidity-tools", {"scale": "0.002", "compare_tools": "false"}, "12:00"),
        ("who-waits", {"scale": "0.01"}, "12:00"),
        ("message-trail", {}, "09:30:00.030"),
        ("retail-messages", {}, "10:00"),
    ],
)
def test_a_fork_without_a_change_is_the_run(name: str, changes: dict[str, str], at: str) -> None:
    run = cs.simulate(name, set={**changes, "series_step": "30 min"})
    again = cs.fork(run, at)
    assert digests(again) == digests(run)
    for told in ("items", "outcomes", "rounds", "caps", "messages", "summary"):
        assert again.manifest.get(told) == run.manifest.get(told)


def test_a_cap_raised_after_the_instant_lets_go_what_waits_for_headroom() -> None:
    run = cs.simulate(RETAIL)
    assert fates(run)["Q2"][1] != HALF_PAST_NINE
    raised = {"at": "09:30", "do": "set", "account": "C", "field": "credit_line", "value": 200}
    forked = cs.fork(run, "09:30", set={"actions": [raised]})
    assert fates(forked)["Q2"] == ("PR03", HALF_PAST_NINE)
    assert fates(forked)["Q1"] == fates(run)["Q1"]


def test_what_was_netted_before_the_instant_may_be_sent_back_after_it() -> None:
    run = cs.simulate(RETAIL)
    recalled = {"at": "12:00", "do": "recall", "payment": "P"}
    forked = cs.fork(run, "11:00", set={"actions": [recalled]})
    assert (fates(run)["P"][0], fates(forked)["P"][0]) == ("PR03", "PR23")


def test_a_net_that_is_held_at_the_instant_may_be_posted_later_than_it_was() -> None:
    lost = {"at": "09:50", "do": "link_loss", "until": "11:00"}
    run = cs.simulate({**RETAIL, "actions": [lost]})
    forked = cs.fork(run, "10:30", set={"actions": [lost, {"at": "10:45", "do": "link_loss", "until": "12:10"}]})
    sent = [each.rounds.groupby("time_ms")["sent_ms"].first()[10 * HOUR] for each in (run, forked)]
    assert sent == [11 * HOUR, 12 * HOUR + HOUR // 6]


def _changed(table: pa.Table, column: str, rows: pa.ChunkedArray) -> pa.Table:
    """The table with one more in a column of the chosen rows."""
    assert pc.any(rows).as_py(), "the damage hits a row"
    more = pc.if_else(rows, pc.add(table[column], 1), table[column])
    return table.set_column(table.column_names.index(column), column, more)


DAMAGE: dict[str, tuple[str, Callable[[pa.Table], pa.ChunkedArray]]] = {
    "rounds": ("net_fen", lambda rows: pc.equal(rows["time_ms"], 9 * HOUR)),
    "payments": ("netted_ms", lambda rows: pc.equal(rows["payment_id"], "Q1")),
    "series": ("value", lambda rows: pc.equal(rows["measure"].cast(pa.string()), "headroom_fen")),
    "accounts": ("closing_fen", lambda rows: pc.equal(rows["date"].cast(pa.string()), "2025-06-17")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_past_of_retail_clearing_that_is_not_repeated_is_told_by_its_table(name: str) -> None:
    run = cs.simulate(RETAIL)
    column, rows = DAMAGE[name]
    run._tables[name] = _changed(run.table(name), column, rows(run.table(name)))  # as if somebody had changed its file
    with pytest.raises(InputError, match=f"the table {name} until .* is not what playing it again gives"):
        cs.fork(run, "2025-06-18T09:30")


def test_what_a_table_tells_of_the_time_after_the_instant_is_not_asked() -> None:
    run = cs.simulate(RETAIL)
    after = pc.equal(run.table("payments")["payment_id"], "J")
    run._tables["payments"] = _changed(run.table("payments"), "netted_ms", after)
    assert len(cs.fork(run, "12:00").payments) == len(run.payments)


def test_another_message_log_until_the_instant_is_told() -> None:
    run = cs.simulate("message-trail")
    run.message_log = cs.simulate("message-trail", set={"network.latency": "30 ms"}).message_log
    with pytest.raises(InputError, match="the message log until 12:00:00 is not what playing it again gives"):
        cs.fork(run, "12:00")


def test_rules_of_retail_clearing_are_refused_by_name_and_the_action_for_caps_is_told() -> None:
    run = cs.simulate("cap-squeeze", set={"scale": "0.001", "accounts.count": "20", "series_step": "1 h"})
    with pytest.raises(InputError, match="would alter the past of the run") as caught:
        cs.fork(run, "12:00", set={"nets.cap": {"share_of_outflow": "0.1"}})
    assert (caught.value.key, "set (field credit_line" in caught.value.allowed) == ("nets.cap", True)
    for key, value in (("nets.matching.every", "5 min"), ("beps.unanswered_share", "0.1"), ("record", {})):
        with pytest.raises(InputError, match="would alter the past of the run") as caught:
            cs.fork(run, "12:00", set={key: value})
        assert caught.value.key.startswith(key)
