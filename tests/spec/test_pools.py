"""Fund pools (资金池): who rescues whom, with how much, and when. The words are those of `liquidity_tables`."""

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
    """Plays a table with pools and answers the books as they are at its end."""
    return lambda text: LiquidityTable(books_class).play(text)


# How much ---------------------------------------------------------------------------------------------------------


def test_two_accounts_of_a_pool_settle_what_one_account_would_hold_up(play: Play) -> None:
    """A1 10, A2 0; A2 submits 100, then A1 5: the two settle the 5, one account with strict order nothing."""
    play("""
        account A1 balance 10
        account A2
        account X
        pool A1 A2
        pay 1 A2 X 100 NORM = queued
        pay 2 A1 X 5 NORM = settled
        waits A2 NORM 1
    """)
    play("""
        account A balance 10
        account X
        pay 1 A X 100 NORM = queued
        pay 2 A X 5 NORM = queued
    """)


def test_a_rescue_moves_exactly_what_is_lacking(play: Play) -> None:
    play("""
        account A balance 3
        account B balance 20
        account X
        pool A B
        pay 1 A X 10 NORM = settled, pool B A 7 for 1
        ends A balance 0 sent 10 sent_count 1 received 7 received_count 1 lowest_balance 0
        ends B balance 13 sent 7 sent_count 1 lowest_balance 13 lowest_available 13
    """)


def test_a_rescue_is_all_or_nothing(play: Play) -> None:
    play("""
        account A balance 3
        account B balance 4
        account C balance 2
        account X balance 1
        pool A B C
        pay 1 A X 10 NORM = queued
        ends B balance 4
        pay 2 X C 1 NORM = settled, pool B A 4 for 1, pool C A 3 for 1, 1 settled by pool
    """)


def test_what_an_overdrawn_account_owes_is_lacking_too(play: Play) -> None:
    play("""
        account A balance -5 overdraft_limit 7
        account B balance 8
        account X
        pool A B
        pay 1 A X 3 NORM = settled, pool B A 8 for 1
        ends A balance 0
    """)


def test_own_funds_come_before_the_pool_and_the_pool_before_the_overdraft(play: Play) -> None:
    play("""
        account A balance 5 overdraft_limit 50
        account B balance 10
        account X
        pool A B
        pay 1 A X 5 NORM = settled
        pay 2 A X 8 NORM = settled, pool B A 8 for 2
        pay 3 A X 3 NORM = settled
        ends A balance -3
        ends B balance 2
    """)


@pytest.mark.parametrize(("amount", "outcome"), [(80, "settled, pool B A 80 for 1"), (81, "queued")])
def test_a_member_keeps_its_earmark_floor_reservations_and_credit(play: Play, amount: int, outcome: str) -> None:
    play(f"""
        account A
        account B balance 100 earmark 10 floor 5 reserved_high 3 reserved_urgent 2 overdraft_limit 1000
        account X
        pool A B
        pay 1 A X {amount} NORM = {outcome}
    """)


def test_a_round_net_uses_the_earmark_before_the_pool_and_other_levels_never(play: Play) -> None:
    play("""
        account A balance 30 earmark 30
        account B balance 31
        account X
        pool A B
        pay 1 A X 10 NORM = settled, pool B A 10 for 1
        ends A balance 30 earmark 30
        pay 2 A X 50 net = settled, pool B A 20 for 2
        ends A balance 0 earmark 0
        ends B balance 1
    """)


def test_a_rescue_fills_up_to_floor_and_reservations(play: Play) -> None:
    play("""
        account A balance 6 floor 2 reserved_high 3 reserved_urgent 4
        account B balance 20
        account X
        pool A B
        pay 1 A X 5 NORM = settled, pool B A 8 for 1
        ends A balance 9
        pay 2 A X 5 HIGH = settled, pool B A 1 for 2
    """)


# Who --------------------------------------------------------------------------------------------------------------


def test_members_give_in_list_order_each_all_it_can_spare(play: Play) -> None:
    play("""
        account A
        account B balance 9
        account C
        account D balance 5
        account E balance 4
        account X
        pool E C D A B
        pay 1 A X 12 NORM = settled, pool E A 4 for 1, pool D A 5 for 1, pool B A 3 for 1
    """)


def test_an_account_is_rescued_by_its_own_pool_only(play: Play) -> None:
    play("""
        account A
        account B balance 10
        account C balance 5
        account D
        account X
        pool A C
        pool D B
        pay 1 A X 10 NORM = queued
        pay 2 C X 5 NORM = settled
        pay 3 X A 5 NORM = settled
    """)


@pytest.mark.parametrize("state", ["debit_control", "life frozen", "life to_close"])
def test_a_member_that_is_controlled_or_not_open_gives_nothing(play: Play, state: str) -> None:
    play(f"""
        account A
        account B balance 10 {state}
        account X
        pool A B
        pay 1 A X 10 NORM = queued
    """)


@pytest.mark.parametrize("level", ["URGT", "fees", "net", "one_sided", "HIGH", "NORM"])
def test_a_member_with_anything_in_its_queue_gives_nothing(play: Play, level: str) -> None:
    play(f"""
        account A
        account B balance 10
        account X
        pool A B
        pay 1 B X 11 {level} = queued
        pay 2 A X 5 NORM = queued
    """)


def test_a_members_outbox_does_not_keep_it_from_giving(play: Play) -> None:
    play("""
        account A
        account B balance 10
        account X
        pool A B
        09:00 hold B until 10:00
        pay 1 B X 10 NORM = held
        pay 2 A X 5 NORM = settled, pool B A 5 for 2
    """)


def test_two_waiting_members_do_not_rescue_one_another(play: Play) -> None:
    play("""
        account A balance 6
        account B balance 6
        account X
        pool A B
        pay 1 A X 20 NORM = queued
        pay 2 B X 8 NORM = queued
        waits A NORM 1
        waits B NORM 2
    """)


def drawn_order(seed: int, sequence: int, rows: list[int]) -> list[int]:
    """The members' rows in the order in which they give for a payment, as the rules of the pool say."""

    def mixed(number: int) -> int:
        for _ in range(2):
            number = (number >> 16 ^ number) * 0x45D9F3B % 2**32
        return number >> 16 ^ number

    def drawn(row: int) -> int:
        return mixed(mixed(mixed(seed) ^ sequence) ^ row)

    return sorted(rows, key=drawn)


@pytest.mark.parametrize("seed", [0, 5])
def test_a_random_order_depends_on_seed_payment_and_members_only(play: Play, seed: int) -> None:
    """Ten payments, each taking 1 from each of the four other members, which get it back before the next."""
    orders = {number: drawn_order(seed, number, [1, 2, 3, 4]) for number in range(1, 11)}
    lines = ["account A", *[f"account M{row} balance 1" for row in (1, 2, 3, 4)], "account X"]
    lines += [f"pool_seed {seed}", "random_pool M4 A M1 M2 M3"]
    for number, order in orders.items():
        moves = ", ".join(f"pool M{row} A 1 for {number}" for row in order)
        lines += [f"pay {number} A X 4 NORM = settled, {moves}"]
        lines += [f"pay {10_000 + 10 * number + row} X M{row} 1 NORM = settled" for row in order]
    play("\n".join(lines))
    assert len({tuple(order) for order in orders.values()}) > 5
