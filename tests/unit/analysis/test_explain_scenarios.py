"""Stories of small scenarios, played through the whole simulator: control, reservations, levels, hours."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import cnaps_sim as cs
from cnaps_sim.words.errors import InputError


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    """One inline payment."""
    told = {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount)}
    return {**told, **more}


def play(*payments: dict[str, Any], terms: dict[str, Any] | None = None, **changes: Any) -> cs.Run:
    """Simulate A (100, with `terms`) and B (50)."""
    accounts = [{"account": "A", "balance": 100, **(terms or {})}, {"account": "B", "balance": 50}]
    workload = [{"system": "HVPS", "payments": list(payments)}]
    return cs.simulate({"name": "story", "accounts": accounts, "workload": workload, **changes})


def story(run: Any, payment_id: str) -> str:
    return str(cs.explain(run, payment_id))


def act(at: str, do: str, account: str = "A", **more: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "account": account, **more}


def put(at: str, field: str, value: str) -> dict[str, Any]:
    return act(at, "set", field=field, value=value)


# control ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"), [("AS04", "debit control (借记控制)"), ("AS06", "the freeze (冻结, AS06)")]
)
def test_a_held_item_is_posted_in_spite_of_the_control_when_the_window_closes(status: str, words: str) -> None:
    told = story(play(terms={"status": status}, actions=[act("12:00", "fee", amount="5")]), "FEES-000001")
    assert f"The central bank posted it when the clearing window (清算窗口) closed, in spite of {words} on A." in told
    assert "stood ahead" not in told


def test_the_same_with_a_loan_and_from_a_status_that_was_set() -> None:
    told = story(play(actions=[put("11:00", "status", "AS06"), act("12:00", "fee", amount="105")]), "FEES-000001")
    assert "at the penalty rate" in told
    assert "in spite of the freeze (冻结, AS06) on A." in told


def test_what_was_sent_back_stood_ahead() -> None:
    run = play(pay("U", "10:00", "A", "B", 500, priority="URGT"), actions=[act("12:00", "fee", amount="5")])
    told = story(run, "FEES-000001")
    assert (
        "What stood ahead of it was sent back when the clearing window (清算窗口) closed (U), which let it go." in told
    )


def test_an_item_kept_back_by_a_floor_is_posted_with_nothing_ahead() -> None:
    told = story(play(terms={"floor": 98}, actions=[act("12:00", "fee", amount="5")]), "FEES-000001")
    assert "The central bank posted it when the clearing window (清算窗口) closed: the items of its own levels" in told
    assert "stood ahead" not in told


def test_a_held_payment_says_what_held_it_and_what_lifted_that() -> None:
    run = play(
        pay("P", "10:00", "A", "B", 10),
        pay("Q", "10:01", "A", "B", 10),
        terms={"status": "AS04"},
        actions=[act("11:00", "debit_control", on=False)],
    )
    assert "A's debits were held by debit control (借记控制) at that moment." in story(run, "P")
    assert "A had CNY 100.00 available at that moment; that was enough for it, but it was held." in story(run, "P")
    lifted = "Debit control (借记控制) was lifted from A, which released it (debit control off)."
    assert lifted in story(run, "P")
    behind = story(run, "Q")
    assert "behind P (CNY 10.00)." in behind
    assert "held by debit control" in behind
    assert "not its turn" not in behind


def test_a_frozen_account_says_so() -> None:
    run = play(pay("P", "10:00", "A", "B", 10), actions=[put("09:30", "status", "AS06")])
    assert "A's account was frozen (AS06) and its debits held at that moment." in story(run, "P")


def test_a_control_put_on_while_it_waited_stands_between_arrival_and_end() -> None:
    run = play(
        pay("P", "10:00", "A", "B", 120),
        pay("R", "11:00", "B", "A", 30),
        actions=[act("10:30", "debit_control", on=True), act("12:00", "debit_control", on=False)],
    )
    told = story(run, "P")
    assert "At 10:30:00: debit control (借记控制) was put on A, which held its debits." in told
    assert "CNY 20.00 too little." in told
    assert "Debit control (借记控制) was lifted from A, which released it" in told


def test_a_control_of_the_very_instant_comes_after_the_arrival() -> None:
    run = play(pay("P", "10:00", "A", "B", 120), actions=[act("10:00", "debit_control", on=True)])
    assert "at that moment, CNY 20.00 too little." in story(run, "P")
    assert "A's debits were held" not in story(run, "P")


# what was available -----------------------------------------------------------------------------------------


def test_reservations_count_by_level() -> None:
    run = play(
        pay("N", "10:00", "A", "B", 70),
        pay("H", "10:01", "A", "B", 95, priority="HIGH"),
        pay("U", "10:02", "A", "B", 101, priority="URGT"),
        terms={"reserved_high": 10, "reserved_urgent": 40},
    )
    assert "A had CNY 50.00 available at that moment (balance CNY 100.00, less reservation" in story(run, "N")
    assert "CNY 20.00 too little." in story(run, "N")
    assert "A had CNY 90.00 available" in story(run, "H")
    assert "A had CNY 100.00 available at that moment, CNY 1.00 too little." in story(run, "U")


def test_reservations_that_were_set_count_from_then_on() -> None:
    run = play(
        pay("P", "10:00", "A", "B", 70),
        actions=[put("09:00", "reserved_urgent", "40"), put("11:00", "reserved_urgent", "0")],
    )
    told = story(run, "P")
    assert "A had CNY 60.00 available" in told
    assert "CNY 10.00 too little." in told
    assert "released it (reserved_urgent 0.00 CNY)." in told


def test_round_nets_ignore_earmark_and_reservations() -> None:
    nets = [{"account": "A", "net": "-130"}, {"account": "B", "net": "130"}]
    run = play(
        terms={"earmark": 30, "reserved_high": 10, "reserved_urgent": 20},
        actions=[{"at": "11:00", "do": "round_net", "nets": nets}],
    )
    row = next(i for i, name in enumerate(run.table("payments")["debtor"].to_pylist()) if name == "A")
    name = run.table("payments")["payment_id"][row].as_py()
    assert "A had CNY 100.00 available at that moment, CNY 30.00 too little." in story(run, name)


def test_where_the_accounts_come_from_a_file_less_is_said(tmp_path: Any) -> None:
    (tmp_path / "accounts.csv").write_text("account,balance,reserved_urgent\nA,100,40\nB,50,0\n")
    (tmp_path / "s.yaml").write_text(
        "name: filed\naccounts: {file: accounts.csv}\nworkload:\n  - system: HVPS\n    payments:\n"
        "      - {payment_id: P, time: '10:00', debtor: A, creditor: B, amount: '70'}\n"
        "      - {payment_id: Q, time: '10:01', debtor: A, creditor: B, amount: '120'}\n"
    )
    run = cs.simulate(str(tmp_path / "s.yaml"))
    assert "A had CNY 100.00 available at that moment, before any reservation." in story(run, "P")
    assert "A had CNY 100.00 available at that moment, before any reservation; CNY 20.00 too little." in story(run, "Q")


def test_a_payment_that_passes_others_of_its_level_had_nothing_in_its_way() -> None:
    run = play(pay("P", "10:00", "A", "B", 120), pay("Q", "10:01", "A", "B", 10), hvps={"discipline": "bypass"})
    assert "Nothing stood in its way and its account could pay" in story(run, "Q")


# levels -----------------------------------------------------------------------------------------------------


def test_a_changed_level_is_told_as_it_was_on_arrival() -> None:
    run = play(
        pay("HIGH", "10:00", "A", "B", 500, priority="HIGH"),
        pay("P", "10:01", "A", "B", 300),
        pay("Q", "10:02", "A", "B", 200, priority="HIGH"),
        pay("R", "12:00", "A", "B", 100, priority="HIGH"),
        hvps={"reprioritise": True},
        actions=[{"at": "11:00", "do": "reprioritise", "payment": "P", "priority": "URGT"}],
    )
    told = story(run, "P")
    assert "at level 7 of the settlement queue (normal, 普通), priority NORM." in told
    assert "behind HIGH (CNY 500.00)." in told
    assert "At 11:00:00: moved to the tail of level 1." in told
    assert cs.explain(run, "P").facts["level_on_arrival"] == 7
    assert cs.explain(run, "Q").facts["ahead"] == ["HIGH"]  # P stood lower then
    assert cs.explain(run, "R").facts["ahead"] == ["P", "HIGH", "Q"]
    run.scenario["workload"] = [{"system": "HVPS", "file": "payments.csv"}]
    assert "at level 1 of the settlement queue (urgent, 特急), priority URGT, after a change of level." in story(
        run, "P"
    )
    assert "whether P (CNY 300.00) stood before it is not recorded" in story(run, "Q")


# hours ------------------------------------------------------------------------------------------------------


def test_out_of_hours_comes_before_logged_out() -> None:
    run = play(
        pay("IN", "10:00", "A", "B", 1),
        pay("AT", "09:00", "A", "B", 1),
        pay("OUT", "17:20", "A", "B", 1),
        pay("BACK", "12:00", "A", "B", 1),
        actions=[act("09:00", "log_out"), act("11:00", "log_in"), act("13:00", "log_out")],
    )
    assert "its sender was logged out" in story(run, "IN")
    assert "settled at once" in story(run, "AT")
    assert "the system does not take such payments at that time (PR09, RJ90, TM01)" in story(run, "OUT")
    assert "settled at once" in story(run, "BACK")


def test_credit_control_and_debit_control_share_a_reason() -> None:
    on = [act("09:00", "debit_control", on=True), act("09:00", "credit_control", "B", on=True)]
    rejects = {"discipline": "reject"}
    payment = pay("P", "10:00", "A", "B", 1)
    assert "the debtor's account is under debit control" in story(play(payment, hvps=rejects, actions=on[:1]), "P")
    assert "the creditor's account is under credit control" in story(play(payment, hvps=rejects, actions=on), "P")
    assert "the creditor's account is under credit control" in story(play(payment, actions=on), "P")


# tables that make no sense ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Spoilt:
    """A run whose table of payments was changed by hand."""

    tables: dict[str, Any]
    manifest: dict[str, Any]
    scenario: dict[str, Any]

    def table(self, name: str) -> Any:
        return self.tables[name]


@pytest.fixture(scope="module")
def sound() -> cs.Run:
    return play(pay("P", "10:00", "A", "B", 120), pay("Q", "10:01", "A", "B", 10))


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("amount_fen", [None, 1], "payments.amount_fen: lacks a value"),
        ("amount_fen", [12_000, -1], "payments.amount_fen: is out of range"),
        ("level", [99, 7], "payments.level: is out of range"),
        ("debtor", ["A", None], "payments.debtor: lacks a value"),
        ("debtor", [1, 2], "payments.debtor: is of another type"),
        ("status", ["PR77", "PR09"], "payments.status: no such status"),
        ("submitted_ms", [1, 2], "leaves before it comes"),
        ("date", [dt.date(1999, 1, 1)] * 2, "does not know a business date"),
        (None, None, "payments: there is no payment to tell of"),
        ("dropped", None, "payments: has no such column"),
    ],
)
def test_tables_that_make_no_sense_are_an_input_error(sound: Any, column: str, values: Any, words: str) -> None:
    tables = {name: sound.table(name) for name in ("payments", "transfers", "accounts", "events")}
    table = tables["payments"]
    if column is None:
        tables["payments"] = table.slice(0, 0)
    elif column == "dropped":
        tables["payments"] = table.drop_columns(["amount_fen"])
    else:
        place = table.column_names.index(column)
        kind = pa.int64() if column == "debtor" and values == [1, 2] else table.schema.field(column).type
        tables["payments"] = table.set_column(place, column, pa.array(values, kind))
    with pytest.raises(InputError, match=words) as caught:
        cs.explain(Spoilt(tables, sound.manifest, sound.scenario), "P")
    assert "\n" not in str(caught.value)
