"""`cnaps-sim compare`: two runs of the same payments, payment by payment and measure by measure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.compare import Comparison

#: Pairs of banks shown to a person.
_SHOWN: Final = 10
PAGE: Final = "compare.html"


@click.command()
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option("--out", metavar="PLACE", help="Also write a page with plots: a .html file, or compare.html in a folder.")
@json_option
@quiet_option
def compare(run_a: str, run_b: str, out: str | None, as_json: bool, quiet: bool) -> None:  # noqa: ARG001 -- it shows none
    """Compare two runs of the same payments, and say who was delayed because of whom."""
    from cnaps_sim.analysis.compare import compare as find

    place = None if out is None else _place(Path(out))
    found = find(run_a, run_b)
    if place is not None:
        from cnaps_sim.analysis.compare_page import write_page

        write_page(found, place)
    if as_json:
        print_json(found.as_dict())
        return
    for line in compare_lines(found):
        click.echo(line)
    if place is not None:
        click.echo(str(place))


def _place(out: Path) -> Path:
    """The file of the page. InputError if it cannot be one."""
    if out.is_dir():
        return out / PAGE
    if out.suffix.lower() != ".html":
        raise InputError("--out", "", "no such folder, and no such kind of file", out, "a folder, or a .html file")
    if not out.parent.is_dir():
        raise InputError("--out", "", "no such folder", out.parent, "an existing folder")
    return out


def compare_lines(found: Comparison) -> list[str]:
    """The comparison for a person."""
    from cnaps_sim.analysis.compare_page import blame_rows, measure_rows, signed
    from cnaps_sim.analysis.drawing import duration, money

    counts = found.counts
    lines = [
        f"A {found.name_a}",
        f"B {found.name_b}",
        f"{counts['paired']:,} payments in both; {counts['only_a']:,} in A alone, {counts['only_b']:,} in B alone",
    ]
    for name, words in (
        ("same", "the same"), ("sooner", "sooner in B"), ("later", "later in B"),
        ("lost", "settled in A alone"), ("gained", "settled in B alone"),
    ):  # fmt: skip
        if counts[name]:
            lines.append(f"  {words}: {counts[name]:,}, {money(counts[f'{name}_fen'])}")
    lines.append(
        f"settled in both: {counts['settled_in_both']:,}, in B {signed(counts['later_mean_ms'], duration)} on average"
    )
    lines += [
        f"{scope} {measure}: {a or 'none'} -> {b or 'none'} ({difference})"
        for scope, measure, a, b, difference in measure_rows(found.measures)
        if difference not in ("0", "")
    ]
    rows = blame_rows(found.blame)
    for because, delayed, payments, value, added, lost, lost_value in rows[:_SHOWN]:
        whom = "itself" if because == delayed else delayed
        words = f"because of {because}, {whom}: {payments} payments worse off, {value}"
        words += f", later by {added} on average" if lost != payments else ""
        lines.append(words + (f", {lost} never settled, {lost_value}" if lost != "0" else ""))
    if len(rows) > _SHOWN:
        lines.append(f"(and {len(rows) - _SHOWN:,} more pairs of banks)")
    return lines
