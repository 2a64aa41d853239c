"""A run of a study keeps no tables, and yet measures what a full run would tell."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.run.sweep.play import Player
from cnaps_sim.scenario.load import load

SMALL = ["workload.0.count=2_000", "workload.0.value=40_000_000_000", "accounts.count=30"]
CASES: list[tuple[str, list[str]]] = [
    ("quickstart", []),
    ("eight-levels", []),
    ("gridlock-ring", []),
    ("gridlock-lab", []),
    ("message-trail", []),
    ("cap-squeeze", ["scale=0.0005"]),
    ("hvps-day-2025-scarce", [*SMALL, "days=2"]),
    ("hvps-day-2025", [*SMALL, "hvps.discipline=bypass", "liquidity.alpha=0.2"]),
    ("hvps-day-2025-matching", [*SMALL, "hvps.matching.saving=false"]),
    ("who-waits", [*SMALL]),
]


def measured(scenario: str, overrides: list[str], replication: int) -> dict[tuple[str | None, str], Any]:
    loaded = load(scenario, [*overrides, "vary={seed: [1]}"])
    assert loaded.scenario.vary is not None
    _, found = Player(Plan.of(loaded, loaded.scenario.vary, replications=2)).play(replication)
    return {(each.system, each.measure): each.value for each in found}


@pytest.mark.parametrize(("scenario", "overrides"), CASES, ids=[case[0] for case in CASES])
def test_a_run_of_a_study_measures_what_a_full_run_tells(scenario: str, overrides: list[str]) -> None:
    run = cs.simulate(scenario, set=overrides, replication=1)
    found = measured(scenario, overrides, replication=1)
    for system, told in run.summary["systems"].items():
        for outcome in ("submitted", "settled", "rejected", "returned", "cancelled", "queued"):
            assert found[system, f"{outcome}_count"] == told[outcome]["count"], (system, outcome)
            assert found[system, f"{outcome}_fen"] == told[outcome]["value_fen"], (system, outcome)
        assert found[system, "peak_count"] == told["peak_queue"]["count"]
        assert found[system, "peak_fen"] == told["peak_queue"]["value_fen"]
        assert found.get((system, "rho")) == told["delay_rho"]
        assert found[system, "mean_delay"] == told["mean_delay_ms"]
    for name in ("opening", "peak_used", "lower_bound", "upper_bound"):
        assert found[None, name] == run.summary["liquidity"][f"{name}_fen"], name
    assert found[None, "turnover"] == run.summary["liquidity"]["turnover"]
    delay = cs.metrics.delay(run).set_index("measure")["value"]
    for name in ("rho", "rho_outbox", "rho_queue", "mean_delay", "delay_p50", "delay_p90", "delay_p99", "delay_max"):
        expected = delay[name]
        assert found[None, name] == (None if expected != expected else expected), name
