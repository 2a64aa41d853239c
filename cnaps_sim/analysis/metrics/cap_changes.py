"""Changes of a net debit cap (净借记限额) within a run: the hours of each cap, beside those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.caps import SHORT, Samples, samples_of
from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    as_list,
    columns_of,
    has_table,
    remembered,
)
from cnaps_sim.analysis.metrics.items import CheckTimes, item_parts, over_cap, recorded_systems
from cnaps_sim.analysis.metrics.payments import Payments
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, ratios, tidy
from cnaps_sim.words.errors import InputError

#: Whose figures a row has.
OWN: Final = "its own"
OTHERS: Final = "all others"
_COUNTED: Final = (
    "checked_count", "checked_fen", "rejected_count", "rejected_fen", "queued_count", "queued_fen", "left_count",
    "wait_ms", "longest_ms",
)  # fmt: skip
_LONGEST: Final = len(_COUNTED) - 1


class Stretch(NamedTuple):
    """Hours in which a participant's cap stayed the same; times in ms of the run, `end` not among them."""

    account: str
    begin: int
    end: int
    cap: int  # fen


def stretches_of(run: Run, where: Where = None) -> list[Stretch]:
    """The stretches of every participant whose cap changed, in order of account and time.

    A change is seen at the first sample that shows it; where an action on the account lies between the samples, its
    instant is taken. `where`: {"account": ...}.
    """
    samples = samples_of(run)
    cap, actions = samples.cap, _actions(run)
    found = []
    for column in np.flatnonzero((cap[1:] != cap[:-1]).any(axis=0)).tolist():
        account = samples.accounts[column]
        if not _asked(account, where):
            continue
        begins, place = [int(samples.time[0])], [0]
        for row in (np.flatnonzero(cap[1:, column] != cap[:-1, column]) + 1).tolist():
            before, seen = int(samples.time[row - 1]), int(samples.time[row])
            begins.append(max((time for time in actions.get(account, ()) if before < time <= seen), default=seen))
            place.append(row)
        ends = [*begins[1:], int(samples.time[-1]) + 1]  # what ends with the run is among the last
        of_account = zip(begins, ends, cap[place, column].tolist(), strict=True)
        found += [Stretch(account, *each) for each in of_account]
    return sorted(found)


def _asked(account: str, where: Where) -> bool:
    if where is None:
        return True
    if not isinstance(where, Mapping) or set(where) != {"account"}:
        raise InputError("where", "", "cannot narrow changes of caps", "", "a dict with the key account alone")
    wanted = where["account"]
    return account in ([wanted] if isinstance(wanted, str) else list(wanted))


def _actions(run: Run) -> dict[str, list[int]]:
    """When something was done to each account."""
    if not has_table(run, "events"):
        return {}
    events = columns_of(run, "events", Columns).narrow({"kind": "action"}, lambda: run.table("events").to_pandas())
    subject, found = events.codes("subject"), dict[str, list[int]]()
    for code, time in zip(subject.codes.tolist(), events.numbers("time_ms").tolist(), strict=True):
        if code >= 0:
            found.setdefault(str(subject.labels[code]), []).append(time)
    return found


def cap_changes(
    run: Run, *, by: By = ("account", "begin_ms", "whose"), where: Where = None, short: float = SHORT
) -> pd.DataFrame:
    """The hours before, between and after the changes of a participant's cap, beside all other participants then.

    One row per participant whose cap changed, stretch of equal cap (`begin_ms`, ms of the run), `whose` (`its own`,
    `all others`) and measure. `end_ms`; `cap` (fen), of others the sum at the begin; `lowest_headroom` (fen) and
    `lowest_share` (ratio, of the cap of the moment), of others of the one that had least; `short_share` (ratio): part
    of the samples with headroom below `short` of the cap of the moment, of others the mean. Items by their payer and
    the instant of their cap check: `checked_count`, `_fen`: netted, refused for the cap or put into the cap queue;
    `rejected_count`, `_fen`: refused for the cap (RJ94); `queued_count`, `_fen`: put into the cap queue (轧差排队);
    `mean_wait`, `longest_wait` (ms): theirs there, also beyond the stretch, of those that left it; null without. Where
    an item was queued for a kind with a reply, the wait counts from the check before its own. Counts are null if the
    run did not record items. What is sampled lies `series_step` apart. `where`: {"account": ...}.
    """
    if as_list(by) != ["account", "begin_ms", "whose"]:
        raise InputError("by", "", "cannot be grouped by", by, "account, begin_ms and whose together")
    run = remembered(run)
    found = stretches_of(run, where)
    samples = samples_of(run)
    counts = _counts(run, found) if found and recorded_systems(run) else None
    labels = [(each.account, each.begin, whose) for each in found for whose in (OWN, OTHERS)]
    sampled = [_sampled(samples, each, whose, short) for each in found for whose in (OWN, OTHERS)]

    def counted(name: str) -> list[Any]:
        return [None] * len(labels) if counts is None else counts[:, _COUNTED.index(name)].tolist()

    left = [number or None for number in counted("left_count")]
    measures = [
        Measure("end_ms", "ms", [min(each.end, int(samples.time[-1])) for each in found for _ in (OWN, OTHERS)]),
        Measure("cap", "fen", [each.cap for each in sampled]),
        Measure("lowest_headroom", "fen", [each.lowest for each in sampled]),
        Measure("lowest_share", "ratio", [each.lowest_share for each in sampled]),
        Measure("short_share", "ratio", [each.short for each in sampled]),
        *(Measure(name, "fen" if name.endswith("_fen") else "payments", counted(name)) for name in _COUNTED[:6]),
        Measure("mean_wait", "ms", ratios([ms or 0 for ms in counted("wait_ms")], left)),
        Measure("longest_wait", "ms", [ms if n else None for ms, n in zip(counted("longest_ms"), left, strict=True)]),
    ]
    return tidy(Groups(["account", "begin_ms", "whose"], np.arange(len(labels)), labels), measures)


