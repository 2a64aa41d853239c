"""Sweeps: the same study whoever plays its runs, and none of them twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.cli.sweep import read_varied
from cnaps_sim.run.sweep import play as sweep_play
from cnaps_sim.run.sweep.folder import FINISHED, RUNS, STUDY

VARY = {"hvps.discipline": ["fifo", "bypass"], "liquidity.alpha": [0, 0.5, 1]}
OPTIONS = ["sweep", "quickstart", "--vary", "hvps.discipline=fifo,bypass", "--vary", "liquidity.alpha=0,0.5,1",
           "--replications", "2", "--quiet"]  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of twelve runs, played in this process."""
    place = tmp_path_factory.mktemp("sweep") / "alone"
    cs.sweep("quickstart", vary=VARY, replications=2, workers=1, out=place)
    return place


def test_processes_of_this_machine_give_the_same_bytes_to_a_script_without_a_guard(alone: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import cnaps_sim as cs\n"
        "print('once')\n"
        f"cs.sweep('quickstart', vary={VARY!r}, replications=2, workers=2, out={str(tmp_path / 'two')!r})\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, env=_environment())
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
    assert (tmp_path / "two" / RUNS).read_bytes() == (alone / RUNS).read_bytes()


def test_a_dask_cluster_gives_the_same_bytes_with_a_researchers_own_measure_too(
    alone: Path, tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*OPTIONS, "--scheduler", cluster, "--out", str(tmp_path / "dask")]) == 0
    assert (tmp_path / "dask" / RUNS).read_bytes() == (alone / RUNS).read_bytes()
    (tmp_path / "of_waits.py").write_text(
        "def waited(run):\n    return int((run.payments.settled_ms > run.payments.submitted_ms).sum())\n"
        "def fails(run):\n    return run.payments['no such column']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = [*OPTIONS, "--measure", "of_waits:waited"]
    assert execute([*own, "--workers", "1", "--out", str(tmp_path / "own-alone")]) == 0
    assert execute([*own, "--scheduler", cluster, "--out", str(tmp_path / "own-dask")]) == 0
    assert (tmp_path / "own-dask" / RUNS).read_bytes() == (tmp_path / "own-alone" / RUNS).read_bytes()
    capsys.readouterr()
    failing = [*OPTIONS, "--measure", "of_waits:fails", "--scheduler", cluster, "--out", str(tmp_path / "none")]
    assert execute(failing) == 2
    error = capsys.readouterr().err
    assert error.startswith("--measure: of_waits:fails: failed in run ")
    assert "KeyError" in error
    assert error.count("\n") == 1


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """A Dask scheduler and two workers on this machine."""
    told = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    paths = os.pathsep.join((str(tmp_path), _environment()["PYTHONPATH"]))
    common: dict[str, Any] = {
        "env": {**os.environ, "PYTHONPATH": paths},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    started = [subprocess.Popen([*dask, "scheduler", *options], **common)]
    try:
        _wait_for(told)
        address = json.loads(told.read_text())["address"]
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
        started += [subprocess.Popen([*dask, "worker", address, *options], **common) for _ in range(2)]
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.is_file() and path.stat().st_size:
            return
        time.sleep(0.1)
    raise AssertionError("the scheduler did not start")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(part or os.getcwd() for part in sys.path)}


def test_an_interrupted_study_goes_on_and_repeats_no_run(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "study"
    play = sweep_play.Player.play
    played: list[int] = []

    def interrupted(player: sweep_play.Player, run: int) -> sweep_play.Played:
        if len(played) == 5:
            raise KeyboardInterrupt
        played.append(run)
        return play(player, run)

    monkeypatch.setattr(sweep_play.Player, "play", interrupted)
    assert execute([*OPTIONS, "--workers", "1", "--out", str(place)]) == 130
    assert f"5 of 12 runs are kept); allowed: cnaps-sim sweep --resume {place}" in capsys.readouterr().err
    with (place / FINISHED).open("a") as file:
        file.write('[11, [["HV')  # the machine stopped in the middle of a line
    first, again = list(played), played
    again.clear()
    monkeypatch.setattr(sweep_play.Player, "play", lambda player, run: again.append(run) or play(player, run))  # type: ignore[func-returns-value]
    assert execute(["sweep", "--resume", str(place), "--workers", "1", "--quiet"]) == 0
    assert sorted(first + again) == list(range(12))
    assert sorted(path.name for path in place.iterdir() if "frontier" not in path.name) == [RUNS, STUDY]
    assert (place / RUNS).read_bytes() == (alone / RUNS).read_bytes()
    assert execute(["sweep", "--resume", str(place), "--quiet"]) == 0  # a complete study is told again
    assert len(first + again) == 12


def test_an_interrupt_while_figures_are_drawn_says_that_the_study_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "study"

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("cnaps_sim.analysis.plots_frontier.write_frontier", interrupted)
        assert execute([*OPTIONS, "--workers", "1", "--out", str(place)]) == 130
    told = "interrupted (the study is complete, its figures are not)"
    assert capsys.readouterr().err == f"cnaps-sim: {told}; allowed: cnaps-sim sweep --resume {place}\n"
    assert execute(["sweep", "--resume", str(place), "--quiet"]) == 0
    assert (place / "frontier.pdf").is_file()


def test_a_run_of_a_study_is_the_run_that_simulate_makes(alone: Path) -> None:
    study = cs.load_study(alone)
    settings = {"hvps.discipline": "bypass", "liquidity.alpha": 0.5}
    run = cs.simulate("quickstart", set=settings, replication=1)
    found = study.runs
    for key, value in {**settings, "replication": 1, "system": "HVPS", "measure": "settled_fen"}.items():
        found = found[found[key] == value]
    assert found["value"].tolist() == [run.summary["systems"]["HVPS"]["settled"]["value_fen"]]


def test_a_level_of_liquidity_moves_no_payment() -> None:
    """All points of a replication meet the same chance; another replication meets another."""
    small = {"workload.0.count": 500, "workload.0.value": "1_000_000_000", "accounts.count": 20}
    study = cs.sweep("hvps-day-2025", set=small, vary={"liquidity.alpha": [0.1, 0.9]}, replications=2, workers=1)
    bounds = study.runs[study.runs["measure"] == "upper_bound"]
    assert bounds.groupby("replication")["value"].nunique().tolist() == [1, 1]
    assert bounds["value"].nunique() == 2
    assert study.runs[study.runs["measure"] == "opening"]["value"].nunique() == 4


@pytest.mark.parametrize("design", ["latin-hypercube", "sobol"])
def test_a_design_fills_its_ranges_and_the_seed_places_it(design: str) -> None:
    vary = {
        "liquidity.alpha": {"from": 0, "to": 1},
        "seed": {"from": 1, "to": 4},
        "hvps.discipline": ["fifo", "bypass"],
    }
    first, again = (
        cs.sweep("quickstart", vary=vary, design=design, points=8, workers=1, replications=1) for _ in range(2)
    )
    assert first.plan.points == again.plan.points
    points = first.points
    assert sorted((points["liquidity.alpha"] * 8).astype(int)) == list(range(8))
    assert sorted(points["seed"]) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert sorted(points["hvps.discipline"]) == ["bypass"] * 4 + ["fifo"] * 4


def test_values_are_split_at_commas_outside_brackets_and_quotes() -> None:
    given = ("liquidity.share_of_outflow=[0.1, 0.2],[0.5, 0.7]", "accounts.0.name='a, b',c", "seed=1..9")
    assert read_varied(given) == {
        "liquidity.share_of_outflow": [["0.1", "0.2"], ["0.5", "0.7"]],
        "accounts.0.name": ["a, b", "c"],
        "seed": {"from": "1", "to": "9"},
    }


WRONG = [
    (["--vary", "hvps.disciplin=fifo"], "--vary: hvps.disciplin: unknown key; allowed: discipline, "),
    (["--vary", "hvps.discipline=fifo,lifo"], "--vary: hvps.discipline: no such discipline (lifo); allowed: "),
    (["--vary", "seed="], "--vary: seed: an empty list (seed=); allowed: KEY=v1,v2,…"),
    (["--vary", "seed=1,,2"], "--vary: seed: an empty value (seed=1,,2); allowed: KEY=v1,v2,…"),
    (["--vary", "seed"], "--vary: seed: says no values (seed); allowed: KEY=v1,v2,…"),
    (["--vary", "seed=1,1"], "--vary: seed.1: given twice (1); allowed: each value once"),
    (["--vary", "seed=1..2"], "--vary: seed: is a range, of which there are no combinations (full); allowed: "),
    ([], "--vary: nothing varies; allowed: liquidity.alpha=0,0.5,1, or a scenario with the key vary"),
    (["--vary", "seed=1,2", "--workers", "0"], "--workers: is no number of workers (0); allowed: from 1 to 1024"),
    (["--vary", "seed=1,2", "--replications", "0"], "--replications: is no number of replications (0); allowed: from"),
    (["--vary", "seed=1..9", "--design", "sobol", "--points", "9"], "--points: is no power of 2 (9); allowed: 32, 64"),
    (["--vary", "seed=1..9", "--design", "grid"], "--design: no such design (grid); allowed: full, latin-hypercube"),
    (["--resume", "nowhere"], "--resume: is no study folder (nowhere); allowed: a folder with a study.json"),
]


@pytest.mark.parametrize(("options", "error"), WRONG, ids=[" ".join(case[0]) or "nothing" for case in WRONG])
def test_a_mistake_is_one_line(options: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    scenario = [] if "--resume" in options else ["quickstart"]
    assert execute(["sweep", *scenario, *options, "--quiet"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(error)
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_metrics_say_of_a_study_the_mean_over_replications(alone: Path) -> None:
    study = cs.load_study(alone)
    seldom = {"hvps.discipline": "fifo", "liquidity.alpha": 0.0}
    runs = [cs.simulate("quickstart", set=seldom, replication=number) for number in (0, 1)]
    for metric, measure in ((cs.metrics.delay, "rho"), (cs.metrics.liquidity, "peak_used"),
                            (cs.metrics.outcomes, "settled_count")):  # fmt: skip
        each = [metric(run).set_index("measure")["value"][measure] for run in runs]
        found = metric(study, where=seldom).set_index("measure").loc[measure]
        assert found["value"] == pytest.approx(sum(each) / 2)
        assert found["low"] <= found["value"] <= found["high"]
    assert set(cs.metrics.headline(study, by="hvps.discipline")["hvps.discipline"]) == {"fifo", "bypass"}


def test_a_study_that_varies_liquidity_is_drawn(alone: Path) -> None:
    axes = cs.plots.frontier(cs.load_study(alone))
    assert [line.get_label() for line in axes.get_lines()] == ["fifo", "bypass"]
    assert axes.get_lines()[0].get_xdata().tolist() == [0.0, 0.5, 1.0]
