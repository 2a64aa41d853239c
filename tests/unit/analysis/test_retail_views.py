"""Retail clearing for people: plots, the parts of the report, the lines of the console, the story of an item."""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis import plots
from cnaps_sim.analysis.drawing import new_axes
from cnaps_sim.analysis.explain.story import explain
from cnaps_sim.analysis.report.page import render
from cnaps_sim.words.errors import InputError

PLOTS = ("cap_queue", "headroom", "held_nets", "nets_journey", "positions", "retail_volume", "rounds")


def words(run: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render(run)))


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_names_what_its_axes_measure(name: str, cleared_day: Any) -> None:
    axes = getattr(plots, name)(cleared_day)
    assert axes.get_title(loc="left")
    assert axes.get_xlabel()
    assert axes.get_ylabel()


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_a_run_without_retail_says_so(name: str, toy_day: Any) -> None:
    axes = getattr(plots, name)(toy_day)
    assert "no " in " ".join(text.get_text() for text in axes.texts)


def test_the_tightest_are_those_whom_the_cap_hindered_most(cleared_day: Any) -> None:
    axes = plots.headroom(cleared_day, accounts=2)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert [label[0] for label in labels[:2]] == ["C", "B"]


def test_the_journey_tells_how_many_nets_waited(cleared_day: Any) -> None:
    assert [text.get_text() for text in plots.nets_journey(cleared_day).texts] == ["1 waited, 30.0 min"]


def many_rounds(run: Any, hand_made: Any, count: int) -> Any:
    """The day of `run` with so many more rounds, one a date, each held one day longer than the one before."""
    day = 86_400_000
    run.manifest["rounds"] = [
        {
            **run.manifest["rounds"][0],
            "round": number,
            "date": str(hand_made.DATE + dt.timedelta(days=number)),
            "time_ms": number * day,
            "sent_ms": 2 * number * day,
        }
        for number in range(1, count + 1)
    ]
    times = [{"round": number, "time_ms": number * day, "sent_ms": 2 * number * day} for number in range(1, count + 1)]
    rows = [
        {"date": hand_made.DATE, "kind": "first", "participant": name, "net_fen": fen,
         "settled_ms": each["sent_ms"], **each}
        for each in times
        for name, fen in (("A", -100), ("B", 100))
    ]  # fmt: skip
    run.tables["rounds"] = hand_made.table("rounds", rows)
    return run


def test_of_many_held_rounds_the_longest_have_a_row_each_and_the_others_are_counted(
    cleared_day: Any, hand_made: Any
) -> None:
    axes = plots.nets_journey(many_rounds(cleared_day, hand_made, 30))
    assert len(axes.get_yticks()) == len(axes.texts) == 15
    assert axes.texts[-1].get_text() == "held 30.0 d"
    assert "15 shorter ones not shown" in axes.get_xlabel()


@pytest.mark.parametrize("height", [2.2, 3.3, 4.2])
def test_words_beside_journeys_never_lie_over_one_another(cleared_day: Any, hand_made: Any, height: float) -> None:
    axes = plots.nets_journey(many_rounds(cleared_day, hand_made, 30), new_axes(7.2, height))
    axes.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    names = [name.get_window_extent() for name in axes.get_yticklabels()]
    for row in (boxes, names):
        assert all(above.y0 >= below.y1 for above, below in pairwise(row))


def test_every_round_has_a_mark_and_every_date_its_day(cleared_day: Any, hand_made: Any) -> None:
    axes = plots.rounds(many_rounds(cleared_day, hand_made, 14))
    labels = [label.get_text().split("\n") for label in axes.get_xticklabels()]
    assert axes.get_xticks().tolist() == list(range(14))
    assert [label[1] for label in labels] == [
        f"{18 + number if number < 13 else number - 12:02d}" for number in range(14)
    ]
    assert [label[2] for label in labels if label[2]] == ["Jun", "Jul"]


def test_where_every_net_was_posted_at_once_the_report_draws_no_journey(cleared_day: Any, hand_made: Any) -> None:
    rows = [{**row, "settled_ms": row["sent_ms"]} for row in cleared_day.tables["rounds"].to_pylist()]
    assert 'id="nets_journey"' in render(cleared_day)
    cleared_day.tables["rounds"] = hand_made.table("rounds", rows)
    assert "posted at once" in " ".join(text.get_text() for text in plots.nets_journey(cleared_day).texts)
    assert 'id="nets_journey"' not in render(cleared_day)


