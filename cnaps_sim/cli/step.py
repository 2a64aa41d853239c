"""`cnaps-sim step`: walk through a small run, one step after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.steps import Step
    from cnaps_sim.run.store import Run

_KEYS = "Enter or n: next, b: back, a number: to that step, q: quit"


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--from", "start", metavar="TIME", help="Begin at this instant: HH:MM, or a full date-time.")
@json_option
@quiet_option
def step(run: str, start: str | None, as_json: bool, quiet: bool) -> None:  # noqa: ARG001 -- it shows none
    """Walk a small RUN event by event, with balances and queues before and after each."""
    from cnaps_sim.analysis.steps import step_lines, steps
    from cnaps_sim.run.store import load
    from cnaps_sim.words.units import format_clock

    loaded = load(run)
    found = steps(loaded)
    first = 0 if start is None else _first(found, _instant(loaded, start))
    if as_json:
        print_json({"run": run, "steps": [item.as_dict() for item in found[first:]]})
    elif not found[first:]:
        last = f": the last of {len(found):,} is at {format_clock(found[-1].time_ms)}" if found else ""
        click.echo(f"no step{'' if start is None else f' at {start} or after it'}{last}")
    elif sys.stdin.isatty() and sys.stdout.isatty():
        _walk(found, first)
    else:
        for item in found[first:]:
            for line in step_lines(item):
                click.echo(line)


def _instant(run: Run, start: str) -> int:
    import datetime as dt

    from cnaps_sim.words.units import parse_moment

    try:
        return parse_moment(start, dt.date.fromisoformat(str(run.manifest["date"])))
    except (ValueError, OverflowError) as error:
        raise InputError("--from", "", str(error), start, "08:30, 08:30:00.250 or 2025-06-17T08:30:00") from None


def _first(found: list[Step], time_ms: int) -> int:
    """The place of the first step at an instant or after it; behind the last one if there is none."""
    return next((place for place, item in enumerate(found) if item.time_ms >= time_ms), len(found))


def _walk(found: list[Step], at: int) -> None:
    """Show one step at a time as the keys say."""
    from cnaps_sim.analysis.steps import step_lines

    click.echo(_KEYS)
    while at < len(found):
        for line in step_lines(found[at]):
            click.echo(line)
        answer = click.prompt(f"step {at + 1} of {len(found)}", default="n", show_default=False).strip().lower()
        if answer == "q":
            return
        at = next_place(answer, at, len(found))


def next_place(answer: str, at: int, count: int) -> int:
    """Where a key leads from step `at` (from 0) of `count`; a key that means nothing stays."""
    if answer in ("", "n"):
        return at + 1
    if answer == "b":
        return max(0, at - 1)
    if answer.isascii() and answer.isdigit() and len(answer) < 9 and 1 <= int(answer) <= count:
        return int(answer) - 1
    if answer.isdigit():
        click.echo(f"no step {answer}: they are 1 to {count:,}")
    else:
        click.echo(_KEYS)
    return at
