"""Plots: they draw, say their units, work without a Chinese font, and leave nothing global behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnaps_sim.analysis import drawing, plots

ALL = [
    plots.queue,
    plots.throughput,
    plots.delay_distribution,
    plots.balances,
    plots.liquidity_by_account,
    plots.outcomes,
    plots.levels,
    plots.payments_per_minute,
    plots.network,
]


def drawn(ax: Axes) -> None:
    ax.figure.canvas.draw()


def words(ax: Axes) -> str:
    texts = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in ax.texts)]
    return " ".join(texts)


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
@pytest.mark.parametrize("day", ["queueing_day", "toy_day"])
def test_a_plot_returns_the_axes_it_drew_on(
    plot: Callable[..., Axes], day: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(day)
    ax = plot(run)
    drawn(ax)
    assert ax.get_title(loc="left")
    given = Figure().add_subplot()
    assert plot(run, given) is given
    assert plot(run, ax=Figure().add_subplot()) is not given


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
def test_a_run_without_payments_says_so_instead_of_failing(plot: Callable[..., Axes], hand_made: Any) -> None:
    ax = plot(hand_made.make_run([], [hand_made.account("A", 5, 5)]))
    drawn(ax)
    assert "no" in words(ax)


def test_money_axes_say_their_unit(queueing_day: Any) -> None:
    assert "CNY" in plots.queue(queueing_day).get_ylabel()
    assert "CNY" in plots.levels(queueing_day).get_xlabel()


def test_without_a_chinese_font_labels_are_english(queueing_day: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "chinese_font", lambda: None)
    assert words(plots.queue(queueing_day)).isascii()
    with drawing.text_kept():
        assert "清算排队" in words(plots.queue(queueing_day))


def test_with_a_chinese_font_labels_carry_the_term(queueing_day: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "chinese_font", lambda: "SimHei")
    assert "清算排队" in words(plots.queue(queueing_day))


def test_a_name_that_cannot_be_drawn_or_is_too_wide_gives_way_to_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "chinese_font", lambda: None)
    assert drawing.drawable("甲银行", "A") == "A"
    assert drawing.drawable("Alpha", "A") == "Alpha"
    with drawing.text_kept():
        assert drawing.drawable("甲银行", "A") == "甲银行"
        assert drawing.drawable("甲" * 13, "A") == "A"


def test_the_queue_plot_takes_where(queueing_day: Any) -> None:
    assert "no payment waited" in words(plots.queue(queueing_day, where={"account": "B"}))


def test_the_evening_before_is_marked_on_the_clock_axis() -> None:
    ax = drawing.new_axes()
    drawing.clock_axis(ax, -12_600_000, 63_000_000)
    drawn(ax)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[:3] == ["22:00\nT-1", "00:00\nT", "02:00"]


def test_several_days_are_marked_where_each_begins() -> None:
    ax = drawing.new_axes()
    drawing.clock_axis(ax, -12_600_000, 3 * 86_400_000)
    drawn(ax)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert [label for label in labels if "\n" in label] == ["00:00\nT", "00:00\nT+1", "00:00\nT+2", "00:00\nT+3"]


def test_one_instant_still_makes_an_axis() -> None:
    ax = drawing.new_axes()
    drawing.clock_axis(ax, 5, 5)
    drawn(ax)


def test_a_thinned_line_keeps_its_extremes_and_its_ends() -> None:
    value = np.sin(np.arange(50_000) / 900.0)
    value[31_007], value[8_003] = 9.0, -9.0
    time, thinned = drawing.thin(np.arange(50_000), value)
    assert len(time) <= drawing.MOST_POINTS
    assert (thinned.max(), thinned.min()) == (9.0, -9.0)
    assert (time[0], time[-1]) == (0, 49_999)
    assert (np.diff(time) > 0).all()


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "CNY 0.00"),
        (100_050, "CNY 1,000.50"),
        (-250, "CNY -2.50"),
        (219_300_000_000, "CNY 2.19 bn"),
        (3_615_000_000_000_000, "CNY 36.15 tn"),
        (120_000_000, "CNY 1.20 m"),
    ],
)
def test_money_reads_well(fen: int, words: str) -> None:
    assert drawing.money(fen) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(None, "–"), (0.4, "0.4 ms"), (1500, "1.5 s"), (90_000, "1.5 min"), (9e6, "2.5 h"), (2e8, "2.3 d")],
)
def test_a_mean_time_reads_well(ms: float | None, words: str) -> None:
    assert drawing.duration(ms) == words


def test_shares_never_round_to_all_or_nothing() -> None:
    assert [drawing.percent(share) for share in (0, 0.0001, 0.5, 0.9999, 1)] == [
        "0 %", "< 0.1 %", "50 %", "> 99.9 %", "100 %"
    ]  # fmt: skip


def test_plots_leave_matplotlib_settings_alone(toy_day: Any) -> None:
    before = dict(matplotlib.rcParams)
    plots.queue(toy_day)
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported() -> None:
    code = (
        "import sys, cnaps_sim.analysis.plots, cnaps_sim.analysis.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
