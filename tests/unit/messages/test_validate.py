"""Judging: each layer refuses what is its own, with place, reason and code; the next is asked only after it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.credits import CustomerCredit, build_customer_credit
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.nets import NetRecord, RoundNets, build_round_nets
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.schemas import MAX_BYTES, MAX_TAGS, Schemas
from cnaps_sim.messages.status import (
    PaymentStatus,
    StatusRequest,
    TransactionStatus,
    build_payment_status,
    build_status_request,
)
from cnaps_sim.messages.technical import Receipt, TechnicalRejection, build_receipt, build_technical_rejection
from cnaps_sim.messages.validate import check, judge_file, open_bytes
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.words.errors import InputError

ICBC, CCB = "102100099996", "105100000017"
NOW = dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)
UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"
XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
TX = "Document/FIToFICstmrCdtTrf/CdtTrfTxInf"
GROUP = "Document/FIToFICstmrCdtTrf/GrpHdr"


def fault_of(data: bytes, expected: Expected | None = None) -> Fault:
    with pytest.raises(Refused) as refused:
        check(data, expected)
    fault = refused.value.fault
    assert fault.reason
    assert fault.code
    return fault


def test_a_message_in_order_is_told_in_full(message: bytes, document: bytes) -> None:
    checked = check(message, Expected(receiver="0000", working_date=dt.date(2025, 6, 17)))
    assert (checked.kind.number, checked.kind.iso) == ("hvps.111.001.01", "pacs.008.001.08")
    assert (checked.business_id, checked.instructing) == ("2025061700000001", ICBC)
    assert checked.envelope.document == document
    assert checked.app_header == AppHeader(ICBC, "0000", "2025061700000001", "pacs.008.001.08", NOW, "hvps.111.001.01")
    assert checked.root.tag.endswith("}Document")


@pytest.mark.parametrize(
    ("old", "new", "layer", "path", "reason"),
    [
        # transport
        ("{H:02", "{H:03", Layer.TRANSPORT, "header/version", "02"),
        ("{S:}", "{S:?}", Layer.TRANSPORT, "signature", "base64"),
        # xml
        ("</AppHdr>", "", Layer.XML, "AppHdr", "missing"),
        ("<BizMsgIdr>", "<BizMsgId>", Layer.XML, "AppHdr", "BizMsgId"),
        ("</Document>", "", Layer.XML, "Document", "well-formed"),
        ("<MsgId>", "<MsgId>&x;", Layer.XML, "Document", "x"),
        ("<MsgId>", "<MsgId>\x00", Layer.XML, "Document", "well-formed"),
        ("<Document", "<!DOCTYPE Document><Document", Layer.XML, "Document", "DOCTYPE"),
        (
            "<Document",
            "<?xml version='1.0'?><!-- a --><!DOCTYPE d [<!ENTITY a 'b'>]><Document",
            Layer.XML,
            "Document",
            "DOCTYPE",
        ),
        ("<AppHdr", "<!DOCTYPE AppHdr SYSTEM 'http://127.0.0.1:9/x'><AppHdr", Layer.XML, "AppHdr", "DOCTYPE"),
        ("<Document", "<?xml version='1.0' encoding='GBK'?><Document", Layer.XML, "Document", "GBK"),
        # schema: the application header
        ("<Fr>", "<Fr><Fr>", Layer.XML, "AppHdr", "Fr"),
        ("<BizSvc>hvps.111.001.01</BizSvc>", "<Sgntr/>", Layer.SCHEMA, "AppHdr/Sgntr", "expected CreDt"),
        ("head.001.001.02", "head.001.001.01", Layer.SCHEMA, "AppHdr", "head.001.001.01"),
        # schema: the document
        ("tech:xsd:pacs.008.001.08", "tech:xsd:pacs.008.001.07", Layer.SCHEMA, "Document", "it has pacs.008.001.08"),
        ("iso:20022:tech:xsd:pacs.008.001.08", "x", Layer.SCHEMA, "Document", "'urn:iso:std:x'"),
        ("<TxId>2025061700000001</TxId>", "", Layer.SCHEMA, f"{TX}/PmtId/UETR", "expected TxId"),
        ("<MsgId>", "<MsgId xmlns='urn:other'>", Layer.SCHEMA, f"{GROUP}/MsgId", "urn:other"),
        (
            "<SttlmPrty>NORM",
            "<SttlmPrty>LOWW",
            Layer.SCHEMA,
            f"{TX}/SttlmPrty",
            "'LOWW' is not one of URGT, HIGH, NORM",
        ),
        ("<Nm>李四", "<Nm>" + "李" * 141, Layer.SCHEMA, f"{TX}/Cdtr/Nm", "141 characters, at most 140"),
        ("<Nm>李四", "<Nm> 李四", Layer.SCHEMA, f"{TX}/Cdtr/Nm", "form"),
        ('Ccy="CNY">1000.50', 'Ccy="USD">1000.50', Layer.SCHEMA, f"{TX}/IntrBkSttlmAmt/@Ccy", "CNY"),
        ('Ccy="CNY">1000.50', 'Ccy="CNY">1000.505', Layer.SCHEMA, f"{TX}/IntrBkSttlmAmt", "1000.505"),
        ('Ccy="CNY">1000.50', 'Ccy="CNY">0.00', Layer.SCHEMA, f"{TX}/IntrBkSttlmAmt", "less than 0.01"),
        ("-49de-", "-19de-", Layer.SCHEMA, f"{TX}/PmtId/UETR", "form"),
        (
            "<MsgId>",
            f"<MsgId {XSI.decode()} xsi:type='Reference'>",
            Layer.SCHEMA,
            f"{GROUP}/MsgId/@xsi:type",
            "not allowed",
        ),
        ("<MsgId>", f"<MsgId {XSI.decode()} xsi:nil='false'>", Layer.SCHEMA, f"{GROUP}/MsgId/@xsi:nil", "not allowed"),
        # profile
        ("XMLhvps.111", "XMLhvps.112", Layer.PROFILE, "header/message_type", "carries pacs.009.001.08"),
        ("XMLhvps.111", "XMLhvps.999", Layer.PROFILE, "header/message_type", "not in the catalogue"),
        ("XMLhvps.111", "XMLbeps.121", Layer.PROFILE, "AppHdr/BizSvc", "beps.121.001.01"),
        ("   3U", "   3D", Layer.PROFILE, "header/sender", "direction D"),
        ("HVPS0000        ", "HVPS105100000017", Layer.PROFILE, "header/receiver", "105100000017"),
        ("<MsgDefIdr>pacs.008", "<MsgDefIdr>pacs.009", Layer.PROFILE, "AppHdr/MsgDefIdr", "pacs.009.001.08"),
        ("<BizMsgIdr>2025061700000001", "<BizMsgIdr>2025061700000002", Layer.PROFILE, "AppHdr/BizMsgIdr", "has the id"),
        (
            "XMLhvps.111.001.01     20250617",
            "XMLhvps.111.001.01     20250618",
            Layer.PROFILE,
            "header/message_id",
            "20250617",
        ),
        ("HVPS20250617", "HVPS20250618", Layer.PROFILE, "header/message_id", "20250618"),
        ("<CtrlSum>1000.50", "<CtrlSum>1000.51", Layer.PROFILE, f"{GROUP}/CtrlSum", "sum to 1000.50"),
        ("<NbOfTxs>1", "<NbOfTxs>2", Layer.PROFILE, f"{GROUP}/NbOfTxs", "the message has 1"),
        ("<Prtry>HVPS", "<Prtry>BEPS", Layer.PROFILE, f"{GROUP}/SttlmInf/ClrSys", "does not settle hvps.111"),
        ("2025-06-17</IntrBk", "2025-06-18</IntrBk", Layer.PROFILE, f"{TX}/IntrBkSttlmDt", "2025-06-17"),
        ("2025-06-17</IntrBk", "2024-06-17</IntrBk", Layer.PROFILE, f"{TX}/IntrBkSttlmDt", "2024-06-17"),
    ],
)
def test_each_layer_refuses_what_is_its_own(
    message: bytes, old: str, new: str, layer: Layer, path: str, reason: str
) -> None:
    assert message.count(old.encode()) == 1
    fault = fault_of(message.replace(old.encode(), new.encode()))
    assert (fault.layer, fault.path) == (layer, path)
    assert reason in fault.reason


def test_broken_utf8_is_refused_as_xml_and_in_the_header_as_transport(message: bytes) -> None:
    fault = fault_of(message.replace("李四".encode(), b"\xe6\x9d"))
    assert (fault.layer, fault.path) == (Layer.XML, "Document")
    assert "UTF-8" in fault.reason
    assert fault_of(message[:20] + b"\xff" + message[21:]).layer is Layer.TRANSPORT


def test_a_doctype_in_a_text_is_only_a_text(message: bytes) -> None:
    harmless = message.replace("李四".encode(), b"<![CDATA[<!DOCTYPE d>]]>")
    assert check(harmless).root is not None
    commented = message.replace(b"<Document", b"<!-- <!DOCTYPE d> --><Document")
    assert check(commented).root is not None


def test_entities_are_refused_before_they_grow(message: bytes) -> None:
    bomb = b"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>"
    for letter in "bcdefghij":
        bomb += f"<!ENTITY {letter} '{f'&{chr(ord(letter) - 1)};' * 10}'>".encode()
    fault = fault_of(message.replace(b"<Document", bomb + b"]><Document").replace("李四".encode(), b"&j;"))
    assert (fault.layer, fault.path) == (Layer.XML, "Document")


def test_a_message_that_is_too_large_is_refused_before_it_is_parsed(message: bytes) -> None:
    fault = fault_of(message.replace("李四".encode(), b"x" * MAX_BYTES))
    assert fault.layer is Layer.XML
    assert "larger than" in fault.reason
    assert fault_of(b"{h" + b"x" * MAX_BYTES).layer is Layer.TRANSPORT
    many = fault_of(message.replace("李四".encode(), b"<a/>" * (MAX_TAGS + 1)))
    assert "tags" in many.reason


def test_comments_instructions_blanks_and_prefixes_change_nothing(message: bytes, credit: CustomerCredit) -> None:
    from cnaps_sim.messages.credits import read_customer_credit

    odd = message.replace(b"<GrpHdr>", b"<?pi x?><GrpHdr> <!-- c -->\n").replace(
        b"<MsgId>2025", b"<MsgId>20<!-- c -->25"
    )
    odd = odd.replace(b">2025-06-17</IntrBk", b">\n 2025-06-17 </IntrBk").replace(
        b"<Document", b"\r\n<?xml version='1.0'?><Document"
    )
    assert read_customer_credit(check(odd).root) == credit
    head, body = message.split(b"<Document")
    prefixed = (
        body.replace(b"xmlns=", b"xmlns:p=").replace(b"</", b"</p:").replace(b"<", b"<p:").replace(b"<p:/p:", b"</p:")
    )
    assert read_customer_credit(check(head + b"<p:Document" + prefixed).root) == credit


def test_a_schema_location_is_allowed_and_not_looked_at(message: bytes) -> None:
    located = b"<Document " + XSI + b' xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"'
    assert check(message.replace(b"<Document", located)).root is not None


# what only the receiver knows


def test_another_working_date_is_refused_with_a_date_code(message: bytes) -> None:
    for day in (dt.date(2025, 6, 16), dt.date(2025, 6, 18)):
        fault = fault_of(message, Expected(working_date=day))
        assert (fault.layer, fault.path, fault.code) == (Layer.PROFILE, "header/date", Code.DATE)


def test_a_message_for_another_receiver_is_refused(message: bytes) -> None:
    fault = fault_of(message, Expected(receiver=CCB))
    assert (fault.path, fault.code) == ("header/receiver", Code.AGENT)


@pytest.mark.parametrize(
    ("element", "code"),
    [("InstgAgt", None), ("InstdAgt", Code.AGENT), ("DbtrAgt", Code.DEBTOR_AGENT), ("CdtrAgt", Code.CREDITOR_AGENT)],
)
def test_a_wrong_check_digit_is_refused_unless_codes_are_free(
    document: bytes, wrap: Any, element: str, code: str | None
) -> None:
    start = document.index(f"<{element}>".encode())
    place = document.index(b"<MmbId>", start) + len("<MmbId>")
    digit = b"0" if document[place + 11 : place + 12] != b"0" else b"1"
    wrong = wrap(document[: place + 11] + digit + document[place + 12 :])
    if element == "InstgAgt":
        assert "is not the sender" in fault_of(wrong).reason
        return
    fault = fault_of(wrong)
    assert (fault.layer, fault.code) == (Layer.PROFILE, code)
    assert "check digit" in fault.reason
    assert fault.path.endswith(f"{element}/FinInstnId/ClrSysMmbId/MmbId")
    assert check(wrong, Expected(strict_bank_codes=False)).root is not None


def test_a_wrong_check_digit_of_the_sender_is_refused(credit: CustomerCredit, wrap: Any) -> None:
    wrong = "102100099997"
    data = wrap(build_customer_credit(replace(credit, instructing=wrong)), sender=wrong)
    assert fault_of(data).path == "header/sender"


# packages


def package(credit: CustomerCredit, *ids: str) -> CustomerCredit:
    (transfer,) = credit.transactions
    transfers = tuple(
        replace(transfer, transaction_id=ident, uetr=f"eb6305c9-1f7f-49de-aed0-{number:012d}")
        for number, ident in enumerate(ids)
    )
    return replace(credit, system="BEPS", transactions=transfers, control_sum_fen=100_050 * len(ids))


def test_a_package_of_beps_may_carry_several_transactions(credit: CustomerCredit, wrap: Any) -> None:
    data = wrap(build_customer_credit(package(credit, "1", "2", "3")), number="beps.121.001.01")
    assert check(data).kind.number == "beps.121.001.01"


def test_hvps_takes_one_transaction_at_a_time(credit: CustomerCredit, wrap: Any) -> None:
    two = replace(package(credit, "1", "2"), system="HVPS")
    fault = fault_of(wrap(build_customer_credit(two)))
    assert (fault.path, fault.code) == (f"{GROUP}/NbOfTxs", Code.COUNT)


def test_a_transaction_may_not_be_in_a_package_twice(credit: CustomerCredit, wrap: Any) -> None:
    fault = fault_of(wrap(build_customer_credit(package(credit, "1", "2", "1")), number="beps.121.001.01"))
    assert (fault.path, fault.code) == (f"{TX}[3]/PmtId/TxId", Code.DUPLICATE)


def test_a_wrong_sum_of_a_package_has_its_code(credit: CustomerCredit, wrap: Any) -> None:
    wrong = replace(package(credit, "1", "2"), control_sum_fen=1)
    fault = fault_of(wrap(build_customer_credit(wrong), number="beps.121.001.01"))
    assert (fault.path, fault.code) == (f"{GROUP}/CtrlSum", Code.SUM)


def test_ids_of_ibps_have_a_bank_code_in_front(credit: CustomerCredit, wrap: Any) -> None:
    ident = ICBC + "2025061700000001"
    online = replace(credit, system="IBPS", business_id=ident)
    assert check(wrap(build_customer_credit(online), number="ibps.101.001.01", business_id=ident)).business_id == ident
    short = replace(online, business_id="2025061700000001")
    assert "28 digits" in fault_of(wrap(build_customer_credit(short), number="ibps.101.001.01")).reason
    assert "(16)" in fault_of(wrap(build_customer_credit(replace(credit, business_id=ident)), business_id=ident)).reason


def test_a_business_id_of_another_date_is_refused_on_its_way_to_the_centre(credit: CustomerCredit, wrap: Any) -> None:
    ident = "2025061600000001"
    fault = fault_of(wrap(build_customer_credit(replace(credit, business_id=ident)), business_id=ident))
    assert (fault.path, fault.code) == (f"{GROUP}/MsgId", Code.DATE)


# nets


def nets(*records: tuple[int, str], control_sum_fen: int | None = None) -> bytes:
    banks = (ICBC, CCB, "103100000026")
    rows = [NetRecord(f"N{i}", banks[i], fen, way) for i, (fen, way) in enumerate(records)]
    return build_round_nets(RoundNets("2025061700000001", NOW, "R1", "20250617-01", tuple(rows), None, control_sum_fen))


def submitted(document: bytes, wrap: Any) -> bytes:
    return wrap(document, number="hvps.631.001.01", iso="pacs.029.001.01", sender="0000").replace(b"   3D", b"   3U")


def test_nets_with_equal_debits_and_credits_pass(wrap: Any) -> None:
    good = nets((30, "CRDT"), (20, "DBIT"), (10, "DBIT"), control_sum_fen=60)
    assert check(submitted(good, wrap)).kind.number == "hvps.631.001.01"


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        (
            nets((30, "CRDT"), (30, "DBIT")).replace(b"0.30</Amt><CdtDbt>DBIT", b"0.20</Amt><CdtDbt>DBIT"),
            "Document/MulSttlmReq/SttlmReq",
            Code.SUM,
        ),
        (nets((30, "CRDT"), (30, "DBIT"), control_sum_fen=30), "Document/MulSttlmReq/GrpHdr/CtrlSum", Code.SUM),
        (
            nets((30, "CRDT"), (30, "DBIT")).replace(b"Rcrds>2<", b"Rcrds>3<"),
            "Document/MulSttlmReq/SttlmReq/NbOfMvmntRcrds",
            Code.COUNT,
        ),
        (
            nets((30, "CRDT"), (30, "DBIT")).replace(ICBC.encode(), b"102100099997"),
            "Document/MulSttlmReq/SttlmReq/MvmntRcrd[1]/Ptcpt/Id/OrgId/Othr/Id",
            Code.AGENT,
        ),
    ],
)
def test_nets_that_do_not_agree_are_refused(document: bytes, path: str, code: str, wrap: Any) -> None:
    fault = fault_of(submitted(document, wrap))
    assert (fault.layer, fault.path, fault.code) == (Layer.PROFILE, path, code)


# answers


def report(wrap: Any, **changes: Any) -> bytes:
    original = OriginalMessage("2025061700000001", "hvps.111.001.01")
    one = TransactionStatus(original, "2025061700000001", UETR, **changes)
    document = build_payment_status(PaymentStatus("2025061700000009", NOW, "0000", ICBC, (one,)))
    return wrap(document, "ccms.900.001.01", "pacs.002.001.10", "0000", ICBC, "2025061700000009")


def test_a_status_tells_why_or_when(wrap: Any) -> None:
    assert check(report(wrap, status="RCVD")).kind.number == "ccms.900.001.01"
    assert check(report(wrap, status="PDNG", reasons=(Reason("PR12", True),))).root is not None
    assert check(report(wrap, status="ACSC", settlement_date=NOW.date())).root is not None
    for status in ("PDNG", "RJCT", "CANC"):
        fault = fault_of(report(wrap, status=status))
        assert (fault.layer, fault.path) == (Layer.PROFILE, "Document/FIToFIPmtStsRpt/TxInfAndSts")
    assert "FctvIntrBkSttlmDt" in fault_of(report(wrap, status="ACSC")).reason


def test_a_status_request_names_a_transaction(wrap: Any) -> None:
    asked = StatusRequest("2025061700000009", NOW, ICBC, "0000", uetr=UETR)
    way = ("ccms.316.001.01", "pacs.028.001.03", ICBC, "0000", "2025061700000009")
    assert check(wrap(build_status_request(asked), *way)).root is not None
    fault = fault_of(wrap(build_status_request(replace(asked, uetr=None)), *way))
    assert (fault.layer, fault.path) == (Layer.PROFILE, "Document/FIToFIPmtStsReq/TxInf")


def test_technical_messages_pass_and_one_has_its_id_in_the_application_header_alone(wrap: Any) -> None:
    rejection = build_technical_rejection(TechnicalRejection("2025061700000001", "FF01", NOW, "Document"))
    way = ("ccms.911.001.01", "admi.002.001.01", "0000", ICBC, "2025061700000002")
    assert check(wrap(rejection, *way)).business_id == "2025061700000002"
    fault = fault_of(wrap(rejection, *way[:4], "X1"))
    assert (fault.layer, fault.path) == (Layer.PROFILE, "AppHdr/BizMsgIdr")
    receipt = build_receipt(Receipt("2025061700000003", NOW, "2025061700000001", "0000"))
    for sender, receiver in ((ICBC, "0000"), ("0000", ICBC)):
        way = ("ccms.990.001.01", "admi.007.001.01", sender, receiver, "2025061700000003")
        assert check(wrap(receipt, *way)).kind.number == "ccms.990.001.01"


# parties


def test_the_application_header_names_the_sender_or_who_instructs(document: bytes, wrap: Any) -> None:
    forwarded = wrap(document, sender="0000", receiver=CCB)
    assert check(forwarded).envelope.header.direction == "D"
    for wrong in (
        forwarded.replace(
            b"<Fr><FIId><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>0000",
            b"<Fr><FIId><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>103100000026",
        ),
        forwarded.replace(
            b"<To><FIId><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>105100000017",
            b"<To><FIId><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>103100000026",
        ),
    ):
        assert wrong != forwarded
        fault = fault_of(wrong)
        assert fault.path in ("AppHdr/Fr", "AppHdr/To")
        assert fault.code == Code.AGENT


def test_nobody_instructs_for_another(credit: CustomerCredit, wrap: Any) -> None:
    fault = fault_of(wrap(build_customer_credit(replace(credit, instructing="103100000026"))))
    assert (fault.path, fault.code) == (f"{GROUP}/InstgAgt", Code.AGENT)


# files


def test_files_are_judged_in_three_forms(tmp_path: Path, message: bytes, document: bytes) -> None:
    app_header = build_app_header(AppHeader(ICBC, "0000", "2025061700000001", "pacs.008.001.08", NOW))
    forms = {
        "envelope": message,
        "document": b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n" + document,
        "application header and document": app_header + b"\n<?xml version='1.0'?>" + document,
    }
    for form, data in forms.items():
        file = tmp_path / "m.xml"
        file.write_bytes(data)
        verdict = judge_file(file)
        assert (verdict.fault, verdict.form, verdict.iso) == (None, form, "pacs.008.001.08")
        assert verdict.number == ("hvps.111.001.01" if form == "envelope" else "")
    wrapped = b"<?xml version='1.0'?><!-- one --><m:Box xmlns:m='urn:m'>" + app_header + b" " + document + b"</m:Box>"
    opened = open_bytes(wrapped)
    assert opened.app_header is not None
    assert opened.root.getparent() is None


@pytest.mark.parametrize(
    ("data", "layer", "path"),
    [
        (b"", Layer.XML, "Document"),
        (b"  \n", Layer.XML, "Document"),
        (b"{", Layer.TRANSPORT, "header"),
        (b"hello", Layer.XML, "Document"),
        (b"<a/>", Layer.SCHEMA, "a"),
        (b"<Document/>", Layer.SCHEMA, "Document"),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:../../etc/a'/>", Layer.SCHEMA, "Document"),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08'/>", Layer.SCHEMA, "Document"),
        (b"<Document xmlns='urn:cnaps-sim:ccms.805.001.01'/>", Layer.SCHEMA, "Document"),
        (b"<AppHdr xmlns='urn:iso:std:iso:20022:tech:xsd:head.001.001.02'/>", Layer.XML, "Document"),
        (b"<AppHdr xmlns='urn:iso:std:iso:20022:tech:xsd:head.001.001.02'></AppHdr>", Layer.XML, "Document"),
        (b"<AppHdr xmlns='urn:x'></AppHdr><Document xmlns='urn:x'/>", Layer.SCHEMA, "AppHdr"),
    ],
)
def test_a_file_that_is_no_message_is_refused(tmp_path: Path, data: bytes, layer: Layer, path: str) -> None:
    file = tmp_path / "m.xml"
    file.write_bytes(data)
    fault = judge_file(file).fault
    assert fault is not None
    assert (fault.layer, fault.path) == (layer, path)


def test_without_an_envelope_ids_and_dates_may_be_anything(credit: CustomerCredit) -> None:
    document = build_customer_credit(replace(credit, business_id="OUR-OWN-7"))
    assert open_bytes(document).iso == "pacs.008.001.08"
    with pytest.raises(Refused, match="working date"):
        open_bytes(document, Expected(working_date=dt.date(2025, 6, 18)))


def test_another_folder_of_schemas_judges_the_schema_layer_alone(official_folder: Path, document: bytes) -> None:
    official = Schemas(official_folder)
    free = document.replace(b"<ChrgBr>DEBT", b"<ChrgBr>SHAR")
    with pytest.raises(Refused, match="SHAR"):
        open_bytes(free)
    assert open_bytes(free, schemas=official).iso == "pacs.008.001.08"
    with pytest.raises(Refused, match="check digit"):
        open_bytes(free.replace(b"105100000017", b"105100000018"), schemas=official)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<MmbId>105100000017</MmbId></ClrSysMmbId>", "<MmbId>ELSEWHERE</MmbId></ClrSysMmbId>", "check digit"),
        (">2025-06-17</IntrBk", ">2025-06-17+08:00</IntrBk", None),
        (">2025-06-17</IntrBk", ">-0044-03-15</IntrBk", None),
        ("<CtrlSum>1000.50", "<CtrlSum>-.5", "AM10"),
        ("<CtrlSum>1000.50", "<CtrlSum>+1000.500", None),
        ("10:30:00.000+08:00</CreDtTm>", "24:00:00</CreDtTm>", None),
    ],
)
def test_what_only_another_schema_allows_is_looked_at_as_far_as_the_rules_can(
    official_folder: Path, document: bytes, old: str, new: str, fault: str | None
) -> None:
    changed = document.replace(old.encode(), new.encode())
    assert changed != document
    if fault is None:
        assert open_bytes(changed, schemas=Schemas(official_folder)).iso == "pacs.008.001.08"
    else:
        with pytest.raises(Refused, match=fault):
            open_bytes(changed, schemas=Schemas(official_folder))


def test_an_application_header_of_another_shape_is_refused_by_the_profile_layer(
    official_folder: Path, document: bytes
) -> None:
    app_header = build_app_header(AppHeader(ICBC, "0000", "2025061700000001", "pacs.008.001.08", NOW))
    other = re.sub(rb"<Fr>.*</Fr>", b"<Fr><OrgId><Nm>A</Nm></OrgId></Fr>", app_header)
    with pytest.raises(Refused, match="profile: AppHdr: is not built as the profile builds it"):
        open_bytes(other + document, schemas=Schemas(official_folder))


@pytest.mark.parametrize("xsd", ['<xs:element name="Document"/>', '<xs:element name="Document" type="xs:decimal"/>'])
def test_a_schema_of_any_kind_does_no_harm(tmp_path: Path, xsd: str) -> None:
    name = "abcd.001.001.01"
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{name}"
    head = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">'
    (tmp_path / f"{name}.xsd").write_text(f"{head}{xsd}</xs:schema>", encoding="utf-8")
    opened = open_bytes(f'<Document xmlns="{namespace}">7</Document>'.encode(), schemas=Schemas(tmp_path))
    assert opened.iso == name


XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:iso:std:iso:20022:tech:xsd:{}"/>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no such file"),
        ("", "is no XML schema"),
        ("<a/>", "is no XML schema"),
        (XSD.format("pacs.009.001.08"), "is the schema of something else"),
    ],
)
def test_what_is_wrong_with_a_schema_file_is_no_fault_of_the_message(
    tmp_path: Path, document: bytes, text: str | None, problem: str
) -> None:
    schema = tmp_path / "pacs.008.001.08.xsd"
    if text is not None:
        schema.write_text(text, encoding="utf-8")
    judges = Schemas(tmp_path)
    for _ in range(2):
        with pytest.raises(InputError, match=problem) as told:
            open_bytes(document, schemas=judges)
        assert told.value.place == str(schema)
    with pytest.raises(Refused, match="is not well-formed"):
        open_bytes(document[:-1], schemas=judges)
    with pytest.raises(Refused, match=r"'pain.001.001.09' is not in the profile"):
        open_bytes(document.replace(b"pacs.008.001.08", b"pain.001.001.09"), schemas=judges)


def test_files_are_judged_from_python_as_by_the_command(tmp_path: Path, message: bytes) -> None:
    (tmp_path / "good.xml").write_bytes(message)
    (tmp_path / "bad.xml").write_bytes(message[:-9])
    good, bad = cs.validate([tmp_path / "good.xml", str(tmp_path / "bad.xml")])
    assert (good.valid, good.iso, bad.valid) == (True, "pacs.008.001.08", False)
    (alone,) = cs.validate(str(tmp_path / "good.xml"), schemas=tmp_path)
    assert alone.valid is None
    assert alone.error is not None
    assert alone.error.place == str(tmp_path / "head.001.001.02.xsd")
    with pytest.raises(InputError, match="schemas: no such folder"):
        cs.validate("good.xml", schemas=tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"nowhere.xml: no such file"):
        cs.validate([tmp_path / "good.xml", "nowhere.xml"])
