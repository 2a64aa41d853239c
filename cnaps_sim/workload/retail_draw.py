"""Retail draws: the compiled loop that makes the rows of one chunk.

Random numbers are made from a key and a counter by mixing 64 bits, so that a chunk is the same whoever makes it and
when. Nothing but whole numbers is used: a draw of 32 bits times n, shifted by 32, is a number below n.

Reference: G. L. Steele, D. Lea, C. H. Flood (2014), Fast splittable pseudorandom number generators, OOPSLA; the
mixing is that of SplitMix64.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import Records
from cnaps_sim.words.units import MS_PER_SECOND
from cnaps_sim.workload.retail_chunk import CHUNK_MS, Integers

#: One system in a chunk.
PART = np.dtype(
    [
        ("times", np.uint64),  # keys of the draws
        ("classes", np.uint64),
        ("links", np.uint64),
        ("packages", np.uint64),
        ("amounts", np.uint64),
        ("first_factor", np.uint64),  # odd factors of the permutation of the strata
        ("second_factor", np.uint64),
        ("third_factor", np.uint64),
        ("mask", np.uint64),  # 2**n - 1, not below the number of strata less 1
        ("fold", np.uint64),  # about half of n
        ("strata", np.uint64),  # items of the system in the date
        ("step", np.uint64),  # POSITIONS / strata
        ("items_come", np.int64),  # items of the system in the date so far
        ("units_come", np.int64),  # units of the system in the chunk so far
        ("units_left", np.int64),
        ("first_class", np.int64),
        ("after_class", np.int64),
    ],
    align=True,
)

#: Units of one kind and one outcome in a chunk.
CLASS = np.dtype(
    [
        ("units_left", np.int64),
        ("items_left", np.int64),
        ("most_items", np.int64),  # of one unit
        ("lag_table", np.int64),  # row of the latencies, -1 where the lag is fixed
        ("fixed_lag_ms", np.int64),
        ("kind", np.int8),  # retail.RetailKind
        ("refusal", np.int8),  # codes.Refusal
    ],
    align=True,
)

#: A cell of the alias table: who pays whom (A. J. Walker (1977), ACM Trans. Math. Software 3(3)).
LINK = np.dtype(
    [
        ("threshold", np.int64),  # a draw of 32 bits below it takes the first pair, else the second
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("other_debtor", np.int32),
        ("other_creditor", np.int32),
    ],
    align=True,
)

Counts = np.ndarray[Any, np.dtype[np.int32]]

#: Seconds of a chunk.
SECONDS: Final = CHUNK_MS // MS_PER_SECOND
#: Places in a table of amounts: 12 bits for the cell, 50 inside it.
POSITIONS: Final = 2**62
_CELL_SHIFT: Final = np.uint64(50)
_FRACTION_SHIFT: Final = np.uint64(22)  # 28 bits of the place in a cell are used
_FRACTION_BITS: Final = 28
_FRACTION_MASK: Final = np.uint64(2**28 - 1)
#: A draw of 32 bits as a place in a table of latencies: 10 bits for the cell, 22 inside it.
_LAG_BITS: Final = 22
_LAG_MASK: Final = 2**22 - 1

_LOW_32: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_30: Final = np.uint64(30)
_27: Final = np.uint64(27)
_31: Final = np.uint64(31)


@clause
def mixed(key: np.uint64, counter: int) -> np.uint64:
    """64 random bits of a key and a counter."""
    bits = key + np.uint64(counter) * _GOLDEN
    bits = (bits ^ (bits >> _30)) * _MIX_1
    bits = (bits ^ (bits >> _27)) * _MIX_2
    return bits ^ (bits >> _31)


@clause
def _high(bits: np.uint64) -> int:
    return np.int64(bits >> _32)  # type: ignore[return-value]


@clause
def _low(bits: np.uint64) -> int:
    return np.int64(bits & _LOW_32)  # type: ignore[return-value]


@clause
def stratum(part: Records, item: int) -> np.uint64:
    """The stratum of an item: a permutation of the numbers below `strata`, other in every date.

    A permutation of n bits whose results outside are put through it again.
    """
    bits = np.uint64(item)
    while True:
        bits = (bits * part.first_factor + part.amounts) & part.mask
        bits ^= bits >> part.fold
        bits = (bits * part.second_factor) & part.mask
        bits ^= bits >> part.fold
        bits = (bits * part.third_factor) & part.mask
        bits ^= bits >> part.fold
        if bits < part.strata:
            return bits  # type: ignore[no-any-return]


@clause
def _next_amount(part: Records, table: Integers) -> int:
    """The amount of the system's next item, fen: one from each stratum of a date, in a random order."""
    item = part.items_come
    part.items_come = item + 1
    inside = (mixed(part.amounts, item) >> _32) * (part.step >> _32)
    position = stratum(part, item) * part.step + inside
    cell = np.int64(position >> _CELL_SHIFT)
    fraction = np.int64((position >> _FRACTION_SHIFT) & _FRACTION_MASK)
    return table[cell] + (((table[cell + 1] - table[cell]) * fraction) >> _FRACTION_BITS)  # type: ignore[no-any-return]


