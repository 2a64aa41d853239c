"""Costs of the banks: each figure by hand on a small day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import cnaps_sim as cs

#: A uses 600 000 of its own; P2 waits three hours in A's outbox; B's P3 waits from 10:00 to the end and is sent back.
DAY: dict[str, Any] = {
    "accounts": [
        {"account": "A", "balance": 1_000_000, "kind": "city"},
        {"account": "B", "overdraft_limit": 500_000, "kind": "city"},
        {"account": "C", "kind": "rural"},
    ],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                {"payment_id": "P2", "time": "09:00", "debtor": "A", "creditor": "C", "amount": 600_000},
                {"payment_id": "P3", "time": "10:00", "debtor": "B", "creditor": "C", "amount": 800_000},
                {"payment_id": "P4", "time": "10:00", "debtor": "B", "creditor": "A", "amount": 1, "priority": "HIGH"},
            ],
        }
    ],
    "behaviours": [{"banks": ["A"], "policy": "hold-until", "until": "12:00"}],
}


def costs_of(run: cs.Run, **more: Any) -> dict[tuple[str, str], int]:
    frame = cs.metrics.costs(run, **more)
    assert set(frame.unit) == {"fen"}
    return {(row.account, row.measure): row.value for row in frame.itertuples()}


def test_each_cost_is_its_formula() -> None:
    run = cs.simulate(DAY)
    found = costs_of(run, liquidity_rate=360, delay_rate=1, failure_rate=Decimal("0.01"))
    hour = 3_600_000
    assert found["A", "liquidity_cost"] == 60_000_000 - 100  # 1 CNY came in before
    assert found["A", "delay_cost"] == round(60_000_000 * 3 / 24 / 360)
    assert found["A", "failure_cost"] == 0
    end = run.manifest["timetable"][0]["window_end_ms"]
    assert found["B", "delay_cost"] == round(80_000_000 * (end - 10 * hour) / (360 * 24 * hour))
    assert found["B", "failure_cost"] == 800_000
    assert found["B", "overdraft_interest"] == run.accounts.set_index("account").overdraft_interest_fen["B"]
    for bank in "ABC":
        names = ("liquidity_cost", "delay_cost", "failure_cost", "overdraft_interest", "penalty_interest")
        assert found[bank, "cost"] == sum(found[bank, name] for name in names)


def test_groups_add_up_and_the_central_bank_has_no_costs() -> None:
    run = cs.simulate(DAY)
    by_account, by_kind = cs.metrics.costs(run), cs.metrics.costs(run, by="kind")
    assert set(by_account.account) == {"A", "B", "C"}
    assert set(by_kind.kind) == {"city", "rural"}
    assert by_account.value.sum() == by_kind.value.sum() == cs.metrics.costs(run, by=None).value.sum()
    only = cs.metrics.costs(run, where={"account": "B"})
    assert only.value.tolist() == by_account[by_account.account == "B"].value.tolist()


def test_what_is_kept_past_cut_off_has_failed() -> None:
    late = {**DAY, "behaviours": [{"banks": ["A"], "policy": "hold-until", "until": "never"}]}
    assert costs_of(cs.simulate(late), failure_rate=1)["A", "failure_cost"] == 60_000_000


def test_a_penalty_loan_costs_a_day_of_its_rate() -> None:
    short = {
        **DAY,
        "behaviours": [],
        "accounts": [{"account": "A", "balance": 10}, {"account": "B"}, {"account": "C"}],
        "actions": [{"at": "11:00", "do": "central_bank_debit", "account": "A", "amount": 100_010}],
    }
    assert costs_of(cs.simulate(short))["A", "penalty_interest"] == 6_000  # 100 000 CNY at 0.0006
