"""`cnaps-sim sweep`: many runs of one scenario, on this machine or on a Dask cluster."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cnaps_sim.cli.interrupt import raise_if_interrupted
from cnaps_sim.cli.options import json_option, on_terminal, print_json, quiet_option
from cnaps_sim.cli.widths import width
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.study.study import Study

#: Points shown to a person, and levels of liquidity.
_SHOWN: Final = 30
_MOST_LEVELS: Final = 11
#: The options behind the arguments of `cs.sweep`.
_OPTION_OF: Final = {
    name: f"--{name}" for name in ("vary", "design", "points", "replications", "workers", "scheduler", "out", "resume")
} | {"measures": "--measure"}
_RANGE: Final = re.compile(r"([-+]?[0-9.]+)\.\.([-+]?[0-9.]+)")
#: The bar until the first run is done, and from then on, when there is something to reckon with.
_FIRST_BAR: Final = "{desc}: {n_fmt}/{total_fmt} runs |{bar}| {elapsed}"
_BAR: Final = _FIRST_BAR + ", {remaining} left, ends {eta:%H:%M:%S}"
_INTERRUPTED: Final = 130


@click.command()
@click.argument("scenario", required=False)
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=v1,v2,…",
    help="A key and its values; may be repeated. In a design also KEY=0..1. Without it the scenario's key `vary`.",
)
@click.option("--design", metavar="NAME", help="full (default: every combination), latin-hypercube or sobol.")
@click.option("--points", type=int, metavar="N", help="Points of a design; for sobol a power of 2.")
@click.option("--replications", type=int, metavar="N", help="Runs per point, with common random numbers.")
@click.option("--seed", type=int, help="Seed of every random stream; the scenario's own if left out.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key of the scenario; may be repeated."
)
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="MODULE:FUNCTION",
    help="Your own measure of a run; may be repeated. Runs are then simulated in full, which takes longer.",
)
@click.option("--workers", type=int, metavar="N", help="Processes; if left out, all cores where that saves time.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers play, such as tcp://host:8786.")
@click.option("--out", metavar="DIR", help="Folder of the study; runs/<name>-study-s<seed> if left out.")
@click.option("--resume", metavar="DIR", help="Go on with an interrupted study; finished runs are not repeated.")
@json_option
@quiet_option
def sweep(
    scenario: str | None,
    varied: tuple[str, ...],
    design: str | None,
    points: int | None,
    replications: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    measures: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    out: str | None,
    resume: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Play SCENARIO at every point of a grid or design and write a study folder: study.json and runs.parquet."""
    from cnaps_sim.analysis.study.sweep import sweep as played

    vary = read_varied(varied) if varied else None
    place = _place(scenario, seed, overrides, out, resume)
    started = time.perf_counter()
    count = [0, 0]
    try:
        with _progress(shown=not quiet and on_terminal()) as show:

            def progress(done: int, runs: int) -> None:
                count[:] = done, runs
                show(done, runs)

            study = played(
                scenario, vary=vary, replications=replications, design=design, points=points, seed=seed,
                set=overrides, measures=measures or None, workers=workers, scheduler=scheduler,
                out=None if resume else place, resume=resume, progress=progress,
            )  # fmt: skip
    except InputError as error:
        option = _OPTION_OF.get(error.place, error.place)
        raise InputError(option, error.key, error.problem, error.value, error.allowed) from None
    except KeyboardInterrupt:
        if not count[1] or (resume is None and not count[0]):
            raise
        return _tell_interrupted(place, count, as_json)
    try:
        figures = _draw(study)
    except KeyboardInterrupt:
        state = "the study is complete, its figures are not"
        return _tell_error(
            InputError("cnaps-sim", "", "interrupted", state, f"cnaps-sim sweep --resume {place}"), as_json
        )
    _tell(study, place, figures, time.perf_counter() - started, as_json)
    return 0


def _place(
    scenario: str | None, seed: int | None, overrides: tuple[str, ...], out: str | None, resume: str | None
) -> Path:
    """The folder of the study."""
    if resume is not None and out is not None:
        raise InputError("--out", "", "stands beside --resume, which has its folder", out, "one of the two")
    if resume is not None or out is not None:
        return Path(str(resume or out))
    if scenario is None:
        raise InputError("scenario", "", "is missing", "", "a file, a bundled name, or --resume DIR")
    from cnaps_sim.run.store import default_folder
    from cnaps_sim.scenario.load import load

    read = load(scenario, overrides, seed).scenario
    return default_folder(f"{read.name}-study", read.seed)


