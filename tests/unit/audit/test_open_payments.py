"""The auditor finds the terms of every open payment, and keeps little of those that are final."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

from cnaps_sim.audit.open_payments import TERMS, OpenPayments
from cnaps_sim.audit.standing import Standing, StandingTable
from cnaps_sim.words.codes import Act

FLOW = np.dtype(
    [("time_ms", "i8"), ("amount", "i8"), ("debtor", "i4"), ("creditor", "i4"), ("level", "i1"), ("refusal", "i1"),
     ("special", "?")]
)  # fmt: skip
LOG = np.dtype(
    [("sequence", "i8"), ("time_ms", "i8"), ("cause", "i8"), ("act", "i1"), ("refusal", "i1"), ("level", "i1")]
)


def flow(first: int, count: int) -> np.ndarray[Any, Any]:
    """Payments whose amount tells their sequence."""
    rows = np.zeros(count, FLOW)
    rows["amount"] = np.arange(first, first + count) + 1
    rows["creditor"], rows["level"] = 1, 7
    return rows


def move(payments: OpenPayments, sequences: np.ndarray[Any, Any], to: Standing) -> None:
    before = payments.standing.read(sequences)
    terms = payments.terms(sequences, before)
    assert (terms["amount"] == sequences + 1).all()
    terms["standing"] = to
    payments.update(terms, before)


def test_terms_are_found_wherever_a_payment_stands() -> None:
    payments = OpenPayments()
    for first in range(0, 12_000, 3_000):
        payments.announce_flow(flow(first, 3_000), first)
        everyone = np.arange(first, first + 3_000)
        move(payments, everyone[::2], Standing.WAITING)
        move(payments, everyone[1::2], Standing.SETTLED)
        move(payments, everyone[::2][:1_400], Standing.SETTLED)
    waiting = payments.waiting(np.ones(16, np.bool_))
    assert len(waiting) == 4 * 100
    assert (waiting["amount"] == waiting["sequence"] + 1).all()
    assert payments.standing.count(Standing.SETTLED) == 12_000 - 400


def test_payments_may_begin_to_wait_in_any_order() -> None:
    payments = OpenPayments()
    payments.announce_flow(flow(0, 100), 0)
    for start in (60, 20, 40, 0, 80):
        move(payments, np.arange(start, start + 20), Standing.WAITING)
    move(payments, np.arange(100), Standing.SETTLED)
    assert not len(payments.waiting(np.ones(16, np.bool_)))


def test_bookings_may_be_numbered_far_away_and_backwards() -> None:
    payments = OpenPayments()
    numbers = [2**50 + 7, 2**50, 5]
    for number in numbers:
        terms = np.zeros(1, TERMS)
        terms["sequence"], terms["amount"], terms["standing"] = number, number + 1, Standing.ANNOUNCED
        assert payments.announce_bookings(terms) == 0
        assert payments.announce_bookings(terms) == 1
    move(payments, np.array(sorted(numbers)), Standing.WAITING)
    move(payments, np.array(sorted(numbers)), Standing.SETTLED)


def test_standings_are_kept_across_pages() -> None:
    table = StandingTable()
    first = 2**18 - 3
    assert table.announce(first, 6) == 0
    assert table.announce(first + 5, 2) == 1
    sequences = np.arange(first - 1, first + 8)
    assert table.read(sequences).tolist() == [0] + [Standing.ANNOUNCED] * 7 + [0]
    table.write(np.array([first, first + 4]), np.array([Standing.SETTLED, Standing.WAITING], np.uint8))
    assert list(table.all_in(Standing.SETTLED)) == [first]
    assert table.count(Standing.ANNOUNCED) == 5


def test_a_settled_payment_leaves_one_byte(empty_stream: Any) -> None:
    auditor = empty_stream.auditor()
    auditor.see_balances(0, np.array([100, 50, 0, 0]), 0)
    size = 20_000
    tracemalloc.start()
    for first in range(0, 30 * size, size):
        rows = flow(first, size)
        rows["amount"] = 1
        rows["debtor"], rows["creditor"] = np.arange(size) % 2, 1 - np.arange(size) % 2
        log = np.zeros(size, LOG)
        log["sequence"], log["act"], log["level"], log["cause"] = np.arange(first, first + size), Act.SETTLED, 7, -1
        auditor.see_flow(rows, first)
        auditor.see_log(log)
        auditor.see_balances(0, np.array([100, 50, 0, 0]), 0)
    del rows, log
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 30 * size * 1.5 + 300_000
    assert auditor.finish().passed
