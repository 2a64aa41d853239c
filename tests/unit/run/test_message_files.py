"""Message files as workload: sound ones become payments, each of the others is rejected alone and says why."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import uuid
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.messages import credits, envelope
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import kind_of
from cnaps_sim.messages.credits import BankCredit, BankTransfer, CustomerCredit, CustomerTransfer
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, TO_CENTRE, Header
from cnaps_sim.messages.samples import sample, sample_document
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.words.units import format_fen

ICBC, ABC, CCB = "102100099996", "103100000026", "105100000017"
STRANGER = "104100000004"
DAY = dt.date(2025, 6, 17)
ACCOUNTS = [{"account": bank, "balance": "1000.00"} for bank in (ICBC, ABC, CCB)]
Capture = pytest.CaptureFixture[str]


def at(clock: str, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), CHINA)


def transfer(number: str, fen: int, debtor: str = ICBC, creditor: str = ABC, **changed: Any) -> CustomerTransfer:
    made = CustomerTransfer(
        transaction_id=number,
        uetr=str(uuid.UUID(int=int.from_bytes(number.encode()[-16:]), version=4)),
        end_to_end_id=number,
        business_type="A100",
        business_kind="02102",
        amount_fen=fen,
        settlement_date=DAY,
        priority="NORM",
        debtor_name="北京市第一机床厂 & Söhne <甲>",
        debtor_account="6222020200012345678",
        debtor_agent=debtor,
        creditor_agent=creditor,
        creditor_name="李四",
        creditor_account="6217000012345678901",
        remarks=("货款　2025年6月",),
    )
    return dataclasses.replace(made, **changed)


def customer(number: str, clock: str, fen: int, debtor: str = ICBC, creditor: str = ABC, **changed: Any) -> bytes:
    """A pacs.008 without envelope; `changed`: fields of the transaction, or of the message."""
    own = {key: changed.pop(key) for key in ("business_id", "created", "system", "transactions") if key in changed}
    made = CustomerCredit(
        f"20250617{int(number[-4:]):08d}", at(clock), "HVPS", debtor, creditor,
        (transfer(number, fen, debtor, creditor, **changed),),
    )  # fmt: skip
    return credits.build_customer_credit(dataclasses.replace(made, **own))


def bank(number: str, clock: str, fen: int, payer: str, payee: str, **changed: Any) -> bytes:
    """A pacs.009 without envelope."""
    made = BankTransfer(
        transaction_id=number,
        uetr=str(uuid.UUID(int=int(number[-4:]), version=4)),
        end_to_end_id=number,
        business_type="A200",
        amount_fen=fen,
        settlement_date=DAY,
        priority="HIGH",
        debtor=payer,
        creditor=payee,
    )
    made = dataclasses.replace(made, **changed)
    return credits.build_bank_credit(
        BankCredit(f"20250617{int(number[-4:]):08d}", at(clock), "HVPS", payer, payee, (made,))
    )


def wrapped(document: bytes, business_id: str, clock: str, sender: str, number: str, to_centre: bool = True) -> bytes:
    """A document in its envelope, on its way to the centre or from it; written at `clock`, as its header says."""
    iso = "pacs.008.001.08" if number.startswith("hvps.111") else "pacs.009.001.08"
    kind, moment = kind_of(number, iso), at(clock)
    assert kind is not None
    own, other = (sender, CENTRE) if to_centre else (CENTRE, sender)
    header = Header(
        sender=own,
        sender_system=kind.system,
        receiver=other,
        receiver_system=kind.system,
        date=DAY,
        time=moment.time().replace(microsecond=0),
        message_type=number,
        message_id=business_id,
        direction=TO_CENTRE if to_centre else FROM_CENTRE,
    )
    return envelope.write(
        header, "", build_app_header(AppHeader(own, other, business_id, iso, moment, number)), document
    )


def sound_files() -> dict[str, bytes]:
    """Five payments: both forms, all shapes; the header of e.xml is later than its document."""
    plain = customer("P0001", "09:00:00.250", 60_000)
    app_header = build_app_header(AppHeader(ABC, CENTRE, "2025061700000004", "pacs.008.001.08", at("09:00:03")))
    both = b"<Bundle>" + app_header + customer("P0004", "08:59:00", 5_000, ABC, CCB) + b"</Bundle>"
    return {
        "a.xml": b"\xef\xbb\xbf" + plain,
        "b-支付.xml": wrapped(
            customer("P0002", "09:00:01", 70_000, priority="URGT"),
            "2025061700000002", "09:00:01", ICBC, "hvps.111.001.01",
        ),
        "sub/c.xml": bank("P0003", "09:00:02", 45_000, ABC, ICBC),
        "sub/d.txt": both,
        "e.xml": wrapped(
            bank("P0005", "08:00:00", 2_050, CCB, ABC, business_type="G102"),
            "2025061700000005", "09:00:04.001", CCB, "hvps.141.001.01",
        ),
    }  # fmt: skip


#: The same five payments as a payments file.
ROWS = [
    ("P0001", "2025-06-17T09:00:00.250", ICBC, ABC, 60_000, "NORM", "A100"),
    ("P0002", "2025-06-17T09:00:01", ICBC, ABC, 70_000, "URGT", "A100"),
    ("P0003", "2025-06-17T09:00:02", ABC, ICBC, 45_000, "HIGH", "A200"),
    ("P0004", "2025-06-17T09:00:03", ABC, CCB, 5_000, "NORM", "A100"),
    ("P0005", "2025-06-17T09:00:04.001", CCB, ABC, 2_050, "HIGH", "G102"),
]


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Files that bring no payment, each with how its reason begins and ends."""
    later = "10:00"
    pair = tuple(transfer(number, 100) for number in ("P0040", "P0041"))
    good = customer("P0099", later, 100)
    by_two = wrapped(good, "2025061700000099", later, ICBC, "hvps.111.001.01")
    return {
        "x-again.xml": (customer("P0001", later, 1, business_id="2025061700000077"), "business: */TxId: *(AM05)"),
        "x-same-id.xml": (customer("P0042", later, 1, business_id="2025061700000001"), "business: */MsgId: *(AM05)"),
        "x-payer.xml": (customer("P0043", later, 100, debtor=STRANGER), "business: */InstgAgt:*(RC03)"),
        "x-payee.xml": (bank("P0044", later, 100, ICBC, STRANGER), "business: */InstdAgt:*(RC04)"),
        "x-agent.xml": (customer("P0045", later, 100, debtor_agent=CCB), "business: */DbtrAgt:*(RC03)"),
        "x-digit.xml": (customer("P0046", later, 100, creditor_agent="103100000027"), "profile: */MmbId:*(RC04)"),
        "x-past.xml": (customer("P0047", later, 1, settlement_date=dt.date(2025, 6, 16)), "profile: *SttlmDt:*(DT01)"),
        "x-future.xml": (customer("P0048", later, 1, created=at(later, DAY + dt.timedelta(1))), "profile: *Tm:*(DT01)"),
        "x-beps.xml": (customer("P0049", later, 100, system="BEPS"), "business: */ClrSys/Prtry:*(FF01)"),
        "x-two.xml": (customer("P0040", later, 100, transactions=pair), "profile: */NbOfTxs:*(AM18)"),
        "x-debit.xml": (sample("beps.127"), "business: Document/FIToFICstmrDrctDbt: a direct debit*(FF01)"),
        "x-debit-plain.xml": (sample_document("pacs.003"), "business: Document/FIToFICstmrDrctDbt: a direct*(FF01)"),
        "x-order.xml": (sample("saps.365"), "business: Document/*: camt.007.001.08 is no credit transfer*(FF01)"),
        "x-word.xml": (customer("matching:0001", later, 100, business_id="1"), "business: */TxId:*(FF01)"),
        "x-large.xml": (customer("P0050", later, 92_000_000_000_000_001), "business: */IntrBkSttlmAmt:*(FF01)"),
        "x-schema.xml": (good.replace(b">NORM<", b">LOWW<"), "schema: */SttlmPrty:*(FF01)"),
        "x-cut.xml": (good[:700], "xml: Document:*(FF01)"),
        "x-header.xml": (by_two[:100], "transport: header:*(FF01)"),
        "x-number.xml": (by_two.replace(b"hvps.111", b"hvps.112"), "profile: header/message_type:*(FF01)"),
        "x-huge.xml": (good + b" " * 10_000_000, "xml: Document: larger than 10,000,000 bytes (FF01)"),
        "x-empty.xml": (b"", "xml: Document: is missing (FF01)"),
        "x-notes.txt": ("附言".encode("gbk"), "xml: Document: is not UTF-8*(FF01)"),
        "x-bomb.xml": (b'<!DOCTYPE a [<!ENTITY b "b">]>' + good, "xml: Document:*(FF01)"),
    }  # fmt: skip


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def scenario(source: Path | str, **more: Any) -> dict[str, Any]:
    return {
        "accounts": ACCOUNTS,
        "workload": [{"system": "HVPS", "messages": str(source)}],
        "liquidity": {"from": "accounts"},
        **more,
    }


