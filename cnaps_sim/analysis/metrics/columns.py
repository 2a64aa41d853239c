"""Result tables as NumPy columns: integers with a mark for null, text as codes with a list of labels.

A national day has 1.6 million payments, so metrics count codes and never touch a Python string per row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.tables import TABLES

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Where = Mapping[str, Any] | Callable[[pd.DataFrame], Any] | None

#: Stands for null in an integer column; no time or amount of a run comes near it.
NONE: Final = -(2**63)
_Kind = TypeVar("_Kind", bound="Columns")
_EPOCH = dt.date(1970, 1, 1)


class Run(Protocol):
    """What a metric needs of a run: its tables and its manifest (interface of `cnaps_sim.run`)."""

    @property
    def manifest(self) -> Any: ...

    def table(self, name: str) -> Any: ...


class Codes(NamedTuple):
    """A column as numbers into a list of labels: `labels[codes[row]]`, and -1 for null."""

    codes: npt.NDArray[np.signedinteger[Any]]
    labels: list[Any]


class Columns:
    """The columns of one result table, read when first asked for; `rows` narrows them to a selection."""

    def __init__(self, name: str, table: Any, rows: IntArray | None = None, full: Self | None = None) -> None:
        self.name = name
        self.table = table
        self.rows = rows
        self.count: int = table.num_rows if rows is None else len(rows)
        self._full = full
        self._numbers: dict[str, IntArray] = {}
        self._codes: dict[str, Codes] = {}

    def numbers(self, name: str) -> IntArray:
        """An integer column as int64, `NONE` where it is null (dates: days since 1970-01-01)."""
        if name not in self._numbers:
            whole = self._full
            self._numbers[name] = _numbers(self._column(name)) if whole is None else whole.numbers(name)[self.rows]
        return self._numbers[name]

    def codes(self, name: str) -> Codes:
        """A text, date or small integer column as codes; labels ascend for dates and integers."""
        if name not in self._codes:
            whole = self._full
            if whole is None:
                self._codes[name] = self._read_codes(name)
            else:
                column = whole.codes(name)
                self._codes[name] = Codes(column.codes[self.rows], column.labels)
        return self._codes[name]

    def narrow(self, where: Where, frame: Callable[[], pd.DataFrame]) -> Self:
        """The same table with only the rows that `where` asks for."""
        if where is None:
            return self
        check_where(where)
        assert self.rows is None, "narrow starts from the whole table"
        mask = self._called(where, frame) if callable(where) else self._matching(where)
        return self if mask.all() else type(self)(self.name, self.table, np.flatnonzero(mask), self)

    @property
    def whole(self) -> Self:
        """The columns before `narrow`."""
        return self if self._full is None else self._full

    def _column(self, name: str) -> Any:
        if name not in self.table.column_names:
            allowed = nearest(name, self.table.column_names)
            raise InputError("table", self.name, "has no such column", name, allowed)
        return self.table.column(name)

    def _read_codes(self, name: str) -> Codes:
        column = self._column(name)
        if pa.types.is_date32(column.type):
            days = _small_codes(self.numbers(name))
            return Codes(days.codes, [_EPOCH + dt.timedelta(days=day) for day in days.labels])
        if pa.types.is_integer(column.type):
            return _small_codes(self.numbers(name))
        return _text_codes(column)

    def _matching(self, where: Mapping[str, Any]) -> BoolArray:
        mask = np.ones(self.count, np.bool_)
        for key, value in where.items():
            wanted = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
            if key == "system":
                _check_systems(wanted)
            debtor = key == "account" and self.name in ("payments", "transfers")
            mask &= self._equals("debtor" if debtor else key, wanted)
        return mask

    def _equals(self, name: str, wanted: list[Any]) -> BoolArray:
        kind = self._column(name).type
        if pa.types.is_integer(kind):
            values = [NONE if value is None else _whole(name, value) for value in wanted]
            return np.isin(self.numbers(name), np.array(values, np.int64))
        column = self.codes(name)
        if pa.types.is_date32(kind):
            wanted = [None if value is None else _date(name, value) for value in wanted]
        hit = np.array([label in wanted for label in column.labels] + [None in wanted], np.bool_)
        return hit[column.codes]

    def _called(self, where: Callable[[pd.DataFrame], Any], frame: Callable[[], pd.DataFrame]) -> BoolArray:
        mask = np.asarray(where(frame()))
        if mask.dtype != np.bool_ or mask.shape != (self.count,):
            raise InputError("where", "", "must give one True or False per row of the frame", mask.dtype)
        return mask


def check_where(where: object) -> None:
    """InputError unless it is what `where` may be."""
    if where is not None and not callable(where) and not isinstance(where, Mapping):
        allowed = "a dict column -> value, or a function of the table's frame"
        raise InputError("where", "", "says no column", where, allowed)


def _whole(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InputError("where", name, "is no whole number", value) from None


def _date(name: str, value: object) -> dt.date:
    try:
        return as_date(value)
    except ValueError:
        raise InputError("where", name, "is no date", value, "YYYY-MM-DD") from None


def _check_systems(wanted: list[Any]) -> None:
    known = [System.HVPS.value, System.SAPS.value, System.BEPS.value, System.IBPS.value]
    for name in wanted:
        if name is not None and name not in known:
            raise InputError("where", "system", "no such system", name, ", ".join(known))


def _numbers(column: Any) -> IntArray:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    column = column.cast(pa.int64())
    if column.null_count:
        column = pc.fill_null(column, NONE)
    numbers: IntArray = column.to_numpy()
    return numbers


def _small_codes(numbers: IntArray) -> Codes:
    """Codes of an integer column with few different values (levels, dates)."""
    missing = numbers == NONE
    present = numbers[~missing] if missing.any() else numbers
    if len(present) == 0:
        return Codes(np.full(len(numbers), -1, np.int32), [])
    low, high = int(present.min()), int(present.max())
    if low == high and len(present) == len(numbers):
        return Codes(np.zeros(len(numbers), np.int32), [low])
    if high - low > 1_000_000:
        values, codes = np.unique(numbers, return_inverse=True)
        skip = int(values[0] == NONE)
        return Codes(codes - skip, [int(value) for value in values[skip:]])
    used = np.flatnonzero(np.bincount(present - low))
    code_of = np.full(high - low + 1, -1, np.intp)
    code_of[used] = np.arange(len(used))
    codes = code_of[np.where(missing, 0, numbers - low)]
    codes[missing] = -1
    return Codes(codes, [int(value) + low for value in used])


def _text_codes(column: Any) -> Codes:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # no chunk at all
        return Codes(np.zeros(0, np.int32), [])
    indices = column.indices
    if indices.null_count:
        indices = pc.fill_null(indices, -1)
    return Codes(indices.to_numpy(), column.dictionary.to_pylist())


class Remembered:
    """A run whose columns are read once and kept while several metrics are taken of it (the report does so)."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._tables: dict[str, Any] = {}
        self.kept_columns: dict[str, Columns] = {}

    def table(self, name: str) -> Any:
        """The table, loaded once."""
        if name not in self._tables:
            self._tables[name] = self._run.table(name)
        return self._tables[name]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)


