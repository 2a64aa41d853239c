"""`audit`, `verify`, `explain`: look at a run that exists."""

from __future__ import annotations

from typing import Any

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--ignore-digests", is_flag=True, help="Read tables that other programs have rewritten.")
@json_option
@quiet_option
def audit(run: str, ignore_digests: bool, as_json: bool, quiet: bool) -> int:  # noqa: ARG001 -- it shows none
    """Re-check the tables of a run folder against the rules of settlement; exit 1 if one is broken."""
    from cnaps_sim.run.check import audit_folder

    verdict = audit_folder(run, ignore_digests=ignore_digests)
    if as_json:
        print_json(
            {
                "run": run,
                "audit": "passed" if verdict.passed else "failed",
                "rules": verdict.rules,
                "breaches": verdict.breaches,
            }
        )
    else:
        for breach in verdict.breaches:
            click.echo(breach)
        click.echo(verdict.sentence())
    return 0 if verdict.passed else 1


@click.command()
@click.argument("run", metavar="RUN")
@json_option
@quiet_option
def verify(run: str, as_json: bool, quiet: bool) -> int:  # noqa: ARG001 -- it shows none
    """Repeat a run, or check its message log and replay it; say what differs, exit 1 if anything does."""
    from cnaps_sim.analysis.metrics import headline
    from cnaps_sim.run.check import verify_folder
    from cnaps_sim.run.store import load

    differences = verify_folder(run, headline)
    if as_json:
        print_json({"run": run, "same": not differences, "differences": differences})
    else:
        for difference in differences:
            click.echo(difference)
        told = load(run).manifest.get("messages")
        how = f"the chain of {told['rows']:,} messages holds; replayed" if isinstance(told, dict) else "repeated"
        click.echo(f"{how}: every table is the same" if not differences else "not the same")
    return 0 if not differences else 1


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("payment_id")
@click.option("--xml", is_flag=True, help="Show the XML of each message about the payment.")
@json_option
@quiet_option
def explain(run: str, payment_id: str, xml: bool, as_json: bool, quiet: bool) -> None:  # noqa: ARG001 -- it shows none
    """Tell one payment's story: what it met, who was ahead, what released it."""
    from cnaps_sim.analysis.explain.story import explain as tell
    from cnaps_sim.run.store import load

    story: Any = tell(load(run), payment_id)
    if as_json:
        print_json(story.as_dict())
    else:
        for sentence in story.sentences:
            click.echo(sentence)
        for passage in story.messages:
            click.echo(passage.sentence())
            if xml:
                click.echo(passage.document())
        if story.messages and not xml:
            click.echo("The XML of each message: --xml")