def rejections(run: cs.Run) -> dict[str, str]:
    rejected = run.events[run.events["kind"] == "message_rejected"]
    return dict(zip(rejected["subject"], rejected["detail"], strict=True))


def fates(run: cs.Run) -> list[tuple[Any, ...]]:
    columns = ["payment_id", "debtor", "creditor", "amount_fen", "priority", "type", "instructed_ms", "settled_ms"]
    return [tuple(row) for row in run.payments[columns].itertuples(index=False)]


@pytest.fixture
def all_files() -> dict[str, bytes]:
    return {**sound_files(), **{name: data for name, (data, _) in broken_files().items()}}


def test_sound_files_settle_at_the_same_instants_as_the_same_payments_from_csv(tmp_path: Path) -> None:
    with (tmp_path / "p.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["payment_id", "time", "debtor", "creditor", "amount", "priority", "type"])
        rows.writerows([*row[:4], format_fen(row[4]), *row[5:]] for row in ROWS)
    from_csv = cs.simulate(scenario("", workload=[{"system": "HVPS", "file": str(tmp_path / "p.csv")}]))
    run = cs.simulate(scenario(write_folder(tmp_path / "day", sound_files())))
    assert fates(run) == fates(from_csv)
    assert [row[0] for row in fates(run)] == ["P0001", "P0002", "P0003", "P0004", "P0005"]
    settled = dict(zip(run.payments["payment_id"], run.payments["settled_ms"], strict=True))
    assert settled["P0002"] == (9 * 3600 + 2) * 1000  # had to wait for P0003
    assert run.manifest["items"] == from_csv.manifest["items"]
    assert run.manifest["workload"]["messages"] == {"files": 5, "payments": 5, "rejected": 0}


def test_invalid_files_are_rejected_one_by_one_with_their_reason_and_the_rest_run(
    tmp_path: Path, all_files: dict[str, bytes]
) -> None:
    alone = cs.simulate(scenario(write_folder(tmp_path / "sound", sound_files())))
    run = cs.simulate(scenario(write_folder(tmp_path / "all", all_files)))
    assert fates(run) == fates(alone)
    assert run.manifest["items"] == alone.manifest["items"]
    told = rejections(run)
    wanted = {name: reason for name, (_, reason) in broken_files().items()}
    assert list(told) == sorted(wanted)
    assert {name: told[name] for name, reason in wanted.items() if not fnmatchcase(told[name], reason)} == {}
    assert run.manifest["workload"]["messages"] == {"files": 28, "payments": 5, "rejected": 23}
    assert "has come with a.xml" in told["x-again.xml"]


def test_a_zip_of_the_folder_gives_the_same_run(tmp_path: Path, all_files: dict[str, bytes]) -> None:
    run = cs.simulate(scenario(write_folder(tmp_path / "all", all_files)))
    extra = {".hidden": b"?", "__MACOSX/._a.xml": b"?"}
    zipped = cs.simulate(scenario(write_zip(tmp_path / "all.zip", {**dict(reversed(all_files.items())), **extra})))
    assert zipped.manifest["tables"] == run.manifest["tables"]
    assert zipped.manifest["workload"] == run.manifest["workload"]


def test_the_payments_travel_again_as_messages_of_the_run(tmp_path: Path, all_files: dict[str, bytes]) -> None:
    folder = write_folder(tmp_path / "all", all_files)
    silent, talking = (cs.simulate(scenario(folder, messages=share)) for share in ("off", "all"))
    assert fates(talking) == fates(silent)
    assert rejections(talking) == rejections(silent)
    assert talking.manifest["messages"]["payments"] == 5


def test_equal_times_go_by_file_name_and_the_first_of_one_id_is_the_earliest(tmp_path: Path) -> None:
    files = {
        "3.xml": customer("P0001", "09:00", 100),
        "2.xml": customer("P0002", "09:00", 100),
        "1.xml": customer("P0001", "09:01", 100),
    }
    run = cs.simulate(scenario(write_folder(tmp_path / "day", files)))
    assert list(run.payments["payment_id"]) == ["P0002", "P0001"]
    assert list(rejections(run)) == ["1.xml"]


def test_an_id_that_came_with_another_folder_is_a_duplicate_too(tmp_path: Path) -> None:
    first = write_folder(tmp_path / "first", {"a.xml": customer("P0001", "09:00", 100)})
    second = write_folder(
        tmp_path / "second", {"b.xml": customer("P0001", "08:00", 100), "c.xml": customer("P0002", "08:00", 100)}
    )
    sources = [{"system": "HVPS", "messages": str(folder)} for folder in (first, second)]
    run = cs.simulate(scenario("", workload=sources))
    assert list(run.payments["payment_id"]) == ["P0002", "P0001"]
    assert rejections(run)["b.xml"].endswith("P0001 has come with a.xml (AM05)")
    assert [note["payments"] for note in run.manifest["workload"]["messages"]] == [1, 1]


def test_a_bank_without_an_account_pays_through_the_participant_that_instructs(tmp_path: Path) -> None:
    files = {
        "a.xml": customer("P0001", "09:00", 100, debtor_agent=STRANGER),
        "b.xml": bank("P0002", "09:01", 100, ICBC, ABC, debtor=STRANGER, debtor_agent=ICBC),
        "c.xml": bank("P0003", "09:02", 100, ICBC, ABC),
    }
    run = cs.simulate(scenario(write_folder(tmp_path / "day", files)))
    assert list(run.payments["debtor"]) == [ICBC] * 3
    assert run.table("payments")["on_behalf_of"].to_pylist() == [STRANGER, STRANGER, None]


def test_what_a_payer_and_its_payee_have_been_forwarded_counts_once(tmp_path: Path) -> None:
    document, number = customer("P0001", "09:00", 100), "2025061700000001"
    files = {
        "sent.xml": wrapped(document, number, "09:00", ICBC, "hvps.111.001.01"),
        "received.xml": wrapped(document, number, "09:00:01", ABC, "hvps.111.001.01", to_centre=False),
    }
    run = cs.simulate(scenario(write_folder(tmp_path / "day", files)))
    assert list(run.payments["instructed_ms"]) == [9 * 3_600_000]
    assert rejections(run)["received.xml"].endswith("(AM05)")


def test_messages_of_several_dates_run_on_theirs(tmp_path: Path) -> None:
    wednesday = DAY + dt.timedelta(days=1)
    files = {
        "a.xml": customer("P0001", "09:00", 100),
        "b.xml": customer("P0002", "20:45", 100, settlement_date=wednesday),
        "c.xml": customer("P0003", "20:45", 100),
        "d.xml": customer("P0004", "09:00", 100, created=at("09:00", wednesday), settlement_date=wednesday),
    }
    run = cs.simulate(scenario(write_folder(tmp_path / "days", files), days=2))
    assert list(run.payments["payment_id"]) == ["P0001", "P0002", "P0004"]
    assert list(run.payments["status"]) == ["PR04"] * 3
    assert rejections(run)["c.xml"].endswith("2025-06-17 is not the working date 2025-06-18 (DT01)")


def test_what_comes_out_of_hours_or_pays_itself_is_refused_in_the_results(tmp_path: Path) -> None:
    files = {"a.xml": customer("P0001", "18:00", 100), "b.xml": customer("P0002", "09:00", 100, ICBC, ICBC)}
    run = cs.simulate(scenario(write_folder(tmp_path / "day", files)))
    assert list(run.payments["status"]) == ["PR09", "PR09"]
    assert list(run.payments["reason_iso"]) == ["RC01", "TM01"]


def test_accounts_without_check_digits_can_be_named(tmp_path: Path) -> None:
    accounts = [{"account": code, "balance": 10} for code in ("111111111111", "222222222222")]
    files = {"a.xml": customer("P0001", "09:00", 100, "111111111111", "222222222222")}
    run = cs.simulate(scenario(write_folder(tmp_path / "day", files), accounts=accounts))
    assert list(run.payments["status"]) == ["PR04"]


def test_ids_with_blanks_run_but_do_not_travel(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "day", {"a.xml": customer("P 0001", "09:00", 100)})
    assert list(cs.simulate(scenario(folder)).payments["payment_id"]) == ["P 0001"]
    travelling = cs.simulate(scenario(folder, messages="all"))
    assert len(travelling.payments) + len(rejections(travelling)) == 1


def test_files_that_are_all_rejected_make_a_run_without_payments(tmp_path: Path) -> None:
    run = cs.simulate(scenario(write_folder(tmp_path / "day", {"a.xml": sample("beps.127")})))
    assert len(run.payments) == 0
    assert run.manifest["audit"]["verdict"] == "passed"
    assert run.manifest["workload"]["messages"] == {"files": 1, "payments": 0, "rejected": 1}


def test_a_saved_run_is_audited_and_repeated_and_a_changed_folder_is_noticed(tmp_path: Path) -> None:
    day, place = write_folder(tmp_path / "day", sound_files()), tmp_path / "run"
    run = cs.simulate(scenario(day), out=place)
    assert run.scenario["workload"][0]["messages"] == str(day)
    assert audit_folder(place).passed
    assert verify_folder(place, cs.analysis.metrics.headline) == []
    (day / "a.xml").write_bytes(customer("P0001", "09:00:00.250", 60_001))
    assert "the input file workload.0.messages has changed since the run" in verify_folder(
        place, cs.analysis.metrics.headline
    )


def test_an_input_that_is_of_no_use_as_a_whole_is_one_error(tmp_path: Path) -> None:
    notes = write_folder(tmp_path / "notes", {"README": b"see below", "p.csv": b"payment_id"})
    for source, place, problem in (
        (tmp_path / "nothing", "scenario", "no such folder or zip file"),
        (write_zip(tmp_path / "empty.zip", {}), str(tmp_path / "empty.zip"), "there is no file in it"),
        (notes, str(notes), "holds no message"),
    ):
        with pytest.raises(cs.InputError) as caught:
            cs.simulate(scenario(source))
        assert (caught.value.place, caught.value.problem) == (place, problem)


def test_the_command_takes_messages_in_place_of_a_payments_file(
    tmp_path: Path, all_files: dict[str, bytes], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("account,balance\n" + "".join(f"{code},1000\n" for code in (ICBC, ABC, CCB)))
    write_zip(Path("day.zip"), all_files)
    write_folder(Path("day"), all_files)
    for source, name in (("day.zip", "runs/day-s1"), ("day", "runs/day-s1-2")):
        assert execute(["run", "--accounts", "a.csv", "--payments", source, "--quiet"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "message files: 28, payments 5, rejected 23" in lines
        assert lines[-1] == name
    assert json.loads(Path("runs/day-s1/manifest.json").read_text())["date"] == "2025-06-17"
    assert execute(["run", "--accounts", "a.csv", "--payments", "none.zip"]) == 2
    assert capsys.readouterr().err == "--payments: no such file (none.zip); allowed: a CSV or Parquet file\n"
    Path("bad.zip").write_bytes(b"PK")
    assert execute(["run", "--accounts", "a.csv", "--payments", "bad.zip"]) == 2
    assert capsys.readouterr().err.startswith("bad.zip: is not a zip file that can be read (")


def test_a_scenario_file_names_the_folder_from_its_own_place(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "at" / "day", sound_files())
    path = tmp_path / "at" / "s.yaml"
    path.write_text(json.dumps(scenario("day")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert execute(["run", str(path), "--out", "out", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["systems"]["HVPS"]["settled"]["count"] == 5
    assert execute(["run", str(path), "--set", "workload.0.messages=nowhere", "--out", "none"]) == 2
    assert capsys.readouterr().err == (
        "--set: workload.0.messages: no such folder or zip file (nowhere); allowed: a folder or zip file that exists\n"
    )
