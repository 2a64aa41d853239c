"""Parts that several families of messages share: the original message, reasons, the query answered, moments.

Each part is a frozen dataclass, a function `…_text` that writes the inside of its element, for the slots of a
template, and a function that reads the element.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Format, Template, date_text, lines, time_text

#: The two directions (借贷方向): CRDT a credit or credit balance, DBIT a debit or debit balance.
CREDIT: Final = "CRDT"
DEBIT: Final = "DBIT"


@dataclass(slots=True)
class OriginalMessage:
    """The message that this one refers to (原报文).

    business_id: its `GrpHdr/MsgId`
    number:      its CNAPS number (hvps.111.001.01) or ISO id (pacs.008.001.08)
    created:     when it was written
    """

    business_id: str
    number: str
    created: dt.datetime | None = None


@dataclass(slots=True)
class Reason:
    """Why something is sent back, recalled, cancelled or refused (原因).

    code:        an ISO 20022 code of four characters, or a CNAPS code such as SP00
    proprietary: whether it is a CNAPS code (`Prtry`), not an ISO code (`Cd`)
    notes:       up to two lines of 105 characters (说明)
    """

    code: str
    proprietary: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """The query that a report answers (原查询): its business id, and its number or ISO id."""

    business_id: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why a query, or one item of it, has no answer (不能答复).

    code:        four capitals or digits
    description: one sentence of at most 140 characters
    """

    code: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    member: str


_ORIGINAL = Template(
    """
    <OrgnlMsgId>{business_id}</OrgnlMsgId>
    <OrgnlMsgNmId>{number}</OrgnlMsgNmId>
    [<OrgnlCreDtTm>{created:time}</OrgnlCreDtTm>]
    """,
    OriginalMessage,
)
_CODE = Template("<Rsn><Cd>{code}</Cd></Rsn>{notes:lines}", Reason, unused=["proprietary"], lines=lines("AddtlInf"))
_PROPRIETARY = Template(
    "<Rsn><Prtry>{code}</Prtry></Rsn>{notes:lines}", Reason, unused=["proprietary"], lines=lines("AddtlInf")
)
_QUERY = Template(
    "<OrgnlBizQry><MsgId>{business_id}</MsgId>[<MsgNmId>{number}</MsgNmId>]</OrgnlBizQry>",
    Query,
)
_NO_ANSWER = Template("<Err><Cd>{code}</Cd></Err>[<Desc>{description}</Desc>]", NoAnswer)

original_text = _ORIGINAL.fill
query_text = _QUERY.fill
no_answer_text = _NO_ANSWER.fill


def reason_text(reason: Reason) -> str:
    """The inside of a reason."""
    return (_PROPRIETARY if reason.proprietary else _CODE).fill(reason)


def moment_text(moment: dt.date | dt.datetime) -> str:
    """The inside of a choice of date and time: `Dt` for a date, `DtTm` for a date-time."""
    if isinstance(moment, dt.datetime):
        return f"<DtTm>{time_text(moment)}</DtTm>"
    return f"<Dt>{date_text(moment)}</Dt>"


def agents(name: str) -> Format:
    """For `{field:NAME}`: an element `name` with an agent inside for every member id of a sequence."""
    fill = Template(f"<{name}>{{member:agent}}</{name}>", _Member).fill
    return lambda members: "".join([fill(_Member(member)) for member in members])


def answer_text(write: Format) -> Format:
    """For `{answer:answer}`: what `write` makes of the answer, or `OprlErr` with a `NoAnswer`."""

    def text(answer: object) -> str:
        return f"<OprlErr>{no_answer_text(answer)}</OprlErr>" if isinstance(answer, NoAnswer) else write(answer)

    return text


def original(element: Element) -> OriginalMessage:
    """What `original_text` wrote."""
    business_id, number, *created = element
    return OriginalMessage(
        business_id=read.text(business_id),
        number=read.text(number),
        created=read.time(created[0]) if created else None,
    )


def reason(element: Element) -> Reason:
    """What `reason_text` wrote."""
    choice, *notes = element
    return Reason(
        code=read.text(choice[0]),
        proprietary=read.local_name(choice[0]) == "Prtry",
        notes=tuple([read.text(note) for note in notes]),
    )


def reason_or_none(element: Element | None) -> Reason | None:
    """The reason, None where there is no element."""
    return None if element is None else reason(element)


def query(element: Element) -> Query:
    """The query of an `OrgnlBizQry` element."""
    parts = children(element)
    return Query(business_id=read.text(parts["MsgId"]), number=read.text_or_none(parts.get("MsgNmId")))


def no_answer(element: Element) -> NoAnswer:
    """What `no_answer_text` wrote."""
    parts = children(element)
    return NoAnswer(code=read.inner_text(parts["Err"]), description=read.text_or_none(parts.get("Desc")))


def moment(element: Element) -> dt.date | dt.datetime:
    """A date of a `Dt` element inside, a date-time of a `DtTm` one."""
    inner = element[0]
    return read.time(inner) if read.local_name(inner) == "DtTm" else read.date(inner)


def moment_or_none(element: Element | None) -> dt.date | dt.datetime | None:
    return None if element is None else moment(element)


def time_or_none(element: Element | None) -> dt.datetime | None:
    return None if element is None else read.time(element)


def date_or_none(element: Element | None) -> dt.date | None:
    return None if element is None else read.date(element)


def agent_or_none(element: Element | None) -> str | None:
    return None if element is None else read.agent(element)


def account_or_none(element: Element | None) -> str | None:
    return None if element is None else read.account(element)


def fen_or_none(element: Element | None) -> int | None:
    return None if element is None else read.fen(element)


def whole_or_none(element: Element | None) -> int | None:
    return None if element is None else read.whole(element)


def inner_or_none(element: Element | None) -> str | None:
    return None if element is None else read.inner_text(element)


def repeated(element: Element, name: str) -> list[Element]:
    """The children of one name, in their order."""
    return [child for child in element if read.local_name(child) == name]
