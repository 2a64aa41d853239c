"""What is counted of retail items while totals are made says the same as the rows of the items would."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.engine.netting_recorder import Round
from cnaps_sim.run.retail.counts import ItemCounts
from cnaps_sim.words.retail_days import RoundKind

SCENARIO = {
    "name": "small-caps",
    "date": "2025-06-17",
    "scale": "0.05",
    "accounts": {"generate": "national", "count": 40},
    "workload": [
        {"system": "HVPS", "generator": "national", "count": 20_000, "value": 443_000_000_000},
        {"system": "BEPS", "generator": "national", "count": 60_000, "value": 2_430_000_000},
        {"system": "IBPS", "generator": "national", "count": 200_000, "value": 3_294_000_000},
    ],
    "liquidity": {"share_of_outflow": ["0.5", "0.7"]},
    "nets": {"cap": {"share_of_outflow": "0.1"}},
    "record": {"BEPS": "payments", "IBPS": "payments"},
}


@pytest.fixture(scope="module")
def run() -> Any:
    return cs.simulate(SCENARIO)


@pytest.fixture(scope="module")
def items(run: Any) -> pd.DataFrame:
    return run.payments[run.payments["system"].isin(["BEPS", "IBPS"])]


def test_mean_delays_are_those_of_the_netted_rows(run: Any, items: pd.DataFrame) -> None:
    netted = items[items["netted_ms"].notna()]
    for system, part in netted.groupby("system"):
        exact = int((part["netted_ms"] - part["submitted_ms"]).sum()) / len(part)
        assert run.manifest["outcomes"][system]["mean_delay_ms"] == exact
        assert run.summary["systems"][system]["mean_delay_ms"] == exact


def test_rounds_netted_the_rows_that_name_them(run: Any, items: pd.DataFrame) -> None:
    sums = items.groupby(["round", "system"])["amount_fen"].agg(["count", "sum"])
    for told in run.manifest["rounds"]:
        for system, part in told["netted"].items():
            found = (
                sums.loc[(told["round"], system)] if (told["round"], system) in sums.index else {"count": 0, "sum": 0}
            )
            assert (part["count"], part["value_fen"]) == (found["count"], found["sum"])


def test_caps_hold_up_the_rows_that_say_so(run: Any, items: pd.DataFrame) -> None:
    over = items[(items["status"] == "PR09") & (items["reason"] == "RJ94")]
    queued = items[items["released_by"].notna() | items["status"].isin(["PR08", "PR11"])]
    assert len(over)
    assert len(queued)
    for name, part in (("rejected", over), ("queued", queued)):
        found = part.groupby("debtor")["amount_fen"].agg(["count", "sum"])
        told = {
            key: (of[name]["count"], of[name]["value_fen"]) for key, of in run.manifest["caps"].items() if name in of
        }
        assert told == {key: (int(row["count"]), int(row["sum"])) for key, row in found.iterrows()}


def test_refusals_add_up_to_what_was_not_netted(run: Any) -> None:
    for outcome in run.manifest["outcomes"].values():
        refused = sum(part["count"] for part in outcome["refusals"].values())
        assert refused == outcome["rejected"]["count"] + outcome["cancelled"]["count"]


def test_a_round_that_netted_nothing_is_told_too() -> None:
    nothing = np.zeros(2, np.int64)
    told = ItemCounts(["A", "B"]).rounds(
        [Round(1, 57_600_000, RoundKind.ONLY, 0, nothing, None, nothing, 0)], [dt.date(2025, 6, 15)]
    )
    empty = {"count": 0, "value_fen": 0}
    assert told == [
        {"round": 1, "date": "2025-06-15", "time_ms": 57_600_000, "kind": "only", "sent_ms": None,
         "netted": {"BEPS": empty, "IBPS": empty}}
    ]  # fmt: skip
