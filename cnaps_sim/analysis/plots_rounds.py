"""Plots of netting rounds (轧差场次): who received and paid, how nets came through SAPS, what holidays held back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    LINES,
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
    plural,
)
from cnaps_sim.analysis.metrics.columns import Columns, Where, columns_of, has_table, remembered
from cnaps_sim.analysis.metrics.rounds import has_rounds, nets_of, rounds_of
from cnaps_sim.analysis.plots_labels import account_name
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, format_clock

_NO_ROUNDS: Final = "the run has no netting rounds"
#: Rounds of one date whose times fit under an axis; rounds of several dates whose hours do; dates that do.
_MOST_NAMED: Final = 16
_MOST_HOURS: Final = 34
_MOST_DAYS: Final = 34
#: Rounds whose journeys have a line each, at most; the height of a line, and of all that stands around them, points.
_MOST_JOURNEYS: Final = 18
_JOURNEY_HEIGHT: Final = 9.8
_AROUND_JOURNEYS: Final = 90
#: Where the scale of durations begins, ms, and its marks.
_SHORTEST_MS: Final = MS_PER_SECOND
_DURATIONS: Final = (
    (MS_PER_SECOND, "1 s"), (10 * MS_PER_SECOND, "10 s"), (MS_PER_MINUTE, "1 min"), (10 * MS_PER_MINUTE, "10 min"),
    (MS_PER_HOUR, "1 h"), (6 * MS_PER_HOUR, "6 h"), (MS_PER_DAY, "1 d"), (7 * MS_PER_DAY, "1 week"),
    (30 * MS_PER_DAY, "30 d"),
)  # fmt: skip
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
    ax.set_ylabel(f"{bilingual('to pay / to receive', '应付/应收')}, {unit}")
    legend_below(ax, 0.78, 4)


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
    """A mark under each round with its time; of several dates the hour alone, over the day, over the month.

    Of very many rounds every so many-th date is named, at its first round.
    """
    times, dates = (found.numbers("time_ms") % MS_PER_DAY).tolist(), found.codes("date")
    days = [dates.labels[code] for code in dates.codes.tolist()]
    firsts = [place for place, day in enumerate(days) if not place or day != days[place - 1]]
    if len(firsts) == 1:
        step = -(-found.count // _MOST_NAMED)
        names = [format_clock(time)[:5] if place % step == 0 else "" for place, time in enumerate(times)]
    else:
        step = -(-len(firsts) // _MOST_DAYS)
        named, hours = set(firsts[::step]), found.count <= _MOST_HOURS
        names, month = [], None
        for place, (time, day) in enumerate(zip(times, days, strict=True)):
            lines = [_hour(time) if hours else ""]
            if place in named:
                lines += [f"{day:%d}", f"{day:%b}" if day.month != month else ""]
                month = day.month
            names.append("\n".join(lines))
    ax.set_xticks(range(found.count), names)
    ax.tick_params(axis="x", labelsize=7.5 if len(firsts) > 1 else 8.5)
    ax.set_xlim(-0.6, found.count - 0.4)
    ax.grid(False, axis="x")
    ax.set_xlabel(bilingual("round", "场次") + (": hour and day" if len(firsts) > 1 else ""))


def _hour(time_ms: int) -> str:
    clock = format_clock(time_ms)[:5]
    return clock.removesuffix(":00")


@plot
def nets_journey(run: Any, ax: Axes, where: Where = None) -> None:
    """How long the nets of each round were held, and how long the last of them then waited at level 4.

    Rounds whose nets were posted at once are counted in the title of the axis; of many others the longest are shown.
    """
    ax.set_title(bilingual("Nets that were held or waited", "轧差净额的滞留"))
    if not has_rounds(run):
        nothing(ax, _NO_ROUNDS)
        return
    run = remembered(run)
    frame = metrics.rounds(run, where=where).pivot(index="round", columns="measure", values="value")
    frame = frame[frame["participants"] > 0].astype(object)
    frame = frame.where(frame.notna(), None)
    told = frame[[_was_delayed(row) for row in frame.to_dict("records")]]
    if told.empty:
        nothing(ax, "no round left a net" if frame.empty else "no net was held or waited: each was posted at once")
        return
    length = [(row["held"] or 0) + row["longest_wait"] for row in told.to_dict("records")]
    kept = np.sort(np.argsort(-np.array(length, np.int64), kind="stable")[: _rows_that_fit(ax)])
    shown = told.iloc[kept]
    longest = _journey_marks(ax, shown)
    _duration_axis(ax, longest)
    _name_rows(ax, rounds_of(run, where), shown)
    ax.set_xlabel(_left_out(len(frame) - len(told), len(told) - len(shown)))
    legend_below(ax, 0.62, 2)


def _rows_that_fit(ax: Axes) -> int:
    """How many rows with words beside them the axes have room for."""
    own, whole = (part.get_window_extent().height * 72 / ax.figure.dpi for part in (ax, ax.figure))
    points = min(own, whole - _AROUND_JOURNEYS)  # a figure that finds room for its labels takes it from the axes
    return min(_MOST_JOURNEYS, max(1, int(points / _JOURNEY_HEIGHT)))


def _was_delayed(row: Any) -> bool:
    return bool(row["held"] or row["waited_count"] or row["unsettled_count"])


def _journey_marks(ax: Axes, shown: pd.DataFrame) -> int:
    """A square for the holding, a dot for the wait of each round, with words beside them; the longest time, ms."""
    longest = _SHORTEST_MS
    for place, row in enumerate(shown.to_dict("records")):
        held, wait = row["held"] or 0, row["longest_wait"] or 0
        end = max(held, wait, _SHORTEST_MS)
        longest = max(longest, end)
        ax.plot([_SHORTEST_MS, end], [place, place], color=LINES, linewidth=0.8, zorder=1)
        ax.annotate(_journey_words(row), (end, place), xytext=(7, 0), textcoords="offset points", va="center",
                    fontsize=7.5, bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.8})  # fmt: skip
    for name, mark, colour, label in (
        ("held", "s", BLUE, bilingual("held before SAPS took them", "待发送")),
        ("longest_wait", "o", VERMILION, bilingual("longest wait at level 4", "清算排队")),
    ):
        places = [place for place, value in enumerate(shown[name]) if value]
        times = [max(shown[name].iloc[place], _SHORTEST_MS) for place in places]
        ax.plot(times, places, mark, color=colour, markersize=4.5, label=label, zorder=4)
    return int(longest)


def _journey_words(row: Any) -> str:
    parts = [f"held {duration(float(row['held']))}"] if row["held"] else []
    if row["waited_count"]:
        wait = f", {duration(float(row['longest_wait']))}" if row["longest_wait"] else ""
        parts.append(f"{row['waited_count']:,} waited{wait}")
    if row["unsettled_count"]:
        parts.append(f"{row['unsettled_count']:,} not posted")
    return "; ".join(parts)


def _duration_axis(ax: Axes, longest: int) -> None:
    """Durations in steps that grow, with room for words at the right."""
    marks = [(ms, name) for ms, name in _DURATIONS if ms <= 2 * longest]
    ax.set_xscale("log")
    ax.set_xlim(_SHORTEST_MS, _SHORTEST_MS * (longest / _SHORTEST_MS) ** 1.45 * 1.5)
    ax.xaxis.set_major_locator(FixedLocator([ms for ms, _ in marks]))
    ax.xaxis.set_major_formatter(FixedFormatter([name for _, name in marks]))
    ax.xaxis.set_minor_locator(NullLocator())


def _left_out(at_once: int, more: int) -> str:
    words = bilingual("time since the round, and since its nets were sent", "时长")
    parts = [f"{plural(at_once, 'other round')} posted at once"] if at_once else []
    parts += [f"{plural(more, 'shorter one')} not shown"] if more else []
    return f"{words}\n({'; '.join(parts)})" if parts else words


def _name_rows(ax: Axes, found: Any, frame: pd.DataFrame) -> None:
    numbers = found.numbers("round").tolist()
    dates, times = found.codes("date"), found.numbers("time_ms")
    several = len(set(dates.codes.tolist())) > 1
    names = []
    for number in frame.index:
        row = numbers.index(number)
        clock = format_clock(int(times[row]) % MS_PER_DAY)[:5]
        names.append(f"{dates.labels[dates.codes[row]]:%d %b} {clock}" if several else f"{number}: {clock}")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=7.5)
    ax.grid(False, axis="y")
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
