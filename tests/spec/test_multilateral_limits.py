"""Multilateral limits: what a participant lets flow to all others together, net of what flows back, at levels 6 and 7.

They bind beside bilateral ones, as these do. The words of the tables stand in `matching_tables` and `conftest`.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MatchingTable = runpy.run_path(str(Path(__file__).with_name("matching_tables.py")))["MatchingTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(books_class: Any) -> Play:
    """Plays a table with matchings and answers the books as they are at its end."""
    return lambda text: MatchingTable(books_class).play(text)


def test_what_goes_to_several_counts_together(play: Play) -> None:
    play("""
        account A balance 100
        account B
        account C
        limit A all 30
        pay 1 A B 20 NORM = settled
        pay 2 A C 10 HIGH = settled
        pay 3 A B 1 NORM = queued
        limits A all 30
    """)


def test_what_anybody_pays_makes_room_for_anybody(play: Play) -> None:
    play("""
        account A balance 100
        account B
        account C balance 40
        limit A all 30
        pay 1 A B 30 NORM = settled
        pay 2 A B 5 NORM = queued
        pay 3 C A 5 NORM = settled, 2 settled by 3
        limits A all 30
    """)


@pytest.mark.parametrize("queue", ["reversal", "URGT", "fees", "same_city", "net", "one_sided"])
def test_other_levels_neither_count_nor_are_bound(play: Play, queue: str) -> None:
    play(f"""
        account A balance 100
        account B balance 20
        limit A all 10
        pay 1 A B 40 {queue} = settled
        pay 2 B A 20 {queue} = settled
        limits A all 0
        pay 3 A B 10 NORM = settled
        pay 4 A B 40 {queue} = settled
        limits A all 10
    """)


def test_the_tighter_of_both_limits_binds(play: Play) -> None:
    play("""
        account A balance 100
        account B
        account C
        limit A B 10
        limit A all 15
        pay 1 A B 11 NORM = queued
        cancel 1 by A
        pay 2 A B 10 NORM = settled
        pay 3 A C 6 NORM = queued
        change_limit A all 16 = done, 3 settled by limit
        limits A B 10
        limits A all 16
    """)


def test_it_binds_its_own_account_only(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        limit A all 0
        pay 1 B A 50 NORM = settled
        limits A all -50
        pay 2 A B 51 NORM = queued
        pay 3 B A 1 NORM = settled, 2 settled by 3
    """)


def test_a_new_day_begins_at_zero(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A all 30
        pay 1 A B 30 NORM = settled
        pay 2 A B 30 NORM = queued
        start_day
        limits A all 0
        retry_all by limit = 2 settled by limit
    """)


def test_with_bypass_what_is_beyond_it_is_passed_over(play: Play) -> None:
    play("""
        discipline bypass
        account A balance 100
        account B
        account C
        limit A all 30
        pay 1 A B 31 NORM = queued
        pay 2 A C 20 NORM = settled
        pay 3 A C 11 NORM = queued
        pay 4 C A 1 NORM = settled, 3 settled by 4
        waits A NORM 1
    """)


@pytest.mark.parametrize(("limit", "settled"), [(2, "1 2 3"), (1, "nothing")])
def test_a_matching_keeps_to_the_net_towards_all(play: Play, limit: int, settled: str) -> None:
    """Round a ring A sends 10 and receives 8 from another: towards all that is 2, towards B it would be 10."""
    play(f"""
        account A balance 5
        account B
        account C
        limit A all {limit}
        pay 1 A B 10 NORM = queued
        pay 2 B C 8 NORM = queued
        pay 3 C A 8 NORM = queued
        match 1 = {settled}
        limits A all {limit if settled != "nothing" else 0}
    """)


def test_what_the_others_no_longer_pay_may_break_it(play: Play) -> None:
    """C is short, so C's 8 to A are left out; then A's 10 are beyond its limit too, though A has the money."""
    play("""
        account A balance 50
        account B
        account C
        limit A all 2
        pay 1 A B 10 NORM = queued
        pay 2 C A 8 NORM = queued
        match 1 of 1 = blocked by A
        match 1 = nothing
    """)


def test_a_removed_one_lets_go_what_it_held_and_goes_on_counting(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A all 5
        pay 1 A B 10 NORM = queued
        change_limit A all none = done, 1 settled by limit
        limits A all 10
        change_limit A all 12 = done
        pay 2 A B 3 NORM = queued
        change_limit A all 13 = done, 2 settled by limit
    """)


def test_a_new_one_counts_from_its_setting_on(play: Play) -> None:
    play("""
        account A balance 100
        account B
        pay 1 A B 20 NORM = settled
        change_limit A all 10 = done
        limits A all 0
        pay 2 A B 11 NORM = queued
    """)
