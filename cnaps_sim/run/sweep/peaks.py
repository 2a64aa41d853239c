"""The longest queue of a day on which banks keep payments back, in the order in which the summary counts.

Neither counts what stands in outboxes. Where nobody keeps anything back, the books' own count says the same. Where many
payments leave outboxes in one millisecond, the summary (metric `peak_queue`) takes them in the order of the table, all
banks together; the books count as the outboxes were opened, bank after bank, and can stand higher for a moment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.words.codes import Cause

#: Acts that close a phase come before the arrivals of the same instant.
_CLOSING = (int(Cause.RETURN), int(Cause.PENALTY))


class Queued(NamedTuple):
    """Payments in the order of the table.

    submitted, left: ms, NEVER where it did not happen
    waited:   whether it stood in the queue; returned: whether it was sent back when the window closed
    cause:    what released it (`codes.Cause`); parent: the row of the settled payment that did, -1 if none did
    order:    rows in the order of arrival
    """

    submitted: Array
    left: Array
    waited: Array
    returned: Array
    cause: Array
    parent: Array
    order: Array


def peaks(queued: Queued, amount: Array, mine: Array) -> tuple[int, int]:
    """Most payments of `mine` that waited at once, and their greatest value (fen)."""
    entry, exit_ = _places(queued)
    rows = np.flatnonzero((entry >= 0) & mine)
    gone = rows[exit_[rows] >= 0]
    row = np.concatenate((rows, gone))
    order = np.argsort(np.concatenate((entry[rows] * 2 + 1, exit_[gone] * 2)), kind="stable")
    step = np.where(order < len(rows), np.int64(1), np.int64(-1))
    count, value = np.cumsum(step), np.cumsum(step * amount[row[order]])
    return int(count.max(initial=0)), int(value.max(initial=0))


def _places(queued: Queued) -> tuple[Array, Array]:
    """Entry and exit of every waiting payment, counted in arrivals; -1 where neither."""
    arrivals = queued.submitted[queued.order]
    arrival = np.full(len(queued.submitted), -1, np.int64)
    arrival[queued.order] = np.arange(len(queued.order))
    entry = np.where(queued.waited, arrival, -1)
    exit_ = np.full(len(entry), -1, np.int64)
    rows = np.flatnonzero(queued.waited & (queued.left != NEVER))
    exit_[rows] = np.searchsorted(arrivals, queued.left[rows], side="right")
    shared = rows[np.isin(queued.left[rows], queued.submitted[queued.waited])]
    early = np.isin(queued.cause[shared], _CLOSING) | queued.returned[shared]
    exit_[shared[early]] = np.searchsorted(arrivals, queued.left[shared[early]], side="left")
    _settle_shared(queued, shared[~early], arrival, exit_)
    return entry, exit_


def _settle_shared(queued: Queued, rows: Array, arrival: Array, exit_: Array) -> None:
    """Exits at an instant at which others enter: find the arrival that began the cascade of each."""
    parent = queued.parent[rows]
    rows, parent = rows[parent >= 0], parent[parent >= 0]
    arrived = ~queued.waited[parent] & (queued.submitted[parent] == queued.left[rows])
    exit_[rows[arrived]] = arrival[parent[arrived]] + 1
    cascaded = queued.waited[parent] & (queued.left[parent] == queued.left[rows])
    origin = np.arange(len(exit_))
    origin[rows[cascaded]] = parent[cascaded]
    for _ in range(len(exit_).bit_length()):  # each step doubles the way back along the cascade
        origin = origin[origin]
    exit_[rows] = exit_[origin[rows]]
