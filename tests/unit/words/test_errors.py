"""Errors: one sentence with a place, that survives the way from one process to another."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.errors import AuditError, CnapsError, InputError, nearest


def test_the_sentence_is_place_key_problem_value_and_what_is_allowed() -> None:
    error = InputError("a.csv:3", "amount", "not an amount", "1.005", "two decimals")
    assert str(error) == error.sentence() == "a.csv:3: amount: not an amount (1.005); allowed: two decimals"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("--seed", "", "not a number"), "--seed: not a number"),
        (InputError("scenario", "days", "too small", 0), "scenario: days: too small (0)"),
        (InputError("", "", "nothing to do"), "nothing to do"),
        (InputError("scenario", "sed", "unknown key", allowed="seed"), "scenario: sed: unknown key; allowed: seed"),
    ],
)
def test_what_is_not_known_is_left_out_of_the_sentence(error: InputError, sentence: str) -> None:
    assert str(error) == sentence


def test_a_value_of_many_lines_stays_on_one_and_a_long_one_is_cut() -> None:
    assert InputError("p", "k", "wrong", "a\n  b\tc").value == "a b c"
    cut = InputError("p", "k", "wrong", "x" * 500).value
    assert (len(cut), cut[-3:]) == (80, "...")


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "nothing"), ([0.5], "a list"), ((), "a list"), ({"a": 1}, "a mapping"), (True, "true"), (0.5, "0.5")],
)
def test_a_value_of_python_is_told_in_plain_words(value: object, told: str) -> None:
    assert str(InputError("p", "k", "wrong", value)) == f"p: k: wrong ({told})"


def test_the_error_object_of_json_has_five_keys_of_text() -> None:
    assert InputError("p", "k", "wrong", 7, "8").as_dict() == {
        "place": "p",
        "key": "k",
        "problem": "wrong",
        "value": "7",
        "allowed": "8",
    }


words = st.text(max_size=20)


@given(words, words, words, st.text(max_size=200), words)
def test_an_input_error_survives_pickling_and_copying(
    place: str, key: str, problem: str, value: str, allowed: str
) -> None:
    error = InputError(place, key, problem, value, allowed)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is InputError
        assert twin.as_dict() == error.as_dict()
        assert str(twin) == str(error)


def test_an_audit_error_survives_pickling_with_all_its_breaches() -> None:
    error = AuditError([f"breach {n}" for n in range(8)])
    twin = pickle.loads(pickle.dumps(error))
    assert twin.breaches == error.breaches
    assert str(twin) == str(error)


def test_an_audit_error_tells_five_breaches_and_counts_the_rest() -> None:
    assert str(AuditError(["a", "b"])) == "a; b"
    assert str(AuditError(list("abcde"))) == "a; b; c; d; e"
    assert str(AuditError(list("abcdefg"))) == "a; b; c; d; e; and 2 more"


def test_one_ancestor_catches_every_error_raised_on_purpose() -> None:
    assert issubclass(InputError, CnapsError)
    assert issubclass(AuditError, CnapsError)


def test_the_nearest_choices_come_best_first() -> None:
    assert nearest("disciplin", ["seed", "discipline", "days", "name"]).split(", ")[0] == "discipline"
    assert len(nearest("x", ["a", "b", "c", "d"]).split(", ")) == 3
    assert nearest("x", []) == ""
    assert nearest("sede", ["seed", "days", "scale"], count=1) == "seed"
