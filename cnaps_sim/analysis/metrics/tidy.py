"""Groups and tidy frames: the one shape in which every metric answers.

Columns: the grouping columns, `measure`, `value`, `unit`. Counts, fen and ms are exact integers, ratios are
floats, and a ratio without denominator is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.columns import BoolArray, Codes, Columns, IntArray, as_list
from cnaps_sim.words.errors import InputError, nearest

By = str | Sequence[str] | None

#: Names by which payments are grouped, and the column that each reads.
PAYMENT_GROUPS: Final = {
    "system": "system",
    "priority": "priority",
    "level": "level",
    "account": "debtor",
    "date": "date",
    "type": "type",
}
#: The same for metrics of the accounts table.
ACCOUNT_GROUPS: Final = {"account": "account", "date": "date", "kind": "kind", "owner": "owner"}


class Groups(NamedTuple):
    """Every row's group. `labels[g]` is the tuple of label values of group g, in the order of `names`."""

    names: list[str]
    group: npt.NDArray[np.intp]
    labels: list[tuple[Any, ...]]

    @property
    def size(self) -> int:
        """Number of groups."""
        return len(self.labels)


class Measure(NamedTuple):
    """One measure: a value per group."""

    name: str
    unit: str
    values: Iterable[Any]


def group(columns: Columns, by: By, allowed: dict[str, str] | None = None) -> Groups:
    """Group rows by the named columns; without `by` all rows are one group, even if there are none."""
    allowed = PAYMENT_GROUPS if allowed is None else allowed
    names = as_list(by)
    for name in names:
        if name not in allowed:
            raise InputError("by", name, "cannot be grouped by", "", nearest(name, allowed, len(allowed)))
    if not names:
        return Groups([], np.zeros(columns.count, np.intp), [()])
    return _grouped(names, [columns.codes(allowed[name]) for name in names], columns.count)


def _grouped(names: list[str], keys: list[Codes], count: int) -> Groups:
    orders = [_label_order(key.labels) for key in keys]
    sizes = [len(key.labels) + 1 for key in keys]
    combined = np.zeros(count, np.intp)
    for key, order, size in zip(keys, orders, sizes, strict=True):
        combined *= size
        combined += order[key.codes]
    if np.prod([float(size) for size in sizes]) <= 4 * count + 1_000_000:
        seen = np.flatnonzero(np.bincount(combined, minlength=1)) if count else np.zeros(0, np.intp)
        number_of = np.zeros(int(np.prod(sizes)), np.intp)
        number_of[seen] = np.arange(len(seen))
        numbered = number_of[combined]
    else:
        seen, numbered = np.unique(combined, return_inverse=True)
    return Groups(names, numbered, _labels(seen, keys, orders, sizes))


def _label_order(labels: list[Any]) -> npt.NDArray[np.intp]:
    """Place of each label among the sorted labels; the last entry is the place of null, after all others."""
    place = np.empty(len(labels) + 1, np.intp)
    place[sorted(range(len(labels)), key=labels.__getitem__)] = np.arange(len(labels))
    place[-1] = len(labels)
    return place


def _labels(
    seen: npt.NDArray[np.intp], keys: list[Codes], orders: list[npt.NDArray[np.intp]], sizes: list[int]
) -> list[tuple[Any, ...]]:
    parts: list[list[Any]] = []
    rest = seen
    for key, order, size in zip(reversed(keys), reversed(orders), reversed(sizes), strict=True):
        rest, place = np.divmod(rest, size)
        label_at: list[Any] = [None] * size
        for code, label in enumerate(key.labels):
            label_at[order[code]] = label
        parts.append([label_at[p] for p in place])
    return list(zip(*reversed(parts), strict=True))


def total(groups: Groups, values: IntArray, mask: BoolArray | None = None) -> IntArray:
    """Exact int64 sum of `values` per group."""
    sums = np.zeros(groups.size, np.int64)
    if mask is None:
        np.add.at(sums, groups.group, values)
    else:
        rows = np.flatnonzero(mask)
        np.add.at(sums, groups.group[rows], values[rows])
    return sums


def number(groups: Groups, mask: BoolArray | None = None) -> IntArray:
    """Rows per group."""
    chosen = groups.group if mask is None else groups.group[mask]
    return np.bincount(chosen, minlength=groups.size).astype(np.int64)


def weighted(groups: Groups, amount: IntArray, ms: IntArray, mask: BoolArray) -> npt.NDArray[np.float64]:
    """Sum of amount x time per group in float64; only for ratios."""
    rows = np.flatnonzero(mask)
    product = amount[rows].astype(np.float64) * ms[rows]
    return np.bincount(groups.group[rows], weights=product, minlength=groups.size).astype(np.float64, copy=False)


def exact_weighted(groups: Groups, amount: IntArray, ms: IntArray, mask: BoolArray) -> list[int]:
    """Exact sum of amount x time per group as Python integers, fen·ms.

    A day's sum passes 2^63, so both factors are cut into words of 16 bits whose products add up in int64.
    Both must be 0 or more.
    """
    rows = np.flatnonzero(mask & (ms > 0))
    chosen, amounts, times = groups.group[rows], amount[rows], ms[rows]
    sums = [0] * groups.size
    for low in range(0, int(amounts.max(initial=0)).bit_length(), 16):
        for down in range(0, int(times.max(initial=0)).bit_length(), 16):
            part = np.zeros(groups.size, np.int64)
            np.add.at(part, chosen, ((amounts >> low) & 0xFFFF) * ((times >> down) & 0xFFFF))
            sums = [sum_ + (int(word) << (low + down)) for sum_, word in zip(sums, part, strict=True)]
    return sums


def ratio(above: Any, below: Any) -> float | None:
    """above / below, null without denominator."""
    return float(above) / float(below) if below else None


def ratios(above: Iterable[Any], below: Iterable[Any]) -> list[float | None]:
    """`ratio` of each pair."""
    return [ratio(a, b) for a, b in zip(above, below, strict=True)]


def tidy(groups: Groups, measures: Sequence[Measure]) -> pd.DataFrame:
    """The frame: group after group, in each the measures in the given order."""
    columns = [_plain(measure.values) for measure in measures]
    data: dict[str, Any] = {}
    for place, name in enumerate(groups.names):
        data[name] = label_column(name, [label[place] for label in groups.labels for _ in measures])
    data["measure"] = [measure.name for _ in groups.labels for measure in measures]
    data["value"] = values_column([column[g] for g in range(groups.size) for column in columns])
    data["unit"] = [measure.unit for _ in groups.labels for measure in measures]
    return pd.DataFrame(data)


def label_column(name: str, labels: Sequence[Any]) -> pd.Series[Any]:
    """A grouping column as the frames of a run have it: dates as datetime64, text and None as objects."""
    if name == "date":
        return pd.Series(pd.to_datetime(list(labels))).astype("datetime64[s]")
    if labels and all(isinstance(label, int) for label in labels):
        return pd.Series(labels, dtype=np.int64)
    return pd.Series(labels, dtype=object)


def values_column(values: list[Any]) -> pd.Series[Any]:
    """int64 if all are integers, float64 if none is, else objects, so that no large integer is rounded."""
    small = all(isinstance(value, int) and abs(value) < 2**63 for value in values)
    if values and small:
        return pd.Series(values, dtype=np.int64)
    if not any(isinstance(value, int) for value in values):
        return pd.Series(values, dtype=np.float64)
    return pd.Series(values, dtype=object)


def _plain(values: Iterable[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
