"""Studies for people: what is the same is not called certain, and no band reaches where no value can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.study.study import ALL_THE_SAME
from cnaps_sim.cli.sweep import as_dict, study_lines

SMALL = {"workload.0.count": "300", "accounts.count": "20"}


def played(**vary: list[str]) -> cs.Study:
    """A small study with two replications, whose intervals are as wide as can be."""
    keys: dict[str, Any] = {"liquidity.alpha": [0, 0.5], **{f"hvps.{key}": value for key, value in vary.items()}}
    return cs.sweep("liquidity-frontier", vary=keys, replications=2, workers=1, set=SMALL)


def test_bands_end_where_no_value_can_be_and_do_not_flatten_the_lines() -> None:
    study = played()
    means = study.summary(where={"measure": "rho"}).query("system.isna()", engine="python")
    assert means["high"].max() > 1 or means["low"].min() < 0  # or there is nothing to cut
    axes = cs.plots.frontier(study)
    band = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert 0 <= np.nanmin(band[:, 1]) <= np.nanmax(band[:, 1]) <= 1
    low, high = axes.get_ylim()
    assert low == 0
    assert high <= 2.1 * means["value"].max()


def test_many_lines_have_thin_bars_aside_and_delays_are_told_in_minutes() -> None:
    study = played(discipline=["fifo", "bypass"], overdraft_rate=["0", "0.1"])
    axes = cs.plots.frontier(study, measure="mean_delay")
    assert axes.get_ylabel().startswith("mean delay")
    assert axes.get_ylabel().endswith(", min")
    assert {type(each).__name__ for each in axes.collections} == {"LineCollection"}
    mean = study.summary(where={"measure": "mean_delay"}).query("system.isna()", engine="python")["value"].max()
    assert max(np.asarray(line.get_ydata()).max() for line in axes.get_lines()) == mean / 60_000


def test_replications_that_are_all_the_same_are_not_called_certain() -> None:
    certain = cs.sweep("quickstart", vary={"liquidity.alpha": [0, 1]}, replications=3, workers=1)
    assert certain.summary().attrs == {"note": ALL_THE_SAME}
    lines = study_lines(certain)
    assert lines[1] == ALL_THE_SAME
    assert not any(" to " in line for line in lines)
    assert as_dict(certain, Path(), [], 0.0)["note"] == ALL_THE_SAME
    assert played().note == ""


def test_a_point_to_which_a_design_comes_twice_is_two_points() -> None:
    vary = {"seed": {"from": 1, "to": 3}, "liquidity.alpha": [0, 1]}
    study = cs.sweep("quickstart", vary=vary, design="sobol", points=8, workers=1)
    assert study.points.duplicated(study.keys).any()
    assert set(study.summary()["runs"]) <= {0, 1}
    assert study.summary()["point"].nunique() == 8
    assert study_lines(study)[0] == "quickstart, seeds vary: 8 points, 1 run each"
    cs.plots.frontier(study)


def test_what_is_no_study_has_no_frontier() -> None:
    with pytest.raises(cs.InputError, match=r"^study: is no study \(str\)"):
        cs.plots.frontier("a-folder")
