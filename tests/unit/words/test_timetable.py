"""The hours of HVPS by date, and the business days of a run in its own milliseconds."""

from __future__ import annotations

import datetime as dt
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.timetable import (
    DAYTIME_OBLIGATORY_MS,
    HVPS_TIMETABLES,
    PREPARATION_MS,
    RETAIL_DATE_SWITCH_MS,
    BusinessDay,
    HvpsHours,
    Timetable,
    business_date_of,
    hvps_hours,
)
from cnaps_sim.words.units import MS_PER_DAY, format_clock, parse_clock, parse_moment

PUBLISHED = HVPS_TIMETABLES[2]
CUSTOM = HvpsHours(
    "custom", dt.date.min, False, parse_clock("09:00"), parse_clock("16:00"), parse_clock("16:30"), False
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def only_day(date: str, hours: HvpsHours | None = None) -> BusinessDay:
    (business_day,) = Timetable(day(date), 1, Calendar(), hours).business_days
    return business_day


def times(business_day: BusinessDay) -> list[str]:
    parts = (
        business_day.preparation_ms,
        business_day.opens_ms,
        business_day.cut_off_ms,
        business_day.window_end_ms,
        *(business_day.special or ()),
    )
    return [format_clock(part) for part in parts]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2017-06-14", ["08:00:00", "08:30:00", "17:00:00", "17:30:00"]),
        ("2018-01-19", ["08:00:00", "08:30:00", "17:00:00", "17:30:00"]),
        ("2018-01-22", ["T-1 23:00:00", "T-1 23:30:00", "17:15:00", "20:30:00"]),
        ("2018-04-28", ["T-1 23:00:00", "T-1 23:30:00", "17:15:00", "20:30:00"]),
        ("2018-05-02", ["T-1 20:00:00", "T-1 20:30:00", "17:15:00", "17:30:00", "T-4 20:30:00", "T-3 08:30:00"]),
        ("2025-06-17", ["T-1 20:00:00", "T-1 20:30:00", "17:15:00", "17:30:00"]),
        ("2026-10-16", ["T-1 20:00:00", "T-1 20:30:00", "17:15:00", "17:30:00"]),
        ("2026-10-19", ["T-1 18:30:00", "T-1 19:00:00", "17:15:00", "17:30:00", "T-3 19:00:00", "T-2 08:30:00"]),
        ("2026-10-20", ["T-1 18:30:00", "T-1 19:00:00", "17:15:00", "17:30:00"]),
    ],
)
def test_each_date_has_the_hours_of_its_timetable(date: str, expected: list[str]) -> None:
    """Preparation, opening, cut-off, end of the clearing window, then the special session if there is one."""
    assert times(only_day(date)) == expected


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2002-10-08", "until-2018-01-21"),
        ("2018-01-21", "until-2018-01-21"),
        ("2018-01-22", "from-2018-01-22"),
        ("2018-05-01", "from-2018-01-22"),
        ("2018-05-02", "from-2018-05-02"),
        ("2026-10-18", "from-2018-05-02"),
        ("2026-10-19", "from-2026-10-19"),
        ("9999-12-31", "from-2026-10-19"),
    ],
)
def test_a_timetable_holds_from_its_first_date_on(date: str, name: str) -> None:
    assert hvps_hours(day(date)).name == name


def test_the_timetables_stand_in_the_order_of_their_dates() -> None:
    starts = [hours.valid_from for hours in HVPS_TIMETABLES]
    assert starts == sorted(set(starts))


def test_the_evening_before_is_negative_time() -> None:
    first = only_day("2025-06-17")
    assert first.opens_ms == -12_600_000
    assert first.preparation_ms == first.opens_ms - PREPARATION_MS
    assert first.midnight_ms == 0


def test_monday_opens_on_sunday_evening() -> None:
    friday, monday = Timetable(day("2025-06-13"), 2, Calendar()).business_days
    assert (friday.date, monday.date) == (day("2025-06-13"), day("2025-06-16"))
    assert monday.opens_ms == parse_moment("2025-06-15T20:30", friday.date)
    assert monday.midnight_ms == 3 * MS_PER_DAY


def test_a_special_session_runs_over_the_night_to_saturday_and_books_on_monday() -> None:
    friday, monday = Timetable(day("2025-06-13"), 2, Calendar()).business_days
    assert friday.special is None
    assert monday.special == (
        parse_moment("2025-06-13T20:30", friday.date),
        parse_moment("2025-06-14T08:30", friday.date),
    )


def test_a_make_up_sunday_is_a_business_date_of_its_own() -> None:
    """2025-01-26 is a worked Sunday: its special session is on the night to Saturday, Monday has none."""
    friday, sunday, monday = Timetable(day("2025-01-24"), 3, Calendar()).business_days
    assert [d.date for d in (friday, sunday, monday)] == [day("2025-01-24"), day("2025-01-26"), day("2025-01-27")]
    assert sunday.special == (parse_clock("20:30"), MS_PER_DAY + parse_clock("08:30"))
    assert sunday.opens_ms == MS_PER_DAY + parse_clock("20:30")
    assert monday.special is None


