"""Pledge financing (质押融资): when the central bank lends against bonds, and how it is repaid.

The words are those of `liquidity_tables`. The yearly rate is 1 000 000 millionths: 8 640 fen cost 1 fen an hour.
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
    """Plays a table with pledge loans and answers the books as they are at its end."""
    return lambda text: LiquidityTable(books_class).play(text)


# Lending ----------------------------------------------------------------------------------------------------------


def test_a_loan_is_what_is_lacking(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 3 pledge_room 100 pledge_automatic
        account X
        lends CB
        pay 1 A X 10 NORM = settled, pledge CB A 7 for 1
        owes A 1000 7
        ends A balance 0 pledged 7 pledge_room 100 received 7
        ends CB balance -7 sent 7
    """)


def test_a_loan_is_at_least_the_starting_amount_as_far_as_there_is_room(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 100 pledge_start 60 pledge_automatic
        account X
        lends CB
        pay 1 A X 10 NORM = settled, pledge CB A 60 for 1
        pay 2 A X 75 NORM = settled, pledge CB A 40 for 2
        owes A 1000 60 1001 40
        ends A balance 15
    """)


@pytest.mark.parametrize(("amount", "outcome"), [(30, "settled, pledge CB A 30 for 1"), (31, "queued")])
def test_a_loan_never_exceeds_the_room(play: Play, amount: int, outcome: str) -> None:
    play(f"""
        account CB central_bank
        account A pledge_room 30 pledge_start 20 pledge_automatic
        account X
        lends CB
        pay 1 A X {amount} NORM = {outcome}
    """)


def test_room_below_what_is_owed_is_no_room(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 30 pledge_automatic
        account X
        lends CB
        pay 1 A X 20 NORM = settled, pledge CB A 20 for 1
        set_pledge A 10 0 automatic
        pay 2 A X 1 NORM = queued
        borrow A 1 = short_of_room
    """)


def test_bonds_alone_do_not_lend_by_themselves(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 100
        account X
        lends CB
        pay 1 A X 10 NORM = queued
    """)


def test_the_pool_comes_before_a_loan(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 100 pledge_automatic
        account B balance 10
        account X
        pool A B
        lends CB
        pay 1 A X 10 NORM = settled, pool B A 10 for 1
        pay 2 A X 10 NORM = settled, pledge CB A 10 for 2
    """)


def test_a_round_net_uses_the_earmark_before_a_loan(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 30 earmark 30 pledge_room 100 pledge_automatic
        account X
        lends CB
        pay 1 A X 50 net = settled, pledge CB A 20 for 1
        ends A balance 0 earmark 0
    """)


def test_only_the_head_is_covered_by_a_loan(play: Play) -> None:
    play("""
        discipline bypass
        account CB central_bank
        account A pledge_room 10 pledge_automatic
        account X balance 1
        lends CB
        pay 1 A X 11 NORM = queued
        pay 2 A X 10 NORM = queued
        pay 3 X A 1 NORM = settled, pledge CB A 10 for 1, 1 settled by pledge
        waits A NORM 2
    """)


def test_in_the_clearing_window_a_payment_covered_by_a_loan_settles_at_once(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 10 pledge_automatic
        account X balance -20 overdraft_limit 20
        lends CB
        phase clearing_window
        pay 1 A X 11 NORM = refused out_of_hours
        pay 2 A X 10 NORM = settled, pledge CB A 10 for 2
    """)


def test_where_no_queue_is_kept_a_loan_covers_an_arrival(play: Play) -> None:
    play("""
        discipline reject
        account CB central_bank
        account A pledge_room 10 pledge_automatic
        account X
        lends CB
        pay 1 A X 10 NORM = settled, pledge CB A 10 for 1
        pay 2 A X 1 NORM = refused funds
    """)


def test_new_pledge_terms_have_the_queue_looked_at(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account X
        lends CB
        pay 1 A X 10 NORM = queued
        set_pledge A 100 0 manual
        set_pledge A 100 25 automatic = pledge CB A 25 for 1, 1 settled by pledge
        ends A balance 15 pledge_room 100 pledge_start 25 pledge_automatic 1
    """)


def test_a_bank_may_borrow_by_hand(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 5 pledge_room 20
        account X
        lends CB rate 1000000
        pay 1 A X 10 NORM = queued
        borrow A 21 = short_of_room
        borrow A 5 = done, pledge CB A 5 for -1, 1 settled by pledge
        owes A 1000 5
    """)


def test_a_loan_that_turns_out_unnecessary_is_repaid_at_once_where_financing_is_automatic(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A balance 5 pledge_room 8640 pledge_automatic
        lends CB rate 1000000 interest I
        borrow A 8640 = done, pledge CB A 8640 for -1, repayment A CB 8640 for 1000, interest A I 1 for 1000
        owes A nothing
    """)


def test_a_loan_taken_by_hand_is_kept_until_repayment_is_asked_for(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A balance 5 pledge_room 8640
        account X balance 1
        lends CB rate 1000000 interest I
        borrow A 8640 = done, pledge CB A 8640 for -1
        pay 1 X A 1 NORM = settled
        repay A = repayment A CB 8640 for 1000, interest A I 1 for 1000
        owes A nothing
    """)
