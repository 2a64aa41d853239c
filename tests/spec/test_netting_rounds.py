"""Changes of the cap, rounds, cap warnings and flows. The words of the tables stand in `netting_tables`."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail import RetailKind

_TABLES = runpy.run_path(str(Path(__file__).with_name("netting_tables.py")))
NettingTable, drained = _TABLES["NettingTable"], _TABLES["drained"]
Play = Callable[[str], Any]


@pytest.fixture
def play(netting_class: Any) -> Play:
    """Plays a table and answers the netting server as it is at its end."""
    return lambda text: NettingTable(netting_class).play(text)


# changes of the cap ---------------------------------------------------------------------------------------------


def test_a_forced_cut_makes_headroom_negative_and_touches_nothing_netted(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        pay 0 A B 80 BCRD = netted
        cap A 50
        ends A position -80 headroom -30 sent 80 lowest_headroom -30
        ends B position 80
        pay 1 A B 1 ICRD = refused cap
        pay 2 A B 1 BCRD = queued
        pay 3 B A 30 ICRD = netted
        pay 4 B A 1 ICRD = netted, 2 netted by 4
        ends A headroom 0
    """)


def test_a_raised_cap_releases_what_it_covers(play: Play) -> None:
    play("""
        bank A
        bank B
        bank C
        pay 0 A B 10 BCRD = queued
        pay 1 A B 20 BCRD = queued
        pay 2 B C 10 BCRD = queued
        cap A 29 = 0 netted by limit, 2 netted by 0
        cap A 30 = 1 netted by limit
        ends A headroom 0
    """)


def test_a_participant_that_owes_more_than_its_new_cap_releases_nothing_until_it_has_received_enough(
    play: Play,
) -> None:
    play("""
        bank A cap 10
        bank B
        pay 0 A B 10 BCRD = netted
        pay 1 A B 5 BCRD = queued
        cap A 0
        cap A 14
        cap A 15 = 1 netted by limit
    """)


# rounds ---------------------------------------------------------------------------------------------------------


def test_a_round_moves_positions_and_no_headroom(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        bank C
        09:00 pay 0 A B 60 BCRD = netted
        pay 1 B C 20 ICRD = netted
        10:00 round = A -60 B 40 C 20
        ends A position 0 unsettled -60 headroom 40 lowest_headroom 40
        ends B position 0 unsettled 40 headroom 40
        pay 2 A B 41 ICRD = refused cap
        pay 3 A B 40 ICRD = netted
        11:00 round = A -40 B 40
        ends A position 0 unsettled -100 headroom 0
        12:00 round = nothing
    """)


def test_a_posted_net_gives_headroom_back_and_releases(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        pay 0 A B 100 BCRD = netted
        pay 1 A B 30 BCRD = queued
        10:00 round = A -100 B 100
        10:01 posted A -100 = 1 netted by round
        ends A position -30 unsettled 0 headroom 70
        posted B 100
        ends B position 30 unsettled 0 headroom 30
    """)


def test_a_posted_net_that_used_the_earmark_gives_back_only_what_is_left_of_the_cap(play: Play) -> None:
    """A cap of 100, of which 70 earmarked: 40 of the net are paid from the earmark, which leaves earmark and cap."""
    play("""
        bank A cap 100 cap_line 50
        bank B
        pay 0 A B 100 BCRD = netted, A cap_warning_raised
        pay 1 A B 61 BCRD = queued
        pay 2 A B 20 BCRD = queued
        round = A -100 B 100
        posted A -100 cap 60 = A cap_warning_cleared, 2 netted by round, A cap_warning_raised
        ends A cap 60 unsettled 0 headroom 40 lowest_headroom 0
    """)


def test_a_net_received_that_is_posted_is_money_and_no_headroom_any_more(play: Play) -> None:
    """The cap does not rise by it, so what was sent meanwhile on the strength of it can leave headroom negative."""
    play("""
        bank A cap 50
        bank B
        pay 0 A B 50 BCRD = netted
        10:00 round = A -50 B 50
        pay 1 B A 50 BCRD = netted
        posted B 50
        ends B position -50 unsettled 0 headroom -50 lowest_headroom -50
    """)


