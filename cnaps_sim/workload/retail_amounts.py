"""Retail amounts and latencies: truncated lognormal distributions as tables that whole numbers can read.

A compiled loop draws a place in a table and interpolates between two entries in whole numbers, so that the same
draw is the same amount on every processor. Every table is made once, with the quantiles of `quantiles`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.quantiles import Floats, exponential, normal_quantile
from cnaps_sim.workload.retail_chunk import Integers

#: Cells of a table of amounts and of a table of latencies; a table has one entry more.
AMOUNT_CELLS: Final = 4_096
LAG_CELLS: Final = 1_024

#: Bits of a draw of 32 that say the place in a cell of latencies; the others say the cell.
_LAG_BITS: Final = 22
#: Sums of two neighbouring entries weigh half a cell each.
_PARTS: Final = 2 * AMOUNT_CELLS
_BISECTIONS: Final = 80
_HIGHEST_FACTOR: Final = 2.0**60
_SMALLEST_PROBABILITY: Final = 1e-300
_LARGEST_PROBABILITY: Final = 1.0 - 2.0**-53


class AmountTable(NamedTuple):
    """Amounts at equal distances of probability, fen, and what each was multiplied by to reach the wanted mean."""

    entries: Integers
    factor: float


def amount_table(median_fen: int, sigma: Decimal, largest_fen: int, count: int, value_fen: int) -> AmountTable:
    """A lognormal distribution redrawn above `largest_fen`, scaled so that `count` items come to `value_fen`.

    The factor follows from the table alone, nothing need be drawn for it. Scaling never takes an amount over
    `largest_fen`: what it would take further stays there. InputError if no factor gives the value.
    """
    drawn = truncated_quantiles(median_fen, sigma, largest_fen, AMOUNT_CELLS)
    if not count:
        if value_fen:
            raise InputError("workload", "value", "cannot be the total of 0 payments", format_fen(value_fen))
        return AmountTable(_whole(drawn, largest_fen), 1.0)
    if not count <= value_fen <= count * largest_fen:
        allowed = f"from {format_fen(count)} to {format_fen(count * largest_fen)}"
        raise InputError(
            "workload", "value", f"cannot be the total of {count} payments", format_fen(value_fen), allowed
        )
    low, high = 0.0, 1.0
    while _total(_whole(drawn * high, largest_fen)) * count < value_fen * _PARTS and high < _HIGHEST_FACTOR:
        high *= 2.0
    for _ in range(_BISECTIONS):
        middle = (low + high) * 0.5
        if _total(_whole(drawn * middle, largest_fen)) * count < value_fen * _PARTS:
            low = middle
        else:
            high = middle
    return AmountTable(_whole(drawn * high, largest_fen), high)


def lag_table(median_ms: int, sigma: Decimal, limit_ms: int) -> Integers:
    """How long a reply takes that comes before its limit, at equal distances of probability: 1 to limit - 1 ms."""
    return np.clip(np.rint(truncated_quantiles(median_ms, sigma, limit_ms, LAG_CELLS)), 1, max(limit_ms - 1, 1)).astype(
        np.int64
    )


def lag_at(table: Integers, draws: Integers) -> Integers:
    """Latencies of a table for draws of 32 bits, as the compiled loop reads it, ms."""
    cells, inside = draws >> _LAG_BITS, draws & (2**_LAG_BITS - 1)
    lags: Integers = table[cells] + (((table[cells + 1] - table[cells]) * inside) >> _LAG_BITS)
    return lags


def truncated_quantiles(median: int, sigma: Decimal, largest: int, cells: int) -> Floats:
    """The quantiles of a lognormal distribution, redrawn above `largest`, at k / cells for k from 0 to `cells`."""
    probabilities = np.arange(cells + 1, dtype=np.float64) * (probability_below(median, sigma, largest) / cells)
    return np.minimum(_quantiles(probabilities, median, sigma), float(largest))


def probability_below(median: int, sigma: Decimal, largest: int) -> float:
    """The probability that a lognormal value is at most `largest`, by bisection of its quantiles."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) * 0.5
        if float(_quantiles(np.array([middle]), median, sigma)[0]) <= largest:
            low = middle
        else:
            high = middle
    return high


def _quantiles(probabilities: Floats, median: int, sigma: Decimal) -> Floats:
    inside = np.clip(probabilities, _SMALLEST_PROBABILITY, _LARGEST_PROBABILITY)
    logarithms = np.clip(normal_quantile(inside) * float(sigma), -690.0, 690.0)
    return exponential(logarithms) * float(median)


def _whole(amounts: Floats, largest_fen: int) -> Integers:
    """Fen from 1 to the largest amount."""
    return np.clip(np.rint(np.minimum(amounts, float(largest_fen))), 1.0, float(largest_fen)).astype(np.int64)


def _total(entries: Integers) -> int:
    """The mean of the interpolated table in parts of a fen: `_PARTS` of them are one fen."""
    return int(entries[:-1].sum()) + int(entries[1:].sum())
