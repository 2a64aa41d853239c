"""Payment status (支付状态): pacs.002 reports it, pacs.028 asks for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, each

PACS_002: Final = "pacs.002.001.10"
PACS_028: Final = "pacs.028.001.03"

#: Why a payment has the status it has: CNAPS codes (PR09, RJ90) are proprietary, ISO ones (AM04) are not.
StatusReason = Reason


@dataclass(slots=True)
class TransactionStatus:
    """The status of one transaction.

    original:        the message that carried it
    transaction_id, uetr, end_to_end_id, instruction_id: as in that message
    status:          RCVD received, ACTC checked, PDNG queued, ACSP netted, ACSC settled, RJCT rejected, CANC cancelled
    reasons:         up to three; a status that waits, refuses or cancels has one
    accepted:        when the centre took it
    settlement_date: the date on which it settled; `settled` instead of it tells the moment
    """

    original: OriginalMessage
    transaction_id: str
    uetr: str
    status: str
    reasons: tuple[StatusReason, ...] = ()
    end_to_end_id: str | None = None
    instruction_id: str | None = None
    accepted: dt.datetime | None = None
    settlement_date: dt.date | None = None
    settled: dt.datetime | None = None


@dataclass(slots=True)
class PaymentStatus:
    """pacs.002, payment status report (ccms.900 通用处理确认, saps.604) or reply of the other bank (业务回执).

    business_id:  `GrpHdr/MsgId`
    instructing:  who reports, 0000 for the centre
    instructed:   who is told
    transactions: one; for a BEPS package up to 2 000
    """

    business_id: str
    created: dt.datetime
    instructing: str
    instructed: str
    transactions: tuple[TransactionStatus, ...]


@dataclass(slots=True)
class StatusRequest:
    """pacs.028, payment status request (业务状态查询, ccms.316).

    transaction_id, uetr: which payment; at least one of them
    original:   the message that carried it
    request_id: the asker's own number of the question
    """

    business_id: str
    created: dt.datetime
    instructing: str
    instructed: str
    transaction_id: str | None = None
    uetr: str | None = None
    original: OriginalMessage | None = None
    request_id: str | None = None


def _reasons_text(reasons: tuple[StatusReason, ...]) -> str:
    return "".join([f"<StsRsnInf>{parts.reason_text(reason)}</StsRsnInf>" for reason in reasons])


_TRANSACTION = Template(
    """
    <TxInfAndSts>
        <OrgnlGrpInf>{original:original}</OrgnlGrpInf>
        [<OrgnlInstrId>{instruction_id}</OrgnlInstrId>]
        [<OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId>]
        <OrgnlTxId>{transaction_id}</OrgnlTxId>
        <OrgnlUETR>{uetr}</OrgnlUETR>
        <TxSts>{status}</TxSts>
        {reasons:reasons}
        [<AccptncDtTm>{accepted:time}</AccptncDtTm>]
        [<FctvIntrBkSttlmDt><Dt>{settlement_date:date}</Dt></FctvIntrBkSttlmDt>]
        [<FctvIntrBkSttlmDt><DtTm>{settled:time}</DtTm></FctvIntrBkSttlmDt>]
    </TxInfAndSts>
    """,
    TransactionStatus,
    original=parts.original_text,
    reasons=_reasons_text,
)
_GROUP_HEADER = """
    <GrpHdr>
        <MsgId>{business_id}</MsgId>
        <CreDtTm>{created:time}</CreDtTm>
        <InstgAgt>{instructing:agent}</InstgAgt>
        <InstdAgt>{instructed:agent}</InstdAgt>
    </GrpHdr>
"""
_STATUS = Template(
    document(PACS_002, f"<FIToFIPmtStsRpt>{_GROUP_HEADER}{{transactions:each}}</FIToFIPmtStsRpt>"),
    PaymentStatus,
    each=each(_TRANSACTION),
)
_REQUEST = Template(
    document(
        PACS_028,
        f"""
        <FIToFIPmtStsReq>
            {_GROUP_HEADER}
            <TxInf>
                [<StsReqId>{{request_id}}</StsReqId>]
                [<OrgnlGrpInf>{{original:original}}</OrgnlGrpInf>]
                [<OrgnlTxId>{{transaction_id}}</OrgnlTxId>]
                [<OrgnlUETR>{{uetr}}</OrgnlUETR>]
            </TxInf>
        </FIToFIPmtStsReq>
        """,
    ),
    StatusRequest,
    original=parts.original_text,
)

build_status_request = _REQUEST.build


def build_payment_status(status: PaymentStatus) -> bytes:
    """The report as bytes. ValueError if a transaction has both a settlement date and a settlement moment."""
    for transaction in status.transactions:
        if transaction.settlement_date is not None and transaction.settled is not None:
            raise ValueError("settlement_date and settled: a status tells one of them")
    return _STATUS.build(status)


def read_payment_status(root: Element) -> PaymentStatus:
    """The message of a pacs.002 document that its schema has passed, which also fixes the order of its elements."""
    header, *transactions = root[0]
    business_id, created, instructing, instructed = header
    return PaymentStatus(
        business_id=read.text(business_id),
        created=read.time(created),
        instructing=read.agent(instructing),
        instructed=read.agent(instructed),
        transactions=tuple([_transaction(transaction) for transaction in transactions]),
    )


def _transaction(element: Element) -> TransactionStatus:
    known: dict[str, Element] = {}
    reasons: list[StatusReason] = []
    for child in element:
        known[name := read.local_name(child)] = child
        if name == "StsRsnInf":
            reasons.append(parts.reason(child))
    effective = known.get("FctvIntrBkSttlmDt")
    moment = None if effective is None else parts.moment(effective)
    is_moment = isinstance(moment, dt.datetime)
    return TransactionStatus(
        original=parts.original(known["OrgnlGrpInf"]),
        transaction_id=read.text(known["OrgnlTxId"]),
        uetr=read.text(known["OrgnlUETR"]),
        status=read.text(known["TxSts"]),
        reasons=tuple(reasons),
        end_to_end_id=read.text_or_none(known.get("OrgnlEndToEndId")),
        instruction_id=read.text_or_none(known.get("OrgnlInstrId")),
        accepted=parts.time_or_none(known.get("AccptncDtTm")),
        settlement_date=None if is_moment else moment,
        settled=moment if isinstance(moment, dt.datetime) else None,
    )


def read_status_request(root: Element) -> StatusRequest:
    """The message of a pacs.028 document that its schema has passed."""
    header, transaction = root[0]
    group, known = children(header), children(transaction)
    original = known.get("OrgnlGrpInf")
    return StatusRequest(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        instructing=read.agent(group["InstgAgt"]),
        instructed=read.agent(group["InstdAgt"]),
        transaction_id=read.text_or_none(known.get("OrgnlTxId")),
        uetr=read.text_or_none(known.get("OrgnlUETR")),
        original=None if original is None else parts.original(original),
        request_id=read.text_or_none(known.get("StsReqId")),
    )
