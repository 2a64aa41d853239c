"""A cap that is cut and given back within a run: the hours of each cap, beside those of all other participants."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.metrics.cap_changes import OTHERS, OWN
from cnaps_sim.analysis.metrics.items import CheckTimes, item_parts
from cnaps_sim.analysis.report.page import render
from cnaps_sim.words.errors import InputError

HOUR = 3_600_000
BEGIN, CUT, BACK, END = -8 * HOUR, 11 * HOUR, 13 * HOUR, 16 * HOUR


def instruction(name: str, time: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    return {"payment_id": name, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount}


def squeezed(**more: Any) -> Any:
    """A's cap of 100 is 10 from 11:00 to 13:00: one item of 20 is refused, one of 15 waits half an hour for B's 10."""
    return cs.simulate(
        {
            "name": "squeezed",
            "date": "2025-06-17",
            "accounts": [{"account": name, "balance": 1_000, "credit_line": 100} for name in "ABC"],
            "record": {"BEPS": "payments", "IBPS": "payments"},
            "ibps": {"refused_share": 0, "unanswered_share": 0},
            "workload": [
                {
                    "system": "BEPS",
                    "payments": [
                        instruction("before", "10:05", "A", "B", 50),
                        instruction("back", "10:30", "B", "A", 50),
                        instruction("waits", "11:20", "A", "B", 15),
                        instruction("frees", "11:50", "B", "A", 10),
                        instruction("fits", "11:55", "A", "C", 5),
                    ],
                },
                {
                    "system": "IBPS",
                    "payments": [
                        instruction("refused", "11:10", "A", "B", 20),
                        instruction("after", "13:30", "A", "B", 20),
                    ],
                },
            ],
            "actions": [
                {"at": "11:00", "do": "set", "account": "A", "field": "credit_line", "value": 10},
                {"at": "13:00", "do": "set", "account": "A", "field": "credit_line", "value": 100},
            ],
            **more,
        }
    )


def rows(frame: pd.DataFrame) -> dict[tuple[int, str], dict[str, Any]]:
    """Measures by begin and whose."""
    table = frame.pivot(index=["begin_ms", "whose"], columns="measure", values="value").astype(object)
    return {place: table.loc[place].to_dict() for place in table.index}


def words(run: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render(run)))


def test_hours_of_a_cut_cap_worked_example() -> None:
    found = rows(metrics.cap_changes(squeezed()))
    assert [place for place in found if place[1] == OWN] == [(BEGIN, OWN), (CUT, OWN), (BACK, OWN)]
    assert [found[begin, OWN]["end_ms"] for begin in (BEGIN, CUT, BACK)] == [CUT, BACK, END]
    assert [found[begin, OWN]["cap"] for begin in (BEGIN, CUT, BACK)] == [10_000, 1_000, 10_000]
    cut = found[CUT, OWN]
    assert (cut["checked_count"], cut["checked_fen"]) == (3, 4_000)
    assert (cut["rejected_count"], cut["rejected_fen"]) == (1, 2_000)
    assert (cut["queued_count"], cut["queued_fen"]) == (1, 1_500)
    assert cut["mean_wait"] == cut["longest_wait"] == HOUR // 2
    assert cut["lowest_headroom"] == 0  # 10 of 20 for `waits`, 5 for `fits`: looked at when samples are taken
    for begin in (BEGIN, BACK):
        assert (found[begin, OWN]["checked_count"], found[begin, OWN]["rejected_count"]) == (1, 0)
    assert [found[begin, OTHERS]["checked_count"] for begin in (BEGIN, CUT, BACK)] == [1, 1, 0]
    assert [found[begin, OTHERS]["cap"] for begin in (BEGIN, CUT, BACK)] == [20_000] * 3


def test_short_is_judged_against_the_cap_of_the_moment() -> None:
    """With 5 of a cap of 10 left A is not short, though that is a twentieth of the cap of the other hours."""
    found = rows(metrics.cap_changes(squeezed()))
    assert found[CUT, OWN]["short_share"] == pytest.approx(5 / 120)  # 11:55 to 12:00, the rest of the sum is free
    assert found[BACK, OWN]["short_share"] == 0


def test_a_change_between_samples_has_the_time_of_its_action() -> None:
    found = rows(metrics.cap_changes(squeezed(series_step="45 min")))
    assert sorted({begin for begin, _ in found}) == [BEGIN, CUT, BACK]


def test_the_report_answers_with_figures_and_sets_the_hours_beside_each_other() -> None:
    told = words(squeezed())
    for sentence in (
        "From 11:00:00 to 13:00:00 the net debit cap of A was CNY 10.00, in its other hours CNY 100.00;",
        "Of the 3 items that it was to pay in these hours 1 was refused for the cap (33.3 %, CNY 20.00) and 1 had to "
        "wait in the cap queue (33.3 %, CNY 15.00), 30.0 min on average and 30.0 min at most; 33.3 % were netted at "
        "once.",
        "In its other hours none was refused and none waited of 2 items (0 %); of all other participants, in the same "
        "hours, none was refused and none waited of 1 item (0 %).",
    ):
        assert sentence in told


def test_without_recorded_items_the_hours_have_caps_but_no_counts() -> None:
    run = squeezed(record={"BEPS": "totals", "IBPS": "totals"})
    found = rows(metrics.cap_changes(run))
    assert found[CUT, OWN]["cap"] == 1_000
    assert pd.isna(found[CUT, OWN]["checked_count"])
    assert "Its items were not recorded" in words(run)


def test_a_cap_that_never_changes_has_no_hours(cleared_day: Any) -> None:
    assert metrics.cap_changes(cleared_day).empty
    assert "Caps that were changed" not in words(cleared_day)


def test_other_groups_and_filters_are_refused(cleared_day: Any) -> None:
    with pytest.raises(InputError, match="account, begin_ms and whose together"):
        metrics.cap_changes(cleared_day, by="kind")
    with pytest.raises(InputError, match="a dict with the key account alone"):
        metrics.cap_changes(squeezed(), where={"kind": "city"})


def test_an_item_queued_after_a_reply_was_checked_no_earlier_than_the_item_before_it(
    cleared_day: Any, hand_made: Any
) -> None:
    table = hand_made.table(
        "payments",
        [
            hand_made.item(1, "IBPS", "ICRD", "A", "B", 30, at="09:00", netted="09:00:02", round=1),
            hand_made.item(2, "BEPS", "BDBT", "A", "B", 7, at="07:00", netted="11:20", round=2, released_by="I3"),
            hand_made.item(3, "BEPS", "BCRD", "A", "B", 7, at="09:30", netted="11:20", round=2, released_by="I3"),
        ],
    )
    cleared_day.tables["payments"] = table
    times = CheckTimes()
    found = np.concatenate([times.of(items) for items in item_parts(cleared_day)])
    assert found.tolist() == [9 * HOUR + 2_000, 9 * HOUR + 2_000, int(9.5 * HOUR)]
