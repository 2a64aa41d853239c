"""`cnaps-sim stress`: each bank in turn under a strain, ranked by what that leaves unsettled elsewhere."""

from __future__ import annotations

import os
import tempfile
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
    import pandas as pd

#: Banks shown to a person if nobody says how many.
_SHOWN: Final = 20
_HEAD: Final = ("unsettled elsewhere", "payments", "banks", "ρ added", "peak queue added", "own unsettled")
#: The options behind the arguments of `cs.stress`.
_OPTION_OF: Final = {
    name: f"--{name.replace('_', '-')}" for name in ("kind", "stop_at", "at", "until", "share", "workers")
}
#: What a bank does or meets, and the head of its column, by kind.
_WORDS: Final = {
    "stop": ("stops sending", "bank that stops"),
    "shock": ("loses {share} of its opening balance", "bank that loses"),
    "cap-cut": ("has its net debit cap cut to {share}", "bank that is cut"),
    "credit-withdrawn": ("loses its credit", "bank that loses"),
    "late-opening": ("sends nothing", "bank that is late"),
}


@click.command()
@click.argument("scenario")
@click.option(
    "--kind",
    default="stop",
    metavar="KIND",
    help="stop (default), shock (the central bank debits it by a share of its opening balance), cap-cut (its net debit "
    "cap is cut to a share), credit-withdrawn (no overdraft or loans on bonds), late-opening (nothing before --until).",
)
@click.option("--stop-at", metavar="TIME", help="When the bank stops: HH:MM, or a full date-time.")
@click.option("--at", metavar="TIME", help="When it happens, for every kind but late-opening.")
@click.option(
    "--until", metavar="TIME", help="When a bank sends again: stop (never that date if left out), late-opening."
)
@click.option(
    "--share", metavar="SHARE", help="For shock and cap-cut, from 0 to 1; 0.5 if left out (no public source)."
)
@click.option("--seed", type=int, help="Seed of every random stream; the scenario's own if left out.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key of the scenario; may be repeated."
)
@click.option("--workers", type=int, metavar="N", help="Threads; what is found does not depend on them.")
@click.option("--top", type=int, metavar="N", help="Show only the N worst banks; 20 if left out, all with --json.")
@click.option("--out", metavar="FILE", help="Write the whole table to a .csv file.")
@json_option
@quiet_option
def stress(
    scenario: str,
    kind: str,
    stop_at: str | None,
    at: str | None,
    until: str | None,
    share: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    workers: int | None,
    top: int | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put each bank of SCENARIO in turn under a strain and rank the banks by what stays unsettled elsewhere."""
    from cnaps_sim.analysis.stress import stress as sweep

    if top is not None and top < 1:
        raise InputError("--top", "", "is no number of banks", top, "from 1")
    if out is not None:
        _check_file(Path(out))
    started = time.perf_counter()
    with _progress(shown=not quiet and on_terminal()) as progress:
        try:
            found = sweep(
                scenario, kind=kind, stop_at=stop_at, at=at, until=until, share=share, seed=seed, set=overrides,
                workers=workers, progress=progress,
            )  # fmt: skip
        except InputError as error:
            place = _OPTION_OF.get(error.place, error.place)
            raise InputError(place, error.key, error.problem, error.value, error.allowed) from None
    seconds = time.perf_counter() - started
    if out is not None:
        _write(found, Path(out))
    if as_json:
        print_json(_as_dict(found, top, seconds))
        return
    for line in stress_lines(found, _SHOWN if top is None else top):
        click.echo(line)
    if out is not None:
        click.echo(out)


def _check_file(out: Path) -> None:
    if out.suffix.lower() != ".csv":
        raise InputError("--out", "", "no such kind of file", out, ".csv")
    if out.is_dir():
        raise InputError("--out", "", "is a folder", out, "a file")
    if not out.parent.is_dir():
        raise InputError("--out", "", "no such folder", out.parent, "an existing folder")


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal with banks done and the time left."""
    if not shown:
        yield lambda _done, _banks: raise_if_interrupted()
        return
    from tqdm import tqdm

    with tqdm(unit=" banks", desc="each bank in turn", leave=False) as bar:

        def show(done: int, banks: int) -> None:
            raise_if_interrupted()
            if bar.total != banks:
                bar.reset(total=banks)
            bar.update(done - bar.n)

        yield show


def _write(found: pd.DataFrame, out: Path) -> None:
    """The whole table as CSV; the file takes its name only when it is whole."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{out.name}-", suffix=out.suffix, dir=out.parent)
    os.close(descriptor)
    try:
        found.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, out)
    except BaseException:
        os.unlink(temporary)
        raise


def _as_dict(found: pd.DataFrame, top: int | None, seconds: float) -> dict[str, Any]:
    """What `--json` prints. Money in fen."""
    told = {str(key): value for key, value in found.attrs.items()}
    return {**told, "banks_stopped": len(found), "banks": _rows(found, top), "wall_s": round(seconds, 3)}


def _rows(found: pd.DataFrame, top: int | None) -> list[dict[str, Any]]:
    shown = found if top is None else found.head(top)
    return [{str(key): value for key, value in row.items()} for row in shown.to_dict("records")]


def stress_lines(found: pd.DataFrame, top: int) -> list[str]:
    """The ranking for a person."""
    told = found.attrs
    day = told["undisturbed"]
    what, bank = _WORDS[told["kind"]]
    lines = [
        f"{told['scenario']}, {told['date']}, seed {told['seed']}: each of {len(found):,} banks "
        f"{what.format(share=told['share'])} {_when(told)}",
        f"undisturbed: {day['settled_count']:,} of {day['submitted_count']:,} payments settle, "
        f"CNY {_cny(day['settled_fen'])}, ρ = {day['delay_rho']:.4f}, longest queue CNY {_cny(day['peak_queue_fen'])}",
        "",
    ]
    head = ("rank", bank, *_HEAD)
    cells = [head, *(_cells(row) for row in _rows(found, top))]
    widths = [max(width(line[column]) for line in cells) for column in range(len(head))]
    lines += [_padded(line, widths) for line in cells]
    if len(found) > top:
        lines.append(f"(and {len(found) - top:,} more banks)")
    return lines


def _when(told: Mapping[Any, Any]) -> str:
    if told["kind"] == "late-opening":
        return f"before {told['until']}"
    if told["kind"] != "stop":
        return f"at {told['stop_at']}"
    return f"at {told['stop_at']} " + ("for the rest of the day" if told["until"] is None else f"until {told['until']}")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    named = row["name"] and row["name"] != row["account"]
    return (
        str(row["rank"]),
        f"{row['account']} {row['name']}" if named else row["account"],
        _cny(row["unsettled_fen"]),
        f"{row['unsettled_count']:,}",
        f"{row['banks_affected']:,}",
        f"{row['rho_added']:+.4f}",
        _cny(row["peak_queue_added_fen"]),
        _cny(row["own_unsettled_fen"]),
    )


def _padded(line: tuple[str, ...], widths: list[int]) -> str:
    """One line of the table: the bank to the left, figures to the right."""
    padded = []
    for column, (cell, widest) in enumerate(zip(line, widths, strict=True)):
        room = " " * (widest - width(cell))
        padded.append(cell + room if column == 1 else room + cell)
    return "  ".join(padded).rstrip()


def _cny(fen: int) -> str:
    sign, (yuan, cents) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{cents:02d}"
