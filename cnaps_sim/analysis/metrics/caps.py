"""The net debit cap (净借记限额): how far participants used it, and what it refused or held up."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    Columns,
    IntArray,
    Run,
    Where,
    as_list,
    columns_of,
    has_table,
    remembered,
)
from cnaps_sim.analysis.metrics.liquidity import Accounts, accounts_of
from cnaps_sim.analysis.metrics.rounds import Nets
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, group, label_column, number, ratios, tidy
from cnaps_sim.words.errors import InputError

#: Names by which participants are grouped.
CAP_GROUPS: Final = {"account": "account", "kind": "kind", "owner": "owner"}
#: A participant is short of headroom while it has less than this share of its cap left.
SHORT: Final = 0.1


class Samples(NamedTuple):
    """Sampled positions: one row per instant, one column per participant; money in fen."""

    accounts: list[str]
    time: IntArray
    headroom: IntArray
    position: IntArray
    unsettled: IntArray

    @property
    def cap(self) -> IntArray:
        """The cap itself: headroom = cap + position + unsettled."""
        return self.headroom - self.position - self.unsettled

    @property
    def used(self) -> IntArray:
        """What of the cap was in use: what the participant owed, 0 if it was owed."""
        return np.maximum(-self.position - self.unsettled, 0)


def samples_of(run: Run) -> Samples:
    """The positions of all participants over time; a `Remembered` run puts them together once.

    InputError if the run has no retail clearing or did not record its series. Samples lie `series_step` apart.
    """
    _check(run)
    kept = getattr(run, "kept_columns", {})
    if "positions" not in kept:
        kept["positions"] = _samples(run)
    found: Samples = kept["positions"]
    return found


def _check(run: Run) -> None:
    if not run.manifest.get("caps"):
        raise InputError("run", "caps", "has no net debit caps", "", "a run whose workload has BEPS or IBPS")


def _samples(run: Run) -> Samples:
    series = columns_of(run, "series", Columns)
    measure, scope = series.codes("measure"), series.codes("scope")
    accounts = list(run.manifest["caps"])
    column_of = {name: place for place, name in enumerate(accounts)}
    columns = np.array([column_of.get(label, -1) for label in scope.labels] + [-1])
    time, value = series.numbers("time_ms"), series.numbers("value")
    chosen = {}
    for name in ("headroom_fen", "position_fen"):
        code = measure.labels.index(name) if name in measure.labels else -2
        chosen[name] = np.flatnonzero(measure.codes == code)
    instants = np.unique(time[chosen["headroom_fen"]])
    made = {}
    for name, rows in chosen.items():
        made[name] = np.zeros((len(instants), len(accounts)), np.int64)
        made[name][np.searchsorted(instants, time[rows]), columns[scope.codes[rows]]] = value[rows]
    unsettled = _unsettled(run, instants, column_of)
    return Samples(accounts, instants, made["headroom_fen"], made["position_fen"], unsettled)


def _unsettled(run: Run, instants: IntArray, column_of: dict[str, int]) -> IntArray:
    """Nets of each participant that had been closed and not yet posted at each instant; samples come last in it."""
    nets = columns_of(run, "rounds", Nets)
    account = nets.codes("participant")
    column = np.array([column_of.get(label, -1) for label in account.labels] + [-1])[account.codes]
    change = np.zeros((len(instants) + 1, len(column_of)), np.int64)
    np.add.at(change, (np.searchsorted(instants, nets.numbers("time_ms")), column), nets.net)
    posted = np.flatnonzero(nets.settled != NONE)
    np.add.at(change, (np.searchsorted(instants, nets.settled[posted]), column[posted]), -nets.net[posted])
    running: IntArray = change.cumsum(axis=0)[:-1]
    return running


def headroom(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Headroom (可用额度) under the net debit cap over time, from the sampled series.

    One row per instant (`time_ms`, ms of the run), account and measure: `headroom`, `cap`, `position` (since the last
    round) and `unsettled` (nets of rounds that SAPS has not posted), all fen; headroom = cap + position + unsettled.
    Without `by` sums over the participants. `where` narrows the accounts table. Samples lie `series_step` apart.
    Source: netting rules.
    """
    run = remembered(run)
    samples = samples_of(run)
    chosen = _chosen(samples.accounts, accounts_of(run, where))
    parts = {
        name: getattr(samples, name)[:, chosen] for name in ("headroom", "cap", "position", "unsettled")
    }  # fmt: skip
    data: dict[str, Any] = {}
    if as_list(by) not in ([], ["account"]):
        raise InputError("by", "", "cannot be grouped by", by, "account")
    if not by:
        parts = {name: part.sum(axis=1, keepdims=True) for name, part in parts.items()}
    else:
        names = pd.Series([samples.accounts[place] for place in chosen], dtype=object)
        data["account"] = names.take(np.repeat(np.arange(len(chosen)), 4 * len(samples.time))).array
    width = next(iter(parts.values())).shape[1]
    data["time_ms"] = np.tile(np.repeat(samples.time, 4), width)
    data["measure"] = pd.Series(list(parts)).take(np.tile(np.arange(4), width * len(samples.time))).array
    data["value"] = np.stack(list(parts.values()), axis=2).transpose(1, 0, 2).ravel()
    data["unit"] = pd.Series(["fen"]).take(np.zeros(len(data["value"]), np.int64)).array
    return pd.DataFrame(data)


