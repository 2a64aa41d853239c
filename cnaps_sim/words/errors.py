"""Errors: what a caller did wrong, and what an audit found.

A payment that the system refuses is an *outcome* (see `codes.Reason`), never an exception. A mistake of the
person who called us is an `InputError`; a bug of ours is an `assert`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class CnapsError(Exception):
    """The common ancestor of every exception that this package raises on purpose."""


class InputError(CnapsError):
    """Something the user gave is wrong: one place, one key, one sentence.

    place:   `file:line[:column]`, `--option`, `scenario` or the name of an argument
    key:     the field, column or option concerned ("" if none)
    problem: what is wrong, in words
    value:   the offending value as text ("" if none); what is no text or number is named, such as "a list"
    allowed: what would have been right ("" if that cannot be said)
    """

    def __init__(self, place: str, key: str, problem: str, value: object = "", allowed: str = "") -> None:
        self.place = place
        self.key = key
        self.problem = problem
        self.value = _one_line(value)
        self.allowed = allowed
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The one line that a person reads: `PLACE: KEY: what is wrong (VALUE); allowed: …`."""
        text = ": ".join(part for part in (self.place, self.key, self.problem) if part)
        if self.value:
            text += f" ({self.value})"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        return " ".join(text.split())

    def as_dict(self) -> dict[str, str]:
        """The same as the `error` object of `--json`."""
        return {
            "place": self.place,
            "key": self.key,
            "problem": self.problem,
            "value": self.value,
            "allowed": self.allowed,
        }

    def __reduce__(self) -> tuple[object, ...]:
        return (InputError, (self.place, self.key, self.problem, self.value, self.allowed))


class AuditError(CnapsError):
    """The auditor found that a result breaks a rule. `breaches` lists one sentence per breach."""

    def __init__(self, breaches: list[str]) -> None:
        self.breaches = breaches
        super().__init__("; ".join(breaches[:5]) + ("" if len(breaches) <= 5 else f"; and {len(breaches) - 5} more"))

    def __reduce__(self) -> tuple[object, ...]:
        return (AuditError, (self.breaches,))


def nearest(word: str, choices: Iterable[str], count: int = 3) -> str:
    """The `count` choices that look most like `word`, as a comma-separated list for `allowed`."""
    known = list(dict.fromkeys(choices))
    close = difflib.get_close_matches(word, known, n=count, cutoff=0.0)
    return ", ".join(close)


def _plain(value: object) -> str:
    """How a wrong value is shown to who may know no Python: itself if it is a scalar, else what it is."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple | set | frozenset) else str(value)


def _one_line(value: object) -> str:
    text = " ".join(_plain(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
