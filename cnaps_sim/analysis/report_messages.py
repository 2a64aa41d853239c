"""The part of a report on messages (报文): which travelled, which way, how large, and what became of them."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import plural
from cnaps_sim.analysis.report_plots import MESSAGE_DRAWINGS, drawn

#: Fewer messages than these need no plot: the table says it all.
FEWEST_DRAWN: Final = 100
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
        ("payments that travelled as messages", f"{told['payments']:,}" if "payments" in told else ""),
        ("passages logged", f"{sums['passages']:,}"),
        ("bytes that travelled", size(sums["bytes"])),
        ("lost on the way", f"{sums['lost']:,}"),
        ("came twice, and were known", f"{sums['came_twice']:,}"),
        ("given up by their sender", f"{told['given_up']:,}" if "given_up" in told else ""),
        ("refused by their receiver", f"{sums['refused']:,}"),
        ("under way when the run ended", f"{sums['under_way']:,}" if sums["under_way"] else ""),
    ]
    return [(name, value) for name, value in rows if value]


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
