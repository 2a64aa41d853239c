"""Calendar: which natural days are working days (工作日) of the settlement system.

Source: the yearly notice of the State Council on public holidays (国务院办公厅节假日安排), as the package
`chinesecalendar` keeps it, with the weekend days that are worked to make up for a holiday (调休). A year that the
package does not know is Monday to Friday less the holidays given by the scenario, and is said in `warnings`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

_ONE_DAY: Final = dt.timedelta(days=1)
_SATURDAY: Final = 5


class Calendar:
    """Working days by date.

    holidays: days off in years that the State Council calendar does not know yet. Days listed in a year that it
              does know change nothing there: the published calendar is right.
    warnings: one sentence for each unknown year that was asked for, in the order asked, each said once.
    """

    def __init__(self, holidays: Iterable[dt.date] = ()) -> None:
        self.holidays: frozenset[dt.date] = frozenset(holidays)
        self.warnings: list[str] = []
        self._unknown_years: set[int] = set()

    def is_working_day(self, day: dt.date) -> bool:
        """Whether `day` is a working day: a make-up Saturday or Sunday is one, a public holiday is none."""
        # Loaded at first use, so that commands which need no calendar start quickly.
        import chinese_calendar  # type: ignore[import-untyped, unused-ignore]

        if day.year not in self._unknown_years:
            try:
                return bool(chinese_calendar.is_workday(day))
            except NotImplementedError:
                self._warn(day.year)
        return day.weekday() < _SATURDAY and day not in self.holidays

    def previous_working_day(self, day: dt.date) -> dt.date:
        """The last working day strictly before `day`. ValueError if dates end before there is one."""
        return self._nearest(day, -_ONE_DAY, "before")

    def next_working_day(self, day: dt.date) -> dt.date:
        """The first working day strictly after `day`. ValueError if dates end before there is one."""
        return self._nearest(day, _ONE_DAY, "after")

    def _nearest(self, day: dt.date, step: dt.timedelta, side: str) -> dt.date:
        other = day
        try:
            while True:
                other += step
                if self.is_working_day(other):
                    return other
        except OverflowError:
            raise ValueError(f"no working day {side} {day.isoformat()}") from None

    def _warn(self, year: int) -> None:
        self._unknown_years.add(year)
        self.warnings.append(
            f"the State Council calendar of {year} is not known: "
            f"working days are Monday to Friday less the holidays given"
        )
