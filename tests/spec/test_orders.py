"""What a participant may do with its own queued payments: QC00, QC01, cancel, and another level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]


def test_cancelling_the_head_releases_what_it_held_up_at_that_instant(play: Play) -> None:
    play("""
        account A balance 10
        account B
        09:00 pay 1 A B 100 NORM = queued
        pay 2 A B 5 NORM = queued
        09:30 cancel 1 by A = done, 2 settled by cancel
        totals waiting_count 0 waiting_fen 0
        waits nothing
    """)


def test_cancelling_from_the_middle_keeps_the_others_in_order(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 1 NORM = queued
        pay 2 A B 1 NORM = queued
        pay 3 A B 1 NORM = queued
        cancel 2 by A = done
        waits A NORM 1 3
        cancel 3 by A = done
        pay 4 A B 1 NORM = queued
        waits A NORM 1 4
        inject 5 CB A 2 = 1 settled by injection, 4 settled by injection
    """)


def test_to_the_head_passes_the_whole_level(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 4
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 10 NORM = queued
        pay 3 A B 5 NORM = queued
        head 3 by A = done
        waits A NORM 3 1 2
        inject 4 CB A 1 = 3 settled by injection
    """)


def test_to_the_head_releases_at_once_what_is_funded(play: Play) -> None:
    play("""
        account A balance 5
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 3 NORM = queued
        pay 3 A B 2 NORM = queued
        head 3 by A = done, 3 settled by move
        waits A NORM 1 2
    """)


def test_to_the_tail_frees_those_behind(play: Play) -> None:
    play("""
        account A balance 5
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 3 NORM = queued
        pay 3 A B 2 NORM = queued
        tail 1 by A = done, 2 settled by move, 3 settled by move
        waits A NORM 1
    """)


def test_a_move_stays_inside_its_level(play: Play) -> None:
    play("""
        account A balance 5
        account B
        pay 1 A B 10 HIGH = queued
        pay 2 A B 20 NORM = queued
        pay 3 A B 5 NORM = queued
        head 3 by A = done                   # still behind the HIGH payment
        waits A NORM 3 2
        waits A HIGH 1
    """)


def test_moving_the_only_or_the_first_payment_changes_nothing(play: Play) -> None:
    play("""
        account A
        account B
        pay 1 A B 10 NORM = queued
        head 1 by A = done
        tail 1 by A = done
        waits A NORM 1
        pay 2 A B 10 NORM = queued
        head 1 by A = done
        tail 2 by A = done
        waits A NORM 1 2
    """)


@pytest.mark.parametrize("order", ["cancel 1", "head 1", "tail 1", "level 1 HIGH"])
def test_only_a_payment_in_the_settlement_queue_takes_orders(play: Play, order: str) -> None:
    """Unknown, settled, refused, and still in the outbox: none of them waits there."""
    play(f"""
        reprioritise on
        account A balance 10
        account B
        {order} by A = not_waiting
        pay 1 A B 10 NORM = settled
        {order} by A = not_waiting
    """)
    play(f"""
        account A logged_out
        account B
        pay 1 A B 10 NORM = refused logged_out
        {order} by A = not_waiting
    """)
    play(f"""
        account A balance 10
        account B
        09:00 hold A until 10:00
        pay 1 A B 10 NORM = held
        {order} by A = not_waiting
        {order} by B = not_waiting
        waits A outbox 1
    """)


@pytest.mark.parametrize("order", ["cancel 1", "head 1", "tail 1", "level 1 HIGH", "level 1 net"])
def test_nobody_orders_anothers_payment(play: Play, order: str) -> None:
    play(f"""
        account A
        account B
        pay 1 A B 10 NORM = queued
        {order} by B = not_own
        waits A NORM 1
    """)


@pytest.mark.parametrize("level", ["reversal", "fees", "same_city", "net", "one_sided"])
@pytest.mark.parametrize("order", ["cancel 1", "head 1", "tail 1", "level 1 NORM"])
def test_the_central_banks_levels_are_closed_to_participants(play: Play, order: str, level: str) -> None:
    play(f"""
        reprioritise on
        account A
        account B
        pay 1 A B 10 {level} = queued
        {order} by A = level_closed
        {order} by B = not_own
        waits A {level} 1
    """)


@pytest.mark.parametrize("level", ["URGT", "HIGH", "NORM"])
def test_participants_levels_are_open(play: Play, level: str) -> None:
    play(f"""
        account A
        account B
        pay 1 A B 10 {level} = queued
        head 1 by A = done
        tail 1 by A = done
        cancel 1 by A = done
    """)


def test_changing_the_level_is_off_unless_the_scenario_allows_it(play: Play) -> None:
    play("""
        account A
        account B
        pay 1 A B 10 NORM = queued
        level 1 URGT by A = switched_off
        level 1 net by A = level_closed
        waits A NORM 1
    """)


def test_a_change_of_level_goes_to_the_tail_of_the_new_one(play: Play) -> None:
    play("""
        reprioritise on
        account A
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 20 NORM = queued
        pay 3 A B 30 URGT = queued
        level 1 URGT by A = done
        waits A URGT 3 1
        waits A NORM 2
        level 3 HIGH by A = done
        waits A HIGH 3
        level 1 net by A = level_closed
        level 1 reversal by A = level_closed
        totals hvps_waiting_count 3 hvps_waiting_fen 60
    """)


def test_a_change_of_level_may_release(play: Play) -> None:
    play("""
        reprioritise on
        account A balance 10
        account B
        pay 1 A B 20 HIGH = queued
        pay 2 A B 10 NORM = queued
        level 2 URGT by A = done, 2 settled by move
    """)


def test_giving_way_to_a_lower_level_may_release(play: Play) -> None:
    play("""
        reprioritise on
        account A balance 10
        account B
        pay 1 A B 20 HIGH = queued
        pay 2 A B 10 NORM = queued
        level 1 NORM by A = done, 2 settled by move
        waits A NORM 1
    """)


def test_a_change_to_the_same_level_is_a_move_to_the_tail(play: Play) -> None:
    play("""
        reprioritise on
        account A balance 10
        account B
        pay 1 A B 20 NORM = queued
        pay 2 A B 10 NORM = queued
        level 1 NORM by A = done, 2 settled by move
        waits A NORM 1
    """)


def test_a_released_payment_that_changed_level_keeps_the_new_one(play: Play) -> None:
    """A payment that rises above a reservation is bound by it no longer."""
    play("""
        reprioritise on
        account A balance 10 reserved_high 10
        account B
        pay 1 A B 10 NORM = queued
        level 1 URGT by A = done, 1 settled by move
    """)


def test_an_order_under_debit_control_is_done_and_releases_nothing(play: Play) -> None:
    play("""
        account A balance 10 debit_control
        account B
        pay 1 A B 20 NORM = queued
        pay 2 A B 10 NORM = queued
        head 2 by A = done
        cancel 1 by A = done
        waits A NORM 2
        debit_control A off = done, 2 settled by control
    """)


def test_the_central_bank_takes_back_an_item_of_its_own_levels_and_what_it_held_up_goes(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10
        account B
        09:00 pay 1 A CB 30 net = queued
        pay 2 A CB 20 fees = queued
        pay 3 A B 10 NORM = queued
        withdraw 3 = level_closed
        withdraw 1 = done
        waits A fees 2
        09:30 withdraw 2 = done, 3 settled by cancel
        withdraw 2 = not_waiting
        totals waiting_count 0 waiting_fen 0
        ends A balance 0
    """)
