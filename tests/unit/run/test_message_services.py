"""What travels beside payments: questions and answers, orders, recalls, broadcasts, statements."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.explain.messages import trail
from cnaps_sim.messages import balances, queue_reports, statements, status, system_state
from cnaps_sim.messages.entries import CLOSING, INTERIM, OPENING
from cnaps_sim.messages.parts import NoAnswer
from cnaps_sim.messages.validate import check

ICBC, ABC, BOC, CCB = "102100099996", "103100000026", "104100000004", "105100000017"
ASKS = ("ask", "ask_status")


def payment(name: str, time: str, debtor: str, creditor: str, amount: int, **more: str) -> dict[str, Any]:
    return {"payment_id": name, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more}


SCENARIO: dict[str, Any] = {
    "accounts": [{"account": a, "balance": b} for a, b in ((ICBC, 100), (ABC, 0), (BOC, 50), (CCB, 500))],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                payment("P1", "09:00", ICBC, ABC, 60),
                payment("P2", "09:10", ABC, BOC, 80),
                payment("P3", "09:20", ABC, CCB, 5, priority="HIGH"),
                payment("P4", "10:00", CCB, ABC, 200, type="A200"),
                payment("P5", "11:00", BOC, BOC, 1),
                payment("P6", "12:00", BOC, ICBC, 1000),
            ],
        }
    ],
    "actions": [
        {"at": "08:30", "do": "ask_status", "payment": "P2"},
        {"at": "09:15", "do": "move_tail", "payment": "P2"},
        {"at": "09:30", "do": "ask", "account": ABC, "about": "queue"},
        {"at": "09:31", "do": "ask", "account": ABC, "about": "balance"},
        {"at": "09:32", "do": "ask", "account": ICBC, "about": "day"},
        {"at": "09:33", "do": "ask", "account": ICBC, "about": "account"},
        {"at": "09:34", "do": "ask_status", "payment": "P2"},
        {"at": "10:30", "do": "set", "account": CCB, "field": "earmark", "value": 50},
        {"at": "10:31", "do": "set", "account": CCB, "field": "earmark", "value": 20},
        {"at": "10:32", "do": "set", "account": CCB, "field": "reserved_high", "value": 10},
        {"at": "10:33", "do": "ask_status", "payment": "P2"},
        {"at": "12:30", "do": "cancel", "payment": "P6"},
        {"at": "13:00", "do": "recall", "payment": "P3"},
        {"at": "13:10", "do": "recall", "payment": "P1", "agreed": False},
        {"at": "13:20", "do": "recall", "payment": "P6"},
        {"at": "13:30", "do": "recall", "payment": "P3"},
        {"at": "14:00", "do": "ask", "account": ICBC, "about": "queue"},
    ],
    "messages": "all",
    "series_step": "60 min",
}


@cache
def day() -> cs.Run:
    return cs.simulate(SCENARIO)


def told(iso: str, to: str | None = None) -> list[Any]:
    """The documents of one kind that travelled, as root elements."""
    folder = day().messages_folder
    assert folder is not None
    rows = [row for path in sorted(folder.glob("part-*")) for row in pq.read_table(path).to_pylist()]
    return [check(row["data"]).root for row in rows if row["iso"] == iso and to in (None, row["receiver"])]


def test_everything_that_travelled_is_accepted_by_its_receiver() -> None:
    folder = day().messages_folder
    assert folder is not None
    verdicts = pq.read_table(folder / "part-00000.parquet")["verdict"].to_pylist()
    assert set(verdicts) == {"accepted"}
    assert day().manifest["audit"]["verdict"] == "passed"


def test_messages_settle_what_a_flow_settles() -> None:
    quiet = [action for action in SCENARIO["actions"] if action["do"] not in ASKS]
    flow = cs.simulate({**SCENARIO, "messages": "off", "actions": quiet})
    for name in ("payments", "transfers", "accounts"):
        assert flow.manifest["tables"][name] == day().manifest["tables"][name]


def test_a_queue_report_tells_the_own_queue_and_nothing_waits_is_an_answer() -> None:
    full, empty = (queue_reports.read_queue_report(root).answer for root in told(queue_reports.CAMT_006))
    assert isinstance(full, queue_reports.QueueContents)
    assert [(p.transaction_id, p.position, p.amount_fen) for p in full.payments] == [("P2", 1, 8000)]  # type: ignore[union-attr]
    assert isinstance(empty, NoAnswer)


def test_a_basket_query_tells_balance_queue_and_what_to_expect() -> None:
    (report,) = told(balances.CAMT_004)
    (account,) = balances.read_balance_report(report).answer  # type: ignore[misc]
    kinds = [(b.kind, b.direction, b.amount_fen) for b in account.balances]
    assert kinds == [
        ("BOOK", "CRDT", 5500),
        ("AVLB", "CRDT", 5500),
        ("PDNG", "DBIT", 8000),
        ("PDNG", "CRDT", 0),
        ("XPCD", "DBIT", 2500),
        ("EARM", "CRDT", 0),
    ]


def test_an_intraday_report_tells_the_present_balance() -> None:
    (report,) = told(statements.CAMT_052)
    balance = statements.read_intraday_report(report).balance(INTERIM)
    assert balance is not None
    assert balance.signed_fen == 4000


def test_a_status_is_told_while_it_waits_and_after_it_has_settled_but_not_before_it_came() -> None:
    asked = [
        status.read_payment_status(root).transactions[0]
        for root in told(status.PACS_002, ABC)
        if status.read_payment_status(root).transactions[0].end_to_end_id is None
    ]
    assert [transaction.status for transaction in asked] == ["PDNG", "ACSC"]


def test_a_settled_payment_is_sent_back_once_and_only_if_its_receiver_agrees() -> None:
    statuses = dict(zip(day().payments.payment_id, day().payments.status, strict=True))
    assert statuses["P3"] == "PR23"
    assert statuses["A105-000001"] == "PR04"
    assert statuses["P1"] == "PR04"
    refusals = day().events.query("kind == 'refusal'")
    assert list(refusals.subject) == ["P6", "P3"]
    assert list(refusals.detail) == [
        "recall refused: the payment has not settled",
        "recall refused: the payment has been sent back before",
    ]


def test_every_statement_closes_with_the_balance_of_the_books() -> None:
    closing = dict(zip(day().accounts.account, day().accounts.closing_fen, strict=True))
    opening = dict(zip(day().accounts.account, day().accounts.opening_fen, strict=True))
    read = [statements.read_statement(root) for root in told(statements.CAMT_053)]
    assert [statement.account.number for statement in read] == [ICBC, ABC, BOC, CCB]
    for statement in read:
        first, last = statement.balance(OPENING), statement.balance(CLOSING)
        assert first is not None
        assert last is not None
        assert first.signed_fen == opening[statement.account.number]
        assert last.signed_fen == closing[statement.account.number]
        assert statement.totals is not None
        assert first.signed_fen + statement.totals.credits_fen - statement.totals.debits_fen == last.signed_fen


def test_phases_are_broadcast_to_everybody() -> None:
    phases = [system_state.read_system_event(root).parameters[-1] for root in told(system_state.ADMI_004, ICBC)]
    assert phases == ["00", "10", "20", "40"]


def test_the_trail_of_a_payment_is_in_order_of_arrival() -> None:
    passages = trail(day().messages_folder, "P3")
    numbers = [passage.number[:8] for passage in passages]
    assert numbers[:3] == ["hvps.111", "ccms.900", "hvps.111"]
    assert numbers[3:5] == ["ccms.307", "ccms.307"]
    assert "<TxId>P3</TxId>" in passages[0].document()
    assert passages[0].sentence().startswith(f"09:20:00 -> 09:20:00  {ABC} -> the centre: hvps.111.001.01")


@pytest.mark.parametrize(
    "verb", [{"do": "ask", "account": ICBC, "about": "queue"}, {"do": "ask_status", "payment": "P1"}]
)
def test_nobody_asks_where_no_message_travels(verb: dict[str, str]) -> None:
    with pytest.raises(cs.InputError, match="no message travels"):
        cs.simulate({**SCENARIO, "messages": "off", "actions": [{"at": "09:00", **verb}]})
