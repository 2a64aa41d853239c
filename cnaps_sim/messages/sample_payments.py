"""Samples of payments and of what is done about them: credits, debits, status, returns, orders about the queue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from cnaps_sim.messages import queue_orders
from cnaps_sim.messages.catalogue import Kind
from cnaps_sim.messages.credits import BankCredit, BankTransfer, CustomerCredit, CustomerTransfer
from cnaps_sim.messages.debits import CentralBankDebit, CustomerCollection, CustomerDebit
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.queue_orders import ByDay, ByNumber, InFull, QueueCancellation, QueueMove, RequestAnswer
from cnaps_sim.messages.returns import (
    AGREED,
    REVERSAL,
    STOP_PAYMENT,
    AnsweredPayment,
    PaymentReturn,
    Recall,
    RecallAnswer,
    RecalledPayment,
)
from cnaps_sim.messages.sample_story import (
    AT,
    DAY,
    END_TO_END,
    FEN,
    ORIGINAL,
    PAYEE_BANK,
    PAYER_BANK,
    PAYMENT,
    UETR,
    asked,
    number_of,
    uetr_of,
)
from cnaps_sim.messages.status import PaymentStatus, StatusRequest, TransactionStatus
from cnaps_sim.words.codes import System

_PAYER: Final = ("北京甲进出口有限公司", "0200001234567890123")
_PAYEE: Final = ("上海乙机械制造有限公司", "03399887766554433")
#: The request that a reply of the other bank answers.
_REPLIED_TO: Final = {
    "beps.124": "beps.123.001.01",
    "beps.128": "beps.127.001.01",
    "beps.130": "beps.127.001.01",
    "beps.132": "beps.131.001.01",
    "beps.134": "beps.133.001.01",
    "ibps.102": "ibps.101.001.01",
    "ibps.104": "ibps.103.001.01",
}


def _customer_credit(kind: Kind, business_id: str) -> CustomerCredit:
    transfer = CustomerTransfer(
        transaction_id=number_of(kind),
        uetr=uetr_of(kind),
        end_to_end_id=END_TO_END,
        business_type="A100",
        business_kind="02102",
        amount_fen=FEN,
        settlement_date=DAY,
        priority="NORM",
        debtor_name=_PAYER[0],
        debtor_account=_PAYER[1],
        debtor_agent=PAYER_BANK,
        creditor_agent=PAYEE_BANK,
        creditor_name=_PAYEE[0],
        creditor_account=_PAYEE[1],
        remarks=("货款",),
    )
    return CustomerCredit(business_id, AT, kind.system, PAYER_BANK, PAYEE_BANK, (transfer,))


def _bank_credit(kind: Kind, business_id: str) -> BankCredit:
    transfer = BankTransfer(
        transaction_id=number_of(kind),
        uetr=uetr_of(kind),
        end_to_end_id="DEAL-0617-01",
        business_type="G102" if kind.number.startswith("hvps.141") else "A200",
        amount_fen=FEN,
        settlement_date=DAY,
        priority="HIGH",
        debtor=PAYER_BANK,
        creditor=PAYEE_BANK,
        remarks=("同业往来",),
    )
    return BankCredit(business_id, AT, kind.system, PAYER_BANK, PAYEE_BANK, (transfer,))


def _customer_debit(kind: Kind, business_id: str) -> CustomerDebit:
    collection = CustomerCollection(
        transaction_id=number_of(kind),
        uetr=uetr_of(kind),
        end_to_end_id="WATER-2025-06",
        business_type="B100",
        business_kind="03101",
        amount_fen=12_345,
        settlement_date=DAY,
        collection_date=DAY,
        mandate_id="CONTRACT-000123",
        creditor_name="上海市丙自来水公司",
        creditor_account=_PAYEE[1],
        creditor_agent=PAYEE_BANK,
        debtor_name="王小明",
        debtor_account="6222020200001234567",
        debtor_agent=PAYER_BANK,
        mandate_signed=dt.date(2024, 3, 1),
    )
    return CustomerDebit(business_id, AT, kind.system, PAYEE_BANK, PAYER_BANK, (collection,), control_sum_fen=12_345)


def _central_bank_debit(kind: Kind, business_id: str) -> CentralBankDebit:
    return CentralBankDebit(
        business_id=business_id,
        created=AT,
        instructing=CENTRE,
        instructed=PAYER_BANK,
        credit_id="FEES-202505",
        transaction_id=number_of(kind),
        uetr=uetr_of(kind),
        end_to_end_id="FEES-202505",
        amount_fen=1_234_500,
        settlement_date=DAY,
        priority="NORM",
        creditor=CENTRE,
        debtor=PAYER_BANK,
        debtor_account=PAYER_BANK,
        remarks=("汇划费用 2025-05",),
    )


def _payment_status(kind: Kind, business_id: str) -> PaymentStatus:
    replied = kind.number.startswith(("beps", "ibps"))
    transaction = TransactionStatus(
        original=OriginalMessage(PAYMENT, _REPLIED_TO.get(kind.number[:8], "hvps.111.001.01")),
        transaction_id=PAYMENT,
        uetr=UETR,
        status="ACTC" if replied else "ACSC",
        reasons=(Reason("PR05" if replied else "PR04", proprietary=True),),
        end_to_end_id=END_TO_END,
        accepted=AT,
        settlement_date=None if replied else DAY,
    )
    sender, receiver = (PAYEE_BANK, PAYER_BANK) if replied else (CENTRE, PAYER_BANK)
    return PaymentStatus(business_id, AT, sender, receiver, (transaction,))


def _status_request(business_id: str) -> StatusRequest:
    return StatusRequest(business_id, AT, PAYER_BANK, CENTRE, transaction_id=PAYMENT, uetr=UETR, original=ORIGINAL)


def _return(business_id: str) -> PaymentReturn:
    return PaymentReturn(
        business_id=business_id,
        created=AT,
        system=System.HVPS,
        instructing=PAYEE_BANK,
        instructed=PAYER_BANK,
        return_id=business_id,
        original=ORIGINAL,
        original_transaction_id=PAYMENT,
        original_uetr=UETR,
        amount_fen=FEN,
        settlement_date=DAY,
        priority="NORM",
        reason=Reason("AC01", notes=("账号户名不符",)),
        original_end_to_end_id=END_TO_END,
        original_amount_fen=FEN,
        original_settlement_date=DAY,
    )


def _recall(kind: Kind, business_id: str) -> Recall:
    reasons = {"beps.411": STOP_PAYMENT, "beps.413": REVERSAL}
    payment = RecalledPayment(
        original=ORIGINAL,
        transaction_id=PAYMENT,
        uetr=UETR,
        reason=reasons.get(kind.number[:8], Reason("DUPL", notes=("重复支付",))),
        end_to_end_id=END_TO_END,
        amount_fen=FEN,
        settlement_date=DAY,
    )
    return Recall(business_id, AT, PAYER_BANK, PAYEE_BANK, (payment,))


def _recall_answer(business_id: str) -> RecallAnswer:
    payment = AnsweredPayment(ORIGINAL, PAYMENT, UETR, status="ACCR", end_to_end_id=END_TO_END)
    return RecallAnswer(
        business_id, AT, PAYEE_BANK, PAYER_BANK, asked("ccms.307"), PAYER_BANK, answer=AGREED, payments=(payment,)
    )


def _queue_move(business_id: str) -> QueueMove:
    payment = InFull(PAYMENT, UETR, FEN, DAY, PAYER_BANK, PAYEE_BANK)
    return QueueMove(business_id, AT, payment, change=queue_orders.TO_HEAD)


def _queue_cancellation(business_id: str) -> QueueCancellation:
    return QueueCancellation(business_id, AT, ByDay(PAYMENT, DAY, PAYER_BANK), Reason("CUST", notes=("客户撤销",)))


def _request_answer(business_id: str) -> RequestAnswer:
    return RequestAnswer(
        business_id,
        AT,
        request_id=asked("saps.365"),
        code="DONE",
        description="the payment was moved to the head of its level",
        request_number="saps.365.001.01",
        payment=ByNumber(PAYMENT),
    )


#: For every ISO id of this file the function from a kind and a business id to its record.
PAYMENT_SAMPLES: Final[dict[str, Callable[[Kind, str], Any]]] = {
    "pacs.002.001.10": _payment_status,
    "pacs.003.001.08": _customer_debit,
    "pacs.004.001.09": lambda _kind, business_id: _return(business_id),
    "pacs.008.001.08": _customer_credit,
    "pacs.009.001.08": _bank_credit,
    "pacs.010.001.03": _central_bank_debit,
    "pacs.028.001.03": lambda _kind, business_id: _status_request(business_id),
    "camt.007.001.08": lambda _kind, business_id: _queue_move(business_id),
    "camt.008.001.08": lambda _kind, business_id: _queue_cancellation(business_id),
    "camt.025.001.05": lambda _kind, business_id: _request_answer(business_id),
    "camt.029.001.09": lambda _kind, business_id: _recall_answer(business_id),
    "camt.056.001.08": _recall,
}
