"""Matching runs as folders: repeated, audited, and never half-written when an algorithm is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.cli.main import execute
from cnaps_sim.run.check import audit_folder, verify_folder

SCENARIO = """\
name: ring
accounts:
  - {account: A}
  - {account: B}
workload:
  - system: HVPS
    payments:
      - {payment_id: AB, time: "09:00", debtor: A, creditor: B, amount: 10}
      - {payment_id: BA, time: "09:01", debtor: B, creditor: A, amount: 9}
hvps:
  matching:
    algorithm: my_choice:settle
    at: ["10:00"]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ring.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def write(here: Path, name: str, answer: str) -> None:
    (here / f"{name}.py").write_text(f"def settle(queue):\n    return {answer}\n", encoding="utf-8")


def test_a_run_with_matchings_verifies_and_passes_its_audit(tmp_path: Path) -> None:
    place = tmp_path / "lab"
    cs.simulate("gridlock-lab", out=place, set={"hvps.matching.saving": "true"})
    run = cs.load(place)
    assert "matchings" in run.recorded
    assert audit_folder(place).passed
    assert verify_folder(place, headline) == []
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    manifest["matching"]["liquidity_share"] = 0.5
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [line[:19] for line in verify_folder(place, headline)] == ["manifest: matching "]


@pytest.mark.parametrize("record", ["accounts", "totals"])
def test_less_detail_keeps_the_matchings(record: str, tmp_path: Path) -> None:
    full = cs.simulate("gridlock-lab")
    cs.simulate("gridlock-lab", set={"record": f"{{HVPS: {record}}}"}, out=tmp_path / "less")
    assert cs.load(tmp_path / "less").matchings.equals(full.matchings)
    assert audit_folder(tmp_path / "less").passed


def test_a_wrong_algorithm_is_exit_2_with_the_account_named_and_nothing_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, "my_choice", "[0, 1]")
    assert execute(["run", "ring.yaml", "--out", "out", "--quiet"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert errors.startswith("ring.yaml:12:16: hvps.matching.algorithm: the algorithm my_choice:settle chose")
    assert "account A cannot fund" in errors
    assert sorted(path.name for path in here.iterdir() if path.name != "__pycache__") == ["my_choice.py", "ring.yaml"]


def test_an_option_names_itself_in_the_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, "other_choice", "1 / 0")
    option = "hvps.matching.algorithm=other_choice:settle"
    assert execute(["run", "ring.yaml", "--set", option, "--json", "--quiet"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["place"], error["key"]) == ("--set", "hvps.matching.algorithm")
    assert error["problem"] == "the algorithm other_choice:settle failed"
    assert error["value"].startswith("ZeroDivisionError")
    assert not (here / "runs").exists()


def test_a_right_one_is_run_and_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, "empty_choice", "[]")
    option = "hvps.matching.algorithm=empty_choice:settle"
    assert execute(["run", "ring.yaml", "--set", option, "--out", "out", "--quiet"]) == 0
    assert cs.load(here / "out").matchings.algorithm.tolist() == ["empty_choice:settle"] * 2
