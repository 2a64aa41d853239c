"""Standing: where each payment stands, and which act may take it from there.

One byte per payment is all the auditor keeps of those that are final.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.words.codes import Act

_PAGE_BITS: Final = 18


class Standing(IntEnum):
    """Where a payment stands between two acts of the books."""

    UNKNOWN = 0  # no such payment was announced
    ANNOUNCED = 1  # the auditor was told of it, the books have not acted on it
    HELD = 2  # in the sending bank's outbox
    SUBMITTED = 3  # it has left the outbox, and the books owe it an act
    WAITING = 4  # in a settlement queue (清算排队)
    SETTLED = 5
    REFUSED = 6
    CANCELLED = 7
    RETURNED = 8

    @property
    def words(self) -> str:
        return {0: "never announced", 1: "announced", 4: "queued"}.get(self.value, self.name.lower())


#: Standing after each act.
AFTER: Final = np.zeros(16, np.uint8)
#: `ALLOWED[standing, act]`: may this act follow?
ALLOWED: Final = np.zeros((len(Standing), 16), np.bool_)

_MOVES = (Act.MOVED_TO_HEAD, Act.MOVED_TO_TAIL, Act.LEVEL_CHANGED)
_FATE = {
    Act.SETTLED: Standing.SETTLED,
    Act.QUEUED: Standing.WAITING,
    Act.REFUSED: Standing.REFUSED,
    Act.CANCELLED: Standing.CANCELLED,
    Act.RETURNED: Standing.RETURNED,
    Act.HELD: Standing.HELD,
    Act.SUBMITTED: Standing.SUBMITTED,
    **dict.fromkeys(_MOVES, Standing.WAITING),
}
_NEXT = {
    Standing.ANNOUNCED: (Act.SETTLED, Act.QUEUED, Act.REFUSED, Act.HELD),
    Standing.HELD: (Act.SUBMITTED,),
    Standing.SUBMITTED: (Act.SETTLED, Act.QUEUED, Act.REFUSED),
    Standing.WAITING: (Act.SETTLED, Act.REFUSED, Act.CANCELLED, Act.RETURNED, *_MOVES),
}
for _act, _standing in _FATE.items():
    AFTER[_act] = _standing
for _standing, _acts in _NEXT.items():
    ALLOWED[_standing, list(_acts)] = True


class StandingTable:
    """The standing of every sequence number, one byte each, in pages so that numbers may lie far apart."""

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.uint8]] = {}

    def read(self, sequences: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Standing of ascending sequences; what was never announced is `UNKNOWN`."""
        found = np.zeros(len(sequences), np.uint8)
        for part, page, places in self._parts(sequences):
            if page in self._pages:
                found[part] = self._pages[page][places]
        return found

    def write(self, sequences: NDArray[np.int64], standing: NDArray[np.uint8]) -> None:
        """Set the standing of ascending sequences."""
        for part, page, places in self._parts(sequences):
            self._page(page)[places] = standing[part]

    def announce(self, first: int, count: int) -> int:
        """Mark `count` numbers from `first` as announced; answers how many of them were known before."""
        known = 0
        sequence = first
        while sequence < first + count:
            page, place = divmod(sequence, 1 << _PAGE_BITS)
            some = min(first + count - sequence, (1 << _PAGE_BITS) - place)
            places = self._page(page)[place : place + some]
            known += int(np.count_nonzero(places))
            places[places == Standing.UNKNOWN] = Standing.ANNOUNCED
            sequence += some
        return known

    def all_in(self, standing: Standing) -> Iterator[int]:
        """Every sequence that has this standing, ascending."""
        for page in sorted(self._pages):
            for place in np.flatnonzero(self._pages[page] == standing):
                yield (page << _PAGE_BITS) + int(place)

    def count(self, standing: Standing) -> int:
        """How many payments have this standing."""
        return sum(int(np.count_nonzero(places == standing)) for places in self._pages.values())

    def _page(self, page: int) -> NDArray[np.uint8]:
        if page not in self._pages:
            self._pages[page] = np.zeros(1 << _PAGE_BITS, np.uint8)
        return self._pages[page]

    @staticmethod
    def _parts(sequences: NDArray[np.int64]) -> Iterator[tuple[slice, int, NDArray[np.int64]]]:
        """Cut ascending sequences where the page changes: which of them, page, places inside it."""
        if not len(sequences):
            return
        pages = sequences >> _PAGE_BITS
        cuts = [0, *(np.flatnonzero(np.diff(pages)) + 1).tolist(), len(sequences)]
        for start, stop in pairwise(cuts):
            page = int(pages[start])
            yield slice(start, stop), page, sequences[start:stop] - (page << _PAGE_BITS)
