"""The national population: classes, codes, names and sizes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cnaps_sim.words.bank_code import is_valid
from cnaps_sim.words.participant_kinds import ParticipantKind as Kind
from cnaps_sim.workload.population import HEAD_OFFICES, account_rows, national_accounts


def test_the_320_accounts_have_their_classes() -> None:
    assert Counter(national_accounts().kind) == {
        Kind.STATE: 6,
        Kind.POLICY: 3,
        Kind.JOINT_STOCK: 12,
        Kind.CITY: 130,
        Kind.RURAL: 60,
        Kind.FOREIGN: 40,
        Kind.FINANCE: 59,
        Kind.SPECIAL: 10,
    }


def test_twice_as_many_accounts_are_twice_as_many_of_each_class() -> None:
    assert Counter(national_accounts(640).kind)[Kind.CITY] == 260


@pytest.mark.parametrize("count", [2, 10, 33, 320, 1_737])
def test_every_account_has_a_valid_code_of_its_own(count: int) -> None:
    accounts = national_accounts(count)
    assert len(accounts) == len(set(accounts.account)) == len(set(accounts.name)) == count
    assert all(is_valid(code) for code in accounts.account)


def test_the_sixteen_published_head_offices_are_among_them_by_name() -> None:
    named = dict(zip(national_accounts().account, national_accounts().name, strict=True))
    assert sum(len(offices) for offices in HEAD_OFFICES.values()) == 16
    for offices in HEAD_OFFICES.values():
        for code, chinese, english in offices:
            assert named[code] == f"{chinese} / {english}"


def test_a_made_up_account_says_so_in_its_area() -> None:
    accounts = national_accounts()
    place = accounts.name.index("城市商业银行 017 / City bank 017")
    assert accounts.account[place].startswith("3130000")


def test_sizes_fall_from_the_state_banks_on() -> None:
    accounts = national_accounts()
    assert (np.diff(accounts.size) < 0).all()
    assert list(dict.fromkeys(accounts.kind))[:3] == [Kind.STATE, Kind.JOINT_STOCK, Kind.POLICY]


def test_nothing_in_a_population_is_drawn_by_chance() -> None:
    assert national_accounts().account == national_accounts().account
    assert (national_accounts().size == national_accounts().size).all()


@pytest.mark.parametrize(("count", "exponent"), [(1, 1.2), (10_000, 1.2), (320, 0.0), (320, float("nan"))])
def test_impossible_populations_are_refused(count: int, exponent: float) -> None:
    with pytest.raises(ValueError, match=r"population|exponent"):
        national_accounts(count, exponent)


def test_a_population_becomes_account_rows_with_balances_in_fen() -> None:
    rows = account_rows(national_accounts(10), range(10))
    assert [row["balance"] for row in rows] == list(range(10))
    assert rows[0]["owner"] == rows[0]["account"]
    assert rows[0]["kind"] == national_accounts(10).kind[0].value
    assert rows[0]["status"] == "AS01"
