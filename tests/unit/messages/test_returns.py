"""Returns, recalls and their answers: pacs.004, camt.056, camt.029."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.parts import Reason
from cnaps_sim.messages.returns import (
    AGREED,
    CAMT_056,
    REFUSED,
    REVERSAL,
    STOP_PAYMENT,
    AnsweredPayment,
    PaymentReturn,
    Recall,
    RecallAnswer,
    RecalledPayment,
    build_recall,
)
from cnaps_sim.messages.schemas import parse, profile

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

reasons = its.BY_NAME["reason"]
recalled = its.records(
    RecalledPayment,
    reason=st.sampled_from([STOP_PAYMENT, REVERSAL, Reason("DUPL"), Reason("CUST", notes=("客户申请",))]),
)
answered = its.records(
    AnsweredPayment, reasons=its.some(reasons, least=0, most=2), status=st.sampled_from(["ACCR", "RJCR"])
)


@its.few
@given(its.records(PaymentReturn))
def test_a_return_is_read_as_it_was_built(payment):
    its.there_and_back(payment)


@its.few
@given(its.records(Recall, payments=its.some(recalled)))
def test_a_recall_is_read_as_it_was_built(recall):
    its.there_and_back(recall)


@its.few
@given(its.records(RecallAnswer, answer=st.sampled_from([AGREED, REFUSED]), payments=its.some(answered)))
def test_the_answer_to_a_recall_is_read_as_it_was_built(answer):
    its.there_and_back(answer)


def test_a_stop_payment_gives_its_reason_as_a_code_of_cnaps():
    payment = RecalledPayment(its.ORIGINAL, "T1", its.UETR, STOP_PAYMENT)
    data = build_recall(Recall("2025061700000001", its.AT, "102100099996", "103100000026", (payment,)))
    assert b"<Rsn><Prtry>SP00</Prtry></Rsn>" in data


def test_a_code_of_cnaps_that_is_no_stop_payment_or_reversal_is_refused_by_the_schema():
    payment = RecalledPayment(its.ORIGINAL, "T1", its.UETR, Reason("XX00", proprietary=True))
    data = build_recall(Recall("2025061700000001", its.AT, "102100099996", "103100000026", (payment,)))
    with pytest.raises(Refused, match="XX00"):
        profile().judge(CAMT_056, parse(data, "Document"))
