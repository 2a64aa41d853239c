"""How wide text is on a terminal, where a Chinese sign takes two columns."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """Columns that a text takes."""
    return sum(map(_columns, text))


def cut(text: str, columns: int) -> str:
    """As much of a text as fits into so many columns, control characters left out."""
    kept, used = [], 0
    for letter in text:
        if not letter.isprintable():
            continue
        used += _columns(letter)
        if used > columns:
            break
        kept.append(letter)
    return "".join(kept)


def _columns(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
