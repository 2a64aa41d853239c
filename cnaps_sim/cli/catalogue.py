"""`scenarios`, `schema`: what comes with the program."""

from __future__ import annotations

import click

from cnaps_sim.cli.options import json_option, print_json


@click.command()
@json_option
def scenarios(as_json: bool) -> None:
    """List the bundled scenarios, each with the question it asks."""
    from cnaps_sim.analysis.catalogue import scenarios as listed

    found = listed()
    if as_json:
        print_json({"scenarios": found.to_dict("records")})
        return
    width = max(map(len, found["name"]))
    for name, question in found.itertuples(index=False):
        click.echo(f"{name:<{width}}  {question}")


@click.command()
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from cnaps_sim.analysis.catalogue import schema as found

    if as_json:
        print_json(found())
    else:
        click.echo(json.dumps(found(), ensure_ascii=False, indent=2))
