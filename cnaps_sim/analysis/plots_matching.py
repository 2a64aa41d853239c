"""Plots of queue matching (排队撮合): what each matching released over the day, and how far from its bound it was."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    legend_below,
    money_scale,
    nothing,
    percent,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.analysis.phrases import TRIGGERS
from cnaps_sim.analysis.plots_labels import busy_span


class Look(NamedTuple):
    """How the matchings of one trigger are drawn: colour and mark differ, so that either alone tells them apart."""

    colour: str
    mark: str


#: The looks of the triggers, in the order of the legend.
LOOKS: Final = {
    "every": Look(BLUE, "o"),
    "at": Look(ORANGE, "s"),
    "queued_over": Look(GREEN, "^"),
    "value_over": Look(VERMILION, "v"),
    "phase": Look(PURPLE, "D"),
    "action": Look(GREY, "P"),
    "continuous": Look(SKY, "p"),
    "close": Look(INK, "X"),
}
_UNKNOWN: Final = Look(GREY, "*")
#: Columns of the picture; of the matchings that fall on one, the highest and the lowest are drawn.
_COLUMNS: Final = 300


@plot
def matching(run: Any, ax: Axes, where: Where = None) -> None:
    """How much value each matching released, when, and what started it; a mark on the axis released nothing."""
    ax.set_title(bilingual("Value released by queue matching", "排队撮合清算金额"))
    found = _matchings(run, where, "settled_fen", metrics.matching)
    first, last = busy_span(run, int(found.time.min()) if len(found.time) else None)
    clock_axis(ax, first, last)
    if not len(found.value):
        nothing(ax, "no matching took place")
        return
    scale, unit = money_scale(found.value.max())
    for trigger, mine in found.by_trigger():
        time, value = _highest_and_lowest(found.time[mine], found.value[mine] / scale, first, last)
        ax.vlines(time, 0, value, color=LOOKS.get(trigger, _UNKNOWN).colour, linewidth=1.1)
        _mark(ax, time, value, trigger)
    ax.set_ylim(0, found.value.max() / scale * 1.08 or 1)
    ax.set_ylabel(f"{bilingual('released', '清算金额')}, {unit}")
    legend_below(ax, 0.65, 4)


@plot
def matching_gap(run: Any, ax: Axes, where: Where = None) -> None:
    """How far each matching stayed below the bound of the LP relaxation, and the mean of the metric (dashed)."""
    ax.set_title(bilingual("Gap of each matching to its LP bound", "撮合与线性规划上界的差距"))
    found = _matchings(run, where, "gap", metrics.matching_gap)
    first, last = busy_span(run, int(found.time.min()) if len(found.time) else None)
    clock_axis(ax, first, last)
    if not len(found.value):
        nothing(ax, "no matching has a bound")
        return
    for trigger, mine in found.by_trigger():
        time, gap = _highest_and_lowest(found.time[mine], found.value[mine], first, last)
        _mark(ax, time, gap, trigger)
    mean = metrics.matching_gap(run, where=where).set_index("measure")["value"]["mean_gap"]
    if mean is not None and mean == mean:
        words = f"{bilingual('mean', '平均')} {percent(mean)}"
        ax.axhline(mean, color=INK, linewidth=0.9, linestyle="--", zorder=4, label=words)
    ax.set_ylim(0, max(float(found.value.max()) * 1.12, 0.01))
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel(bilingual("1 - released / bound", "差距"))
    legend_below(ax, 0.65, 4)


class _Found(NamedTuple):
    """Matchings in order: when each chose its payments (ms), what is drawn of it, what started it."""

    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    trigger: npt.NDArray[np.object_]

    def by_trigger(self) -> list[tuple[str, npt.NDArray[np.bool_]]]:
        """The triggers that occur, those with a look of their own first, and which matchings each started."""
        order = {trigger: place for place, trigger in enumerate(LOOKS)}
        names = sorted(set(self.trigger), key=lambda name: (order.get(name, len(order)), name))
        return [(name, self.trigger == name) for name in names]


def _matchings(run: Any, where: Where, measure: str, metric: Any) -> _Found:
    """One measure of every matching that has it."""
    frame = metric(run, by=["matching", "trigger", "time_ms"], where=where)
    frame = frame[(frame["measure"] == measure) & frame["value"].notna()]
    return _Found(
        frame["time_ms"].to_numpy(np.int64), frame["value"].to_numpy(np.float64), frame["trigger"].to_numpy(object)
    )


def _highest_and_lowest(time: Any, value: Any, first: int, last: int) -> tuple[Any, Any]:
    """The highest and the lowest of the points on each column of the picture; the others they would hide."""
    column = (time - first) * _COLUMNS // max(last - first, 1)
    order = np.lexsort((value, column))
    changes = np.diff(column[order]) != 0
    kept = order[np.append(True, changes) | np.append(changes, True)]
    kept.sort()
    return time[kept], value[kept]


def _mark(ax: Axes, time: Any, value: Any, trigger: str) -> None:
    """Marks with a legend; of a trigger without words of its own the table's is shown."""
    look = LOOKS.get(trigger, _UNKNOWN)
    label = bilingual(*TRIGGERS[trigger]) if trigger in TRIGGERS else trigger
    ax.plot(time, value, look.mark, color=look.colour, markersize=4.5, clip_on=False, label=label, zorder=3)
