"""Multilateral matching of the cap queues: gridlocks (业务死锁) that matching nets, and those that it cannot."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NettingTable = runpy.run_path(str(Path(__file__).with_name("netting_tables.py")))["NettingTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(netting_class: Any) -> Play:
    """Plays a table and answers the netting server as it is at its end."""
    return lambda text: NettingTable(netting_class).play(text)


@pytest.mark.parametrize("banks", [3, 4, 17])
def test_a_ring_of_banks_without_headroom_is_netted_as_one(play: Play, banks: int) -> None:
    ring = [f"bank N{bank}" for bank in range(banks)]
    ring += [f"09:00 pay {bank} N{bank} N{(bank + 1) % banks} 10 BCRD = queued" for bank in range(banks)]
    every = " ".join(str(bank) for bank in range(banks))
    play("\n".join([*ring, f"10:00 match 1 = {every}", "waits nothing", "ends N0 position 0 sent 10 received 10"]))


@pytest.mark.parametrize(("cap", "netted"), [(0, "nothing"), (3, "nothing"), (4, "0 1 2")])
def test_an_unequal_ring_needs_only_its_net(play: Play, cap: int, netted: str) -> None:
    """A→B 10, B→C 8, C→A 6: 4 of headroom at A clear all, where one by one it takes 10."""
    play(f"""
        bank A cap {cap}
        bank B
        bank C
        pay 0 A B 10 BCRD = queued
        pay 1 B C 8 BCRD = queued
        pay 2 C A 6 BCRD = queued
        10:00 match 1 = {netted}
        totals waiting_count {0 if cap == 4 else 3}
    """)


def test_the_largest_waits_on_where_not_all_can_be_netted(play: Play) -> None:
    """A has two units for B and needs both to be covered by one of B's."""
    play("""
        bank A
        bank B
        bank C
        pay 0 A B 10 BCRD = queued
        pay 1 A C 11 BCRD = queued
        pay 2 B A 10 BCRD = queued
        pay 3 B A 25 BREG = queued
        10:00 match 1 = 0 2
        waits A 1
        waits B 3
        10:30 match 2 = nothing
        ends A position 0 headroom 0 lowest_headroom 0
    """)


def test_a_unit_is_not_matched_before_a_smaller_one_of_its_payer(play: Play) -> None:
    """B could net its 9 against A's 9, but its 5 for C stands before it and is not covered."""
    play("""
        bank A
        bank B
        bank C
        pay 0 A B 9 BCRD = queued
        pay 1 B C 5 BCRD = queued
        pay 2 B A 9 BCRD = queued
        match 1 = nothing
        cap B 4
        match 2 = nothing
        cap B 5 = 1 netted by limit
        match 3 = 0 2
    """)


def test_all_that_can_is_netted_payers_in_row_order_each_in_queue_order(play: Play) -> None:
    play("""
        bank A cap 3
        bank B
        bank C
        bank D
        pay 0 A B 10 BCRD = queued
        pay 1 B C 10 BCRD = queued
        pay 2 C A 7 BCRD = queued
        pay 3 C D 3 BREG = queued
        pay 4 D B 3 BCRD = queued
        pay 5 B A 99 BCRD = queued
        10:00 match 5 = 0 1 3 2 4
        waits B 5
        ends A headroom 0 lowest_headroom 0
        ends B headroom 3
    """)


def test_what_waits_for_a_closed_payee_is_not_considered_and_is_passed_over(play: Play) -> None:
    play("""
        bank A
        bank B
        bank X
        pay 0 A X 1 BCRD = queued
        pay 1 A B 10 BCRD = queued
        pay 2 B A 11 BCRD = queued
        close X
        cap B 1
        match 1 = 1 2, 0 refused closed_account by matching 1
        waits nothing
    """)


def test_a_bank_below_zero_after_a_cut_sends_only_what_it_is_covered_for(play: Play) -> None:
    play("""
        bank A cap 20
        bank B
        bank C
        pay 0 A C 20 BCRD = netted
        cap A 15
        pay 1 A B 10 BCRD = queued
        pay 2 B A 14 BCRD = queued
        cap B 4
        match 1 = nothing
        cap A 16
        match 2 = 1 2
        ends A headroom 0
    """)


def test_a_bank_below_zero_still_receives(play: Play) -> None:
    """A owes 5 more than its cap and sends nothing; B and C are matched and A is paid."""
    play("""
        bank A cap 20
        bank B
        bank C cap 1
        pay 0 A C 20 BCRD = netted
        round = A -20 C 20
        posted C 20
        cap A 15
        pay 1 B A 1 BCRD = queued
        pay 2 B C 9 BCRD = queued
        pay 3 C B 10 BCRD = queued
        match 1 = 1 2 3
        ends A headroom -4
    """)


def test_warnings_of_a_matching_come_once_after_all_of_it_in_row_order(play: Play) -> None:
    """On its way A passes its line and comes back; only where it stands at the end counts."""
    play("""
        bank A cap 5 cap_line 5
        bank B cap 1 cap_line 1
        bank C cap_line 1
        pay 0 A B 10 BCRD = queued
        pay 1 B A 10 BCRD = queued
        pay 2 B C 2 BCRD = queued
        pay 3 C B 3 BCRD = queued
        cap_line C 0 = C cap_warning_cleared
        cap_line C 1 = C cap_warning_raised
        match 1 = nothing
        cap C 1 = C cap_warning_cleared
        match 2 = 0 2 1 3, C cap_warning_raised
        ends A headroom 5 lowest_headroom 5
        ends B headroom 2
    """)
