"""Sensitivity: parameters are found by their descriptions, each is varied alone, and what it tells is what runs do."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.sensitivity import usual_scale
from cnaps_sim.analysis.simulate import read
from cnaps_sim.cli.main import execute
from cnaps_sim.scenario.assumptions import assumptions
from cnaps_sim.words.units import parse_duration

DAY: dict[str, Any] = {
    "name": "small",
    "date": "2025-06-17",
    "accounts": {"generate": "national", "count": 40},
    "workload": [{"system": "HVPS", "generator": "national", "count": 300, "value": "6_000_000_000"}],
    "liquidity": {"share_of_outflow": ["0.3", "0.4"]},
}
ONLY = ["liquidity.share_of_outflow", "workload.0.ties", "hvps.penalty_rate"]


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return cs.sensitivity(DAY, only=ONLY)


def test_the_parameters_are_those_described_as_without_source() -> None:
    scenario = read(DAY).scenario
    told = {each.key: each for each in assumptions(scenario, Decimal("1.5"))}
    assert {*ONLY, "accounts.count", "workload.0.bank_median", "nets.rounds.working"} < set(told)
    assert not {"workload.0.count", "workload.0.value", "beps.realtime_limit", "scale"} & set(told)
    share, ties = told["liquidity.share_of_outflow"], told["workload.0.ties"]
    assert (share.low, share.high) == (["0.2", "0.266667"], ["0.45", "0.6"])
    assert (ties.low, ties.high) == (2, 5)
    assert (told["workload.0.reciprocity"].low, told["workload.0.reciprocity"].high) == ("0.6", "1")
    assert told["workload.0.bank_median"].high == "60000000.00"
    assert told["nets.rounds.working"].why_not == "no payments of BEPS or IBPS"


def test_rounds_switches_and_words_of_two_have_another_value_where_retail_is_played() -> None:
    scenario = read("cap-squeeze").scenario
    told = {each.key: each for each in assumptions(scenario, Decimal(2))}
    assert told["nets.rounds.working"].low == ["10:00:00", "12:00:00", "14:00:00", "16:00:00"]
    assert len(told["nets.rounds.working"].high) == 15
    assert (told["nets.release"].low, told["nets.release"].high) == ("opening", None)
    assert told["nets.matching.on_round"].low is False
    median = told["beps.realtime_median"]
    assert parse_duration(median.high) == 2 * parse_duration(median.value) == 4 * parse_duration(median.low)


def test_what_it_tells_is_what_runs_come_to(found: pd.DataFrame) -> None:
    base = cs.simulate(DAY)
    hvps = base.summary["systems"]["HVPS"]
    told = found.attrs["base"]
    assert told["settled_share"] == hvps["settled"]["value_fen"] / hvps["submitted"]["value_fen"]
    assert (told["returned_fen"], told["mean_delay_ms"]) == (hvps["returned"]["value_fen"], hvps["mean_delay_ms"])
    assert told["delay_rho"] == pytest.approx(hvps["delay_rho"], rel=1e-12)
    row = found.query("measure == 'returned_fen' and parameter == 'workload.0.ties'").iloc[0]
    richer = cs.simulate(DAY, set={"workload.0.ties": 5})
    assert row["at_high"] == richer.summary["systems"]["HVPS"]["returned"]["value_fen"]
    assert row["effect"] == max(abs(row[side] - told["returned_fen"]) for side in ("at_low", "at_high"))


def test_each_figure_has_its_largest_effect_first_whatever_the_threads(found: pd.DataFrame) -> None:
    for _, rows in found.groupby("measure"):
        assert rows["effect"].is_monotonic_decreasing
        assert rows["rank"].tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(found, cs.sensitivity(DAY, only=ONLY, workers=1))


def test_a_large_day_is_made_smaller_and_a_small_one_is_not() -> None:
    scales = [usual_scale(read(name).scenario) for name in ("hvps-day-2025", "national-day-2025", "gridlock-ring")]
    assert scales == [Decimal("0.5"), Decimal("0.01"), Decimal(1)]


def test_the_command_writes_table_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, table, picture = tmp_path / "day.json", tmp_path / "all.csv", tmp_path / "all.png"
    file.write_text(json.dumps(DAY))
    words = ["sensitivity", str(file), "--only", "liquidity", "--quiet"]
    assert execute([*words, "--out", str(table), "--picture", str(picture)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("small, 2025-06-17, seed 1, scale 1: parameters without a public source (1)")
    assert shown[-2:] == [str(table), str(picture)]
    assert [line for line in shown if "no parameter changes" in line or "other seeds of the same" in line] == shown[
        -5:-2:2
    ]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(table)["parameter"]) == {"liquidity.share_of_outflow"}
    assert execute([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["effects"][0]["rank"] == 1


def test_a_wrong_factor_is_told_in_the_words_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["sensitivity", "quickstart", "--factor", "1"]) == 2
    told = "--factor: is no such number (1); allowed: a number above 1 and up to 1000\n"
    assert capsys.readouterr().err == told


def test_a_wrong_key_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["sensitivity", "hvps-day-2025", "--only", "hvps.penalty"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "--only: hvps.penalty: no parameter of this scenario without a public source; allowed: hvps"
    )
