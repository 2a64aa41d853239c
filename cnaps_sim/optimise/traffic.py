"""Random traffic for comparing matching algorithms: rounds of payments between equal accounts, little money.

The workload of matching studies: 64 accounts that open with 0.8 to 1.4 million, 16 rounds of 2 500 payments of up to
1 million to any other account, all uniform. After each round one matching; what does not settle waits for the next.
What has settled in the end is compared with the LP bound of the whole day: all payments known in the morning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import Fen, QueueTable
from cnaps_sim.optimise.registry import Solve
from cnaps_sim.words.streams import Streams

LEAST_OPENING_FEN: Final = 80_000_000
MOST_OPENING_FEN: Final = 140_000_000
LARGEST_PAYMENT_FEN: Final = 100_000_000


@dataclass(frozen=True, eq=False)
class Day:
    """What a day of rounds came to.

    settled, submitted, bound: fen; bound is the LP bound of the whole day
    queued: payments in the queue at each matching; closing: what each account has at the end, fen
    """

    settled: int
    submitted: int
    bound: int
    queued: list[int]
    closing: Fen

    @property
    def share(self) -> float:
        """Value settled, as a share of the value submitted."""
        return self.settled / self.submitted

    @property
    def missing_points(self) -> float:
        """How much less has settled than the LP bound of the whole day, in percentage points of the value submitted."""
        return 100 * (self.bound - self.settled) / self.submitted


def random_traffic(seed: int, rounds: int = 16, payments: int = 2500, accounts: int = 64) -> QueueTable:
    """A day of `rounds` times `payments` uniform payments between `accounts` accounts, all in one table, by time."""
    draw = Streams(seed)["matching.traffic"]
    count = rounds * payments
    opening = draw.integers(LEAST_OPENING_FEN, MOST_OPENING_FEN, accounts, endpoint=True)
    debtor = draw.integers(0, accounts, count)
    creditor = (debtor + draw.integers(1, accounts, count)) % accounts
    return QueueTable.of(opening, debtor, creditor, draw.integers(1, LARGEST_PAYMENT_FEN, count, endpoint=True))


def settle_in_rounds(traffic: QueueTable, solve: Solve, payments: int = 2500) -> Day:
    """Settle a day in rounds of `payments` payments, with one matching by `solve` after each.

    Whatever settles changes what the accounts have; whatever does not stays queued, first come first.
    """
    available = traffic.available.copy()
    waiting = np.zeros(0, np.int64)
    settled = 0
    queued = []
    for first in range(0, len(traffic), payments):
        waiting = np.concatenate((waiting, np.arange(first, min(first + payments, len(traffic)))))
        queue = QueueTable(
            available, traffic.debtor[waiting], traffic.creditor[waiting], traffic.amount[waiting],
            traffic.level[waiting],
        )  # fmt: skip
        chosen = solve(queue)
        assert not len(queue.blocking(chosen)), "an account would be below zero"
        settled += queue.value(chosen)
        available = queue.closing(chosen)
        waiting = waiting[~chosen]
        queued.append(len(queue))
    return Day(settled, sum(traffic.amount.tolist()), bound_fen(traffic), queued, available)
