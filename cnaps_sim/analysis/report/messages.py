"""The part of a report on messages (报文): which travelled, which way, how large, and what became of them."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import plural
from cnaps_sim.analysis.metrics.messages import DOWN, UP
from cnaps_sim.analysis.metrics.payments import OUTCOMES
from cnaps_sim.analysis.report.drawings import MESSAGE_DRAWINGS, drawn
from cnaps_sim.words.codes import System

#: Fewer messages than these need no plot: the table says it all.
FEWEST_DRAWN: Final = 100
#: What travels as one message, by the system that the number of its form names.
_TRAVELS: Final = {
    "HVPS": "one message each, forwarded once settled; also returns and nets of a round",
    "BEPS": "one message each, forwarded to the other bank, and a reply to each that needs one",
    "IBPS": "one message each, forwarded to the other bank, and its reply",
    "NETS": "orders and reports about net debit caps",
    "SAPS": "told by notices; also notices of nets, statements",
    "CCMS": "receipts, statuses and the phases of the day, for all systems",
}
#: Systems whose units the summary counts, and what a unit is called.
_COUNTED: Final = {System.HVPS: "payment", System.SAPS: "booking", System.BEPS: "item", System.IBPS: "payment"}
MEANING: Final = (
    "Submitted = settled + rejected + returned + cancelled + queued, in payments or items. Settled are those posted by "
    "HVPS or netted by BEPS and IBPS; rejected ones were refused or not answered in time; returned ones still waited "
    "for funds when the clearing window closed; cancelled ones were withdrawn, stopped, or still in the cap queue at "
    "the date switch. A payment of HVPS that was not settled is not forwarded, so fewer come from the centre."
)
#: Reasons of refusals that are told; the rest is counted.
MOST_REASONS: Final = 12


def message_section(view: Any) -> dict[str, Any] | None:
    """What the page shows of the messages; None if none travelled. InputError if the log cannot be read."""
    if getattr(view, "messages_folder", None) is None:
        return None
    sums = _sums(metrics.messages(view), [])
    passages = int(sums["passages"].iloc[0])
    if not passages:
        return None
    reasons, more = _reasons(view)
    return {
        "figures": _figures(view, {str(name): int(sums[name].iloc[0]) for name in sums.columns}),
        "systems": _systems(view),
        "meaning": MEANING,
        "rows": _rows(view),
        "reasons": reasons,
        "more": more,
        "drawings": drawn(view, MESSAGE_DRAWINGS) if passages >= FEWEST_DRAWN else [],
    }


def _sums(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """One row per group, one column per measure."""
    return frame.assign(whole="").pivot_table("value", names or ["whole"], "measure", "sum", sort=True)


def _figures(view: Any, sums: dict[str, int]) -> list[tuple[str, str]]:
    told = view.manifest.get("messages") or {}
    rows = [
        ("HVPS payments that travelled as messages", f"{told['payments']:,}" if "payments" in told else ""),
        ("BEPS packages and IBPS payments that did", f"{told['units']:,}" if "units" in told else ""),
        ("passages logged", f"{sums['passages']:,}"),
        ("bytes that travelled", size(sums["bytes"])),
        ("lost on the way", f"{sums['lost']:,}"),
        ("came twice, and were known", f"{sums['came_twice']:,}"),
        ("given up by their sender", f"{told['given_up']:,}" if "given_up" in told else ""),
        ("refused by their receiver", f"{sums['refused']:,}"),
        ("under way when the run ended", f"{sums['under_way']:,}" if sums["under_way"] else ""),
    ]
    return [(name, value) for name, value in rows if value]


def _systems(view: Any) -> list[dict[str, str]]:
    """Of each system what travels as one message and what became of it, and the passages of its messages."""
    passages: dict[tuple[str, str], int] = {}
    sums: Any = _sums(metrics.messages(view, by=["number", "way"]), ["number", "way"])["passages"]
    for place, count in sums.items():
        number, way = place
        key = (str(number).split(".")[0].upper(), str(way))
        passages[key] = passages.get(key, 0) + int(count)
    summary = (view.manifest.get("summary") or {}).get("systems") or {}
    known = [name for name in _TRAVELS if any(name == system for system, _ in passages)]
    others = sorted({system for system, _ in passages} - set(known))
    return [
        {
            "system": name,
            "units": _units(view, name, summary.get(name)),
            "ends": _ends(summary.get(name)) if name in _COUNTED else "",
            "up": f"{passages.get((name, UP), 0):,}",
            "down": f"{passages.get((name, DOWN), 0):,}",
        }
        for name in (*known, *others)
    ]


def _units(view: Any, system: str, figures: Any) -> str:
    """How many units of a system there were, where they can be counted, in words."""
    words = _TRAVELS.get(system, "")
    if system not in _COUNTED or not figures:
        return words
    count = figures["submitted"]["count"]
    if system != System.BEPS:
        return f"{plural(count, _COUNTED[System(system)])}, {words}"
    found = metrics.kinds(view, where={"system": system}, by=None).set_index("measure")["value"]
    packages = int(found["packages"])
    return f"{plural(packages, 'package')} with {plural(count, 'item')}, {words}" if packages else f"{count:,} items"


def _ends(figures: Any) -> str:
    """Every outcome with its number: together they are all that was submitted."""
    if not figures:
        return ""
    named = [(name, figures[name]["count"]) for name in OUTCOMES if figures.get(name, {}).get("count")]
    return ", ".join(f"{count:,} {name}" for name, count in named)


def _rows(view: Any) -> list[dict[str, str]]:
    """The table: one row per form and way, the forms in the order of their ids."""
    from cnaps_sim.messages.catalogue import kind_of

    numbers: dict[tuple[str, str], list[str]] = {}
    forms = _sums(metrics.messages(view, by=["iso", "way", "number"]), ["iso", "way", "number"]).index.tolist()
    for iso, way, number in forms:
        kind = kind_of(number, iso)
        title = "" if kind is None else f" {kind.title}"
        numbers.setdefault((iso, way), []).append(title.strip() if number == iso else f"{number[:8]}{title}")
    found: Any = _sums(metrics.messages(view, by=["iso", "way"]), ["iso", "way"])
    return [
        {
            "iso": iso,
            "way": way,
            "numbers": "; ".join(numbers[iso, way]),
            "passages": f"{row['passages']:,}",
            "mean": f"{row['bytes'] / row['passages']:,.0f}",
            "lost": f"{row['lost']:,}",
            "twice": f"{row['came_twice']:,}",
            "refused": f"{row['refused']:,}",
        }
        for (iso, way), row in found.iterrows()
    ]


def _reasons(view: Any) -> tuple[list[str], str]:
    """Refusals by layer and reason, the most frequent first, and a line about the rest."""
    names = ["layer", "reason"]
    frame = metrics.messages(view, by=names, where={"outcome": "refused"})
    if frame.empty:
        return [], ""
    counts = _sums(frame, names)["refused"]
    order = sorted(counts.index, key=lambda key: (-counts[key], key))
    told = [f"{layer}: {reason}: {counts[layer, reason]:,}" for layer, reason in order[:MOST_REASONS]]
    rest = order[MOST_REASONS:]
    if not rest:
        return told, ""
    return told, f"{plural(sum(int(counts[key]) for key in rest), 'more refusal')} for other reasons."


def size(count: int) -> str:
    """A number of bytes for people: `812 bytes`, `135.5 MB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count:,} bytes"
