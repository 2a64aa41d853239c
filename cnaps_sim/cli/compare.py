"""`cnaps-sim compare`: two runs payment by payment and measure by measure, or two studies run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.cli.sweep import read_varied
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.compare.runs import Comparison
    from cnaps_sim.analysis.compare.studies import StudyComparison

#: Pairs of banks shown to a person.
_SHOWN: Final = 10


@click.command()
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option("--out", metavar="DIR|FILE", help="Also write a page with plots: a .html file, or compare.html in DIR.")
@click.option("--where-a", multiple=True, metavar="KEY=v1,…", help="Of study A, only points with these values.")
@click.option("--where-b", multiple=True, metavar="KEY=v1,…", help="Of study B, only points with these values.")
@json_option
@quiet_option
def compare(
    run_a: str,
    run_b: str,
    out: str | None,
    where_a: tuple[str, ...],
    where_b: tuple[str, ...],
    as_json: bool,
    quiet: bool,  # noqa: ARG001 -- it shows none
) -> None:
    """Compare two runs of the same payments, and say who was delayed because of whom.

    Two folders of studies are compared run by run: mean differences of each measure with 95 % confidence intervals.
    """
    from cnaps_sim.analysis.compare.compare import compare as find
    from cnaps_sim.analysis.compare.files import page_place

    told = {"where_a": read_varied(where_a, "--where-a"), "where_b": read_varied(where_b, "--where-b")}
    try:
        found = find(run_a, run_b, **told, out=out)
    except InputError as error:
        place = "--out" if error.place == "out" else error.place
        raise InputError(place, error.key, error.problem, error.value, error.allowed) from None
    if as_json:
        print_json(found.as_dict())
        return
    for line in _lines(found):
        click.echo(line)
    if out is not None:
        click.echo(str(page_place(out)))


def _lines(found: Comparison | StudyComparison) -> list[str]:
    """The comparison for a person."""
    from cnaps_sim.analysis.compare.studies import StudyComparison
    from cnaps_sim.analysis.compare.studies_page import study_lines

    return study_lines(found) if isinstance(found, StudyComparison) else compare_lines(found)


def compare_lines(found: Comparison) -> list[str]:
    """The comparison of two runs."""
    from cnaps_sim.analysis.compare.page import blame_rows, mean_words, measure_rows
    from cnaps_sim.analysis.drawing import money, plural

    counts = found.counts
    lines = [
        f"A {found.name_a}",
        f"B {found.name_b}",
        f"{plural(counts['paired'], 'payment')} in both; "
        f"{counts['only_a']:,} in A alone, {counts['only_b']:,} in B alone",
    ]
    for name, words in (
        ("same", "the same"), ("sooner", "sooner in B"), ("later", "later in B"),
        ("lost", "settled in A alone"), ("gained", "settled in B alone"),
    ):  # fmt: skip
        if counts[name]:
            lines.append(f"  {words}: {counts[name]:,}, {money(counts[f'{name}_fen'])}")
    lines.append(mean_words(counts))
    lines += [
        f"{scope} {measure}: {a or 'none'} -> {b or 'none'} ({difference})"
        for scope, measure, a, b, difference in measure_rows(found.measures)
        if difference not in ("0", "")
    ]
    rows = blame_rows(found.blame)
    for because, delayed, payments, value, added, lost, lost_value in rows[:_SHOWN]:
        whom = "itself" if because == delayed else delayed
        noun = "payment" if payments == "1" else "payments"
        words = f"because of {because}, {whom}: {payments} {noun} worse off, {value}"
        words += f", later by {added} on average" if lost != payments else ""
        lines.append(words + (f", {lost} never settled, {lost_value}" if lost != "0" else ""))
    if len(rows) > _SHOWN:
        lines.append(f"(and {plural(len(rows) - _SHOWN, 'more pair')} of banks)")
    return lines
