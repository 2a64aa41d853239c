"""Rows of a flow as plain Python numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

#: Rows turned into Python numbers at a time, because a stop at a watch line wastes the rest.
_PIECE: Final = 4096


def plain_rows(rows: Any, first: int, end: int) -> Iterator[Any]:
    """The rows first..end-1 of a structured array, or of a list of tuples, as tuples of Python numbers."""
    for start in range(first, end, _PIECE):
        piece = rows[start : min(start + _PIECE, end)]
        plain: Iterable[Any] = piece if isinstance(piece, list) else piece.tolist()
        yield from plain
