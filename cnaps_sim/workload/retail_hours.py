"""Retail hours: how the units of BEPS and IBPS spread over a retail date, exactly, chunk by chunk.

A retail date begins at 16:00 of the day before: its evening hours are those of the natural day before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from cnaps_sim.words.codes import System
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS
from cnaps_sim.workload.retail_chunk import CHUNK_MS, SLOTS, Integers
from cnaps_sim.workload.retail_terms import RetailParameters

#: A whole retail date, in the parts by which units are placed in it.
WHOLE: Final = 2**32

_SLOTS_PER_HOUR: Final = SLOTS // 24
_SWITCH_SLOT: Final = RETAIL_DATE_SWITCH_MS // CHUNK_MS


def elapsed(system: System, parameters: RetailParameters) -> Integers:
    """The part of a date's units that have come before each chunk of it, and after the last one: 0 to WHOLE."""
    if system is System.IBPS:
        weights = _by_slot(parameters.ibps_hours)
    else:
        weights = _with_lumps(_by_slot(parameters.beps_hours), parameters)
    weights = weights[_SWITCH_SLOT:] + weights[:_SWITCH_SLOT]
    total = sum(weights)
    before = [Fraction(0)]
    for weight in weights:
        before.append(before[-1] + weight)
    return np.array([math.floor(part * WHOLE / total) for part in before], dtype=np.int64)


def _by_slot(hours: Sequence[tuple[int, int, int]]) -> list[Fraction]:
    """Shares of spans of hours as weights of the chunks from 00:00 to 24:00."""
    return [
        Fraction(share, (end - begin) * _SLOTS_PER_HOUR)
        for begin, end, share in hours
        for _ in range((end - begin) * _SLOTS_PER_HOUR)
    ]


def _with_lumps(weights: list[Fraction], parameters: RetailParameters) -> list[Fraction]:
    """The same hours with the hourly lumps: a share of each in its first chunk, the rest even in the others."""
    lump = Fraction(parameters.lump_share)
    for hour in range(parameters.lump_from, min(parameters.lump_to, 24)):
        place = slice(hour * _SLOTS_PER_HOUR, (hour + 1) * _SLOTS_PER_HOUR)
        whole = sum(weights[place])
        rest = [whole * (1 - lump) / (_SLOTS_PER_HOUR - 1)] * (_SLOTS_PER_HOUR - 1)
        weights[place] = [whole * lump, *rest]
    return weights
