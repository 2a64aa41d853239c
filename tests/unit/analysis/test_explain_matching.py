"""The story of a payment that queue matching released, or set free."""

from __future__ import annotations

from typing import Any

import pytest

from cnaps_sim.analysis.explain.story import explain


def story(run: Any, payment_id: str) -> str:
    return str(explain(run, payment_id))


def test_a_matched_payment_tells_when_why_with_what_and_what_it_meant(matched_day: Any) -> None:
    assert explain(matched_day, "P0").sentences[4:] == [
        "Queue matching (排队撮合) number 1 released it. It was started at 10:00:00 as one is at fixed intervals (2 h) "
        "and settled 3 payments together, CNY 300.00, of the 5 (CNY 390.00) that it looked at, by the algorithm "
        "multilateral: their net effect was funded.",
        "No one of them could have settled alone: the first of each account was more than it had, and the others "
        "stood behind that.",
        "In that matching A paid as much as it received, and B paid as much as it received.",
        "It settled at 10:00:00 and was final then (PR04) after 1 h in the queue.",
    ]


def test_net_effects_and_funds_at_the_moment_of_the_matching(matched_day: Any) -> None:
    """D has 30 and C has got 10 by then: too little for 40 and for 50."""
    told = story(matched_day, "P3")
    assert "No one of them could have settled alone" in told
    assert "In that matching C paid CNY 10.00 net, and D received CNY 10.00 net." in told


def test_where_one_could_have_settled_alone_that_is_not_said(matched_day: Any) -> None:
    """With an overdraft limit of 15 D could have paid its 40 alone, had it been its turn."""
    matched_day.scenario["accounts"] = [{"account": "D", "overdraft_limit": "15"}, {"account": "C"}]
    assert "could have settled alone" not in story(matched_day, "P3")


def test_where_the_order_is_not_kept_each_payment_must_have_been_too_large(matched_day: Any, hand_made: Any) -> None:
    for discipline, words in (("fifo", "the first of each account"), ("bypass", "each was more than its account had")):
        matched_day.scenario["hvps"]["discipline"] = discipline
        assert words in story(matched_day, "P0")


def test_a_change_of_terms_at_the_very_instant_leaves_it_open(matched_day: Any, hand_made: Any) -> None:
    change = {"date": hand_made.DATE, "sequence": 0, "time_ms": 43_200_000, "kind": "action", "subject": "D"}
    matched_day.tables["events"] = hand_made.table("events", [{**change, "detail": "floor 0.00 CNY"}])
    matched_day.manifest["tables"]["events"] = {"rows": 1}
    assert "could have settled alone" not in story(matched_day, "P3")


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("at", "as set for that time of day"),
        ("queued_over", "because the number of queued payments passed its line (5,000)"),
        ("value_over", "because the value queued passed its line (12.50)"),
        ("phase", "because the system entered another phase"),
        ("action", "by an order of the scenario"),
        ("continuous", "as one is whenever something is left waiting and settled"),
        ("close", "as the last one before the clearing window (清算窗口) closed"),
        ("by moonlight", "(by moonlight)"),
    ],
)
def test_every_trigger_has_its_words(matched_day: Any, hand_made: Any, trigger: str, words: str) -> None:
    terms = {"algorithm": "multilateral", "queued_over": 5_000, "value_over": "12.50", "continuous": True}
    matched_day.scenario["hvps"]["matching"] = terms
    row = hand_made.matching(1, "10:00", trigger, (5, 390), (3, 300))
    matched_day.tables["matchings"] = hand_made.table("matchings", [row])
    assert words in story(matched_day, "P0")


def test_a_matching_with_a_duration_tells_how_long_it_took(matched_day: Any, hand_made: Any) -> None:
    row = hand_made.matching(1, "09:50", "action", (5, 390), (3, 300), settled_ms="10:00")
    matched_day.tables["matchings"] = hand_made.table("matchings", [row])
    told = story(matched_day, "P0")
    assert "It was started at 09:50:00 by an order of the scenario" in told
    assert "; they were posted 10 min after it had chosen them." in told


