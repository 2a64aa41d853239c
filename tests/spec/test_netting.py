"""The netting server: the cap and the cap queue. The words of the tables stand in `netting_tables`."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.words.retail import RetailKind

NettingTable = runpy.run_path(str(Path(__file__).with_name("netting_tables.py")))["NettingTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(netting_class: Any) -> Play:
    """Plays a table and answers the netting server as it is at its end."""
    return lambda text: NettingTable(netting_class).play(text)


# the cap --------------------------------------------------------------------------------------------------------


def test_what_is_netted_moves_both_positions_and_is_counted_in_items(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        09:00 pay 0 A B 60 BCRD items 25 = netted
        ends A position -60 headroom 40 sent 60 sent_count 25 received 0 received_count 0 lowest_headroom 40
        ends B position 60 headroom 60 sent 0 sent_count 0 received 60 received_count 25 lowest_headroom 0
        pay 1 B A 60 ICRD = netted
        ends A position 0 headroom 100 lowest_headroom 40
        tally BCRD netted 1 25 60
        tally ICRD netted 1 1 60
    """)


def test_beps_and_ibps_share_one_cap(play: Play) -> None:
    play("""
        bank A cap 100
        bank B
        pay 0 A B 60 BCRD = netted
        pay 1 A B 41 ICRD = refused cap
        pay 2 A B 40 ICRD = netted
        pay 3 A B 1 BCRD = queued
        ends A headroom 0
    """)


def test_what_a_bank_has_received_it_can_send(play: Play) -> None:
    play("""
        bank A cap 10
        bank B
        pay 0 B A 1 BRTC = refused cap
        pay 1 A B 10 ICRD = netted
        pay 2 B A 10 ICRD = netted
    """)


@pytest.mark.parametrize("kind", list(RetailKind), ids=lambda kind: kind.code)
def test_ordinary_and_regular_kinds_wait_for_headroom_and_real_time_kinds_are_refused(
    play: Play, kind: RetailKind
) -> None:
    waits = {"BCRD", "BREG", "BDBT", "BRGD"}
    outcome = "queued" if kind.code in waits else "refused cap"
    play(f"""
        bank A cap 9
        bank B
        pay 0 A B 10 {kind.code} items 3 = {outcome}
        totals waiting_count {int(kind.code in waits)}
        tally {kind.code} {outcome.split()[0]} 1 3 10
        pay 1 A B 9 {kind.code} = netted
    """)


@pytest.mark.parametrize("code", ["BDBT", "BRTD", "BRGD", "IDBT"])
def test_a_debit_is_checked_on_the_payer_when_its_bank_has_answered(play: Play, code: str) -> None:
    """The payee's bank starts it; its own cap does not matter."""
    play(f"""
        bank PAYER cap 50
        bank PAYEE
        pay 0 PAYER PAYEE 50 {code} = netted
        ends PAYER position -50
        ends PAYEE position 50 headroom 50
    """)


# the cap queue --------------------------------------------------------------------------------------------------


def test_the_smallest_amount_is_netted_first(play: Play) -> None:
    play("""
        bank A
        bank B cap 1000
        09:00 pay 0 A B 30 BCRD = queued
        pay 1 A B 10 BREG = queued
        pay 2 A B 20 BDBT = queued
        waits A 1 2 0
        09:30 pay 3 B A 29 ICRD = netted, 1 netted by 3
        waits A 2 0
        10:00 pay 4 B A 31 ICRD = netted, 2 netted by 4, 0 netted by 4
        ends A position 0
    """)


def test_of_equal_amounts_the_one_that_came_first_is_netted_first(play: Play) -> None:
    play("""
        bank A
        bank B cap 1000
        09:00 pay 5 A B 10 BCRD = queued
        pay 6 A B 10 BCRD = queued
        09:01 pay 7 A B 10 BREG = queued
        waits A 5 6 7
        pay 8 B A 20 ICRD = netted, 5 netted by 8, 6 netted by 8
        waits A 7
    """)


def test_a_unit_that_fits_passes_larger_ones_that_wait(play: Play) -> None:
    """It is smaller than all of them, so it stands before them."""
    play("""
        bank A cap 10
        bank B
        pay 0 A B 11 BCRD = queued
        pay 1 A B 10 BCRD = netted
    """)


