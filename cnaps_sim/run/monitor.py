"""Monitoring of a run while it goes on (风险预警与运行监控): what an operator at the centre would look at.

The monitor only reads. It is told of instants at which the run stops anyway, so a run that is watched does the same as
one that is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cnaps_sim.core.records import LEVELS
from cnaps_sim.engine.recorder import Event
from cnaps_sim.run.world import World
from cnaps_sim.words.codes import Phase
from cnaps_sim.words.units import MS_PER_DAY

#: Accounts and caps shown, and events.
SHOWN: Final = 5
EVENTS_SHOWN: Final = 6


@dataclass(frozen=True)
class Line:
    """One account in a list: its queue (count, fen), or its cap (headroom and cap, fen)."""

    account: str
    name: str
    first: int
    second: int


@dataclass(frozen=True)
class Glance:
    """What there is to see at one instant. Money in fen.

    date, time_ms:  natural day and instant, ms of the run
    phase, special: of HVPS; a special session takes only some business
    payments:       of the workload of HVPS that have come, of so many
    queued_count, queued_fen: in all settlement queues of SAPS; cap_queued_*: in the cap queues of BEPS
    longest:        accounts with the longest queues by value: count, fen
    tightest:       net debit caps with the least headroom as a share of the cap: headroom, cap
    raised, cleared: warnings so far, of balances and of caps
    events:         the last ones, oldest first
    """

    date: dt.date
    time_ms: int
    phase: Phase
    special: bool
    payments: int
    payments_in_all: int
    queued_count: int
    queued_fen: int
    cap_queued_count: int
    cap_queued_fen: int
    longest: tuple[Line, ...]
    tightest: tuple[Line, ...]
    raised: int
    cleared: int
    events: tuple[Event, ...]

    @property
    def clock_ms(self) -> int:
        """Time of day, ms since midnight."""
        return self.time_ms % MS_PER_DAY


class Monitor:
    """Watches one world.

    show: called with the monitor and the present instant (ms) whenever the run comes to a stop, which may be often
    """

    def __init__(self, world: World, show: Callable[[Monitor, int], None]) -> None:
        self.world = world
        self._show = show
        self.raised = 0
        self.cleared = 0
        world.clock.after_each.append(self._look)
        world.clock.on_chunk.append(lambda: self._look(int(world.clock.now)))
        recorder: Any
        for recorder in (world.recorder, None if world.retail is None else world.retail.recorder):
            if recorder is not None:
                recorder.on_warning = self._counted(recorder.on_warning)

    def _counted(self, warn: Callable[[int, int, bool], None] | None) -> Callable[[int, int, bool], None]:
        def told(time_ms: int, row: int, raised: bool) -> None:
            self.raised += raised
            self.cleared += not raised
            if warn is not None:
                warn(time_ms, row, raised)

        return told

    def _look(self, time_ms: int) -> None:
        self._show(self, time_ms)

    def glance(self) -> Glance:
        """What there is to see now."""
        world, desk = self.world, self.world.books.desk[0]
        time_ms = int(world.clock.now)
        netting = None if world.netting is None else world.netting.netting[0]
        return Glance(
            date=world.timetable.first_date + dt.timedelta(days=time_ms // MS_PER_DAY),
            time_ms=time_ms,
            phase=Phase(int(desk["phase"])),
            special=bool(desk["special_session"]),
            payments=world.clock.feeds[0].next_row,
            payments_in_all=len(world.population.flow.rows),
            queued_count=int(desk["waiting_count"]),
            queued_fen=int(desk["waiting_fen"]),
            cap_queued_count=0 if netting is None else int(netting["waiting_count"]),
            cap_queued_fen=0 if netting is None else int(netting["waiting_fen"]),
            longest=tuple(self._longest()),
            tightest=tuple(self._tightest()),
            raised=self.raised,
            cleared=self.cleared,
            events=tuple(world.recorder.events[-EVENTS_SHOWN:]),
        )

    def _longest(self) -> Iterator[Line]:
        """The accounts with the most in their queues, in order of rows where it is the same."""
        queues = self.world.books.queues
        fen = queues["waiting_fen"][:, :LEVELS].sum(axis=1)
        count = queues["waiting_count"][:, :LEVELS].sum(axis=1)
        for row in np.argsort(-fen, kind="stable")[:SHOWN].tolist():
            if count[row]:
                yield self._line(row, int(count[row]), int(fen[row]))

    def _tightest(self) -> Iterator[Line]:
        """The caps that are used most, of participants that take part in retail clearing."""
        if self.world.netting is None:
            return
        positions = self.world.netting.positions
        cap = positions["cap"]
        left = cap + positions["position"] + positions["unsettled"]
        rows = np.flatnonzero((cap > 0) & ~positions["closed"])
        order = np.argsort(left[rows] / cap[rows], kind="stable")  # only shown, never a result
        for row in rows[order[:SHOWN]].tolist():
            yield self._line(row, int(left[row]), int(cap[row]))

    def _line(self, row: int, first: int, second: int) -> Line:
        directory = self.world.directory
        return Line(directory.accounts[row], directory.names[row] or "", first, second)
