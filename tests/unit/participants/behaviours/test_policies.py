"""Bundled policies: each names its source, scenarios offer exactly its parameters, and what it plans for a date."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import get_args

import pytest

from cnaps_sim.participants.behaviours import POLICIES, FreeRider, KeepReserve, ReceiptReactive, Split, Throughput
from cnaps_sim.participants.behaviours.costs import delay_cost, failure_cost, liquidity_cost, penalty_cost
from cnaps_sim.participants.behaviours.custom import read_parameters
from cnaps_sim.participants.behaviours.plan import NEVER
from cnaps_sim.scenario.behaviours import Behaviour, Follows
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_MINUTE, parse_clock

DAY = Timetable(dt.date(2025, 6, 17), 2, Calendar()).business_days[1]


def models() -> dict[str, type[Follows]]:
    """The model of each policy in a scenario; that of own policies is left out."""
    union = get_args(Behaviour)[0]
    of_each = [get_args(part)[0] for part in get_args(union)]
    names = [get_args(model.model_fields["policy"].annotation) for model in of_each]
    return {name[0]: model for name, model in zip(names, of_each, strict=True) if name}


def test_scenarios_offer_every_policy_with_its_parameters_and_defaults() -> None:
    assert list(models()) == list(POLICIES)
    for name, policy in POLICIES.items():
        told = {key: field.default for key, field in models()[name].model_fields.items()}
        own = {field.name: field.default for field in dataclasses.fields(policy) if field.init}  # type: ignore[arg-type]
        required = {key for key, default in own.items() if default is dataclasses.MISSING}
        assert set(told) == set(own) | {"banks", "policy"}
        assert {key: told[key] for key in set(own) - required} == {key: own[key] for key in set(own) - required}


def test_every_policy_says_what_it_does_in_two_languages_and_where_it_comes_from() -> None:
    for name, policy in POLICIES.items():
        assert policy.name == name
        assert policy.summary()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in policy.chinese)
        assert len(policy.reference) > 20


def test_a_bank_gives_up_half_an_hour_before_cut_off_unless_it_says_when_or_never() -> None:
    assert KeepReserve().plan(DAY, 0).until_ms == DAY.cut_off_ms - 30 * MS_PER_MINUTE
    noon = KeepReserve(until=parse_clock("12:00")).plan(DAY, 0)
    assert (noon.until_ms, noon.gives_up) == (MS_PER_DAY + parse_clock("12:00"), True)
    never = KeepReserve(until=NEVER).plan(DAY, 0)
    assert (never.until_ms, never.gives_up) == (DAY.cut_off_ms, False)


def test_amounts_are_told_in_fen_or_as_a_share_of_the_opening_balance() -> None:
    assert ReceiptReactive(budget=7).plan(DAY, 1_000).budget == 7
    assert ReceiptReactive(share_of_opening=Decimal("0.0015")).plan(DAY, 1_000).budget == 2  # half a fen upwards
    assert ReceiptReactive().plan(DAY, 1_000).budget == 0
    assert KeepReserve().plan(DAY, 1_000).reserve == 200
    assert KeepReserve(share_of_opening=Decimal(1)).plan(DAY, -5).reserve == 0  # nothing of an overdrawn account


def test_a_free_rider_is_receipt_reactive_without_a_budget_until_three() -> None:
    at_three = ReceiptReactive(until=parse_clock("15:00"))
    assert FreeRider().plan(DAY, 9) == at_three.plan(DAY, 9)


def test_the_instants_of_a_guideline_are_those_of_the_date() -> None:
    assert Throughput().plan(DAY, 0).shares == (
        (MS_PER_DAY + parse_clock("12:00"), Decimal("0.5")),
        (MS_PER_DAY + parse_clock("14:30"), Decimal("0.75")),
    )


@pytest.mark.parametrize(("amount", "pieces"), [(10, 1), (11, 3), (2, 1)])
def test_only_what_is_above_the_line_is_split(amount: int, pieces: int) -> None:
    assert Split(above=10, pieces=3).count(amount) == pieces


def test_no_piece_is_empty() -> None:
    assert Split(above=1, pieces=5).count(2) == 2


def test_costs_are_exact_and_halves_are_rounded_up() -> None:
    assert liquidity_cost(360 * 10**18 + 180, Decimal("0.01")) == 10**16  # 0.005 fen over it
    assert liquidity_cost(180, Decimal(1)) == 1
    assert delay_cost(360 * MS_PER_DAY * 10**12, Decimal("0.1")) == 10**11
    assert (failure_cost(1_500, Decimal("0.001")), penalty_cost(10_000, Decimal("0.0006"))) == (2, 6)


def test_parameters_of_an_own_policy_are_numbers_where_they_look_like_numbers() -> None:
    given = {"a": "12", "b": "0.5", "c": "012", "d": ["true", "no", "-3"], "e": 7, "f": None, "g": "12:00"}
    assert read_parameters(given) == {
        "a": 12, "b": 0.5, "c": "012", "d": [True, "no", -3], "e": 7, "f": None, "g": "12:00",
    }  # fmt: skip
