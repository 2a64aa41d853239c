"""What queue matching saves: how much less liquidity gives the same delay with it as without.

The day is played again and again without tables and auditor, with the same payments and with all opening balances cut
by one factor, until the least factor is found at which payments wait no longer with matching than they do without it
at full liquidity. The measure of delay is that of Leinonen and Soramäki (1999), in whole numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.columns import Array
from cnaps_sim.run.population import Population
from cnaps_sim.run.world import Progress, Rehearsal, World
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.words.codes import Act, Cause
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.flow import Flow

#: The factor on opening balances is a whole number of thousandths.
PARTS: Final = 1000
#: The search goes down by this many thousandths first, because little money makes long queues, which take long.
FIRST_STEP: Final = 10
#: Widths in bits of the pieces in which fen and ms are multiplied, so that no sum leaves int64.
_FEN_BITS: Final = 20
_MS_BITS: Final = 15


@dataclass(frozen=True)
class Delay:
    """The delay indicator (结算延迟) as a fraction: sum of a(s-t) over sum of a(T-t), in fen·ms."""

    waited: int
    room: int

    @property
    def rho(self) -> float:
        """From 0 to 1; 0 if nothing could wait."""
        return self.waited / self.room if self.room else 0.0

    def is_at_most(self, other: Delay) -> bool:
        """Exactly, without a division."""
        return self.waited * max(other.room, 1) <= other.waited * max(self.room, 1)


@dataclass(frozen=True)
class Saving:
    """What matching saves.

    rho_without, rho_with: delay indicator at full liquidity, without and with matching
    liquidity_share: least share of the opening balances that gives `rho_without` with matching, in thousandths; 1
        where even all of them do not
    replays: how often the day was played
    """

    rho_without: float
    rho_with: float
    liquidity_share: float
    replays: int

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return dataclasses.asdict(self)


class Waits:
    """How long each payment of a flow could wait: from its instruction to the scheduled end of its date.

    Payments told to the bank at or after that end do not count.
    """

    def __init__(self, flow: Flow, timetable: Timetable) -> None:
        self.amount: Array = np.ascontiguousarray(flow.rows["amount"])
        self.instructed: Array = np.ascontiguousarray(flow.rows["time_ms"])
        ends = np.array([day.window_end_ms for day in timetable.business_days], np.int64)
        self.end: Array = ends[timetable.day_index(self.instructed)]
        self.counted: Array = self.instructed < self.end
        self.room = exact_dot(self.amount[self.counted], (self.end - self.instructed)[self.counted])


class DelayMeter:
    """Reads the delay of one rehearsal off the books' log, chunk by chunk.

    A payment waits until it settles, is cancelled or is refused when its turn comes, else to the end; one refused on
    arrival does not count.
    """

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.left: Array = waits.end.copy()
        self.refused: Array = np.zeros(len(waits.end), np.bool_)

    def see(self, log: Records) -> None:
        """Entries of the log in order; those about bookings of the central bank say nothing here."""
        act = log["act"]
        gone = (act == int(Act.SETTLED)) | (act == int(Act.CANCELLED)) | (act == int(Act.REFUSED))
        rows = log[gone & (log["sequence"] < len(self.left))]
        self.left[rows["sequence"]] = rows["time_ms"]
        on_arrival = (rows["act"] == int(Act.REFUSED)) & (rows["cause"] == int(Cause.NONE))
        self.refused[rows["sequence"][on_arrival]] = True

    def delay(self) -> Delay:
        """The delay of everything seen."""
        waits = self.waits
        rows = np.flatnonzero(waits.counted & ~self.refused & (self.left > waits.instructed))
        waited = exact_dot(waits.amount[rows], self.left[rows] - waits.instructed[rows])
        rows = np.flatnonzero(waits.counted & self.refused)
        return Delay(waited, waits.room - exact_dot(waits.amount[rows], waits.end[rows] - waits.instructed[rows]))


def exact_dot(fen: Array, ms: Array) -> int:
    """Sum of products of two columns from 0 up, exactly: up to 2^28 rows, whatever their values."""
    total = 0
    for fen_shift in range(0, _bits(fen), _FEN_BITS):
        fen_piece = (fen >> fen_shift) & ((1 << _FEN_BITS) - 1)
        for ms_shift in range(0, _bits(ms), _MS_BITS):
            ms_piece = (ms >> ms_shift) & ((1 << _MS_BITS) - 1)
            total += int(np.dot(fen_piece, ms_piece)) << (fen_shift + ms_shift)
    return total


def _bits(values: Array) -> int:
    return int(values.max()).bit_length() if len(values) else 0


class Rehearsals:
    """Plays one scenario again with other opening balances, and counts how often."""

    def __init__(
        self, loaded: Loaded, population: Population, progress: Progress | None = None, replication: int = 0
    ) -> None:
        self.loaded = loaded
        self.population = population
        self.progress = progress
        self.replication = replication
        self.played = 0
        self.waits = Waits(population.flow, loaded.scenario.business_timetable())

    def delay(self, parts: int, matched: bool) -> Delay:
        """The delay with so many thousandths of the opening balances; an opening overdraft stays as it is."""
        meter = DelayMeter(self.waits)
        self.play(parts, matched, meter.see)
        return meter.delay()

    def play(self, parts: int, matched: bool, *listeners: Callable[[Records], None]) -> World:
        """The day with so many thousandths of the opening balances; listeners see the log of the books."""
        opening = self.population.opening
        cut = opening // PARTS * parts + opening % PARTS * parts // PARTS
        population = dataclasses.replace(self.population, opening=np.where(opening > 0, cut, opening))
        world = World(self.loaded, self.replication, self._show, Rehearsal(population, matched))
        world.recorder.listeners += listeners
        Actions(world).schedule()
        world.play()
        self.played += 1
        return world

    def _show(self, time_ms: int, _payments: int) -> None:
        """All payments have been shown; but whoever shows them may want to stop."""
        if self.progress is not None:
            self.progress(time_ms, len(self.population.flow))


def liquidity_saving(loaded: Loaded, population: Population, progress: Progress | None = None) -> Saving:
    """By how much the opening balances could fall with matching, payments waiting no longer than without it.

    loaded: a scenario with an algorithm; population: its accounts, payments and opening balances
    """
    rehearsals = Rehearsals(loaded, population, progress)
    without = rehearsals.delay(PARTS, matched=False)
    full = rehearsals.delay(PARTS, matched=True)
    parts = PARTS
    if full.is_at_most(without):
        parts = least_parts(lambda parts: rehearsals.delay(parts, matched=True).is_at_most(without))
    return Saving(without.rho, full.rho, parts / PARTS, rehearsals.played)


def least_parts(is_enough: Callable[[int], bool]) -> int:
    """The least number of thousandths that is enough, all of them being so: in growing steps down, then by halves."""
    enough, step = PARTS, FIRST_STEP
    short = enough - step
    while short >= 0 and is_enough(short):
        enough, step = short, 2 * step
        short = max(enough - step, -1 if enough == 0 else 0)
    while enough - short > 1:
        middle = (enough + short) // 2
        if is_enough(middle):
            enough = middle
        else:
            short = middle
    return enough
