"""`cnaps-sim run`: simulate a scenario, or two CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnaps_sim.cli.interrupt import raise_if_interrupted
from cnaps_sim.cli.monitor import watching
from cnaps_sim.cli.options import json_option, on_terminal, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.run.store import Run
    from cnaps_sim.run.tool_study import Done
    from cnaps_sim.run.world import Progress
    from cnaps_sim.scenario.load import Loaded


@click.command()
@click.argument("scenario", required=False)
@click.option(
    "--accounts", metavar="FILE", help="Settlement accounts, CSV or Parquet (with --payments, without SCENARIO)."
)
@click.option(
    "--payments", metavar="FILE", help="Payments, CSV or Parquet; or a folder or .zip file of pacs.008 and pacs.009."
)
@click.option("--date", metavar="DATE", help="Business date of the two files.")
@click.option("--seed", type=int, help="Seed of every random stream; the scenario's own if left out.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key of the scenario; may be repeated."
)
@click.option(
    "--fork",
    metavar="RUN",
    help="Play this run again until --at, then on under the rules of --set; what waits is looked at again at once.",
)
@click.option("--at", metavar="TIME", help="When the new rules take over: HH:MM, or a full date-time (with --fork).")
@click.option("--out", metavar="DIR", help="Folder of the run; runs/<name>-s<seed> if left out.")
@click.option("--force", is_flag=True, help="Replace the folder of an earlier run.")
@click.option(
    "--monitor",
    is_flag=True,
    help="Show queues, caps, warnings and events live on stderr; off a terminal in lines.",
)
@json_option
@quiet_option
def run(
    scenario: str | None,
    accounts: str | None,
    payments: str | None,
    date: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    fork: str | None,
    at: str | None,
    out: str | None,
    force: bool,
    monitor: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate SCENARIO (a file or a bundled name) and write a run folder with tables and a report."""
    from cnaps_sim.analysis.simulate import play, usual_folder
    from cnaps_sim.run.store import check_folder

    if monitor and quiet:
        raise InputError("--monitor", "", "stands beside --quiet", "", "one of the two")
    if fork is not None or at is not None:
        beside = {"scenario": scenario, "--accounts": accounts, "--payments": payments, "--date": date, "--seed": seed}
        watch = watching(on_terminal()) if monitor else None
        with _progress(shown=not quiet and not monitor and on_terminal()) as (progress, _):
            forked, place = _forked(fork, at, overrides, out, force, beside, progress, watch)
        _tell(forked, place, as_json)
        return 0 if forked.manifest["audit"]["verdict"] == "passed" else 1
    loaded = _loaded(scenario, accounts, payments, date, overrides, seed)
    warnings = loaded.scenario.business_timetable().calendar.warnings
    if warnings:
        click.echo("; ".join(warnings), err=True)
    place = Path(out) if out is not None else usual_folder(loaded)
    check_folder(place, force)
    watch = watching(on_terminal()) if monitor else None
    with _progress(shown=not quiet and not monitor and on_terminal()) as (progress, compared):
        done = play(loaded, progress=progress, compared=compared, watch=watch, out=place, force=force)
    _tell(done, place, as_json)
    return 0 if done.manifest["audit"]["verdict"] == "passed" else 1


def _loaded(
    scenario: str | None,
    accounts: str | None,
    payments: str | None,
    date: str | None,
    overrides: tuple[str, ...],
    seed: int | None,
) -> Loaded:
    """The scenario, or the one made of two files."""
    if scenario is not None:
        if accounts or payments or date:
            problem = "stands beside --accounts, --payments or --date"
            raise InputError("scenario", "", problem, scenario, "one of the two")
        from cnaps_sim.scenario.load import load

        return load(scenario, overrides, seed)
    if accounts is None and payments is None:
        raise InputError("scenario", "", "is missing", "", "a file, a bundled name, or --accounts and --payments")
    for option, file in (("--accounts", accounts), ("--payments", payments)):
        if file is None:
            raise InputError(option, "", "is missing", "", "both --accounts and --payments")
    from cnaps_sim.analysis.two_files import of_files

    return of_files(accounts, payments, date, overrides, seed)


