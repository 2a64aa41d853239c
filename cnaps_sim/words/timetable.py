"""Timetable: the hours of HVPS by date, and the business days of one run in milliseconds of that run.

A business date opens on the natural day before it (T-1) or on the date itself, and every instant belongs to exactly
one business date: after the clearing window of a date ends, the next date has begun. Working days come from
`calendar`. Source: rule section "business day"; what is marked [P] has no public source and is a modelling default.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
import numpy.typing as npt

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, format_clock

#: Preparation (营业准备) begins this long before the opening [P].
PREPARATION_MS: Final = 30 * MS_PER_MINUTE
#: From this time of day every bank takes part; before it, from the opening on, a bank takes part if it logs in.
DAYTIME_OBLIGATORY_MS: Final = 8 * MS_PER_HOUR + 30 * MS_PER_MINUTE
#: A special session ends at this time of day on the first day off.
SPECIAL_SESSION_END_MS: Final = DAYTIME_OBLIGATORY_MS
#: Time of day at which BEPS and IBPS switch to the next date (日切), on every natural day.
RETAIL_DATE_SWITCH_MS: Final = 16 * MS_PER_HOUR

_SHANGHAI: Final = dt.timezone(dt.timedelta(hours=8))


@dataclass(frozen=True)
class HvpsHours:
    """The hours of a business date of HVPS (大额支付系统运行时间). ValueError if they make no day.

    name:            how the timetable is called in results
    valid_from:      the first business date with these hours; says nothing where a run is given hours of its own
    opens_day_before: whether it opens on the natural day before the business date
    opens_ms:        opening, ms since midnight of the natural day it falls on
    cut_off_ms:      cut-off (业务截止), ms since midnight of the business date
    window_end_ms:   end of the clearing window (清算窗口) that begins at cut-off, likewise
    special_session: whether the first day of a weekend or holiday has a special session [P]
    """

    name: str
    valid_from: dt.date
    opens_day_before: bool
    opens_ms: int
    cut_off_ms: int
    window_end_ms: int
    special_session: bool

    def __post_init__(self) -> None:
        opens, cut_off, window_end = (format_clock(t) for t in (self.opens_ms, self.cut_off_ms, self.window_end_ms))
        if not (0 <= self.opens_ms < MS_PER_DAY and 0 <= self.cut_off_ms < MS_PER_DAY):
            raise ValueError(f"opening ({opens}) and cut-off ({cut_off}) must be times of day")
        if not self.opens_day_before and self.cut_off_ms <= self.opens_ms:
            raise ValueError(f"the cut-off ({cut_off}) must come after the opening ({opens})")
        if self.window_end_ms < self.cut_off_ms:
            raise ValueError(f"the clearing window must not end ({window_end}) before the cut-off ({cut_off})")
        if self.window_end_ms > MS_PER_DAY:
            raise ValueError(f"the clearing window must end ({window_end}) on the business date itself")
        if self.opens_day_before and self.opens_ms < self.window_end_ms:
            raise ValueError(
                f"a date cannot open ({opens} on the evening before) while the clearing window of the date before it "
                f"is still open (to {window_end})"
            )
        if self.special_session and not (self.opens_day_before and self.opens_ms >= SPECIAL_SESSION_END_MS):
            raise ValueError("a special session needs an opening on the evening before the business date")


def _clock(hours: int, minutes: int) -> int:
    return hours * MS_PER_HOUR + minutes * MS_PER_MINUTE


#: The published timetables, oldest first.
HVPS_TIMETABLES: Final = (
    # The end of the first window is [P].
    HvpsHours("until-2018-01-21", dt.date.min, False, _clock(8, 30), _clock(17, 0), _clock(17, 30), False),
    HvpsHours("from-2018-01-22", dt.date(2018, 1, 22), True, _clock(23, 30), _clock(17, 15), _clock(20, 30), False),
    HvpsHours("from-2018-05-02", dt.date(2018, 5, 2), True, _clock(20, 30), _clock(17, 15), _clock(17, 30), True),
    # The cut-off of the last one is [P].
    HvpsHours("from-2026-10-19", dt.date(2026, 10, 19), True, _clock(19, 0), _clock(17, 15), _clock(17, 30), True),
)


def hvps_hours(date: dt.date) -> HvpsHours:
    """The published hours of a business date; its opening on the evening before goes by the same hours."""
    return next(hours for hours in reversed(HVPS_TIMETABLES) if hours.valid_from <= date)


@dataclass(frozen=True)
class BusinessDay:
    """One business date of a run. All times in ms of the run: 0 is 00:00 of the run's first business date.

    index:          0 for the run's first business date
    date:           the business date
    midnight_ms:    00:00 of the date
    preparation_ms: begin of preparation (营业准备)
    opens_ms:       begin of daytime (日间); negative for the first date where it opens on the evening before
    cut_off_ms:     cut-off (业务截止), where the clearing window (清算窗口) begins
    window_end_ms:  end of the clearing window and of the date
    special:        begin and end of the special session that books on this date, None if there is none
    """

    index: int
    date: dt.date
    midnight_ms: int
    preparation_ms: int
    opens_ms: int
    cut_off_ms: int
    window_end_ms: int
    special: tuple[int, int] | None


class Timetable:
    """The business days of a run: `days` working days from `first_date` on.

    calendar: says which days are working days, and collects its warnings
    hours:    hours that hold on every date of the run; None for the published ones of each date

    ValueError, in words, if `first_date` is no working day or `days` is below 1.
    """

    def __init__(self, first_date: dt.date, days: int, calendar: Calendar, hours: HvpsHours | None = None) -> None:
        if days < 1:
            raise ValueError("a run has at least one business day")
        if not calendar.is_working_day(first_date):
            next_date = calendar.next_working_day(first_date)
            raise ValueError(f"{first_date} is no working day; the next working day is {next_date}")
        self.first_date = first_date
        self.calendar = calendar
        dates = [first_date]
        while len(dates) < days:
            dates.append(calendar.next_working_day(dates[-1]))
        self.business_days: tuple[BusinessDay, ...] = tuple(
            self._business_day(index, date, hours or hvps_hours(date)) for index, date in enumerate(dates)
        )
        self._window_ends_ms = np.array([day.window_end_ms for day in self.business_days], dtype=np.int64)

    @overload
    def day_index(self, times_ms: int) -> int: ...
    @overload
    def day_index(self, times_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]: ...
    def day_index(self, times_ms: int | npt.NDArray[np.int64]) -> int | npt.NDArray[np.int64]:
        """The index of the business date that owns an instant, or each of an array of instants (ms of the run).

        It is the first date whose clearing window ends after the instant: the end itself belongs to the next date.
        What comes before the first opening belongs to the first date, what comes after the last end to the last.
        """
        found = np.searchsorted(self._window_ends_ms, times_ms, side="right")
        owner = np.minimum(found, len(self.business_days) - 1)
        return owner.astype(np.int64) if isinstance(times_ms, np.ndarray) else int(owner)

    def _midnight_ms(self, date: dt.date) -> int:
        return (date - self.first_date).days * MS_PER_DAY

    def _business_day(self, index: int, date: dt.date, hours: HvpsHours) -> BusinessDay:
        midnight_ms = self._midnight_ms(date)
        evening_ms = midnight_ms - MS_PER_DAY
        opens_ms = (evening_ms if hours.opens_day_before else midnight_ms) + hours.opens_ms
        return BusinessDay(
            index=index,
            date=date,
            midnight_ms=midnight_ms,
            # Never before the window of the day before has ended, however early a custom opening is.
            preparation_ms=max(opens_ms - PREPARATION_MS, evening_ms + hours.window_end_ms),
            opens_ms=opens_ms,
            cut_off_ms=midnight_ms + hours.cut_off_ms,
            window_end_ms=midnight_ms + hours.window_end_ms,
            special=self._special_session(date, hours) if hours.special_session else None,
        )

    def _special_session(self, date: dt.date, hours: HvpsHours) -> tuple[int, int] | None:
        """The session that books on `date`: over the night to the first of the days off that end before it [P].

        It goes by the hours of the date it books on. None where the natural day before is a working day.
        """
        if self.calendar.is_working_day(date - dt.timedelta(days=1)):
            return None
        evening_ms = self._midnight_ms(self.calendar.previous_working_day(date))
        return evening_ms + hours.opens_ms, evening_ms + MS_PER_DAY + SPECIAL_SESSION_END_MS


def business_date_of(moment: dt.datetime, calendar: Calendar, hours: HvpsHours | None = None) -> dt.date:
    """The HVPS business date that owns a moment: the first working day whose clearing window ends after it.

    moment: local date-time (Asia/Shanghai), or one with an offset, which is converted
    hours:  hours that hold on every date; None for the published ones

    So an evening, a weekend and a holiday belong to the next working day. ValueError where dates end.
    """
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(_SHANGHAI).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("outside the dates that can be told") from None
    date = moment.date()
    since_midnight = moment - dt.datetime.combine(date, dt.time())
    window_end = dt.timedelta(milliseconds=(hours or hvps_hours(date)).window_end_ms)
    if since_midnight < window_end and calendar.is_working_day(date):
        return date
    return calendar.next_working_day(date)
