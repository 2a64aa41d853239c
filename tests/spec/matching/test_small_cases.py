"""Small queues with provable answers (Bech and Soramäki 2001; Güntzer, Jungnickel and Leclerc 1998)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Queue = Callable[[str], Any]

ONE_BY_ONE = ("fifo", "bypass")
IN_PAIRS = ("bilateral-fifo", "bilateral")


def ring(banks: int, fen: int = 10) -> str:
    accounts = ", ".join(f"N{bank}" for bank in range(banks))
    payments = ", ".join(f"N{bank}→N{(bank + 1) % banks} {fen}" for bank in range(banks))
    return f"{accounts}; {payments}"


@pytest.mark.parametrize("banks", range(3, 51))
def test_a_ring_of_empty_accounts_settles_whole_or_not_at_all(queue: Queue, banks: int) -> None:
    case = queue(ring(banks))
    whole = list(range(1, banks + 1))
    assert all(case.settles(name) == [] for name in (*ONE_BY_ONE, *IN_PAIRS))
    assert case.settles("multilateral") == case.settles("exact") == whole
    assert case.settles("bilateral-then-multilateral") == whole
    assert case.bound == 10 * banks
    assert case.doctor.diagnosis == case.doctor.diagnosis_free == "gridlock"
    assert case.injection == {}


@pytest.mark.parametrize("banks", [3, 4, 7, 50])
def test_plain_release_clears_a_ring_with_one_payment_s_worth_anywhere_and_not_with_one_fen_less(
    queue: Queue, banks: int
) -> None:
    case = queue(ring(banks))
    for bank in (0, banks // 2, banks - 1):
        assert len(case.with_funds(**{f"N{bank}": 10}).settles("fifo")) == banks
        assert case.with_funds(**{f"N{bank}": 9}).settles("fifo") == []


@pytest.mark.parametrize("name", ["multilateral", "exact"])
def test_an_unequal_ring_needs_only_the_difference_when_it_is_matched(queue: Queue, name: str) -> None:
    case = queue("A, B, C; A→B 10, B→C 8, C→A 6")
    assert case.settles(name) == []
    assert case.doctor.diagnosis == case.doctor.diagnosis_free == "deadlock"
    assert case.injection == {"A": 4}
    assert case.with_funds(A=4).settles(name) == [1, 2, 3]
    assert case.with_funds(A=3).settles(name) == []


def test_plain_release_of_an_unequal_ring_needs_its_largest_payment(queue: Queue) -> None:
    case = queue("A, B, C; A→B 10, B→C 8, C→A 6")
    assert case.with_funds(A=10).settles("fifo") == [1, 2, 3]
    assert case.with_funds(A=9).settles("fifo") == []


STAR = "H, S1, S2 {}, S3; H→S1 30, H→S2 20, H→S3 10, S1→H 25, S2→H 25, S3→H 10"


def test_a_star_settles_one_spoke_only_if_its_order_is_left(queue: Queue) -> None:
    case = queue(STAR.format(4))
    assert case.settles("multilateral") == case.settles("bilateral-fifo") == []
    assert case.settles("bilateral") == case.settles("exact") == [3, 6]
    assert case.value("exact") == 20
    assert (case.doctor.diagnosis, case.doctor.diagnosis_free) == ("deadlock", "gridlock")


def test_one_more_at_a_spoke_frees_the_whole_star(queue: Queue) -> None:
    case = queue(STAR.format(5))
    assert case.value("multilateral") == case.value("exact") == 120
    assert case.settles("fifo") == case.settles("bilateral-fifo") == []


def test_a_figure_8_settles_though_no_single_cycle_does(queue: Queue) -> None:
    case = queue("A, B, C, D; A→B 10, B→C 5, B→D 5, C→A 5, D→A 5")
    assert case.settles("multilateral") == case.settles("exact") == [1, 2, 3, 4, 5]
    assert case.settles("bilateral") == []
    assert queue("A, B, C; A→B 10, B→C 5, C→A 5").settles("exact") == []


@pytest.mark.parametrize("name", ["multilateral", "bilateral", "bilateral-fifo", "exact"])
def test_of_a_pair_only_a_part_may_settle(queue: Queue, name: str) -> None:
    assert queue("A 50, B; A→B 100, A→B 100, B→A 90").settles(name) == [1, 3]


@pytest.mark.parametrize("name", ["fifo", "bypass", "multilateral", "bilateral", "exact"])
def test_a_balance_is_spent_once(queue: Queue, name: str) -> None:
    case = queue("A 100, B; A→B 60, A→B 60")
    assert len(case.settles(name)) == 1
    assert case.closing(name) == {"A": 40, "B": 60}


@pytest.mark.parametrize(
    ("funds", "name", "value", "count"),
    [(40, "fifo", 140, 2), (40, "bypass", 90, 3), (39, "fifo", 39, 1), (39, "bypass", 89, 3)],
)
def test_fifo_or_bypass(queue: Queue, funds: int, name: str, value: int, count: int) -> None:
    """A waits for 40 with which it pays the 100; with bypass the money has gone to the small ones by then."""
    case = queue(f"A 60, B {funds}; A→B 100, A→B 30, A→B 20, B→A {funds}")
    assert (case.value(name), len(case.settles(name))) == (value, count)


@pytest.mark.parametrize(("funds", "value"), [(19, 181), (60, 131)])
def test_bypass_is_not_monotone_in_liquidity(queue: Queue, funds: int, value: int) -> None:
    assert queue(f"A {funds}, B 81; A→B 100, A→B 30, A→B 20, B→A 81").value("bypass") == value


@pytest.mark.parametrize(("accounts", "value"), [("A 7, B 6", 14), ("B 6, A 7", 11)])
def test_with_bypass_the_account_visited_first_decides(queue: Queue, accounts: str, value: int) -> None:
    assert queue(f"{accounts}; B→A 9, A→B 5, B→A 6").value("bypass") == value


def test_bypass_restarts_at_the_head_when_money_arrives(queue: Queue) -> None:
    assert queue("A 4, B 4; B→A 8, A→B 4, B→A 2").value("bypass") == 12


def test_bypass_tries_a_lower_level_only_when_the_higher_ones_are_empty(queue: Queue) -> None:
    assert queue("A 5, B; A→B 9 HIGH, A→B 5 NORM").settles("bypass") == []
    assert queue("A 5, B; A→B 9 HIGH, A→B 2 HIGH, A→B 3 NORM").settles("bypass") == [2]
    assert queue("A 5, B; A→B 2 HIGH, A→B 4 NORM, A→B 3 NORM").settles("bypass") == [1, 3]


@pytest.mark.parametrize("name", ["fifo", "multilateral"])
def test_the_queue_order_is_level_then_arrival(queue: Queue, name: str) -> None:
    assert queue("A 10, B; A→B 10 NORM, A→B 10 URGT, A→B 10 HIGH").settles(name) == [2]


def test_a_sum_of_a_subset_settles_a_large_payment(queue: Queue) -> None:
    case = queue("A, B; A→B 100, B→A 23, B→A 29, B→A 49, B→A 28, B→A 31, B→A 21")
    assert case.settles("multilateral") == case.settles("bilateral") == []
    assert case.settles("exact") == [1, 2, 4, 5]
    assert case.value("exact") == case.bound == 200


def test_without_such_a_subset_it_is_a_true_deadlock(queue: Queue) -> None:
    case = queue("A, B; A→B 73, B→A 17, B→A 23, B→A 31, B→A 41")
    assert case.settles("exact") == []
    assert case.bound == 146
    assert case.doctor.diagnosis_free == "deadlock"
    nearly = queue("A, B; A→B 72, B→A 17, B→A 23, B→A 31, B→A 41")
    assert nearly.value("exact") == 144
    assert nearly.doctor.diagnosis_free == "gridlock"


def in_pieces(payments: list[tuple[str, int]], largest: int) -> str:
    """Payments cut into pieces of at most `largest`."""
    pieces = []
    for pair, fen in payments:
        full, left = divmod(fen, largest)
        pieces += [f"{pair} {size}" for size in [largest] * full + ([left] if left else [])]
    return ", ".join(pieces)


@pytest.mark.parametrize(("largest", "clears"), [(100, False), (50, False), (25, False), (20, True), (7, True)])
def test_plain_release_of_split_payments_clears_if_and_only_if_a_piece_is_funded(
    queue: Queue, largest: int, clears: bool
) -> None:
    case = queue(f"A 20, B; {in_pieces([('A→B', 100), ('B→A', 100)], largest)}")
    assert (case.value("fifo") == 200) is clears
    assert case.value("multilateral") == 200


@pytest.mark.parametrize(("largest", "value"), [(10, 0), (6, 18), (5, 15), (4, 12), (3, 18), (2, 18), (1, 18)])
def test_smaller_pieces_do_not_always_settle_more(queue: Queue, largest: int, value: int) -> None:
    case = queue(f"A, B, C; {in_pieces([('A→B', 10), ('B→C', 8), ('C→A', 6)], largest)}")
    assert case.value("multilateral") == value


def test_pooled_accounts_need_less_new_money(queue: Queue) -> None:
    """Branches that need 50 and -30: alone 50, pooled 20."""
    alone = queue("A1, A2, X 1000; A1→X 80, X→A1 30, A2→X 10, X→A2 40")
    assert alone.injection == {"A1": 50}
    assert queue("A, X 1000; A→X 80, X→A 30, A→X 10, X→A 40").injection == {"A": 20}


def test_the_toy_day_settles_in_one_net_with_30(queue: Queue) -> None:
    case = queue("A, B, C; A→B 60, B→C 50, C→A 40, A→C 10")
    assert case.injection == {"A": 30}
    assert case.with_funds(A=30).value("multilateral") == 160
    assert case.with_funds(A=29).value("multilateral") < 160
    assert case.with_funds(A=60).value("fifo") == 160


def test_with_two_levels_earlier_matchings_leave_less(queue: Queue) -> None:
    """Matched after every arrival 8 settle, by plain FIFO 10: with levels, history decides."""
    history = "A 5, B, C, D; A→B 6 NORM, B→A 2 NORM, A→C 5 URGT, C→D 5 NORM"
    assert queue(history).value("fifo") == 10
    first_two = queue("A 5, B, C, D; A→B 6 NORM, B→A 2 NORM")
    assert first_two.settles("multilateral") == [1, 2]
    assert first_two.closing("multilateral") == {"A": 1, "B": 4, "C": 0, "D": 0}
    assert queue("A 1, B 4, C, D; A→C 5 URGT, C→D 5 NORM").settles("multilateral") == []


def test_an_empty_queue_is_clear(queue: Queue) -> None:
    case = queue("A 5, B; ")
    assert case.doctor.diagnosis == case.doctor.diagnosis_free == "clear"
    assert all(case.settles(name) == [] for name in ("fifo", "bypass", "bilateral", "multilateral", "exact", "lp"))
    assert case.bound == 0