def _chosen(accounts: list[str], table: Accounts) -> npt.NDArray[np.intp]:
    """Columns of the samples that belong to the selected rows of the accounts table, in the order of the samples."""
    account = table.codes("account")
    wanted = {account.labels[code] for code in np.unique(account.codes).tolist()}
    return np.array([place for place, name in enumerate(accounts) if name in wanted], np.intp)


def caps(run: Run, *, by: By = "account", where: Where = None, short: float = SHORT) -> pd.DataFrame:
    """How far participants used their net debit cap (净借记限额), and what it refused or held up.

    Grouped by account, kind or owner; all participants together with `by=None`. `where` narrows the accounts table.
    `cap` (fen): the largest that was sampled; `peak_use` (ratio): the largest (cap - headroom) / cap, at the samples,
    0 if the participant was never in debt, null where the cap was never above 0; `lowest_headroom` (fen): of the whole
    run, exact; `short_share` (ratio): part of the samples with headroom below `short` of the cap. Of a group `cap` is
    the sum, `peak_use` the largest, `lowest_headroom` the smallest, `short_share` the mean. `rejected_count`,
    `rejected_fen`: items of real-time kinds refused for the cap (RJ94); `queued_count`, `queued_fen`: items that stood
    in the cap queue (轧差排队), whatever became of them; counted at the payer. What is sampled is null where the run
    recorded no series. Source: netting rules.
    """
    run = remembered(run)
    _check(run)
    told = run.manifest["caps"]
    accounts = accounts_of(run, where)
    rows, groups = _members(accounts, group(accounts, by, CAP_GROUPS), told)
    names = [str(label) for label in _names(accounts, rows)]
    sampled = _sampled(run, names, short) if has_table(run, "series") else None
    lowest = [int(told[name]["lowest_headroom_fen"]) for name in names]

    def counted(part: str, key: str) -> list[int]:
        return _sums(groups, [int(told[name].get(part, {}).get(key, 0)) for name in names])

    measures = [
        Measure("cap", "fen", [None] * groups.size if sampled is None else _sums(groups, sampled.cap)),
        Measure("peak_use", "ratio", [None] * groups.size if sampled is None else _extreme(groups, sampled.use, max)),
        Measure("lowest_headroom", "fen", _extreme(groups, lowest, min)),
        Measure(
            "short_share",
            "ratio",
            [None] * groups.size if sampled is None else ratios(_sums(groups, sampled.short), number(groups)),
        ),
    ]
    for part in ("rejected", "queued"):
        measures.append(Measure(f"{part}_count", "payments", counted(part, "count")))
        measures.append(Measure(f"{part}_fen", "fen", counted(part, "value_fen")))
    return tidy(groups, measures)


def _members(accounts: Accounts, groups: Groups, told: dict[str, Any]) -> tuple[npt.NDArray[np.intp], Groups]:
    """One row of the accounts table per participant with a cap (its first date), and the groups that have any."""
    account = accounts.codes("account")
    has_cap = np.array([label in told for label in account.labels] + [False], np.bool_)[account.codes]
    _, first = np.unique(account.codes, return_index=True)
    rows = np.sort(first[has_cap[first]])
    if not groups.names:
        return rows, groups._replace(group=groups.group[rows])
    used, member = np.unique(groups.group[rows], return_inverse=True)
    return rows, Groups(groups.names, member, [groups.labels[place] for place in used.tolist()])


