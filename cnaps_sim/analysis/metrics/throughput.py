"""Throughput: how much of the day's value has been submitted and settled by the end of each hour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, BoolArray, IntArray, Run, Where
from cnaps_sim.analysis.metrics.payments import Payments, midnight_of, payments_of
from cnaps_sim.analysis.metrics.tidy import By, Groups, group, label_column, ratios, total
from cnaps_sim.words.units import MS_PER_HOUR


def throughput(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Throughput curve (业务处理进度): cumulative shares of value by hour end.

    One row per group, hour end and measure; `time_ms` is the hour end in ms from 00:00 of the business date (the
    evening before is negative), so that several dates lie on one axis. An hour includes its end.
    `submitted_share`: value of accepted payments submitted by then / all accepted; `settled_share`: value settled
    by then / all settled; `settled_of_submitted`: value settled by then / all accepted. Unit: ratio, null without
    denominator. Source: BCBS 248 (2013), tool C(i).
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    midnight = _midnight(run, payments)
    came = payments.accepted & (payments.submitted != NONE)
    submitted = _hour(payments.submitted, midnight, came)
    settled = _hour(payments.final, midnight, payments.settled)
    hours = np.concatenate((submitted[came], settled[payments.settled]))
    first, last = (int(hours.min()), int(hours.max())) if len(hours) else (0, -1)
    by_submitted = _running(groups, payments, submitted, came, first, last)
    by_settled = _running(groups, payments, settled, payments.settled, first, last)
    accepted = total(groups, payments.amount, payments.accepted)
    done = total(groups, payments.amount, payments.settled)
    shares = {
        "submitted_share": (by_submitted, accepted),
        "settled_share": (by_settled, done),
        "settled_of_submitted": (by_settled, accepted),
    }
    return _frame(groups, range(first, last + 1), shares)


def _midnight(run: Run, payments: Payments) -> IntArray:
    date = payments.codes("date")
    return np.array([midnight_of(run, label) for label in date.labels] + [0], np.int64)[date.codes]


def _hour(time: IntArray, midnight: IntArray, mask: BoolArray) -> IntArray:
    """Number of the hour in whose end the instant is included: 10:00:00.000 is in 10, one millisecond later in 11."""
    hour = np.zeros(len(time), np.int64)
    hour[mask] = -((midnight[mask] - time[mask]) // MS_PER_HOUR)
    return hour


def _running(groups: Groups, payments: Payments, hour: IntArray, mask: BoolArray, first: int, last: int) -> Any:
    """Cumulative value per group (rows) and hour (columns), fen."""
    width = last - first + 1
    cells = np.zeros(groups.size * width, np.int64)
    rows = np.flatnonzero(mask)
    np.add.at(cells, groups.group[rows] * width + hour[rows] - first, payments.amount[rows])
    return cells.reshape(groups.size, width).cumsum(axis=1)


def _frame(groups: Groups, hours: range, shares: dict[str, tuple[Any, IntArray]]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for place, label in enumerate(groups.labels):
        for name, (running, whole) in shares.items():
            values = ratios(running[place].tolist(), [int(whole[place])] * len(hours))
            rows += [
                (*label, hour * MS_PER_HOUR, name, value, "ratio") for hour, value in zip(hours, values, strict=True)
            ]
    frame = pd.DataFrame(rows, columns=[*groups.names, "time_ms", "measure", "value", "unit"])
    for name in groups.names:
        frame[name] = label_column(name, frame[name].tolist())
    return frame.astype({"value": np.float64, "time_ms": np.int64})
