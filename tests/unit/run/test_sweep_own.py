"""Own measures in studies, and who plays the runs where nobody says how many workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.run.sweep import play as sweep_play
from cnaps_sim.run.sweep import workers as sweep_workers
from cnaps_sim.run.sweep.folder import RUNS, STUDY
from cnaps_sim.run.sweep.measures import BUILT_IN

VARY: dict[str, Any] = {"liquidity.alpha": [0, 0.5]}
OPTIONS = ["sweep", "quickstart", "--vary", "liquidity.alpha=0,0.5", "--replications", "2", "--quiet"]
TEXT = """
import pandas as pd

def dearest_wait(run, *, by=None, where=None):
    settled = run.payments.dropna(subset=["settled_ms"])
    cost = (settled.settled_ms - settled.submitted_ms) * settled.amount_fen
    return pd.DataFrame([{"measure": "dearest_wait", "value": int(cost.max()), "unit": "fen·ms"}])

def settled_share(run):
    return float((run.payments.status == "PR04").mean())

def fails(run):
    return {}["nothing"]

def rho(run):
    return 1
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_measures.py").write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "my_measures", raising=False)
    return tmp_path


def test_own_measures_stand_beside_the_built_in_ones_of_the_same_runs() -> None:
    def longest(run: cs.Run) -> int:
        return int((run.payments.ended_ms - run.payments.submitted_ms).max())

    def ends(run: cs.Run) -> pd.DataFrame:
        return pd.DataFrame({"measure": ["none", "ratio"], "value": [float("nan"), 0.5], "unit": ["ms", "ratio"]})

    plain = cs.sweep("quickstart", vary=VARY, replications=2, workers=1).runs
    study = cs.sweep("quickstart", vary=VARY, replications=2, measures=[longest, ends])  # played here, left to itself
    own = study.runs[~study.runs["measure"].isin(BUILT_IN)]
    assert study.runs[study.runs["measure"].isin(BUILT_IN)].reset_index(drop=True).equals(plain)
    assert own["system"].isna().all()
    again = cs.simulate("quickstart", set={"liquidity.alpha": 0.5}, replication=1)
    assert own[own["run"] == 3][["measure", "value", "unit"]].values.tolist() == [
        ["longest", longest(again), ""],
        ["none", None, "ms"],
        ["ratio", 0.5, "ratio"],
    ]
    assert set(study.summary(where={"measure": "ratio"})["value"]) == {0.5}


@pytest.mark.parametrize("scenario", ["message-trail", "cap-squeeze"])
def test_a_run_simulated_in_full_measures_the_same(scenario: str) -> None:
    options: dict[str, Any] = {"vary": {"seed": [1]}, "workers": 1}
    options["set"] = "scale=0.0005" if scenario == "cap-squeeze" else ()
    plain = cs.sweep(scenario, **options).runs
    study = cs.sweep(scenario, measures=lambda run: len(run.events), **options).runs
    assert study[: len(plain)].equals(plain)
    assert set(plain["measure"]) <= BUILT_IN


