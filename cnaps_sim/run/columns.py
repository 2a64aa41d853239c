"""Columns: the documented result tables as Arrow, and the few ways in which columns are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cnaps_sim.words.tables import TABLES

Array = np.ndarray[Any, Any]

#: An instant that has not come; null in the tables.
NEVER = np.int64(-(2**63))
ARROW_TYPES = {
    "i64": pa.int64(),
    "i8": pa.int8(),
    "date": pa.date32(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "id": pa.string(),
}


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a documented result table."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.kind]) for column in TABLES[table]])


def build(table: str, columns: dict[str, Any]) -> pa.Table:
    """An Arrow table with exactly the documented columns, in order; a missing one is all null."""
    wanted = schema(table)
    assert set(columns) <= set(wanted.names), set(columns) - set(wanted.names)
    length = len(next(iter(columns.values())))
    arrays = []
    for item in wanted:
        values = columns.get(item.name)
        if values is None:
            arrays.append(pa.nulls(length, item.type))
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            arrays.append(values if values.type == item.type else values.cast(item.type))
        else:
            arrays.append(pa.array(values, item.type))
    return pa.Table.from_arrays(arrays, schema=wanted)


def text(codes: Array, words: Sequence[str], mask: Array | None = None) -> pa.DictionaryArray:
    """Dictionary-encoded text from codes into `words`; rows where `mask` is true are null."""
    distinct = list(dict.fromkeys(words))
    if len(distinct) < len(words):
        place = {word: number for number, word in enumerate(distinct)}
        codes = np.array([place[word] for word in words], np.int32)[codes]
    indices = pa.array(np.asarray(codes, np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, pa.string()))


def nullable(values: Array) -> pa.Array:
    """int64 with null where the value is 'never'."""
    return pa.array(values, mask=values == NEVER)


def empty_table(name: str) -> pa.Table:
    """A documented table without rows."""
    return schema(name).empty_table()
