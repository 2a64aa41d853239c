"""Two studies compared, for people: the lines of the command, and compare.html with table and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cnaps_sim.analysis.compare.studies import StudyComparison
from cnaps_sim.analysis.drawing import (
    BLUE,
    Margins,
    bilingual,
    duration,
    money,
    money_scale,
    new_axes,
    percent,
    plural,
)
from cnaps_sim.analysis.pages import drawing_for_a_page, filled, look_of_report
from cnaps_sim.analysis.report.drawings import svg

#: Measures of HVPS and SAPS together that are told of each point where there are several.
MAIN: Final = ("rho", "mean_delay", "peak_used", "settled")
MOST_ROWS: Final = 60
_MOST_LINES: Final = 30
_MOST_TEXT: Final = 80


def study_lines(found: StudyComparison) -> list[str]:
    """The comparison for a person."""
    counts = found.counts
    by = f"paired by {', '.join(found.keys)} and replication" if found.keys else "paired by replication"
    lines = [
        f"A {found.name_a}",
        f"B {found.name_b}",
        f"{by}: {plural(counts['points'], 'point')} x {plural(counts['replications'], 'pair')}",
    ]
    lines += alone_lines(found)
    lines += [f"{key}: {_short(a)} -> {_short(b)}" for key, a, b in found.differs]
    rows = difference_rows(found)
    for at, scope, measure, a, b, difference, interval in rows[:_MOST_LINES]:
        what = " ".join(part for part in (f"{at}:" if at else "", scope, measure) if part)
        lines.append(f"{what}: {a} -> {b} ({difference}; {interval})")
    if not rows:
        lines.append("every measure is the same in both")
    if len(rows) > _MOST_LINES:
        lines.append(f"(and {len(rows) - _MOST_LINES:,} more rows: --json)")
    return lines


def alone_lines(found: StudyComparison) -> list[str]:
    """What could not be paired, and whether the runs of a pair met the same payments, in sentences."""
    counts = found.counts
    lines = [
        f"{plural(counts[f'{what}_only_{name.lower()}'], what[:-1])} in {name} alone"
        for what in ("points", "replications")
        for name in "AB"
        if counts[f"{what}_only_{name.lower()}"]
    ]
    if counts["replications"] == 1:
        lines.append("one pair at each point: no interval can be given; play with --replications")
    if not found.same_payments:
        lines.append("the two runs of a pair were not told to pay the same: what that makes is part of the differences")
    return lines


def difference_rows(found: StudyComparison) -> list[tuple[str, ...]]:
    """Point, scope, measure, mean in A and B, difference, interval, in words; of several points the main measures.

    What is the same in every pair is left out.
    """
    frame = found.measures[(found.measures["difference"] != 0) | (found.measures["high"] > found.measures["low"])]
    if found.counts["points"] > 1:
        frame = frame[frame["system"].isna() & frame["measure"].isin(MAIN)]
        frame = frame.sort_values("measure", key=lambda names: names.map(MAIN.index), kind="stable")
    rows: list[tuple[str, ...]] = []
    for row in frame.to_dict("records"):
        unit, low, high = row["unit"], row["low"], row["high"]
        at = ", ".join(f"{key.rpartition('.')[2]} {_short(row[key])}" for key in found.keys)
        name = row["measure"].removesuffix("_fen").removesuffix("_ms").replace("_", " ")
        interval = "no interval" if low != low else f"{_signed(low, unit)} to {_signed(high, unit)}"
        scope = row["system"] or ""
        told = (_worded(row["a"], unit), _worded(row["b"], unit), _signed(row["difference"], unit), interval)
        rows.append((at, scope, name, *told))
    return rows


def _worded(value: float, unit: str) -> str:
    if unit == "fen":
        return money(value)
    return duration(value) if unit == "ms" else f"{value:.4f}" if unit == "ratio" else f"{value:,.1f}"


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+' if value > 0 else ''}{_worded(abs(value), unit)}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 3]}..."


# the page -----------------------------------------------------------------------------------------------------


def write_study_page(found: StudyComparison, place: Path) -> None:
    """Write the page as one HTML file."""
    place.write_text(study_page(found), encoding="utf-8")


def study_page(found: StudyComparison) -> str:
    """The page as HTML text; the same two studies give the same bytes."""
    rows = difference_rows(found)
    return filled(
        "compare_studies.html.j2",
        style=look_of_report(),
        name_a=found.name_a,
        name_b=found.name_b,
        counts=found.counts,
        confidence=percent(found.confidence),
        keys=found.keys,
        notes=alone_lines(found),
        differs=[(key, _short(a), _short(b)) for key, a, b in found.differs],
        rows=rows[:MOST_ROWS],
        more_rows=max(0, len(rows) - MOST_ROWS),
        drawings=_drawn(found),
    )


def _drawn(found: StudyComparison) -> list[Markup]:
    drawings: tuple[tuple[str, str, str], ...] = (
        ("rho", "Delay indicator ρ, B less A", "延迟指标之差"),
        ("peak_used", "Liquidity used at peak, B less A", "流动性峰值占用之差"),
    )
    shown = []
    with drawing_for_a_page():
        for name, english, chinese in drawings:
            rows = found.measures[found.measures["system"].isna() & (found.measures["measure"] == name)]
            if len(rows) < 2:
                continue
            ax = new_axes(height=2.8, margins=Margins(0.85, 0.2, 0.55))
            ax.set_title(bilingual(english, chinese))
            draw_differences(ax, rows, found.keys)
            shown.append(Markup(svg(ax, name)))
    return shown


def draw_differences(ax: Axes, rows: pd.DataFrame, keys: list[str]) -> None:
    """Mean differences with their intervals, along the only key where its values are numbers, else point by point."""
    scale, unit = money_scale(float(rows["difference"].abs().max())) if rows["unit"].iloc[0] == "fen" else (1.0, "")
    at = pd.to_numeric(rows[keys[0]], errors="coerce") if len(keys) == 1 else pd.Series([np.nan])
    places: Any = np.arange(len(rows)) if at.isna().any() else at.to_numpy(np.float64)
    value, low, high = (rows[name].to_numpy(np.float64) / scale for name in ("difference", "low", "high"))
    known = ~np.isnan(low)
    ax.axhline(0, color="0.4", linewidth=0.8)
    ax.vlines(places[known], low[known], high[known], color=BLUE, linewidth=1.4)
    ax.plot(places, value, "o", ms=4, color=BLUE)
    if at.isna().any():
        ax.set_xlabel("point, in the order of the table")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    else:
        ax.set_xlabel(keys[0])
    if unit:
        ax.set_ylabel(unit)
