"""Options and outputs that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """`--json`: one JSON object on stdout and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)


def quiet_option(command: _Command) -> _Command:
    """`--quiet`: no progress."""
    return click.option("--quiet", is_flag=True, help="Show no progress.")(command)


def print_json(value: Any) -> None:
    """One JSON object on stdout; never NaN."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def on_terminal() -> bool:
    """Whether progress would be seen."""
    return sys.stderr.isatty()
