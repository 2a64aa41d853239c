"""One payment's story."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.explain.story import explain
from cnaps_sim.words.errors import InputError


def story(run: Any, payment_id: str) -> str:
    return str(explain(run, payment_id))


def test_a_payment_that_settles_at_once_has_a_short_story(toy_day: Any) -> None:
    assert explain(toy_day, "P0").sentences == [
        "P0 is an HVPS payment of CNY 60.00 from A to B, ordinary credit transfer (普通汇兑), at level 7 of the "
        "settlement queue (normal, 普通), priority NORM.",
        "It was submitted on 2025-06-17 at 09:00:00.",
        "Nothing stood before it and its account could pay: it settled at once, final at 09:00:00 (PR04).",
    ]


def test_a_payment_of_another_day_tells_the_natural_day_and_the_business_date() -> None:
    """From 2025-06-17: one sent on the evening before, one on the next day, one on that day's evening."""
    times = {"EVE": "2025-06-16T21:00", "NEXT": "2025-06-18T09:00", "NIGHT": "2025-06-18T21:30"}
    run = cs.simulate(
        {
            "days": 3,
            "accounts": [{"account": "A", "balance": 100}, {"account": "B"}],
            "workload": [
                {
                    "system": "HVPS",
                    "payments": [
                        {"payment_id": name, "time": time, "debtor": "A", "creditor": "B", "amount": 1}
                        for name, time in times.items()
                    ],
                }
            ],
        }
    )
    assert "submitted on 2025-06-16 at 21:00:00 (T-1, for the business date 2025-06-17)." in story(run, "EVE")
    assert "submitted on 2025-06-18 at 09:00:00 (T+1)." in story(run, "NEXT")
    assert "submitted on 2025-06-18 at 21:30:00 (T+1, for the business date 2025-06-19)." in story(run, "NIGHT")


def limited_day() -> cs.Run:
    """A limits itself to 50 towards B (60 from 11:00), and to 80 towards all (until 14:00)."""
    payments = [
        ("P1", "09:00", "A", "B", 40),
        ("P2", "09:30", "A", "B", 20),
        ("P3", "09:40", "A", "C", 30),
        ("P4", "12:00", "B", "A", 5),
        ("P5", "15:00", "A", "C", 70),
    ]
    keys = ("payment_id", "time", "debtor", "creditor", "amount")
    return cs.simulate(
        {
            "accounts": [{"account": "A", "balance": 100}, {"account": "B", "balance": 100}, {"account": "C"}],
            "workload": [{"system": "HVPS", "payments": [dict(zip(keys, row, strict=True)) for row in payments]}],
            "limits": [{"account": "A", "to": "B", "limit": 50}, {"account": "A", "limit": 80}],
            "actions": [
                {"at": "11:00", "do": "set_limit", "account": "A", "to": "B", "limit": "60"},
                {"at": "14:00", "do": "set_limit", "account": "A", "limit": "none"},
            ],
        }
    )


def test_a_sender_limit_in_a_payments_way_is_named_with_its_figures() -> None:
    run = limited_day()
    told = story(run, "P2")
    assert "A had CNY 60.00 available at that moment; that was enough for it." in told
    assert (
        "A's limit of CNY 50.00 towards B (双边限额) stood in its way: A had paid B CNY 40.00 more than it had "
        "received from B that day, which left room for CNY 10.00." in told
    )
    assert "sender limit) released it (limit towards B 60.00 CNY)." in told
    assert "stood in its way" not in story(run, "P5")  # it lacks money, and by then no limit binds it


def test_a_limit_that_came_to_hold_a_payment_only_later_is_named_at_its_end() -> None:
    """P3 met no limit, but P2 before it. Once P2 had gone it was the limit: 40 + 20 - 5 paid, 80 allowed."""
    assert (
        "Just before 14:00:00, A's limit of CNY 80.00 towards all others (多边限额) stood in its way: A had paid them "
        "CNY 55.00 more than it had received from them that day, which left room for CNY 25.00."
        in story(limited_day(), "P3")
    )


def test_a_payment_that_waited_tells_what_it_lacked_and_what_released_it(hand_made: Any) -> None:
    day = hand_made.FifoDay({"A": 1_000, "B": 5_000})
    day.arrive(32_400_000, "A", "B", 3_000)
    day.arrive(36_000_000, "B", "A", 4_000)
    told = story(day.run(), "P0")
    assert "A had CNY 10.00 available at that moment, before any reservation; CNY 20.00 too little." in told
    assert "P1, CNY 40.00 from B to A, settled at 10:00:00, credited A and released it." in told
    assert "It settled at 10:00:00 and was final then (PR04) after 1 h in the queue." in told


