"""Messages to judge: one customer transfer of HVPS, and whatever a test makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from cnaps_sim.messages import envelope
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import kind_of
from cnaps_sim.messages.credits import CustomerCredit, CustomerTransfer, build_customer_credit
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, TO_CENTRE, Header
from cnaps_sim.messages.sign import Keys, signature_block
from cnaps_sim.messages.xmltext import CHINA

ICBC, CCB = "102100099996", "105100000017"
DAY = dt.date(2025, 6, 17)
NOW = dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)
UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"
OFFICIAL = Path(__file__).resolve().parents[3].parent / "shared" / "iso20022_official"

Wrap = Callable[..., bytes]


def wrap_document(
    document: bytes,
    number: str = "hvps.111.001.01",
    iso: str = "pacs.008.001.08",
    sender: str = ICBC,
    receiver: str = CENTRE,
    business_id: str = "2025061700000001",
    keys: Keys | None = None,
) -> bytes:
    """A document in its envelope, sent on 17 June 2025 at 10:30."""
    kind = kind_of(number, iso)
    assert kind is not None
    app_header = build_app_header(AppHeader(sender, receiver, business_id, iso, NOW, number))
    header = Header(
        sender=sender,
        sender_system=kind.system,
        receiver=receiver,
        receiver_system=kind.system,
        date=DAY,
        time=dt.time(10, 30),
        message_type=number,
        message_id="2025061700000001",
        direction=FROM_CENTRE if sender == CENTRE else TO_CENTRE,
    )
    signature = "" if keys is None else signature_block(keys, sender, app_header, document)
    return envelope.write(header, signature, app_header, document)


@pytest.fixture(scope="session")
def wrap() -> Wrap:
    """Function that puts a document into its envelope."""
    return wrap_document


@pytest.fixture(scope="session")
def transfer() -> CustomerTransfer:
    return CustomerTransfer(
        transaction_id="2025061700000001",
        uetr=UETR,
        end_to_end_id="INVOICE-7",
        business_type="A100",
        business_kind="02102",
        amount_fen=100_050,
        settlement_date=DAY,
        priority="NORM",
        debtor_name="北京市第一机床厂 & Söhne",
        debtor_account="6222020200012345678",
        debtor_agent=ICBC,
        creditor_agent=CCB,
        creditor_name="李四",
        creditor_account="6217000012345678901",
        remarks=("货款 2025年6月",),
    )


@pytest.fixture(scope="session")
def credit(transfer: CustomerTransfer) -> CustomerCredit:
    return CustomerCredit("2025061700000001", NOW, "HVPS", ICBC, CCB, (transfer,), 100_050)


@pytest.fixture(scope="session")
def document(credit: CustomerCredit) -> bytes:
    return build_customer_credit(credit)


@pytest.fixture(scope="session")
def message(document: bytes) -> bytes:
    """A valid hvps.111 in its envelope."""
    return wrap_document(document)


@pytest.fixture(scope="session")
def official_folder() -> Path:
    if not OFFICIAL.is_dir():
        pytest.skip("the official schemas are not on this machine (../shared)")
    return OFFICIAL
