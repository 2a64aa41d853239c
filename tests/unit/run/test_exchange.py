"""Runs whose payments travel as messages: what the network does to a day, what the run folder keeps, and verify."""

from __future__ import annotations

import gc
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.cli.main import execute
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.run.exchange import chosen_rows
from cnaps_sim.run.message_log import MessageLog, Record, read_log
from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.streams import Streams

A, B, C = (with_check_digit(f"1021000{number:04d}") for number in (1, 2, 3))
HOUR = 3_600_000
CUT_OFF, WINDOW_END = 17 * HOUR + 15 * 60_000, 17 * HOUR + 30 * 60_000


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more}


def scenario(payments: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "name": "exchange",
        "accounts": [{"account": A, "balance": 100}, {"account": B}, {"account": C}],
        "workload": [{"system": "HVPS", "payments": payments}],
        "messages": "all",
        "liquidity": {"from": "accounts"},
        **changes,
    }


#: A day with a queue, a cancellation, moves, an injection, a matching and both directions of money.
BUSY = [
    pay("P1", "09:00", A, B, 60), pay("P2", "09:01", A, C, 70), pay("P3", "09:02", B, C, 50),
    pay("P4", "09:03", A, B, 45), pay("P5", "09:04", C, A, 30), pay("P6", "09:05", B, A, 90),
    pay("P7", "10:00", C, B, 20), pay("P8", "16:00", A, B, 500),
]  # fmt: skip
ORDERS = [
    {"at": "10:00", "do": "move_head", "payment": "P4"},
    {"at": "10:00", "do": "inject", "account": A, "amount": 10},
    {"at": "10:00", "do": "cancel", "payment": "P2"},
    {"at": "11:00", "do": "stop_sending", "account": A, "until": "16:30"},
    {"at": "12:00", "do": "central_bank_debit", "account": C, "amount": 5},
]
MATCHED = {"matching": {"algorithm": "multilateral", "every": "30 min"}}
LATE = {"latency": "200 ms", "latency_sigma": "0.5", "loss": "0.3", "duplicates": "0.2", "resend_after": "1 s"}


def busy(**changes: Any) -> dict[str, Any]:
    return scenario(BUSY, actions=ORDERS, hvps=MATCHED, network=LATE, **changes)


def column(run: cs.Run, name: str) -> dict[str, Any]:
    table = run.table("payments")
    return dict(zip(table["payment_id"].to_pylist(), table[name].to_pylist(), strict=True))


def events(run: cs.Run, kind: str) -> list[tuple[str, str]]:
    """Subject and words of the events of one kind."""
    rows = run.table("events").to_pylist()
    return [(row["subject"], row["detail"]) for row in rows if row["kind"] == kind]


def records(run: cs.Run) -> list[Record]:
    assert run.messages_folder is not None
    return [record for _, record, _ in read_log(run.messages_folder)]


# latency, loss, cut-off ---------------------------------------------------------------------------------------


def test_a_payment_is_submitted_when_its_message_arrives() -> None:
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)], network={"latency": "1500 ms"}))
    assert column(run, "instructed_ms") == {"P1": 9 * HOUR}
    assert column(run, "submitted_ms") == column(run, "settled_ms") == {"P1": 9 * HOUR + 1500}


def test_a_link_of_its_own_delays_one_bank_alone() -> None:
    links = [{"account": B, "latency": "1 s"}]
    payments = [pay("P1", "09:00", A, B, 60), pay("P2", "09:01", B, A, 10)]
    run = cs.simulate(scenario(payments, network={"links": links}))
    assert column(run, "settled_ms") == {"P1": 9 * HOUR, "P2": 9 * HOUR + 61_000}


def test_order_of_arrival_decides_not_order_of_sending() -> None:
    """B's money for A comes over a slow link, so A's later payment finds none; nobody pays twice."""
    links = [{"account": B, "latency": "10 min"}]
    payments = [pay("P1", "09:00", A, B, 100), pay("P2", "09:05", B, A, 100), pay("P3", "09:06", A, C, 100)]
    run = cs.simulate(scenario(payments, network={"links": links}))
    assert column(run, "settled_ms") == {"P1": 9 * HOUR, "P2": 9 * HOUR + 900_000, "P3": 9 * HOUR + 900_000}


