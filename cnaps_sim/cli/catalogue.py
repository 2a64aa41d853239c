"""`scenarios`, `schema`: what comes with the program."""

from __future__ import annotations

import click

from cnaps_sim.cli.options import json_option, print_json


@click.command()
@json_option
def scenarios(as_json: bool) -> None:
    """List the bundled scenarios, each with the question it asks."""
    from cnaps_sim.scenario.load import bundled

    found = bundled()
    if as_json:
        print_json({"scenarios": [{"name": name, "question": question} for name, question in found]})
        return
    width = max(len(name) for name, _ in found)
    for name, question in found:
        click.echo(f"{name:<{width}}  {question}")


@click.command()
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from cnaps_sim.scenario.load import json_schema

    if as_json:
        print_json(json_schema())
    else:
        click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))
