"""The business day: admi.004, admi.011, camt.018, camt.019."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.parts import NoAnswer
from cnaps_sim.messages.system_state import (
    PHASE_CHANGE,
    DayCriteria,
    DayQuery,
    DayReport,
    PhaseTime,
    SystemDay,
    SystemEvent,
    SystemEventReceipt,
    UntoldSystem,
    build_day_report,
    build_system_event,
)
from cnaps_sim.words.codes import Phase

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

systems = st.sampled_from(["HVPS", "BEPS", "IBPS", "SAPS", "NETS"])
phases = st.sampled_from(Phase)
parameters = its.some(its.reference, least=0, most=10)
times = its.records(PhaseTime, phase=phases, scheduled=its.time, effective=its.time, start=its.time, end=its.time)
days = its.records(SystemDay, system=systems, date=its.moment, phase=phases, times=its.some(times, most=10))
refusals = its.records(NoAnswer)
untold = its.records(UntoldSystem, system=systems, refusal=refusals)
criteria = its.records(DayCriteria, date=its.date, systems=its.some(systems, least=0, most=5))


@its.few
@given(its.records(SystemEvent, parameters=parameters, description=its.line(350)))
def test_a_broadcast_is_read_as_it_was_built(event):
    its.there_and_back(event)


@its.few
@given(its.records(SystemEventReceipt, parameters=parameters, description=its.line(350)))
def test_an_acknowledgement_is_read_as_it_was_built(receipt):
    its.there_and_back(receipt)


@its.few
@given(its.records(DayQuery, criteria=criteria))
def test_a_day_query_is_read_as_it_was_built(query):
    its.there_and_back(query)


@its.few
@given(its.records(DayReport, answer=its.some(days | untold, most=5) | refusals))
def test_a_day_report_is_read_as_it_was_built(report):
    its.there_and_back(report)


def test_a_phase_is_told_with_its_two_digits():
    day = SystemDay("HVPS", its.AT.date(), Phase.PREPARATION, (PhaseTime(Phase.DAYTIME, its.AT),))
    data = build_day_report(DayReport("M1", its.AT, (day,)))
    assert b"<SysSts><Sts><Prtry><Id>00</Id></Prtry></Sts></SysSts>" in data
    assert b"<Evt><Tp><Prtry><Id>10</Id></Prtry></Tp>" in data


def test_a_broadcast_has_no_id_of_its_own():
    data = build_system_event(SystemEvent(PHASE_CHANGE, its.AT, ("HVPS", "2025-06-17", "10")))
    assert b"MsgId" not in data
    assert data.count(b"<EvtParam>") == 3
