"""`cnaps-sim liquidity`: the basket liquidity query (一揽子流动性实时查询) at an instant of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.liquidity.query import AccountLiquidity, LiquidityAnswer, OwnerLiquidity, Queued

#: Rows of the table of owners.
_MOST: Final = 20


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--at", required=True, metavar="TIME", help="HH:MM[:SS[.mmm]] on the first date, or a full date-time.")
@click.option("--participant", metavar="ID", help="One owner, named by its id or by one of its accounts.")
@json_option
@quiet_option
def liquidity(run: str, at: str, participant: str | None, as_json: bool, quiet: bool) -> None:  # noqa: ARG001
    """Say what each owner has, has queued and may expect at TIME, everything posted at it included."""
    from cnaps_sim.analysis.liquidity.query import LiquidityQuery
    from cnaps_sim.run.store import load

    kept = load(run)
    try:
        answer = LiquidityQuery(kept).answer(at, participant)
    except InputError as error:
        if error.place not in ("at", "participant"):
            raise
        raise InputError(f"--{error.place}", error.key, error.problem, error.value, error.allowed) from None
    if as_json:
        print_json({"run": run, "date": kept.manifest["date"], **answer.as_dict()})
        return
    lines = _head(kept, answer)
    lines += table_lines(answer) if participant is None else owner_lines(answer.owners[0], answer)
    for line in [*lines, *answer.notes]:
        click.echo(line)


def _head(run: Any, answer: LiquidityAnswer) -> list[str]:
    from cnaps_sim.words.units import format_clock

    phase = answer.phase
    name = run.scenario.get("name")
    words = phase.name.lower().replace("cut_off", "cut-off").replace("_", " ")
    return [
        f"{name}, {run.manifest['date']}, at {format_clock(answer.at_ms)} with everything posted at that instant; "
        f"HVPS: {words} ({phase.chinese})",
        "",
    ]


def table_lines(answer: LiquidityAnswer) -> list[str]:
    """One line per owner, in CNY: all of them, or those with the lowest expected funds."""
    own = [owner for owner in answer.owners if owner.measures["available_fen"] is None]
    others = [owner for owner in answer.owners if owner.measures["available_fen"] is not None]
    shown = others
    if len(others) > _MOST:
        shown = sorted(others, key=lambda owner: owner.measures["expected_fen"] or 0)[:_MOST]
    netted = answer.netted_ms is not None
    keys = ["balance_fen", "available_fen", "queued_out_fen", "queued_in_fen", "expected_fen"]
    heads = ["owner", "balance", "available", "queued out", "queued in", "expected"]
    if netted:
        keys, heads = [*keys, "position_fen", "headroom_fen"], [*heads, "position", "headroom"]
    if any(owner.measures["pledge_room_fen"] is not None for owner in answer.owners):
        keys, heads = [*keys, "pledge_room_fen"], [*heads, "pledge room"]
    told = [[owner.owner, *(_plain(owner.measures[key]) for key in keys), _remark(owner)] for owner in [*shown, *own]]
    cells = [[*heads, ""], *told]
    sums = {key: _added(answer.owners, key) for key in keys}
    lines = _aligned(cells)
    if len(shown) < len(others):
        lines.append(f"(the {len(shown)} of {len(others)} participants with the least expected; one: --participant ID)")
    lines += [
        "",
        f"in CNY; expected = available + queued in − queued out; queued {_plain(sums['queued_out_fen'])} in all",
        f"all accounts, the central bank's own included, hold {_plain(answer.total_balance)} at every instant",
    ]
    return lines + _netting_lines(answer)


def _added(owners: Any, key: str) -> int:
    return sum(owner.measures[key] or 0 for owner in owners)


def _remark(owner: OwnerLiquidity) -> str:
    marks = [
        word
        for word, on in (
            ("below warning line", any(one.balance_warning for one in owner.accounts)),
            ("cap warning", any(one.cap_warning for one in owner.accounts)),
        )
        if on
    ]
    pooled = [one for one in owner.accounts if one.pool is not None]
    if len(pooled) == 1 == len(owner.accounts):
        marks.append(f"pool {pooled[0].pool}: {_plain(pooled[0].pool_spare)} from others")
    return "  ".join([owner.name, *(f"[{word}]" for word in marks)])


def _netting_lines(answer: LiquidityAnswer) -> list[str]:
    """From which instant positions are."""
    from cnaps_sim.words.units import format_clock

    if answer.netted_ms is None:
        return []
    exact = answer.netted_ms == answer.at_ms
    when = "at this very instant" if exact else f"as of {format_clock(answer.netted_ms)}, the last sample"
    return [f"netting server: positions and headroom {when}"]


def owner_lines(owner: OwnerLiquidity, answer: LiquidityAnswer) -> list[str]:
    """One owner: its sums if it has several accounts, then each account."""
    lines: list[str] = []
    if len(owner.accounts) > 1:
        out, coming = owner.queued(out=True), owner.queued(out=False)
        sums = _sums(owner.measures, "total balance", out, coming)
        lines += [f"{owner.owner}  {owner.name}", *_filled(sums), ""]
    for one in owner.accounts:
        status = "" if one.status == "AS01" else f"  {one.status}"
        lines += [f"account {one.account}  {one.name}{status}", *_filled(_account(one)), ""]
    lines.append("expected = available + queued in − queued out")
    return lines + _netting_lines(answer)


#: A line about an account: what it is, fen (None: nothing to say), a remark.
_Row = tuple[str, int | None, str]


def _sums(told: dict[str, int | None], total: str, out: Queued, coming: Queued) -> list[_Row]:
    """What is told of an owner and of each account alike."""
    return [
        (total, told["balance_fen"], ""),
        ("available now", told["available_fen"], ""),
        ("queued out", told["queued_out_fen"], _payments(out.number)),
        *_levels(out),
        ("queued in", told["queued_in_fen"], _payments(coming.number)),
        *_levels(coming),
        ("expected", told["expected_fen"], ""),
        ("balance if all queued settled", told["balance_if_settled_fen"], ""),
    ]


def _account(one: AccountLiquidity) -> list[_Row]:
    first, available, *rest = _sums(one.measures, "balance", one.queued_out, one.queued_in)
    return [
        (first[0], first[1], _warning("below its warning line", one.balance_warning, one.warning_line)),
        ("overdraft limit", one.overdraft_limit or None, ""),
        ("floor", one.floor or None, ""),
        ("earmark (圈存)", one.earmark or None, ""),
        ("reserved", one.reserved or None, "for other levels, or for a matching under way"),
        (available[0], available[1], _other_levels(one)),
        *rest,
        ("fund pool (资金池)", one.pool_spare, f"what others of {one.pool} could give"),
        ("pledge room left (质押融资)", one.pledge_room, ""),
        ("net debit cap", one.cap, ""),
        ("position", one.position, ""),
        ("nets not posted", one.unsettled or None, ""),
        ("headroom", one.headroom, _warning("below its cap warning line", one.cap_warning, one.cap_warning_line)),
    ]


def _filled(rows: list[_Row]) -> list[str]:
    return _aligned([[f"  {name}", _cny(fen), remark] for name, fen, remark in rows if fen is not None])


def _warning(words: str, on: bool, line: int | None) -> str:
    return f"[{words}{'' if line is None else f', {_cny(line)}'}]" if on else ""


def _other_levels(one: AccountLiquidity) -> str:
    """Where other levels may spend something else than level 7."""
    if one.available is None:
        return ""
    apart: dict[int, list[int]] = {}
    for level, fen in enumerate(one.available):
        if fen != one.available[7]:
            apart.setdefault(fen, []).append(level)
    return "; ".join(f"{_cny(fen)} for {_named(levels)}" for fen, levels in apart.items())


def _named(levels: list[int]) -> str:
    return ("level " if len(levels) == 1 else "levels ") + ", ".join(map(str, levels))


def _levels(queued: Queued) -> list[_Row]:
    """How the payments stand by level."""
    levels = enumerate(zip(queued.counts, queued.sums, strict=True))
    return [(f"  level {level}", fen, _payments(count)) for level, (count, fen) in levels if count]


def _payments(count: int) -> str:
    return "1 payment" if count == 1 else f"{count:,} payments" if count else ""


def _aligned(cells: list[list[str]]) -> list[str]:
    """Columns of text, the first and the last to the left; the last is not padded, as its letters may be wide."""
    last = len(cells[0]) - 1
    widths = [max(len(row[column]) for row in cells) for column in range(last)]
    lines = []
    for row in cells:
        middle = [f"{cell:>{width}}" for cell, width in zip(row[1:last], widths[1:], strict=True)]
        lines.append("  ".join([f"{row[0]:<{widths[0]}}", *middle, row[last]]).rstrip())
    return lines


def _plain(fen: int | None) -> str:
    if fen is None:
        return "-"
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan:,}.{cents:02d}"


def _cny(fen: int | None) -> str:
    return "" if fen is None else f"CNY {_plain(fen)}"
