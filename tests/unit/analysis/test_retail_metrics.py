"""Retail clearing in figures: rounds, netting, caps, nets on their way, tiering, and items where they are recorded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cnaps_sim.analysis import metrics
from cnaps_sim.words.errors import InputError

HOUR = 3_600_000


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def by(frame: pd.DataFrame, name: str, measure: str) -> dict[Any, Any]:
    chosen = frame[frame["measure"] == measure]
    return dict(zip(chosen[name], chosen["value"], strict=True))


def test_netting_worked_example(cleared_day: Any) -> None:
    """300 into 40 and 100 into 20: 60 of 400. As one round A owes 20, B and C receive 10 each."""
    found = values(metrics.netting(cleared_day))
    assert found == {
        "rounds": 2,
        "netted_count": 30,
        "gross": 40_000,
        "nets": 6_000,
        "netting_ratio": 0.15,
        "liquidity_efficiency": 0.85,
        "nets_as_one": 2_000,
    }
    assert by(metrics.netting(cleared_day, by="round"), "round", "netting_ratio") == {1: 40 / 300, 2: 0.2}
    assert values(metrics.netting(cleared_day, where={"kind": "last"}))["nets_as_one"] == 2_000


def test_rounds_worked_example(cleared_day: Any) -> None:
    first = values(metrics.rounds(cleared_day, where={"round": 1}))
    assert (first["participants"], first["payers"], first["nets"]) == (3, 1, 4_000)
    assert (first["closed_at"], first["sent_at"], first["settled_at"]) == (10 * HOUR, 10 * HOUR, 10.5 * HOUR)
    assert (first["held"], first["journey"]) == (0, HOUR // 2)
    assert (first["waited_count"], first["waited_fen"], first["longest_wait"]) == (1, 4_000, HOUR // 2)
    assert by(metrics.rounds(cleared_day), "round", "waited_count") == {1: 1, 2: 0}


def test_an_account_with_nets_in_several_rounds_is_one_participant(cleared_day: Any) -> None:
    """A pays in the first round, B in the second."""
    whole = metrics.rounds(cleared_day, by="date")
    assert whole.set_index("measure")["value"][["participants", "payers", "nets"]].tolist() == [3, 2, 6_000]
    assert set(whole[whole["measure"].isin(["participants", "payers"])]["unit"]) == {"accounts"}


def test_a_net_that_was_never_posted_is_unsettled_and_has_no_end(cleared_day: Any, hand_made: Any) -> None:
    rows = cleared_day.tables["rounds"].to_pylist()
    rows[4]["settled_ms"] = None
    cleared_day.tables["rounds"] = hand_made.table("rounds", rows)
    found = values(metrics.rounds(cleared_day, by=None))
    assert (found["unsettled_count"], found["unsettled_fen"], found["waited_count"]) == (1, 2_000, 2)
    assert values(metrics.held(cleared_day))["held"] == 2_000


def test_caps_worked_example(cleared_day: Any) -> None:
    """A used 40 of 100 while its net waited, B 46 of 50; B was under a tenth at one of four samples."""
    found = metrics.caps(cleared_day)
    assert by(found, "account", "cap") == {"A": 10_000, "B": 5_000, "C": 1_000}
    assert by(found, "account", "peak_use") == {"A": 0.4, "B": 0.92, "C": 0.0}
    assert by(found, "account", "lowest_headroom") == {"A": 5_500, "B": 350, "C": 1_000}
    assert by(found, "account", "short_share") == {"A": 0.0, "B": 0.25, "C": 0.0}
    assert by(found, "account", "rejected_fen") == {"A": 0, "B": 900, "C": 0}
    assert by(found, "account", "queued_count") == {"A": 0, "B": 0, "C": 2}
    together = values(metrics.caps(cleared_day, by=None))
    assert (together["cap"], together["peak_use"], together["lowest_headroom"]) == (16_000, 0.92, 350)
    assert together["short_share"] == pytest.approx(1 / 12)


def test_caps_without_a_series_tell_what_was_counted(cleared_day: Any) -> None:
    del cleared_day.manifest["tables"]["series"]
    found = values(metrics.caps(cleared_day, by=None))
    assert found["peak_use"] is None or found["peak_use"] != found["peak_use"]
    assert (found["rejected_count"], found["lowest_headroom"]) == (1, 350)


def test_headroom_is_cap_and_position_and_what_saps_has_not_posted(cleared_day: Any) -> None:
    frame = metrics.headroom(cleared_day, where={"account": "A"})
    at_ten = values(frame[frame["time_ms"] == 10 * HOUR])
    assert at_ten == {"headroom": 6_000, "cap": 10_000, "position": 0, "unsettled": -4_000}
    assert set(by(metrics.headroom(cleared_day, by=None), "time_ms", "position").values()) == {0}


def test_held_nets_worked_example(cleared_day: Any) -> None:
    """Only A's 40 is under way, from 10:00 to 10:30."""
    assert by(metrics.held(cleared_day), "time_ms", "held") == {10 * HOUR: 4_000, 10.5 * HOUR: 0}
    assert by(metrics.held(cleared_day, by="account"), "time_ms", "owed") == {10 * HOUR: 4_000, 10.5 * HOUR: 0}


