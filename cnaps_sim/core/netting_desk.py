"""The netting server's Python face: makes room before a rule needs it and turns rows into plain values.

It decides nothing: the rules stand in `netting`, `netting_terms` and `netting_match`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.core import netting_terms
from cnaps_sim.core.netting import advance_units, submit_unit
from cnaps_sim.core.netting_match import choose, net_together
from cnaps_sim.core.netting_records import ABSENCE, BEGINNING_MS, NET_LOG, NETTING, POSITION, TALLY, UNIT
from cnaps_sim.core.records import NO_WARNING_LINE, NOBODY, Records, as_records, new
from cnaps_sim.words.codes import Act, Answer
from cnaps_sim.words.retail import RetailKind

#: Rows of a flow that one compiled call nets at most: they may all have to wait, and the room is made before.
SLICE: Final = 1 << 15
_FIRST_ROOM: Final = 1024
_FIRST_ABSENCES: Final = 16
_OBSERVABLE: Final = (
    "position",
    "unsettled",
    "cap",
    "lowest_headroom",
    "cap_line",
    "sent",
    "received",
    "sent_count",
    "received_count",
    "waiting_count",
    "waiting_fen",
    "closed",
    "logged_in",
    "warned",
)
_COUNTERS: Final = (
    "waiting_count",
    "waiting_fen",
    "peak_waiting_count",
    "peak_waiting_fen",
    "units_come",
    "crossings",
)


class Netting:
    """Positions, caps and cap queues of BEPS and IBPS (轧差服务器, NETS).

    participants: one mapping per participant in row order, all keys optional: cap (fen), cap_line (fen), closed,
        logged_in
    log_all: log every outcome, also those that a row of the flow tells by itself

    Times given to the methods must not decrease. Money in fen, time in ms of the run.
    """

    def __init__(self, participants: Sequence[Mapping[str, Any]], *, log_all: bool = False) -> None:
        self.positions: Records = new(POSITION, len(participants))
        self.units: Records = new(UNIT, 0)
        self.net_log: Records = new(NET_LOG, _FIRST_ROOM)
        self.absences: Records = new(ABSENCE, 0)
        self.tallies: Records = new(TALLY, (len(RetailKind), len(Act)))
        self.netting: Records = new(NETTING, 1)
        self.netting["log_all"] = log_all
        for name in ("first_free", "first_woken", "last_woken"):
            self.netting[name] = NOBODY
        for row, given in enumerate(participants):
            self._admit(row, given)
        self._watching = bool((self.positions["cap_line"] != NO_WARNING_LINE).any())
        self.make_room(_FIRST_ROOM)

    def _admit(self, row: int, given: Mapping[str, Any]) -> None:
        participant = self.positions[row]
        participant["cap"] = participant["lowest_headroom"] = given.get("cap", 0)
        participant["cap_line"] = given.get("cap_line", NO_WARNING_LINE)
        participant["closed"] = given.get("closed", False)
        participant["warned"] = participant["cap"] < participant["cap_line"]
        participant["heap"] = NOBODY
        participant["next_woken"] = NOBODY
        participant["last_absence"] = NOBODY
        participant["logged_in"] = True
        self.set_logged_in(BEGINNING_MS, row, given.get("logged_in", True))

    @property
    def tables(self) -> tuple[Records, Records, Records, Records, Records]:
        """What rules change: desk, positions, waiting units, log, tallies."""
        return self.netting, self.positions, self.units, self.net_log, self.tallies

    def make_room(self, arrivals: int) -> None:
        """Make sure that `arrivals` units can wait, and that all they set off can be logged."""
        free = int(self.netting["free_count"][0])
        if free < arrivals:
            self._grow_units(arrivals - free)
        # An arrival may be logged twice, as it comes to wait and as another one releases it.
        entries = 2 * arrivals + int(self.netting["waiting_count"][0]) + len(self.positions) + 1
        needed = int(self.netting["log_count"][0]) + entries * (3 if self._watching else 1)
        if needed > len(self.net_log):
            grown = as_records(np.empty(max(needed, 2 * len(self.net_log)), NET_LOG))
            grown[: len(self.net_log)] = self.net_log
            self.net_log = grown

    def _grow_units(self, missing: int) -> None:
        old = len(self.units)
        size = old + max(missing, old, _FIRST_ROOM)
        grown = new(UNIT, size)
        grown[:old] = self.units
        grown["next"][old:] = np.arange(old + 1, size + 1)
        grown["next"][size - 1] = self.netting["first_free"][0]
        self.netting["first_free"] = old
        self.netting["free_count"] += size - old
        self.units = grown

    # units ------------------------------------------------------------------------------------------------------

    def submit(
        self,
        time_ms: int,
        unit: int,
        debtor: int,
        creditor: int,
        amount: int,
        items: int,
        kind: int,
        refusal: int = 0,
        lag_ms: int = 0,
    ) -> Act:
        """One unit of `amount` fen, submitted `lag_ms` ago, comes to its cap check; returns what was done with it."""
        self.make_room(1)
        terms = (time_ms, unit, debtor, creditor, amount, items, int(kind), int(refusal), lag_ms)
        return Act(submit_unit(*self.tables, self.absences, *terms))

    def advance(self, rows: Records, first: int, until_ms: int, first_unit: int = 0) -> int:
        """Net the rows of a retail flow (netting_records.RETAIL, sorted by time) before `until_ms`; the next row."""
        rows = as_records(rows)
        while first < len(rows) and rows["time_ms"][first] < until_ms:
            self.make_room(min(SLICE, len(rows) - first))
            part = rows[: first + SLICE]
            first = int(advance_units(*self.tables, self.absences, part, first, until_ms, first_unit))
            if self.netting["crossings"][0]:
                break
        return first

    def cancel(self, time_ms: int, unit: int, by: int) -> Answer:
        """Its initiator withdraws a unit that waits for headroom (PR08): a package whole."""
        self.make_room(1)
        return Answer(netting_terms.cancel_unit(*self.tables, time_ms, unit, by, False))

    def stop(self, time_ms: int, unit: int, by: int) -> Answer:
        """Its initiator has a unit stopped (止付, PR21) that waits for headroom: a package whole."""
        self.make_room(1)
        return Answer(netting_terms.cancel_unit(*self.tables, time_ms, unit, by, True))

    def cancel_queue(self, time_ms: int) -> None:
        """The date switch (日切): what still waits for headroom is cancelled."""
        self.make_room(1)
        netting_terms.cancel_queue(*self.tables, time_ms)

    # terms --------------------------------------------------------------------------------------------------------

    def set_cap(self, time_ms: int, participant: int, cap: int) -> None:
        """The net debit cap (净借记限额) becomes `cap` fen; headroom may fall below zero."""
        self.make_room(1)
        netting_terms.set_cap(*self.tables, time_ms, participant, cap)

    def set_cap_line(self, time_ms: int, participant: int, line: int) -> None:
        """The participant is warned (限额预警) while its headroom is below `line` fen."""
        self._watching = True
        self.make_room(1)
        netting_terms.set_cap_line(self.netting, self.positions, self.net_log, time_ms, participant, line)

    def set_closed(self, participant: int, on: bool) -> None:
        """A closed participant neither pays nor is paid."""
        self.positions["closed"][participant] = on

    def set_logged_in(self, time_ms: int, participant: int, on: bool) -> None:
        """A participant that is logged out neither sends nor answers; what it sent before is not touched."""
        count = len(self.absences)
        if self.netting["absence_count"][0] == count:
            grown = new(ABSENCE, max(_FIRST_ABSENCES, 2 * count))
            grown[:count] = self.absences
            self.absences = grown
        netting_terms.set_logged_in(self.netting, self.positions, self.absences, time_ms, participant, on)

    # rounds -------------------------------------------------------------------------------------------------------

    def close_round(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """End a round (场次): the net of each participant, which waits in `unsettled` until SAPS has posted it."""
        nets = np.zeros(len(self.positions), np.int64)
        netting_terms.close_round(self.positions, nets)
        return nets

    def net_posted(self, time_ms: int, participant: int, net: int, cap: int | None = None) -> None:
        """SAPS has posted a round net of the participant (fen, positive = received).

        cap: the net debit cap from now on, if the posting has changed it
        """
        self.nets_posted(time_ms, {participant: net}, {} if cap is None else {participant: cap})

    def nets_posted(self, time_ms: int, nets: Mapping[int, int], caps: Mapping[int, int]) -> None:
        """SAPS has posted round nets at one instant; all are taken off before any cap queue is retried.

        nets: the sum of each participant's (fen, positive = received); caps: those that the postings have changed
        """
        self.make_room(1)
        rows = np.array(sorted(nets), np.int64)
        sums = np.array([nets[int(row)] for row in rows], np.int64)
        known = [caps.get(int(row), int(self.positions["cap"][row])) for row in rows]
        netting_terms.nets_posted(*self.tables, time_ms, rows, sums, np.array(known, np.int64))

    def match(self, time_ms: int, number: int) -> tuple[int, int, int, int]:
        """Match the cap queues: units and fen considered, units and fen netted together."""
        self.make_room(1)
        order = self._considered()
        count = len(self.positions)
        payers = self.units["debtor"][order]
        ends = np.searchsorted(payers, np.arange(count + 1)).astype(np.int64)
        kept, funds = np.zeros(count, np.int64), np.zeros(count, np.int64)
        touched = np.zeros(count, np.int64)
        considered_fen = int(self.units["amount"][order].sum())
        choose(self.positions, self.units, order, ends, funds, kept)
        fen = net_together(*self.tables, order, ends, kept, touched, time_ms, number)
        return len(order), considered_fen, int((kept - ends[:-1]).sum()), int(fen)

    def _considered(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Rows of the waiting units whose payee is not closed, by payer, each payer's in queue order."""
        rows = np.flatnonzero(self.units["waits"])
        rows = rows[~self.positions["closed"][self.units["creditor"][rows]]]
        keys = [self.units[name][rows] for name in ("unit", "time_ms", "amount", "debtor")]
        return rows[np.lexsort(keys)].astype(np.int64)

    # looking ------------------------------------------------------------------------------------------------------

    def headroom(self, participant: int) -> int:
        """What a participant may still owe, fen."""
        own = self.positions[participant]
        return int(own["cap"]) + int(own["position"]) + int(own["unsettled"])

    def headrooms(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The headroom of every participant, fen."""
        total = self.positions["cap"] + self.positions["position"] + self.positions["unsettled"]
        return np.asarray(total, np.int64)

    def waiting(self, participant: int) -> list[int]:
        """Units in a participant's cap queue, smallest first."""
        rows = np.flatnonzero(self.units["waits"] & (self.units["debtor"] == participant))
        keys = [self.units[name][rows] for name in ("unit", "time_ms", "amount")]
        return [int(unit) for unit in self.units["unit"][rows[np.lexsort(keys)]]]

    def drain_log(self) -> Records:
        """A copy of the log entries since the last call; the log starts afresh."""
        count = int(self.netting["log_count"][0])
        self.netting["log_count"] = 0
        return self.net_log[:count].copy()

    def take_crossings(self) -> int:
        """How many watch lines were crossed since the last call."""
        count = int(self.netting["crossings"][0])
        self.netting["crossings"] = 0
        return count

    def counts(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """Units, items and fen of every kind and act that occurred."""
        found = np.argwhere(self.tallies["units"] > 0).tolist()
        names = ("units", "items", "fen")
        return {(k, a): tuple(int(self.tallies[name][k, a]) for name in names) for k, a in found}  # type: ignore[misc]

    def snapshot(self) -> dict[str, Any]:
        """Everything observable, as plain values."""
        positions = [{name: row[name].item() for name in _OBSERVABLE} for row in self.positions]
        waiting = {row: self.waiting(row) for row in range(len(self.positions))}
        return {
            "positions": positions,
            "queues": {row: units for row, units in waiting.items() if units},
            "desk": {name: self.netting[name][0].item() for name in _COUNTERS},
            "tallies": self.counts(),
        }
