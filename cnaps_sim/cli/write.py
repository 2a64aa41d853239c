"""`report`, `export`: write what a run holds for people and for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from cnaps_sim.words.errors import InputError


@click.command()
@click.argument("run", metavar="RUN")
def report(run: str) -> None:
    """(Re)write report.html of a run folder."""
    from cnaps_sim.analysis.report import write_report
    from cnaps_sim.run.store import load

    loaded = load(run)
    place = Path(run) / "report.html"
    try:
        write_report(loaded, place)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        # Anybody may have changed the folder: each table can be read, but they do not fit to one another.
        raise InputError(run, "", "its tables and manifest do not fit together", error, "cnaps-sim audit") from error
    click.echo(str(place))


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("table")
@click.option("--to", "to", required=True, metavar="FILE", help="A .csv or .xlsx file.")
def export(run: str, table: str, to: str) -> None:
    """Write one table of a run as CSV or XLSX, for other tools."""
    from cnaps_sim.run.export import export_table
    from cnaps_sim.run.store import load

    export_table(load(run), table, Path(to))
    click.echo(to)