def read_varied(varied: tuple[str, ...], option: str = "--vary") -> dict[str, Any]:
    """Keys and values of `--vary` or an option like it.

    Values are YAML, split at commas outside brackets and quotes; `0..1` is a range.
    """
    from cnaps_sim.scenario.places import Source, plain
    from cnaps_sim.scenario.yaml12 import read_value

    found: dict[str, Any] = {}
    for text in varied:
        key, equals, values = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise InputError(option, key, "says no values", text, "KEY=v1,v2,…")
        if key in found:
            raise InputError(option, key, "given twice", text, f"all values of a key in one {option}")
        if match := _RANGE.fullmatch(values.strip()):
            found[key] = {"from": match[1], "to": match[2]}
            continue
        parts = [part.strip() for part in split_values(values)]
        if "" in parts:
            problem = "an empty list" if parts == [""] else "an empty value"
            raise InputError(option, key, problem, text, "KEY=v1,v2,…")
        source = Source(option, Path(), has_lines=False)
        try:
            found[key] = [plain(read_value(part, source)) for part in parts]
        except InputError as error:
            raise InputError(option, key, error.problem, error.value or values, error.allowed) from None
    return found


def split_values(text: str) -> list[str]:
    """The values of a list, split at commas outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth <= 0:
            parts.append("")
            continue
        parts[-1] += letter
    return parts


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal with runs done, the time left, and when the study ends."""
    if not shown:
        yield lambda _done, _runs: raise_if_interrupted()
        return
    from tqdm import tqdm

    with tqdm(desc="study", leave=False, bar_format=_FIRST_BAR, smoothing=0.1) as bar:

        def show(done: int, runs: int) -> None:
            raise_if_interrupted()
            if bar.total != runs:
                bar.reset(total=runs)
                bar.initial = bar.n = done
            if done > bar.initial:
                bar.bar_format = _BAR
            bar.update(done - bar.n)

        yield show


def _draw(study: Study) -> list[str]:
    """The frontier of delay and liquidity where the study has one; file names beside the study."""
    from cnaps_sim.analysis.plots_frontier import has_frontier, write_frontier

    if study.folder is None or not has_frontier(study):
        return []
    return [path.name for path in write_frontier(study, study.folder)]


def _tell_interrupted(place: Path, count: list[int], as_json: bool) -> int:
    kept = f"{count[0]:,} of {count[1]:,} runs"
    error = InputError("cnaps-sim", "", "interrupted", f"{kept} are kept", f"cnaps-sim sweep --resume {place}")
    return _tell_error(error, as_json)


