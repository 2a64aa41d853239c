"""The frontier of delay and liquidity (延迟与流动性前沿): how much sooner payments settle when banks bring more."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cnaps_sim.analysis.drawing import COLOURS, bilingual, house_style, new_axes, nothing, plot, text_kept
from cnaps_sim.analysis.study import Study
from cnaps_sim.scenario.vary import label

#: The level between the lower bound (0) and the upper bound (1) of the liquidity that a day needs.
LEVEL: Final = "liquidity.alpha"
#: Files of the figure; a paper takes the first or the second.
FORMATS: Final = ("pdf", "svg", "png")
_MARKS: Final = "osD^vPX*"
_LINES: Final = ("-", "--", "-.", ":")
#: Most lines that one figure shows.
_MOST_LINES: Final = 16
_NAMED: Final = ("algorithm",)


def has_frontier(study: Study) -> bool:
    """Whether the study varies the level of liquidity as a number."""
    return LEVEL in study.keys and pd.api.types.is_numeric_dtype(study.runs[LEVEL])


@plot
def frontier(study: Any, ax: Axes, measure: str = "rho") -> None:
    """Delay against liquidity between its lower and its upper bound, one line per combination of the other keys.

    study: a `Study` that varies `liquidity.alpha`; measure: of all payments together, such as rho or mean_delay
    Bands are 95 % confidence intervals of the mean over replications.
    """
    ax.set_title(bilingual("Delay and liquidity", "延迟与流动性"))
    found = study.summary(where={"measure": measure}) if has_frontier(study) else pd.DataFrame()
    found = found[found["system"].isna()] if len(found) else found
    if found.empty:
        nothing(ax, "the study does not vary liquidity.alpha")
        return
    names = _names(study)
    place = study.points.set_index(study.keys)["point"]
    rest = [key for key in study.keys if key != LEVEL]
    groups = found.groupby(rest, sort=False) if rest else [((), found)]
    for number, (_, part) in enumerate(groups):
        if number == _MOST_LINES:
            break
        part = part.sort_values(LEVEL)
        point = place[tuple(part[study.keys].iloc[0])] if rest else 0
        _line(ax, number, part, names[int(point)])
    ax.set_xlabel(bilingual("liquidity level α: 0 lower bound, 1 upper bound", "流动性水平"))
    words = {"rho": ("delay indicator ρ", "延迟指标")}.get(measure, (f"{measure}, {found['unit'].iloc[0]}", ""))
    ax.set_ylabel(bilingual(*words))
    ax.set_ylim(bottom=0)
    if rest:
        ax.legend()


def _line(ax: Axes, number: int, part: pd.DataFrame, name: str) -> None:
    colour = COLOURS[number % len(COLOURS)]
    style = _LINES[number % len(_LINES)]
    mark = _MARKS[number % len(_MARKS)]
    at, value = part[LEVEL].to_numpy(np.float64), part["value"].to_numpy(np.float64)
    ax.plot(at, value, style, marker=mark, ms=4, color=colour, label=name)
    ax.fill_between(at, part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)


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


def write_frontier(study: Study, folder: Path) -> list[Path]:
    """Write the frontier as frontier.pdf, frontier.svg and frontier.png (300 dpi), the size of a page's width."""
    written = []
    for kind in FORMATS:
        path = folder / f"frontier.{kind}"
        if kind == "svg":
            with text_kept():
                _save(study, path)
        else:
            _save(study, path)
        written.append(path)
    return written


def _save(study: Study, path: Path) -> None:
    """One figure without the date, so that the same study gives the same file."""
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(path.suffix[1:], {})
    fixed = {"svg.fonttype": "none", "svg.hashsalt": "frontier", "pdf.fonttype": 42}
    with house_style(), matplotlib.rc_context(fixed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        figure = frontier(study, new_axes(6.3, 3.9)).get_figure(root=True)
        assert figure is not None
        figure.savefig(path, dpi=300, metadata=undated)
