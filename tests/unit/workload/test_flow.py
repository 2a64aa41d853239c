"""Flows: sorted columns, and several made one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnaps_sim.core.records import FLOW
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.workload.flow import NO_DUE_TIME, NO_TYPE, Flow, merge, sorted_flow
from cnaps_sim.workload.ids import first_duplicate, numbered_ids


def flow(
    ids: list[str],
    times: list[int],
    types: tuple[str, ...] = (),
    type_index: list[int] | None = None,
    system: System = System.HVPS,
    **columns: Any,
) -> Flow:
    rows = np.zeros(len(ids), FLOW)
    rows["time_ms"] = times
    rows["amount"] = np.arange(len(ids)) + 1
    index = np.full(len(ids), NO_TYPE) if type_index is None else np.array(type_index)
    return sorted_flow(
        rows, pa.array(ids, pa.string()), system=system, types=types, type_index=index.astype(np.int16), **columns
    )


def test_merging_sorts_by_time_and_keeps_the_order_of_the_list_at_equal_times() -> None:
    merged = merge([flow(["a", "b"], [5, 9]), flow(["c", "d", "e"], [1, 5, 9])])
    assert merged.payment_ids.to_pylist() == ["c", "a", "d", "b", "e"]
    assert merged.rows["time_ms"].tolist() == [1, 5, 5, 9, 9]
    assert merged.rows["amount"].tolist() == [1, 1, 2, 2, 3]


def test_merging_joins_types_due_times_and_principals() -> None:
    principals = pa.array([None, "X"]).dictionary_encode()
    first = flow(["a", "b"], [1, 3], types=("A100", "A200"), type_index=[1, -1], due_ms=np.array([7, NO_DUE_TIME]))
    second = flow(["c", "d"], [2, 4], types=("LEND", "A200"), type_index=[0, 1], on_behalf_of=principals)
    merged = merge([first, second])
    assert merged.types == ("A100", "A200", "LEND")
    assert merged.type_index.tolist() == [1, 2, -1, 1]
    assert merged.due_ms is not None
    assert merged.on_behalf_of is not None
    assert merged.due_ms.tolist() == [7, NO_DUE_TIME, NO_DUE_TIME, NO_DUE_TIME]
    assert merged.on_behalf_of.to_pylist() == [None, None, None, "X"]
    assert pa.types.is_dictionary(merged.on_behalf_of.type)


def test_columns_that_no_flow_has_stay_absent() -> None:
    merged = merge([flow(["a"], [1]), flow(["b"], [2])])
    assert merged.due_ms is None
    assert merged.on_behalf_of is None


def test_notes_under_the_same_key_become_a_list() -> None:
    merged = merge([flow(["a"], [1], notes={"factor": "1.1", "only": "x"}), flow(["b"], [2], notes={"factor": "0.9"})])
    assert merged.notes == {"factor": ["1.1", "0.9"], "only": "x"}


def test_an_id_in_two_flows_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError) as error:
        merge([flow(["a", "b"], [1, 2]), flow(["c", "b"], [3, 4])])
    assert str(error.value) == "workload: payment_id: used by two payments (b)"


def test_one_flow_merges_to_itself() -> None:
    only = flow(["a"], [1])
    assert merge([only]) is only


def test_no_flow_and_flows_of_two_systems_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="no flow"):
        merge([])
    with pytest.raises(ValueError, match="different systems"):
        merge([flow(["a"], [1]), flow(["b"], [1], system=System.BEPS)])


def test_a_flow_that_is_not_sorted_is_a_bug() -> None:
    rows = np.zeros(2, FLOW)
    rows["time_ms"] = [2, 1]
    with pytest.raises(AssertionError, match="sorted"):
        Flow(System.HVPS, rows, pa.array(["a", "b"]), (), np.full(2, NO_TYPE, np.int16))


def test_sorting_carries_every_column_along() -> None:
    principals = pa.array(["X", None, "Y"]).dictionary_encode()
    found = flow(
        ["a", "b", "c"], [3, 1, 2], ("T",), [0, -1, -1], due_ms=np.array([30, 10, 20]), on_behalf_of=principals
    )
    assert found.payment_ids.to_pylist() == ["b", "c", "a"]
    assert found.type_index.tolist() == [-1, -1, 0]
    assert found.due_ms is not None
    assert found.on_behalf_of is not None
    assert found.due_ms.tolist() == [10, 20, 30]
    assert found.on_behalf_of.to_pylist() == [None, "Y", "X"]


def test_numbered_ids_count_from_one() -> None:
    ids = numbered_ids("H20250617", 10_001)
    ids.validate(full=True)
    assert ids[0].as_py() == "H2025061700000001"
    assert ids[-1].as_py() == "H2025061700010001"
    assert len(numbered_ids("H20250617", 0)) == 0


def test_more_numbers_than_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="eight digits"):
        numbered_ids("H", 100_000_000)


@pytest.mark.parametrize(
    ("ids", "answer"),
    [
        ([], None),
        (["a"], None),
        (["aa", "ab", "aa", "ab"], (0, 2)),
        (["a", "bb", "c", "bb"], (1, 3)),  # of different lengths
        (["", ""], (0, 1)),
        (["x" * 70, "x" * 69 + "y"], None),
        (["中文", "文中", "中文"], (0, 2)),
    ],
)
def test_the_first_duplicate_is_found_with_the_row_it_repeats(ids: list[str], answer: tuple[int, int] | None) -> None:
    assert first_duplicate(pa.array(ids, pa.string())) == answer


def test_a_slice_of_ids_is_compared_alone() -> None:
    ids = pa.array(["aa", "bb", "aa", "cc"], pa.string())
    assert first_duplicate(ids.slice(1)) is None
