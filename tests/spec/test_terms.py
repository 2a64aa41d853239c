"""Limits that release queued payments, earmarks (圈存), and balance warnings (余额预警)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]


@pytest.mark.parametrize(
    ("terms", "change"),
    [
        ("balance 10", "overdraft_limit 20"),
        ("balance 30 floor 20", "floor 0"),
        ("balance 30 floor 20", "floor 1"),
        ("balance 30 earmark 20", "earmark 1"),
        ("balance 30 reserved_high 20", "reserved_high 1"),
        ("balance 30 reserved_urgent 20", "reserved_urgent 1"),
    ],
)
def test_a_limit_that_gives_way_releases_the_queue(play: Play, terms: str, change: str) -> None:
    play(f"""
        account A {terms}
        account B
        09:00 pay 1 A B 29 NORM = queued
        10:00 set A {change} = done, 1 settled by limit
        ends A {change}
    """)


@pytest.mark.parametrize(
    ("terms", "change"),
    [
        ("balance 10", "overdraft_limit 18"),
        ("balance 30 floor 20", "floor 2"),
        ("balance 30 earmark 20", "earmark 2"),
        ("balance 30 reserved_high 20", "reserved_high 2"),
        ("balance 30 reserved_urgent 20", "reserved_urgent 2"),
    ],
)
def test_one_fen_too_little_releases_nothing(play: Play, terms: str, change: str) -> None:
    play(f"""
        account A {terms}
        account B
        pay 1 A B 29 NORM = queued
        set A {change} = done
        waits A NORM 1
    """)


def test_a_release_by_a_limit_cascades(play: Play) -> None:
    play("""
        account A
        account B
        account C
        pay 1 A B 10 NORM = queued
        pay 2 B C 10 NORM = queued
        set A overdraft_limit 10 = done, 1 settled by limit, 2 settled by 1
        ends A balance -10
        totals overdrawn_count 1
    """)


def test_an_overdraft_limit_can_be_cut_below_what_is_used(play: Play) -> None:
    """Nothing is unwound; the account cannot pay until it is covered again."""
    play("""
        account A overdraft_limit 50
        account B
        pay 1 A B 40 NORM = settled
        set A overdraft_limit 10 = done
        ends A balance -40 lowest_available -30
        pay 2 A B 1 NORM = queued
        pay 3 B A 30 NORM = settled
        pay 4 B A 1 NORM = settled, 2 settled by 4
    """)


def test_raising_an_earmark_moves_no_money_and_binds_every_level_but_the_nets(play: Play) -> None:
    play("""
        account A balance 30
        account B
        set A earmark 20 = done
        ends A balance 30 earmark 20 lowest_available 10 sent 0
        pay 1 A B 11 NORM = queued
        pay 2 A B 30 net = settled
        ends A earmark 0
    """)


@pytest.mark.parametrize(
    ("terms", "most"),
    [
        ("balance 30", 30),
        ("balance 30 floor 10", 20),
        ("balance 30 earmark 10", 30),
        ("balance 30 overdraft_limit 10", 40),
        ("balance 30 reserved_high 10", 20),
        ("balance 30 reserved_urgent 10", 20),
        ("balance 30 earmark 5 floor 1 overdraft_limit 20 reserved_high 2 reserved_urgent 4", 43),
    ],
)
def test_an_earmark_cannot_be_raised_above_what_is_available(play: Play, terms: str, most: int) -> None:
    play(f"""
        account A {terms}
        set A earmark {most + 1} = short_of_funds
        set A earmark {most} = done
        ends A earmark {most}
    """)


def test_a_refused_earmark_changes_nothing_and_lowering_one_is_always_allowed(play: Play) -> None:
    play("""
        account A balance 30 earmark 10
        account B
        pay 1 A B 25 NORM = queued
        set A earmark 31 = short_of_funds
        ends A earmark 10 lowest_available 20
        set A earmark 10 = done              # not raised: never refused
        set A floor 25 = done                # now short
        set A earmark 9 = done
        ends A earmark 9
    """)


def test_the_lowest_available_remembers_a_limit_that_was_set_only_for_a_while(play: Play) -> None:
    play("""
        account A balance 30
        set A floor 25 = done
        set A floor 0 = done
        ends A lowest_available 5 lowest_balance 30
    """)


def test_the_lowest_available_leaves_reservations_out(play: Play) -> None:
    play("""
        account A balance 30 overdraft_limit 5
        account B
        set A reserved_high 20 = done
        ends A lowest_available 35
        pay 1 A B 12 NORM = settled
        ends A lowest_available 23
    """)


def test_a_warning_is_raised_below_the_line_and_cleared_at_it(play: Play) -> None:
    play("""
        account A balance 100 warning_line 50
        account B balance 100
        09:00 pay 1 A B 50 NORM = settled
        ends A balance 50 warned 0
        10:00 pay 2 A B 1 NORM = settled, A warning_raised
        ends A warned 1
        pay 3 A B 10 NORM = settled          # raised once only
        11:00 pay 4 B A 10 NORM = settled
        pay 5 B A 1 NORM = settled, A warning_cleared
        ends A balance 50 warned 0
        crossings = 2
        crossings = 0
    """)


def test_one_posting_may_cross_both_lines_the_debtors_first(play: Play) -> None:
    play("""
        account A balance 10 warning_line 10
        account B balance 100 warning_line 100
        pay 1 B A 1 NORM = settled, B warning_raised
        pay 2 A B 1 NORM = settled, B warning_cleared
        pay 3 B A 5 NORM = settled, B warning_raised
        pay 4 A B 6 NORM = settled, A warning_raised, B warning_cleared
        totals crossings 5
    """)


def test_warnings_in_a_cascade_stand_behind_the_posting_that_crossed(play: Play) -> None:
    play("""
        account A balance 20 warning_line 5
        account B warning_line 5
        account C
        pay 1 B C 20 NORM = queued
        pay 2 A B 20 NORM = settled, A warning_raised, B warning_cleared, 1 settled by 2, B warning_raised
        totals crossings 3
    """)


def test_a_new_warning_line_is_judged_at_once(play: Play) -> None:
    play("""
        account A balance 100
        account B
        09:00 set A warning_line 100 = done
        09:01 set A warning_line 101 = done, A warning_raised
        09:02 set A warning_line 200 = done
        09:03 set A warning_line -5 = done, A warning_cleared
        crossings = 2
        ends A warning_line -5 warned 0
    """)


def test_an_account_that_opens_below_its_line_is_warned_without_a_crossing(play: Play) -> None:
    play("""
        account A balance 10
        account B warning_line 5
        ends B warned 1
        totals crossings 0
        pay 1 A B 5 NORM = settled, B warning_cleared
    """)


def test_a_warning_line_holds_for_a_balance_below_zero(play: Play) -> None:
    play("""
        account A overdraft_limit 100 warning_line -50
        account B
        pay 1 A B 50 NORM = settled
        pay 2 A B 1 NORM = settled, A warning_raised
    """)
