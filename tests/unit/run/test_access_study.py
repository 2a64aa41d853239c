"""`compare_access` plays the day both ways, and tells the same from whichever side it is asked."""

from __future__ import annotations

import pytest

import cnaps_sim as cs
from cnaps_sim.words.errors import InputError

SMALL = {"scale": "0.02"}


def test_both_scenarios_of_the_pair_tell_the_same_comparison() -> None:
    single = cs.simulate("one-account-or-thirty-two", set=SMALL)
    branches = cs.simulate("one-account-or-thirty-two-branches", set=SMALL)
    assert single.manifest["access"] == branches.manifest["access"]
    assert [entry["access"] for entry in single.manifest["access"]] == ["single", "branches"]
    for run, told in zip((single, branches), single.manifest["access"], strict=True):
        found = cs.metrics.liquidity(run).set_index("measure")["value"]
        assert (told["opening_fen"], told["used_fen"]) == (found["opening"], found["peak_used"])
        assert (told["lower_fen"], told["upper_fen"]) == (found["lower_bound"], found["upper_bound"])
    payments = branches.payments
    owner = branches.accounts.set_index("account")["owner"]
    between = payments[payments.debtor.map(owner) != payments.creditor.map(owner)]
    settled = between[between.status == "PR04"]
    told = single.manifest["access"][1]
    assert told["submitted_fen"] == between.amount_fen.sum()
    assert told["settled_fen"] == settled.amount_fen.sum()
    assert told["mean_delay_ms"] == pytest.approx((settled.settled_ms - settled.instructed_ms).mean())
    one = single.manifest["access"][0]
    assert one["rho"] == cs.metrics.delay(single).set_index("measure")["value"]["rho"]


def test_the_report_sets_both_days_beside_each_other() -> None:
    run = cs.simulate("one-account-or-thirty-two", set=SMALL)
    from cnaps_sim.analysis.report.access import both_ways

    rows = {name: (single, apart) for name, single, apart in both_ways(run)}
    assert rows["accounts"] == ("320", "1,737")
    assert rows["opening balances"][0] == rows["opening balances"][1]


def test_a_scenario_that_names_accounts_cannot_be_played_with_others() -> None:
    with pytest.raises(InputError) as told:
        cs.simulate("stricken-bank", set={"compare_access": True})
    assert "names an account" in str(told.value)