def test_nobody_owes_more_than_its_cap_over_a_holiday_of_rounds_that_are_not_posted(play: Play) -> None:
    rounds = "\n".join(
        f"""
        pay {2 * number} A B 10 ICRD = {"netted" if number < 3 else "refused cap"}
        round = {"A -10 B 10" if number < 3 else "nothing"}"""
        for number in range(6)
    )
    play(f"""
        bank A cap 30
        bank B
        {rounds}
        ends A unsettled -30 headroom 0 lowest_headroom 0
    """)


# warnings -------------------------------------------------------------------------------------------------------


def test_a_cap_warning_is_raised_below_the_line_and_cleared_at_it(play: Play) -> None:
    play("""
        bank A cap 100 cap_line 40
        bank B cap 50 cap_line 60
        ends A warned 0
        ends B warned 1                         # from the beginning, told to nobody
        pay 0 A B 9 BCRD = netted
        pay 1 A B 51 BCRD = netted, B cap_warning_cleared
        pay 2 A B 1 BCRD = netted, A cap_warning_raised
        pay 3 B A 1 BCRD = netted, A cap_warning_cleared
        pay 4 B A 50 BCRD = netted
        pay 5 B A 1 BCRD = netted, B cap_warning_raised
        crossings = 4
        crossings = 0
    """)


def test_warnings_follow_the_netting_that_caused_them_and_go_before_what_it_releases(play: Play) -> None:
    play("""
        log_all
        bank A cap 100 cap_line 40
        bank B
        pay 0 B A 70 BCRD = queued
        pay 1 A B 70 ICRD = netted, A cap_warning_raised, 0 netted by 1, A cap_warning_cleared
        ends A headroom 100
    """)


def test_a_new_line_and_a_new_cap_are_looked_at_once(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        cap_line A 101 = A cap_warning_raised
        cap A 101 = A cap_warning_cleared
        cap A 100 = A cap_warning_raised
        cap_line A 100 = A cap_warning_cleared
        pay 0 A B 5 BCRD = netted, A cap_warning_raised
        round = A -5 B 5
        posted A -5 = A cap_warning_cleared
    """)


# a flow ---------------------------------------------------------------------------------------------------------


def flow(*units: tuple[int, int, int, int]) -> Any:
    """(time_ms, debtor, creditor, amount) to the rows of a flow, all ordinary credits."""
    return np.array([(time, amount, 0, debtor, creditor, 1, 0, 0) for time, debtor, creditor, amount in units], RETAIL)


def test_a_flow_advances_to_its_instant_exclusive_and_goes_on_from_there(netting_class: Any) -> None:
    server = netting_class([{"cap": 100}, {}], log_all=True)
    rows = flow((10, 0, 1, 1), (20, 0, 1, 2), (20, 0, 1, 3), (30, 0, 1, 4))
    assert server.advance(rows, 0, 10, 50) == 0
    assert server.advance(rows, 0, 20, 50) == 1
    assert server.advance(rows, 1, 20, 50) == 1
    assert server.advance(rows, 1, 21, 50) == 3
    assert server.advance(rows, 3, 10**9, 50) == 4
    assert server.advance(rows, 4, 10**9, 50) == 4
    assert [entry[:2] for entry in drained(server)] == [(50, 10), (51, 20), (52, 20), (53, 30)]
    assert drained(server) == []


def test_a_flow_tells_only_what_its_rows_do_not_tell(netting_class: Any) -> None:
    server = netting_class([{"cap": 10}, {}])
    assert server.advance(flow((1, 0, 1, 10), (2, 0, 1, 1), (3, 0, 0, 1)), 0, 100, 0) == 3
    assert [(entry[0], entry[3], entry[4]) for entry in drained(server)] == [(1, 2, Act.QUEUED), (2, 3, Act.REFUSED)]


def test_a_flow_stops_at_the_row_that_crossed_a_watch_line_with_its_cascade_done(netting_class: Any) -> None:
    server = netting_class([{"cap": 100, "cap_line": 50}, {}, {}])
    server.submit(0, 7, 1, 2, 60, 1, RetailKind.ORDINARY_CREDIT)
    rows = flow((1, 0, 1, 10), (2, 0, 1, 50), (2, 2, 1, 1), (3, 1, 0, 1))
    assert server.advance(rows, 0, 10, 100) == 2
    assert [(entry[0], entry[4]) for entry in drained(server)] == [
        (7, Act.QUEUED), (0, Act.CAP_WARNING_RAISED), (7, Act.NETTED),
    ]  # fmt: skip
    assert server.take_crossings() == 1
    assert server.advance(rows, 2, 10, 100) == 4
    assert server.take_crossings() == 0