@clause
def _package_size(unit_class: Records, key: np.uint64, counter: int) -> int:
    """How many items the class's next unit holds, so that exactly all items are in units when none is left.

    Of the gaps between the items that are left, one fewer than the units that are left are drawn as the ends of
    packages: sizes are nearly geometric (D. E. Knuth, The Art of Computer Programming, 3.4.2, algorithm S).
    """
    after = unit_class.items_left - 1
    others = unit_class.units_left - 1
    held = 1
    while after != others and held != unit_class.most_items:
        ends = _high(mixed(key, counter + held)) * after < others << 32
        if ends and others * unit_class.most_items >= after:
            break
        held += 1
        after -= 1
    unit_class.units_left = others
    unit_class.items_left = after
    return held


@clause
def _next_class(part: Records, classes: Records, draw: int) -> int:
    """The class of the system's next unit: each unit that is left is equally likely to be next."""
    left = (draw * part.units_left) >> 32
    at = part.first_class
    while left >= classes[at].units_left:
        left -= classes[at].units_left
        at += 1
    part.units_left -= 1
    return at  # type: ignore[no-any-return]


@clause
def _lag_ms(unit_class: Records, tables: Integers, draw: int) -> int:
    """How long before its cap check the unit was submitted."""
    if unit_class.lag_table < 0:
        return unit_class.fixed_lag_ms  # type: ignore[no-any-return]
    table = tables[unit_class.lag_table]
    cell = draw >> _LAG_BITS
    return table[cell] + (((table[cell + 1] - table[cell]) * (draw & _LAG_MASK)) >> _LAG_BITS)  # type: ignore[no-any-return]


@clause
def _put_parties(row: Records, links: Records, bits: np.uint64) -> None:
    link = links[(_high(bits) * len(links)) >> 32]
    if _low(bits) < link.threshold:
        row.debtor = link.debtor
        row.creditor = link.creditor
    else:
        row.debtor = link.other_debtor
        row.creditor = link.other_creditor


@clause
def _put_unit(
    row: Records,
    time_ms: int,
    part: Records,
    classes: Records,
    links: Records,
    table: Integers,
    lag_tables: Integers,
    amounts: Integers,
    first_amount: int,
) -> None:
    """Write the system's next unit into a row, and the amounts of its items from `first_amount` on."""
    unit = part.units_come
    part.units_come = unit + 1
    bits = mixed(part.classes, unit)
    unit_class = classes[_next_class(part, classes, _high(bits))]
    row.time_ms = time_ms
    row.kind = unit_class.kind
    row.refusal = unit_class.refusal
    row.lag_ms = _lag_ms(unit_class, lag_tables, _low(bits))
    _put_parties(row, links, mixed(part.links, unit))
    held = _package_size(unit_class, part.packages, part.items_come)
    row.items = held
    if len(amounts) == 0:
        row.amount = _next_amount(part, table)
        return
    total = 0
    for place in range(first_amount, first_amount + held):
        amount = _next_amount(part, table)
        amounts[place] = amount
        total += amount
    row.amount = total


@rule
def draw_chunk(
    rows: Records,
    amounts: Integers,
    parts: Records,
    classes: Records,
    links: Records,
    amount_tables: Integers,
    lag_tables: Integers,
    arrivals: Counts,
    busy: Counts,
    begins_ms: int,
) -> int:
    """Fill the rows of a chunk in order of time, and the amounts of its items; the number of items written.

    rows:          RETAIL, one per unit of all classes
    amounts:       int64 per item, or empty if every unit holds one item: then `rows` alone tells the amounts
    parts:         PART of BEPS and of IBPS, whose counters move on
    classes:       CLASS, likewise
    amount_tables: fen, a row per system of `retail_amounts.AMOUNT_CELLS` + 1 entries
    lag_tables:    ms, rows of `retail_amounts.LAG_CELLS` + 1 entries
    arrivals:      units per system and ms: zeros of shape (2, CHUNK_MS), and zeros again afterwards
    busy:          units per second: zeros of shape (SECONDS,), and zeros again afterwards

    Times are independent and even over the chunk: they are counted ms by ms, which sorts them.
    """
    for system in range(2):
        key = parts[system].times
        for unit in range(parts[system].units_left):
            ms = (_high(mixed(key, unit)) * CHUNK_MS) >> 32
            arrivals[system, ms] += 1
            busy[ms // MS_PER_SECOND] += 1
    at = 0
    item = 0
    for second in range(SECONDS):
        if busy[second] == 0:
            continue
        busy[second] = 0
        for ms in range(second * MS_PER_SECOND, (second + 1) * MS_PER_SECOND):
            for system in range(2):
                coming = arrivals[system, ms]
                arrivals[system, ms] = 0
                for _ in range(coming):
                    row = rows[at]
                    part, table, time_ms = parts[system], amount_tables[system], begins_ms + ms
                    _put_unit(row, time_ms, part, classes, links, table, lag_tables, amounts, item)
                    item += row.items
                    at += 1
    return item