def _tell_error(error: InputError, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    else:
        click.echo(error.sentence(), err=True)
    return _INTERRUPTED


def _tell(study: Study, place: Path, figures: list[str], seconds: float, as_json: bool) -> None:
    if as_json:
        print_json(as_dict(study, place, figures, seconds))
        return
    for line in study_lines(study):
        click.echo(line)
    for line in difference_lines(study):
        click.echo(line)
    if figures:
        click.echo(f"frontier: {', '.join(figures)}")
    click.echo(str(place))


def as_dict(study: Study, place: Path, figures: list[str], seconds: float) -> dict[str, Any]:
    """What `--json` prints: per point the keys, and for each measure mean, low and high."""
    plan = study.plan
    found = study.summary(by="point")
    points: list[dict[str, Any]] = [{"keys": dict(zip(plan.keys, point, strict=True))} for point in plan.points]
    for part in points:
        part["measures"] = []
    for row in found.to_dict("records"):
        told = {name: _number(row[name]) for name in ("value", "low", "high")}
        measure = {"system": row["system"], "measure": row["measure"], **told, "unit": row["unit"]}
        points[row["point"]]["measures"].append(measure)
    return {
        "study": str(place), "scenario": plan.name, "seed": _seed(study), "design": plan.design,
        "replications": plan.replications, "runs": plan.runs, "points": points, "figures": figures,
        "note": study.note or None, "differences": _differences(study), "wall_s": round(seconds, 3),
    }  # fmt: skip


def _differences(study: Study) -> dict[str, Any] | None:
    """The lines of a frontier against the first one; null where the study has no such lines."""
    from cnaps_sim.analysis.plots_frontier import first_line, line_differences

    against, rows = first_line(study), []
    for measure in ("rho", "mean_delay"):
        found = line_differences(study, measure, against)
        for row in found.to_dict("records"):
            told = {name: _number(row[name]) for name in ("a", "b", "difference", "low", "high")}
            keys = {key: row[key] for key in study.keys}
            rows.append({"keys": keys, "measure": measure, **told, "pairs": row["pairs"], "unit": row["unit"]})
    return {"against": against, "rows": rows} if rows else None


def _seed(study: Study) -> int | None:
    """The seed of all runs; None where it varies."""
    return None if "seed" in study.keys else int(study.plan.scenario["seed"])


def _number(value: float) -> float | None:
    return None if value != value else value


def study_lines(study: Study) -> list[str]:
    """The study for a person: delay and liquidity at each point, and the researcher's own measures."""
    from cnaps_sim.run.sweep.measures import BUILT_IN

    plan = study.plan
    seed = "seeds vary" if _seed(study) is None else f"seed {_seed(study)}"
    runs = "run" if plan.replications == 1 else "runs"
    lines = [f"{plan.name}, {seed}: {len(plan.points):,} points, {plan.replications:,} {runs} each"]
    lines += [study.note] if study.note else []
    found = study.summary(by="point", where=lambda rows: rows["system"].isna())
    wide: Mapping[Any, Any] = found.set_index(["point", "measure"])[["value", "low", "high"]].to_dict("index")
    own = [name for name in dict.fromkeys(found["measure"]) if plan.measures and name not in BUILT_IN]
    cells = [(*plan.keys, "delay ρ", "95 % interval", "liquidity used, CNY", "turnover", *own)]
    for number in range(min(len(plan.points), _SHOWN)):
        rho, used, turnover = (wide[number, name] for name in ("rho", "peak_used", "turnover"))
        interval = "–" if study.note or rho["low"] != rho["low"] else f"{rho['low']:.4f} to {rho['high']:.4f}"
        turned = "–" if turnover["value"] != turnover["value"] else f"{turnover['value']:.2f}"
        labels = [plan.labels(key)[number] for key in range(len(plan.keys))]
        told = [f"{wide[number, name]['value']:,.6g}" if (number, name) in wide else "–" for name in own]
        cells.append((*labels, f"{rho['value']:.4f}", interval, f"{used['value'] / 100:,.2f}", turned, *told))
    lines += _aligned(cells)
    if len(plan.points) > _SHOWN:
        lines.append(f"(and {len(plan.points) - _SHOWN:,} more points)")
    return lines


def _aligned(cells: list[tuple[str, ...]]) -> list[str]:
    """The rows of a table as lines, its columns to the right."""
    widths = [max(width(line[column]) for line in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(" " * (widest - width(cell)) + cell for cell, widest in zip(line, widths, strict=True))
        for line in cells
    ]


def difference_lines(study: Study) -> list[str]:
    """How far the lines of a frontier lie apart, for a person: delay less that of the first line, at each level."""
    from cnaps_sim.analysis.plots_frontier import LEVEL, first_line, line_differences
    from cnaps_sim.words.units import MS_PER_MINUTE

    lines = []
    for measure, words, form, scale in (
        ("rho", "delay ρ", "{:+.4f}", 1),
        ("mean_delay", "mean delay, min,", "{:+.2f}", MS_PER_MINUTE),
    ):
        found = line_differences(study, measure, first_line(study))
        if study.replications == 1 or study.note or found.empty:
            return []
        levels = sorted(found[LEVEL].unique())[:_MOST_LEVELS]
        told: Mapping[Any, Any] = found.set_index(["line", LEVEL])[["difference", "low", "high"]].to_dict("index")
        cells = [(f"{words} less that of the first line", *(f"α = {level:g} " for level in levels))]
        for line in dict.fromkeys(found["line"]):
            row = (told.get((line, level)) for level in levels)
            cells.append((line, *("– " if each is None else _difference(each, form, scale) for each in row)))
        lines += _aligned(cells)
    return [*lines, "* 0 lies outside the 95 % interval of the paired difference, each interval by itself"]


def _difference(told: Mapping[str, float], form: str, scale: int) -> str:
    is_sure = told["low"] > 0 or told["high"] < 0
    number = form.format(told["difference"] / scale) if told["difference"] or is_sure else "0"
    return number + ("*" if is_sure else " ")
