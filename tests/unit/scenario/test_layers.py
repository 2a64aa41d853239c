"""One scenario over another, and options over both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.scenario.layers import laid_over, overridden
from cnaps_sim.scenario.places import Place, Source, plain, planted
from cnaps_sim.words.errors import InputError

BASE = Source("base.yaml", Path())
TOP = Source("--set", Path(), has_lines=False)


def merged(base: dict[str, Any], top: dict[str, Any]) -> Any:
    return plain(laid_over(planted(base, Place(BASE)), planted(top, Place(TOP))))


def after(data: dict[str, Any], key: str, value: object) -> Any:
    return plain(overridden(planted(data, Place(BASE)), key, planted(value, Place(TOP))))


def test_mappings_merge_and_lists_replace() -> None:
    base = {"hvps": {"discipline": "fifo", "reprioritise": "true"}, "actions": [1, 2], "seed": "1"}
    top = {"hvps": {"discipline": "bypass"}, "actions": [3]}
    assert merged(base, top) == {
        "hvps": {"discipline": "bypass", "reprioritise": "true"},
        "actions": [3],
        "seed": "1",
    }


def test_another_choice_takes_the_first_one_away() -> None:
    assert merged({"liquidity": {"alpha": "0.5"}}, {"liquidity": {"share_of_outflow": "0.1"}}) == {
        "liquidity": {"share_of_outflow": "0.1"}
    }
    generated = {"accounts": {"generate": "national", "count": "20"}}
    assert merged(generated, {"accounts": {"file": "a.csv"}}) == {"accounts": {"file": "a.csv"}}


def test_the_same_choice_keeps_what_belongs_to_it() -> None:
    generated = {"accounts": {"generate": "national", "count": "20"}}
    assert merged(generated, {"accounts": {"generate": "national"}}) == generated
    assert merged(generated, {"accounts": {"count": "30"}}) == {"accounts": {"generate": "national", "count": "30"}}


def test_two_choices_in_one_place_stay_a_contradiction() -> None:
    top = {"liquidity": {"alpha": "0.5", "from": "accounts"}}
    assert merged({"liquidity": {"alpha": "0.1"}}, top) == top


def test_an_option_changes_the_source_of_a_workload_and_keeps_its_system() -> None:
    data = {"workload": [{"system": "HVPS", "generator": "national", "count": "5"}]}
    assert after(data, "workload.0.file", "p.csv") == {"workload": [{"system": "HVPS", "file": "p.csv"}]}


@pytest.mark.parametrize("key", ["accounts.1.balance", "accounts.C.1.balance"])
def test_an_item_is_called_by_number_or_by_name(key: str) -> None:
    data = {"accounts": [{"account": "A"}, {"account": "C.1", "balance": "1"}]}
    assert after(data, key, "2")["accounts"][1]["balance"] == "2"


def test_a_bank_code_calls_its_account() -> None:
    data = {"accounts": [{"account": "102100099996"}]}
    assert after(data, "accounts.102100099996.floor", "2")["accounts"][0]["floor"] == "2"


def test_a_missing_mapping_is_made() -> None:
    assert after({}, "hvps.discipline", "bypass") == {"hvps": {"discipline": "bypass"}}


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("accounts.D.balance", "--set: accounts.D.balance: no such item (D); allowed: 0 to 1, B, A"),
        ("accounts.2", "--set: accounts.2: no such item (2); allowed: 0 to 1, B, A"),
        ("seed.x", "--set: seed.x: there is nothing below seed (1)"),
        ("actions.0.at", "--set: actions.0.at: actions is an empty list"),
        ("a..b", "--set: a..b: not a path of keys; allowed: KEY=VALUE such as hvps.discipline=bypass"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(key: str, sentence: str) -> None:
    data = {"accounts": [{"account": "A"}, {"account": "B"}], "seed": "1", "actions": []}
    with pytest.raises(InputError) as caught:
        after(data, key, "x")
    assert str(caught.value) == sentence
