"""Orders about queued payments (排队管理): camt.007 moves one, camt.008 cancels one, camt.025 answers any request.

Only the bank that owns a payment may move or cancel it, and only while it waits (PR12 in the settlement queue, PR11
in the netting queue).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import Reason
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, escape

CAMT_007: Final = "camt.007.001.08"
CAMT_008: Final = "camt.008.001.08"
CAMT_025: Final = "camt.025.001.05"

#: Where a camt.007 moves a payment inside its level: to the head (移到队首), to the tail (移到队尾).
TO_HEAD: Final = "QC00"
TO_TAIL: Final = "QC01"
_PLACES: Final = (TO_HEAD, TO_TAIL)


@dataclass(frozen=True, slots=True)
class ByNumber:
    """A payment, named by its number alone (支付交易序号), which is unique among its sender's."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class ByDay:
    """A payment, named by its number, settlement date and the bank code of its sender."""

    transaction_id: str
    settlement_date: dt.date
    instructing: str


@dataclass(frozen=True, slots=True)
class InFull:
    """A payment, named by everything that identifies it; amount in fen, above zero."""

    transaction_id: str
    uetr: str
    amount_fen: int
    settlement_date: dt.date
    instructing: str
    instructed: str


#: The three ways to name a payment; each has a `transaction_id`.
PaymentKey = ByNumber | ByDay | InFull


@dataclass(frozen=True, slots=True)
class QueueMove:
    """camt.007, move a queued payment (清算排队管理, saps.365).

    business_id: `MsgHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    payment:     which one
    change:      TO_HEAD or TO_TAIL of its level; or, where the scenario allows it, another priority: URGT, HIGH, NORM
    """

    business_id: str
    created: dt.datetime
    payment: PaymentKey
    change: str


@dataclass(frozen=True, slots=True)
class QueueCancellation:
    """camt.008, cancel a queued payment (排队业务撤销, ccms.307), request type RT03.

    business_id: `MsgHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    payment:     which one, or which package
    reason:      why
    """

    business_id: str
    created: dt.datetime
    payment: PaymentKey
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """camt.025, answer to a request of a bank (业务处理回执).

    business_id:    `MsgHdr/MsgId`
    created:        when it was written, with zone
    request_id:     business id of the request
    code:           status code of four capitals or digits (处理码)
    description:    one sentence of at most 140 characters
    request_number: CNAPS number or ISO id of the request
    payment:        the payment that the request named
    """

    business_id: str
    created: dt.datetime
    request_id: str
    code: str
    description: str
    request_number: str | None = None
    payment: PaymentKey | None = None


_BY_NUMBER = Template("<TxId>{transaction_id}</TxId>", ByNumber)
_BY_DAY = Template(
    """
    <ShrtBizId>
        <TxId>{transaction_id}</TxId>
        <IntrBkSttlmDt>{settlement_date:date}</IntrBkSttlmDt>
        <InstgAgt>{instructing:agent}</InstgAgt>
    </ShrtBizId>
    """,
    ByDay,
)
_IN_FULL = Template(
    """
    <LngBizId>
        <TxId>{transaction_id}</TxId>
        <UETR>{uetr}</UETR>
        <IntrBkSttlmAmt>{amount_fen:fen}</IntrBkSttlmAmt>
        <IntrBkSttlmDt>{settlement_date:date}</IntrBkSttlmDt>
        <InstgAgt>{instructing:agent}</InstgAgt>
        <InstdAgt>{instructed:agent}</InstdAgt>
    </LngBizId>
    """,
    InFull,
)


def _key_text(key: PaymentKey) -> str:
    if isinstance(key, ByNumber):
        return _BY_NUMBER.fill(key)
    return _BY_DAY.fill(key) if isinstance(key, ByDay) else _IN_FULL.fill(key)


def _key(element: Element) -> PaymentKey:
    inner = element[0]
    if read.local_name(inner) == "TxId":
        return ByNumber(read.text(inner))
    fields = children(inner)
    number, date, sender = read.text(fields["TxId"]), read.date(fields["IntrBkSttlmDt"]), read.agent(fields["InstgAgt"])
    if read.local_name(inner) == "ShrtBizId":
        return ByDay(number, date, sender)
    return InFull(
        transaction_id=number,
        uetr=read.text(fields["UETR"]),
        amount_fen=read.fen(fields["IntrBkSttlmAmt"]),
        settlement_date=date,
        instructing=sender,
        instructed=read.agent(fields["InstdAgt"]),
    )


_HEADER = "<MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm>"

_MOVE = Template(
    document(
        CAMT_007,
        f"""
        <ModfyTx>
            <MsgHdr>{_HEADER}</MsgHdr>
            <Mod>
                <PmtId>{{payment:key}}</PmtId>
                <NewPmtValSet><Prty>{{change:change}}</Prty></NewPmtValSet>
            </Mod>
        </ModfyTx>
        """,
    ),
    QueueMove,
    key=_key_text,
    change=lambda change: f"<Prtry>{change}</Prtry>" if change in _PLACES else f"<Cd>{escape(change)}</Cd>",
)
_CANCELLATION = Template(
    document(
        CAMT_008,
        f"""
        <CclTx>
            <MsgHdr>{_HEADER}<ReqTp><PmtCtrl>RT03</PmtCtrl></ReqTp></MsgHdr>
            <PmtId>{{payment:key}}</PmtId>
            [<CxlRsn>{{reason:reason}}</CxlRsn>]
        </CclTx>
        """,
    ),
    QueueCancellation,
    key=_key_text,
    reason=parts.reason_text,
)
_ANSWER = Template(
    document(
        CAMT_025,
        f"""
        <Rct>
            <MsgHdr>{_HEADER}</MsgHdr>
            <RctDtls>
                <OrgnlMsgId>
                    <MsgId>{{request_id}}</MsgId>
                    [<MsgNmId>{{request_number}}</MsgNmId>]
                </OrgnlMsgId>
                [<OrgnlPmtId>{{payment:key}}</OrgnlPmtId>]
                <ReqHdlg><StsCd>{{code}}</StsCd><Desc>{{description}}</Desc></ReqHdlg>
            </RctDtls>
        </Rct>
        """,
    ),
    RequestAnswer,
    key=_key_text,
)

#: A message as the bytes of its document.
build_queue_move = _MOVE.build
build_queue_cancellation = _CANCELLATION.build
build_request_answer = _ANSWER.build


def read_queue_move(root: Element) -> QueueMove:
    """The message of a camt.007 document that its schema has passed."""
    header, modification = root[0]
    payment, values = modification
    head = children(header)
    return QueueMove(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        payment=_key(payment),
        change=read.inner_text(values),
    )


def read_queue_cancellation(root: Element) -> QueueCancellation:
    """The message of a camt.008 document that its schema has passed."""
    fields = children(root[0])
    head = children(fields["MsgHdr"])
    return QueueCancellation(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        payment=_key(fields["PmtId"]),
        reason=parts.reason_or_none(fields.get("CxlRsn")),
    )


def read_request_answer(root: Element) -> RequestAnswer:
    """The message of a camt.025 document that its schema has passed."""
    header, details = root[0]
    head, fields = children(header), children(details)
    request, outcome = children(fields["OrgnlMsgId"]), children(fields["ReqHdlg"])
    payment = fields.get("OrgnlPmtId")
    return RequestAnswer(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        request_id=read.text(request["MsgId"]),
        code=read.text(outcome["StsCd"]),
        description=read.text(outcome["Desc"]),
        request_number=read.text_or_none(request.get("MsgNmId")),
        payment=None if payment is None else _key(payment),
    )