def remembered(run: Run) -> Run:
    """The run, keeping its columns. InputError for what is no run."""
    check_run(run)
    return run if isinstance(run, Remembered) else Remembered(run)


def check_run(run: object) -> None:
    """InputError for what is no run."""
    if not hasattr(run, "manifest"):
        raise InputError("run", "", "is no run", run, "what cs.simulate or cs.load returns, such as cs.load(RUN)")


def table_of(run: Run, name: str) -> Any:
    """The named table of a run; InputError if the scenario did not want it kept.

    A manifest names only tables with rows. Payments and transfers are kept or dropped together, and a run
    without payments has none to keep; rounds, matchings and events may have no rows in any run.
    """
    check_run(run)
    kept = run.manifest.get("tables", TABLES)
    dropped = {
        "payments": bool(run.manifest.get("items")),
        "transfers": bool(run.manifest.get("items")) and "payments" not in kept,
        "accounts": True,
        "series": True,
    }
    if name not in kept and dropped.get(name, False):
        raise InputError("run", name, "the run did not record this table", "", "a run with `record: payments`")
    return run.table(name) if name != "payments" else _gross_payments(run)


def _gross_payments(run: Run) -> Any:
    """The payments of HVPS and SAPS: what the netting server clears has measures of its own."""
    if not run.manifest.get("outcomes"):
        return run.table("payments")
    few = getattr(run, "payments_of", None)
    if few is not None:
        return few(System.HVPS, System.SAPS)
    payments = run.table("payments")
    own = pa.array([System.HVPS.value, System.SAPS.value])
    return payments.filter(pc.is_in(payments["system"].cast(pa.string()), own))


def frame_of(run: Any, name: str) -> Callable[[], pd.DataFrame]:
    """How to get the pandas frame of a table, for `where` given as a function."""

    def frame() -> pd.DataFrame:
        found = getattr(run, name, None)
        if isinstance(found, pd.DataFrame) and (name != "payments" or not run.manifest.get("outcomes")):
            return found
        decoded: pd.DataFrame = table_of(run, name).to_pandas()
        return decoded

    return frame


def columns_of(run: Run, name: str, kind: type[_Kind]) -> _Kind:
    """The columns of a table; a `Remembered` run keeps them."""
    kept = getattr(run, "kept_columns", None)
    if kept is None:
        return kind(name, table_of(run, name))
    if not isinstance(kept.get(name), kind):
        kept[name] = kind(name, table_of(run, name))
    found: _Kind = kept[name]
    return found


def has_table(run: Run, name: str) -> bool:
    """Did the run record this table, and does it have rows?"""
    return name in run.manifest.get("tables", TABLES) and run.table(name).num_rows > 0


def as_date(value: object) -> dt.date:
    """A date, also from its ISO text."""
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def as_list(by: str | Sequence[str] | None) -> list[str]:
    """`by` as a list of names."""
    if by is None:
        return []
    if isinstance(by, str):
        return [by]
    if not isinstance(by, Iterable) or not all(isinstance(name, str) for name in by):
        raise InputError("by", "", "is no name of a group", by, "a name or a list of names")
    return list(by)
