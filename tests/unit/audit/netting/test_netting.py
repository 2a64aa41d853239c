"""The auditor of retail clearing passes a correct day and finds each damage by the name of its rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit.netting import NettingAuditor
from cnaps_sim.words.codes import Act, Cause, Refusal
from cnaps_sim.words.retail import RetailKind

A, B, C = range(3)
CREDIT, ONLINE = RetailKind.ORDINARY_CREDIT, RetailKind.IBPS_CREDIT
RULES = {
    "nothing-from-nothing", "retail-in-time-order", "retail-refusals-hold", "one-final-state-retail",
    "cap-queue-order", "cap-queue-retried", "cap-kept", "cap-binds", "owes-within-cap", "matching-funded",
    "switch-empties-queue", "nets-sum-to-zero", "nets-agree", "nets-posted-once", "positions-agree", "package-whole",
}  # fmt: skip


def test_a_correct_day_passes_every_rule(day: Any) -> None:
    verdict = day.verdict()
    assert verdict.passed, verdict.breaches
    assert set(verdict.rules) == RULES


def test_a_day_of_which_everything_is_logged_passes_every_rule(day_maker: Any) -> None:
    verdict = day_maker(log_all=True).verdict()
    assert verdict.passed, verdict.breaches
    assert set(verdict.rules) == RULES


def test_units_of_which_everything_is_logged_may_come_in_any_order(clearing: Any) -> None:
    """Messages take their time: the second unit of the flow reaches its cap check first."""
    day = clearing([100, 60, 0], log_all=True)
    day.submit(10, A, B, 60)
    day.submit(11, B, C, 60)
    log = day.flush().find("see_log")[0]
    log["unit"], log["time_ms"] = log["unit"][::-1].copy(), 12
    assert day.broken() == set()
    day.caps[B] = 59
    assert day.broken() == {"cap-kept"}  # it had received nothing yet


# the cap ------------------------------------------------------------------------------------------------------------


def test_a_netting_beyond_the_cap_breaks_cap_kept(day: Any) -> None:
    day.find("see_chunk")[0]["amount"][0] = 101
    broken = day.broken()
    assert {"cap-kept", "owes-within-cap"} <= broken


def test_a_netting_in_order_is_within_the_cap_although_all_debits_are_not(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    for time in range(20):
        day.submit(time, A, B, 10)
        day.submit(time, B, A, 10)
    assert day.broken() == set()


def test_money_that_comes_too_late_does_not_mend_cap_kept(clearing: Any) -> None:
    """At the end of the chunk all is well; only the order shows the breach."""
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 10)
    day.submit(2, B, A, 10)
    day.flush()
    rows = day.find("see_chunk")[0]
    rows[["debtor", "creditor"]][0], rows["amount"][0] = (B, A), 10
    rows["debtor"], rows["creditor"] = [B, A], [A, B]
    assert day.broken() == {"cap-kept"}


def test_a_release_beyond_the_headroom_breaks_cap_kept(clearing: Any) -> None:
    day = clearing([10, 30, 0])
    day.submit(1, A, B, 20)
    day.submit(2, B, A, 10)
    assert day.broken() == set()
    day.find("see_chunk")[0]["amount"][1] = 9
    assert day.broken() == {"cap-kept", "owes-within-cap"}


def test_a_rejection_in_spite_of_headroom_breaks_cap_binds(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 11, ONLINE)
    day.submit(1, A, B, 11)
    assert day.broken(stopped=True) == set()
    day.find("see_chunk")[0]["amount"] = 10
    verdict = day.verdict(stopped=True)
    assert {rule for rule, count in verdict.rules.items() if count} == {"cap-binds"}
    assert verdict.rules["cap-binds"] == 2


def test_a_matching_that_leaves_a_payer_short_breaks_matching_funded(clearing: Any) -> None:
    day = clearing([0, 0, 0])
    for debtor, creditor in ((A, B), (B, C), (C, A)):
        day.submit(1, debtor, creditor, 10)
    day.match(2)
    assert day.broken() == set()
    day.find("see_chunk")[0]["amount"][1] = 11
    assert day.broken() == {"matching-funded", "owes-within-cap"}


def test_a_cap_that_is_cut_leaves_what_was_netted_but_stops_what_follows(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 10)
    day.cap(2, A, 5)
    assert day.broken() == set()
    day.submit(3, A, B, 1, ONLINE)
    day.flush().without(1, Act.REFUSED)
    assert day.broken() == {"cap-kept", "owes-within-cap"}


def test_headroom_that_a_posted_net_takes_away_is_no_breach(clearing: Any) -> None:
    """A payee that used what it was to receive is short once it has been paid on its account."""
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 10)
    day.round(2)
    day.submit(3, B, C, 10)
    day.post_all(4, 1)
    assert day.broken() == set()
    day.submit(5, B, C, 1, ONLINE)
    day.flush().without(2, Act.REFUSED)
    assert day.broken() == {"cap-kept", "owes-within-cap"}


# the cap queue ------------------------------------------------------------------------------------------------------


def test_a_larger_unit_first_breaks_cap_queue_order(clearing: Any) -> None:
    day = clearing([10, 100, 0])
    day.submit(1, A, C, 30)
    day.submit(2, A, C, 20)
    day.submit(3, B, A, 60)
    assert day.broken() == set()
    released = day.find("see_log")[0]
    assert released["unit"].tolist() == [0, 1, 1, 0]
    released[2], released[3] = released[3].copy(), released[2].copy()
    assert day.broken() == {"cap-queue-order"}


@pytest.mark.parametrize("kind", [kind for kind in RetailKind if not kind.queues])
def test_a_real_time_unit_that_waits_breaks_cap_queue_order(clearing: Any, kind: RetailKind) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, C, 30, kind)
    day.flush().entry(0, Act.REFUSED)["refusal"] = Refusal.NONE
    day.entry(0, Act.REFUSED)["act"] = Act.QUEUED
    assert day.broken(stopped=True) == {"cap-queue-order"}


def test_a_unit_that_waits_in_spite_of_headroom_breaks_cap_queue_retried(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, C, 30)
    day.cap(2, A, 40).look(3)
    assert day.broken() == set()
    day.without(0, Act.NETTED)
    assert day.broken(stopped=True) == {"cap-queue-retried", "positions-agree", "package-whole"}


def test_a_unit_that_outlasts_the_date_breaks_switch_empties_queue(day: Any) -> None:
    assert day.without(15, Act.CANCELLED).broken() >= {"switch-empties-queue", "one-final-state-retail"}


def test_a_unit_that_the_server_still_counts_breaks_switch_empties_queue(day: Any) -> None:
    day.find("end_of_date")[3] = 1
    assert day.broken() == {"switch-empties-queue", "positions-agree"}


def test_a_cancellation_by_time_at_another_time_breaks_switch_empties_queue(day: Any) -> None:
    day.entry(15, Act.CANCELLED)["time_ms"] = 101
    assert "switch-empties-queue" in day.broken()


# terms and states ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "act"), [(4, Act.REFUSED), (11, Act.REFUSED), (12, Act.REFUSED), (13, Act.EXPIRED)])
def test_a_barred_unit_that_is_netted_breaks_retail_refusals_hold(day: Any, unit: int, act: Act) -> None:
    assert "retail-refusals-hold" in day.without(unit, act).broken()


@pytest.mark.parametrize(
    ("unit", "act", "field", "value"),
    [
        (3, Act.REFUSED, "refusal", Refusal.CLOSED_ACCOUNT),
        (3, Act.REFUSED, "act", Act.EXPIRED),
        (11, Act.REFUSED, "refusal", Refusal.LOGGED_OUT),
        (13, Act.EXPIRED, "act", Act.REFUSED),
        (1, Act.QUEUED, "refusal", Refusal.CAP),
        (14, Act.CANCELLED, "refusal", Refusal.CAP),
        (2, Act.NETTED, "refusal", Refusal.CAP),
    ],
)
def test_another_reason_breaks_retail_refusals_hold(day: Any, unit: int, act: Act, field: str, value: int) -> None:
    day.entry(unit, act)[field] = value
    assert "retail-refusals-hold" in day.broken()


def test_a_waiting_unit_is_refused_only_if_its_payee_has_closed(clearing: Any) -> None:
    day = clearing([10, 100, 0])
    day.submit(1, A, C, 30)
    day.close(C).submit(2, B, A, 60)
    assert day.broken() == set()
    day.steps = [step for step in day.steps if step[0] != "see_closed"]
    assert day.broken() == {"retail-refusals-hold"}


@pytest.mark.parametrize("act", [Act.NETTED, Act.QUEUED, Act.REFUSED, Act.CANCELLED, Act.EXPIRED, Act.STOPPED])
@pytest.mark.parametrize("unit", [0, 2, 3, 6])
def test_nothing_may_follow_a_final_act(day: Any, unit: int, act: Act) -> None:
    day.find("see_log", 1)[0][0]["unit"] = unit
    day.find("see_log", 1)[0][0]["act"] = act
    assert "one-final-state-retail" in day.broken()


def test_a_unit_that_stays_queued_breaks_one_final_state_retail(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, C, 30)
    assert day.broken() == {"one-final-state-retail"}
    assert day.broken(stopped=True) == set()


def test_a_unit_without_an_outcome_breaks_one_final_state_retail(day_maker: Any) -> None:
    day = day_maker(log_all=True).without(5, Act.REFUSED)
    assert "one-final-state-retail" in day.broken()
    assert "one-final-state-retail" not in day.broken(stopped=True)


def test_units_left_out_break_one_final_state_retail(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, C, 3)
    day.flush().submit(2, A, C, 3)
    day.flush().find("see_chunk", 1)[1:] = [2, 3]
    assert day.broken() == {"one-final-state-retail"}


@pytest.mark.parametrize(
    ("field", "value"), [("debtor", 3), ("creditor", -1), ("kind", 8), ("amount", 0), ("items", 0), ("refusal", 99)]
)
def test_a_row_that_cannot_be_breaks_nothing_from_nothing(day: Any, field: str, value: int) -> None:
    day.find("see_chunk")[0][field][0] = value
    assert "nothing-from-nothing" in day.broken()


@pytest.mark.parametrize(("field", "value"), [("unit", 99), ("unit", -5), ("kind", 3)])
def test_an_entry_from_nowhere_breaks_nothing_from_nothing(day: Any, field: str, value: int) -> None:
    day.entry(2, Act.NETTED)[field] = value
    assert "nothing-from-nothing" in day.broken()


def test_a_warning_of_nobody_breaks_nothing_from_nothing(day: Any) -> None:
    day.find("see_log")[0][-1]["act"] = Act.CAP_WARNING_RAISED
    day.find("see_log")[0][-1]["unit"] = 3
    assert "nothing-from-nothing" in day.broken()


def test_rows_out_of_time_break_retail_in_time_order(day: Any) -> None:
    day.find("see_chunk")[0]["time_ms"][0] = 26
    assert day.broken() == {"retail-in-time-order"}


@pytest.mark.parametrize(("field", "value"), [("time_ms", 19), ("units_come", 1), ("units_come", 99)])
def test_entries_out_of_order_break_retail_in_time_order(day: Any, field: str, value: int) -> None:
    day.entry(2, Act.NETTED)[field] = value
    assert "retail-in-time-order" in day.broken()


# rounds and figures -------------------------------------------------------------------------------------------------


def test_nets_that_do_not_cancel_out_break_nets_sum_to_zero(day: Any) -> None:
    day.find("see_round")[3][A] += 1
    assert day.broken() == {"nets-sum-to-zero", "nets-agree", "nets-posted-once"}


def test_nets_that_were_not_netted_break_nets_agree(day: Any) -> None:
    day.find("see_round", 1)[3][:] += [1, -1, 0]
    assert day.broken() == {"nets-agree", "nets-posted-once"}


def test_rounds_that_are_not_numbered_break_nets_agree(day: Any) -> None:
    day.find("see_round", 2)[0] = 5
    assert "nets-agree" in day.broken()


def test_a_date_without_a_last_round_breaks_nets_agree(day: Any) -> None:
    day.find("see_round", 2)[2] = "intraday"
    assert day.broken() == {"nets-agree"}


@pytest.mark.parametrize(
    ("argument", "value"), [(0, 2), (1, C), (2, 41), (2, 0), (3, 39)], ids=["round", "whose", "amount", "zero", "time"]
)
def test_another_net_posted_breaks_nets_posted_once(day: Any, argument: int, value: int) -> None:
    day.find("see_posted")[argument] = value
    assert "nets-posted-once" in day.broken()


def test_a_net_posted_twice_breaks_nets_posted_once(day: Any) -> None:
    place = next(k for k, step in enumerate(day.steps) if step[0] == "see_posted")
    day.steps.insert(place, day.steps[place])
    assert "nets-posted-once" in day.broken()


def test_a_round_sent_twice_or_never_breaks_nets_posted_once(day: Any) -> None:
    place = next(k for k, step in enumerate(day.steps) if step[0] == "see_sent")
    sent = day.steps.pop(place)
    assert day.broken() == {"nets-posted-once"}
    day.steps[place:place] = [sent, sent]
    assert day.broken() == {"nets-posted-once"}


def test_rounds_are_sent_oldest_first(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 3)
    day.round(2, send=False).submit(3, A, B, 4)
    day.round(4, send=False).send(5, 1).send(5, 2).post_all(5, 1).post_all(5, 2)
    assert day.broken() == set()
    sent = [arguments for method, arguments in day.steps if method == "see_sent"]
    sent[0][0], sent[1][0] = 2, 1
    assert day.broken() == {"nets-posted-once"}


def test_a_net_that_is_missing_breaks_nets_posted_once_unless_held(clearing: Any) -> None:
    day = clearing([10, 0, 0])
    day.submit(1, A, B, 3)
    day.round(2, send=False)
    assert day.broken() == {"nets-posted-once"}
    assert day.broken(held=(1,)) == set()
    assert day.broken(stopped=True) == set()
    day.send(3, 1)
    assert day.broken(held=(1,)) == {"nets-posted-once"}


@pytest.mark.parametrize("argument", [1, 2])
def test_other_figures_break_positions_agree(day: Any, argument: int) -> None:
    day.find("see_positions", 1)[argument][B] += 1
    assert day.broken() == {"positions-agree"}


def test_another_number_of_waiting_units_breaks_positions_agree(day: Any) -> None:
    day.find("see_positions")[3] = 0
    assert day.broken() == {"positions-agree"}


@pytest.mark.parametrize("column", ["units", "items", "fen"])
def test_a_package_in_parts_breaks_package_whole(day: Any, column: str) -> None:
    """Of the package of two items one is said to have been netted, of that of four one to have been cancelled."""
    tallies = day.find("see_tallies", 2)[0]
    tallies[column][CREDIT, Act.NETTED] -= 1
    tallies[column][CREDIT, Act.CANCELLED] -= 1
    verdict = day.verdict()
    assert verdict.rules["package-whole"] == 2
    assert sum(verdict.rules.values()) == 2


def test_sums_beyond_what_floats_can_hold_are_exact(clearing: Any) -> None:
    most = 9 * 10**16
    day = clearing([4 * 10**18, 0, 0])
    for time in range(40):
        day.submit(time, A, B, most + time)
    assert day.look(50).broken() == set()


def test_a_chunk_of_many_stretches_is_one_story(clearing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnaps_sim.audit.netting.STRETCH", 3)
    day = clearing([20, 20, 20])
    for time in range(40):
        day.submit(time, time % 3, (time * 7 + 1) % 3, 5 + time % 11)
    assert day.look(50).broken(stopped=True) == set()


def test_nothing_told_is_nothing_wrong() -> None:
    assert NettingAuditor(np.zeros(2)).finish().passed


def test_what_released_a_unit_does_not_matter_to_its_order(clearing: Any) -> None:
    day = clearing([10, 100, 0])
    day.submit(1, A, C, 30)
    day.cap(2, A, 30)
    assert day.flush().entry(0, Act.NETTED)["cause"] == Cause.LIMIT
    assert day.broken() == set()
