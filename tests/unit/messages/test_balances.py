"""Balances asked for and reported: camt.003, camt.004."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.balances import (
    AVAILABLE,
    BOOK,
    CAP,
    EARMARKED,
    EXPECTED,
    HEADROOM,
    POSITION,
    QUEUED,
    AccountBalance,
    AccountBalances,
    BalanceQuery,
    BalanceReport,
    MultilateralLimit,
    UntoldAccount,
    build_balance_query,
    build_balance_report,
)
from cnaps_sim.messages.parts import CREDIT, DEBIT, NoAnswer, Query

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

KINDS = [BOOK, AVAILABLE, QUEUED, EXPECTED, EARMARKED, CAP, POSITION, HEADROOM]
balances = its.records(
    AccountBalance,
    kind=st.sampled_from(KINDS),
    amount_fen=its.zero_or_more,
    status=st.sampled_from(["PDNG", "STLD"]),
    count=its.count,
)
limits = its.records(MultilateralLimit, amount_fen=its.zero_or_more)
accounts = its.records(
    AccountBalances, balances=its.some(balances, most=5), name=its.name(70), limit=limits, owner=its.name(140)
)
refusals = its.records(NoAnswer)
untold = its.records(UntoldAccount, refusal=refusals)


@its.few
@given(its.records(BalanceQuery, accounts=its.some(its.name(34), least=0, most=20)))
def test_a_balance_query_is_read_as_it_was_built(query):
    its.there_and_back(query)


@its.few
@given(its.records(BalanceReport, answer=its.some(accounts | untold) | refusals))
def test_a_balance_report_is_read_as_it_was_built(report):
    its.there_and_back(report)


def test_a_basket_query_names_no_account():
    assert b"AcctQryDef" not in build_balance_query(BalanceQuery("M1", its.AT))


def test_available_and_queued_are_told_with_codes_of_iso_and_the_cap_with_one_of_cnaps():
    told = (
        AccountBalance.of(AVAILABLE, 80_00),
        AccountBalance(QUEUED, 100_00, DEBIT, count=1),
        AccountBalance(QUEUED, 30_00, CREDIT, count=2),
        AccountBalance.of(CAP, 300_00),
    )
    account = AccountBalances("102100099996", told)
    data = build_balance_report(BalanceReport("M2", its.AT, Query("M1"), (account,)))
    assert b"<MulBal><Amt>80.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Tp><Cd>AVLB</Cd></Tp></MulBal>" in data
    assert b"<CdtDbtInd>DBIT</CdtDbtInd><Tp><Cd>PDNG</Cd></Tp><NbOfPmts>1</NbOfPmts>" in data
    assert b"<Tp><Prtry>NCAP</Prtry></Tp>" in data
    assert account.find(QUEUED, CREDIT) == told[2]
    assert account.find(BOOK) is None


def test_a_balance_below_zero_is_a_debit_balance():
    balance = AccountBalance.of(BOOK, -5)
    assert (balance.amount_fen, balance.direction, balance.signed_fen) == (5, DEBIT, -5)
