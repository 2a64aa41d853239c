"""The eight levels of the settlement queue (清算排队): strict between levels, first in first out inside one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]

LEVELS = ("reversal", "URGT", "fees", "same_city", "net", "one_sided", "HIGH", "NORM")


def test_a_queue_is_released_level_by_level_whatever_the_order_of_arrival(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 17 A B 1 NORM = queued
        pay 13 A B 1 same_city = queued
        pay 16 A B 1 HIGH = queued
        pay 10 A B 1 reversal = queued
        pay 15 A B 1 one_sided = queued
        pay 12 A B 1 fees = queued
        pay 14 A B 1 net = queued
        pay 11 A B 1 URGT = queued
        totals waiting_count 8 waiting_fen 8 hvps_waiting_count 3 hvps_waiting_fen 3
        inject 1 CB A 3 = 10 settled by injection, 11 settled by injection, 12 settled by injection
        waits A same_city 13
        inject 2 CB A 5 = 13 settled by injection, 14 settled by injection, 15 settled by injection, \
16 settled by injection, 17 settled by injection
        waits nothing
    """)


@pytest.mark.parametrize("higher", range(8))
@pytest.mark.parametrize("discipline", ["fifo", "bypass"])
def test_nothing_passes_a_waiting_payment_of_a_higher_level(play: Play, higher: int, discipline: str) -> None:
    """What waits at a higher level stops every lower one; a lower one stops nothing."""
    lower = [f"pay {20 + level} A B 5 {LEVELS[level]} = queued" for level in range(higher + 1, 8)]
    above = [f"pay {10 + level} A B 1 {LEVELS[level]} = settled" for level in range(higher)]
    setting = [f"discipline {discipline}", "account A balance 50", "account B"]
    head = f"pay 1 A B 60 {LEVELS[higher]} = queued"
    play("\n".join([*setting, head, *lower, *above, f"waits A {LEVELS[higher]} 1"]))


def test_an_arrival_waits_behind_one_of_its_own_level_even_if_it_is_funded(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10
        account B
        pay 1 A B 20 NORM = queued
        pay 2 A B 10 NORM = queued
        pay 3 A B 1 NORM = queued
        waits A NORM 1 2 3
        inject 4 CB A 20 = 1 settled by injection, 2 settled by injection
        inject 5 CB A 1 = 3 settled by injection
    """)


def test_the_head_alone_is_tried_though_a_later_payment_is_funded(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 20 NORM = queued
        pay 2 A B 5 NORM = queued
        inject 3 CB A 19 =
    """)


def test_with_bypass_a_later_payment_of_the_level_passes(play: Play) -> None:
    play("""
        discipline bypass
        account CB central_bank
        account A balance 10
        account B
        pay 1 A B 20 NORM = queued
        pay 2 A B 5 NORM = settled        # on arrival
        pay 3 A B 9 NORM = queued
        pay 4 A B 8 NORM = queued
        inject 5 CB A 12 = 3 settled by injection, 4 settled by injection
        waits A NORM 1
    """)


def test_with_bypass_a_lower_level_is_tried_only_when_the_higher_ones_are_empty(play: Play) -> None:
    play("""
        discipline bypass
        account CB central_bank
        account A balance 50
        account B
        pay 1 A B 100 HIGH = queued
        pay 2 A B 30 NORM = queued
        pay 3 A B 20 HIGH = settled
        inject 4 CB A 10 =                # 40: not enough for the HIGH payment, and the NORM one is not tried
        inject 5 CB A 60 = 1 settled by injection
        inject 6 CB A 30 = 2 settled by injection
    """)


def test_with_bypass_the_first_that_fits_goes_first(play: Play) -> None:
    play("""
        discipline bypass
        account CB central_bank
        account A
        account B
        pay 1 A B 50 NORM = queued
        pay 2 A B 30 NORM = queued
        pay 3 A B 40 NORM = queued
        inject 4 CB A 45 = 2 settled by injection
        inject 5 CB A 25 = 3 settled by injection
        waits A NORM 1
    """)


def test_without_a_queue_an_unfunded_payment_is_refused(play: Play) -> None:
    play("""
        discipline reject
        account A balance 10
        account B
        pay 1 A B 11 NORM = refused funds
        pay 2 A B 11 HIGH = refused funds
        pay 3 A B 11 URGT = refused funds
        pay 4 A B 10 NORM = settled
        waits nothing
    """)


def test_without_a_queue_the_central_banks_bookings_wait_all_the_same(play: Play) -> None:
    """And what waits there is in the way of lower levels, which are refused."""
    play("""
        discipline reject
        account CB central_bank
        account A balance 10
        account B
        pay 1 A CB 11 net = queued
        pay 2 A CB 1 net = queued
        pay 3 A B 1 NORM = refused funds
        pay 4 A B 1 URGT = settled
        inject 5 CB A 2 = 1 settled by injection
        inject 6 CB A 1 = 2 settled by injection
        pay 7 CB A 1 NORM = settled
        pay 8 A B 1 NORM = settled
    """)


def test_waiting_and_peaks_are_counted_apart_for_participants_and_the_central_bank(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 20 HIGH = queued
        pay 3 A CB 5 fees = queued
        totals waiting_count 3 waiting_fen 35 hvps_waiting_count 2 hvps_waiting_fen 30
        totals peak_hvps_count 2 peak_hvps_fen 30 peak_saps_count 1 peak_saps_fen 5
        inject 4 CB A 25 = 3 settled by injection, 2 settled by injection
        totals waiting_count 1 waiting_fen 10 hvps_waiting_count 1 hvps_waiting_fen 10
        totals peak_hvps_count 2 peak_hvps_fen 30 peak_saps_count 1 peak_saps_fen 5
        pay 5 A B 50 NORM = queued
        totals peak_hvps_count 2 peak_hvps_fen 60
    """)


def test_round_nets_stay_separate_and_go_oldest_first(play: Play) -> None:
    """An unpaid net stops nobody else's, and nothing is unwound: its creditors have long been paid."""
    play("""
        account NET central_bank
        account A
        account B balance 10
        account C
        pay 1 NET C 30 net = settled         # first round: C is paid before A and B
        pay 2 A NET 20 net = queued
        pay 3 B NET 10 net = settled
        ends NET balance -20                 # exactly the unpaid net
        pay 4 NET C 5 net = settled          # second round
        pay 5 A NET 5 net = queued
        ends NET balance -25
        pay 6 C A 20 NORM = settled, 2 settled by 6
        pay 7 C A 5 NORM = settled, 5 settled by 7
        ends NET balance 0
    """)
