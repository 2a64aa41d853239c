"""Tables as columns: nulls, chunks, several dictionaries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from cnaps_sim.analysis.metrics.columns import NONE, Columns
from cnaps_sim.words.errors import InputError


def test_null_is_marked_and_large_integers_stay_exact() -> None:
    columns = Columns("payments", pa.table({"settled_ms": pa.array([2**62 + 1, None], pa.int64())}))
    assert columns.numbers("settled_ms").tolist() == [2**62 + 1, NONE]


def test_chunks_with_dictionaries_of_their_own_have_one_list_of_labels() -> None:
    pieces = [pa.array(["B", "A"]).dictionary_encode(), pa.array(["A", None, "C"]).dictionary_encode()]
    column = Columns("payments", pa.table({"debtor": pa.chunked_array(pieces)})).codes("debtor")
    assert [column.labels[code] if code >= 0 else None for code in column.codes] == ["B", "A", "A", None, "C"]


def test_a_column_of_plain_text_will_do() -> None:
    column = Columns("accounts", pa.table({"account": ["A", "B", "A"]})).codes("account")
    assert column.codes.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("a", "where: says no column (a); allowed: a dict column -> value, or a function of the table's frame"),
        ({"level": "seven"}, "where: level: is no whole number (seven)"),
        ({"date": "today"}, "where: date: is no date (today); allowed: YYYY-MM-DD"),
    ],
)
def test_a_where_that_selects_nothing_sensible_is_told_in_one_line(where: Any, sentence: str) -> None:
    table = pa.table({"level": pa.array([7], pa.int8()), "date": pa.array([dt.date(2025, 6, 17)], pa.date32())})
    columns = Columns("payments", table)
    with pytest.raises(InputError) as caught:
        columns.narrow(where, table.to_pandas)
    assert caught.value.sentence() == sentence


def test_an_empty_table_has_no_labels() -> None:
    empty = pa.table({"debtor": pa.array([], pa.dictionary(pa.int32(), pa.string())), "level": pa.array([], pa.int8())})
    columns = Columns("payments", empty)
    assert columns.codes("debtor").labels == columns.codes("level").labels == []


def test_dates_become_dates() -> None:
    days = [dt.date(2025, 6, 18), dt.date(2025, 6, 17), dt.date(2025, 6, 18)]
    column = Columns("payments", pa.table({"date": pa.array(days, pa.date32())})).codes("date")
    assert [column.labels[code] for code in column.codes] == days


def test_codes_of_numbers_that_lie_far_apart() -> None:
    column = Columns("payments", pa.table({"sequence": pa.array([5, None, 10**12, 5])})).codes("sequence")
    assert [column.labels[code] if code >= 0 else None for code in column.codes] == [5, None, 10**12, 5]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"priority": None}, [2]),
        ({"priority": ["NORM", None]}, [0, 2]),
        ({"level": 1}, [1]),
        ({"level": (1, 7)}, [0, 1]),
        ({"due_ms": None}, [0, 2]),
        ({"date": "2025-06-17"}, [0, 1, 2]),
        ({"account": "A", "level": 7}, [0]),
    ],
)
def test_where_selects_rows(where: dict[str, object], kept: list[int]) -> None:
    table = pa.table(
        {
            "date": pa.array([dt.date(2025, 6, 17)] * 3, pa.date32()),
            "priority": ["NORM", "URGT", None],
            "level": pa.array([7, 1, 2], pa.int8()),
            "debtor": ["A", "B", "A"],
            "due_ms": pa.array([None, 5, None], pa.int64()),
            "row": [0, 1, 2],
        }
    )
    assert Columns("payments", table).narrow(where, table.to_pandas).numbers("row").tolist() == kept


def test_a_missing_column_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"payments.*has no such column \(amount\); allowed: amount_fen"):
        Columns("payments", pa.table({"amount_fen": [1]})).numbers("amount")


def test_a_narrowed_table_remembers_the_whole() -> None:
    columns = Columns("payments", pa.table({"sequence": [3, 4, 5]}))
    some = columns.narrow(lambda frame: frame["sequence"] != 4, columns.table.to_pandas)
    assert some.numbers("sequence").tolist() == [3, 5]
    assert some.whole is columns
