"""Plots of netting rounds (轧差场次): who received and paid, how nets came through SAPS, what holidays held back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    PURPLE,
    SKY,
    VERMILION,
    bilingual,
    clock_axis,
    duration,
    legend_below,
    money,
    money_scale,
    nothing,
    plot,
)
from cnaps_sim.analysis.metrics.columns import Columns, Where, columns_of, has_table, remembered
from cnaps_sim.analysis.metrics.rounds import has_rounds, nets_of, rounds_of
from cnaps_sim.analysis.plots_labels import account_name
from cnaps_sim.words.units import MS_PER_DAY, format_clock

_NO_ROUNDS: Final = "the run has no netting rounds"
#: Rounds whose names fit under an axis.
_MOST_NAMED: Final = 16
#: Hatches tell classes apart that lie next to each other, also without colour.
_HATCHES: Final = ("", "////", "", "\\\\\\\\", "", "....", "", "xxxx")
_OTHER: Final = "other"


@plot
def rounds(run: Any, ax: Axes, where: Where = None) -> None:
    """How much each round left to receive (above the axis) and to pay (below), by class of participant."""
    ax.set_title(bilingual("Nets of each round", "各场次轧差净额"))
    if not has_rounds(run):
        nothing(ax, _NO_ROUNDS)
        return
    run = remembered(run)
    found = rounds_of(run, where)
    nets, of = nets_of(run, found)
    if not nets.count:
        nothing(ax, "no round left a net")
        return
    kinds, kind_of = _kinds(run)
    account = nets.codes("participant")
    kind = np.array([kind_of.get(label, kinds.index(_OTHER)) for label in account.labels] + [-1])[account.codes]
    sums = np.zeros((2, len(kinds), found.count), np.int64)
    np.add.at(sums, ((nets.net < 0).astype(np.intp), kind, of), nets.net)
    scale, unit = money_scale(float(np.abs(sums).sum(axis=1).max()))
    for above, side in enumerate((sums[0], sums[1])):
        base = np.zeros(found.count)
        for place, (name, row) in enumerate(zip(kinds, side / scale, strict=True)):
            if sums[:, place].any():
                hatch = _HATCHES[place % len(_HATCHES)]
                label = None if above else name
                ax.bar(range(found.count), row, 0.75, bottom=base, color=COLOURS[place % len(COLOURS)], hatch=hatch,
                       edgecolor="white", linewidth=0.3, label=label)  # fmt: skip
                base = base + row
    ax.axhline(0, color=INK, linewidth=0.8)
    _name_rounds(ax, found)
    ax.set_ylabel(f"{bilingual('to pay / to receive', '应付 / 应收')}, {unit}")
    legend_below(ax, 0.6, 4)


def _kinds(run: Any) -> tuple[list[str], dict[Any, int]]:
    """Classes of participants in order of the alphabet, the unknown last, and the class of each account."""
    if not has_table(run, "accounts"):
        return [_OTHER], {}
    accounts = columns_of(run, "accounts", Columns)
    account, kind = accounts.codes("account"), accounts.codes("kind")
    names = sorted({str(label) for label in kind.labels if label is not None} - {"central-bank"})
    if len(names) > len(COLOURS):
        names = names[: len(COLOURS) - 1]
    kinds = [*names, _OTHER]
    of: dict[Any, int] = {}
    for row in range(accounts.count):
        label = kind.labels[kind.codes[row]] if kind.codes[row] >= 0 else _OTHER
        of[account.labels[account.codes[row]]] = kinds.index(label) if label in kinds else kinds.index(_OTHER)
    return kinds, of


def _name_rounds(ax: Axes, found: Any) -> None:
    """Times of the rounds under the axis, with the date where there are several."""
    times, dates = found.numbers("time_ms"), found.codes("date")
    step = -(-found.count // _MOST_NAMED)
    places = list(range(0, found.count, step))
    several = len(set(dates.codes.tolist())) > 1
    names, seen = [], None
    for place in places:
        clock = format_clock(int(times[place]) % MS_PER_DAY)[:5]
        day = dates.labels[dates.codes[place]]
        names.append(f"{clock}\n{day:%d %b}" if several and day != seen else clock)
        seen = day
    ax.set_xticks(places, names)
    ax.set_xlim(-0.6, found.count - 0.4)
    ax.grid(False, axis="x")
    ax.set_xlabel(bilingual("round", "场次"))


@plot
def nets_journey(run: Any, ax: Axes, where: Where = None) -> None:
    """How long the nets of each round were held, and how long the last of them then waited at level 4."""
    ax.set_title(bilingual("From the round to the last posting", "轧差净额从场次到清算"))
    if not has_rounds(run):
        nothing(ax, _NO_ROUNDS)
        return
    run = remembered(run)
    frame = metrics.rounds(run, where=where).pivot(index="round", columns="measure", values="value")
    frame = frame[frame["participants"] > 0]
    if frame.empty:
        nothing(ax, "no round left a net")
        return
    found = rounds_of(run, where)
    frame = frame.astype(object).where(frame.notna(), None)
    last = max(int(value) for value in frame["closed_at"])
    for place, (_, row) in enumerate(frame.iterrows()):
        closed, sent, settled = row["closed_at"], row["sent_at"], row["settled_at"]
        last = max(last, *(int(time) for time in (sent, settled) if time is not None))
        if sent is not None and sent > closed:
            ax.plot([closed, sent], [place, place], color=SKY, linewidth=5, solid_capstyle="butt")
        if row["waited_count"] and settled is not None:
            ax.plot([sent, settled], [place, place], color=VERMILION, linewidth=5, solid_capstyle="butt")
    _marks(ax, frame)
    _wait_words(ax, frame)
    first = int(min(frame["closed_at"]))
    clock_axis(ax, first - (last - first) * 0.03, last + (last - first) * 0.25)
    _name_rows(ax, found, frame)
    ax.plot([], [], color=SKY, linewidth=5, label=bilingual("held", "待发送"))
    ax.plot([], [], color=VERMILION, linewidth=5, label=bilingual("last one waits at level 4", "排队"))
    legend_below(ax, 0.65, 4)


def _marks(ax: Axes, frame: pd.DataFrame) -> None:
    for name, mark, colour, label in (
        ("closed_at", "|", INK, bilingual("round", "场次")),
        ("settled_at", "o", GREEN, bilingual("last posting", "清算")),
    ):
        places = [place for place, value in enumerate(frame[name]) if value is not None]
        times = [frame[name].iloc[place] for place in places]
        ax.plot(times, places, mark, color=colour, markersize=8 if mark == "|" else 4, label=label, zorder=4)


def _wait_words(ax: Axes, frame: pd.DataFrame) -> None:
    """Beside each round with nets that waited, how many and how long."""
    for place, (_, row) in enumerate(frame.iterrows()):
        if row["waited_count"]:
            end = row["settled_at"] if row["settled_at"] is not None else row["sent_at"]
            words = f"{row['waited_count']:,} waited, {duration(float(row['longest_wait']))}"
            ax.annotate(words, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5)


def _name_rows(ax: Axes, found: Any, frame: pd.DataFrame) -> None:
    numbers = found.numbers("round").tolist()
    dates, times = found.codes("date"), found.numbers("time_ms")
    several = len(set(dates.codes.tolist())) > 1
    names = []
    for number in frame.index:
        row = numbers.index(number)
        clock = format_clock(int(times[row]) % MS_PER_DAY)[:5]
        names.append(f"{dates.labels[dates.codes[row]]:%d %b} {clock}" if several else f"{number}: {clock}")
    step = -(-len(names) // 26)
    ax.set_yticks(range(0, len(names), step), names[::step])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=7.5)
    ax.set_ylabel(bilingual("round", "场次"))


@plot
def held_nets(run: Any, ax: Axes, where: Where = None, accounts: int = 3) -> None:
    """How the nets that wait for SAPS pile up, round by round and netted as one, and who owes most of them."""
    ax.set_title(bilingual("Nets not yet posted by SAPS", "待清算轧差净额"))
    if not has_rounds(run):
        nothing(ax, _NO_ROUNDS)
        return
    run = remembered(run)
    frame = metrics.held(run, where=where)
    if frame.empty:
        nothing(ax, "every net was posted at once")
        return
    begin, end = int(frame["time_ms"].min()), int(frame["time_ms"].max())
    room = max((end - begin) // 20, 1)
    lines = dict(iter(frame.groupby("measure", sort=False)))
    scale, unit = money_scale(int(frame["value"].max()))
    time, value = _held_line(lines["held"], begin - room, end + room)
    ax.fill_between(time, value / scale, step="post", color=SKY, alpha=0.45, linewidth=0)
    ax.plot(time, value / scale, drawstyle="steps-post", color=BLUE, label=bilingual("round by round", "逐场"))
    time, value = _held_line(lines["held_as_one"], begin - room, end + room)
    ax.plot(time, value / scale, "--", drawstyle="steps-post", color=INK, label=bilingual("netted as one", "合并轧差"))
    single = metrics.held(run, by="account", where=where)
    most = single.groupby("account")["value"].max().sort_values(ascending=False, kind="stable")
    for name, colour, dash in zip(most.index[:accounts], (VERMILION, GREEN, PURPLE), ("-", "-.", ":"), strict=False):
        if most[name] > 0:
            time, value = _held_line(single[single["account"] == name], begin - room, end + room)
            label = f"{account_name(run, str(name))}, {money(int(most[name]))}"
            ax.plot(time, value / scale, drawstyle="steps-post", color=colour, linestyle=dash, label=label, linewidth=1)
    ax.axhline(0, color=INK, linewidth=0.8)
    clock_axis(ax, begin - room, end + room)
    ax.set_ylabel(f"{bilingual('to be paid', '应付')}, {unit}")
    legend_below(ax, 0.65, 3)


def _held_line(frame: Any, first: int, last: int) -> tuple[Any, Any]:
    """A line that is 0 before its first point."""
    time = np.concatenate(([first], frame["time_ms"].to_numpy(), [last]))
    value = frame["value"].to_numpy(np.float64)
    return time, np.concatenate(([0.0], value, value[-1:]))