@pytest.mark.parametrize(("time", "settles"), [("17:14:58", True), ("17:14:59", False), ("17:14:59.500", False)])
def test_what_arrives_after_cut_off_is_refused_tm01(time: str, settles: bool) -> None:
    run = cs.simulate(scenario([pay("P1", time, A, B, 60)], network={"latency": "1 s"}))
    assert column(run, "status") == {"P1": "PR04" if settles else "PR09"}
    assert column(run, "reason_iso") == {"P1": None if settles else "TM01"}
    told = [record for record in records(run) if record.iso == "pacs.002.001.10"]
    assert len(told) == 1


@pytest.mark.parametrize("time", ["09:00", "17:20", "17:29:59.999", "17:30", "20:00"])
@pytest.mark.parametrize("days", [1, 2])
def test_a_sender_that_gives_up_leaves_its_payment_refused_and_nothing_booked(time: str, days: int) -> None:
    # A's shortage keeps the clearing window open.
    payments = [pay("SHORT", "08:00", C, B, 10), pay("P1", time, A, B, 60)]
    network = {"links": [{"account": A, "loss": 1}]}
    run = cs.simulate(scenario(payments, days=days, network=network))
    assert run.manifest["audit"]["verdict"] == "passed"
    assert column(run, "status")["P1"] == "PR09"
    assert column(run, "reason_iso")["P1"] == "TM01"
    assert run.transfers.empty
    assert run.manifest["messages"]["given_up"] > 0
    lost = [record for record in records(run) if record.reference == "P1"]
    assert Counter(record.verdict for record in lost) == {"lost": 5}
    told = f"pacs.008.001.08 from {A} to the centre: lost on its way, given up after 5 attempts"
    assert events(run, "message_lost").count(("P1", told)) == 1


def test_payments_after_the_last_window_are_refused_as_without_messages() -> None:
    payments = [pay("P1", "17:45", A, B, 60), pay("P2", "23:30", A, B, 60)]
    found = [cs.simulate(scenario(payments, messages=share)).payments for share in ("off", "all")]
    assert found[0].equals(found[1])


def test_a_bank_that_stops_sending_sends_its_messages_when_it_resumes() -> None:
    actions = [{"at": "08:30", "do": "stop_sending", "account": A, "until": "10:00"}]
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)], actions=actions, network={"latency": "1 s"}))
    (sent,) = [record for record in records(run) if record.iso == "pacs.008.001.08" and record.receiver == "0000"]
    assert (sent.sent_ms, sent.received_ms) == (10 * HOUR, 10 * HOUR + 1000)
    assert column(run, "settled_ms") == {"P1": 10 * HOUR + 1000}


@pytest.mark.parametrize("share", ["off", "all"])
@pytest.mark.parametrize("short", [True, False])  # whether a shortage keeps the clearing window open
def test_what_a_silent_bank_has_not_sent_by_the_end_of_the_date_is_refused(share: str, short: bool) -> None:
    actions = [{"at": "08:30", "do": "stop_sending", "account": A, "until": "2025-06-18T10:00"}]
    payments = [pay("P1", "17:00", A, B, 10), pay("P2", "17:20", A, B, 10), pay("P3", "18:00", A, B, 10)]
    payments += [pay("SHORT", "09:00", C, B, 10)] * short
    run = cs.simulate(scenario(payments, messages=share, days=2, actions=actions))
    status, ended = column(run, "status"), column(run, "ended_ms")
    assert [status[name] for name in ("P1", "P2", "P3")] == ["PR09", "PR09", "PR04"]
    assert [ended[name] for name in ("P1", "P2", "P3")] == [CUT_OFF, WINDOW_END, 34 * HOUR]


def test_a_bank_that_never_resumes_sends_no_message() -> None:
    actions = [{"at": "08:30", "do": "stop_sending", "account": A}]
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)], actions=actions))
    assert column(run, "status") == {"P1": "PR09"}
    assert [record for record in records(run) if record.reference == "P1"] == []


