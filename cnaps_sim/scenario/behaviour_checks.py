"""Checks of behaviours that need more than one key: banks exist, times lie within every date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnaps_sim.participants.behaviours.plan import NEVER
from cnaps_sim.scenario.behaviours import Adapts, Behaviour, FollowsThroughput
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.places import KeyPath
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import format_clock

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario


def check_behaviours(scenario: Scenario, timetable: Timetable) -> None:
    """Raises the first fault."""
    for number, entry in enumerate(scenario.behaviours):
        here: KeyPath = ("behaviours", number)
        for path, clock_ms in _clocks(entry):
            _check_within_dates(clock_ms, timetable, (*here, *path))


def named_by_behaviours(scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Every account that behaviours name, with the path of its key."""
    for number, entry in enumerate(scenario.behaviours):
        if isinstance(entry.banks, tuple):
            yield from ((("behaviours", number, "banks", place), bank) for place, bank in enumerate(entry.banks))


def _clocks(entry: Behaviour) -> Iterator[tuple[KeyPath, int]]:
    """Times of day at which something is sent."""
    until = getattr(entry, "until", None)
    if until is not None and until != NEVER:
        yield ("until",), until
    if isinstance(entry, FollowsThroughput):
        yield from ((("shares", format_clock(clock)[:5]), clock) for clock, _ in entry.shares)
    if isinstance(entry, Adapts):
        yield from ((("candidates", place), clock) for place, clock in enumerate(entry.candidates))


def _check_within_dates(clock_ms: int, timetable: Timetable, path: KeyPath) -> None:
    for day in timetable.business_days:
        first, end = max(0, day.opens_ms - day.midnight_ms), day.cut_off_ms - day.midnight_ms
        if not first <= clock_ms < end:
            allowed = f"from {format_clock(first)} to before the cut-off at {format_clock(end)}"
            raise fault("outside the hours of a date", allowed, path=path, value=format_clock(clock_ms))
