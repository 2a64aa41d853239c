"""Replay: balances after every posting, recomputed from the postings alone.

Both audits use it. Every posting has two legs, a debit and a credit; the legs of one account, in the order of
posting, are summed up from its opening balance. Postings of one queue matching (排队撮合) happen together, so of
an account's balances among them only the last one counts. No rule of the books is involved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def last_of_runs(places: Ints, *keys: NDArray[Any]) -> Ints:
    """For each of some ascending places the last place of its run: places side by side whose keys are equal."""
    is_last = np.ones(len(places), np.bool_)
    np.not_equal(places[1:], places[:-1] + 1, out=is_last[:-1])
    for key in keys:
        is_last[:-1] |= key[1:] != key[:-1]
    runs_before: Ints = np.cumsum(is_last) - is_last
    last: Ints = places[is_last][runs_before]
    return last


class Replay:
    """The legs of a series of postings, ordered by account (or account and date) and then by posting.

    group:    the account's number of each leg, given as arrays of one entry per posting
    opening:  balance of each group before its first leg, fen
    matching: of each posting the number of the matching that made it, 0 for none; postings of one matching
              follow each other
    Legs 2p and 2p + 1 are debit and credit of posting p. All amounts are fen.
    """

    def __init__(
        self,
        opening: Ints,
        debtor: NDArray[np.integer],
        creditor: NDArray[np.integer],
        amount: Ints,
        matching: Ints | None = None,
    ) -> None:
        legs = 2 * len(amount)
        # NumPy sorts 16-bit keys in linear time, which is what makes a whole day cheap
        group = np.empty(legs, np.uint16 if len(opening) <= 2**16 else np.int64)
        group[0::2] = debtor
        group[1::2] = creditor
        change = np.empty(legs, np.int64)
        np.negative(amount, out=change[0::2])
        change[1::2] = amount
        self.order = np.argsort(group, kind="stable")
        self.counts = np.bincount(group, minlength=len(opening))
        self.ends = np.cumsum(self.counts)
        self.starts = self.ends - self.counts
        self.opening = opening
        change = change[self.order]
        summed = np.cumsum(change)
        before_group = np.zeros(len(opening), np.int64)
        later = self.starts > 0
        before_group[later] = summed[self.starts[later] - 1]
        #: balance after each leg, in the order of `order`; after a leg of a matching, that after the whole matching
        self.after = summed
        self.after += np.repeat(opening - before_group, self.counts)
        if matching is not None:
            leg = np.flatnonzero(np.repeat(matching != 0, 2)[self.order])
            matched = self.order[leg]
            self.after[leg] = self.after[last_of_runs(leg, group[matched], matching[matched >> 1])]

    def closing(self) -> Ints:
        """Balance of each group after its last leg."""
        closing = self.opening.copy()
        moved = self.counts > 0
        closing[moved] = self.after[self.ends[moved] - 1]
        return closing

    def lowest(self) -> Ints:
        """Lowest balance of each group, its opening balance included."""
        lowest = self.opening.copy()
        moved = np.flatnonzero(self.counts)
        if len(moved):
            lowest[moved] = np.minimum(lowest[moved], np.minimum.reduceat(self.after, self.starts[moved]))
        return lowest

    def debtor_after(self) -> Ints:
        """The debtor's balance after each posting, in posting order."""
        by_leg = np.empty(len(self.after), np.int64)
        by_leg[self.order] = self.after
        return by_leg[0::2]
