"""Learning: a bank that moves its hold time by what yesterday cost it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Final

from cnaps_sim.participants.behaviours.costs import DELAY_RATE, LIQUIDITY_RATE, delay_cost, liquidity_cost
from cnaps_sim.participants.behaviours.plan import Plan, Policy, held
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import MS_PER_HOUR

#: Times of day among which an adaptive bank chooses, and the first it tries [P].
CANDIDATES: Final = tuple(hour * MS_PER_HOUR for hour in range(9, 17))
INITIAL: Final = 12 * MS_PER_HOUR


@dataclass(frozen=True)
class Lesson:
    """What one date cost a bank and when it will send on the next one. Money in fen, time of day in ms."""

    delay_fen: int
    liquidity_fen: int
    until: int


@dataclass
class Adaptive(Policy):
    """Adaptive: holds payments until a time of day, which it moves from date to date by what the last one cost.

    After each date it compares two costs in fen: of delay, the sum over its payments of amount × time from instruction
    to the end of waiting × `delay_cost` a year; of liquidity, max(0, opening − lowest balance) × `liquidity_cost` for
    one day of a year of 360. If delay cost more, it holds `step` candidates shorter; if liquidity did, `step`
    candidates longer; if both cost the same, as long as before. It stays within the candidates. A source plays
    against the average of all earlier dates; here the last one alone counts.
    """

    name: ClassVar[str] = "adaptive"
    chinese: ClassVar[str] = "自适应"
    reference: ClassVar[str] = "in the spirit of Galbiati and Soramäki (2011), An agent-based model of payment systems"
    initial: int = INITIAL
    candidates: tuple[int, ...] = CANDIDATES
    delay_cost: Decimal = DELAY_RATE
    liquidity_cost: Decimal = LIQUIDITY_RATE
    step: int = 1
    _place: int = field(default=-1, init=False)

    def __post_init__(self) -> None:
        self._place = self.candidates.index(self.initial)

    def plan(self, day: BusinessDay, opening: int) -> Plan:  # noqa: ARG002
        """Nothing before the time it has learned."""
        return held(day, self.candidates[self._place])

    def learn(self, waited_fen_ms: int, used_fen: int) -> Lesson:
        """Look back on a date: value × time waited, and own money used at most."""
        delay = delay_cost(waited_fen_ms, self.delay_cost)
        liquidity = liquidity_cost(used_fen, self.liquidity_cost)
        direction = (liquidity > delay) - (delay > liquidity)
        self._place = min(max(self._place + direction * self.step, 0), len(self.candidates) - 1)
        return Lesson(delay, liquidity, self.candidates[self._place])
