"""Who was delayed because of whom: why a payment settles later in the second of two runs, and whose doing that was.

Each payment that settles later, or not at all, gets one immediate reason and the payment behind it; following these
from payment to payment leads to a root. The rules, the first that applies:

- `refused`, `sent later`: its own bank or the rules kept it out; it is its own root.
- `receipt`: what at last released it came later as well (`released_by`). Where it never settled and stood at the head
  of its queue: what released it in the first run never settled; or, where nothing had to, the largest of the payments
  that its bank had received by then in the first run alone.
- `behind`: it stood behind the head of its bank's queue, which settled later as well, or never.
- `rule`: something that is no payment released it (`matching:3`, `limit`, ...), or had released it in the first run.
- `funds`: its account held less at that moment, though no payment to it was late.

Where the reasons close a circle, as in a gridlock, the root is `circle` and stands for all of it. This is an
attribution by these rules, not a proof: with another order of receipts another payment may have been the last straw.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.compare.pairs import Pairs, Side
from cnaps_sim.analysis.metrics.columns import NONE, IntArray
from cnaps_sim.analysis.metrics.payments import CANCELLED, REJECTED

REASONS: Final = ("", "refused", "sent later", "receipt", "behind", "rule", "funds", "circle")
_NOT, _REFUSED, _LATER, _RECEIPT, _BEHIND, _RULE, _FUNDS, _CIRCLE = range(len(REASONS))
NOBODY: Final = -1


@dataclass(frozen=True)
class Causes:
    """For each pair: a place in `REASONS`, the pair behind it, the root pair and its reason; -1 for none.

    A pair that is not worse off has reason 0 and no root.
    """

    reason: npt.NDArray[np.int8]
    of: IntArray
    root: IntArray
    root_reason: npt.NDArray[np.int8]


def causes_of(pairs: Pairs) -> Causes:
    """The reason for every payment that is worse off in the second run."""
    count = len(pairs.ids)
    reason, of = np.zeros(count, np.int8), np.full(count, NOBODY, np.int64)
    receipt_a, receipt, head = _receipts(pairs, pairs.a), _receipts(pairs, pairs.b), _heads(pairs)
    behind_stuck, lost_to = _stuck_heads(pairs), _lost_to(pairs)
    a, b, worse = pairs.a, pairs.b, pairs.worse
    for row in np.flatnonzero(worse).tolist():
        if not b.settled[row] and (b.outcome[row] in (REJECTED, CANCELLED) or b.submitted[row] == NONE):
            reason[row] = _REFUSED
        elif b.submitted[row] > a.submitted[row] and not b.waited[row]:
            reason[row] = _LATER
        elif not b.settled[row]:
            first = behind_stuck.get(pairs.debtor[row], row)
            found = (_BEHIND, first) if first != row else _missing(pairs, row, int(receipt_a[row]), lost_to)
            reason[row], of[row] = found
        else:
            reason[row], of[row] = _late_reason(pairs, row, int(receipt[row]), int(head[row]))
    root, circles = _roots(of, worse)
    root_reason = np.where(root == NOBODY, _NOT, reason[np.maximum(root, 0)]).astype(np.int8)
    root_reason[np.isin(root, list(circles))] = _CIRCLE
    return Causes(reason, of, root, root_reason)


def _late_reason(pairs: Pairs, row: int, receipt: int, head: int) -> tuple[int, int]:
    """Why a payment that settled in both runs settled later in the second."""
    worse, b = pairs.worse, pairs.b
    if receipt not in (NOBODY, row) and worse[receipt]:
        return _RECEIPT, receipt
    if head != NOBODY and (worse[head] or not b.settled[head]):
        return _BEHIND, head
    if b.submitted[row] > pairs.a.submitted[row]:
        return _LATER, NOBODY
    return (_RULE if receipt == NOBODY and b.released_by[row] is not None else _FUNDS), NOBODY


def _receipts(pairs: Pairs, side: Side) -> IntArray:
    """The pair whose settling released each payment in a run; -1 where something else did."""
    first = ~pd.Index(pairs.ids).duplicated()
    places = np.flatnonzero(first)
    codes, names = pd.factorize(side.released_by)  # -1 where nothing had to release it
    found = pd.Index(pairs.ids[first]).get_indexer(pd.Index(names, dtype=object))
    rows = np.append(np.where(found >= 0, places[np.maximum(found, 0)], NOBODY), NOBODY)
    return np.asarray(rows[codes], np.int64)


def _queue_order(side: Side, rows: IntArray) -> IntArray:
    """Rows in the order in which they came into the queue."""
    return rows[np.lexsort((rows, side.submitted[rows]))]


def _heads(pairs: Pairs) -> IntArray:
    """The head of the debtor's queue that each waiting payment found before it in the second run, -1 for none."""
    b = pairs.b
    heads = np.full(len(pairs.ids), NOBODY, np.int64)
    queues: dict[Any, list[tuple[int, int, int]]] = {}
    order = _queue_order(b, np.flatnonzero(b.waited))
    columns = (order, b.submitted[order], b.left[order], b.level[order])
    for place, (row, now, left, level) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        queue = queues.setdefault(pairs.debtor[row], [])
        while queue and b.left[queue[0][2]] != NONE and b.left[queue[0][2]] <= now:
            heapq.heappop(queue)
        if queue and queue[0] < (level, place, row):
            heads[row] = queue[0][2]
        if left == NONE or left > now:
            heapq.heappush(queue, (level, place, row))
    return heads


