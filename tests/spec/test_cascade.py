"""Cascades: a settlement funds others; accounts are retried first credited first, which decides `released_by`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Play = Callable[[str], Any]


def test_a_payment_names_the_one_that_released_it(play: Play) -> None:
    play("""
        account A balance 10
        account B
        account C
        account D
        pay 1 C D 10 NORM = queued
        pay 2 B C 10 NORM = queued
        pay 3 A B 10 NORM = settled, 2 settled by 3, 1 settled by 2
        ends D balance 10
    """)


def test_accounts_are_retried_in_the_order_credited_not_in_row_order(play: Play) -> None:
    play("""
        account CB central_bank
        account B
        account C
        account A
        pay 1 B CB 5 NORM = queued
        pay 2 C CB 5 NORM = queued
        pay 3 A C 5 NORM = queued
        pay 4 A B 5 NORM = queued
        inject 5 CB A 10 = 3 settled by injection, 4 settled by injection, 2 settled by 3, 1 settled by 4
    """)


def test_the_last_credit_before_its_turn_released_a_payment(play: Play) -> None:
    """B is credited by 1 and by 3 before its turn comes; it keeps its place and names the later one."""
    play("""
        account CB central_bank
        account A
        account B
        account C
        account D
        pay 1 A B 5 NORM = queued
        pay 2 A C 5 NORM = queued
        pay 3 A B 5 NORM = queued
        pay 4 B D 10 NORM = queued
        pay 5 C D 5 NORM = queued
        inject 6 CB A 15 = 1 settled by injection, 2 settled by injection, 3 settled by injection, \
4 settled by 3, 5 settled by 2
    """)


def test_an_account_credited_after_its_turn_gets_another(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        account C
        account D
        pay 1 A B 5 NORM = queued
        pay 2 B C 5 NORM = queued
        pay 3 C B 5 NORM = queued
        pay 4 B D 5 NORM = queued
        inject 5 CB A 5 = 1 settled by injection, 2 settled by 1, 3 settled by 2, 4 settled by 3
        ends D balance 5
    """)


def test_an_account_finishes_its_own_queue_before_the_next_is_retried(play: Play) -> None:
    play("""
        account A balance 10
        account B
        account C
        account D
        pay 1 B C 3 NORM = queued
        pay 2 B D 3 NORM = queued
        pay 3 B C 3 NORM = queued
        pay 4 C A 6 NORM = queued
        pay 5 D A 3 NORM = queued
        pay 6 A B 10 NORM = settled, 1 settled by 6, 2 settled by 6, 3 settled by 6, 4 settled by 3, 5 settled by 2
    """)


def test_a_credit_too_small_for_the_head_releases_nothing_and_is_not_named_later(play: Play) -> None:
    play("""
        account A balance 10
        account B
        account C
        pay 1 B C 10 NORM = queued
        pay 2 A B 4 NORM = settled
        pay 3 A B 6 NORM = settled, 1 settled by 3
    """)


def test_retrying_every_queue_goes_in_row_order(play: Play) -> None:
    """Levels 2 to 7 have no credit in the clearing window, so that a queue can build up; then the phase changes."""
    play("""
        account A overdraft_limit 5
        account B overdraft_limit 5
        account C
        phase clearing_window
        pay 1 B C 5 one_sided = queued
        pay 2 A C 5 one_sided = queued
        pay 3 C A 10 one_sided = queued
        phase daytime
        retry_all by limit = 2 settled by limit, 1 settled by limit, 3 settled by 1
    """)


def test_retrying_every_queue_wakes_all_before_the_first_is_retried(play: Play) -> None:
    """C is funded by A's payment, but B, which stands before it, has its turn first."""
    play("""
        account A overdraft_limit 5
        account B overdraft_limit 5
        account C
        phase clearing_window
        pay 1 A C 5 one_sided = queued
        pay 2 B A 5 one_sided = queued
        pay 3 C A 5 one_sided = queued
        phase daytime
        retry_all by limit = 1 settled by limit, 2 settled by limit, 3 settled by 1
    """)


def test_a_credit_during_a_retry_of_all_replaces_its_cause(play: Play) -> None:
    play("""
        account A overdraft_limit 5
        account B overdraft_limit 5
        phase clearing_window
        pay 1 A B 5 one_sided = queued
        pay 2 B A 10 one_sided = queued
        phase daytime
        retry_all by limit = 1 settled by limit, 2 settled by 1
    """)


def test_retrying_with_nothing_to_release_changes_nothing(play: Play) -> None:
    play("""
        account A balance 1
        account B
        pay 1 A B 5 NORM = queued
        retry_all by limit =
        waits A NORM 1
    """)


def test_an_injection_is_a_posting_of_the_central_bank(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        09:00 inject 1 CB A 10 =
        ends CB balance -10 sent 10 sent_count 1
        ends A balance 10 received 10 received_count 1
    """)


def test_an_injection_ignores_control_of_the_receiver_and_the_phase(play: Play) -> None:
    play("""
        account CB central_bank
        account A debit_control credit_control
        phase end_of_day
        inject 1 CB A 10 =
        ends A balance 10
    """)
