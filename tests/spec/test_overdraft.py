"""The overdraft integral behind intraday overdraft interest (日间透支计息), and an account's figures of the day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Play = Callable[[str], Any]


def test_the_integral_counts_every_millisecond_below_zero(play: Play) -> None:
    """100 fen for one minute and 60 fen for two: 100 · 60 000 + 60 · 120 000."""
    play("""
        account A overdraft_limit 100
        account B
        09:00 pay 1 A B 100 NORM = settled
        09:01 pay 2 B A 40 NORM = settled
        09:03 pay 3 B A 60 NORM = settled
        10:00 charge A = 13200000
        10:00 charge A = 0
    """)


def test_a_charge_begins_a_new_count_while_the_overdraft_goes_on(play: Play) -> None:
    play("""
        account A overdraft_limit 100
        account B
        09:00 pay 1 A B 7 NORM = settled
        09:00:00.001 charge A = 7
        09:00:00.001 charge A = 0
        09:00:00.011 charge A = 70
        09:00:01 pay 2 B A 7 NORM = settled
        11:00 charge A = 6923
    """)


def test_a_positive_balance_counts_nothing_and_offsets_nothing(play: Play) -> None:
    play("""
        account A balance 1000 overdraft_limit 100
        account B
        09:00 pay 1 A B 1000 NORM = settled
        10:00 pay 2 A B 1 NORM = settled
        10:00:01 pay 3 B A 1001 NORM = settled
        11:00 pay 4 A B 1001 NORM = settled
        11:00:02 charge A = 3000
        charge B = 0
    """)


def test_postings_of_one_instant_have_no_length(play: Play) -> None:
    play("""
        account A overdraft_limit 100
        account B
        09:00 pay 1 A B 100 NORM = settled
        pay 2 B A 100 NORM = settled
        pay 3 A B 1 NORM = settled
        09:00:00.002 charge A = 2
    """)


def test_the_integral_is_exact_far_beyond_64_bits(play: Play) -> None:
    """CNY 36 tn for 80 000 000 ms: 2.88e23 fen·ms, and its last digit counts."""
    play("""
        account A overdraft_limit 4000000000000001
        account B
        00:00 pay 1 A B 3600000000000001 NORM = settled
        22:13:20 charge A = 288000000000000080000000
    """)


def test_the_integral_is_exact_through_many_pieces(play: Play) -> None:
    play("""
        account A overdraft_limit 92000000000000000
        account B
        00:00 pay 1 A B 91999999999999999 NORM = settled
        11:59:59.999 pay 2 B A 1 NORM = settled
        23:59:59.999 pay 3 B A 91999999999999997 NORM = settled
        23:59:59.999 charge A = 7948799907999999870400001
        23:59:59.999 charge A = 0
    """)


def test_the_evening_before_is_negative_time(play: Play) -> None:
    play("""
        account A overdraft_limit 100
        account B
        T-1 20:30 pay 1 A B 10 NORM = settled
        08:00 charge A = 414000000
    """)


def test_overdrawn_accounts_are_counted_without_the_central_bank(play: Play) -> None:
    play("""
        account CB central_bank
        account A overdraft_limit 10
        account B balance -5 overdraft_limit 10
        totals overdrawn_count 1
        inject 1 CB A 1 =
        pay 2 A B 2 NORM = settled
        totals overdrawn_count 2
        pay 3 A B 4 NORM = settled
        totals overdrawn_count 1
        inject 4 CB A 5 =
        ends A balance 0
        totals overdrawn_count 0
    """)


def test_the_days_figures_follow_every_posting(play: Play) -> None:
    """The example day of the intraday monitoring tools (BCBS 248): 894 out, 847 in, trough −138 at 15:00."""
    play("""
        account BANK overdraft_limit 500 warning_line 0
        account REST balance 10000
        09:00 pay 1 REST BANK 223 NORM = settled
        09:30 pay 2 BANK REST 19 NORM = settled
        10:00 pay 3 REST BANK 95 NORM = settled
        ends BANK balance 299 lowest_balance 0
        10:15 pay 4 BANK REST 223 NORM = settled
        10:45 pay 5 BANK REST 99 NORM = settled, BANK warning_raised
        11:00 pay 6 BANK REST 108 NORM = settled
        12:00 pay 7 REST BANK 400 NORM = settled, BANK warning_cleared
        12:35 pay 8 REST BANK 22 NORM = settled
        14:00 pay 9 BANK REST 10 NORM = settled
        14:05 pay 10 REST BANK 5 NORM = settled
        14:20 pay 11 BANK REST 45 NORM = settled
        15:00 pay 12 BANK REST 379 NORM = settled, BANK warning_raised
        ends BANK balance -138
        15:30 pay 13 REST BANK 102 NORM = settled
        17:00 pay 14 BANK REST 11 NORM = settled
        ends BANK balance -47 lowest_balance -138 lowest_available 362
        ends BANK sent 894 sent_count 8 received 847 received_count 6
        crossings = 3
    """)


def test_a_new_day_begins_with_the_present_values(play: Play) -> None:
    play("""
        account A balance 100 earmark 5 floor 3 overdraft_limit 20
        account B
        pay 1 A B 60 NORM = settled
        pay 2 B A 30 NORM = settled
        ends A balance 70 lowest_balance 40 lowest_available 52 sent 60 received 30
        20:30 start_day
        ends A balance 70 lowest_balance 70 lowest_available 82 sent 0 received 0 sent_count 0 received_count 0
    """)