def test_processes_import_own_measures_and_a_study_keeps_their_names(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["--measure", "my_measures:dearest_wait", "--measure", "my_measures:settled_share"]
    assert execute([*OPTIONS, *own, "--workers", "2", "--out", "two"]) == 0
    assert "settled_share" in capsys.readouterr().out
    from my_measures import dearest_wait, settled_share  # type: ignore[import-not-found]

    measures: list[Any] = [dearest_wait, "my_measures:settled_share"]
    cs.sweep("quickstart", vary=VARY, replications=2, measures=measures, workers=1, out="one")
    assert (here / "one" / RUNS).read_bytes() == (here / "two" / RUNS).read_bytes()
    assert (here / "one" / STUDY).read_bytes() == (here / "two" / STUDY).read_bytes()
    assert cs.load_study("two").plan.measures == ("my_measures:dearest_wait", "my_measures:settled_share")
    with pytest.raises(cs.InputError, match=r"^measures: are not those of the study to resume \(my_measures:rho\)"):
        cs.sweep(resume="two", measures="my_measures:rho")
    assert settled_share.__name__ in set(cs.sweep(resume="two").runs["measure"])


def test_a_study_is_gone_on_with_by_the_measures_whose_names_it_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = sweep_play.Player.play
    monkeypatch.setattr(sweep_play.Player, "play", lambda player, run: play(player, run) if run < 1 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cs.sweep("quickstart", vary=VARY, measures="my_measures:settled_share", workers=1, out="study")
    monkeypatch.setattr(sweep_play.Player, "play", play)
    study = cs.sweep(resume="study", workers=1)
    assert study.runs["measure"].tolist().count("settled_share") == 2
    assert "measures" not in json.loads((_plain(here) / STUDY).read_text())


def _plain(folder: Path) -> Path:
    """A study without own measures."""
    cs.sweep("quickstart", vary=VARY, workers=1, out=folder / "plain")
    return folder / "plain"


def _frame(**columns: list[Any]) -> Callable[[cs.Run], pd.DataFrame]:
    def measure(_run: cs.Run) -> pd.DataFrame:
        return pd.DataFrame(columns)

    return measure


RUN = r"in run 0 \(liquidity.alpha=0, replication 0\)"
WRONG: list[tuple[Any, str]] = [
    ("my_measures:fails", rf"my_measures:fails: failed {RUN} at my_measures.py:13: KeyError: 'nothing'"),
    ("my_measures:rho", r"my_measures:rho: answers with a name that every study has for something else \(rho\)"),
    ("my_measures:shares", r"my_measures:shares: the module my_measures has no shares; allowed: "),
    ("no_measures:shares", r"no_measures:shares: the module no_measures cannot be imported, ModuleNotFoundError"),
    ("settled_share", r"is no import path \(settled_share\); allowed: module:function"),
    (["my_measures:rho"] * 2, r"my_measures:rho: given twice"),
    (5, r"is no measure \(5\)"),
    (lambda run: "much", rf".*answers with what is no number {RUN} \(str\)"),
    (lambda run: None, rf".*answers with what is no number {RUN} \(NoneType\)"),
    (lambda run: 2**63, rf".*answers with a number too large for int64 {RUN}"),
    (lambda run: float("inf"), rf".*answers with infinity {RUN}"),
    (_frame(measure=["a"], value=[1]), rf".*answers with a frame that lacks unit {RUN} \(measure, value\)"),
    (_frame(measure=["a", "a"], value=[1, 2], unit=["", ""]), rf".*answers with a measure that is there already {RUN}"),
]  # fmt: skip


@pytest.mark.parametrize(("measures", "error"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_wrong_measure_is_one_line_that_names_it(measures: Any, error: str, here: Path) -> None:
    with pytest.raises(cs.InputError, match=f"^measures: {error}"):
        cs.sweep("quickstart", vary=VARY, measures=measures, workers=1)


def test_workers_are_refused_for_a_measure_that_they_cannot_import() -> None:
    with pytest.raises(cs.InputError, match=r"^measures: .*<lambda>: stands in a script or notebook.*workers=1$"):
        cs.sweep("quickstart", vary=VARY, measures=lambda run: 1, workers=2)


def test_where_workers_are_left_out_a_short_study_starts_no_process_and_a_long_one_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    start = sweep_workers._Processes.start
    monkeypatch.setattr(
        sweep_workers._Processes, "start", lambda self, runs, n: started.append(len(runs)) or start(self, runs, n)  # type: ignore[func-returns-value]
    )  # fmt: skip
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    cs.sweep("quickstart", vary=VARY, replications=3, workers=1, out=tmp_path / "alone")
    cs.sweep("quickstart", vary=VARY, replications=3, out=tmp_path / "short")
    assert started == []
    monkeypatch.setattr(sweep_workers, "WORTH_S", 0.0)  # any run is long
    cs.sweep("quickstart", vary=VARY, replications=3, out=tmp_path / "long")
    assert started == [5]
    bytes_of = [(tmp_path / name / RUNS).read_bytes() for name in ("alone", "short", "long")]
    assert bytes_of[0] == bytes_of[1] == bytes_of[2]