def test_a_make_up_saturday_opens_on_friday_evening_without_a_special_session() -> None:
    saturday = only_day("2026-02-14")
    assert (saturday.opens_ms, saturday.special) == (-12_600_000, None)


def test_after_the_spring_festival_of_2026_the_session_lies_ten_days_back() -> None:
    """Off from Sunday 15 to Monday 23 February after a worked Saturday."""
    saturday, tuesday = Timetable(day("2026-02-14"), 2, Calendar()).business_days
    assert tuesday.date == day("2026-02-24")
    assert tuesday.special == (parse_clock("20:30"), MS_PER_DAY + parse_clock("08:30"))
    assert tuesday.opens_ms == parse_moment("2026-02-23T20:30", saturday.date)


def test_a_holiday_inside_the_week_has_a_special_session_too() -> None:
    """The New Year's Day of 2025 is a Wednesday."""
    assert times(only_day("2025-01-02"))[4:] == ["T-2 20:30:00", "T-1 08:30:00"]


@pytest.mark.parametrize("date", ["2017-06-12", "2018-01-22", "2018-04-16"])
def test_before_may_2018_a_monday_has_no_special_session(date: str) -> None:
    assert only_day(date).special is None


def test_a_date_in_an_unknown_year_goes_by_the_holidays_given() -> None:
    calendar = Calendar(holidays=[day("2040-06-06")])  # a Wednesday
    tuesday, thursday = Timetable(day("2040-06-05"), 2, calendar).business_days
    assert (tuesday.date, thursday.date) == (day("2040-06-05"), day("2040-06-07"))
    assert thursday.special == (parse_clock("19:00"), MS_PER_DAY + parse_clock("08:30"))
    assert len(calendar.warnings) == 1


def test_a_run_to_the_last_known_day_does_not_ask_about_the_year_after() -> None:
    calendar = Calendar()
    Timetable(day("2025-12-31"), 1, calendar)
    assert calendar.warnings == []


@pytest.mark.parametrize(("date", "following"), [("2025-10-01", "2025-10-09"), ("2025-06-14", "2025-06-16")])
def test_a_first_date_that_is_no_working_day_is_an_error_that_names_the_next(date: str, following: str) -> None:
    with pytest.raises(ValueError, match=f"{date} is no working day; the next working day is {following}"):
        Timetable(day(date), 1, Calendar())


def test_a_run_without_a_day_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one business day"):
        Timetable(day("2025-06-17"), 0, Calendar())


def test_business_days_are_numbered_from_zero_and_never_overlap() -> None:
    """Most of a year under one timetable, then eight weeks around each change of timetable."""
    for first, days in (("2025-01-02", 230), ("2018-01-02", 40), ("2018-04-02", 40), ("2026-09-28", 40)):
        business_days = Timetable(day(first), days, Calendar()).business_days
        assert [d.index for d in business_days] == list(range(days))
        for before, after in pairwise(business_days):
            begin = min(after.preparation_ms, after.special[0] if after.special else after.preparation_ms)
            assert before.window_end_ms <= begin
            assert after.preparation_ms <= after.opens_ms < after.cut_off_ms < after.window_end_ms
            assert after.special is None or after.special[0] < after.special[1] <= after.opens_ms


class TestDayIndex:
    """Which business date owns an instant, in a run of Friday, Monday, Tuesday."""

    timetable = Timetable(day("2025-06-13"), 3, Calendar())

    @pytest.mark.parametrize(
        ("moment", "owner"),
        [
            ("2025-06-01T00:00", 0),  # before the first opening
            ("2025-06-12T20:30", 0),
            ("2025-06-13T17:29:59.999", 0),
            ("2025-06-13T17:30", 1),  # the end of the window belongs to the next date
            ("2025-06-14T02:00", 1),  # special session
            ("2025-06-15T20:29", 1),  # before the opening on Sunday evening
            ("2025-06-16T17:15", 1),  # clearing window
            ("2025-06-16T18:00", 2),
            ("2025-06-17T12:00", 2),
            ("2025-06-17T17:30", 2),  # after the last end
            ("2025-07-01T00:00", 2),
        ],
    )
    def test_an_instant_belongs_to_the_first_date_whose_window_ends_after_it(self, moment: str, owner: int) -> None:
        assert self.timetable.day_index(parse_moment(moment, day("2025-06-13"))) == owner

    @given(st.lists(st.integers(-10 * MS_PER_DAY, 20 * MS_PER_DAY), max_size=20))
    def test_an_array_answers_like_its_elements(self, moments: list[int]) -> None:
        found = self.timetable.day_index(np.array(moments, dtype=np.int64))
        assert found.dtype == np.int64
        assert found.tolist() == [self.timetable.day_index(moment) for moment in moments]

    def test_one_instant_answers_with_a_plain_int(self) -> None:
        assert type(self.timetable.day_index(0)) is int


