"""Pledge financing (质押融资): how loans are repaid, fall overdue and default.

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


# Repayment --------------------------------------------------------------------------------------------------------


def test_loans_are_repaid_one_by_one_oldest_first_as_funds_arrive(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A pledge_room 100000 pledge_automatic
        account X
        account Y balance 100000
        lends CB rate 1000000 interest I
        09:00 pay 1 A X 8640 NORM = settled, pledge CB A 8640 for 1
        09:30 pay 2 A X 4320 NORM = settled, pledge CB A 4320 for 2
        10:00 pay 3 Y A 5000 NORM = settled
        10:30 pay 4 Y A 3641 NORM = settled
        10:45 pay 5 Y A 1 NORM = settled, repayment A CB 8640 for 1000, interest A I 2 for 1000
        owes A 1001 4320
        11:00 pay 6 Y A 4321 NORM = settled, repayment A CB 4320 for 1001, interest A I 1 for 1001
        ends A balance 0 pledged 0
        ends I balance 3
    """)


@pytest.mark.parametrize(
    ("principal", "until", "interest"),
    [
        (8640, "09:00", 1),
        (8640, "10:00", 1),
        (8640, "10:00:00.001", 2),
        (8640, "11:00", 2),
        (4320, "09:10", 1),
        (4319, "09:10", 0),
        (12959, "09:10", 1),
        (12960, "09:10", 2),
    ],
)
def test_interest_is_charged_by_begun_hours_and_rounded_half_up(
    play: Play, principal: int, until: str, interest: int
) -> None:
    """At least one hour; where it rounds to nothing, nothing is moved."""
    paid = f", interest A I {interest} for 1000" if interest else ""
    play(f"""
        account CB central_bank
        account I central_bank
        account A pledge_room 100000 pledge_automatic
        account X balance 100
        lends CB rate 1000000 interest I
        09:00 pay 1 A X {principal} NORM = settled, pledge CB A {principal} for 1
        {until} pay 2 X A {principal + 5} NORM = settled, repayment A CB {principal} for 1000{paid}
    """)


def test_nothing_is_repaid_while_a_payment_waits(play: Play) -> None:
    """The credit leaves 8, of which the loan takes 5; the payment that waits lacks more than there is."""
    play("""
        account CB central_bank
        account A pledge_room 5 pledge_automatic
        account X balance 20
        lends CB
        pay 1 A X 5 NORM = settled, pledge CB A 5 for 1
        pay 2 A X 10 NORM = queued
        pay 3 X A 8 NORM = settled
        owes A 1000 5
        cancel 2 by A = done, repayment A CB 5 for 1000
        ends A balance 3
    """)


def test_earmark_floor_and_reservations_are_not_used_to_repay(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 50 pledge_automatic earmark 1 floor 2 reserved_high 3 reserved_urgent 4
        account X balance 100
        lends CB
        pay 1 A X 5 URGT = settled, pledge CB A 8 for 1
        pay 2 X A 14 NORM = settled
        pay 3 X A 1 NORM = settled, repayment A CB 8 for 1000
        ends A balance 10
    """)


def test_a_payment_released_by_a_credit_goes_before_repayment(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 5 pledge_automatic
        account X balance 20
        lends CB
        pay 1 A X 5 NORM = settled, pledge CB A 5 for 1
        pay 2 A X 10 NORM = queued
        pay 3 X A 12 NORM = settled, 2 settled by 3
        owes A 1000 5
        pay 4 X A 3 NORM = settled, repayment A CB 5 for 1000
    """)


