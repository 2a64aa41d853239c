"""Statements: camt.052, camt.053, camt.054, camt.060."""

import dataclasses
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.entries import (
    CLOSING,
    CLOSING_AVAILABLE,
    INTERIM,
    INTERIM_AVAILABLE,
    OPENING,
    Agents,
    BookBalance,
    Entry,
    EntryDetail,
    StatedAccount,
    Totals,
)
from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.parts import CREDIT, DEBIT
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.statements import (
    CAMT_052,
    CAMT_053,
    BookingNotice,
    DatePeriod,
    IntradayReport,
    Period,
    ReportRequest,
    Statement,
    build_statement,
    read_statement,
)

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

KINDS = [OPENING, INTERIM, CLOSING, INTERIM_AVAILABLE, CLOSING_AVAILABLE]
balances = its.records(BookBalance, kind=st.sampled_from(KINDS), amount_fen=its.zero_or_more)
totals = its.records(
    Totals, credits=its.count, credits_fen=its.zero_or_more, debits=its.count, debits_fen=its.zero_or_more
)
details = its.records(EntryDetail, agents=its.records(Agents))
entries = its.records(
    Entry,
    kind=its.reference,
    servicer_reference=its.reference,
    details=its.some(details, least=0, most=2),
    information=its.line(350),
)
accounts = its.records(StatedAccount, number=its.name(34), name=its.name(70))
told = {
    "account": accounts,
    "entries": its.some(entries, least=0),
    "period": its.records(Period, start=its.time, end=its.time),
    "totals": totals,
}


@its.few
@given(its.records(IntradayReport, **told, balances=its.some(balances, most=5)))
def test_an_intraday_report_is_read_as_it_was_built(report):
    its.there_and_back(report)


@its.few
@given(its.records(Statement, **told, balances=its.some(balances, least=2, most=4)))
def test_a_statement_is_read_as_it_was_built(statement):
    its.there_and_back(statement)


@its.few
@given(its.records(BookingNotice, account=accounts, entries=its.some(entries)))
def test_a_booking_notice_is_read_as_it_was_built(notice):
    its.there_and_back(notice)


@its.few
@given(
    its.records(
        ReportRequest,
        wanted=st.sampled_from([CAMT_052, CAMT_053]),
        period=its.records(DatePeriod, start=its.date, end=its.date),
    )
)
def test_a_report_request_is_read_as_it_was_built(request):
    its.there_and_back(request)


@pytest.fixture
def statement():
    day = its.AT.date()
    return Statement(
        "M1",
        its.AT,
        "S1",
        its.AT,
        StatedAccount("102100099996"),
        (BookBalance.of(OPENING, 100_00, day), BookBalance.of(CLOSING, -20_00, day)),
        (Entry(150_00, DEBIT, its.AT, "hvps.111.001.01"), Entry(30_00, CREDIT, its.AT, "hvps.112.001.01")),
    )


def test_the_entries_of_a_statement_lead_from_its_opening_to_its_closing_balance(statement):
    read = read_statement(parse(build_statement(statement), "Document"))
    moved = sum(entry.signed_fen for entry in read.entries)
    assert read.balance(OPENING).signed_fen + moved == read.balance(CLOSING).signed_fen == -20_00
    assert read.balance(INTERIM) is None


def test_a_statement_without_a_balance_is_refused(statement):
    data = build_statement(dataclasses.replace(statement, balances=(), entries=()))
    with pytest.raises(Refused, match=r"Stmt: .*Bal"):
        profile().judge(CAMT_053, parse(data, "Document"))


def test_an_amount_below_zero_is_a_mistake_of_the_caller(statement):
    wrong = dataclasses.replace(statement.balances[0], amount_fen=-1)
    with pytest.raises(ValueError, match="no sign"):
        build_statement(dataclasses.replace(statement, balances=(wrong, wrong)))
