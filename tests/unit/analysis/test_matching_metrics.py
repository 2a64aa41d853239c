"""Queue matching: what it released, its share of what settled, its gap to the bound, whom it helped."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline, matching, matching_accounts, matching_gap, matching_share
from cnaps_sim.words.errors import InputError


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def by(frame: pd.DataFrame, name: str, measure: str) -> dict[Any, Any]:
    chosen = frame[frame["measure"] == measure]
    return dict(zip(chosen[name], chosen["value"], strict=True))


def test_a_worked_example(matched_day: Any) -> None:
    """Matchings release 300, 90 and nothing; one more payment of 10 settled: 390 of 400 by matching.

    The bound of the first is 380 (40 of the 50 fen-wise), so its gap is 80/380; that of the second is 0.
    """
    assert values(matching(matched_day)) == {
        "matchings": 3,
        "considered_count": 8,
        "considered_fen": 98_000,
        "settled_count": 5,
        "settled_fen": 39_000,
    }
    assert values(matching_share(matched_day)) == {
        "matched_count": 5,
        "matched_fen": 39_000,
        "count_share": 5 / 6,
        "value_share": 390 / 400,
    }
    found = values(matching_gap(matched_day))
    assert (found["bounded"], found["bound"]) == (2, 47_000)
    assert found["gap"] == pytest.approx(1 - 390 / 470)
    assert found["mean_gap"] == pytest.approx((80 / 380 + 0) / 2)
    assert values(matching_accounts(matched_day)) == {"helped": 4, "senders": 4, "net_payers": 1}


def test_the_bound_of_the_worked_example_is_that_of_the_laboratory() -> None:
    accounts = pd.DataFrame({"account": list("ABCD"), "balance": ["0", "0", "0", "30"]})
    rows = [("P0", "A", "B", "100"), ("P1", "B", "C", "100"), ("P2", "C", "A", "100"), ("P3", "C", "D", "50")]
    rows.append(("P4", "D", "C", "40"))
    found = cs.match(accounts, pd.DataFrame(rows, columns=["payment_id", "debtor", "creditor", "amount"]))
    assert (found.settled_value_fen, found.bound) == (30_000, 38_000)


def test_each_matching_by_its_number(matched_day: Any) -> None:
    assert by(matching(matched_day, by="matching"), "matching", "settled_fen") == {1: 30_000, 2: 9_000, 3: 0}
    gaps = by(matching_gap(matched_day, by="matching"), "matching", "gap")
    assert gaps[1] == pytest.approx(80 / 380)
    assert gaps[2] == 0
    assert pd.isna(gaps[3])
    accounts = matching_accounts(matched_day, by="matching")
    assert by(accounts, "matching", "helped") == {1: 3, 2: 2, 3: 0}
    assert by(accounts, "matching", "net_payers") == {1: 0, 2: 1, 3: 0}


def test_groups_are_triggers_algorithms_dates_and_instants(matched_day: Any) -> None:
    assert by(matching(matched_day, by="trigger"), "trigger", "matchings") == {"close": 1, "every": 2}
    assert matching(matched_day, by=["algorithm", "date", "time_ms"])["time_ms"].nunique() == 3
    with pytest.raises(InputError, match=r"by: system: cannot be grouped by"):
        matching(matched_day, by="system")


def test_where_narrows_matchings_and_shares_narrow_payments(matched_day: Any) -> None:
    assert values(matching(matched_day, where={"trigger": "close"}))["settled_count"] == 0
    assert values(matching(matched_day, where={"matching": [1, 3]}))["settled_fen"] == 30_000
    assert by(matching_share(matched_day, by="account"), "account", "value_share") == {
        "A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "E": 0.0
    }  # fmt: skip
    assert values(matching_accounts(matched_day, where={"matching": 2}))["helped"] == 2


def test_a_bound_of_nothing_leaves_no_gap(hand_made: Any) -> None:
    run = hand_made.make_run([], matchings=[hand_made.matching(1, "10:00", "every", (2, 9), (0, 0), bound_fen=0)])
    assert values(matching_gap(run)) == {
        "bounded": 1, "bound": 0, "gap": 0, "mean_gap": None, "fruitless": 0
    }  # fmt: skip


def test_a_matching_that_could_settle_nothing_whole_has_no_part_in_the_mean_gap(hand_made: Any) -> None:
    rows = [
        hand_made.matching(1, "10:00", "at", (20, 835), (14, 615), bound_fen=67_500),
        hand_made.matching(2, "17:30", "close", (6, 220), (0, 0), bound_fen=6_000),
    ]
    found = values(matching_gap(hand_made.make_run([], matchings=rows)))
    assert found["gap"] == pytest.approx(1 - 615 / 735)
    assert found["mean_gap"] == pytest.approx(1 - 615 / 675)
    assert found["fruitless"] == 1


def test_without_a_matching_counts_are_0_and_ratios_null(toy_day: Any, hand_made: Any) -> None:
    assert values(matching(toy_day))["matchings"] == 0
    assert values(matching_share(toy_day))["value_share"] == 0
    assert pd.isna(values(matching_gap(toy_day))["gap"])
    assert values(matching_accounts(toy_day)) == {"helped": 0, "senders": 0, "net_payers": 0}
    assert matching(toy_day, by="matching").empty
    assert pd.isna(values(matching_share(hand_made.make_run([])))["value_share"])


def test_bookings_of_the_central_bank_are_no_part_of_the_share(queueing_day: Any) -> None:
    assert pd.isna(values(matching_share(queueing_day, where={"system": "SAPS"}))["value_share"])


def test_accounts_are_told_only_where_transfers_were_kept(matched_day: Any) -> None:
    for name in ("payments", "transfers"):
        del matched_day.manifest["tables"][name]
    with pytest.raises(InputError, match="did not record this table"):
        matching_accounts(matched_day)


def test_every_value_has_a_unit(matched_day: Any) -> None:
    for metric in (matching, matching_share, matching_gap, matching_accounts):
        frame = metric(matched_day)
        assert list(frame.columns) == ["measure", "value", "unit"]
        assert frame["unit"].isin(["matchings", "payments", "fen", "ratio", "accounts"]).all()


def test_the_summary_tells_of_matching_only_where_it_is_on(matched_day: Any, toy_day: Any) -> None:
    found = headline(matched_day)["matching"]
    assert found.pop("mean_gap") == pytest.approx(40 / 380)
    assert found == {"matchings": 3, "settled": {"count": 5, "value_fen": 39_000}, "share_of_value": 0.975}
    assert "matching" not in headline(toy_day)
    toy_day.scenario = {"name": "toy", "hvps": {"matching": {"algorithm": "none"}}}
    assert set(headline(toy_day)) == {"systems", "liquidity"}


def test_matching_that_was_on_and_found_nothing_has_nulls(hand_made: Any) -> None:
    on = {"hvps": {"matching": {"algorithm": "exact"}}}
    run = hand_made.make_run([], [hand_made.account("A", 5, 5)], scenario=on)
    assert headline(run)["matching"] == {
        "matchings": 0, "settled": {"count": 0, "value_fen": 0}, "share_of_value": None, "mean_gap": None
    }  # fmt: skip
