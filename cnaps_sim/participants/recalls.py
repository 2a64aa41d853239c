"""Recalls (退回申请): a bank asks for a settled payment, the bank that was paid agrees or not, and sends it back.

camt.056 asks, camt.029 answers; a payment that is sent back is a new one, pacs.004 (退汇).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import returns
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.returns import (
    AGREED,
    REFUSED,
    AnsweredPayment,
    PaymentReturn,
    Recall,
    RecallAnswer,
    RecalledPayment,
)
from cnaps_sim.messages.validate import Checked
from cnaps_sim.participants.bank import Bank
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.words.codes import Priority, System

#: Why a bank asks for a payment, and why it is sent back: at the customer's request (ISO code).
_AT_REQUEST: Final = Reason("CUST")


@dataclass(frozen=True, slots=True)
class Recalled:
    """A payment that its sender asks for: sequence, id, amount, bank code of the bank that was paid."""

    sequence: int
    payment_id: str
    amount_fen: int
    creditor: str


def ask_back(bank: Bank, payment: Recalled, original: OriginalMessage) -> str:
    """camt.056 to the bank that was paid, through the centre; returns its business id."""
    business_id = bank.mail.business_id(bank.member)
    wanted = RecalledPayment(
        original, payment.payment_id, bank.uetr(payment.payment_id), _AT_REQUEST, amount_fen=payment.amount_fen
    )
    document = returns.build_recall(
        Recall(business_id, bank.mail.now, bank.member, payment.creditor, (wanted,))
    )  # fmt: skip
    sent = kind("ccms.307.001.01", returns.CAMT_056)
    _send(bank, Letter(sent, bank.member, CENTRE, business_id, document, payment.payment_id, payment.sequence))
    return business_id


def answer(bank: Bank, checked: Checked, agrees: bool) -> None:
    """The bank that was paid answers a recall (camt.029), and sends the money back (pacs.004) if it agrees."""
    recall = returns.read_recall(checked.root)
    for wanted in recall.payments:
        business_id = bank.mail.business_id(bank.member)
        answered = AnsweredPayment(wanted.original, wanted.transaction_id, wanted.uetr)
        document = returns.build_recall_answer(
            RecallAnswer(
                business_id, bank.mail.now, bank.member, recall.instructing, recall.business_id, recall.instructing,
                AGREED if agrees else REFUSED, (answered,),
            )
        )  # fmt: skip
        _send(
            bank,
            Letter(
                kind("ccms.308.001.01", returns.CAMT_029), bank.member, CENTRE, business_id, document,
                wanted.transaction_id,
            ),
        )  # fmt: skip
        if agrees:
            _send_back(bank, recall, wanted)


def _send_back(bank: Bank, recall: Recall, wanted: RecalledPayment) -> None:
    """pacs.004: the whole amount, as a payment of its own."""
    assert wanted.amount_fen is not None
    business_id = bank.mail.business_id(bank.member)
    document = returns.build_return(
        PaymentReturn(
            business_id=business_id,
            created=bank.mail.now,
            system=System.HVPS,
            instructing=bank.member,
            instructed=recall.instructing,
            return_id=f"R{business_id}",
            original=wanted.original,
            original_transaction_id=wanted.transaction_id,
            original_uetr=wanted.uetr,
            amount_fen=wanted.amount_fen,
            settlement_date=bank.mail.working_date,
            priority=Priority.NORM,
            reason=_AT_REQUEST,
        )
    )
    sent = kind("ccms.318.001.01", returns.PACS_004)
    _send(bank, Letter(sent, bank.member, CENTRE, business_id, document, wanted.transaction_id))


def _send(bank: Bank, letter: Letter) -> None:
    bank.mail.send(letter, bank.receive_at_centre)