def _forked(
    fork: str | None,
    at: str | None,
    overrides: tuple[str, ...],
    out: str | None,
    force: bool,
    beside: dict[str, Any],
    progress: Progress,
    watch: Any,
) -> tuple[Run, Path]:
    """A run played again to an instant and on under other rules, and its folder."""
    from cnaps_sim.analysis.fork import play_fork, usual_folder
    from cnaps_sim.run.store import load

    for option, value in beside.items():
        if value is not None:
            raise InputError(option, "", "stands beside --fork and --at", value, "--set, for rules from the instant on")
    for option, value in (("--fork", fork), ("--at", at)):
        if value is None:
            raise InputError(option, "", "is missing", "", "both --fork and --at")
    assert fork is not None
    assert at is not None
    original = load(fork)
    place = Path(out) if out is not None else usual_folder(original)
    return play_fork(original, at, overrides, progress=progress, watch=watch, out=place, force=force), place


@contextmanager
def _progress(shown: bool) -> Iterator[tuple[Progress, Done]]:
    """A line on the terminal with payments, rate and simulated time, and later one with steps of a comparison."""
    if not shown:
        yield (lambda _time_ms, _payments: raise_if_interrupted()), (lambda _done, _steps: raise_if_interrupted())
        return
    from tqdm import tqdm

    from cnaps_sim.words.units import format_clock

    bars = [tqdm(unit=" payments", unit_scale=True, desc="simulating", leave=False)]

    def show(time_ms: int, payments: int) -> None:
        raise_if_interrupted()
        bars[0].set_postfix_str(format_clock(time_ms), refresh=False)
        bars[0].update(payments - bars[0].n)

    def compare(done: int, steps: int) -> None:
        raise_if_interrupted()
        if len(bars) == 1:
            bars[0].close()
            bars.append(tqdm(total=steps, unit=" steps", desc="comparing liquidity tools", leave=False))
        bars[1].update(done - bars[1].n)

    try:
        yield show, compare
    finally:
        bars[-1].close()


def _tell(done: Run, place: Path, as_json: bool) -> None:
    submitted = done.summary["systems"]["HVPS"]["submitted"]["count"]
    wall = done.manifest["wall_s"]
    rate = round(submitted / wall["simulate"]) if wall["simulate"] else None
    if as_json:
        head = {"run": str(place), "date": done.manifest["date"], "seed": done.manifest["seed"]}
        head["audit"] = done.manifest["audit"]["verdict"]
        compared = {"tools": done.manifest["tools"]} if "tools" in done.manifest else {}
        print_json({**head, **done.summary, **compared, "wall_s": wall["total"], "payments_per_s": rate})
        return
    for line in summary_lines(done):
        click.echo(line)
    click.echo(str(place))


def summary_lines(done: Run) -> list[str]:
    """What a run came to, for a person."""
    from cnaps_sim.analysis.drawing import plural
    from cnaps_sim.words.units import format_duration

    lines = [f"{done.scenario['name']}, {done.manifest['date']}, seed {done.manifest['seed']}", *_fork_lines(done)]
    for system, figures in done.summary["systems"].items():
        parts = [_count(figures, outcome) for outcome in ("settled", "rejected", "returned", "cancelled", "queued")]
        submitted = f"{figures['submitted']['count']:,} submitted ({_money(figures['submitted']['value_fen'])})"
        lines.append(": ".join(filter(None, (system, submitted, ", ".join(filter(None, parts))))))
        peak, rho, mean = figures["peak_queue"], figures["delay_rho"], figures["mean_delay_ms"]
        if system in done.manifest.get("outcomes", {}):
            lines += _retail_lines(figures)
        elif peak["count"]:
            delay = "" if mean is None else f", mean delay {format_duration(round(mean / 1000) * 1000)}"
            ratio = "" if rho is None else f", ρ = {rho:.4f}"
            lines.append(
                f"  longest queue {plural(peak['count'], 'payment')}, {_money(peak['value_fen'])}{delay}{ratio}"
            )
    money = done.summary["liquidity"]
    turnover = "" if money["turnover"] is None else f", turnover {money['turnover']:.2f}"
    lines.append(
        f"liquidity: opening {_money(money['opening_fen'])}, used at peak {_money(money['peak_used_fen'])} "
        f"(bounds {_money(money['lower_bound_fen'])} to {_money(money['upper_bound_fen'])}){turnover}"
    )
    lines += _tool_lines(done)
    lines += _round_lines(done)
    told = done.manifest["workload"].get("messages", [])
    lines += [
        f"message files: {source['files']:,}, payments {source['payments']:,}, rejected {source['rejected']:,}"
        for source in (told if isinstance(told, list) else [told])
    ]
    sent = done.manifest.get("messages")
    if sent is not None:
        lines.append(
            f"messages: {sent['rows']:,} passages logged, {sent['lost']:,} lost, {sent['resent']:,} came twice, "
            f"{sent['given_up']:,} given up, {sent['refused']:,} refused"
        )
    audit = done.manifest["audit"]
    broken = {rule: count for rule, count in audit["rules"].items() if count}
    verdict = "passed" if not broken else f"FAILED: {', '.join(f'{rule} ({count})' for rule, count in broken.items())}"
    lines.append(f"audit {verdict} ({len(audit['rules'])} rules); {done.manifest['wall_s']['total']:.1f} s")
    return lines


