"""A bank in BEPS and IBPS: writes packages and payments, answers those of other banks, stops its own.

A message holds one unit: a package (包) of BEPS, or one payment of IBPS. Names and accounts of customers stand for
such as there are; the numbers of contracts (合同号) behind direct debits have no public source.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import credits, debits, returns, status
from cnaps_sim.messages.credits import CustomerCredit, CustomerTransfer
from cnaps_sim.messages.debits import CustomerCollection, CustomerDebit
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.returns import Recall, RecallAnswer, RecalledPayment
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.messages.validate import Checked
from cnaps_sim.participants.bank import BUSINESS_KIND, Bank
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.systems.retail_register import FIRST_LETTER, Original, Transaction
from cnaps_sim.systems.retail_terms import read_package
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Priority, Refusal, Status
from cnaps_sim.words.codes import Reason as CnapsReason
from cnaps_sim.words.retail import RetailKind

#: Most payments that a message can hold.
MOST_PAYMENTS: Final = 2000
#: What a bank answers: it agrees, it refuses.
AGREED, REFUSED = "ACTC", "RJCT"
_STOP: Final = "beps.411.001.01"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a bank is instructed to send.

    number: of the unit; other: bank code of the bank that it is for; items: number and fen of each payment
    """

    number: int
    kind: RetailKind
    other: str
    items: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that waits for this bank's reply."""

    unit: int
    kind: RetailKind
    starter: str
    message: OriginalMessage
    transactions: tuple[Transaction, ...]


def number_of(which: RetailKind) -> str:
    """The CNAPS number of the message that brings a unit."""
    return f"{which.messages[0]}.001.01"


def send(bank: Bank, unit: Unit) -> OriginalMessage:
    """Write and send a unit: pacs.008 for credits, pacs.003 for debits; with control sum where it is a package."""
    business_id = bank.mail.business_id(bank.member, unit.kind.system)
    iso = debits.PACS_003 if unit.kind.is_debit else credits.PACS_008
    sent = kind(number_of(unit.kind), iso)
    total = sum(fen for _, fen in unit.items) if len(unit.items) > 1 else None
    document = (_debit if unit.kind.is_debit else _credit)(bank, unit, business_id, total)
    first = unit.items[0][0]
    letter = Letter(sent, bank.member, CENTRE, business_id, document, first, FIRST_LETTER + unit.number)
    bank.mail.send(letter, bank.receive_at_centre)
    return OriginalMessage(business_id, sent.number, bank.mail.now)


def _credit(bank: Bank, unit: Unit, business_id: str, total: int | None) -> bytes:
    date = bank.mail.retail_date
    transactions = [
        CustomerTransfer(
            transaction_id=payment_id,
            uetr=bank.uetr(payment_id),
            end_to_end_id=payment_id,
            business_type=BusinessType.ORDINARY.code,
            business_kind=BUSINESS_KIND,
            amount_fen=fen,
            settlement_date=date,
            priority=Priority.NORM,
            debtor_name=_customer(unit.number + place, 9973),
            debtor_account=_account(bank.member, unit.number + place, 9973),
            debtor_agent=bank.member,
            creditor_agent=unit.other,
            creditor_name=_customer(unit.number + place, 7919),
            creditor_account=_account(unit.other, unit.number + place, 7919),
        )
        for place, (payment_id, fen) in enumerate(unit.items)
    ]
    return credits.build_customer_credit(
        CustomerCredit(
            business_id, bank.mail.now, unit.kind.system, bank.member, unit.other, tuple(transactions), total
        )
    )  # fmt: skip


def _debit(bank: Bank, unit: Unit, business_id: str, total: int | None) -> bytes:
    date = bank.mail.retail_date
    transactions = [
        CustomerCollection(
            transaction_id=payment_id,
            uetr=bank.uetr(payment_id),
            end_to_end_id=payment_id,
            business_type=BusinessType.ORDINARY.code,
            business_kind=BUSINESS_KIND,
            amount_fen=fen,
            settlement_date=date,
            collection_date=date,
            mandate_id=f"M{unit.other}{(unit.number + place) % 7919:07d}",
            creditor_name=_customer(unit.number + place, 9973),
            creditor_account=_account(bank.member, unit.number + place, 9973),
            creditor_agent=bank.member,
            debtor_name=_customer(unit.number + place, 7919),
            debtor_account=_account(unit.other, unit.number + place, 7919),
            debtor_agent=unit.other,
        )
        for place, (payment_id, fen) in enumerate(unit.items)
    ]
    return debits.build_customer_debit(
        CustomerDebit(
            business_id, bank.mail.now, unit.kind.system, bank.member, unit.other, tuple(transactions), total
        )
    )  # fmt: skip


