"""Nets of a round (轧差净额): pacs.029 submits them for settlement, camt.088 tells each participant its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import CREDIT, DEBIT
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, count, document, each

PACS_029: Final = "pacs.029.001.01"
CAMT_088: Final = "camt.088.001.01"

#: Directions of a participant's obligation in a camt.088: it pays (应付), it receives (应收), neither.
PAYS: Final = "PAYM"
RECEIVES: Final = "RECE"
NEITHER: Final = "NONE"


@dataclass(frozen=True, slots=True)
class NetRecord:
    """The net of one participant in a pacs.029.

    record_id:   number of the net (净额号)
    participant: bank code
    amount_fen:  above zero
    direction:   CREDIT it receives (应收), DEBIT it pays (应付)
    sequence:    place in the list
    name:        name of the participant
    """

    record_id: str
    participant: str
    amount_fen: int
    direction: str
    sequence: int | None = None
    name: str | None = None

    @property
    def signed_fen(self) -> int:
        """The net, below zero for a participant that pays."""
        return -self.amount_fen if self.direction == DEBIT else self.amount_fen


@dataclass(frozen=True, slots=True)
class RoundNets:
    """pacs.029, nets of a round for settlement (轧差净额提交清算, hvps.631).

    business_id:     `GrpHdr/MsgId`
    created:         when it was written, with zone
    request_id:      number of the settlement request
    round_id:        the netting session (场次)
    records:         two or more; what is paid equals what is received
    priority:        URGT, HIGH or NORM
    control_sum_fen: sum of all amounts, credits and debits; None leaves it out
    """

    business_id: str
    created: dt.datetime
    request_id: str
    round_id: str
    records: tuple[NetRecord, ...]
    priority: str | None = None
    control_sum_fen: int | None = None

    @property
    def credits_fen(self) -> int:
        """What all creditors receive."""
        return sum(record.amount_fen for record in self.records if record.direction == CREDIT)

    @property
    def debits_fen(self) -> int:
        """What all debtors pay."""
        return sum(record.amount_fen for record in self.records if record.direction == DEBIT)


@dataclass(frozen=True, slots=True)
class NetNotice:
    """camt.088, net position notice (轧差净额通知, saps.601): what one participant owes or is owed after a round.

    business_id:      `NetRptData/MsgId`
    created:          when it was written, with zone
    cut_off:          time of day at which the round closed, with zone (轧差时刻)
    report_date:      business date of the round
    value_date:       working date on which its nets settle
    participant:      bank code
    obligation_id:    number of its net
    amount_fen:       zero or more
    round_id:         the netting session (场次)
    direction:        PAYS, RECEIVES or NEITHER
    counterparty:     bank code of the central bank's participant, or 0000
    system:           HVPS, BEPS or IBPS
    payments:         how many payments were netted
    """

    business_id: str
    created: dt.datetime
    cut_off: dt.time
    report_date: dt.date
    value_date: dt.date
    participant: str
    obligation_id: str
    amount_fen: int
    round_id: str
    direction: str
    counterparty: str
    system: str | None = None
    payments: int | None = None
    participant_name: str | None = None
    counterparty_name: str | None = None


_RECORD = Template(
    """
    <MvmntRcrd>
        <Id>{record_id}</Id>
        [<SeqNb>{sequence:int}</SeqNb>]
        <Amt><Amt Ccy="CNY">{amount_fen:fen}</Amt><CdtDbt>{direction}</CdtDbt></Amt>
        <Ptcpt>
            [<Nm>{name}</Nm>]
            <Id><OrgId><Othr><Id>{participant}</Id><SchmeNm><Prtry>CNAPS</Prtry></SchmeNm></Othr></OrgId></Id>
        </Ptcpt>
    </MvmntRcrd>
    """,
    NetRecord,
)
_NETS = Template(
    document(
        PACS_029,
        """
        <MulSttlmReq>
            <GrpHdr>
                <MsgId>{business_id}</MsgId>
                <CreDtTm>{created:time}</CreDtTm>
                <NbOfSttlmReqs>1</NbOfSttlmReqs>
                [<CtrlSum>{control_sum_fen:fen}</CtrlSum>]
            </GrpHdr>
            <SttlmReq>
                <InstrId>{request_id}</InstrId>
                [<SttlmPrty>{priority}</SttlmPrty>]
                <SttlmCycl>{round_id}</SttlmCycl>
                <NbOfMvmntRcrds>{records:count}</NbOfMvmntRcrds>
                {records:each}
            </SttlmReq>
        </MulSttlmReq>
        """,
    ),
    RoundNets,
    each=each(_RECORD),
    count=count,
)


def _clock_text(time: dt.time) -> str:
    if time.tzinfo is None:
        raise ValueError("a time of day without a zone; give it +08:00")
    return time.isoformat(timespec="milliseconds")


_NOTICE = Template(
    document(
        CAMT_088,
        """
        <NetRpt>
            <NetRptData>
                <MsgId>{business_id}</MsgId>
                <CreDtTm>{created:time}</CreDtTm>
                <NetgCutOffTm>{cut_off:clock}</NetgCutOffTm>
                <RptDt>{report_date:date}</RptDt>
                <ValDt>{value_date:date}</ValDt>
                [<NetSvcTp>{system}</NetSvcTp>]
            </NetRptData>
            <NetSvcPtcptId><PtyId>
                [<PtyNm>{participant_name}</PtyNm>]
                <AcctNb>{participant}</AcctNb>
                <ClrSysId><Cd>CNAPS</Cd></ClrSysId>
            </PtyId></NetSvcPtcptId>
            <NetOblgtn>
                <OblgtnId>{obligation_id}</OblgtnId>
                <Amt Ccy="CNY">{amount_fen:fen}</Amt>
                <PtcptNetgId><NetgGrpId>{round_id}</NetgGrpId></PtcptNetgId>
                <OblgtnDrctn>{direction}</OblgtnDrctn>
                <CtrPtyNetgId><TradPty><PtyId>
                    [<PtyNm>{counterparty_name}</PtyNm>]
                    <AcctNb>{counterparty}</AcctNb>
                    <ClrSysId><Cd>CNAPS</Cd></ClrSysId>
                </PtyId></TradPty></CtrPtyNetgId>
                [<TxsNb>{payments:int}</TxsNb>]
            </NetOblgtn>
        </NetRpt>
        """,
    ),
    NetNotice,
    clock=_clock_text,
)

#: A notice as the bytes of its document.
build_net_notice = _NOTICE.build


def build_round_nets(nets: RoundNets) -> bytes:
    """The nets as bytes. ValueError with fewer than two records, or if what is paid is not what is received."""
    if len(nets.records) < 2:
        raise ValueError(f"records: a round has at least two nets, this one {len(nets.records)}")
    if nets.debits_fen != nets.credits_fen:
        raise ValueError(f"records: debits of {nets.debits_fen} fen are not credits of {nets.credits_fen} fen")
    return _NETS.build(nets)


def read_round_nets(root: Element) -> RoundNets:
    """The message of a pacs.029 document that its schema has passed."""
    header, request = root[0]
    group, fields = children(header), children(request)
    return RoundNets(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        request_id=read.text(fields["InstrId"]),
        round_id=read.text(fields["SttlmCycl"]),
        records=tuple([_record(record) for record in parts.repeated(request, "MvmntRcrd")]),
        priority=read.text_or_none(fields.get("SttlmPrty")),
        control_sum_fen=parts.fen_or_none(group.get("CtrlSum")),
    )


def _record(element: Element) -> NetRecord:
    fields = children(element)
    participant, amount = children(fields["Ptcpt"]), fields["Amt"]
    return NetRecord(
        record_id=read.text(fields["Id"]),
        participant=read.inner_text(participant["Id"]),
        amount_fen=read.fen(amount[0]),
        direction=read.text(amount[1]),
        sequence=parts.whole_or_none(fields.get("SeqNb")),
        name=read.text_or_none(participant.get("Nm")),
    )


def read_net_notice(root: Element) -> NetNotice:
    """The message of a camt.088 document that its schema has passed."""
    header, participant, obligation = root[0]
    head, fields = children(header), children(obligation)
    own, other = children(participant[0]), children(fields["CtrPtyNetgId"][0][0])
    return NetNotice(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        cut_off=dt.time.fromisoformat(read.text(head["NetgCutOffTm"]).strip()),
        report_date=read.date(head["RptDt"]),
        value_date=read.date(head["ValDt"]),
        participant=read.text(own["AcctNb"]),
        obligation_id=read.text(fields["OblgtnId"]),
        amount_fen=read.fen(fields["Amt"]),
        round_id=read.inner_text(fields["PtcptNetgId"]),
        direction=read.text(fields["OblgtnDrctn"]),
        counterparty=read.text(other["AcctNb"]),
        system=read.text_or_none(head.get("NetSvcTp")),
        payments=parts.whole_or_none(fields.get("TxsNb")),
        participant_name=read.text_or_none(own.get("PtyNm")),
        counterparty_name=read.text_or_none(other.get("PtyNm")),
    )
