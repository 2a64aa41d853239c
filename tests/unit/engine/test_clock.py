"""The clock: fixed order at one instant, flows advanced in between, early stop at watch lines."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.core import Books
from cnaps_sim.core.records import FLOW, new
from cnaps_sim.engine.clock import CHUNK_MS, Clock, Feed, Rank
from cnaps_sim.words.codes import Act, Phase


def flow(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """Rows of (time, debtor, creditor, amount) at level 7."""
    records = new(FLOW, len(rows))
    for place, (time_ms, debtor, creditor, amount) in enumerate(rows):
        records[place] = (time_ms, amount, debtor, creditor, 7, 0, False)
    return records


def clock_with(rows: np.ndarray, *accounts: dict[str, int]) -> Clock:
    books = Books(list(accounts))
    books.set_phase(Phase.DAYTIME)
    clock = Clock(books, 0)
    clock.feed(rows, 0)
    return clock


@pytest.mark.parametrize("order", [list(Rank), list(reversed(Rank)), sorted(Rank, key=lambda rank: rank.name)])
def test_events_of_one_instant_follow_their_rank_however_they_were_scheduled(order: list[Rank]) -> None:
    clock = clock_with(flow(), {})
    seen: list[Rank] = []
    for rank in order:
        clock.call_at(5, rank, lambda rank=rank: seen.append(rank))  # type: ignore[misc]
    clock.run()
    assert seen == sorted(Rank)


def test_events_of_one_rank_keep_the_order_in_which_they_were_scheduled() -> None:
    clock = clock_with(flow(), {})
    seen: list[str] = []
    for word in ("first", "second", "third"):
        clock.call_at(5, Rank.ACTION, lambda word=word: seen.append(word))  # type: ignore[misc]
    clock.run()
    assert seen == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("rank", "settled"), [(Rank.CLOSING, 1), (Rank.PHASE, 1), (Rank.FAULT, 1), (Rank.ACTION, 2), (Rank.SAMPLE, 2)]
)
def test_arrivals_of_an_instant_come_after_faults_and_before_actions(rank: Rank, settled: int) -> None:
    clock = clock_with(flow((4, 0, 1, 1), (5, 0, 1, 1), (6, 0, 1, 1)), {"balance": 9}, {})
    sent: list[int] = []
    clock.call_at(5, rank, lambda: sent.append(int(clock.books.accounts["sent"][0])))
    clock.run()
    assert sent == [settled]


def test_a_crossed_watch_line_stops_the_flow_at_that_instant_with_its_cascade_done() -> None:
    rows = flow((10, 1, 0, 50), (20, 0, 1, 70), (20, 0, 2, 5), (30, 0, 2, 5))
    clock = clock_with(rows, {"balance": 60, "warning_line": 40}, {"balance": 60}, {})
    stops: list[tuple[int, int, int]] = []

    def listen(now: int) -> None:
        if clock.feeds[0].next_row < len(rows):
            stops.append((now, int(clock.books.accounts["balance"][0]), clock.feeds[0].next_row))

    clock.after_each.append(listen)
    clock.call_at(100, Rank.SAMPLE, lambda: None)
    clock.run()
    # 60 + 50 = 110; 110 - 70 = 40 is not below the line; 35 is: the stop is at 20 ms, before the payment of 30 ms.
    assert stops == [(20, 35, 3)]


def test_a_listener_acts_before_the_next_payment() -> None:
    rows = flow((10, 0, 1, 30), (20, 0, 1, 30))
    clock = clock_with(rows, {"balance": 40, "warning_line": 20, "overdraft_limit": 0}, {})
    helped: list[int] = []

    def help_out(now: int) -> None:
        if not helped:
            helped.append(now)
            clock.books.set_field(now, 0, "overdraft_limit", 100)

    clock.after_each.append(help_out)
    clock.call_at(20, Rank.SAMPLE, lambda: None)
    clock.run()
    assert helped == [10]
    assert [entry["act"] for entry in clock.books.drain_log() if entry["act"] in (Act.SETTLED, Act.QUEUED)] == [1, 1]


def test_chunks_end_where_simulated_time_says_not_where_the_machine_does() -> None:
    rows = flow((0, 0, 1, 1), (CHUNK_MS - 1, 0, 1, 1), (CHUNK_MS, 0, 1, 1), (-1, 0, 1, 1))
    rows = np.sort(rows, order="time_ms")
    feed = Feed(rows, 0)
    lengths = []
    while feed.next_row < len(rows):
        lengths.append(len(feed.chunk()) - feed.next_row)
        feed.next_row = feed.edge_row
    assert lengths == [1, 2, 1]


def test_a_flow_without_rows_is_fed_too() -> None:
    clock = clock_with(flow(), {})
    clock.call_at(5, Rank.PHASE, lambda: None)
    clock.run()
    clock.finish()
    assert clock.now == 5


def test_the_clock_counts_every_crossed_line_of_balances_and_of_the_queue() -> None:
    rows = flow((1, 0, 1, 5), (2, 0, 1, 9), (3, 0, 1, 9))
    clock = clock_with(rows, {"balance": 9, "warning_line": 6}, {})
    clock.books.set_queue_lines(1)
    looked: list[tuple[int, int]] = []
    clock.after_each.append(lambda now: looked.append((now, clock.crossings)))
    clock.call_at(9, Rank.SAMPLE, lambda: None)
    clock.run()
    assert looked == [(1, 1), (3, 2), (9, 2)]


def test_who_asks_after_each_payment_is_told_at_the_instant_of_the_one_that_matters() -> None:
    """The payment to account 2 waits for money of the one at 3, so both reach it at that instant."""
    rows = flow((1, 0, 1, 4), (2, 0, 2, 4), (3, 1, 0, 4), (3, 1, 0, 1), (4, 0, 1, 1), (CHUNK_MS + 5, 1, 2, 1))
    clock = clock_with(rows, {"balance": 4}, {"balance": 9}, {})
    told: list[tuple[int, int]] = []
    counts = [0]

    def has_grown() -> bool:
        count = int(clock.books.accounts["received_count"][2])
        grown = count > counts[0]
        counts[0] = count
        return grown

    clock.stop_if = has_grown
    clock.after_each.append(lambda now: told.append((now, clock.feeds[0].next_row)))
    clock.call_at(CHUNK_MS + 9, Rank.SAMPLE, lambda: None)
    clock.run()
    assert told == [(3, 3), (CHUNK_MS + 5, 6), (CHUNK_MS + 9, 6)]
