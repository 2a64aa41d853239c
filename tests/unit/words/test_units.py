"""Units: text to whole fen and milliseconds, and back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.units import (
    MAX_FEN,
    MS_PER_DAY,
    day_of,
    format_clock,
    format_duration,
    format_fen,
    parse_clock,
    parse_duration,
    parse_fen,
    parse_moment,
)

TUESDAY = dt.date(2025, 6, 17)


@given(st.integers(-MAX_FEN, MAX_FEN))
def test_an_amount_survives_being_written_and_read(fen: int) -> None:
    assert parse_fen(format_fen(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("1", 100),
        ("1.5", 150),
        ("1.05", 105),
        ("1_000.50", 100_050),
        ("-0.01", -1),
        ("0012", 1_200),
        ("920000000000000.00", MAX_FEN),
    ],
)
def test_an_amount_in_yuan_becomes_whole_fen(text: str, fen: int) -> None:
    assert parse_fen(text) == fen


@pytest.mark.parametrize(
    "text", ["", "1.005", "1.", ".5", "1e3", "1,000", "+1", "--1", " 1", "1 ", "1\n", "_1", "1_", "1__0", "NaN", "١"]
)
def test_what_is_no_amount_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount in CNY with at most two decimals"):
        parse_fen(text)


@pytest.mark.parametrize("text", ["920000000000000.01", "-920000000000000.01", "9" * 30])
def test_an_amount_over_the_largest_says_the_largest(text: str) -> None:
    with pytest.raises(ValueError, match=r"over the largest amount, 920000000000000\.00 CNY"):
        parse_fen(text)


@given(st.integers(0, MS_PER_DAY - 1))
def test_a_time_of_day_survives_being_written_and_read(ms: int) -> None:
    assert parse_clock(format_clock(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"), [("00:00", 0), ("08:30", 30_600_000), ("23:59:59.999", 86_399_999), ("00:00:00.5", 500)]
)
def test_a_time_of_day_becomes_milliseconds_since_midnight(text: str, ms: int) -> None:
    assert parse_clock(text) == ms


@pytest.mark.parametrize(
    "text", ["", "8.30", "24:00", "08:60", "08:30:60", "08:30:00.", "08:30:00.0001", "0830", "08:30\n"]
)
def test_what_is_no_time_of_day_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="not a time of day"):
        parse_clock(text)


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "00:00:00"), (-12_600_000, "T-1 20:30:00"), (MS_PER_DAY + 1, "T+1 00:00:00.001"), (-1, "T-1 23:59:59.999")],
)
def test_a_moment_of_another_day_is_written_with_its_day(ms: int, text: str) -> None:
    assert format_clock(ms) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("09:00", 32_400_000),
        ("2025-06-17T09:00", 32_400_000),
        ("2025-06-16T20:30", -12_600_000),
        ("2025-06-16 20:30:00", -12_600_000),
        ("2025-06-18T00:00:00.001", MS_PER_DAY + 1),
        ("2025-06-17T01:00:00+00:00", 32_400_000),
        ("2025-06-17T01:00:00Z", 32_400_000),
    ],
)
def test_a_moment_counts_from_midnight_of_the_first_date(text: str, ms: int) -> None:
    assert parse_moment(text, TUESDAY) == ms


@given(st.integers(-400 * MS_PER_DAY, 400 * MS_PER_DAY))
def test_a_moment_survives_being_written_and_read(ms: int) -> None:
    moment = dt.datetime.combine(TUESDAY, dt.time()) + dt.timedelta(milliseconds=ms)
    assert parse_moment(moment.isoformat(timespec="milliseconds"), TUESDAY) == ms


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("noon", "neither HH:MM"),
        ("25:00", "neither HH:MM"),
        ("9:40", "a leading zero is missing, as in 09:40"),
        ("2025-06-17 9:40:05", "a leading zero is missing, as in 2025-06-17 09:40:05"),
        ("on 9:40", "neither HH:MM"),
        ("2025-06-17", "a date without a time"),
        ("20250617", "a date without a time"),
        ("2025-02-30T09:00", "neither HH:MM"),
        ("2025-06-17T09:00:00.0001", "finer than a millisecond"),
    ],
)
def test_what_is_no_moment_is_an_error_in_words(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_moment(text, TUESDAY)


@pytest.mark.parametrize("text", ["9999-12-31T23:59-08:00", "0001-01-01T00:00+14:00"])
def test_a_moment_outside_the_dates_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the class is the claim: an OverflowError would be no message
        parse_moment(text, TUESDAY)


@given(st.integers(0, 36_525 * MS_PER_DAY))
def test_a_duration_survives_being_written_and_read(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


@given(st.integers(0, 36_525), st.sampled_from(["ms", "s", "min", "h", "d"]))
def test_a_whole_duration_is_its_number_of_units(count: int, unit: str) -> None:
    of_one = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": MS_PER_DAY}
    assert parse_duration(f"{count} {unit}") == parse_duration(f"{count}{unit}") == count * of_one[unit]


@given(st.integers(0, 10**9))
def test_a_duration_with_decimals_is_exact_to_the_millisecond(ms: int) -> None:
    assert parse_duration(f"{ms // 1000}.{ms % 1000:03d} s") == ms


@pytest.mark.parametrize(
    ("ms", "text"), [(1_800_000, "30 min"), (90_000, "90 s"), (250, "250 ms"), (7_200_000, "2 h"), (0, "0 ms")]
)
def test_a_duration_is_written_in_its_largest_whole_unit(ms: int, text: str) -> None:
    assert format_duration(ms) == text


@pytest.mark.parametrize("text", ["", "30", "min", "-1 s", "1  s", "1 sec", "1.s", ".5 s", "1e3 s"])
def test_what_is_no_duration_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration with a unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0.5 ms", "1.0001 s"])
def test_a_duration_finer_than_a_millisecond_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="finer than a millisecond"):
        parse_duration(text)


def test_a_duration_beyond_all_numbers_is_an_error_in_words() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the class is the claim: an OverflowError would be no message
        parse_duration("9" * 400 + " d")


@pytest.mark.parametrize(("ms", "day"), [(0, 0), (MS_PER_DAY - 1, 0), (MS_PER_DAY, 1), (-1, -1), (-12_600_000, -1)])
def test_the_evening_before_is_day_minus_one(ms: int, day: int) -> None:
    assert day_of(ms) == day
