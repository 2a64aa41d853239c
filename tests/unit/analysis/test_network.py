"""Network measures and concentration on days small enough to count, and systemic importance of a sweep."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.metrics.network import Web, core_of


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_the_toy_day_is_a_triangle_with_one_link_returned(toy_day: Any) -> None:
    """A→B 60, B→C 50, C→A 40, A→C 10: four links of six, A and C linked both ways."""
    found = values(metrics.network(toy_day))
    assert (found["accounts"], found["links"]) == (3, 4)
    assert (found["density"], found["mean_degree"]) == (pytest.approx(4 / 6), pytest.approx(4 / 3))
    assert (found["reciprocity"], found["value_reciprocity"]) == (0.5, 20 / 160)
    assert (found["clustering"], found["core"], found["core_errors"]) == (1, 2, 0)
    of_a = values(metrics.network_accounts(toy_day).query("account == 'A'"))
    assert (of_a["out_degree"], of_a["in_degree"]) == (2, 1)
    assert (of_a["out_strength"], of_a["in_strength"]) == (7_000, 4_000)
    assert (of_a["reciprocity"], of_a["clustering"], of_a["core"]) == (0.5, 1, 1)


def test_the_first_payer_of_the_toy_day_provides_all_its_liquidity(toy_day: Any) -> None:
    """Used 60, 0, 0; sent 70, 50, 40 of 160."""
    spread = values(metrics.concentration(toy_day))
    assert (spread["gini"], spread["herfindahl"]) == (pytest.approx(2 / 3), 1)
    share = metrics.provision(toy_day).set_index("account")["value"]
    assert share.tolist() == pytest.approx([1 - 70 / 160, -50 / 160, -40 / 160])


def test_a_run_without_payments_has_an_empty_network(hand_made: Any) -> None:
    found = values(metrics.network(hand_made.make_run([], [hand_made.account("A", 1, 1)])))
    assert (found["accounts"], found["links"], found["density"]) == (0, 0, None)


def test_groups_have_networks_of_their_own(hand_made: Any) -> None:
    run = hand_made.make_run(
        [hand_made.payment(0, "A", "B", 1, "09:00", level=6), hand_made.payment(1, "B", "C", 2, "10:00")]
    )
    frame = metrics.network(run, by="level").set_index(["level", "measure"])["value"]
    assert (frame[6, "accounts"], frame[7, "links"]) == (2, 1)


@pytest.mark.parametrize("seed", range(6))
def test_no_other_core_has_fewer_pairs_that_do_not_fit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    fen = (draw.random((7, 7)) < 0.3).astype(np.int64)
    np.fill_diagonal(fen, 0)
    web = Web(list("ABCDEFG"), fen)
    joined = web.joined

    def errors(core: tuple[int, ...]) -> int:
        pairs = combinations(range(7), 2)
        return sum(
            (not joined[i, j]) if i in core and j in core else bool(joined[i, j]) if not {i, j} & {*core} else 0
            for i, j in pairs
        )

    best = min(errors(core) for size in range(8) for core in combinations(range(7), size))
    assert core_of(web).errors == errors(tuple(np.flatnonzero(core_of(web).member))) == best


def stressed() -> pd.DataFrame:
    """What a sweep over three banks could return."""
    frame = pd.DataFrame(
        {
            "account": ["A", "B", "C"],
            "unsettled_fen": [3_000, 1_000, 0],
            "own_unsettled_fen": [6_000, 0, 500],
            "banks_affected": [2, 1, 0],
            "rho_added": [0.25, 0.1, 0.0],
        }
    )
    frame.attrs["undisturbed"] = {"settled_fen": 12_000}
    return frame


def test_importance_is_the_share_of_what_stays_unsettled_elsewhere() -> None:
    found = metrics.importance(stressed()).set_index(["account", "measure"])["value"]
    assert [found[name, "importance"] for name in "ABC"] == [0.75, 0.25, 0]
    assert (found["A", "disruption"], found["A", "contagion"], found["A", "reach"]) == (0.25, 0.5, 1)
    assert np.isnan(found["B", "contagion"])
    assert set(metrics.importance(stressed(), where={"account": "B"})["account"]) == {"B"}


def test_importance_wants_a_sweep() -> None:
    with pytest.raises(cs.InputError, match=r"cs\.stress"):
        metrics.importance(pd.DataFrame({"account": ["A"]}))
