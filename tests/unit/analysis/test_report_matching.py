"""The part of a report on queue matching: when it is there, what it shows, what it leaves out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cnaps_sim.analysis.report.matching import MOST_MATCHINGS, saved
from cnaps_sim.analysis.report.page import render

TITLE = "Queue matching (排队撮合)"


def section(run: Any) -> str:
    """The words of the part, tags and line ends taken out."""
    html = render(run)
    part = html[html.index('<section id="matching">') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part[: part.index("</section>")]))


def test_figures_table_and_plots_of_the_matchings(matched_day: Any) -> None:
    words = section(matched_day)
    for told in (
        "multilateral",
        "3, 2 of which settled something",
        "5 payments, CNY 390.00",
        "97.5 %",
        "mean gap to the bound 10.5 % where something settled",
        "accounts that it helped 4",
        "3 payments, CNY 300.00 in number 1 at 10:00:00",
        "all at once",
        "1 10:00:00 at intervals 5 CNY 390.00 3 CNY 300.00 21.1 % 3",
        "3 17:30:00 at the close 1 CNY 500.00 0 CNY 0.00 – 0",
    ):
        assert told in words
    assert render(matched_day).count("<figure") == 9
    assert "Not shown" not in words


def test_a_run_without_matching_has_no_such_part(toy_day: Any) -> None:
    assert TITLE not in render(toy_day)
    toy_day.scenario["hvps"] = {"matching": {"algorithm": "none"}}
    assert TITLE not in render(toy_day)


def test_matching_that_was_on_and_found_nothing_says_so(toy_day: Any) -> None:
    toy_day.scenario["hvps"] = {"matching": {"algorithm": "multilateral", "every": "30 min"}}
    assert "never found a payment to consider" in section(toy_day)


def test_matchings_ordered_by_an_action_are_shown_although_the_scenario_sets_no_matching(matched_day: Any) -> None:
    matched_day.scenario = {"name": "ordered"}
    assert "97.5 %" in section(matched_day)


def test_the_biggest_are_shown_and_the_others_counted(hand_made: Any) -> None:
    """50 that settled 1 to 50 yuan and 7 that settled nothing: the forty biggest, in order of time."""
    rows = [hand_made.matching(n, n * 60_000, "every", (2, 99), (2, n)) for n in range(1, 51)]
    rows += [hand_made.matching(n, n * 60_000, "every", (2, 99), (0, 0)) for n in range(51, 58)]
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 9, "09:00")], matchings=rows)
    words = section(run)
    assert (
        f"The {MOST_MATCHINGS} that settled most value are shown; 10 more matchings settled 20 payments, CNY 55.00."
        in words
    )
    assert "Not shown: 7 matchings that settled nothing." in words
    assert words.count("at intervals 2 ") == MOST_MATCHINGS
    assert words.index(" 11 00:11:00") < words.index(" 50 00:50:00")
    assert "no bound computed" in words
    assert "By what started them" not in words


def test_many_that_settled_nothing_leave_no_table(hand_made: Any) -> None:
    rows = [hand_made.matching(n, n * 60_000, "every", (2, 99), (0, 0)) for n in range(1, 31)]
    words = section(hand_made.make_run([hand_made.payment(0, "A", "B", 9, "09:00")], matchings=rows))
    assert "30, 0 of which settled something" in words
    assert "Not shown: 30 matchings that settled nothing." in words
    assert "Looked at" not in words
    assert "largest" not in words


def test_how_much_later_a_matching_was_posted(matched_day: Any, hand_made: Any) -> None:
    first = hand_made.matching(1, "09:55", "every", (5, 390), (3, 300), settled_ms="10:00")
    matched_day.tables["matchings"] = hand_made.table("matchings", [first])
    words = section(matched_day)
    assert "longest from choice to posting 5.0 min, number 1 at 09:55:00" in words
    assert "1 09:55:00 + 5.0 min at intervals" in words
    assert "after the + how much later they were posted" in words


def test_a_run_that_kept_only_totals_shows_what_it_kept(matched_day: Any) -> None:
    from cnaps_sim.analysis.metrics import headline

    matched_day.manifest["summary"] = headline(matched_day)
    for name in ("payments", "transfers", "accounts"):
        del matched_day.manifest["tables"][name]
    words = section(matched_day)
    assert "97.5 %" in words
    assert "accounts that it helped" not in words


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (
            {"rho_without": 0.3, "rho_with": 0.2, "liquidity_share": 0.831, "replays": 12},
            "ρ would have been 0.3000 instead of 0.2000. With matching the same delay would have needed only 83.1 % of "
            "the opening liquidity. Found by 12 replays of the same payments.",
        ),
        ({"liquidity_share": 0.999}, "With matching the same delay would have needed only 99.9 % of the opening"),
        ({"rho_without": 0.3, "rho_with": 0.3, "liquidity_share": 1.0}, "no less than all of the opening liquidity."),
        ({"rho_without": None, "rho_with": 0.2, "liquidity_share": None, "replays": 3}, ""),
        ({"rho_without": 0.3, "rho_with": 0.2}, "instead of 0.2000."),
        (None, ""),
    ],
)
def test_what_matching_saved_is_told_as_far_as_the_run_knows(about: Any, told: str, matched_day: Any) -> None:
    if about is not None:
        matched_day.manifest["matching"] = about
    words = " ".join(saved(matched_day.manifest))
    assert told in words if told else not words
    assert told in section(matched_day)
