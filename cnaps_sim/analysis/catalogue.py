"""What comes with the program: scenarios, the schema of their files, the catalogue of messages and its samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cnaps_sim.messages.catalogue import CATALOGUE, Kind
from cnaps_sim.messages.samples import kind_named, sample_of
from cnaps_sim.scenario.load import bundled, json_schema

_MESSAGE_COLUMNS = ("number", "iso", "system", "way", "title", "chinese")


def scenarios() -> pd.DataFrame:
    """The bundled scenarios, by name, each with the `question` it asks: the command `scenarios`."""
    return pd.DataFrame(bundled(), columns=["name", "question"])


def schema() -> dict[str, Any]:
    """The JSON Schema of scenario files, for editors: the command `schema`."""
    return json_schema()


def list_messages() -> pd.DataFrame:
    """The catalogue of messages: the command `messages list`, in Python `cs.messages.list()`.

    One row per kind: `number` (CNAPS number, 报文编号), `iso` (ISO 20022 id), `system`, `way` (who sends it to whom,
    B a bank, C the clearing system), `title`, `chinese`.
    """
    return pd.DataFrame([message_row(kind) for kind in CATALOGUE], columns=list(_MESSAGE_COLUMNS))


def message_row(kind: Kind) -> dict[str, str]:
    """One kind of message as a row of the catalogue."""
    cells = (kind.number, kind.iso, kind.system.value, kind.way.value, kind.title, kind.chinese)
    return dict(zip(_MESSAGE_COLUMNS, cells, strict=True))


def build_message(name: str, out: str | Path | None = None) -> bytes:
    """One valid sample of a message: the command `messages build`, in Python `cs.messages.build("hvps.111")`.

    name: CNAPS number or ISO id, in full or short, or both (`ccms.307/camt.008`)
    out: a file to write it to as well

    The message in its envelope, with application header, without signature. InputError if there is no such message.
    """
    data = sample_of(kind_named(name))
    if out is not None:
        Path(out).write_bytes(data)
    return data
