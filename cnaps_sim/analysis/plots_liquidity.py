"""Plots of liquidity: how much was in use, by whom, and between which bounds."""

from __future__ import annotations

from typing import Any

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
    hbar_labels,
    legend_below,
    money_scale,
    nothing,
    plot,
    thin,
)
from cnaps_sim.analysis.metrics.columns import Where, has_table
from cnaps_sim.analysis.metrics.liquidity import accounts_of
from cnaps_sim.analysis.plots_labels import account_name


@plot
def balances(run: Any, ax: Axes, where: Where = None, accounts: int = 4) -> None:
    """How much liquidity was in use: all participants' (filled), and the accounts that used most (lines)."""
    ax.set_title(bilingual("Liquidity in use", "流动性占用"))
    if not has_table(run, "series"):
        nothing(ax, "the run recorded no balances over time")
        return
    frame = metrics.in_use(run, where=where)
    whole = frame[frame["measure"] == "in_use"]
    if whole.empty:
        nothing(ax, "the run recorded no balances over time")
        return
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
            ax.plot(at, own / scale, drawstyle="steps-post", color=colour, linewidth=1, label=account_name(run, name))
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
    hbar_labels(ax, [account_name(run, name) for name in wide.index])
    ax.set_xlim(left=0)
    ax.set_xlabel(unit)
    legend_below(ax, 0.5, 3)


def _top_users(run: Any, where: Where, count: int) -> list[str]:
    """The accounts that used most liquidity on one date."""
    accounts = accounts_of(run, where)
    code, labels = accounts.codes("account")
    most = np.zeros(len(labels), np.int64)
    np.maximum.at(most, code, accounts.used)
    order = sorted(np.flatnonzero(most).tolist(), key=lambda number: (-most[number], labels[number]))
    return [labels[number] for number in order[:count]]