def test_custom_hours_hold_on_every_date_whatever_their_first_date() -> None:
    hours = replace(CUSTOM, valid_from=day("2030-01-01"))
    for business_day in Timetable(day("2018-01-19"), 2, Calendar(), hours).business_days:
        assert business_day.opens_ms - business_day.midnight_ms == parse_clock("09:00")
        assert business_day.window_end_ms - business_day.midnight_ms == parse_clock("16:30")
        assert business_day.special is None


def test_preparation_never_begins_before_the_window_of_the_day_before_has_ended() -> None:
    hours = replace(PUBLISHED, opens_ms=parse_clock("17:40"))
    assert times(only_day("2025-06-17", hours))[0] == "T-1 17:30:00"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cut_off_ms": parse_clock("08:59")}, r"the cut-off \(08:59:00\) must come after the opening \(09:00:00\)"),
        ({"cut_off_ms": parse_clock("09:00")}, "must come after the opening"),
        ({"window_end_ms": parse_clock("15:59")}, r"must not end \(15:59:00\) before the cut-off \(16:00:00\)"),
        ({"window_end_ms": MS_PER_DAY + 1}, "on the business date itself"),
        ({"opens_ms": -1}, "must be times of day"),
        ({"cut_off_ms": MS_PER_DAY}, "must be times of day"),
        ({"opens_day_before": True, "opens_ms": parse_clock("16:29")}, r"date before it is still open \(to 16:30:00\)"),
        ({"special_session": True}, "a special session needs an opening on the evening before"),
    ],
)
def test_hours_that_make_no_day_are_an_error_in_words(changes: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(CUSTOM, **changes)  # type: ignore[arg-type]


def test_a_date_may_open_the_instant_the_window_of_the_day_before_ends() -> None:
    hours = replace(PUBLISHED, opens_ms=PUBLISHED.window_end_ms)
    monday, tuesday = Timetable(day("2025-06-16"), 2, Calendar(), hours).business_days
    assert monday.window_end_ms == tuesday.opens_ms == tuesday.preparation_ms


def test_a_clearing_window_may_be_empty() -> None:
    assert only_day("2025-06-17", replace(CUSTOM, window_end_ms=CUSTOM.cut_off_ms)).window_end_ms == CUSTOM.cut_off_ms


def test_hours_cannot_be_changed_by_chance() -> None:
    with pytest.raises(FrozenInstanceError):
        PUBLISHED.opens_ms = 0  # type: ignore[misc]


def test_the_named_times_of_day_are_those_of_the_rules() -> None:
    assert parse_clock("08:30") == DAYTIME_OBLIGATORY_MS
    assert parse_clock("16:00") == RETAIL_DATE_SWITCH_MS


@pytest.mark.parametrize(
    ("moment", "date"),
    [
        ("2025-06-17T09:00", "2025-06-17"),
        ("2025-06-17T17:29:59.999999", "2025-06-17"),
        ("2025-06-17T17:30", "2025-06-18"),
        ("2025-06-16T20:30", "2025-06-17"),
        ("2025-06-13T20:30", "2025-06-16"),  # special session on Friday evening
        ("2025-06-15T21:00", "2025-06-16"),
        ("2026-02-16T10:00", "2026-02-24"),  # inside the Spring Festival
        ("2025-01-26T10:00", "2025-01-26"),  # a worked Sunday
        ("2018-01-19T17:15", "2018-01-19"),
        ("2018-03-14T20:29", "2018-03-14"),  # the long clearing window of early 2018
        ("2018-06-13T20:29", "2018-06-14"),
        ("2025-06-17T01:00+00:00", "2025-06-17"),
        ("2025-06-16T18:00+00:00", "2025-06-17"),  # already Tuesday in Shanghai
    ],
)
def test_a_moment_belongs_to_the_date_whose_window_ends_next(moment: str, date: str) -> None:
    assert business_date_of(dt.datetime.fromisoformat(moment), Calendar()) == day(date)


def test_custom_hours_decide_to_which_date_a_moment_belongs() -> None:
    moment = dt.datetime.fromisoformat("2025-06-17T16:45")
    assert business_date_of(moment, Calendar()) == day("2025-06-17")
    assert business_date_of(moment, Calendar(), CUSTOM) == day("2025-06-18")


@given(st.datetimes(dt.datetime(2017, 1, 1), dt.datetime(2026, 11, 30)))
def test_a_run_from_the_date_of_a_moment_gives_the_moment_to_that_date(moment: dt.datetime) -> None:
    calendar = Calendar()
    date = business_date_of(moment, calendar)
    before = calendar.previous_working_day(date)
    instant = parse_moment(moment.isoformat(timespec="milliseconds"), before)
    assert Timetable(before, 3, calendar).day_index(instant) == 1


@pytest.mark.parametrize("moment", ["9999-12-31T18:00", "9999-12-31T23:00-05:00"])
def test_a_moment_after_the_last_date_is_an_error_in_words(moment: str) -> None:
    with pytest.raises(ValueError, match=r"no working day after|outside the dates"):
        business_date_of(dt.datetime.fromisoformat(moment), Calendar())
