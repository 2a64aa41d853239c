"""The parts of a report on BEPS and IBPS: what was cleared and refused, the rounds, and the way of their nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import duration, money, plural
from cnaps_sim.analysis.metrics.columns import has_table
from cnaps_sim.analysis.metrics.matching import CAP_QUEUE
from cnaps_sim.analysis.metrics.rounds import has_rounds
from cnaps_sim.analysis.plots_caps import has_retail
from cnaps_sim.analysis.report.caps import cap_change_section
from cnaps_sim.analysis.report.drawings import (
    HOLDING_DRAWINGS,
    JOURNEY_DRAWINGS,
    RETAIL_DRAWINGS,
    ROUND_DRAWINGS,
    drawn,
)
from cnaps_sim.analysis.report.kinds import kind_rows, wage_section
from cnaps_sim.analysis.report.words import account_names, money_or_dash, share_or_dash
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.units import format_clock

#: Participants in the table of caps.
MOST_PARTICIPANTS: Final = 12
#: Rounds in the table; of more only those whose nets were held or waited are shown, up to so many.
MOST_ROUNDS: Final = 40


def retail_section(view: Any) -> dict[str, Any] | None:
    """What the page shows of BEPS and IBPS; None if the run has none."""
    if not view.manifest.get("outcomes"):
        return None
    return {
        "refusals": _refusals(view.manifest["outcomes"]),
        "systems": list(view.manifest["outcomes"]),
        "caps": _caps(view) if has_table(view, "accounts") else [],
        "cap_figures": _cap_figures(view) if has_table(view, "accounts") else [],
        "kinds": kind_rows(view),
        "wages": wage_section(view),
        "changes": cap_change_section(view) if has_retail(view) else None,
        "drawings": drawn(view, RETAIL_DRAWINGS) if has_retail(view) else [],
    }


def round_section(view: Any) -> dict[str, Any] | None:
    """What the page shows of the rounds and their nets; None if the run has none."""
    if not has_rounds(view):
        return None
    rounds = metrics.rounds(view, by=["round", "date", "kind"])
    table = rounds.pivot(index="round", columns="measure", values="value").astype(object)
    table = table.where(table.notna(), None)
    labels = rounds.drop_duplicates("round").set_index("round")[["date", "kind"]]
    was_held = any(value for value in table["held"])
    waited = was_held or any(table["waited_count"]) or any(table["unsettled_count"])
    rows, more = _rows(view, table, labels)
    drawings = [*ROUND_DRAWINGS, *(JOURNEY_DRAWINGS if waited else ()), *(HOLDING_DRAWINGS if was_held else ())]
    return {
        "figures": _figures(view),
        "rows": rows,
        "more": more,
        "drawings": drawn(view, drawings),
    }


def _refusals(outcomes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why items were not netted: one row per refusal that occurred, in order of precedence, a pair of cells each."""
    rows = []
    for refusal in Refusal:
        found = [part.get("refusals", {}).get(refusal.name) for part in outcomes.values()]
        if any(found):
            codes = ", ".join(code for code in (str(refusal.reason or ""), refusal.iso) if code)
            cells = [
                cell
                for part in found
                for cell in ((f"{part['count']:,}", money(part["value_fen"])) if part else ("0", "–"))
            ]
            rows.append({"why": refusal.sentence, "codes": codes, "cells": cells})
    return rows


def _cap_figures(view: Any) -> list[tuple[str, str]]:
    value = metrics.caps(view, by=None).set_index("measure")["value"]
    used = metrics.caps(view).pivot(index="account", columns="measure", values="value")
    rows = []
    if value["cap"] is not None and value["cap"] == value["cap"]:
        near = int((pd.to_numeric(used["peak_use"]) >= 0.9).sum())
        rows += [
            ("net debit caps (净借记限额), all participants", money(value["cap"])),
            ("participants that used 90 % of their cap or more", f"{near:,} of {len(used):,}"),
        ]
    return [
        *rows,
        ("refused for want of headroom (RJ94)", _counted(value, "rejected")),
        ("waited in the cap queue (轧差排队)", _counted(value, "queued")),
        ("matchings of the cap queues", _matchings(view)),
    ]


def _matchings(view: Any) -> str:
    if not has_table(view, "matchings"):
        return "none"
    value = metrics.matching(view, where={"algorithm": CAP_QUEUE}).set_index("measure")["value"]
    if not value["matchings"]:
        return "none"
    released = f"{plural(int(value['settled_count']), 'package')}, {money(value['settled_fen'])}"
    return f"{int(value['matchings']):,}, which released {released if value['settled_count'] else 'nothing'}"


