"""Units: money is int64 fen, time is int64 milliseconds; text becomes a number here and nowhere else.

Time counts from 00:00 Asia/Shanghai of a run's first HVPS business date and never restarts, so the evening
before is negative (20:30 on T-1 is -12 600 000). China has no daylight saving: a day is always 86 400 000 ms.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

FEN_PER_YUAN: Final = 100
#: The largest amount of one payment or balance, in fen (CNY 920 tn).
MAX_FEN: Final = 92_000_000_000_000_000

MS_PER_SECOND: Final = 1_000
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000
#: The longest duration that can be given, about a century: sums with times of a run stay far inside int64.
MAX_DURATION_MS: Final = 36_525 * MS_PER_DAY

_AMOUNT = re.compile(r"(-?)([0-9]+(?:_[0-9]+)*)(?:\.([0-9]{1,2}))?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,3}))?)?")
_DATE_PART = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_DURATION = re.compile(r"([0-9]+)(?:\.([0-9]+))? ?(ms|s|min|h|d)")
_DURATION_MS = {"ms": 1, "s": MS_PER_SECOND, "min": MS_PER_MINUTE, "h": MS_PER_HOUR, "d": MS_PER_DAY}


def parse_fen(text: str) -> int:
    """CNY as text (`1_000.50`, at most two decimals) to fen. ValueError says what is wrong, in words."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("not an amount in CNY with at most two decimals")
    sign, whole, cents = match.groups()
    fen = int(whole) * FEN_PER_YUAN + int((cents or "").ljust(2, "0"))
    if fen > MAX_FEN:
        raise ValueError(f"over the largest amount, {format_fen(MAX_FEN)} CNY")
    return -fen if sign else fen


def format_fen(fen: int) -> str:
    """Fen to CNY as text with two decimals: 100050 -> `1000.50`."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(int(fen)), FEN_PER_YUAN)
    return f"{sign}{whole}.{cents:02d}"


def parse_clock(text: str) -> int:
    """`HH:MM[:SS[.mmm]]` to milliseconds since midnight. ValueError if it is no time of day."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(_without_zero(text) or "not a time of day")
    hours, minutes, seconds, fraction = match.groups()
    return (
        int(hours) * MS_PER_HOUR
        + int(minutes) * MS_PER_MINUTE
        + int(seconds or 0) * MS_PER_SECOND
        + int((fraction or "").ljust(3, "0"))
    )


def _without_zero(text: str) -> str:
    """What is wrong with a time such as `9:40`, alone or behind a date; "" if it is something else."""
    date = match[0] if (match := _DATE_PART.match(text)) else ""
    clock = f"0{text.removeprefix(date)}"
    return "" if _CLOCK.fullmatch(clock) is None else f"a leading zero is missing, as in {date}{clock}"


def parse_moment(text: str, first_date: dt.date) -> int:
    """`HH:MM[:SS[.mmm]]` on `first_date`, or a full ISO 8601 local date-time, to milliseconds of the run."""
    if _CLOCK.fullmatch(text):
        return parse_clock(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_without_zero(text) or "neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time") from None
    if len(text) <= 10:
        raise ValueError("a date without a time")
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(dt.timezone(dt.timedelta(hours=8))).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("outside the dates that can be told") from None
    since = moment - dt.datetime.combine(first_date, dt.time())
    if since.microseconds % 1000:
        raise ValueError("finer than a millisecond")
    return since // dt.timedelta(milliseconds=1)


def format_clock(time_ms: int) -> str:
    """Milliseconds of the run to `HH:MM:SS.mmm`, with `T-1`, `T+2` before it where it is another day."""
    day, rest = divmod(int(time_ms), MS_PER_DAY)
    hours, rest = divmod(rest, MS_PER_HOUR)
    minutes, rest = divmod(rest, MS_PER_MINUTE)
    seconds, ms = divmod(rest, MS_PER_SECOND)
    text = f"{hours:02d}:{minutes:02d}:{seconds:02d}" + (f".{ms:03d}" if ms else "")
    return f"T{day:+d} {text}" if day else text


def parse_duration(text: str) -> int:
    """`30 min`, `60 s`, `250 ms`, `2 h`, `5 d` to milliseconds. ValueError if there is no unit."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration with a unit")
    whole, fraction, unit = match[1], match[2] or "", match[3]
    parts: int = 10 ** len(fraction)
    ms, rest = divmod(int(whole + fraction) * _DURATION_MS[unit], parts)
    if rest:
        raise ValueError("finer than a millisecond")
    if ms > MAX_DURATION_MS:
        raise ValueError(f"over the longest duration, {format_duration(MAX_DURATION_MS)}")
    return ms


def format_duration(ms: int) -> str:
    """Milliseconds to the shortest exact duration text: 1_800_000 -> `30 min`."""
    for unit in ("d", "h", "min", "s"):
        if ms and ms % _DURATION_MS[unit] == 0:
            return f"{ms // _DURATION_MS[unit]} {unit}"
    return f"{ms} ms"


def day_of(time_ms: int) -> int:
    """The natural day of a moment, counted from the run's first business date (the evening before is -1)."""
    return int(time_ms) // MS_PER_DAY
