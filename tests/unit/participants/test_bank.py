"""A bank's front end: what it writes is in order, what it is told counts once, whatever the network does to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cnaps_sim.core import Books
from cnaps_sim.engine.clock import Clock
from cnaps_sim.engine.network import LinkTerms, Network
from cnaps_sim.messages import credits, queue_orders, status, technical
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.sign import Keys
from cnaps_sim.messages.validate import Checked, check
from cnaps_sim.participants.bank import REPEATED, Bank, Instructed
from cnaps_sim.systems.mail import Letter, Mail, kind
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Priority
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable

A, B = "102100099996", "105100000017"
NINE = 9 * 3_600_000
DAY = dt.date(2025, 6, 17)


class Desk:
    """One bank, and a centre that keeps the bytes it gets and says what the test has it say."""

    def __init__(self, terms: LinkTerms = LinkTerms(), keys: Keys | None = None) -> None:  # noqa: B008
        clock = Clock(Books([{}]), NINE)
        timetable = Timetable(DAY, 2, Calendar(()))
        self.mail = Mail(clock, Network(clock, Streams(1), terms), timetable, self, keys)
        self.at_centre: list[bytes] = []
        self.bank = Bank(A, self.mail, 7, self.keep)

    def note(self, letter: Letter, data: bytes, sent_ms: int, received_ms: int | None, verdict: str) -> None:
        """The log is not looked at here."""

    def keep(self, data: bytes) -> str:
        self.at_centre.append(data)
        return "accepted"

    def arrived(self) -> list[Checked]:
        """What has reached the centre, judged as the centre does."""
        self.mail.clock.run()
        return [check(data, self.mail.expected()) for data in self.at_centre]

    def pay(self, payment_id: str = "P1", **changes: Any) -> None:
        terms = {"creditor": B, "amount_fen": 12345, "priority": Priority.NORM, "type": "A100", **changes}
        self.bank.pay(Instructed(sequence=0, payment_id=payment_id, **terms))

    def status(self, payment_id: str, code: str, *reasons: str) -> bytes:
        """A pacs.002 of the centre, as bytes."""
        original = OriginalMessage("2025061700000001", "hvps.111.001.01", self.mail.now)
        told = status.TransactionStatus(
            original, payment_id, self.bank.uetr(payment_id), code,
            tuple(Reason(reason, proprietary=True) for reason in reasons),
            settlement_date=DAY if code == "ACSC" else None,
        )  # fmt: skip
        business_id = self.mail.business_id(CENTRE)
        report = status.PaymentStatus(business_id, self.mail.now, CENTRE, A, (told,))
        return self.wrapped("ccms.900.001.01", status.PACS_002, business_id, status.build_payment_status(report))

    def wrapped(self, number: str, iso: str, business_id: str, document: bytes) -> bytes:
        return self.mail.wrap(Letter(kind(number, iso), CENTRE, A, business_id, document))

    def credit(self, fen: int) -> bytes:
        """A payment of another bank, forwarded."""
        other = Desk(keys=self.mail.keys)
        other.bank = Bank(B, other.mail, 7, other.keep)
        other.pay(creditor=A, amount_fen=fen)
        (sent,) = other.arrived()
        return self.wrapped("hvps.111.001.01", credits.PACS_008, sent.business_id, sent.envelope.document)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# what it sends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "number", "iso"),
    [
        ("A100", "hvps.111.001.01", credits.PACS_008),
        ("A200", "hvps.112.001.01", credits.PACS_009),
        ("CIPS", "hvps.112.001.01", credits.PACS_009),
        ("G102", "hvps.141.001.01", credits.PACS_009),
    ],
)
def test_customers_pay_by_pacs_008_banks_by_pacs_009(desk: Desk, type_: str, number: str, iso: str) -> None:
    desk.pay(type=type_)
    (sent,) = desk.arrived()
    assert (sent.kind.number, sent.kind.iso) == (number, iso)
    assert (sent.instructing, sent.business_id) == (A, "2025061700000001")


@pytest.mark.parametrize(("priority", "mark"), [(Priority.URGT, "1"), (Priority.HIGH, "2"), (Priority.NORM, "3")])
def test_a_customer_payment_says_what_its_bank_was_told(desk: Desk, priority: Priority, mark: str) -> None:
    desk.pay(priority=priority)
    (sent,) = desk.arrived()
    assert sent.envelope.header.priority == mark
    message = credits.read_customer_credit(sent.root)
    (transfer,) = message.transactions
    assert (message.instructing, message.instructed, message.system) == (A, B, "HVPS")
    assert (transfer.transaction_id, transfer.amount_fen, transfer.priority) == ("P1", 12345, priority.value)
    assert transfer.settlement_date == DAY
    assert transfer.uetr[14] == "4"


def test_ids_are_never_used_twice_and_references_differ(desk: Desk) -> None:
    for number in range(30):
        desk.pay(f"P{number}")
    sent = desk.arrived()
    assert [message.business_id for message in sent] == [f"20250617{number:08d}" for number in range(1, 31)]
    assert len({message.envelope.header.message_id for message in sent}) == 30
    assert len({desk.bank.uetr(f"P{number}") for number in range(30)}) == 30


def test_the_same_seed_writes_the_same_bytes() -> None:
    first, again = Desk(), Desk()
    for each in (first, again):
        each.pay()
        each.arrived()
    assert first.at_centre == again.at_centre
    other = Desk()
    other.bank.seed = 8
    other.pay()
    other.arrived()
    assert other.at_centre != first.at_centre


def test_orders_name_the_payment(desk: Desk) -> None:
    ids = [desk.bank.move("P1", 0, queue_orders.TO_HEAD), desk.bank.cancel("P1", 0)]
    move, cancellation = desk.arrived()
    assert [move.business_id, cancellation.business_id] == ids
    assert queue_orders.read_queue_move(move.root).change == queue_orders.TO_HEAD
    assert queue_orders.read_queue_cancellation(cancellation.root).payment.transaction_id == "P1"


def test_a_resend_is_the_same_bytes() -> None:
    desk = Desk(LinkTerms(duplicates=1, most_attempts=1))
    desk.pay()
    desk.arrived()
    assert len(desk.at_centre) == 2
    assert len(set(desk.at_centre)) == 1


def test_a_signed_message_is_signed_by_its_bank() -> None:
    desk = Desk(keys=Keys(1))
    desk.pay()
    (sent,) = desk.arrived()
    assert sent.envelope.signature
    forged = desk.at_centre[0].replace(b"123.45", b"123.46")
    with pytest.raises(Refused, match="the signature is not that of"):
        check(forged, desk.mail.expected())


# what it is told ----------------------------------------------------------------------------------------------


def test_each_status_of_a_payment_is_told_once(desk: Desk) -> None:
    desk.pay()
    for code, *reasons in (("PDNG", "PR12"), ("ACSC",)):
        assert desk.bank.receive(desk.status("P1", code, *reasons)) == "accepted"
    assert desk.bank.told == {"PDNG": 1, "ACSC": 1}
    assert desk.bank.statuses == {}


def test_a_final_status_told_again_counts_once_and_nothing_is_told_after_it(desk: Desk) -> None:
    desk.pay()
    for code, *reasons in (("RJCT", "PR09"), ("RJCT", "PR09"), ("PDNG", "PR12")):
        assert desk.bank.receive(desk.status("P1", code, *reasons)) == "accepted"
    assert desk.bank.told == {"RJCT": 1}


def test_a_status_of_a_payment_that_it_never_made_tells_nothing(desk: Desk) -> None:
    desk.bank.receive(desk.status("P9", "ACSC"))
    assert desk.bank.told == {}


def test_what_is_paid_in_is_counted(desk: Desk) -> None:
    assert desk.bank.receive(desk.credit(100)) == "accepted"
    assert (desk.bank.received_count, desk.bank.received_fen) == (1, 100)


@pytest.mark.parametrize("terms", [LinkTerms(duplicates=0.5), LinkTerms(loss=0.5), LinkTerms(latency_ms=9)])
def test_what_is_paid_in_counts_once_however_often_it_comes(terms: LinkTerms) -> None:
    desk = Desk(terms)
    data = desk.credit(100)
    assert [desk.bank.receive(data) for _ in range(3)] == ["accepted", REPEATED, REPEATED]
    assert desk.bank.receive(desk.credit(100)) == "accepted"  # another message of the same amount
    assert (desk.bank.received_count, desk.bank.received_fen) == (2, 200)


def test_a_status_that_comes_after_the_date_has_changed_is_read(desk: Desk) -> None:
    desk.pay()
    told = desk.status("P1", "ACSC")
    desk.mail.clock.run(until=NINE + 9 * 3_600_000)
    assert desk.mail.working_date > DAY
    assert desk.bank.receive(told) == "accepted"
    assert desk.bank.told == {"ACSC": 1}


def test_a_receipt_is_counted_by_its_header(desk: Desk) -> None:
    business_id = desk.mail.business_id(CENTRE)
    document = technical.build_receipt(
        technical.Receipt(business_id, desk.mail.now, "2025061700000001", "ACPT", "hvps.111.001.01")
    )
    receipt = desk.wrapped("ccms.990.001.01", technical.ADMI_007, business_id, document)
    assert desk.bank.receive(receipt) == "accepted"
    assert desk.bank.receipts == 1


def test_what_is_not_in_order_is_refused_and_changes_nothing(desk: Desk) -> None:
    desk.pay()
    good = desk.status("P1", "ACSC")
    for broken, layer in (
        (good[:90], "transport"),
        (good.replace(b"</Document>", b""), "xml"),
        (good.replace(b"<TxSts>ACSC<", b"<TxSts>ACXX<"), "schema"),
        (good.replace(b"ACSC", b"RJCT"), "profile"),
    ):
        assert desk.bank.receive(broken).startswith(f"{layer}: ")
    assert desk.bank.refused == 4
    assert desk.bank.told == {}
    assert desk.bank.receive(good) == "accepted"


def test_what_the_centre_has_not_signed_is_refused() -> None:
    desk = Desk(keys=Keys(1))
    desk.pay()
    told = desk.status("P1", "ACSC")
    forged = told.replace(b"<TxSts>ACSC<", b"<TxSts>ACCC<")
    assert desk.bank.receive(forged).startswith("transport: signature")
    assert desk.bank.receive(told) == "accepted"
