"""Retail limits: until when a unit of BEPS or IBPS waits for the answer of the other bank (回执期限).

Real-time units and those of IBPS wait a fixed time, ordinary and regular debits so many working days after the retail
date on which they were sent, to the same time of day. Source: rule sections "BEPS" and "IBPS".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.units import MS_PER_DAY
from cnaps_sim.workload.retail_counts import SLOW
from cnaps_sim.workload.retail_terms import RetailTerms

Integers = npt.NDArray[np.int64]

_IS_SLOW: Final = np.array([kind in SLOW for kind in RetailKind])
_IS_IBPS: Final = np.array([kind.system is System.IBPS for kind in RetailKind])


@dataclass(frozen=True)
class ReplyLimits:
    """The limits of one run.

    dates:    its retail dates
    calendar: knows the working days before the run, on which units may have been sent that are answered in it
    """

    terms: RetailTerms
    dates: Sequence[RetailDay]
    calendar: Calendar

    @property
    def run_ends_ms(self) -> int:
        """The end of the last retail date: an answer or a limit from then on is not of this run."""
        return self.dates[-1].ends_ms

    def ends_ms(self, kinds: npt.NDArray[np.int8], sent_ms: Integers) -> Integers:
        """When the limits of units run out, ms of the run; at or after the end of the run: later than it lasts.

        kinds: RetailKind of each unit, kinds that have a reply; sent_ms: when each was sent
        """
        beps, ibps = self.terms.beps, self.terms.ibps
        limit_ms = np.where(_IS_IBPS[kinds], ibps.reply_limit, beps.realtime_limit).astype(np.int64)
        slow = _IS_SLOW[kinds]
        if slow.any():
            earlier = slow & (sent_ms < self.dates[0].begins_ms)
            slow &= ~earlier
            limit_ms[slow] = working_days_ms(sent_ms[slow], self.dates, beps.reply_days)
            limit_ms[earlier] = [self._after(int(sent)) for sent in sent_ms[earlier]]
        ends: Integers = sent_ms + limit_ms
        return ends

    def _after(self, sent_ms: int) -> int:
        """The limit of a debit that was sent before the run began, ms."""
        first = self.dates[0]
        sent_on = first.date + dt.timedelta(days=(sent_ms - first.begins_ms) // MS_PER_DAY)
        last = sent_on
        for _ in range(self.terms.beps.reply_days):
            last = self.calendar.next_working_day(last)
        return (last - sent_on).days * MS_PER_DAY


def date_index(times_ms: Integers, dates: Sequence[RetailDay]) -> Integers:
    """The retail date of each instant, the nearest one for an instant outside the run."""
    return np.clip((times_ms - dates[0].begins_ms) // MS_PER_DAY, 0, len(dates) - 1)


def working_days_ms(sent_ms: Integers, dates: Sequence[RetailDay], reply_days: int) -> Integers:
    """From each instant of the run to the same time on the last of so many working dates after its own.

    Where the run has not so many left, to its end or later.
    """
    end_of = np.full(len(dates), len(dates), np.int64)
    working = [date.index for date in dates if date.is_working_day]
    for index in range(len(dates)):
        after = [other for other in working if other > index]
        if len(after) >= reply_days:
            end_of[index] = after[reply_days - 1]
    sent_on = date_index(sent_ms, dates)
    waited: Integers = (end_of[sent_on] - sent_on) * MS_PER_DAY
    return waited
