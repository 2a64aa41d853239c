"""The queue table: a snapshot of all queued payments and of what each account has available.

The matching problem on it: choose payments so that for every account available + received − sent ≥ 0, the value
chosen being as large as possible (bank clearing problem, Güntzer, Jungnickel and Leclerc 1998). With the sequence
constraint the choice must take a leading run of each account's queue (Bech and Soramäki 2001). Chinese: 排队撮合.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Fen = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class QueueTable:
    """Queued payments in queue order: by level, then by arrival; each account's queue is its rows in this order.

    available: fen each account may spend now, by account row; may be negative
    debtor, creditor: account rows, int32, one per payment; amount: fen, int64, above 0; level: 0-7, int8
    """

    available: Fen
    debtor: Rows
    creditor: Rows
    amount: Fen
    level: npt.NDArray[np.int8]

    def __post_init__(self) -> None:
        count = len(self.amount)
        assert len(self.debtor) == len(self.creditor) == len(self.level) == count
        assert not count or int(self.amount.min()) > 0

    def __len__(self) -> int:
        return len(self.amount)

    @property
    def accounts(self) -> int:
        """Number of accounts."""
        return len(self.available)

    @classmethod
    def of(cls, available: Any, debtor: Any, creditor: Any, amount: Any, level: Any = None) -> QueueTable:
        """A table from anything array-like; without `level` all payments are of level 7."""
        amounts = np.asarray(amount, np.int64)
        levels = np.full(len(amounts), 7, np.int8) if level is None else np.asarray(level, np.int8)
        return cls(
            np.asarray(available, np.int64),
            np.asarray(debtor, np.int32),
            np.asarray(creditor, np.int32),
            amounts,
            levels,
        )

    def closing(self, chosen: Chosen) -> Fen:
        """What each account has available when exactly the chosen payments settle together, fen."""
        closing = self.available.copy()
        np.subtract.at(closing, self.debtor[chosen], self.amount[chosen])
        np.add.at(closing, self.creditor[chosen], self.amount[chosen])
        return closing

    def value(self, chosen: Chosen) -> int:
        """Value of the chosen payments, fen."""
        return int(self.amount[chosen].sum())

    def blocking(self, chosen: Chosen) -> npt.NDArray[np.intp]:
        """Rows of the accounts that would be below zero, and that a choice must not push there; empty if feasible.

        An account that has less than nothing to begin with may not be pushed further down.
        """
        closing = self.closing(chosen)
        return np.flatnonzero((closing < 0) & (closing < self.available))
