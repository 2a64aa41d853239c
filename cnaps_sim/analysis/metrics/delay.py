"""Delay: how long payments wait between instruction and finality, in the bank's outbox and in the central queue."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, BoolArray, IntArray, Run, Where
from cnaps_sim.analysis.metrics.payments import RETURNED, Payments, payments_of
from cnaps_sim.analysis.metrics.studied import about_studies
from cnaps_sim.analysis.metrics.tidy import (
    By,
    Groups,
    Measure,
    group,
    label_column,
    number,
    ratios,
    tidy,
    total,
    weighted,
)

#: Percentiles reported, each by nearest rank, so that the value is one of the delays that occurred.
PERCENTILES: Final = (50, 90, 99)


class Waits(NamedTuple):
    """Waiting times of each payment, ms; meaningless where `counted` is False."""

    counted: BoolArray  # accepted, and instructed before the scheduled end of the window
    outbox: IntArray  # submitted - instructed
    queue: IntArray  # end of waiting - submitted
    room: IntArray  # scheduled end - instructed, the longest a payment could wait


def waits(run: Run, payments: Payments) -> Waits:
    """Waiting times as the delay indicator counts them.

    A payment waits from its instruction until it settles, is cancelled or is refused when its turn came; a
    returned or open one until the scheduled end of the clearing window. One that never left its bank waits in
    the outbox all the time. Refusals on arrival and instructions at or after the scheduled end are left out.
    """
    end = payments.scheduled_end(run)
    until = np.where((payments.left == NONE) | (payments.outcome == RETURNED), end, payments.left)
    handed_over = np.where(payments.submitted == NONE, until, payments.submitted)
    return Waits(
        counted=payments.accepted & (payments.instructed < end),
        outbox=handed_over - payments.instructed,
        queue=until - handed_over,
        room=end - payments.instructed,
    )


@about_studies
def delay(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Settlement delay (结算延迟): the delay indicator, and mean, percentiles and maximum of settled payments.

    `rho`: sum a(s-t) / sum a(T-t) over accepted payments, a amount, t `instructed_ms`, s end of waiting, T
    scheduled end of the clearing window; returned and open payments s = T; 0 if the sum is 0. Unit: ratio from 0
    to 1. `rho_outbox` and `rho_queue` are its parts before and after submission; they add up to `rho`.
    Source: Leinonen and Soramäki (1999).
    `mean_delay`, `delay_p50`, `delay_p90`, `delay_p99`, `delay_max` of settled - instructed, and the same with
    `_outbox` and `_queue`: ms, settled payments only, not weighted by value; null if nothing settled.
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    wait = waits(run, payments)
    measures = _rho(groups, payments, wait)
    settled = np.flatnonzero(payments.settled)
    for suffix, delays in (("", wait.outbox + wait.queue), ("_outbox", wait.outbox), ("_queue", wait.queue)):
        measures += _spread(groups, settled, delays, suffix)
    return tidy(groups, measures)


def _rho(groups: Groups, payments: Payments, wait: Waits) -> list[Measure]:
    room = weighted(groups, payments.amount, wait.room, wait.counted)
    outbox = weighted(groups, payments.amount, wait.outbox, wait.counted & (wait.outbox > 0))
    queue = weighted(groups, payments.amount, wait.queue, wait.counted & (wait.queue > 0))
    parts = (("rho", outbox + queue), ("rho_outbox", outbox), ("rho_queue", queue))
    return [Measure(name, "ratio", [value or 0.0 for value in ratios(above, room)]) for name, above in parts]


def _spread(groups: Groups, rows: Any, delays: IntArray, suffix: str) -> list[Measure]:
    counts = np.bincount(groups.group[rows], minlength=groups.size)
    sums = np.zeros(groups.size, np.int64)
    np.add.at(sums, groups.group[rows], delays[rows])
    ranked = _percentiles(groups, rows, delays, counts)
    measures = [Measure(f"mean_delay{suffix}", "ms", ratios(sums, counts))]
    for place, percent in enumerate(PERCENTILES):
        measures.append(Measure(f"delay{suffix}_p{percent}", "ms", [row[place] if row else None for row in ranked]))
    measures.append(Measure(f"delay{suffix}_max", "ms", [row[-1] if row else None for row in ranked]))
    return measures


def _percentiles(groups: Groups, rows: Any, delays: IntArray, counts: Any) -> list[list[int]]:
    """Per group the percentiles and the maximum, an empty list for an empty group. Zeros are never sorted."""
    positive = rows[delays[rows] > 0]
    member = groups.group[positive]
    ends = np.cumsum(np.bincount(member, minlength=groups.size))
    if groups.size > 1:
        small = np.uint16 if groups.size < 2**16 else np.uint32
        positive = positive[np.argsort(member.astype(small), kind="stable")]
    values = delays[positive]
    start = 0
    answer: list[list[int]] = []
    for count, end in zip(counts.tolist(), ends.tolist(), strict=True):
        answer.append(_ranked(values[start:end], count) if count else [])
        start = end
    return answer


def _ranked(positive: IntArray, count: int) -> list[int]:
    """Nearest-rank percentiles and maximum of `count` delays of which only the positive ones are listed."""
    zeros = count - len(positive)
    places = [-(-percent * count // 100) - 1 - zeros for percent in PERCENTILES] + [len(positive) - 1]
    wanted = sorted({place for place in places if place >= 0})
    if wanted:
        positive = np.partition(positive, wanted)
    return [int(positive[place]) if place >= 0 else 0 for place in places]


#: Lower edges of the classes of `delay_distribution`, ms, and what each class is called.
DELAY_CLASSES: Final = (
    (0, "at once"),
    (1, "to 1 s"),
    (1_000, "to 10 s"),
    (10_000, "to 1 min"),
    (60_000, "to 5 min"),
    (300_000, "to 15 min"),
    (900_000, "to 1 h"),
    (3_600_000, "to 2 h"),
    (7_200_000, "to 4 h"),
    (14_400_000, "over 4 h"),
)
#: The class of accepted payments that never settled.
NEVER: Final = "never"


def delay_distribution(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """How many accepted payments had which delay, from instruction to finality.

    One row per group, class of delay and measure; `delay` names the class, `at_least_ms` is its lower edge (its
    upper edge, the next class, is excluded; null for those that never settled). `count_share` and `value_share`
    of the accepted payments of the group (ratio).
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    edges = np.array([edge for edge, _ in DELAY_CLASSES], np.int64)
    names = [name for _, name in DELAY_CLASSES] + [NEVER]
    place = np.searchsorted(edges, payments.final - payments.instructed, side="right") - 1
    place[~payments.settled] = len(edges)
    cell = groups._replace(group=groups.group * len(names) + place, labels=[()] * (groups.size * len(names)))
    counts = number(cell, payments.accepted).reshape(groups.size, len(names))
    values = total(cell, payments.amount, payments.accepted).reshape(groups.size, len(names))
    rows: list[tuple[Any, ...]] = []
    for g, label in enumerate(groups.labels):
        for measure, table in (("count_share", counts), ("value_share", values)):
            shares = ratios(table[g].tolist(), [int(table[g].sum())] * len(names))
            lower = [*edges.tolist(), None]
            rows += [(*label, *row) for row in zip(names, lower, [measure] * len(names), shares, strict=True)]
    frame = pd.DataFrame(rows, columns=[*groups.names, "delay", "at_least_ms", "measure", "value"])
    for name in groups.names:
        frame[name] = label_column(name, frame[name].tolist())
    frame["at_least_ms"] = frame["at_least_ms"].astype("Int64")
    frame["value"] = frame["value"].astype(np.float64)
    frame["unit"] = "ratio"
    return frame


def mean_delay(payments: Payments) -> float | None:
    """Mean of settled - instructed over settled payments, ms; null if nothing settled."""
    rows = np.flatnonzero(payments.settled)
    return float((payments.final[rows] - payments.instructed[rows]).sum()) / len(rows) if len(rows) else None


def rho_of(run: Run, payments: Payments) -> float:
    """The delay indicator of these payments as one number."""
    groups = group(payments, None)
    wait = waits(run, payments)
    value = _rho(groups, payments, wait)[0].values
    return float(next(iter(value)))


def waited(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Payments that stood in the settlement queue (清算排队), if only for an instant.

    `waited_count` (payments), `waited_fen` (fen), and their shares of the accepted payments, `waited_share` and
    `waited_value_share` (ratio, null if nothing was accepted).
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    count, value = number(groups, payments.waited), total(groups, payments.amount, payments.waited)
    accepted = number(groups, payments.accepted)
    accepted_fen = total(groups, payments.amount, payments.accepted)
    return tidy(
        groups,
        [
            Measure("waited_count", "payments", count),
            Measure("waited_fen", "fen", value),
            Measure("waited_share", "ratio", ratios(count, accepted)),
            Measure("waited_value_share", "ratio", ratios(value, accepted_fen)),
        ],
    )
