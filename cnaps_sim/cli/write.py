"""`report`, `export`: write what a run or study holds for people and for other programs."""

from __future__ import annotations

import click

from cnaps_sim.words.errors import InputError


@click.command()
@click.argument("run", metavar="RUN")
def report(run: str) -> None:
    """(Re)write report.html of a run folder."""
    from cnaps_sim.analysis.files import report as write

    click.echo(str(write(run)))


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("table")
@click.option("--to", "to", required=True, metavar="FILE", help="A .csv or .xlsx file.")
def export(run: str, table: str, to: str) -> None:
    """Write one table of a run, or `runs` or `summary` of a study, as CSV or XLSX, for other tools."""
    from cnaps_sim.analysis.files import export as write

    try:
        write(run, table, to)
    except InputError as error:
        place = "TABLE" if error.place == "table" else error.place
        raise InputError(place, error.key, error.problem, error.value, error.allowed) from None
    click.echo(to)
