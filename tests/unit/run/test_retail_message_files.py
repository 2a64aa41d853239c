"""Message files of BEPS and IBPS as workload: each file is one unit, and each bad file is refused alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.messages import envelope
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.run.message_log import read_log
from cnaps_sim.words.bank_code import with_check_digit

A, B, C = (with_check_digit(f"1021000{number:04d}") for number in (1, 2, 3))
STRANGER = with_check_digit("10210009999")


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more}


BEPS = [
    pay("P1", "09:10", A, B, 60, package="K"), pay("P2", "09:10", A, B, 50, package="K"), pay("P3", "09:11", C, A, 90),
    pay("D1", "09:12", A, B, 10, type="BDBT"), pay("R1", "09:13", B, C, 30, type="BRTD"),
]  # fmt: skip
IBPS = [pay("I1", "09:12:30", B, C, 25), pay("J1", "11:00", A, B, 5, type="IDBT")]


def scenario(workload: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "name": "files",
        "date": "2025-06-17",
        "accounts": [{"account": code, "balance": 1000, "credit_line": 100} for code in (A, B, C)],
        "workload": workload,
        "record": {"BEPS": "payments", "IBPS": "payments"},
        "liquidity": {"from": "accounts"},
        **more,
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The messages of a day that was run from rows, by system and file name."""
    folder = tmp_path_factory.mktemp("day") / "run"
    workload = [{"system": "BEPS", "payments": BEPS}, {"system": "IBPS", "payments": IBPS}]
    cs.simulate(scenario(workload, messages="all"), out=folder)
    found: dict[str, dict[str, bytes]] = {"BEPS": {}, "IBPS": {}}
    for _, record, _ in read_log(folder / "messages"):
        if record.receiver == CENTRE and record.iso[:8] in ("pacs.008", "pacs.003"):
            found[record.number[:4].upper()][f"{record.reference}.xml"] = record.data
    return found


def write(folder: Path, files: dict[str, bytes]) -> str:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return str(folder)


def rejections(run: cs.Run) -> dict[str, str]:
    events = run.table("events").to_pylist()
    return {row["subject"]: row["detail"] for row in events if row["kind"] == "message_rejected"}


def test_a_day_from_its_message_files_is_the_day_from_its_rows(files: Any, tmp_path: Path) -> None:
    from_rows = cs.simulate(scenario([{"system": "BEPS", "payments": BEPS}, {"system": "IBPS", "payments": IBPS}]))
    entries = [{"system": name, "messages": write(tmp_path / name, found)} for name, found in files.items()]
    run = cs.simulate(scenario(entries), out=tmp_path / "run")
    for name in ("payments", "rounds", "series", "accounts"):
        assert run.table(name).equals(from_rows.table(name)), name
    assert run.manifest["workload"]["retail_messages"] == {"files": 6, "payments": 7, "rejected": 0}
    assert audit_folder(tmp_path / "run").passed
    assert verify_folder(tmp_path / "run", headline) == []
    again = cs.simulate(scenario(entries, messages="all"))
    assert again.table("payments").equals(from_rows.table("payments"))


def test_a_document_without_a_number_is_of_the_usual_kind(files: Any, tmp_path: Path) -> None:
    bare = {name: envelope.read(files["BEPS"][name]).document for name in ("P3.xml", "R1.xml")}
    run = cs.simulate(scenario([{"system": "BEPS", "messages": write(tmp_path / "day", bare)}]))
    kinds = dict(zip(run.payments["payment_id"], run.payments["type"], strict=True))
    assert (kinds["P3"], kinds["R1"]) == ("BCRD", "BDBT")


def test_bad_files_are_refused_one_by_one_with_layer_and_reason(files: Any, tmp_path: Path) -> None:
    good = files["BEPS"]["P1.xml"]
    document = envelope.read(good).document
    other = {old: document.replace(b"<MsgId>2025061700000001<", b"<MsgId>20250617%08d<" % old) for old in range(20, 30)}
    for number, data in other.items():
        other[number] = data.replace(b"P1<", b"P%d<" % (2 * number + 100)).replace(b"P2<", b"P%d<" % (2 * number + 101))
    ours, stranger = B.encode(), STRANGER.encode()
    bad = {
        "a-good.xml": good,
        "b-again.xml": good,
        "c-count.xml": other[20].replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<"),
        "d-sum.xml": other[21].replace(b"<CtrlSum>110.00<", b"<CtrlSum>111.00<"),
        "e-date.xml": other[22].replace(b"Dt>2025-06-17<", b"Dt>2025-06-18<"),
        "f-stranger.xml": other[23].replace(ours, stranger),
        "g-types.xml": other[24].replace(b"<Prtry>A100<", b"<Prtry>A104<", 1),
        "h-online.xml": files["IBPS"]["I1.xml"],
        "i-text.xml": b"hello",
        "j-day.xml": other[25].replace(b"2025-06-17T09", b"2025-06-19T09"),
        "k-status.xml": b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pacs.099.001.01'/>",
    }
    run = cs.simulate(scenario([{"system": "BEPS", "messages": write(tmp_path / "day", bad)}]))
    told = rejections(run)
    starts = {
        "b-again.xml": ("business", "AM05"), "c-count.xml": ("profile", "AM18"), "d-sum.xml": ("profile", "AM10"),
        "e-date.xml": ("profile", "DT01"), "f-stranger.xml": ("business", "RC01"), "g-types.xml": ("business", "FF01"),
        "h-online.xml": ("business", "FF01"), "i-text.xml": ("xml", "FF01"), "j-day.xml": ("profile", "DT01"),
        "k-status.xml": ("schema", "FF01"),
    }  # fmt: skip
    assert {name: (fate.split(":")[0], fate[-5:-1]) for name, fate in told.items()} == starts
    assert run.payments[run.payments["system"] == "BEPS"]["payment_id"].tolist() == ["P1", "P2"]
    assert run.manifest["workload"]["retail_messages"] == {"files": 11, "payments": 2, "rejected": 10}


def test_a_direct_debit_among_files_of_hvps_is_told_where_it_belongs(files: Any, tmp_path: Path) -> None:
    run = cs.simulate(
        scenario([{"system": "HVPS", "messages": write(tmp_path / "d", {"d.xml": files["BEPS"]["D1.xml"]})}])
    )
    assert "name one of them as the system of these messages" in rejections(run)["d.xml"]


def test_files_that_are_all_refused_make_a_run_without_payments(tmp_path: Path) -> None:
    run = cs.simulate(scenario([{"system": "IBPS", "messages": write(tmp_path / "d", {"a.xml": b"<x/>"})}]))
    assert len(run.payments) == 0
    with pytest.raises(cs.InputError, match="holds no message"):
        cs.simulate(scenario([{"system": "IBPS", "messages": write(tmp_path / "e", {"a.xml": b"x"})}]))
