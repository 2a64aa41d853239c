"""Plots of the network of payments: its core and periphery, and which banks the others depend on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    INK,
    LINES,
    ORANGE,
    SKY,
    VERMILION,
    bilingual,
    drawable,
    hbar_labels,
    legend_below,
    nothing,
    percent,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.analysis.metrics.network import core_of, webs
from cnaps_sim.analysis.plots_labels import account_name

#: Accounts whose names fit beside the matrix.
_MOST_NAMED: Final = 24


@plot
def core(run: Any, ax: Axes, where: Where = None) -> None:
    """Is there a core of banks that all pay each other? Links as a matrix, the core first and framed."""
    ax.set_title(bilingual("Core and periphery of the payment network", "支付网络的核心与外围"))
    ((_, web),) = webs(run, [], where)
    if not web.names:
        nothing(ax, "no payment settled")
        return
    found = core_of(web)
    partners = web.joined.sum(axis=1)
    order = sorted(range(len(web.names)), key=lambda row: (not found.member[row], -int(partners[row]), web.names[row]))
    linked = web.linked[np.ix_(order, order)].astype(np.int64)
    size = int(found.member.sum())
    inside = np.zeros(linked.shape, np.bool_)
    inside[:size, :size] = True
    edge = LINES if len(order) <= _MOST_NAMED else "none"
    ax.pcolormesh(np.where(inside, linked * 2, linked), cmap=ListedColormap(["#ffffff", SKY, BLUE]), vmin=0, vmax=2,
                  edgecolors=edge, linewidth=0.4)  # fmt: skip
    ax.add_patch(Rectangle((0, 0), size, size, fill=False, edgecolor=VERMILION, linewidth=2, clip_on=False))
    ax.invert_yaxis()
    ax.grid(False)
    if len(order) <= _MOST_NAMED:
        names = [account_name(run, web.names[row]) for row in order]
        ax.set_xticks(np.arange(len(names)) + 0.5, names, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(np.arange(len(names)) + 0.5, names)
    ax.tick_params(length=0, labelsize=7.5)
    told = metrics.network(run, where=where).set_index("measure")["value"]
    words = bilingual(", rank: the core, then by number of partners", "，先核心，再按对手数")
    rank = "" if len(order) <= _MOST_NAMED else words
    ax.set_ylabel(f"{bilingual('debtor', '付款')}{rank and bilingual(', rank', '序')}")
    ax.set_xlabel(
        f"{bilingual('creditor', '收款')}{rank}\n{size} of {len(order)} accounts are the core; reciprocity "
        f"{_share(told['reciprocity'])}, clustering {_share(told['clustering'])}, density {_share(told['density'])}"
    )


@plot
def importance(stressed: Any, ax: Axes, where: Where = None, accounts: int = 12) -> None:
    """Whose trouble leaves most unsettled at the others? `stressed` is what `cs.stress` returns."""
    ax.set_title(bilingual("Systemic importance", "系统重要性"))
    frame = metrics.importance(stressed, where=where)
    if frame.empty:
        nothing(ax, "no bank was put under a strain")
        return
    found = frame.pivot(index="account", columns="measure", values="value")
    shown = frame["account"].drop_duplicates()[:accounts].tolist()
    found = found.loc[shown].astype(np.float64)
    rows = np.arange(len(shown))
    ax.barh(rows, found["disruption"].fillna(0), 0.6, color=BLUE, label=bilingual("unsettled elsewhere", "他行未清算"))
    ax.plot(found["reach"].fillna(0), rows, "D", color=ORANGE, markeredgecolor=INK, markersize=6,
            label=bilingual("share of banks affected", "受影响银行占比"))  # fmt: skip
    hbar_labels(ax, [_name(stressed, name) for name in shown])
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(FuncFormatter(percent))
    ax.set_xlabel(bilingual("share of the value settled undisturbed; share of the other banks", "占比"))
    legend_below(ax, 0.55, 2)


def _share(value: object) -> str:
    return "–" if not isinstance(value, int | float) or value != value else f"{100 * value:.0f} %"


def _name(stressed: pd.DataFrame, account: str) -> str:
    if "name" not in stressed:
        return account
    name = stressed.loc[stressed["account"] == account, "name"].iloc[0]
    return drawable(name, account) if isinstance(name, str) else account
