"""Algorithms by name, and the verification of what they answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnaps_sim.optimise import registry
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import Algorithm, algorithms, checked, find, names, settle
from cnaps_sim.words.errors import InputError

RING = QueueTable.of([0, 0, 0], [0, 1, 2], [1, 2, 0], [500, 500, 500])
ACCOUNTS = ("EAST", "WEST", "SOUTH")


def answering(choice: Any) -> Algorithm:
    return Algorithm("my.module:solve", lambda _queue: choice)


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a researcher's module `lab.py`, not on the path but the working folder."""
    (tmp_path / "lab.py").write_text(
        "import numpy as np\n"
        "from cnaps_sim.optimise.registry import algorithm\n"
        "word = 'not a function'\n"
        "def everything(queue):\n"
        "    return np.ones(len(queue), bool)\n"
        "@algorithm('nothing-at-all', reference='a test', keeps_sequence=True)\n"
        "def nothing(queue):\n"
        "    return np.zeros(len(queue), bool)\n"
        "def spoil(queue):\n"
        "    queue.amount[:] = 1\n"
        "    return np.ones(len(queue), bool)\n"
    )
    (tmp_path / "broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    declared = dict(registry._declared)
    yield tmp_path
    registry._declared.clear()
    registry._declared.update(declared)
    sys.modules.pop("lab", None)


def test_algorithms_stand_in_documented_order() -> None:
    known = names()
    assert known[:6] == [
        "fifo", "bypass", "bilateral-fifo", "bilateral", "multilateral", "bilateral-then-multilateral"
    ]  # fmt: skip
    assert known[-2:] == ["exact", "lp"]


def test_a_run_may_not_ask_for_what_it_does_anyway_or_for_a_mere_bound() -> None:
    assert set(names()) - set(names(for_runs=True)) == {"fifo", "bypass", "lp"}


def test_every_bundled_algorithm_has_a_reference_and_a_sentence() -> None:
    for item in algorithms():
        assert item.reference
        assert item.summary.endswith((".", "…"))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        find("multilaterl", "day.yaml:7", "hvps.matching.algorithm")
    error = caught.value
    assert error.sentence().startswith("day.yaml:7: hvps.matching.algorithm: no such algorithm (multilaterl)")
    assert all(name in error.allowed for name in names())


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (":", "not an algorithm"),
        ("lab:", "not an algorithm"),
        ("a-b:c", "not an algorithm"),
        ("no.such.module:solve", "the module no.such.module cannot be imported, ModuleNotFoundError"),
        ("broken:solve", "the module broken cannot be imported, ZeroDivisionError"),
        ("lab:solv", "the module lab has no solv"),
        ("lab:word", "word of lab is no function"),
    ],
)
@pytest.mark.usefixtures("own_module")
def test_a_function_that_cannot_be_had_is_told_in_one_sentence(name: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        find(name)
    assert caught.value.sentence().startswith(f"algorithm: {problem}")
    assert "\n" not in caught.value.sentence()


@pytest.mark.usefixtures("own_module")
def test_a_researcher_s_function_is_found_in_the_working_folder_and_keeps_its_traits() -> None:
    assert settle(find("lab:everything"), RING).all()
    own = find("lab:nothing")
    assert (own.name, own.keeps_sequence, own.bundled) == ("lab:nothing", True, False)
    assert find("nothing-at-all").solve is own.solve
    assert "nothing-at-all" not in names()


@pytest.mark.usefixtures("own_module")
def test_a_researcher_s_function_cannot_change_the_queue() -> None:
    settle(find("lab:spoil"), RING)
    assert RING.amount.tolist() == [500, 500, 500]


def test_an_answer_may_be_rows_or_truth_values() -> None:
    assert settle(answering([True] * 3), RING).all()
    assert settle(answering(np.array([2, 0, 1])), RING).all()
    assert not settle(answering([]), RING).any()


def test_an_infeasible_set_is_refused_with_the_algorithm_and_the_account_that_would_go_negative() -> None:
    with pytest.raises(InputError) as caught:
        settle(answering([0]), RING, ACCOUNTS)
    assert caught.value.sentence() == (
        "algorithm: the algorithm my.module:solve chose payments that account EAST cannot fund; it would have "
        "(-5.00); allowed: no account below zero"
    )
    with pytest.raises(InputError, match="account 1 cannot fund"):
        settle(answering([1, 2]), RING)


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ([3], "chose a payment that is not in the queue (row 3); allowed: rows 0 to 2"),
        ([-1, 0, 1], "chose a payment that is not in the queue (row -1)"),
        ([0, 1, 2, 0], "chose a payment twice (row 0)"),
        ([True, True], "answered for 2 payments where 3 are queued"),
        ([0.5, 1.0, 1.0], "answered something that is no choice (float64, 1 dimensions)"),
        ([[0, 1], [1, 2]], "answered something that is no choice (int64, 2 dimensions)"),
        (None, "answered something that is no choice (object, 0 dimensions)"),
        (["R1"], "answered something that is no choice"),
        ([[0], [1, 2]], "answered something that is no array (list)"),
    ],
)
def test_a_choice_of_another_form_or_of_foreign_payments_is_refused(choice: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        settle(answering(choice), RING)
    assert f"the algorithm my.module:solve {problem}" in caught.value.sentence()


def test_what_a_researcher_s_function_raises_is_told_in_one_sentence() -> None:
    def fails(_queue: QueueTable) -> Chosen:
        raise KeyError("an account")

    with pytest.raises(InputError, match=r"the algorithm a\.b:c failed \(KeyError: 'an account'\)"):
        settle(Algorithm("a.b:c", fails), RING)


def test_an_algorithm_that_says_it_keeps_the_sequence_must() -> None:
    queue = QueueTable.of([10, 0], [0, 0], [1, 1], [8, 5])
    liar = Algorithm("a.b:c", lambda _queue: np.array([False, True]), keeps_sequence=True)
    with pytest.raises(InputError, match=r"passes over the payment of row \(0\)"):
        settle(liar, queue)
    assert checked(queue, np.array([False, True]), answering(None)).tolist() == [False, True]
