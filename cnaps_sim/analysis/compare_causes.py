"""Who was delayed because of whom: why a payment settles later in the second of two runs, and whose doing that was.

Each payment that settles later, or not at all, gets one immediate reason and the payment behind it; following these
from payment to payment leads to a root. The rules, the first that applies:

- `refused`, `sent later`: its own bank or the rules kept it out; it is its own root.
- `receipt`: what at last released it came later as well (`released_by`); or, where it never settled and stood at the
  head of its queue, the largest payment to its bank that settled in the first run alone.
- `behind`: it stood behind the head of its bank's queue, which settled later as well, or never.
- `rule`: something that is no payment released it (`matching:3`, `limit`, ...).
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

from cnaps_sim.analysis.compare_pairs import Pairs, Side
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
    receipt, head = _receipts(pairs), _heads(pairs)
    missing = _missing_receipts(pairs)
    behind_stuck = _stuck_heads(pairs)
    a, b, worse = pairs.a, pairs.b, pairs.worse
    for row in np.flatnonzero(worse).tolist():
        if not b.settled[row] and (b.outcome[row] in (REJECTED, CANCELLED) or b.submitted[row] == NONE):
            reason[row] = _REFUSED
        elif b.submitted[row] > a.submitted[row] and not b.waited[row]:
            reason[row] = _LATER
        elif not b.settled[row]:
            first = behind_stuck.get(pairs.debtor[row], row)
            behind = first if first != row else missing.get(pairs.debtor[row], NOBODY)
            reason[row] = _FUNDS if behind == NOBODY else _BEHIND if first != row else _RECEIPT
            of[row] = behind
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


def _receipts(pairs: Pairs) -> IntArray:
    """The pair whose settling released each payment in the second run; -1 where something else did."""
    first = ~pd.Index(pairs.ids).duplicated()
    places = np.flatnonzero(first)
    names, codes = np.unique(np.array([name or "" for name in pairs.b.released_by], object), return_inverse=True)
    found = pd.Index(pairs.ids[first]).get_indexer(names)
    rows = np.where(found >= 0, places[np.maximum(found, 0)], NOBODY) if len(places) else np.full(len(names), NOBODY)
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


def _missing_receipts(pairs: Pairs) -> dict[Any, int]:
    """By bank, the largest payment to it that settled in the first run alone."""
    rows = np.flatnonzero(pairs.lost)
    largest: dict[Any, int] = {}
    for row in rows[np.lexsort((rows, -pairs.amount[rows]))].tolist():
        if pairs.creditor[row] != pairs.debtor[row]:
            largest.setdefault(pairs.creditor[row], row)
    return largest


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
