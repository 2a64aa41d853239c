"""Runs with BEPS and IBPS: orders about their payments, what the tables and the manifest say, and their folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.words.tables import TABLES

HOUR = 3_600_000
MINUTE = 60_000
NINE = 9 * HOUR
QUIET = {"refused_share": "0", "unanswered_share": "0"}


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


def order(at: str, do: str, payment: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "payment": payment, **more}


#: A package of debits that waits half an hour for its answer, packages that wait for headroom, and what goes at once.
BEPS = [
    pay("D1", "09:00", "A", "B", 1, type="BDBT", package="debits"),
    pay("D2", "09:00", "A", "B", 2, type="BDBT", package="debits"),
    pay("Q1", "09:05", "C", "B", 80, package="queued"),
    pay("Q2", "09:05", "C", "B", 40, package="queued"),
    pay("Q3", "09:07", "C", "B", 110),
    pay("OK", "09:06", "A", "B", 5),
    pay("LATE", "2025-06-18T10:00", "B", "C", 7),
]
IBPS = [pay("I", "09:08", "A", "B", 5), pay("J", "09:08", "C", "B", 105)]


def scenario(actions: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """Three banks with 100 CNY and a cap of 100 over two dates."""
    base: dict[str, Any] = {
        "name": "retail",
        "date": "2025-06-17",
        "days": 2,
        "accounts": [{"account": name, "balance": 100, "credit_line": 100} for name in "ABC"],
        "workload": [
            {"system": "HVPS", "payments": [pay("H", "09:08", "A", "B", 5)]},
            {"system": "BEPS", "payments": BEPS},
            {"system": "IBPS", "payments": IBPS},
        ],
        "hvps": {"reprioritise": True},
        "beps": {**QUIET, "reply_median": "30 min", "reply_sigma": "0"},
        "ibps": {**QUIET, "reply_median": "1 s", "reply_sigma": "0"},
        "actions": actions or [],
        "series_step": "1 h",
    }
    return {**base, **changes}


def ends(run: cs.Run, *names: str) -> dict[str, tuple[Any, ...]]:
    table = run.table("payments")
    columns = (table[name].to_pylist() for name in names)
    return dict(zip(table["payment_id"].to_pylist(), zip(*columns, strict=True), strict=True))


def told(run: cs.Run, kind: str) -> list[tuple[str, str]]:
    events = run.events[run.events.kind == kind]
    return list(zip(events.subject, events.detail, strict=True))


@pytest.fixture(scope="module")
def plain() -> cs.Run:
    return cs.simulate(scenario())


# orders ---------------------------------------------------------------------------------------------------------


def test_a_stop_ends_the_whole_package_at_its_own_instant() -> None:
    orders = [order("09:10", "stop_payment", "D2"), order("09:11", "stop_payment", "D1")]
    run = cs.simulate(scenario(orders))
    found = ends(run, "status", "reason", "submitted_ms", "netted_ms", "ended_ms")
    assert found["D1"] == found["D2"] == ("PR21", None, NINE, None, NINE + 10 * MINUTE)
    assert [subject for subject, _ in told(run, "refusal")] == ["D1"], "it has been stopped already"
    assert run.summary["systems"]["BEPS"]["cancelled"]["count"] >= 2


@pytest.mark.parametrize(
    ("at", "payment", "status"),
    [
        ("08:59:59.999", "D1", "PR03"),  # not yet sent
        ("09:29:59.999", "D1", "PR21"),
        ("09:30", "D1", "PR03"),  # the answer of that millisecond comes first
        ("09:08:00.999", "I", "PR21"),
        ("09:08:01", "I", "PR03"),
        ("09:06", "OK", "PR03"),
        ("09:12", "Q1", "PR21"),  # out of the cap queue
    ],
)
def test_a_payment_can_be_stopped_from_its_sending_until_it_is_netted(at: str, payment: str, status: str) -> None:
    run = cs.simulate(scenario([order(at, "stop_payment", payment)]))
    assert ends(run, "status")[payment] == (status,)
    assert len(told(run, "refusal")) == (status == "PR03")


def test_a_package_is_cancelled_whole_while_it_waits_for_headroom_and_never_after() -> None:
    orders = [
        order("09:12", "cancel", "Q2"),
        order("09:13", "cancel", "Q1"),
        order("09:14", "cancel", "OK"),
        order("09:15", "cancel", "I"),
        order("09:16", "cancel", "J"),
        order("09:17", "cancel", "D1"),
    ]
    run = cs.simulate(scenario(orders))
    found = ends(run, "status", "reason", "ended_ms")
    assert found["Q1"] == found["Q2"] == ("PR08", None, NINE + 12 * MINUTE)
    assert [found[name][0] for name in ("OK", "I", "J", "D1")] == ["PR03", "PR03", "PR09", "PR03"]
    refused = dict(told(run, "refusal"))
    assert list(refused) == ["Q1", "OK", "I", "J", "D1"]
    assert "netted, which is final" in refused["OK"]
    assert "netted, which is final" in refused["I"]


@pytest.mark.parametrize("verb", ["move_head", "move_tail", "reprioritise", "reverse"])
@pytest.mark.parametrize("payment", ["Q3", "OK", "D1"])
def test_orders_of_the_settlement_queue_make_no_sense_for_retail_and_change_nothing(
    verb: str, payment: str, plain: cs.Run
) -> None:
    more = {"priority": "HIGH"} if verb == "reprioritise" else {}
    run = cs.simulate(scenario([order("09:20", verb, payment, **more)]))
    assert [subject for subject, _ in told(run, "refusal")] == [payment]
    assert run.table("payments").equals(plain.table("payments"))


def test_an_order_about_a_payment_that_nobody_sends_is_an_input_error() -> None:
    with pytest.raises(cs.InputError, match=r"actions\.0\.payment"):
        cs.simulate(scenario([order("09:20", "cancel", "Q9")]))


# tables ---------------------------------------------------------------------------------------------------------


def test_items_stand_behind_hvps_and_bookings_with_the_round_that_netted_them(plain: cs.Run) -> None:
    table = plain.table("payments").to_pylist()
    assert [row["sequence"] for row in table if row["system"] in ("BEPS", "IBPS")] == list(range(5, 14))
    assert all(row["level"] is None and row["priority"] is None for row in table if row["system"] in ("BEPS", "IBPS"))
    found = ends(plain, "date", "type", "netted_ms", "round", "settled_ms")
    first, second = (row["date"] for row in (table[0], table[-1]))
    assert found["D1"] == found["D2"] == (first, "BDBT", NINE + 30 * MINUTE, 2, None)
    assert found["I"] == (first, "ICRD", NINE + 8 * MINUTE + 1_000, 2, None)
    assert found["LATE"] == (second, "BCRD", 34 * HOUR, 10, None)


def test_the_rounds_table_the_manifest_and_the_items_agree(plain: cs.Run) -> None:
    nets: dict[int, dict[str, int]] = {}
    for row in plain.table("rounds").to_pylist():
        nets.setdefault(row["round"], {})[row["participant"]] = row["net_fen"]
    assert nets == {2: {"A": -1300, "B": 1300}, 10: {"B": -700, "C": 700}}
    netted = {each["round"]: each["netted"] for each in plain.manifest["rounds"]}
    assert netted[2] == {"BEPS": {"count": 3, "value_fen": 800}, "IBPS": {"count": 1, "value_fen": 500}}
    assert sum(each["BEPS"]["count"] + each["IBPS"]["count"] for each in netted.values()) == 5


def test_the_series_tells_positions_headroom_outcomes_and_cap_queues(plain: cs.Run) -> None:
    series = plain.series

    def at(hour: int, scope: str) -> dict[str, int]:
        rows = series[(series.time_ms == hour * HOUR) & (series.scope == scope)]
        return {str(name): int(value) for name, value in zip(rows.measure, rows.value, strict=True)}

    # At 10:00 the round has been held and its nets are posted.
    assert at(10, "A")["position_fen"] == 0
    assert at(10, "A")["headroom_fen"] == 10_000
    assert at(10, "BEPS") == {"netted_fen": 800, "netted_count": 3, "rejected_count": 0}
    assert at(10, "IBPS") == {"netted_fen": 500, "netted_count": 1, "rejected_count": 1}
    assert at(10, "NETS") == {"queued_fen": 23_000, "queued_count": 2}
    # Outcomes are counted from the date switch on, and the cap queues are empty after it.
    assert at(17, "BEPS") == {"netted_fen": 0, "netted_count": 0, "rejected_count": 0}
    assert at(17, "NETS") == {"queued_fen": 0, "queued_count": 0}


def test_the_summary_counts_every_item_once(plain: cs.Run) -> None:
    systems = plain.summary["systems"]
    outcomes = ("settled", "rejected", "returned", "cancelled", "queued")
    assert [systems["BEPS"][name]["count"] for name in outcomes] == [4, 0, 0, 3, 0]
    assert [systems["IBPS"][name]["count"] for name in outcomes] == [1, 1, 0, 0, 0]
    for system in ("BEPS", "IBPS"):
        for measure in ("count", "value_fen"):
            parts = sum(systems[system][name][measure] for name in outcomes)
            assert parts == systems[system]["submitted"][measure] == plain.manifest["items"][system][measure]
    assert systems["BEPS"]["peak_queue"] == {"count": 2, "value_fen": 23_000}


@pytest.mark.parametrize("detail", ["totals", "accounts"])
@pytest.mark.parametrize("recorded", [(), ("BEPS",), ("IBPS",)])
def test_less_detail_tells_the_same_totals_and_keeps_no_other_items(
    detail: str, recorded: tuple[str, ...], plain: cs.Run, tmp_path: Path
) -> None:
    record = {system: "payments" if system in recorded else detail for system in ("BEPS", "IBPS")}
    orders = [order("09:10", "stop_payment", "D2"), order("09:20", "cancel", "Q1")]
    full = cs.simulate(scenario(orders))
    less = cs.simulate(scenario(orders, record={"HVPS": "payments", **record}), out=tmp_path / "less")
    for key in ("items", "outcomes", "rounds", "caps"):
        assert less.manifest[key] == full.manifest[key], key
    assert less.summary == full.summary
    assert less.table("rounds").equals(full.table("rounds"))
    kept = set(less.table("payments")["system"].to_pylist())
    assert kept == {"HVPS", "SAPS", *recorded}
    assert audit_folder(tmp_path / "less").passed


@pytest.mark.parametrize("systems", [("BEPS",), ("IBPS",), ("BEPS", "IBPS"), ("HVPS", "BEPS")])
def test_a_run_of_one_system_alone_is_as_complete(systems: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing may be netted either: then no net and no HVPS payment stands beside the items."""
    base = scenario()
    workload = [entry for entry in base["workload"] if entry["system"] in systems]
    banks = [{"account": name, "balance": 1} for name in "ABC"]
    run = cs.simulate({**base, "accounts": banks, "workload": workload}, out=tmp_path / "run")
    assert set(run.manifest["items"]) >= set(systems)
    assert {status for (status,) in ends(run, "status").values()} == (
        {"PR08", "PR09"} if len(systems) == 2 and "IBPS" in systems else {"PR09"} if systems == ("IBPS",) else {"PR08"}
    ) | ({"PR09"} if "HVPS" in systems else set())
    assert audit_folder(tmp_path / "run").passed
    assert verify_folder(tmp_path / "run", headline) == []


