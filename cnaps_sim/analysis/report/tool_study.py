"""The part of a report that compares liquidity tools: the answer, one table and one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from cnaps_sim.analysis.drawing import money, percent
from cnaps_sim.analysis.metrics.tidy import ratio
from cnaps_sim.analysis.metrics.tools import ALL, NONE, SOURCES, compared
from cnaps_sim.analysis.phrases import TOOLS, joined
from cnaps_sim.analysis.report.drawings import TOOL_DRAWINGS, drawn

Play = Mapping[str, Any]
_NONE: Final = "–"
_MEANING: Final = (
    "The same payments, opening balances and seed each time, played again without messages. Least opening balances: "
    "the least share of them with which payments wait no longer (ρ) than without any tool, – where even all of them "
    "do not do; it counts own money only, and a tool may bring other money instead. Own money used is how far "
    "balances fell below the opening ones, at most to zero, summed over accounts; most owed and largest are sums of "
    "each account's peak. Interest is that of the day, and of the night for loans repaid when the next date opens. The "
    "last rows are shares of all that was debited."
)
_SOURCE_WORDS: Final = {
    "own": "own opening balances", "receipts": "receipts of the day", "pool": "pools", "credit": "credit",
    "offset": "offsetting in matchings",
}  # fmt: skip


def comparison_section(view: Any, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows of the comparison that `compare_tools` asks for; None if there was none."""
    plays = compared(view)
    if not plays:
        return None
    return {
        "answer": answer(view, summary["liquidity"]),
        "heads": [TOOLS[name] for name, _ in plays],
        "rows": _rows([play for _, play in plays]),
        "meaning": _MEANING,
        "drawings": drawn(view, TOOL_DRAWINGS),
    }


def answer(view: Any, liquidity: Mapping[str, Any]) -> list[str]:
    """How much liquidity the day needs, who provides it, and what each tool saves: a sentence or two each."""
    plays = dict(compared(view))
    none, best = plays[NONE], plays.get(ALL) or list(plays.values())[-1]
    told = [
        f"How much? The day needs from {money(liquidity['lower_bound_fen'])} (one netting of all payments) to "
        f"{money(liquidity['upper_bound_fen'])} (everything at once), and opened with {money(none['opening_fen'])}. "
        f"Without any tool {money(none['peak_used_fen'])} of it were used, {percent(_settled(none))} of the value "
        f"settled and the delay indicator ρ was {none['delay_rho']:.4f}."
    ]
    if best is none:
        return told
    whole = sum(best["sources"].values())
    ranked = sorted(SOURCES, key=lambda name: -best["sources"][name])
    given = [name for name in ranked if best["sources"][name]]
    parts = [f"{percent(best['sources'][name] / whole)} from {_SOURCE_WORDS[name]}" for name in given]
    what = "all tools together" if ALL in plays else f"{TOOLS[list(plays)[-1]][0]}"
    told.append(
        f"Who provides it? With {what} {percent(_settled(best))} of the value settled (ρ {best['delay_rho']:.4f})"
        + (f"; of what was debited {joined(parts)}." if parts else ".")
    )
    return [*told, _saved(plays)]


def _saved(plays: Mapping[str, Play]) -> str:
    """What each tool saves, the one that saves most first; and what it costs."""
    alone = {name: play for name, play in plays.items() if name not in (NONE, ALL)}
    enough = {name: play["least_opening"] for name, play in alone.items() if play["least_opening"] is not None}
    ranked = sorted(enough, key=lambda name: enough[name])
    words = [_enough(name, alone[name], name == ranked[0]) for name in ranked]
    if ALL in plays and plays[ALL]["least_opening"] is not None:
        words.append(_enough(ALL, plays[ALL], not words))
    told = f"What does each save? For the delay of the day without tools {joined(words)}." if words else ""
    slower = [TOOLS[name][0] for name in alone if name not in enough]
    if slower:
        told += f" With {joined(slower)} alone payments waited longer than without any tool."
    return (told + _dearest(plays[NONE], alone)).strip()


def _dearest(none: Play, alone: Mapping[str, Play]) -> str:
    """The tool whose interest is highest beyond that of the day without tools; nothing if none costs more."""
    more = {name: _interest(play) - _interest(none) for name, play in alone.items()}
    name = max(more, key=lambda name: more[name], default=None)
    if name is None or more[name] <= 0:
        return ""
    penalty = alone[name]["interest_fen"]["penalty"] - none["interest_fen"]["penalty"]
    part = f", {money(penalty)} of it on penalty loans" if penalty > 0 else ""
    return f" The dearest was {TOOLS[name][0]}: {money(more[name])} more of interest{part}."


def _interest(play: Play) -> int:
    return int(sum(play["interest_fen"].values()))


def _enough(name: str, play: Play, is_first: bool) -> str:
    least, opening = play["least_opening"], play["opening_fen"]
    share = percent(least) + (" of the opening balances are enough" if is_first else "")
    return f"{share} with {TOOLS[name][0]} ({money(opening - opening * least)} less)"


def _settled(play: Play) -> float:
    return ratio(play["settled"]["value_fen"], play["submitted"]["value_fen"]) or 0.0


def _rows(plays: list[Play]) -> list[tuple[str, list[str]]]:
    """The table: what each row tells, and one cell for each play."""
    lines: list[tuple[str, Callable[[Play], str]]] = [
        ("payments settled", lambda play: f"{play['settled']['count']:,}"),
        ("share of value settled", lambda play: percent(_settled(play))),
        ("delay indicator ρ", lambda play: f"{play['delay_rho']:.4f}"),
        ("least opening balances", lambda play: _percent_or_dash(play["least_opening"])),
        ("own money used", lambda play: _short(play["peak_used_fen"])),
        ("moved in pools", lambda play: _short(play["pool_fen"] + play["sweep_fen"])),
        ("pledge loans, most owed", lambda play: _short(play["pledge_fen"]["peak"])),
        ("overdrafts, largest", lambda play: _short(play["overdraft_peak_fen"])),
        ("loans among participants", lambda play: _short(play["loans"]["value_fen"])),
        ("penalty loans", lambda play: _short(play["penalty_fen"])),
        ("interest in all", lambda play: _short(sum(play["interest_fen"].values()))),
        *((f"from {words}", partial(_source, name)) for name, words in _SOURCE_WORDS.items()),
    ]
    told = [(words, [cell(play) for play in plays]) for words, cell in lines]
    return [(words, cells) for words, cells in told if any(cell != _NONE for cell in cells)]


def _source(name: str, play: Play) -> str:
    """The share of one source in all that was debited."""
    return _percent_or_dash(ratio(play["sources"][name], sum(play["sources"].values())) or None)


def _percent_or_dash(share: float | None) -> str:
    return _NONE if share is None else percent(share)


def _short(fen: int) -> str:
    """An amount for a narrow column, without the currency; a dash for none."""
    return money(fen).removeprefix("CNY ") if fen else _NONE
