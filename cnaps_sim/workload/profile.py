"""Profile: when in a business day of HVPS (大额支付系统) payments are submitted.

The shares of the hours are modelling defaults [P] of the rule section "volumes to calibrate on".
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE
from cnaps_sim.workload.shares import largest_remainder


class Day(Protocol):
    """The hours of one HVPS business date, in ms of the run (`words.timetable.BusinessDay` is one)."""

    @property
    def date(self) -> dt.date: ...
    @property
    def midnight_ms(self) -> int: ...
    @property
    def opens_ms(self) -> int: ...
    @property
    def cut_off_ms(self) -> int: ...


def _clock(hours: int, minutes: int = 0) -> int:
    return hours * MS_PER_HOUR + minutes * MS_PER_MINUTE


#: Shares of the day's count in thousandths [P]: (from, to, share), ms since midnight of the business date. The first
#: one begins at the opening, whenever that is.
HVPS_HOURS: Final = (
    (-MS_PER_DAY, _clock(8, 30), 20),
    (_clock(8, 30), _clock(9), 60),
    (_clock(9), _clock(10), 130),
    (_clock(10), _clock(11), 140),
    (_clock(11), _clock(12), 110),
    (_clock(12), _clock(13), 60),
    (_clock(13), _clock(14), 80),
    (_clock(14), _clock(15), 120),
    (_clock(15), _clock(16), 130),
    (_clock(16), _clock(17), 125),
    (_clock(17), _clock(17, 15), 25),
)

#: How busy the hours before 08:30 are, relative to one another [P]: evening, dead of night, morning. Each part of the
#: night gets the product of this figure and its length.
NIGHT_RATES: Final = (
    (-MS_PER_DAY, 0, 4),
    (0, _clock(7), 1),
    (_clock(7), _clock(8, 30), 20),
)


def counts_by_slice(day: Day, count: int) -> list[tuple[int, int, int]]:
    """How many of `count` payments fall into which slice of the day: (begin_ms, end_ms, count), in order of time.

    Exact by largest remainder. The share of a slice that lies outside the hours of the day (17:00-17:15 where
    cut-off is at 17:00) goes to the nearest slice that does not. ValueError if the day has no hours.
    """
    slices = _clipped(day, [(begin, end, share) for begin, end, share in HVPS_HOURS])
    counts = largest_remainder(count, [share for _, _, share in slices])
    result: list[tuple[int, int, int]] = []
    for (begin_ms, end_ms, _), part in zip(slices, counts, strict=True):
        if begin_ms < day.midnight_ms + HVPS_HOURS[0][1]:
            result.extend(_night(day, begin_ms, end_ms, part))
        else:
            result.append((begin_ms, end_ms, part))
    return result


def arrival_times(day: Day, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Submission times of `count` payments in rising order, ms of the run; uniform inside each slice of the day."""
    times = np.empty(count, dtype=np.int64)
    first = 0
    for begin_ms, end_ms, part in counts_by_slice(day, count):
        drawn = rng.integers(begin_ms, end_ms, size=part)
        drawn.sort()
        times[first : first + part] = drawn
        first += part
    assert first == count
    return times


def _clipped(day: Day, slices: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The slices cut to the hours of the day; shares of those that vanish go to the nearest one left."""
    kept: list[tuple[int, int, int]] = []
    carried = 0
    for begin, end, share in slices:
        begin_ms = max(day.midnight_ms + begin, day.opens_ms)
        end_ms = min(day.midnight_ms + end, day.cut_off_ms)
        if begin_ms < end_ms:
            kept.append((begin_ms, end_ms, share + carried))
            carried = 0
        elif kept:
            kept[-1] = (*kept[-1][:2], kept[-1][2] + share)
        else:
            carried += share
    if not kept:
        raise ValueError("the business day has no hours in which payments are submitted")
    return kept


def _night(day: Day, opens_ms: int, ends_ms: int, count: int) -> list[tuple[int, int, int]]:
    """The payments before 08:30, spread over evening, night and morning."""
    parts = [
        (max(day.midnight_ms + begin, opens_ms), min(day.midnight_ms + end, ends_ms), rate)
        for begin, end, rate in NIGHT_RATES
    ]
    parts = [(begin_ms, end_ms, rate) for begin_ms, end_ms, rate in parts if begin_ms < end_ms]
    counts = largest_remainder(count, [(end_ms - begin_ms) * rate for begin_ms, end_ms, rate in parts])
    return [(begin_ms, end_ms, part) for (begin_ms, end_ms, _), part in zip(parts, counts, strict=True)]