# folders --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "retail"
    orders = [
        order("09:10", "stop_payment", "D2"),
        {"at": "09:30", "do": "link_loss", "until": "11:15"},
        {"at": "12:00", "do": "set", "account": "C", "field": "credit_line", "value": "115"},
    ]
    cs.simulate(scenario(orders), out=place)
    return place


def test_a_folder_with_retail_payments_verifies_and_passes_its_audit(folder: Path) -> None:
    assert audit_folder(folder).passed
    assert verify_folder(folder, headline) == []
    run = cs.load(folder)
    assert ends(run, "status", "released_by")["Q3"] == ("PR03", "limit")
    for name, columns in TABLES.items():
        assert run.table(name).column_names == [column.name for column in columns]


def test_verify_tells_of_a_manifest_whose_rounds_or_caps_have_been_changed(folder: Path) -> None:
    path = folder / "manifest.json"
    text = path.read_text(encoding="utf-8")
    for key in ("rounds", "caps", "outcomes"):
        manifest = json.loads(text)
        manifest[key] = manifest[key][1:] if isinstance(manifest[key], list) else {}
        path.write_text(json.dumps(manifest), encoding="utf-8")
        differences = verify_folder(folder, headline)
        path.write_text(text, encoding="utf-8")
        assert any(key in line for line in differences), key


