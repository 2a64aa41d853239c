"""What the keys of a study may not do: lie inside one another, be set and varied at once, have one value twice.

A point of a study sets its keys one after the other. A key that replaces what another one says, or takes its place,
would leave points that differ in name alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.scenario.layers import other_choices, path_of
from cnaps_sim.scenario.load import Loaded, from_dict, resolved_json
from cnaps_sim.scenario.places import KeyPath, Node, Place, Source, dotted, nearest_node, planted
from cnaps_sim.scenario.vary import VaryTerms, label
from cnaps_sim.words.errors import InputError

#: Arguments by which a caller sets single keys.
_ARGUMENTS: Final = ("set", "seed")


def check_keys(loaded: Loaded, vary: VaryTerms, plan: Plan, said: str = "vary") -> None:
    """Refuse keys of which one undoes another, settings that no point would keep, and values that mean the same.

    loaded: the scenario with what the caller has set; plan: of the same scenario; said: where the keys were written

    InputError with the place `said`, `set` or `seed`, and the key.
    """
    tree = planted(plan.scenario, Place(Source("scenario", loaded.base_dir, has_lines=False)))
    paths = [path_of(tree, key) for key in plan.keys]
    for one, other in itertools.combinations(range(len(plan.keys)), 2):
        problem = _trouble(plan.keys[one], paths[one], paths[other])
        if problem:
            raise InputError(said, plan.keys[other], problem, "", "one of the two")
    for key in plan.keys:
        _check_settings(loaded.root, key)
    _check_values(plan, vary, said)


def _trouble(first: str, at: KeyPath, there: KeyPath) -> str:
    """What is wrong with a key that varies beside `first`; "" if nothing is."""
    if at == there:
        return f"is the same key as {first}"
    if there[: len(at)] == at:
        return f"lies inside {first}, which varies too"
    if at[: len(there)] == there:
        return f"holds {first}, which varies too"
    return f"contradicts {first}, which varies too" if _excludes(at, there) else ""


def _excludes(at: KeyPath, there: KeyPath) -> bool:
    """Whether the keys are, or lie inside, different ways to say one thing."""
    depth = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(at, there, strict=False)))
    return str(there[depth]) in other_choices(at[: depth + 1])


def _check_settings(root: Node, key: str) -> None:
    """Refuse what the caller has set where each point sets something else."""
    path = path_of(root, key)
    for depth in range(1, len(path) + 1):
        choices = [path[:depth]] if depth == len(path) else []
        choices += [(*path[: depth - 1], other) for other in other_choices(path[:depth])]
        for place in choices:
            for lost, node in _below(root, place):
                source = node.place.source
                if not source.has_lines and source.label in _ARGUMENTS:
                    name = "" if source.label == dotted(lost) else dotted(lost)
                    problem = f"has no effect beside {key}, which varies"
                    raise InputError(source.label, name, problem, label(node.value), "one of the two")


def _below(root: Node, path: KeyPath) -> Iterator[tuple[KeyPath, Node]]:
    """The scalars at a path and below it."""
    node, depth = nearest_node(root, path)
    if depth < len(path):
        return
    if node.is_mapping or node.is_list:
        for key in node.value if node.is_mapping else range(len(node.value)):
            yield from _below(root, (*path, key))
    elif node.value is not None:
        yield path, node


def _check_values(plan: Plan, vary: VaryTerms, said: str) -> None:
    """Refuse values of a key that are spelt differently and read the same, such as `0` and `0.0`."""
    first = plan.points[0]
    for number, (key, values) in enumerate(vary.keys.items()):
        read: dict[str, Any] = {}
        for place, value in enumerate(values if isinstance(values, list) else ()):
            point = (*first[:number], value, *first[number + 1 :])
            try:
                loaded = from_dict(plan.scenario, list(zip(plan.keys, point, strict=True)), said="vary")
            except InputError:
                continue  # the points are checked one by one later on, with what stands beside the value
            text = resolved_json(loaded.scenario)
            if text in read:
                problem = f"is the same value as {label(read[text])}"
                raise InputError(said, f"{key}.{place}", problem, label(value), "each value once")
            read[text] = value
