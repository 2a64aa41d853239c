"""The auditor of the stream judges what matchings settle as one, and finds each damage by the name of its rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit import stream as stream_module
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Cause, Discipline, Phase

A, B, C, PBC = range(4)


def by(matching: int) -> int:
    return MATCHING_CAUSE - matching


def ring(s: Any, matching: int = 1, **of_matching: Any) -> Any:
    """Nobody but A has money, 10 go round by matching; A has a second payment behind its first."""
    s.opening[:3] = 4, 0, 0
    s.of_matching = {"sequence_kept": True, **of_matching}
    s.flow(0, (10, 10, A, B, 7), (11, 4, A, C, 7), (12, 10, B, C, 6), (13, 3, B, A, 7), (14, 10, C, A, 7))
    s.log(*((k, 10 + k, Act.QUEUED, 6 if k == 2 else 7) for k in range(5)))
    return s.log(
        *((k, 20, Act.SETTLED, 6 if k == 2 else 7, by(matching)) for k in (0, 1, 2, 4)),
        (A, 20, Act.WARNING_RAISED, 0),
    )


def in_the_ring(s: Any, sequence: int) -> Any:
    """The entry about a payment that the matching of the ring settled."""
    return s.entries(sequence, Act.SETTLED)


def test_what_a_matching_settles_may_pass_below_zero_on_the_way(empty_stream: Any) -> None:
    s = ring(empty_stream).tell("see_balances", 20, np.array([0, 0, 4, 0]), 1)
    verdict = s.verdict(stopped=True)
    assert verdict.passed, verdict.breaches
    assert {"matching-in-one-piece", "matching-takes-waiting", "matching-keeps-order"} <= set(verdict.rules)
    assert "limits-kept" not in verdict.rules


def test_one_by_one_the_same_payments_break_no_overdraw(empty_stream: Any) -> None:
    s = ring(empty_stream)
    for sequence in (0, 1, 2, 4):
        in_the_ring(s, sequence)["cause"] = Cause.LIMIT
    assert s.broken() == {"no-overdraw"}


def test_an_account_that_ends_a_matching_below_zero_breaks_no_overdraw_once(empty_stream: Any) -> None:
    s = ring(empty_stream)
    s.opening[A] = 3
    verdict = s.verdict()
    assert verdict.rules["no-overdraw"] == 1
    assert "matching 1 at 00:00:00.020 leaves A with -0.01 CNY" in verdict.breaches[0]
    s.limits[A] = 1
    assert s.broken() == set()
    s.steps.insert(0, ("see_phase", [0, Phase.DAYTIME]))
    s.steps.insert(3, ("see_phase", [15, Phase.CLEARING_WINDOW]))
    assert s.broken() == {"no-overdraw"}


def test_a_sender_must_be_above_zero_afterwards_a_mere_receiver_need_not(empty_stream: Any) -> None:
    s = ring(empty_stream)
    s.opening[C] = -4  # it sends 10 and receives 14
    assert s.broken() == set()
    s.opening[C] = -5
    assert s.broken() == {"no-overdraw"}
    s.opening[:3] = 14, 0, -50
    s.find("see_log", 1)[0] = s.find("see_log", 1)[0][:3]
    assert s.broken() == set()


def test_however_the_log_is_cut_a_matching_stays_in_one_piece(empty_stream: Any, monkeypatch: Any) -> None:
    s = ring(empty_stream)
    cut = []
    for method, arguments in s.steps:
        if method == "see_log":
            cut.extend(("see_log", [arguments[0][k : k + 1]]) for k in range(len(arguments[0])))
        else:
            cut.append((method, arguments))
    s.steps = cut
    for stretch in (1, 2, 3, 5, 7):
        monkeypatch.setattr(stream_module, "STRETCH", stretch)
        assert s.broken() == set()


def test_a_change_told_while_a_matching_is_kept_back_counts_after_it(empty_stream: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream_module, "STRETCH", 1)
    s = ring(empty_stream).tell("see_limit_change", 30, C, "floor", 4).flow(5, (40, 1, C, A, 7))
    s.log((5, 40, Act.SETTLED))
    assert s.broken() == {"no-overdraw"}
    s.find("see_limit_change")[3] = 3
    assert s.broken() == set()


def test_numbers_begin_at_one(empty_stream: Any) -> None:
    assert "matching-in-one-piece" in ring(empty_stream, matching=0).broken()


def test_a_warning_inside_a_matching_breaks_matching_in_one_piece(empty_stream: Any) -> None:
    s = ring(empty_stream)
    log = s.find("see_log", 1)
    log[0] = log[0][[0, 4, 1, 2, 3]]
    assert s.broken() == {"matching-in-one-piece"}


def test_a_matching_at_two_instants_breaks_matching_in_one_piece(empty_stream: Any) -> None:
    s = ring(empty_stream)
    s.find("see_log", 1)[0]["time_ms"][3:] = 21
    assert s.broken() == {"matching-in-one-piece"}


def test_an_act_other_than_settling_breaks_matching_in_one_piece(empty_stream: Any) -> None:
    s = ring(empty_stream).log((3, 30, Act.CANCELLED, 7, by(2)))
    assert s.broken() == {"matching-in-one-piece"}


def test_falling_numbers_break_matching_in_one_piece(empty_stream: Any) -> None:
    s = ring(empty_stream, matching=7).tell("see_balances", 20, np.array([9, 0, 4, 0]), 1)
    s.flow(5, (30, 9, A, B, 7)).log((5, 30, Act.QUEUED))
    s.log((5, 40, Act.SETTLED, 7, by(8)), (3, 40, Act.SETTLED, 7, by(9)))
    s.opening[A] = 13
    assert s.broken() == set()
    for earlier in (7, 6):
        s.entries(5, Act.SETTLED)["cause"] = by(earlier)
        assert s.broken() == {"matching-in-one-piece"}
    s.entries(5, Act.SETTLED)["cause"] = by(9)
    assert s.broken() == set()


def test_a_matching_that_settles_an_arrival_breaks_matching_takes_waiting(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 7)).log((0, 10, Act.SETTLED, 7, by(1)))
    assert s.broken() == {"matching-takes-waiting"}


def test_a_matching_that_settles_an_urgent_payment_breaks_matching_takes_waiting(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 1, A, B, 1)).log((0, 10, Act.QUEUED, 1), (0, 20, Act.SETTLED, 1, by(1)))
    assert s.broken() == {"matching-takes-waiting"}


def test_a_matching_does_not_pass_what_waits_above_it(empty_stream: Any) -> None:
    """A sender with something at levels 0-5 takes no part, unless it came while the matching was under way."""
    s = ring(empty_stream).flow(5, (15, 500, A, B, 1)).log((5, 15, Act.QUEUED, 1))
    s.steps[2:] = [*s.steps[3:], s.steps[2]]
    assert s.broken() == {"queue-order"}
    s.of_matching["matching_ms"] = 5
    assert s.broken() == set()


def test_a_held_account_sends_nothing_in_a_matching(empty_stream: Any) -> None:
    s = ring(empty_stream)
    s.steps.insert(2, ("see_control", [15, B, True]))
    assert s.broken() == {"held-stay-held"}
    assert s.verdict().rules["held-stay-held"] == 1


@pytest.mark.parametrize("discipline", [Discipline.FIFO, Discipline.BYPASS])
def test_a_payment_left_out_breaks_matching_keeps_order(empty_stream: Any, discipline: Discipline) -> None:
    """A's first payment stays while its second leaves."""
    s = ring(empty_stream)
    s.discipline = discipline
    s.opening[:3] = 4, 10, 0
    log = s.find("see_log", 1)
    log[0] = log[0][1:4]
    verdict = s.verdict(stopped=True)
    assert verdict.rules["matching-keeps-order"] == sum(verdict.rules.values()) == 1
    assert "left out payment 0" in verdict.breaches[0]
    s.of_matching["matching_ms"] = 5
    assert s.broken() == set()
    s.of_matching = {}
    assert s.broken() == set()


