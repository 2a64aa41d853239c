"""Small cases of queues and gridlock with provable answers, as far as release one by one goes.

The cases are those of the literature on gridlock (Bech and Soramäki 2001; Güntzer, Jungnickel and Leclerc 1998);
what a matching makes of them is tested with the matching.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

Play = Callable[[str], Any]


def settled_fen(books: Any) -> int:
    return sum(account["sent"] for account in books.snapshot()["accounts"])


def waiting(books: Any) -> int:
    return int(books.snapshot()["books"]["waiting_count"])


def test_one_by_one(play: Play) -> None:
    """A holds 100 and owes 60 twice: exactly one settles."""
    play("""
        account A balance 100
        account B
        pay 1 A B 60 NORM = settled
        pay 2 A B 60 NORM = queued
        ends A balance 40
    """)


@pytest.mark.parametrize(
    ("discipline", "arriving", "value", "count"),
    [("fifo", 40, 140, 2), ("bypass", 40, 90, 3), ("fifo", 39, 39, 1), ("bypass", 39, 89, 3)],
)
def test_fifo_or_bypass(play: Play, discipline: str, arriving: int, value: int, count: int) -> None:
    """A holds 60 and owes 100, 30, 20. FIFO waits for the 40 that pays the 100; bypass has spent the money by then."""
    second, third = ("queued", "queued") if discipline == "fifo" else ("settled", "settled")
    released = ", 1 settled by 4" if value == 140 else ""
    books = play(f"""
        discipline {discipline}
        account A balance 60
        account B balance 40
        09:00 pay 1 A B 100 NORM = queued
        pay 2 A B 30 NORM = {second}
        pay 3 A B 20 NORM = {third}
        09:05 pay 4 B A {arriving} NORM = settled{released}
    """)
    assert settled_fen(books) == value
    assert sum(account["sent_count"] for account in books.snapshot()["accounts"]) == count


@pytest.mark.parametrize(("funds", "value"), [(19, 181), (60, 131)])
def test_bypass_is_not_monotone_in_liquidity(play: Play, funds: int, value: int) -> None:
    """With 19 the money waits for the 100; with 60 it goes to 30 and 20, and 81 more do not make up for it."""
    small, released = ("queued", ", 1 settled by 4") if funds == 19 else ("settled", "")
    books = play(f"""
        discipline bypass
        account A balance {funds}
        account B balance 81
        pay 1 A B 100 NORM = queued
        pay 2 A B 30 NORM = {small}
        pay 3 A B 20 NORM = {small}
        pay 4 B A 81 NORM = settled{released}
    """)
    assert settled_fen(books) == value


@pytest.mark.parametrize(
    ("first", "second", "released", "value"),
    [("A", "B", "2 settled by limit, 1 settled by 2", 14), ("B", "A", "3 settled by limit, 2 settled by 3", 11)],
)
def test_with_bypass_the_account_visited_first_decides(
    play: Play, first: str, second: str, released: str, value: int
) -> None:
    """A can spend 7 and B 6; B owes A 9 and 6, A owes B 5. The queue stands before it is retried, in row order."""
    funds = {"A": 7, "B": 6}
    books = play(f"""
        discipline bypass
        account {first} overdraft_limit {funds[first]}
        account {second} overdraft_limit {funds[second]}
        phase clearing_window                 # no credit for this level, so nothing settles yet
        pay 1 B A 9 one_sided = queued
        pay 2 A B 5 one_sided = queued
        pay 3 B A 6 one_sided = queued
        phase daytime
        retry_all by limit = {released}
    """)
    assert settled_fen(books) == value


def test_with_bypass_control_lifted_on_one_account_after_the_other_visits_them_in_that_order(play: Play) -> None:
    """The same queue of participants' payments, held by debit control until it is complete."""
    for order, value in (("AB", 14), ("BA", 11)):
        released = {"AB": ("2", "1"), "BA": ("3", "2")}[order]
        books = play(f"""
            discipline bypass
            account A balance 7 debit_control
            account B balance 6 debit_control
            pay 1 B A 9 NORM = queued
            pay 2 A B 5 NORM = queued
            pay 3 B A 6 NORM = queued
            debit_control {order[0]} off = done, {released[0]} settled by control
            debit_control {order[1]} off = done, {released[1]} settled by control
        """)
        assert settled_fen(books) == value


def test_bypass_restarts_at_the_head_when_money_arrives(play: Play) -> None:
    """A 4, B 4: B→A 8, A→B 4, B→A 2. The 4 lets the 8 go, 12 in all; a scan that went on would settle 6."""
    books = play("""
        discipline bypass
        account A overdraft_limit 4
        account B overdraft_limit 4
        phase clearing_window
        pay 1 B A 8 one_sided = queued
        pay 2 A B 4 one_sided = queued
        pay 3 B A 2 one_sided = queued
        phase daytime
        retry_all by limit = 2 settled by limit, 1 settled by 2
    """)
    assert settled_fen(books) == 12


def test_head_cancelled(play: Play) -> None:
    play("""
        account A balance 10
        account B
        09:00 pay 1 A B 100 NORM = queued
        pay 2 A B 5 NORM = queued
        09:30 cancel 1 by A = done, 2 settled by cancel
        ends A balance 5
    """)


