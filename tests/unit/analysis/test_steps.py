"""Steps of a small run: nothing is left out, balances and queues follow, keys lead where they say."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.steps import step_lines
from cnaps_sim.cli.main import execute
from cnaps_sim.cli.step import next_place
from cnaps_sim.words.errors import InputError


@pytest.mark.parametrize("name", ["quickstart", "eight-levels", "gridlock-ring", "gridlock-lab", "liquidity-tools"])
def test_the_steps_lead_from_the_opening_to_the_closing_balances_and_leave_no_queue(name: str) -> None:
    run = cs.simulate(name, set={"compare_tools": "false", "scale": "0.005"} if name == "liquidity-tools" else {})
    found = cs.steps(run)
    closing = dict(zip(run.accounts["account"], run.accounts["closing_fen"], strict=True))
    last = found[-1]
    assert {account: closing[account] for account in last.balances_after} == last.balances_after
    assert last.queues_after == {}
    assert [step.time_ms for step in found] == sorted(step.time_ms for step in found)
    assert sum(step.kind == "transfer" for step in found) == len(run.transfers)
    for before, after in itertools.pairwise(found):
        assert (before.balances_after, before.queues_after) == (after.balances_before, after.queues_before)


def test_what_is_queued_cancelled_and_released_is_told_in_its_order() -> None:
    found = cs.steps(cs.simulate("quickstart"))
    told = [(step.kind, step.subject) for step in found if step.time_ms in (36_000_000, 40_500_000)]
    assert told == [
        ("transfer", "P07"), ("transfer", "P03"), ("transfer", "P04"), ("transfer", "P06"), ("warning", "CMB"),
        ("action", "P08"), ("cancelled", "P08"), ("transfer", "P09"),
    ]  # fmt: skip
    queued = next(step for step in found if step.subject == "P04")
    assert step_lines(queued) == [
        f"{queued.number}. 09:15:00 queued: P04 has to wait: CNY 15.00 from BOB to RURAL, at level 7",
        "   BOB: balance CNY 40.00; queue P03 -> P03, P04",
    ]


def test_the_command_prints_all_steps_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "run")
    cs.simulate("gridlock-ring", out=place)
    assert execute(["step", place, "--from", "14:00", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["steps"]
    assert [step["subject"] for step in told if step["kind"] == "transfer"][-4:] == ["R1", "R2", "R3", "R4"]
    assert execute(["step", place]) == 0
    assert "R4 is posted: CNY 100.00 from NORTH to EAST, released by R3" in capsys.readouterr().out
    assert execute(["step", place, "--from", "23:00"]) == 0
    assert (
        capsys.readouterr().out == f"no step at 23:00 or after it: the last of {len(cs.steps(place))} is at 17:15:00\n"
    )
    assert execute(["step", place, "--from", "noon"]) == 2
    assert capsys.readouterr().err.startswith("--from: ")


def test_keys_go_on_back_and_to_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert next_place("11", 4, 10) == 4
    assert capsys.readouterr().out == "no step 11: they are 1 to 10\n"
    assert [next_place(key, 4, 10) for key in ("n", "", "b", "1", "10", "11", "x")] == [5, 5, 3, 0, 9, 4, 4]
    assert next_place("b", 0, 10) == 0


def test_a_large_run_is_refused_by_its_size() -> None:
    run = cs.simulate("hvps-day-2025", set={"scale": "0.002", "compare_tools": "false"})
    with pytest.raises(InputError, match="too many to walk through"):
        cs.steps(run)
