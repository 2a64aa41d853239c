"""Benchmarks, off by default: `pytest tests/benchmarks --benchmark-only` (never a timed assert)."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.run.bench import openings, run_compiled, workload
from cnaps_sim.run.netting_bench import run_server, tight_cap, units


@pytest.mark.parametrize("setting", ["ample", "scarce"])
def test_a_million_payments_in_the_books(benchmark: Any, setting: str) -> None:
    rows = workload(1_000_000)
    opening = openings(rows)[setting]
    seconds, _, settled = benchmark(run_compiled, rows, opening)
    assert settled > 990_000
    assert seconds > 0


def test_a_tenth_of_a_national_day(benchmark: Any) -> None:
    run = benchmark.pedantic(cs.simulate, args=["hvps-day-2025"], kwargs={"set": {"scale": "0.1"}}, rounds=3)
    assert run.summary["systems"]["HVPS"]["submitted"]["count"] == 162_900


@pytest.mark.parametrize("setting", ["ample", "tight"])
def test_a_million_units_in_the_netting_server(benchmark: Any, setting: str) -> None:
    rows = units(1_000_000)
    cap = 10**15 if setting == "ample" else tight_cap(rows[:200_000])
    seconds, rejected = benchmark(run_server, Netting, rows, cap)
    assert (rejected > 0) == (setting == "tight")
    assert seconds > 0


def test_a_tenth_of_a_national_day_of_all_systems(benchmark: Any) -> None:
    run = benchmark.pedantic(cs.simulate, args=["national-day-2025"], kwargs={"set": {"scale": "0.1"}}, rounds=3)
    assert run.summary["systems"]["IBPS"]["settled"]["count"] == 4_668_720
