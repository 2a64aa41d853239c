"""What waits in the settlement queue: camt.005 asks, camt.006 reports (清算排队查询及应答)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import NoAnswer, Query
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, lines

CAMT_005: Final = "camt.005.001.08"
CAMT_006: Final = "camt.006.001.08"


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """camt.005, queue query (清算排队查询, saps.363), request type RT13.

    business_id:     `MsgHdr/MsgId`, unique per sender
    created:         when it was written, with zone
    transaction_ids: up to twenty payments asked for; none asks for the whole queue
    """

    business_id: str
    created: dt.datetime
    transaction_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuedPayment:
    """One waiting payment of a camt.006; its status is always pending, waiting for settlement (STLE).

    queue:           account and level, such as `102100099996-7`, at most 16 characters
    position:        place in the queue, 1 is the head (在队列中的位置)
    transaction_id:  number of the payment
    amount_fen:      above zero
    settlement_date: the working date on which it is to settle
    instructing, instructed: bank codes of the payer's and the payee's participant
    reason:          PR12 queued for settlement, PR11 queued for netting
    since:           when it was queued
    direction:       DBIT from the account that asks, CRDT to it
    business_id, number: of the message that carried it
    priority:        URGT, HIGH or NORM
    """

    queue: str
    position: int
    transaction_id: str
    amount_fen: int
    settlement_date: dt.date
    instructing: str
    instructed: str
    reason: str = "PR12"
    since: dt.date | dt.datetime | None = None
    direction: str | None = None
    business_id: str | None = None
    number: str | None = None
    priority: str | None = None
    end_to_end_id: str | None = None


@dataclass(frozen=True, slots=True)
class UntoldPayment:
    """One place of the queue that a camt.006 says nothing about, and why."""

    queue: str
    position: int
    refusal: NoAnswer


@dataclass(frozen=True, slots=True)
class QueueTotal:
    """How many payments wait, and the sum of their amounts in fen."""

    count: int
    sum_fen: int | None = None


@dataclass(frozen=True, slots=True)
class QueueContents:
    """What a camt.006 tells: the payments from the head of the queue, at least one, and their total."""

    payments: tuple[QueuedPayment | UntoldPayment, ...]
    total: QueueTotal | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a report in several messages: its number from 1, and whether it is the last."""

    number: int
    last: bool


@dataclass(frozen=True, slots=True)
class QueueReport:
    """camt.006, queue report (清算排队查询应答, saps.364).

    business_id: `MsgHdr/MsgId`
    created:     when it was written, with zone
    query:       the camt.005 that it answers
    answer:      the queue, or why there is nothing to tell (an empty queue too)
    """

    business_id: str
    created: dt.datetime
    query: Query
    answer: QueueContents | NoAnswer
    page: Page | None = None


_HEADER = "<MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm>"

_QUERY = Template(
    document(
        CAMT_005,
        f"""
        <GetTx>
            <MsgHdr>{_HEADER}<ReqTp><Enqry>RT13</Enqry></ReqTp></MsgHdr>
            [<TxQryDef><TxCrit><NewCrit><SchCrit>
                <PmtSch>{{transaction_ids:lines}}</PmtSch>
            </SchCrit></NewCrit></TxCrit></TxQryDef>]
        </GetTx>
        """,
    ),
    QueueQuery,
    lines=lines("TxId"),
)

_PLACE = "<PmtId><QId><QId>{queue}</QId><PosInQ>{position:int}</PosInQ></QId></PmtId>"
_PAYMENT = Template(
    f"""
    <TxRpt>
        {_PLACE}
        <TxOrErr><Tx>
            [<CdtDbtInd>{{direction}}</CdtDbtInd>]
            <Pmt>
                [<MsgId>{{business_id}}</MsgId>]
                <Sts>
                    <Cd><Pdg>STLE</Pdg></Cd>
                    [<DtTm>{{since:moment}}</DtTm>]
                    <Rsn><Prtry>{{reason}}</Prtry></Rsn>
                </Sts>
                <IntrBkSttlmAmt><AmtWthCcy Ccy="CNY">{{amount_fen:fen}}</AmtWthCcy></IntrBkSttlmAmt>
                [<PmtMtd><XMLMsgNm>{{number}}</XMLMsgNm></PmtMtd>]
                [<Prty><Cd>{{priority}}</Cd></Prty>]
                <TxId>{{transaction_id}}</TxId>
                <IntrBkSttlmDt>{{settlement_date:date}}</IntrBkSttlmDt>
                [<EndToEndId>{{end_to_end_id}}</EndToEndId>]
                <Pties>
                    <InstgAgt>{{instructing:agent}}</InstgAgt>
                    <InstdAgt>{{instructed:agent}}</InstdAgt>
                </Pties>
            </Pmt>
        </Tx></TxOrErr>
    </TxRpt>
    """,
    QueuedPayment,
    moment=parts.moment_text,
)
_UNTOLD = Template(
    f"<TxRpt>{_PLACE}<TxOrErr><BizErr>{{refusal:refusal}}</BizErr></TxOrErr></TxRpt>",
    UntoldPayment,
    refusal=parts.no_answer_text,
)


