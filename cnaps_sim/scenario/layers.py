"""Layers: one scenario laid over the one it extends, and options laid over both.

Mappings merge key by key, anything else replaces what was there. Where several keys are different ways to say the same
thing (`alpha` or `share_of_outflow`), naming one takes the other away, or no scenario could be extended with another
choice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cnaps_sim.scenario.places import KeyPath, Node, dotted
from cnaps_sim.words.errors import InputError, nearest

#: Keys that exclude each other, by the path of their mapping (`*` is any position of a list).
CHOICES: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("liquidity",): ("alpha", "share_of_outflow", "from"),
    ("accounts",): ("file", "generate"),
    ("workload", "*"): ("file", "messages", "payments", "generator"),
}
#: Keys that stay when the choice beside them changes: they say nothing about it.
_INDEPENDENT: Final = frozenset({"system"})
#: Keys by whose value an item of a list may be called instead of by its number.
_NAMING_KEYS: Final = ("account", "payment_id", "name")


def laid_over(base: Node, top: Node, path: KeyPath = ()) -> Node:
    """`top` over `base`: where both are mappings key by key, else `top`."""
    if not (base.is_mapping and top.is_mapping):
        return top
    merged = _without_other_choice(base, set(top.value), path)
    for key, child in top.value.items():
        under = merged.child(key)
        merged = merged.with_child(key, child if under is None else laid_over(under, child, (*path, key)))
    return replace(merged, place=top.place, key_place=top.key_place)


def overridden(root: Node, key: str, value: Node) -> Node:
    """`root` with the value at a dotted path replaced. InputError, placed at `value`, if the path leads nowhere."""
    if not key or any(not part for part in key.split(".")):
        raise InputError(
            str(value.place), key, "not a path of keys", allowed="KEY=VALUE such as hvps.discipline=bypass"
        )
    return _replaced(root, key.split("."), (), value)


def path_of(root: Node, key: str) -> KeyPath:
    """Where a dotted path leads: items of a list by number, however they are called. What is not there stays as it is
    written."""
    parts = key.split(".")
    path: KeyPath = ()
    node: Node | None = root
    while parts:
        step: str | int = parts[0]
        used = 1
        if node is not None and node.is_list:
            try:
                step, used = _position(node, parts, path, root)
            except InputError:
                return (*path, *parts)
        path, parts, node = (*path, step), parts[used:], None if node is None else node.child(step)
    return path


def other_choices(path: KeyPath) -> tuple[str, ...]:
    """The keys that exclude the last one of a path: other ways to say the same thing."""
    above = tuple("*" if isinstance(part, int) else part for part in path[:-1])
    choices = CHOICES.get(above, ())
    return tuple(key for key in choices if key != path[-1]) if path[-1] in choices else ()


def _replaced(node: Node, parts: list[str], path: KeyPath, value: Node) -> Node:
    if not parts:
        return value
    if node.is_list:
        position, used = _position(node, parts, path, value)
        item = _replaced(node.value[position], parts[used:], (*path, position), value)
        return node.with_child(position, item)
    if not node.is_mapping:
        if node.value is not None:
            problem = f"there is nothing below {dotted(path)}"
            raise InputError(str(value.place), dotted((*path, *parts)), problem, node.value)
        node = Node({}, value.place, value.place)
    key = parts[0]
    node = _without_other_choice(node, {key}, path)
    under = node.child(key) or Node(None, value.place, value.place)
    return node.with_child(key, _replaced(under, parts[1:], (*path, key), value))


def _without_other_choice(node: Node, named: set[str], path: KeyPath) -> Node:
    """The mapping without the choice that one of the keys in `named` replaces, and without what belonged to it."""
    choices = CHOICES.get(tuple("*" if isinstance(part, int) else part for part in path), ())
    chosen = named.intersection(choices)
    if not chosen or not any(key in node.value for key in choices) or any(key in node.value for key in chosen):
        return node
    return replace(node, value={key: child for key, child in node.value.items() if key in _INDEPENDENT})


def _position(node: Node, parts: list[str], path: KeyPath, value: Node) -> tuple[int, int]:
    """The item of a list that the first parts of a path call, by number or name, and how many parts that took.

    A name may contain dots, so the longest one that is an item's name is taken.
    """
    if parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10 and int(parts[0]) < len(node.value):
        return int(parts[0]), 1
    names = _names(node)
    for used in range(len(parts), 0, -1):
        if (position := names.get(".".join(parts[:used]))) is not None:
            return position, used
    key = dotted((*path, *parts))
    if not node.value:
        raise InputError(str(value.place), key, f"{dotted(path)} is an empty list")
    allowed = f"0 to {len(node.value) - 1}" + (f", {nearest(parts[0], names)}" if names else "")
    raise InputError(str(value.place), key, "no such item", parts[0], allowed)


def _names(node: Node) -> dict[str, int]:
    names: dict[str, int] = {}
    for position, item in enumerate(node.value):
        for key in _NAMING_KEYS:
            name = item.child(key)
            if name is not None and isinstance(name.value, str):
                names.setdefault(name.value, position)
                break
    return names
