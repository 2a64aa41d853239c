"""The business application header (业务应用头, BAH, head.001): who sends which document to whom, under which id."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.catalogue import APP_HEADER, ISO_NAMESPACE
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template


@dataclass(slots=True)
class Related:
    """The application header of the message that this one answers."""

    from_member: str
    to_member: str
    business_id: str
    message_id: str
    created: dt.datetime


@dataclass(slots=True)
class AppHeader:
    """head.001, the business application header.

    from_member, to_member: bank codes of the two parties, 0000 for the national centre
    business_id: the document's own id (`GrpHdr/MsgId`); the only one that admi.002 and admi.004 have
    message_id:  ISO 20022 id of the document, such as pacs.008.001.08 (MsgDefIdr)
    created:     when the message was written, with zone
    number:      CNAPS number of the message, such as hvps.111.001.01 (BizSvc)
    processed:   when the sender processed what it tells
    copy:        COPY or DUPL
    possible_duplicate: the sender does not know whether an earlier sending arrived
    priority:    URGT, HIGH or NORM
    related:     header of the message that this one answers
    """

    from_member: str
    to_member: str
    business_id: str
    message_id: str
    created: dt.datetime
    number: str | None = None
    processed: dt.datetime | None = None
    copy: str | None = None
    possible_duplicate: bool | None = None
    priority: str | None = None
    related: Related | None = None


NAMESPACE: Final = ISO_NAMESPACE + APP_HEADER

_PARTIES = """
    <Fr><FIId>{from_member:agent}</FIId></Fr>
    <To><FIId>{to_member:agent}</FIId></To>
    <BizMsgIdr>{business_id}</BizMsgIdr>
    <MsgDefIdr>{message_id}</MsgDefIdr>
"""
_RELATED = Template(f"<Rltd>{_PARTIES}<CreDt>{{created:time}}</CreDt></Rltd>", Related)
_APP_HEADER = Template(
    f"""
    <AppHdr xmlns="{NAMESPACE}">
        {_PARTIES}
        [<BizSvc>{{number}}</BizSvc>]
        <CreDt>{{created:time}}</CreDt>
        [<BizPrcgDt>{{processed:time}}</BizPrcgDt>]
        [<CpyDplct>{{copy}}</CpyDplct>]
        [<PssblDplct>{{possible_duplicate:flag}}</PssblDplct>]
        [<Prty>{{priority}}</Prty>]
        [{{related:related}}]
    </AppHdr>
    """,
    AppHeader,
    related=_RELATED.fill,
)

#: The header as bytes, without an XML declaration.
build_app_header = _APP_HEADER.build


_AGENT = (
    "<FIId><FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>([0-9]{12}|0000)</MmbId>"
    "</ClrSysMmbId></FinInstnId></FIId>"
)
_NAME = r"([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})"
_USUAL = re.compile(
    f'<AppHdr xmlns="{NAMESPACE}"><Fr>{_AGENT}</Fr><To>{_AGENT}</To><BizMsgIdr>([0-9]{{1,35}})</BizMsgIdr>'
    f"<MsgDefIdr>{_NAME}</MsgDefIdr>(?:<BizSvc>{_NAME}</BizSvc>)?"
    r"<CreDt>(2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+08:00)</CreDt></AppHdr>"
)


def read_usual(data: bytes) -> AppHeader | None:
    """A header exactly as `build_app_header` writes the usual one, read by its letters; None for any other.

    Three times as fast as parsing, judging and reading it, and what it reads the schema passes: every letter is the
    template's, and the values stand under narrower forms than the schema's. Any other header goes the long way.
    """
    found = _USUAL.fullmatch(data.decode("latin-1"))
    if found is None:
        return None
    from_member, to_member, business_id, message_id, number, created = found.groups()
    try:
        moment = dt.datetime.fromisoformat(created)
    except ValueError:
        return None  # the schema says why
    return AppHeader(from_member, to_member, business_id, message_id, moment, number)


def read_app_header(root: Element) -> AppHeader:
    """The header of an `AppHdr` element that its schema has passed."""
    parts = children(root)
    processed, duplicate, related = parts.get("BizPrcgDt"), parts.get("PssblDplct"), parts.get("Rltd")
    return AppHeader(
        from_member=read.agent(parts["Fr"][0]),
        to_member=read.agent(parts["To"][0]),
        business_id=read.text(parts["BizMsgIdr"]),
        message_id=read.text(parts["MsgDefIdr"]),
        created=read.time(parts["CreDt"]),
        number=read.text_or_none(parts.get("BizSvc")),
        processed=None if processed is None else read.time(processed),
        copy=read.text_or_none(parts.get("CpyDplct")),
        possible_duplicate=None if duplicate is None else read.flag(duplicate),
        priority=read.text_or_none(parts.get("Prty")),
        related=None if related is None else _related(related),
    )


def _related(element: Element) -> Related:
    parts = children(element)
    return Related(
        from_member=read.agent(parts["Fr"][0]),
        to_member=read.agent(parts["To"][0]),
        business_id=read.text(parts["BizMsgIdr"]),
        message_id=read.text(parts["MsgDefIdr"]),
        created=read.time(parts["CreDt"]),
    )
