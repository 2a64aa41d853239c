"""Outcomes, levels and obligations."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cnaps_sim.analysis.metrics import due, levels, outcomes
from cnaps_sim.words.errors import InputError


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_submitted_is_the_sum_of_the_outcomes(queueing_day: Any) -> None:
    for unit in ("count", "fen"):
        found = values(outcomes(queueing_day))
        parts = [found[f"{name}_{unit}"] for name in ("settled", "rejected", "returned", "cancelled", "queued")]
        assert found[f"submitted_{unit}"] == sum(parts)


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("PR04", None, "settled"),
        ("PR03", None, "settled"),
        ("PR22", None, "settled"),
        ("PR23", None, "settled"),
        ("PR09", "RJ90", "rejected"),
        ("PR09", "RJ94", "rejected"),
        ("PR32", "RJ90", "rejected"),
        ("PR09", "RJ99", "returned"),
        ("PR08", None, "cancelled"),
        ("PR08", "RJ94", "cancelled"),
        ("PR21", None, "cancelled"),
        ("PR12", None, "queued"),
        ("PR11", None, "queued"),
    ],
)
def test_a_status_is_counted_as(hand_made: Any, status: str, reason: str | None, outcome: str) -> None:
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 3, "09:00", status=status, reason=reason)])
    found = values(outcomes(run))
    assert {name: found[f"{name}_fen"] for name in ("settled", "rejected", "returned", "cancelled", "queued")} == {
        **dict.fromkeys(("settled", "rejected", "returned", "cancelled", "queued"), 0),
        outcome: 300,
    }


def test_sums_are_exact_beyond_53_bits(hand_made: Any) -> None:
    rows = [hand_made.payment(n, "A", "B", 0, "09:00", amount_fen=2**55 + 1) for n in range(3)]
    found = outcomes(hand_made.make_run(rows))
    assert values(found)["settled_fen"] == 3 * (2**55 + 1)
    assert found["value"].dtype == "int64"


def test_groups_without_a_label_come_last(queueing_day: Any) -> None:
    frame = outcomes(queueing_day, by="priority")
    assert frame["priority"].drop_duplicates().tolist() == ["HIGH", "NORM", "URGT", None]


def test_dates_are_dates(queueing_day: Any) -> None:
    assert outcomes(queueing_day, by="date")["date"].dtype == "datetime64[s]"


def test_no_payment_gives_zeros_without_groups_and_nothing_with_them(queueing_day: Any) -> None:
    nobody = {"account": "nobody"}
    assert set(outcomes(queueing_day, where=nobody)["value"]) == {0}
    assert outcomes(queueing_day, by="system", where=nobody).empty


def test_a_table_that_was_not_recorded_is_named(queueing_day: Any) -> None:
    del queueing_day.manifest["tables"]["payments"]
    with pytest.raises(InputError, match="run: payments: the run did not record this table"):
        outcomes(queueing_day)


def test_levels_say_what_waited_where(queueing_day: Any) -> None:
    frame = levels(queueing_day)
    waited = frame[frame["measure"] == "waited_fen"].set_index("level")["value"].to_dict()
    assert waited == {1: 500, 2: 100, 6: 4_000, 7: 61_000}
    mean = frame[frame["measure"] == "mean_wait"].set_index("level")["value"].to_dict()
    assert mean[6] == 1_800_000


def test_an_obligation_is_met_only_if_it_settled_in_time(queueing_day: Any) -> None:
    """P2 settled before its time; P1 too late, P3 was returned and P5 refused."""
    found = values(due(queueing_day))
    assert (found["due_count"], found["met_count"], found["missed_count"]) == (4, 1, 3)
    assert found["due_fen"] == found["met_fen"] + found["missed_fen"]
    assert found["met_share"] == pytest.approx(140 / 700)


def test_without_obligations_the_share_is_null(toy_day: Any) -> None:
    assert values(due(toy_day))["met_share"] is None
