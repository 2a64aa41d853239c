"""`validate`: judge files of ISO 20022 messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    Signatures are not checked: a file says nothing about whose key it was. If DIR lacks the schema that a file needs,
    that file is not judged and the exit code is 2, whatever became of the others.
    """
    from cnaps_sim.messages.schemas import Schemas
    from cnaps_sim.messages.validate import judge_files

    if schemas is not None and not Path(schemas).is_dir():
        raise InputError("--schemas", "", "no such folder", schemas, "a folder of <message id>.xsd files")
    verdicts: list[Verdict] = []
    for verdict in judge_files(map(Path, files), Schemas(None if schemas is None else Path(schemas))):
        verdicts.append(verdict)
        if not as_json:
            click.echo(_line(verdict))
    error = next((verdict.error for verdict in verdicts if verdict.error is not None), None)
    if as_json:
        print_json(_counts(verdicts, error))
    elif error is not None:
        raise error
    return 2 if error is not None else 1 if any(verdict.fault for verdict in verdicts) else 0


def _counts(verdicts: list[Verdict], error: InputError | None) -> dict[str, Any]:
    """The object of `--json`: with an `error`, and the number of files without a verdict, only if there is one."""
    told: dict[str, Any] = {} if error is None else {"error": error.as_dict()}
    told["valid"] = sum(verdict.valid is True for verdict in verdicts)
    told["invalid"] = sum(verdict.valid is False for verdict in verdicts)
    if error is not None:
        told["not_judged"] = sum(verdict.valid is None for verdict in verdicts)
    return {**told, "files": [verdict.as_dict() for verdict in verdicts]}


def _line(verdict: Verdict) -> str:
    if verdict.error is not None:
        return f"{verdict.file}: not judged: {verdict.error.place}: {verdict.error.problem}"
    if verdict.fault is not None:
        return f"{verdict.file}: {verdict.fault.sentence()}"
    what = ", ".join(part for part in (verdict.number, verdict.iso, verdict.form) if part)
    return f"{verdict.file}: valid ({what})"
