"""Kinds of stress: what each bank in turn meets, all else equal.

A bank falls silent or begins late (停止发出), or the central bank takes money from its account at one instant
(流动性冲击), cuts its net debit cap (净借记限额) or withdraws its credit (日间透支, 质押融资). What a bank would
meet has no public source: instants and shares are parameters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from cnaps_sim.engine.clock import Rank
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.population import Population
from cnaps_sim.run.world import World
from cnaps_sim.scenario.actions import Set, StopSending
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.moments import Moment
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, format_clock


class Kind(StrEnum):
    """What each bank in turn meets."""

    STOP = "stop"  # it sends nothing from an instant on
    SHOCK = "shock"  # the central bank debits it by a share of its opening balance
    CAP_CUT = "cap-cut"  # its net debit cap is cut to a share
    CREDIT_WITHDRAWN = "credit-withdrawn"  # its overdraft limit and its pledge room become zero
    LATE_OPENING = "late-opening"  # it sends nothing before an instant


#: Kinds that need a share, and what it is if nobody says (no public source).
WITH_SHARE: Final = (Kind.SHOCK, Kind.CAP_CUT)
USUAL_SHARE: Final = Decimal("0.5")
_SILENT: Final = (Kind.STOP, Kind.LATE_OPENING)


@dataclass(frozen=True)
class Strain:
    """What is asked for: the kind, when it begins and ends, and how much of it.

    at:       when it begins; None for LATE_OPENING, which begins with the date
    until:    when it ends: of LATE_OPENING always, of STOP if it ends before cut-off, else None
    share:    of the opening balance that is taken, or of the cap that is left; None for other kinds
    at_place: how the instant `at` was given, for errors
    InputError for what a kind does not have, or lacks.
    """

    kind: Kind
    at: Moment | None = None
    until: Moment | None = None
    share: Decimal | None = None
    at_place: str = "at"

    def __post_init__(self) -> None:
        needs_at = self.kind is not Kind.LATE_OPENING
        if needs_at and self.at is None:
            raise InputError("stop_at" if self.kind is Kind.STOP else "at", "", "is missing", "", "an instant: 10:00")
        if not needs_at and self.at is not None:
            raise InputError(self.at_place, "", f"stands beside {self.kind}, which begins with the date", self.at, "")
        if self.until is None and self.kind is Kind.LATE_OPENING:
            raise InputError("until", "", "is missing", "", "an instant: 10:00")
        if self.until is not None and self.kind not in _SILENT:
            raise InputError("until", "", f"stands beside {self.kind}, which does not end", self.until, "")
        if self.share is not None and self.kind not in WITH_SHARE:
            raise InputError("share", "", f"stands beside {self.kind}, which is whole", self.share, "")
        if self.share is not None and not 0 <= self.share <= 1:
            raise InputError("share", "", "is no share", self.share, "from 0 to 1")

    @property
    def part(self) -> Decimal:
        """The share, the usual one if none was given."""
        return USUAL_SHARE if self.share is None else self.share


@dataclass(frozen=True)
class Span:
    """From when to when a strain lasts, ms of the run."""

    from_ms: int
    until_ms: int


def span_of(strain: Strain, timetable: Timetable) -> Span:
    """When the strain begins and ends; InputError with the place `strain.at_place` or `until`."""
    days, first = timetable.business_days, timetable.first_date
    if strain.at is None:
        assert strain.until is not None
        until_ms = strain.until.ms(first)
        day = days[timetable.day_index(until_ms)]
        begins_ms = Hvps.begins_ms(day)
        if not begins_ms < until_ms < day.cut_off_ms:
            allowed = f"after {format_clock(begins_ms)} and before the cut-off at {format_clock(day.cut_off_ms)}"
            raise InputError("until", "", "is no instant of a day", str(strain.until), allowed)
        return Span(begins_ms, until_ms)
    at_ms = strain.at.ms(first)
    day = days[timetable.day_index(at_ms)]
    first_ms = Hvps.begins_ms(days[0]) if strain.kind is Kind.STOP else day.opens_ms  # before, nothing is booked
    if not first_ms <= at_ms < day.cut_off_ms:
        allowed = f"from {format_clock(first_ms)} to before the cut-off at {format_clock(day.cut_off_ms)}"
        problem = "after cut-off nobody sends" if at_ms >= day.cut_off_ms else "before the day begins nobody sends"
        raise InputError(strain.at_place, "", problem, str(strain.at), allowed)
    if strain.until is None:
        return Span(at_ms, day.cut_off_ms)
    until_ms = strain.until.ms(first)
    if until_ms <= at_ms:
        raise InputError("until", "", "is not after the moment it begins", str(strain.until), f"after {strain.at}")
    return Span(at_ms, until_ms)


class Strains:
    """Puts a strain on one bank after the other.

    loaded, population: of the scenario; span: as `span_of` says
    InputError with the place `kind` where the scenario has not what the kind is about.
    """

    def __init__(self, strain: Strain, span: Span, loaded: Loaded, population: Population) -> None:
        self.strain = strain
        self.span = span
        self.population = population
        self._actions = loaded.scenario.actions
        self._lent: set[int] = set()
        if strain.kind is Kind.CAP_CUT and population.retail is None:
            others = ", ".join(kind.value for kind in Kind if kind is not Kind.CAP_CUT)
            raise InputError("kind", "", "needs payments of BEPS or IBPS", strain.kind.value, f"here: {others}")

    @property
    def counts_retail(self) -> bool:
        """Whether payments of BEPS and IBPS that are no longer netted count too."""
        return self.strain.kind is Kind.CAP_CUT

    def amended(self, scenario: Scenario, bank: int) -> Scenario:
        """The scenario with what a bank does itself: it falls silent."""
        if self.strain.kind not in _SILENT:
            return scenario
        at = self.strain.at or _moment(self.span.from_ms, scenario.date)
        account = self.population.rows[bank]["account"]
        stop = StopSending(at=at, do="stop_sending", account=account, until=self.strain.until)
        return scenario.model_copy(update={"actions": (*scenario.actions, stop)})

    def schedule(self, world: World, actions: Actions, bank: int) -> None:
        """Put on the clock what the central bank does to the bank."""
        acts: dict[Kind, Callable[[], None]] = {
            Kind.SHOCK: lambda: self._take(world, bank),
            Kind.CAP_CUT: lambda: self._cut(world, actions, bank),
            Kind.CREDIT_WITHDRAWN: lambda: _withdraw_credit(world, bank),
        }
        if self.strain.kind in acts:
            world.clock.call_at(self.span.from_ms, Rank.ACTION, acts[self.strain.kind])

    def see_undisturbed(self, world: World) -> None:
        """Note who has credit to lose, before the undisturbed day is played."""
        records = world.books.accounts
        has = (records["overdraft_limit"] > 0) | (records["pledge_room"] > 0)
        self._lent = {row for row in range(len(self.population.rows)) if has[row]}

    def may_change_something(self, bank: int, sends_meanwhile: bool) -> bool:
        """Whether the bank has to be played; `sends_meanwhile`: it is told to pay between begin and end."""
        account, kind = self.population.rows[bank]["account"], self.strain.kind
        if kind in _SILENT:
            stops = (action for action in self._actions if isinstance(action, StopSending))
            return sends_meanwhile or any(action.account == account for action in stops)
        if kind is Kind.SHOCK:
            return self._taken(bank) > 0
        if any(isinstance(action, Set) and action.account == account for action in self._actions):
            return True
        return self.strain.part < 1 if kind is Kind.CAP_CUT else bank in self._lent

    def _taken(self, bank: int) -> int:
        """What a shock takes from the account, fen, rounded down."""
        return int(max(0, int(self.population.opening[bank])) * self.strain.part)

    def _take(self, world: World, bank: int) -> None:
        """One-sided business (单边业务): a debit of the central bank, which waits at level 5 if there is no money."""
        world.recorder.drain()
        world.saps.central_bank_debit(int(world.clock.now), bank, self._taken(bank))

    def _cut(self, world: World, actions: Actions, bank: int) -> None:
        """The central bank lowers what it grants, credit line first; what the bank itself has earmarked stays."""
        assert world.retail is not None
        assert actions.retail is not None
        nets = world.retail.nets
        line, pledged = int(nets.credit_line[bank]), int(nets.pledged[bank])
        cap = int(world.retail.netting.positions["cap"][bank])
        lowered = min(cap - int(cap * self.strain.part), line + pledged)
        actions.retail.set_cap_field(bank, "credit_line", line - min(line, lowered))
        actions.retail.set_cap_field(bank, "pledged", pledged - (lowered - min(line, lowered)))


def _withdraw_credit(world: World, bank: int) -> None:
    """No more overdraft and no more loans against bonds; what has been used stands until money comes."""
    world.recorder.drain()
    world.books.accounts["pledge_room"][bank] = 0
    world.books.set_field(int(world.clock.now), bank, "overdraft_limit", 0)


def _moment(time_ms: int, first_date: dt.date) -> Moment:
    day, clock_ms = divmod(time_ms, MS_PER_DAY)
    return Moment(first_date + dt.timedelta(days=day), clock_ms)
