"""Random traffic in rounds: nothing gets lost, and rising prices come close to the bound of the whole day."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.optimise.heuristics.rising_prices import rising_prices
from cnaps_sim.optimise.registry import find, names
from cnaps_sim.optimise.traffic import random_traffic, settle_in_rounds

SMALL = {"rounds": 4, "payments": 300, "accounts": 16}


def test_the_workload_is_the_described_one() -> None:
    traffic = random_traffic(seed=0)
    assert len(traffic) == 40_000
    assert traffic.accounts == 64
    assert 80_000_000 <= traffic.available.min() < traffic.available.max() <= 140_000_000
    assert 1 <= traffic.amount.min() < traffic.amount.max() <= 100_000_000
    assert not np.any(traffic.debtor == traffic.creditor)
    assert abs(traffic.amount.mean() / 50_000_000 - 1) < 0.02


def test_money_is_conserved_and_everything_is_counted() -> None:
    traffic = random_traffic(seed=3, **SMALL)
    day = settle_in_rounds(traffic, rising_prices, SMALL["payments"])
    assert day.closing.sum() == traffic.available.sum()
    assert day.closing.min() >= 0
    assert day.submitted == traffic.amount.sum()
    assert 0 < day.settled <= day.bound <= day.submitted
    assert len(day.queued) == 4
    assert day.queued[0] == 300


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rising_prices_settles_more_than_every_other_algorithm(seed: int) -> None:
    traffic = random_traffic(seed, **SMALL)
    others = [name for name in names(for_runs=True) if name not in ("exact", "rising-prices")]
    share = {name: settle_in_rounds(traffic, find(name).solve, SMALL["payments"]).share for name in others}
    assert settle_in_rounds(traffic, rising_prices, SMALL["payments"]).share > max(share.values())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_whole_day_ends_within_a_tenth_of_a_point_of_its_bound(seed: int) -> None:
    day = settle_in_rounds(random_traffic(seed), rising_prices)
    assert 0 <= day.missing_points <= 0.10
