"""Net rows: a stretch of a retail flow as columns, judged before anything is computed with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.open_payments import Rows
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.retail import RetailKind

Ints = NDArray[np.int64]

FROM_NOTHING: Final = "nothing-from-nothing"
IN_TIME_ORDER: Final = "retail-in-time-order"
KINDS: Final = len(RetailKind)

#: Whole numbers below this are exact as floats, and so is every partial sum of positive ones.
_EXACT: Final = 2.0**52


@dataclass(frozen=True)
class NetRows:
    """Units `first_unit` and following, one array element each; fields as in `core.netting_records.RETAIL`.

    rows:    all terms, as told
    refused: places of the rows that bear a refusal
    """

    first_unit: int
    rows: Rows
    time_ms: Ints
    amount: Ints
    debtor: Ints
    creditor: Ints
    items: Ints
    kind: Ints
    refused: Ints

    def __len__(self) -> int:
        return len(self.amount)

    def netted(self, apart: Ints) -> NDArray[np.float64]:
        """The fen that each row was netted with if the log does not mention it: 0 where refused, or `apart`."""
        weight = self.amount.astype(np.float64)
        weight[self.refused] = 0.0
        weight[apart] = 0.0
        return weight


def read_rows(rows: Rows, first_unit: int, participants: int, findings: Findings) -> NetRows:
    """Read rows of a flow.

    `nothing-from-nothing`: they name participants and kinds that exist, move something in whole items, and were not
    submitted after their cap check (what is refused anyway may be). Rows that make no sense count as refused.
    """
    findings.made(FROM_NOTHING)
    read = _read(rows, first_unit)
    sizes = (("debtor", participants), ("creditor", participants), ("kind", KINDS), ("refusal", len(Refusal)))
    columns = (read.debtor, read.creditor, read.kind, np.ascontiguousarray(rows["refusal"]))
    sound = not len(rows) or (read.amount.min() > 0 and read.items.min() > 0 and rows["lag_ms"].min() >= 0)
    for (_, size), column in zip(sizes, columns, strict=True):
        sound = sound and _all_below(column, size)
    if sound:
        return read
    wrong = (read.amount <= 0) | (read.items <= 0) | (rows["lag_ms"] < 0)
    wrong &= rows["refusal"] == Refusal.NONE
    for (_, size), column in zip(sizes, columns, strict=True):
        wrong |= (column < 0) | (column >= size)
    findings.where(FROM_NOTHING, wrong, lambda row: f"unit {first_unit + row} has terms that cannot be")
    rows = rows.copy()
    for name, value in (("debtor", 0), ("creditor", 0), ("kind", 0), ("refusal", Refusal.FORMAT)):
        rows[name][wrong] = value
    return _read(rows, first_unit)


def _read(rows: Rows, first_unit: int) -> NetRows:
    wide = {name: rows[name].astype(np.int64) for name in ("time_ms", "amount", "debtor", "creditor", "items", "kind")}
    return NetRows(first_unit, rows, **wide, refused=np.flatnonzero(rows["refusal"]))


def _all_below(column: NDArray[Any], size: int) -> bool:
    """Whether all whole numbers lie from 0 to size - 1; as unsigned numbers the negative ones are the largest."""
    return not len(column) or int(column.view(f"u{column.itemsize}").max()) < size


def exact_sums(group: Ints, weight: NDArray[np.float64], whole: Ints, size: int) -> Ints:
    """Sums of positive whole numbers by group, 0 to size - 1, exact to the fen; `weight`: the same numbers, or 0."""
    if float(weight.sum()) < _EXACT:
        return np.bincount(group, weight, size).astype(np.int64)
    total = np.zeros(size, np.int64)
    np.add.at(total, group, np.where(weight > 0, whole, 0))
    return total
