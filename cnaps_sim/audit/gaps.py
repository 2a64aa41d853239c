"""Gaps: queues out of which a queue matching (排队撮合) took payments from behind others.

What stays is still released in the order in which it came, which is checked for a whole stretch of the log at once:
a payment may be released if whatever came before it has left earlier.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cnaps_sim.audit.entries import Flags, Ints

#: Stands for the number of the first that stays in a queue in which none does.
NONE_STAYS: Final = np.iinfo(np.int64).max


class Places(NamedTuple):
    """Places in queues: queue and how-many-eth to enter it (from 0); parallel columns."""

    queue: Ints
    number: Ints


def first_to_stay(there: Places, leaving: Places, entered: Ints) -> Ints:
    """By queue the number of the first that stays, `NONE_STAYS` if none does.

    there:   all that wait in some queues before a stretch of the log or enter them in it, in order of number
    leaving: those that leave these queues in the stretch
    entered: by queue how many have entered it so far
    """
    base = np.cumsum(entered) - entered
    is_gone = np.zeros(int(entered.sum()), np.bool_)
    is_gone[base[leaving.queue] + leaving.number] = True
    stays = np.flatnonzero(~is_gone[base[there.queue] + there.number])[::-1]
    first = np.full(len(entered), NONE_STAYS)
    first[there.queue[stays]] = there.number[stays]  # the smallest is written last
    return first


def overtaking(leaving: Places, entry: Ints, is_released: Flags, first: Ints) -> Ints:
    """The queues in which a payment is released while an earlier one stays, or leaves later.

    entry:       by which entry of the log each leaves, ascending
    is_released: whether it leaves by the ordinary course of the queue; the others may leave from anywhere
    first:       see `first_to_stay`
    """
    order = np.lexsort((leaving.number, leaving.queue))
    queue, entry, is_released = leaving.queue[order], entry[order], is_released[order]
    above = queue * (int(entry.max(initial=0)) + 1)  # sets the queues apart, so that one running maximum serves all
    latest = np.maximum.accumulate(entry + above) - above
    wrong = is_released & ((entry < latest) | (leaving.number[order] > first[queue]))
    return queue[wrong]