def _fork_lines(done: Run) -> list[str]:
    """Since when a fork follows other rules, and which."""
    fork = done.manifest.get("fork")
    if fork is None:
        return []
    from cnaps_sim.words.units import format_clock

    at = format_clock(fork["at_ms"])
    if not fork["changed"]:
        return [f"fork at {at}: no rule is another one (--set), so that it is the run again"]
    return [f"fork at {at}: {', '.join(fork['changed'])}"]


def _tool_lines(done: Run) -> list[str]:
    """What each liquidity tool does, where the run has compared them."""
    from cnaps_sim.analysis.drawing import percent
    from cnaps_sim.analysis.metrics.tools import compared
    from cnaps_sim.analysis.phrases import TOOLS

    lines = []
    for name, play in compared(done):
        settled, submitted = play["settled"]["value_fen"], play["submitted"]["value_fen"]
        share = percent(settled / submitted) if submitted else "nothing"
        least = play["least_opening"]
        saves = "longer delay than without tools" if least is None else f"{percent(least)} of the opening balances"
        saves = "" if name == "none" else f"; {saves}{'' if least is None else ' for the delay without tools'}"
        lines.append(f"  {TOOLS[name][0]}: {share} of value settled, ρ = {play['delay_rho']:.4f}{saves}")
    return ["liquidity tools, each alone:", *lines] if lines else []


def _retail_lines(figures: dict[str, Any]) -> list[str]:
    """What else is to tell of a system of the netting server: its delay, its longest cap queue."""
    from cnaps_sim.analysis.drawing import duration, plural

    peak, mean = figures["peak_queue"], figures["mean_delay_ms"]
    parts = [] if mean is None else [f"from submission to netting {duration(mean)} on average"]
    if peak["count"]:
        parts.append(f"longest cap queue {plural(peak['count'], 'package')}, {_money(peak['value_fen'])}")
    return [f"  {'; '.join(parts)}"] if parts else []


def _round_lines(done: Run) -> list[str]:
    """The rounds of a run: what they netted into how little, and what became of the nets."""
    if not done.manifest.get("rounds"):
        return []
    from cnaps_sim.analysis import metrics
    from cnaps_sim.analysis.drawing import duration, percent

    value: Any = metrics.netting(done).set_index("measure")["value"]
    way: Any = metrics.rounds(done, by=None).set_index("measure")["value"]
    ratio = "" if value["netting_ratio"] is None else f" ({percent(value['netting_ratio'])})"
    line = f"rounds: {value['rounds']:,}, {_money(value['gross'])} netted into nets of {_money(value['nets'])}{ratio}"
    parts = []
    if way["held"]:
        parts.append(f"held up to {duration(way['held'])}")
    if way["waited_count"]:
        parts.append(f"{way['waited_count']:,} waited at level 4, up to {duration(way['longest_wait'])}")
    if way["unsettled_count"]:
        parts.append(f"{way['unsettled_count']:,} not posted")
    return [line, *([f"  nets: {', '.join(parts)}"] if parts else [])]


def _count(figures: dict[str, Any], outcome: str) -> str:
    part = figures[outcome]
    return f"{part['count']:,} {outcome}" if part["count"] else ""


def _money(fen: int) -> str:
    yuan = fen / 100
    for size, unit in ((1e12, " tn"), (1e9, " bn"), (1e6, " m")):
        if abs(yuan) >= size:
            return f"CNY {yuan / size:,.2f}{unit}"
    return f"CNY {yuan:,.2f}"
