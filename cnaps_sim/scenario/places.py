"""Places: a scenario as a tree whose every value knows the file, line and column it was written at.

Reading, extending and overriding all work on this tree; the plain data that is validated is taken from it last, so an
error can point at the scalar that caused it, whichever file or option that scalar came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

#: Keys and list positions from the top of a scenario down to a value.
KeyPath = tuple[str | int, ...]

#: No scenario is nested deeper; a structure that contains itself is.
DEEPEST: Final = 64


@dataclass(frozen=True)
class Source:
    """Where values came from: what errors call it, the folder its relative file names start from, and whether it has
    lines to point at (a file has, an option or a Python dict has not)."""

    label: str
    folder: Path
    has_lines: bool = True


@dataclass(frozen=True)
class Place:
    """A point in a source. Line and column count from 1 and say nothing where the source has no lines."""

    source: Source
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source.label}:{self.line}:{self.column}" if self.source.has_lines else self.source.label


@dataclass(frozen=True)
class Node:
    """One value of a scenario: a mapping of nodes, a list of nodes, or anything else, which is a scalar.

    place:     where the value begins
    key_place: where the key that names it begins; None for items of a list and for the top
    """

    value: Any
    place: Place
    key_place: Place | None = None

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    def child(self, key: str | int) -> Node | None:
        """The value under a key or list position, None if there is none."""
        if self.is_mapping:
            found: Node | None = self.value.get(key)
            return found
        if self.is_list and isinstance(key, int) and 0 <= key < len(self.value):
            item: Node = self.value[key]
            return item
        return None

    def with_child(self, key: str | int, child: Node) -> Node:
        """This mapping or list with one value replaced or, in a mapping, added."""
        if self.is_list:
            assert isinstance(key, int)
            return replace(self, value=[*self.value[:key], child, *self.value[key + 1 :]])
        return replace(self, value={**self.value, key: child})


def plain(node: Node) -> Any:
    """The data of a tree: dicts, lists and scalars, without places."""
    if node.is_mapping:
        return {key: plain(child) for key, child in node.value.items()}
    if node.is_list:
        return [plain(child) for child in node.value]
    return node.value


def nearest_node(root: Node, path: KeyPath) -> tuple[Node, int]:
    """The node at `path` or, where the tree ends early, the last one on the way; and how many keys led to it."""
    node = root
    for depth, key in enumerate(path):
        child = node.child(key)
        if child is None:
            return node, depth
        node = child
    return node, len(path)


def planted(data: object, place: Place, depth: int = 0) -> Node:
    """Python data as a tree whose values all stand at one place. ValueError for keys that are no text and for
    data nested deeper than any scenario is (a structure that contains itself, for one)."""
    if depth > DEEPEST:
        raise ValueError("nested deeper than any scenario is")
    if isinstance(data, Mapping):
        for key in data:
            if not isinstance(key, str):
                raise ValueError(f"a key that is no text: {key!r}")
        return Node({key: planted(value, place, depth + 1) for key, value in data.items()}, place, place)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return Node([planted(value, place, depth + 1) for value in data], place, place)
    return Node(data, place, place)


def dotted(path: KeyPath) -> str:
    """`("accounts", 0, "balance")` as people write it: `accounts.0.balance`."""
    return ".".join(str(key) for key in path)
