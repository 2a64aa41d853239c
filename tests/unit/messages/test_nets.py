"""Nets of a round: pacs.029, camt.088."""

import dataclasses
import datetime as dt
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.nets import (
    NEITHER,
    PAYS,
    RECEIVES,
    NetNotice,
    NetRecord,
    RoundNets,
    build_net_notice,
    build_round_nets,
)
from cnaps_sim.messages.parts import CREDIT, DEBIT
from cnaps_sim.messages.xmltext import CHINA

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))


@st.composite
def balanced(draw):
    """Two to five nets: debits of any amount, and one credit of their sum."""
    debits = draw(
        its.some(
            its.records(
                NetRecord,
                direction=st.just(DEBIT),
                amount_fen=st.integers(1, 10**16),
                sequence=its.count,
                name=its.name(140),
            ),
            most=4,
        )
    )
    total = sum(debit.amount_fen for debit in debits)
    return (*debits, dataclasses.replace(debits[0], direction=CREDIT, amount_fen=total))


clock = st.builds(lambda time, ms: time.replace(microsecond=1000 * ms, tzinfo=CHINA), st.times(), st.integers(0, 999))


@its.few
@given(its.records(RoundNets, records=balanced()))
def test_the_nets_of_a_round_are_read_as_they_were_built(nets):
    its.there_and_back(nets)


@its.few
@given(
    its.records(
        NetNotice,
        cut_off=clock,
        report_date=its.date,
        value_date=its.date,
        amount_fen=its.zero_or_more,
        direction=st.sampled_from([PAYS, RECEIVES, NEITHER]),
        payments=its.count,
        participant_name=its.name(34),
        counterparty_name=its.name(34),
    )
)
def test_a_net_notice_is_read_as_it_was_built(notice):
    its.there_and_back(notice)


def test_nets_that_do_not_balance_are_not_built():
    records = (
        NetRecord("1", "102100099996", 100, DEBIT),
        NetRecord("2", "103100000026", 60, CREDIT),
        NetRecord("3", "104100000004", 41, CREDIT),
    )
    nets = RoundNets("M1", its.AT, "R1", "20250617-03", records)
    assert (nets.debits_fen, nets.credits_fen) == (100, 101)
    with pytest.raises(ValueError, match="debits of 100 fen are not credits of 101 fen"):
        build_round_nets(nets)


def test_a_round_has_at_least_two_nets():
    with pytest.raises(ValueError, match="at least two nets, this one 0"):
        build_round_nets(RoundNets("M1", its.AT, "R1", "20250617-03", ()))


def test_the_time_of_a_cut_off_has_a_zone():
    day = its.AT.date()
    notice = NetNotice("M1", its.AT, dt.time(11), day, day, "102100099996", "1", 0, "20250617-03", NEITHER, "0000")
    with pytest.raises(ValueError, match="zone"):
        build_net_notice(notice)
