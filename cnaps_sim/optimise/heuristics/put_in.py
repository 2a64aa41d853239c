"""Put-in: start with nothing settled, take in every payment that can be funded, until none fits.

Nothing nets here: each payment is funded by money its debtor has or has been paid. Chinese: 逐笔放入.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.optimise.heuristics import take_rules
from cnaps_sim.optimise.heuristics.accounts import Places, funds
from cnaps_sim.optimise.heuristics.take_out import largest_first
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm

_GUENTZER: Final = "Güntzer, Jungnickel and Leclerc (1998), Efficient algorithms for the clearing of interbank payments"


@algorithm("put-in-arrival", reference=_GUENTZER, chinese="按到达顺序放入")
def by_arrival(queue: QueueTable) -> Chosen:
    """Payments are taken in as they can be funded, in queue order, again and again until none fits."""
    return _put_in(queue, np.arange(len(queue), dtype=np.int64))


@algorithm("put-in-largest", reference=_GUENTZER, chinese="按金额从大到小放入")
def by_size(queue: QueueTable) -> Chosen:
    """Payments are taken in as they can be funded, largest first, again and again until none fits."""
    return _put_in(queue, largest_first(queue))


@algorithm("put-in-smallest", reference=_GUENTZER, chinese="按金额从小到大放入")
def by_smallness(queue: QueueTable) -> Chosen:
    """Payments are taken in as they can be funded, smallest first: many payments rather than much value."""
    return _put_in(queue, np.argsort(queue.amount, kind="stable"))


def _put_in(queue: QueueTable, order: Places) -> Chosen:
    chosen = np.zeros(len(queue), np.bool_)
    take_rules.put_in(funds(queue), queue.debtor, queue.creditor, queue.amount, order, chosen)
    return chosen
