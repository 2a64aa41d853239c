"""Sums: exact totals of fen, whatever their size, and what had been added up by an instant."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.net_rows import exact_sums

Ints = NDArray[np.int64]

#: Cells that are summed as one dense array.
_DENSE: Final = 1 << 22
#: Parts that are joined to one.
_JOINED_AT: Final = 256


def exact_sum(amounts: Any) -> int:
    """A sum of int64 that cannot overflow: high and low halves apart."""
    return (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFFFFFF).sum())


class Sums:
    """Count and fen by group and step, added up part by part.

    group: small whole numbers from 0; step: whole numbers, such as minutes of a run; parallel to the amounts in fen
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Ints, Ints]] = []

    def add(self, group: NDArray[Any], step: Ints, fen: Ints) -> None:
        """Add some amounts."""
        if not len(fen):
            return
        first = int(step.min())
        span = int(step.max()) - first + 1
        cells = span * (int(group.max()) + 1)
        if span > _DENSE or cells > _DENSE:
            self._parts.append(_joined(group.astype(np.int64), step, np.ones(len(fen), np.int64), fen))
            return
        cell = group.astype(np.int64) * span + (step - first)
        count = np.bincount(cell, minlength=cells)
        summed = exact_sums(cell, fen.astype(np.float64), fen, cells)
        there = np.flatnonzero(count)
        self._parts.append((there // span, there % span + first, count[there], summed[there]))
        if len(self._parts) > _JOINED_AT:
            self._parts = [self.total()]

    def total(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Group, step, count and fen, each group and step once."""
        if not self._parts:
            nothing: Ints = np.zeros(0, np.int64)
            return nothing, nothing, nothing, nothing
        group, step, count, fen = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        return _joined(group, step, count, fen)

    def of(self, group: int, step: int) -> tuple[int, int]:
        """Count and fen of one cell."""
        groups, steps, count, fen = self.total()
        own = (groups == group) & (steps == step)
        return int(count[own].sum()), exact_sum(fen[own])

    def of_group(self, group: int) -> tuple[int, int]:
        """Count and fen of a whole group."""
        groups, _, count, fen = self.total()
        return int(count[groups == group].sum()), exact_sum(fen[groups == group])


def _joined(group: Ints, step: Ints, count: Ints, fen: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    order = np.lexsort((step, group))
    group, step = group[order], step[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(group) != 0) | (np.diff(step) != 0)
    first = np.flatnonzero(begins)
    return group[first], step[first], np.add.reduceat(count[order], first), np.add.reduceat(fen[order], first)


class Steps:
    """Step functions of time, one per group: how much has been added up by an instant, that instant included.

    group: whole numbers from 0; time_ms and change are parallel to it
    """

    def __init__(self, group: NDArray[Any], time_ms: Ints, change: Ints) -> None:
        self._first_ms, last_ms = (int(time_ms.min()), int(time_ms.max())) if len(time_ms) else (0, 0)
        self._span = last_ms - self._first_ms + 2
        keys = self._keys(group, time_ms)
        order = np.argsort(keys, kind="stable")
        self._ordered = keys[order]
        self._summed = np.append(0, np.cumsum(change[order]))

    def _keys(self, group: NDArray[Any], time_ms: Ints) -> Ints:
        """Group and time as one number; a time before all of them comes first in its group."""
        keys: Ints = np.clip(time_ms, self._first_ms - 1, self._first_ms + self._span - 2) - self._first_ms + 1
        return keys + group.astype(np.int64) * self._span

    def at(self, group: NDArray[Any], time_ms: Ints) -> Ints:
        """What has been added up in each of these groups by each of these instants."""
        reached = np.searchsorted(self._ordered, self._keys(group, time_ms), side="right")
        before = np.searchsorted(self._ordered, group.astype(np.int64) * self._span, side="left")
        return self._summed[reached] - self._summed[before]
