"""Throughput rules (业务处理进度目标): which share of its value a bank should have settled by which time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import Run, Where
from cnaps_sim.analysis.metrics.payments import midnight_of, payments_of
from cnaps_sim.analysis.metrics.tidy import By, group, label_column, ratio, total, values_column
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import parse_clock

#: The guideline that banks in CHAPS long had. CNAPS has no public one.
CHAPS_TARGETS: Final[Mapping[str, float]] = {"12:00": 0.5, "14:30": 0.75}


def throughput_targets(
    run: Run, *, by: By = "account", where: Where = None, targets: Mapping[str, float] = CHAPS_TARGETS
) -> pd.DataFrame:
    """Throughput against targets, as overseers of a system read it; `by` groups payments, account is the debtor.

    targets: share of value from 0 to 1 by time of day `HH:MM`, such as `{"12:00": 0.5}`; the instant is included.
    One row per group, target and measure, `time_ms` from 00:00 of the business date: `throughput`: value of the group
    settled by then / value of it settled in the day; `target`; `shortfall`: max(0, target - throughput). Unit: ratio,
    null if the group settled nothing. InputError for a time or share that cannot be. Sources: CPMI-IOSCO, Principles
    for financial market infrastructures (2012), principle 7 on liquidity risk; the default is the CHAPS guideline in
    Ball, Denbee, Manning and Wetherilt (2011), there is no public source for CNAPS.
    """
    marks = sorted((_time(text), _share(text, share)) for text, share in targets.items())
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    date = payments.codes("date")
    midnight = np.array([midnight_of(run, label) for label in date.labels] + [0], np.int64)[date.codes]
    whole = total(groups, payments.amount, payments.settled).tolist()
    rows: list[tuple[Any, ...]] = []
    reached = [
        total(groups, payments.amount, payments.settled & (payments.final - midnight <= time)).tolist()
        for time, _ in marks
    ]
    for place, label in enumerate(groups.labels):
        for (time, target), done in zip(marks, reached, strict=True):
            share = ratio(done[place], whole[place])
            short = None if share is None else max(0.0, target - share)
            told = (("throughput", share), ("target", target), ("shortfall", short))
            rows += [(*label, time, measure, value) for measure, value in told]
    data: dict[str, Any] = {
        name: label_column(name, [row[place] for row in rows]) for place, name in enumerate(groups.names)
    }
    data["time_ms"] = np.array([row[-3] for row in rows], np.int64)
    data["measure"] = [row[-2] for row in rows]
    data["value"] = values_column([row[-1] for row in rows])
    data["unit"] = "ratio"
    return pd.DataFrame(data)


def _time(text: object) -> int:
    try:
        return parse_clock(str(text))
    except ValueError as error:
        raise InputError("targets", "", str(error), text, "HH:MM") from None


def _share(text: object, share: object) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise InputError("targets", str(text), "is no share", share, "from 0 to 1")
    return float(share)
