"""Reading: the values of a document that its schema has passed, by walking the children directly.

No path expressions: a reader takes the children of an element by name and each value by its kind. Everything here
expects what the schema allows; a missing element is a KeyError, which `validate.check` makes impossible.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from lxml import etree

Element = etree._Element


class _LocalNames(dict[str, str]):
    """`{namespace}Name` to `Name`, each worked out once."""

    def __missing__(self, tag: str) -> str:
        name = tag.rpartition("}")[2]
        if len(self) < 20_000:
            self[tag] = name
        return name


_LOCAL = _LocalNames()


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return _LOCAL[element.tag]


def children(element: Element) -> dict[str, Element]:
    """The children by name; of a repeated one the last, so repeated ones are walked with `for child in element`."""
    local = _LOCAL
    return {local[child.tag]: child for child in element}


def text(element: Element | None) -> str:
    """The text of an element, "" where it is empty or not there."""
    return "" if element is None else element.text or ""


def text_or_none(element: Element | None) -> str | None:
    """The text of an element, None where it is not there."""
    return None if element is None else element.text or ""


def fen(element: Element) -> int:
    """An amount of CNY with at most two decimals, in fen."""
    amount = (element.text or "").strip()
    whole, _, cents = amount.partition(".")
    return int(whole or "0") * 100 + int(cents[:2].ljust(2, "0"))


def whole(element: Element) -> int:
    """A whole number."""
    return int(element.text or "")


def flag(element: Element) -> bool:
    """`true` or `1`."""
    return (element.text or "").strip() in ("true", "1")


def date(element: Element) -> dt.date:
    """A date without a zone."""
    return _date(element.text or "")


@lru_cache(maxsize=1024)
def _date(written: str) -> dt.date:
    return dt.date.fromisoformat(written.strip())


def time(element: Element) -> dt.datetime:
    """A moment with its zone."""
    return dt.datetime.fromisoformat((element.text or "").strip())


def agent(element: Element) -> str:
    """The member id of an agent: FinInstnId/ClrSysMmbId/MmbId, which is the last of ClrSysMmbId."""
    return element[0][0][-1].text or ""


def account(element: Element) -> str:
    """The number of an account: Id/Othr/Id."""
    return element[0][0][0].text or ""


def inner_text(element: Element) -> str:
    """The text of the only value inside: of `Purp` the text of `Purp/Prtry`."""
    while len(element):
        element = element[0]
    return element.text or ""


def texts(element: Element | None) -> tuple[str, ...]:
    """The texts of all children, () where the element is not there."""
    return () if element is None else tuple([child.text or "" for child in element])
