"""Plots of intraday liquidity: who used how much of what it had, who provides it, and how fast each bank settles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    INK,
    LINES,
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
    percent,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Where, has_table, remembered
from cnaps_sim.analysis.metrics.targets import CHAPS_TARGETS
from cnaps_sim.analysis.plots_labels import account_name
from cnaps_sim.words.units import MS_PER_HOUR, parse_clock

#: Lines of single banks: colour, dash and mark differ, so that any of them tells the lines apart.
_LINES: Final = ((BLUE, "-", "o"), (VERMILION, "--", "s"), (GREEN, "-.", "^"), (ORANGE, ":", "v"), (PURPLE, "-", "x"))
_NO_ACCOUNTS: Final = "the run has no settled payment"


@plot
def intraday_usage(run: Any, ax: Axes, where: Where = None, accounts: int = 10) -> None:
    """How far the net of the largest users went below and above zero on their largest day: BCBS 248, tool A(i)."""
    ax.set_title(bilingual("Largest intraday net positions", "日间最大净头寸"))
    found = _by_account(run, metrics.intraday_usage, where)
    if found is None or not found[["usage_1", "positive_1"]].to_numpy(np.float64).any():
        nothing(ax, _NO_ACCOUNTS)
        return
    found = _largest(found, found["usage_1"] + found["positive_1"], accounts)
    scale, unit = money_scale(float(found[["usage_1", "positive_1"]].to_numpy(np.float64).max()))
    rows = range(len(found))
    owed, owned = (found[name].to_numpy(np.float64) / scale for name in ("usage_1", "positive_1"))
    ax.barh(rows, -owed, 0.7, color=VERMILION, hatch="////", edgecolor="white", linewidth=0.3,
            label=bilingual("net debit: liquidity used", "净借记"))  # fmt: skip
    ax.barh(rows, owned, 0.7, color=BLUE, label=bilingual("net credit", "净贷记"))
    ax.axvline(0, color=INK, linewidth=0.8)
    hbar_labels(ax, [account_name(run, name) for name in found.index])
    ax.set_xlabel(f"{bilingual('received less sent, extremes of the day', '收付净额极值')}, {unit}")
    legend_below(ax, 0.55, 2)


@plot
def start_liquidity(run: Any, ax: Axes, where: Where = None, accounts: int = 10) -> None:
    """What the largest banks could use when the day opened, by source, and what they used at most: tools A(ii), A(i).

    A bank that used more than it had got the rest in the day: by loans, rescues of its fund pool, or new money.
    """
    ax.set_title(bilingual("Available at the start, and used", "日初可用流动性与使用"))
    found = _by_account(run, metrics.start_liquidity, where)
    used = _by_account(run, metrics.intraday_usage, where)
    if found is None or used is None or not found["available"].to_numpy(np.float64).any():
        nothing(ax, "no account had anything at the start of the day")
        return
    found = _largest(found, found["available"].abs() + used["usage_1"], accounts)
    own = (found["balance"] - found["blocked"]).to_numpy(np.float64)
    credit = [found[name].to_numpy(np.float64) for name in ("overdraft_limit", "pledge_room")]
    spent = used.loc[found.index, "usage_1"].to_numpy(np.float64)
    scale, unit = money_scale(max(float(np.abs(own).max()), float((own + sum(credit)).max()), float(spent.max())))
    left, rows = np.zeros(len(found)), np.arange(len(found))
    for fen, colour, hatch, label in (
        (own, SKY, "", bilingual("own money", "自有资金")),
        (credit[0], ORANGE, "////", bilingual("overdraft limit", "日间透支限额")),
        (credit[1], GREEN, "....", bilingual("pledge room", "质押融资")),
    ):
        if fen.any():
            ax.barh(rows, fen / scale, 0.7, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.3,
                    label=label)  # fmt: skip
            left = left + fen / scale
    ax.plot(spent / scale, rows, "|", color=INK, markersize=13, markeredgewidth=2.2,
            label=bilingual("used at most", "最大使用"))  # fmt: skip
    hbar_labels(ax, [account_name(run, name) for name in found.index])
    ax.set_xlim(left=min(0.0, float(own.min()) / scale))
    order = bilingual("most available and used together on top", "按可用与使用之和排序")
    ax.set_xlabel(f"{bilingual('liquidity', '流动性')}, {unit}; {order}")
    legend_below(ax, 0.55, 4)


@plot
def intraday_throughput(
    run: Any, ax: Axes, where: Where = None, accounts: int = 5, targets: Mapping[str, float] = CHAPS_TARGETS
) -> None:
    """Which share of its outgoing value each of the largest payers had settled by each hour: BCBS 248, tool C(i).

    targets: shares of a throughput rule by time of day, drawn as diamonds; {} for none
    """
    ax.set_title(bilingual("Throughput of the largest payers", "主要付款行业务进度"))
    run = remembered(run)
    frame = metrics.intraday_throughput(run, where=where)
    flows = metrics.flows(run, where=where)
    sent = flows[flows["measure"] == "settled_fen"].groupby("debtor")["value"].sum()
    if frame.empty or not len(sent):
        nothing(ax, _NO_ACCOUNTS)
        return
    chosen = sent.sort_values(ascending=False, kind="stable").index[: min(accounts, len(_LINES))]
    first = int(frame["time_ms"].min()) - MS_PER_HOUR
    for name, (colour, dash, mark) in zip(chosen, _LINES, strict=False):
        line = frame[frame["account"] == name]
        time = np.append(first, line["time_ms"].to_numpy())
        share = np.append(0.0, line["value"].to_numpy(np.float64))
        ax.plot(time, share, dash, color=colour, marker=mark, markersize=3, label=account_name(run, str(name)))
    last = int(frame["time_ms"].max())
    if targets:
        at = [parse_clock(text) for text in targets]
        ax.plot(at, list(targets.values()), "D", color=INK, markersize=6, markerfacecolor="none", linestyle="none",
                label=bilingual("target", "目标"))  # fmt: skip
        last = max(last, *at)
    clock_axis(ax, first, last)
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_ylabel(bilingual("share of own value", "占比"))
    legend_below(ax, 0.65, 3)


@plot
def provision(run: Any, ax: Axes, where: Where = None, accounts: int = 16) -> None:
    """Who provides more liquidity than its share of payments, and who rides on the others' (LPU)."""
    ax.set_title(bilingual("Liquidity provided less share of payments", "流动性提供与使用之差"))
    frame = metrics.provision(run, where=where) if has_table(run, "accounts") else pd.DataFrame()
    share = frame.set_index("account")["value"].dropna().astype(np.float64) if len(frame) else pd.Series(dtype=float)
    if share.empty:
        nothing(ax, "no account used liquidity")
        return
    share = share.loc[share.abs().sort_values(ascending=False, kind="stable").index[:accounts]]
    share = share.sort_values(ascending=False, kind="stable")
    above = share.to_numpy() >= 0
    rows = np.arange(len(share))
    ax.barh(rows[above], share[above], 0.7, color=BLUE, label=bilingual("provides", "净提供"))
    ax.barh(rows[~above], share[~above], 0.7, color=ORANGE, hatch="////", edgecolor="white", linewidth=0.3,
            label=bilingual("relies on others", "净依赖"))  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.8)
    hbar_labels(ax, [account_name(run, str(name)) for name in share.index])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{100 * value:+.3g} pp" if value else "0"))
    ax.set_xlabel(f"{bilingual('share of liquidity less share of value sent', '占比之差')}, percentage points")
    legend_below(ax, 0.55, 2)


