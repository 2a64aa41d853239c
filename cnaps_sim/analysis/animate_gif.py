"""The frames of a replay as a GIF: the same picture as the page, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from cnaps_sim.analysis.animate_layout import (
    HEIGHT,
    MIDDLE,
    MOST_NAMED,
    WIDTH,
    arrows,
    moved_pairs,
    name_lines,
    node_radius,
    place_of,
    places,
)
from cnaps_sim.analysis.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    VERMILION,
    YELLOW,
    bilingual,
    house_style,
    shows_chinese,
)
from cnaps_sim.analysis.replay import Frame, Replay, format_money
from cnaps_sim.words.units import format_clock

#: Frames per second: a sentence can be read. The writer takes parts of one, which its type does not say.
_PER_SECOND: Final[Any] = 0.7
_DPI: Final = 96
#: Points of matplotlib per unit of the page: the page's width fills the picture's.
_POINT: Final = 0.72
#: Arrows that still have room for words.
_MOST_WORDS: Final = 40


def write_gif(told: Replay, path: Path) -> None:
    """Write the frames one after the other. OSError if the file cannot be written."""
    with house_style():
        figure = Figure(figsize=(10, 7.2))
        ax = figure.add_axes((0, 0.1, 1, 0.84))
        words = figure.text(0.02, 0.055, "", fontsize=14, fontweight="bold", color=INK)
        state = figure.text(0.02, 0.018, "", fontsize=11, color=INK)
        figure.text(0.02, 0.965, f"{told.name}, {told.date}", fontsize=13, color=INK)
        _key(figure)
        writer = PillowWriter(fps=_PER_SECOND)
        with writer.saving(figure, str(path), _DPI):
            for frame in told.frames:
                _draw(ax, told, frame)
                chinese = f" {frame.chinese}" if shows_chinese() else ""
                words.set_text(f"{format_clock(frame.time_ms)}  {frame.english}{chinese}")
                words.set_fontsize(min(14, 14 * 90 / max(len(words.get_text()), 1)))
                value = format_money(sum(item.fen for item in frame.waiting))
                state.set_text(f"waiting {len(frame.waiting)} (CNY {value}), settled {frame.settled}; amounts in CNY")
                writer.grab_frame()


def _key(figure: Figure) -> None:
    """What nodes and arrows mean, as on the page."""
    dotted: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 11}
    figure.legend(
        [
            Line2D([], [], color=BLUE, **dotted),
            Line2D([], [], markerfacecolor="white", markeredgecolor=VERMILION, markeredgewidth=2.5, **dotted),
            Line2D([], [], color=GREY, linewidth=2.5),
            Line2D([], [], color=ORANGE, linewidth=3.5),
            Line2D([], [], color=GREEN, linewidth=3.5, linestyle=(0, (2.2, 1))),
        ],
        [
            bilingual("account, as large as its balance", "账户"),
            bilingual("has payments waiting", "有排队"),
            bilingual("queued, as wide as its value", "排队"),
            bilingual("new, or chosen by a matching", "新入队或撮合"),
            bilingual("money moves", "清算"),
        ],
        loc="upper left", bbox_to_anchor=(0.012, 0.955), fontsize=9, frameon=False, labelspacing=0.5,
    )  # fmt: skip


def _draw(ax: Axes, told: Replay, frame: Frame) -> None:
    ax.clear()
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(HEIGHT, 0)
    spots = places(len(told.accounts))
    largest = max((max(other.balances, default=0) for other in told.frames), default=0) or 1
    radius = [node_radius(fen, largest) for fen in frame.balances]
    queued = arrows(told, frame)
    for debtor, creditor, width, said, marked in queued:
        ends = [place_of(spots, place) for place in (debtor, creditor)]
        sizes = [26.0 if place < 0 else radius[place] for place in (debtor, creditor)]
        _arrow(ax, ends, sizes, ORANGE if marked else GREY, width + 2 * marked, "-")
        if len(queued) <= _MOST_WORDS:
            (x1, y1), (x2, y2) = ends
            far = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
            ax.text(x1 + 0.36 * (x2 - x1) - (y2 - y1) / far * 24, y1 + 0.36 * (y2 - y1) + (x2 - x1) / far * 24, said,
                    fontsize=8.5, ha="center", va="center", zorder=5,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8})  # fmt: skip
    for debtor, creditor in moved_pairs(frame.moved):
        ends = [place_of(spots, place) for place in (debtor, creditor)]
        sizes = [26.0 if place < 0 else radius[place] for place in (debtor, creditor)]
        _arrow(ax, ends, sizes, GREEN, 5.0, (0, (4, 2)))
    _nodes(ax, told, frame, spots, radius)


def _arrow(
    ax: Axes, ends: list[tuple[float, float]], sizes: list[float], colour: str, width: float, dash: object
) -> None:
    ax.add_patch(
        FancyArrowPatch(
            *ends, connectionstyle="arc3,rad=0.14", arrowstyle="-|>", mutation_scale=14 + width, color=colour,
            linewidth=width * _POINT, linestyle=dash, shrinkA=(sizes[0] + 3) * _POINT,
            shrinkB=(sizes[1] + 4) * _POINT, zorder=2 if colour != GREEN else 3,
        )
    )  # fmt: skip


def _nodes(ax: Axes, told: Replay, frame: Frame, spots: list[tuple[float, float]], radius: list[float]) -> None:
    owing = {item.debtor for item in frame.waiting}
    few = len(told.accounts) <= MOST_NAMED
    for place, (x, y) in enumerate(spots):
        fen, waits = frame.balances[place], place in owing
        ax.scatter([x], [y], s=(2 * radius[place] * _POINT) ** 2, color=BLUE if fen else "white",
                   edgecolors=VERMILION if waits else BLUE, linewidths=3.5 if waits else 1.5,
                   linestyles=[(0, (1.5, 1)) if waits else "-"], zorder=4)  # fmt: skip
        account = told.accounts[place]
        names = name_lines(told.names[place], account) if few else []
        high = abs(x - MIDDLE[0]) < 120
        lines = [account, *([" ".join(names)] if high and names else names), format_money(fen)]
        side = 0 if high else 1 if x > MIDDLE[0] else -1
        off = radius[place] + 12
        at = (x + side * off, y) if side else (x, y + (off if y > MIDDLE[1] else -off))
        ax.text(*at, "\n".join(lines), ha=("center", "left", "right")[side], fontsize=10.5, color=INK, zorder=5,
                va="center" if side else "top" if y > MIDDLE[1] else "bottom")  # fmt: skip
    if told.has_central_bank:
        ax.text(*MIDDLE, "PBC", ha="center", va="center", fontsize=12, fontweight="bold", zorder=6,
                bbox={"facecolor": YELLOW, "edgecolor": INK, "boxstyle": "round,pad=0.5"})  # fmt: skip
