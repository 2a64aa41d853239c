"""Money or items that go back: pacs.004 return, camt.056 request to recall, stop or reverse, camt.029 its answer.

A payment that has settled is final. Its sender may ask for it with camt.056 (退回申请); the bank that was paid answers
with camt.029 and, if it agrees, sends the money with pacs.004 (退汇), a payment of its own. The same two forms stop
a BEPS item before it is netted (止付, SP00) and reverse a real-time one (冲正, RV00).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, each

PACS_004: Final = "pacs.004.001.09"
CAMT_056: Final = "camt.056.001.08"
CAMT_029: Final = "camt.029.001.09"

#: Reasons of a camt.056 that are CNAPS codes: stop payment (止付) and reversal (冲正).
STOP_PAYMENT: Final = Reason("SP00", proprietary=True)
REVERSAL: Final = Reason("RV00", proprietary=True)
#: The answers of a camt.029: agreed, refused.
AGREED: Final = "CNCL"
REFUSED: Final = "RJCR"


@dataclass(frozen=True, slots=True)
class PaymentReturn:
    """pacs.004, return of a settled payment (退汇, ccms.318): a payment of its own that sends one back.

    business_id:      `GrpHdr/MsgId`, unique per instructing participant
    created:          when it was written, with zone
    system:           HVPS, BEPS or IBPS
    instructing:      bank code of the participant that was paid and now pays back
    instructed:       bank code of the participant that had paid
    return_id:        number of the return (退汇交易序号)
    original:         the message of the payment that is sent back
    original_transaction_id, original_uetr, original_end_to_end_id: its references
    amount_fen:       what is sent back, above zero
    settlement_date:  the working date on which the return is to settle
    priority:         URGT, HIGH or NORM
    reason:           why
    original_amount_fen, original_settlement_date: of the payment that is sent back
    """

    business_id: str
    created: dt.datetime
    system: str
    instructing: str
    instructed: str
    return_id: str
    original: OriginalMessage
    original_transaction_id: str
    original_uetr: str
    amount_fen: int
    settlement_date: dt.date
    priority: str
    reason: Reason
    original_end_to_end_id: str | None = None
    original_amount_fen: int | None = None
    original_settlement_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RecalledPayment:
    """One payment or item of a camt.056.

    original:       the message that carried it
    transaction_id, uetr, end_to_end_id: its references
    reason:         an ISO code for a recall, STOP_PAYMENT or REVERSAL
    item_id:        number within the request (申请明细号)
    amount_fen, settlement_date: of the payment
    """

    original: OriginalMessage
    transaction_id: str
    uetr: str
    reason: Reason
    item_id: str | None = None
    end_to_end_id: str | None = None
    amount_fen: int | None = None
    settlement_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """camt.056, request to recall (退回申请, ccms.307), stop (止付, beps.411) or reverse (冲正, beps.413) payments.

    business_id: `Assgnmt/Id`, unique per sender
    created:     when it was written, with zone
    instructing: bank code of the participant that asks
    instructed:  bank code of the participant that is asked
    """

    business_id: str
    created: dt.datetime
    instructing: str
    instructed: str
    payments: tuple[RecalledPayment, ...]


@dataclass(frozen=True, slots=True)
class AnsweredPayment:
    """One payment or item of a camt.029.

    original:       the message that carried it
    transaction_id, uetr, end_to_end_id: its references
    status:         ACCR agreed, RJCR refused; None where the answer as a whole says it
    reasons:        at most two
    item_id:        number within the answer (应答明细号)
    """

    original: OriginalMessage
    transaction_id: str
    uetr: str
    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    item_id: str | None = None
    end_to_end_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecallAnswer:
    """camt.029, answer to a camt.056 (退回应答 ccms.308, 止付应答, 冲正应答).

    business_id: `Assgnmt/Id`, unique per sender
    created:     when it was written, with zone
    instructing: bank code of the participant that answers
    instructed:  bank code of the participant that had asked
    request_id:  business id of the request
    requester:   bank code of the participant that made the request
    answer:      AGREED or REFUSED
    """

    business_id: str
    created: dt.datetime
    instructing: str
    instructed: str
    request_id: str
    requester: str
    answer: str
    payments: tuple[AnsweredPayment, ...]


_RETURN = Template(
    document(
        PACS_004,
        """
        <PmtRtr>
            <GrpHdr>
                <MsgId>{business_id}</MsgId>
                <CreDtTm>{created:time}</CreDtTm>
                <NbOfTxs>1</NbOfTxs>
                <SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Prtry>{system}</Prtry></ClrSys></SttlmInf>
                <InstgAgt>{instructing:agent}</InstgAgt>
                <InstdAgt>{instructed:agent}</InstdAgt>
            </GrpHdr>
            <TxInf>
                <RtrId>{return_id}</RtrId>
                <OrgnlGrpInf>{original:original}</OrgnlGrpInf>
                [<OrgnlEndToEndId>{original_end_to_end_id}</OrgnlEndToEndId>]
                <OrgnlTxId>{original_transaction_id}</OrgnlTxId>
                <OrgnlUETR>{original_uetr}</OrgnlUETR>
                [<OrgnlIntrBkSttlmAmt Ccy="CNY">{original_amount_fen:fen}</OrgnlIntrBkSttlmAmt>]
                [<OrgnlIntrBkSttlmDt>{original_settlement_date:date}</OrgnlIntrBkSttlmDt>]
                <RtrdIntrBkSttlmAmt Ccy="CNY">{amount_fen:fen}</RtrdIntrBkSttlmAmt>
                <IntrBkSttlmDt>{settlement_date:date}</IntrBkSttlmDt>
                <SttlmPrty>{priority}</SttlmPrty>
                <RtrRsnInf>{reason:reason}</RtrRsnInf>
            </TxInf>
        </PmtRtr>
        """,
    ),
    PaymentReturn,
    original=parts.original_text,
    reason=parts.reason_text,
)

_ASSIGNMENT = """
    <Assgnmt>
        <Id>{business_id}</Id>
        <Assgnr><Agt>{instructing:agent}</Agt></Assgnr>
        <Assgne><Agt>{instructed:agent}</Agt></Assgne>
        <CreDtTm>{created:time}</CreDtTm>
    </Assgnmt>
