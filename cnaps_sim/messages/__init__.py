"""Messages (报文): ISO 20022 documents in a CNAPS envelope, built, judged and read.

`catalogue` says which messages there are, `envelope` is how they travel, `validate.check` judges what arrives
(transport, XML, schema, profile), and each family of messages is one module: a dataclass per message with
`build_…` (dataclass to bytes) and `read_…` (document to dataclass). Those made for every payment are not frozen, which
would double the time of making one; nobody changes them. Nothing here knows the books or the clock.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: The commands `messages list` and `messages build`, as `cs.messages.list()` and `cs.messages.build(…)`.
_COMMANDS = {"list": "list_messages", "build": "build_message"}


def __getattr__(name: str) -> Any:
    if name not in _COMMANDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # By name, and only when somebody asks: frames are the business of rooms above this one.
    return getattr(import_module("cnaps_sim.analysis.catalogue"), _COMMANDS[name])
