"""Tables that pandas wrote again are read where nothing was lost; whatever else they hold is a breach."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnaps_sim.audit import Verdict


def by_pandas(table: pa.Table, folder: Any) -> pa.Table:
    """Through a DataFrame and a Parquet file that pandas writes, row labels included."""
    frame = table.to_pandas()
    frame.index = [f"row {k}" for k in range(len(frame))]
    frame.to_parquet(folder / "again.parquet")
    return pq.read_table(folder / "again.parquet")


def test_tables_rewritten_by_pandas_pass_when_digests_are_ignored(stored: Any, tmp_path: Any) -> None:
    stored.tables = {name: by_pandas(table, tmp_path) for name, table in stored.tables.items()}
    assert "__index_level_0__" in stored.tables["payments"].column_names
    assert pa.types.is_floating(stored.tables["payments"]["settled_ms"].type)
    verdict = stored.verdict(ignore_digests=True)
    assert verdict.passed, verdict.breaches
    assert "digests" not in verdict.rules
    assert "columns" in stored.broken()


@pytest.mark.parametrize("dates", ["datetime64[ns]", "datetime64[s]", "str"])
def test_dates_come_back_from_timestamps_and_text(stored: Any, dates: str) -> None:
    for name, table in stored.tables.items():
        frame = table.to_pandas()
        frame["date"] = pd.to_datetime(frame["date"]).astype(dates) if dates != "str" else frame["date"].astype(str)
        stored.tables[name] = pa.Table.from_pandas(frame)
    verdict = stored.verdict(ignore_digests=True)
    assert verdict.passed, verdict.breaches


def test_decoded_dictionaries_and_wide_text_come_back(stored: Any) -> None:
    for name, table in stored.tables.items():
        columns = [
            column.cast(pa.large_string()) if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type)
            else column
            for column in table.columns
        ]  # fmt: skip
        stored.tables[name] = pa.table(columns, names=table.column_names)
    assert stored.broken(ignore_digests=True) == set()


def test_a_damage_is_found_in_rewritten_tables(stored: Any, tmp_path: Any) -> None:
    stored.change("accounts", 0, lowest_fen=4)
    stored.tables = {name: by_pandas(table, tmp_path) for name, table in stored.tables.items()}
    assert stored.broken(ignore_digests=True) == {"lowest-replay"}


def put(stored: Any, table: str, name: str, column: Any) -> None:
    place = stored.tables[table].schema.get_field_index(name)
    stored.tables[table] = stored.tables[table].set_column(place, name, column)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("settled_ms", [10.5] * 10),
        ("settled_ms", [2.0**60] * 10),
        ("settled_ms", [float("inf")] * 10),
        ("settled_ms", ["10"] * 10),
        ("level", [1000] * 10),
        ("date", [dt.datetime(2025, 6, 17, 12)] * 10),
        ("date", ["today"] * 10),
        ("date", [7] * 10),
        ("payment_id", [7] * 10),
        ("status", [[b"PR04"]] * 10),
    ],
)
def test_what_cannot_come_back_without_loss_breaks_columns(stored: Any, name: str, values: list[Any]) -> None:
    put(stored, "payments", name, pa.array(values))
    assert "columns" in stored.broken(ignore_digests=True)


KINDS = ["i8", "i64", "u64", "float", "bool", "text", "bytes", "date", "moment", "list", "decimal", "null", "words"]
_WORDS = ["", "A", "B", "P0", "P4", "PR04", "PR09", "HVPS", "payment", "balance_fen", "phase", "RJ99", "NORM", "銀行"]


def column_of(kind: str, rows: int, seed: int) -> pa.Array:
    """A column of nonsense."""
    rng = np.random.default_rng(seed)
    words = [_WORDS[k] for k in rng.integers(0, len(_WORDS), rows)]
    whole = [int(k) for k in rng.choice([-(2**63), -1, 0, 1, 5, 30, 100, 2**63 - 1], rows)]
    some: dict[str, Any] = {
        "i8": lambda: pa.array([k % 100 - 20 for k in whole], pa.int8()),
        "i64": lambda: pa.array([None if k == 5 else k for k in whole], pa.int64()),
        "u64": lambda: pa.array([k % 2**64 for k in whole], pa.uint64()),
        "float": lambda: pa.array([float("nan") if k == 5 else k + 0.5 * (k == 1) for k in map(float, whole)]),
        "bool": lambda: pa.array([k > 1 for k in whole], pa.bool_()),
        "text": lambda: pa.array(words, pa.string()),
        "bytes": lambda: pa.array([b"\xff" + word.encode() for word in words], pa.binary()),
        "date": lambda: pa.array([None if k == 5 else k % 30_000 for k in whole], pa.int32()).cast(pa.date32()),
        "moment": lambda: pa.array([k % 10**12 for k in whole], pa.int64()).cast(pa.timestamp("us")),
        "list": lambda: pa.array([[k] for k in whole]),
        "decimal": lambda: pa.array([decimal.Decimal(k % 1000) / 8 for k in whole]),
        "null": lambda: pa.nulls(rows),
        "words": lambda: pa.array(
            [None if k == 5 else w for k, w in zip(whole, words, strict=True)]
        ).dictionary_encode(),
    }
    return some[kind]()


def damage(stored: Any, name: str, what: str, kind: str, seed: int) -> None:
    table = stored.tables[name]
    if not isinstance(table, pa.Table):
        return
    rng = np.random.default_rng(seed)
    place = int(rng.integers(0, max(1, table.num_columns)))
    if what == "column" and table.num_columns:
        table = table.set_column(place, table.column_names[place], column_of(kind, len(table), seed))
    elif what == "drop" and table.num_columns:
        table = table.remove_column(place)
    elif what == "more":
        table = table.append_column(
            str(rng.choice(["date", "mood", "__index_level_0__"])), column_of(kind, len(table), 1)
        )
    elif what == "rows":
        table = table.take(pa.array(rng.integers(0, max(1, len(table)), len(table) and int(rng.integers(0, 20)))))
    elif what == "pandas" and len(set(table.column_names)) == table.num_columns:
        table = pa.Table.from_pandas(table.to_pandas())
    elif what == "value" and table.num_columns:
        column = table.column(place)
        wild = column_of("i64", len(table), seed)
        if pa.types.is_int64(column.type) and len(table):
            chosen = pa.array(rng.integers(0, 3, len(table)) == 0)
            table = table.set_column(place, table.column_names[place], pc.if_else(chosen, wild, column))
    else:
        table = OSError("unreadable") if what == "unreadable" else table
    stored.tables[name] = table


damages = st.tuples(
    st.sampled_from(["payments", "transfers", "accounts", "series", "events"]),
    st.sampled_from(["column", "column", "value", "drop", "more", "rows", "pandas", "unreadable"]),
    st.sampled_from(KINDS),
    st.integers(0, 10**6),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=st.lists(damages, min_size=1, max_size=4), lenient=st.booleans())
def test_no_table_however_damaged_raises(tables_maker: Any, done: list[Any], lenient: bool) -> None:
    stored = tables_maker()
    for one in done:
        damage(stored, *one)
    verdict = stored.verdict(ignore_digests=lenient)
    assert isinstance(verdict, Verdict)
    assert all("\n" not in sentence for sentence in verdict.breaches)
