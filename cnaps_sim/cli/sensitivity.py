"""`cnaps-sim sensitivity`: what the headline figures owe to each parameter without a public source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cnaps_sim.cli.interrupt import raise_if_interrupted
from cnaps_sim.cli.options import json_option, on_terminal, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Parameters shown to a person for each figure if nobody says how many.
_SHOWN: Final = 5
_PICTURES: Final = (".png", ".svg", ".pdf")
_ARGUMENTS: Final = ("factor", "only", "scale", "workers")


@click.command()
@click.argument("scenario")
@click.option("--only", multiple=True, metavar="KEY", help="Vary only this parameter, or those below it; may repeat.")
@click.option("--factor", default="1.5", metavar="F", help="Divide and multiply numbers by this; 1.5 if left out.")
@click.option("--scale", metavar="S", help="Size of the day; if left out, at most 1,000,000 payments.")
@click.option("--seed", type=int, help="Seed of every random stream; the scenario's own if left out.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key of the scenario; may be repeated."
)
@click.option("--workers", type=int, metavar="N", help="Threads; what is found does not depend on them.")
@click.option("--top", type=int, metavar="N", help="Show only the N largest effects on each figure; 5 if left out.")
@click.option("--out", metavar="FILE", help="Write the whole table to a .csv file.")
@click.option("--picture", metavar="FILE", help="Draw the effects on every figure to a .png, .svg or .pdf file.")
@json_option
@quiet_option
def sensitivity(
    scenario: str,
    only: tuple[str, ...],
    factor: str,
    scale: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    workers: int | None,
    top: int | None,
    out: str | None,
    picture: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Vary each parameter of SCENARIO that has no public source, low and high, and rank them by what they change."""
    from cnaps_sim.analysis.sensitivity import sensitivity as study

    if top is not None and top < 1:
        raise InputError("--top", "", "is no number of parameters", top, "from 1")
    _check_file("--out", out, (".csv",))
    _check_file("--picture", picture, _PICTURES)
    started = time.perf_counter()
    with _progress(shown=not quiet and on_terminal()) as progress:
        try:
            found = study(
                scenario, factor=factor, only=only, scale=scale, seed=seed, set=overrides, workers=workers,
                progress=progress,
            )  # fmt: skip
        except InputError as error:
            place = f"--{error.place}" if error.place in _ARGUMENTS else error.place
            allowed = error.allowed.removeprefix("text or Decimal, ")
            raise InputError(place, error.key, error.problem, error.value, allowed) from None
    seconds = time.perf_counter() - started
    if out is not None:
        found.to_csv(out, index=False, encoding="utf-8", lineterminator="\n")
    if picture is not None:
        from cnaps_sim.analysis.plots_sensitivity import tornado

        tornado(found).figure.savefig(picture)  # type: ignore[union-attr]
    if as_json:
        print_json({**found.attrs, "effects": _rows(found, top), "wall_s": round(seconds, 3)})
        return
    for line in sensitivity_lines(found, _SHOWN if top is None else top):
        click.echo(line)
    for written in (out, picture):
        if written is not None:
            click.echo(written)


def _check_file(option: str, name: str | None, kinds: tuple[str, ...]) -> None:
    if name is None:
        return
    path = Path(name)
    if path.suffix.lower() not in kinds:
        raise InputError(option, "", "no such kind of file", name, ", ".join(kinds))
    if path.is_dir():
        raise InputError(option, "", "is a folder", name, "a file")
    if not path.parent.is_dir():
        raise InputError(option, "", "no such folder", path.parent, "an existing folder")


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal with plays done and the time left."""
    if not shown:
        yield lambda _done, _plays: raise_if_interrupted()
        return
    from tqdm import tqdm

    with tqdm(unit=" plays", desc="each parameter in turn", leave=False) as bar:

        def show(done: int, plays: int) -> None:
            raise_if_interrupted()
            if bar.total != plays:
                bar.reset(total=plays)
            bar.update(done - bar.n)

        yield show


def _rows(found: pd.DataFrame, top: int | None) -> list[dict[str, Any]]:
    shown = found if top is None else found[found["rank"] <= top]
    return [{str(key): value for key, value in row.items()} for row in shown.to_dict("records")]


def sensitivity_lines(found: pd.DataFrame, top: int) -> list[str]:
    """The ranking for a person: for each figure what moves it most."""
    told = found.attrs
    lines = [
        f"{told['scenario']}, {told['date']}, seed {told['seed']}, scale {told['scale']}: "
        f"parameters without a public source ({len(told['parameters'])}), divided and multiplied by {told['factor']}",
    ]
    unchanged, starred = [], False
    for measure, base in told["base"].items():
        rows = [row for row in _rows(found, None) if row["measure"] == measure and row["effect"]]
        if base is None:
            continue
        chance = told["chance"][measure]
        by_chance = "" if not chance else f" (other seeds: up to ± {_figure(chance, measure)})"
        if not rows:
            unchanged.append(f"{measure} {_figure(base, measure)}{by_chance}")
            continue
        lines += ["", f"{measure} {_figure(base, measure)}{by_chance}"]
        for row in rows[:top]:
            lines.append(f"  {row['rank']:>2}  {row['parameter']} = {row['value']}: {_sides(row, base, measure)}")
            starred = starred or row["beyond_chance"]
    if unchanged:
        lines += ["", f"no parameter changes: {', '.join(unchanged)}"]
    return [*lines, "", _legend(starred, any(told["chance"].values()))]


def _legend(starred: bool, by_chance: bool) -> str:
    """How to read what other seeds do, and the star."""
    from cnaps_sim.run.sensitivity import OTHER_SEEDS

    if not by_chance:
        return f"{OTHER_SEEDS} other seeds change no figure"
    star = "; * an effect beyond that" if starred else ""
    return f"other seeds: the largest difference that {OTHER_SEEDS} other seeds of the same day make{star}"


def _sides(row: dict[str, Any], base: float, measure: str) -> str:
    """What the figure changes by on both sides; a star where no other seed does as much."""
    parts = []
    for side in ("low", "high"):
        value = row[f"at_{side}"]
        if value is not None:
            sign = "-" if value < base else "+"
            change = f"{sign}{_figure(abs(value - base), measure)}" if value != base else "no change"
            parts.append(f"{row[side]} -> {change}")
    return ", ".join(parts) + (" *" if row["beyond_chance"] else "")


def _figure(value: float, measure: str) -> str:
    from cnaps_sim.analysis.drawing import money

    if measure.endswith("_fen"):
        return money(value)
    if measure.endswith("_ms"):
        return f"{value / 1000:,.1f} s"
    return f"{value:.4f}" if value >= 0.001 or value == 0 else f"{value:.1g}"
