"""Loading: from a file, a bundled name or a dict to a checked scenario that knows where each of its values was written.

Order of what wins: options over the file, the file over the one it extends, and so on down to the defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from cnaps_sim.resources import resource
from cnaps_sim.scenario import checks, yaml12
from cnaps_sim.scenario.accounts import AccountsFile
from cnaps_sim.scenario.faults import fault_error, input_error
from cnaps_sim.scenario.layers import laid_over, overridden
from cnaps_sim.scenario.model import DEFAULT_NAME, Scenario
from cnaps_sim.scenario.places import KeyPath, Node, Place, Source, dotted, nearest_node, plain, planted
from cnaps_sim.scenario.resolve import json_schema, resolved, resolved_json, scenario_sha256
from cnaps_sim.scenario.workload import WorkloadFile, WorkloadMessages
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError, nearest

__all__ = [
    "Loaded",
    "bundled",
    "from_dict",
    "json_schema",
    "load",
    "resolved",
    "resolved_json",
    "scenario_sha256",
]

_SUFFIXES: Final = (".yaml", ".yml", ".json")
#: A scenario file is written by people; payments by the million belong into a CSV or Parquet file.
_LARGEST_FILE: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Loaded:
    """A checked scenario with where it came from.

    scenario:    the scenario
    source_text: the text of its own file; of a dict, the resolved JSON
    base_dir:    the folder its relative file names start from
    files:       the files it reads, by the path of the key that names each (`accounts.file`, `workload.0.file`); a
                 folder where messages come in one (`workload.0.messages`)
    """

    scenario: Scenario
    source_text: str
    base_dir: Path
    files: Mapping[str, Path]
    root: Node = field(repr=False)

    def place_of(self, path: str | KeyPath = ()) -> str:
        """Where the value at a path of keys was written, as errors say it: `file:line:column` or an option.

        For a path that was not written (a default) the place of the nearest thing above it.
        """
        keys = _keys(path) if isinstance(path, str) else path
        return str(nearest_node(self.root, keys)[0].place)

    def systems_in(self, path: Path) -> set[System]:
        """The systems to which the scenario brings payments of one file."""
        return {
            entry.system
            for number, entry in enumerate(self.scenario.workload)
            if isinstance(entry, WorkloadFile) and self.files[f"workload.{number}.file"] == path
        }

    def check_accounts(self, known: Sequence[str]) -> None:
        """Check against the accounts of the run, in case they came from a file or a generator: every account named in
        the scenario exists, and where the scenario is strict each is a bank code. InputError with its place."""
        try:
            if self.scenario.needs_bank_codes and isinstance(self.scenario.accounts, AccountsFile):
                for account in known:
                    checks.check_bank_code(account, ("accounts", "file"), self.scenario.why_bank_codes)
            checks.check_named_accounts(self.scenario, frozenset(known))
        except PydanticCustomError as error:
            raise fault_error(error, self.root) from None


def load(source: str | Path, overrides: Sequence[str] = (), seed: int | None = None) -> Loaded:
    """The scenario of a file, or the bundled one of that name.

    overrides: `KEY=VALUE` texts, applied in order
    seed:      replaces the scenario's seed
    InputError names the place of whatever is wrong.
    """
    path, label = _found(source)
    own, text = _read(path, label)
    root = _with_bases(own, (path,))
    if own.child("name") is None:
        root = root.with_child("name", Node(_name_of(path), own.place, own.place))
    return _validated(_with_options(root, overrides, seed), text)


def from_dict(
    data: Mapping[str, Any] | Scenario,
    overrides: Sequence[str | tuple[str, object]] = (),
    seed: int | None = None,
    base_dir: str | Path | None = None,
    said: str = "set",
) -> Loaded:
    """The scenario of Python data with the keys of a scenario file; `extends` may name a bundled one.

    overrides: `KEY=VALUE` texts, or pairs of a key and a Python value
    base_dir:  the folder relative file names start from, the current one if left out
    said:      the argument from which pairs come, as errors name it
    """
    if isinstance(data, Scenario):
        data = resolved(data)
    root = _with_bases(_planted(data, _pythons(base_dir), ""), ())
    return _validated(_with_options(root, overrides, seed, said), None)


def bundled() -> list[tuple[str, str]]:
    """Name and question of every scenario that comes with the program, by name."""
    listed = []
    for path in _bundled_files().values():
        root, _ = _read(path, path.name)
        question = root.child("question")
        listed.append((path.stem, "" if question is None or question.value is None else str(question.value)))
    return listed


def _bundled_files() -> dict[str, Path]:
    try:
        folder = resource("scenarios")
    except FileNotFoundError:
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _found(source: str | Path) -> tuple[Path, str]:
    """The file of a scenario, and what errors call it."""
    names = _bundled_files()
    if isinstance(source, str) and source in names:
        return names[source], names[source].name
    path = Path(source)
    is_path = isinstance(source, Path) or path.suffix in _SUFFIXES or len(path.parts) > 1
    if not is_path and not path.is_file():
        raise InputError("scenario", "", "no such bundled scenario", source, nearest(str(source), names) or "a file")
    return path, str(source)


def _read(path: Path, label: str) -> tuple[Node, str]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(label, "", "too large for a scenario", allowed="payments in a CSV or Parquet file")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        reason = (os.strerror(number) if number else str(error)).lower()
        raise InputError(label, "", f"cannot be read: {reason}") from None
    source = Source(label, path.parent)
    text = yaml12.decode(data, source)
    return yaml12.read(text, source), text


def _name_of(path: Path) -> str:
    return re.sub(r"[^\w.-]", "-", path.stem).lstrip(".-")[:80] or DEFAULT_NAME


def _with_bases(own: Node, chain: tuple[Path, ...]) -> Node:
    """A scenario over the one it extends, over the one that extends, and so on. `chain`: the files on the way."""
    extends = own.child("extends")
    if extends is None:
        return own
    own = replace(own, value={key: child for key, child in own.value.items() if key != "extends"})
    if extends.value is None:
        return own
    path, label = _base_of(extends)
    if any(path.resolve() == other.resolve() for other in chain):
        way = " -> ".join(other.name for other in (*chain, path))
        raise InputError(str(extends.place), "extends", "the scenario extends itself", way)
    base, _ = _read(path, label)
    return laid_over(_with_bases(base, (*chain, path)), own)


def _base_of(extends: Node) -> tuple[Path, str]:
    if not isinstance(extends.value, str):
        raise InputError(str(extends.place), "extends", "must be one name", allowed="a bundled scenario or a file")
    names = _bundled_files()
    if extends.value in names:
        return names[extends.value], names[extends.value].name
    beside = extends.place.source.folder / extends.value
    for path in (beside, *(beside.with_name(beside.name + suffix) for suffix in _SUFFIXES)):
        if path.is_file():
            return path, str(path)
    named_like_a_file = Path(extends.value).suffix in _SUFFIXES
    known = "" if named_like_a_file else nearest(extends.value, names)
    problem = "neither a bundled scenario nor a file beside this one"
    raise InputError(str(extends.place), "extends", problem, extends.value, known or "a file beside this one")


def _with_options(
    root: Node, overrides: Sequence[str | tuple[str, object]], seed: int | None, said: str = "set"
) -> Node:
    """The scenario with what options or arguments of these names (`set`, `seed`) say over it."""
    for override in overrides:
        if isinstance(override, str):
            key, value = _option(override)
        else:
            source = Source(said, root.place.source.folder, has_lines=False)
            key, value = override[0], _planted(override[1], source, override[0])
        if key.partition(".")[0] == "extends":
            raise InputError(str(value.place), key, "only a file says what it extends", allowed="any other key")
        root = overridden(root, key, value)
    if seed is not None:
        root = overridden(root, "seed", _planted(seed, Source("seed", Path(), has_lines=False), "seed"))
    return root


def _option(text: str) -> tuple[str, Node]:
    """Key and value of a `KEY=VALUE` option; file names in it start from the current folder."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError("set", "", "says no value", text, "KEY=VALUE")
    source = Source("set", Path(), has_lines=False)
    try:
        node = yaml12.read_value(value, source)
    except InputError as error:
        raise InputError(error.place, key, error.problem, error.value or value, error.allowed) from None
    return key.strip(), replace(node, key_place=Place(source))


