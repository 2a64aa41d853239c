"""Retail fates: what became of the units of BEPS and IBPS, read off the log of the netting server.

The log is sparse: it tells only what a row of the flow does not tell itself. So this is kept, and the rest is made
again from the flow when the tables are written: nothing per item outlives the playing of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import Records
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Cause, Refusal, Status, matching_number
from cnaps_sim.workload.retail_chunk import RetailChunk
from cnaps_sim.workload.retail_limits import ReplyLimits

#: One unit with an outcome of its own, in order of units.
FATE: Final = np.dtype(
    [
        ("unit", np.int64),
        ("ended_ms", np.int64),  # instant of the final act; NEVER while it waits, or stays open
        ("cause", np.int64),  # codes.Cause, the releasing unit or a matching; NONE unless it was netted
        ("net_round", np.int64),  # the round it was netted into, 0 if none
        ("act", np.int8),  # codes.Act
        ("refusal", np.int8),  # codes.Refusal
    ],
    align=True,
)
#: One unit of which the netting server decides, when a reply would have come, that it will not be answered in time.
LATE: Final = np.dtype(
    [
        ("unit", np.int64),
        ("decided_ms", np.int64),
        ("ended_ms", np.int64),  # when its time limit runs out; NEVER if that is not of this run, so that it stays open
        ("items", np.int64),
        ("fen", np.int64),
        ("kind", np.int8),  # RetailKind
    ],
    align=True,
)
_WARNINGS: Final = (int(Act.CAP_WARNING_RAISED), int(Act.CAP_WARNING_CLEARED))


def is_open(late: Records) -> Array:
    """Which of some LATE records tell of a unit that stays open."""
    never: Array = late["ended_ms"] == NEVER
    return never


class RoundEnd(NamedTuple):
    """The end of a netting round; rounds are numbered from 1 in the order in which they end.

    time_ms: its instant
    is_last: whether it is the last (or only) one of its retail date: what comes in its own millisecond is after it,
             while any other round takes the arrivals of its millisecond
    logged:  entries of the log that had been written when it ended, counted as in the log that `RetailFates` reads
    """

    time_ms: int
    is_last: bool
    logged: int


class Intervention(NamedTuple):
    """What changed the end of an item apart from the netting server.

    A netted item is sent back or reversed by a payment of its own, and stays netted; or a unit is stopped before it
    comes, as its row says then, and has ended with that.

    unit:    the item's unit; item: its place in the unit, None for every item of it
    status:  PR22, PR23 or PR21; time_ms: when that payment was settled or netted, or the instant of the stop
    """

    unit: int
    item: int | None
    status: Status
    time_ms: int


class RetailFates:
    """The units that have an entry in the log, in order, and the ends of the rounds.

    log:           NET_LOG entries of the whole run, in order
    rounds:        every round that has ended, in order
    interventions: originals of later returns and reversals, and stopped units, in any order
    limits:        of replies; None if no unit expires that its row does not call timed out
    """

    def __init__(
        self,
        log: Records,
        rounds: Sequence[RoundEnd],
        interventions: Iterable[Intervention] = (),
        limits: ReplyLimits | None = None,
    ) -> None:
        self._limits = limits
        self.fates = _last_entries(log, rounds)
        self._units = np.ascontiguousarray(self.fates["unit"])  # looked up twice a chunk
        self.rounds = len(rounds)
        #: The first instant after each round, for what comes by itself.
        self.bounds = np.array([end.time_ms + (not end.is_last) for end in rounds], np.int64)
        self._interventions = sorted(interventions, key=lambda one: one.unit)
        self._intervened = np.array([one.unit for one in self._interventions], np.int64)

    def of(self, chunk: RetailChunk) -> Records:
        """FATE records of a chunk's units that have an entry, in order.

        A unit whose answering bank was logged out expires when its time limit runs out, though the netting server
        decides it when the reply would have come; if the limit is not of this run, it is open.
        """
        fates, late = self._logged(chunk), self.late(chunk)
        if not len(late):
            return fates
        fates = fates.copy()
        places = np.searchsorted(fates["unit"], late["unit"])
        fates["ended_ms"][places] = late["ended_ms"]
        fates["act"][places] = np.where(is_open(late), Act.OPEN, Act.EXPIRED)
        return fates

    def late(self, chunk: RetailChunk) -> Records:
        """LATE records of a chunk's units that expire later than their entry was written, in order."""
        fates = self._logged(chunk)
        fates = fates[fates["act"] == Act.EXPIRED]
        rows = chunk.rows[fates["unit"] - chunk.first_unit]
        early = rows["refusal"] != Refusal.TIMED_OUT
        if self._limits is None or not early.any():
            return np.zeros(0, LATE)
        fates, rows = fates[early], rows[early]
        ends_ms = self._limits.ends_ms(rows["kind"], rows["time_ms"] - rows["lag_ms"])
        late = np.zeros(len(rows), LATE)
        late["unit"], late["decided_ms"] = fates["unit"], fates["ended_ms"]
        late["ended_ms"] = np.where(ends_ms < self._limits.run_ends_ms, ends_ms, NEVER)
        for name, column in (("items", "items"), ("fen", "amount"), ("kind", "kind")):
            late[name] = rows[column]
        return late

    def _logged(self, chunk: RetailChunk) -> Records:
        low, high = np.searchsorted(self._units, [chunk.first_unit, chunk.first_unit + len(chunk.rows)])
        return self.fates[low:high]

    def interventions_in(self, chunk: RetailChunk) -> Sequence[Intervention]:
        """The interventions in a chunk's units."""
        low, high = np.searchsorted(self._intervened, [chunk.first_unit, chunk.first_unit + len(chunk.rows)])
        return self._interventions[low:high]

    @property
    def names_units(self) -> bool:
        """Whether some unit was released by another one, so that `UnitNames` are needed."""
        return bool((self.fates["cause"] >= 0).any())


