"""The settlement queue asked for and reported: camt.005, camt.006."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.parts import NoAnswer, Query
from cnaps_sim.messages.queue_reports import (
    Page,
    QueueContents,
    QueuedPayment,
    QueueQuery,
    QueueReport,
    QueueTotal,
    UntoldPayment,
    build_queue_query,
    build_queue_report,
    read_queue_query,
    read_queue_report,
)
from cnaps_sim.messages.schemas import parse

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

refusals = its.records(NoAnswer)
queue, position = its.name(16), st.integers(0, 999_999)
payments = its.records(QueuedPayment, queue=queue, position=position, reason=st.sampled_from(["PR11", "PR12"]))
untold = its.records(UntoldPayment, queue=queue, position=position, refusal=refusals)
totals = its.records(QueueTotal, count=its.count, sum_fen=its.zero_or_more)
contents = its.records(QueueContents, payments=its.some(payments | untold), total=totals)
pages = its.records(Page, number=st.integers(1, 99_999), last=st.booleans())


@its.few
@given(its.records(QueueQuery, transaction_ids=its.some(its.reference, least=0, most=20)))
def test_a_queue_query_is_read_as_it_was_built(query):
    its.there_and_back(query)


@its.few
@given(its.records(QueueReport, answer=contents | refusals, page=pages))
def test_a_queue_report_is_read_as_it_was_built(report):
    its.there_and_back(report)


def test_a_query_without_payments_asks_for_the_whole_queue():
    data = build_queue_query(QueueQuery("M1", its.AT))
    assert b"<ReqTp><Enqry>RT13</Enqry></ReqTp>" in data
    assert b"TxQryDef" not in data
    assert read_queue_query(parse(data, "Document")).transaction_ids == ()


def test_an_empty_queue_is_answered_with_a_reason():
    report = QueueReport("M2", its.AT, Query("M1"), NoAnswer("NONE", "no payment is queued"))
    data = build_queue_report(report)
    assert b"<OprlErr><Err><Cd>NONE</Cd></Err><Desc>no payment is queued</Desc></OprlErr>" in data
    assert read_queue_report(parse(data, "Document")).answer == report.answer


def test_a_waiting_payment_is_pending_with_its_place():
    payment = QueuedPayment("102100099996-7", 3, "T1", 100, its.AT.date(), "102100099996", "103100000026")
    data = build_queue_report(QueueReport("M2", its.AT, Query("M1"), QueueContents((payment,))))
    assert b"<QId><QId>102100099996-7</QId><PosInQ>3</PosInQ></QId>" in data
    assert b"<Sts><Cd><Pdg>STLE</Pdg></Cd><Rsn><Prtry>PR12</Prtry></Rsn></Sts>" in data
