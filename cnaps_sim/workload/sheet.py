"""Sheet: rows of a CSV file, a Parquet file, a data frame or a list as Arrow columns, each row with its place.

Nothing is interpreted here but the form: names of columns, cells per row, encoding. Money and times are text when they
leave this file (or whole fen, in a column whose name ends in `_fen`), so that every source is read by the same rules.
"""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.csv_text import CsvText

if TYPE_CHECKING:
    import pandas as pd

#: Says where a row (from 0) stands: `payments.csv:17`.
Place = Callable[[int], str]
FEN = "_fen"


class Terms(NamedTuple):
    """The columns a sheet may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    money: frozenset[str]  # CNY as text; outside CSV also whole fen under the name with `_fen`
    coded: frozenset[str]  # few different values: dictionary-encoded while they are read

    @property
    def names(self) -> tuple[str, ...]:
        return self.required + self.optional

    def without(self, name: str) -> Terms:
        """The same with one required column made optional."""
        required = tuple(other for other in self.required if other != name)
        return self._replace(required=required, optional=(name, *self.optional))


@dataclass(frozen=True, eq=False)
class Sheet:
    """Columns of equal length.

    columns:     by name without `_fen`: text (empty where nothing is told), dictionary-encoded text, or int64 fen
    row_count:   rows
    place:       where a row stands
    whole_place: where the sheet stands
    broken:      a later row that could not be divided into cells; the columns end before it
    """

    columns: dict[str, pa.Array]
    row_count: int
    place: Place
    whole_place: str
    broken: InputError | None = None

    def column(self, name: str) -> pa.Array:
        """A column; text that is empty throughout where the sheet has none of that name."""
        found = self.columns.get(name)
        return pa.array([""] * self.row_count, pa.string()) if found is None else found

    def only(self, rows: npt.NDArray[np.int64]) -> Sheet:
        """The sheet with these rows alone, which stand where they stood."""
        if len(rows) == self.row_count:
            return self
        columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
        return Sheet(columns, len(rows), lambda row: self.place(int(rows[row])), self.whole_place, self.broken)


def read_sheet(path: str | Path, terms: Terms) -> Sheet:
    """The rows of a file: Parquet if its name ends in `.parquet`, else CSV.

    A row of a CSV file is placed at `file:line`, the header being line 1; a row of a Parquet file at `file:row`, the
    first being row 1. InputError if the file cannot be read, or has other columns than `terms` allows.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), "", "cannot be read", error.strerror or str(error)) from None
    told = content.removeprefix(codecs.BOM_UTF8)
    if not told or told.isspace():
        raise InputError(f"{path}:1", "", "the file is empty", "", f"the columns {', '.join(terms.required)}")
    return _parquet_sheet(path, content, terms) if path.suffix == ".parquet" else _csv_sheet(path, content, terms)


def frame_sheet(frame: pd.DataFrame, terms: Terms, name: str) -> Sheet:
    """The rows of a data frame. Row r is placed at `name[r]`, counted from 0 whatever the index.

    InputError for a wrong set of columns. TypeError naming the column if it holds floating-point or other numbers
    where text, Decimal or whole fen belong.
    """
    check_names([str(column) for column in frame.columns], terms, name, fen_too=True)

    def refuse(column: str, problem: str, value: object, allowed: str) -> Exception:
        return TypeError(f"{name}: {column}: {problem} ({value}); allowed: {allowed}")

    arrays = {}
    for label in frame.columns:
        try:
            arrays[str(label)] = pa.Array.from_pandas(frame[label])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise refuse(str(label), "values of several types", frame[label].dtype, "text") from None
    columns = {_base(key, terms): _plain(_one(array), key, terms, refuse) for key, array in arrays.items()}
    return Sheet(columns, len(frame), lambda row: f"{name}[{row}]", name)


def rows_sheet(rows: Sequence[Mapping[str, object]], terms: Terms, place: Place | str) -> Sheet:
    """A list of mappings, as a scenario file holds them; a key that is absent or None is an empty cell.

    place: where row r stands, or one place for all. Values are text, whole numbers (of CNY in a column of money),
    Decimals or date-times. InputError for an unknown key and for a floating-point number.
    """
    place_of: Place = place if callable(place) else lambda _: place
    whole = place if isinstance(place, str) else (place(0) if rows else "rows")
    texts: dict[str, list[str]] = {name: [] for name in terms.names}
    every_optional = terms._replace(required=(), optional=terms.names)
    for number, row in enumerate(rows):
        check_names([str(key) for key in row], every_optional, place_of(number), fen_too=True)
        cells = {_base(str(key), terms): _cell_text(str(key), value, place_of(number)) for key, value in row.items()}
        for name, column in texts.items():
            column.append(cells.get(name, ""))
    columns = {name: pa.array(column, pa.string()) for name, column in texts.items()}
    return Sheet(columns, len(rows), place_of, whole)


