"""What the commands do can be done from Python with the same words, by the same code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import commands, execute
from cnaps_sim.messages.samples import sample


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert execute(list(arguments)) == 0
    return capsys.readouterr().out


def test_every_command_but_the_benchmark_has_a_name_in_python() -> None:
    other = {"run": "simulate", "import": "import_bof", "step": "steps"}
    names = {other.get(name, name) for name in commands.commands} - {"bench"}
    assert names <= set(cs.__all__)
    assert all(getattr(cs, name) is not None for name in cs.__all__)


def test_catalogues_are_those_that_the_commands_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, "scenarios", "--json"))["scenarios"] == cs.scenarios().to_dict("records")
    assert json.loads(printed(capsys, "schema")) == cs.schema()
    listed = json.loads(printed(capsys, "messages", "list", "--json"))["messages"]
    assert listed == cs.messages.list().to_dict("records")
    assert "hvps.111.001.01" in set(cs.messages.list().number)


def test_a_sample_message_is_the_bytes_that_the_command_writes(here: Path) -> None:
    assert execute(["messages", "build", "hvps.111", "--out", "by-command.xml"]) == 0
    built = cs.messages.build("hvps.111", out="by-python.xml")
    assert built == sample("hvps.111") == Path("by-python.xml").read_bytes() == Path("by-command.xml").read_bytes()


def test_export_and_report_write_the_bytes_that_the_commands_write(here: Path) -> None:
    run = cs.simulate("quickstart", out="q")
    assert execute(["export", "q", "payments", "--to", "by-command.csv"]) == 0
    assert cs.export("q", "payments", "by-folder.csv") == Path("by-folder.csv")
    cs.export(run, "payments", "by-run.csv")
    assert Path("by-command.csv").read_bytes() == Path("by-folder.csv").read_bytes() == Path("by-run.csv").read_bytes()
    assert execute(["report", "q"]) == 0
    assert cs.report(run, "r.html").read_bytes() == Path("q/report.html").read_bytes()
    assert cs.report("q") == Path("q/report.html")


def test_two_files_are_the_run_that_the_command_makes(here: Path) -> None:
    Path("a.csv").write_text("account,balance\nA,100\nB,0\n")
    Path("p.csv").write_text("payment_id,time,debtor,creditor,amount\nP1,2025-10-13T09:00,A,B,60\n")
    assert execute(["run", "--accounts", "a.csv", "--payments", "p.csv", "--out", "c", "--quiet"]) == 0
    run = cs.simulate(accounts="a.csv", payments="p.csv")
    assert run.manifest["date"] == "2025-10-13"
    assert run.manifest["tables"] == cs.load("c").manifest["tables"]


def test_what_looks_at_a_run_takes_its_folder_too(here: Path) -> None:
    run = cs.simulate("gridlock-ring", out="g")
    one = run.payments.payment_id[0]
    assert cs.explain("g", one).sentences == cs.explain(run, one).sentences
    assert cs.liquidity("g", at="10:00").equals(cs.liquidity(run, at="10:00"))
    assert cs.animate("g", "a.html").read_bytes() == cs.animate(run, "b.html").read_bytes()


@pytest.mark.parametrize(
    "settings", ["hvps.discipline=bypass", ["hvps.discipline=bypass"], {"hvps.discipline": "bypass"}]
)
def test_a_setting_may_be_one_text_a_list_or_a_dict(settings: Any) -> None:
    assert cs.simulate("quickstart", set=settings).scenario["hvps"]["discipline"] == "bypass"


WRONG = [
    ({"set": "days"}, "set: says no value (days)"),
    ({"set": ["hvps.disciplin=fifo"]}, "set: hvps.disciplin: unknown key"),
    ({"set": {"hvps.disciplin": "fifo"}}, "set: hvps.disciplin: unknown key"),
    ({"set": 5}, "set: says no key (5)"),
    ({"set": {3: 4}}, "set: says no key (3)"),
    ({"seed": -1}, "seed: seed: too small (-1)"),
    ({"accounts": "a.csv"}, "scenario: stands beside accounts, payments or date (quickstart)"),
]


@pytest.mark.parametrize(("arguments", "error"), WRONG, ids=[case[1] for case in WRONG])
def test_an_error_names_the_argument_of_python(arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(cs.InputError) as caught:
        cs.simulate("quickstart", **arguments)
    assert str(caught.value).startswith(error)


def test_a_setting_of_a_dict_is_named_as_one_too() -> None:
    day = {"accounts": [{"account": "A", "balance": 1}], "workload": []}
    with pytest.raises(cs.InputError, match=r"^set: hvps\.disciplin: unknown key"):
        cs.simulate(day, set={"hvps.disciplin": "fifo"})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run", "quickstart", "--set", "days"], "--set: says no value (days)"),
        (["run", "quickstart", "--seed", "-1"], "--seed: seed: too small (-1)"),
        (["run", "quickstart", "--out", "."], "--out: exists and is not empty (.)"),
        (["export", "q", "payments", "--to", "p.doc"], "--to: no such kind of file (p.doc)"),
        (["export", "q", "payment", "--to", "p.csv"], "TABLE: no such table (payment); allowed: payments, "),
    ],
)
def test_an_error_names_the_option_of_the_command(
    arguments: list[str], error: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cs.simulate("quickstart", out="q")
    assert execute([*arguments, "--quiet"] if arguments[0] == "run" else arguments) == 2
    assert capsys.readouterr().err.startswith(error)


def test_a_report_needs_a_place(here: Path) -> None:
    with pytest.raises(cs.InputError, match=r"^to: is missing, and the run has no folder"):
        cs.report(cs.simulate("quickstart"))
    with pytest.raises(cs.InputError, match=r"^to: no such folder \(nowhere\)"):
        cs.report(cs.simulate("quickstart"), "nowhere/r.html")


def test_something_else_than_a_file_a_run_or_an_id_is_an_input_error() -> None:
    run = cs.simulate("gridlock-ring")
    for call, error in (
        (lambda: cs.simulate(accounts=run.accounts, payments=run.payments), r"^accounts: is no file \(DataFrame\)"),  # type: ignore[arg-type]
        (lambda: cs.explain(run, 4), r"^payment_id: is no text \(4\)"),  # type: ignore[arg-type]
        (lambda: cs.compare(run, 5), r"^compare: is no run and no study \(int\)"),  # type: ignore[call-overload]
        (lambda: cs.metrics.headline("runs/none"), r"^run: is no run \(runs/none\)"),  # type: ignore[arg-type]
    ):
        with pytest.raises(cs.InputError, match=error):
            call()  # type: ignore[no-untyped-call]
