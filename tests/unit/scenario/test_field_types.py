"""Field types: text in, exact numbers inside, the same text out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cnaps_sim.scenario.moments import ClockTime, Date, Moment, MomentField, Step
from cnaps_sim.scenario.quantities import Amount, Days, Money, Ratio, Seed, Share, SignedMoney
from cnaps_sim.scenario.terms import AccountId, Name, Switch, Text
from cnaps_sim.words.units import MAX_DURATION_MS, MAX_FEN


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def written(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).dump_python(value)


@pytest.mark.parametrize(
    ("kind", "outside", "inside"),
    [
        (Money, "1_000.50", 100_050),
        (Money, 12, 1_200),
        (Money, Decimal("0.01"), 1),
        (Money, Decimal("1E+3"), 100_000),
        (Money, np.int64(3), 300),
        (SignedMoney, "-0.05", -5),
        (Days, "3", 3),
        (Seed, "1_000", 1_000),
        (Seed, np.int32(4), 4),
        (Share, ".25", Decimal("0.25")),
        (Share, 0.1, Decimal("0.1")),
        (Ratio, "1.5e2", Decimal(150)),
        (Ratio, np.float64(0.2), Decimal("0.2")),
        (Switch, "true", True),
        (Switch, False, False),
        (Step, "30 min", 1_800_000),
        (Step, "250ms", 250),
        (ClockTime, "17:15", 62_100_000),
        (ClockTime, dt.time(8, 30), 30_600_000),
        (Date, "2025-06-17", dt.date(2025, 6, 17)),
        (MomentField, "08:30:00.250", Moment(None, 30_600_250)),
        (MomentField, "2025-06-16T20:30", Moment(dt.date(2025, 6, 16), 73_800_000)),
        (MomentField, "2025-06-16T12:30:00Z", Moment(dt.date(2025, 6, 16), 73_800_000)),
        (MomentField, dt.datetime(2025, 6, 16, 20, 30), Moment(dt.date(2025, 6, 16), 73_800_000)),
        (AccountId, 102100099996, "102100099996"),
        (Text, "no", "no"),
        (Name, "支付-1", "支付-1"),
    ],
)
def test_what_is_written_becomes_the_exact_value(kind: Any, outside: object, inside: object) -> None:
    assert read(kind, outside) == inside
    assert read(kind, written(kind, inside)) == inside


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Money, 0.1, "a float cannot hold money"),
        (Money, True, "not an amount"),
        (Money, Decimal("NaN"), "not an amount"),
        (Money, Decimal("1E+999999"), "not an amount"),
        (Money, "9" * 5000, "too long for an amount"),
        (Money, "1 000", "not an amount"),
        (Money, "-1", "is negative"),
        (Amount, "0.00", "is zero"),
        (Amount, {"cny": 1}, "not an amount"),
        (Days, "1.0", "not a whole number"),
        (Days, True, "not a whole number"),
        (Days, 1.0, "not a whole number"),
        (Days, "9" * 5000, "not a whole number"),
        (Seed, 2**63, "too large"),
        (Share, "nan", "not a number"),
        (Share, float("inf"), "not a number"),
        (Share, "1.0001", "too large"),
        (Ratio, "0.1234567890123456789", "too many digits"),
        (Switch, "True", "neither true nor false"),
        (Switch, "on", "neither true nor false"),
        (Switch, 1, "neither true nor false"),
        (Step, "30", "not a duration with a unit"),
        (Step, "9" * 400 + " d", "too long for a duration"),
        (Step, "999999999 d", "over the longest duration"),
        (Step, 30, "not a duration with a unit"),
        (ClockTime, "24:00", "not a time of day"),
        (ClockTime, "9:40", "a leading zero is missing, as in 09:40"),
        (Date, "20250617", "not a date"),
        (Date, dt.datetime(2025, 6, 17), "not a date"),
        (Date, "2025-06-31", "a day that no calendar has"),
        (MomentField, "2025-06-17", "a date without a time"),
        (MomentField, "tomorrow", "neither HH:MM"),
        (MomentField, "0001-01-01T00:00+23:59", "outside the dates"),
        (MomentField, 830, "neither HH:MM"),
        (AccountId, "Bank B", "not an account id"),
        (AccountId, "a" * 36, "not an account id"),
        (AccountId, "PBC-NETTING", "an account of the central bank's own"),
        (AccountId, 1.0, "not an account id"),
        (Name, "../x", "not a name"),
        (Text, " ", "not a text"),
        (Text, True, "not a text"),
    ],
)
def test_what_is_wrong_is_said_in_words(kind: Any, value: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        read(kind, value)


@given(st.integers(-MAX_FEN, MAX_FEN))
def test_money_survives_the_trip_through_text(fen: int) -> None:
    assert read(SignedMoney, written(SignedMoney, fen)) == fen


@given(st.integers(1, MAX_DURATION_MS))
def test_a_duration_survives_the_trip_through_text(ms: int) -> None:
    assert read(Step, written(Step, ms)) == ms


@given(st.decimals(0, 1000, allow_nan=False, places=6))
def test_a_ratio_survives_the_trip_through_text(ratio: Decimal) -> None:
    assert read(Ratio, written(Ratio, ratio)) == ratio


def test_equal_ratios_are_written_alike() -> None:
    assert written(Ratio, Decimal("0.50")) == written(Ratio, Decimal("5E-1")) == "0.5"
    assert written(Ratio, Decimal("1E+2")) == "100"


@given(st.datetimes(dt.datetime(1999, 1, 1), dt.datetime(2100, 1, 1)))
def test_a_moment_counts_from_the_first_business_date(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    found = read(MomentField, moment.isoformat(timespec="milliseconds"))
    since = moment - dt.datetime(2025, 6, 17)
    assert found.ms(dt.date(2025, 6, 17)) == since // dt.timedelta(milliseconds=1)
    assert read(MomentField, str(found)) == found


def test_the_evening_before_is_negative() -> None:
    assert Moment.parse("2025-06-16T20:30").ms(dt.date(2025, 6, 17)) == -12_600_000
    assert Moment.parse("08:30").ms(dt.date(2025, 6, 17)) == 30_600_000
