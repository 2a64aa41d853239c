"""When payments arrive: exact counts per hour, clipped to the hours of the day."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest

from cnaps_sim.words.units import MS_PER_DAY, parse_clock
from cnaps_sim.workload.profile import arrival_times, counts_by_slice


def business_day(opens: str, cut_off: str = "17:15", midnight_ms: int = 0, evening: bool = True) -> SimpleNamespace:
    opens_ms = midnight_ms + parse_clock(opens) - (MS_PER_DAY if evening else 0)
    return SimpleNamespace(
        date=dt.date(2025, 6, 17),
        midnight_ms=midnight_ms,
        opens_ms=opens_ms,
        cut_off_ms=midnight_ms + parse_clock(cut_off),
    )


def by_clock(times: npt.NDArray[np.int64], *edges: int | str) -> list[int]:
    counts: list[int] = np.histogram(times, [parse_clock(edge) if isinstance(edge, str) else edge for edge in edges])[
        0
    ].tolist()
    return counts


HOURS = ("08:30", "09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00", "17:00", "17:15")


def test_the_hours_have_their_published_shares_to_the_last_payment() -> None:
    times = arrival_times(business_day("20:30"), 10_000, np.random.default_rng(1))
    assert by_clock(times, -MS_PER_DAY, *HOURS) == [200, 600, 1300, 1400, 1100, 600, 800, 1200, 1300, 1250, 250]


def test_times_rise_and_stay_within_the_hours_of_the_day() -> None:
    day = business_day("20:30", midnight_ms=MS_PER_DAY)
    times = arrival_times(day, 5_003, np.random.default_rng(2))
    assert len(times) == 5_003
    assert (np.diff(times) >= 0).all()
    assert times[0] >= day.opens_ms
    assert times[-1] < day.cut_off_ms


def test_the_night_is_thin_and_the_morning_is_not() -> None:
    times = arrival_times(business_day("20:30"), 100_000, np.random.default_rng(3))
    evening, night, morning = by_clock(times, -MS_PER_DAY, 0, "07:00", "08:30")
    assert evening + night + morning == 2_000
    assert night / 7 < evening / 3.5 < morning / 1.5


@pytest.mark.parametrize("opens", ["19:00", "20:30", "23:30"])
def test_the_night_begins_at_the_opening(opens: str) -> None:
    day = business_day(opens)
    begin_ms, _, count = counts_by_slice(day, 10_000)[0]
    assert begin_ms == day.opens_ms
    assert count > 0


def test_where_the_day_opens_at_half_past_eight_the_first_half_hour_gets_the_share_of_the_night() -> None:
    times = arrival_times(business_day("08:30", "17:00", evening=False), 10_000, np.random.default_rng(4))
    assert by_clock(times, "08:30", "09:00") == [800]


def test_where_cut_off_is_at_five_the_last_hour_gets_the_share_of_the_quarter() -> None:
    times = arrival_times(business_day("08:30", "17:00", evening=False), 10_000, np.random.default_rng(4))
    assert by_clock(times, "16:00", "17:00") == [1500]


def test_a_day_without_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="no hours"):
        counts_by_slice(business_day("17:20", "17:15", evening=False), 1)
