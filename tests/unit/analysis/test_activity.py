"""Payments per minute, flows between accounts, liquidity in use, delay classes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from cnaps_sim.analysis.metrics import activity, delay_distribution, flows, in_use


def test_every_minute_is_counted_quiet_ones_too(hand_made: Any) -> None:
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 1, "09:00"),
            hand_made.payment(1, "A", "B", 1, "09:00:59", **hand_made.waiting("09:02", "limit")),
        ]
    )
    frame = activity(run)
    counts = frame.pivot_table(index="time_ms", columns="measure", values="value")
    assert counts["submitted_count"].tolist() == [2, 0, 0]
    assert counts["settled_count"].tolist() == [1, 0, 1]


def test_the_evening_before_has_minutes_below_zero(hand_made: Any) -> None:
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 1, -12_599_999)])
    assert activity(run)["time_ms"].unique().tolist() == [-12_600_000]


def test_refused_payments_are_no_activity(queueing_day: Any) -> None:
    frame = activity(queueing_day)
    assert frame.loc[frame["measure"] == "submitted_count", "value"].sum() == 8


def test_flows_are_sums_per_pair_largest_first(queueing_day: Any) -> None:
    frame = flows(queueing_day)
    fen = frame[frame["measure"] == "settled_fen"]
    pairs = list(zip(fen["debtor"], fen["creditor"], fen["value"], strict=True))
    assert pairs[:2] == [("B", "A", 14_000), ("A", "B", 10_500)]
    assert fen["value"].is_monotonic_decreasing


def test_flows_by_system_are_largest_first_in_each(queueing_day: Any) -> None:
    frame = flows(queueing_day, by="system")
    assert frame["system"].tolist() == ["HVPS"] * 8 + ["SAPS"] * 2


@pytest.fixture
def sampled(hand_made: Any, toy_day: Any) -> Any:
    """The toy day with samples at 09:00 and 12:00; scopes that are no account must not disturb."""
    rows = []
    for at, balances in (("09:00", {"A": 0, "B": 6_000, "C": 0}), ("12:00", {"A": 3_000, "B": 1_000, "C": 2_000})):
        for scope, fen in balances.items():
            rows.append((hand_made.clock(at), scope, "balance_fen", fen))
        rows.append((hand_made.clock(at), "HVPS", "queued_fen", 77))
    toy_day.tables["series"] = pa.table(
        {
            "date": pa.array([hand_made.DATE] * len(rows), pa.date32()),
            "time_ms": pa.array([row[0] for row in rows]),
            "scope": pa.array([row[1] for row in rows]).dictionary_encode(),
            "measure": pa.array([row[2] for row in rows]).dictionary_encode(),
            "value": pa.array([row[3] for row in rows]),
        }
    )
    toy_day.manifest["tables"]["series"] = {"rows": len(rows)}
    return toy_day


def test_liquidity_in_use_is_what_accounts_stand_below_their_opening(sampled: Any, hand_made: Any) -> None:
    frame = in_use(sampled).set_index(["time_ms", "measure"])["value"]
    assert frame[hand_made.clock("09:00"), "in_use"] == 6_000
    assert frame[hand_made.clock("12:00"), "in_use"] == 3_000
    assert frame[hand_made.clock("12:00"), "balance"] == 6_000


def test_liquidity_in_use_per_account(sampled: Any) -> None:
    frame = in_use(sampled, by="account", where={"account": ["A", "C"]})
    used = frame[frame["measure"] == "in_use"]
    assert used.groupby("account")["value"].apply(list).to_dict() == {"A": [6_000, 3_000], "C": [0, 0]}


def test_every_accepted_payment_falls_into_one_class_of_delay(queueing_day: Any) -> None:
    frame = delay_distribution(queueing_day)
    assert frame.groupby("measure")["value"].sum().to_dict() == pytest.approx({"count_share": 1, "value_share": 1})
    share = frame[frame["measure"] == "count_share"].set_index("delay")["value"]
    assert (share["at once"], share["never"], share["to 2 h"]) == (1 / 8, 2 / 8, 2 / 8)


def test_an_edge_belongs_to_the_class_above(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 1, "09:00", **hand_made.waiting("09:01", "limit"))
    frame = delay_distribution(hand_made.make_run([row]), by="account")
    hit = frame[(frame["value"] == 1) & (frame["measure"] == "count_share")]
    assert hit["delay"].tolist() == ["to 5 min"]
    assert hit["at_least_ms"].tolist() == [60_000]
    assert isinstance(hit, pd.DataFrame)
