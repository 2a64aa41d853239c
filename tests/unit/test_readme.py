"""The README keeps its word: its commands, its example output, its Python and its scenario."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.workload.account_rows import ACCOUNT_TERMS
from cnaps_sim.workload.bof_tables import ACCOUNTS, BALANCES, COLUMN_NAMES, PARTICIPANTS, TRANSACTIONS
from cnaps_sim.workload.replay import PAYMENT_TERMS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", README, re.M | re.S)


def test_the_first_two_commands_are_the_documented_ones() -> None:
    assert blocks("bash")[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/cnaps-sim run hvps-day-2025",
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest",
    ]


@pytest.fixture
def quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert execute(["run", "quickstart", "--quiet"]) == 0
    assert execute(["run", "message-trail", "--quiet"]) == 0
    return tmp_path


def test_console_examples_print_what_the_readme_shows(quickstart: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("console"):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = example.partition("\n")
            capsys.readouterr()
            assert execute(shlex.split(command)[1:]) == 0
            assert capsys.readouterr().out.strip() == expected.strip()


def test_python_examples_run(quickstart: Path) -> None:
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


def test_the_scenario_example_runs(tmp_path: Path) -> None:
    for number, block in enumerate(blocks("yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        run = cs.simulate(path)
        assert run.manifest["audit"]["verdict"] == "passed"
        assert set(run.payments.status) == {"PR04"}


def test_the_pictures_are_there_and_their_program_draws_them(tmp_path: Path) -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README))
    assert all((ROOT / path).is_file() for path in shown)
    draw = runpy.run_path(str(ROOT / "notebooks" / "pictures" / "draw.py"))["draw"]
    drawn = draw(tmp_path, {"scale": "0.02", "replications": "2"})
    assert {f"notebooks/pictures/{path.name}" for path in drawn} | {"notebooks/pictures/system.svg"} == shown
    assert all(path.stat().st_size > 10_000 for path in drawn)


def test_every_bundled_scenario_and_command_is_named() -> None:
    from cnaps_sim.cli.main import commands
    from cnaps_sim.scenario.load import bundled

    for name, question in bundled():
        assert f"| `{name}` | {question} |" in README
    for command in commands.commands:
        assert f"`{command}" in README


def test_the_two_files_of_your_own_run_and_have_the_columns_that_are_read(tmp_path: Path) -> None:
    section = README.partition("## Two files of your own")[2].partition("\n## ")[0]
    files = re.findall(r"```csv\n(.*?)```", section, re.DOTALL)
    places = [tmp_path / "accounts.csv", tmp_path / "payments.csv"]
    for place, text in zip(places, files, strict=True):
        place.write_text(text, encoding="utf-8")
    run = cs.simulate(accounts=places[0], payments=places[1])
    assert run.payments["status"].tolist() == ["PR04", "PR04"]
    for name, terms in (("accounts", ACCOUNT_TERMS), ("payments", PAYMENT_TERMS)):
        row = re.search(rf"^\| {name} \| (.*) \| (.*) \|$", section, re.MULTILINE)
        assert row is not None
        told = [re.findall(r"`([a-z_]+)`", cell) for cell in row.groups()]
        assert told == [list(terms.required), list(terms.optional)]
    named = set(re.findall(r"`([a-z_]+)`", section.partition("`import bof` reads")[2]))
    tables = {terms.name for terms in (PARTICIPANTS, ACCOUNTS, BALANCES, TRANSACTIONS)}
    assert named == tables | set(COLUMN_NAMES.values())
