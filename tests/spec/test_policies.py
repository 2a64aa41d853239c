"""Policies (发报策略): what a bank keeps in its outbox, and what lets it go.

The words are those of `liquidity_tables`.
"""

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
    """Plays a table with policies and answers the books as they are at its end."""
    return lambda text: LiquidityTable(books_class).play(text)


# What is kept -----------------------------------------------------------------------------------------------------


def test_a_policy_binds_its_levels_only_and_only_until_it_ends(play: Play) -> None:
    play("""
        account A balance 100
        account B
        09:00 policy A until 12:00 levels NORM HIGH hold 11:00
        pay 1 A B 1 NORM = held
        pay 2 A B 1 HIGH = held
        pay 3 A B 1 URGT = settled
        pay 4 A B 1 net = settled
        pay 5 A B 1 same_city = settled
        12:00 pay 6 A B 1 NORM = settled
        release A
        waits A outbox 1 2
    """)


def test_the_central_banks_bookings_are_never_kept(play: Play) -> None:
    play("""
        account A balance 100
        account B
        policy A until 12:00 levels NORM one_sided net budget 0
        pay 1 A B 1 NORM = held
        pay 2 A B 1 net = settled
        pay 3 A B 1 one_sided = settled
    """)


def test_what_may_be_sent_waits_behind_what_stands_in_the_outbox(play: Play) -> None:
    play("""
        account A balance 100
        account B
        policy A until 17:00 budget 10
        pay 1 A B 11 NORM = held
        pay 2 A B 1 NORM = held
        pay 3 A B 1 URGT = held
        waits A outbox 1 2 3
    """)


@pytest.mark.parametrize(("amount", "outcome"), [(6, "settled"), (7, "held")])
def test_a_budget_shrinks_by_what_was_sent(play: Play, amount: int, outcome: str) -> None:
    play(f"""
        account A balance 100
        account B
        policy A until 17:00 budget 10
        pay 1 A B 4 NORM = settled
        pay 2 A B {amount} NORM = {outcome}
    """)


@pytest.mark.parametrize(("amount", "outcome"), [(13, "settled"), (14, "held")])
def test_a_share_of_the_receipts_adds_to_the_budget_in_whole_fen(play: Play, amount: int, outcome: str) -> None:
    """Half of 7 is 3."""
    play(f"""
        account A balance 100
        account B balance 7
        policy A until 17:00 budget 10 receipts 500000
        pay 1 B A 7 NORM = settled
        pay 2 A B {amount} NORM = {outcome}
    """)


@pytest.mark.parametrize(
    ("amount", "level", "outcome"),
    [(65, "HIGH", "settled"), (66, "HIGH", "held"), (58, "NORM", "settled"), (59, "NORM", "held")],
)
def test_a_reserve_of_what_the_level_may_spend_must_be_left(play: Play, amount: int, level: str, outcome: str) -> None:
    play(f"""
        account A balance 70 overdraft_limit 10 reserved_urgent 7
        account B
        policy A until 17:00 reserve 15
        pay 1 A B {amount} {level} = {outcome}
    """)


def test_nothing_is_sent_before_the_hold_ends(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 5
        policy A until 17:00 hold 10:00
        09:00 pay 1 A B 4 NORM = held
        pay 2 B A 5 NORM = settled
        09:59:59.999 release A
        10:00 release A = 1 submitted, 1 settled
        pay 3 A B 1 NORM = settled
    """)


def test_a_stop_of_sending_binds_every_level_on_its_own(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 5
        policy A until 17:00 levels NORM
        09:00 hold A until 10:00
        pay 1 A B 1 URGT = held
        pay 2 A B 1 NORM = held
        pay 3 B A 5 NORM = settled
        release A
        10:00 pay 4 A B 1 URGT = settled
        pay 5 A B 1 NORM = held
        release A = 1 submitted, 1 settled, 2 submitted, 2 settled, 5 submitted, 5 settled
    """)


# What lets go -----------------------------------------------------------------------------------------------------


