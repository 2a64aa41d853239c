"""compare.html: one self-contained page about two runs, with the figures, who delayed whom, and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from cnaps_sim.analysis.compare.runs import Comparison
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREY,
    ORANGE,
    VERMILION,
    Margins,
    bilingual,
    clock_axis,
    count_axis,
    drawable,
    duration,
    hbar_labels,
    legend_below,
    legend_beside_title,
    money,
    money_scale,
    new_axes,
    nothing,
    plural,
    thin,
)
from cnaps_sim.analysis.pages import drawing_for_a_page, filled, look_of_report
from cnaps_sim.analysis.report.drawings import svg
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE, format_clock

#: Rows shown of each table; the rest is counted.
MOST_ROWS: Final = 20
#: Classes of added delay: from more than an hour sooner to more than an hour later.
_EDGES: Final = (-MS_PER_HOUR, -10 * MS_PER_MINUTE, -MS_PER_MINUTE, 0, MS_PER_MINUTE, 10 * MS_PER_MINUTE, MS_PER_HOUR)
_CLASSES: Final = ("> 1 h", "10–60 min", "1–10 min", "< 1 min", "same", "< 1 min", "1–10 min", "10–60 min", "> 1 h")


def write_page(found: Comparison, place: Path) -> None:
    """Write the page as one HTML file."""
    place.write_text(page(found), encoding="utf-8")


def page(found: Comparison) -> str:
    """The page as HTML text; the same two runs give the same bytes."""
    counts = found.counts
    return filled(
        "compare.html.j2",
        style=look_of_report(),
        name_a=found.name_a,
        name_b=found.name_b,
        counts=counts,
        paired=plural(counts["paired"], "payment"),
        mean=mean_words(counts),
        count_rows=[
            (words, f"{counts[name]:,}", money(counts[f"{name}_fen"]))
            for name, words in (
                ("same", "the same in both"),
                ("sooner", "settled sooner in B"),
                ("later", "settled later in B"),
                ("lost", "settled in A alone"),
                ("gained", "settled in B alone"),
            )
        ],
        measures=[row for row in measure_rows(found.measures) if row[-1] not in ("0", "")],
        blame=blame_rows(found.blame)[:MOST_ROWS],
        more_blame=max(0, len(found.blame) - MOST_ROWS),
        payments=_payment_rows(found),
        drawings=_drawn(found),
    )


# figures ----------------------------------------------------------------------------------------------------


def mean_words(counts: dict[str, int]) -> str:
    """How many settled in both runs, and how much sooner or later they did in B."""
    if not counts["settled_in_both"]:
        return "none settled in both"
    head, mean = f"{counts['settled_in_both']:,} settled in both", counts["later_mean_ms"]
    if not counts["sooner"] and not counts["later"]:
        return f"{head}, each at the same instant"
    if mean == 0:
        return f"{head}, on average as soon in B as in A"
    return f"{head}, on average {duration(abs(mean))} {'later' if mean > 0 else 'sooner'} in B"


def _worded(value: Any, unit: str) -> str:
    if value is None:
        return ""
    if unit == "fen":
        return money(value)
    return duration(value) if unit == "ms" else f"{value:.4f}" if unit == "ratio" else f"{value:,}"


def measure_rows(measures: pd.DataFrame) -> list[tuple[str, str, str, str, str]]:
    """Scope, measure, the two values and their difference, in words; difference `0` where there is none."""
    rows = []
    for row in measures.to_dict("records"):
        unit, difference = row["unit"], row["difference"]
        name = row["measure"].removesuffix("_fen").removesuffix("_ms").replace("_", " ")
        sign = "" if difference is None or difference == 0 else "-" if difference < 0 else "+"
        told = "0" if difference == 0 else f"{sign}{_worded(None if difference is None else abs(difference), unit)}"
        rows.append((row["scope"], name, _worded(row["a"], unit), _worded(row["b"], unit), told))
    return rows


def blame_rows(blame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Because of whom, who, payments, value, mean delay added, payments lost and their value, in words."""
    return [
        (
            row["because_of"],
            row["delayed"],
            f"{row['payments']:,}",
            money(row["value_fen"]),
            duration(row["later_ms"] / (row["payments"] - row["lost_count"]) if row["later_ms"] else 0),
            f"{row['lost_count']:,}",
            money(row["lost_fen"]),
        )
        for row in blame.to_dict("records")
    ]


def _payment_rows(found: Comparison) -> list[tuple[str, ...]]:
    """The payments worst off: those that settled in A alone by value, then the latest."""
    frame = found.payments[found.payments["reason"].notna()]
    is_lost = frame["later_ms"].isna()
    worst = frame.assign(
        lost_fen=frame["amount_fen"].where(is_lost, 0), added_ms=frame["later_ms"].fillna(0)
    ).sort_values(["lost_fen", "added_ms", "payment_id"], ascending=[False, False, True])
    rows: list[tuple[str, ...]] = []
    for row in worst.head(MOST_ROWS).to_dict("records"):
        end = row["outcome_b"] if pd.isna(row["final_b_ms"]) else format_clock(int(row["final_b_ms"]))
        chain = found.chain(row["payment_id"])[1:]
        why = row["reason"] + (f" {' ← '.join(chain[:5])}{' ← …' if len(chain) > 5 else ''}" if chain else "")
        cells = (row["payment_id"], row["debtor"], row["creditor"], money(row["amount_fen"]))
        rows.append((*cells, format_clock(int(row["final_a_ms"])), end, why))
    return rows


