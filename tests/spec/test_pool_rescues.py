"""Fund pools (资金池): which payments are rescued, and at which instant. The words are those of `liquidity_tables`."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LiquidityTable = runpy.run_path(str(Path(__file__).with_name("liquidity_tables.py")))["LiquidityTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(books_class: Any) -> Play:
    """Plays a table with pools and answers the books as they are at its end."""
    return lambda text: LiquidityTable(books_class).play(text)


# What is covered --------------------------------------------------------------------------------------------------


def test_nothing_is_moved_for_a_payment_that_something_else_hinders(play: Play) -> None:
    play("""
        account A
        account B balance 100
        account C balance 100 debit_control
        account X
        limit A X 4
        pool A B C
        pay 1 A X 5 NORM = queued
        pay 2 A B 1 NORM = queued
        pay 3 C X 101 NORM = queued
        ends B balance 100
    """)


def test_a_payment_behind_another_is_not_covered_even_where_it_may_pass(play: Play) -> None:
    play("""
        discipline bypass
        account A
        account B balance 5
        account X balance 5
        pool A B
        pay 1 A X 10 NORM = queued
        pay 2 A X 5 NORM = queued
        pay 3 A X 5 HIGH = settled, pool B A 5 for 3
        pay 4 X B 10 NORM = settled, pool B A 10 for 1, 1 settled by pool
        waits A NORM 2
    """)


def test_what_stands_behind_the_head_may_still_pass_by_own_means(play: Play) -> None:
    play("""
        discipline bypass
        account A balance 4
        account B balance 5
        account X balance 2
        pool A B
        pay 1 A X 10 NORM = queued
        pay 2 A X 4 NORM = settled
        pay 3 A X 2 NORM = queued
        pay 4 X A 2 NORM = settled, 3 settled by 4
    """)


def test_where_no_queue_is_kept_an_arrival_is_covered_too(play: Play) -> None:
    play("""
        discipline reject
        account A
        account B balance 5
        account X
        pool A B
        pay 1 A X 6 NORM = refused funds
        pay 2 A X 5 NORM = settled, pool B A 5 for 2
    """)


def test_in_the_clearing_window_a_rescued_payment_settles_at_once(play: Play) -> None:
    play("""
        account A overdraft_limit 100
        account B balance 10
        account X balance -10 overdraft_limit 10
        pool A B
        phase clearing_window
        pay 1 A X 11 NORM = refused out_of_hours
        pay 2 A X 10 NORM = settled, pool B A 10 for 2
    """)


def test_a_head_whose_creditor_refuses_is_refused_and_nothing_is_moved_for_it(play: Play) -> None:
    play("""
        account A
        account B balance 5
        account X balance 5
        account Y
        pool A B
        pay 1 A Y 10 NORM = queued
        credit_control Y on
        pay 2 X B 5 NORM = settled, 1 refused credit_control by 2
        ends B balance 10
    """)


# When -------------------------------------------------------------------------------------------------------------


def test_a_credited_member_has_waiting_members_looked_at_in_list_order(play: Play) -> None:
    play("""
        account A
        account B
        account C
        account X balance 20
        pool C B A
        pay 1 B X 10 NORM = queued
        pay 2 C X 10 NORM = queued
        pay 3 X A 15 NORM = settled, pool A C 10 for 2, 2 settled by pool
        pay 4 X A 5 NORM = settled, pool A B 10 for 1, 1 settled by pool
    """)


def test_a_member_whose_queue_empties_rescues_others(play: Play) -> None:
    play("""
        account A balance 8
        account B
        account X balance 8
        pool A B
        pay 1 A X 10 NORM = queued
        pay 2 B X 6 NORM = queued
        pay 3 X A 8 NORM = settled, 1 settled by 3, pool A B 6 for 2, 2 settled by pool
    """)


def test_a_member_that_cancels_its_last_payment_rescues_others(play: Play) -> None:
    play("""
        account A balance 8
        account B
        account X
        pool A B
        pay 1 A X 10 NORM = queued
        pay 2 B X 6 NORM = queued
        cancel 1 by A = done, pool A B 6 for 2, 2 settled by pool
    """)


def test_a_member_whose_terms_ease_rescues_others(play: Play) -> None:
    play("""
        account A
        account B balance 20 floor 15
        account C balance 10 debit_control
        account X
        pool A B C
        pay 1 A X 10 NORM = queued
        set B floor 10 = done, pool B A 10 for 1, 1 settled by pool
        pay 2 A X 10 NORM = queued
        debit_control C off = done, pool C A 10 for 2, 2 settled by pool
    """)


def test_a_head_that_lacks_nothing_more_is_released_by_the_credit_alone(play: Play) -> None:
    play("""
        account A balance 4
        account B balance 4
        account X balance 5
        pool A B
        pay 1 B X 9 NORM = queued
        pay 2 X B 5 NORM = settled, 1 settled by 2
        ends A balance 4
    """)


def test_the_creditor_of_a_rescued_payment_rescues_in_turn(play: Play) -> None:
    play("""
        account A
        account B balance 5
        account C
        account D
        account X balance 5
        pool A B
        pool C D
        pay 1 C X 10 NORM = queued
        pay 2 A D 10 NORM = queued
        pay 3 X B 5 NORM = settled, pool B A 10 for 2, 2 settled by pool, pool D C 10 for 1, 1 settled by pool
    """)


def test_a_stopped_pool_rescues_nobody_until_it_begins_again(play: Play) -> None:
    play("""
        account A
        account B
        account C balance 15
        account X
        pool B C A
        09:00 set_pool 0 off
        pay 1 A X 10 NORM = queued
        pay 2 B X 10 NORM = queued
        10:00 set_pool 0 on = pool C B 10 for 2, 2 settled by pool
        waits A NORM 1
    """)


def test_moves_cross_warning_lines_the_givers_first(play: Play) -> None:
    play("""
        account A warning_line 4
        account B balance 5 warning_line 3
        account X
        pool A B
        pay 1 A X 5 NORM = settled, pool B A 5 for 1, B warning_raised, A warning_cleared, A warning_raised
    """)


def test_a_rescue_repays_the_overdraft_for_no_time(play: Play) -> None:
    play("""
        account A balance -100 overdraft_limit 100
        account B balance 105
        account X
        pool A B
        09:00 pay 1 A X 5 NORM = settled, pool B A 105 for 1
        totals overdrawn_count 0
        10:00 charge A = 3240000000
    """)


def test_an_account_is_in_one_pool_at_most(books_class: Any) -> None:
    with pytest.raises(AssertionError):
        books_class([{}, {}, {}], pools=[(False, [0, 1]), (True, [1, 2])])
