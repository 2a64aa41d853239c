"""The command line: exit codes, one-line errors, JSON, the two-file run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnaps_sim.cli.main import execute


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def two_files(here: Path) -> Path:
    (here / "a.csv").write_text("account,balance\nA,100\nB,0\n")
    (here / "p.csv").write_text("payment_id,time,debtor,creditor,amount\nP1,10:00,A,B,60\nP2,10:01,A,B,60\n")
    return here


def test_a_run_prints_its_folder_last(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "quickstart"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "runs/quickstart-s1"
    assert (here / "runs" / "quickstart-s1" / "report.html").is_file()


def test_json_is_one_object_and_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "quickstart", "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert set(told) == {"run", "date", "seed", "audit", "systems", "liquidity", "wall_s", "payments_per_s"}
    assert captured.err == ""


def test_two_files_are_a_strict_fifo_day_of_their_own(two_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "--accounts", "a.csv", "--payments", "p.csv", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == "runs/p-s1"
    assert told["date"] == "2025-06-17"
    assert told["systems"]["HVPS"]["settled"] == {"count": 1, "value_fen": 6000}
    assert told["systems"]["HVPS"]["returned"] == {"count": 1, "value_fen": 6000}


def test_the_date_of_two_files_is_the_business_date_of_the_earliest_moment(
    two_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (two_files / "p.csv").write_text(
        "payment_id,time,debtor,creditor,amount\nP1,2025-10-12T21:00,A,B,60\nP2,2025-10-13T09:00,B,A,6\n"
    )
    assert execute(["run", "--accounts", "a.csv", "--payments", "p.csv", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["date"] == "2025-10-13"
    assert told["systems"]["HVPS"]["settled"]["count"] == 2


def test_explain_audit_verify_report_and_export_take_the_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    execute(["run", "quickstart", "--out", "q"])
    assert execute(["audit", "q"]) == 0
    assert execute(["verify", "q"]) == 0
    assert execute(["explain", "q", "P06"]) == 0
    assert "P04" in capsys.readouterr().out
    assert execute(["report", "q"]) == 0
    assert execute(["export", "q", "payments", "--to", "p.csv"]) == 0
    assert execute(["export", "q", "payments", "--to", "p.xlsx"]) == 0
    assert (here / "p.csv").read_text().count("\n") == 16


WRONG = [
    (["run"], "scenario: is missing; allowed: a file, a bundled name, or --accounts and --payments"),
    (["run", "quikstart"], "scenario: no such bundled scenario (quikstart); allowed: quickstart"),
    (["run", "quickstart", "--sed", "3"], "--sed: no such option; allowed: --seed, --set, --json"),
    (["run", "quickstart", "--seed", "x"], "--seed: 'x' is not a valid integer"),
    (["run", "quickstart", "--set", "hvps.disciplin=fifo"], "--set: hvps.disciplin: "),
    (["run", "quickstart", "--set", "seed"], "--set: says no value (seed); allowed: KEY=VALUE"),
    (["run", "--accounts", "a.csv"], "--payments: is missing; allowed: both --accounts and --payments"),
    (
        ["run", "--accounts", "no.csv", "--payments", "p.csv"],
        "--accounts: no such file (no.csv); allowed: a CSV or Parquet file",
    ),
    (
        ["run", "--accounts", "a.csv", "--payments", "p.csv", "--date", "June"],
        "--date: not a date (June); allowed: YYYY-MM-DD",
    ),
    (
        ["run", "quickstart", "--date", "2025-06-17"],
        "scenario: stands beside --accounts, --payments or --date (quickstart); allowed: one of the two",
    ),
    (["rn", "quickstart"], "command: no such command (rn); allowed: run"),
    (["audit", "nowhere"], "nowhere: is not a run folder; allowed: a folder with a manifest.json"),
    (["explain", "nowhere"], "PAYMENT_ID: is missing"),
    (["export", "nowhere", "payments", "--to", "x.doc"], "nowhere: is not a run folder"),
    (["bench", "--payments", "7"], "--payments: too few to measure (7); allowed: from 5000"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_a_mistake_is_one_line_and_exit_2(
    arguments: list[str], sentence: str, two_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(path.name for path in two_files.iterdir()) == ["a.csv", "p.csv"]


def test_with_json_a_mistake_is_one_object(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "quikstart", "--json"]) == 2
    captured = capsys.readouterr()
    assert set(json.loads(captured.out)["error"]) == {"place", "key", "problem", "value", "allowed"}
    assert captured.err == ""


def test_a_broken_rule_is_exit_1(here: Path) -> None:
    execute(["run", "quickstart", "--out", "q"])
    (here / "q" / "transfers.parquet").write_bytes(b"")
    assert execute(["audit", "q"]) == 1
    assert execute(["verify", "q"]) == 1


def test_a_csv_mistake_names_file_and_line(two_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (two_files / "p.csv").write_text("payment_id,time,debtor,creditor,amount\nP1,10:00,A,B,60\nP1,10:01,A,B,1.005\n")
    assert execute(["run", "--accounts", "a.csv", "--payments", "p.csv"]) == 2
    assert "p.csv:3: " in capsys.readouterr().err
    assert not (two_files / "runs").exists()


def test_an_internal_error_is_one_line_and_exit_3(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cnaps_sim.run.runner.make_tables", lambda world: 1 / 0)
    assert execute(["run", "quickstart"]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("cnaps-sim: internal error, please report it: ZeroDivisionError")
    assert captured.err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--help"]) == 0
    told = capsys.readouterr().out
    for command in ("run", "audit", "verify", "explain", "report", "export", "scenarios", "schema", "bench"):
        assert f"\n  {command} " in told


def test_schema_and_scenarios_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"]
    assert execute(["scenarios"]) == 0
    assert "gridlock-ring" in capsys.readouterr().out
