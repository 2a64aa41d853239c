"""Faults: from what validation finds to the one sentence a person reads.

The checks of this room raise `fault(...)` and so choose their own words. What is left to pydantic itself (a missing
key, a wrong shape) is put into the same plain words here. Every way ends in one `InputError` that points at the scalar
concerned.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from cnaps_sim.scenario.places import KeyPath, Node, Place, dotted, nearest_node
from cnaps_sim.words.errors import InputError

_FAULT: Final = "fault"


def fault(
    problem: str, allowed: str = "", *, value: str | None = None, path: KeyPath = (), at_key: bool = False
) -> PydanticCustomError:
    """What a check raises.

    problem: what is wrong, in words that follow `KEY:`
    allowed: what would have been right
    value:   the offending value as text; None for the scalar found at the place
    path:    keys from the value being checked down to the one that is wrong
    at_key:  whether the key itself is wrong and not its value
    """
    context = {"problem": problem, "allowed": allowed, "value": value, "path": path, "at_key": at_key}
    return PydanticCustomError(_FAULT, "{problem}; allowed: {allowed}" if allowed else "{problem}", context)


def tag(word: str) -> str:
    """The name of one alternative of a union, written so that it can be told from the keys of a path."""
    return f"<{word}>"


def input_error(error: ValidationError, root: Node) -> InputError:
    """The first thing that is wrong, in the order of the file, as an error with a place."""
    found = [_placed(detail, root) for detail in error.errors(include_url=False)]
    place, first = min(found, key=lambda pair: _reading_order(pair[0], root))
    assert first.place == str(place)
    return first


def fault_error(error: PydanticCustomError, root: Node) -> InputError:
    """A fault raised outside validation, as an error with a place."""
    return _sentence(error.context or {}, (), error.message(), root)[1]


def _reading_order(place: Place, root: Node) -> tuple[bool, int, int]:
    return place.source != root.place.source, place.line, place.column


def _placed(detail: ErrorDetails, root: Node) -> tuple[Place, InputError]:
    context = detail.get("ctx", {}) if detail["type"] == _FAULT else {}
    return _sentence(context, _without_tags(detail["loc"]), _plain_words(detail), root)


def _sentence(context: dict[str, Any], path: KeyPath, problem: str, root: Node) -> tuple[Place, InputError]:
    path = (*path, *context.get("path", ()))
    node, depth = nearest_node(root, path)
    is_scalar = not node.is_mapping and not node.is_list
    if is_scalar:  # one scalar may stand for a list: then the list's item is the scalar itself
        path = path[:depth]
    at_key = context.get("at_key", False) and depth == len(path)
    place = node.key_place if at_key and node.key_place is not None else node.place
    value = context.get("value")
    if value is None:
        value = node.value if is_scalar and not at_key and node.value is not None else ""
    error = InputError(str(place), dotted(path), context.get("problem", problem), value, context.get("allowed", ""))
    return place, error


def _without_tags(location: tuple[int | str, ...]) -> KeyPath:
    return tuple(part for part in location if not (isinstance(part, str) and part.startswith("<")))


#: What pydantic can still find by itself, in plain words.
_PLAIN_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "frozen_instance": "cannot be changed",
    "none_required": "must be left out",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "recursion_loop": "contains itself",
}


def _plain_words(detail: ErrorDetails) -> str:
    return _PLAIN_WORDS.get(detail["type"], "not a value that can stand here")