def _payments_text(payments: tuple[QueuedPayment | UntoldPayment, ...]) -> str:
    return "".join([(_PAYMENT if isinstance(one, QueuedPayment) else _UNTOLD).fill(one) for one in payments])


_TOTAL = Template("<NbOfNtries>{count:int}</NbOfNtries>[<Sum>{sum_fen:fen}</Sum>]", QueueTotal)
_CONTENTS = Template(
    "<BizRpt>[<TxsSummry>{total:total}</TxsSummry>]{payments:payments}</BizRpt>",
    QueueContents,
    total=_TOTAL.fill,
    payments=_payments_text,
)
_PAGE = Template("<PgNb>{number:int}</PgNb><LastPgInd>{last:flag}</LastPgInd>", Page)
_REPORT = Template(
    document(
        CAMT_006,
        f"""
        <RtrTx>
            <MsgHdr>{_HEADER}[<MsgPgntn>{{page:page}}</MsgPgntn>]{{query:query}}</MsgHdr>
            <RptOrErr>{{answer:answer}}</RptOrErr>
        </RtrTx>
        """,
    ),
    QueueReport,
    page=_PAGE.fill,
    query=parts.query_text,
    answer=parts.answer_text(_CONTENTS.fill),
)

#: A message as the bytes of its document.
build_queue_query = _QUERY.build
build_queue_report = _REPORT.build


def read_queue_query(root: Element) -> QueueQuery:
    """The message of a camt.005 document that its schema has passed."""
    header, *definition = root[0]
    head = children(header)
    return QueueQuery(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        transaction_ids=read.texts(definition[0][0][0][0][0]) if definition else (),
    )


def read_queue_report(root: Element) -> QueueReport:
    """The message of a camt.006 document that its schema has passed."""
    header, outcome = root[0]
    head, answer = children(header), outcome[0]
    page = head.get("MsgPgntn")
    return QueueReport(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        query=parts.query(head["OrgnlBizQry"]),
        answer=parts.no_answer(answer) if read.local_name(answer) == "OprlErr" else _contents(answer),
        page=None if page is None else Page(number=read.whole(page[0]), last=read.flag(page[1])),
    )


def _contents(element: Element) -> QueueContents:
    fields = children(element)
    summary = fields.get("TxsSummry")
    return QueueContents(
        payments=tuple([_payment(payment) for payment in parts.repeated(element, "TxRpt")]),
        total=None if summary is None else _total(children(summary)),
    )


def _total(fields: dict[str, Element]) -> QueueTotal:
    return QueueTotal(count=read.whole(fields["NbOfNtries"]), sum_fen=parts.fen_or_none(fields.get("Sum")))


def _payment(element: Element) -> QueuedPayment | UntoldPayment:
    place, outcome = element
    queue, position = place[0]
    told = outcome[0]
    if read.local_name(told) == "BizErr":
        return UntoldPayment(read.text(queue), read.whole(position), parts.no_answer(told))
    entry = children(told)
    fields = children(entry["Pmt"])
    status = children(fields["Sts"])
    instructing, instructed = fields["Pties"]
    return QueuedPayment(
        queue=read.text(queue),
        position=read.whole(position),
        transaction_id=read.text(fields["TxId"]),
        amount_fen=read.fen(fields["IntrBkSttlmAmt"][0]),
        settlement_date=read.date(fields["IntrBkSttlmDt"]),
        instructing=read.agent(instructing),
        instructed=read.agent(instructed),
        reason=read.inner_text(status["Rsn"]),
        since=parts.moment_or_none(status.get("DtTm")),
        direction=read.text_or_none(entry.get("CdtDbtInd")),
        business_id=read.text_or_none(fields.get("MsgId")),
        number=parts.inner_or_none(fields.get("PmtMtd")),
        priority=parts.inner_or_none(fields.get("Prty")),
        end_to_end_id=read.text_or_none(fields.get("EndToEndId")),
    )
