"""Random small runs with pools, pledges, sweeps and lending: the auditor, who knows no rule of the books, passes them.

A run is drawn from a seed: a few banks with little money, payments and nets at few instants, and orders that change
what an account keeps, whether it may pay, and whether its pool works. `cs.simulate` raises where the auditor of the
stream or that of the tables finds a breach.
"""

from __future__ import annotations

import os
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cnaps_sim as cs
from cnaps_sim.analysis.happenings import Kind, happenings
from cnaps_sim.analysis.metrics.payments import payments_of
from cnaps_sim.analysis.replay import replay

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
RUNS = 2_000 if SLOW else 40
#: Friday to Wednesday: loans become overdue, and borrowers default.
DATES = ["2025-06-20", "2025-06-23", "2025-06-24", "2025-06-25"]
CLOCKS = ["08:30", "09:00", "09:00", "10:30", "11:00", "13:15", "16:00", "17:10", "17:20"]
FIELDS = ["earmark", "floor", "reserved_high", "reserved_urgent", "overdraft_limit"]


class Drawn:
    """One random scenario; `scenario` holds it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.banks = [f"B{number}" for number in range(self.chance.randint(4, 9))]
        dates = self.dates = DATES[: self.chance.choice([1, 1, 2, 4])]
        self.moments = [f"{date}T{clock}" for date in dates for clock in CLOCKS]
        automatic = [bank for bank in self.banks if self.chance.random() < 0.5]
        pools = self.pools()
        self.scenario: dict[str, Any] = {
            "name": "drawn",
            "date": DATES[0],
            "days": len(dates),
            "seed": seed,
            "accounts": [self.account(bank, bank in automatic) for bank in self.banks],
            "workload": [{"system": "HVPS", "payments": [self.payment(k) for k in range(self.chance.randint(10, 90))]}],
            "actions": [self.action(pools) for _ in range(self.chance.randint(0, 14))],
            "pools": pools,
            "credit": self.credit(automatic),
            "hvps": self.hvps(),
            "limits": self.limits(),
            "series_step": "6 h",
        }

    def account(self, bank: str, automatic: bool) -> dict[str, Any]:
        row: dict[str, Any] = {"account": bank, "balance": self.chance.choice([0, 5, 20, 60])}
        if not automatic and self.chance.random() < 0.5:
            row["overdraft_limit"] = self.chance.choice([5, 20])
        for name in FIELDS[1:4]:
            if self.chance.random() < 0.2:
                row[name] = self.chance.choice([1, 4])
        if self.chance.random() < 0.3:
            row["earmark"] = max(0, min(row["balance"] - row.get("floor", 0), 5))
        return row

    def pools(self) -> list[dict[str, Any]]:
        """Most banks are in one of two pools."""
        members = self.chance.sample(self.banks, self.chance.randint(2, len(self.banks)))
        cut = self.chance.choice([0, 0, len(members) // 2]) if len(members) > 3 else 0
        groups = [group for group in (members[:cut], members[cut:]) if len(group) > 1]
        return [
            {
                "name": f"pool{number}", "accounts": group, "order": self.chance.choice(["set", "random"]),
                "sweeps": [
                    {"at": self.chance.choice(CLOCKS[1:7]), "direction": self.chance.choice(["up", "down"]),
                     "keep": self.chance.choice([0, 3, 10])}
                    for _ in range(self.chance.choice([0, 1, 2]))
                ],
                **({"from": self.dates[-1]} if self.chance.random() < 0.1 else {}),
            }
            for number, group in enumerate(groups)
        ]  # fmt: skip

    def credit(self, automatic: list[str]) -> dict[str, Any]:
        lender, borrower = self.chance.sample(self.banks, 2)
        rows = [
            {"account": bank, "bonds": self.chance.choice([10, 40, 200]),
             "mode": "automatic" if bank in automatic else "manual"}
            for bank in self.banks if bank in automatic or self.chance.random() < 0.2
        ]  # fmt: skip
        return {
            "pledge": {"collateral": rows, "start": self.chance.choice([0, 2, 15]), "rate": "0.9", "default_after": 2},
            "agreements": [{"lender": lender, "borrower": borrower, "upper": 30, "lower": self.chance.choice([0, 8])}],
            "lending_desk": {"share": self.chance.choice(["0", "0.5"])},
        }

    def hvps(self) -> dict[str, Any]:
        terms: dict[str, Any] = {"discipline": self.chance.choice(["fifo", "fifo", "bypass", "reject"])}
        if terms["discipline"] != "reject" and self.chance.random() < 0.5:
            duration = self.chance.choice(["0 ms", "0 ms", "20 min"])
            terms["matching"] = {"algorithm": "multilateral", "every": "45 min", "duration": duration}
        return terms

    def limits(self) -> list[dict[str, Any]]:
        one, other = self.chance.sample(self.banks, 2)
        return [{"account": one, "to": other, "limit": 15}] if self.chance.random() < 0.3 else []

    def payment(self, number: int) -> dict[str, Any]:
        debtor, creditor = self.chance.sample(self.banks, 2)
        return {
            "payment_id": f"P{number}", "time": self.chance.choice(self.moments), "debtor": debtor,
            "creditor": creditor, "amount": f"{self.chance.choice([1, 2, 5, 9, 20, 40])}.{number % 100:02d}",
            "priority": self.chance.choice(["NORM", "NORM", "NORM", "HIGH", "URGT"]),
        }  # fmt: skip

    def action(self, pools: list[dict[str, Any]]) -> dict[str, Any]:
        at, bank = self.chance.choice(self.moments), self.chance.choice(self.banks)
        kind = self.chance.choice(["set", "set", "control", "status", "pool", "pledge", "nets", "nets", "money"])
        if kind == "set":
            field, value = self.chance.choice(FIELDS[:4]), self.chance.choice(["0", "3", "10"])
            return {"at": at, "do": "set", "account": bank, "field": field, "value": value}
        if kind == "control":
            return {"at": at, "do": "debit_control", "account": bank, "on": self.chance.random() < 0.6}
        if kind == "status":
            value = self.chance.choice(["AS01", "AS02", "AS06"])
            return {"at": at, "do": "set", "account": bank, "field": "status", "value": value}
        if kind == "pool":
            verb = self.chance.choice(["start_pool", "stop_pool", "start_pool", "stop_pool", "cancel_pool"])
            return {"at": at, "do": verb, "pool": self.chance.choice(pools)["name"]}
        if kind == "pledge":
            return {"at": at, "do": "pledge", "account": bank, "amount": self.chance.choice([3, 12])}
        if kind == "nets":
            other = self.chance.choice([one for one in self.banks if one != bank])
            rows = [{"account": bank, "net": "-8"}, {"account": other, "net": "8"}]
            return {"at": at, "do": "round_net", "nets": rows}
        return {"at": at, "do": "inject", "account": bank, "amount": 10}


@settings(max_examples=RUNS, deadline=None, derandomize=not SLOW, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31))
def test_the_auditor_passes_random_days_with_liquidity_tools(seed: int) -> None:
    run = cs.simulate(Drawn(seed).scenario)
    assert run.manifest["audit"]["verdict"] == "passed"
    assert {"rescue-exact", "giver-keeps", "pool-first", "within-pool"} <= set(run.manifest["audit"]["rules"])


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31))
def test_told_event_by_event_nothing_leaves_a_queue_before_it_came_and_money_moves_in_its_order(seed: int) -> None:
    run = cs.simulate(Drawn(seed).scenario)
    found = happenings(run, payments_of(run))
    assert [one.row for one in found if one.kind is Kind.POSTING] == list(range(run.table("transfers").num_rows))
    shown = replay(run)
    last_step, last_frame = cs.steps(run)[-1], shown.frames[-1]
    assert last_step.queues_after == {}
    assert last_frame.waiting == ()
    closing = run.accounts[run.accounts["date"] == run.accounts["date"].max()].set_index("account")["closing_fen"]
    assert last_frame.balances == tuple(closing[list(shown.accounts)])
    assert {name: closing[name] for name in last_step.balances_after} == last_step.balances_after
