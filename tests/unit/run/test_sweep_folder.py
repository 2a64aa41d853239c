"""The folder of a study: it holds what is finished and nothing else, for one program at a time."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.run.sweep import play as sweep_play
from cnaps_sim.run.sweep import workers as sweep_workers
from cnaps_sim.run.sweep.folder import FINISHED, RUNS, STUDY, Keeper, read_plan, runs_table
from cnaps_sim.run.sweep.measures import Measured
from cnaps_sim.words.errors import InputError

VARY: dict[str, Any] = {"liquidity.alpha": [0, 0.5, 1]}
PLAYED = sweep_play.Player.play


def interrupted(place: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """A study of three runs that stops when some are finished."""
    left = [after]

    def play(player: sweep_play.Player, run: int) -> sweep_play.Played:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return PLAYED(player, run)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sweep_play.Player, "play", play)
        cs.sweep("quickstart", vary=VARY, workers=1, out=place)


def test_a_study_of_which_no_run_was_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(tmp_path / "runs" / "study", monkeypatch, after=0)
    (tmp_path / "b.yaml").write_text("accounts: {file: a.csv}\nworkload: [{system: HVPS, file: p.csv}]\n")
    (tmp_path / "a.csv").write_text("account,balance\nA,x\n")
    (tmp_path / "p.csv").write_text("payment_id,time,debtor,creditor,amount\n")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    assert execute(["sweep", "b.yaml", "--vary", "liquidity.alpha=0,1", "--workers", "1", "--quiet"]) == 2
    assert "a.csv:2: balance: " in capsys.readouterr().err
    monkeypatch.setattr(sweep_workers, "PATIENCE_S", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert execute(["sweep", "quickstart", "--vary", "seed=1,2", "--scheduler", address, "--quiet"]) == 2
    told = capsys.readouterr().err
    assert (
        told
        == f"--scheduler: cannot be reached (no answer in 1 s) ({address}); allowed: such as tcp://127.0.0.1:8786\n"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_holds_a_study_is_refused_with_what_serves_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "study"
    interrupted(place, monkeypatch, after=1)
    with pytest.raises(
        InputError, match=rf"out: holds an unfinished study \({place}\); allowed: --resume {place}, or a new"
    ):
        cs.sweep("quickstart", vary=VARY, workers=1, out=place)
    cs.sweep(resume=place, workers=1)
    with pytest.raises(InputError, match=r"out: holds a study \(.*\); allowed: a new or empty folder$"):
        cs.sweep("quickstart", vary=VARY, workers=1, out=place)
    with pytest.raises(InputError, match=r"out: exists and is not empty \(.*\); allowed: a new or empty folder$"):
        cs.sweep("quickstart", vary=VARY, workers=1, out=tmp_path)


def test_a_second_program_does_not_go_on_with_a_study_that_one_is_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "study"
    interrupted(place, monkeypatch, after=1)
    first = Keeper(read_plan(place, "resume")[0], place)
    first.go_on()
    with pytest.raises(InputError, match="resume: is being played by another sweep"):
        cs.sweep(resume=place, workers=1)
    first.close()
    assert cs.sweep(resume=place, workers=1).runs["run"].nunique() == 3
    assert sorted(path.name for path in place.iterdir()) == [RUNS, STUDY]


def test_a_line_that_was_cut_or_changed_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "study"
    interrupted(place, monkeypatch, after=2)
    lines = (place / FINISHED).read_text().splitlines()
    run, told, digest = json.loads(lines[0])
    other = [
        [2, told, digest],
        [2, [], digest],
        [2, told],
        [0, [[*told[0][:3], 0.25], *told[1:]], digest],
        [True, told, digest],
    ]
    (place / FINISHED).write_text("\n".join([lines[1], *map(json.dumps, other), lines[0][:-30], "3", "null"]) + "\n")
    keeper = Keeper(read_plan(place, "resume")[0], place)
    keeper.go_on()
    keeper.close()
    assert sorted(keeper.played) == [json.loads(lines[1])[0]]
    assert run in keeper.missing


def test_options_beside_a_study_to_resume_are_no_silent_wish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "study"
    interrupted(place, monkeypatch, after=1)
    with pytest.raises(InputError, match="replications: stands beside a study to resume, which has its own"):
        cs.sweep(resume=place, replications=9)
    with pytest.raises(InputError, match="resume: is a study of other runs"):
        cs.sweep("quickstart", resume=place)
    with pytest.raises(InputError, match="resume: is no study folder"):
        cs.sweep("quickstart", resume=tmp_path / "nowhere")


def test_a_table_without_all_runs_is_no_study(tmp_path: Path) -> None:
    place = tmp_path / "study"
    cs.sweep("quickstart", vary=VARY, workers=1, out=place)
    table = pq.read_table(place / RUNS)
    pq.write_table(table.slice(0, table.num_rows // 2), place / RUNS)
    with pytest.raises(InputError, match="has not the runs of its study"):
        cs.load_study(place)


def test_a_study_reaches_r_and_excel(tmp_path: Path) -> None:
    place = tmp_path / "study"
    study = cs.sweep("quickstart", vary=VARY, replications=2, workers=1, out=place)
    for table, frame in (("runs", study.runs), ("summary", study.summary())):
        assert execute(["export", str(place), table, "--to", str(tmp_path / f"{table}.csv")]) == 0
        found = pd.read_csv(tmp_path / f"{table}.csv")
        assert found["value"].tolist() == pytest.approx(frame["value"].astype(float).tolist(), nan_ok=True)
        assert found["measure"].tolist() == frame["measure"].tolist()
        cs.export(study, table, tmp_path / "x.xlsx")
        assert openpyxl.load_workbook(tmp_path / "x.xlsx")[table].max_row == len(frame) + 1
    with pytest.raises(InputError, match="table: is no table of a study"):
        cs.export(place, "payments", tmp_path / "x.csv")


def test_a_whole_number_stays_exact_beside_its_value_as_float() -> None:
    study = cs.sweep("quickstart", vary={"seed": [1]}, workers=1)
    large = 2**53 + 1
    table = runs_table(
        study.plan,
        {0: [Measured(None, "a", "fen", large), Measured(None, "b", "ratio", 0.5), Measured(None, "c", "ms", None)]},
    )
    assert table.schema.field("value").type == pa.float64()
    assert table["whole"].to_pylist() == [large, None, None]
    assert table["value"].to_pylist() == [2.0**53, 0.5, None]
