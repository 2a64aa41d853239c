"""The plot of the comparison of liquidity tools: what settled with each, out of whose money, and what it saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    INK,
    LINES,
    ORANGE,
    SKY,
    VERMILION,
    bilingual,
    hbar_labels,
    money_scale,
    nothing,
    percent,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Where
from cnaps_sim.analysis.metrics.tools import compared
from cnaps_sim.analysis.phrases import TOOLS

#: What each source of money is called and how it is drawn: colour and hatching differ, so that either tells them apart.
SOURCES: Final = {
    "own": ("own balance", "自有余额", BLUE, ""),
    "receipts": ("receipts", "当日收款", SKY, ""),
    "offset": ("offset", "撮合抵扣", GREEN, "xxx"),
    "pool": ("pool", "资金池", ORANGE, "///"),
    "credit": ("credit", "融资", VERMILION, "..."),
}
#: Left edge, lower edge, width and height of the two panels, in parts of the picture.
_LEFT: Final = (0.0, 0.0, 0.58, 1.0)
_RIGHT: Final = (0.63, 0.0, 0.37, 1.0)


@plot
def tools(run: Any, ax: Axes, where: Where = None) -> None:
    """Left: value settled with each liquidity tool by source of the money, and what was not settled. Right: the least
    opening liquidity for the delay of the day without tools; the frame is all of it."""
    plays = compared(run)
    ax.set_title(bilingual("What each liquidity tool does", "流动性工具比较"))
    plays = compared(run)
    if plays and where is not None:
        wanted = set(metrics.tools(run, where=where)["tools"])
        plays = [(name, play) for name, play in plays if name in wanted]
    if not plays:
        nothing(ax, "the run compared no liquidity tools")
        return
    ax.set_axis_off()
    left, right = ax.inset_axes(_LEFT), ax.inset_axes(_RIGHT)
    for panel in (left, right):
        panel.patch.set_alpha(0)
    _by_source(left, plays)
    _least_opening(right, plays)
    handles, labels = left.get_legend_handles_labels()
    below = ScaledTranslation(0, -0.72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.45, 0.0), bbox_transform=ax.transAxes + below, ncols=3,
        borderaxespad=0.0,
    )  # fmt: skip


def _by_source(ax: Axes, plays: list[tuple[str, Mapping[str, Any]]]) -> None:
    """The left panel: what was debited, by where the payer's money came from, and what was not settled."""
    whole = max(sum(play["sources"].values()) + _unsettled(play) for _, play in plays)
    scale, unit = money_scale(whole)
    place = np.arange(len(plays))
    reached = np.zeros(len(plays))
    for source, (english, chinese, colour, hatch) in SOURCES.items():
        width = np.array([play["sources"][source] for _, play in plays]) / scale
        ax.barh(
            place, width, left=reached, height=0.62, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4,
            label=bilingual(english, chinese),
        )  # fmt: skip
        reached += width
    missing = np.array([_unsettled(play) for _, play in plays]) / scale
    ax.barh(
        place, missing, left=reached, height=0.62, facecolor="none", edgecolor=INK, linewidth=0.7, linestyle=":",
        label=bilingual("not settled", "未清算"),
    )  # fmt: skip
    hbar_labels(ax, [bilingual(*TOOLS[name]) for name, _ in plays])
    ax.set_xlim(0, whole / scale * 1.01)
    ax.set_xlabel(f"{bilingual('value by source of its money', '资金来源')}, {unit}")


def _unsettled(play: Mapping[str, Any]) -> int:
    return int(play["submitted"]["value_fen"] - play["settled"]["value_fen"])


def _least_opening(ax: Axes, plays: list[tuple[str, Mapping[str, Any]]]) -> None:
    """The right panel: of the opening balances, what is enough for the delay without tools."""
    opening = max(play["opening_fen"] for _, play in plays)
    scale, unit = money_scale(opening)
    for place, (_, play) in enumerate(plays):
        full, least = play["opening_fen"] / scale, play["least_opening"]
        ax.barh(place, full, height=0.62, facecolor="none", edgecolor=LINES, linewidth=1.0)
        if least is None:
            words = "delays more"
        else:
            ax.barh(place, full * least, height=0.62, color=BLUE)
            words = percent(least)
        ax.text(full * 1.03, place, words, va="center", ha="left", fontsize=8.5, color=INK)
    hbar_labels(ax, [""] * len(plays))
    ax.set_xlim(0, opening / scale * 1.36 or 1)
    words = bilingual("own money for equal delay,\n", "同等延迟所需头寸,")
    ax.set_xlabel(f"{words} {unit}")
