"""Tallies: units, items and fen by kind of retail payment and by what became of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.net_entries import ACTS, DEFAULT_ACT, Ints, NetEntries
from cnaps_sim.audit.net_rows import KINDS, NetRows, exact_sums
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail import RetailKind

WHOLE: Final = "package-whole"
_FIELDS: Final = ("units", "items", "fen")


class Tallies:
    """The auditor's own sums since the run began, each unit counted with all its items and its whole amount."""

    def __init__(self) -> None:
        self._sums = {name: np.zeros((KINDS, ACTS), np.int64) for name in _FIELDS}

    def add_rows(self, rows: NetRows, weight: NDArray[np.float64], logged: Ints) -> None:
        """Units of which the log says nothing: netted, or as their rows refuse them.

        weight: fen netted of each; logged: rows whose outcome is in the log
        """
        kind, items = rows.kind, rows.items
        netted = np.bincount(kind, minlength=KINDS)
        netted_items = netted.copy() if _is_one(items) else exact_sums(kind, items.astype(np.float64), items, KINDS)
        apart = np.union1d(rows.refused, logged)
        np.subtract.at(netted, kind[apart], 1)
        np.subtract.at(netted_items, kind[apart], items[apart])
        self._sums["units"][:, Act.NETTED] += netted
        self._sums["items"][:, Act.NETTED] += netted_items
        self._sums["fen"][:, Act.NETTED] += exact_sums(kind, weight, rows.amount, KINDS)
        rest = np.setdiff1d(rows.refused, logged)
        self._add(kind[rest], DEFAULT_ACT[rows.rows["refusal"][rest]], items[rest], rows.amount[rest])

    def add_entries(self, entries: NetEntries) -> None:
        """Outcomes that the log tells, the entry into a cap queue included."""
        sound = entries.sound
        self._add(entries.kind[sound], entries.act[sound], entries.items[sound], entries.amount[sound])

    def _add(self, kind: NDArray[Any], act: NDArray[Any], items: NDArray[Any], fen: NDArray[Any]) -> None:
        for name, values in (("units", 1), ("items", items), ("fen", fen)):
            np.add.at(self._sums[name], (kind, act), values)

    def compare(self, tallies: NDArray[Any], findings: Findings) -> None:
        """Beside the server's own sums."""
        findings.made(WHOLE)
        for name, own in self._sums.items():
            told = np.asarray(tallies[name])
            for kind, act in np.argwhere(told != own).tolist():
                findings.breach(
                    WHOLE,
                    f"{told[kind, act]} {name} of {RetailKind(kind).english} were {Act(act).name.lower()}, "
                    f"whole units make {own[kind, act]}",
                )


def _is_one(items: Ints) -> bool:
    """Whether every unit is a single item, as most chunks of IBPS are."""
    return not len(items) or int(items.max()) == 1
