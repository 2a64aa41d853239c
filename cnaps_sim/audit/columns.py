"""Columns: the stored tables in a form that can be computed with, whatever state they are in.

Each documented column is judged first: is it there, and of its documented type? With `lenient` a column that a
tool has rewritten (pandas turns dictionaries into text, numbers with nulls into floats, dates into timestamps)
is cast back where nothing is lost by it. A column that does not pass is reported and left out, and whatever
check needs it is not made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cnaps_sim.audit.digest import Codes, Field, numbers, text_codes, text_field
from cnaps_sim.audit.verdict import Findings, UnknownColumnError, one_line
from cnaps_sim.words.tables import TABLES, Column

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ARROW: Final = {"i64": pa.int64(), "i8": pa.int8(), "date": pa.date32(), "id": pa.string()}
#: Columns that pandas writes for its row labels.
_INDEX: Final = "__index_level_"
#: Whole numbers up to here are exact as floats.
_EXACT_FLOAT: Final = 2.0**53


class Frame:
    """One table, its sound columns only. Every method raises `UnknownColumnError` for a column that is not."""

    def __init__(self, name: str, table: pa.Table, findings: Findings, lenient: bool) -> None:
        self.name = name
        self.rows: int = table.num_rows
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._numbers: dict[str, Ints] = {}
        self._codes: dict[str, tuple[Codes, list[str]]] = {}
        self._read(table, findings, lenient)

    def _read(self, table: pa.Table, findings: Findings, lenient: bool) -> None:
        """Judge every column.

        `columns`: a table has exactly the documented columns, each of its documented type.
        `required`: a column that always applies has no null.
        """
        findings.made("columns", "required")
        for name in sorted({name for name in table.column_names if table.column_names.count(name) > 1}):
            findings.breach("columns", f"table {self.name} has more than one column {name}")
        documented = {column.name: column for column in TABLES[self.name]}
        for name in table.column_names:
            if name not in documented and not (lenient and name.startswith(_INDEX)):
                findings.breach("columns", f"table {self.name} has a column {one_line(name)} that is not documented")
        for column in documented.values():
            if column.name not in table.column_names:
                findings.breach("columns", f"table {self.name} has no column {column.name}")
                continue
            with findings.checking("columns"):
                self._take(column, table.column(table.column_names.index(column.name)), findings, lenient)

    def _take(self, column: Column, values: pa.ChunkedArray, findings: Findings, lenient: bool) -> None:
        where = f"column {column.name} of table {self.name}"
        if not _is_documented(values.type, column.kind):
            restored = _restore(values, column.kind) if lenient else None
            if restored is None:
                findings.breach("columns", f"{where} is {one_line(values.type)}, which is not its documented type")
                return
            values = restored
        self._columns[column.name] = values
        if column.required and values.null_count:
            findings.breach("required", f"{where} lacks a value in {values.null_count} rows")

    def without(self, name: str, *texts: str) -> Frame:
        """The rows whose text column bears none of these texts."""
        kept = ~self.is_one_of(name, *texts)
        if kept.all():
            return self
        some = object.__new__(Frame)
        some.name, some.rows = self.name, int(kept.sum())
        some._columns = {one: column.filter(pa.array(kept)) for one, column in self._columns.items()}
        some._numbers, some._codes = {}, {}
        return some

    def has(self, *names: str) -> bool:
        """Whether all these columns are sound."""
        return all(name in self._columns for name in names)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column as Arrow data."""
        if name not in self._columns:
            raise UnknownColumnError(f"{self.name}.{name}")
        return self._columns[name]

    def ints(self, name: str) -> Ints:
        """A whole-number column, or a date as days since 1970; `NULL` for null."""
        if name not in self._numbers:
            column = self.column(name)
            self._numbers[name] = numbers(column.cast(pa.int32()) if pa.types.is_date32(column.type) else column)
        return self._numbers[name]

    def known(self, name: str) -> Flags:
        """Where a column is not null."""
        column = self.column(name)
        if not column.null_count:
            return np.ones(self.rows, np.bool_)
        known: Flags = column.is_valid().to_numpy()
        return known

    def texts(self, name: str) -> tuple[Codes, list[str]]:
        """A text column as codes into a list of different texts; -1 for null."""
        if name not in self._codes:
            self._codes[name] = text_codes(self.column(name))
        return self._codes[name]

    def coded(self, name: str, number_of: Callable[[str], int], null: int = -1) -> Codes:
        """A text column as numbers that `number_of` gives to its texts; `null` for null."""
        codes, texts = self.texts(name)
        coded: Codes = np.array([*map(number_of, texts), null], np.int32)[codes]
        return coded

    def is_one_of(self, name: str, *wanted: str) -> Flags:
        """Where a text column has one of these values."""
        codes, texts = self.texts(name)
        chosen: Flags = np.array([*(text in wanted for text in texts), False])[codes]
        return chosen

    def field(self, name: str) -> Field:
        """A text column as a field of a chain of hashes."""
        return text_field(*self.texts(name))

    def text(self, name: str, row: int) -> str:
        """One value as text, for a sentence."""
        return one_line(self.column(name)[row].as_py())


def _is_documented(kind: pa.DataType, documented: str) -> bool:
    if documented == "text":
        return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))
    return bool(kind == _ARROW[documented])


def _restore(values: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | None:
    """A rewritten column in its documented type, or None where that would lose something."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        return values.cast(pa.string() if kind == "text" else _ARROW[kind])
    if kind in ("text", "id"):
        is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        return values.cast(pa.string()) if is_text else None
    if kind == "date":
        return _restore_date(values)
    if pa.types.is_floating(values.type):
        return _restore_whole(values, _ARROW[kind])
    if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
        return _without_error(lambda: values.cast(_ARROW[kind], safe=True))
    return None


def _restore_date(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_date(values.type):
        return _without_error(lambda: values.cast(pa.date32()))
    if pa.types.is_timestamp(values.type) and values.type.tz is None:
        days = values.cast(pa.date32(), safe=False)
        return days if days.cast(values.type).equals(values) else None
    return None


def _restore_whole(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Floats as whole numbers: NaN is null, every other value must be whole and small enough to be exact."""
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    given = values.drop_null().to_numpy()
    if len(given) and not (np.abs(given).max() <= _EXACT_FLOAT and (given == np.trunc(given)).all()):
        return None
    return _without_error(lambda: values.cast(kind, safe=True))


def _without_error(cast: Callable[[], Any]) -> pa.ChunkedArray | None:
    try:
        return cast()
    except pa.ArrowException:
        return None
