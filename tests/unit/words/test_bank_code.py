"""Bank codes: the check digit, tried on the head-office codes of sixteen banks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.bank_code import check_digit, is_valid, with_check_digit

REAL_CODES = {
    "ICBC": "102100099996",
    "ABC": "103100000026",
    "BOC": "104100000004",
    "CCB": "105100000017",
    "BoCom": "301290000007",
    "CITIC": "302100011000",
    "CEB": "303100000006",
    "HXB": "304100040000",
    "CMBC": "305100000013",
    "CGB": "306581000003",
    "PAB": "307584007998",
    "CMB": "308584000013",
    "CIB": "309391000011",
    "SPDB": "310290000013",
    "BOB": "313100000013",
    "PSBC": "403100000004",
}
bodies = st.text("0123456789", min_size=11, max_size=11)


@pytest.mark.parametrize("code", REAL_CODES.values(), ids=REAL_CODES)
def test_the_code_of_a_real_head_office_is_valid(code: str) -> None:
    assert is_valid(code)
    assert check_digit(code[:11]) == code[11]
    assert with_check_digit(code[:11]) == code


@given(bodies)
def test_exactly_one_of_ten_check_digits_is_valid(body: str) -> None:
    assert [digit for digit in "0123456789" if is_valid(body + digit)] == [check_digit(body)]


@given(bodies, st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, place: int, change: int) -> None:
    code = with_check_digit(body)
    wrong = code[:place] + str((int(code[place]) + change) % 10) + code[place + 1 :]
    assert not is_valid(wrong)


@pytest.mark.parametrize(
    "code", ["", "10210009999", "1021000999960", "10210009999X", " 102100099996", "102100099996\n"]
)
def test_what_is_not_twelve_digits_is_not_valid(code: str) -> None:
    assert not is_valid(code)


def test_digits_of_other_scripts_are_no_digits() -> None:
    assert not is_valid("１０２１０００９９９９６")


@pytest.mark.parametrize("body", ["", "1021000999", "102100099996", "1021000999a", "-1021000999"])
def test_a_check_digit_needs_eleven_digits(body: str) -> None:
    with pytest.raises(ValueError, match="not eleven digits"):
        check_digit(body)
    with pytest.raises(ValueError, match="not eleven digits"):
        with_check_digit(body)
