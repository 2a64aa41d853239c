"""One account on its own: what it can spend and what it holds back."""

from __future__ import annotations

from typing import Any

import pytest

from cnaps_sim.reference.account import NEVER, Account
from cnaps_sim.words.codes import Level, Life, Phase, Refusal

DAYTIME, WINDOW = Phase.DAYTIME, Phase.CLEARING_WINDOW


def account(**terms: Any) -> Account:
    return Account(0, terms)


def test_an_account_without_terms_is_open_logged_in_and_empty() -> None:
    a = account()
    assert (a.balance, a.overdraft_limit, a.earmark, a.floor) == (0, 0, 0, 0)
    assert (a.life, a.logged_in, a.held, a.bookable) == (Life.OPEN, True, False, True)
    assert (a.warning_line, a.hold_until_ms, a.warned) == (NEVER, NEVER, False)
    assert (a.lowest_balance, a.lowest_available) == (0, 0)


def test_each_part_of_available_counts_for_its_levels() -> None:
    a = account(balance=1000, earmark=100, floor=20, overdraft_limit=50, reserved_high=7, reserved_urgent=3)
    assert [a.available(level, DAYTIME) for level in Level] == [930, 930, 923, 923, 1030, 923, 923, 920]


def test_in_the_clearing_window_only_levels_0_and_1_have_credit() -> None:
    a = account(balance=1000, overdraft_limit=50)
    assert [a.available(level, WINDOW) for level in Level] == [1050, 1050, 1000, 1000, 1000, 1000, 1000, 1000]
    assert a.unreserved() == 1050


def test_the_central_bank_keeps_its_credit_in_the_clearing_window() -> None:
    a = account(central_bank=True, overdraft_limit=50)
    assert [a.credit(level, WINDOW) for level in Level] == [50] * 8


@pytest.mark.parametrize(("amount", "used"), [(0, 0), (60, 0), (61, 1), (100, 40)])
def test_a_net_takes_from_the_earmark_what_free_money_does_not_cover(amount: int, used: int) -> None:
    assert account(balance=100, earmark=40).earmark_used(amount, DAYTIME) == used


def test_no_free_money_is_never_less_than_none() -> None:
    assert account(balance=0, earmark=40).earmark_used(10, DAYTIME) == 10


def test_only_reversals_and_same_city_nets_pass_a_hold() -> None:
    for a in (account(debit_control=True), account(life=Life.FROZEN)):
        assert [level for level in Level if not a.holds(level)] == [Level.REVERSAL, Level.SAME_CITY_NET]
    assert not any(account(credit_control=True).holds(level) for level in Level)


def test_a_credit_is_refused_by_life_before_control_and_by_control_for_participants_only() -> None:
    assert account(life=Life.CLOSED, credit_control=True).refuses_credit(Level.NORMAL) == Refusal.CLOSED_ACCOUNT
    assert account(life=Life.TO_OPEN).refuses_credit(Level.ROUND_NET) == Refusal.CLOSED_ACCOUNT
    controlled = account(credit_control=True)
    refusing = [level for level in Level if controlled.refuses_credit(level)]
    assert refusing == [Level.URGENT, Level.HIGH, Level.NORMAL]
    assert not account(life=Life.FROZEN).refuses_credit(Level.NORMAL)
    assert not account(life=Life.TO_CLOSE).refuses_credit(Level.NORMAL)
