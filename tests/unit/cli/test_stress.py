"""The command `stress`: what it prints, the JSON, the CSV file, mistakes, an interrupt."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cnaps_sim.cli.main import execute
from cnaps_sim.run.stress import BankStress, Stress

RING = ["stress", "gridlock-ring", "--stop-at", "08:00"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_worst_bank_is_told_first(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*RING, "--top", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    head, undisturbed, blank, *table = captured.out.splitlines()
    assert (
        head == "gridlock-ring, 2025-06-17, seed 1: each of 4 banks stops sending at 08:00:00 for the rest of the day"
    )
    assert undisturbed == "undisturbed: 4 of 4 payments settle, CNY 400.00, ρ = 0.5484, longest queue CNY 400.00"
    assert [" ".join(line.split()) for line in [blank, *table]] == [
        "",
        "rank bank that stops unsettled elsewhere payments banks ρ added peak queue added own unsettled",
        "1 EAST 东方银行 / East bank 300.00 3 3 +0.4667 -100.00 100.00",
        "(and 3 more banks)",
    ]
    assert list(here.iterdir()) == []


def test_json_is_one_object_with_every_bank(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*RING, "--until", "10:00", "--seed", "4", "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert captured.err == ""
    assert (told["stop_at"], told["until"], told["seed"], told["banks_stopped"]) == ("08:00:00", "10:00:00", 4, 4)
    assert [bank["account"] for bank in told["banks"]] == ["EAST", "SOUTH", "WEST", "NORTH"]
    assert {type(value) for bank in told["banks"] for value in bank.values()} == {int, float, str}


def test_the_file_holds_all_banks_whatever_is_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*RING, "--top", "2", "--out", "ring.csv"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "ring.csv"
    with (here / "ring.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["account"], row["unsettled_fen"]) for row in rows] == [
        ("EAST", "30000"), ("SOUTH", "20000"), ("WEST", "10000"), ("NORTH", "0")
    ]  # fmt: skip
    assert [path.name for path in here.iterdir()] == ["ring.csv"]


def test_another_kind_is_told_in_its_own_words(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        execute(["stress", "gridlock-ring", "--kind", "shock", "--at", "08:00", "--share", "0.25", "--top", "1"]) == 0
    )
    head, _, _, table, *_ = capsys.readouterr().out.splitlines()
    assert head.endswith("each of 4 banks loses 0.25 of its opening balance at 08:00:00")
    assert " ".join(table.split()).startswith("rank bank that loses unsettled elsewhere payments")
    assert execute(["stress", "gridlock-ring", "--kind", "late-opening", "--until", "10:00", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["stop_at"], told["until"], told["share"]) == ("late-opening", None, "10:00:00", None)
    assert len(told["banks"]) == told["banks_stopped"] == 4


WRONG = [
    (["stress", "gridlock-ring", "--kind", "flood"], "--kind: is no kind of stress (flood); allowed: stop, shock, "),
    (
        ["stress", "gridlock-ring", "--kind", "cap-cut", "--at", "08:00"],
        "--kind: needs payments of BEPS or IBPS (cap-cut); ",
    ),
    (["stress", "gridlock-ring", "--kind", "shock"], "--at: is missing; allowed: an instant: 10:00"),
    (
        ["stress", "gridlock-ring", "--kind", "shock", "--at", "08:00", "--share", "2"],
        "--share: is no share (2); allowed: ",
    ),
    (["stress", "gridlock-ring", "--kind", "late-opening"], "--until: is missing; allowed: an instant: 10:00"),
    (["stress"], "SCENARIO: is missing"),
    (["stress", "gridlock-ring"], "--stop-at: is missing"),
    (["stress", "gridlock-rin", "--stop-at", "08:00"], "scenario: no such bundled scenario (gridlock-rin); allowed: "),
    (
        ["stress", "gridlock-ring", "--stop-at", "8"],
        "--stop-at: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (8)",
    ),
    (["stress", "gridlock-ring", "--stop-at", "18:00"], "--stop-at: after cut-off nobody sends (18:00:00); allowed: "),
    ([*RING, "--until", "07:00"], "--until: is not after the moment it begins (07:00:00); allowed: after 08:00:00"),
    ([*RING, "--workers", "0"], "--workers: is no number of threads (0); allowed: from 1"),
    ([*RING, "--top", "0"], "--top: is no number of banks (0); allowed: from 1"),
    ([*RING, "--out", "ring.txt"], "--out: no such kind of file (ring.txt); allowed: .csv"),
    ([*RING, "--out", "no/ring.csv"], "--out: no such folder (no); allowed: an existing folder"),
    ([*RING, "--set", "days=x"], "--set: days: "),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_a_mistake_is_one_line_and_exit_2(
    arguments: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(here.iterdir()) == []


def test_an_interrupt_is_exit_130_and_writes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_sweep: Stress, _bank: int) -> BankStress:
        raise KeyboardInterrupt

    monkeypatch.setattr(Stress, "of", interrupted)
    assert execute([*RING, "--workers", "1", "--out", "ring.csv"]) == 130
    assert capsys.readouterr().err.strip() == "cnaps-sim: interrupted; nothing was written"
    assert list(here.iterdir()) == []
