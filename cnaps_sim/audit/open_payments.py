"""Open payments: the terms of payments that are announced and not yet final.

Payments of a flow are read from their chunk until the books have acted on every one of them; those that then
still wait, and the central bank's bookings, stand on a shelf. Settled payments leave one byte behind.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.standing import Standing, StandingTable

#: One payment as the auditor knows it. `ordinal` counts the entries into its queue (see `queues`).
TERMS: Final = np.dtype(
    [
        ("sequence", np.int64),
        ("time_ms", np.int64),
        ("amount", np.int64),  # fen
        ("ordinal", np.int64),
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("level", np.int8),  # of the queue it stands in, or will
        ("refusal", np.int8),
        ("special", np.bool_),
        ("standing", np.uint8),
    ],
    align=True,
)
_OF_FLOW: Final = ("time_ms", "amount", "debtor", "creditor", "level", "refusal", "special")

#: By standing: open; open and no longer as announced.
_OPEN: Final = np.array([Standing.UNKNOWN < standing < Standing.SETTLED for standing in Standing])
_ON_THE_WAY: Final = np.array([Standing.ANNOUNCED < standing < Standing.SETTLED for standing in Standing])

#: A structured array of `TERMS`, or of the fields of a flow.
Rows = NDArray[Any]


_Places = NDArray[np.int64]
_NOWHERE: Final[_Places] = np.zeros(0, np.int64)


class _Chunk:
    """A chunk of a flow, until the books have acted on every payment of it."""

    def __init__(self, rows: Rows, first: int) -> None:
        self.rows = rows
        self.first = first
        self.untouched = len(rows)

    def inside(self, sequences: NDArray[np.int64]) -> slice:
        """Which of these ascending sequences belong to the chunk."""
        start, stop = np.searchsorted(sequences, (self.first, self.first + len(self.rows)))
        return slice(int(start), int(stop))


def _words(rows: Rows) -> NDArray[np.int64]:
    """Rows of TERMS as rows of whole words: NumPy copies these much faster than records."""
    return rows.view(np.int64).reshape(len(rows), TERMS.itemsize // 8)


def _span(places: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Ascending places as a slice where none is left out, which spares a gather."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first + 1 == len(places) else places


class _Shelf:
    """Open payments in ascending order of sequence; final ones are cleared away when they are many."""

    def __init__(self) -> None:
        self._space = np.empty(256, TERMS)
        self._keys = np.empty(256, np.int64)  # their sequences once more, side by side for the search
        self._used = 0
        self._final = 0

    @property
    def rows(self) -> Rows:
        return self._space[: self._used]

    def add(self, rows: Rows) -> None:
        """Put more payments on the shelf; usually their sequences follow the last one."""
        if not len(rows):
            return
        if self._final > 1024 and 2 * self._final > self._used:
            self._clear()
        ordered = not self._used or rows["sequence"][0] > self._keys[self._used - 1]
        used = self._used + len(rows)
        if used > len(self._space):
            self._space = np.concatenate((self.rows, np.empty(2 * used - self._used, TERMS)))
            self._keys = np.concatenate((self._keys[: self._used], np.empty(2 * used - self._used, np.int64)))
        self._space[self._used : used] = rows
        self._used = used
        if not ordered:
            self.rows[:] = self.rows[np.argsort(self.rows["sequence"], kind="stable")]
            self._keys[:used] = self.rows["sequence"]
        else:
            self._keys[used - len(rows) : used] = rows["sequence"]

    def find(self, sequences: NDArray[np.int64], asked: NDArray[np.bool_]) -> tuple[_Places, _Places]:
        """Which of the ascending sequences `asked` for are here, and at which places."""
        if not self._used or not len(sequences):
            return _NOWHERE, _NOWHERE
        keys = self._keys[: self._used]
        start, stop = np.searchsorted(sequences, (keys[0], keys[-1] + 1)).tolist()
        rows = start + np.flatnonzero(asked[start:stop])
        place = np.searchsorted(keys, sequences[rows])
        here = keys[place] == sequences[rows]
        return rows[here], place[here]

    def count_final(self, count: int) -> None:
        """Remember that so many payments of the shelf became final."""
        self._final += count

    def _clear(self) -> None:
        still_open = self.rows[self.rows["standing"] < Standing.SETTLED]
        self._used = len(still_open)
        self._space = np.concatenate((still_open, np.empty(max(256, self._used), TERMS)))
        self._keys = np.ascontiguousarray(self._space["sequence"])
        self._final = 0


class OpenPayments:
    """Every announced payment: its standing for ever, its terms while it is open."""

    def __init__(self) -> None:
        self.standing = StandingTable()
        self._chunks: list[_Chunk] = []
        self._queued = _Shelf()
        self._bookings = _Shelf()

    def announce_flow(self, rows: Rows, first: int) -> int:
        """A chunk of a flow; answers how many of its sequences had been announced before."""
        self._chunks.append(_Chunk(rows, first))
        return self.standing.announce(first, len(rows))

    def announce_bookings(self, terms: Rows) -> int:
        """Bookings (rows of TERMS with consecutive sequences); answers how many had been announced before."""
        known = self.standing.announce(int(terms["sequence"][0]), len(terms))
        if not known:
            self._bookings.add(terms)
        return known

    def terms(self, sequences: NDArray[np.int64], standing: NDArray[np.uint8]) -> Rows:
        """Terms of ascending sequences that stand so; those of payments that are not open are zero."""
        terms = np.zeros(len(sequences), TERMS)
        for chunk in self._chunks:
            part = chunk.inside(sequences)
            rows = part.start + np.flatnonzero(standing[part] == Standing.ANNOUNCED)
            if len(rows):
                to, source = _span(rows), _span(sequences[rows] - chunk.first)
                for name in _OF_FLOW:
                    terms[name][to] = chunk.rows[name][source]
        for shelf, possible in ((self._queued, _ON_THE_WAY), (self._bookings, _OPEN)):
            at, place = shelf.find(sequences, possible[standing])
            _words(terms)[at] = _words(shelf.rows)[place]
        terms["sequence"] = sequences
        terms["standing"] = standing
        return terms

    def update(self, terms: Rows, before: NDArray[np.uint8]) -> None:
        """Take over the new standing, level and ordinal of payments (ascending) that stood `before`."""
        sequences = np.ascontiguousarray(terms["sequence"])
        after = terms["standing"]
        self.standing.write(sequences, after)
        from_flow = before == Standing.ANNOUNCED
        for shelf, possible in ((self._queued, _ON_THE_WAY), (self._bookings, _OPEN)):
            at, place = shelf.find(sequences, possible[before])
            _words(shelf.rows)[place] = _words(terms)[at]
            shelf.count_final(int(np.count_nonzero(after[at] >= Standing.SETTLED)))
            from_flow[at] = False  # it is on its shelf already
        self._queued.add(_words(terms)[from_flow & _ON_THE_WAY[after]].view(TERMS).reshape(-1))
        for chunk in self._chunks:
            chunk.untouched -= int(np.count_nonzero(from_flow[chunk.inside(sequences)]))
        self._chunks = [chunk for chunk in self._chunks if chunk.untouched > 0]

    def waiting(self, at: NDArray[np.bool_]) -> Rows:
        """Terms of the payments that wait in the queues chosen (`at[debtor * 8 + level]`), in queue order."""
        found = []
        for shelf in (self._queued, self._bookings):
            rows = shelf.rows
            there = np.flatnonzero(rows["standing"] == Standing.WAITING)
            there = there[at[rows["debtor"][there].astype(np.int64) * 8 + rows["level"][there]]]
            found.append(_words(rows)[there])
        words = np.concatenate(found)
        ordinal = words.view(TERMS).reshape(-1)["ordinal"]
        return words[np.argsort(ordinal, kind="stable")].view(TERMS).reshape(-1)