def _names(accounts: Accounts, rows: npt.NDArray[np.intp]) -> list[Any]:
    account = accounts.codes("account")
    return [account.labels[code] for code in account.codes[rows].tolist()]


class _Sampled(NamedTuple):
    cap: list[int]  # fen
    use: list[float | None]
    short: list[float]


def _sampled(run: Run, names: list[str], short: float) -> _Sampled:
    samples = samples_of(run)
    place = {name: column for column, name in enumerate(samples.accounts)}
    columns = [place[name] for name in names]
    cap, used = samples.cap[:, columns], samples.used[:, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        use = np.where(cap > 0, used / cap, np.where(used > 0, np.inf, 0.0))
    largest = cap.max(axis=0, initial=0)
    peak = [float(value) if limit > 0 and np.isfinite(value) else None
            for value, limit in zip(use.max(axis=0, initial=0.0), largest, strict=True)]  # fmt: skip
    below = (samples.headroom[:, columns] < short * cap).mean(axis=0) if len(cap) else np.zeros(len(columns))
    return _Sampled(largest.tolist(), peak, below.tolist())


def _sums(groups: Groups, values: list[Any]) -> list[Any]:
    sums: list[Any] = [0] * groups.size
    for member, value in zip(groups.group.tolist(), values, strict=True):
        sums[member] += value
    return sums


def _extreme(groups: Groups, values: list[Any], best: Any) -> list[Any]:
    found: list[Any] = [None] * groups.size
    for member, value in zip(groups.group.tolist(), values, strict=True):
        if value is not None:
            found[member] = value if found[member] is None else best(found[member], value)
    return found


def clearing(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Retail clearing over time, from the sampled series: what was netted and rejected since the sample before.

    One row per sample (`time_ms`, ms of the run), system (if `by` is "system") and measure: `netted_count`,
    `rejected_count` (payments), `netted` (fen), all since the sample before; without `by` also `queued_count`
    (packages) and `queued` (fen), what stood in the cap queues (轧差排队) at the instant. `where`: {"system": ...}.
    """
    run = remembered(run)
    if as_list(by) not in ([], ["system"]):
        raise InputError("by", "", "cannot be grouped by", by, "system")
    _check(run)
    columns = columns_of(run, "series", Columns)
    series = columns.narrow({"scope": ["BEPS", "IBPS", "NETS"]}, columns.table.to_pandas)
    frame = pd.DataFrame(
        {
            "date": series.numbers("date"),
            "time_ms": series.numbers("time_ms"),
            "system": _labels(series, "scope"),
            "measure": _labels(series, "measure"),
            "value": series.numbers("value"),
        }
    )
    if where is not None:
        if callable(where) or list(where) != ["system"]:
            raise InputError("where", "", "cannot narrow retail clearing", "", "a dict with the key system alone")
        wanted = where["system"]
        frame = frame[frame["system"].isin([wanted] if isinstance(wanted, str) else list(wanted))]
    queued = frame[frame["system"] == "NETS"]
    frame = frame[frame["system"] != "NETS"]
    before = frame.groupby(["date", "system", "measure"], sort=False)["value"].shift(fill_value=0)
    frame = frame.assign(value=frame["value"] - before)
    keys = ["time_ms", "measure"] if not by else ["system", "time_ms", "measure"]
    sums = frame.groupby(keys, sort=True)["value"].sum().reset_index()
    if not by:
        sums = pd.concat([sums, queued[["time_ms", "measure", "value"]]]).sort_values(keys, kind="stable")
    else:
        sums["system"] = label_column("system", sums["system"].tolist())
    sums["unit"] = np.where(sums["measure"].str.endswith("_fen"), "fen", "payments")
    sums["unit"] = sums["unit"].where(sums["measure"] != "queued_count", "packages")
    sums["measure"] = sums["measure"].str.replace("_fen", "")
    return sums.reset_index(drop=True)


def _labels(series: Columns, name: str) -> Any:
    codes = series.codes(name)
    return np.array([*codes.labels, None], dtype=object)[codes.codes]
