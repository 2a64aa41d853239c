"""`cnaps-sim liquidity`: the basket liquidity query (一揽子流动性实时查询) at an instant of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from cnaps_sim.cli.options import json_option, print_json, quiet_option
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.liquidity_query import AccountLiquidity, LiquidityAnswer, OwnerLiquidity, Queued

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
    from cnaps_sim.analysis.liquidity_query import LiquidityQuery
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
    cells = [[*heads, ""]]
    for owner in [*shown, *own]:
        cells.append([owner.owner, *(_plain(owner.measures[key]) for key in keys), _remark(owner)])
    sums = {key: _added(answer.owners, key) for key in keys}
    lines = _aligned(cells)
    if len(shown) < len(others):
        lines.append(f"(the {len(shown)} of {len(others)} participants with the least expected; one: --participant ID)")
    lines += [
        "",
        f"CNY. expected = available + queued in − queued out. All accounts hold {_plain(answer.total_balance)}, the "
        f"central bank's own included; queued {_plain(sums['queued_out_fen'])}",
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
    """One owner: its sums, then each account."""
    lines = [f"{owner.owner}  {owner.name}", *_sums(owner)]
    for one in owner.accounts:
        lines += ["", *_account(one)]
    return lines + ([""] + _netting_lines(answer) if answer.netted_ms is not None else [])


def _sums(owner: OwnerLiquidity) -> list[str]:
    told = owner.measures
    rows = [
        ("total balance", _cny(told["balance_fen"]), ""),
        ("available now", _cny(told["available_fen"]), ""),
        ("queued out", _cny(told["queued_out_fen"]), _levels(owner.queued(out=True))),
        ("queued in", _cny(told["queued_in_fen"]), _levels(owner.queued(out=False))),
        ("expected", _cny(told["expected_fen"]), "available + queued in − queued out"),
        ("balance if all queued settled", _cny(told["balance_if_settled_fen"]), ""),
    ]
    return _aligned([[f"  {name}", value, remark] for name, value, remark in rows if value])


def _account(one: AccountLiquidity) -> list[str]:
    told = one.measures
    rows = [
        ("balance", told["balance_fen"], _warning("below its warning line", one.balance_warning, one.warning_line)),
        ("overdraft limit", one.overdraft_limit or None, ""),
        ("floor", one.floor or None, ""),
        ("earmark (圈存)", one.earmark or None, ""),
        ("reserved", one.reserved or None, "for other levels, or for a matching under way"),
        ("available now", told["available_fen"], _other_levels(one)),
        ("queued out", told["queued_out_fen"], _levels(one.queued_out)),
        ("queued in", told["queued_in_fen"], _levels(one.queued_in)),
        ("expected", told["expected_fen"], ""),
        ("net debit cap", one.cap, ""),
        ("position", one.position, ""),
        ("nets not posted", one.unsettled or None, ""),
        ("headroom", one.headroom, _warning("below its cap warning line", one.cap_warning, one.cap_warning_line)),
    ]
    status = "" if one.status == "AS01" else f"  {one.status}"
    return [
        f"account {one.account}  {one.name}{status}",
        *_aligned([[f"  {name}", _cny(fen), remark] for name, fen, remark in rows if fen is not None]),
    ]


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


def _levels(queued: Queued) -> str:
    """How many payments, and how they stand by level."""
    if not queued.count:
        return ""
    parts = [
        f"level {level}: {count:,}, {_cny(fen)}"
        for level, (count, fen) in enumerate(zip(queued.counts, queued.sums, strict=True))
        if count
    ]
    payments = "1 payment" if queued.count == 1 else f"{queued.count:,} payments"
    return f"{payments} ({'; '.join(parts)})"


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
