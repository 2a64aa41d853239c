"""Limits (双边限额, 多边限额): how much a participant lets flow to one other or to all, net, at levels 6 and 7.

Source: liquidity tools, limits a participant may set. Money is fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cnaps_sim.words.codes import Level

#: The levels that count and are bound; nothing else is.
LIMITED: Final = frozenset({Level.HIGH, Level.NORMAL})
#: The creditor of a multilateral limit: all others together.
ANYBODY: Final = -2


class Limits:
    """Who may send whom how much more than it receives from it.

    limit  (debtor, creditor), by row → fen; (debtor, ANYBODY) → fen for its multilateral limit
    net    every pair that has or had a limit → sent − received since the day began, or since its limit was first set
    """

    def __init__(self, limits: Sequence[tuple[int, int, int]] = ()) -> None:
        self.limit = {(debtor, creditor): fen for debtor, creditor, fen in limits}
        self.net = dict.fromkeys(self.limit, 0)
        assert len(self.limit) == len(limits), "a pair has one limit at most"
        assert all(fen >= 0 for fen in self.limit.values()), "a limit is not negative"

    def _change_limit(self, debtor: int, creditor: int, fen: int | None) -> None:
        """A limit, of a pair or towards ANYBODY, becomes `fen`, or ends with None.

        The net of a pair that has had none begins now; that of one whose limit ends goes on.
        """
        assert debtor != creditor, "a limit is towards another account"
        pair = debtor, creditor
        if fen is None:
            self.limit.pop(pair, None)
            return
        assert fen >= 0, "a limit is not negative"
        self.limit[pair] = fen
        self.net.setdefault(pair, 0)

    def _within_limit(self, debtor: int, creditor: int, amount: int, level: int) -> bool:
        """May `amount` go from debtor to creditor at `level` now?"""
        if level not in LIMITED:
            return True
        pairs = (debtor, creditor), (debtor, ANYBODY)
        return all(self.net[pair] + amount <= self.limit[pair] for pair in pairs if pair in self.limit)

    def _count_net(self, debtor: int, creditor: int, amount: int, level: int) -> None:
        """A posted payment counts for its debtor and against its creditor."""
        if not self.net or level not in LIMITED:
            return
        for other in (creditor, ANYBODY):
            if (debtor, other) in self.net:
                self.net[debtor, other] += amount
        for other in (debtor, ANYBODY):
            if (creditor, other) in self.net:
                self.net[creditor, other] -= amount

    def _forget_nets(self) -> None:
        """A business date begins: nothing has been sent or received yet."""
        self.net = dict.fromkeys(self.net, 0)