def test_the_report_tells_of_retail_and_rounds(cleared_day: Any) -> None:
    told = words(cleared_day)
    for sentence in (
        "it would have taken its payer over its net debit cap RJ94, AM23 0 – 1 CNY 9.00",
        "refused for want of headroom (RJ94) 1 item, CNY 9.00",
        "netted 30 items, CNY 400.00",
        "netting ratio: nets / value netted 15 %",
        "1 10:00:00 first 20 CNY 300.00 CNY 40.00 13.3 % 1 of 3 – 1 net, CNY 40.00, to 30.0 min",
    ):
        assert sentence in told


def test_the_report_tells_of_retail_terms_only_where_retail_clears(cleared_day: Any, toy_day: Any) -> None:
    terms = {"nets": {"release": "08:30"}, "beps": {"package_limit": 2000}, "ibps": {"reply_limit": "20 s"}}
    cleared_day.scenario.update(terms)
    toy_day.scenario.update(terms)
    told = words(cleared_day)
    assert "nets.release 08:30" in told
    assert "beps.package_limit 2000" in told
    assert "ibps.reply_limit" not in told
    assert "nets.release" not in words(toy_day)
    assert "Retail clearing" not in words(toy_day)


def test_an_item_that_waited_for_headroom_tells_what_released_it_and_where_its_net_went(cleared_day: Any) -> None:
    story = str(explain(cleared_day, "B2"))
    for sentence in (
        "B2 is a BEPS payment of CNY 7.00 from B to C, ordinary credit (普通贷记)",
        "B was short of headroom (可用额度); at 10:00:00 it had had CNY 50.00, with a cap of CNY 50.00",
        "The package of I3, from C to B, was netted at 11:20:00; that credited B and released it.",
        "It was netted (轧差) at 11:20:00, 30 min after it was submitted, and was final then (PR03).",
        "It counted in round 2 (场次), the last of 2025-06-17, at 16:00:00.",
        "B's net of it was CNY 20.00 to pay; sent to SAPS at 16:00:00 and posted at once (PR04).",
        "C had no net in it.",
    ):
        assert sentence in story


def test_items_that_were_not_netted_tell_why(cleared_day: Any) -> None:
    assert "still there at the date switch (日切), 16:00:00, and was cancelled (PR08, RJ94, AM23)" in str(
        explain(cleared_day, "B4")
    )
    refused = str(explain(cleared_day, "I5"))
    assert "A submitted it at 11:00:00; it needs the answer of B" in refused
    assert "B agreed after 5 s" in refused
    assert "over its net debit cap (PR09, RJ94, AM23); nothing was netted" in refused


def test_a_net_tells_of_its_round_and_its_wait(cleared_day: Any) -> None:
    story = str(explain(cleared_day, "NETS-000001"))
    assert "It is the net (轧差净额) that A had to pay in round 1 (场次), the first of 2025-06-17" in story
    assert "that round netted 20 items, CNY 300.00" in story
    paid = str(explain(cleared_day, "I1"))
    assert "A's net of it was CNY 40.00 to pay (NETS-000001); sent to SAPS at 10:00:00, posted at 10:30:00" in paid


def test_an_item_that_was_not_recorded_is_an_error_in_one_line(cleared_day: Any) -> None:
    cleared_day.scenario["record"] = {}
    with pytest.raises(InputError, match="items of BEPS and IBPS were not recorded"):
        explain(cleared_day, "B2")


def test_a_run_of_retail_items_alone_can_be_told_of_and_an_unknown_id_is_named() -> None:
    """Nothing passes SAPS when every net is nothing: the table of payments then holds retail items alone."""
    run = cs.simulate(
        {
            "name": "there-and-back",
            "date": "2025-06-17",
            "accounts": [{"account": name, "credit_line": 10} for name in "AB"],
            "workload": [
                {
                    "system": "BEPS",
                    "payments": [
                        {"payment_id": "there", "time": "09:10", "debtor": "A", "creditor": "B", "amount": 5},
                        {"payment_id": "back", "time": "09:20", "debtor": "B", "creditor": "A", "amount": 5},
                    ],
                }
            ],
        }
    )
    assert "PR03" in str(explain(run, "there"))
    with pytest.raises(InputError, match="no such payment"):
        explain(run, "their")
