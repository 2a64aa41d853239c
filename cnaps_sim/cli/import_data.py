"""`cnaps-sim import bof`: data kept for another simulator becomes a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from cnaps_sim.cli.options import json_option, print_json
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock, format_fen

#: The options behind the arguments of `cs.import_bof`.
_OPTION_OF: Final = {"columns": "--columns", "priorities": "--priority", "date": "--date", "as_date": "--as-date"}


@click.group("import")
def import_data() -> None:
    """Turn data kept for another simulator into a scenario."""


@import_data.command()
@click.argument("folder", metavar="DIR")
@click.option("--out", required=True, metavar="DIR", help="A new or empty folder for the scenario and its files.")
@click.option(
    "--columns",
    multiple=True,
    metavar="KEY=NAME",
    help="What a column is called; keys: participant, name, account, date, balance, credit, transaction, time, from, "
    "to, value, priority. May be repeated.",
)
@click.option("--ignore", multiple=True, metavar="NAME", help="A column to pass over; may be repeated.")
@click.option("--priority", multiple=True, metavar="THEIRS=OURS", help="Such as 1=URGT, 2=HIGH; may be repeated.")
@click.option("--date", metavar="DATE", help="The date to read, where the transactions have several.")
@click.option("--as-date", metavar="DATE", help="The business date of HVPS to play it on, if not its own.")
@json_option
def bof(
    folder: str,
    out: str,
    columns: tuple[str, ...],
    ignore: tuple[str, ...],
    priority: tuple[str, ...],
    date: str | None,
    as_date: str | None,
    as_json: bool,
) -> None:
    """Import DIR with participants, accounts, daily_balances and transactions (.csv or .txt) of BoF-PSS."""
    from cnaps_sim.analysis.drawing import plural
    from cnaps_sim.run.bof import import_bof

    try:
        made = import_bof(
            folder, out, columns=_pairs("--columns", columns), ignore=ignore,
            priorities=_pairs("--priority", priority), date=date, as_date=as_date,
        )  # fmt: skip
    except InputError as error:
        place = _OPTION_OF.get(error.place, error.place)
        raise InputError(place, error.key, error.problem, error.value, error.allowed) from None
    cut_off = None if made.cut_off_ms is None else format_clock(made.cut_off_ms)
    if as_json:
        print_json(
            {
                "folder": str(made.folder), "date": str(made.date), "as_date": str(made.as_date),
                "accounts": made.accounts, "payments": made.payments, "value_fen": made.value_fen,
                "other_dates": made.other_dates, "cut_off": cut_off, "refused": made.refused,
                "refused_fen": made.refused_fen,
            }
        )  # fmt: skip
        return
    counts = f"{plural(made.accounts, 'account')}, {plural(made.payments, 'payment')}"
    click.echo(f"{made.date}: {counts}, CNY {format_fen(made.value_fen)}")
    if made.other_dates:
        click.echo(f"left out: {plural(made.other_dates, 'transaction')} of other dates")
    if cut_off is not None:
        click.echo(f"the last payment is after the published cut-off: the scenario's is {cut_off}")
    if made.refused:
        hours = f"{format_clock(made.opens_ms)} to {format_clock(made.closes_ms)}"
        told = f"{plural(made.refused, 'payment')} (CNY {format_fen(made.refused_fen)})"
        click.echo(f"outside the hours of HVPS, {hours}: {told}, which the run will refuse (TM01)")
    click.echo(f"{made.folder}/scenario.yaml")


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, name = text.partition("=")
        if not equals or not name:
            raise InputError(option, "", "says no value", text, "KEY=NAME")
        pairs[key] = name
    return pairs
