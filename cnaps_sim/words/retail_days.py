"""Retail days: the dates of BEPS and IBPS of one run, and the netting rounds (轧差场次) of each.

A retail date D runs from 16:00 of the natural day before to 16:00 of D; 16:00:00.000 itself belongs to D + 1. Every
natural day is a retail date. The rounds are times of day [P]: no timetable of them is public. Source: rule sections
"business day" and "netting rules".
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS, Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, format_clock

#: Rounds of a working day [P]: every hour from 09:00 to 16:00.
WORKING_ROUNDS_MS: Final = tuple(hour * MS_PER_HOUR for hour in range(9, 17))
#: Rounds of any other day [P]: one, at the date switch.
OTHER_ROUNDS_MS: Final = (RETAIL_DATE_SWITCH_MS,)


class RoundKind(StrEnum):
    """The place of a round in its retail date."""

    FIRST = "first"
    INTRADAY = "intraday"
    LAST = "last"
    ONLY = "only"


@dataclass(frozen=True)
class RetailDay:
    """One retail date of a run. All times in ms of the run: 0 is 00:00 of the run's first HVPS business date.

    index:          0 for the first retail date, which is the first HVPS business date
    date:           the retail date
    begins_ms:      16:00 of the natural day before
    ends_ms:        16:00 of the date (日切); the instant itself belongs to the next date
    is_working_day: of the natural day `date`
    rounds:         instant and kind of each round, in order of time; the last one is at `ends_ms`
    """

    index: int
    date: dt.date
    begins_ms: int
    ends_ms: int
    is_working_day: bool
    rounds: tuple[tuple[int, RoundKind], ...]

    @property
    def midnight_ms(self) -> int:
        """00:00 of the date."""
        return self.ends_ms - RETAIL_DATE_SWITCH_MS


def retail_days(
    timetable: Timetable,
    working_rounds_ms: Sequence[int] = WORKING_ROUNDS_MS,
    other_rounds_ms: Sequence[int] = OTHER_ROUNDS_MS,
) -> tuple[RetailDay, ...]:
    """The retail dates of a run: every natural day from its first HVPS business date to its last.

    working_rounds_ms: rounds of a working day, ms since midnight, in any order. One after 16:00 is held on the
                       evening before, for there the retail date begins.
    other_rounds_ms:   those of any other day

    ValueError, in words, if a round is given twice, is no time of day, or none is at 16:00.
    """
    working, other = _since_midnight(working_rounds_ms), _since_midnight(other_rounds_ms)
    days = []
    for index in range((timetable.business_days[-1].date - timetable.first_date).days + 1):
        date = timetable.first_date + dt.timedelta(days=index)
        is_working_day = timetable.calendar.is_working_day(date)
        ends_ms = index * MS_PER_DAY + RETAIL_DATE_SWITCH_MS
        rounds = _rounds(index * MS_PER_DAY, working if is_working_day else other)
        days.append(RetailDay(index, date, ends_ms - MS_PER_DAY, ends_ms, is_working_day, rounds))
    return tuple(days)


def _since_midnight(rounds_ms: Sequence[int]) -> list[int]:
    """Rounds in order of time, in ms since 00:00 of the retail date; those of the evening before are negative."""
    for time_ms in rounds_ms:
        if not 0 <= time_ms < MS_PER_DAY:
            raise ValueError(f"a round ({format_clock(time_ms)}) must be at a time of day")
    ordered = sorted(time_ms - MS_PER_DAY if time_ms > RETAIL_DATE_SWITCH_MS else time_ms for time_ms in rounds_ms)
    for before, after in itertools.pairwise(ordered):
        if before == after:
            raise ValueError(f"a round ({format_clock(after % MS_PER_DAY)}) is given twice")
    if not ordered or ordered[-1] != RETAIL_DATE_SWITCH_MS:
        raise ValueError(f"the last round of a date must be at {format_clock(RETAIL_DATE_SWITCH_MS)}, its switch")
    return ordered


def _rounds(midnight_ms: int, since_midnight: Sequence[int]) -> tuple[tuple[int, RoundKind], ...]:
    if len(since_midnight) == 1:
        return ((midnight_ms + since_midnight[0], RoundKind.ONLY),)
    inner = [RoundKind.INTRADAY] * (len(since_midnight) - 2)
    kinds = [RoundKind.FIRST, *inner, RoundKind.LAST]
    return tuple((midnight_ms + time_ms, kind) for time_ms, kind in zip(since_midnight, kinds, strict=True))
