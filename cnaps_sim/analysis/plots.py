"""Plots: one function per question, `(run, ax=None, **choices) -> Axes`; they draw what a metric returned.

Every plot takes `where` (as the metrics do) and draws on the given axes or on those of a new figure, which
`ax.figure.savefig("queue.png")` writes. Chinese terms appear where a font has the characters.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    GREY,
    LINES,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
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
    nothing,
    percent,
    plot,
    plural,
    thin,
)
from cnaps_sim.analysis.metrics.columns import Columns, Where, columns_of, has_table
from cnaps_sim.analysis.metrics.liquidity import accounts_of
from cnaps_sim.analysis.metrics.payments import OUTCOMES, timetable_of
from cnaps_sim.words.codes import Level
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE

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
_OUTCOME_COLOURS: Final = dict(zip(OUTCOMES, (GREEN, VERMILION, ORANGE, PURPLE, SKY), strict=True))
_OUTCOME_CHINESE: Final = dict(zip(OUTCOMES, ("已清算", "已拒绝", "已退回", "已撤销", "排队"), strict=True))


@plot
def queue(run: Any, ax: Axes, where: Where = None) -> None:
    """How much waited in the settlement queue, and when: value (filled, left axis), number (line, right axis)."""
    frame = metrics.queue(run, where=where)
    ax.set_title(bilingual("Settlement queue", "清算排队"))
    first, last = _day(run)
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
def delay_distribution(run: Any, ax: Axes, where: Where = None) -> None:
    """How long payments took from instruction to finality: shares by number and by value."""
    frame = metrics.delay_distribution(run, where=where)
    ax.set_title(bilingual("Delay from instruction to finality", "结算延迟"))
    names = frame["delay"].drop_duplicates().tolist()
    if frame["value"].isna().all():
        nothing(ax, "no payment was accepted")
        return
    for offset, measure, label, colour in (
        (-0.2, "count_share", bilingual("by number", "按笔数"), BLUE),
        (0.2, "value_share", bilingual("by value", "按金额"), ORANGE),
    ):
        share = frame.loc[frame["measure"] == measure, "value"].fillna(0).to_numpy()
        bars = ax.bar(np.arange(len(names)) + offset, share, 0.38, color=colour, label=label)
        ax.bar_label(bars, [_short_percent(value) for value in share], fontsize=6, padding=1)
    ax.set_xticks(range(len(names)), names)
    ax.tick_params(axis="x", length=0, labelsize=7.5)
    ax.grid(False, axis="x")
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel("share of accepted payments")
    ax.margins(y=0.1)
    legend_beside_title(ax)


@plot
def balances(run: Any, ax: Axes, where: Where = None, accounts: int = 4) -> None:
    """How much liquidity was in use: all participants' (filled), and the accounts that used most (lines)."""
    ax.set_title(bilingual("Liquidity in use", "流动性占用"))
    if not has_table(run, "series"):
        nothing(ax, "the run recorded no balances over time")
        return
    frame = metrics.in_use(run, where=where)
    whole = frame[frame["measure"] == "in_use"]
    time, used = thin(whole["time_ms"].to_numpy(), whole["value"].to_numpy())
    scale, unit = money_scale(used.max())
    ax.fill_between(time, used / scale, step="post", color=SKY, alpha=0.45, linewidth=0)
    ax.plot(time, used / scale, drawstyle="steps-post", color=BLUE, label=bilingual("all accounts", "全部账户"))
    top = _top_users(run, where, accounts)
    if top:
        single = metrics.in_use(run, by="account", where={"account": top})
        single = single[single["measure"] == "in_use"]
        for name, colour in zip(top, (ORANGE, GREEN, VERMILION, PURPLE, GREY), strict=False):
            part = single[single["account"] == name]
            at, own = thin(part["time_ms"].to_numpy(), part["value"].to_numpy())
            ax.plot(at, own / scale, drawstyle="steps-post", color=colour, linewidth=1, label=_name(run, name))
    clock_axis(ax, int(time.min()), int(time.max()))
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"{bilingual('in use', '占用')}, {unit}")
    legend_below(ax, 0.65, 3)


