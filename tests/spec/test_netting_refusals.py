"""What the netting server refuses before it looks at headroom, and which refusal counts first."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail import RetailKind

NettingTable = runpy.run_path(str(Path(__file__).with_name("netting_tables.py")))["NettingTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(netting_class: Any) -> Play:
    """Plays a table and answers the netting server as it is at its end."""
    return lambda text: NettingTable(netting_class).play(text)


def test_the_first_refusal_in_order_of_precedence_counts(play: Play) -> None:
    """A unit with every fault; the faults are mended one by one in the order in which they were named."""
    play("""
        bank A cap 10 closed logged_out
        bank B logged_out
        pay 0 A A 99 ICRD format = refused format
        pay 1 A A 99 ICRD duplicate = refused duplicate
        pay 2 A A 99 ICRD no_book = refused no_book
        pay 3 A A 99 ICRD amount = refused closed_account
        open A
        pay 4 A A 99 ICRD amount = refused self_payment
        pay 5 A B 99 ICRD amount = refused amount
        pay 6 A B 99 ICRD out_of_hours = refused out_of_hours
        pay 7 A B 99 ICRD payee_bank = refused logged_out
        log A in
        pay 8 A B 99 ICRD payee_bank = expired
        pay 9 A B 99 ICRD = expired
        pay 9 A B 99 ICRD payer_bank = refused payer_bank
        log B in
        pay 9 A B 99 ICRD payee_bank = refused payee_bank
        pay 10 A B 99 ICRD = refused cap
        pay 11 A B 10 ICRD = netted
    """)


@pytest.mark.parametrize("closed", ["A", "B"])
@pytest.mark.parametrize("code", ["BCRD", "BDBT", "ICRD"])
def test_nothing_is_netted_to_or_from_a_closed_participant(play: Play, code: str, closed: str) -> None:
    play(f"""
        bank A cap 10
        bank B
        close {closed}
        pay 0 A B 5 {code} = refused closed_account
        pay 1 A B 50 {code} = refused closed_account
        open {closed}
        pay 2 A B 5 {code} = netted
    """)


@pytest.mark.parametrize("refusal", ["payer_bank", "payee_bank", "no_original", "answered", "amount", "duplicate"])
def test_what_was_found_before_is_refused_and_changes_nothing(play: Play, refusal: str) -> None:
    play(f"""
        bank A cap 10
        bank B
        pay 0 A B 5 BDBT items 4 {refusal} = refused {refusal}
        pay 1 A B 50 BDBT {refusal} = refused {refusal}     # not queued either
        ends A position 0 sent 0 sent_count 0
        waits nothing
        tally BDBT refused 2 5 55
    """)


def test_a_reply_that_came_too_late_nets_nothing(play: Play) -> None:
    play("""
        bank A cap 10
        bank B
        pay 0 A B 5 ICRD timed_out = expired
        pay 1 A B 5 BDBT items 2 timed_out = expired
        ends A position 0
        tally ICRD expired 1 1 5
        tally BDBT expired 1 2 5
    """)


def test_what_is_not_answered_before_the_run_ends_stays_open_and_is_not_in_the_cap_queue(play: Play) -> None:
    """A bank that was logged out did not start it; the answer of a bank that is logged out is not awaited."""
    play("""
        bank A cap 10
        bank B
        pay 0 A B 5 ICRD unanswered = open
        pay 1 A B 50 BDBT items 2 unanswered = open
        log A out
        pay 2 A B 5 BDBT unanswered = open
        pay 3 A B 5 ICRD unanswered = refused logged_out
        close B
        pay 4 A B 5 ICRD unanswered = refused closed_account
        ends A position 0 sent 0
        waits nothing
        totals peak_waiting_count 0
        tally ICRD open 1 1 5
        tally BDBT open 2 3 55
    """)


def test_a_payment_stopped_by_its_sender_nets_nothing(play: Play) -> None:
    """What was stopped stays so, whatever happens to its bank afterwards."""
    play("""
        bank A cap 10
        bank B
        pay 0 A B 5 BCRD stopped = stopped
        ends A position 0
        tally BCRD stopped 1 1 5
        log A out
        pay 1 A B 5 BCRD stopped = stopped
    """)


@pytest.mark.parametrize("kind", list(RetailKind), ids=lambda kind: kind.code)
def test_a_bank_that_is_logged_out_starts_nothing_and_answers_nothing(play: Play, kind: RetailKind) -> None:
    """What needs no answer is delivered when the bank logs in."""
    starts, answers = ("B", "A") if kind.code in {"BDBT", "BRTD", "BRGD", "IDBT"} else ("A", "B")
    unanswered = "netted" if kind.code in {"BCRD", "BREG"} else "expired"
    play(f"""
        bank A cap 10
        bank B
        log {starts} out
        pay 0 A B 5 {kind.code} = refused logged_out
        log {starts} in
        log {answers} out
        pay 1 A B 5 {kind.code} = {unanswered}
        log {answers} in
        pay 2 A B 5 {kind.code} = netted
    """)


@pytest.mark.parametrize("code", ["ICRD", "BDBT"])
def test_who_starts_a_unit_must_have_been_logged_in_when_it_submitted_it(play: Play, code: str) -> None:
    """What it sent before it logged out is answered and netted; what it sent while it was out never is."""
    starts = "B" if code == "BDBT" else "A"
    play(f"""
        bank A cap 10
        bank B
        10:00 log {starts} out
        10:01 pay 0 A B 1 {code} sent 09:59:59.999 = netted
        pay 1 A B 1 {code} sent 10:00 = refused logged_out
        pay 2 A B 1 {code} = refused logged_out
        10:02 log {starts} in
        pay 3 A B 1 {code} sent 10:01:59.999 = refused logged_out
        pay 4 A B 1 {code} sent 10:02 = netted
        10:03 log {starts} out
        10:03 log {starts} out
        10:04 log {starts} in
        10:05 pay 5 A B 1 {code} sent 09:00 = netted
        pay 6 A B 1 {code} sent 10:01 = refused logged_out
        pay 7 A B 1 {code} sent 10:02:30 = netted
        pay 8 A B 1 {code} sent 10:03:30 = refused logged_out
        pay 9 A B 1 {code} sent 10:03:30 timed_out = refused logged_out
        pay 10 A B 1 {code} = netted
    """)


@pytest.mark.parametrize("code", ["ICRD", "BDBT"])
def test_who_answers_must_be_logged_in_when_the_answer_comes(play: Play, code: str) -> None:
    answers = "A" if code == "BDBT" else "B"
    play(f"""
        bank A cap 10
        bank B
        10:00 log {answers} out
        10:01 pay 0 A B 1 {code} sent 09:00 = expired
        10:02 log {answers} in
        pay 1 A B 1 {code} sent 10:01 = netted
    """)


def test_who_is_logged_out_as_the_run_begins_was_never_logged_in_before(play: Play) -> None:
    play("""
        bank A cap 10 logged_out
        bank B
        10:00 log A in
        10:01 pay 0 A B 1 ICRD sent 00:00 = refused logged_out
        pay 1 A B 1 ICRD sent 10:00 = netted
        pay 2 B A 1 ICRD sent 00:00 = netted
    """)


def test_absences_without_number_are_all_remembered(netting_class: Any) -> None:
    """Each hour the bank is out for a minute, for some days; then it is asked about every one of them."""
    server = netting_class([{"cap": 10**6}, {}])
    hours, hour, minute = 100, 3_600_000, 60_000
    for number in range(hours):
        server.set_logged_in(number * hour, 0, False)
        server.set_logged_in(number * hour + minute, 0, True)
    now = hours * hour
    for number in range(hours):
        for sent_ms, act in ((number * hour + minute - 1, Act.REFUSED), (number * hour + minute, Act.NETTED)):
            assert server.submit(now, 0, 0, 1, 1, 1, RetailKind.IBPS_CREDIT, 0, now - sent_ms) == act


def test_with_log_all_every_outcome_is_told(play: Play) -> None:
    """That each is logged is checked by the table; none of them leaves a second entry."""
    play("""
        log_all
        bank A cap 10
        bank B
        pay 0 A B 5 ICRD = netted
        pay 1 A B 5 ICRD format = refused format
        pay 2 A B 5 ICRD timed_out = expired
        pay 3 A B 5 ICRD stopped = stopped
        pay 4 A B 6 ICRD = refused cap
        pay 5 A B 6 BCRD = queued
        pay 6 A B 5 ICRD unanswered = open
    """)
