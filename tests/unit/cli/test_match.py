"""`cnaps-sim match`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.cli.match import match
from cnaps_sim.optimise.registry import names
from cnaps_sim.words.errors import InputError


def run(*arguments: str) -> None:
    match.main(args=list(arguments), standalone_mode=False)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "a.csv").write_text("account,balance\nA,0.10\nB,0.08\n")
    rows = ["U1,A,B,0.20", "U2,B,A,0.15", "U3,A,B,0.30", "U4,B,A,0.12", "U5,A,B,0.15", "U6,B,A,0.80"]
    (tmp_path / "p.csv").write_text("\n".join(["payment_id,debtor,creditor,amount", *rows, ""]))
    return str(tmp_path / "a.csv"), str(tmp_path / "p.csv")


def test_two_files_without_times_are_matched(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run("--accounts", files[0], "--payments", files[1])
    out = capsys.readouterr().out
    assert "2 accounts, 6 payments queued, CNY 1.72" in out
    assert "multilateral: 3 settle, CNY 0.47 of at most CNY 1.38; gap 65.942 %" in out
    assert "settled: U1 U2 U4" in out
    assert "Gridlock: none of 6 payments settles one by one" in out


def test_json_is_one_object_and_nothing_else(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run("--accounts", files[0], "--payments", files[1], "--algorithm", "exact", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["algorithm"], told["settled"]) == ("exact", ["U1", "U2", "U4", "U5"])


def test_all_prints_a_line_per_algorithm_with_bound_and_gap(capsys: pytest.CaptureFixture[str]) -> None:
    run("gridlock-lab", "--algorithm", "all")
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if "CNY 675.00" in line]
    assert [line.split()[0] for line in table] == names()
    assert all("%" in line for line in table)
    assert next(line for line in table if line.startswith("exact")).endswith("optimal")
    assert any(line.startswith("Deadlock in queue order: none of 20 payments settles") for line in lines)
    run("gridlock-lab", "--algorithm", "all", "--json")
    assert len(json.loads(capsys.readouterr().out)["results"]) == len(names())


def test_a_picture_is_written_and_named_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "queue.png"
    run("gridlock-lab", "--picture", str(picture))
    assert capsys.readouterr().out.splitlines()[-1] == str(picture)
    cs.match("gridlock-lab", picture=tmp_path / "same.png")
    assert picture.read_bytes() == (tmp_path / "same.png").read_bytes()


def test_what_is_left_out_is_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("account,balance\nA,5\n")
    (tmp_path / "p.csv").write_text("payment_id,debtor,creditor,amount\nP1,A,A,1\n")
    given = ("--accounts", str(tmp_path / "a.csv"), "--payments", str(tmp_path / "p.csv"))
    run(*given)
    told = capsys.readouterr()
    assert "P1 is left out: debtor and creditor are the same account" in told.err
    assert "Clear: nothing is queued." in told.out
    run(*given, "--quiet")
    assert capsys.readouterr().err == ""


def test_many_accounts_are_cut_to_those_that_need_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("account,balance\n" + "".join(f"N{bank},0\n" for bank in range(40)))
    rows = "".join(f"P{bank},N{bank},N0,{bank}\n" for bank in range(1, 40))
    (tmp_path / "p.csv").write_text(f"payment_id,debtor,creditor,amount\n{rows}")
    run("--accounts", str(tmp_path / "a.csv"), "--payments", str(tmp_path / "p.csv"))
    out = capsys.readouterr().out
    assert "N39         0.00     0.00  39.00" in out
    assert "(and 30 more accounts)" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "pair: is missing; allowed: --accounts and --payments, or a bundled pair: gridlock-lab"),
        (("nowhere",), "pair: no such bundled pair of files (nowhere); allowed: gridlock-lab"),
        (("gridlock-lab", "--payments", "p.csv"), "pair: stands beside --accounts or --payments (gridlock-lab)"),
        (("--accounts", "nowhere.csv"), "--accounts: no such file (nowhere.csv)"),
        (("--payments", "p.csv"), "--accounts: is missing; allowed: both --accounts and --payments"),
        (("gridlock-lab", "--picture", "queue.pdf"), "--picture: not a picture file (queue.pdf)"),
        (("gridlock-lab", "--algorithm", "best"), "--algorithm: no such algorithm (best); allowed: fifo, bypass"),
        (("gridlock-lab", "--time-limit", "0"), "--time-limit: not a number of seconds above 0 (0.0)"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["match", *arguments]) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_a_wrong_line_of_a_file_is_named(files: tuple[str, str]) -> None:
    Path(files[1]).write_text("payment_id,debtor,creditor,amount\nP1,A,B,1\nP2,A,C,1\n")
    with pytest.raises(InputError) as caught:
        run("--accounts", files[0], "--payments", files[1])
    assert caught.value.sentence().startswith(f"{files[1]}:3: creditor: unknown account (C); allowed: ")
    Path(files[0]).write_text("account,balance,overdraft_limit\nA,-5.01,5\nB,0,\n")
    with pytest.raises(InputError) as caught:
        run("--accounts", files[0], "--payments", files[1])
    assert caught.value.sentence().startswith(f"{files[0]}:2: balance: below zero by more than the overdraft limit")