"""
_ORIGINAL = """
    <OrgnlGrpInf>{original:original}</OrgnlGrpInf>
    [<OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId>]
    <OrgnlTxId>{transaction_id}</OrgnlTxId>
    <OrgnlUETR>{uetr}</OrgnlUETR>
"""

_RECALLED_PAYMENT = Template(
    f"""
    <TxInf>
        [<CxlId>{{item_id}}</CxlId>]
        {_ORIGINAL}
        [<OrgnlIntrBkSttlmAmt Ccy="CNY">{{amount_fen:fen}}</OrgnlIntrBkSttlmAmt>]
        [<OrgnlIntrBkSttlmDt>{{settlement_date:date}}</OrgnlIntrBkSttlmDt>]
        <CxlRsnInf>{{reason:reason}}</CxlRsnInf>
    </TxInf>
    """,
    RecalledPayment,
    original=parts.original_text,
    reason=parts.reason_text,
)
_RECALL = Template(
    document(
        CAMT_056,
        f"<FIToFIPmtCxlReq>{_ASSIGNMENT}<Undrlyg>{{payments:each}}</Undrlyg></FIToFIPmtCxlReq>",
    ),
    Recall,
    each=each(_RECALLED_PAYMENT),
)


def _reasons_text(reasons: tuple[Reason, ...]) -> str:
    return "".join([f"<CxlStsRsnInf>{parts.reason_text(reason)}</CxlStsRsnInf>" for reason in reasons])


_ANSWERED_PAYMENT = Template(
    f"""
    <TxInfAndSts>
        [<CxlStsId>{{item_id}}</CxlStsId>]
        {_ORIGINAL}
        [<TxCxlSts>{{status}}</TxCxlSts>]
        {{reasons:reasons}}
    </TxInfAndSts>
    """,
    AnsweredPayment,
    original=parts.original_text,
    reasons=_reasons_text,
)
_RECALL_ANSWER = Template(
    document(
        CAMT_029,
        f"""
        <RsltnOfInvstgtn>
            {_ASSIGNMENT}
            <RslvdCase><Id>{{request_id}}</Id><Cretr><Agt>{{requester:agent}}</Agt></Cretr></RslvdCase>
            <Sts><Conf>{{answer}}</Conf></Sts>
            <CxlDtls>{{payments:each}}</CxlDtls>
        </RsltnOfInvstgtn>
        """,
    ),
    RecallAnswer,
    each=each(_ANSWERED_PAYMENT),
)

#: A message as the bytes of its document.
build_return = _RETURN.build
build_recall = _RECALL.build
build_recall_answer = _RECALL_ANSWER.build


def read_return(root: Element) -> PaymentReturn:
    """The message of a pacs.004 document that its schema has passed."""
    header, transaction = root[0]
    group, fields = children(header), children(transaction)
    return PaymentReturn(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        system=read.inner_text(group["SttlmInf"][1]),
        instructing=read.agent(group["InstgAgt"]),
        instructed=read.agent(group["InstdAgt"]),
        return_id=read.text(fields["RtrId"]),
        original=parts.original(fields["OrgnlGrpInf"]),
        original_transaction_id=read.text(fields["OrgnlTxId"]),
        original_uetr=read.text(fields["OrgnlUETR"]),
        amount_fen=read.fen(fields["RtrdIntrBkSttlmAmt"]),
        settlement_date=read.date(fields["IntrBkSttlmDt"]),
        priority=read.text(fields["SttlmPrty"]),
        reason=parts.reason(fields["RtrRsnInf"]),
        original_end_to_end_id=read.text_or_none(fields.get("OrgnlEndToEndId")),
        original_amount_fen=parts.fen_or_none(fields.get("OrgnlIntrBkSttlmAmt")),
        original_settlement_date=parts.date_or_none(fields.get("OrgnlIntrBkSttlmDt")),
    )


def read_recall(root: Element) -> Recall:
    """The message of a camt.056 document that its schema has passed."""
    header, underlying = root[0]
    assignment = children(header)
    return Recall(
        business_id=read.text(assignment["Id"]),
        created=read.time(assignment["CreDtTm"]),
        instructing=read.agent(assignment["Assgnr"][0]),
        instructed=read.agent(assignment["Assgne"][0]),
        payments=tuple([_recalled_payment(payment) for payment in underlying]),
    )


def _recalled_payment(element: Element) -> RecalledPayment:
    fields = children(element)
    return RecalledPayment(
        original=parts.original(fields["OrgnlGrpInf"]),
        transaction_id=read.text(fields["OrgnlTxId"]),
        uetr=read.text(fields["OrgnlUETR"]),
        reason=parts.reason(fields["CxlRsnInf"]),
        item_id=read.text_or_none(fields.get("CxlId")),
        end_to_end_id=read.text_or_none(fields.get("OrgnlEndToEndId")),
        amount_fen=parts.fen_or_none(fields.get("OrgnlIntrBkSttlmAmt")),
        settlement_date=parts.date_or_none(fields.get("OrgnlIntrBkSttlmDt")),
    )


def read_recall_answer(root: Element) -> RecallAnswer:
    """The message of a camt.029 document that its schema has passed."""
    fields = children(root[0])
    assignment, case = children(fields["Assgnmt"]), children(fields["RslvdCase"])
    return RecallAnswer(
        business_id=read.text(assignment["Id"]),
        created=read.time(assignment["CreDtTm"]),
        instructing=read.agent(assignment["Assgnr"][0]),
        instructed=read.agent(assignment["Assgne"][0]),
        request_id=read.text(case["Id"]),
        requester=read.agent(case["Cretr"][0]),
        answer=read.inner_text(fields["Sts"]),
        payments=tuple([_answered_payment(payment) for payment in fields["CxlDtls"]]),
    )


def _answered_payment(element: Element) -> AnsweredPayment:
    fields = children(element)
    return AnsweredPayment(
        original=parts.original(fields["OrgnlGrpInf"]),
        transaction_id=read.text(fields["OrgnlTxId"]),
        uetr=read.text(fields["OrgnlUETR"]),
        status=read.text_or_none(fields.get("TxCxlSts")),
        reasons=tuple([parts.reason(reason) for reason in parts.repeated(element, "CxlStsRsnInf")]),
        item_id=read.text_or_none(fields.get("CxlStsId")),
        end_to_end_id=read.text_or_none(fields.get("OrgnlEndToEndId")),
    )
