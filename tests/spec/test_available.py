"""What an account can spend: own funds, earmark, floor, overdraft limit, reservations (rules of the account)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]


@pytest.mark.parametrize(
    ("terms", "level", "available"),
    [
        ("balance 100", "NORM", 100),
        ("balance 100 floor 20", "NORM", 80),
        ("balance 100 earmark 30", "NORM", 70),
        ("balance 100 overdraft_limit 50", "NORM", 150),
        ("balance -40 overdraft_limit 50", "NORM", 10),
        ("balance 100 earmark 30 floor 20 overdraft_limit 50", "NORM", 100),
        # The earmark is kept from every level but that of the round nets.
        ("balance 100 earmark 30", "reversal", 70),
        ("balance 100 earmark 30", "URGT", 70),
        ("balance 100 earmark 30", "fees", 70),
        ("balance 100 earmark 30", "same_city", 70),
        ("balance 100 earmark 30", "net", 100),
        ("balance 100 earmark 30", "one_sided", 70),
        ("balance 100 earmark 30", "HIGH", 70),
        ("balance 100 earmark 30 floor 20 overdraft_limit 50", "net", 130),
        # HPAR keeps money for levels 0 and 1.
        ("balance 100 reserved_high 10", "reversal", 100),
        ("balance 100 reserved_high 10", "URGT", 100),
        ("balance 100 reserved_high 10", "fees", 90),
        ("balance 100 reserved_high 10", "same_city", 90),
        ("balance 100 reserved_high 10", "net", 100),
        ("balance 100 reserved_high 10", "one_sided", 90),
        ("balance 100 reserved_high 10", "HIGH", 90),
        ("balance 100 reserved_high 10", "NORM", 90),
        # UPAR keeps money for levels 0 to 6.
        ("balance 100 reserved_urgent 10", "URGT", 100),
        ("balance 100 reserved_urgent 10", "fees", 100),
        ("balance 100 reserved_urgent 10", "HIGH", 100),
        ("balance 100 reserved_urgent 10", "NORM", 90),
        ("balance 100 reserved_high 10 reserved_urgent 5", "HIGH", 90),
        ("balance 100 reserved_high 10 reserved_urgent 5", "NORM", 85),
        ("balance 100 earmark 1 floor 2 overdraft_limit 40 reserved_high 8 reserved_urgent 16", "NORM", 113),
        ("balance 100 earmark 1 floor 2 overdraft_limit 40 reserved_high 8 reserved_urgent 16", "net", 138),
    ],
)
def test_a_payment_settles_up_to_what_its_level_can_spend(play: Play, terms: str, level: str, available: int) -> None:
    play(f"""
        account A {terms}
        account B
        pay 1 A B {available} {level} = settled
    """)
    play(f"""
        account A {terms}
        account B
        pay 1 A B {available + 1} {level} = queued
    """)


def test_the_central_bank_can_always_pay(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        pay 1 CB A 92000000000000000 NORM = settled
        ends CB balance -92000000000000000
        ends A balance 92000000000000000
        totals overdrawn_count 0
    """)


@pytest.mark.parametrize(
    ("terms", "net", "balance", "earmark"),
    [
        ("balance 100 earmark 30", 69, 31, 30),
        ("balance 100 earmark 30", 70, 30, 30),
        ("balance 100 earmark 30", 71, 29, 29),
        ("balance 100 earmark 30", 100, 0, 0),
        ("balance 100 earmark 30 floor 20", 50, 50, 30),
        ("balance 100 earmark 30 floor 20", 80, 20, 0),
        ("balance 10 earmark 10 overdraft_limit 50", 40, -30, 10),
        ("balance 10 earmark 10 overdraft_limit 50", 60, -50, 0),
        # The earmark is larger than the money: nothing is free, so all of the net comes from it.
        ("balance 5 earmark 10", 5, 0, 5),
    ],
)
def test_a_round_net_uses_free_money_first_then_the_earmark(
    play: Play, terms: str, net: int, balance: int, earmark: int
) -> None:
    play(f"""
        account CB central_bank
        account A {terms}
        pay 1 A CB {net} net = settled
        ends A balance {balance} earmark {earmark}
    """)


def test_reservations_do_not_touch_what_a_net_takes_from_the_earmark(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 100 earmark 30 reserved_high 50
        pay 1 A CB 70 net = settled
        ends A balance 30 earmark 30
    """)


def test_a_net_that_waited_uses_the_earmark_when_it_settles(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 20 earmark 20
        pay 1 A CB 50 net = queued
        inject 2 CB A 30 = 1 settled by injection
        ends A balance 0 earmark 0
    """)


def test_check_and_post_are_one_act(play: Play) -> None:
    """Each payment is tested against the balance that the one before it left."""
    play("""
        account A balance 100
        account B
        pay 1 A B 60 NORM = settled
        pay 2 A B 60 NORM = queued
        pay 3 A B 40 NORM = queued
        ends A balance 40
    """)