def test_clearing_is_told_since_the_sample_before(cleared_day: Any) -> None:
    frame = metrics.clearing(cleared_day)
    assert by(frame, "time_ms", "netted") == {9 * HOUR: 0, 10 * HOUR: 2_000, 11 * HOUR: 2_000, 16 * HOUR: 2_000}
    assert by(frame, "time_ms", "queued")[16 * HOUR] == 1_500
    of_beps = metrics.clearing(cleared_day, by="system", where={"system": "BEPS"})
    assert by(of_beps, "system", "netted_count") == {"BEPS": 10}


def test_outcomes_of_retail_need_no_recorded_item(cleared_day: Any) -> None:
    cleared_day.scenario["record"] = {"BEPS": "totals", "IBPS": "totals"}
    found = metrics.outcomes(cleared_day, by="system")
    assert by(found, "system", "submitted_count") == {"HVPS": 1, "SAPS": 1, "BEPS": 2, "IBPS": 3}
    assert values(metrics.outcomes(cleared_day, where={"system": "BEPS"}))["cancelled_fen"] == 500
    assert values(metrics.outcomes(cleared_day))["submitted_count"] == 2


def test_items_enter_where_their_system_is_named(cleared_day: Any) -> None:
    """I1 takes 2 s, I3 4 s, B2 half an hour in the cap queue; B4 was in it till the switch."""
    assert values(metrics.delay(cleared_day, where={"system": "IBPS"}))["mean_delay"] == 3_000
    assert by(metrics.delay(cleared_day, by="system"), "system", "mean_delay")["BEPS"] == 1_800_000
    assert by(metrics.waited(cleared_day, by="system"), "system", "waited_count") == {
        "BEPS": 2, "HVPS": 0, "IBPS": 0, "SAPS": 1
    }  # fmt: skip
    assert values(metrics.waited(cleared_day))["waited_count"] == 1


def test_a_system_that_does_not_exist_is_an_error_that_names_those_that_do(cleared_day: Any) -> None:
    for ask in (metrics.delay, metrics.outcomes, metrics.waited):
        with pytest.raises(InputError, match=r"no such system \(XXX\); allowed: HVPS, SAPS, BEPS, IBPS"):
            ask(cleared_day, where={"system": ["HVPS", "XXX"]})


def test_items_that_were_not_recorded_are_an_error_in_one_line(cleared_day: Any) -> None:
    cleared_day.scenario["record"] = {"BEPS": "totals", "IBPS": "payments"}
    with pytest.raises(InputError, match="did not record the items of this system"):
        metrics.delay(cleared_day, where={"system": "BEPS"})
    assert set(metrics.delay(cleared_day, by="system")["system"]) == {"HVPS", "IBPS", "SAPS"}


def test_a_run_without_retail_has_no_rounds_and_no_caps(toy_day: Any) -> None:
    for metric in (metrics.netting, metrics.rounds, metrics.held):
        with pytest.raises(InputError, match="has no netting rounds"):
            metric(toy_day)
    with pytest.raises(InputError, match="has no net debit caps"):
        metrics.caps(toy_day)


def test_tiering_worked_example(hand_made: Any) -> None:
    """A sends 30 for X and 10 for Y, B 40 for Z, A 20 of its own: 80 of 100 on behalf of others."""
    rows = [("A", 30, "X"), ("A", 10, "Y"), ("B", 40, "Z"), ("A", 20, None)]
    run = hand_made.make_run(
        [
            hand_made.payment(n, name, "C", yuan, "09:00", on_behalf_of=client)
            for n, (name, yuan, client) in enumerate(rows)
        ]
    )
    found = values(metrics.tiering(run))
    assert (found["clients"], found["indirect_count"], found["indirect"]) == (3, 3, 8_000)
    assert found["indirect_share"] == 0.8
    assert found["client_herfindahl"] == pytest.approx((30**2 + 10**2 + 40**2) / 80**2)
    assert found["direct_herfindahl"] == 0.5
    assert by(metrics.tiering(run, by="account"), "account", "indirect_share") == {"A": 40 / 60, "B": 1.0}


def test_matchings_of_cap_queues_stand_apart(cleared_day: Any, hand_made: Any) -> None:
    rows = [hand_made.matching(1, "10:00", "round", (3, 9), (2, 6), algorithm="cap-queue")]
    rows.append(hand_made.matching(2, "11:00", "every", (1, 5), (1, 5)))
    cleared_day.tables["matchings"] = hand_made.table("matchings", rows)
    assert values(metrics.matching(cleared_day))["settled_fen"] == 500
    assert values(metrics.matching(cleared_day, where={"algorithm": "cap-queue"}))["settled_fen"] == 600
    assert by(metrics.matching(cleared_day, by="algorithm"), "algorithm", "matchings") == {
        "cap-queue": 1, "multilateral": 1
    }  # fmt: skip