def _last_entries(log: Records, rounds: Sequence[RoundEnd]) -> Records:
    """The last entry of each unit, with the round in which it was written."""
    acts = np.ascontiguousarray(log["act"])
    places = np.flatnonzero((acts != _WARNINGS[0]) & (acts != _WARNINGS[1]))
    units = np.ascontiguousarray(log["unit"])[places]
    order = np.argsort(units, kind="stable")
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = np.diff(units[order]) != 0
    places = places[order[is_last]]
    entries = log[places]
    fates = np.zeros(len(places), FATE)
    for name in ("unit", "act", "refusal"):
        fates[name] = entries[name]
    netted = entries["act"] == Act.NETTED
    fates["ended_ms"] = np.where(entries["act"] == Act.QUEUED, NEVER, entries["time_ms"])
    fates["cause"] = np.where(netted, entries["cause"], int(Cause.NONE))
    number = 1 + np.searchsorted(np.array([end.logged for end in rounds], np.int64), places, side="right")
    fates["net_round"] = np.where(netted & (number <= len(rounds)), number, 0)
    return fates


class UnitNames:
    """The ids by which `released_by` calls units: that of each unit's first item.

    Only the units that may release others are kept: those that queue, and those that an entry of the log names as
    its cause. They are noted either while the day is played, chunk by chunk with what the log says of it (`see`), or
    afterwards in one more pass over the flow (`collect`).
    """

    def __init__(self) -> None:
        self._units: list[Array] = []
        self._ids: list[pa.Array] = []

    @classmethod
    def collect(cls, chunks: Iterable[RetailChunk], log: Records) -> UnitNames:
        """The names that the whole log needs."""
        names, wanted = cls(), _releasing(log)
        for chunk in chunks:
            names._note(chunk, wanted)
        return names

    def see(self, chunk: RetailChunk, log: Records) -> None:
        """Note the chunk's units that these entries queue or name; entries of a chunk may come in several calls."""
        self._note(chunk, _releasing(log))

    def _note(self, chunk: RetailChunk, wanted: Array) -> None:
        low, high = np.searchsorted(wanted, [chunk.first_unit, chunk.first_unit + len(chunk.rows)])
        if low == high:
            return
        items = np.ascontiguousarray(chunk.rows["items"], np.int64)
        first = np.cumsum(items) - items
        self._units.append(wanted[low:high])
        self._ids.append(chunk.ids().take(pa.array(first[wanted[low:high] - chunk.first_unit])).cast(pa.string()))

    def words(self, causes: Array) -> list[str]:
        """Each cause in the words of `released_by`."""
        self._settle()
        place = np.searchsorted(self._units[0], causes)
        found = np.flatnonzero(causes >= 0)
        assert np.array_equal(self._units[0][np.minimum(place[found], len(self._units[0]) - 1)], causes[found])
        ids = iter(self._ids[0].take(pa.array(place[found])).to_pylist())
        return [next(ids) if cause >= 0 else _word(cause) for cause in causes.tolist()]

    def _settle(self) -> None:
        """Bring what has been noted into one order, each unit once."""
        if len(self._units) == 1:
            return
        units = np.concatenate(self._units or [np.zeros(0, np.int64)])
        ids = pa.concat_arrays(self._ids or [pa.array([], pa.string())])
        once, first = np.unique(units, return_index=True)
        self._units, self._ids = [once], [ids.take(pa.array(first))]


def _releasing(log: Records) -> Array:
    """The units that these entries queue, or name as a cause; in order, each once."""
    acts, causes = log["act"], log["cause"]
    found: Any = np.concatenate([log["unit"][acts == Act.QUEUED], causes[(acts == Act.NETTED) & (causes >= 0)]])
    units: Array = np.unique(found)
    return units


def _word(cause: int) -> str:
    return f"matching:{matching_number(cause)}" if cause <= MATCHING_CAUSE else Cause(cause).word or ""
