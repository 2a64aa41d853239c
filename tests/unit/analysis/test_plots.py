"""Plots: they draw, say their units, work without a Chinese font, and leave nothing global behind."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import cnaps_sim as cs
from cnaps_sim.analysis import drawing, plots, plots_matching
from cnaps_sim.analysis.phrases import TRIGGERS

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
    plots.matching,
    plots.matching_gap,
    plots.messages,
    plots.intraday_usage,
    plots.start_liquidity,
    plots.intraday_throughput,
    plots.provision,
    plots.concentration,
    plots.core,
]
#: What accounts have at the start of the day needs no payment.
OF_PAYMENTS = [plot for plot in ALL if plot is not plots.start_liquidity]


def drawn(ax: Axes) -> None:
    ax.figure.canvas.draw()


def words(ax: Axes) -> str:
    texts = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in ax.texts)]
    return " ".join(texts)


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
@pytest.mark.parametrize("day", ["queueing_day", "toy_day", "matched_day"])
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


@pytest.mark.parametrize("plot", OF_PAYMENTS, ids=lambda plot: plot.__name__)
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


def test_a_stem_for_each_matching_and_a_mark_for_each_trigger(matched_day: Any) -> None:
    ax = plots.matching(matched_day)
    assert "CNY" in ax.get_ylabel()
    drawn_lines = {line.get_label(): line for line in ax.get_lines()}
    assert [label.split()[:2] for label in drawn_lines] == [["at", "intervals"], ["at", "the"]]
    every, close = drawn_lines.values()
    assert every.get_ydata().tolist() == [300, 90]
    assert close.get_ydata().tolist() == [0]
    assert every.get_color() != close.get_color()
    assert every.get_marker() != close.get_marker()


def test_gaps_are_drawn_with_their_mean_and_without_those_that_have_no_bound(matched_day: Any) -> None:
    ax = plots.matching_gap(matched_day)
    assert ax.get_lines()[0].get_ydata().tolist() == pytest.approx([80 / 380, 0])
    assert "10.5 %" in ax.get_legend().get_texts()[-1].get_text()
    assert "no matching has a bound" in words(plots.matching_gap(matched_day, where={"trigger": "close"}))


def test_of_thousands_of_matchings_the_highest_and_the_lowest_of_a_moment_are_drawn(hand_made: Any) -> None:
    rows = [hand_made.matching(n, n * 10, "continuous", (2, n + 1), (2, n % 977 + 1)) for n in range(5_000)]
    ax = plots.matching(hand_made.make_run([], [hand_made.account("A", 5, 5)], matchings=rows))
    (line,) = ax.get_lines()
    assert len(line.get_ydata()) <= 600
    assert max(line.get_ydata()) == 977
    assert (np.diff(line.get_xdata()) >= 0).all()


def test_a_trigger_without_words_is_shown_as_the_table_has_it(hand_made: Any) -> None:
    row = hand_made.matching(1, "10:00", "by moonlight", (2, 9), (2, 9))
    ax = plots.matching(hand_made.make_run([], [hand_made.account("A", 5, 5)], matchings=[row]))
    assert ax.get_legend().get_texts()[0].get_text() == "by moonlight"


def test_every_trigger_of_the_legend_looks_different() -> None:
    looks = list(plots_matching.LOOKS.values())
    assert len({look.colour for look in looks}) == len({look.mark for look in looks}) == len(looks)
    assert list(plots_matching.LOOKS) == list(TRIGGERS)


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
        "import sys, cnaps_sim.analysis.plots, cnaps_sim.analysis.report.page\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_core_is_framed_and_counted(toy_day: Any) -> None:
    ax = plots.core(toy_day)
    assert "2 of 3 accounts are the core" in ax.get_xlabel()
    (frame,) = ax.patches
    assert (frame.get_width(), frame.get_height()) == (2, 2)


def test_the_lorenz_curve_says_gini_and_herfindahl(toy_day: Any) -> None:
    line = plots.concentration(toy_day).get_lines()[0]
    assert line.get_label() == "Gini 0.667, Herfindahl 1.000"
    assert line.get_ydata().tolist() == [0, 0, 0, 1]


def test_importance_draws_a_sweep_of_stress() -> None:
    ax = plots.importance(cs.stress("gridlock-ring", stop_at="08:30"))
    drawn(ax)
    assert len(ax.patches) == 4
    assert "CNY" not in ax.get_xlabel()


def test_a_mistake_of_the_caller_is_told_in_one_line(queueing_day: Any) -> None:
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: plots.balances(queueing_day, accounts=-3), "accounts: is no count (-3)"),
        (lambda: plots.network(queueing_day, accounts=0), "accounts: is no count (0)"),
        (lambda: plots.liquidity_by_account(queueing_day, accounts="x"), "accounts: is no count (x)"),
        (lambda: plots.importance(queueing_day), "allowed: what cs.stress returns"),
        (lambda: cs.metrics.importance(queueing_day), "allowed: what cs.stress returns"),
        (lambda: plots.tornado(queueing_day), "allowed: what cs.sensitivity returns"),
        (lambda: cs.metrics.monitoring(queueing_day, by="kind"), "by: kind: cannot be grouped by"),
        (lambda: cs.metrics.delay(queueing_day, by=3), "by: is no name of a group (3)"),
        (lambda: cs.metrics.delay("runs/x"), "run: is no run (runs/x)"),
    ]
    for call, words_of_it in wrong:
        with pytest.raises(cs.InputError) as caught:
            call()
        assert words_of_it in caught.value.sentence()


def test_help_shows_that_the_axes_may_be_left_out_and_come_back() -> None:
    assert (
        str(inspect.signature(plots.queue)) == "(run: 'Any', ax: 'Axes | None' = None, where: 'Where' = None) -> 'Axes'"
    )
