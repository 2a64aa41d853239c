"""How plots look: colours that everybody can tell apart, axes of clock time and money, labels in two languages.

Figures are made without pyplot, so no window system is needed and nothing is global.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, cast

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

P = ParamSpec("P")

#: Okabe and Ito (2008): eight colours told apart by people with any colour vision.
BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
SKY: Final = "#56b4e9"
VERMILION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
YELLOW: Final = "#f0e442"
GREY: Final = "#8c8c8c"
COLOURS: Final = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW, GREY)
#: Text and axes. The report lets the page decide about it (light or dark).
INK: Final = "#24292f"
LINES: Final = "#b8bec5"

#: Most points of one line; more would only make the file large.
MOST_POINTS: Final = 1_000
#: Fonts with Chinese characters, best first, as they are called on common systems.
CHINESE_FONTS: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)
_STYLE: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINES,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.dpi": 120,
    "grid.color": LINES,
    "grid.linewidth": 0.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": INK,
    "ytick.labelsize": 8.5,
}


class Margins(NamedTuple):
    """Room for labels around the axes, in inches."""

    left: float
    right: float
    bottom: float


_text_is_kept: ContextVar[bool] = ContextVar("text_is_kept", default=False)


@contextmanager
def text_kept() -> Iterator[None]:
    """Inside, figures become SVG whose text stays text: the reader's machine has the fonts, Chinese included."""
    token = _text_is_kept.set(True)
    try:
        yield
    finally:
        _text_is_kept.reset(token)


@functools.cache
def chinese_font() -> str | None:
    """An installed font with Chinese characters, None if there is none."""
    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


def shows_chinese() -> bool:
    """Can Chinese be drawn now?"""
    return _text_is_kept.get() or chinese_font() is not None


def bilingual(english: str, chinese: str) -> str:
    """A label in both languages, in English alone where no font has the Chinese characters."""
    return f"{english} {chinese}" if shows_chinese() else english


def drawable(name: str, fallback: str, most: int = 24) -> str:
    """A name, or its stand-in if the name is too wide or has characters that no font at hand can draw.

    most: columns it may take; a Chinese character takes two.
    """
    wide = sum(ord(character) >= 0x2E80 for character in name)
    fits = len(name) + wide <= most
    return name if fits and (not wide or shows_chinese()) else fallback


def plot(draw: Callable[Concatenate[Any, Axes, P], None]) -> Callable[Concatenate[Any, Axes | None, P], Axes]:
    """A plot function `(run, ax=None, **choices) -> Axes` from one that draws on given axes, in the house style.

    A choice called `accounts` is a number of them from 1; InputError for any other.
    """
    told = inspect.signature(draw)
    parameters = list(told.parameters.values())
    parameters[1] = parameters[1].replace(default=None, annotation="Axes | None")
    signature = told.replace(parameters=parameters, return_annotation="Axes")

    @functools.wraps(draw)
    def drawn(run: Any, ax: Axes | None = None, *args: P.args, **choices: P.kwargs) -> Axes:
        check_count("accounts", signature.bind(run, ax, *args, **choices).arguments.get("accounts", 1))
        with house_style():
            axes = new_axes() if ax is None else ax
            draw(run, axes, *args, **choices)
        return axes

    drawn.__annotations__ = {**draw.__annotations__, "ax": "Axes | None", "return": "Axes"}
    drawn.__signature__ = signature  # type: ignore[attr-defined]  # what help() shows
    return cast(Callable[Concatenate[Any, Axes | None, P], Axes], drawn)


