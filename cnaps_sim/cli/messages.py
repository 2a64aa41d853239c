"""`messages list`, `messages build`: the catalogue of messages, and one valid sample of each."""

from __future__ import annotations

import click

from cnaps_sim.cli.options import json_option, print_json


@click.group()
def messages() -> None:
    """ISO 20022 messages in a CNAPS envelope: what there is, and samples."""


@messages.command(name="list")
@json_option
def list_messages(as_json: bool) -> None:
    """List the catalogue: CNAPS number, ISO id, system, way, what it is for."""
    from cnaps_sim.analysis.catalogue import list_messages as listed

    found = listed()
    if as_json:
        print_json({"messages": found.to_dict("records")})
        return
    rows = [tuple(found.columns), *found.itertuples(index=False)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(found.columns))]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


@messages.command()
@click.argument("ident", metavar="ID")
@click.option("--out", metavar="FILE", help="Write the message there; to standard output if left out.")
@json_option
def build(ident: str, out: str | None, as_json: bool) -> None:
    """Write one valid sample of a message, by CNAPS number or ISO id (or both: ccms.307/camt.008)."""
    from cnaps_sim.analysis.catalogue import build_message, message_row
    from cnaps_sim.messages.samples import kind_named

    data = build_message(ident, out)
    if as_json:
        print_json(
            {**message_row(kind_named(ident)), "bytes": len(data), "out": out, "text": None if out else data.decode()}
        )
    elif out is not None:
        click.echo(out)
    else:
        click.echo(data, nl=False)