def check_names(names: Sequence[str], terms: Terms, place: str, fen_too: bool = False) -> None:
    """InputError for the first name that is given twice or unknown, then for a missing one."""
    known = set(terms.names)
    aliases = {name + FEN: name for name in terms.money if fen_too}
    seen: set[str] = set()
    for name in names:
        column = aliases.get(name, name)
        if column not in known:
            allowed = nearest(name, [*terms.names, *sorted(aliases)]) if name else ", ".join(terms.names)
            raise InputError(place, name, "unknown column" if name else "a column without a name", "", allowed)
        if column in seen:
            raise InputError(place, name, "column given twice")
        seen.add(column)
    for column in terms.required:
        if column not in seen:
            raise InputError(place, column, "missing column", "", f"the columns {', '.join(terms.required)}")


def _csv_sheet(path: Path, content: bytes, terms: Terms) -> Sheet:
    text = CsvText(str(path), content)
    header = text.header()
    check_names(header, terms, f"{path}:{text.header_line()}")
    table, broken = text.read(header, terms.coded)
    columns = {name: _one(table.column(name)) for name in header}
    return Sheet(columns, table.num_rows, text.place, f"{path}:1", broken)


def _parquet_sheet(path: Path, content: bytes, terms: Terms) -> Sheet:
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(str(path), "", "not a readable Parquet file", error) from None
    check_names(table.column_names, terms, str(path), fen_too=True)

    def refuse(column: str, problem: str, value: object, allowed: str) -> Exception:
        return InputError(str(path), column, problem, value, allowed)

    columns = {_base(key, terms): _plain(_one(table.column(key)), key, terms, refuse) for key in table.column_names}
    return Sheet(columns, table.num_rows, lambda row: f"{path}:{row + 1}", str(path))


def _base(name: str, terms: Terms) -> str:
    """The name of a column without `_fen`."""
    base = name.removesuffix(FEN)
    return base if base in terms.money else name


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece, its dictionary (if it has one) unified."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _plain(array: pa.Array, name: str, terms: Terms, refuse: Callable[[str, str, object, str], Exception]) -> pa.Array:
    """A typed column as text, or as int64 where it holds fen. What cannot be either is refused."""
    kind = array.type
    if name.removesuffix(FEN) in terms.money and name.endswith(FEN):
        if not (pa.types.is_signed_integer(kind) or pa.types.is_null(kind)):
            raise refuse(name, "not whole fen", kind, "int64")
        # An empty cell has no number; 0 is the default of money, and no amount a payment may have.
        return array.cast(pa.int64()).fill_null(0)
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode(), name, terms, refuse)
    if pa.types.is_decimal(kind) and name in terms.money:
        text = pc.replace_substring_regex(array.cast(pa.string()), r"(\.[0-9]*?)0+$", r"\1")
        return pc.replace_substring_regex(text, r"\.$", "").fill_null("")
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _time_text(array, name, refuse)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string()).fill_null("")
    if pa.types.is_null(kind):
        return pa.array([""] * len(array), pa.string())
    if name in terms.money:
        raise refuse(name, "this type cannot hold CNY exactly", kind, f"text, Decimal, or {name}{FEN} as int64")
    raise refuse(name, "not text", kind, "text")


def _time_text(array: pa.Array, name: str, refuse: Callable[[str, str, object, str], Exception]) -> pa.Array:
    """Timestamps (an offset is converted to Asia/Shanghai) or times of day as text in milliseconds."""
    kind = array.type
    try:
        if pa.types.is_time(kind):
            return array.cast(pa.time32("ms")).cast(pa.string()).fill_null("")
        if kind.tz is not None:
            east = pa.scalar(dt.timedelta(hours=8), pa.duration(kind.unit))  # Asia/Shanghai, without daylight saving
            array = pc.add(array.cast(pa.timestamp(kind.unit)), east)
        return array.cast(pa.timestamp("ms")).cast(pa.string()).fill_null("")
    except pa.ArrowInvalid:
        raise refuse(name, "finer than a millisecond", kind, "milliseconds") from None


def _cell_text(key: str, value: object, place: str) -> str:
    """One value of a mapping as the text a CSV cell would hold."""
    if value is None:
        return ""
    if key.endswith(FEN):
        if isinstance(value, int) and not isinstance(value, bool):
            return format_fen(value)
        raise InputError(place, key, "not whole fen", value, "a whole number")
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError(place, key, f"text is wanted here, not a value of type {type(value).__name__}", value)


def texts(column: pa.Array) -> Iterable[str]:
    """The cells of a text column as Python text."""
    decoded = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    result: list[str] = decoded.to_pylist()
    return result
