"""Codes: the enumerations agree with the rules and with one another."""

from __future__ import annotations

import pytest

from cnaps_sim.words.business_types import SPECIAL_SESSION_TYPES, BusinessType
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Answer, Cause, Level, Phase, Priority, Reason, Refusal

PRECEDENCE = [
    Refusal.FORMAT,
    Refusal.DUPLICATE,
    Refusal.NO_BOOK,
    Refusal.CLOSED_ACCOUNT,
    Refusal.SELF_PAYMENT,
    Refusal.AMOUNT,
    Refusal.OUT_OF_HOURS,
    Refusal.LOGGED_OUT,
    Refusal.CREDIT_CONTROL,
    Refusal.DEBIT_CONTROL,
    Refusal.FUNDS,
]


#: Refusals of the netting server and of the banks behind it, with the reason that each gives.
RETAIL = {
    Refusal.PAYER_BANK: Reason.RJ92,
    Refusal.PAYEE_BANK: Reason.RJ95,
    Refusal.NO_ORIGINAL: Reason.RJ91,
    Refusal.ANSWERED: Reason.RJ91,
    Refusal.TIMED_OUT: Reason.RJ90,
    Refusal.CAP: Reason.RJ94,
    Refusal.CAP_QUEUE_CLOSED: Reason.RJ94,
    Refusal.STOPPED: None,
    Refusal.UNANSWERED: None,
}


def test_refusals_are_numbered_in_their_order_of_precedence() -> None:
    """Format, duplicate, unknown or closed account, self-payment, amount, phase, credit control, then funds."""
    assert sorted(PRECEDENCE) == PRECEDENCE
    assert set(Refusal) - set(PRECEDENCE) - set(RETAIL) == {Refusal.NONE, Refusal.END_OF_DAY}
    assert min(Refusal) is Refusal.NONE


@pytest.mark.parametrize(
    ("refusal", "iso"),
    [
        (Refusal.FORMAT, "FF01"),
        (Refusal.DUPLICATE, "AM05"),
        (Refusal.CLOSED_ACCOUNT, "AC04"),
        (Refusal.SELF_PAYMENT, "RC01"),
        (Refusal.OUT_OF_HOURS, "TM01"),
        (Refusal.LOGGED_OUT, "TM01"),
        (Refusal.CREDIT_CONTROL, "AC06"),
        (Refusal.FUNDS, "AM04"),
        (Refusal.END_OF_DAY, "AM04"),
    ],
)
def test_each_refusal_has_its_iso_reason(refusal: Refusal, iso: str) -> None:
    assert refusal.iso == iso


def test_only_a_return_at_the_end_of_the_day_is_rj99() -> None:
    assert [refusal for refusal in Refusal if refusal.reason is Reason.RJ99] == [Refusal.END_OF_DAY]
    assert {refusal.reason for refusal in PRECEDENCE} == {Reason.RJ90}


def test_a_retail_refusal_says_whose_it_is() -> None:
    assert {refusal: refusal.reason for refusal in RETAIL} == RETAIL
    assert (Refusal.CAP.iso, Refusal.TIMED_OUT.iso) == ("AM23", "AB05")


def test_every_refusal_and_every_answer_can_be_said_in_words() -> None:
    assert all(refusal.sentence for refusal in Refusal)
    without = (Refusal.NONE, Refusal.STOPPED, Refusal.UNANSWERED)
    assert all(len(refusal.iso) == (0 if refusal in without else 4) for refusal in Refusal)
    assert all(answer.sentence for answer in Answer)


def test_the_eight_levels_stand_from_0_to_7_and_a_net_is_not_the_highest() -> None:
    assert [level.value for level in Level] == list(range(8))
    assert Level.ROUND_NET.value == 4


def test_participants_send_at_levels_1_6_and_7_by_priority() -> None:
    assert {priority.value: priority.level.value for priority in Priority} == {"URGT": 1, "HIGH": 6, "NORM": 7}
    assert set(HVPS_LEVELS) == {priority.level for priority in Priority}
    assert [Priority.of(level) for level in (0, 2, 3, 4, 5)] == [None] * 5
    assert all(Priority.of(priority.level) is priority for priority in Priority)


def test_the_phases_of_a_day_follow_one_another_by_number() -> None:
    assert [phase.value for phase in Phase] == [0, 10, 20, 30, 40]
    assert [phase.chinese for phase in Phase] == ["营业准备", "日间", "业务截止", "清算窗口", "日终"]


def test_a_cause_is_negative_so_that_it_is_never_a_payment() -> None:
    assert all(cause < 0 for cause in Cause)
    assert Cause.NONE.word is None
    words = {cause.word for cause in Cause if cause is not Cause.NONE}
    assert words == {
        "limit",
        "control",
        "cancel",
        "move",
        "return",
        "injection",
        "penalty",
        "pool",
        "pledge",
        "loan",
        "round",
    }


def test_codes_that_the_books_store_are_distinct_and_fit_a_byte() -> None:
    for codes in (Refusal, Act, Answer, Cause, Level, Phase):
        numbers = [int(code) for code in codes]
        assert len(set(numbers)) == len(numbers)
        assert all(-128 <= number <= 127 for number in numbers)


def test_business_types_have_distinct_codes_of_four_and_a_chinese_term() -> None:
    codes = [kind.code for kind in BusinessType]
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 4 for code in codes)
    assert all(kind.english and not kind.chinese.isascii() for kind in BusinessType)


def test_a_special_session_takes_cips_funding_and_interbank_lending_only() -> None:
    assert {"CIPS", "LEND"} == SPECIAL_SESSION_TYPES
