"""View: what a bank sees of the system when it decides (银行可见信息), and nothing that it could not see.

Its own account, queue and outbox, what it has received and sent, the clock, and what the liquidity query tells it
about payments queued for it. Never another bank's balance or queue, nor a payment it has not been told to make yet.
Where payments travel as messages, what is on its way to the centre counts as sent: the bank knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Waiting:
    """Payments of the bank that wait, head first; the arrays are copies and cannot be written to.

    amount:        fen
    creditor:      ids of the accounts paid
    level:         1 (URGT), 6 (HIGH) or 7 (NORM); in the queue also those of the central bank's bookings
    since_ms:      since when it waits: in the queue since it was submitted, in the outbox since it was told
    due_ms:        when it must be settled at the latest; `NO_DUE_TIME` (-2^63) where there is no such instant
    """

    amount: IntArray
    creditor: TextArray
    level: IntArray
    since_ms: IntArray
    due_ms: IntArray

    def __len__(self) -> int:
        return len(self.amount)


@dataclass(frozen=True, eq=False)
class View:
    """What a bank sees at a decision point. Money in fen, times in ms of the run.

    account:       id of its account
    terms:         balance limits it has: overdraft_limit, floor, earmark, reserved_high, reserved_urgent
    balance:       its balance
    opening:       what it opened the date with
    available:     what it may spend at levels 1, 6 and 7
    queue:         its payments in the settlement queue
    outbox:        what it has been told to pay and has not sent; `decide` answers with places in it
    sent_count, sent_fen, received_count, received_fen: debits and credits posted since the date began
    sent_to, received_from: settled payments of this date by counterparty, fen
    queued_for_it: what waits for it at levels 6 and 7 of other banks' queues, as the liquidity query tells
    time_ms:       now
    phase:         of the business day, such as daytime
    opens_ms, until_ms, cut_off_ms: opening of the date, when what is kept is sent anyway, and cut-off
    rng:           the bank's own stream of random numbers
    """

    account: str
    terms: Mapping[str, int]
    balance: int
    opening: int
    available: Mapping[int, int]
    queue: Waiting
    outbox: Waiting
    sent_count: int
    sent_fen: int
    received_count: int
    received_fen: int
    sent_to: Mapping[str, int]
    received_from: Mapping[str, int]
    queued_for_it: int
    time_ms: int
    phase: str
    opens_ms: int
    until_ms: int
    cut_off_ms: int
    rng: np.random.Generator


def locked(values: Any, kind: Any = np.int64) -> npt.NDArray[Any]:
    """A copy that cannot be written to."""
    array = np.array(values, dtype=kind)
    array.setflags(write=False)
    return array
