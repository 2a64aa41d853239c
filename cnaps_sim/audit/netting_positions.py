"""Netting positions: what every participant owes or is owed, and whether it ever owed more than its cap.

headroom = cap (净借记限额) + position since the last round + round nets that SAPS has not posted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.net_entries import Flags, Ints, NetEntries
from cnaps_sim.audit.net_rows import NetRows, exact_sums
from cnaps_sim.audit.replay import Replay
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.units import format_clock, format_fen

CAP_KEPT: Final = "cap-kept"
CAP_BINDS: Final = "cap-binds"
OWES: Final = "owes-within-cap"
FUNDED: Final = "matching-funded"


class Positions:
    """The auditor's own positions; money in fen, arrays by participant row."""

    def __init__(self, caps: Ints, names: Sequence[str]) -> None:
        self.cap: Ints = np.array(caps, np.int64)
        self.position: Ints = np.zeros(len(self.cap), np.int64)
        self.unsettled: Ints = np.zeros(len(self.cap), np.int64)
        self._names = names

    def headroom(self) -> Ints:
        return self.cap + self.position + self.unsettled

    def see(self, rows: NetRows | None, weight: NDArray[np.float64], entries: NetEntries, findings: Findings) -> None:
        """Net what a stretch netted; caps and nets not posted stay as they are in it.

        weight: fen netted of each row without an entry in the log, 0 for other rows

        `cap-kept`: what is netted on arrival or from the cap queue is within its payer's headroom at that instant.
        `cap-binds`: what waits or is rejected for want of headroom came when its payer was short of it.
        `matching-funded`: after a matching, none of those that paid in it is short.
        `owes-within-cap`: who paid in the stretch owes no more than its cap at the end of it (from sums alone).
        """
        findings.made(CAP_KEPT, CAP_BINDS, OWES, FUNDED)
        size = len(self.cap)
        netted = np.flatnonzero(entries.netted())
        sent, received = np.zeros(size, np.int64), np.zeros(size, np.int64)
        np.add.at(sent, entries.debtor[netted], entries.amount[netted])
        np.add.at(received, entries.creditor[netted], entries.amount[netted])
        if rows is not None:
            sent += exact_sums(rows.debtor, weight, rows.amount, size)
            received += exact_sums(rows.creditor, weight, rows.amount, size)
        before = self.headroom()
        # whoever could pay everything before receiving anything never was short, whatever the order
        suspect = (sent > 0) & (before < sent)
        probes = np.flatnonzero(entries.over_cap())
        suspect[entries.debtor[probes]] = True
        if suspect.any():
            _InOrder(suspect, before, rows, weight, entries, netted, probes).check(self._names, findings)
        self.position += received - sent
        after = self.headroom()
        when = format_clock(_last_ms(rows, entries))
        findings.where(
            OWES,
            (sent > 0) & (after < 0),
            lambda row: (
                f"{self._names[row]} owes {format_fen(int(self.cap[row] - after[row]))} CNY at {when} with a cap of "
                f"{format_fen(int(self.cap[row]))}"
            ),
        )

    def post(self, participant: int, net_fen: int) -> None:
        """SAPS has posted a round net (positive: received)."""
        self.unsettled[participant] -= net_fen

    def close_round(self) -> Ints:
        """The nets of a round: positions begin at zero again, headroom stays."""
        nets = self.position.copy()
        self.unsettled += nets
        self.position[:] = 0
        return nets


class _InOrder:
    """The nettings that concern some participants, one after the other."""

    def __init__(
        self,
        suspect: Flags,
        headroom: Ints,
        rows: NetRows | None,
        weight: NDArray[np.float64],
        entries: NetEntries,
        netted: Ints,
        probes: Ints,
    ) -> None:
        self._account = np.flatnonzero(suspect)
        number = np.full(len(suspect), len(self._account))  # all others are one group, which is not looked at
        number[self._account] = np.arange(len(self._account))
        places = np.append(netted[suspect[entries.debtor[netted]] | suspect[entries.creditor[netted]]], probes)
        nothing = np.zeros(len(places) - len(probes), np.int64)
        parts = [_of_entries(entries, places, np.append(nothing, np.ones(len(probes), np.int64)))]
        if rows is not None:
            parts.append(_of_rows(rows, np.flatnonzero((suspect[rows.debtor] | suspect[rows.creditor]) & (weight > 0))))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        sequence = np.lexsort(columns[1::-1])
        self._unit, self._time_ms, debtor, creditor, self._asked, matching, probe = (c[sequence] for c in columns[2:])
        self._group, self._is_probe = number[debtor], probe > 0
        self._matching = np.where(self._is_probe, 0, matching)
        moved = np.where(self._is_probe, 0, self._asked)
        opening = np.append(headroom[self._account], 0)
        self._after = Replay(opening, self._group, number[creditor], moved, self._matching).debtor_after()

    def check(self, names: Sequence[str], findings: Findings) -> None:
        looked_at = self._group < len(self._account)
        short = looked_at & ~self._is_probe & (self._after < 0)
        for rule, wrong in ((CAP_KEPT, short & (self._matching == 0)), (FUNDED, short & (self._matching != 0))):
            how = "netted" if rule == CAP_KEPT else "netted by a matching"
            findings.where(rule, wrong, lambda k, how=how: self._tell(k, how, names))  # type: ignore[misc]
        funded = looked_at & self._is_probe & (self._after >= self._asked)
        findings.where(CAP_BINDS, funded, lambda k: self._tell(k, "held up", names))

    def _tell(self, k: int, how: str, names: Sequence[str]) -> str:
        payer = names[self._account[self._group[k]]]
        return (
            f"unit {self._unit[k]} of {payer} over {format_fen(int(self._asked[k]))} CNY was {how} at "
            f"{format_clock(int(self._time_ms[k]))}, which left headroom of {format_fen(int(self._after[k]))}"
        )


def _of_entries(entries: NetEntries, places: Ints, is_probe: Ints) -> tuple[Ints, ...]:
    """Columns of some entries: order, place in the log, unit, time, debtor, creditor, fen, matching, probe."""
    own = (entries.unit, entries.time_ms, entries.debtor, entries.creditor, entries.amount, entries.matching())
    return (entries.order[places], places, *(column[places] for column in own), is_probe)


def _of_rows(rows: NetRows, places: Ints) -> tuple[Ints, ...]:
    """The same columns of some rows, each of which comes before all entries written after it."""
    unit, nothing = rows.first_unit + places, np.zeros(len(places), np.int64)
    own = (rows.time_ms, rows.debtor, rows.creditor, rows.amount)
    return (2 * unit + 2, nothing - 1, unit, *(column[places] for column in own), nothing, nothing)


def _last_ms(rows: NetRows | None, entries: NetEntries) -> int:
    last = [int(rows.time_ms[-1])] if rows is not None and len(rows) else []
    return max([*last, *entries.time_ms[-1:].tolist()], default=0)
