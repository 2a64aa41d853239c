"""The settlement queue of one account (清算排队): eight levels, first in first out inside a level.

Source: settlement queue rules.

| level | content |
|---|---|
| 0 | reversal of booking errors (错账冲正) |
| 1 | HVPS URGT (特急) |
| 2 | overdraft interest, fees |
| 3 | same-city net (同城轧差净额) |
| 4 | round nets of BEPS and IBPS, third-party nets |
| 5 | one-sided central-bank business (单边业务) |
| 6 | HVPS HIGH (紧急) |
| 7 | HVPS NORM (普通) |
"""

from __future__ import annotations

from collections import deque
from typing import Final

from cnaps_sim.words.codes import Level

#: The levels whose payments pass debit control: reversals and same-city nets.
MOVABLE_UNDER_CONTROL: Final = frozenset({Level.REVERSAL, Level.SAME_CITY_NET})


class Payment:
    """A payment that waits: in a settlement queue, or still in its bank's outbox.

    locked  a matching under way has chosen it: it stays in its place until that ends
    """

    __slots__ = ("amount", "creditor", "debtor", "level", "locked", "refusal", "sequence", "special")

    def __init__(
        self, sequence: int, debtor: int, creditor: int, amount: int, level: int, refusal: int, special: bool
    ) -> None:
        self.sequence = sequence
        self.debtor = debtor
        self.creditor = creditor
        self.amount = amount
        self.level = level
        self.refusal = refusal
        self.special = special
        self.locked = False


class SettlementQueue:
    """The payments of one account that wait for settlement, one deque per level.

    A level is *movable* unless debit control holds it. A held level is transparent: what waits there stands in
    nobody's way.
    """

    __slots__ = ("count", "levels")

    def __init__(self) -> None:
        self.count = 0
        self.levels: list[deque[Payment]] = [deque() for _ in Level]

    def append(self, payment: Payment) -> None:
        """To the tail of its level."""
        self.levels[payment.level].append(payment)
        self.count += 1

    def push(self, payment: Payment) -> None:
        """To the head of its level."""
        self.levels[payment.level].appendleft(payment)
        self.count += 1

    def remove(self, payment: Payment) -> None:
        """Out of the queue, wherever in its level it stands."""
        self.levels[payment.level].remove(payment)
        self.count -= 1

    def first_movable_level(self, held: bool) -> int | None:
        """The highest movable level that holds a payment; None if there is none."""
        for level, payments in enumerate(self.levels):
            if payments and not (held and level not in MOVABLE_UNDER_CONTROL):
                return level
        return None

    def blocks(self, level: int, held: bool, may_pass: bool) -> bool:
        """Must a payment arriving at `level` wait behind one that waits already?

        Nothing passes a waiting payment of a higher movable level. Behind one of its own level it waits too,
        unless the discipline lets it pass.
        """
        first = self.first_movable_level(held)
        if first is not None and first < level:
            return True
        return bool(self.levels[level]) and not may_pass
