"""Pairs of payments: the same instruction in two runs, found by its id, with what became of it in each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, BoolArray, IntArray, Run, remembered, table_of
from cnaps_sim.analysis.metrics.payments import QUEUED, REJECTED, SETTLED, Payments, payments_of
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError

#: Keys of the manifest without which two runs have no common time axis.
_SAME: Final = ("date", "days")
_TEXT: Final = ("system", "debtor", "creditor", "released_by")


@dataclass(frozen=True)
class Side:
    """What became of the paired payments in one run; one entry per pair. Times in ms, `NONE` where it never was.

    final: when it settled for good; left: when it stopped waiting, settled or not
    outcome: a place in `OUTCOMES`; waited: whether it stood in a queue; released_by: text, None on arrival
    """

    submitted: IntArray
    final: IntArray
    left: IntArray
    outcome: npt.NDArray[np.int8]
    waited: BoolArray
    level: IntArray
    released_by: npt.NDArray[Any]

    @cached_property
    def settled(self) -> BoolArray:
        return np.asarray(self.outcome == SETTLED)

    @cached_property
    def stuck(self) -> BoolArray:
        """Accepted, and neither settled nor withdrawn: it was sent back, or waits still."""
        accepted = (self.submitted != NONE) & (self.waited | (self.outcome == QUEUED))
        return np.asarray(accepted & ~self.settled & (self.outcome != REJECTED))


@dataclass(frozen=True)
class Pairs:
    """Two runs, payment by payment, in the order of the first one's table.

    ids, system, debtor, creditor: text; amount: fen, in the first run
    only_a, only_b: payments that just one of the runs has
    """

    ids: npt.NDArray[Any]
    system: npt.NDArray[Any]
    debtor: npt.NDArray[Any]
    creditor: npt.NDArray[Any]
    amount: IntArray
    a: Side
    b: Side
    only_a: int
    only_b: int

    @cached_property
    def both(self) -> BoolArray:
        """Settled in both runs."""
        return np.asarray(self.a.settled & self.b.settled)

    @cached_property
    def later(self) -> IntArray:
        """How much later it settled in the second run, ms; 0 where it did not settle in both."""
        return np.where(self.both, self.b.final - self.a.final, 0)

    @cached_property
    def lost(self) -> BoolArray:
        """Settled in the first run alone."""
        return np.asarray(self.a.settled & ~self.b.settled)

    @cached_property
    def gained(self) -> BoolArray:
        """Settled in the second run alone."""
        return np.asarray(self.b.settled & ~self.a.settled)

    @cached_property
    def worse(self) -> BoolArray:
        """Settled later in the second run, or not at all."""
        return np.asarray(self.lost | (self.later > 0))


def paired(run_a: Run, run_b: Run) -> Pairs:
    """Two runs paired by payment id, the nth bearer of an id with the nth. InputError if they cannot be paired."""
    for key in _SAME:
        told_a, told_b = run_a.manifest.get(key), run_b.manifest.get(key)
        if told_a != told_b:
            raise InputError("run", key, "the two runs are not of the same business dates", told_b, str(told_a))
    tables = [_read(run, place) for run, place in ((run_a, "RUN_A"), (run_b, "RUN_B"))]
    (a, frame_a), (b, frame_b) = tables
    found = _joined(frame_a, frame_b)
    own_only = (found["system"] == System.SAPS) & (found["system_b"] == System.SAPS)
    other = np.zeros(len(found), np.bool_)
    for name in ("system", "debtor", "creditor", "amount"):
        other |= (found[name] != found[f"{name}_b"]).to_numpy()
    _check_same(found, other & ~own_only.to_numpy())
    found = found[~other | (found["debtor"] == found["debtor_b"]) & (found["creditor"] == found["creditor_b"])]
    if not (found["system"] != System.SAPS).any():
        raise InputError("run", "payments", "the two runs have no payment in common", "", "runs of the same payments")
    rows_a, rows_b = found["row_a"].to_numpy(), found["row_b"].to_numpy()
    ids, system, debtor, creditor = (found[name].to_numpy(object) for name in ("payment_id", *_TEXT[:3]))
    return Pairs(
        ids=ids,
        system=system,
        debtor=debtor,
        creditor=creditor,
        amount=found["amount"].to_numpy(np.int64),
        a=_side(a, rows_a, frame_a["released_by"]),
        b=_side(b, rows_b, frame_b["released_by"]),
        only_a=len(frame_a) - len(found),
        only_b=len(frame_b) - len(found),
    )


def _joined(frame_a: pd.DataFrame, frame_b: pd.DataFrame) -> pd.DataFrame:
    """The columns of both frames, those of the second with `_b`, for each pair; `row_a` and `row_b` are its places."""
    if frame_a["payment_id"].array.equals(frame_b["payment_id"].array):  # most often; no id need be looked up then
        rows = np.arange(len(frame_a))
        second = frame_b.drop(columns="payment_id").add_suffix("_b")
        return pd.concat([frame_a, second], axis=1).assign(row_a=rows, row_b=rows)
    for name, frame in (("row_a", frame_a), ("row_b", frame_b)):
        frame[name] = np.arange(len(frame))
        frame["bearer"] = frame.groupby("payment_id", sort=False).cumcount()
    return frame_a.merge(frame_b, on=["payment_id", "bearer"], suffixes=("", "_b"))


def _read(run: Run, place: str) -> tuple[Payments, pd.DataFrame]:
    """The payments of a run, and what they are paired by. InputError if it kept none."""
    view = remembered(run)
    try:
        table_of(view, "payments")
    except InputError:
        raise InputError(
            place, "payments", "the run did not record its payments", "", "a run with `record: {HVPS: payments}`"
        ) from None
    payments = payments_of(view, by="system")
    frame = pd.DataFrame({"payment_id": payments.table.column("payment_id").to_pandas(), "amount": payments.amount})
    for name in _TEXT:
        column = payments.codes(name)
        frame[name] = pd.Series(np.array([*column.labels, None], object)[column.codes], dtype=object)
    return payments, frame


def _check_same(found: pd.DataFrame, differs: BoolArray) -> None:
    """InputError if a participant's payment is another one in the second run."""
    if differs.any():
        first = found[differs].iloc[0]
        names = ("system", "debtor", "creditor", "amount")
        name = next(name for name in names if first[name] != first[f"{name}_b"])
        told = f"{name} {first[f'{name}_b']}, in the first {first[name]}"
        problem = f"payment {first['payment_id']} is another one in the second run"
        raise InputError("run", "payments", problem, told, "two runs of the same payments: same workload, scale, seed")


def _side(payments: Payments, rows: IntArray, released_by: pd.Series[Any]) -> Side:
    return Side(
        submitted=payments.submitted[rows],
        final=np.where(payments.settled, payments.final, NONE)[rows],
        left=payments.left[rows],
        outcome=payments.outcome[rows],
        waited=payments.waited[rows],
        level=np.maximum(payments.numbers("level"), -1)[rows],
        released_by=released_by.to_numpy(object)[rows],
    )
