"""A stored run with retail clearing is re-checked from its tables alone, and each damage is found by its rule."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import cnaps_sim as cs
from cnaps_sim.audit.tables import audit_tables

HOUR = 3_600_000


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


#: C's cap of 100 CNY holds up Q1 to Q3: Q1 goes when OK has come, Q2 when the cap is raised, Q3 at the date switch not.
BEPS = [
    pay("D1", "09:01", "A", "B", 1, type="BDBT"),
    pay("Q0", "09:05", "C", "B", 90),
    pay("Q1", "09:06", "C", "B", 20),
    pay("Q2", "09:06", "C", "B", 40),
    pay("Q3", "09:06", "C", "B", 900),
    pay("OK", "09:20", "A", "C", 15),
    pay("LATE", "2025-06-18T10:00", "B", "C", 7),
]
IBPS = [pay("I1", "09:08", "A", "B", 5), pay("I2", "09:08", "C", "B", 105)]
SCENARIO = {
    "name": "retail",
    "date": "2025-06-17",
    "days": 2,
    "accounts": [{"account": name, "balance": 100, "credit_line": 100} for name in "ABC"],
    "workload": [
        {"system": "HVPS", "payments": [pay("H", "09:08", "A", "B", 5)]},
        {"system": "BEPS", "payments": BEPS},
        {"system": "IBPS", "payments": IBPS},
    ],
    "beps": {"refused_share": "0", "unanswered_share": "0", "reply_median": "30 min", "reply_sigma": "0"},
    "ibps": {"refused_share": "0", "unanswered_share": "0", "reply_median": "1 s", "reply_sigma": "0"},
    "actions": [{"at": "09:40", "do": "set", "account": "C", "field": "credit_line", "value": 160}],
    "series_step": "1 min",
    "record": {"HVPS": "payments", "BEPS": "payments", "IBPS": "payments"},
}


@pytest.fixture(scope="module")
def run() -> cs.Run:
    found = cs.simulate(SCENARIO)
    table = found.table("payments").to_pylist()
    ends = {row["payment_id"]: (row["status"], row["released_by"]) for row in table}
    assert ends["Q1"] == ("PR03", "OK")
    assert ends["Q2"] == ("PR03", "limit")
    assert ends["Q3"][0] == "PR08"
    assert ends["I2"][0] == "PR09"
    return found


class Stored:
    """Tables and manifest of the run, to be damaged."""

    def __init__(self, run: cs.Run) -> None:
        self.tables = {name: run.table(name) for name in run.recorded}
        self.manifest = copy.deepcopy(run.manifest)

    def change(self, table: str, column: str, value: Any, **where: Any) -> Stored:
        """Put another value into one row: the first that has these values; a number may be made of the old one."""
        given = self.tables[table]
        rows = given.to_pylist()
        row = next(k for k, one in enumerate(rows) if all(one[name] == wanted for name, wanted in where.items()))
        values = given[column].to_pylist()
        values[row] = value(values[row]) if callable(value) else value
        place = given.schema.get_field_index(column)
        self.tables[table] = given.set_column(place, column, pa.array(values, given.schema.field(place).type))
        return self

    def broken(self) -> set[str]:
        verdict = audit_tables(self.tables, self.manifest, ignore_digests=True)
        return {rule for rule, count in verdict.rules.items() if count}


@pytest.fixture
def stored(run: cs.Run) -> Stored:
    return Stored(run)


def test_a_sound_run_passes_every_rule_of_its_retail_clearing(run: cs.Run, stored: Stored) -> None:
    verdict = audit_tables(stored.tables, stored.manifest)
    assert verdict.passed, verdict.breaches
    own = {"rounds-told", "outcomes-told", "caps-told", "positions-replay", "cap-steps", "headroom-kept",
           "lowest-headroom", "series-replay"}  # fmt: skip
    assert own <= set(verdict.rules)
    assert run.manifest["caps"]["C"]["queued"]["count"] == 3


def of_round(number: int, **values: Any) -> Any:
    return lambda manifest: manifest["rounds"][number - 1].update(values)


def of_outcome(system: str, name: str, value: Any) -> Any:
    return lambda manifest: manifest["outcomes"][system].update({name: value})


NOTHING = {"count": 0, "value_fen": 0}


@pytest.mark.parametrize(
    ("rule", "damage"),
    [
        ("rounds-told", lambda manifest: manifest["rounds"].pop()),
        ("rounds-told", lambda manifest: manifest["rounds"].reverse()),
        ("rounds-told", lambda manifest: manifest.pop("rounds")),
        ("rounds-told", of_round(2, kind="last")),
        ("rounds-told", of_round(2, date="2025-06-18")),
        ("rounds-told", of_round(2, time_ms=9 * HOUR + 1)),
        ("rounds-told", of_round(2, sent_ms=None)),
        ("rounds-told", of_round(3, sent_ms=11 * HOUR)),
        ("rounds-told", of_round(2, netted={"BEPS": NOTHING, "IBPS": NOTHING})),
        ("outcomes-told", lambda manifest: manifest.pop("outcomes")),
        ("outcomes-told", lambda manifest: manifest["outcomes"].pop("IBPS")),
        ("outcomes-told", of_outcome("BEPS", "cancelled", NOTHING)),
        ("outcomes-told", of_outcome("BEPS", "mean_delay_ms", 1.5)),
        ("outcomes-told", of_outcome("IBPS", "refusals", {})),
        ("outcomes-told", of_outcome("IBPS", "refusals", {"CAP": {"count": 1, "value_fen": 10_499}})),
        ("outcomes-told", of_outcome("IBPS", "refusals", {"AMOUNT": {"count": 1, "value_fen": 10_500}})),
        ("outcomes-told", of_outcome("BEPS", "peak_queue", {"count": 2, "value_fen": 94_000})),
        ("outcomes-told", lambda manifest: manifest["outcomes"]["BEPS"]["kinds"]["BDBT"]["settled"].update(count=3)),
        ("outcomes-told", lambda manifest: manifest["items"].pop("BEPS")),
        ("caps-told", lambda manifest: manifest.pop("caps")),
        ("caps-told", lambda manifest: manifest["caps"].pop("A")),
        ("caps-told", lambda manifest: manifest["caps"].update(D={"lowest_headroom_fen": 1})),
        ("caps-told", lambda manifest: manifest["caps"]["C"].pop("queued")),
        ("caps-told", lambda manifest: manifest["caps"]["C"]["rejected"].update(count=2)),
        ("lowest-headroom", lambda manifest: manifest["caps"]["A"].update(lowest_headroom_fen=8_001)),
        ("lowest-headroom", lambda manifest: manifest["caps"]["A"].update(lowest_headroom_fen=5_299)),
        ("lowest-headroom", lambda manifest: manifest["caps"]["A"].update(lowest_headroom_fen=None)),
    ],
)
def test_a_manifest_that_the_tables_contradict_breaks_its_rule(stored: Stored, rule: str, damage: Any) -> None:
    damage(stored.manifest)
    assert rule in stored.broken()


def test_rounds_and_caps_are_checked_where_no_item_is_recorded(stored: Stored) -> None:
    """Then rounds are held against the series, and all sums against each other."""
    del stored.tables["payments"], stored.manifest["tables"]["payments"]
    del stored.tables["transfers"], stored.manifest["tables"]["transfers"]
    assert stored.broken() == set()
    first, second = (stored.manifest["rounds"][k]["netted"] for k in (1, 2))
    first["BEPS"], second["BEPS"] = second["BEPS"], first["BEPS"]
    assert stored.broken() == {"rounds-told"}
    stored.manifest["caps"]["C"]["rejected"]["value_fen"] += 1
    assert "caps-told" in stored.broken()


@pytest.mark.parametrize("items", [True, False])
@pytest.mark.parametrize(
    ("rules", "scope", "measure", "by"),
    [
        ({"positions-replay", "cap-steps"}, "C", "position_fen", 1),
        ({"cap-steps"}, "A", "headroom_fen", 1),
        ({"headroom-kept", "cap-steps", "lowest-headroom"}, "A", "headroom_fen", -11_000),
        ({"rounds-told"}, "BEPS", "netted_fen", 100_000),
        ({"rounds-told"}, "IBPS", "netted_count", -1),
        ({"series-replay"}, "BEPS", "netted_fen", 1),
        ({"series-replay"}, "IBPS", "rejected_count", 1),
        ({"series-replay"}, "NETS", "queued_fen", 1),
        ({"series-replay"}, "A", "balance_fen", 1),
        ({"series-replay"}, "A", "queued_fen", 1),
    ],
)
def test_a_changed_sample_is_found(
    stored: Stored, items: bool, rules: set[str], scope: str, measure: str, by: int
) -> None:
    if not items:
        if rules == {"series-replay"} and measure != "balance_fen":
            return  # only the items tell it
        del stored.tables["payments"], stored.manifest["tables"]["payments"]
    assert rules <= stored.change("series", "value", lambda old: old + by, scope=scope, measure=measure,
                                  time_ms=10 * HOUR + HOUR // 2).broken()  # fmt: skip


def test_a_cap_may_fall_only_where_something_used_it_up(stored: Stored) -> None:
    """From ten o'clock on the samples of A make a cap that is a fen smaller."""
    table = stored.tables["series"]
    rows = table.to_pylist()
    values = np.array([row["value"] for row in rows])
    values[
        [row["scope"] == "A" and row["measure"] == "headroom_fen" and row["time_ms"] >= 10.5 * HOUR for row in rows]
    ] -= 1
    stored.tables["series"] = table.set_column(4, "value", pa.array(values))
    stored.manifest["caps"]["A"]["lowest_headroom_fen"] -= 1
    assert stored.broken() == {"cap-steps"}


