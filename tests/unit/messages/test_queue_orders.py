"""Orders about queued payments: camt.007, camt.008, and camt.025 that answers."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.queue_orders import (
    CAMT_007,
    CAMT_025,
    TO_HEAD,
    TO_TAIL,
    ByDay,
    ByNumber,
    InFull,
    QueueCancellation,
    QueueMove,
    RequestAnswer,
    build_queue_cancellation,
    build_queue_move,
    build_request_answer,
)
from cnaps_sim.messages.schemas import parse, profile

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

keys = st.one_of(its.records(ByNumber), its.records(ByDay), its.records(InFull))


@its.few
@given(its.records(QueueMove, payment=keys, change=st.sampled_from([TO_HEAD, TO_TAIL, "URGT", "HIGH", "NORM"])))
def test_a_move_is_read_as_it_was_built(move):
    its.there_and_back(move)


@its.few
@given(its.records(QueueCancellation, payment=keys))
def test_a_cancellation_is_read_as_it_was_built(cancellation):
    its.there_and_back(cancellation)


@its.few
@given(its.records(RequestAnswer, payment=keys))
def test_an_answer_is_read_as_it_was_built(answer):
    its.there_and_back(answer)


def test_a_place_is_a_code_of_cnaps_and_a_priority_one_of_iso():
    move = QueueMove("M1", its.AT, ByNumber("T1"), TO_HEAD)
    assert b"<Prty><Prtry>QC00</Prtry></Prty>" in build_queue_move(move)
    change = QueueMove("M1", its.AT, ByNumber("T1"), "URGT")
    assert b"<Prty><Cd>URGT</Cd></Prty>" in build_queue_move(change)


def test_an_empty_change_is_refused():
    data = build_queue_move(QueueMove("M1", its.AT, ByNumber("T1"), TO_HEAD))
    empty = data.replace(b"<Prty><Prtry>QC00</Prtry></Prty>", b"")
    with pytest.raises(Refused, match=r"NewPmtValSet: .*Prty"):
        profile().judge(CAMT_007, parse(empty, "Document"))


def test_a_cancellation_says_the_request_type():
    data = build_queue_cancellation(QueueCancellation("M1", its.AT, ByNumber("T1")))
    assert b"<ReqTp><PmtCtrl>RT03</PmtCtrl></ReqTp>" in data


@pytest.mark.parametrize("code", ["DON", "DONE1", "done", ""])
def test_a_status_code_has_four_capitals_or_digits(code):
    data = build_request_answer(RequestAnswer("M1", its.AT, "M0", code, "done"))
    with pytest.raises(Refused, match="StsCd"):
        profile().judge(CAMT_025, parse(data, "Document"))
