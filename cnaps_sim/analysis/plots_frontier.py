"""The frontier of delay and liquidity (延迟与流动性前沿): how much sooner payments settle when banks bring more."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnaps_sim.analysis.drawing import COLOURS, bilingual, house_style, new_axes, nothing, plot, text_kept
from cnaps_sim.analysis.study.study import Study
from cnaps_sim.run.sweep.measures import BUILT_IN
from cnaps_sim.scenario.vary import label
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import MS_PER_MINUTE

#: The level between the lower bound (0) and the upper bound (1) of the liquidity that a day needs.
LEVEL: Final = "liquidity.alpha"
#: Files of the figure; a paper takes the first or the second.
FORMATS: Final = ("pdf", "svg", "png")
_MARKS: Final = "osD^vPX*"
_LINES: Final = ("-", "--", "-.", ":")
#: Most lines that one figure shows.
_MOST_LINES: Final = 16
#: With more lines, bands would lie over one another.
_MOST_BANDS: Final = 3
#: The upright axis reaches no further than so many times the largest mean.
_MOST_ROOM: Final = 2.0
_NAMED: Final = ("algorithm",)
#: What measures are called.
_WORDS: Final = {
    "rho": ("delay indicator ρ", "延迟指标"),
    "mean_delay": ("mean delay", "平均延迟"),
    "delay_max": ("longest delay", "最长延迟"),
    "turnover": ("turnover", "周转率"),
}
#: Measures that cannot exceed 1.
_SHARES: Final = frozenset({"rho", "rho_outbox", "rho_queue"})


def _check_study(study: object) -> None:
    """InputError for what is no study."""
    if not isinstance(study, Study):
        raise InputError("study", "", "is no study", type(study).__name__, "what cs.sweep or cs.load_study returns")


def has_frontier(study: Study) -> bool:
    """Whether the study varies the level of liquidity as a number."""
    return LEVEL in study.keys and pd.api.types.is_numeric_dtype(study.runs[LEVEL])


@plot
def frontier(study: Any, ax: Axes, measure: str = "rho") -> None:
    """Delay against liquidity between its lower and its upper bound, one line per combination of the other keys.

    study: a `Study` that varies `liquidity.alpha`; measure: of all payments together, such as rho or mean_delay

    Bands, and bars where there are more than three lines, are 95 % confidence intervals of the mean over replications.
    They are cut where no value can be, and the picture where they would flatten the lines.
    """
    ax.set_title(bilingual("Delay and liquidity", "延迟与流动性"))
    _check_study(study)
    found = study.summary(where={"measure": measure}) if has_frontier(study) else pd.DataFrame()
    found = found[found["system"].isna()] if len(found) else found
    if found.empty:
        nothing(ax, "the study does not vary liquidity.alpha")
        return
    words, unit, scale = _measured(measure, str(found["unit"].iloc[0]))
    found = _within(measure, found.assign(**{name: found[name] / scale for name in ("value", "low", "high")}))
    lines = _lines(study, found)
    for number, (name, part) in enumerate(lines):
        _line(ax, number, part, name, _aside(study, number, len(lines)) if len(lines) > _MOST_BANDS else None)
    ax.set_xlabel(bilingual("liquidity level α: 0 lower bound, 1 upper bound", "流动性水平"))
    ax.set_ylabel(f"{bilingual(*words)}{unit and ', '}{unit}")
    _cut(ax, found)
    if study.keys != [LEVEL]:
        _legend(study, ax)


def _legend(study: Study, ax: Axes) -> None:
    """The names of the lines, over the grid, and what their bands or bars are."""
    has_intervals = study.replications > 1 and not study.note
    title = f"95 % intervals, {study.replications} runs at each point" if has_intervals else None
    ax.legend(title=title, title_fontsize=8, frameon=True, facecolor="white", edgecolor="none", framealpha=0.9)


def _measured(measure: str, unit: str) -> tuple[tuple[str, str], str, float]:
    """Words for a measure, its unit in a picture ("" for a ratio), and what its values are divided by for that."""
    words = _WORDS.get(measure, (measure.replace("_", " "), ""))
    if unit == "ms":
        return words, "min", MS_PER_MINUTE
    return words, "" if unit == "ratio" else unit, 1


def _within(measure: str, found: pd.DataFrame) -> pd.DataFrame:
    """The rows with their intervals cut where no value of the measure can be."""
    least = 0.0 if measure in BUILT_IN else None
    most = 1.0 if measure in _SHARES else None
    return found.assign(low=found["low"].clip(lower=least), high=found["high"].clip(upper=most))


def _cut(ax: Axes, found: pd.DataFrame) -> None:
    """Limits of the upright axis: from 0, and not so far up that wide intervals flatten the lines."""
    least, most = float(found["value"].min()), float(found["value"].max())
    if least >= 0:
        widest = np.nanmax([most, found["high"].max()])
        top = 1.05 * min(float(widest), _MOST_ROOM * most)
        ax.set_ylim(0, top if top > 0 else None)


def _lines(study: Study, found: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each combination of the other keys, by level, with its name; no more than a figure shows."""
    names = _names(study)
    rest = [key for key in study.keys if key != LEVEL]
    groups = found.groupby(rest, sort=False) if rest else [((), found)]
    parts = [part.sort_values(LEVEL) for _, part in groups][:_MOST_LINES]
    return [(names[int(part["point"].iloc[0])], part) for part in parts]


