"""`cnaps-sim match`: one queue, one matching: what settles, the bound, the gap, and what ails the queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.match_result import Comparison, MatchResult


@click.command()
@click.argument("pair", required=False)
@click.option("--accounts", metavar="FILE", help="Settlement accounts, CSV or Parquet (with --payments, without PAIR).")
@click.option("--payments", metavar="FILE", help="Queued payments, CSV or Parquet; their times may be absent.")
@click.option(
    "--algorithm",
    default="multilateral",
    metavar="NAME",
    show_default=True,
    help="A name, all, or package.module:function.",
)
@click.option("--time-limit", type=float, metavar="SECONDS", help="Seconds for exact, instead of its limit of work.")
@click.option("--picture", metavar="FILE", help="Draw the queue before and after: a .png or .svg file.")
@json_option
@quiet_option
def match(
    pair: str | None,
    accounts: str | None,
    payments: str | None,
    algorithm: str,
    time_limit: float | None,
    picture: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Match the queue of two files, or of the bundled PAIR of files (such as gridlock-lab)."""
    from cnaps_sim.analysis.match import match as match_tables
    from cnaps_sim.analysis.match_result import Comparison

    _check_files(pair, accounts, payments)
    try:
        found = match_tables(pair if pair is not None else str(accounts), payments, algorithm, time_limit, picture)
    except InputError as error:
        place = "--picture" if error.place == "picture" else error.place
        raise InputError(place, error.key, error.problem, error.value, error.allowed) from None
    if not quiet:
        for payment, reason in found.queue.left_out:
            click.echo(f"{payment} is left out: {reason}", err=True)
    if as_json:
        print_json(found.as_dict())
        return
    lines = comparison_lines(found) if isinstance(found, Comparison) else result_lines(found)
    for line in lines:
        click.echo(line)
    if picture is not None:
        click.echo(picture)


def _check_files(pair: str | None, accounts: str | None, payments: str | None) -> None:
    if pair is not None:
        if accounts or payments:
            raise InputError("pair", "", "stands beside --accounts or --payments", pair, "one of the two")
        return
    if accounts is None and payments is None:
        from cnaps_sim.analysis.queue_input import bundled_pairs

        allowed = f"--accounts and --payments, or a bundled pair: {', '.join(bundled_pairs())}"
        raise InputError("pair", "", "is missing", "", allowed)
    for option, file in (("--accounts", accounts), ("--payments", payments)):
        if file is None:
            raise InputError(option, "", "is missing", "", "both --accounts and --payments")
        if not Path(file).is_file():
            raise InputError(option, "", "no such file", file, "a CSV or Parquet file")


def result_lines(found: MatchResult) -> list[str]:
    """One matching, for a person."""
    proof = ""
    if found.matched.algorithm.exact:
        proof = ", proven optimal" if found.optimal else f", no more than {_cny(found.matched.proven)} can settle"
    lines = [
        _queue_line(found),
        f"{found.algorithm}: {found.settled_count:,} settle, {_cny(found.settled_value_fen)} "
        f"of at most {_cny(found.bound)}{proof}; gap {_percent(found.gap)}; {_time(found.seconds)}",
    ]
    if found.settled_count:
        lines.append(f"settled: {_some(found.settled)}")
    lines += ["", *_account_lines(found), "", *found.sentences]
    return lines


def comparison_lines(found: Comparison) -> list[str]:
    """Every algorithm in a table, for a person."""
    width = max(len("algorithm"), *(len(result.algorithm) for result in found))
    values = [_cny(result.settled_value_fen) for result in found]
    wide = max(len("value settled"), *map(len, values))
    bound = _cny(found.results[0].bound)
    lines = [_queue_line(found.results[0]), ""]
    head = f"{'algorithm':<{width}}  {'payments':>9}  {'value settled':>{wide}}  {'LP bound':>{len(bound)}}"
    lines.append(f"{head}  {'gap':>8}  {'time':>9}")
    for result, value in zip(found, values, strict=True):
        proof = "  optimal" if result.matched.algorithm.exact and result.optimal else ""
        row = f"{result.algorithm:<{width}}  {result.settled_count:>9,}  {value:>{wide}}  {bound}"
        lines.append(f"{row}  {_percent(result.gap):>8}  {_time(result.seconds):>9}{proof}")
    return [*lines, "", *found.sentences]


def _queue_line(found: MatchResult) -> str:
    table = found.queue.table
    value = _cny(sum(table.amount.tolist()))
    return f"{table.accounts:,} accounts, {len(table):,} payments queued, {value}"


def _account_lines(found: MatchResult) -> list[str]:
    """Balances before and after, and new money needed; the first accounts if there are many."""
    rows = [
        (name, account["balance"], closing, found.injection_fen[name])
        for account, (name, closing) in zip(found.queue.accounts, found.closing_fen.items(), strict=True)
    ]
    shown = rows if len(rows) <= 20 else sorted(rows, key=lambda row: -row[3])[:10]
    cells = [("account", "opening", "closing", "needs")]
    for name, opening, closing, needs in shown:
        cells.append((name, _plain(opening), _plain(closing), _plain(needs) if needs else ""))
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = [
        f"{name:<{widths[0]}}  {opening:>{widths[1]}}  {closing:>{widths[2]}}  {needs:>{widths[3]}}".rstrip()
        for name, opening, closing, needs in cells
    ]
    return lines if len(shown) == len(rows) else [*lines, f"(and {len(rows) - len(shown):,} more accounts)"]


def _some(ids: list[str], most: int = 30) -> str:
    rest = f" and {len(ids) - most:,} more" if len(ids) > most else ""
    return " ".join(ids[:most]) + rest


def _plain(fen: int) -> str:
    sign, (yuan, cents) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{cents:02d}"


def _cny(fen: int) -> str:
    return f"CNY {_plain(fen)}"


def _percent(share: float) -> str:
    return "0 %" if share == 0 else f"{100 * share:.3f} %"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms" if seconds < 1 else f"{seconds:.1f} s"