def _counted(value: Any, name: str) -> str:
    count = int(value[f"{name}_count"])
    return f"{plural(count, 'item')}, {money(value[f'{name}_fen'])}" if count else "none"


def _caps(view: Any) -> list[dict[str, str]]:
    """The participants whom the cap hindered most; where it hindered nobody, those who came nearest to it."""
    found = metrics.caps(view).pivot(index="account", columns="measure", values="value").astype(object)
    held_up = found["rejected_fen"] + found["queued_fen"]
    use = pd.to_numeric(found["peak_use"]).fillna(0.0)
    order = sorted(found.index, key=lambda name: (-held_up[name], -use[name], name))
    called = account_names(view)
    return [
        {
            "account": str(name),
            "name": called.get(str(name), ""),
            "cap": money_or_dash(found["cap"][name]),
            "use": share_or_dash(found["peak_use"][name]),
            "lowest": money(found["lowest_headroom"][name]),
            "short": share_or_dash(found["short_share"][name]),
            "rejected": f"{found['rejected_count'][name]:,}",
            "queued": f"{found['queued_count'][name]:,}",
        }
        for name in order[:MOST_PARTICIPANTS]
    ]


def _figures(view: Any) -> list[tuple[str, str]]:
    value: Any = metrics.netting(view).set_index("measure")["value"]
    journey: Any = metrics.rounds(view, by=None).set_index("measure")["value"]
    waited = int(journey["waited_count"])
    rows = [
        ("rounds", f"{int(value['rounds']):,}"),
        ("netted", f"{plural(int(value['netted_count']), 'item')}, {money(value['gross'])}"),
        ("nets sent through SAPS", f"{plural(int(journey['participants']), 'net')}, {money(value['nets'])}"),
        ("netting ratio: nets / value netted", share_or_dash(value["netting_ratio"])),
        ("value cleared without money in SAPS", share_or_dash(value["liquidity_efficiency"])),
        ("nets if all rounds had been one", money(value["nets_as_one"])),
        ("longest holding of a round", _time(journey["held"], "none")),
        ("nets that waited at level 4", f"{waited:,}, {money(journey['waited_fen'])}" if waited else "none"),
        ("longest wait there", _time(journey["longest_wait"], "none")),
    ]
    if journey["unsettled_count"]:
        words = f"{plural(int(journey['unsettled_count']), 'net')}, {money(journey['unsettled_fen'])}"
        rows.append(("not posted when the run ended", words))
    return rows


def _rows(view: Any, table: pd.DataFrame, labels: pd.DataFrame) -> tuple[list[dict[str, str]], str]:
    """The rounds in order; of very many those that were held or had nets waiting, and a line about the others."""
    numbers = table.index.tolist()
    if len(numbers) > MOST_ROUNDS:
        told = [number for number in numbers if table["held"][number] or table["waited_count"][number]]
        numbers = told[:MOST_ROUNDS]
    netted = metrics.netting(view, by="round").pivot(index="round", columns="measure", values="value")
    several = labels["date"].nunique() > 1
    rows = [
        {
            "number": f"{number:,}",
            "time": _instant(table["closed_at"][number], labels["date"][number] if several else None),
            "kind": str(labels["kind"][number]),
            "netted": f"{int(netted['netted_count'][number]):,}",
            "gross": money(netted["gross"][number]),
            "nets": money(table["nets"][number]),
            "ratio": share_or_dash(netted["netting_ratio"][number]),
            "payers": f"{table['payers'][number]:,} of {table['participants'][number]:,}",
            "held": _time(table["held"][number]),
            "waited": _waited(table.loc[number]),
        }
        for number in numbers
    ]
    left = len(table) - len(numbers)
    return rows, f"Not shown: {plural(left, 'round')} whose nets were posted at once, or later ones." if left else ""


def _instant(time: int, date: Any) -> str:
    if date is None:
        return format_clock(int(time))
    return f"{date:%d %b} {format_clock(int(time) % 86_400_000)}"


def _waited(row: Any) -> str:
    if not row["waited_count"]:
        return "–"
    nets, value = plural(int(row["waited_count"]), "net"), money(row["waited_fen"])
    return f"{nets}, {value}, to {duration(float(row['longest_wait']))}"


def _time(ms: Any, nothing: str = "–") -> str:
    return nothing if ms is None or ms != ms or not ms else duration(float(ms))