def test_a_single_payment_out_of_order_is_told_as_one(hand_made: Any) -> None:
    rows = [
        hand_made.payment(0, "A", "B", 100, "09:00", **hand_made.ended("17:30", "PR09", "RJ99", "AM04")),
        hand_made.payment(1, "A", "B", 10, "09:01", **hand_made.waiting("10:00", "matching:1")),
    ]
    matching = hand_made.matching(1, "10:00", "every", (2, 110), (1, 10), algorithm="exact")
    run = hand_made.make_run(rows, [hand_made.account("A", 20, 10), hand_made.account("B", 0, 0)], matchings=[matching])
    told = story(run, "P1")
    assert "settled 1 payment, CNY 10.00, of the 2 (CNY 110.00) that it looked at, by the algorithm exact" in told
    assert "alone" not in told
    assert "In that matching A paid CNY 10.00 net, and B received CNY 10.00 net." in told


def test_without_the_table_of_matchings_the_transfers_still_tell(matched_day: Any) -> None:
    del matched_day.manifest["tables"]["matchings"]
    told = story(matched_day, "P3")
    assert "number 2 released it: the net effect of what settled together was funded." in told
    assert "C paid CNY 10.00 net" in told


def test_what_a_matching_set_free_goes_back_to_it(hand_made: Any) -> None:
    """F's urgent payment waits, so F only receives in the matching; its credit lets it pay G, and G pay on."""
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "F", 25, "09:00", **hand_made.waiting("10:00", "matching:1")),
            hand_made.payment(1, "F", "G", 20, "09:01", level=1, **hand_made.waiting("10:00", "P0")),
            hand_made.payment(2, "G", "A", 15, "09:02", **hand_made.waiting("10:00", "P1")),
        ],
        matchings=[hand_made.matching(1, "10:00", "every", (1, 25), (1, 25))],
    )
    told = story(run, "P1")
    assert "P0, CNY 25.00 from A to F, settled at 10:00:00, credited F and released it." in told
    assert "That payment had been released by queue matching (排队撮合) number 1." in told
    assert "It all began with P0, which had been released by queue matching (排队撮合) number 1." in story(run, "P2")


def test_what_stood_behind_a_matched_payment_of_its_own_account(hand_made: Any) -> None:
    rows = [
        hand_made.payment(0, "A", "B", 25, "09:00", **hand_made.waiting("10:00", "matching:1")),
        hand_made.payment(1, "A", "C", 5, "09:01", **hand_made.waiting("10:00", "P0")),
    ]
    told = story(hand_made.make_run(rows), "P1")
    assert "P0, CNY 25.00 from A to B, settled at 10:00:00, let A go on with its queue and released it." in told


def test_a_chain_of_releases_that_runs_in_a_circle_ends(hand_made: Any) -> None:
    rows = [
        hand_made.payment(0, "A", "B", 5, "09:00", **hand_made.waiting("10:00", "P1")),
        hand_made.payment(1, "B", "A", 5, "09:01", **hand_made.waiting("10:00", "P0")),
    ]
    assert "credited A and released it." in story(hand_made.make_run(rows), "P0")


def test_orders_refused_while_a_matching_holds_the_payment_are_part_of_the_story(
    matched_day: Any, hand_made: Any
) -> None:
    refused = {"date": hand_made.DATE, "sequence": 0, "time_ms": 35_700_000, "kind": "refusal", "subject": "P0"}
    refused["detail"] = "cancel refused: a matching under way has chosen the payment"
    matched_day.tables["events"] = hand_made.table("events", [refused])
    matched_day.manifest["tables"]["events"] = {"rows": 1}
    assert "At 09:55:00: cancel refused: a matching under way has chosen the payment." in story(matched_day, "P0")


def test_a_matching_that_failed_lets_go_what_it_had_kept(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 5, "09:00", **hand_made.waiting("10:00", "limit"))
    words = "matching 4 settled nothing; 2 payments, 10.00 CNY, stay queued: C could no longer take part"
    event = {"time_ms": 36_000_000, "kind": "matching", "subject": "HVPS", "detail": words}
    assert f"and failed ({words}); that let it go." in story(hand_made.make_run([row], events=[event]), "P0")
    floor = {"time_ms": 36_000_000, "kind": "action", "subject": "A", "detail": "floor 0.00 CNY"}
    assert "A change of A's terms" in story(hand_made.make_run([row], events=[event, floor]), "P0")
