"""Where the money of each debit came from (资金来源): each settled fen attributed to one source.

Money bears no name, so the order in which an account uses what it has is a convention [P]: first what the credits of
the same matching set off (撮合抵扣), then what was brought for this very payment (a rescue by the pool, a pledge loan),
then receipts of the business date, then its own opening balance of that date, then what it holds of money of a pool
(swept to it) and of loans not taken for one payment, and its overdraft last. A repayment takes what is left of loans
first. A credit repays an overdraft before anything else. So credit counts as used only where nothing else was left.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.core.compiled import rule
from cnaps_sim.words.codes import TransferKind

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.integer[Any]]


class Source(IntEnum):
    """Where money comes from; the number is the column of what `attribute` returns."""

    OFFSET = 0  # 撮合抵扣: credits of the same matching
    POOL = 1  # 资金池: a rescue, or a sweep
    PLEDGE = 2  # 质押融资
    LOAN = 3  # 拆借: of another participant
    PENALTY = 4  # 高额罚息贷款 of the central bank
    OVERDRAFT = 5  # 日间透支
    RECEIPTS = 6  # what others paid it on the same date, the central bank included
    OWN = 7  # its balance when the business date began


#: What counts as credit (融资).
CREDIT: Final = (Source.PLEDGE, Source.LOAN, Source.PENALTY, Source.OVERDRAFT)
#: What a transfer of each kind is to the account that it credits; of all other kinds it is a receipt.
_BRINGS: Final = {
    TransferKind.POOL: Source.POOL,
    TransferKind.SWEEP: Source.POOL,
    TransferKind.PLEDGE: Source.PLEDGE,
    TransferKind.LOAN: Source.LOAN,
    TransferKind.PENALTY: Source.PENALTY,
}
_OFFSET: Final = int(Source.OFFSET)
_POOL: Final = int(Source.POOL)
_PLEDGE: Final = int(Source.PLEDGE)
_OVERDRAFT: Final = int(Source.OVERDRAFT)
#: The order in which an account uses what it has at hand, and that of a repayment.
_IN_ORDER: Final = tuple(
    int(source)
    for source in (Source.RECEIPTS, Source.OWN, Source.POOL, Source.PLEDGE, Source.LOAN, Source.PENALTY)
)  # fmt: skip
_LOANS: Final = (int(Source.PLEDGE), int(Source.LOAN), int(Source.PENALTY))


class Postings(NamedTuple):
    """The transfers of one business date in posting order; one entry per transfer.

    debtor, creditor: account numbers; amount: fen; kind: places in `list(TransferKind)`
    covers:   whether it brings money for the payment that is posted next at its creditor
    matching: number of the matching that posted it, below 0 if none did
    """

    debtor: Indices
    creditor: Indices
    amount: IntArray
    kind: Indices
    covers: BoolArray
    matching: IntArray

    def of(self, rows: IntArray) -> Postings:
        """Some of them, by place."""
        return Postings(
            self.debtor[rows],
            self.creditor[rows],
            self.amount[rows],
            self.kind[rows],
            self.covers[rows],
            self.matching[rows],
        )


def attribute(postings: Postings, opening: IntArray, central: BoolArray) -> IntArray:
    """Fen of each transfer by source of its debtor's money: one row per transfer, one column per `Source`.

    opening: balance of each account when the date began; central: the central bank's own accounts, whose debits have
    no source (rows of zeros). Each other row adds up to its amount.
    """
    accounts = len(opening)
    kinds = list(TransferKind)
    brings = np.array([int(_BRINGS.get(kind, Source.RECEIPTS)) for kind in kinds], np.int64)
    repays = np.array([kind is TransferKind.REPAYMENT for kind in kinds], np.bool_)
    held = np.zeros((accounts, len(Source)), np.int64)
    held[:, Source.OWN] = np.maximum(opening, 0)
    overdrawn = np.where(central, 0, np.maximum(-opening, 0))
    used = np.zeros((len(postings.amount), len(Source)), np.int64)
    offset, absorbed = offsets(postings)
    _post_all(
        np.ascontiguousarray(postings.debtor, np.int64),
        np.ascontiguousarray(postings.creditor, np.int64),
        np.ascontiguousarray(postings.amount, np.int64),
        brings[postings.kind],
        repays[postings.kind],
        np.ascontiguousarray(postings.covers),
        offset,
        absorbed,
        np.ascontiguousarray(central),
        held,
        np.zeros_like(held),
        overdrawn,
        used,
    )
    return used


def offsets(postings: Postings) -> tuple[IntArray, IntArray]:
    """Of each transfer: fen of its debit that credits of its matching set off, and of its credit that set off debits.

    Of what an account pays and receives in one matching the smaller sum is offset: its first debits and its first
    credits in posting order.
    """
    offset, absorbed = np.zeros(len(postings.amount), np.int64), np.zeros(len(postings.amount), np.int64)
    rows = np.flatnonzero(postings.matching >= 0)
    if not len(rows):
        return offset, absorbed
    size = int(max(postings.debtor[rows].max(), postings.creditor[rows].max())) + 1
    matching, amount = postings.matching[rows].astype(np.int64) * size, postings.amount[rows]
    paid, received = matching + postings.debtor[rows], matching + postings.creditor[rows]
    cells = np.unique(np.concatenate((paid, received)))
    sides = [np.searchsorted(cells, side) for side in (paid, received)]
    sums = np.zeros((2, len(cells)), np.int64)
    for total, side in zip(sums, sides, strict=True):
        np.add.at(total, side, amount)
    both = sums.min(axis=0)
    for found, side in zip((offset, absorbed), sides, strict=True):
        found[rows] = np.clip(both[side] - _before(side, amount), 0, amount)
    return offset, absorbed


def _before(cell: Indices, amount: IntArray) -> IntArray:
    """Sum of the amounts that stand earlier in the same cell."""
    order = np.argsort(cell, kind="stable")
    running = np.cumsum(amount[order]) - amount[order]
    start = np.flatnonzero(np.concatenate(([True], cell[order][1:] != cell[order][:-1])))
    earlier = np.empty_like(running)
    earlier[order] = running - np.repeat(running[start], np.diff(np.append(start, len(order))))
    return earlier


@rule
def _post_all(
    debtor: IntArray,
    creditor: IntArray,
    amount: IntArray,
    brings: IntArray,
    repays: BoolArray,
    covers: BoolArray,
    offset: IntArray,
    absorbed: IntArray,
    central: BoolArray,
    held: IntArray,
    brought: IntArray,
    overdrawn: IntArray,
    used: IntArray,
) -> None:
    """Post everything in order. held, brought: what each account has of each source, brought for its next debit."""
    for row in range(len(amount)):
        payer, payee = debtor[row], creditor[row]
        if not central[payer]:
            left = amount[row] - offset[row]
            used[row, _OFFSET] = offset[row]
            for source in (_POOL, _PLEDGE):
                part = min(brought[payer, source], left)
                used[row, source] += part
                left -= part
                held[payer, source] += brought[payer, source] - part
                brought[payer, source] = 0
            if repays[row]:
                for source in _LOANS:
                    part = min(held[payer, source], left)
                    used[row, source] += part
                    held[payer, source] -= part
                    left -= part
            for source in _IN_ORDER:
                part = min(held[payer, source], left)
                used[row, source] += part
                held[payer, source] -= part
                left -= part
            used[row, _OVERDRAFT] = left
            overdrawn[payer] += left
        if not central[payee]:
            fresh = amount[row] - absorbed[row]
            part = min(overdrawn[payee], fresh)
            overdrawn[payee] -= part
            if covers[row]:
                brought[payee, brings[row]] += fresh - part
            else:
                held[payee, brings[row]] += fresh - part
