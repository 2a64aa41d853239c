"""Bilateral limits: what a participant lets flow to another, net of what flows back, at levels 6 and 7.

They bind on arrival, in the queue and in a matching. The words of the tables stand in `matching_tables` and
`conftest`.
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


# on arrival -----------------------------------------------------------------------------------------------------


def test_a_payment_up_to_the_limit_settles_and_one_beyond_it_queues(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A B 30
        pay 1 A B 30 NORM = settled
        limits A B 30
        pay 2 A B 1 NORM = queued
        limits A B 30
        ends A balance 70
    """)


def test_both_levels_of_ordinary_payments_count_together(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A B 30
        pay 1 A B 20 HIGH = settled
        pay 2 A B 11 NORM = queued
        limits A B 20
    """)


@pytest.mark.parametrize("queue", ["reversal", "URGT", "fees", "same_city", "net", "one_sided"])
def test_other_levels_neither_count_nor_are_bound(play: Play, queue: str) -> None:
    play(f"""
        account A balance 100
        account B
        limit A B 10
        pay 1 A B 40 {queue} = settled
        limits A B 0
        pay 2 A B 10 NORM = settled
        pay 3 A B 40 {queue} = settled
        limits A B 10
    """)


def test_what_comes_back_makes_room(play: Play) -> None:
    """B sends 5 before A sends anything: A may send 5 more than its limit."""
    play("""
        account A balance 100
        account B balance 5
        limit A B 30
        pay 1 B A 5 NORM = settled
        limits A B -5
        pay 2 A B 35 NORM = settled
        limits A B 30
    """)


def test_a_limit_of_zero_lets_only_as_much_out_as_came_in(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 5
        limit A B 0
        pay 1 A B 5 NORM = queued
        pay 2 B A 4 NORM = settled
        pay 3 B A 1 NORM = settled, 1 settled by 3
        limits A B 0
    """)


def test_a_limit_binds_one_direction_and_one_pair(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        account C
        limit A B 10
        pay 1 A C 50 NORM = settled
        pay 2 B A 50 NORM = settled
        pay 3 B C 50 NORM = settled
        limits A B -50
    """)


def test_two_limits_of_a_pair_are_counted_apart(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        limit B A 10
        limit A B 20
        pay 1 A B 20 NORM = settled
        limits A B 20
        limits B A -20
        pay 2 B A 31 NORM = queued
        pay 3 A B 1 NORM = queued
        cancel 2 by B
        pay 4 B A 30 NORM = settled, 3 settled by 4
        limits A B -9
        limits B A 9
    """)


def test_without_a_queue_a_payment_beyond_its_limit_is_refused_for_funds(play: Play) -> None:
    play("""
        discipline reject
        account A balance 100
        account B
        limit A B 30
        pay 1 A B 31 NORM = refused funds
        pay 2 A B 30 NORM = settled
        debit_control A on
        pay 3 A B 31 NORM = refused debit_control
    """)


def test_in_the_clearing_window_a_payment_beyond_its_limit_is_out_of_hours(play: Play) -> None:
    """Only what funds a short account and settles at once is taken."""
    play("""
        account A balance 100
        account B
        limit A B 30
        pay 1 B A 50 URGT = queued
        phase clearing_window
        pay 2 A B 31 NORM = refused out_of_hours
        pay 3 A B 30 NORM = settled
    """)