def test_who_was_ahead_is_named_up_to_five(hand_made: Any) -> None:
    day = hand_made.FifoDay({"A": 0, "B": 0})
    for n in range(8):
        day.arrive(n * 1_000, "A", "B", 100 + n)
    day.close(63_000_000)
    told = story(day.run(), "P7")
    assert "behind P0 (CNY 1.00), P1 (CNY 1.01), P2 (CNY 1.02), P3 (CNY 1.03), P4 (CNY 1.04) and 2 more" in told
    assert "CNY 7.21 in all" in told
    assert explain(day.run(), "P7").facts["ahead"] == [f"P{n}" for n in range(7)]


def test_a_lower_level_is_not_ahead_and_a_higher_one_is(hand_made: Any) -> None:
    waiting = {"settled_ms": None, "ended_ms": None, "status": "PR12"}
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **waiting),
            hand_made.payment(1, "A", "B", 10, "09:01", level=1, **waiting),
            hand_made.payment(2, "A", "B", 10, "09:02", level=6, **waiting),
        ]
    )
    assert explain(run, "P2").facts["ahead"] == ["P1"]
    assert "When the run stopped it had not come to an end." in story(run, "P2")


def test_what_left_in_the_same_instant_before_it_came_was_not_ahead(hand_made: Any) -> None:
    """At 10:00 P1 releases P0; then P2 arrives and finds the queue empty and the balance of A at 0."""
    day = hand_made.FifoDay({"A": 0, "B": 1_000})
    day.arrive(32_400_000, "A", "B", 1_000)
    day.arrive(36_000_000, "B", "A", 1_000)
    day.arrive(36_000_000, "A", "B", 500)
    day.close(63_000_000)
    told = story(day.run(), "P2")
    assert "with nothing before it" in told
    assert "A had CNY 0.00 available" in told


def test_where_the_terms_are_not_known_nothing_is_said_of_reservations(queueing_day: Any) -> None:
    told = story(queueing_day, "P4")
    assert "C had CNY 40.00 available at that moment, before any reservation." in told
    assert "behind P3" in told


def test_enough_money_but_not_its_turn(queueing_day: Any) -> None:
    queueing_day.scenario["accounts"] = [{"account": "C"}]
    assert "C had CNY 40.00 available at that moment; that was enough for it, but not its turn." in story(
        queueing_day, "P4"
    )


def test_credit_beyond_the_balance_is_told(hand_made: Any) -> None:
    rows = [hand_made.payment(0, "A", "B", 90, "09:00", settled_ms=None, ended_ms=None, status="PR12")]
    accounts = [hand_made.account("A", 10, 10, min_available_fen=6_000), hand_made.account("B", 0, 0)]
    told = story(hand_made.make_run(rows, accounts), "P0")
    assert (
        "A had CNY 60.00 available at that moment (balance CNY 10.00, overdraft limit less earmark and floor " in told
    )


def test_after_a_change_of_terms_only_the_balance_is_certain(queueing_day: Any) -> None:
    assert "A's balance was CNY 10.00 at that moment." in story(queueing_day, "P0")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("limit", "A change of A's terms"),
        ("control", "Debit control or a freeze was lifted from A, which released it."),
        ("cancel", "The cancellation of a payment ahead of it released it (P1)."),
        ("move", "A change in the order of A's queue, or of the rule that it follows, released it."),
        ("return", "The central bank posted it when the clearing window (清算窗口) closed"),
        ("injection", "Liquidity given to A released it (5.00 CNY injected)."),
        ("penalty", "at the penalty rate (高额罚息贷款)"),
        ("pool", "fund pool (资金池)"),
        ("pledge", "pledge financing (自动质押融资)"),
        ("loan", "A loan to A released it"),
        ("matching:3", "Queue matching (排队撮合) number 3 released it"),
        ("R7-A", "It was released by R7-A."),
    ],
)
def test_every_kind_of_release_has_its_words(hand_made: Any, cause: str, words: str) -> None:
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.waiting("10:00", cause)),
            hand_made.payment(1, "A", "B", 10, "08:00", **hand_made.ended("10:00", "PR08")),
        ],
        events=[{"time_ms": 36_000_000, "kind": "action", "subject": "A", "detail": "5.00 CNY injected"}],
    )
    assert words in story(run, "P0")


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("FF01", "its form was wrong"),
        ("AM05", "it had been received before"),
        ("AM03", "no settlement account is kept in its currency"),
        ("AC04", "an account named in it is not open"),
        ("RC01", "debtor and creditor are the same account"),
        ("AM02", "its amount is not allowed"),
        ("TM01", "the system does not take such payments at that time"),
        ("AC06", "the creditor's account is under credit control"),
        ("AM04", "the debtor's account could not fund it and the discipline keeps no queue"),
    ],
)
def test_a_refusal_is_told_in_words(hand_made: Any, iso: str, words: str) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("09:00", "PR09", "RJ90", iso))
    assert f"It was refused on arrival: {words} (PR09, RJ90, {iso})." in story(hand_made.make_run([row]), "P0")


