"""Plots of messages (报文): how many of which kind travelled, hour by hour."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    count_axis,
    legend_below,
    nothing,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.words.units import MS_PER_HOUR

#: Kinds with a colour of their own, the most frequent; the others are one.
_COLOURS: Final = (BLUE, ORANGE, GREEN, SKY, VERMILION, PURPLE)


@plot
def messages(run: Any, ax: Axes, where: Where = None) -> None:
    """How many messages were sent in each hour, by ISO 20022 form; what was sent again counts again."""
    ax.set_title(bilingual("Messages per hour", "每小时报文量"))
    frame = metrics.messages(run, by=["iso", "hour_ms"], where=where)
    frame = frame[frame["measure"] == "passages"]
    if frame.empty:
        nothing(ax, "no message travelled")
        return
    sums = frame.groupby("iso")["value"].sum().astype(int)
    order = sorted(sums.index, key=lambda iso: (-sums[iso], iso))
    named = order if len(order) <= len(_COLOURS) + 1 else order[: len(_COLOURS)]
    first, last = int(frame["hour_ms"].min()), int(frame["hour_ms"].max())
    height = np.zeros((last - first) // MS_PER_HOUR + 1)
    starts = first + np.arange(len(height)) * MS_PER_HOUR
    for place, iso in enumerate([*named, None] if len(named) < len(order) else named):
        chosen = frame[~frame["iso"].isin(named)] if iso is None else frame[frame["iso"] == iso]
        counts = np.zeros(len(height))
        np.add.at(counts, (chosen["hour_ms"].to_numpy(np.int64) - first) // MS_PER_HOUR, chosen["value"].astype(int))
        colour = _COLOURS[place] if place < len(_COLOURS) else GREY
        label = bilingual("others", "其他") if iso is None else str(iso)
        ax.bar(starts, counts, 0.9 * MS_PER_HOUR, bottom=height, align="edge", color=colour, label=label, linewidth=0)
        height += counts
    clock_axis(ax, first, last + MS_PER_HOUR)
    count_axis(ax, bilingual("messages", "报文数"))
    legend_below(ax, 0.65, 4)
