"""Resolved scenarios: the same scenario for machines, complete and in one form, with its digest and its schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.terms import Terms

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def resolved(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain data with every default written out: text, true/false and whole numbers only."""
    data: dict[str, Any] = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    return data


def resolved_json(scenario: Scenario) -> str:
    """The canonical JSON text of a scenario; reading it gives an equal scenario."""
    return json.dumps(resolved(scenario), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def scenario_sha256(scenario: Scenario, inputs: Mapping[str, str] | None = None) -> str:
    """The digest of what a run depends on: the resolved scenario and the contents of its files.

    inputs: digest of each file by the path of the key that names it (`accounts.file`, `workload.0.file`); such a file
            counts by its content, not by its name.
    """
    data = resolved(scenario)
    for path, digest in (inputs or {}).items():
        *way, last = path.split(".")
        part: Any = data
        for key in way:
            part = part[int(key)] if isinstance(part, list) else part[key]
        part[last] = {"sha256": digest}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files, for editors. It knows every key and the form of every value; what needs more
    than one key (known accounts, sums) only the program checks."""
    schema = Scenario.model_json_schema(mode="validation", by_alias=True)
    parts: dict[str, Any] = schema["$defs"]
    for model in _parts(Terms):
        part = schema if model is Scenario else parts.get(model.__name__, {})
        part["description"] = part.get("description", "").partition("\n\n")[0].replace("\n", " ")
        _give_defaults(model, part.get("properties", {}))
    extends = {"type": "string", "description": "a bundled scenario or a file beside this one that this one changes"}
    rest = schema.pop("properties")
    properties = {"name": rest.pop("name"), "question": rest.pop("question"), "extends": extends, **rest}
    # A file that extends another may leave out anything.
    schema.pop("required", None)
    head = {"$schema": _SCHEMA_DIALECT, "title": "Scenario of cnaps-sim"}
    return {**schema, **head, "properties": properties}


def _parts(model: type[Terms]) -> Iterator[type[Terms]]:
    for part in model.__subclasses__():
        yield part
        yield from _parts(part)


def _give_defaults(model: type[Terms], properties: dict[str, Any]) -> None:
    """Defaults as a file writes them: pydantic would show the fen and ms of the model."""
    defaults = model.model_construct().model_dump(mode="json", by_alias=True, exclude_none=True)
    for key, part in properties.items():
        part.pop("default", None)
        part.pop("title", None)
        if key in defaults:
            part["default"] = defaults[key]