def test_an_order_takes_time_too() -> None:
    """P2 is cancelled at 10:00 by a message that arrives at 10:00:01; the money at 10:00:00.500 comes before it."""
    links = [{"account": A, "latency": "1 s"}, {"account": B, "latency": "500 ms"}]
    payments = [pay("P1", "09:00", A, B, 100), pay("P2", "09:01", A, C, 100), pay("P3", "10:00", B, A, 100)]
    actions = [{"at": "10:00", "do": "cancel", "payment": "P2"}]
    run = cs.simulate(scenario(payments, actions=actions, network={"links": links}))
    assert column(run, "settled_ms")["P2"] == 10 * HOUR + 500
    assert [detail for detail in run.events.detail if detail.startswith("cancel refused")] != []


def test_an_order_that_is_lost_leaves_an_event_and_changes_nothing() -> None:
    """B's link is dead: its order about the payment that waits never comes."""
    payments = [pay("P1", "09:00", A, C, 60), pay("P2", "09:01", A, C, 70)]
    order = {"at": "10:00", "do": "set", "account": B, "field": "earmark", "value": 5}
    network = {"links": [{"account": B, "loss": 1}], "attempts": 3, "resend_after": "1 min"}
    run = cs.simulate(scenario(payments, actions=[order], network=network))
    told = f"camt.050.001.05 from {B} to the centre: lost on its way, given up after 3 attempts"
    assert (B, told) in events(run, "message_lost")
    sent = [record.sent_ms for record in records(run) if record.iso == "camt.050.001.05"]
    assert sent == [10 * HOUR, 10 * HOUR + 60_000, 10 * HOUR + 120_000]
    times = dict(zip(run.events.detail, run.events.time_ms, strict=True))
    assert times[told] == 10 * HOUR + 180_000


def test_an_order_that_arrives_after_its_date_leaves_an_event() -> None:
    payments = [pay("P1", "09:00", A, C, 160)]
    order = {"at": "17:29", "do": "cancel", "payment": "P1"}
    network = {"links": [{"account": A, "latency": "3 h"}], "attempts": 1}
    run = cs.simulate(scenario(payments, days=2, actions=[order], network=network))
    ((subject, told),) = [event for event in events(run, "message_late") if "camt.008" in event[1]]
    assert subject == "P1"
    assert told.startswith(f"camt.008.001.08 from {A} to the centre: arrived after its date and was refused: profile: ")


def test_what_is_on_its_way_when_the_run_ends_leaves_an_event() -> None:
    network = {"links": [{"account": A, "latency": "20 h"}]}
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)], network=network))
    told = f"pacs.008.001.08 from {A} to the centre: was on its way when the run ended"
    assert [event for event in events(run, "message_late") if event[0] == "P1"] == [("P1", told)]
    assert run.manifest["messages"]["given_up"] == 0


def test_a_slow_link_and_an_impatient_sender_make_no_more_passages_than_attempts_allow() -> None:
    """A hundred copies arrive; each is confirmed once, and the first status is not told again while it travels."""
    network = {"latency": "5 min", "resend_after": "10 ms", "attempts": 100}
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)], network=network))
    assert column(run, "status") == {"P1": "PR04"}
    counts = Counter((record.iso, record.receiver) for record in records(run) if record.reference == "P1")
    assert counts == {("pacs.008.001.08", "0000"): 100, ("pacs.008.001.08", B): 100, ("pacs.002.001.10", A): 100}
    receipts = [record for record in records(run) if record.iso == "admi.007.001.01"]
    assert len(receipts) == 100


# samples, seeds -----------------------------------------------------------------------------------------------


def test_of_a_sample_only_its_share_travels_and_the_rest_settles_all_the_same() -> None:
    payments = [pay(f"P{n}", f"09:{n % 60:02d}", A, B, 1) for n in range(90)]
    runs = [cs.simulate(scenario(payments, messages=share)) for share in ("off", {"sample": "0.3"}, "all")]
    assert runs[0].payments.equals(runs[1].payments)
    travelled = {record.reference for record in records(runs[1]) if record.iso == "pacs.008.001.08"}
    assert 10 < len(travelled) < 50
    assert len(travelled) == runs[1].manifest["messages"]["payments"]
    told = [Counter(record.iso for record in records(run)) for run in runs[1:]]
    for iso in ("admi.004.001.02", "camt.019.001.07", "camt.053.001.08"):  # what everybody is told, everybody is told
        assert told[0][iso] == told[1][iso] > 0
    assert "messages" not in runs[0].manifest
    assert runs[0].messages_folder is None
    assert runs[2].manifest["messages"]["payments"] == 90