def test_a_refusal_says_logged_out_if_the_sender_was(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("09:00", "PR09", "RJ90", "TM01"))
    out = {"time_ms": 32_000_000, "kind": "log_out", "subject": "A", "detail": "logged out"}
    back = {"time_ms": 32_300_000, "kind": "log_in", "subject": "A", "detail": "logged in"}
    assert "its sender was logged out" in story(hand_made.make_run([row], events=[out]), "P0")
    assert "its sender was logged out" not in story(hand_made.make_run([row], events=[out, back]), "P0")


def test_a_refusal_says_debit_control_if_it_was_on(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("09:00", "PR09", "RJ90", "AC06"))
    on = {"time_ms": 32_000_000, "kind": "action", "subject": "A", "detail": "debit control on"}
    assert "under debit control" in story(hand_made.make_run([row], events=[on]), "P0")


def test_a_refusal_when_its_turn_came(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("10:00", "PR09", "RJ90", "AC04"))
    assert "It was refused at 10:00:00, when its turn came: an account named" in story(hand_made.make_run([row]), "P0")


def test_the_outbox_is_part_of_the_story(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", submitted_ms="09:30", settled_ms="09:30")
    stop = {"time_ms": 32_000_000, "kind": "action", "subject": "A", "detail": "stops sending until 09:30:00"}
    told = story(hand_made.make_run([row], events=[stop]), "P0")
    assert "held it in its outbox for 30 min (stops sending until 09:30:00); it was submitted at 09:30:00." in told


def test_a_payment_that_never_left_its_bank(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", submitted_ms=None, **hand_made.ended("17:30", "PR09", "RJ99"))
    assert "and never sent it" in story(hand_made.make_run([row]), "P0")


def test_moves_stand_between_arrival_and_end(queueing_day: Any) -> None:
    sentences = explain(queueing_day, "P4").sentences
    moved = sentences.index("At 10:50:00: moved to the tail of its level.")
    assert "had to wait" in sentences[moved - 2]
    assert "cancelled it at 12:00:00 after 1 h 29 min in the queue" in sentences[moved + 1]


def test_a_return_and_a_missed_obligation(queueing_day: Any) -> None:
    told = story(queueing_day, "P3")
    assert "was sent back (PR09, RJ99) after 7 h in the queue" in told
    assert "It was due by 16:00:00 and never settled: the obligation was missed." in told
    assert "missed by 15 min" in story(queueing_day, "P1")
    assert "It was due by 11:00:00: kept." in story(queueing_day, "P2")


def test_a_booking_of_the_central_bank_has_a_story_too(queueing_day: Any) -> None:
    told = story(queueing_day, "P8")
    assert "P8 is a booking of the central bank in SAPS of CNY 1.00" in told
    assert "intraday overdraft interest (日间透支计息)" in told
    assert "The central bank posted it when the clearing window (清算窗口) closed: the items of its own levels" in told


def test_a_reversed_payment_stays_settled(hand_made: Any) -> None:
    row = hand_made.payment(0, "A", "B", 10, "09:00", status="PR22", ended_ms="11:00")
    told = story(hand_made.make_run([row]), "P0")
    assert "final at 09:00:00" in told
    assert "It was reversed (冲正) at 11:00:00 (PR22); it stays counted as settled." in told


def test_an_id_used_twice_is_told(hand_made: Any) -> None:
    rows = [hand_made.payment(0, "A", "B", 10, "09:00")]
    rows.append({**rows[0], "sequence": 1, **hand_made.ended(32_400_000, "PR09", "RJ90", "AM05")})
    assert "1 later instruction bore the same id." in story(hand_made.make_run(rows), "P0")


def test_an_unknown_id_names_the_nearest(queueing_day: Any) -> None:
    with pytest.raises(InputError, match=r"no such payment \(P44\); allowed: P4, P\d, P\d$"):
        explain(queueing_day, "P44")


def test_the_story_is_also_data(queueing_day: Any) -> None:
    found = explain(queueing_day, "P1").as_dict()
    assert found["payment_id"] == "P1"
    assert found["facts"]["amount_fen"] == 4_000
    assert found["facts"]["released_by"] == "P2"
    assert found["facts"]["due_ms"] == 35_100_000
    assert len(found["sentences"]) >= 5