@plot
def liquidity_by_account(run: Any, ax: Axes, where: Where = None, accounts: int = 15) -> None:
    """Which accounts used most liquidity, beside the least and the most that they could have needed."""
    frame = metrics.liquidity(run, by="account", where=where)
    ax.set_title(bilingual("Liquidity used, and its bounds", "流动性使用与上下限"))
    wide = frame[frame["measure"] != "turnover"].pivot_table(
        index="account", columns="measure", values="value", aggfunc="sum"
    )
    if wide.empty or not wide[["peak_used", "upper_bound"]].to_numpy().any():
        nothing(ax, "no account used or needed liquidity")
        return
    wide = wide.astype(np.float64).sort_values(["peak_used", "upper_bound"], ascending=False, kind="stable")
    wide = wide[wide[["peak_used", "upper_bound"]].any(axis=1)].head(accounts)
    scale, unit = money_scale(wide[["peak_used", "upper_bound"]].to_numpy().max())
    place = np.arange(len(wide))
    ax.barh(place, wide["peak_used"] / scale, 0.55, color=BLUE, label=bilingual("used at the peak", "峰值使用"))
    ax.hlines(place, wide["lower_bound"] / scale, wide["upper_bound"] / scale, color=ORANGE, linewidth=1.2)
    for column, mark, words in (
        ("lower_bound", "|", ("lower bound", "下限")),
        ("upper_bound", "D", ("upper bound", "上限")),
    ):
        ax.plot(wide[column] / scale, place, mark, color=ORANGE, ms=5, mew=1.4, label=bilingual(*words))
    hbar_labels(ax, [_name(run, name) for name in wide.index])
    ax.set_xlim(left=0)
    ax.set_xlabel(unit)
    legend_below(ax, 0.5, 3)


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
    hbar_labels(ax, [_bar_name(system, unit, found[system, f"submitted_{unit}"]) for system, unit in bars])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(FuncFormatter(percent))
    legend_below(ax, 0.35)


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
    names = [_name(run, name) for name in busy]
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


def _day(run: Any) -> tuple[int, int]:
    """From the first opening to the last end of the clearing window, ms."""
    days = timetable_of(run)
    return int(days[0]["opens_ms"]), int(days[-1]["window_end_ms"])


def _line(frame: pd.DataFrame, measure: str, first: int, last: int) -> tuple[Any, Any]:
    """Instants and values of a step function, from the opening to the end of the day."""
    chosen = frame[frame["measure"] == measure]
    time, value = chosen["time_ms"].to_numpy(), chosen["value"].to_numpy()
    time = np.concatenate(([min(first, time[0])], time, [max(last, time[-1])]))
    return thin(time, np.concatenate(([0], value, [value[-1]])))


def _top_users(run: Any, where: Where, count: int) -> list[str]:
    """The accounts that used most liquidity on one date."""
    accounts = accounts_of(run, where)
    code, labels = accounts.codes("account")
    most = np.zeros(len(labels), np.int64)
    np.maximum.at(most, code, accounts.used)
    order = sorted(np.flatnonzero(most).tolist(), key=lambda number: (-most[number], labels[number]))
    return [labels[number] for number in order[:count]]


def _name(run: Any, account: str) -> str:
    """What to call an account: its participant's name where it has a short one, else its id."""
    columns = columns_of(run, "accounts", Columns)
    account_codes, names = columns.codes("account"), columns.codes("name")
    if account not in account_codes.labels:
        return account
    rows = np.flatnonzero(account_codes.codes == account_codes.labels.index(account))
    code = int(names.codes[rows[0]]) if len(rows) else -1
    name = names.labels[code] if code >= 0 else account
    return drawable(name, account)


def _bar_name(system: str, unit: str, whole: int) -> str:
    return f"{system}\n{plural(whole, 'payment') if unit == 'count' else money(whole)}"


def _waited_words(found: pd.Series[Any], level: int) -> str:
    count = int(found[level, "waited_count"])
    if not count:
        return "none"
    return f"{plural(count, 'payment')}, mean {duration(found[level, 'mean_wait'])}"


def _short_percent(share: float) -> str:
    if share == 0:
        return ""
    return "<0.1" if share < 0.001 else f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"
