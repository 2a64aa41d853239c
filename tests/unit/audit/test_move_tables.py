"""The auditor of the tables sees whatever is wrong in the transfers that rules made, by the name of its rule."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import cnaps_sim as cs
from cnaps_sim.audit.tables import audit_tables

RULES = {"covers-agree", "within-pool", "pledges-replay"}
DAY = "2025-06-17T"
SCENARIO: dict[str, Any] = {
    "name": "moves",
    "date": "2025-06-17",
    "days": 2,
    "accounts": [
        {"account": "A", "balance": 80, "kind": "city"},
        {"account": "B", "balance": 60, "kind": "rural"},
        {"account": "C", "balance": 0, "kind": "city"},
        {"account": "D", "balance": 10},
        {"account": "E", "balance": 5},
    ],
    "pools": [{"accounts": ["A", "B", "C"], "sweeps": [{"at": "14:00", "direction": "up"}]}],
    "credit": {"pledge": {"rate": "0.9", "collateral": [{"account": "E", "bonds": 100}]}},
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                {"payment_id": name, "time": time, "debtor": pair[0], "creditor": pair[1], "amount": amount}
                for name, time, pair, amount in (
                    ("rescued", "09:00", "CD", 110),
                    ("lent", "09:01", "ED", 50),
                    ("waits-for-pool", "09:02", "CD", 35),
                    ("waits-for-loan", "09:03", "ED", 60),
                    ("wakes-pool", "11:00", "DA", 45),
                    ("wakes-loan", "12:00", "AE", 30),
                    ("repays", "13:00", "DE", 100),
                    ("lent-overnight", "16:00", "ED", 40),
                    ("too-little", "2025-06-18T10:00", "DE", 3),
                )
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def run() -> cs.Run:
    found = cs.simulate(SCENARIO)
    released = {row["payment_id"]: row["released_by"] for row in found.table("payments").to_pylist()}
    assert (released["waits-for-pool"], released["waits-for-loan"]) == ("pool", "pledge")
    kinds = {row["kind"] for row in found.table("transfers").to_pylist()}
    assert {"pool", "sweep", "pledge", "repayment", "interest"} <= kinds
    return found


class Stored:
    """Tables of the run, to be damaged."""

    def __init__(self, run: cs.Run) -> None:
        self.run = run
        self.scenario = run.scenario
        self.tables = {name: run.table(name) for name in run.recorded}

    def change(self, table: str, where: dict[str, Any], **values: Any) -> Stored:
        """Put other values into the first row that has these."""
        given = self.tables[table]
        rows = given.to_pylist()
        row = next(row for row in rows if all(row[name] == wanted for name, wanted in where.items()))
        row.update(values)
        self.tables[table] = pa.Table.from_pylist(rows, schema=given.schema)
        return self

    def verdict(self) -> Any:
        return audit_tables(self.tables, self.run.manifest, ignore_digests=True, scenario=self.scenario)

    def broken(self) -> set[str]:
        return {rule for rule, count in self.verdict().rules.items() if count}


@pytest.fixture
def stored(run: cs.Run) -> Stored:
    return Stored(run)


def test_sound_tables_pass(stored: Stored) -> None:
    verdict = stored.verdict()
    assert verdict.passed, verdict.breaches
    assert set(verdict.rules) >= RULES


def test_a_run_without_such_transfers_is_not_asked_for_them() -> None:
    plain = cs.simulate({**SCENARIO, "pools": [], "credit": {}})
    assert not RULES & set(plain.manifest["audit"]["rules"])


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"kind": "pool"}, {"for_payment": None}),
        ({"kind": "pool"}, {"for_payment": "waits-for-pool"}),
        ({"kind": "pledge"}, {"for_payment": "nobody"}),
        ({"kind": "pledge"}, {"for_payment": "repays"}),
        ({"kind": "sweep"}, {"for_payment": "rescued"}),
        ({"payment_id": "repays"}, {"for_payment": "rescued"}),
        ({"payment_id": "rescued"}, {"time_ms": 32_400_001}),
        ({"payment_id": "rescued"}, {"debtor": "E"}),
    ],
)
def test_a_cover_that_fits_no_payment_breaks_covers_agree(stored: Stored, where: Any, values: Any) -> None:
    assert "covers-agree" in stored.change("transfers", where, **values).broken()


@pytest.mark.parametrize("kind", ["pool", "sweep"])
def test_money_from_outside_the_pool_breaks_within_pool(stored: Stored, kind: str) -> None:
    assert "within-pool" in stored.change("transfers", {"kind": kind}, debtor="D").broken()


@pytest.mark.parametrize(
    ("pools", "broken"),
    [
        ([{"accounts": ["A", "B", "C"]}], False),
        ([{"accounts": ["A", "C"]}], True),
        ([{"accounts": ["A", "B", "C"], "from": "2025-06-18"}], True),
        ([{"accounts": ["A", "B", "C"], "until": "2025-06-17"}], False),
        ([{"kind": "city", "size": 10}], True),
        ([{"owners": "all"}], True),
        ([], True),
        ([{"accounts": 3}], True),
    ],
)
def test_pools_are_those_of_the_scenario(stored: Stored, pools: Any, broken: bool) -> None:
    stored.scenario = {**stored.scenario, "pools": pools}
    assert ("within-pool" in stored.broken()) == broken


def test_pools_of_a_class_take_its_accounts_in_their_order() -> None:
    accounts = [
        {"account": f"A{k}", "balance": 50 * (k == 2), "kind": "city" if k % 2 == 0 else "rural"} for k in range(7)
    ]
    pay = {"payment_id": "P", "time": "09:00", "debtor": "A0", "creditor": "A1", "amount": 20}
    pools = [{"kind": "city", "size": 2}]
    found = cs.simulate({"name": "x", "accounts": accounts, "workload": [{"system": "HVPS", "payments": [pay]}],
                         "pools": pools})  # fmt: skip
    stored = Stored(found)
    assert stored.broken() == set()
    stored.scenario = {**found.scenario, "pools": [{"kind": "rural", "size": 2}]}
    assert stored.broken() == {"within-pool"}


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"kind": "repayment"}, {"for_payment": "waits-for-loan"}),
        ({"kind": "repayment"}, {"amount_fen": 4_499}),
        ({"kind": "repayment"}, {"debtor": "D"}),
        ({"kind": "repayment", "for_payment": "waits-for-loan"}, {"kind": "one_sided"}),
        ({"kind": "interest"}, {"for_payment": None}),
        ({"kind": "pledge"}, {"kind": "one_sided"}),
    ],
)
def test_a_repayment_of_no_oldest_loan_breaks_pledges_replay(stored: Stored, where: Any, values: Any) -> None:
    assert "pledges-replay" in stored.change("transfers", where, **values).broken()


@pytest.mark.parametrize(
    ("date", "account"), [("2025-06-17", "E"), ("2025-06-18", "E"), ("2025-06-17", "D"), ("2025-06-18", "A")]
)
def test_a_peak_that_the_transfers_do_not_make_breaks_pledges_replay(stored: Stored, date: str, account: str) -> None:
    rows = stored.tables["accounts"].to_pylist()
    row = next(row for row in rows if str(row["date"]) == date and row["account"] == account)
    assert (row["peak_pledge_fen"] > 0) == (account == "E")
    where = {"date": row["date"], "account": account}
    assert stored.change("accounts", where, peak_pledge_fen=row["peak_pledge_fen"] + 1).broken() == {"pledges-replay"}


def test_loans_in_default_are_owed_no_more(stored: Stored) -> None:
    """What is written off at the end of the first date is not owed on the second."""
    first, second = sorted({row["date"] for row in stored.tables["accounts"].to_pylist()})
    event = stored.tables["events"].to_pylist()[-1]
    rows = stored.tables["events"].to_pylist()
    late = next(row for row in rows if row["kind"] == "overdue" and row["date"] == first)
    stored.change("events", {"sequence": late["sequence"]}, kind="default")
    assert stored.broken() == {"pledges-replay"}
    stored.change("accounts", {"date": second, "account": "E"}, peak_pledge_fen=0)
    assert stored.broken() == set(), event


@pytest.mark.parametrize("payment", ["waits-for-pool", "waits-for-loan"])
def test_a_payment_that_was_covered_and_names_another_releaser_breaks_released_by(stored: Stored, payment: str) -> None:
    other = "wakes-pool" if payment == "waits-for-pool" else "wakes-loan"
    assert stored.change("payments", {"payment_id": payment}, released_by=other).broken() == {"released-by"}


def test_what_brings_money_to_a_member_may_release_payments_of_its_pool(stored: Stored) -> None:
    """Beside it: outside a pool it may not."""
    stored.change("transfers", {"for_payment": "waits-for-pool"}, for_payment=None, kind="sweep")
    stored.change("payments", {"payment_id": "waits-for-pool"}, released_by="wakes-pool")
    assert stored.broken() == set()
    stored.scenario = {**stored.scenario, "pools": []}
    assert stored.broken() == {"released-by", "within-pool"}