def _stuck_heads(pairs: Pairs) -> dict[Any, int]:
    """By debtor, the first in queue order of what never settled in the second run."""
    rows = np.flatnonzero(pairs.b.stuck)
    ordered = rows[np.lexsort((rows, pairs.b.submitted[rows], pairs.b.level[rows]))]
    heads: dict[Any, int] = {}
    for row in ordered.tolist():
        heads.setdefault(pairs.debtor[row], row)
    return heads


def _lost_to(pairs: Pairs) -> dict[Any, list[int]]:
    """By bank, the payments to it that settled in the first run alone, the largest first."""
    rows = np.flatnonzero(pairs.lost)
    lost: dict[Any, list[int]] = {}
    for row in rows[np.lexsort((rows, -pairs.amount[rows]))].tolist():
        if pairs.creditor[row] != pairs.debtor[row]:
            lost.setdefault(pairs.creditor[row], []).append(row)
    return lost


def _missing(pairs: Pairs, row: int, receipt_a: int, lost_to: dict[Any, list[int]]) -> tuple[int, int]:
    """What the head of a queue had in the first run and lacked in the second, where it never settled."""
    if receipt_a != NOBODY:
        return (_RECEIPT, receipt_a) if pairs.lost[receipt_a] else (_FUNDS, NOBODY)
    if pairs.a.released_by[row] is not None:
        return _RULE, NOBODY
    before = (other for other in lost_to.get(pairs.debtor[row], []) if pairs.a.final[other] <= pairs.a.final[row])
    receipt = next(before, NOBODY)
    return (_FUNDS if receipt == NOBODY else _RECEIPT), receipt


def _roots(of: IntArray, worse: npt.NDArray[np.bool_]) -> tuple[IntArray, set[int]]:
    """The end of each chain; of a circle its first row, and the set of these."""
    root = np.full(len(of), NOBODY, np.int64)
    circles: set[int] = set()
    for start in np.flatnonzero(worse).tolist():
        path: dict[int, None] = {}
        at = start
        while root[at] == NOBODY and at not in path and of[at] != NOBODY:
            path[at] = None
            at = int(of[at])
        if root[at] != NOBODY:
            end = int(root[at])
        elif at in path:
            rows = list(path)
            end = min(rows[rows.index(at) :])
            circles.add(end)
        else:
            end = at
            if worse[at]:
                root[at] = at
        for row in path:
            root[row] = end
    return root, circles