def check_count(name: str, value: object) -> None:
    """InputError unless a choice is a whole number from 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise InputError(name, "", "is no count", value, "a whole number from 1")


@contextmanager
def house_style() -> Iterator[None]:
    """Inside, matplotlib draws in the style of these plots."""
    with matplotlib.rc_context({**_STYLE, "font.family": _families()}):
        yield


def _families() -> list[str]:
    font = None if _text_is_kept.get() else chinese_font()
    return ["DejaVu Sans", font] if font else ["DejaVu Sans"]


def new_axes(width: float = 7.2, height: float = 3.3, margins: Margins | None = None) -> Axes:
    """Axes of a new figure that belongs to no window; sizes in inches.

    Without `margins` the figure finds room for its labels itself, which takes a third of the drawing time.
    """
    with house_style():
        if margins is None:
            return Figure(figsize=(width, height), layout="constrained").add_subplot()
        left, right, bottom = margins
        figure = Figure(figsize=(width, height))
        figure.subplots_adjust(left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - 0.3 / height)
        return figure.add_subplot()


def money_scale(largest_fen: float) -> tuple[float, str]:
    """The divisor from fen, and the unit, in which the largest of some amounts reads well."""
    yuan = abs(largest_fen) / 100
    for size, name in ((1e12, "CNY tn"), (1e9, "CNY bn"), (1e6, "CNY m"), (1e3, "CNY thousand")):
        if yuan >= size:
            return size * 100, name
    return 100.0, "CNY"


def money(fen: float) -> str:
    """An amount for people: `CNY 36.15 tn`, `CNY 1,000.50`."""
    scale, unit = money_scale(fen)
    if unit in ("CNY", "CNY thousand"):
        return f"CNY {fen / 100:,.2f}"
    return f"CNY {fen / scale:,.2f} {unit.removeprefix('CNY ')}"


def duration(ms: float | None) -> str:
    """A mean time for people: `2.4 ms`, `19.6 min`, `3.2 h`; a dash if there is none."""
    if ms is None or ms != ms:
        return "–"
    for size, unit in ((MS_PER_DAY, "d"), (MS_PER_HOUR, "h"), (MS_PER_MINUTE, "min"), (MS_PER_SECOND, "s")):
        if ms >= size:
            return f"{ms / size:,.1f} {unit}"
    return f"{ms:,.1f} ms"


def clock_axis(ax: Axes, first_ms: float, last_ms: float) -> None:
    """Time of day on the x axis; the first mark of every other day than the run's first date says which (T-1)."""
    span = max(last_ms - first_ms, 1.0)
    wanted = (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168)
    step = next((hours for hours in wanted if span / (hours * MS_PER_HOUR) <= 12), wanted[-1]) * MS_PER_HOUR
    marks = np.arange(np.ceil(first_ms / step), np.floor(last_ms / step) + 1) * step
    if len(marks) < 2:
        marks = np.array([first_ms, last_ms])
    ax.set_xlim(first_ms, last_ms if last_ms > first_ms else first_ms + MS_PER_HOUR)
    ax.xaxis.set_major_locator(FixedLocator(marks.tolist()))
    named: dict[int, float] = {}
    for mark in marks.tolist():
        named.setdefault(int(mark // MS_PER_DAY), mark)
    several = len(named) > 1 or 0 not in named

    def text(time: float, _place: object = None) -> str:
        day, rest = divmod(round(time), MS_PER_DAY)
        hour = f"{rest // MS_PER_HOUR:02d}:{rest % MS_PER_HOUR // 60_000:02d}"
        if not several or named.get(day) != time:
            return hour
        return f"{hour}\nT{day:+d}" if day else f"{hour}\nT"

    ax.xaxis.set_major_formatter(FuncFormatter(text))
    ax.set_xlabel(bilingual("time of day, Asia/Shanghai", "北京时间"))


def count_axis(ax: Axes, label: str) -> None:
    """Whole numbers from 0, with thousands marked off."""
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,.0f}"))
    ax.set_ylabel(label)
    ax.set_ylim(bottom=0)


def percent(value: float, _place: object = None) -> str:
    """0.123 as `12.3 %`; never 100 % for a little less, nor 0 % for a little more."""
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %".replace(".0 %", " %")


def thin(
    time: npt.NDArray[Any], value: npt.NDArray[Any], most: int = MOST_POINTS
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """At most `most` points of a line, with the lowest and the highest of every stretch among them."""
    count = len(time)
    if count <= most:
        return time, value
    stretches = most // 2 - 1
    start = np.arange(stretches) * count // stretches
    kept = [np.array([0, count - 1])]
    ends = np.append(start[1:], count)
    for first, end in zip(start.tolist(), ends.tolist(), strict=True):
        piece = value[first:end]
        kept.append(np.array([first + int(piece.argmin()), first + int(piece.argmax())]))
    places = np.unique(np.concatenate(kept))
    return time[places], value[places]


def nothing(ax: Axes, sentence: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, sentence, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)


def legend_beside_title(ax: Axes) -> None:
    """The legend above the axes, at the right of the title, where it hides no data."""
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1.0, 0.99),
        ncols=len(labels),
        borderaxespad=0.2,
        columnspacing=1.2,
        handlelength=1.6,
    )


def legend_below(ax: Axes, depth: float, columns: int = 5) -> None:
    """The legend `depth` inches under the axes, for more entries than fit beside the title."""
    below = ScaledTranslation(0, -depth, ax.figure.dpi_scale_trans)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=columns,
        borderaxespad=0.0,
    )


def plural(count: int, noun: str) -> str:
    """`1 payment`, `2,000 payments`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def hbar_labels(ax: Axes, labels: Sequence[str]) -> None:
    """Names of horizontal bars, first on top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
