"""Fund pools (资金池) of a run: in force on their dates, started and stopped on order, swept at their times.

Rescues happen inside the settlement rules (`core.pools`); here is only what somebody asks for or what has a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from cnaps_sim.core import Books
from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.words.codes import MoveKind
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import format_fen


class PoolCommand(StrEnum):
    """What may be ordered of a pool."""

    START = "start_pool"  # MT00, MT01
    STOP = "stop_pool"  # MT02 (暂停): it rescues and sweeps nothing until it is started again
    CANCEL = "cancel_pool"  # MT03 (撤销): gone for good

    @property
    def words(self) -> str:
        return {"start_pool": "works again", "stop_pool": "is stopped", "cancel_pool": "is cancelled"}[self.value]


@dataclass(frozen=True)
class SweepRule:
    """A sweep: ms since midnight of the date; up (上收) or down (下拨); fen that members keep or are filled up to."""

    at_ms: int
    up: bool
    keep: int


@dataclass(frozen=True)
class PoolRules:
    """A pool: its members' account rows in list order, the head first, and what it does by itself.

    on_day: whether it is in force on each business date of the run
    """

    name: str
    random: bool
    members: tuple[int, ...]
    on_day: tuple[bool, ...]
    sweeps: tuple[SweepRule, ...] = ()


class FundPools:
    """Runs the pools; the books know them by their place in `pools`."""

    def __init__(self, clock: Clock, recorder: Recorder, names: Sequence[str], pools: Sequence[PoolRules]) -> None:
        self.clock = clock
        self.books: Books = clock.books
        self.recorder = recorder
        self.names = names
        self.pools = pools
        self._number = {pool.name: number for number, pool in enumerate(pools)}
        self._in_force = [False] * len(pools)
        self._stopped = [False] * len(pools)
        self._cancelled = [False] * len(pools)
        self.before_change: Callable[[int, bool], None] = lambda *_: None  # told of a pool and whether it will work
        for number in range(len(pools)):
            self._set(number)

    def begin_date(self, place: int, day: BusinessDay) -> None:
        """Business date number `place` begins: pools come into force or cease, and its sweeps are put on the clock."""
        for number, pool in enumerate(self.pools):
            self._in_force[number] = pool.on_day[place]
            self._set(number)
            for sweep in pool.sweeps if pool.on_day[place] else ():
                self.clock.call_at(day.midnight_ms + sweep.at_ms, Rank.ACTION, partial(self._sweep, number, sweep))

    def order(self, name: str, order: PoolCommand) -> str:
        """Start, stop or cancel a pool; returns in words what came of it."""
        number = self._number[name]
        if self._cancelled[number]:
            return "has been cancelled before"
        if order is PoolCommand.CANCEL:
            self._cancelled[number] = True
        else:
            self._stopped[number] = order is PoolCommand.STOP
        self._set(number)
        return order.words

    def _works(self, number: int) -> bool:
        return self._in_force[number] and not self._stopped[number] and not self._cancelled[number]

    def _set(self, number: int) -> None:
        """Tell the books whether a pool works, if that has changed."""
        if bool(self.books.tools.pools["active"][number]) != self._works(number):
            self.before_change(number, self._works(number))
            self.books.set_pool(int(self.clock.now), number, self._works(number))

    def _sweep(self, number: int, sweep: SweepRule) -> None:
        """Carry out one sweep, members in list order."""
        if not self._works(number):
            return
        self.recorder.drain()
        now = int(self.clock.now)
        head, *members = self.pools[number].members
        total = 0
        for member in members:
            if sweep.up:
                most = self.books.spare(member) - sweep.keep
                total += self.books.move_spare(now, member, head, 1, most, MoveKind.SWEEP)
            else:
                most = sweep.keep - int(self.books.accounts["balance"][member])
                total += self.books.move_spare(now, head, member, 1, most, MoveKind.SWEEP)
        words = f"{'up to' if sweep.up else 'down from'} {self.names[head]}: {format_fen(total)} CNY"
        self.recorder.tell(now, "sweep", self.pools[number].name, words)
