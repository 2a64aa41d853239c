"""Matching cases written as in the literature: accounts with their funds, then the queue in its order.

    case = queue("A 50, B; A→B 100, A→B 100, B→A 90")
    case.settles("multilateral") == [1, 3]

Payments are numbered from 1 in queue order; a payment may name its level: `A→B 6 NORM`. Accounts without a number
have nothing. Amounts are fen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from cnaps_sim.optimise.doctor import Diagnosis, diagnose
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.registry import find, settle

LEVELS = {"URGT": 1, "HIGH": 6, "NORM": 7}
_PAYMENT = re.compile(r"(\w+)→(\w+) ([\d_]+)(?: (URGT|HIGH|NORM))?")


@dataclass(frozen=True)
class Case:
    """One queue and what becomes of it."""

    names: list[str]
    table: QueueTable
    order: list[int]

    def settles(self, algorithm: str) -> list[int]:
        """Numbers of the payments that an algorithm settles; its choice is verified on the way."""
        chosen = settle(find(algorithm), self.table, self.names)
        return sorted(self.order[row] for row in np.flatnonzero(chosen).tolist())

    def value(self, algorithm: str) -> int:
        return self.table.value(settle(find(algorithm), self.table, self.names))

    def closing(self, algorithm: str) -> dict[str, int]:
        closing = self.table.closing(settle(find(algorithm), self.table, self.names))
        return dict(zip(self.names, closing.tolist(), strict=True))

    @property
    def bound(self) -> int:
        return bound_fen(self.table)

    @property
    def doctor(self) -> Diagnosis:
        return diagnose(self.table)

    @property
    def injection(self) -> dict[str, int]:
        """New money that clears the queue, by account that needs it."""
        needed = zip(self.names, self.doctor.injection.tolist(), strict=True)
        return {name: fen for name, fen in needed if fen}

    def with_funds(self, **more: int) -> Case:
        """The same queue with more money in some accounts."""
        funds = self.table.available + np.array([more.get(name, 0) for name in self.names])
        table = self.table
        return Case(
            self.names, QueueTable.of(funds, table.debtor, table.creditor, table.amount, table.level), self.order
        )


@pytest.fixture
def queue() -> Callable[[str], Case]:
    """Reads a case from its text."""
    return read


def read(text: str) -> Case:
    accounts, _, payments = text.partition(";")
    funds = {name: int(fen[0]) if fen else 0 for name, *fen in (words.split() for words in accounts.split(","))}
    names = list(funds)
    found = [_PAYMENT.fullmatch(words.strip()) for words in payments.split(",")] if payments.strip() else []
    assert all(found), text
    rows = [
        (LEVELS[match[4] or "NORM"], number, names.index(match[1]), names.index(match[2]), int(match[3]))
        for number, match in enumerate((match for match in found if match), start=1)
    ]
    rows.sort()
    level, order, debtor, creditor, amount = (list(column) for column in zip(*rows, strict=True)) if rows else [[]] * 5
    return Case(names, QueueTable.of(list(funds.values()), debtor, creditor, amount, level), order)
