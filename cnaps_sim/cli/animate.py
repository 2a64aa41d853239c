"""`cnaps-sim animate`: a small run as a page to step through, or as a GIF."""

from __future__ import annotations

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--to", "to", required=True, metavar="FILE", help="An .html page with play and step keys, or a .gif.")
@json_option
@quiet_option
def animate(run: str, to: str, as_json: bool, quiet: bool) -> None:  # noqa: ARG001 -- it shows none
    """Replay a small run, queue by queue and payment by payment, for a lecture (at most 30 accounts, 500 events)."""
    from cnaps_sim.analysis.animate import animate as write
    from cnaps_sim.analysis.animate import check_animation
    from cnaps_sim.run.store import load

    check_animation(to)
    written = write(load(run), to)
    if as_json:
        print_json({"run": run, "to": str(written)})
    else:
        click.echo(str(written))