def test_a_round_that_no_event_tells_breaks_rounds_told(stored: Stored) -> None:
    rows = stored.tables["events"].to_pylist()
    detail = next(row["detail"] for row in rows if row["kind"] == "round")
    assert stored.change("events", "detail", "round 9 (first)", detail=detail).broken() == {"rounds-told"}


@pytest.mark.parametrize("word", ["limit", "round", "cancel", "pool", "I1", "D1", "Q0", "NOBODY", "matching:9", None])
def test_a_release_that_did_not_happen_breaks_released_by(stored: Stored, word: str | None) -> None:
    """Q1 was released by OK, and waited fourteen minutes."""
    broken = stored.change("payments", "released_by", word, payment_id="Q1").broken()
    assert ("cap-matchings-agree" if word == "matching:9" else "released-by") in broken


def test_a_cap_that_nothing_raised_releases_nothing(stored: Stored) -> None:
    events = stored.tables["events"]
    assert stored.broken() == set()
    stored.tables["events"] = events.filter(pa.array([kind != "action" for kind in events["kind"].to_pylist()]))
    assert {"released-by", "cap-steps"} <= stored.broken()


def test_an_unknown_name_may_be_of_a_system_that_is_not_recorded(run: cs.Run) -> None:
    items = [{**row} for row in SCENARIO["workload"]]  # type: ignore[attr-defined]
    items[1]["payments"] = [row for row in BEPS if row["payment_id"] != "OK"]
    items[2]["payments"] = [*IBPS, pay("OK", "09:20", "A", "C", 15)]
    changes = {"workload": items, "record": {"BEPS": "payments", "IBPS": "totals"}}
    found = cs.simulate({**SCENARIO, **changes})
    table = found.table("payments").to_pylist()
    assert next(row for row in table if row["payment_id"] == "Q1")["released_by"] == "OK"
    assert audit_tables({name: found.table(name) for name in found.recorded}, found.manifest).passed
