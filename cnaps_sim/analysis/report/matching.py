"""The part of a report on queue matching (排队撮合): what it released, how near the bound, what liquidity it saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import duration, money, percent, plural
from cnaps_sim.analysis.metrics.columns import NONE, IntArray, has_table
from cnaps_sim.analysis.metrics.matching import Matchings, matching_headline, matching_is_on, matchings_of
from cnaps_sim.analysis.phrases import TRIGGERS
from cnaps_sim.analysis.report.drawings import MATCHING_DRAWINGS, drawn
from cnaps_sim.words.units import format_clock

#: Matchings in the table of the report, the biggest by value settled.
MOST_MATCHINGS: Final = 40
#: So many are all shown, also those that settled nothing.
FEW_MATCHINGS: Final = 12


def matching_section(view: Any, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows of queue matching; None if the run had none and its scenario asks for none."""
    some = has_table(view, "matchings") and matchings_of(view).count > 0
    if not some and not matching_is_on(view):
        return None
    if not some:
        return {"figures": [], "triggers": [], "rows": [], "more": "", "drawings": [], "saved": saved(view.manifest)}
    matchings = matchings_of(view)
    rows, more = _rows(matchings)
    drawings = MATCHING_DRAWINGS if matchings.bounded.any() else MATCHING_DRAWINGS[:1]
    return {
        "figures": _figures(view, summary, matchings),
        "triggers": _triggers(view),
        "rows": rows,
        "more": more,
        "drawings": drawn(view, drawings),
        "saved": saved(view.manifest),
    }


def saved(manifest: Mapping[str, Any]) -> list[str]:
    """Sentences about what the matchings spared, from the replays of the day without them; empty if there were none."""
    about = manifest.get("matching")
    if not isinstance(about, Mapping):
        return []
    without, beside, share = (about.get(key) for key in ("rho_without", "rho_with", "liquidity_share"))
    told = []
    if without is not None and beside is not None:
        told.append(f"Without matching the delay indicator ρ would have been {without:.4f} instead of {beside:.4f}.")
    if share is not None and share < 1:
        told.append(f"With matching the same delay would have needed only {percent(share)} of the opening liquidity.")
    elif share is not None:
        told.append("With matching the same delay would have needed no less than all of the opening liquidity.")
    if told and about.get("replays"):
        told.append(f"Found by {plural(int(about['replays']), 'replay')} of the same payments.")
    return told


def _figures(view: Any, summary: Mapping[str, Any], matchings: Matchings) -> list[tuple[str, str]]:
    found = summary.get("matching") or (matching_headline(view) if has_table(view, "payments") else {})
    settled = found.get("settled") or {}
    count = settled.get("count", int(matchings.settled.sum()))
    value = settled.get("value_fen", sum(matchings.settled_fen.tolist()))
    rows = [
        ("algorithm", ", ".join(sorted({str(label) for label in matchings.codes("algorithm").labels}))),
        ("matchings", f"{matchings.count:,}, {int((matchings.settled > 0).sum()):,} of which settled something"),
        ("settled by matching", f"{plural(int(count), 'payment')}, {money(value)}"),
        ("share of all value settled", _share(found.get("share_of_value"))),
        ("mean gap to the bound", _mean_gap(view, matchings)),
    ]
    if has_table(view, "transfers"):
        helped = metrics.matching_accounts(view).set_index("measure")["value"]["helped"]
        rows.append(("accounts that it helped", f"{int(helped):,}"))
    return [*rows, *_extremes(matchings)]


def _mean_gap(view: Any, matchings: Matchings) -> str:
    if not matchings.bounded.any():
        return "no bound computed"
    mean = metrics.matching_gap(view).set_index("measure")["value"]["mean_gap"]
    return "nothing settled" if mean is None or mean != mean else f"{percent(float(mean))} where something settled"


