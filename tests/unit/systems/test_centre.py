"""The centre judges, books and tells: every layer refuses without booking, a replay key is used once, a status is told.

The payments of the scenario are instructed at 16:00; until then each test sends them by hand, from 09:00 on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cnaps_sim.analysis.simulate import read
from cnaps_sim.messages import queue_orders, returns, status, technical
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.status import TransactionStatus
from cnaps_sim.messages.validate import Checked, check
from cnaps_sim.participants import recalls
from cnaps_sim.participants.bank import Bank, Instructed
from cnaps_sim.run.world import World
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.words.codes import Priority

A, B, C, CLOSED, STRANGER = "102100099996", "105100000017", "104100000004", "103100000026", "301290000007"
HOUR = 3_600_000
CUT_OFF, WINDOW_END = 17 * HOUR + 15 * 60_000, 17 * HOUR + 30 * 60_000
#: Payer, payee and CNY of the payments; A begins with 100 CNY, the others with nothing.
PAYMENTS = {
    "P1": (A, B, 60), "P2": (A, B, 60), "P3": (B, C, 20), "SELF": (A, A, 5), "DEAD": (A, CLOSED, 5),
    "BACK": (B, A, 50),
}  # fmt: skip


class Notes:
    """A log in memory: what travelled, and what the receiver said."""

    def __init__(self) -> None:
        self.all: list[tuple[Letter, bytes, int, int | None, str]] = []

    def note(self, letter: Letter, data: bytes, sent_ms: int, received_ms: int | None, verdict: str) -> None:
        self.all.append((letter, data, sent_ms, received_ms, verdict))


class Office:
    """A run that stands at 09:00, and a hand on its clock."""

    def __init__(self, at_ms: int = 9 * HOUR, instructed: str = "16:00", **changes: Any) -> None:
        payments = [
            {"payment_id": name, "time": instructed, "debtor": debtor, "creditor": creditor, "amount": amount}
            for name, (debtor, creditor, amount) in PAYMENTS.items()
        ]
        accounts: list[dict[str, Any]] = [{"account": account} for account in (A, B, C)]
        accounts[0]["balance"] = 100
        scenario = {
            "name": "office",
            "accounts": [*accounts, {"account": CLOSED, "status": "AS03"}],
            "workload": [{"system": "HVPS", "payments": payments}],
            "messages": "all",
            **changes,
        }
        self.world = World(read(scenario))
        assert self.world.exchange is not None
        self.exchange = self.world.exchange
        self.centre, self.mail, self.banks = self.exchange.centre, self.exchange.mail, self.exchange.banks
        self.world.clock.process(self.world.hvps.business_days())
        self.run_to(at_ms)
        self.notes = Notes()
        self.mail.log = self.notes

    def run_to(self, time_ms: int) -> None:
        self.world.clock.run(until=time_ms)

    def run_on(self, ms: int = 1) -> None:
        self.run_to(int(self.world.clock.now) + ms)

    def instructed(self, name: str, amount: int | None = None) -> Instructed:
        _, creditor, yuan = PAYMENTS[name]
        sequence = self.centre.sequence_of(name)
        return Instructed(sequence, name, creditor, 100 * (yuan if amount is None else amount), Priority.NORM, "A100")

    def pay(self, name: str) -> None:
        self.banks[PAYMENTS[name][0]].pay(self.instructed(name))
        self.run_on()

    def written(self, name: str, **changes: Any) -> bytes:
        """The bytes of a payment, which reach nobody."""
        writer = Bank(PAYMENTS[name][0], self.mail, 1, lambda _: "held")
        payment = self.instructed(name)
        writer.pay(Instructed(**{key: changes.get(key, getattr(payment, key)) for key in payment.__slots__}))
        self.run_on()
        return self.notes.all.pop()[1]

    def send(self, data: bytes, sender: str = A) -> str:
        """Have bytes reach the centre; its verdict."""
        letter = Letter(kind("hvps.111.001.01", "pacs.008.001.08"), sender, CENTRE, "", b"")
        self.mail.send_again(letter, data, self.centre.receive)
        self.run_on()
        return next(verdict for _, sent, _, _, verdict in reversed(self.notes.all) if sent is data)

    def told(self, iso: str, member: str = A) -> list[Checked]:
        """What the centre has told a participant, of one ISO id."""
        expected = self.mail.expected_by_banks
        found = [data for letter, data, *_ in self.notes.all if letter.kind.iso == iso and letter.receiver == member]
        return [check(data, expected) for data in found]

    def statuses(self, member: str = A) -> list[tuple[str, str, list[str]]]:
        """Payment, status and reasons of every pacs.002."""
        read_ = [status.read_payment_status(told.root).transactions[0] for told in self.told("pacs.002.001.10", member)]
        return [(told.transaction_id, told.status, [reason.code for reason in told.reasons]) for told in read_]

    def balances(self) -> list[int]:
        return [int(fen) for fen in self.world.books.accounts["balance"][:4] // 100]

    def rejections(self, member: str = A) -> list[technical.TechnicalRejection]:
        return [technical.read_technical_rejection(told.root) for told in self.told("admi.002.001.01", member)]


@pytest.fixture
def office() -> Office:
    return Office()


# payments -----------------------------------------------------------------------------------------------------


def test_a_payment_settles_is_acknowledged_confirmed_and_forwarded_as_it_came(office: Office) -> None:
    data = office.written("P1")
    assert office.send(data) == "accepted"
    assert office.balances() == [40, 60, 0, 0]
    sent = check(data, office.mail.expected())
    receipts = [technical.read_receipt(told.root) for told in office.told("admi.007.001.01")]
    assert [(r.reference, r.number) for r in receipts] == [(sent.envelope.header.message_id, "hvps.111.001.01")]
    assert office.statuses() == [("P1", "ACSC", ["PR04"])]
    (forwarded,) = office.told("pacs.008.001.08", B)
    assert forwarded.envelope.document == sent.envelope.document
    assert forwarded.business_id == sent.business_id


def test_a_status_names_the_original_and_the_moment_of_finality(office: Office) -> None:
    office.pay("P1")
    told: TransactionStatus = status.read_payment_status(office.told("pacs.002.001.10")[0].root).transactions[0]
    assert told.original.number == "hvps.111.001.01"
    assert told.original.business_id == "2025061700000001"
    assert told.uetr == office.banks[A].uetr("P1")
    assert told.settled is not None
    assert told.settled.isoformat() == "2025-06-17T09:00:00+08:00"


def test_a_queued_payment_is_told_so_and_settles_later_with_a_second_status(office: Office) -> None:
    for name in ("P1", "P2"):
        office.pay(name)
    assert office.statuses() == [("P1", "ACSC", ["PR04"]), ("P2", "PDNG", ["PR12"])]
    office.pay("BACK")
    assert office.statuses()[2:] == [("P2", "ACSC", ["PR04"])]
    assert office.balances() == [30, 70, 0, 0]
    assert len(office.told("pacs.008.001.08", B)) == 2


@pytest.mark.parametrize(("name", "reasons"), [("SELF", ["PR09", "RJ90", "RC01"]), ("DEAD", ["PR09", "RJ90", "AC04"])])
def test_what_business_refuses_is_told_with_its_code(office: Office, name: str, reasons: list[str]) -> None:
    office.pay(name)
    assert office.statuses() == [(name, "RJCT", reasons)]
    assert office.balances() == [100, 0, 0, 0]
    assert office.rejections() == []


def test_what_comes_before_the_opening_or_after_the_window_is_refused_tm01() -> None:
    for at_ms in (-4 * HOUR + 60_000, WINDOW_END + 1):
        office = Office(at_ms, "2025-06-17T18:00")
        office.pay("P1")
        assert office.statuses() == [("P1", "RJCT", ["PR09", "RJ90", "TM01"])]


def test_what_is_queued_at_the_close_comes_back(office: Office) -> None:
    office.run_to(WINDOW_END + 1)
    assert office.statuses()[-1] == ("P2", "RJCT", ["PR09", "RJ99", "AM04"])
    assert office.statuses(B)[-1] == ("BACK", "RJCT", ["PR09", "RJ99", "AM04"])


def test_a_payment_on_its_way_at_cut_off_is_refused_once_and_told_when_it_comes() -> None:
    office = Office(CUT_OFF - 1000, network={"latency": "3 s"}, **one_payment("17:14:59"))
    office.run_to(CUT_OFF + 10_000)
    assert office.statuses() == [("P1", "RJCT", ["PR09", "RJ90", "TM01"])]
    assert office.world.recorder.act_of(0).name == "REFUSED"
    assert office.balances()[:2] == [100, 0]


def one_payment(time: str) -> dict[str, Any]:
    row = {"payment_id": "P1", "time": time, "debtor": A, "creditor": B, "amount": 60}
    return {
        "accounts": [{"account": A, "balance": 100}, {"account": B}],
        "workload": [{"system": "HVPS", "payments": [row]}],
    }


# replay keys --------------------------------------------------------------------------------------------------


def test_the_same_bytes_again_are_answered_from_memory_and_not_booked(office: Office) -> None:
    data = office.written("P1")
    verdicts = [office.send(data) for _ in range(3)]
    assert verdicts == ["accepted", *["resent, answered from memory"] * 2]
    assert office.balances() == [40, 60, 0, 0]
    assert (office.centre.resent, office.centre.refused) == (2, 0)
    assert len(office.told("admi.007.001.01")) == 3
    assert len(office.told("pacs.008.001.08", B)) == 1


def test_a_resend_over_a_bad_link_has_the_final_status_told_again() -> None:
    office = Office(network={"duplicates": "0.000001"})
    data = office.written("P1")
    for _ in range(3):
        office.send(data)
    assert office.statuses() == [("P1", "ACSC", ["PR04"])] * 3
    assert office.banks[A].told.get("ACSC", 0) == 0  # that bank never sent it


def test_the_same_key_with_other_bytes_is_refused_am05(office: Office) -> None:
    data = office.written("P1")
    other = data.replace(b"60.00", b"40.00")
    assert other != data
    assert office.send(data) == "accepted"
    assert "AM05" in office.send(other)
    assert office.balances() == [40, 60, 0, 0]
    assert [(told.code, told.reference[:8]) for told in office.rejections()] == [("AM05", "20250617")]
    assert office.send(data) == "resent, answered from memory"


def test_the_same_payment_under_another_id_is_refused_am05(office: Office) -> None:
    office.pay("P1")
    assert "AM05" in office.send(office.written("P1"))
    assert office.balances() == [40, 60, 0, 0]


def test_a_refused_message_leaves_its_key_free(office: Office) -> None:
    data = office.written("P1")
    assert office.send(data.replace(b"<ChrgBr>DEBT</ChrgBr>", b"")).startswith("schema: ")
    assert office.send(data) == "accepted"


def test_the_memory_lasts_as_long_as_its_date() -> None:
    """A message for the next date may come before that date's preparation begins, and again after it."""
    office = Office(WINDOW_END + HOUR, "2025-06-18T16:00", days=2)
    data = office.written("P1")
    assert office.send(data) == "accepted"
    office.run_to(21 * HOUR)
    assert office.send(data) == "resent, answered from memory"


