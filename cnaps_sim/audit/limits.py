"""Limits: does any bank pay another, or all others together, net of what it is paid, more than its limit allows?

A limit is towards one other bank (双边限额) or towards ANYBODY (多边限额).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.blocks import MATCHED_LEVELS
from cnaps_sim.audit.entries import Entries, Ints
from cnaps_sim.audit.in_force import Change
from cnaps_sim.audit.replay import last_of_runs
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.units import format_clock, format_fen

RULE: Final = "limits-kept"
#: The value of a limit that has been removed: nothing exceeds it.
REMOVED: Final = 2**63 - 1
#: The row that is paid under a multilateral limit: all others together.
ANYBODY: Final = -2


class Limits:
    """What each limited account has paid its counterparties since the day began, or since it was first limited.

    limits: (row that pays, row that is paid or ANYBODY, fen), each ordered pair at most once
    """

    def __init__(self, limits: Sequence[tuple[int, int, int]], names: Sequence[str]) -> None:
        self._names = names
        table = np.array(limits, np.int64).reshape(-1, 3)
        self._limits = table[np.argsort(self._key(table[:, 0], table[:, 1]), kind="stable")]
        self._keys = self._key(self._limits[:, 0], self._limits[:, 1])
        self._net: Ints = np.zeros(len(table), np.int64)

    def _key(self, debtor: Ints | np.int64, creditor: Ints | np.int64) -> Any:
        count = np.int64(len(self._names))
        return debtor * (count + 1) + np.where(creditor == ANYBODY, count, creditor)

    def change(self, debtor: int, creditor: int, fen: int) -> None:
        """A limit becomes `fen`; one that was not there before counts from now on. REMOVED ends it."""
        key = self._key(np.int64(debtor), np.int64(creditor))
        place = int(np.searchsorted(self._keys, key))
        if place < len(self._keys) and self._keys[place] == key:
            self._limits[place, 2] = fen
        elif fen != REMOVED:
            self._limits = np.insert(self._limits, place, (debtor, creditor, fen), axis=0)
            self._keys = np.insert(self._keys, place, key)
            self._net = np.insert(self._net, place, 0)

    def start_day(self) -> None:
        """A new business date begins: nothing has been paid."""
        self._net[:] = 0

    def see(
        self, entries: Entries, matching: Ints | None, findings: Findings, changes: Sequence[tuple[int, Change]]
    ) -> None:
        """`limits-kept`: after a payment at level 6 or 7 its debtor has not paid its creditor, or all others, at these
        levels, net of what it was paid, more than the limit since the day began.

        What one matching settles is paid together, so there the sum after all of it counts. Each change holds from
        the given entry of the stretch on.
        """
        if not len(self._keys) and not changes:
            return
        rows = np.flatnonzero(entries.settled() & np.isin(entries.level, MATCHED_LEVELS))
        start = 0
        for place, change in changes:
            stop = int(np.searchsorted(entries.place[rows], place))
            self._see(entries, rows[start:stop], matching, findings)
            self.change(change.account, change.towards, change.value)
            start = stop
        self._see(entries, rows[start:], matching, findings)

    def _see(self, entries: Entries, rows: Ints, matching: Ints | None, findings: Findings) -> None:
        if not len(self._keys):
            return
        findings.made(RULE)
        debtor, creditor = entries.debtor[rows].astype(np.int64), entries.creditor[rows].astype(np.int64)
        anybody = np.full(len(rows), ANYBODY, np.int64)
        sides = (debtor, creditor, True), (debtor, anybody, True), (creditor, debtor, False), (creditor, anybody, False)
        found = [(*self._find(self._key(own, other)), paying) for own, other, paying in sides]
        row = rows[np.concatenate([of for of, _, _ in found])]
        limit = np.concatenate([by for _, by, _ in found])
        pays = np.concatenate([np.full(len(of), paying) for of, _, paying in found])
        order = np.lexsort((row, limit))
        row, limit, pays = row[order], limit[order], pays[order]
        net = self._running(limit, np.where(pays, entries.amount[row], -entries.amount[row]))
        if matching is not None:
            leg = np.flatnonzero(matching[row])
            net[leg] = net[last_of_runs(leg, limit[leg], matching[row[leg]])]
        findings.where(
            RULE,
            pays & (net > self._limits[limit, 2]),
            lambda k: (
                f"payment {entries.sequence[row[k]]} at {format_clock(int(entries.time_ms[row[k]]))} brings what "
                f"{self._names[entries.debtor[row[k]]]} has paid {self._towards(limit[k])} to "
                f"{format_fen(int(net[k]))} CNY net, limit {format_fen(int(self._limits[limit[k], 2]))}"
            ),
        )

    def _towards(self, limit: int) -> str:
        creditor = int(self._limits[limit, 1])
        return "all others" if creditor == ANYBODY else self._names[creditor]

    def _find(self, keys: Ints) -> tuple[Ints, Ints]:
        """Which of these pairs are limited, and by which limits."""
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = np.flatnonzero(self._keys[place] == keys)
        return found, place[found]

    def _running(self, limit: Ints, change: Ints) -> Ints:
        """The net sum after each change, changes being ordered by limit; keeps the last of each."""
        summed = np.cumsum(change)
        first = np.flatnonzero(np.append(True, limit[1:] != limit[:-1])[: len(limit)])
        last = np.append(first[1:], len(limit))[: len(first)]
        before = summed[first] - change[first]
        net: Ints = summed + np.repeat(self._net[limit[first]] - before, last - first)
        self._net[limit[first]] = net[last - 1]
        return net