def test_a_new_day_begins_at_zero(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A B 30
        pay 1 A B 30 NORM = settled
        pay 2 A B 30 NORM = queued
        start_day
        limits A B 0
        retry_all by limit = 2 settled by limit
        limits A B 30
    """)


# in the queue ---------------------------------------------------------------------------------------------------


def test_a_head_beyond_its_limit_blocks_the_queue(play: Play) -> None:
    """What stands behind it waits, though there is money; moving it away helps."""
    play("""
        account A balance 100
        account B
        account C
        limit A B 30
        pay 1 A B 31 NORM = queued
        pay 2 A C 10 NORM = queued
        pay 3 A B 30 NORM = queued
        set A floor 0
        waits A NORM 1 2 3
        tail 1 by A = done, 2 settled by move, 3 settled by move
        waits A NORM 1
        level 1 URGT by A = switched_off
    """)


def test_with_bypass_a_payment_beyond_its_limit_is_passed_over(play: Play) -> None:
    play("""
        discipline bypass
        account A
        account B
        account C balance 200
        limit A B 30
        pay 1 A B 31 NORM = queued
        pay 2 A B 20 NORM = queued
        pay 3 A C 10 NORM = queued
        pay 4 C A 100 NORM = settled, 2 settled by 4, 3 settled by 4
        pay 5 A B 10 NORM = settled
        pay 6 A B 1 NORM = queued
        waits A NORM 1 6
    """)


def test_a_payment_beyond_its_limit_at_level_6_stops_level_7(play: Play) -> None:
    for discipline in ("fifo", "bypass"):
        play(f"""
            discipline {discipline}
            account A balance 100
            account B
            account C
            limit A B 30
            pay 1 A B 31 HIGH = queued
            pay 2 A C 10 NORM = queued
            pay 3 A C 10 URGT = settled
        """)


def test_a_payment_that_becomes_urgent_is_bound_no_longer(play: Play) -> None:
    play("""
        reprioritise on
        account A balance 100
        account B
        limit A B 30
        pay 1 A B 31 NORM = queued
        level 1 URGT by A = done, 1 settled by move
        limits A B 0
    """)


def test_money_that_comes_back_in_a_cascade_releases_what_the_limit_held(play: Play) -> None:
    """B's payment waits for money, A's for B's payment."""
    play("""
        account A balance 100
        account B
        account C balance 10
        limit A B 30
        pay 1 A B 30 NORM = settled
        pay 2 B C 30 NORM = settled
        pay 3 A B 10 NORM = queued
        pay 4 B A 10 NORM = queued
        pay 5 C B 10 NORM = settled, 4 settled by 5, 3 settled by 4
        limits A B 30
    """)


# in a matching --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "settled"), [(2, "1 2"), (1, "nothing")])
def test_a_matching_keeps_to_the_net_of_the_pair(play: Play, limit: int, settled: str) -> None:
    """A sends 10 and receives 8: the net of 2 counts, not the 10."""
    play(f"""
        account A balance 5
        account B
        limit A B {limit}
        pay 1 A B 10 NORM = queued
        pay 2 B A 8 NORM = queued
        considers 1 2
        match 1 = {settled}
    """)


def test_what_was_sent_before_counts_in_a_matching(play: Play) -> None:
    table = """
        account A balance 12
        account B
        account C
        limit A B 9
        pay 1 A B 7 NORM = settled
        pay 2 B C 7 NORM = settled
        pay 3 A B 10 NORM = queued
        pay 4 B A 8 NORM = queued
    """
    play(table + "match 1 = 3 4\nlimits A B 9")
    play(table.replace("limit A B 9", "limit A B 8") + "match 1 = nothing\nlimits A B 7")


def test_on_a_breach_the_senders_last_payment_is_left_out(play: Play) -> None:
    """The payment to C is last, though it is the one to B that is beyond its limit; then that one goes too."""
    play("""
        account A balance 50
        account B
        account C
        limit A B 20
        pay 1 A B 60 NORM = queued
        pay 2 A B 5 NORM = queued
        pay 3 A C 1 NORM = queued
        pay 4 B A 40 NORM = queued
        match 1 = 1 4
        limits A B 20
        waits A NORM 2 3
    """)


def test_a_ring_with_a_limit_on_one_side_stays(play: Play) -> None:
    """Round a ring nothing comes back from the neighbour: 10 to B are 10 net."""
    for limit, settled in ((10, "1 2 3"), (9, "nothing")):
        play(f"""
            account A
            account B
            account C
            limit A B {limit}
            pay 1 A B 10 NORM = queued
            pay 2 B C 10 NORM = queued
            pay 3 C A 10 NORM = queued
            match 1 = {settled}
        """)


def test_named_payments_beyond_a_limit_do_not_settle(play: Play) -> None:
    """The debtor whose limit it is blocks; without the limit the same payments settle."""
    table = """
        account C balance 9
        account A balance 5
        account B
        pay 1 A B 10 NORM = queued
        pay 2 B A 8 NORM = queued
    """
    limited = table.replace("account B\n", "account B\nlimit A B 1\n")
    play(limited + "match 1 of 1 2 = blocked by A\nreserve of 1 2 = blocked by A")
    play(table + "match 1 of 1 2 = 1 2")


def test_a_limit_that_is_used_up_meanwhile_fails_the_end_of_a_matching(play: Play) -> None:
    """A sends 2 of its limit of 3 in the meantime, past the locked payments (bypass); the matching needs 2."""
    table = """
        discipline bypass
        account A balance 9
        account B
        limit A B 3
        09:00 pay 1 A B 10 NORM = queued
        pay 2 B A 8 NORM = queued
        reserve of 1 2 = 1 2
    """
    play(table + "pay 3 A B 1 NORM = settled\n10:00 finish 1 = 1 2\nlimits A B 3")
    play(table + "pay 3 A B 2 NORM = settled\n10:00 finish 1 = blocked by A\nlimits A B 2\nwaits A NORM 1")


def test_after_a_matching_the_limit_lets_go_what_it_held(play: Play) -> None:
    play("""
        account A balance 30
        account B
        account C
        limit A B 3
        pay 1 A B 9 NORM = queued
        pay 2 B A 8 NORM = queued
        pay 3 B C 1 NORM = queued
        pay 4 A B 2 NORM = queued
        match 1 of 1 2 = 1 2, 4 settled by 2, 3 settled by 4
        limits A B 3
    """)


# in the course of the day -----------------------------------------------------------------------------------------


def test_raising_a_limit_releases_the_head_that_it_held(play: Play) -> None:
    play("""
        account A balance 100
        account B
        account C
        limit A B 30
        pay 1 A B 40 NORM = queued
        pay 2 A C 5 NORM = queued
        change_limit A B 39 = done
        change_limit A B 40 = done, 1 settled by limit, 2 settled by limit
        limits A B 40
    """)


def test_what_a_raised_limit_lets_go_sets_off_a_cascade(play: Play) -> None:
    play("""
        account A balance 10
        account B
        limit A B 0
        pay 1 A B 10 NORM = queued
        pay 2 B A 10 NORM = queued
        10:00 change_limit A B 10 = done, 1 settled by limit, 2 settled by 1
        limits A B 0
    """)


def test_a_lowered_limit_binds_from_then_on(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        limit A B 30
        pay 1 A B 20 NORM = settled
        change_limit A B 10 = done
        pay 2 A B 1 NORM = queued
        pay 3 B A 11 HIGH = settled, 2 settled by 3
        limits A B 10
    """)


def test_a_new_limit_counts_from_its_setting_on(play: Play) -> None:
    play("""
        account A balance 100
        account B
        pay 1 A B 20 NORM = settled
        change_limit A B 10 = done
        limits A B 0
        pay 2 A B 10 NORM = settled
        pay 3 A B 1 NORM = queued
        limits A B 10
    """)


def test_a_removed_limit_lets_go_what_it_held_and_goes_on_counting(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A B 5
        pay 1 A B 10 NORM = queued
        change_limit A B none = done, 1 settled by limit
        pay 2 A B 20 NORM = settled
        limits A B 30
        change_limit A B 35 = done
        pay 3 A B 6 NORM = queued
        pay 4 B A 1 HIGH = settled, 3 settled by 4
        limits A B 35
    """)


def test_removing_a_limit_that_never_was_changes_nothing(play: Play) -> None:
    books = play("""
        account A balance 100
        account B
        pay 1 A B 60 NORM = settled
        change_limit A B none = done
        pay 2 A B 40 NORM = settled
    """)
    assert books.snapshot()["limits"] == []


def test_limits_stand_in_the_order_in_which_they_were_first_set(play: Play) -> None:
    books = play("""
        account A balance 100
        account B balance 100
        account C
        limit B C 9
        change_limit A C 50 = done
        change_limit A B 50 = done
        change_limit A C none = done
        change_limit A C 40 = done
        pay 1 A B 1 NORM = settled
        pay 2 A C 2 NORM = settled
        pay 3 B C 3 NORM = settled
    """)
    assert books.snapshot()["limits"] == [3, 2, 1]


def test_a_new_day_counts_from_nothing_also_where_the_limit_is_removed(play: Play) -> None:
    play("""
        account A balance 100
        account B
        limit A B 5
        change_limit A B none = done
        pay 1 A B 20 NORM = settled
        start_day
        change_limit A B 10 = done
        pay 2 A B 10 NORM = settled
        pay 3 A B 1 NORM = queued
    """)


def test_a_matching_keeps_the_limits_in_force(play: Play) -> None:
    table = """
        account A balance 5
        account B
        pay 1 A B 10 NORM = queued
        pay 2 B A 8 NORM = queued
    """
    play(table + "change_limit A B 1 = done\nmatch 1 of 1 2 = blocked by A\nmatch 1 = nothing")
    play(table + "change_limit A B 1 = done\nchange_limit A B none = done\nmatch 1 = 1 2")
    play(table + "change_limit A B 2 = done\nmatch 1 = 1 2\nlimits A B 2")


def test_a_limit_that_is_set_meanwhile_fails_the_end_of_a_matching(play: Play) -> None:
    table = """
        account A balance 5
        account B
        09:00 pay 1 A B 10 NORM = queued
        pay 2 B A 8 NORM = queued
        reserve of 1 2 = 1 2
    """
    play(table + "change_limit A B 1 = done\n10:00 finish 1 = blocked by A\nwaits A NORM 1")
    play(table + "change_limit A B 2 = done\n10:00 finish 1 = 1 2\nlimits A B 2")
