"""The part of a report on access: what the accounts of branches need, and what one account would (法人一点接入)."""

from __future__ import annotations

from typing import Any, Final

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import duration, money, percent, plural
from cnaps_sim.analysis.metrics.columns import has_table

#: Entities in the table of the report, those whose upper bound pooling lowers most.
MOST_ENTITIES: Final = 12
_ROWS: Final = (
    ("used at the peak", "peak_used"),
    ("lower bound: one netting of the day", "lower_bound"),
    ("upper bound: everything at once", "upper_bound"),
)


def access_section(view: Any) -> dict[str, Any] | None:
    """What the page shows of access; None unless branches had accounts of their own and the tables were recorded."""
    if view.scenario.get("access") != "branches":
        return None
    if not all(has_table(view, name) for name in ("accounts", "payments", "transfers")):
        return None
    found: dict[str, Any] = dict(metrics.access(view)[["measure", "value"]].itertuples(index=False))
    entities = metrics.access(view, by="owner").pivot_table("value", "owner", "measure", "sum", sort=True)
    saved = entities["upper_bound"] - entities["pooled_upper_bound"]
    order = sorted(entities.index[saved > 0], key=lambda owner: (-saved[owner], owner))
    return {
        "told": f"{plural(int(found['accounts']), 'account')} of {found['entities']:,} legal entities, with "
        f"{money(found['opening'])} at the opening; {money(found['inside'])} settled between accounts of one owner.",
        "figures": [(name, *_pair(found, key)) for name, key in _ROWS],
        "rows": [
            {
                "owner": owner,
                "accounts": f"{entities['accounts'][owner]:,}",
                "opening": money(entities["opening"][owner]),
                "cells": [cell for _, key in _ROWS for cell in _pair(entities.loc[owner], key)[:2]],
            }
            for owner in order[:MOST_ENTITIES]
        ],
        "more": max(0, len(order) - MOST_ENTITIES),
    }


def both_ways(view: Any) -> list[tuple[str, str, str]]:
    """Rows of a figure with one account per entity and with one per branch, where the run compared them."""
    told = {entry["access"]: entry for entry in view.manifest.get("access") or ()}
    if not told:
        return []
    single, apart = told["single"], told["branches"]
    return [(words, tell(single), tell(apart)) for words, tell in _COMPARED]


def _unsettled(told: Any) -> str:
    submitted = told["submitted_fen"]
    return percent((submitted - told["settled_fen"]) / submitted) if submitted else "–"


def _delay(told: Any) -> str:
    return "–" if told["mean_delay_ms"] is None else duration(told["mean_delay_ms"])


#: Rows of the comparison, and how each is told.
_COMPARED: Final = (
    ("accounts", lambda told: f"{told['accounts']:,}"),
    ("opening balances", lambda told: money(told["opening_fen"])),
    ("used at the peak", lambda told: money(told["used_fen"])),
    ("lower bound: one netting of the day", lambda told: money(told["lower_fen"])),
    ("upper bound: everything at once", lambda told: money(told["upper_fen"])),
    ("value between entities", lambda told: money(told["submitted_fen"])),
    ("of it not settled by the end", _unsettled),
    ("delay indicator ρ of it", lambda told: f"{told['rho']:.4f}"),
    ("mean delay of what settled", _delay),
)


def _pair(found: Any, key: str) -> tuple[str, str, str]:
    """A figure of the accounts apart, pooled, and the share that pooling saves."""
    apart, pooled = int(found[key]), int(found[f"pooled_{key}"])
    return money(apart), money(pooled), percent((apart - pooled) / apart) if apart else "–"
