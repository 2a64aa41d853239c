"""YAML 1.2 in which text stays text: bank codes, times and `no` are never turned into numbers or booleans.

Only `null`, `~` and nothing at all become None; the type of each field decides later how its text is read. The tree is
built from the parser's events, not from its documents, so that an alias is refused at its own place and before
anything is multiplied, and deep nesting cannot exhaust the stack. Source: YAML 1.2.2, core schema, without anchors,
tags and several documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from cnaps_sim.scenario.places import DEEPEST, KeyPath, Node, Place, Source, dotted
from cnaps_sim.words.errors import InputError

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TAB_INDENT: Final = re.compile(r"^ *\t", re.MULTILINE)
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OTHER_ENCODINGS: Final = ((b"\xff\xfe\x00\x00", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))

# libyaml is some twenty times faster; a PyYAML built without it reads the same.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def decode(data: bytes, source: Source) -> str:
    """The text of a file. InputError, with the place of the first wrong byte, unless it is UTF-8 text."""
    for mark, name in _OTHER_ENCODINGS:
        if data.startswith(mark):
            raise InputError(str(Place(source)), "", f"encoded in {name}", allowed="UTF-8")
    if (at := data.find(b"\0")) >= 0:
        raise InputError(str(_place_of_byte(data, at, source)), "", "a binary file", allowed="a scenario in YAML 1.2")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place, byte = _place_of_byte(data, error.start, source), f"byte 0x{data[error.start]:02x}"
        raise InputError(str(place), "", "not UTF-8", byte, "UTF-8") from None


def read(text: str, source: Source) -> Node:
    """The tree of a scenario file. InputError unless it is one document with a mapping at its top."""
    node = read_value(text, source)
    if node.value is None:
        raise InputError(str(node.place), "", "the file is empty", allowed="a mapping of keys to values")
    if not node.is_mapping:
        found = "a list" if node.is_list else "a single value"
        raise InputError(str(node.place), "", f"holds {found}, no scenario", allowed="a mapping of keys to values")
    return node


def read_value(text: str, source: Source) -> Node:
    """The tree of one YAML value of any shape; nothing at all is None. InputError if it is not YAML 1.2."""
    _refuse_characters(text, source)
    try:
        return _Tree(text, source).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)
        words = error.problem or error.context or "it cannot be parsed"
        raise InputError(str(place), "", f"not YAML: {words}") from None
    except yaml.YAMLError:
        raise InputError(str(Place(source)), "", "not YAML") from None


class _Tree:
    """Builds nodes from parser events, one document only."""

    def __init__(self, text: str, source: Source) -> None:
        self._source = source
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Node:
        next(self._events)  # the stream begins
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, Place(self._source))
        node = self._node(next(self._events), (), None)
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refusal(after, (), "a second document begins", allowed="one document a file")
        return node

    def _place(self, event: Any) -> Place:
        return Place(self._source, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refusal(self, event: Any, path: KeyPath, problem: str, value: str = "", allowed: str = "") -> InputError:
        return InputError(str(self._place(event)), dotted(path), problem, value, allowed)

    def _node(self, event: Any, path: KeyPath, key_place: Place | None) -> Node:
        self._refuse_shorthand(event, path)
        if len(path) > DEEPEST:
            raise self._refusal(event, (), "nested too deep", allowed=f"at most {DEEPEST} levels")
        place = self._place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._mapping(path), place, key_place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._sequence(path), place, key_place)
        is_null = event.implicit[0] and event.value in _NULLS
        return Node(None if is_null else event.value, place, key_place)

    def _refuse_shorthand(self, event: Any, path: KeyPath) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._refusal(event, path, "an alias", f"*{event.anchor}", "the value itself, written out")
        if event.anchor is not None:
            raise self._refusal(event, path, "an anchor", f"&{event.anchor}", "the value alone")
        if event.tag is not None:
            raise self._refusal(event, path, "a tag", event.tag, "the value alone")

    def _sequence(self, path: KeyPath) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), None))
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Node]:
        children: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._refuse_shorthand(event, path)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refusal(event, path, "a key that is no text", allowed="a word followed by a colon")
            key: str = event.value
            here = (*path, key)
            if (first := children.get(key)) is not None and first.key_place is not None:
                problem = f"given twice, first on line {first.key_place.line}"
                raise self._refusal(event, here, problem, allowed="each key once")
            children[key] = self._node(next(self._events), here, self._place(event))
        return children


def _place_of_byte(data: bytes, at: int, source: Source) -> Place:
    line_start = data.rfind(b"\n", 0, at) + 1
    column = len(data[line_start:at].decode("utf-8", "replace")) + 1
    return Place(source, data.count(b"\n", 0, at) + 1, column)


def _place_of_character(text: str, at: int, source: Source) -> Place:
    return Place(source, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _refuse_characters(text: str, source: Source) -> None:
    if match := _UNPRINTABLE.search(text):
        place, code = _place_of_character(text, match.start(), source), f"U+{ord(match[0]):04X}"
        raise InputError(str(place), "", "a control character", code, "printable text")
    if match := _TAB_INDENT.search(text):
        place = _place_of_character(text, text.index("\t", match.start()), source)
        raise InputError(str(place), "", "a tab in the indentation", allowed="spaces")
