"""Two studies, or two cells of one, compared run by run: pairs, intervals, and why studies do not pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.compare.studies_page import study_page
from cnaps_sim.cli.main import execute
from cnaps_sim.words.errors import InputError

BOTH = ["fifo", "bypass"]
FIFO, BYPASS = {"hvps.discipline": "fifo"}, {"hvps.discipline": "bypass"}


#: A small day with other payments in every replication.
SMALL = {"workload.0.count": "300", "accounts.count": "20"}


def played(
    discipline: list[str], replications: int = 4, alpha: Any = (0, 0.5), set: Any = None, **more: Any
) -> cs.Study:
    vary = {"liquidity.alpha": list(alpha)} | ({"hvps.discipline": discipline} if discipline else {})
    changes = {**SMALL, **(set or {})}
    return cs.sweep("liquidity-frontier", vary=vary, replications=replications, workers=1, set=changes, **more)


@pytest.fixture(scope="module")
def study() -> cs.Study:
    """Two levels of liquidity, two disciplines, four replications."""
    return played(BOTH)


def rho(study: cs.Study, **keys: Any) -> Any:
    """The delay indicator of the runs of a point, by replication."""
    rows = study.runs[(study.runs["measure"] == "rho") & study.runs["system"].isna()]
    for key, value in keys.items():
        rows = rows[rows[f"{'liquidity' if key == 'alpha' else 'hvps'}.{key}"] == value]
    return rows.sort_values("replication")["value"].to_numpy(float)


def row(found: Any, measure: str = "rho", **keys: Any) -> Any:
    frame = found[(found["measure"] == measure) & found["system"].isna()]
    for key, value in keys.items():
        frame = frame[frame[key] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_difference_is_the_mean_over_pairs_of_replications_with_the_interval_of_student(study: cs.Study) -> None:
    from scipy.stats import ttest_rel

    told = row(cs.compare(study, study, where_a=FIFO, where_b=BYPASS).measures, **{"liquidity.alpha": "0"})
    runs = [rho(study, alpha=0, discipline=name) for name in BOTH]
    assert (told["a"], told["b"]) == pytest.approx((runs[0].mean(), runs[1].mean()))
    interval = ttest_rel(runs[1], runs[0]).confidence_interval(0.95)
    assert (told["low"], told["high"], told["pairs"]) == pytest.approx((interval.low, interval.high, 4))
    assert told["difference"] == pytest.approx((runs[1] - runs[0]).mean())


def test_two_studies_and_two_cells_of_one_say_the_same(study: cs.Study) -> None:
    cells = cs.compare(study, study, where_a=FIFO, where_b=BYPASS)
    apart = cs.compare(played(["fifo"]), played(["bypass"]))
    assert apart.measures.equals(cells.measures)
    assert (apart.keys, apart.differs) == (["liquidity.alpha"], [("hvps.discipline", "fifo", "bypass")])
    whole = study.differences(FIFO)
    assert whole["difference"].tolist() == cells.measures["difference"].tolist()


def test_replications_and_points_without_a_partner_are_counted_and_left_out(study: cs.Study) -> None:
    fewer = played(BOTH, replications=2, alpha=(0.5, 1))
    found = cs.compare(study, fewer)
    assert found.counts == {
        "points": 2, "points_only_a": 2, "points_only_b": 2, "replications": 2, "replications_only_a": 2,
        "replications_only_b": 0, "pairs": 4,
    }  # fmt: skip
    assert set(found.measures["pairs"]) == {2}
    assert not found.measures["difference"].any()


def test_one_pair_has_a_difference_and_no_interval(study: cs.Study) -> None:
    found = cs.compare(study, played(BOTH, replications=1), where_a=FIFO, where_b=BYPASS)
    assert found.measures["low"].isna().all()
    told = found.as_dict()["measures"][0]
    assert (told["low"], told["pairs"], type(told["difference"])) == (None, 1, float)


def test_runs_that_were_told_to_pay_otherwise_are_paired_and_told(study: cs.Study) -> None:
    assert cs.compare(study, study).same_payments
    more = played(BOTH, set={"scale": "2"})
    found = cs.compare(study, more)
    assert not found.same_payments
    assert ("scale", "1", "2") in found.differs
    assert "were not told to pay the same" in study_page(found)


@pytest.mark.parametrize(
    ("other", "where_b", "problem"),
    [
        ({"seed": 5}, None, "the two studies do not pair"),
        ({"set": {"date": "2025-06-18"}}, None, "the two studies do not pair"),
        ({"alpha": (0.2, 0.3)}, None, "the two studies have no point in common"),
        ({}, {"hvps.disciplin": "fifo"}, "does not vary in the study"),
        ({}, {"hvps.discipline": "reject"}, "has no such value"),
    ],
)
def test_studies_that_do_not_pair_say_why(study: cs.Study, other: Any, where_b: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        cs.compare(study, played(BOTH, replications=1, **other), where_b=where_b)


def test_a_key_that_varies_in_one_study_alone_must_be_chosen(study: cs.Study) -> None:
    other = played([])
    with pytest.raises(InputError, match="varies in STUDY_A alone") as caught:
        cs.compare(study, other)
    assert caught.value.key == "hvps.discipline"
    found = cs.compare(study, other, where_a=FIFO)
    assert (found.counts["points"], found.differs) == (2, [])
    with pytest.raises(InputError, match="is a study beside a run"):
        cs.compare(study, cs.simulate("quickstart"))


def test_the_command_prints_intervals_json_and_the_place_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    played(BOTH, out="s")
    cells = ["--where-a", "hvps.discipline=fifo", "--where-b", "hvps.discipline=bypass"]
    assert execute(["compare", "s", "s", *cells, "--out", "."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "A s (hvps.discipline=fifo)", "B s (hvps.discipline=bypass)",
        "paired by liquidity.alpha and replication: 2 points x 4 pairs", "hvps.discipline: fifo -> bypass",
    ]  # fmt: skip
    assert lines[-1] == "compare.html"
    page = Path("compare.html").read_text()
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://www.w3.org", "")
    assert execute(["compare", "s", "s", *cells, "--where-a", "liquidity.alpha=0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["counts"]["points"], told["confidence"]) == (1, 0.95)
    assert execute(["compare", "s", "s"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "every measure is the same in both"
    cs.simulate("quickstart", out="run")
    assert execute(["compare", "run", "run", "--where-b", "seed=1"]) == 2
    assert capsys.readouterr().err.startswith("--where-b: chooses points of a study, and these are runs")


def test_the_lines_of_a_frontier_are_measured_against_the_first_one(study: cs.Study, tmp_path: Path) -> None:
    axes = cs.plots.frontier_differences(study)
    line = next(line for line in axes.get_lines() if line.get_label() == "bypass")
    means = [
        (rho(study, alpha=at, discipline="bypass") - rho(study, alpha=at, discipline="fifo")).mean() for at in (0, 0.5)
    ]
    assert np.asarray(line.get_ydata()) == pytest.approx(means)
    assert "less that of fifo" in axes.get_title(loc="left")
    with pytest.raises(InputError, match="has no such value"):
        study.differences({"hvps.discipline": "reject"})


def test_a_sweep_tells_how_far_the_lines_of_its_frontier_lie_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = [
        *(f"--set={key}={value}" for key, value in SMALL.items()),
        "--vary",
        "liquidity.alpha=0,1",
        "--vary",
        "hvps.discipline=fifo,bypass",
        "--workers",
        "1",
    ]
    assert execute(["sweep", "liquidity-frontier", *options, "--replications", "3", "--out", "s", "--quiet"]) == 0
    assert "delay ρ less that of the first line" in capsys.readouterr().out
    assert Path("s/frontier-differences.pdf").is_file()
    assert execute(["sweep", "--resume", "s", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["differences"]
    assert (told["against"], {each["pairs"] for each in told["rows"]}) == ({"hvps.discipline": "fifo"}, {3})
