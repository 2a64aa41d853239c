"""The command `liquidity`: its table, one owner, its JSON and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    place: Path = tmp_path_factory.mktemp("runs") / "levels"
    cs.simulate("eight-levels", out=place)
    return str(place)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert execute(["liquidity", *arguments]) == 0
    return capsys.readouterr().out


def test_the_table_has_one_line_per_owner_and_says_that_the_instant_is_included(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, folder, "--at", "10:30").splitlines()
    assert lines[0] == (
        "eight-levels, 2025-06-17, at 10:30:00 with everything posted at that instant; HVPS: daytime (日间)"
    )
    cells = {line.split()[0]: line.split()[1:6] for line in lines[3:7]}
    assert cells == {
        "CITY": ["-190.00", "10.00", "410.00", "0.00", "-400.00"],
        "STATE": ["10,320.00", "10,320.00", "0.00", "200.00", "10,520.00"],
        "TRUST": ["520.00", "520.00", "0.00", "100.00", "620.00"],
        "PBC": ["-50.00", "-", "0.00", "110.00", "-"],
    }
    assert "[below warning line]" in lines[3]
    assert lines[-1] == "all accounts, the central bank's own included, hold 10,600.00 at every instant"


def test_one_owner_shows_its_queue_by_level(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(told(capsys, folder, "--at", "14:10", "--participant", "CITY").split())
    assert "account CITY 城市商业银行 / City bank AS04" in words
    assert "queued out CNY 60.00 1 payment level 5 CNY 60.00 1 payment" in words


def test_json_tells_owners_with_their_accounts(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(told(capsys, folder, "--at", "2025-06-17T10:30", "--participant", "CITY", "--json"))
    assert (answer["run"], answer["at_ms"], answer["phase"], answer["netted_ms"]) == (folder, 37_800_000, "10", None)
    assert answer["total_balance_fen"] == 1_060_000
    (owner,) = answer["owners"]
    assert (owner["owner"], owner["expected_fen"], owner["balance_if_settled_fen"]) == ("CITY", -40_000, -60_000)
    (account,) = owner["accounts"]
    assert account["queued_out"]["levels"][0] == {"level": 0, "count": 1, "value_fen": 15_000}
    assert account["available_by_level_fen"] == [1_000] * 8
    assert (account["balance_warning"], account["warning_line_fen"]) == (True, 0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--at", "25:00"], "--at: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (25:00); allowed: "),
        (["--at", "10:00", "--participant", "CITI"], "--participant: no such owner or account (CITI); allowed: CITY, "),
        ([], "--at: is missing; allowed: "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    folder: str, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["liquidity", folder, *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(sentence)
    assert error.count("\n") == 1


def test_pools_and_pledge_room_stand_beside_the_accounts_that_have_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = {"payment_id": "p", "time": "10:00", "debtor": "C", "creditor": "A", "amount": 40}
    scenario = {
        "accounts": [{"account": name, "balance": 30} for name in "ABC"],
        "workload": [{"system": "HVPS", "payments": [payment]}],
        "pools": [{"name": "two", "accounts": ["A", "B"]}],
        "credit": {"pledge": {"collateral": [{"account": "C", "bonds": 100}]}},
    }
    place = tmp_path / "reserves"
    cs.simulate(scenario, out=place)
    lines = told(capsys, str(place), "--at", "10:30").splitlines()
    assert lines[2].split()[-2:] == ["pledge", "room"]
    rows = {line.split()[0]: " ".join(line.split()) for line in lines[3:6]}
    assert rows["A"].endswith("[pool two: 30.00 from others]")
    assert rows["C"].split()[6] == "80.00"
    one = " ".join(told(capsys, str(place), "--at", "10:30", "--participant", "B").split())
    assert "fund pool (资金池) CNY 70.00 what others of two could give" in one
    account = json.loads(told(capsys, str(place), "--at", "10:30", "--participant", "C", "--json"))["owners"][0]
    assert (account["accounts"][0]["pool"], account["accounts"][0]["pledge_room_fen"]) == (None, 8_000)
