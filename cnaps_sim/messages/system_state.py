"""The state of the business day (系统状态): camt.018 asks, camt.019 tells, admi.004 broadcasts, admi.011 acknowledges.

Phases are those of the business day: 00 preparation, 10 daytime, 20 cut-off, 30 clearing window, 40 end of day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import NoAnswer, Query
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, each, escape, lines
from cnaps_sim.words.codes import Phase

ADMI_004: Final = "admi.004.001.02"
ADMI_011: Final = "admi.011.001.01"
CAMT_018: Final = "camt.018.001.05"
CAMT_019: Final = "camt.019.001.07"

#: Event codes of the broadcasts: a system enters a phase, a system's business date changes.
PHASE_CHANGE: Final = "PHAS"
DATE_SWITCH: Final = "DATE"


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """admi.004, system event (系统事件通知, ccms.801). Its own id stands in the application header alone.

    code:        four capitals or digits, such as PHASE_CHANGE
    time:        when it takes effect
    parameters:  up to ten: system, working date, phase
    description: up to 350 characters
    """

    code: str
    time: dt.datetime
    parameters: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SystemEventReceipt:
    """admi.011, acknowledgement of a system event (系统事件确认, ccms.801).

    business_id: `MsgId`, unique per sender
    code, time, parameters, description: of the event, as in the admi.004
    event_id:    business id of the admi.004
    """

    business_id: str
    code: str
    time: dt.datetime
    event_id: str | None = None
    parameters: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class DayCriteria:
    """Which day and which of the systems HVPS, BEPS, IBPS, SAPS, NETS are asked for; no system means all."""

    date: dt.date
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayQuery:
    """camt.018, business-day query (系统状态查询, ccms.801).

    business_id: `MsgHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    criteria:    which day; None asks for the present one of all systems
    """

    business_id: str
    created: dt.datetime
    criteria: DayCriteria | None = None


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """When a system enters a phase of its day.

    phase:      the phase it enters
    scheduled:  by the timetable
    effective:  when it did
    start, end: of the phase
    """

    phase: Phase
    scheduled: dt.datetime
    effective: dt.datetime | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class SystemDay:
    """The business day of one system.

    system:   HVPS, BEPS, IBPS, SAPS or NETS
    date:     its working date, or the moment at which that began
    phase:    its present phase
    times:    one to ten phases of the day
    currency: CNY
    """

    system: str
    date: dt.date | dt.datetime
    phase: Phase
    times: tuple[PhaseTime, ...]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class UntoldSystem:
    """One system that a camt.019 says nothing about, and why."""

    system: str
    refusal: NoAnswer


@dataclass(frozen=True, slots=True)
class DayReport:
    """camt.019, business-day information (系统状态变更通知, ccms.801).

    business_id: `MsgHdr/MsgId`
    created:     when it was written, with zone
    answer:      one to five systems, or why there is nothing to tell
    query:       the camt.018 that it answers; None for a notice that nobody asked for
    """

    business_id: str
    created: dt.datetime
    answer: tuple[SystemDay | UntoldSystem, ...] | NoAnswer
    query: Query | None = None


_EVENT = """
    <EvtCd>{code}</EvtCd>
    {parameters:lines}
    [<EvtDesc>{description}</EvtDesc>]
    <EvtTm>{time:time}</EvtTm>
"""
_BROADCAST = Template(
    document(ADMI_004, f"<SysEvtNtfctn><EvtInf>{_EVENT}</EvtInf></SysEvtNtfctn>"),
    SystemEvent,
    lines=lines("EvtParam"),
)
_RECEIPT = Template(
    document(
        ADMI_011,
        f"""
        <SysEvtAck>
            <MsgId>{{business_id}}</MsgId>
            [<OrgtrRef>{{event_id}}</OrgtrRef>]
            <AckDtls>{_EVENT}</AckDtls>
        </SysEvtAck>
        """,
    ),
    SystemEventReceipt,
    lines=lines("EvtParam"),
)

_SYSTEM = "<SysId><MktInfrstrctrId><Prtry>{system}</Prtry></MktInfrstrctrId></SysId>"


def _systems_text(systems: tuple[str, ...]) -> str:
    return "".join([_SYSTEM.format(system=escape(system)) for system in systems])


_CRITERIA = Template(
    """
    <BizDayInfQryDef><Crit><NewCrit><SchCrit>
        <SysDt>{date:date}</SysDt>{systems:systems}
    </SchCrit></NewCrit></Crit></BizDayInfQryDef>
    """,
    DayCriteria,
    systems=_systems_text,
)
_HEADER = "<MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm>"
_QUERY = Template(
    document(CAMT_018, f"<GetBizDayInf><MsgHdr>{_HEADER}</MsgHdr>[{{criteria:criteria}}]</GetBizDayInf>"),
    DayQuery,
    criteria=_CRITERIA.fill,
)


def _phase_text(phase: Phase) -> str:
    return f"{phase:02d}"


_TIME = Template(
    """
    <Evt>
        <Tp><Prtry><Id>{phase:phase}</Id></Prtry></Tp>
        <SchdldTm>{scheduled:time}</SchdldTm>
        [<FctvTm>{effective:time}</FctvTm>]
        [<StartTm>{start:time}</StartTm>]
        [<EndTm>{end:time}</EndTm>]
    </Evt>
    """,
    PhaseTime,
    phase=_phase_text,
)
_DAY = Template(
    f"""
    <BizRpt>
        {_SYSTEM}
        <BizDayOrErr><BizDayInf>
            <SysDt>{{date:moment}}</SysDt>
            <SysSts><Sts><Prtry><Id>{{phase:phase}}</Id></Prtry></Sts></SysSts>
            <SysInfPerCcy>[<SysCcy>{{currency}}</SysCcy>]{{times:each}}</SysInfPerCcy>
        </BizDayInf></BizDayOrErr>
    </BizRpt>
    """,
    SystemDay,
    moment=parts.moment_text,
    phase=_phase_text,
    each=each(_TIME),
)
_UNTOLD = Template(
    f"<BizRpt>{_SYSTEM}<BizDayOrErr><BizErr>{{refusal:refusal}}</BizErr></BizDayOrErr></BizRpt>",
    UntoldSystem,
    refusal=parts.no_answer_text,
)


def _days_text(days: tuple[SystemDay | UntoldSystem, ...]) -> str:
    return "".join([(_DAY if isinstance(one, SystemDay) else _UNTOLD).fill(one) for one in days])


_REPORT = Template(
    document(
        CAMT_019,
        f"""
        <RtrBizDayInf>
            <MsgHdr>{_HEADER}[{{query:query}}]</MsgHdr>
            <RptOrErr>{{answer:answer}}</RptOrErr>
        </RtrBizDayInf>
        """,
    ),
    DayReport,
    query=parts.query_text,
    answer=parts.answer_text(_days_text),
)

#: A message as the bytes of its document.
build_system_event = _BROADCAST.build
build_system_event_receipt = _RECEIPT.build
build_day_query = _QUERY.build
build_day_report = _REPORT.build


def read_system_event(root: Element) -> SystemEvent:
    """The message of an admi.004 document that its schema has passed."""
    event = root[0][0]
    fields = children(event)
    return SystemEvent(
        code=read.text(fields["EvtCd"]),
        time=read.time(fields["EvtTm"]),
        parameters=_parameters(event),
        description=read.text_or_none(fields.get("EvtDesc")),
    )


def read_system_event_receipt(root: Element) -> SystemEventReceipt:
    """The message of an admi.011 document that its schema has passed."""
    message = children(root[0])
    event = children(message["AckDtls"])
    return SystemEventReceipt(
        business_id=read.text(message["MsgId"]),
        code=read.text(event["EvtCd"]),
        time=read.time(event["EvtTm"]),
        event_id=read.text_or_none(message.get("OrgtrRef")),
        parameters=_parameters(message["AckDtls"]),
        description=read.text_or_none(event.get("EvtDesc")),
    )


def _parameters(event: Element) -> tuple[str, ...]:
    return tuple([read.text(parameter) for parameter in parts.repeated(event, "EvtParam")])


def read_day_query(root: Element) -> DayQuery:
    """The message of a camt.018 document that its schema has passed."""
    header, *definition = root[0]
    head = children(header)
    return DayQuery(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        criteria=_criteria(definition[0][0][0][0]) if definition else None,
    )


def _criteria(element: Element) -> DayCriteria:
    date, *systems = element
    return DayCriteria(date=read.date(date), systems=tuple([read.inner_text(system) for system in systems]))


def read_day_report(root: Element) -> DayReport:
    """The message of a camt.019 document that its schema has passed."""
    header, outcome = root[0]
    head = children(header)
    query, refused = head.get("OrgnlBizQry"), read.local_name(outcome[0]) == "OprlErr"
    return DayReport(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        answer=parts.no_answer(outcome[0]) if refused else tuple([_day(day) for day in outcome]),
        query=None if query is None else parts.query(query),
    )


def _day(element: Element) -> SystemDay | UntoldSystem:
    system, outcome = element
    told = outcome[0]
    if read.local_name(told) == "BizErr":
        return UntoldSystem(read.inner_text(system), parts.no_answer(told))
    date, status, information = told
    return SystemDay(
        system=read.inner_text(system),
        date=parts.moment(date),
        phase=Phase(int(read.inner_text(status))),
        times=tuple([_time(children(time)) for time in parts.repeated(information, "Evt")]),
        currency=read.text_or_none(children(information).get("SysCcy")),
    )


def _time(fields: dict[str, Element]) -> PhaseTime:
    return PhaseTime(
        phase=Phase(int(read.inner_text(fields["Tp"]))),
        scheduled=read.time(fields["SchdldTm"]),
        effective=parts.time_or_none(fields.get("FctvTm")),
        start=parts.time_or_none(fields.get("StartTm")),
        end=parts.time_or_none(fields.get("EndTm")),
    )
