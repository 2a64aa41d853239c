"""The settlement queue over time and its peaks."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.analysis.metrics import headline, peak_queue, queue


def steps(frame: pd.DataFrame, measure: str) -> list[tuple[int, int]]:
    chosen = frame[frame["measure"] == measure]
    return list(zip(chosen["time_ms"], chosen["value"], strict=True))


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_the_queue_is_a_step_function_of_time(hand_made: Any) -> None:
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, 1_000, **hand_made.waiting(5_000, "P2")),
            hand_made.payment(1, "A", "B", 7, 2_000, **hand_made.waiting(5_000, "P2")),
            hand_made.payment(2, "B", "A", 20, 5_000),
            hand_made.payment(3, "A", "B", 9, 6_000, settled_ms=None, ended_ms=None, status="PR12"),
        ]
    )
    frame = queue(run)
    assert steps(frame, "queued_count") == [(1_000, 1), (2_000, 2), (5_000, 0), (6_000, 1)]
    assert steps(frame, "queued_fen") == [(1_000, 1_000), (2_000, 1_700), (5_000, 0), (6_000, 900)]


def test_groups_have_step_functions_of_their_own(queueing_day: Any) -> None:
    frame = queue(queueing_day, by="level")
    assert steps(frame[frame["level"] == 6], "queued_fen") == [(34_200_000, 4_000), (36_000_000, 0)]
    assert steps(frame[frame["level"] == 1], "queued_count") == [(46_800_000, 1), (48_000_000, 0)]


def test_nothing_waits_and_the_frame_is_empty(toy_day: Any) -> None:
    assert queue(toy_day).empty
    assert values(peak_queue(toy_day)) == {
        "peak_count": 0, "peak_fen": 0, "peak_count_at": None, "peak_fen_at": None
    }  # fmt: skip


def test_the_peak_says_when_it_was(queueing_day: Any) -> None:
    found = values(peak_queue(queueing_day))
    assert found["peak_fen"] == 51_000
    assert found["peak_fen_at"] == (10 * 60 + 31) * 60_000


def test_what_an_arrival_releases_leaves_before_the_next_arrival_of_the_instant(hand_made: Any) -> None:
    """At 10:00 P1 releases P0, then P2 queues: never two at once."""
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.waiting("10:00", "P1")),
            hand_made.payment(1, "B", "A", 10, "10:00"),
            hand_made.payment(2, "A", "B", 10, "10:00", **hand_made.ended("17:30", "PR09", "RJ99")),
        ]
    )
    assert values(peak_queue(run))["peak_count"] == 1


def test_what_closes_the_window_leaves_before_the_arrivals_of_that_instant(hand_made: Any) -> None:
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "17:00", **hand_made.ended("17:30", "PR09", "RJ99")),
            hand_made.payment(1, "A", "B", 10, "17:30", settled_ms=None, ended_ms=None, status="PR12"),
        ]
    )
    assert values(peak_queue(run))["peak_count"] == 1


def test_a_limit_raised_at_an_instant_comes_after_its_arrivals(hand_made: Any) -> None:
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.waiting("10:00", "limit")),
            hand_made.payment(1, "A", "B", 10, "10:00", **hand_made.waiting("10:00", "limit")),
        ]
    )
    assert values(peak_queue(run))["peak_count"] == 2
    assert steps(queue(run), "queued_count") == [(32_400_000, 1), (36_000_000, 0)]


arrivals = st.lists(
    st.tuples(st.integers(0, 4), st.permutations("ABC").map(lambda names: names[:2]), st.integers(1, 9)), max_size=24
)


@settings(deadline=None, max_examples=200)
@given(arrivals, st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_peaks_are_those_that_the_books_counted(hand_made_day: Any, told: Any, opening: list[int]) -> None:
    """Many arrivals share an instant here, so every release must be put behind the arrival that began it."""
    day = hand_made_day(dict(zip("ABC", opening, strict=True)))
    for time, (debtor, creditor), fen in sorted(told, key=lambda arrival: arrival[0]):
        day.arrive(time, debtor, creditor, fen)
    day.close(63_000_000)
    if not day.rows:
        return
    peak = headline(day.run())["systems"]["HVPS"]["peak_queue"]
    assert peak == {"count": day.peak_count, "value_fen": day.peak_fen}
