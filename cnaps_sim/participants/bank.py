"""A bank's front end (前置机): writes the messages of its payments and orders, and reads what it is told.

A bank knows its own payments and what it has been told about them, nothing else.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cnaps_sim.messages import credits, queue_orders, returns, status, technical
from cnaps_sim.messages.credits import BankCredit, BankTransfer, CustomerCredit, CustomerTransfer
from cnaps_sim.messages.envelope import CENTRE, MESSAGE_TYPE, REFERENCE_ID
from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.queue_orders import ByNumber, QueueCancellation, QueueMove
from cnaps_sim.messages.validate import Checked, check
from cnaps_sim.systems.mail import ACCEPTED, REPEATED, Letter, Mail, kind, verdict_of
from cnaps_sim.systems.memory import Digests, digest_of
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Priority, System

#: Business types that banks send for themselves (hvps.112); what else they send is for customers (hvps.111).
BANK_TYPES: Final = frozenset({BusinessType.INTERBANK.code, "CIPS", "LEND"})
#: Immediate transfers (即时转账, hvps.141): cash legs of bond trades.
IMMEDIATE_TYPES: Final = frozenset({BusinessType.BOND.code})
#: Kind of business (业务种类号) in customer payments; the list of codes is not public.
BUSINESS_KIND: Final = "02102"
#: CNAPS number of receipts (通信级确认).
RECEIPT: Final = b"ccms.990.001.01"
#: Statuses after which nothing more is told about a payment.
FINAL: Final = frozenset({"ACSC", "ACSP", "RJCT", "CANC"})


@dataclass(frozen=True, slots=True)
class Instructed:
    """A payment that a bank is instructed to make.

    sequence, payment_id: which; creditor: bank code of the payee's bank; amount_fen above 0
    type: business type such as A100
    kept: whether it stood in the bank's outbox before it is sent
    """

    sequence: int
    payment_id: str
    creditor: str
    amount_fen: int
    priority: Priority
    type: str
    kept: bool = False


@dataclass
class Bank:
    """One participant's front end.

    member:   its bank code
    seed:     from which the UETRs of its payments are made
    receive_at_centre: what the centre does with what it receives

    statuses: last status told per payment, of those that are not final; told: how often each status was told
    asked_back: the messages of payments that it will ask about or ask back, by payment id; None until they are sent
    on_recall: told a recall (camt.056) by another bank
    on_retail: told every message; answers whether it is of BEPS or IBPS, and so has been read
    receipts: messages of its own whose arrival the centre has confirmed (admi.007)
    received_count, received_fen: payments that came in
    """

    member: str
    mail: Mail
    seed: int
    receive_at_centre: Callable[[bytes], str]
    statuses: dict[str, str] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    asked_back: dict[str, OriginalMessage | None] = field(default_factory=dict)
    on_recall: Callable[[Bank, Checked], None] | None = None
    on_retail: Callable[[Bank, Checked], bool] | None = None
    receipts: int = 0
    received_count: int = 0
    received_fen: int = 0
    refused: int = 0
    _read_before: Digests = field(default_factory=Digests)

    # what it sends ------------------------------------------------------------------------------------------------

    def pay(self, payment: Instructed) -> None:
        """Write and send the message of a payment: pacs.009 for the bank's own business, pacs.008 for customers."""
        business_id = self.mail.business_id(self.member)
        if payment.type in BANK_TYPES or payment.type in IMMEDIATE_TYPES:
            number = "hvps.141.001.01" if payment.type in IMMEDIATE_TYPES else "hvps.112.001.01"
            document = credits.build_bank_credit(self._bank_credit(payment, business_id))
            sent = kind(number, credits.PACS_009)
        else:
            document = credits.build_customer_credit(self._customer_credit(payment, business_id))
            sent = kind("hvps.111.001.01", credits.PACS_008)
        self.statuses[payment.payment_id] = "sent"
        if payment.payment_id in self.asked_back:
            self.asked_back[payment.payment_id] = OriginalMessage(business_id, sent.number, self.mail.now)
        letter = Letter(
            sent, self.member, CENTRE, business_id, document, payment.payment_id, payment.sequence, payment.priority,
            kept=payment.kept,
        )  # fmt: skip
        self.mail.send(letter, self.receive_at_centre)

    def uetr(self, payment_id: str) -> str:
        """The end-to-end reference of a payment: a UUID of version 4, made from the run's seed."""
        digest = hashlib.blake2b(f"{self.seed}|{self.member}|{payment_id}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))

    def _customer_credit(self, payment: Instructed, business_id: str) -> CustomerCredit:
        customer = payment.sequence % 9973
        return CustomerCredit(
            business_id=business_id,
            created=self.mail.now,
            system=System.HVPS,
            instructing=self.member,
            instructed=payment.creditor,
            transactions=(
                CustomerTransfer(
                    transaction_id=payment.payment_id,
                    uetr=self.uetr(payment.payment_id),
                    end_to_end_id=payment.payment_id,
                    business_type=_public(payment.type, BusinessType.ORDINARY.code),
                    business_kind=BUSINESS_KIND,
                    amount_fen=payment.amount_fen,
                    settlement_date=self.mail.working_date,
                    priority=payment.priority,
                    debtor_name=f"客户 {customer:04d}",
                    debtor_account=f"{self.member}{customer:07d}",
                    debtor_agent=self.member,
                    creditor_agent=payment.creditor,
                    creditor_name=f"客户 {payment.sequence % 7919:04d}",
                    creditor_account=f"{payment.creditor}{payment.sequence % 7919:07d}",
                ),
            ),
        )

    def _bank_credit(self, payment: Instructed, business_id: str) -> BankCredit:
        return BankCredit(
            business_id=business_id,
            created=self.mail.now,
            system=System.HVPS,
            instructing=self.member,
            instructed=payment.creditor,
            transactions=(
                BankTransfer(
                    transaction_id=payment.payment_id,
                    uetr=self.uetr(payment.payment_id),
                    end_to_end_id=payment.payment_id,
                    business_type=_public(payment.type, BusinessType.INTERBANK.code),
                    amount_fen=payment.amount_fen,
                    settlement_date=self.mail.working_date,
                    priority=payment.priority,
                    debtor=self.member,
                    creditor=payment.creditor,
                ),
            ),
        )

    def move(self, payment_id: str, sequence: int, change: str) -> str:
        """camt.007: an own queued payment to the head (QC00) or tail (QC01) of its level, or to another priority.

        Returns the business id of the order, as `cancel` does.
        """
        business_id = self.mail.business_id(self.member)
        document = queue_orders.build_queue_move(
            QueueMove(business_id, self.mail.now, ByNumber(payment_id), change)
        )  # fmt: skip
        sent = kind("saps.365.001.01", queue_orders.CAMT_007)
        self._send(Letter(sent, self.member, CENTRE, business_id, document, payment_id, sequence))
        return business_id

    def cancel(self, payment_id: str, sequence: int) -> str:
        """camt.008: an own queued payment is withdrawn."""
        business_id = self.mail.business_id(self.member)
        document = queue_orders.build_queue_cancellation(
            QueueCancellation(business_id, self.mail.now, ByNumber(payment_id))
        )
        sent = kind("ccms.307.001.01", queue_orders.CAMT_008)
        self._send(Letter(sent, self.member, CENTRE, business_id, document, payment_id, sequence))
        return business_id

    def _send(self, letter: Letter) -> None:
        self.mail.send(letter, self.receive_at_centre)

    # what it is told ----------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> str:
        """Bytes have arrived from the centre. Answers `accepted` or why the bank refuses them, for the log."""
        try:
            if data[MESSAGE_TYPE] == RECEIPT:
                self.receipts += 1  # the transport's own: its header says all there is to know
                self.mail.confirm(self.member, data[REFERENCE_ID])
                return ACCEPTED
            checked = check(data, self.mail.expected_by_banks)
            if checked.kind.iso == technical.ADMI_002:  # refused, but arrived
                self.mail.confirm(self.member, data[REFERENCE_ID])
            if not self.mail.network.is_perfect and self._has_come_before(data):
                return REPEATED
            self._read(checked)
        except Refused as refused:
            self.refused += 1
            return verdict_of(refused)
        return ACCEPTED

    def _has_come_before(self, data: bytes) -> bool:
        """Whether the same bytes have been read; a network that resends or doubles may bring them again."""
        return not self._read_before.add(digest_of(data))

    def _read(self, checked: Checked) -> None:
        iso = checked.kind.iso
        if self.on_retail is not None and self.on_retail(self, checked):
            return
        if iso == status.PACS_002:
            for told in status.read_payment_status(checked.root).transactions:
                self._note(told.transaction_id, told.status)
        elif iso == credits.PACS_008:
            self._take_in(credits.read_customer_credit(checked.root).transactions[0].amount_fen)
        elif iso == credits.PACS_009:
            self._take_in(credits.read_bank_credit(checked.root).transactions[0].amount_fen)
        elif iso == returns.CAMT_056 and self.on_recall is not None:
            self.on_recall(self, checked)

    def _note(self, payment_id: str, told: str) -> None:
        """A status is news as long as no final one has been told; what comes twice counts once."""
        before = self.statuses.get(payment_id)
        if before is None or before == told:
            return
        self.told[told] = self.told.get(told, 0) + 1
        if told in FINAL:
            del self.statuses[payment_id]
        else:
            self.statuses[payment_id] = told

    def _take_in(self, fen: int) -> None:
        self.received_count += 1
        self.received_fen += fen


def _public(type_: str, otherwise: str) -> str:
    """A business type as messages spell it: one capital and three digits."""
    return type_ if len(type_) == 4 and type_[0].isupper() and type_[1:].isdigit() else otherwise
