"""The auditor of the stream passes a correct day and finds each damage by the name of its rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnaps_sim.words.codes import Act, Cause, Discipline, Phase, Refusal

A, B, C, PBC = range(4)
RULES = {
    "money-conserved", "no-overdraw", "balances-agree", "one-final-state", "queue-order", "log-in-time-order",
    "settled-in-hours", "queue-empty-after-day", "no-overnight-overdraft", "nothing-from-nothing", "counts-agree",
    "held-stay-held", "refusals-hold", "matching-in-one-piece", "matching-takes-waiting",
}  # fmt: skip


def test_a_correct_day_passes_every_rule(day: Any) -> None:
    verdict = day.verdict()
    assert verdict.passed, verdict.breaches
    assert set(verdict.rules) == RULES
    assert verdict.breaches == []


def test_all_steps_may_be_told_in_one_piece(day: Any) -> None:
    """However the log is cut into pieces, the same is found."""
    cut = []
    for method, arguments in day.steps:
        if method == "see_log":
            cut.extend(("see_log", [arguments[0][k : k + 1]]) for k in range(len(arguments[0])))
        else:
            cut.append((method, arguments))
    day.steps = cut
    assert day.verdict().passed


def test_money_from_nowhere_breaks_money_conserved(day: Any) -> None:
    day.find("end_of_day")[1][PBC] += 1
    assert day.broken() == {"money-conserved", "balances-agree"}


def test_a_balance_that_its_postings_do_not_make_breaks_balances_agree(day: Any) -> None:
    balances = day.find("see_balances")[1]
    balances[A] += 1
    balances[B] -= 1
    assert day.broken() == {"balances-agree"}


def test_a_wrong_count_of_waiting_payments_breaks_counts_agree(day: Any) -> None:
    day.find("see_balances")[2] = 2
    assert day.broken() == {"counts-agree"}


def test_a_debit_beyond_the_limit_breaks_no_overdraw(empty_stream: Any) -> None:
    s = empty_stream
    s.limits[A] = 10
    s.flow(0, (10, 110, A, B, 7), (11, 1, A, B, 7)).log((0, 10, Act.SETTLED))
    assert s.broken(stopped=True) == set()
    s.log((1, 11, Act.SETTLED))
    assert s.broken() == {"no-overdraw"}


def test_the_limit_in_force_then_counts(empty_stream: Any) -> None:
    s = empty_stream
    s.flow(0, (10, 130, A, B, 7), (30, 1, A, B, 7)).tell("see_limit_change", 5, A, "overdraft_limit", 30)
    s.log((0, 10, Act.SETTLED))
    assert s.broken(stopped=True) == set()
    s.tell("see_limit_change", 20, A, "overdraft_limit", 0).log((1, 30, Act.SETTLED))
    assert s.broken() == {"no-overdraw"}


def test_a_limit_change_that_is_told_early_counts_from_its_own_time(empty_stream: Any) -> None:
    """The log of the time before the change may be drained after the change was told."""
    s = empty_stream
    s.limits[A] = 30
    s.flow(0, (10, 130, A, B, 7)).tell("see_limit_change", 20, A, "overdraft_limit", 0).log((0, 10, Act.SETTLED))
    assert s.broken() == set()


def test_a_debit_into_the_floor_breaks_no_overdraw(empty_stream: Any) -> None:
    s = empty_stream
    s.floors = [20, 0, 0, 0]
    s.flow(0, (10, 80, A, B, 7)).log((0, 10, Act.SETTLED))
    assert s.broken() == set()
    s.tell("see_limit_change", 11, A, "floor", 21).flow(1, (12, 1, B, C, 7), (13, 1, A, B, 7))
    s.log((1, 12, Act.SETTLED), (2, 13, Act.SETTLED))
    assert s.broken() == {"no-overdraw"}


def test_in_the_clearing_window_low_levels_have_no_credit(empty_stream: Any) -> None:
    s = empty_stream
    s.limits[A] = 30
    s.tell("see_phase", 0, Phase.CLEARING_WINDOW).flow(0, (10, 130, A, B, 1)).log((0, 10, Act.SETTLED, 1))
    assert s.broken() == set()
    s.flow(1, (11, 100, B, A, 1), (12, 80, A, B, 7)).log((1, 11, Act.SETTLED, 1), (2, 12, Act.SETTLED))
    assert s.broken() == {"no-overdraw"}


def test_what_a_penalty_loan_pays_may_leave_an_older_overdraft(empty_stream: Any) -> None:
    s = empty_stream
    s.limits[A] = 50
    s.tell("see_phase", 0, Phase.DAYTIME).flow(0, (10, 140, A, B, 7)).log((0, 10, Act.SETTLED))
    s.tell("see_limit_change", 20, A, "overdraft_limit", 0).tell("see_phase", 25, Phase.CLEARING_WINDOW)
    s.tell("see_bookings", [(1, A, PBC, 5, 0, "reversal"), (2, PBC, A, 5, 5, "penalty")])
    s.log((1, 30, Act.QUEUED, 0), (2, 40, Act.SETTLED, 5), (1, 40, Act.SETTLED, 0, Cause.PENALTY))
    assert s.broken() == set()
    s.entries(1, Act.SETTLED)["cause"] = Cause.RETURN
    assert s.broken() == {"no-overdraw"}


def test_the_central_bank_may_owe_any_amount(empty_stream: Any) -> None:
    s = empty_stream
    s.tell("see_bookings", [(0, PBC, A, 10**15, 5, "injection")]).log((0, 10, Act.SETTLED, 5))
    assert s.broken() == set()


@pytest.mark.parametrize("act", [Act.SETTLED, Act.REFUSED, Act.CANCELLED, Act.QUEUED, Act.MOVED_TO_HEAD])
def test_nothing_may_follow_a_final_act(day: Any, act: Act) -> None:
    refusal = Refusal.FUNDS if act == Act.REFUSED else 0
    day.log((0, 100, act, 7, Cause.NONE, refusal))
    assert day.broken() == {"one-final-state"}
    assert "payment 0 " in day.verdict().breaches[0]


def test_a_payment_that_settles_twice_in_one_piece_breaks_one_final_state(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 7)).log((0, 10, Act.SETTLED), (0, 10, Act.SETTLED))
    assert s.broken() == {"one-final-state"}


def test_a_payment_the_books_forget_breaks_one_final_state(day: Any) -> None:
    day.flow(10, (100, 1, A, B, 7))
    assert day.broken() == {"one-final-state"}
    assert day.broken(stopped=True) == set()


def test_a_payment_lost_on_its_way_out_of_the_outbox_breaks_one_final_state(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 7)).log((0, 10, Act.HELD))
    assert s.broken() == set()
    s.log((0, 20, Act.SUBMITTED))
    assert s.broken() == {"one-final-state"}
    s.log((0, 20, Act.SETTLED))
    assert s.broken() == set()


def test_a_later_payment_settling_first_breaks_queue_order(day: Any) -> None:
    first, second = day.entries(1, Act.SETTLED), day.entries(2, Act.SETTLED)
    first["sequence"], second["sequence"] = 2, 1
    assert day.broken() == {"queue-order"}
    day.discipline = Discipline.BYPASS
    assert day.broken() == set()


def test_an_arrival_passing_its_own_level_breaks_queue_order(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 101, A, B, 7), (11, 1, A, B, 7)).log((0, 10, Act.QUEUED), (1, 11, Act.SETTLED))
    assert s.broken() == {"queue-order"}
    s.discipline = Discipline.BYPASS
    assert s.broken() == set()


@pytest.mark.parametrize("discipline", [Discipline.FIFO, Discipline.BYPASS])
def test_a_lower_level_passing_a_higher_one_breaks_queue_order(empty_stream: Any, discipline: Discipline) -> None:
    s = empty_stream
    s.discipline = discipline
    s.flow(0, (10, 101, A, B, 6), (11, 1, A, B, 7)).log((0, 10, Act.QUEUED, 6), (1, 11, Act.QUEUED))
    assert s.broken() == set()
    s.log((1, 12, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == {"queue-order"}
    assert "level 6" in s.verdict().breaches[0]


def test_what_waited_in_an_earlier_piece_still_blocks(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 101, A, B, 6), (11, 1, A, B, 7)).log((0, 10, Act.QUEUED, 6))
    s.tell("see_balances", 10, np.array([100, 50, 0, 0]), 1).log((1, 11, Act.SETTLED))
    assert s.broken() == {"queue-order"}


def two_queued(s: Any) -> Any:
    return s.flow(0, (10, 101, A, B, 7), (11, 1, A, B, 7)).log((0, 10, Act.QUEUED), (1, 11, Act.QUEUED))


def test_a_move_to_the_head_counts(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((1, 12, Act.MOVED_TO_HEAD), (1, 12, Act.SETTLED, 7, Cause.MOVE))
    assert s.broken() == set()


def test_a_move_to_the_tail_counts(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((0, 12, Act.MOVED_TO_TAIL), (1, 12, Act.SETTLED, 7, Cause.MOVE))
    assert s.broken() == set()


def test_a_move_does_not_excuse_others(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((1, 12, Act.MOVED_TO_TAIL), (1, 12, Act.SETTLED, 7, Cause.MOVE))
    assert s.broken() == {"queue-order"}


def test_a_cancellation_ahead_counts(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((0, 12, Act.CANCELLED), (1, 12, Act.SETTLED, 7, Cause.CANCEL))
    assert s.broken() == set()


def test_a_change_of_level_counts(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((1, 12, Act.LEVEL_CHANGED, 6), (1, 12, Act.SETTLED, 6, Cause.MOVE))
    assert s.broken() == set()
    s.flow(2, (13, 1, A, B, 7)).log((2, 13, Act.SETTLED))
    assert s.broken() == {"queue-order"}


def test_a_changed_level_is_the_payments_own_from_then_on(empty_stream: Any) -> None:
    s = two_queued(empty_stream).log((1, 12, Act.LEVEL_CHANGED, 6))
    s.tell("see_balances", 12, np.array([100, 50, 0, 0]), 2).log((1, 13, Act.SETTLED, 7, Cause.MOVE))
    assert s.broken() == {"nothing-from-nothing"}


def test_a_queue_is_in_order_again_after_it_was_touched(empty_stream: Any) -> None:
    """A touched queue is followed singly until it is empty; then it is counted again."""
    s = two_queued(empty_stream).log((0, 12, Act.CANCELLED), (1, 12, Act.SETTLED, 7, Cause.CANCEL))
    s.tell("see_balances", 12, np.array([99, 51, 0, 0]), 0)
    s.flow(2, (20, 200, A, B, 7), (21, 1, A, B, 7)).log((2, 20, Act.QUEUED), (3, 21, Act.QUEUED))
    s.tell("see_balances", 21, np.array([99, 51, 0, 0]), 2)
    s.log((2, 30, Act.CANCELLED), (3, 30, Act.SETTLED, 7, Cause.CANCEL))
    assert s.broken() == set()


def held_queue(s: Any) -> Any:
    """A waits with a normal payment, because its debits are held."""
    s.tell("see_control", 5, A, True)
    return s.flow(0, (10, 1, A, B, 7)).log((0, 10, Act.QUEUED))


def test_levels_0_and_3_pass_an_account_under_control(empty_stream: Any) -> None:
    s = held_queue(empty_stream)
    s.flow(1, (11, 200, A, B, 1)).log((1, 11, Act.QUEUED, 1))
    s.tell("see_bookings", [(2, A, PBC, 1, 3, "same_city_net"), (3, A, PBC, 1, 0, "reversal")])
    s.log((2, 12, Act.SETTLED, 3), (3, 12, Act.SETTLED, 0))
    assert s.broken() == set()


def test_level_3_does_not_pass_level_0_under_control(empty_stream: Any) -> None:
    s = held_queue(empty_stream)
    s.tell("see_bookings", [(2, A, PBC, 200, 0, "reversal"), (3, A, PBC, 1, 3, "same_city_net")])
    s.log((2, 12, Act.QUEUED, 0), (3, 12, Act.SETTLED, 3))
    assert s.broken() == {"queue-order"}


def test_a_held_debit_that_settles_breaks_held_stay_held(empty_stream: Any) -> None:
    s = held_queue(empty_stream).log((0, 12, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == {"held-stay-held"}


def test_what_is_released_when_control_ends_is_in_order(empty_stream: Any) -> None:
    s = held_queue(empty_stream).tell("see_control", 12, A, False).log((0, 12, Act.SETTLED, 7, Cause.CONTROL))
    assert s.broken() == set()


def test_the_central_bank_clears_its_own_levels_under_control(empty_stream: Any) -> None:
    s = empty_stream.tell("see_control", 5, A, True).tell("see_bookings", [(0, A, PBC, 1, 2, "fee")])
    s.log((0, 10, Act.QUEUED, 2), (0, 20, Act.SETTLED, 2, Cause.RETURN))
    assert s.broken() == set()


def test_an_entry_earlier_than_the_one_before_breaks_log_in_time_order(day: Any) -> None:
    day.entries(1, Act.QUEUED)["time_ms"] = 23
    assert day.broken() == {"log-in-time-order"}


def test_an_entry_earlier_than_its_payment_breaks_log_in_time_order(day: Any) -> None:
    day.find("see_flow")[0]["time_ms"][0] = 11
    assert day.broken() == {"log-in-time-order"}


@pytest.mark.parametrize("phase", [Phase.PREPARATION, Phase.CUT_OFF, Phase.END_OF_DAY])
def test_an_arrival_settled_out_of_hours_breaks_settled_in_hours(empty_stream: Any, phase: Phase) -> None:
    s = empty_stream.tell("see_phase", 5, phase).flow(0, (10, 1, A, B, 7)).log((0, 10, Act.SETTLED))
    assert s.broken() == {"settled-in-hours"}


def test_the_central_banks_own_items_may_settle_at_cut_off(empty_stream: Any) -> None:
    s = empty_stream.tell("see_phase", 5, Phase.CUT_OFF).tell("see_bookings", [(0, A, PBC, 1, 2, "interest")])
    s.log((0, 10, Act.SETTLED, 2))
    assert s.broken() == set()


def test_queueing_in_the_clearing_window_breaks_settled_in_hours(empty_stream: Any) -> None:
    s = empty_stream.tell("see_phase", 5, Phase.CLEARING_WINDOW).flow(0, (10, 101, A, B, 7)).log((0, 10, Act.QUEUED))
    assert s.broken() == {"settled-in-hours"}


def test_a_special_session_takes_special_payments_only(empty_stream: Any) -> None:
    s = empty_stream.tell("see_phase", 5, Phase.DAYTIME, True).flow(0, (10, 1, A, B, 7, 0, True))
    s.log((0, 10, Act.SETTLED))
    assert s.broken() == set()
    s.flow(1, (11, 1, A, B, 7)).log((1, 11, Act.SETTLED))
    assert s.broken() == {"settled-in-hours"}


def test_a_payment_left_over_breaks_queue_empty_after_day(day: Any) -> None:
    returned = day.find("see_log", 2)
    returned[0] = returned[0][1:]
    day.find("end_of_day")[2] = 1
    assert day.broken() == {"queue-empty-after-day"}


def test_a_queue_only_the_books_know_breaks_queue_empty_after_day(day: Any) -> None:
    day.find("end_of_day")[2] = 1
    assert day.broken() == {"queue-empty-after-day", "counts-agree"}


def test_an_account_below_zero_at_night_breaks_no_overnight_overdraft(empty_stream: Any) -> None:
    s = empty_stream
    s.limits[A] = 10
    s.flow(0, (10, 101, A, B, 7)).log((0, 10, Act.SETTLED)).tell("end_of_day", 100, np.array([-1, 151, 0, 0]), 0)
    assert s.broken() == {"no-overnight-overdraft"}


@pytest.mark.parametrize(
    "entry",
    [(77, 100, Act.SETTLED), (-5, 100, Act.SETTLED), (2**60, 100, Act.QUEUED), (9, 100, Act.WARNING_RAISED)],
)
def test_an_entry_about_nothing_known_breaks_nothing_from_nothing(day: Any, entry: tuple[int, int, Act]) -> None:
    day.log(entry)
    assert day.broken() == {"nothing-from-nothing"}


def test_an_unknown_act_breaks_nothing_from_nothing(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 7)).log((0, 10, 0), (0, 10, 99), (0, 10, Act.SETTLED))
    assert s.broken() == {"nothing-from-nothing"}


def test_an_act_that_cannot_follow_breaks_nothing_from_nothing(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 7)).log((0, 10, Act.CANCELLED), (0, 10, Act.SETTLED))
    assert s.broken() == {"nothing-from-nothing"}


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_that_is_not_positive_breaks_nothing_from_nothing(empty_stream: Any, amount: int) -> None:
    s = empty_stream.flow(0, (10, amount, A, B, 7)).log((0, 10, Act.SETTLED))
    assert s.broken() == {"nothing-from-nothing"}


def test_another_level_than_the_payments_own_breaks_nothing_from_nothing(day: Any) -> None:
    day.entries(0, Act.SETTLED)["level"] = 1
    assert day.broken() == {"nothing-from-nothing"}


def test_a_sequence_announced_twice_breaks_nothing_from_nothing(day: Any) -> None:
    day.tell("see_bookings", [(3, PBC, A, 1, 5, "injection")])
    assert day.broken() == {"nothing-from-nothing"}


def test_a_loan_that_the_central_bank_does_not_pay_breaks_nothing_from_nothing(empty_stream: Any) -> None:
    s = empty_stream.tell("see_bookings", [(0, A, B, 1, 5, "penalty")]).log((0, 10, Act.SETTLED, 5))
    assert s.broken() == {"nothing-from-nothing"}


@pytest.mark.parametrize("row", [(10, 1, 9, B, 7), (10, 1, A, -1, 7), (10, 1, A, B, 8)])
def test_a_payment_between_nobody_breaks_nothing_from_nothing(empty_stream: Any, row: tuple[int, ...]) -> None:
    s = empty_stream.flow(0, row).log((0, 10, Act.QUEUED)).tell("see_balances", 10, np.array([100, 50, 0, 0]), 0)
    assert "nothing-from-nothing" in s.broken(stopped=True)


def test_what_had_to_be_refused_must_not_settle(day: Any) -> None:
    day.find("see_flow")[0]["refusal"][0] = Refusal.FORMAT
    assert day.broken() == {"refusals-hold"}


def test_a_payment_to_oneself_must_not_settle(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, A, 7)).log((0, 10, Act.SETTLED))
    assert s.broken() == {"refusals-hold"}


def test_a_refusal_without_a_reason_breaks_refusals_hold(day: Any) -> None:
    day.entries(6, Act.REFUSED)["refusal"] = Refusal.NONE
    assert day.broken() == {"refusals-hold"}


def test_the_outbox_is_no_settlement_queue(empty_stream: Any) -> None:
    """Held payments block nothing, are not counted, and keep their place only when they are submitted."""
    s = empty_stream.flow(0, (10, 60, A, B, 7), (11, 60, A, B, 7), (12, 1, A, B, 1))
    s.log((0, 10, Act.HELD), (1, 11, Act.HELD), (2, 12, Act.SETTLED, 1))
    s.tell("see_balances", 12, np.array([99, 51, 0, 0]), 0)
    s.log((0, 20, Act.SUBMITTED), (0, 20, Act.SETTLED), (1, 20, Act.SUBMITTED), (1, 20, Act.QUEUED))
    s.tell("see_balances", 20, np.array([39, 111, 0, 0]), 1)
    s.tell("see_limit_change", 30, A, "overdraft_limit", 100).log((1, 30, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == set()


def test_only_twenty_breaches_of_a_rule_are_told(empty_stream: Any) -> None:
    verdict = empty_stream.log(*[(k, 1, Act.SETTLED) for k in range(50)]).verdict()
    assert verdict.rules["nothing-from-nothing"] == 50
    assert len(verdict.breaches) == 20
    assert not verdict.passed
    assert "nothing-from-nothing (50)" in verdict.sentence()


def test_in_a_long_log_changes_hold_from_their_own_entry_on(empty_stream: Any) -> None:
    """150 000 entries told at once are cut into pieces; the limits told before them count from their times."""
    s = empty_stream
    count = 150_000
    s.opening[A], s.opening[B] = 5, 0
    times = np.arange(count)
    rows = np.zeros(count, s.flow(0, (0, 1, A, B, 7)).find("see_flow")[0].dtype)
    s.steps.clear()
    rows["time_ms"], rows["amount"], rows["level"] = times, 10, 7
    rows["debtor"], rows["creditor"] = times % 2, 1 - times % 2
    log = np.zeros(count, [(n, "i8") for n in ("sequence", "time_ms", "cause", "act", "refusal", "level")])
    log["sequence"], log["time_ms"], log["cause"], log["act"], log["level"] = times, times, -1, Act.SETTLED, 7
    s.tell("see_flow", rows, 0).tell("see_limit_change", -1, A, "overdraft_limit", 5)
    s.tell("see_limit_change", 100_001, A, "overdraft_limit", 4)
    s.tell("see_limit_change", 100_003, A, "overdraft_limit", 5).tell("see_log", log)
    verdict = s.verdict()
    assert {rule for rule, broken in verdict.rules.items() if broken} == {"no-overdraw"}
    assert verdict.rules["no-overdraw"] == 1
    assert "payment 100002 " in verdict.breaches[0]
