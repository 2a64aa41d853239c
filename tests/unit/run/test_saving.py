"""What matching saves: the delay in exact numbers, and the least opening liquidity for the same delay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.simulate import read
from cnaps_sim.run.saving import Delay, Rehearsals, exact_dot, least_parts, liquidity_saving
from cnaps_sim.run.world import World

#: Money that has to go round a ring of three, three times.
RING: dict[str, Any] = {
    "name": "ring",
    "accounts": [{"account": "A", "balance": 100}, {"account": "B"}, {"account": "C"}],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                {"payment_id": f"{d}{c}{hour}", "time": f"{hour}:{minute}", "debtor": d, "creditor": c, "amount": 100}
                for hour in ("09", "11", "13")
                for d, c, minute in (("B", "C", "00"), ("C", "A", "10"), ("A", "B", "20"))
            ],
        }
    ],
    "hvps": {"matching": {"algorithm": "multilateral", "continuous": True, "saving": True}},
}


def rehearsals(scenario: Any) -> Rehearsals:
    loaded = read(scenario)
    return Rehearsals(loaded, World(loaded).population)


def test_the_ring_needs_no_money_when_it_is_matched() -> None:
    run = cs.simulate(RING)
    assert run.manifest["matching"]["liquidity_share"] == 0
    assert run.manifest["matching"]["rho_with"] == run.manifest["matching"]["rho_without"] > 0


def test_no_saving_is_looked_for_unless_the_scenario_asks() -> None:
    assert "matching" not in cs.simulate(RING, set={"hvps.matching.saving": False}).manifest


def test_an_ordinary_day_gives_the_delay_of_its_summary() -> None:
    for name in ("quickstart", "eight-levels", "gridlock-ring"):
        run = cs.simulate(name)
        measured = rehearsals(name).delay(1000, matched=True).rho
        assert measured == pytest.approx(run.summary["systems"]["HVPS"]["delay_rho"], rel=1e-12)


def test_the_share_found_is_the_least_in_thousandths() -> None:
    accounts = [{"account": "A", "balance": 60}, {"account": "B", "balance": 30}, {"account": "C", "balance": 10}]
    payments = [
        {"payment_id": f"P{i}", "time": f"{9 + i // 6:02d}:{i % 6}0", "debtor": "ABC"[i % 3],
         "creditor": "ABC"[(i + 1 + i // 5 % 2) % 3], "amount": 20 + 7 * (i % 5)}
        for i in range(30)
    ]  # fmt: skip
    scenario = {**RING, "accounts": accounts, "workload": [{"system": "HVPS", "payments": payments}]}
    loaded = read(scenario)
    population = World(loaded).population
    found = liquidity_saving(loaded, population)
    assert 0 < found.liquidity_share < 1
    again = Rehearsals(loaded, population)
    without = again.delay(1000, matched=False)
    parts = round(found.liquidity_share * 1000)
    assert again.delay(parts, matched=True).is_at_most(without)
    assert not again.delay(parts - 1, matched=True).is_at_most(without)
    assert found == liquidity_saving(loaded, population)


def test_where_matching_delays_more_nothing_is_saved() -> None:
    # Continuous matching lets the many small ones of level 7 go that plain release would not have.
    accounts = [{"account": "A", "balance": 5}, {"account": "B"}, {"account": "C"}, {"account": "D"}]
    payments = [
        {"payment_id": "N1", "time": "09:00", "debtor": "A", "creditor": "B", "amount": 6},
        {"payment_id": "N2", "time": "09:01", "debtor": "B", "creditor": "A", "amount": 2},
        {"payment_id": "U1", "time": "09:02", "debtor": "A", "creditor": "C", "amount": 5, "priority": "URGT"},
        {"payment_id": "N3", "time": "09:03", "debtor": "C", "creditor": "D", "amount": 5},
    ]
    scenario = {**RING, "accounts": accounts, "workload": [{"system": "HVPS", "payments": payments}]}
    found = cs.simulate(scenario).manifest["matching"]
    assert found["rho_with"] > found["rho_without"]
    assert (found["liquidity_share"], found["replays"]) == (1.0, 2)


def test_an_opening_overdraft_is_no_liquidity_to_cut() -> None:
    accounts = [{"account": "A", "balance": -50, "overdraft_limit": 90}, {"account": "B", "balance": 9}]
    payments = [{"payment_id": "P", "time": "09:00", "debtor": "A", "creditor": "B", "amount": 40}]
    scenario = {**RING, "accounts": accounts, "workload": [{"system": "HVPS", "payments": payments}]}
    assert rehearsals(scenario).delay(0, matched=True).waited == 0


@pytest.mark.parametrize("least", [0, 1, 370, 989, 990, 991, 1000])
def test_the_search_finds_the_least_that_is_enough(least: int) -> None:
    asked: list[int] = []

    def is_enough(parts: int) -> bool:
        asked.append(parts)
        return parts >= least

    assert least_parts(is_enough) == least
    assert len(asked) <= 16
    assert all(0 <= parts < 1000 for parts in asked)


def test_sums_of_fen_and_ms_are_exact_beyond_64_bits() -> None:
    fen = np.full(5000, 92 * 10**15, np.int64)
    ms = np.arange(5000, dtype=np.int64) * 10**5
    assert exact_dot(fen, ms) == sum(a * b for a, b in zip(fen.tolist(), ms.tolist(), strict=True))
    assert exact_dot(fen[:0], ms[:0]) == 0


def test_delays_compare_without_a_division() -> None:
    assert Delay(1, 3).is_at_most(Delay(333_333_334, 10**9))
    assert not Delay(1, 3).is_at_most(Delay(333_333_333, 10**9))
    assert Delay(0, 0).is_at_most(Delay(0, 5))
    assert Delay(0, 0).rho == 0
