"""Keys of a study: one that undoes another, or has a value twice, is refused in one line before anything is played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute
from cnaps_sim.words.errors import InputError

ALPHA = ["--vary", "liquidity.alpha=0,0.5"]
MATCHING = ["--vary", "hvps.matching={algorithm: none},{algorithm: multilateral, every: 30 min}"]

WRONG = [
    (["--vary", "hvps.matching.algorithm=none", *MATCHING],
     "--vary: hvps.matching: holds hvps.matching.algorithm, which varies too; allowed: one of the two"),
    ([*MATCHING, "--vary", "hvps.matching.algorithm=none"],
     "--vary: hvps.matching.algorithm: lies inside hvps.matching, which varies too; allowed: one of the two"),
    (["--vary", "accounts.0.balance=1,2", "--vary", "accounts.ICBC.balance=3,4"],
     "--vary: accounts.ICBC.balance: is the same key as accounts.0.balance; allowed: one of the two"),
    ([*ALPHA, "--vary", "liquidity.from=accounts"],
     "--vary: liquidity.from: contradicts liquidity.alpha, which varies too; allowed: one of the two"),
    ([*ALPHA, "--set", "liquidity.from=accounts"],
     "--set: liquidity.from: has no effect beside liquidity.alpha, which varies (accounts); allowed: one of the two"),
    ([*MATCHING, "--set", "hvps.matching.bound=lp"],
     "--set: hvps.matching.bound: has no effect beside hvps.matching, which varies (lp); allowed: one of the two"),
    (["--vary", "seed=1,2", "--seed", "7"], "--seed: has no effect beside seed, which varies (7); allowed: one of"),
    (["--vary", "liquidity.alpha=0,1,1e0"], "--vary: liquidity.alpha.2: is the same value as 1 (1e0); allowed: each"),
    (["--vary", "series_step=30 min,1800 s"], "--vary: series_step.1: is the same value as 30 min (1800 s); allowed: "),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_a_key_that_undoes_another_is_one_line(
    options: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["sweep", "quickstart", *options, "--quiet"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(error)
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_values_of_a_design_that_mean_the_same_are_refused() -> None:
    vary: dict[str, Any] = {"liquidity.alpha": [0, 0.0], "seed": {"from": 1, "to": 9}}
    with pytest.raises(InputError, match=r"vary: liquidity.alpha.1: is the same value as 0 \(0.0\)"):
        cs.sweep("quickstart", vary=vary, design="sobol", points=4)


def test_a_setting_beside_the_varied_key_is_kept() -> None:
    study = cs.sweep("quickstart", set={"hvps.discipline": "bypass"}, vary={"liquidity.alpha": [0, 1]}, workers=1)
    assert study.plan.scenario["hvps"]["discipline"] == "bypass"
    assert study.points["liquidity.alpha"].tolist() == [0, 1]