class _Sampled(NamedTuple):
    cap: int  # fen
    lowest: int | None  # fen
    lowest_share: float | None
    short: float | None


def _sampled(samples: Samples, stretch: Stretch, whose: str, short: float) -> _Sampled:
    """What the samples of a stretch tell of its participant, or of all the others."""
    rows = (samples.time >= stretch.begin) & (samples.time < stretch.end)
    mine = np.array([name == stretch.account for name in samples.accounts])
    columns = mine if whose == OWN else ~mine
    cap, headroom = samples.cap[rows][:, columns], samples.headroom[rows][:, columns]
    if not headroom.size:
        return _Sampled(stretch.cap if whose == OWN else 0, None, None, None)
    shares = headroom[cap > 0] / cap[cap > 0]
    lowest_share = float(shares.min()) if shares.size else None
    return _Sampled(int(cap[0].sum()), int(headroom.min()), lowest_share, float((headroom < short * cap).mean()))


def _counts(run: Any, found: list[Stretch]) -> IntArray:
    """Counts of `_COUNTED` by stretch, its own and those of others in turn."""
    counts = np.zeros((len(found), 2, len(_COUNTED)), np.int64)
    times = CheckTimes()
    of_account: dict[str, list[int]] = {}
    for place, each in enumerate(found):
        of_account.setdefault(each.account, []).append(place)
    for items in item_parts(run):
        seen = _Seen(items, times.of(items))
        debtor = items.codes("debtor")
        for account, places in of_account.items():
            mine = np.array([label == account for label in debtor.labels] + [False], np.bool_)[debtor.codes]
            begins = np.array([found[place].begin for place in places])
            stretch = np.searchsorted(begins, seen.checked, side="right") - 1
            inside = (stretch >= 0) & (seen.checked < found[places[-1]].end)
            for side, chosen in enumerate((mine & inside, ~mine & inside)):
                seen.add_to(counts[places[0] : places[-1] + 1, side], stretch, chosen)
    return counts.reshape(2 * len(found), len(_COUNTED))


class _Seen:
    """What one part of the items tells of each."""

    def __init__(self, items: Payments, checked: IntArray) -> None:
        self.checked = checked
        self.amount = items.amount
        self.queued = items.waited
        self.rejected = over_cap(items) & ~self.queued
        self.passed = items.settled & ~self.queued
        self.wait = np.where(self.queued & (items.left != NONE), np.maximum(items.left - checked, 0), NONE)

    def add_to(self, counts: IntArray, stretch: npt.NDArray[np.intp], chosen: BoolArray) -> None:
        """Add the chosen items to the rows of their stretches."""
        met = self.passed | self.rejected | self.queued
        for place, mask in ((0, met), (2, self.rejected), (4, self.queued)):
            rows = np.flatnonzero(mask & chosen)
            np.add.at(counts[:, place], stretch[rows], 1)
            np.add.at(counts[:, place + 1], stretch[rows], self.amount[rows])
        rows = np.flatnonzero(chosen & (self.wait != NONE))
        np.add.at(counts[:, 6], stretch[rows], 1)
        np.add.at(counts[:, 7], stretch[rows], self.wait[rows])
        np.maximum.at(counts[:, _LONGEST], stretch[rows], self.wait[rows])
