"""`validate`: judge files of ISO 20022 messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnaps_sim.cli.options import json_option, print_json
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.messages.validate import Verdict


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--schemas", metavar="DIR", help="Folder of <message id>.xsd files to judge by, in place of the program's own."
)
@json_option
def validate(files: tuple[str, ...], schemas: str | None, as_json: bool) -> int:
    """Judge message files, with or without envelope: valid, or layer, place and reason; exit 1 if one is not.

    Signatures are not checked: a file says nothing about whose key it was.
    """
    from cnaps_sim.messages.schemas import Schemas
    from cnaps_sim.messages.validate import judge_file

    if schemas is not None and not Path(schemas).is_dir():
        raise InputError("--schemas", "", "no such folder", schemas, "a folder of <message id>.xsd files")
    for file in files:
        if not Path(file).is_file():
            problem = "is not a plain file" if Path(file).exists() else "no such file"
            raise InputError(file, "", problem, "", "a file with one message")
    judges = Schemas(None if schemas is None else Path(schemas))
    verdicts: list[Verdict] = []
    for file in files:
        verdicts.append(judge_file(Path(file), judges))
        if not as_json:
            click.echo(_line(verdicts[-1]))
    invalid = sum(not verdict.valid for verdict in verdicts)
    if as_json:
        counts = {"valid": len(verdicts) - invalid, "invalid": invalid}
        print_json({**counts, "files": [verdict.as_dict() for verdict in verdicts]})
    return 1 if invalid else 0


def _line(verdict: Verdict) -> str:
    if verdict.fault is not None:
        return f"{verdict.file}: {verdict.fault.sentence()}"
    what = ", ".join(part for part in (verdict.number, verdict.iso, verdict.form) if part)
    return f"{verdict.file}: valid ({what})"
