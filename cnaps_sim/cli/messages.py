"""`messages list`, `messages build`: the catalogue of messages, and one valid sample of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnaps_sim.cli.options import json_option, print_json

if TYPE_CHECKING:
    from cnaps_sim.messages.catalogue import Kind


@click.group()
def messages() -> None:
    """ISO 20022 messages in a CNAPS envelope: what there is, and samples."""


@messages.command(name="list")
@json_option
def list_messages(as_json: bool) -> None:
    """List the catalogue: CNAPS number, ISO id, system, way, what it is for."""
    from cnaps_sim.messages.catalogue import CATALOGUE

    if as_json:
        print_json({"messages": [_row(kind) for kind in CATALOGUE]})
        return
    cells = [tuple(_row(kind).values()) for kind in CATALOGUE]
    head = ("number", "iso", "system", "way", "title", "chinese")
    widths = [max(len(str(row[column])) for row in [head, *cells]) for column in range(len(head))]
    for row in [head, *cells]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(kind: Kind) -> dict[str, str]:
    return {
        "number": kind.number,
        "iso": kind.iso,
        "system": kind.system.value,
        "way": kind.way.value,
        "title": kind.title,
        "chinese": kind.chinese,
    }


@messages.command()
@click.argument("ident", metavar="ID")
@click.option("--out", metavar="FILE", help="Write the message there; to standard output if left out.")
@json_option
def build(ident: str, out: str | None, as_json: bool) -> None:
    """Write one valid sample of a message, by CNAPS number or ISO id (or both: ccms.307/camt.008)."""
    from cnaps_sim.messages.samples import kind_named, sample_of

    kind = kind_named(ident)
    data = sample_of(kind)
    if out is not None:
        Path(out).write_bytes(data)
    if as_json:
        print_json({**_row(kind), "bytes": len(data), "out": out, "text": None if out else data.decode()})
    elif out is not None:
        click.echo(out)
    else:
        click.echo(data, nl=False)
