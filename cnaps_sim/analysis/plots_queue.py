"""Plots of what waited: the settlement queue over the day, its levels, and how long payments took."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    ORANGE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    count_axis,
    duration,
    hbar_labels,
    legend_beside_title,
    money_scale,
    nothing,
    percent,
    plot,
    plural,
    thin,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.analysis.plots_labels import busy_span
from cnaps_sim.words.codes import Level

_LEVEL_NAMES: Final = {
    Level.REVERSAL: ("reversals", "错账冲正"),
    Level.URGENT: ("urgent", "特急"),
    Level.INTEREST_AND_FEES: ("interest and fees", "计息收费"),
    Level.SAME_CITY_NET: ("same-city nets", "同城轧差"),
    Level.ROUND_NET: ("round nets", "轧差净额"),
    Level.ONE_SIDED: ("central bank", "单边业务"),
    Level.HIGH: ("high", "紧急"),
    Level.NORMAL: ("normal", "普通"),
}
#: Two bars of one class below this share have one label, as two would stand in each other.
_TINY: Final = 0.001


@plot
def queue(run: Any, ax: Axes, where: Where = None) -> None:
    """How much waited in the settlement queue, and when: value (filled, left axis), number (line, right axis).

    Of a run of one date the picture begins with the hour in which the queue first holds a hundredth of its peak value.
    """
    frame = metrics.queue(run, where=where)
    ax.set_title(bilingual("Settlement queue", "清算排队"))
    first, last = busy_span(run, _fills_ms(frame))
    clock_axis(ax, first, last)
    if frame.empty:
        nothing(ax, "no payment waited")
        return
    time, value = _line(frame, "queued_fen", first, last)
    scale, unit = money_scale(value.max())
    ax.fill_between(time, value / scale, step="post", color=SKY, alpha=0.45, linewidth=0)
    ax.plot(time, value / scale, drawstyle="steps-post", color=BLUE, label=f"value, {unit}")
    ax.set_ylabel(f"{bilingual('value', '金额')}, {unit}")
    ax.set_ylim(bottom=0)
    other = ax.twinx()
    time, count = _line(frame, "queued_count", first, last)
    other.plot(time, count, drawstyle="steps-post", color=VERMILION, linewidth=0.9, label="payments")
    count_axis(other, bilingual("payments", "笔数"))
    other.grid(False)
    other.yaxis.label.set_color(VERMILION)
    ax.yaxis.label.set_color(BLUE)


def _fills_ms(frame: pd.DataFrame) -> int | None:
    """When the queue first holds a hundredth of its peak value; None if nothing ever waits."""
    values = frame[frame["measure"] == "queued_fen"]
    return None if values.empty else int(values.loc[values["value"] * 100 >= values["value"].max(), "time_ms"].min())


@plot
def delay_distribution(run: Any, ax: Axes, where: Where = None) -> None:
    """How long payments took from instruction to finality: shares by number and by value."""
    frame = metrics.delay_distribution(run, where=where)
    ax.set_title(bilingual("Delay until finality", "结算延迟"))
    names = frame["delay"].drop_duplicates().tolist()
    if frame["value"].isna().all():
        nothing(ax, "no payment was accepted")
        return
    shares = frame.pivot(index="delay", columns="measure", values="value").loc[names].fillna(0)
    both_tiny = ((shares > 0) & (shares < _TINY)).all(axis=1).to_numpy()
    for offset, measure, label, colour in (
        (-0.2, "count_share", bilingual("by number", "按笔数"), BLUE),
        (0.2, "value_share", bilingual("by value", "按金额"), ORANGE),
    ):
        share = shares[measure].to_numpy()
        bars = ax.bar(np.arange(len(names)) + offset, share, 0.38, color=colour, label=label)
        words = ["" if tiny else _short_percent(value) for value, tiny in zip(share, both_tiny, strict=True)]
        ax.bar_label(bars, words, fontsize=6, padding=1)
    for place in np.flatnonzero(both_tiny):
        ax.annotate(_short_percent(_TINY / 2), (place, 0), (0, 2), textcoords="offset points", ha="center", fontsize=6)
    ax.set_xticks(range(len(names)), names)
    ax.tick_params(axis="x", length=0, labelsize=7.5)
    ax.grid(False, axis="x")
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel("share of accepted payments")
    ax.margins(y=0.1)
    legend_beside_title(ax)


@plot
def levels(run: Any, ax: Axes, where: Where = None) -> None:
    """At which level of the settlement queue value waited, and for how long on average."""
    frame = metrics.levels(run, where=where)
    ax.set_title(bilingual("What waited at which level", "各级别排队"))
    found = frame.set_index(["level", "measure"])["value"] if not frame.empty else pd.Series(dtype=object)
    present = [level for level in Level if (level, "waited_count") in found.index]
    if not any(found[level, "waited_count"] for level in present):
        nothing(ax, "no payment waited")
        return
    value = np.array([float(found[level, "waited_fen"]) for level in present])
    scale, unit = money_scale(value.max())
    bars = ax.barh(range(len(present)), value / scale, 0.6, color=BLUE)
    ax.bar_label(bars, [_waited_words(found, level) for level in present], fontsize=8, padding=3)
    hbar_labels(ax, [f"{level.value}  {bilingual(*_LEVEL_NAMES[level])}" for level in present])
    ax.set_xlim(0, value.max() / scale * 1.7)
    ax.set_xlabel(f"value that waited, {unit}")


def _line(frame: pd.DataFrame, measure: str, first: int, last: int) -> tuple[Any, Any]:
    """Instants and values of a step function, from the opening to the end of the day."""
    chosen = frame[frame["measure"] == measure]
    time, value = chosen["time_ms"].to_numpy(), chosen["value"].to_numpy()
    time = np.concatenate(([min(first, time[0])], time, [max(last, time[-1])]))
    return thin(time, np.concatenate(([0], value, [value[-1]])))


def _waited_words(found: pd.Series[Any], level: int) -> str:
    count = int(found[level, "waited_count"])
    if not count:
        return "none"
    return f"{plural(count, 'payment')}, mean {duration(found[level, 'mean_wait'])}"


def _short_percent(share: float) -> str:
    if share == 0:
        return ""
    return "<0.1" if share < _TINY else f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"
