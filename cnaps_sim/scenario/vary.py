"""Variation: which keys of a scenario a study changes, and to what.

Either a mapping of dotted keys to lists of values, every combination of which is played, or a design with its keys:

    vary: {liquidity.alpha: [0, 0.5, 1], hvps.discipline: [fifo, bypass]}
    vary: {design: sobol, points: 32, keys: {liquidity.alpha: {from: 0, to: 1}}}

Values are kept as the text a scenario file would have, so that none is changed by being read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from numbers import Integral, Real
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.quantities import whole
from cnaps_sim.scenario.terms import OneOf, Terms, shape
from cnaps_sim.words.errors import InputError

#: More points or replications than this nobody waits for.
MOST_POINTS: Final = 100_000
MOST_REPLICATIONS: Final = 1_000_000

_FORM: Final = "a list of values, or {from: 0, to: 1} in a design"
_RANGE: Final = frozenset({"from", "to"})
_LONG_FORM: Final = frozenset({"design", "points", "keys"})
_POINTS_SCHEMA: Final = {"type": "integer", "minimum": 1}


class Design(StrEnum):
    """How the points of a study are chosen."""

    FULL = "full"  # every combination
    LATIN_HYPERCUBE = "latin-hypercube"
    SOBOL = "sobol"


def as_written(value: object) -> Any:
    """A value as a scenario file has it: text, None, lists and mappings of them. ValueError for what no file has."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return {str(key): as_written(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [as_written(child) for child in value]
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise ValueError("no finite number")
        return repr(float(value))
    return str(value)


def _read_keys(given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise fault("must be a mapping of keys to values", "liquidity.alpha: [0, 0.5, 1]", value=shape(given))
    return {str(key): _read_values(str(key), values) for key, values in given.items()}


def _read_values(key: str, values: object) -> Any:
    if isinstance(values, Mapping):
        return _read_range(key, values)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise fault("must be a list of values", _FORM, value=shape(values), path=(key,))
    try:
        read = [as_written(value) for value in values]
    except ValueError as error:
        raise fault(str(error), _FORM, value=shape(values), path=(key,)) from None
    if not read:
        raise fault("an empty list", "at least one value", value="[]", path=(key,))
    for place, value in enumerate(read):
        if value in read[:place]:
            raise fault("given twice", "each value once", value=label(value), path=(key, place))
    return read


def _read_range(key: str, values: Mapping[Any, Any]) -> dict[str, str]:
    if set(values) != _RANGE:
        raise fault("is no range", _FORM, value="a mapping", path=(key,))
    try:
        low, high = (Decimal(str(as_written(values[end]))) for end in ("from", "to"))
    except (InvalidOperation, ValueError):
        raise fault("is no range of numbers", _FORM, value="a mapping", path=(key,)) from None
    if not (low.is_finite() and high.is_finite() and low < high):
        raise fault("is no range", "from less than to", value=f"{low} to {high}", path=(key,))
    return {"from": str(low), "to": str(high)}


class VaryTerms(Terms):
    """What a study varies, and how its points are chosen.

    keys: dotted key -> list of values, or `{from, to}` of a range of numbers
    points: how many points a design has; None where every combination is played
    """

    design: Annotated[Design, OneOf.of("design", Design)] = Field(
        default=Design.FULL, description="full (every combination), latin-hypercube or sobol"
    )
    points: Annotated[int, whole(1, MOST_POINTS), WithJsonSchema(_POINTS_SCHEMA)] | None = Field(
        default=None, description="points of a design; for sobol a power of 2"
    )
    keys: Annotated[dict[str, Any], BeforeValidator(_read_keys), WithJsonSchema({"type": "object"})] = Field(
        description="dotted keys with a list of values each, or a range {from, to}"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        ranged = [key for key, values in self.keys.items() if isinstance(values, dict)]
        if self.design is Design.FULL:
            if ranged:
                raise fault("is a range, of which there are no combinations", "a list of values, or another design",
                            value="full", path=("keys", ranged[0]))  # fmt: skip
            if self.points is not None:
                raise fault("stands beside every combination", "a design: latin-hypercube or sobol", path=("points",))
            if math.prod(len(values) for values in self.keys.values()) > MOST_POINTS:
                raise fault("makes too many combinations", f"up to {MOST_POINTS:,}", path=("keys",))
        elif self.points is None:
            raise fault("is missing beside a design", "points: 32", path=("points",), value="")
        elif self.design is Design.SOBOL and self.points & (self.points - 1):
            raise fault("is no power of 2", "32, 64, 128, …", path=("points",))
        return self


def _read_vary(given: object) -> object:
    """The short form, a mapping of keys alone, as the long one."""
    if isinstance(given, Mapping) and not _LONG_FORM & set(given):
        return {"keys": given}
    return given


#: What a study varies, in either form.
Vary = Annotated[VaryTerms, BeforeValidator(_read_vary), WithJsonSchema({"type": "object"})]
Replications = Annotated[int, whole(1, MOST_REPLICATIONS), WithJsonSchema(_POINTS_SCHEMA)]


def read_vary(told: Mapping[str, Any]) -> VaryTerms:
    """What an argument varies: `{"keys": ..., "design": ..., "points": ...}`. InputError with the place `design`,
    `points` or `vary`, and with the key that is wrong."""
    try:
        return VaryTerms.model_validate(dict(told))
    except ValidationError as error:
        context = error.errors(include_url=False)[0]
        known = context.get("ctx", {})
        path = [str(part) for part in (*context["loc"], *known.get("path", ()))]
        place, key = (path[0], "") if path[:1] != ["keys"] else ("vary", ".".join(path[1:]))
        value = known.get("value")
        if value is None and place in told:
            value = told[place]
        problem = known.get("problem", context["msg"])
        raise InputError(place, key, problem, "" if value is None else value, known.get("allowed", "")) from None


def label(value: Any) -> str:
    """A value for people and for tables: text as it is, a mapping as `algorithm: multilateral, every: 30 min`."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_inner(child)}" for key, child in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return _inner(value) if isinstance(value, list | tuple) else str(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + label(value) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inner(child) for child in value) + "]"
    return label(value)
