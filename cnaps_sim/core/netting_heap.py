"""The cap queue (轧差排队): the units that wait for their payer's headroom, smallest first.

A pairing heap in the table of waiting units: links only, no room of its own. Adding takes constant time, taking the
smallest or any other away logarithmic time (amortised). Source: M. L. Fredman, R. Sedgewick, D. D. Sleator,
R. E. Tarjan (1986), The pairing heap: a new form of self-adjusting heap, Algorithmica 1.
"""

from __future__ import annotations

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import NOBODY, Records


@clause
def is_before(units: Records, first: int, second: int) -> bool:
    """The order of the queue: amount, then time, then number of the unit."""
    one, other = units[first], units[second]
    if one.amount != other.amount:
        return one.amount < other.amount  # type: ignore[no-any-return]
    if one.time_ms != other.time_ms:
        return one.time_ms < other.time_ms  # type: ignore[no-any-return]
    return one.unit < other.unit  # type: ignore[no-any-return]


@rule
def meld(units: Records, first: int, second: int) -> int:
    """One heap of two, by their roots; either may be NOBODY. Returns the root."""
    if first == NOBODY:
        return second
    if second == NOBODY:
        return first
    root, other = first, second
    if is_before(units, second, first):
        root, other = second, first
    child = units[root].child
    units[other].next = child
    units[other].prev = root
    if child != NOBODY:
        units[child].prev = other
    units[root].child = other
    units[root].next = NOBODY
    units[root].prev = NOBODY
    return root


@rule
def meld_siblings(units: Records, first: int) -> int:
    """One heap of a chain of siblings: melded in pairs, then all pairs from the last to the first."""
    pairs = NOBODY
    while first != NOBODY:
        one, other = first, units[first].next
        first = NOBODY
        if other != NOBODY:
            first = units[other].next
        one = meld(units, one, other)
        units[one].prev = NOBODY
        units[one].next = pairs
        pairs = one
    root = NOBODY
    while pairs != NOBODY:
        one, pairs = pairs, units[pairs].next
        units[one].next = NOBODY
        root = meld(units, root, one)
    return root


@rule
def add(positions: Records, units: Records, row: int) -> None:
    """A unit joins the cap queue of its payer."""
    unit = units[row]
    payer = positions[unit.debtor]
    unit.child = NOBODY
    unit.next = NOBODY
    unit.prev = NOBODY
    payer.heap = meld(units, payer.heap, row)
    payer.waiting_count += 1
    payer.waiting_fen += unit.amount


@rule
def take(positions: Records, units: Records, row: int) -> None:
    """A unit leaves the cap queue of its payer, wherever it stands in it."""
    unit = units[row]
    payer = positions[unit.debtor]
    below = meld_siblings(units, unit.child)
    if payer.heap == row:
        payer.heap = below
    else:
        if units[unit.prev].child == row:
            units[unit.prev].child = unit.next
        else:
            units[unit.prev].next = unit.next
        if unit.next != NOBODY:
            units[unit.next].prev = unit.prev
        payer.heap = meld(units, payer.heap, below)
    payer.waiting_count -= 1
    payer.waiting_fen -= unit.amount
