"""The calendar of working days, where the State Council has published it and where it has not."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.calendar import Calendar

ONE_DAY = dt.timedelta(days=1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def days_of(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + n * ONE_DAY for n in range((dt.date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_published_year_has_its_number_of_working_days(year: int, count: int) -> None:
    calendar = Calendar()
    assert sum(map(calendar.is_working_day, days_of(year))) == count
    assert calendar.warnings == []


@pytest.mark.parametrize(
    ("date", "working"),
    [
        ("2025-01-26", True),  # a Sunday worked for the Spring Festival
        ("2025-10-11", True),  # a Saturday worked for the National Day
        ("2026-02-14", True),  # a Saturday worked for the Spring Festival
        ("2025-06-15", False),  # an ordinary Sunday
        ("2025-06-17", True),  # an ordinary Tuesday
        ("2025-10-01", False),  # the National Day, a Wednesday
    ],
)
def test_make_up_days_are_worked_and_public_holidays_are_not(date: str, working: bool) -> None:
    assert Calendar().is_working_day(day(date)) is working


def test_the_spring_festival_of_2026_is_nine_days_off_between_two_worked_saturdays() -> None:
    calendar = Calendar()
    off = [d for d in days_of(2026) if day("2026-02-14") < d < day("2026-02-24")]
    assert len(off) == 9
    assert not any(map(calendar.is_working_day, off))
    assert calendar.next_working_day(day("2026-02-14")) == day("2026-02-24")
    assert calendar.previous_working_day(day("2026-02-24")) == day("2026-02-14")
    assert calendar.is_working_day(day("2026-02-28"))


def test_an_unknown_year_is_monday_to_friday_less_the_holidays_given() -> None:
    calendar = Calendar(holidays=[day("2040-01-02")])  # a Monday
    worked = [d for d in days_of(2040) if calendar.is_working_day(d)]
    assert day("2040-01-02") not in worked
    assert day("2040-01-03") in worked
    assert worked == [d for d in days_of(2040) if d.weekday() < 5 and d != day("2040-01-02")]


def test_an_unknown_year_is_said_in_one_sentence_once() -> None:
    calendar = Calendar()
    for date in days_of(2040):
        calendar.is_working_day(date)
    assert calendar.warnings == [
        "the State Council calendar of 2040 is not known: working days are Monday to Friday less the holidays given"
    ]


def test_each_unknown_year_has_its_own_sentence_in_the_order_asked() -> None:
    calendar = Calendar()
    for year in (2041, 2040, 1999, 2041):
        calendar.is_working_day(dt.date(year, 6, 1))
    assert [sentence.split(" is not known")[0][-4:] for sentence in calendar.warnings] == ["2041", "2040", "1999"]


def test_holidays_given_change_nothing_in_a_known_year() -> None:
    calendar = Calendar(holidays=[day("2025-06-17")])
    assert calendar.is_working_day(day("2025-06-17"))
    assert calendar.warnings == []


def test_a_make_up_day_is_unknown_in_an_unknown_year() -> None:
    assert not Calendar().is_working_day(day("2040-02-04"))  # a Saturday


@given(st.dates(day("2016-01-01"), day("2044-12-31")))
def test_the_neighbours_of_a_day_are_working_days_with_none_between(date: dt.date) -> None:
    calendar = Calendar()
    before, after = calendar.previous_working_day(date), calendar.next_working_day(date)
    assert before < date < after
    assert calendar.is_working_day(before)
    assert calendar.is_working_day(after)
    between = [before + n * ONE_DAY for n in range(1, (after - before).days)]
    assert [d for d in between if calendar.is_working_day(d)] in ([], [date])


def test_a_search_that_leaves_the_dates_says_so() -> None:
    calendar = Calendar()
    with pytest.raises(ValueError, match="no working day after 9999-12-31"):
        calendar.next_working_day(dt.date.max)
    with pytest.raises(ValueError, match="no working day before 0001-01-01"):
        calendar.previous_working_day(dt.date.min)


def test_a_calendar_goes_to_another_process_with_its_warnings() -> None:
    calendar = Calendar(holidays=[day("2040-01-02")])
    calendar.is_working_day(day("2040-01-02"))
    copy = pickle.loads(pickle.dumps(calendar))
    assert not copy.is_working_day(day("2040-01-02"))
    assert copy.warnings == calendar.warnings


def test_importing_the_calendar_does_not_load_the_package_behind_it() -> None:
    code = "import sys, cnaps_sim.words.calendar; sys.exit('chinese_calendar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
