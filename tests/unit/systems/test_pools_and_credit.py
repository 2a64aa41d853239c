"""Pools and credit of a run: what has a date, a time or an order."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.scenario.load import from_dict
from cnaps_sim.words.errors import InputError


def day(accounts: dict[str, Any], payments: list[tuple[str, str, str, str]], **terms: Any) -> cs.Run:
    """A run of written-out accounts (balance, or a row) and payments (time, debtor, creditor, amount), audited."""
    rows = [
        {"account": name, **(given if isinstance(given, dict) else {"balance": given})}
        for name, given in accounts.items()
    ]
    told = [
        {"payment_id": f"p{n}", "time": at, "debtor": debtor, "creditor": creditor, "amount": amount}
        for n, (at, debtor, creditor, amount) in enumerate(payments, 1)
    ]
    data = {"accounts": rows, "workload": [{"system": "HVPS", "payments": told}], "liquidity": {"from": "accounts"}}
    run = cs.simulate(from_dict({**data, **terms}).scenario)
    assert run.manifest["audit"] == {"verdict": "passed", "rules": run.manifest["audit"]["rules"], "breaches": []}
    return run


def moves(run: cs.Run, *kinds: str) -> list[tuple[str, str, int]]:
    """Debtor, creditor and fen of the transfers of these kinds, in order."""
    found = run.transfers
    found = found[found["kind"].isin(kinds)]
    return list(zip(found["debtor"], found["creditor"], found["amount_fen"].tolist(), strict=True))


def told(run: cs.Run, kind: str) -> list[tuple[str, str]]:
    """Subject and words of the events of a kind."""
    events = run.events
    events = events[events["kind"] == kind]
    return list(zip(events["subject"], events["detail"], strict=True))


def test_a_rescue_names_the_payment_it_was_made_for() -> None:
    run = day({"A": "1", "B": "5", "X": "0"}, [("10:00", "A", "X", "4")], pools=[{"accounts": ["A", "B"]}])
    pool = run.transfers[run.transfers["kind"] == "pool"]
    assert pool[["debtor", "creditor", "amount_fen", "for_payment"]].to_numpy().tolist() == [["B", "A", 300, "p1"]]
    assert run.payments["status"].tolist() == ["PR04"]


def test_a_pool_rescues_only_while_it_is_in_force() -> None:
    pools = [{"accounts": ["A", "B"], "from": "2025-06-18", "until": "2025-06-18"}]
    payments = [(f"2025-06-{date}T10:00", "A", "X", "1") for date in (17, 18, 19)]
    run = day({"A": "0", "B": "5", "X": "0"}, payments, pools=pools, days=3)
    assert run.payments["status"].tolist() == ["PR09", "PR04", "PR09"]


def test_a_stopped_pool_waits_for_its_start_and_a_cancelled_one_for_nothing() -> None:
    actions = [
        {"at": "09:00", "do": "stop_pool", "pool": "P"},
        {"at": "11:00", "do": "start_pool", "pool": "P"},
        {"at": "12:00", "do": "cancel_pool", "pool": "P"},
        {"at": "12:01", "do": "start_pool", "pool": "P"},
    ]
    payments = [("10:00", "A", "X", "1"), ("12:02", "A", "X", "1")]
    pools = [{"name": "P", "accounts": ["A", "B"]}]
    run = day({"A": "0", "B": "5", "X": "0"}, payments, pools=pools, actions=actions)
    first, second = run.payments.to_dict("records")
    assert (first["settled_ms"], first["released_by"]) == (11 * 3_600_000, "pool")
    assert second["status"] == "PR09"
    assert told(run, "action")[-1] == ("P", "has been cancelled before")


def test_money_is_swept_up_to_the_head_and_down_from_it() -> None:
    sweeps = [
        {"at": "10:00", "direction": "up", "keep": "2"},
        {"at": "11:00", "direction": "down", "keep": "3"},
    ]
    accounts = {"H": "0", "A": "5", "B": "1", "C": {"balance": "9", "earmark": "4"}}
    run = day(accounts, [("12:00", "A", "H", "1")], pools=[{"accounts": ["H", "A", "B", "C"], "sweeps": sweeps}])
    up = [("A", "H", 300), ("C", "H", 300)]
    down = [("H", "A", 100), ("H", "B", 200)]  # C holds 6, A and B are filled up to 3
    assert moves(run, "sweep") == up + down


def test_bonds_and_capital_limit_what_a_pledge_brings() -> None:
    rows = [
        {"account": "A", "bonds": "10"},
        {"account": "B", "bonds": "100", "capital": "20"},
        {"account": "C", "bonds": "10", "mode": "none"},
    ]
    accounts = {"A": "0", "B": {"balance": "0", "kind": "state"}, "C": "0", "X": "0"}
    payments = [("10:00", "A", "X", "9"), ("10:01", "B", "X", "0.80"), ("10:02", "B", "X", "0.01")]
    payments += [("10:03", "C", "X", "1")]
    run = day(accounts, payments, credit={"pledge": {"collateral": rows}})
    assert moves(run, "pledge") == [("PBC-LENDING", "A", 900), ("PBC-LENDING", "B", 80)]
    assert run.payments["status"].tolist() == ["PR04", "PR04", "PR09", "PR09"]


def test_a_loan_by_hand_is_repaid_on_request_or_at_cut_off() -> None:
    pledge = {"rate": "0.9", "collateral": [{"account": "A", "bonds": "1000000", "mode": "manual"}]}
    actions = [
        {"at": "09:00", "do": "pledge", "account": "A", "amount": "86400"},
        {"at": "10:30", "do": "repay", "account": "A"},
        {"at": "16:00", "do": "pledge", "account": "A", "amount": "900000"},
        {"at": "16:01", "do": "pledge", "account": "A", "amount": "0.01"},
    ]
    run = day({"A": "1000000", "X": "0"}, [("10:00", "A", "X", "1")], actions=actions, credit={"pledge": pledge})
    repaid = run.transfers[run.transfers["kind"] == "repayment"]
    assert repaid["time_ms"].tolist() == [10 * 3_600_000 + 1_800_000, 17 * 3_600_000 + 900_000]
    # 86 400 x 0.9 x 2 begun hours / 8 640 = 18 CNY; 900 000 x 0.9 x 2 / 8 640 = 187.50 CNY
    assert [fen for _, _, fen in moves(run, "interest")] == [1_800, 18_750]
    assert (
        run.events["detail"].str.endswith("the bonds or the limit of the borrower do not cover such a loan").sum() == 1
    )


def test_what_is_not_repaid_is_overdue_and_in_the_end_the_bonds_are_realised() -> None:
    pledge = {"rate": "0.0864", "collateral": [{"account": "A", "bonds": "20000", "mode": "automatic"}]}
    payments = [("10:00", "A", "X", "10000"), ("2025-06-20T10:00", "A", "X", "9000")]
    run = day({"A": "0", "X": "0"}, payments, days=4, credit={"pledge": pledge})
    assert told(run, "overdue") == [("A", "pledge loans of 10000.00 CNY not repaid")]
    (default,) = told(run, "default")
    # 0.0864 a year is 0.1 CNY an hour: 8 begun hours to 17:15, then 0.1164 for 73 to 17:30
    interest = 8 * 10 + round(73 * 1_000_000 * 0.1164 / 8640)
    assert default == (
        "A",
        f"pledge loans of 10000.00 CNY and {interest / 100:.2f} CNY of interest: the bonds are realised",
    )
    assert run.payments["status"].tolist() == ["PR04", "PR09"]  # only 8 000 CNY of room were left


def test_an_agreement_lends_what_the_borrower_lacks_and_is_paid_back_with_interest() -> None:
    agreement = {"lender": "L", "borrower": "A", "lower": "100", "upper": "36000", "rate": "0.36"}
    payments = [("10:00", "A", "X", "36000"), ("2025-06-18T09:00", "X", "A", "36036")]
    run = day(
        {"A": "0", "L": "50000", "X": "100"}, payments, days=2, credit={"agreements": [agreement]},
    )  # fmt: skip
    assert moves(run, "loan") == [("L", "A", 3_600_000)]
    assert run.payments["released_by"].tolist()[0] == "loan"
    assert moves(run, "repayment", "interest") == [("A", "L", 3_600), ("A", "L", 3_600_000)]


@pytest.mark.parametrize(("lower", "balance"), [("37000", "50000"), ("100", "99")])
def test_an_agreement_does_not_lend_outside_its_limits_or_what_is_not_there(lower: str, balance: str) -> None:
    agreement = {"lender": "L", "borrower": "A", "lower": lower, "upper": "40000"}
    run = day(
        {"A": "0", "L": balance, "X": "0"}, [("10:00", "A", "X", "36000")], credit={"agreements": [agreement]},
    )  # fmt: skip
    assert moves(run, "loan") == []
    assert run.payments["reason"].tolist() == ["RJ99"]


def test_lending_desks_fund_the_shortest_first_from_who_has_most() -> None:
    payments = [("10:00", "A", "X", "30"), ("10:01", "B", "Y", "50")]
    accounts = {"A": "0", "B": "0", "L": "100", "M": "60", "X": "0", "Y": "0"}
    run = day(accounts, payments, credit={"lending_desk": {"share": "0.5", "after": "3 min"}})
    assert moves(run, "loan") == [("L", "B", 5_000), ("M", "A", 3_000)]
    assert run.transfers["time_ms"].tolist() == [17 * 3_600_000 + 18 * 60_000] * 4
    assert [subject for subject, _ in told(run, "short")] == ["A", "B"]


def test_an_account_has_an_overdraft_limit_or_automatic_pledges() -> None:
    with pytest.raises(InputError, match="has an overdraft limit, and automatic pledge financing too"):
        day(
            {"A": {"balance": "0", "overdraft_limit": "5"}, "X": "0"}, [("10:00", "A", "X", "1")],
            credit={"pledge": {"collateral": [{"account": "A", "bonds": "1"}]}},
        )  # fmt: skip


def test_an_account_belongs_to_one_pool() -> None:
    with pytest.raises(InputError, match=r"belongs to pools\.0 already"):
        day(
            {"A": "0", "B": "0", "X": "0"}, [("10:00", "A", "X", "1")],
            pools=[{"accounts": ["A", "B"]}, {"accounts": ["X", "B"]}],
        )  # fmt: skip


def test_what_an_account_lacks_follows_the_rules_of_its_queue() -> None:
    accounts = {
        "L": "1000", "E": {"balance": "50", "earmark": "50"}, "R": "20", "D": "0", "M": "10", "C": "0",
    }  # fmt: skip
    payments = [("10:00", "R", "C", "60"), ("10:00", "D", "C", "70"), ("10:00", "M", "C", "40")]
    actions = [
        {"at": "09:00", "do": "debit_control", "account": "D", "on": True},
        {"at": "11:00", "do": "round_net", "nets": [{"account": "E", "net": "-80"}, {"account": "C", "net": "80"}]},
    ]
    run = day(
        accounts, payments, actions=actions,
        reservations=[{"account": "R", "high": "20"}],
        limits=[{"account": "M", "limit": "0"}],
        credit={"agreements": [{"lender": "L", "borrower": borrower, "upper": "500"} for borrower in "ERDM"]},
    )  # fmt: skip
    # E may use its earmark for a net; R keeps its reservation; nothing would help D and M
    assert moves(run, "loan") == [("L", "E", 3_000), ("L", "R", 6_000)]
    assert dict(told(run, "short")) == {"E": "lacks 30.00 CNY", "R": "lacks 60.00 CNY"}
    assert run.payments["status"].tolist()[:3] == ["PR04", "PR09", "PR09"]


@pytest.mark.parametrize(("upper", "balance"), [("35999.99", "50000"), ("36000", "35999.99")])
def test_nobody_lends_less_than_would_help(upper: str, balance: str) -> None:
    agreement = {"lender": "L", "borrower": "A", "upper": upper}
    run = day(
        {"A": "0", "L": balance, "X": "0"}, [("10:00", "A", "X", "36000")],
        credit={"agreements": [agreement], "lending_desk": {"share": "0.5"}},
    )  # fmt: skip
    assert moves(run, "loan") == []


def test_an_account_with_automatic_pledges_asks_for_none() -> None:
    pledge = {"collateral": [{"account": "A", "bonds": "100"}]}
    actions = [{"at": "10:00", "do": "pledge", "account": "A", "amount": "50"}]
    run = day({"A": "10", "X": "0"}, [("09:00", "A", "X", "1")], actions=actions, credit={"pledge": pledge})
    assert moves(run, "pledge", "repayment") == []
    assert told(run, "refusal") == [
        ("A", "pledge refused: its pledge financing is automatic and lends when a debit needs it")
    ]