def rewritten(folder: Path, place: Path, payment: str, values: dict[str, Any]) -> set[str]:
    """The rules that the audit finds broken when one row of a copy's payments has other values."""
    place.mkdir()
    for path in folder.iterdir():
        if path.is_file():
            (place / path.name).write_bytes(path.read_bytes())
    table = pq.read_table(folder / "payments.parquet")
    row = table["payment_id"].to_pylist().index(payment)
    for name, value in values.items():
        column = table[name].to_pylist()
        column[row] = value
        kind = table.schema.field(name).type
        plain = pa.array(column, kind.value_type if pa.types.is_dictionary(kind) else kind)
        made = plain.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else plain
        table = table.set_column(table.column_names.index(name), table.schema.field(name), made)
    pq.write_table(table, place / "payments.parquet")
    verdict = audit_folder(place, ignore_digests=True)
    return {rule for rule, count in verdict.rules.items() if count}


def test_a_rewritten_table_without_damage_is_found_whole(folder: Path, tmp_path: Path) -> None:
    assert rewritten(folder, tmp_path / "copy", "Q3", {}) == set()


@pytest.mark.parametrize(
    ("payment", "values"),
    [
        ("I", {"amount_fen": 499}),
        ("I", {"debtor": "C"}),
        ("I", {"status": "PR09"}),
        ("I", {"round": 3}),
        ("I", {"netted_ms": NINE}),
        ("Q3", {"status": "PR21"}),
        ("D1", {"status": "PR03"}),
        ("D1", {"ended_ms": NINE - 1}),
        ("J", {"reason": "RJ95"}),
        ("J", {"round": 2}),
        ("LATE", {"payment_id": "OK"}),
        ("LATE", {"settled_ms": 34 * HOUR}),
        ("OK", {"level": 7}),
    ],
)
def test_a_damaged_row_of_a_retail_item_is_found(
    folder: Path, tmp_path: Path, payment: str, values: dict[str, Any]
) -> None:
    assert rewritten(folder, tmp_path / "copy", payment, values)


