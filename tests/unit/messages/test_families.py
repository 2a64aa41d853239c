"""Credits, statuses, technical messages and the application header: what is built is valid and reads the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cnaps_sim.messages import app_header, credits, status, technical
from cnaps_sim.messages.catalogue import APP_HEADER
from cnaps_sim.messages.credits import BankCredit, BankTransfer, CustomerCredit, CustomerTransfer
from cnaps_sim.messages.faults import Fault, Layer
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.status import PaymentStatus, StatusRequest, TransactionStatus
from cnaps_sim.messages.technical import Receipt, TechnicalRejection, rejection_of
from cnaps_sim.messages.xmltext import CHINA

_WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]), min_size=1, max_size=8)
_WORD = _WORD.filter(lambda word: "\ufffe" not in word and "\uffff" not in word)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Words of any script with single blanks between them."""
    return st.lists(_WORD, min_size=1, max_size=4).map(lambda words: " ".join(words)[:longest].strip())


MOMENTS = st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(2999, 12, 31)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=CHINA)
)
DATES = st.dates(dt.date(1000, 1, 1), dt.date(2999, 12, 31))
MEMBERS = st.from_regex(r"[0-9]{12}|0000", fullmatch=True)
REFERENCES = texts(35)
AMOUNTS = st.integers(1, 10**18 - 1)
UETRS = st.uuids(version=4).map(str)
ACCOUNTS = texts(34)
MAYBE = {"instruction_id": st.none() | REFERENCES, "remarks": st.lists(texts(140), max_size=4).map(tuple)}
SHARED: dict[str, Any] = {
    "transaction_id": REFERENCES,
    "uetr": UETRS,
    "end_to_end_id": REFERENCES,
    "business_type": st.from_regex("[A-Z][0-9]{3}", fullmatch=True),
    "amount_fen": AMOUNTS,
    "settlement_date": DATES,
    "priority": st.sampled_from(["URGT", "HIGH", "NORM"]),
    **MAYBE,
}
KINDS = st.from_regex("[0-9]{5}", fullmatch=True)
CUSTOMER_TRANSFERS = st.builds(
    CustomerTransfer,
    **SHARED,
    business_kind=KINDS,
    debtor_name=texts(140),
    debtor_account=ACCOUNTS,
    debtor_agent=MEMBERS,
    creditor_agent=MEMBERS,
    creditor_name=texts(140),
    creditor_account=ACCOUNTS,
)
BANK_TRANSFERS = st.builds(
    BankTransfer,
    **SHARED,
    debtor=MEMBERS,
    creditor=MEMBERS,
    business_kind=st.none() | KINDS,
    debtor_account=st.none() | ACCOUNTS,
    debtor_agent=st.none() | MEMBERS,
    creditor_agent=st.none() | MEMBERS,
    creditor_account=st.none() | ACCOUNTS,
)
HEADED: dict[str, Any] = {
    "business_id": REFERENCES,
    "created": MOMENTS,
    "instructing": MEMBERS,
    "instructed": MEMBERS,
}
GROUP: dict[str, Any] = {
    **HEADED,
    "system": st.sampled_from(["HVPS", "BEPS", "IBPS"]),
    "control_sum_fen": st.none() | AMOUNTS,
}
NUMBERS = st.sampled_from(["hvps.111.001.01", "pacs.008.001.08"])
ORIGINALS = st.builds(OriginalMessage, REFERENCES, NUMBERS, st.none() | MOMENTS)
REASONS = st.builds(
    Reason, st.sampled_from(["AM04", "TM01"]), st.just(False), st.lists(texts(105), max_size=2).map(tuple)
)
CNAPS_REASONS = st.builds(Reason, st.sampled_from(["PR09", "RJ90"]), st.just(True))
STATUSES = st.builds(
    TransactionStatus,
    original=ORIGINALS,
    transaction_id=REFERENCES,
    uetr=UETRS,
    status=st.sampled_from(["RCVD", "ACTC", "PDNG", "ACSP", "ACSC", "RJCT", "CANC"]),
    reasons=st.lists(REASONS | CNAPS_REASONS, max_size=3).map(tuple),
    end_to_end_id=st.none() | REFERENCES,
    instruction_id=st.none() | REFERENCES,
    accepted=st.none() | MOMENTS,
    settlement_date=st.none() | DATES,
)
FAMILIES: dict[str, tuple[str, Any, Callable[[Any], bytes], Callable[[Any], Any]]] = {
    "app_header": (
        APP_HEADER,
        st.builds(
            app_header.AppHeader,
            from_member=MEMBERS,
            to_member=MEMBERS,
            business_id=REFERENCES,
            message_id=NUMBERS,
            created=MOMENTS,
            number=st.none() | NUMBERS,
            processed=st.none() | MOMENTS,
            copy=st.none() | st.sampled_from(["COPY", "DUPL"]),
            possible_duplicate=st.none() | st.booleans(),
            priority=st.none() | st.sampled_from(["URGT", "HIGH", "NORM"]),
            related=st.none() | st.builds(app_header.Related, MEMBERS, MEMBERS, REFERENCES, NUMBERS, MOMENTS),
        ),
        app_header.build_app_header,
        app_header.read_app_header,
    ),
    "customer_credit": (
        credits.PACS_008,
        st.builds(
            CustomerCredit, **GROUP, transactions=st.lists(CUSTOMER_TRANSFERS, min_size=1, max_size=3).map(tuple)
        ),
        credits.build_customer_credit,
        credits.read_customer_credit,
    ),
    "bank_credit": (
        credits.PACS_009,
        st.builds(BankCredit, **GROUP, transactions=st.lists(BANK_TRANSFERS, min_size=1, max_size=3).map(tuple)),
        credits.build_bank_credit,
        credits.read_bank_credit,
    ),
    "payment_status": (
        status.PACS_002,
        st.builds(PaymentStatus, **HEADED, transactions=st.lists(STATUSES, min_size=1, max_size=3).map(tuple)),
        status.build_payment_status,
        status.read_payment_status,
    ),
    "status_request": (
        status.PACS_028,
        st.builds(
            StatusRequest,
            **HEADED,
            transaction_id=st.none() | REFERENCES,
            uetr=st.none() | UETRS,
            original=st.none() | ORIGINALS,
            request_id=st.none() | REFERENCES,
        ),
        status.build_status_request,
        status.read_status_request,
    ),
    "technical_rejection": (
        technical.ADMI_002,
        st.builds(
            TechnicalRejection,
            reference=REFERENCES,
            code=st.from_regex("[A-Z0-9]{4}", fullmatch=True),
            rejected=MOMENTS,
            location=texts(350),
            description=st.none() | texts(350),
        ),
        technical.build_technical_rejection,
        technical.read_technical_rejection,
    ),
    "receipt": (
        technical.ADMI_007,
        st.builds(
            Receipt,
            business_id=REFERENCES,
            created=MOMENTS,
            reference=REFERENCES,
            code=st.from_regex("[A-Z0-9]{4}", fullmatch=True),
            number=st.none() | NUMBERS,
            received=st.none() | MOMENTS,
            description=st.none() | texts(140),
        ),
        technical.build_receipt,
        technical.read_receipt,
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_message_that_is_built_is_valid_and_reads_the_same(family: str, data: st.DataObject) -> None:
    iso, strategy, build, read = FAMILIES[family]
    message = data.draw(strategy)
    root = parse(build(message), "Document")
    profile().judge(iso, root)
    assert read(root) == message


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_official_schema_passes_it_too(family: str, official_folder: Path, data: st.DataObject) -> None:
    iso, strategy, build, _ = FAMILIES[family]
    official = etree.XMLSchema(etree.parse(str(official_folder / f"{iso}.xsd")))
    official.assertValid(etree.fromstring(build(data.draw(strategy))))


def test_the_customer_transfer_in_full(document: bytes, credit: CustomerCredit) -> None:
    """One message letter by letter: a change of the markup shows here."""
    agent = "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>{}</MmbId></ClrSysMmbId></FinInstnId>"
    icbc, ccb = agent.format("102100099996"), agent.format("105100000017")
    assert document.decode() == (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf><GrpHdr>'
        "<MsgId>2025061700000001</MsgId><CreDtTm>2025-06-17T10:30:00.000+08:00</CreDtTm><NbOfTxs>1</NbOfTxs>"
        "<CtrlSum>1000.50</CtrlSum><SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Prtry>HVPS</Prtry></ClrSys></SttlmInf>"
        f"<InstgAgt>{icbc}</InstgAgt><InstdAgt>{ccb}</InstdAgt></GrpHdr><CdtTrfTxInf><PmtId>"
        "<EndToEndId>INVOICE-7</EndToEndId><TxId>2025061700000001</TxId>"
        "<UETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</UETR></PmtId>"
        "<PmtTpInf><CtgyPurp><Prtry>A100</Prtry></CtgyPurp></PmtTpInf>"
        '<IntrBkSttlmAmt Ccy="CNY">1000.50</IntrBkSttlmAmt><IntrBkSttlmDt>2025-06-17</IntrBkSttlmDt>'
        "<SttlmPrty>NORM</SttlmPrty><ChrgBr>DEBT</ChrgBr><Dbtr><Nm>北京市第一机床厂 &amp; Söhne</Nm></Dbtr>"
        "<DbtrAcct><Id><Othr><Id>6222020200012345678</Id></Othr></Id></DbtrAcct>"
        f"<DbtrAgt>{icbc}</DbtrAgt><CdtrAgt>{ccb}</CdtrAgt><Cdtr><Nm>李四</Nm></Cdtr>"
        "<CdtrAcct><Id><Othr><Id>6217000012345678901</Id></Othr></Id></CdtrAcct><Purp><Prtry>02102</Prtry></Purp>"
        "<RmtInf><Ustrd>货款 2025年6月</Ustrd></RmtInf></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"
    )


def test_a_status_may_tell_the_moment_of_settlement_but_not_both() -> None:
    moment = dt.datetime(2025, 6, 17, 10, 31, tzinfo=CHINA)
    original = OriginalMessage("1", "hvps.111.001.01")
    settled = TransactionStatus(original, "1", "eb6305c9-1f7f-49de-aed0-16487c27b42d", "ACSC", settled=moment)
    report = PaymentStatus("2", moment, "0000", "102100099996", (settled,))
    root = parse(status.build_payment_status(report), "Document")
    profile().judge(status.PACS_002, root)
    assert status.read_payment_status(root) == report
    with pytest.raises(ValueError, match="settlement_date and settled"):
        status.build_payment_status(replace(report, transactions=(replace(settled, settlement_date=moment.date()),)))


def test_a_rejection_tells_any_fault_even_one_with_strange_letters() -> None:
    fault = Fault(Layer.SCHEMA, "Document/" + "x" * 400, "has a \x00 and\na line end " + "字" * 400, "FF01")
    rejection = rejection_of(fault, "2025061700000001", dt.datetime(2025, 6, 17, tzinfo=CHINA))
    root = parse(technical.build_technical_rejection(rejection), "Document")
    profile().judge(technical.ADMI_002, root)
    assert technical.read_technical_rejection(root) == rejection
    assert rejection.location.startswith("Document/xxx")
    assert rejection_of(Fault(Layer.XML, "", "is broken"), "1", rejection.rejected).location == "message"


_ANY_HEADER = FAMILIES["app_header"][1]
_USUAL_HEADER = st.builds(
    app_header.AppHeader,
    from_member=MEMBERS,
    to_member=MEMBERS,
    business_id=st.from_regex("[0-9]{16}|[0-9]{28}", fullmatch=True),
    message_id=NUMBERS,
    created=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2999, 12, 31)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=CHINA)
    ),
    number=st.none() | NUMBERS,
)
_LETTERS = st.sampled_from(
    [b"", b"0", b"3", b"9", b" ", b"\n", b"<", b"x", b"-", b"/", b"&", b"\xc3\xa9", b"\x00", b"."]
)


@given(_USUAL_HEADER)
def test_the_usual_header_goes_the_short_way(header: app_header.AppHeader) -> None:
    assert app_header.read_usual(app_header.build_app_header(header)) == header


@settings(max_examples=400, deadline=None)
@given(_USUAL_HEADER | _ANY_HEADER, st.lists(st.tuples(st.integers(0, 700), st.integers(0, 2), _LETTERS), max_size=2))
def test_what_goes_the_short_way_would_pass_the_long_way_with_the_same_values(
    header: app_header.AppHeader, changes: list[tuple[int, int, bytes]]
) -> None:
    data = app_header.build_app_header(header)
    for place, length, letters in changes:
        data = data[:place] + letters + data[place + length :]
    read = app_header.read_usual(data)
    if read is not None:
        root = parse(data, "AppHdr")
        profile().judge(APP_HEADER, root)
        assert app_header.read_app_header(root) == read
