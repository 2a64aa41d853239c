"""Simulate from Python: settings written as Python values, and what the summary tells of matching."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs

RULE = {"actions": [], "hvps.matching.algorithm": "multilateral", "hvps.matching.at": ["11:00"]}


@pytest.mark.parametrize(("value", "read"), [(True, True), (False, False), (None, False)])
def test_switches_of_a_bundled_scenario_are_set_with_python_values(value: Any, read: bool) -> None:
    run = cs.simulate("gridlock-ring", set={"hvps.reprioritise": value})
    assert run.scenario["hvps"]["reprioritise"] is read
    assert "matching" not in run.summary


def test_a_ring_that_a_matching_clears() -> None:
    run = cs.simulate("gridlock-ring", set={**RULE, "hvps.matching.bound": "lp"})
    assert run.summary["matching"] == {
        "matchings": 1, "settled": {"count": 4, "value_fen": 40_000}, "share_of_value": 1.0, "mean_gap": 0.0
    }  # fmt: skip
    accounts = cs.metrics.matching_accounts(run, by="matching").set_index("measure")["value"]
    assert accounts["helped"] == run.matchings["accounts"].item() == 4
    assert accounts["net_payers"] == 0
    told = str(cs.explain(run, "R3"))
    assert "settled 4 payments together, CNY 400.00" in told
    assert "No one of them could have settled alone" in told
