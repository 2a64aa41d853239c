"""The auditor judges who was logged in when a unit was submitted, however long ago that was."""

from __future__ import annotations

from typing import Any

import pytest

from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.retail import RetailKind

A, B, C = range(3)
ONLINE, DEBIT = RetailKind.IBPS_CREDIT, RetailKind.ORDINARY_DEBIT


def absent(clearing: Any, log_all: bool = False) -> Any:
    """A is out from 10 to 20, starts unit 0 before and 1 while it is out; B answers both later."""
    day = clearing([100, 100, 0], log_all)
    day.log_in(10, A, False).log_in(20, A, True)
    day.submit(25, A, B, 7, ONLINE, lag_ms=16)
    day.submit(25, B, A, 7, DEBIT, lag_ms=6)
    return day.look(30)


@pytest.mark.parametrize("log_all", [False, True])
@pytest.mark.parametrize(("unit", "lag_ms"), [(0, 15), (0, 6), (1, 5), (1, 16)])
def test_another_instant_of_submission_breaks_retail_refusals_hold(
    clearing: Any, unit: int, lag_ms: int, log_all: bool
) -> None:
    day = absent(clearing, log_all)
    assert day.broken(stopped=True) == set()
    day.find("see_chunk")[0]["lag_ms"][unit] = lag_ms
    assert day.broken(stopped=True) == {"retail-refusals-hold"}


@pytest.mark.parametrize(("change", "time"), [(0, 9), (1, 19)])
def test_another_instant_of_the_log_out_or_log_in_breaks_retail_refusals_hold(
    clearing: Any, change: int, time: int
) -> None:
    day = absent(clearing)
    day.find("see_logged_in", change)[0] = time
    assert day.broken(stopped=True) == {"retail-refusals-hold"}


def test_when_a_message_came_counts_for_more_than_what_the_row_says(clearing: Any) -> None:
    day = absent(clearing, log_all=True)
    told = next(place for place, (method, _) in enumerate(day.steps) if method == "see_log")
    day.steps.insert(told, ("see_arrival", [0, 19]))
    assert day.broken(stopped=True) == {"retail-refusals-hold"}
    day.steps[told] = ("see_arrival", [0, 20])
    assert day.broken(stopped=True) == set()


def test_only_what_is_refused_may_come_before_it_was_submitted(clearing: Any) -> None:
    """A payment that lies behind the run is refused in its last millisecond."""
    day = clearing([100, 0, 0])
    day.submit(10, A, B, 7, refusal=Refusal.OUT_OF_HOURS, lag_ms=-5)
    day.submit(10, A, B, 7, lag_ms=-5)
    day.flush()
    assert "nothing-from-nothing" in day.broken(stopped=True)
    day.find("see_chunk")[0]["lag_ms"][1] = 0
    assert day.broken(stopped=True) == set()


def test_what_stays_unanswered_is_open_and_nothing_else(clearing: Any) -> None:
    day = clearing([100, 0, 0])
    day.submit(10, A, B, 7, ONLINE, refusal=Refusal.UNANSWERED, lag_ms=5)
    day.look(20)
    assert day.broken(stopped=True) == set()
    day.find("see_chunk")[0]["refusal"][0] = Refusal.TIMED_OUT
    assert day.broken(stopped=True) == {"package-whole"}