def test_a_message_of_the_date_before_is_refused_by_its_date() -> None:
    office = Office(days=2)
    data = office.written("P1")
    office.run_to(WINDOW_END + 60_000)
    assert office.send(data).startswith("profile: header/date: 2025-06-17 is not the working date 2025-06-18")


# refusals -----------------------------------------------------------------------------------------------------

Change = Callable[[bytes], bytes]


def swap(old: bytes, new: bytes) -> Change:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


#: What is done to a good message, the beginning of the verdict, and what the path tells.
FAULTS: dict[str, tuple[Change, str, str]] = {
    "priority": (lambda data: data[:118] + b"9" + data[119:], "transport: header/priority", "FF01"),
    "signature block": (swap(b"{S:}", b"{S:?}"), "transport: signature", "FF01"),
    "document type": (swap(b"<Document", b"<!DOCTYPE x><Document"), "xml", "FF01"),
    "not closed": (swap(b"</Document>", b""), "xml", "FF01"),
    "element missing": (swap(b"<ChrgBr>DEBT</ChrgBr>", b""), "schema: Document/FIToFICstmrCdtTrf/CdtTrfTxInf", "FF01"),
    "three decimals": (swap(b"60.00", b"60.001"), "schema: Document/FIToFICstmrCdtTrf/CdtTrfTxInf/Intr", "FF01"),
    "other namespace": (swap(b"xsd:pacs.008.001.08", b"xsd:pacs.008.001.13"), "schema: Document", "FF01"),
    "count": (swap(b"<NbOfTxs>1<", b"<NbOfTxs>2<"), "profile: Document/FIToFICstmrCdtTrf/GrpHdr/NbOfTxs", "AM18"),
    "date": (swap(b"<IntrBkSttlmDt>2025-06-17", b"<IntrBkSttlmDt>2025-06-18"), "profile: Document", "DT01"),
    "check digit": (lambda data: data.replace(B.encode(), b"105100000018"), "profile: Document", "RC"),
    "another's name": (lambda data: data.replace(A.encode(), C.encode(), 1), "profile: ", "RC01"),
    "stranger": (lambda data: data.replace(B.encode(), STRANGER.encode()), "business: GrpHdr", "RC01"),
    "another amount": (swap(b">60.00<", b">61.00<"), "business: CdtTrfTxInf: its terms are not", "FF01"),
    "another priority": (swap(b"<SttlmPrty>NORM", b"<SttlmPrty>HIGH"), "business: CdtTrfTxInf: its terms", "FF01"),
    "another payee": (lambda data: data.replace(B.encode(), C.encode()), "business: CdtTrfTxInf: its terms", "FF01"),
    "unknown payment": (swap(b"<TxId>P1<", b"<TxId>P9<"), "business: CdtTrfTxInf/PmtId/TxId", "AM05"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_layer_refuses_with_its_place_books_nothing_and_the_log_keeps_the_bytes(office: Office, name: str) -> None:
    change, beginning, code = FAULTS[name]
    broken = change(office.written("P1"))
    verdict = office.send(broken)
    assert verdict.startswith(beginning)
    assert f"({code}" in verdict
    assert office.balances() == [100, 0, 0, 0]
    assert not office.centre.register.taken.any()
    assert office.centre.refused == 1
    assert [data for letter, data, *_ in office.notes.all if letter.receiver == CENTRE] == [broken]
    if beginning.startswith("transport: header"):
        assert office.rejections() == []  # the header cannot be read, so nobody is told
        return
    (told,) = office.rejections(C if name == "another's name" else A)
    assert told.code.startswith(code)
    assert told.location in (verdict.split(": ")[1], "message")
    assert told.description is not None
    assert told.description.startswith(beginning.split(":")[0])
    assert office.statuses() == []


def test_rubbish_is_refused_and_nobody_is_told(office: Office) -> None:
    for data in (b"", b"rubbish", b"{H:02", bytes(200)):
        assert office.send(data).startswith("transport: header")
    assert {letter.receiver for letter, *_ in office.notes.all} == {CENTRE}


@pytest.mark.parametrize(("system", "number"), [(b"BEPS", b"beps.121"), (b"IBPS", b"ibps.101")])
def test_a_payment_for_another_system_is_not_served(office: Office, system: bytes, number: bytes) -> None:
    data = office.written("P1").replace(b"HVPS", system).replace(b"hvps.111", number)
    if system == b"IBPS":
        data = data.replace(b">2025061700000001<", f">{A}2025061700000001<".encode())
    verdict = office.send(data)
    assert verdict.startswith(f"business: header/message_type: {number.decode()}.001.01 is not served")
    assert office.balances() == [100, 0, 0, 0]
    assert len(office.rejections()) == 1


def test_another_participant_cannot_pay_with_somebody_elses_payment(office: Office) -> None:
    forger = Bank(C, office.mail, 1, lambda _: "held")
    forger.pay(office.instructed("P1"))
    office.run_on()
    verdict = office.send(office.notes.all.pop()[1], C)
    assert verdict.startswith("business: GrpHdr/InstgAgt: the payment is another participant's")
    office.pay("P1")
    assert office.balances() == [40, 60, 0, 0]


# signatures ---------------------------------------------------------------------------------------------------


def test_where_messages_are_signed_a_bad_signature_is_refused_and_a_good_one_settles() -> None:
    office = Office(network={"signed": True})
    data = office.written("P1")
    forged = data.replace(b"60.00", b"61.00")
    unsigned = data[:132] + b"{S:}\r\n" + data[data.index(b"\r\n", 132) + 2 :]
    for broken in (forged, unsigned):
        verdict = office.send(broken)
        assert verdict.startswith("transport: signature")
        assert "DS0B" in verdict
    assert office.balances() == [100, 0, 0, 0]
    assert [told.code for told in office.rejections()] == ["DS0B", "DS0B"]
    assert office.send(data) == "accepted"
    assert office.balances() == [40, 60, 0, 0]
    assert office.banks[A].refused == 0


# orders -------------------------------------------------------------------------------------------------------


def answers(office: Office, member: str = A) -> list[str]:
    told = office.told("camt.025.001.05", member)
    return [queue_orders.read_request_answer(answer.root).code for answer in told]


def test_a_queued_payment_is_cancelled_by_its_owner_and_told_so_after_the_answer(office: Office) -> None:
    for name in ("P1", "P2"):
        office.pay(name)
    office.banks[A].cancel("P2", office.centre.sequence_of("P2"))
    office.run_on()
    assert answers(office) == ["ACPT"]
    assert office.statuses()[-1] == ("P2", "CANC", ["PR08"])


@pytest.mark.parametrize("name", ["P1", "P9", "P2"])
def test_what_does_not_wait_or_belongs_to_somebody_else_is_not_cancelled(office: Office, name: str) -> None:
    for paid in ("P1", "P2"):
        office.pay(paid)
    member = B if name == "P2" else A
    office.banks[member].cancel(name, office.centre.sequence_of(name))
    office.run_on()
    assert answers(office, member) == ["RJCT"]
    assert [told for _, told, _ in office.statuses()] == ["ACSC", "PDNG"]


@pytest.mark.parametrize(
    ("change", "answer"), [("QC00", "ACPT"), ("QC01", "ACPT"), ("HIGH", "RJCT")]
)  # the scenario does not allow another priority
def test_a_queued_payment_is_moved(office: Office, change: str, answer: str) -> None:
    for name in ("P1", "P2"):
        office.pay(name)
    office.banks[A].move("P2", office.centre.sequence_of("P2"), change)
    office.run_on()
    assert answers(office) == [answer]


def test_an_order_that_comes_twice_is_carried_out_once(office: Office) -> None:
    for name in ("P1", "P2"):
        office.pay(name)
    office.banks[A].cancel("P2", office.centre.sequence_of("P2"))
    office.run_on()
    order = next(data for letter, data, *_ in office.notes.all if letter.kind.iso == queue_orders.CAMT_008)
    assert office.send(order) == "resent, answered from memory"
    assert answers(office) == ["ACPT"]


# recalls ------------------------------------------------------------------------------------------------------


def recalled(office: Office, by: str, to: str, name: str = "P1") -> None:
    bank, sequence = office.banks[by], office.centre.sequence_of(name)
    original = OriginalMessage("2025061700000001", "hvps.111.001.01", office.mail.now)
    recalls.ask_back(bank, recalls.Recalled(sequence, name, 6000, to), original)
    office.run_on()


def test_a_recall_of_a_settled_payment_reaches_the_bank_that_was_paid(office: Office) -> None:
    office.pay("P1")
    recalled(office, A, B)
    assert len(office.told("camt.056.001.08", B)) == 1


@pytest.mark.parametrize(("by", "to", "name"), [(A, B, "P2"), (C, B, "P1"), (A, C, "P1")])
def test_what_has_not_settled_or_is_not_between_these_banks_is_not_passed_on(
    office: Office, by: str, to: str, name: str
) -> None:
    office.pay("P1")
    recalled(office, by, to, name)
    assert office.told("camt.056.001.08", to) == []
    assert answers(office, by) == ["RJCT"]


def test_money_comes_back_from_the_bank_that_was_paid_and_from_nobody_else(office: Office) -> None:
    office.pay("P1")
    original = OriginalMessage("2025061700000001", "hvps.111.001.01", office.mail.now)
    for sender in (C, B):
        business_id = office.mail.business_id(sender)
        message = returns.PaymentReturn(
            business_id=business_id,
            created=office.mail.now,
            system="HVPS",
            instructing=sender,
            instructed=A,
            return_id=f"R-{sender}",
            original=original,
            original_transaction_id="P1",
            original_uetr=office.banks[A].uetr("P1"),
            amount_fen=6000,
            settlement_date=office.mail.working_date,
            priority="NORM",
            reason=Reason("CUST"),
        )
        letter = Letter(
            kind("ccms.318.001.01", returns.PACS_004), sender, CENTRE, business_id, returns.build_return(message)
        )  # fmt: skip
        office.mail.send(letter, office.centre.receive)
        office.run_on()
        assert office.balances() == ([40, 60, 0, 0] if sender == C else [100, 0, 0, 0])
    assert answers(office, C) == ["RJCT"]
