"""When a unit's time for its answer runs out: real-time seconds, or working days over holidays."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import retail_days
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR
from cnaps_sim.workload.retail_limits import ReplyLimits
from cnaps_sim.workload.retail_terms import RetailTerms

#: Friday 26 September 2025; Sunday is worked, and the holiday goes on from 1 to 8 October.
FIRST = dt.date(2025, 9, 26)


def limits(count: int) -> ReplyLimits:
    return ReplyLimits(RetailTerms(), retail_days(Timetable(FIRST, count, Calendar())), Calendar())


@pytest.mark.parametrize(
    ("kind", "limit_ms"),
    [
        (RetailKind.REALTIME_CREDIT, 60_000),
        (RetailKind.REALTIME_DEBIT, 60_000),
        (RetailKind.IBPS_CREDIT, 20_000),
        (RetailKind.IBPS_DEBIT, 20_000),
    ],
)
def test_a_real_time_unit_waits_a_fixed_time(kind: RetailKind, limit_ms: int) -> None:
    assert limits(1).ends_ms(np.array([kind]), np.array([1_000])).tolist() == [1_000 + limit_ms]


@pytest.mark.parametrize(
    ("sent", "ends"),
    [
        ("2025-09-20T10:00", "2025-09-26T10:00"),  # a Saturday before the run
        ("2025-09-19T17:00", "2025-09-25T17:00"),  # after 16:00 it is the retail date of the 20th
        ("2025-09-24T10:00", "2025-09-30T10:00"),
        ("2025-09-26T10:00", "2025-10-10T10:00"),
        ("2025-09-28T10:00", "2025-10-11T10:00"),
    ],
)
def test_a_debit_waits_five_working_days_before_and_within_the_run(sent: str, ends: str) -> None:
    whole = limits(12)
    midnight = dt.datetime.combine(FIRST, dt.time())
    told = [(dt.datetime.fromisoformat(text) - midnight) // dt.timedelta(milliseconds=1) for text in (sent, ends)]
    for kind in (RetailKind.ORDINARY_DEBIT, RetailKind.REGULAR_DEBIT):
        assert whole.ends_ms(np.array([kind]), np.array(told[:1])).tolist() == told[1:]


def test_a_limit_past_the_end_of_the_run_is_not_of_it() -> None:
    short = limits(3)
    sent = np.array([10 * MS_PER_HOUR, 2 * MS_PER_DAY, -MS_PER_DAY])
    ends = short.ends_ms(np.full(3, RetailKind.ORDINARY_DEBIT), sent)
    assert (ends >= short.run_ends_ms).tolist() == [True, True, True]
