"""Blocks: what one queue matching (排队撮合) settles happens together and stands in the log as one block.

The entries of matching N bear the cause MATCHING_CAUSE - N and follow each other without anything between them.
Only matchings that settle something stand in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Entries, Ints
from cnaps_sim.audit.open_payments import Rows
from cnaps_sim.audit.standing import Standing
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Level
from cnaps_sim.words.units import format_clock

#: Levels of the settlement queue over which matchings choose.
MATCHED_LEVELS: Final = (Level.HIGH, Level.NORMAL)
_PIECE, _WAITING = "matching-in-one-piece", "matching-takes-waiting"


class Blocks:
    """The blocks of a log that is seen stretch by stretch, no block being cut."""

    def __init__(self) -> None:
        self._highest = 0

    def see(self, log: Rows, findings: Findings) -> None:
        """`matching-in-one-piece`: the entries of a matching are settlements, follow each other and happen at one
        instant, and matchings stand in the order of their numbers, which begin at 1."""
        findings.made(_PIECE)
        cause = np.ascontiguousarray(log["cause"])
        rows = np.flatnonzero(cause <= MATCHING_CAUSE)
        if not len(rows):
            return
        number, time_ms = MATCHING_CAUSE - cause[rows], log["time_ms"][rows]
        begins = np.append(True, (np.diff(rows) != 1) | (number[1:] != number[:-1]))
        first = np.flatnonzero(begins)
        before = np.maximum.accumulate(np.append(self._highest, number[first]))
        self._highest = int(before[-1])
        findings.where(
            _PIECE,
            number[first] <= before[:-1],
            lambda k: (
                f"entries of matching {number[first[k]]} at {format_clock(int(time_ms[first[k]]))} stand apart from "
                f"others of it, or after those of matching {before[k]}"
            ),
        )
        findings.where(
            _PIECE,
            ~begins & np.append(False, time_ms[1:] != time_ms[:-1]),
            lambda k: f"matching {number[k]} settles at {format_clock(int(time_ms[k]))} what it began to settle before",
        )
        findings.where(
            _PIECE,
            log["act"][rows] != Act.SETTLED,
            lambda k: f"an entry about {log['sequence'][rows[k]]} names matching {number[k]} but is no settlement",
        )


def check_waiting(entries: Entries, matching: Ints | None, findings: Findings) -> None:
    """`matching-takes-waiting`: what a matching settles stood in the settlement queue at level 6 or 7."""
    findings.made(_WAITING)
    if matching is None:
        return
    findings.where(
        _WAITING,
        (matching != 0) & ((entries.before != Standing.WAITING) | ~np.isin(entries.level, MATCHED_LEVELS)),
        lambda k: (
            f"matching {matching[k]} settled payment {entries.sequence[k]} at {format_clock(int(entries.time_ms[k]))}, "
            f"which was {Standing(int(entries.before[k])).words} at level {entries.level[k]}"
        ),
    )


def block_start(cause: NDArray[Any], place: int) -> int:
    """The last place up to this one at which a log can be cut without cutting a block.

    At its end a log may stop inside a block, so a block that ends it counts as cut.
    """
    if not place or cause[place - 1] > MATCHING_CAUSE or (place < len(cause) and cause[place] != cause[place - 1]):
        return place
    others = np.flatnonzero(cause[:place] != cause[place - 1])
    return int(others[-1]) + 1 if len(others) else 0


def stretches(
    cause: NDArray[Any], length: int, size: int, group_start: Callable[[int], int] = int
) -> list[tuple[int, int]]:
    """Cut the first `length` entries of a log into stretches of `size` to 2 · `size`, but no block in two.

    group_start: the last place up to a given one at which no other group of entries is cut
    """
    cuts = np.linspace(0, length, 1 + max(1, length // size), dtype=np.int64).tolist()
    inner = {group_start(block_start(cause, cut)) for cut in cuts[1:-1]}
    return list(pairwise(sorted({0, *inner, length})))