@pytest.mark.parametrize("discipline", ["fifo", "bypass"])
def test_a_star_stands_still_without_matching(play: Play, discipline: str) -> None:
    for held in (4, 5):
        books = play(f"""
            discipline {discipline}
            account H
            account S1
            account S2 balance {held}
            account S3
            pay 1 H S1 30 NORM = queued
            pay 2 H S2 20 NORM = queued
            pay 3 H S3 10 NORM = queued
            pay 4 S1 H 25 NORM = queued
            pay 5 S2 H 25 NORM = queued
            pay 6 S3 H 10 NORM = queued
        """)
        assert settled_fen(books) == 0


@pytest.mark.parametrize("banks", [3, 4, 7])
@pytest.mark.parametrize("seeded", [0, 1, 2])
def test_a_ring_needs_the_whole_of_one_payment_anywhere(play: Play, banks: int, seeded: int) -> None:
    """n payments of 10 round a ring of n empty accounts: a seed of 10 anywhere clears all, of 9 none."""
    ring = [f"account N{bank}" for bank in range(banks)]
    ring += [f"pay {bank} N{bank} N{(bank + 1) % banks} 10 NORM = queued" for bank in range(banks)]
    chain = [(seeded + step) % banks for step in range(banks)]
    released = [f"{chain[0]} settled by injection"]
    released += [f"{bank} settled by {before}" for before, bank in pairwise(chain)]
    for seed, outcome in ((9, ""), (10, ", ".join(released))):
        books = play("\n".join(["account CB central_bank", *ring, f"inject 99 CB N{seeded} {seed} = {outcome}"]))
        assert waiting(books) == (0 if seed == 10 else banks)


@pytest.mark.parametrize(
    ("bank", "money", "released", "left"),
    [
        ("A", 9, "", 3),
        ("A", 10, "1 settled by injection, 2 settled by 1, 3 settled by 2", 0),
        ("A", 4, "", 3),
        ("B", 10, "2 settled by injection, 3 settled by 2", 1),
    ],
)
def test_an_unequal_ring_needs_its_largest_payment(play: Play, bank: str, money: int, released: str, left: int) -> None:
    """A→B 10, B→C 8, C→A 6: one by one 10 more at A clear all, where a matching needs 4."""
    books = play(f"""
        account CB central_bank
        account A
        account B
        account C
        pay 1 A B 10 NORM = queued
        pay 2 B C 8 NORM = queued
        pay 3 C A 6 NORM = queued
        inject 4 CB {bank} {money} = {released}
    """)
    assert waiting(books) == left


@pytest.mark.parametrize(("piece", "left"), [(100, 2), (50, 4), (25, 8), (20, 0), (10, 0), (5, 0)])
def test_splitting_clears_if_and_only_if_a_piece_is_funded(books_class: Any, piece: int, left: int) -> None:
    """A holds 20, B nothing, each owes the other 100, in equal pieces."""
    books = books_class([{"balance": 20}, {"balance": 0}])
    books.set_phase(10)
    for number in range(100 // piece):
        books.submit(0, number, 0, 1, piece, 7)
    for number in range(100 // piece):
        books.submit(0, 100 + number, 1, 0, piece, 7)
    assert waiting(books) == left


def test_pooling_may_delay(play: Play) -> None:
    """Branches with 10 and 0: the second owes 100, then the first 5. In one account the 5 waits behind the 100."""
    play("""
        account BRANCH1 balance 10
        account BRANCH2
        account OTHER
        pay 1 BRANCH2 OTHER 100 NORM = queued
        pay 2 BRANCH1 OTHER 5 NORM = settled
    """)
    play("""
        account POOLED balance 10
        account OTHER
        pay 1 POOLED OTHER 100 NORM = queued
        pay 2 POOLED OTHER 5 NORM = queued
    """)


def test_with_two_levels_history_decides(play: Play) -> None:
    """An earlier NORM payment has settled when the URGT one comes, though the URGT one alone would be the answer."""
    play("""
        account A balance 10
        account B
        pay 1 A B 10 NORM = settled
        pay 2 A B 10 URGT = queued
    """)


def test_with_two_levels_plain_fifo_settles_10(play: Play) -> None:
    """The counter-example in which continuous matching settles less than plain FIFO (8)."""
    books = play("""
        account A balance 5
        account B
        account C
        account D
        pay 1 A B 6 NORM = queued
        pay 2 B A 2 NORM = queued
        pay 3 A C 5 URGT = settled
        pay 4 C D 5 NORM = settled
    """)
    assert settled_fen(books) == 10


def test_the_toy_day_at_its_upper_bound_settles_all_on_submission(play: Play) -> None:
    """A→B 60, B→C 50, C→A 40, A→C 10 need 60 at A; with one less, nothing settles one by one."""
    books = play("""
        account A balance 60
        account B
        account C
        pay 1 A B 60 NORM = settled
        pay 2 B C 50 NORM = settled
        pay 3 C A 40 NORM = settled
        pay 4 A C 10 NORM = settled
        ends A balance 30 lowest_balance 0
    """)
    assert settled_fen(books) == 160
    books = play("""
        account A balance 59
        account B
        account C
        pay 1 A B 60 NORM = queued
        pay 2 B C 50 NORM = queued
        pay 3 C A 40 NORM = queued
        pay 4 A C 10 NORM = queued
    """)
    assert settled_fen(books) == 0


@pytest.mark.parametrize("discipline", ["fifo", "bypass"])
def test_a_true_deadlock_stays(play: Play, discipline: str) -> None:
    books = play(f"""
        discipline {discipline}
        account A
        account B
        pay 1 A B 73 NORM = queued
        pay 2 B A 17 NORM = queued
        pay 3 B A 23 NORM = queued
        pay 4 B A 31 NORM = queued
        pay 5 B A 41 NORM = queued
    """)
    assert settled_fen(books) == 0
