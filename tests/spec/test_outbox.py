"""A bank's own outbox: payments it has been instructed to make but does not send yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Play = Callable[[str], Any]


def test_payments_are_held_until_the_bank_resumes_then_submitted_in_order(play: Play) -> None:
    play("""
        account A balance 10
        account B
        hold A until 10:00
        09:00 pay 1 A B 6 NORM = held
        09:01 pay 2 A B 6 URGT = held
        09:02 pay 3 A B 4 NORM = held
        waits A outbox 1 2 3
        totals waiting_count 0 waiting_fen 0
        10:00 resume A = 1 submitted, 1 settled, 2 submitted, 2 queued, 3 submitted, 3 queued
        waits A URGT 2
        waits A NORM 3
        totals peak_hvps_count 2
    """)


def test_the_hold_ends_at_its_instant_but_the_outbox_waits_for_the_bank(play: Play) -> None:
    play("""
        account A balance 10
        account B
        hold A until 10:00
        09:59:59.999 pay 1 A B 1 NORM = held
        10:00 pay 2 A B 1 NORM = settled
        waits A outbox 1
        resume A = 1 submitted, 1 settled
    """)


def test_resuming_early_ends_the_hold(play: Play) -> None:
    play("""
        account A balance 10
        account B
        hold A until 17:00
        09:00 pay 1 A B 1 NORM = held
        09:30 resume A = 1 submitted, 1 settled
        pay 2 A B 1 NORM = settled
    """)


def test_only_what_the_bank_sends_is_held_not_what_the_centre_books_or_others_pay(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 10
        09:00 hold A until 10:00
        pay 1 A B 1 net = settled
        pay 2 A B 1 same_city = settled
        pay 3 B A 1 NORM = settled
        pay 4 A B 1 HIGH = held
    """)


def test_what_already_waits_in_the_settlement_queue_is_not_held_back(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        09:00 pay 1 A B 1 NORM = queued
        hold A until 10:00
        inject 2 CB A 1 = 1 settled by injection
    """)


def test_nothing_is_judged_before_it_is_submitted(play: Play) -> None:
    play("""
        account A balance 10 logged_out
        account B life closed
        account C balance 10
        09:00 hold A until 10:00
        pay 1 A B 1 NORM = held
        pay 2 A C 1 NORM = held
        pay 3 A A 1 NORM = held
        pay 4 A C 1 NORM duplicate = held
        pay 5 A C 1 NORM = held
        log A in
        10:00 phase daytime special_session
        resume A = 1 submitted, 1 refused closed_account, 2 submitted, 2 refused out_of_hours, \
3 submitted, 3 refused self_payment, 4 submitted, 4 refused duplicate, 5 submitted, 5 refused out_of_hours
    """)


def test_special_business_stays_special_in_the_outbox(play: Play) -> None:
    play("""
        account A balance 10
        account B
        09:00 hold A until 10:00
        pay 1 A B 1 NORM special = held
        phase daytime special_session
        resume A = 1 submitted, 1 settled
    """)


def test_each_submitted_payment_finishes_its_cascade_before_the_next(play: Play) -> None:
    play("""
        account A balance 10
        account B
        account C
        09:00 pay 1 B A 10 NORM = queued
        hold A until 10:00
        pay 2 A B 10 NORM = held
        pay 3 A C 10 NORM = held
        resume A = 2 submitted, 2 settled, 1 settled by 2, 3 submitted, 3 settled
    """)


def test_resuming_with_an_empty_outbox_does_nothing(play: Play) -> None:
    play("""
        account A
        09:00 resume A
    """)


def test_no_bank_is_held_on_the_evening_before(play: Play) -> None:
    play("""
        account A balance 10
        account B
        T-1 20:30 pay 1 A B 1 NORM = settled
    """)
