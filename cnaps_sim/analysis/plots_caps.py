"""Plots of retail clearing: positions and headroom over the day, what came, and what the cap refused or held up."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    count_axis,
    legend_below,
    money,
    money_scale,
    nothing,
    percent,
    plot,
    thin,
)
from cnaps_sim.analysis.metrics.caps import samples_of
from cnaps_sim.analysis.metrics.columns import Where, has_table, remembered
from cnaps_sim.analysis.plots_labels import account_name
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE

#: Lines of single participants: colour and dash differ, so that either alone tells them apart.
_LINES: Final = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (ORANGE, ":"), (PURPLE, (0, (5, 1, 1, 1, 1, 1))))
#: Headroom beyond so many caps is no matter of the cap; it would only flatten the picture.
_MOST_SHOWN: Final = 1.5
#: Points of a line; several lines stand in one plot.
_MOST_POINTS: Final = 300
_NO_RETAIL: Final = "the run recorded no retail clearing over time"
#: Widths of the bars of rejections, minutes; of a long run the first that leaves few enough bars.
_WIDTHS: Final = (10, 15, 30, 60, 120, 180, 360, 720, 1_440)
_MOST_BARS: Final = 150


def has_retail(run: Any) -> bool:
    """Can retail clearing be drawn over time?"""
    return bool(run.manifest.get("caps")) and has_table(run, "series")


@plot
def headroom(run: Any, ax: Axes, where: Where = None, accounts: int = 4) -> None:
    """How near the tightest participants came to their net debit cap; thin lines of their colours are the caps."""
    ax.set_title(bilingual("Headroom of the tightest participants", "可用额度最紧的参与者"))
    if not has_retail(run):
        nothing(ax, _NO_RETAIL)
        return
    run = remembered(run)
    tight = _tightest(run, where, accounts)
    if not tight:
        nothing(ax, "no participant has a cap")
        return
    frame = metrics.headroom(run, where={"account": tight})
    for name, (colour, dash) in zip(tight, _LINES, strict=False):
        of_name = frame[frame["account"] == name]
        lines = {part: of_name[of_name["measure"] == part]["value"].to_numpy() for part in ("headroom", "cap")}
        time = of_name[of_name["measure"] == "cap"]["time_ms"].to_numpy()
        largest = int(lines["cap"].max())
        label = f"{account_name(run, name)}, {bilingual('cap', '限额')} {money(largest)}"
        ax.plot(*_steps(time, lines["headroom"] / largest), color=colour, linestyle=dash, linewidth=1.3, label=label)
        if lines["cap"].min() < largest:
            ax.plot(*_steps(time, lines["cap"] / largest), color=colour, linewidth=0.7, alpha=0.8)
    ax.axhline(1, color=INK, linewidth=0.8, linestyle=(0, (6, 3)), label=bilingual("the cap", "净借记限额"))
    ax.axhline(0, color=INK, linewidth=0.8)
    clock_axis(ax, int(frame["time_ms"].min()), int(frame["time_ms"].max()))
    low, high = ax.get_ylim()
    ax.set_ylim(max(low, -_MOST_SHOWN), min(high, _MOST_SHOWN))
    beyond = [f"above {percent(_MOST_SHOWN)}"] * bool(high > _MOST_SHOWN)
    beyond += [f"below -{percent(_MOST_SHOWN)}"] * bool(low < -_MOST_SHOWN)
    if beyond:
        words = f"{bilingual('not shown:', '未显示')} {', '.join(beyond)}"
        ax.text(1.0, 1.02, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5)
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel(bilingual("share of largest cap", "可用额度占比"))
    legend_below(ax, 0.65, 2)


def _tightest(run: Any, where: Where, accounts: int) -> list[str]:
    """The participants most of whose value the cap refused or held up, then those that used most of it."""
    frame = metrics.caps(run, where=where)
    if frame.empty:
        return []
    found = frame.pivot(index="account", columns="measure", values="value").astype(object)
    found = found[found["cap"] > 0]
    held_up = found["rejected_fen"] + found["queued_fen"]
    order = sorted(found.index, key=lambda name: (-held_up[name], -(found["peak_use"][name] or 0), name))
    return [str(name) for name in order[: min(accounts, len(_LINES))]]


def _steps(time: npt.NDArray[Any], value: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A line of steps with few points."""
    time, value = thin(time, value, _MOST_POINTS)
    return np.repeat(time, 2)[1:], np.repeat(value, 2)[:-1]


@plot
def positions(run: Any, ax: Axes, where: Where = None, accounts: int = 4) -> None:
    """Who owed how much to whom: positions with the nets not yet posted, of all (area) and of the largest (lines)."""
    ax.set_title(bilingual("Positions in the netting server", "轧差头寸"))
    if not has_retail(run):
        nothing(ax, _NO_RETAIL)
        return
    run = remembered(run)
    samples = samples_of(run)
    chosen = _columns(run, where, samples.accounts)
    owed = (samples.position + samples.unsettled)[:, chosen]
    if not owed.any():
        nothing(ax, "no position was open at any sample")
        return
    up, down = np.maximum(owed, 0).sum(axis=1), np.minimum(owed, 0).sum(axis=1)
    scale, unit = money_scale(max(int(up.max()), -int(down.min())))
    for side, word in ((up, bilingual("all creditors", "全部贷方")), (down, bilingual("all debtors", "全部借方"))):
        time, value = _steps(samples.time, side / scale)
        ax.fill_between(time, value, color=SKY if side is up else ORANGE, alpha=0.35, linewidth=0, label=word)
    largest = np.argsort(-np.abs(owed).max(axis=0), kind="stable")[: min(accounts, len(_LINES))]
    for column, (colour, dash) in zip(largest.tolist(), _LINES, strict=False):
        name = account_name(run, samples.accounts[int(chosen[column])])
        ax.plot(*_steps(samples.time, owed[:, column] / scale), color=colour, linestyle=dash, linewidth=1.1, label=name)
    ax.axhline(0, color=INK, linewidth=0.8)
    clock_axis(ax, int(samples.time.min()), int(samples.time.max()))
    ax.set_ylabel(f"{bilingual('position', '头寸')}, {unit}")
    legend_below(ax, 0.65, 3)


