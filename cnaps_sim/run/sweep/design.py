"""Designs of a study: at which points of its keys the scenario is played."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from cnaps_sim.scenario.vary import Design, VaryTerms
from cnaps_sim.words.streams import Streams

#: A range is divided into at least this many steps, so that values in it read well.
_STEPS: Final = Decimal(1_000_000)
#: The stream that places the points of a Latin hypercube or of a scrambled Sobol sequence.
_STREAM: Final = "sweep.design"

#: One value per key, as a scenario file has it.
Point = tuple[Any, ...]


def points_of(vary: VaryTerms, seed: int) -> list[Point]:
    """The points of a study, in order. Every combination: the last key changes fastest.

    seed: places the points of a design; the same seed gives the same points
    """
    if vary.design is Design.FULL:
        return list(itertools.product(*vary.keys.values()))
    assert vary.points is not None
    unit = _unit_points(vary.design, len(vary.keys), vary.points, seed)
    return [tuple(map(_value_at, vary.keys.values(), row)) for row in unit]


def _unit_points(design: Design, keys: int, count: int, seed: int) -> list[list[float]]:
    """Points from 0 to below 1 in each key."""
    from scipy.stats import qmc  # takes most of a second to load

    kind = qmc.Sobol if design is Design.SOBOL else qmc.LatinHypercube
    points: list[list[float]] = kind(keys, rng=Streams(seed)[_STREAM]).random(count).tolist()
    return points


def _value_at(values: list[Any] | Mapping[str, str], share: float) -> Any:
    """The value at a share of a list or of a range; a range between whole numbers has whole numbers alone."""
    if isinstance(values, list):
        return values[int(share * len(values))]
    low, high, at = Decimal(values["from"]), Decimal(values["to"]), Decimal(share)
    if _is_whole(values["from"]) and _is_whole(values["to"]) and high - low > 1:
        return str(int(low) + int(at * (high - low + 1)))
    step = Decimal(1).scaleb(((high - low) / _STEPS).adjusted())
    text = format((low + at * (high - low)).quantize(step, ROUND_HALF_EVEN), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()
