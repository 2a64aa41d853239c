"""Plans: what a bank means to do on one business date, in the numbers that the books understand.

A policy (发报策略) turns the hours of a date and what the bank opens with into a plan; the books keep to it at flow
speed (`core.policy`). Money in fen, times in ms of the run, shares in millionths.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Final

from cnaps_sim.words.codes import HVPS_LEVELS
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import MS_PER_MINUTE

#: How long before cut-off a bank gives up waiting where nobody says when [P], no public source.
GIVES_UP_BEFORE_CUT_OFF_MS: Final = 30 * MS_PER_MINUTE
#: A time of day that never comes: what is kept is kept to the end, and refused at cut-off.
NEVER: Final = -1
#: The levels at which banks send, and those but the urgent ones.
ALL_LEVELS: Final = tuple(int(level) for level in HVPS_LEVELS)
#: A policy with this first instant sends nothing by itself.
_NOTHING_BY_ITSELF_MS: Final = 2**62
_FROM_THE_BEGINNING_MS: Final = -(2**63)
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Plan:
    """What one bank does on one business date.

    until_ms:    the plan ends; whatever is still kept is sent then, unless `gives_up` is False
    levels:      bit mask of the levels of the payments that it binds
    hold_ms:     nothing is sent before
    budget:      own money that may be out at once; None if that does not matter
    receipt_ppm: share of the day's receipts that may be spent
    reserve:     what must stay available after a payment; None if that does not matter
    shares:      (instant, share): by then so much of the value it was told to pay has been sent
    """

    until_ms: int
    levels: int
    hold_ms: int = _FROM_THE_BEGINNING_MS
    budget: int | None = None
    receipt_ppm: int = 0
    reserve: int | None = None
    gives_up: bool = True
    shares: tuple[tuple[int, Decimal], ...] = ()

    def binds(self, level: int) -> bool:
        """Whether payments of a level are kept to the plan."""
        return bool(self.levels >> level & 1)


class Policy(ABC):
    """How a bank decides when to send. A subclass is a frozen dataclass whose fields are the policy's parameters.

    name:      what a scenario calls it
    chinese:   its Chinese term
    reference: where it comes from
    """

    name: ClassVar[str]
    chinese: ClassVar[str]
    reference: ClassVar[str]

    @abstractmethod
    def plan(self, day: BusinessDay, opening: int) -> Plan | None:
        """The plan for a date that the bank opens with `opening` fen; None if it sends everything at once."""

    @classmethod
    def summary(cls) -> str:
        """The first line of its description."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


def held(day: BusinessDay, until: int | None, levels: tuple[int, ...] = ALL_LEVELS) -> Plan:
    """A plan that sends nothing by itself until a time of day."""
    return plan_until(day, until, levels, hold_ms=_NOTHING_BY_ITSELF_MS)


def plan_until(
    day: BusinessDay,
    until: int | None,
    levels: tuple[int, ...],
    *,
    hold_ms: int = _FROM_THE_BEGINNING_MS,
    budget: int | None = None,
    receipt_ppm: int = 0,
    reserve: int | None = None,
    shares: tuple[tuple[int, Decimal], ...] = (),
) -> Plan:
    """A plan that ends at a time of day: NEVER, or None for the usual one."""
    if until == NEVER:
        until_ms = day.cut_off_ms
    elif until is None:
        until_ms = max(day.opens_ms, day.cut_off_ms - GIVES_UP_BEFORE_CUT_OFF_MS)
    else:
        until_ms = day.midnight_ms + until
    mask = sum(1 << level for level in levels)
    return Plan(until_ms, mask, hold_ms, budget, receipt_ppm, reserve, until != NEVER, shares)


def money(fen: int | None, share_of_opening: Decimal | None, opening: int) -> int:
    """An amount told in fen, or as a share of what the bank opens with (nothing of an overdrawn account)."""
    if share_of_opening is None:
        return fen or 0
    return int((max(0, opening) * share_of_opening).to_integral_value(ROUND_HALF_UP))


def millionths(share: Decimal) -> int:
    """A share as the books count it."""
    return int((share * _MILLION).to_integral_value(ROUND_HALF_UP))