def test_receipts_release_what_they_pay_for(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        policy A until 17:00 budget 0 receipts 1000000
        pay 1 A B 10 NORM = held
        pay 2 A B 5 NORM = held
        pay 3 B A 9 NORM = settled
        pay 4 B A 1 NORM = settled, 1 submitted, 1 settled
        pay 5 B A 20 NORM = settled, 2 submitted, 2 settled
        waits nothing
    """)


def test_only_the_head_of_the_outbox_is_looked_at(play: Play) -> None:
    play("""
        account A balance 100
        account B balance 100
        policy A until 17:00 budget 0 receipts 1000000
        pay 1 A B 10 NORM = held
        pay 2 A B 5 NORM = held
        pay 3 B A 5 NORM = settled
        waits A outbox 1 2
    """)


def test_whatever_becomes_of_a_head_the_next_follows(play: Play) -> None:
    play("""
        account A balance 10
        account B
        policy A until 17:00 hold 10:00
        09:00 pay 1 A A 1 NORM = held
        pay 2 A B 11 NORM = held
        pay 3 A B 1 HIGH = held
        pay 4 A B 1 NORM = held
        10:00 release A = 1 submitted, 1 refused self_payment, 2 submitted, 2 queued, \
3 submitted, 3 settled, 4 submitted, 4 queued
        waits A NORM 2 4
    """)


def test_what_is_sent_wakes_its_creditors_after_the_bank_is_done(play: Play) -> None:
    play("""
        account A balance 30
        account B
        account C
        account D
        pay 1 C D 10 NORM = queued
        pay 2 B D 10 NORM = queued
        policy A until 17:00 hold 10:00
        09:00 pay 3 A C 10 NORM = held
        pay 4 A B 10 NORM = held
        pay 5 A D 10 NORM = held
        10:00 release A = 3 submitted, 3 settled, 4 submitted, 4 settled, 5 submitted, 5 settled, \
1 settled by 3, 2 settled by 4
    """)


def test_the_queue_moves_before_the_outbox(play: Play) -> None:
    play("""
        account A balance 5
        account B balance 20
        pay 1 A B 10 NORM = queued
        policy A until 17:00 reserve 0
        pay 2 A B 4 HIGH = settled
        pay 3 A B 9 HIGH = held
        pay 4 B A 18 NORM = settled, 1 settled by 4, 3 submitted, 3 settled
    """)


def test_two_banks_that_wait_for_receipts_set_one_another_going(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 10
        account C balance 5
        policy A until 17:00 budget 0 receipts 1000000
        policy B until 17:00 budget 0 receipts 1000000
        pay 1 A B 5 NORM = held
        pay 2 B A 5 NORM = held
        pay 3 A C 5 NORM = held
        pay 4 C A 5 NORM = settled, 1 submitted, 1 settled, 2 submitted, 2 settled, 3 submitted, 3 settled
        waits nothing
    """)


def test_what_a_policy_sends_is_covered_as_any_arrival(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 5 pledge_automatic
        account B balance 10
        account X
        pool A B
        lends CB
        policy A until 17:00 hold 10:00
        09:00 pay 1 A X 10 NORM = held
        pay 2 A X 5 NORM = held
        10:00 release A = 1 submitted, pool B A 10 for 1, 1 settled, 2 submitted, pledge CB A 5 for 2, 2 settled
    """)


def test_a_throughput_guideline_sends_a_value_whatever_the_policy_says(play: Play) -> None:
    play("""
        account A balance 100
        account B
        account C
        pay 1 B C 10 NORM = queued
        policy A until 17:00 budget 0
        pay 2 A B 10 NORM = held
        pay 3 A B 10 NORM = held
        pay 4 A B 10 NORM = held
        send A 0
        send A 11 = 2 submitted, 2 settled, 1 settled by 2, 3 submitted, 3 settled
        send A 50 = 4 submitted, 4 settled
        waits nothing
    """)


def test_at_its_end_a_policy_lets_everything_go(play: Play) -> None:
    """What the first payment sets going may itself empty the outbox."""
    play("""
        account A balance 100
        account B balance 5
        policy B until 17:00 budget 0 receipts 1000000
        policy A until 17:00 budget 0 receipts 1000000
        16:00 pay 1 B A 5 NORM = held
        pay 2 A B 5 NORM = held
        pay 3 A B 5 NORM = held
        policy A until 17:00 budget 5 receipts 1000000
        resume A = 2 submitted, 2 settled, 1 submitted, 1 settled, 3 submitted, 3 settled
        waits nothing
    """)


def test_a_new_day_begins_with_a_full_budget(play: Play) -> None:
    play("""
        account A balance 100
        account B
        policy A until 17:00 budget 10
        pay 1 A B 10 NORM = settled
        pay 2 A B 10 NORM = held
        start_day
        release A = 2 submitted, 2 settled
    """)


def test_each_payment_sent_by_a_policy_is_looked_at_by_continuous_matching(play: Play) -> None:
    play("""
        account A
        account B
        policy A until 17:00 hold 10:00
        09:00 pay 1 A B 5 NORM = held
        pay 2 A B 5 NORM = held
        stop_when_queued on
        crossings = 0
        10:00 release A = 1 submitted, 1 queued, 2 submitted, 2 queued
        crossings = 2
    """)


def test_a_policy_is_shown_with_all_its_terms(play: Play) -> None:
    books = play("""
        account A
        account B
        policy A until 17:00 levels URGT NORM hold 10:00 budget 10 receipts 500000 reserve 5
        ends A policy_until_ms 61200000 policy_levels 130 policy_hold_ms 36000000
        ends A policy_budget 10 policy_receipt_ppm 500000 policy_reserve 5
    """)
    unset = books.snapshot()["accounts"][1]
    assert (unset["policy_until_ms"], unset["policy_levels"]) == (-(2**63), 0)