def _extremes(matchings: Matchings) -> list[tuple[str, str]]:
    """The matching that settled most, and the one that took longest from its choice to the posting."""
    rows = []
    most = int(matchings.settled_fen.argmax())
    if matchings.settled[most]:
        rows.append(("largest", f"{plural(int(matchings.settled[most]), 'payment')}, "
                     f"{money(int(matchings.settled_fen[most]))} in {_named(matchings, most)}"))  # fmt: skip
    took = _took(matchings)
    longest = int(took.argmax())
    words = f"{duration(float(took[longest]))}, {_named(matchings, longest)}" if took[longest] > 0 else "all at once"
    return [*rows, ("longest from choice to posting", words)]


def _named(matchings: Matchings, row: int) -> str:
    number, time = matchings.numbers("matching")[row], matchings.numbers("time_ms")[row]
    return f"number {number:,} at {format_clock(int(time))}"


def _took(matchings: Matchings) -> IntArray:
    """From choice to posting, ms; 0 where nothing was posted."""
    posted, chosen = matchings.numbers("settled_ms"), matchings.numbers("time_ms")
    return np.where(posted == NONE, 0, posted - chosen)


def _triggers(view: Any) -> list[dict[str, str]]:
    """Sums by what started the matchings; empty if all were started by the same thing."""
    frame = metrics.matching(view, by="trigger")
    if frame["trigger"].nunique() < 2:
        return []
    found = frame.set_index(["trigger", "measure"])["value"]
    gaps = metrics.matching_gap(view, by="trigger")
    gap = gaps[gaps["measure"] == "mean_gap"].set_index("trigger")["value"]
    return [
        {
            "trigger": _trigger(trigger),
            "matchings": f"{found[trigger, 'matchings']:,}",
            "settled": f"{found[trigger, 'settled_count']:,}",
            "value": money(found[trigger, "settled_fen"]),
            "gap": _share(gap[trigger]),
        }
        for trigger in frame["trigger"].drop_duplicates()
    ]


def _rows(matchings: Matchings) -> tuple[list[dict[str, str]], str]:
    """The biggest matchings in order of time, and a line about the others.

    Where there are many, those that settled nothing are only counted.
    """
    few = matchings.count <= FEW_MATCHINGS
    order = np.lexsort((np.arange(matchings.count), -matchings.settled_fen))
    most = matchings.count if few else min(MOST_MATCHINGS, int((matchings.settled > 0).sum()))
    shown, rest = np.sort(order[:most]), order[most:]
    trigger, took = matchings.codes("trigger"), _took(matchings)
    rows = [
        {
            "number": f"{matchings.numbers('matching')[row]:,}",
            "time": format_clock(int(matchings.numbers("time_ms")[row])),
            "posted": f"+ {duration(float(took[row]))}" if took[row] else "",
            "trigger": _trigger(trigger.labels[trigger.codes[row]]),
            "considered": f"{matchings.numbers('considered')[row]:,}",
            "considered_value": money(matchings.considered_fen[row]),
            "settled": f"{matchings.settled[row]:,}",
            "settled_value": money(matchings.settled_fen[row]),
            "gap": _share(matchings.gap[row]),
            "accounts": f"{matchings.numbers('accounts')[row]:,}",
        }
        for row in shown.tolist()
    ]
    return rows, _left_out(matchings, rest)


def _left_out(matchings: Matchings, rest: IntArray) -> str:
    """A line about the matchings that the table does not show."""
    small = rest[matchings.settled[rest] > 0]
    words = []
    if len(small):
        value = sum(matchings.settled_fen[small].tolist())
        words.append(
            f"The {MOST_MATCHINGS} that settled most value are shown; {plural(len(small), 'more matching')} settled "
            f"{plural(int(matchings.settled[small].sum()), 'payment')}, {money(value)}."
        )
    if len(rest) > len(small):
        words.append(f"Not shown: {plural(len(rest) - len(small), 'matching')} that settled nothing.")
    return " ".join(words)


def _trigger(word: str) -> str:
    return TRIGGERS[word][0] if word in TRIGGERS else word


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else percent(value)
