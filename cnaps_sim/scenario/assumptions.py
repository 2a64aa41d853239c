"""Assumptions of a scenario: its parameters that have no public source, each with a low and a high value to try.

They are found by their descriptions, which say "no public source" where that is so; no second list of them is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from cnaps_sim.scenario.accounts import Access
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.quantities import format_ratio
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.scenario.terms import Terms
from cnaps_sim.words.codes import System
from cnaps_sim.words.units import format_clock, format_duration, format_fen, parse_clock

NO_SOURCE: Final = "no public source"
#: What a tried value is rounded to.
_DIGITS: Final = Context(prec=6, rounding=ROUND_HALF_UP)
_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Assumption:
    """A parameter without a public source.

    key:       where it stands, as `--set` takes it
    about:     its description
    value:     what the scenario has, as a file writes it
    low, high: what it is varied to, as a file writes it; None where there is no such value. A word or a switch has one
               other value, `low`
    why_not:   why it is not varied, "" if it is
    """

    key: str
    about: str
    value: Any
    low: Any
    high: Any
    why_not: str

    def amended(self, scenario: Scenario, value: Any) -> Scenario:
        """The scenario with another value of this parameter. ValidationError if that makes none."""
        data = resolved(scenario)
        part: Any = data
        *way, last = _path(self.key)
        for step in way:
            part = part[step]
        part[last] = value
        return Scenario.model_validate(data)


def assumptions(scenario: Scenario, factor: Decimal) -> list[Assumption]:
    """Every parameter of a scenario that has no public source, in the order of the file.

    factor: above 1; a number is divided by it and multiplied by it, a share no further than to 1. Of a list of times of
    day every second one is left out, or one more put between each two
    """
    return [_assumption(scenario, *found, factor) for found in _found(scenario, resolved(scenario), ())]


def _found(terms: Terms, data: Any, path: _Path) -> Iterator[tuple[_Path, str, Any, Any]]:
    """Path, description, value, and value as written, of each parameter without a public source below `terms`."""
    for name, field in type(terms).model_fields.items():
        key, value = field.alias or name, getattr(terms, name)
        if value is None:
            continue
        here, about = (*path, key), field.description or ""
        if NO_SOURCE in about:
            yield here, about.replace(f"; {NO_SOURCE}", "").replace(f", {NO_SOURCE}", ""), value, deepcopy(data[key])
        elif isinstance(value, Terms):
            yield from _found(value, data[key], here)
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, Terms):
                    yield from _found(item, data[key][place], (*here, place))


def _assumption(scenario: Scenario, path: _Path, about: str, value: Any, written: Any, factor: Decimal) -> Assumption:
    key = ".".join(map(str, path))
    plain = Assumption(key, about, written, None, None, _idle(scenario, path))
    if plain.why_not:
        return plain
    lows, highs = _other_values(value, written, factor)
    low, high = (_first_that_fits(scenario, plain, tried) for tried in (lows, highs))
    return Assumption(key, about, written, low, high, "" if low is not None or high is not None else _reason(value))


def _first_that_fits(scenario: Scenario, assumption: Assumption, tried: list[Any]) -> Any:
    for value in tried:
        if value == assumption.value:
            continue
        try:
            assumption.amended(scenario, value)
        except ValidationError:
            continue
        return value
    return None


def _reason(value: Any) -> str:
    if value == 0:
        return "is 0 in this scenario"
    return "a time of day" if isinstance(value, int) else "has no other value to try"


def _other_values(value: Any, written: Any, factor: Decimal) -> tuple[list[Any], list[Any]]:
    """What to try below and above, best first."""
    if isinstance(value, bool):
        return [not value], []
    if isinstance(value, Enum):
        others = [member.value for member in type(value) if member is not value]
        return (others, []) if len(others) == 1 else ([], [])
    if isinstance(value, Decimal):
        high = [_ratio(value * factor), *(["1"] if 0 < value < 1 else [])]
        return [_ratio(value / factor)], high
    if isinstance(value, int):
        return [_whole(value, written, 1 / factor)], [_whole(value, written, factor)]
    if isinstance(value, tuple) and value and all(isinstance(item, Decimal) for item in value):
        return [[_ratio(item / factor) for item in value]], [[_ratio(item * factor) for item in value]]
    if isinstance(value, tuple) and len(value) > 1 and all(_is_clock(item) for item in written):
        between = [(before + after) // 2 for before, after in pairwise(value)]
        denser = sorted({*value, *between})
        return [list(map(format_clock, value[::-1][::2][::-1]))], [list(map(format_clock, denser))]
    return [], []


def _ratio(value: Decimal) -> str:
    return format_ratio(_DIGITS.plus(value))


def _whole(value: int, written: Any, factor: Decimal) -> Any:
    """A count, money (fen) or a duration (ms) times a factor, as a file writes it; a time of day stays what it is."""
    times = int((value * factor).to_integral_value(ROUND_HALF_UP))
    if not isinstance(written, str):
        return times
    if _is_clock(written):
        return written
    return format_fen(times) if written == format_fen(value) else format_duration(times)


def _is_clock(written: Any) -> bool:
    try:
        parse_clock(written)
    except (TypeError, ValueError):
        return False
    return True


def _idle(scenario: Scenario, path: _Path) -> str:
    """Why a parameter changes nothing in this scenario; "" if it may change something."""
    systems = {entry.system for entry in scenario.workload}
    credit = scenario.credit
    single = "access is single"
    reasons: tuple[tuple[_Path, bool, str], ...] = (
        (("beps",), System.BEPS not in systems, "no payments of BEPS"),
        (("ibps",), System.IBPS not in systems, "no payments of IBPS"),
        (("nets",), not scenario.has_retail, "no payments of BEPS or IBPS"),
        (("accounts", "branches"), scenario.access is Access.SINGLE, single),
        (("accounts", "branch_size_exponent"), scenario.access is Access.SINGLE, single),
        (("credit", "pledge"), not credit.pledge.collateral, "nobody has bonds"),
        (("credit", "lending_desk", "after"), credit.lending_desk.share == 0, "nobody lends"),
        (("credit", "lending_desk", "rate"), credit.lending_desk.share == 0, "nobody lends"),
    )
    for above, is_idle, words in reasons:
        if is_idle and path[: len(above)] == above:
            return words
    if path[-1] == "intrabank_share" and scenario.access is Access.SINGLE:
        return f"{single}: such payments are booked inside the bank"
    return ""


def _path(key: str) -> _Path:
    return tuple(int(step) if step.isdecimal() else step for step in key.split("."))