def _aside(study: Study, number: int, lines: int) -> float:
    """How far to the side a line's bars stand, so that none hides another."""
    levels = np.unique(study.points[LEVEL])
    step = float(np.diff(levels).min()) if len(levels) > 1 else 1.0
    return step * 0.6 * ((number + 0.5) / lines - 0.5)


def _line(ax: Axes, number: int, part: pd.DataFrame, name: str, aside: float | None) -> None:
    """One line with its band, or with bars that stand aside of its points."""
    colour = COLOURS[number % len(COLOURS)]
    style = _LINES[number % len(_LINES)]
    mark = _MARKS[number % len(_MARKS)]
    at, value, low, high = (part[column].to_numpy(np.float64) for column in (LEVEL, "value", "low", "high"))
    ax.plot(at, value, style, marker=mark, ms=4, color=colour, label=name)
    if aside is None:
        ax.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
    else:
        known = ~np.isnan(low)
        ax.vlines(at[known] + aside, low[known], high[known], color=colour, linewidth=0.7, alpha=0.7)


def _names(study: Study) -> list[str]:
    """What each point is called in the legend: its other keys, a mapping by its algorithm."""
    others = [number for number, key in enumerate(study.keys) if key != LEVEL]
    return [", ".join(_short(study.keys[number], point[number]) for number in others) for point in study.plan.points]


def _short(key: str, value: Any) -> str:
    last = key.rpartition(".")[2]
    if isinstance(value, dict) and set(value) & set(_NAMED):
        name = str(value[_NAMED[0]])
        return f"no {last}" if name == "none" else name
    text = label(value)
    return f"no {last}" if text == "none" else text if not text[:1].isdigit() else f"{last} {text}"


def first_line(study: Study) -> dict[str, Any]:
    """The keys beside the level of liquidity, with their values at the first point: what others are measured against.

    Empty if nothing else varies.
    """
    return {key: study.plan.points[0][number] for number, key in enumerate(study.keys) if key != LEVEL}


@plot
def frontier_differences(study: Any, ax: Axes, measure: str = "rho", against: dict[str, Any] | None = None) -> None:
    """How far each other line of the frontier lies from one of them: paired differences at each level of liquidity.

    study: a `Study` that varies `liquidity.alpha` and more; measure: as of `frontier`; against: keys and values of the
    line at zero, by default those of the first point

    Bars are 95 % confidence intervals of the mean difference, each by itself. Runs are paired by replication, so that
    they are far narrower than the bands of `frontier`, which hold what one day differs from another.
    """
    _check_study(study)
    base = first_line(study) if against is None else against
    found = line_differences(study, measure, base)
    names = _names(study)
    zero = _name_of(study, names, base)
    (english, chinese), *_ = _measured(measure, "")
    title = bilingual(english[:1].upper() + english[1:], chinese)
    ax.set_title(f"{title}, less that of {zero}" if zero else title)
    if found.empty:
        nothing(ax, "the study varies no discipline or matching beside liquidity.alpha")
        return
    ax.axhline(0, color="0.4", linewidth=0.8)
    _, unit, scale = _measured(measure, str(found["unit"].iloc[0]))
    lines = [(str(name), part) for name, part in found.groupby("line", sort=False)][:_MOST_LINES]
    for number, (name, part) in enumerate(lines):
        aside = _aside(study, number, len(lines))
        place = list(dict.fromkeys(names)).index(name)
        _bars(ax, place, part.assign(**{LEVEL: part[LEVEL] + aside}), name, scale)
    ax.set_xlabel(bilingual("liquidity level α: 0 lower bound, 1 upper bound", "流动性水平"))
    if unit:
        ax.set_ylabel(unit)
    _legend(study, ax)


