"""Field types that are time: durations, times of day, dates, and the moments at which something is to happen.

A duration or a time of day is text outside and int ms inside. A moment stays as it was told, because only the run's
first business date turns it into ms of the run.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.terms import LONGEST_NUMBER, read_text, shape
from cnaps_sim.words.units import (
    MS_PER_DAY,
    MS_PER_SECOND,
    day_of,
    format_clock,
    format_duration,
    parse_clock,
    parse_duration,
    parse_moment,
)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Any date will do: it turns a date and a time into a number and back.
_EPOCH: Final = dt.date(2000, 1, 1)


def _read_duration(value: object) -> int:
    allowed = "a number and ms, s, min, h or d, such as 30 min"
    if isinstance(value, str) and len(value) > LONGEST_NUMBER:
        raise fault("too long for a duration", allowed)
    ms: int = read_text(parse_duration, value, "not a duration with a unit", allowed)
    return ms


def _above_zero_ms(ms: int) -> int:
    if ms <= 0:
        raise fault("is zero", "durations above 0")
    return ms


def _from_a_second(ms: int) -> int:
    if ms < MS_PER_SECOND:
        raise fault("too short", "durations from 1 s on")
    return ms


_duration_text = PlainSerializer(format_duration, return_type=str)
_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|min|h|d)$"})

#: A duration above zero. int ms.
Step = Annotated[
    int, BeforeValidator(_above_zero_ms), BeforeValidator(_read_duration), _duration_text, _DURATION_SCHEMA
]


#: A duration between things that are not for free: from a second on. int ms.
LongStep = Annotated[
    int, BeforeValidator(_from_a_second), BeforeValidator(_read_duration), _duration_text, _DURATION_SCHEMA
]


def _read_span(value: object) -> int:
    """A duration, or a bare 0, which needs no unit."""
    if value == "0" or (isinstance(value, Integral) and not isinstance(value, bool) and value == 0):
        return 0
    return _read_duration(value)


#: A duration from zero up. int ms.
Span = Annotated[
    int,
    BeforeValidator(_read_span),
    _duration_text,
    WithJsonSchema(
        {"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|min|h|d)$|^0$"}]}
    ),
]


def _read_clock(value: object) -> int:
    text = value.isoformat() if isinstance(value, dt.time) else value
    clock: int = read_text(parse_clock, text, "not a time of day", "HH:MM[:SS[.mmm]]")
    return clock


def _read_date(value: object) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise fault("not a date", "YYYY-MM-DD", value=shape(value))
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise fault("a day that no calendar has", "YYYY-MM-DD") from None


#: A time of day. int ms since midnight.
ClockTime = Annotated[
    int,
    BeforeValidator(_read_clock),
    PlainSerializer(format_clock, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?$"}),
]
#: A natural day.
Date = Annotated[
    dt.date,
    BeforeValidator(_read_date),
    PlainSerializer(dt.date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]


@dataclass(frozen=True)
class Moment:
    """An instant as a scenario tells it: a time of day on the first business date, or a date and a time.

    date:     natural day; None means the run's first business date
    clock_ms: ms since midnight of that day
    """

    date: dt.date | None
    clock_ms: int

    def ms(self, first_date: dt.date) -> int:
        """The instant in ms of a run whose first business date is `first_date`."""
        days = 0 if self.date is None else (self.date - first_date).days
        return days * MS_PER_DAY + self.clock_ms

    def __str__(self) -> str:
        clock = format_clock(self.clock_ms)
        return clock if self.date is None else f"{self.date.isoformat()}T{clock}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        """`HH:MM[:SS[.mmm]]`, or a full ISO 8601 date-time. ValueError says what is wrong, in words."""
        try:
            ms = parse_moment(text, _EPOCH)
            if ":" in text[:3]:
                return cls(None, ms)
            return cls(_EPOCH + dt.timedelta(days=day_of(ms)), ms % MS_PER_DAY)
        except OverflowError:
            raise ValueError("outside the dates that can be told") from None


def _read_moment(value: object) -> Moment:
    if isinstance(value, Moment):
        return value
    text = value.isoformat() if isinstance(value, dt.datetime | dt.time) else value
    problem = "neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time"
    moment: Moment = read_text(Moment.parse, text, problem, "08:30, 08:30:00.250 or 2025-06-17T08:30:00")
    return moment


#: An instant: `HH:MM[:SS[.mmm]]` on the first business date, or a full date-time.
MomentField = Annotated[
    Moment,
    BeforeValidator(_read_moment),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
