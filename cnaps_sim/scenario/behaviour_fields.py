"""Field types of behaviours: until when a bank waits, levels, shares, pieces, parameters of an own policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from numbers import Integral
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from cnaps_sim.participants.behaviours.plan import ALL_LEVELS, NEVER
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.quantities import decimal, format_ratio, whole
from cnaps_sim.scenario.terms import read_text, shape
from cnaps_sim.words.units import format_clock, parse_clock

#: How a policy of the researcher's own is named.
PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
PATH_FORM: Final = "package.module:Class"
#: A payment is told in no more pieces than this [P].
MOST_PIECES: Final = 1_000
_NEVER_WORD: Final = "never"
_CLOCK: Final = "HH:MM[:SS[.mmm]]"
_CLOCK_PATTERN: Final = r"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?$"
_WHOLE_SCHEMA: Final = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}]}
_SHARE: Final = decimal("0", "1")


def _until(value: object) -> int:
    if value == _NEVER_WORD:
        return NEVER
    clock: int = read_text(parse_clock, value, "neither a time of day nor never", f"{_CLOCK}, {_NEVER_WORD}")
    return clock


#: A time of day in ms since midnight, or NEVER.
Until = Annotated[
    int,
    BeforeValidator(_until),
    PlainSerializer(lambda ms: _NEVER_WORD if ms == NEVER else format_clock(ms), return_type=str),
    WithJsonSchema({"anyOf": [{"const": _NEVER_WORD}, {"type": "string", "pattern": _CLOCK_PATTERN}]}),
]
#: The same; None for half an hour before cut-off.
UsualUntil = Annotated[
    Until | None,
    Field(
        description="when it sends what it kept, or never; half an hour before cut-off if left out, no public source"
    ),
]


def _levels(value: object) -> tuple[int, ...]:
    allowed = "a list of 1, 6 and 7"
    if not isinstance(value, list | tuple) or not value:
        told = "an empty list" if isinstance(value, list | tuple) else shape(value) or "''"
        raise fault("must be a list of levels", allowed, value=told)
    found: list[int] = []
    for place, level in enumerate(value):
        number = int(level) if isinstance(level, Integral | str) and str(level) in map(str, ALL_LEVELS) else None
        if number is None:
            raise fault("no level at which banks send", allowed, value=shape(level), path=(place,))
        if number in found:
            raise fault("given twice", "each level once", path=(place,))
        found.append(number)
    return tuple(found)


Levels = Annotated[
    tuple[int, ...],
    BeforeValidator(_levels),
    WithJsonSchema({"type": "array", "items": {"enum": [*ALL_LEVELS, *map(str, ALL_LEVELS)]}, "minItems": 1}),
]


def _shares(value: object) -> tuple[tuple[int, Decimal], ...]:
    if isinstance(value, tuple):
        return value
    if not isinstance(value, Mapping) or not value:
        raise fault("must be a mapping of times to shares", '"12:00": 0.5', value=shape(value))
    found: dict[int, Decimal] = {}
    for clock, share in value.items():
        try:
            at = parse_clock(str(clock))
        except ValueError as error:
            raise fault(str(error), _CLOCK, value=str(clock), path=(str(clock),), at_key=True) from None
        found[at] = _share_at(str(clock), share)
    ordered = sorted(found.items())
    for (_, less), (at, more) in pairwise(ordered):
        if more < less:
            key = next(str(clock) for clock in value if parse_clock(str(clock)) == at)
            raise fault("is less than the share before it", "shares that do not fall", path=(key,))
    return tuple(ordered)


def _share_at(clock: str, share: object) -> Decimal:
    try:
        number: Decimal = _SHARE.func(share)  # type: ignore[call-arg, assignment]
    except Exception:
        raise fault("no share", "numbers from 0 to 1", value=shape(share), path=(clock,)) from None
    return number


#: (ms since midnight, share) in order of time.
Shares = Annotated[
    tuple[tuple[int, Decimal], ...],
    BeforeValidator(_shares),
    PlainSerializer(lambda shares: {format_clock(at): format_ratio(share) for at, share in shares}),
    WithJsonSchema(
        {
            "type": "object",
            "patternProperties": {_CLOCK_PATTERN: {"type": ["number", "string"]}},
            "additionalProperties": False,
            "minProperties": 1,
        }
    ),
]
#: In how many pieces a payment is told.
Pieces = Annotated[int, whole(2, MOST_PIECES), WithJsonSchema(_WHOLE_SCHEMA)]
#: How many candidates an adaptive bank moves at once.
CandidateStep = Annotated[int, whole(1, 100), WithJsonSchema(_WHOLE_SCHEMA)]


def _parameters(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise fault("must be a mapping of names to values", "name: value", value=shape(value))
    for key, item in value.items():
        if not str(key).isidentifier():
            raise fault("not a name in Python", "letters, digits and _", value=str(key), path=(str(key),), at_key=True)
        _plain(item, (str(key),))
    return {str(key): _as_told(item) for key, item in value.items()}


def _plain(item: object, path: tuple[str | int, ...]) -> None:
    if isinstance(item, Mapping):
        for key, inner in item.items():
            _plain(inner, (*path, str(key)))
    elif isinstance(item, list | tuple):
        for place, inner in enumerate(item):
            _plain(inner, (*path, place))
    elif item is not None and not isinstance(item, str | bool | int | float | Decimal):
        raise fault("cannot be written in a scenario", "text, numbers, true, false, lists, mappings", path=path)


def _as_told(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {str(key): _as_told(inner) for key, inner in item.items()}
    if isinstance(item, list | tuple):
        return [_as_told(inner) for inner in item]
    return str(item) if isinstance(item, Decimal) else item


#: Parameters of an own policy, as they were written.
Parameters = Annotated[dict[str, Any], BeforeValidator(_parameters), WithJsonSchema({"type": "object"})]