def _pythons(folder: str | Path | None) -> Source:
    return Source("scenario", Path(folder or "."), has_lines=False)


def _planted(data: object, source: Source, key: str) -> Node:
    try:
        return planted(data, Place(source))
    except ValueError as error:
        raise InputError(source.label, key, str(error)) from None


def _validated(root: Node, text: str | None) -> Loaded:
    try:
        scenario = Scenario.model_validate(plain(root))
    except ValidationError as error:
        raise input_error(error, root) from None
    return Loaded(
        scenario=scenario,
        source_text=resolved_json(scenario) if text is None else text,
        base_dir=root.place.source.folder,
        files=_files(scenario, root),
        root=root,
    )


def _files(scenario: Scenario, root: Node) -> dict[str, Path]:
    """Every file the scenario reads, each from the folder of whatever named it. InputError if one is not there."""
    named: list[tuple[KeyPath, str]] = []
    if isinstance(scenario.accounts, AccountsFile):
        named.append((("accounts", "file"), scenario.accounts.file))
    for number, entry in enumerate(scenario.workload):
        if isinstance(entry, WorkloadFile):
            named.append((("workload", number, "file"), entry.file))
        elif isinstance(entry, WorkloadMessages):
            named.append((("workload", number, "messages"), entry.messages))
    files = {}
    for path, name in named:
        place = nearest_node(root, path)[0].place
        file = place.source.folder / name
        if not (file.is_file() or (path[-1] == "messages" and file.is_dir())):
            kinds = "folder or zip file" if path[-1] == "messages" else "file"
            raise InputError(str(place), dotted(path), f"no such {kinds}", name, f"a {kinds} that exists")
        files[dotted(path)] = file
    return files


def _keys(path: str) -> KeyPath:
    return tuple(int(part) if part.isascii() and part.isdigit() else part for part in path.split("."))