def _customer(number: int, customers: int) -> str:
    return f"客户 {number % customers:04d}"


def _account(member: str, number: int, customers: int) -> str:
    return f"{member}{number % customers:07d}"


def sent_before(bank: Bank, unit: Unit, sent_on: dt.date) -> Original:
    """The message of a unit that was sent before the run began, as both banks and the centre remember it."""
    number = number_of(unit.kind)
    business_id = f"{sent_on:%Y%m%d}{unit.number + 1:08d}"
    iso = debits.PACS_003 if unit.kind.is_debit else credits.PACS_008
    transactions = [Transaction(payment_id, bank.uetr(payment_id), payment_id) for payment_id, _ in unit.items]
    message = OriginalMessage(business_id, number)
    return Original(kind(number, iso), message, bank.member, unit.other, tuple(transactions), None)


def asked_by(checked: Checked, unit: int) -> Asked:
    """What a forwarded package or payment asks of the bank that received it."""
    package = read_package(checked)
    message = OriginalMessage(package.business_id, checked.kind.number, package.created)
    return Asked(unit, package.kind, package.starter, message, package.transactions)


def reply(bank: Bank, asked: Asked, refusal: Refusal) -> None:
    """The reply (回执, pacs.002) to a package or payment: agreed, or refused with CNAPS and ISO reason."""
    number = f"{asked.kind.messages[-1]}.001.01"
    business_id = bank.mail.business_id(bank.member, asked.kind.system)
    reasons: tuple[Reason, ...] = ()
    if refusal is not Refusal.NONE:
        why = Reason(CnapsReason(refusal.reason or CnapsReason.RJ90), proprietary=True)
        reasons = (Reason(Status.PR09, proprietary=True), why, Reason(refusal.iso))
    told = tuple(
        [
            TransactionStatus(
                original=asked.message,
                transaction_id=each.transaction_id,
                uetr=each.uetr,
                status=REFUSED if reasons else AGREED,
                reasons=reasons,
                end_to_end_id=each.end_to_end_id,
            )
            for each in asked.transactions
        ]
    )
    document = status.build_payment_status(
        PaymentStatus(business_id, bank.mail.now, bank.member, asked.starter, told)
    )  # fmt: skip
    first = asked.transactions[0].transaction_id
    letter = Letter(
        kind(number, status.PACS_002), bank.member, CENTRE, business_id, document, first, FIRST_LETTER + asked.unit
    )  # fmt: skip
    bank.mail.send(letter, bank.receive_at_centre)


def stop(bank: Bank, payment_id: str, other: str, original: OriginalMessage) -> str:
    """camt.056 (止付申请, SP00): an own unit is to be stopped before it is netted; returns its business id."""
    number = kind(_STOP, returns.CAMT_056)
    business_id = bank.mail.business_id(bank.member, number.system)
    wanted = RecalledPayment(original, payment_id, bank.uetr(payment_id), returns.STOP_PAYMENT)
    document = returns.build_recall(Recall(business_id, bank.mail.now, bank.member, other, (wanted,)))
    bank.mail.send(Letter(number, bank.member, CENTRE, business_id, document, payment_id), bank.receive_at_centre)
    return business_id


def answer_stop(bank: Bank, checked: Checked) -> None:
    """camt.029 (止付应答): the bank that was to answer a unit has dropped it."""
    request = returns.read_recall(checked.root)
    wanted = request.payments[0]
    business_id = bank.mail.business_id(bank.member, checked.kind.system)
    dropped = returns.AnsweredPayment(wanted.original, wanted.transaction_id, wanted.uetr)
    document = returns.build_recall_answer(
        RecallAnswer(
            business_id, bank.mail.now, bank.member, request.instructing, request.business_id, request.instructing,
            returns.AGREED, (dropped,),
        )
    )  # fmt: skip
    answered = kind(_STOP, returns.CAMT_029)
    letter = Letter(answered, bank.member, CENTRE, business_id, document, wanted.transaction_id)
    bank.mail.send(letter, bank.receive_at_centre)
