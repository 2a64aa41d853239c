"""Refusals on arrival and which one counts first; what each phase of the business day takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]


def test_the_first_refusal_in_order_of_precedence_counts(play: Play) -> None:
    """A payment with every fault; the faults are mended one by one in the order in which they were named."""
    play("""
        discipline reject
        account A balance 10 life closed logged_out debit_control
        account B credit_control
        phase cut_off
        pay 1 A A 99 NORM format = refused format
        pay 2 A A 99 NORM duplicate = refused duplicate
        pay 3 A A 99 NORM no_book = refused no_book
        pay 4 A A 99 NORM amount = refused closed_account
        life A open = done
        pay 5 A A 99 NORM amount = refused self_payment
        pay 6 A B 99 NORM amount = refused amount
        pay 7 A B 99 NORM = refused out_of_hours
        phase daytime
        pay 8 A B 99 NORM = refused logged_out
        log A in
        pay 9 A B 99 NORM = refused credit_control
        credit_control B off = done
        pay 10 A B 99 NORM = refused debit_control
        debit_control A off = done
        pay 11 A B 99 NORM = refused funds
        pay 12 A B 10 NORM = settled
    """)


@pytest.mark.parametrize("fault", ["format", "duplicate", "no_book", "amount"])
@pytest.mark.parametrize("level", ["URGT", "net", "NORM"])
def test_what_was_found_before_the_books_is_refused_and_changes_nothing(play: Play, fault: str, level: str) -> None:
    play(f"""
        account A balance 10
        account B
        pay 1 A B 5 {level} {fault} = refused {fault}
        ends A balance 10 sent 0 sent_count 0
        waits nothing
    """)


def test_a_creditor_that_is_closed_counts_before_a_self_payment_or_an_amount(play: Play) -> None:
    play("""
        account A balance 10
        account B life closed
        pay 1 A B 5 NORM amount = refused closed_account
        pay 2 B B 5 NORM = refused closed_account
        pay 3 A A 5 net = refused self_payment
    """)


@pytest.mark.parametrize(
    ("phase", "participants", "central_bank"),
    [
        ("preparation", "refused out_of_hours", "refused out_of_hours"),
        ("daytime", "settled", "settled"),
        ("cut_off", "refused out_of_hours", "settled"),
        ("clearing_window", "refused out_of_hours", "settled"),
        ("end_of_day", "refused out_of_hours", "refused out_of_hours"),
    ],
)
def test_each_phase_takes_its_own_business(play: Play, phase: str, participants: str, central_bank: str) -> None:
    play(f"""
        account A balance 100
        account B
        phase {phase}
        pay 1 A B 1 URGT = {participants}
        pay 6 A B 1 HIGH = {participants}
        pay 7 A B 1 NORM = {participants}
        pay 10 A B 1 reversal = {central_bank}
        pay 12 A B 1 fees = {central_bank}
        pay 13 A B 1 same_city = {central_bank}
        pay 14 A B 1 net = {central_bank}
        pay 15 A B 1 one_sided = {central_bank}
    """)


def test_a_special_session_takes_only_special_business_of_participants(play: Play) -> None:
    play("""
        account A balance 100
        account B
        phase daytime special_session
        pay 1 A B 1 NORM = refused out_of_hours
        pay 2 A B 1 NORM special = settled
        pay 3 A B 1 URGT = refused out_of_hours
        pay 4 A B 1 one_sided = settled
        phase daytime
        pay 5 A B 1 NORM = settled
    """)


def test_special_business_gets_no_longer_hours(play: Play) -> None:
    play("""
        account A balance 100
        account B
        phase cut_off
        pay 1 A B 1 NORM special = refused out_of_hours
    """)


def test_a_logged_out_participant_cannot_send_but_receives_and_is_booked_upon(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 10 logged_out
        pay 1 B A 1 NORM = refused logged_out
        pay 2 A B 1 NORM = settled
        pay 3 B A 1 net = settled
        log B in
        pay 4 B A 1 NORM = settled
        log B out
        ends B logged_in 0
        pay 5 B A 1 HIGH = refused logged_out
    """)


def test_logging_out_leaves_the_queue_alone(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 NORM = queued
        log A out
        inject 2 CB A 10 = 1 settled by injection
    """)


def test_refused_payments_release_nothing_and_count_nowhere(play: Play) -> None:
    play("""
        account A
        account B balance 10 logged_out
        pay 1 A B 5 NORM = queued
        pay 2 B A 5 NORM = refused logged_out
        waits A NORM 1
        ends B sent 0
        totals waiting_count 1
    """)
