"""Forks: the same past, another rule from an instant on, and what may not be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.words.errors import InputError


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int, priority: str = "NORM") -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount,
        "priority": priority,
    }  # fmt: skip


#: X and Y owe each other 60 and hold 50 each; behind X's large payment stands a small one.
LOCK: dict[str, Any] = {
    "name": "lock",
    "accounts": [{"account": name, "balance": 50} for name in "XY"],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                pay("X1", "09:00", "X", "Y", 60),
                pay("Y1", "09:10", "Y", "X", 60),
                pay("X2", "09:20", "X", "Y", 10),
            ],
        }
    ],
}
NOON, ONE = 12 * 3_600_000, 13 * 3_600_000


def settled(run: cs.Run) -> dict[str, Any]:
    frame = run.payments
    frame = frame[frame["system"] == "HVPS"]
    return {row.payment_id: row.settled_ms for row in frame.itertuples() if row.status == "PR04"}


def digests(run: cs.Run) -> dict[str, str]:
    return {name: told["sha256"] for name, told in run.manifest["tables"].items()}


@pytest.mark.parametrize("name", ["quickstart", "gridlock-lab", "eight-levels", "liquidity-tools"])
def test_a_fork_without_a_change_is_the_run(name: str) -> None:
    changes = {"compare_tools": "false", "scale": "0.005"} if name == "liquidity-tools" else {}
    run = cs.simulate(name, set=changes)
    assert digests(cs.fork(run, "12:00")) == digests(run)


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ({"hvps.discipline": "bypass"}, {"X2": NOON, "Y1": NOON, "X1": NOON}),
        ({"hvps.matching": {"algorithm": "multilateral", "every": "30 min"}}, {"X1": NOON, "Y1": NOON}),
        ({"hvps.matching": {"algorithm": "multilateral", "at": ["13:00"]}}, {"X1": ONE, "Y1": ONE}),
        ({"hvps.matching": {"algorithm": "multilateral", "continuous": True}}, {"X1": NOON, "Y1": NOON}),
        ({"hvps.matching": {"algorithm": "multilateral", "queued_over": 2}}, {"X1": NOON, "Y1": NOON}),
        ({"actions": [{"at": "13:00", "do": "cancel", "payment": "X1"}]}, {"X2": ONE, "Y1": ONE}),
    ],
)
def test_the_new_rule_frees_the_queue_from_the_instant_on(change: dict[str, Any], times: dict[str, int]) -> None:
    run = cs.simulate(LOCK)
    assert settled(run) == {}
    assert {name: time for name, time in settled(cs.fork(run, "12:00", set=change)).items() if name in times} == times


def test_an_order_to_match_reaches_a_matching_that_began_with_the_fork() -> None:
    change = {
        "hvps.matching": {"algorithm": "multilateral"},
        "actions": [{"at": "13:00", "do": "match"}],
    }
    assert settled(cs.fork(cs.simulate(LOCK), "12:00", set=change))["X1"] == ONE


def test_an_old_matching_says_nothing_more_once_it_is_off() -> None:
    matched = {**LOCK, "hvps": {"matching": {"algorithm": "multilateral", "at": ["13:00"]}}}
    run = cs.simulate(matched)
    assert settled(run)["X1"] == ONE
    off = cs.fork(run, "12:00", set={"hvps.matching": {"algorithm": "none"}})
    assert (settled(off), len(off.matchings)) == ({}, 0)


def test_limits_and_reject_hold_from_the_instant_on() -> None:
    late = [pay("X1", "10:00", "X", "Y", 20), pay("X2", "14:00", "X", "Y", 20), pay("X3", "15:00", "X", "Y", 30)]
    run = cs.simulate({**LOCK, "workload": [{"system": "HVPS", "payments": late}]})
    limited = cs.fork(run, "12:00", set={"limits": [{"account": "X", "to": "Y", "limit": 10}]})
    assert settled(limited) == {"X1": 10 * 3_600_000}
    refusing = cs.fork(run, "12:00", set={"hvps.discipline": "reject"})
    assert refusing.payments.set_index("payment_id")["status"].to_dict() == {"X1": "PR04", "X2": "PR04", "X3": "PR09"}


def test_a_bank_may_reprioritise_from_the_instant_on() -> None:
    change = {
        "hvps.reprioritise": True,
        "actions": [{"at": "13:00", "do": "reprioritise", "payment": "X2", "priority": "URGT"}],
    }
    assert settled(cs.fork(cs.simulate(LOCK), "12:00", set=change))["X2"] == ONE


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"seed": 2}, "seed"),
        ({"accounts.X.balance": "70"}, "accounts.X.balance"),
        ({"workload.0.payments.0.amount": "1"}, "workload.0.payments.0.amount"),
        ({"hvps.discipline": "bypass", "liquidity.alpha": "0.5"}, "liquidity.alpha"),
        ({"scale": "2"}, "scale"),
        ({"hvps.overdraft_rate": "0.1"}, "hvps.overdraft_rate"),
        ({"actions": [{"at": "11:00", "do": "cancel", "payment": "X1"}]}, "actions"),
    ],
)
def test_a_key_that_would_alter_the_past_is_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match="would alter the past of the run") as caught:
        cs.fork(cs.simulate(LOCK), "12:00", set=change)
    assert (caught.value.key, caught.value.value) == (
        key,
        str(change[key]) if key != "actions" else "an earlier action differs",
    )


def test_an_instant_outside_the_run_and_a_fork_of_a_fork_are_refused() -> None:
    run = cs.simulate(LOCK)
    with pytest.raises(InputError, match="lies outside the run"):
        cs.fork(run, "2025-06-20T12:00")
    with pytest.raises(InputError, match="is itself a fork"):
        cs.fork(cs.fork(run, "12:00"), "13:00")


def test_a_run_whose_past_is_not_repeated_is_told() -> None:
    run = cs.simulate(LOCK)
    other = cs.simulate({**LOCK, "actions": [{"at": "11:00", "do": "inject", "account": "X", "amount": 10}]})
    run._tables["transfers"] = other.table("transfers")  # as from a folder that somebody has changed
    with pytest.raises(InputError, match="the table transfers until 12:00:00 is not what playing it again gives"):
        cs.fork(run, "12:00")


def test_a_forked_folder_can_be_audited_verified_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cs.simulate(LOCK, out="run")
    assert execute(["run", "--fork", "run", "--at", "12:00", "--set", "hvps.discipline=bypass", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (lines[1], lines[-1]) == ("fork at 12:00:00: hvps.discipline", "runs/lock-fork-s1")
    assert execute(["run", "--fork", "run", "--at", "12:00", "--out", "again"]) == 0
    told = capsys.readouterr().out.splitlines()[1]
    assert told == "fork at 12:00:00: no rule is another one (--set), so that it is the run again"
    assert execute(["audit", "runs/lock-fork-s1"]) == 0
    assert execute(["verify", "runs/lock-fork-s1"]) == 0
    assert "forked" in (tmp_path / "runs/lock-fork-s1/report.html").read_text()
    found = cs.compare("run", "runs/lock-fork-s1")
    assert (found.counts["gained"], found.counts["lost"]) == (3, 0)
    capsys.readouterr()
    assert execute(["run", "--fork", "run", "--at", "12:00", "--seed", "2"]) == 2
    assert capsys.readouterr().err.startswith("--seed: stands beside --fork and --at (2)")
    assert execute(["run", "--fork", "run"]) == 2
    assert capsys.readouterr().err.startswith("--at: is missing")