def test_what_is_released_releases_others_in_the_order_credited(play: Play) -> None:
    play("""
        bank A
        bank B
        bank C
        bank D cap 9
        pay 0 A B 5 BCRD = queued
        pay 1 A C 4 BCRD = queued
        pay 2 B D 5 BCRD = queued
        pay 3 C D 4 BCRD = queued
        10:00 pay 4 D A 9 ICRD = netted, 1 netted by 4, 0 netted by 4, 3 netted by 1, 2 netted by 0
        waits nothing
        ends D position 0
        totals peak_waiting_count 4 peak_waiting_fen 18 waiting_fen 0
    """)


def test_a_credit_that_comes_later_is_what_released(play: Play) -> None:
    """While C waits for its turn in the cascade, B credits it a second time."""
    play("""
        bank A
        bank B
        bank C
        bank D cap 20
        pay 0 A C 1 BCRD = queued
        pay 1 A B 2 BCRD = queued
        pay 2 A C 3 BCRD = queued
        pay 3 C D 4 BCRD = queued
        pay 4 D A 6 ICRD = netted, 0 netted by 4, 1 netted by 4, 2 netted by 4, 3 netted by 2
    """)


def test_a_waiting_unit_whose_payee_has_been_closed_is_refused_when_its_turn_comes(play: Play) -> None:
    play("""
        bank A
        bank B
        bank C cap 10
        pay 0 A B 5 BCRD = queued
        pay 1 A C 6 BCRD = queued
        close B
        waits A 0 1
        pay 2 C A 4 ICRD = netted
        pay 3 C A 6 ICRD = netted, 0 refused closed_account by 3, 1 netted by 3
        ends A headroom 4
        tally BCRD refused 1 1 5
    """)


def test_a_waiting_unit_whose_banks_log_out_is_netted_all_the_same(play: Play) -> None:
    play("""
        bank A
        bank B
        bank C cap 10
        pay 0 A B 5 BCRD = queued
        log A out
        log B out
        pay 1 C A 5 BCRD = netted, 0 netted by 1
    """)


def test_a_package_is_withdrawn_whole_and_only_by_the_bank_that_started_it(play: Play) -> None:
    play("""
        bank A
        bank B
        pay 0 A B 5 BCRD items 7 = queued
        pay 1 A B 3 BDBT = queued
        cancel 0 by B = not_own
        cancel 9 by A = not_waiting
        cancel 0 by A = done
        stop 0 by A = not_waiting
        cancel 0 by A = not_waiting
        cancel 1 by A = not_own                 # a debit: B started it
        cancel 1 by B = done
        tally BCRD cancelled 1 7 5
        waits nothing
    """)


def test_a_cancelled_unit_releases_nothing(play: Play) -> None:
    play("""
        bank A cap 5
        bank B
        pay 0 A B 10 BCRD = queued
        pay 1 A B 6 BCRD = queued
        cancel 1 by A = done
        waits A 0
    """)


def test_what_is_netted_cannot_be_cancelled(play: Play) -> None:
    play("""
        bank A cap 5
        bank B
        pay 0 A B 5 BCRD = netted
        cancel 0 by A = not_waiting
    """)


def test_the_date_switch_cancels_all_that_waits_in_row_and_queue_order(play: Play) -> None:
    play("""
        bank A
        bank B
        09:00 pay 0 B A 7 BCRD = queued
        pay 1 A B 9 BCRD = queued
        pay 2 A B 8 BREG items 2 = queued
        16:00 date_switch = 2 1 0
        waits nothing
        tally BCRD cancelled 2 2 16
        tally BREG cancelled 1 2 8
        ends A position 0 headroom 0
        date_switch = nothing
    """)


def test_what_waits_for_headroom_can_be_stopped_by_the_bank_that_started_it(play: Play) -> None:
    play("""
        bank A cap 10
        bank B
        pay 0 A B 11 BCRD = queued
        pay 1 A B 12 BDBT = queued
        stop 0 by B = not_own
        stop 0 by A = done
        stop 1 by B = done                      # a debit: B started it
        tally BCRD stopped 1 1 11
        ends A position 0
    """)
