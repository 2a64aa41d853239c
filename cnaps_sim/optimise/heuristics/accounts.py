"""What every heuristic needs to know of a queue's accounts: their money, and lists of their payments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnaps_sim.optimise.queue_table import Chosen, Fen, QueueTable, Rows
from cnaps_sim.words.errors import InputError

Places = npt.NDArray[np.int64]

#: The sum of all queued amounts must be a 64-bit number of fen.
LARGEST_TOTAL = 2**63 - 1


def funds(queue: QueueTable) -> Fen:
    """What each account may use besides what it receives, fen: available, at least 0, at most all that it owes.

    An account below zero counts as one with nothing: it may pass on what it receives (`QueueTable.blocking`).
    InputError if the queued amounts add up to more than 64 bits hold.
    """
    count = len(queue)
    if count and int(queue.amount.max()) > LARGEST_TOTAL // count and sum(queue.amount.tolist()) > LARGEST_TOTAL:
        raise InputError("queue", "amount", "the queued payments add up to too much", "", f"{LARGEST_TOTAL} fen in all")
    owed = np.zeros(queue.accounts, np.int64)
    np.add.at(owed, queue.debtor, queue.amount)
    return np.minimum(np.maximum(queue.available, 0), owed)


def slack(queue: QueueTable, chosen: Chosen) -> Fen:
    """What each account's `funds` come to when exactly the chosen payments settle, fen; below 0: it is short."""
    closing = funds(queue)
    np.subtract.at(closing, queue.debtor[chosen], queue.amount[chosen])
    np.add.at(closing, queue.creditor[chosen], queue.amount[chosen])
    return closing


def lists(account: Rows, accounts: int, key: Fen) -> tuple[Places, Places]:
    """Payments account by account: `order[first[i]:first[i + 1]]` are those of account i, the least key first.

    account: the debtor or the creditor of each payment; equal keys stay in queue order
    """
    order = np.lexsort((key, account))
    first = np.zeros(accounts + 1, np.int64)
    first[1:] = np.cumsum(np.bincount(account, minlength=accounts))
    return order, first