@plot
def concentration(run: Any, ax: Axes, where: Where = None) -> None:
    """How unevenly the liquidity provided is spread over accounts: Lorenz curve, Gini and Herfindahl."""
    ax.set_title(bilingual("Concentration of liquidity provided", "流动性提供的集中度"))
    found = _by_account(run, metrics.liquidity, where)
    used = np.zeros(0) if found is None else np.sort(found["peak_used"].to_numpy(np.float64))
    if not used.sum():
        nothing(ax, "no account used liquidity")
        return
    spread = metrics.concentration(run, where=where).set_index("measure")["value"]
    whole = np.append(0.0, np.cumsum(used)) / used.sum()
    part = np.arange(len(whole)) / len(used)
    ax.fill_between(part, whole, part, color=SKY, alpha=0.35, linewidth=0)
    words = f"Gini {spread['gini']:.3f}, Herfindahl {spread['herfindahl']:.3f}"
    ax.plot(part, whole, color=BLUE, marker="o" if len(used) <= 40 else "", markersize=3, label=words)
    ax.plot([0, 1], [0, 1], "--", color=LINES, label=bilingual("all provide the same", "完全平均"))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.01)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(percent))
    ax.set_xlabel(bilingual("accounts, those that use least first", "账户累计占比"))
    ax.set_ylabel(bilingual("share of liquidity used", "流动性累计占比"))
    legend_below(ax, 0.55, 2)


def _by_account(run: Any, metric: Any, where: Where) -> pd.DataFrame | None:
    """A metric with a row per account and a column per measure; None if the run has no accounts."""
    if not has_table(run, "accounts"):
        return None
    frame = metric(run, by="account", where=where)
    return None if frame.empty else frame.pivot(index="account", columns="measure", values="value").astype(object)


def _largest(found: pd.DataFrame, size: Any, most: int) -> pd.DataFrame:
    order = size.astype(np.float64).sort_values(ascending=False, kind="stable").index[:most]
    largest: pd.DataFrame = found.loc[order]
    return largest