def test_what_repayment_leaves_may_rescue_others(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 5 pledge_automatic
        account B
        account X balance 20
        pool A B
        lends CB
        pay 1 A X 5 NORM = settled, pledge CB A 5 for 1
        pay 2 B X 6 NORM = queued
        pay 3 X A 12 NORM = settled, repayment A CB 5 for 1000, pool A B 6 for 2, 2 settled by pool
        ends A balance 1
    """)


def test_what_a_loan_leaves_over_repays_an_older_one(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A pledge_room 20000 pledge_automatic
        account X
        lends CB rate 1000000 interest I
        09:00 pay 1 A X 8640 NORM = settled, pledge CB A 8640 for 1
        set_pledge A 20000 10000 automatic
        10:30 pay 2 A X 1 NORM = settled, pledge CB A 10000 for 2, repayment A CB 8640 for 1000, interest A I 2 for 1000
        owes A 1001 10000
        repay A
    """)


def test_a_loan_is_repaid_with_its_interest_or_not_at_all(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A pledge_room 8640 pledge_automatic
        account X balance 9000
        lends CB rate 1000000 interest I
        09:00 borrow A 8640 = done, pledge CB A 8640 for -1
        10:30 pay 1 X A 1 NORM = settled
        pay 2 X A 1 NORM = settled, repayment A CB 8640 for 1000, interest A I 2 for 1000
    """)


# Overdue and default ----------------------------------------------------------------------------------------------


def test_an_overdue_loan_keeps_the_interest_so_far_and_costs_more_from_then_on(play: Play) -> None:
    play("""
        account CB central_bank
        account I central_bank
        account A pledge_room 100000 pledge_automatic
        account X balance 100
        lends CB rate 1000000 interest I
        09:00 pay 1 A X 8640 NORM = settled, pledge CB A 8640 for 1
        17:30 overdue 2000000
        18:30 overdue 2000000
        20:00 pay 2 X A 8657 NORM = settled
        pay 3 X A 1 NORM = settled, repayment A CB 8640 for 1000, interest A I 18 for 1000
    """)


def test_a_loan_is_shown_with_all_its_terms(play: Play) -> None:
    books = play("""
        account CB central_bank
        account A pledge_room 100000 pledge_automatic
        account X
        lends CB rate 1000000
        09:00 pay 1 A X 8640 NORM = settled, pledge CB A 8640 for 1
        10:30 overdue 30000
        pay 2 A X 5 NORM = settled, pledge CB A 5 for 2
    """)
    hour = 3_600_000
    assert books.snapshot()["loans"] == {
        1: [(1000, 8640, 2, 21 * hour // 2, 1_030_000, True), (1001, 5, 0, 21 * hour // 2, 1_000_000, False)]
    }


def test_a_defaulted_loan_ends_without_a_move_and_its_bonds_are_gone(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 10000 pledge_automatic
        account X
        lends CB rate 1000000
        09:00 pay 1 A X 8640 NORM = settled, pledge CB A 8640 for 1
        pay 2 A X 60 NORM = settled, pledge CB A 60 for 2
        12:00 write_off A = 1000 8640 3 1001 60 0
        owes A nothing
        ends A pledge_room 1300 pledged 0
        ends CB balance -8700
        pay 3 A X 1301 NORM = queued
        write_off A = nothing
    """)


def test_a_default_leaves_no_room_below_nothing(play: Play) -> None:
    play("""
        account CB central_bank
        account A pledge_room 10 pledge_automatic
        account X
        lends CB
        pay 1 A X 10 NORM = settled, pledge CB A 10 for 1
        set_pledge A 4 0 automatic
        write_off A = 1000 10 0
        ends A pledge_room 0
    """)


def test_bookings_from_outside_share_the_numbers_of_the_moves(books_class: Any) -> None:
    books = books_class(
        [{"central_bank": True, "overdraft_limit": 10**18}, {"pledge_room": 5, "pledge_automatic": True}],
        lender=0,
        first_booking=7,
    )
    assert [books.number_booking(), books.number_booking()] == [7, 8]
    books.borrow(3, 1, 5)
    moves = books.drain_moves()
    assert [tuple(move) for move in (moves if isinstance(moves, list) else moves.tolist())] == [
        (9, 3, 5, 0, 1, 2, -1),
        (10, 3, 5, 1, 0, 3, 9),
    ]
    assert len(books.drain_moves()) == 0
    assert books.snapshot()["next_booking"] == 11