@pytest.mark.parametrize("discipline", [Discipline.FIFO, Discipline.BYPASS])
def test_a_payment_of_level_6_left_out_breaks_matching_keeps_order(empty_stream: Any, discipline: Discipline) -> None:
    """B's payment of level 6 stays while its payment of level 7 leaves."""
    s = ring(empty_stream)
    s.discipline = discipline
    s.opening[C] = 6
    in_the_ring(s, 2)["level"] = 7
    in_the_ring(s, 2)["sequence"] = 3
    verdict = s.verdict(stopped=True)
    assert verdict.rules["matching-keeps-order"] == sum(verdict.rules.values()) == 1
    assert "left 1 waiting at level 6" in verdict.breaches[0]
    s.of_matching = {}
    assert s.broken() == set()


@pytest.mark.parametrize("discipline", [Discipline.FIFO, Discipline.BYPASS])
def test_the_order_inside_a_matching_does_not_matter(empty_stream: Any, discipline: Discipline) -> None:
    s = ring(empty_stream)
    s.opening[A] = 8
    s.discipline = discipline
    log = s.find("see_log", 1)
    more = s.log((3, 20, Act.SETTLED, 7, by(1))).steps.pop()[1][0]
    log[0] = np.concatenate([more, log[0]])[[0, 2, 4, 1, 3, 5]]
    assert s.broken() == {"no-overdraw"}  # B had only 10 to send
    s.opening[B] = 3
    assert s.broken() == set()


