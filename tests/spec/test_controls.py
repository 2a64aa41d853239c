"""Debit control (借记控制), freezing (冻结), credit control (贷记控制), accounts not open (account status)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]

HELD = ["debit_control", "life frozen"]


@pytest.mark.parametrize("control", HELD)
def test_a_held_account_pays_only_reversals_and_same_city_nets(play: Play, control: str) -> None:
    play(f"""
        account A balance 100 {control}
        account B
        pay 1 A B 1 NORM = queued
        pay 2 A B 1 HIGH = queued
        pay 3 A B 1 one_sided = queued
        pay 4 A B 1 net = queued
        pay 5 A B 1 same_city = settled
        pay 6 A B 1 fees = queued
        pay 7 A B 1 URGT = queued
        pay 8 A B 1 reversal = settled
        ends A balance 98
    """)


@pytest.mark.parametrize("control", HELD)
def test_held_levels_are_transparent_but_reversals_still_outrank_same_city_nets(play: Play, control: str) -> None:
    play(f"""
        account CB central_bank
        account A balance 10 {control}
        account B
        pay 1 A B 5 URGT = queued
        pay 2 A B 5 fees = queued
        pay 3 A B 11 same_city = queued
        pay 4 A B 3 same_city = queued       # behind its own level
        pay 5 A B 20 reversal = queued
        inject 6 CB A 5 =                    # 15: enough for the net, but the reversal comes first
        inject 7 CB A 5 = 5 settled by injection
        inject 8 CB A 14 = 3 settled by injection, 4 settled by injection
        waits A URGT 1
        waits A fees 2
    """)


def test_with_bypass_a_reversal_outranks_same_city_nets_under_control(play: Play) -> None:
    play("""
        discipline bypass
        account A balance 10 debit_control
        account B
        pay 1 A B 11 same_city = queued
        pay 2 A B 10 same_city = settled
        pay 3 A B 5 reversal = queued
        pay 4 A B 1 same_city = queued
    """)


def test_a_credit_does_not_release_held_payments_and_lifting_the_control_does(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 NORM = queued
        debit_control A on = done
        inject 2 CB A 100 =
        ends A debit_control 1
        10:00 debit_control A off = done, 1 settled by control
    """)


def test_thawing_an_account_releases_its_queue(play: Play) -> None:
    play("""
        account A balance 10
        account B
        life A frozen = done
        pay 1 A B 10 NORM = queued
        life A open = done, 1 settled by control
    """)


def test_both_holds_must_be_lifted(play: Play) -> None:
    play("""
        account A balance 10 debit_control
        account B
        life A frozen = done
        pay 1 A B 10 NORM = queued
        debit_control A off = done
        life A open = done, 1 settled by control
    """)


def test_a_frozen_account_still_receives(play: Play) -> None:
    play("""
        account A balance 10
        account B life frozen debit_control
        pay 1 A B 10 NORM = settled
    """)


def test_credit_control_refuses_participants_payments_but_not_the_central_banks(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 100
        account B credit_control
        pay 1 A B 1 NORM = refused credit_control
        pay 2 A B 1 HIGH = refused credit_control
        pay 3 A B 1 URGT = refused credit_control
        pay 4 CB B 1 net = settled
        pay 5 A B 1 same_city = settled
        pay 6 A B 1 reversal = settled
        pay 7 A B 1 fees = settled
        pay 8 CB B 1 one_sided = settled
        pay 9 B A 5 NORM = settled           # debits are free
        inject 10 CB B 1 =
    """)


def test_a_queued_payment_to_a_controlled_creditor_is_refused_when_its_turn_comes(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        account C
        pay 1 A B 10 NORM = queued
        pay 2 A C 10 NORM = queued
        credit_control B on = done
        waits A NORM 1 2                     # nothing happens until it could be paid
        inject 3 CB A 9 =
        inject 4 CB A 1 = 1 refused credit_control by injection, 2 settled by injection
        totals waiting_count 0 waiting_fen 0
    """)


def test_with_bypass_a_refusal_in_the_queue_does_not_stop_the_scan(play: Play) -> None:
    play("""
        discipline bypass
        account CB central_bank
        account A
        account B
        account C
        pay 1 A C 50 NORM = queued
        pay 2 A B 10 NORM = queued
        pay 3 A C 10 NORM = queued
        credit_control B on = done
        inject 4 CB A 10 = 2 refused credit_control by injection, 3 settled by injection
        waits A NORM 1
    """)


def test_lifting_credit_control_before_the_turn_lets_the_payment_settle(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 NORM = queued
        credit_control B on = done
        credit_control B off = done
        inject 2 CB A 10 = 1 settled by injection
    """)


def test_the_central_banks_own_queued_items_ignore_credit_control(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 one_sided = queued
        credit_control B on = done
        inject 2 CB A 10 = 1 settled by injection
    """)


@pytest.mark.parametrize("life", ["to_open", "closed"])
@pytest.mark.parametrize("level", ["NORM", "net"])
def test_an_account_that_is_not_open_neither_pays_nor_receives(play: Play, life: str, level: str) -> None:
    play(f"""
        account A balance 10
        account B life {life}
        pay 1 A B 1 {level} = refused closed_account
        pay 2 B A 1 {level} = refused closed_account
    """)


def test_an_account_to_be_closed_still_pays_and_receives(play: Play) -> None:
    play("""
        account A balance 10
        account B life to_close
        pay 1 A B 10 NORM = settled
        pay 2 B A 10 NORM = settled
        life B closed = done
        pay 3 A B 10 NORM = refused closed_account
    """)


def test_an_account_with_money_or_a_waiting_payment_cannot_be_closed(play: Play) -> None:
    play("""
        account A balance 10
        account B
        life A closed = not_empty
        ends A life 1
        pay 1 B A 5 NORM = queued
        life B closed = not_empty
        cancel 1 by B = done
        09:00 hold B until 10:00
        pay 2 B A 5 NORM = held
        life B closed = not_empty
        resume B = 2 submitted, 2 queued
        cancel 2 by B = done
        life B closed = done
        ends B life 3
    """)


def test_a_queued_payment_to_an_account_closed_since_is_refused_when_its_turn_comes(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 10 net = queued
        life B closed = done
        inject 3 CB A 10 = 2 refused closed_account by injection, 1 refused closed_account by injection
        ends A balance 10
    """)


def test_without_a_queue_a_held_debtor_is_refused_for_its_control(play: Play) -> None:
    play("""
        discipline reject
        account A balance 10 debit_control
        account B
        account C balance 10 life frozen
        pay 1 A B 1 NORM = refused debit_control
        pay 2 A B 99 NORM = refused debit_control
        pay 3 C B 1 NORM = refused debit_control
        pay 4 A B 1 net = queued
        pay 5 A B 1 same_city = settled
    """)
