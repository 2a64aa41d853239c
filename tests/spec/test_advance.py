"""A flow: `advance` does what submitting its payments one by one would do, and stops where the clock must look."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnaps_sim.core.records import FLOW
from cnaps_sim.words.codes import Act, Discipline, Phase

NORM = 7
ReadLog = Callable[[Any], list[tuple[int, ...]]]


def flow(*payments: tuple[int, int, int, int]) -> Any:
    """(time_ms, debtor, creditor, amount) to the rows of a flow, all NORM."""
    rows = [(time, amount, debtor, creditor, NORM, 0, False) for time, debtor, creditor, amount in payments]
    return np.array(rows, dtype=FLOW)


def open_books(books_class: Any, *balances: int, **terms: Any) -> Any:
    books = books_class([{"balance": balance, **terms} for balance in balances])
    books.set_phase(Phase.DAYTIME)
    return books


def random_flow(seed: int, accounts: int, count: int) -> Any:
    """Payments of all levels, some of them self-payments or with a fault found before."""
    draw = random.Random(seed)
    times = sorted(draw.randrange(5_000) for _ in range(count))
    rows = [
        (
            time, draw.randrange(1, 60), draw.randrange(accounts), draw.randrange(accounts), draw.randrange(8),
            draw.choice([0] * 12 + [1, 2, 3, 6]), draw.random() < 0.5,
        )
        for time in times
    ]  # fmt: skip
    return np.array(rows, dtype=FLOW)


@pytest.mark.parametrize("discipline", list(Discipline))
@pytest.mark.parametrize("special_session", [False, True])
def test_a_flow_does_what_its_payments_would_do_one_by_one(
    books_class: Any, read_log: ReadLog, discipline: Discipline, special_session: bool
) -> None:
    rows = random_flow(seed=5, accounts=6, count=300)
    terms = [{"balance": 40, "earmark": 5, "overdraft_limit": 30 * (row % 2)} for row in range(6)]
    by_flow, by_hand = (books_class(terms, discipline=discipline) for _ in range(2))
    for books in (by_flow, by_hand):
        books.set_phase(Phase.DAYTIME, special_session=special_session)
    assert by_flow.advance(rows, 0, 5_000, 1_000) == 300
    for sequence, (time, amount, debtor, creditor, level, refusal, special) in enumerate(rows.tolist(), 1_000):
        by_hand.submit(time, sequence, debtor, creditor, amount, level, refusal, special)
    assert read_log(by_flow) == read_log(by_hand)
    assert by_flow.snapshot() == by_hand.snapshot()


def test_a_flow_advances_to_its_instant_exclusive_and_goes_on_from_there(books_class: Any, read_log: ReadLog) -> None:
    books = open_books(books_class, 100, 0)
    rows = flow((10, 0, 1, 1), (20, 0, 1, 2), (20, 0, 1, 3), (30, 0, 1, 4))
    assert books.advance(rows, 0, 10, 50) == 0
    assert books.advance(rows, 0, 20, 50) == 1
    assert books.advance(rows, 1, 20, 50) == 1
    assert books.advance(rows, 1, 21, 50) == 3
    assert books.advance(rows, 3, 10**9, 50) == 4
    assert books.advance(rows, 4, 10**9, 50) == 4
    log = read_log(books)
    assert [(entry[0], entry[1]) for entry in log] == [(50, 10), (51, 20), (52, 20), (53, 30)]
    assert read_log(books) == []


def test_a_flow_stops_at_the_row_that_crossed_a_watch_line_with_its_cascade_done(
    books_class: Any, read_log: ReadLog
) -> None:
    books = open_books(books_class, 100, 0, 0)
    books.set_field(0, 0, "warning_line", 50)
    books.submit(0, 7, 1, 2, 60, NORM)
    rows = flow((1, 0, 1, 10), (2, 0, 1, 50), (2, 2, 1, 1), (3, 1, 0, 1))
    assert books.advance(rows, 0, 10, 100) == 2
    assert [(entry[0], entry[3]) for entry in read_log(books)] == [
        (7, Act.QUEUED), (100, Act.SETTLED), (101, Act.SETTLED), (0, Act.WARNING_RAISED), (7, Act.SETTLED),
    ]  # fmt: skip
    assert books.take_crossings() == 1
    assert books.advance(rows, 2, 10, 100) == 4
    assert books.take_crossings() == 0


def test_in_the_clearing_window_a_flow_stops_when_all_is_cured(books_class: Any, read_log: ReadLog) -> None:
    books = open_books(books_class, 100, -10, 0, overdraft_limit=10)
    books.submit(0, 1, 2, 0, 15, NORM)
    books.set_phase(Phase.CLEARING_WINDOW)
    rows = flow((1, 0, 1, 10), (2, 0, 1, 5), (3, 0, 2, 4), (4, 0, 2, 11), (5, 0, 2, 1))
    assert books.advance(rows, 0, 10, 100) == 4
    acts = [entry[3] for entry in read_log(books)]
    assert acts == [Act.QUEUED, Act.SETTLED, Act.REFUSED, Act.SETTLED, Act.SETTLED, Act.SETTLED]
    assert books.snapshot()["books"]["waiting_count"] == 0
    assert books.snapshot()["books"]["overdrawn_count"] == 0


def test_in_the_clearing_window_a_flow_goes_on_while_somebody_is_overdrawn(books_class: Any) -> None:
    books = open_books(books_class, 100, -10, overdraft_limit=10)
    books.set_phase(Phase.CLEARING_WINDOW)
    assert books.advance(flow((1, 0, 1, 4), (2, 0, 1, 6), (3, 0, 1, 1)), 0, 10, 100) == 2


def test_in_the_clearing_window_a_refusal_alone_does_not_stop_a_flow(books_class: Any) -> None:
    books = open_books(books_class, 100, 0)
    books.set_phase(Phase.CLEARING_WINDOW)
    assert books.advance(flow((1, 0, 1, 10), (2, 0, 1, 10)), 0, 10, 100) == 2


def test_in_daytime_nothing_is_there_to_be_cured(books_class: Any) -> None:
    books = open_books(books_class, 100, 0)
    assert books.advance(flow((1, 0, 1, 10), (2, 0, 1, 10)), 0, 10, 100) == 2


def test_a_flow_fills_the_outbox_of_a_bank_that_does_not_send(books_class: Any, read_log: ReadLog) -> None:
    books = open_books(books_class, 100, 0)
    books.hold_sending(0, 20)
    assert books.advance(flow((10, 0, 1, 1), (19, 0, 1, 2), (20, 0, 1, 3)), 0, 100, 0) == 3
    books.hold_sending(0, 100)
    books.empty_outbox(100, 0)
    assert [(entry[0], entry[3]) for entry in read_log(books)] == [
        (0, Act.HELD), (1, Act.HELD), (2, Act.SETTLED),
        (0, Act.SUBMITTED), (0, Act.SETTLED), (1, Act.SUBMITTED), (1, Act.SETTLED),
    ]  # fmt: skip
