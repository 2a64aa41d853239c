"""The queue as a network: who owes whom before a matching and after it.

Accounts stand on a circle; an arrow is all that one account has queued for another, as wide as its value. The colour
of an account says whether its available funds and what it is owed cover what it owes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    bilingual,
    drawable,
    house_style,
    money,
    nothing,
    plural,
)
from cnaps_sim.analysis.match_result import MatchResult
from cnaps_sim.analysis.pages import drawing_for_a_page
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.words.errors import InputError

#: No more accounts than this get their name.
_MOST_NAMED: Final = 40
#: No more arrows than this are drawn, the largest.
_MOST_ARROWS: Final = 400
_WIDEST: Final = 5.0


def save_picture(result: MatchResult, path: str | Path) -> None:
    """Draw the queue before and after a matching into a .png or .svg file. InputError if it cannot be written."""
    try:
        if Path(path).suffix.lower() == ".svg":
            _save_svg(result, path)
        else:
            queue_network(result).savefig(path, dpi=150)
    except OSError as error:
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError("picture", "", problem, path, "a file that can be written") from None


def _save_svg(result: MatchResult, path: str | Path) -> None:
    """Text stays text, so the reader's machine needs the fonts and this one does not; same queue, same bytes."""
    with drawing_for_a_page():
        figure = queue_network(result)
        with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "queue"}):
            figure.savefig(path, metadata={"Date": None})


def queue_network(result: MatchResult) -> Figure:
    """Two panels: the queue as it was, and what the matching leaves of it."""
    table = result.queue.table
    with house_style():
        figure = Figure(figsize=(10.4, 5.4), layout="constrained")
        before, after = figure.subplots(1, 2)
        waiting = np.ones(len(table), np.bool_)
        left = ~result.matched.chosen
        widest = _largest_pair(table)
        _panel(before, result, waiting, table.available, widest, bilingual("Before", "撮合前"))
        closing = table.closing(result.matched.chosen)
        _panel(after, result, left, closing, widest, f"{bilingual('After', '撮合后')} {result.algorithm}")
    return figure


def _panel(
    ax: Axes, result: MatchResult, waiting: Chosen, available: npt.NDArray[np.int64], widest: int, title: str
) -> None:
    table = result.queue.table
    queued = plural(int(waiting.sum()), "payment")
    ax.set_title(f"{title}: {queued}, {money(table.value(waiting))}")
    ax.set_xlim(-1.42, 1.42)
    ax.set_ylim(-1.36, 1.36)
    ax.set_aspect("equal")
    ax.set_axis_off()
    place = _circle(table.accounts)
    for debtor, creditor, fen in _pairs(table, waiting):
        _arrow(ax, place[debtor], place[creditor], _WIDEST * fen / widest)
    if not waiting.any():
        nothing(ax, bilingual("nothing is queued", "无排队"))
    _accounts(ax, result, waiting, available, place)


def _accounts(
    ax: Axes, result: MatchResult, waiting: Chosen, available: npt.NDArray[np.int64], place: npt.NDArray[np.float64]
) -> None:
    table = result.queue.table
    covered = available.copy()
    np.subtract.at(covered, table.debtor[waiting], table.amount[waiting])
    np.add.at(covered, table.creditor[waiting], table.amount[waiting])
    owes = np.bincount(table.debtor[waiting], minlength=table.accounts) > 0
    colours = [VERMILION if fen < 0 else BLUE if owing else GREY for fen, owing in zip(covered, owes, strict=True)]
    small = table.accounts > _MOST_NAMED
    ax.scatter(place[:, 0], place[:, 1], s=30 if small else 150, c=colours, zorder=3, linewidths=0)
    if small:
        return
    for row, (name, (x, y)) in enumerate(zip(result.queue.account_ids, place, strict=True)):
        words = drawable(name, f"#{row + 1}", 14)
        ax.text(1.13 * x, 1.13 * y, words, ha=_side(x), va="center", fontsize=8.5, color=INK, zorder=4)
    ax.text(
        0.5, 0.0, bilingual("orange: owes more than it has and will be paid", "橙色：资金缺口"),
        transform=ax.transAxes, ha="center", fontsize=7.5, color=INK,
    )  # fmt: skip


def _side(x: float) -> str:
    return "center" if abs(x) < 0.25 else "left" if x > 0 else "right"


def _circle(count: int) -> npt.NDArray[np.float64]:
    """Places on a circle, the first on top, clockwise."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _pairs(table: QueueTable, waiting: Chosen) -> list[tuple[int, int, int]]:
    """Debtor, creditor and value of the largest arrows, smallest first so that the large ones lie on top."""
    pair = table.debtor[waiting].astype(np.int64) * table.accounts + table.creditor[waiting]
    found, number = np.unique(pair, return_inverse=True)
    total = np.zeros(len(found), np.int64)
    np.add.at(total, number, table.amount[waiting])
    order = np.argsort(total, kind="stable")[-_MOST_ARROWS:]
    return [(int(found[i] // table.accounts), int(found[i] % table.accounts), int(total[i])) for i in order]


def _largest_pair(table: QueueTable) -> int:
    pairs = _pairs(table, np.ones(len(table), np.bool_))
    return pairs[-1][2] if pairs else 1


def _arrow(ax: Axes, begin: npt.NDArray[np.float64], end: npt.NDArray[np.float64], width: float) -> None:
    arrow = FancyArrowPatch(
        tuple(begin), tuple(end), connectionstyle="arc3,rad=0.16", shrinkA=8, shrinkB=8,
        arrowstyle="-|>", mutation_scale=7 + 1.6 * width, linewidth=max(0.5, width), color=GREEN, alpha=0.65, zorder=2,
    )  # fmt: skip
    ax.add_patch(arrow)
