"""The settlement queue (清算排队) over time: how much waited, when, and how much at the peak."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import NONE, IntArray, Run, Where
from cnaps_sim.analysis.metrics.delay import waits
from cnaps_sim.analysis.metrics.payments import RETURNED, Payments, payments_of
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, exact_weighted, group, label_column, tidy
from cnaps_sim.words.codes import Cause

#: Acts that close a phase come before the arrivals of the same instant; what they release leaves first.
_CLOSING = [Cause.RETURN.word, Cause.PENALTY.word]


def queue(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Payments and value in the settlement queue as an exact step function of time.

    One row per group, instant and measure: `time_ms` (ms of the run), `queued_count` (payments) and `queued_fen`
    (fen) hold from that instant to the next. A payment waits from `submitted_ms` until it settles, is refused,
    cancelled or returned; one that waits less than a millisecond does not show (see `peak_queue`).
    Computed from the payments table, hence independent of the sampling step of `series`.
    """
    payments = payments_of(run, where)
    groups = group(payments, by)
    member, time, count, value = _steps(payments, groups)
    data: dict[str, Any] = {
        name: label_column(name, [label[place] for label in groups.labels]).take(np.repeat(member, 2))
        for place, name in enumerate(groups.names)
    }
    data["time_ms"] = np.repeat(time, 2)
    both = np.tile([0, 1], len(time))
    data["measure"] = pd.Series(["queued_count", "queued_fen"]).take(both)
    data["value"] = np.stack((count, value), axis=1).ravel()
    data["unit"] = pd.Series(["payments", "fen"]).take(both)
    return pd.DataFrame({name: getattr(column, "array", column) for name, column in data.items()})


def peak_queue(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Largest number and value of payments that waited at once.

    `peak_count` (payments) and `peak_fen` (fen) need not fall on the same instant; `peak_count_at` and
    `peak_fen_at` are the instants (ms of the run, null if nothing waited). Exact inside an instant too: what an
    arrival releases leaves the queue before the next arrival of the same millisecond enters it.

    Counted are settlement queues, never what a bank holds in its own outbox. What leaves outboxes in one millisecond
    (at 15:00, say) is taken in the order of the table, all banks together, and each with what it releases. The books'
    own count, which `stress` compares, follows the order in which the outboxes were opened, bank after bank: on a day
    on which many hold payments until the same time it can be far higher, for a moment inside that millisecond.
    """
    payments = payments_of(run, where)
    groups = group(payments, by)
    count, value, count_at, value_at = _peaks(payments, groups)
    return tidy(
        groups,
        [
            Measure("peak_count", "payments", count),
            Measure("peak_fen", "fen", value),
            Measure("peak_count_at", "ms", count_at),
            Measure("peak_fen_at", "ms", value_at),
        ],
    )


def queue_value_time(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Queue value x time: the area under the queue's value, sum of amount x waiting time in the queue.

    `queue_value_time` in fen·ms as an exact integer (one CNY·h is 360 000 000 fen·ms); returned and open
    payments count until the scheduled end of the clearing window.
    """
    payments = payments_of(run, where)
    groups = group(payments, by)
    wait = waits(run, payments)
    area = exact_weighted(groups, payments.amount, wait.queue, payments.waited)
    return tidy(groups, [Measure("queue_value_time", "fen·ms", area)])


def _steps(payments: Payments, groups: Groups) -> tuple[npt.NDArray[np.intp], IntArray, IntArray, IntArray]:
    """Group, instant, count and value after each instant at which something changed."""
    rows = np.flatnonzero(payments.waited & (payments.left != payments.submitted))
    gone = rows[payments.left[rows] != NONE]
    time = np.concatenate((payments.submitted[rows], payments.left[gone]))
    member = np.concatenate((groups.group[rows], groups.group[gone]))
    if len(time) == 0:
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.intp), nothing, nothing, nothing
    first = int(time.min())
    place = member * (int(time.max()) - first + 1) + (time - first)
    order = np.argsort(place)
    last = np.flatnonzero(np.append(np.diff(place[order]) != 0, True))
    step = np.concatenate((np.ones(len(rows), np.int64), np.full(len(gone), -1, np.int64)))
    value = step * np.concatenate((payments.amount[rows], payments.amount[gone]))
    kept = order[last]
    counts, values = _inside_groups(np.cumsum(step[order])[last], np.cumsum(value[order])[last], member[kept])
    return member[kept], time[kept], counts, values


def _inside_groups(count: IntArray, value: IntArray, member: IntArray) -> tuple[IntArray, IntArray]:
    """Running totals over all groups to running totals inside each group."""
    start = np.flatnonzero(np.append(True, np.diff(member) != 0))
    length = np.diff(np.append(start, len(member)))
    corrected = []
    for running in (count, value):
        before = np.append(np.int64(0), running[start[1:] - 1])
        corrected.append(running - np.repeat(before, length))
    return corrected[0], corrected[1]


