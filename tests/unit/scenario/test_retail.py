"""Retail terms: what is usual, what is read into which unit, and that the workload room's terms have their keys."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from cnaps_sim.scenario.load import from_dict, json_schema, resolved
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.retail import BepsTerms, CapSource, IbpsTerms, Release
from cnaps_sim.scenario.retail_actions import LinkLoss, ThirdPartyNet
from cnaps_sim.scenario.workload import BepsGenerator, IbpsGenerator
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail_terms import published_item_limit
from cnaps_sim.workload import retail_terms

HOUR = 3_600_000
_ROW = {"payment_id": "b1", "time": "09:00", "debtor": "A", "creditor": "B", "amount": "60"}
_ACCOUNTS = [{"account": name, "balance": 100} for name in ("A", "B", "C")]
_MADE: dict[str, Any] = {"accounts": {"generate": "national"}}
BEPS = {"system": "BEPS", "generator": "national"}
IBPS = {"system": "IBPS", "generator": "national"}


def written(*payments: dict[str, Any], system: str = "BEPS", **changes: Any) -> Scenario:
    """A scenario of payments written out, of one system."""
    workload = [{"system": system, "payments": list(payments) or [_ROW]}]
    return from_dict({"accounts": _ACCOUNTS, "workload": workload, **changes}).scenario


def fault_of(**changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        written(**changes)
    return str(caught.value)


def test_the_netting_server_has_documented_defaults() -> None:
    nets = written().nets
    assert (nets.cap, nets.cap_share, nets.release) == (CapSource.ACCOUNTS, None, Release.MORNING)
    assert nets.rounds.working == tuple(hour * HOUR for hour in range(9, 17))
    assert nets.rounds.other == (16 * HOUR,)
    assert (nets.matching.on_round, nets.matching.every, nets.third_party) == (True, None, ())


def test_generators_of_retail_bring_the_published_day() -> None:
    beps, ibps = from_dict({**_MADE, "workload": [BEPS, IBPS]}).scenario.workload
    assert isinstance(beps, BepsGenerator)
    assert isinstance(ibps, IbpsGenerator)
    assert (beps.count, beps.value) == (13_950_800, 56_488_000_000_000)
    assert (ibps.count, ibps.value) == (46_687_200, 76_895_000_000_000)


def test_what_is_generated_gets_caps_from_its_outflow_unless_the_scenario_says_otherwise() -> None:
    def cap(**changes: Any) -> Decimal | None:
        return from_dict({**_MADE, "workload": [BEPS], **changes}).scenario.nets.cap_share

    assert cap() == cap(nets={"release": "opening"}) == Decimal("0.5")
    assert cap(nets={"cap": {"share_of_outflow": "0.2"}}) == Decimal("0.2")
    assert cap(nets={"cap": "accounts"}) is None
    assert cap(workload=[{"system": "HVPS", "generator": "national"}]) is None


def test_caps_of_the_accounts_stay_so_on_the_trip_through_resolved_data() -> None:
    found = from_dict({**_MADE, "workload": [BEPS], "nets": {"cap": "accounts"}}).scenario
    assert Scenario.model_validate(resolved(found)) == found


def test_items_are_recorded_one_by_one_unless_they_are_generated() -> None:
    assert written().record == {System.HVPS: "payments", System.BEPS: "payments", System.IBPS: "totals"}
    assert written(record={"BEPS": "accounts"}).record[System.BEPS] == "accounts"
    mixed = {**_MADE, "accounts": _ACCOUNTS, "workload": [{"system": "BEPS", "payments": [_ROW]}, BEPS]}
    assert from_dict(mixed).scenario.record[System.BEPS] == "totals"


def test_the_terms_of_the_workload_room_have_the_keys_of_the_scenario() -> None:
    for own, theirs in ((BepsTerms(), retail_terms.BepsTerms()), (IbpsTerms(), retail_terms.IbpsTerms())):
        assert {name: getattr(own, name) for name in type(own).model_fields} == dataclasses.asdict(theirs)


def test_the_defaults_of_generated_items_are_those_of_the_workload_room() -> None:
    beps, ibps = from_dict({**_MADE, "workload": [BEPS, IBPS]}).scenario.workload
    theirs = dataclasses.asdict(retail_terms.RetailParameters())
    for name in set(BepsGenerator.model_fields) - {"system", "generator", "count", "value"}:
        assert getattr(beps, name) == theirs[name if name in theirs else f"beps_{name}"]
    for name in ("median", "sigma", "debit_share"):
        assert getattr(ibps, name) == theirs[f"ibps_{name}"]


@pytest.mark.parametrize(
    ("system", "date", "yuan"),
    [
        (System.BEPS, "2010-08-31", 20_000),
        (System.BEPS, "2010-09-01", 50_000),
        (System.BEPS, "2019-08-31", 50_000),
        (System.BEPS, "2019-09-01", 1_000_000),
        (System.IBPS, "2019-12-31", 50_000),
        (System.IBPS, "2020-01-01", 1_000_000),
    ],
)
def test_the_published_limit_of_an_item_goes_by_its_date(system: System, date: str, yuan: int) -> None:
    assert published_item_limit(system, dt.date.fromisoformat(date)) == yuan * 100


def test_retail_begins_and_ends_at_the_date_switch() -> None:
    action = {"do": "log_out", "account": "A"}
    early = {"opens": "09:00", "opens_day_before": "false", "cut_off": "10:00", "window_end": "10:30"}
    written(timetable=early, actions=[{**action, "at": "2025-06-16T16:00"}, {**action, "at": "16:00"}])
    with pytest.raises(InputError, match="outside the hours of the run"):
        written(system="HVPS", timetable=early, actions=[{**action, "at": "16:00"}])


def test_actions_of_retail_are_in_the_units_of_the_program() -> None:
    nets = [{"account": "A", "net": "-1.50"}, {"account": "B", "net": "1.50"}]
    loss, third = written(
        actions=[
            {"at": "10:00", "do": "link_loss", "until": "11:00"},
            {"at": "10:00", "do": "third_party_net", "from": "C", "nets": nets},
        ]
    ).actions
    assert isinstance(loss, LinkLoss)
    assert loss.until.clock_ms == 11 * HOUR
    assert isinstance(third, ThirdPartyNet)
    assert (third.from_, [net.net for net in third.nets]) == ("C", [-150, 150])


def test_a_cap_is_enough_for_actions_on_the_netting_server() -> None:
    actions = [{"at": "10:00", "do": "set", "account": "A", "field": "cap_warning_line", "value": 5}]
    with pytest.raises(InputError, match="nothing to net"):
        written(system="HVPS", actions=actions)
    written(system="HVPS", actions=actions, accounts=[{**_ACCOUNTS[0], "credit_line": 1}, _ACCOUNTS[1]])


def test_an_unknown_key_names_the_nearest_of_its_part() -> None:
    assert fault_of(nets={"release_at": "opening"}).endswith("unknown key; allowed: release, rounds, matching")
    assert fault_of(beps={"reply_day": 3}).startswith("scenario: beps.reply_day: unknown key; allowed: reply_days")
    assert "allowed: share_of_outflow" in fault_of(nets={"cap": {"share": 1}})


def test_the_schema_knows_the_generators_of_every_system() -> None:
    parts = json_schema()["$defs"]
    assert parts["BepsGenerator"]["properties"]["count"]["default"] == 13_950_800
    assert parts["IbpsGenerator"]["properties"]["value"]["default"] == "768950000000.00"
    assert parts["NetsTerms"]["properties"]["cap"]["default"] == "accounts"
