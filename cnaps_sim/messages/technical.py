"""Technical messages: admi.002 refuses a message (报文丢弃通知), admi.007 acknowledges its arrival (通信级确认)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.faults import Fault
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document

ADMI_002: Final = "admi.002.001.01"
ADMI_007: Final = "admi.007.001.01"
_LONGEST_LINE: Final = 350


@dataclass(frozen=True, slots=True)
class TechnicalRejection:
    """admi.002, technical rejection (报文丢弃通知, ccms.911). Its own id stands in the application header alone.

    reference:   business id of the refused message, or its communication id where that could not be read
    code:        ISO reason code, such as FF01
    rejected:    when it was refused
    location:    where the fault is, in element names
    description: layer and reason
    """

    reference: str
    code: str
    rejected: dt.datetime
    location: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """admi.007, receipt acknowledgement (通信级确认, ccms.990).

    reference:   communication id of the message that has arrived
    number:      its CNAPS number
    code:        four capitals or digits
    received:    when it arrived
    """

    business_id: str
    created: dt.datetime
    reference: str
    code: str
    number: str | None = None
    received: dt.datetime | None = None
    description: str | None = None


_REJECTION = Template(
    document(
        ADMI_002,
        """
        <admi.002.001.01>
            <RltdRef><Ref>{reference}</Ref></RltdRef>
            <Rsn>
                <RjctgPtyRsn>{code}</RjctgPtyRsn>
                <RjctnDtTm>{rejected:time}</RjctnDtTm>
                <ErrLctn>{location}</ErrLctn>
                [<RsnDesc>{description}</RsnDesc>]
            </Rsn>
        </admi.002.001.01>
        """,
    ),
    TechnicalRejection,
)
_RECEIPT = Template(
    document(
        ADMI_007,
        """
        <RctAck>
            <MsgId><MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm></MsgId>
            <Rpt>
                <RltdRef><Ref>{reference}</Ref>[<MsgNm>{number}</MsgNm>]</RltdRef>
                <ReqHdlg>
                    <StsCd>{code}</StsCd>
                    [<StsDtTm>{received:time}</StsDtTm>]
                    [<Desc>{description}</Desc>]
                </ReqHdlg>
            </Rpt>
        </RctAck>
        """,
    ),
    Receipt,
)

build_technical_rejection = _REJECTION.build
build_receipt = _RECEIPT.build


def rejection_of(fault: Fault, reference: str, rejected: dt.datetime) -> TechnicalRejection:
    """The technical rejection that tells a fault."""
    description = _short(f"{fault.layer.value}: {fault.reason}")
    return TechnicalRejection(reference, str(fault.code), rejected, _short(fault.path) or "message", description)


def _short(text: str) -> str:
    """One line of at most 350 characters that XML can carry; what a broken message holds may be anything."""
    letters = [letter if letter.isprintable() else "?" for letter in " ".join(text.split())]
    return "".join(letters) if len(letters) <= _LONGEST_LINE else "".join(letters[: _LONGEST_LINE - 3]) + "..."


def read_technical_rejection(root: Element) -> TechnicalRejection:
    """The message of an admi.002 document that its schema has passed."""
    reference, reason = root[0]
    known = children(reason)
    return TechnicalRejection(
        reference=read.text(reference[0]),
        code=read.text(known["RjctgPtyRsn"]),
        rejected=read.time(known["RjctnDtTm"]),
        location=read.text(known["ErrLctn"]),
        description=read.text_or_none(known.get("RsnDesc")),
    )


def read_receipt(root: Element) -> Receipt:
    """The message of an admi.007 document that its schema has passed."""
    ident, report = root[0]
    related, outcome = report
    group, named, told = children(ident), children(related), children(outcome)
    return Receipt(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        reference=read.text(named["Ref"]),
        code=read.text(told["StsCd"]),
        number=read.text_or_none(named.get("MsgNm")),
        received=parts.time_or_none(told.get("StsDtTm")),
        description=read.text_or_none(told.get("Desc")),
    )
