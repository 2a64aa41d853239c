"""Compact memories: what must be known of every message of a day, in some bytes each.

Texts and bytes are remembered by a digest of 64 bits. Two that differ share one with a chance of one in ten thousand
million where a day has sixty thousand of them (n² / 2⁶⁵).
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa

_FIRST_SIZE: Final = 64
_CHUNK: Final = 65_536


def digest_of(data: bytes) -> int:
    """The digest of some bytes, 64 bits with a sign, never 0."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little", signed=True) or 1


class Digests:
    """Digests, each with as many whole numbers (int64) as it is made for; 8 bytes per number, and up to as much free.

    A table with open places: a digest stands at the first free one from where its last bits point.
    """

    def __init__(self, numbers: int = 0) -> None:
        self._numbers = numbers
        self._count = 0
        self._empty(_FIRST_SIZE)

    def __len__(self) -> int:
        return self._count

    def _empty(self, size: int) -> None:
        self._mask = size - 1
        self._digests = array("q", bytes(8 * size))
        self._columns = [array("q", bytes(8 * size)) for _ in range(self._numbers)]

    def _place(self, digest: int) -> int:
        digests, mask = self._digests, self._mask
        place = digest & mask
        while digests[place] and digests[place] != digest:
            place = (place + 1) & mask
        return place

    def add(self, digest: int, *numbers: int) -> bool:
        """Remember a digest; its numbers replace those it had. Answers whether it was new."""
        assert len(numbers) == self._numbers, "a digest has as many numbers as its table is made for"
        place = self._place(digest)
        is_new = not self._digests[place]
        if is_new and 4 * (self._count + 1) > 3 * (self._mask + 1):
            self._grow()
            place = self._place(digest)
        self._digests[place] = digest
        for column, number in zip(self._columns, numbers, strict=True):
            column[place] = number
        self._count += is_new
        return is_new

    def get(self, digest: int) -> tuple[int, ...] | None:
        """The numbers of a digest, None if it is not known."""
        place = self._place(digest)
        return tuple([column[place] for column in self._columns]) if self._digests[place] else None

    def _grow(self) -> None:
        digests, columns = self._digests, self._columns
        self._empty(2 * (self._mask + 1))
        for before, digest in enumerate(digests):
            if digest:
                place = self._place(digest)
                self._digests[place] = digest
                for column, old in zip(self._columns, columns, strict=True):
                    column[place] = old[before]


class PaymentIds:
    """The sequences of the payments that travel, by payment id: 16 bytes a payment beside the flow's own column.

    ids:  the flow's column of payment ids; sequence: row of that column
    rows: which of them travel
    """

    def __init__(self, ids: pa.Array, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self._ids = ids
        digests = np.fromiter(map(_digest_of_text, texts(ids, rows)), np.int64, len(rows))
        order = np.argsort(digests, kind="stable")
        self._digests = array("q", digests[order].tobytes())
        self._rows = array("q", rows[order].astype(np.int64, copy=False).tobytes())

    def get(self, payment_id: str) -> int:
        """The sequence of a payment, -1 if none of this id travels."""
        digest = _digest_of_text(payment_id)
        place = bisect_left(self._digests, digest)
        while place < len(self._digests) and self._digests[place] == digest:
            row = self._rows[place]
            if self._ids[row].as_py() == payment_id:
                return row
            place += 1
        return -1


def texts(ids: pa.Array, rows: np.ndarray[Any, np.dtype[np.int64]]) -> Iterable[str]:
    """The ids of some rows, one after the other."""
    for start in range(0, len(rows), _CHUNK):
        yield from ids.take(pa.array(rows[start : start + _CHUNK])).to_pylist()


def _digest_of_text(text: str) -> int:
    return digest_of(text.encode())
