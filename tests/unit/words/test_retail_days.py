"""The retail dates of a run and their netting rounds."""

from __future__ import annotations

import datetime as dt

import pytest

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.retail_days import RetailDay, RoundKind, retail_days
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, format_clock, parse_clock

SWITCH = parse_clock("16:00")


def days_from(date: str, count: int) -> tuple[RetailDay, ...]:
    return retail_days(Timetable(dt.date.fromisoformat(date), count, Calendar()))


def test_every_natural_day_from_the_first_business_date_to_the_last_is_a_retail_date() -> None:
    days = days_from("2025-06-13", 2)  # Friday and Monday
    assert [day.date.day for day in days] == [13, 14, 15, 16]
    assert [day.is_working_day for day in days] == [True, False, False, True]
    assert [day.index for day in days] == [0, 1, 2, 3]


def test_a_date_runs_from_sixteen_hours_of_the_day_before() -> None:
    first, second, *_ = days_from("2025-06-13", 2)
    assert (first.begins_ms, first.ends_ms, first.midnight_ms) == (SWITCH - MS_PER_DAY, SWITCH, 0)
    assert second.begins_ms == first.ends_ms


def test_a_working_day_has_hourly_rounds_and_any_other_day_one() -> None:
    friday, saturday, *_ = days_from("2025-06-13", 2)
    assert [format_clock(time_ms) for time_ms, _ in friday.rounds] == [f"{h:02d}:00:00" for h in range(9, 17)]
    assert [kind for _, kind in friday.rounds] == [RoundKind.FIRST, *[RoundKind.INTRADAY] * 6, RoundKind.LAST]
    assert saturday.rounds == ((saturday.ends_ms, RoundKind.ONLY),)


def test_an_evening_round_is_held_on_the_evening_before() -> None:
    (day,) = retail_days(Timetable(dt.date(2025, 6, 17), 1, Calendar()), [SWITCH, 20 * MS_PER_HOUR])
    assert day.rounds == ((-4 * MS_PER_HOUR, RoundKind.FIRST), (SWITCH, RoundKind.LAST))


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        ([], "the last round of a date must be at 16:00:00, its switch"),
        ([parse_clock("09:00")], "the last round of a date must be at 16:00:00, its switch"),
        ([SWITCH, SWITCH], r"a round \(16:00:00\) is given twice"),
        ([SWITCH, MS_PER_DAY], r"a round \(T\+1 00:00:00\) must be at a time of day"),
    ],
)
def test_rounds_that_make_no_day_are_refused_in_words(rounds: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        retail_days(Timetable(dt.date(2025, 6, 17), 1, Calendar()), rounds)