# the same everywhere --------------------------------------------------------------------------------------------


def test_compiled_rules_and_plain_python_give_the_same_tables(folder: Path) -> None:
    scenario_path = folder / "scenario.resolved.json"
    program = (
        "import json, sys, cnaps_sim as cs\n"
        "run = cs.simulate(json.load(open(sys.argv[1], encoding='utf-8')))\n"
        "print(json.dumps({name: table['sha256'] for name, table in run.manifest['tables'].items()}))\n"
        "print(json.dumps(run.manifest['items']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(scenario_path)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    tables, items = (json.loads(line) for line in done.stdout.splitlines())
    manifest = cs.load(folder).manifest
    assert tables == {name: table["sha256"] for name, table in manifest["tables"].items()}
    assert items == manifest["items"]


def test_rounds_that_net_nothing_leave_an_empty_table(tmp_path: Path) -> None:
    payments = [pay("LOGGED_OUT", "12:00", "A", "A", 1)]
    workload = [
        {"system": "HVPS", "payments": [pay("H", "09:08", "A", "B", 5)]},
        {"system": "BEPS", "payments": payments},
    ]
    run = cs.simulate(scenario(workload=workload), out=tmp_path / "run")
    assert run.manifest["tables"]["rounds"]["rows"] == 0
    stored = pq.read_table(tmp_path / "run" / "rounds.parquet")
    assert stored.column_names == [column.name for column in TABLES["rounds"]]
    assert len(stored) == 0
    assert audit_folder(tmp_path / "run").passed
    assert verify_folder(tmp_path / "run", headline) == []


@pytest.mark.parametrize("system", ["HVPS", "BEPS", "IBPS"])
@pytest.mark.parametrize("fault", ["amount", "debtor", "payment_id"])
def test_a_fault_in_a_file_of_payments_is_placed_from_where_the_scenario_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, fault: str
) -> None:
    """A file that the scenario names from its own folder is told by the way to that folder, whatever it is called."""
    cells = {"amount": "p2,09:00,A,B,0", "debtor": "p2,09:00,Z,B,1", "payment_id": "p1,09:00,A,B,1"}
    folder = tmp_path / "studies" / "csv"
    folder.mkdir(parents=True)
    (folder / "p.csv").write_text(f"payment_id,time,debtor,creditor,amount\np1,09:00,A,B,1\n{cells[fault]}\n")
    data = scenario(workload=[{"system": system, "file": "csv/p.csv"}])
    (tmp_path / "studies" / "s.json").write_text(json.dumps(data))
    ways = {tmp_path: "studies/", tmp_path / "studies": "", folder: "../"}
    for place, way in ways.items():
        monkeypatch.chdir(place)
        for found in (way, f"{tmp_path / 'studies'}/"):
            with pytest.raises(cs.InputError) as caught:
                cs.simulate(f"{found}s.json")
            assert (caught.value.place, caught.value.key) == (f"{found}csv/p.csv:3", fault)