# plots ------------------------------------------------------------------------------------------------------

_READING: Final = {
    "settled": "Value settled by each instant in both runs; where one curve runs lower, its payments wait longer.",
    "added": "Payments that settled in both runs, by how much sooner (left) or later (right) they did in B.",
    "blamed": "Value worse off in B, by the bank whose payment stands at the root of the delay; grey is its own.",
}


def _drawn(found: Comparison) -> list[dict[str, Any]]:
    drawings = (
        ("settled", _draw_settled, 3.0, Margins(0.72, 0.3, 0.62)),
        ("added", _draw_added, 2.7, Margins(0.72, 0.15, 0.5)),
        ("blamed", _draw_blamed, 3.4, Margins(1.95, 0.2, 0.85)),
    )
    shown = []
    with drawing_for_a_page():
        for name, draw, height, margins in drawings:
            ax = new_axes(height=height, margins=margins)
            draw(found, ax)
            shown.append({"name": name, "svg": Markup(svg(ax, name)), "reading": _READING[name]})
    return shown


def _draw_settled(found: Comparison, ax: Axes) -> None:
    ax.set_title(bilingual("Value settled", "累计清算金额"))
    curves = []
    for column in ("final_a_ms", "final_b_ms"):
        known = found.payments[column].notna().to_numpy()
        time = found.payments[column].to_numpy(np.int64, na_value=0)[known]
        order = np.argsort(time, kind="stable")
        curves.append((time[order], np.cumsum(found.payments["amount_fen"].to_numpy(np.float64)[known][order])))
    if not any(len(time) for time, _ in curves):
        nothing(ax, "nothing settled in either run")
        return
    first = min(int(time[0]) for time, _ in curves if len(time))
    last = max(int(time[-1]) for time, _ in curves if len(time))
    scale, unit = money_scale(max(float(value[-1]) for _, value in curves if len(value)))
    for (time, value), name, colour in zip(curves, "AB", (BLUE, ORANGE), strict=True):
        shown_time, shown = thin(np.append(time, last), np.append(value, value[-1] if len(value) else 0.0))
        ax.step(shown_time, shown / scale, where="post", color=colour, label=name)
    ax.set_ylabel(unit)
    ax.set_ylim(bottom=0)
    clock_axis(ax, first, last)
    legend_beside_title(ax)


def _draw_added(found: Comparison, ax: Axes) -> None:
    ax.set_title(bilingual("Settled sooner or later than in A", "清算提前或推迟"))
    later = found.payments["later_ms"].dropna().to_numpy(np.int64)
    classes = np.searchsorted(_EDGES, later, side="left")
    classes = np.where(later > 0, np.searchsorted(_EDGES, later, side="left") + 1, classes)
    classes = np.where(later == 0, 4, classes)
    bars = np.bincount(classes, minlength=len(_CLASSES))
    ax.bar(range(len(_CLASSES)), bars, color=[BLUE] * 4 + [GREY] + [VERMILION] * 4)
    ax.set_xticks(range(len(_CLASSES)), _CLASSES, fontsize=7.5)
    ax.set_xlabel(bilingual("sooner in B  ←  →  later in B", "提前 ← → 推迟"))
    ax.grid(False, axis="x")
    count_axis(ax, bilingual("payments", "笔数"))


def _draw_blamed(found: Comparison, ax: Axes) -> None:
    ax.set_title(bilingual("Value delayed or lost, by the bank behind it", "延误的源头"))
    if found.blame.empty:
        nothing(ax, "no payment is worse off in B")
        return
    own = found.blame["because_of"] == found.blame["delayed"]
    sums = found.blame.assign(own=found.blame["value_fen"].where(own, 0)).groupby("because_of")[["value_fen", "own"]]
    top = sums.sum().sort_values("value_fen", ascending=False, kind="stable").head(10)
    scale, unit = money_scale(float(top["value_fen"].max()))
    places = range(len(top))
    ax.barh(places, top["own"].to_numpy(float) / scale, color=GREY, label=bilingual("its own payments", "本行"))
    others = (top["value_fen"] - top["own"]).to_numpy(float) / scale
    ax.barh(
        places,
        others,
        left=top["own"].to_numpy(float) / scale,
        color=VERMILION,
        label=bilingual("others' payments", "他行"),
    )
    hbar_labels(ax, [drawable(str(bank), f"bank {place + 1}") for place, bank in enumerate(top.index)])
    ax.set_xlabel(unit)
    legend_below(ax, 0.5, 2)