@pytest.mark.parametrize("discipline", [Discipline.FIFO, Discipline.BYPASS])
def test_an_overtaken_payment_still_waits_at_the_head(empty_stream: Any, discipline: Discipline) -> None:
    """A matching that leaves out A's first payment leaves it ahead of all later ones."""
    s = empty_stream
    s.discipline = discipline
    s.flow(0, *((10 + k, 60, A, B, 7) for k in range(4))).log(*((k, 10 + k, Act.QUEUED) for k in range(4)))
    s.tell("see_balances", 15, np.array([100, 50, 0, 0]), 4)
    s.log((2, 20, Act.SETTLED, 7, by(1)))
    s.tell("see_balances", 20, np.array([40, 110, 0, 0]), 3)
    s.tell("see_limit_change", 30, A, "overdraft_limit", 200)
    s.log((0, 30, Act.SETTLED, 7, Cause.LIMIT), (1, 30, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == set()
    s.log((3, 31, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == set()
    s.find("see_log", 2)[0]["sequence"] = 1, 0
    assert s.broken() == (set() if discipline == Discipline.BYPASS else {"queue-order"})


def test_after_a_matching_that_keeps_order_the_queue_is_counted_again(empty_stream: Any) -> None:
    s = ring(empty_stream).log((3, 25, Act.CANCELLED, 7))
    s.flow(5, (30, 50, A, B, 7), (31, 60, A, B, 7)).log((5, 30, Act.QUEUED), (6, 31, Act.QUEUED))
    s.tell("see_limit_change", 40, A, "overdraft_limit", 200)
    s.log((5, 40, Act.SETTLED, 7, Cause.LIMIT), (6, 40, Act.SETTLED, 7, Cause.LIMIT))
    assert s.broken() == set()
    s.find("see_log", 4)[0]["sequence"] = 6, 5
    assert s.broken() == {"queue-order"}


# bilateral limits -----------------------------------------------------------------------------------------------


def limited(s: Any, *limits: tuple[int, int, int]) -> Any:
    s.of_matching = {"limits": limits}
    return s


def test_more_than_the_bilateral_limit_breaks_limits_kept(empty_stream: Any) -> None:
    s = limited(empty_stream, (A, B, 30), (B, A, 100))
    s.flow(0, (10, 30, A, B, 7), (11, 5, B, A, 6), (12, 5, A, B, 7), (13, 1, A, B, 7)).log(
        (0, 10, Act.SETTLED), (1, 11, Act.SETTLED, 6), (2, 12, Act.SETTLED)
    )
    verdict = s.verdict(stopped=True)
    assert verdict.passed, verdict.breaches
    assert "limits-kept" in verdict.rules
    s.tell("see_balances", 12, np.array([70, 80, 0, 0]), 0).log((3, 13, Act.SETTLED))
    assert s.broken() == {"limits-kept"}
    assert "brings what A has paid B to 0.31 CNY net, limit 0.30" in s.verdict().breaches[0]


def test_other_levels_and_other_pairs_are_not_limited(empty_stream: Any) -> None:
    s = limited(empty_stream, (A, B, 0), (PBC, C, 0))
    s.flow(0, (10, 30, A, B, 1), (11, 30, A, C, 7), (12, 3, B, C, 7)).log(
        (0, 10, Act.SETTLED, 1), (1, 11, Act.SETTLED), (2, 12, Act.SETTLED)
    )
    assert s.broken() == set()


def test_a_new_day_begins_with_nothing_paid(empty_stream: Any) -> None:
    s = limited(empty_stream, (A, B, 30))
    s.flow(0, (10, 30, A, B, 7), (200, 30, A, B, 7)).log((0, 10, Act.SETTLED))
    s.tell("end_of_day", 100, np.array([70, 80, 0, 0]), 0).log((1, 200, Act.SETTLED))
    assert s.broken() == set()
    s.steps = [step for step in s.steps if step[0] != "end_of_day"]
    assert s.broken() == {"limits-kept"}


def test_what_is_paid_back_counts_below_zero(empty_stream: Any) -> None:
    s = limited(empty_stream, (A, B, 0), (B, A, 60))
    s.flow(0, (10, 50, B, A, 7), (11, 50, A, B, 7)).log((0, 10, Act.SETTLED), (1, 11, Act.SETTLED))
    assert s.broken() == set()
    s.find("see_flow")[0]["time_ms"] = 11, 10
    log = s.find("see_log")[0]
    log["sequence"] = 1, 0
    assert s.broken() == {"limits-kept"}


def test_a_matching_keeps_limits_when_all_of_it_is_paid(empty_stream: Any) -> None:
    """A pays B 10 and is paid 3 later in the same matching."""
    s = ring(empty_stream, limits=[(A, B, 7), (B, A, 0)])
    more = s.log((3, 20, Act.SETTLED, 7, by(1))).steps.pop()[1][0]
    log = s.find("see_log", 1)
    log[0] = np.concatenate([log[0][:3], more, log[0][3:]])
    s.opening[B] = 3
    assert s.broken() == set()
    s.of_matching["limits"] = [(A, B, 6)]
    assert s.broken() == {"limits-kept"}
    for sequence in (0, 1, 2, 3, 4):
        in_the_ring(s, sequence)["cause"] = Cause.LIMIT
    s.of_matching["limits"] = [(A, B, 7)]
    assert "limits-kept" in s.broken()


# bilateral limits in the course of the day ------------------------------------------------------------------------


def test_a_limit_that_comes_during_the_day_counts_from_then_on(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 20, A, B, 7), (20, 10, A, B, 7), (30, 1, A, B, 7)).log((0, 10, Act.SETTLED))
    assert "limits-kept" not in s.verdict(stopped=True).rules
    s.tell("see_bilateral_limit", 15, A, B, 10).log((1, 20, Act.SETTLED))
    verdict = s.verdict(stopped=True)
    assert verdict.passed, verdict.breaches
    assert "limits-kept" in verdict.rules
    s.log((2, 30, Act.SETTLED))
    assert s.broken() == {"limits-kept"}
    assert "to 0.11 CNY net, limit 0.10" in s.verdict().breaches[0]


def test_a_limit_that_was_never_used_is_a_rule_all_the_same(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 20, A, B, 7)).log((0, 10, Act.SETTLED)).tell("see_bilateral_limit", 15, A, B, 0)
    assert s.broken() == set()
    assert "limits-kept" in s.verdict().rules


def test_a_change_holds_from_the_entry_at_which_it_came(empty_stream: Any) -> None:
    """All in one stretch: up to 30, then 10, then without end, then 41, for the whole day; beside it another pair."""
    s = limited(empty_stream, (A, B, 30), (B, C, 0))
    s.flow(0, (10, 25, A, B, 7), (20, 5, B, A, 7), (30, 20, A, B, 6), (40, 1, A, B, 7), (41, 1, A, C, 7))
    s.log((0, 10, Act.SETTLED)).tell("see_bilateral_limit", 10, A, B, 10).log((1, 20, Act.SETTLED))
    s.tell("see_bilateral_limit", 25, A, B, None).log((2, 30, Act.SETTLED, 6))
    s.tell("see_bilateral_limit", 35, A, B, 41).tell("see_bilateral_limit", 35, A, C, 1)
    s.log((3, 40, Act.SETTLED), (4, 41, Act.SETTLED))
    assert s.broken() == set()
    for number, fen in ((1, 19), (2, 40), (3, 0)):
        limit = s.find("see_bilateral_limit", number)
        right, limit[3] = limit[3], fen
        assert s.broken() == {"limits-kept"}, number
        limit[3] = right
    assert s.broken() == set()


def test_a_removed_limit_goes_on_counting_until_the_day_ends(empty_stream: Any) -> None:
    s = limited(empty_stream, (A, B, 30))
    s.flow(0, (10, 40, A, B, 7), (30, 1, A, B, 7)).tell("see_bilateral_limit", 5, A, B, None).log((0, 10, Act.SETTLED))
    s.tell("end_of_day", 20, np.array([60, 90, 0, 0]), 0)
    s.tell("see_bilateral_limit", 25, A, B, 30).log((1, 30, Act.SETTLED))
    assert s.broken() == set()
    s.steps = [step for step in s.steps if step[0] != "end_of_day"]
    assert s.broken() == {"limits-kept"}


def test_ending_a_limit_that_never_was_is_nothing(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 20, A, B, 7)).tell("see_bilateral_limit", 5, A, B, None).log((0, 10, Act.SETTLED))
    assert s.broken() == set()
    assert "limits-kept" not in s.verdict().rules


# multilateral limits ----------------------------------------------------------------------------------------------

ANYBODY = -2


def test_more_than_the_multilateral_limit_breaks_limits_kept(empty_stream: Any) -> None:
    """A pays B 20 and C 15, and is paid 5 by C: 30 net to all others."""
    s = limited(empty_stream, (A, ANYBODY, 30), (A, B, 20))
    s.opening[C] = 5
    s.flow(0, (10, 20, A, B, 7), (11, 5, C, A, 6), (12, 15, A, C, 7), (13, 1, A, C, 7)).log(
        (0, 10, Act.SETTLED), (1, 11, Act.SETTLED, 6), (2, 12, Act.SETTLED)
    )
    verdict = s.verdict(stopped=True)
    assert verdict.passed, verdict.breaches
    s.log((3, 13, Act.SETTLED))
    assert s.broken() == {"limits-kept"}
    assert "brings what A has paid all others to 0.31 CNY net, limit 0.30" in s.verdict().breaches[0]


def test_a_multilateral_limit_binds_one_account_and_may_come_during_the_day(empty_stream: Any) -> None:
    s = empty_stream.flow(0, (10, 20, A, B, 7), (20, 10, A, C, 7), (30, 40, C, B, 7)).log((0, 10, Act.SETTLED))
    s.opening[C] = 40
    s.tell("see_bilateral_limit", 15, A, ANYBODY, 10).log((1, 20, Act.SETTLED), (2, 30, Act.SETTLED))
    assert s.broken() == set()
    s.find("see_bilateral_limit")[3] = 9
    assert s.broken() == {"limits-kept"}
