"""Plots of the payments: how many came and settled, by when, what became of them, and who paid whom."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    LINES,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    count_axis,
    hbar_labels,
    legend_below,
    legend_beside_title,
    money,
    money_scale,
    nothing,
    percent,
    plot,
    plural,
    thin,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.analysis.metrics.payments import OUTCOMES
from cnaps_sim.analysis.plots_labels import account_name
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE

_OUTCOME_COLOURS: Final = dict(zip(OUTCOMES, (GREEN, VERMILION, ORANGE, PURPLE, SKY), strict=True))
_OUTCOME_CHINESE: Final = dict(zip(OUTCOMES, ("已清算", "已拒绝", "已退回", "已撤销", "排队"), strict=True))
#: So many bars have room for names of two lines.
_MOST_TALL: Final = 4


@plot
def throughput(run: Any, ax: Axes, where: Where = None) -> None:
    """By what hour which share of the day's value had been submitted, and settled."""
    frame = metrics.throughput(run, where=where)
    ax.set_title(bilingual("Throughput by value", "业务处理进度"))
    if frame.empty:
        nothing(ax, "no payment was accepted")
        return
    first = int(frame["time_ms"].min()) - MS_PER_HOUR
    lines = (
        ("submitted_share", bilingual("submitted", "已提交"), ORANGE, "--", "s"),
        ("settled_of_submitted", bilingual("settled", "已清算"), BLUE, "-", "o"),
    )
    for measure, label, colour, dash, mark in lines:
        chosen = frame[frame["measure"] == measure]
        time = np.append(first, chosen["time_ms"].to_numpy())
        share = np.append(0.0, chosen["value"].to_numpy(np.float64))
        ax.plot(time, share, dash, color=colour, marker=mark, markersize=3, label=label)
    clock_axis(ax, first, int(frame["time_ms"].max()))
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel("share of accepted value")
    legend_beside_title(ax)


@plot
def outcomes(run: Any, ax: Axes, where: Where = None) -> None:
    """What became of the payments of each system: shares by number and by value."""
    frame = metrics.outcomes(run, by="system", where=where)
    ax.set_title(bilingual("Outcomes", "业务处理结果"))
    if frame.empty:
        nothing(ax, "no payment was submitted")
        return
    found = frame.set_index(["system", "measure"])["value"]
    bars = [(system, unit) for system in frame["system"].drop_duplicates() for unit in ("count", "fen")]
    left = np.zeros(len(bars))
    for outcome in OUTCOMES:
        amounts = [found[system, f"{outcome}_{unit}"] for system, unit in bars]
        wholes = [found[system, f"submitted_{unit}"] for system, unit in bars]
        share = np.array([part / whole for part, whole in zip(amounts, wholes, strict=True)])
        if share.any():
            label = bilingual(outcome, _OUTCOME_CHINESE[outcome])
            ink = "black" if _OUTCOME_COLOURS[outcome] in (ORANGE, SKY, PURPLE) else "white"
            ax.barh(range(len(bars)), share, 0.6, left=left, color=_OUTCOME_COLOURS[outcome], label=label)
            for place, (start, width) in enumerate(zip(left, share, strict=True)):
                if width >= 0.08:
                    text = percent(width)
                    ax.text(start + width / 2, place, text, ha="center", va="center", color=ink, fontsize=8)
        left += share
    between = "\n" if len(bars) <= _MOST_TALL else " "
    names = [_bar_name(unit, found[system, f"submitted_{unit}"]) for system, unit in bars]
    hbar_labels(ax, [f"{system}{between}{name}" for (system, _), name in zip(bars, names, strict=True)])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(FuncFormatter(percent))
    legend_below(ax, 0.35, 3)


@plot
def payments_per_minute(run: Any, ax: Axes, where: Where = None) -> None:
    """How many payments were submitted and settled in each minute."""
    frame = metrics.activity(run, where=where)
    ax.set_title(bilingual("Payments per minute", "每分钟业务量"))
    if frame.empty:
        nothing(ax, "no payment was accepted")
        return
    came, went = (
        thin(chosen["time_ms"].to_numpy(), chosen["value"].to_numpy())
        for chosen in (frame[frame["measure"] == measure] for measure in ("submitted_count", "settled_count"))
    )
    ax.fill_between(*came, step="post", color=ORANGE, alpha=0.5, linewidth=0, label=bilingual("submitted", "已提交"))
    ax.plot(*went, drawstyle="steps-post", color=BLUE, linewidth=0.9, label=bilingual("settled", "已清算"))
    clock_axis(ax, int(frame["time_ms"].min()), int(frame["time_ms"].max()) + MS_PER_MINUTE)
    count_axis(ax, bilingual("payments", "笔数"))
    legend_beside_title(ax)


@plot
def network(run: Any, ax: Axes, where: Where = None, accounts: int = 12) -> None:
    """Who paid whom: value settled between the accounts that sent and received most."""
    frame = metrics.flows(run, where=where)
    ax.set_title(bilingual("Who paid whom", "资金流向"))
    frame = frame[frame["measure"] == "settled_fen"]
    if frame.empty:
        nothing(ax, "no payment settled")
        return
    sides = [frame.groupby(side)["value"].sum() for side in ("debtor", "creditor")]
    busy = sides[0].add(sides[1], fill_value=0).sort_values(ascending=False, kind="stable").index[:accounts].tolist()
    chosen = frame[frame["debtor"].isin(busy) & frame["creditor"].isin(busy)]
    grid = np.full((len(busy), len(busy)), np.nan)
    place = {name: number for number, name in enumerate(busy)}
    for debtor, creditor, value in zip(chosen["debtor"], chosen["creditor"], chosen["value"], strict=True):
        grid[place[debtor], place[creditor]] = value
    scale, unit = money_scale(np.nanmax(grid) if chosen.size else 1)
    grid /= scale
    shades = LinearSegmentedColormap.from_list("flows", ["#e8f3fb", SKY, BLUE, "#00304d"])
    low, high = (np.nanmin(grid), np.nanmax(grid)) if chosen.size else (1.0, 1.0)
    norm = LogNorm(low, high if high > low else low * 10)
    mesh = ax.pcolormesh(grid, cmap=shades, norm=norm, edgecolors=LINES, linewidth=0.4)
    names = [account_name(run, name) for name in busy]
    ax.set_xticks(np.arange(len(busy)) + 0.5, names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(np.arange(len(busy)) + 0.5, names)
    ax.invert_yaxis()
    ax.grid(False)
    ax.tick_params(length=0, labelsize=7.5)
    ax.set_ylabel(bilingual("debtor", "付款"))
    ax.set_xlabel(bilingual("creditor", "收款"))
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    bar.set_label(unit)
    bar.outline.set_visible(False)


def _bar_name(unit: str, whole: int) -> str:
    return plural(whole, "payment") if unit == "count" else money(whole)