def test_a_sample_is_drawn_from_a_stream_of_its_own() -> None:
    from decimal import Decimal

    first, again, other = (chosen_rows(Decimal("0.3"), 100, Streams(seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert chosen_rows(Decimal(1), 3, Streams(1)).tolist() == [0, 1, 2]


def test_the_same_seed_gives_the_same_log_and_another_seed_another() -> None:
    first, again, other = (cs.simulate(busy(), seed=seed).manifest["messages"]["seal"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_message_is_logged_once_per_passage_with_what_became_of_it() -> None:
    run = cs.simulate(busy())
    kept = records(run)
    assert run.manifest["messages"]["rows"] == len(kept)
    assert all((record.received_ms is None) == (record.verdict == "lost") for record in kept)
    taken = Counter(
        record.reference
        for record in kept
        if record.receiver == "0000" and record.iso == "pacs.008.001.08" and record.verdict == "accepted"
    )
    assert set(taken.values()) == {1}


def test_a_log_in_waiting_vanishes_with_its_run() -> None:
    run = cs.simulate(scenario([pay("P1", "09:00", A, B, 60)]))
    place = run.messages_folder
    assert place is not None
    assert place.is_dir()
    del run
    gc.collect()
    assert not place.exists()


def test_an_id_that_no_message_can_carry_is_said_before_the_run() -> None:
    with pytest.raises(cs.InputError, match="cannot travel in a message"):
        cs.simulate(scenario([pay("P" * 36, "09:00", A, B, 60)]))


def test_an_id_that_no_message_can_carry_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    rows = [f"P1,09:00,{A},{B},60", f"{'P' * 36},08:00,{A},{B},60"]
    (tmp_path / "p.csv").write_text("\n".join(["payment_id,time,debtor,creditor,amount", *rows]))
    given = scenario([]) | {"workload": [{"system": "HVPS", "file": str(tmp_path / "p.csv")}]}
    with pytest.raises(cs.InputError, match="cannot travel in a message") as told:
        cs.simulate(given)
    assert told.value.place == f"{tmp_path / 'p.csv'}:3"


# the run folder -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "busy"
    cs.simulate(busy(), out=place)
    return place


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def verify(folder: Path) -> list[str]:
    return verify_folder(folder, headline)


def reseal(folder: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Write the log anew, seals, files and manifest in order, as somebody with this program would."""
    log = folder / "messages"
    kept = change([record for _, record, _ in read_log(log)])
    shutil.rmtree(log)
    log.mkdir()
    again = MessageLog(log)
    for record in kept:
        again.add(record)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["messages"].update(again.close())
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_an_untouched_run_verifies_and_passes_its_audit(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(made) == []
    assert audit_folder(made).passed
    assert execute(["verify", str(made)]) == 0
    assert cs.load(made).messages_folder == made / "messages"


@pytest.mark.parametrize("network", [{}, {"latency": "1 ms"}, {"loss": "0.4"}, {"duplicates": "0.9"}, {"signed": True}])
@pytest.mark.parametrize("discipline", ["fifo", "bypass", "reject"])
def test_runs_over_all_kinds_of_links_verify(network: dict[str, Any], discipline: str, tmp_path: Path) -> None:
    hvps = {"discipline": discipline}
    cs.simulate(scenario(BUSY, actions=ORDERS, hvps=hvps, network=network), out=tmp_path / "run")
    assert verify(tmp_path / "run") == []


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("loss", ["0", "0.4"])
def test_orders_keep_their_place_among_the_central_banks_acts_of_the_same_instant(
    turned: bool, loss: str, tmp_path: Path
) -> None:
    """Whether P2 is cancelled or settles depends on which of two actions at 10:00 comes first."""
    payments = [pay("P1", "09:00", A, B, 60), pay("P2", "09:01", A, C, 70)]
    actions = [
        {"at": "10:00", "do": "inject", "account": A, "amount": 30},
        {"at": "10:00", "do": "cancel", "payment": "P2"},
    ]
    actions = actions[::-1] if turned else actions
    run = cs.simulate(scenario(payments, actions=actions, network={"loss": loss}), out=tmp_path / "run")
    if loss == "0":
        assert column(run, "status")["P2"] == ("PR08" if turned else "PR04")
    assert verify(tmp_path / "run") == []


def test_one_changed_byte_of_one_message_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "messages" / "part-00000.parquet"
    table = pq.read_table(path)
    data = table["data"].to_pylist()
    data[17] = data[17].replace(b"2025", b"2026", 1)
    place = table.schema.get_field_index("data")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(data, pa.binary())), path)
    (found,) = verify(folder)
    assert found.startswith("record 17 of the message log (")
    assert execute(["verify", str(folder)]) != 0
    assert "record 17 of the message log" in "".join(capsys.readouterr())


def test_a_log_that_is_gone_is_found(folder: Path) -> None:
    shutil.rmtree(folder / "messages")
    (found,) = verify(folder)
    assert found.startswith("the message log has 0 records, the manifest says ")


def test_another_amount_under_right_seals_is_found_by_repeating_the_day(folder: Path) -> None:
    def change(kept: list[Record]) -> list[Record]:
        return [
            record._replace(data=record.data.replace(b">20.00<", b">19.00<")) if record.reference == "P7" else record
            for record in kept
        ]

    reseal(folder, lambda kept: kept)
    assert verify(folder) == []
    reseal(folder, change)
    assert any(line.startswith("payments: repeated with other values") for line in verify(folder))


def test_a_message_taken_out_under_right_seals_is_found_by_repeating_the_day(folder: Path) -> None:
    def without(reference: str) -> Callable[[list[Record]], list[Record]]:
        return lambda kept: [record for record in kept if record.reference != reference or record.receiver != "0000"]

    reseal(folder, without("P3"))
    tables = {line.split(":")[0] for line in verify(folder)}
    assert {"payments", "transfers"} <= tables


def test_a_message_that_arrives_later_under_right_seals_is_found(folder: Path) -> None:
    def later(kept: list[Record]) -> list[Record]:
        return [
            record._replace(received_ms=record.received_ms + 1)
            if record.reference == "P7" and record.receiver == "0000" and record.received_ms is not None
            else record
            for record in kept
        ]

    reseal(folder, later)
    assert any(line.startswith("payments: repeated with other values") for line in verify(folder))


@pytest.mark.parametrize("name", ["payments", "transfers", "events"])
def test_a_changed_table_is_found(folder: Path, name: str) -> None:
    path = folder / f"{name}.parquet"
    table = pq.read_table(path)
    column_ = next(n for n in table.column_names if pa.types.is_int64(table.schema.field(n).type))
    values = table[column_].to_pylist()
    values[0] = (values[0] or 0) + 1
    place = table.schema.get_field_index(column_)
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(values, pa.int64())), path)
    (found,) = verify(folder)
    assert found.startswith(f"{name}: the stored table is not the one the run wrote")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("summary", {}, "manifest: summary"),
        ("seed", 99, "manifest: seed"),
        ("messages", None, "the manifest does not tell of the message log"),
        ("messages.lost", 0, "manifest: messages lost 0, by the message log "),
        ("messages.under_way", 7, "manifest: messages under_way 7, by the message log 0"),
        ("messages.given_up", 7, "manifest: messages given_up 7, by the message log "),
        ("messages.resent", 0, "manifest: messages resent 0, by the message log "),
        ("messages.refused", 7, "manifest: messages refused 7, by the message log 0"),
        ("messages.payments", 7, "manifest: messages payments 7, repeated 8"),
        ("messages.parts", 2, "the message log has 1 files, the manifest says 2"),
    ],
)
def test_an_edited_manifest_is_found(folder: Path, key: str, value: Any, sentence: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    *way, last = key.split(".")
    (manifest[way[0]] if way else manifest)[last] = value
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [line for line in verify(folder) if line.startswith(sentence)] != []


def explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert execute(["explain", str(folder), "P1"]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_explain_says_where_the_message_log_is_missing_or_damaged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = folder / "messages" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:1000])
    assert "because the message log is damaged: " in explained(folder, capsys)
    part.unlink()
    assert "the message log is not whole: it is missing" in explained(folder, capsys)
    shutil.rmtree(folder / "messages")
    assert "the message log is not whole: it is missing" in explained(folder, capsys)