def line_differences(study: Study, measure: str, against: dict[str, Any]) -> pd.DataFrame:
    """Rows of `Study.differences` of one measure of HVPS and SAPS together, by line and level, with the `line`'s name.

    No rows if the study has no frontier, or but one line.
    """
    if not has_frontier(study) or not against:
        return pd.DataFrame()
    found = study.differences(against, where=lambda rows: (rows["measure"] == measure) & rows["system"].isna())
    points = study.points
    named = points.assign(line=np.array(_names(study), object)[points["point"].to_numpy()]).drop(columns="point")
    found = found.merge(named.drop_duplicates(study.keys), on=study.keys)
    place = {name: number for number, name in enumerate(dict.fromkeys(_names(study)))}
    return found.sort_values(["line", LEVEL], key=lambda part: part.map(place) if part.name == "line" else part)


def _name_of(study: Study, names: list[str], values: dict[str, Any]) -> str:
    """What the line with these values is called; the values themselves where several lines have them."""
    told = {key: label(value) for key, value in values.items()}
    chosen = {
        name
        for name, point in zip(names, study.plan.points, strict=True)
        if all(label(point[study.keys.index(key)]) == text for key, text in told.items())
    }
    return chosen.pop() if len(chosen) == 1 else ", ".join(_short(key, value) for key, value in values.items())


def _bars(ax: Axes, number: int, part: pd.DataFrame, name: str, scale: float) -> None:
    colour, mark = COLOURS[number % len(COLOURS)], _MARKS[number % len(_MARKS)]
    at = part[LEVEL].to_numpy(np.float64)
    value, low, high = (part[column].to_numpy(np.float64) / scale for column in ("difference", "low", "high"))
    known = ~np.isnan(low)
    ax.vlines(at[known], low[known], high[known], color=colour, linewidth=1.0)
    ax.plot(at, value, mark, ms=3.5, color=colour, label=name)


def write_frontier(study: Study, folder: Path) -> list[Path]:
    """Write the figures as .pdf, .svg and .png (300 dpi), the size of a page's width: frontier, frontier-differences.

    The second one where several lines have several replications.
    """
    written = _write(lambda: _frontier_figure(study), folder, "frontier")
    if study.replications > 1 and not line_differences(study, "rho", first_line(study)).empty:
        written += _write(lambda: _differences_figure(study), folder, "frontier-differences")
    return written


def _frontier_figure(study: Study) -> Figure:
    figure = frontier(study, new_axes(6.3, 3.9)).get_figure(root=True)
    assert figure is not None
    return figure


def _differences_figure(study: Study) -> Figure:
    """Both measures of delay, one above the other."""
    figure = Figure(figsize=(6.3, 6.4), layout="constrained")
    for place, measure in enumerate(("rho", "mean_delay")):
        frontier_differences(study, figure.add_subplot(2, 1, place + 1), measure)
    legend = figure.axes[1].get_legend()
    assert legend is not None
    legend.remove()  # the lines are those above
    return figure


def _write(draw: Callable[[], Figure], folder: Path, name: str) -> list[Path]:
    written = []
    for kind in FORMATS:
        path = folder / f"{name}.{kind}"
        if kind == "svg":
            with text_kept():
                _save(draw, path)
        else:
            _save(draw, path)
        written.append(path)
    return written


def _save(draw: Callable[[], Figure], path: Path) -> None:
    """One figure without the date, so that the same study gives the same file."""
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(path.suffix[1:], {})
    fixed = {"svg.fonttype": "none", "svg.hashsalt": "frontier", "pdf.fonttype": 42}
    with house_style(), matplotlib.rc_context(fixed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        draw().savefig(path, dpi=300, metadata=undated)