def _columns(run: Any, where: Where, accounts: list[str]) -> npt.NDArray[np.intp]:
    """Columns of the samples that `where` asks for."""
    if where is None:
        return np.arange(len(accounts))
    wanted = set(metrics.caps(run, where=where)["account"])
    return np.array([place for place, name in enumerate(accounts) if name in wanted], np.intp)


@plot
def cap_queue(run: Any, ax: Axes, where: Where = None) -> None:
    """What stood in the cap queues (area, left axis) and how many items were rejected (bars, right axis), and when."""
    ax.set_title(bilingual("Cap queue and rejected items", "轧差排队与拒绝"))
    if not has_retail(run):
        nothing(ax, _NO_RETAIL)
        return
    run = remembered(run)
    frame = metrics.clearing(run, where=where)
    found = dict(iter(frame.groupby("measure", sort=False)))
    time = np.unique(frame["time_ms"].to_numpy())
    first, last = int(time[0]), int(time[-1])
    clock_axis(ax, first, last)
    enough = (minutes for minutes in _WIDTHS if (last - first) // (minutes * MS_PER_MINUTE) <= _MOST_BARS)
    width = next(enough, _WIDTHS[-1]) * MS_PER_MINUTE
    bars = _binned(found["rejected_count"], first, last, width)
    other = ax.twinx()
    starts = first + np.arange(len(bars)) * width
    other.bar(starts, bars, 0.85 * width, align="edge", color=VERMILION, alpha=0.6, linewidth=0)
    count_axis(other, f"{bilingual('rejected', '拒绝笔数')} in {width // MS_PER_MINUTE} min")
    other.grid(False)
    other.yaxis.label.set_color(VERMILION)
    ax.set_zorder(other.get_zorder() + 1)
    ax.patch.set_visible(False)
    queued = found["queued"]["value"].to_numpy() if "queued" in found else np.zeros(1)
    if queued.any():
        scale, unit = money_scale(queued.max())
        at, value = _steps(found["queued"]["time_ms"].to_numpy(), queued / scale)
        ax.fill_between(at, value, color=SKY, alpha=0.3, linewidth=0)
        ax.plot(at, value, color=BLUE, linewidth=1.1)
        ax.set_ylabel(f"{bilingual('cap queue', '轧差排队')}, {unit}")
        ax.yaxis.label.set_color(BLUE)
        ax.set_ylim(bottom=0)
    else:
        ax.set_yticks([])
        ax.set_ylabel("nothing waited in the cap queue")


def _binned(frame: Any, first: int, last: int, width: int) -> npt.NDArray[np.int64]:
    """Sums per stretch of time; a sample counts in the stretch that it ends."""
    bars = np.zeros(-(-(last - first) // width) or 1, np.int64)
    place = np.maximum(frame["time_ms"].to_numpy(np.int64) - first - 1, 0) // width
    np.add.at(bars, place, frame["value"].to_numpy(np.int64))
    return bars


@plot
def retail_volume(run: Any, ax: Axes, where: Where = None) -> None:
    """How many items BEPS and IBPS netted in each hour (bars, left axis), and of what value (line, right axis)."""
    ax.set_title(bilingual("Items netted", "轧差业务量"))
    if not has_retail(run):
        nothing(ax, _NO_RETAIL)
        return
    frame = metrics.clearing(remembered(run), by="system", where=where)
    first = int(frame["time_ms"].min()) // MS_PER_HOUR * MS_PER_HOUR
    last = int(frame["time_ms"].max())
    per = max(1, (last - first) // MS_PER_HOUR // 96) * MS_PER_HOUR
    height, value = np.zeros(1), np.zeros(1)
    for system, colour in (("BEPS", ORANGE), ("IBPS", BLUE)):
        of_system = frame[frame["system"] == system]
        bars = _binned(of_system[of_system["measure"] == "netted_count"], first, last, per)
        if bars.any():
            starts = first + np.arange(len(bars)) * per
            ax.bar(starts, bars, 0.9 * per, bottom=height, align="edge", color=colour, label=system, linewidth=0)
            height = height + bars
            value = value + _binned(of_system[of_system["measure"] == "netted"], first, last, per)
    if not height.any():
        nothing(ax, "nothing was netted")
        return
    clock_axis(ax, first, last)
    count_axis(ax, f"{bilingual('items', '笔数')} in {per // MS_PER_HOUR} h")
    other = ax.twinx()
    scale, unit = money_scale(value.max())
    middle = first + (np.arange(len(value)) + 0.5) * per
    other.plot(middle, value / scale, color=INK, marker="o", markersize=2.5, linewidth=1)
    other.set_ylabel(f"{bilingual('value', '金额')}, {unit}")
    other.set_ylim(bottom=0)
    other.grid(False)
    ax.plot([], [], color=INK, marker="o", markersize=2.5, linewidth=1, label=bilingual("value", "金额"))
    legend_below(ax, 0.65, 3)
