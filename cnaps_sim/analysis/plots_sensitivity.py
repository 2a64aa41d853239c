"""The plot of a sensitivity study: a tornado (龙卷风图) for each figure, the parameter that moves it most on top."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from cnaps_sim.analysis.drawing import (
    BLUE,
    GREY,
    LINES,
    ORANGE,
    bilingual,
    check_count,
    hbar_labels,
    house_style,
    legend_beside_title,
    money_scale,
    new_axes,
    nothing,
)
from cnaps_sim.words.errors import InputError, nearest

#: What the figures are called.
_NAMES: Final = {
    "settled_share": ("share of value settled", "清算比例"),
    "returned_fen": ("value sent back", "退回金额"),
    "delay_rho": ("delay indicator ρ", "结算延迟"),
    "mean_delay_ms": ("mean delay", "平均延迟"),
    "peak_used_fen": ("own liquidity used", "自有流动性占用"),
    "turnover": ("turnover", "周转率"),
    "interest_fen": ("interest on credit", "融资利息"),
    "retail_rejected_share": ("retail items not netted", "小额未轧差比例"),
}
#: Figures that cannot exceed 1.
_SHARES: Final = frozenset({"settled_share", "delay_rho", "retail_rejected_share"})
_HEIGHT: Final = 2.3


def tornado(found: pd.DataFrame, ax: Axes | None = None, measure: str | None = None, top: int = 8) -> Axes:
    """Bars from the figure as it is to what the low and the high value of each parameter make of it.

    found: what `cs.sensitivity` returned; measure: one figure; if left out, all that change, below one another
    top: how many parameters; the grey band is what other seeds make
    InputError for a frame that did not come from there, and a figure that it has not.
    """
    if not isinstance(found, pd.DataFrame) or "base" not in found.attrs:
        raise InputError("found", "", "is no such table", type(found).__name__, "what cs.sensitivity returns")
    if measure is not None and measure not in found.attrs["base"]:
        raise InputError("measure", "", "no such figure", measure, nearest(str(measure), found.attrs["base"]))
    check_count("top", top)
    shown = [measure] if measure is not None else _changing(found)
    with house_style():
        axes = new_axes(7.2, _HEIGHT * max(1, len(shown))) if ax is None else ax
        if not shown:
            nothing(axes, "no figure changes")
        elif len(shown) == 1:
            _draw(axes, found, shown[0], top)
        else:
            axes.set_axis_off()
            axes.set_title(_heading(found), fontsize=9, fontweight="normal")
            height = 1 / len(shown)
            for place, name in enumerate(shown):
                _draw(axes.inset_axes((0.0, 1 - (place + 0.8) * height, 1.0, 0.6 * height)), found, name, top)
    return axes


def _changing(found: pd.DataFrame) -> list[str]:
    return [name for name in found.attrs["base"] if (found.loc[found["measure"] == name, "effect"] > 0).any()]


def _heading(found: pd.DataFrame) -> str:
    """Which day, how large, and what its parameters were divided and multiplied by."""
    told = found.attrs
    return f"{told['scenario']}, {told['date']}, scale {told['scale']}; low ÷ {told['factor']}, high × {told['factor']}"


def _draw(ax: Axes, found: pd.DataFrame, measure: str, top: int) -> None:
    rows: list[dict[Any, Any]] = (
        found[(found["measure"] == measure) & (found["effect"] > 0)].head(top).to_dict("records")
    )
    base, chance = found.attrs["base"][measure], found.attrs["chance"][measure]
    name = bilingual(*_NAMES[measure])
    ax.set_title(name)
    if base is None or not rows:
        nothing(ax, "no parameter changes it")
        return
    scale, unit = _scale(measure, max([base, *(row["effect"] for row in rows)]))
    for side, colour, place in (("low", BLUE, -0.2), ("high", ORANGE, 0.2)):
        there = [(row, number) for number, row in enumerate(rows) if row[f"at_{side}"] is not None]
        ax.barh(
            [number + place for _, number in there], [(row[f"at_{side}"] - base) / scale for row, _ in there],
            left=base / scale, height=0.38, color=colour, label=side,
        )  # fmt: skip
    if chance:
        most = 1.0 if measure in _SHARES else float("inf")
        band = max(0, base - chance) / scale, min(most, base + chance) / scale
        ax.axvspan(*band, color=GREY, alpha=0.2, label="other seeds")
    ax.axvline(base / scale, color=LINES, linewidth=1.0)
    hbar_labels(ax, [row["parameter"] for row in rows])
    ax.set_xlabel(unit)
    legend_beside_title(ax)


def _scale(measure: str, largest: float) -> tuple[float, str]:
    if measure.endswith("_fen"):
        return money_scale(largest)
    return (1000.0, "s") if measure.endswith("_ms") else (1.0, "")
