"""Limits and reservations: camt.009, camt.010, camt.011, camt.012, camt.103."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.limits import (
    BILATERAL,
    CAMT_103,
    FOR_HIGH,
    FOR_URGENT,
    MULTILATERAL,
    NET_DEBIT_CAP,
    Limit,
    LimitCriteria,
    LimitDeletion,
    LimitKey,
    LimitQuery,
    LimitReport,
    LimitSetting,
    NewLimit,
    Reservation,
    UntoldLimit,
    build_limit_query,
    build_reservation,
)
from cnaps_sim.messages.parts import NoAnswer
from cnaps_sim.messages.schemas import parse, profile

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

kinds = st.sampled_from([NET_DEBIT_CAP, BILATERAL, MULTILATERAL])
keys = its.records(LimitKey, kind=kinds)
zero = its.zero_or_more
limits = its.records(
    Limit,
    key=keys,
    amount_fen=zero,
    used_fen=zero,
    used_direction=its.direction,
    remaining_fen=zero,
    status=st.sampled_from(["ENAB", "DISA"]),
)
refusals = its.records(NoAnswer)
untold = its.records(UntoldLimit, key=keys, refusal=refusals)
criteria = its.records(LimitCriteria, kinds=its.some(kinds), counterparties=its.some(its.bank, least=0, most=20))


@its.few
@given(its.records(LimitQuery, criteria=criteria))
def test_a_limit_query_is_read_as_it_was_built(query):
    its.there_and_back(query)


@its.few
@given(its.records(LimitReport, answer=its.some(limits | untold) | refusals))
def test_a_limit_report_is_read_as_it_was_built(report):
    its.there_and_back(report)


@its.few
@given(its.records(LimitSetting, limits=its.some(its.records(NewLimit, key=keys, amount_fen=zero), most=20)))
def test_a_limit_setting_is_read_as_it_was_built(setting):
    its.there_and_back(setting)


@its.few
@given(its.records(LimitDeletion, key=keys))
def test_a_limit_deletion_is_read_as_it_was_built(deletion):
    its.there_and_back(deletion)


@its.few
@given(its.records(Reservation, kind=st.sampled_from([FOR_URGENT, FOR_HIGH]), amount_fen=zero))
def test_a_reservation_is_read_as_it_was_built(reservation):
    its.there_and_back(reservation)


def test_a_query_without_criteria_asks_for_all_limits():
    assert b"LmtQryDef" not in build_limit_query(LimitQuery("M1", its.AT))


def test_a_kind_of_reservation_that_is_not_known_is_refused():
    data = build_reservation(Reservation("M1", its.AT, "BLKD", "102100099996", 0))
    with pytest.raises(Refused, match="RsvatnId/Tp/Cd: 'BLKD'"):
        profile().judge(CAMT_103, parse(data, "Document"))