def _peaks(payments: Payments, groups: Groups) -> tuple[IntArray, IntArray, list[Any], list[Any]]:
    """Peaks per group and their instants, from entries and exits put into the order of the books."""
    count, value = np.zeros(groups.size, np.int64), np.zeros(groups.size, np.int64)
    count_at: list[Any] = [None] * groups.size
    value_at: list[Any] = [None] * groups.size
    entry, exit_ = _places(payments)
    rows = np.flatnonzero(entry >= 0)
    if len(rows) == 0:
        return count, value, count_at, value_at
    gone = rows[exit_[rows] >= 0]
    row = np.concatenate((rows, gone))
    place = np.concatenate((entry[rows] * 2 + 1, exit_[gone] * 2))
    member = groups.group[row]
    order = np.argsort(place + member * (2 * payments.whole.count + 2))
    row, member = row[order], member[order]
    step = np.where(order < len(rows), np.int64(1), np.int64(-1))
    start = np.flatnonzero(np.append(True, np.diff(member) != 0))
    ends = np.append(start[1:], len(member))
    for peak, at, change in ((count, count_at, step), (value, value_at, step * payments.amount[row])):
        for first, end in zip(start.tolist(), ends.tolist(), strict=True):
            running = np.cumsum(change[first:end])
            top = int(running.argmax())
            peak[member[first]] = running[top]
            at[member[first]] = int(payments.submitted[row[first + top]])
    return count, value, count_at, value_at


def _places(payments: Payments) -> tuple[IntArray, IntArray]:
    """Per selected row: its place of entry among all arrivals, and before which arrival it left; -1 where neither."""
    entry, exit_ = places(payments.whole)
    return (entry, exit_) if payments.rows is None else (entry[payments.rows], exit_[payments.rows])


def places(payments: Payments) -> tuple[IntArray, IntArray]:
    """Entry and exit of every waiting payment, counted in arrivals.

    entry = k: it was the k-th arrival (from 0). exit = k: it had left when the k-th arrival came; -1: still there,
    or never waited. What closes a phase leaves before the arrivals of its instant, what an arrival released
    right after that arrival, and what a later act of the instant released after all its arrivals.
    """
    order = payments.arrival_order
    arrivals = payments.submitted[order]
    arrival = np.full(payments.count, -1, np.int64)
    arrival[order] = np.arange(len(order))
    entry = np.where(payments.waited, arrival, -1)
    exit_ = np.full(payments.count, -1, np.int64)
    rows = np.flatnonzero(payments.waited & (payments.left != NONE))
    rows = rows[np.argsort(payments.left[rows])]
    left = payments.left[rows]
    exit_[rows] = np.searchsorted(arrivals, left, side="right")
    if len(rows):
        entries = np.sort(payments.submitted[payments.waited])
        nearest_entry = np.minimum(np.searchsorted(entries, left), len(entries) - 1)
        shared = rows[entries[nearest_entry] == left]
        if len(shared):
            _settle_shared(payments, shared, arrival, arrivals, exit_)
    return entry, exit_


def _settle_shared(payments: Payments, rows: IntArray, arrival: IntArray, arrivals: IntArray, exit_: IntArray) -> None:
    """Exits at an instant at which others enter: find the arrival that began the cascade of each."""
    released = _released_by(payments)
    code = released.indices.fill_null(-1).to_numpy()[rows]
    is_closing = pc.is_in(released.dictionary, value_set=pa.array(_CLOSING))
    closing = np.append(is_closing.to_numpy(zero_copy_only=False), False)
    early = closing[code] | (payments.outcome[rows] == RETURNED)
    exit_[rows[early]] = np.searchsorted(arrivals, payments.left[rows[early]], side="left")
    rows = rows[~early]
    parent = releasers(payments, rows)
    rows, parent = rows[parent >= 0], parent[parent >= 0]
    arrived = ~payments.waited[parent] & (payments.submitted[parent] == payments.left[rows])
    exit_[rows[arrived]] = arrival[parent[arrived]] + 1
    cascaded = payments.waited[parent] & (payments.left[parent] == payments.left[rows])
    origin = np.arange(payments.count)
    origin[rows[cascaded]] = parent[cascaded]
    for _ in range(payments.count.bit_length()):  # each step doubles the way back along the cascade
        origin = origin[origin]
    exit_[rows] = exit_[origin[rows]]


def releasers(payments: Payments, rows: IntArray) -> IntArray:
    """For each of these rows, the row of the settled payment named by `released_by`; -1 if it names none."""
    released = _released_by(payments)
    code = released.indices.fill_null(-1).to_numpy()[rows]
    used = np.unique(code)
    used = used[used >= 0]
    row_of = np.full(len(released.dictionary) + 1, -1, np.int64)
    if len(used):
        ids = payments.table.column("payment_id")
        wanted = released.dictionary.take(pa.array(used)).cast(ids.type)
        place = pc.index_in(ids, value_set=wanted).fill_null(-1).to_numpy()
        found = np.flatnonzero((place >= 0) & payments.settled)
        row_of[used[place[found]]] = found
    parent: IntArray = row_of[code]
    return parent


def _released_by(payments: Payments) -> Any:
    """The column `released_by` as one Arrow dictionary array: its texts can be as many as the payments."""
    column = payments.table.column("released_by")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
