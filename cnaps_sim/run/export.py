"""Export: one result table of a run or study as CSV or XLSX, for R, Stata and spreadsheet users."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from cnaps_sim.run.store import Run
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.tables import TABLES

#: Rows of a sheet, the header included.
SHEET_ROWS = 1_048_576
#: A spreadsheet keeps fifteen digits of a number.
_LARGEST_EXACT = 10**15 - 1


def export_table(run: Run, table: str, to: Path) -> None:
    """Write a table of a run. InputError if the table, the ending or the size does not fit."""
    if table not in run.recorded:
        if table in TABLES:
            raise InputError("table", "", "was not recorded in this run", table, ", ".join(run.recorded))
        allowed = nearest(table, run.recorded, len(run.recorded))
        raise InputError("table", "", "no such table", table, allowed)
    check_file(to)
    write_file(run.table(table), table, to)


def check_file(to: Path) -> None:
    """InputError if no table can be written there."""
    if to.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError("to", "", "no such kind of file", to, ".csv, .xlsx")
    if to.is_dir():
        raise InputError("to", "", "is a folder", to, "a file")
    if not to.parent.is_dir():
        raise InputError("to", "", "no such folder", to.parent, "an existing folder")


def write_file(content: pa.Table, name: str, to: Path) -> None:
    """Write a table as the kind of file that `to` ends with; it appears there when it is whole.

    name: of the sheet. InputError if the table is too long for a sheet
    """
    plain = pa.table(
        [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in content.columns],
        names=content.column_names,
    )
    if to.suffix.lower() == ".csv":
        with _complete(to) as temporary:
            pa_csv.write_csv(plain, temporary)
    elif plain.num_rows >= SHEET_ROWS:
        raise InputError("to", "", "the table is too long for a sheet", f"{plain.num_rows} rows", ".csv")
    else:
        with _complete(to) as temporary:
            _write_sheet(plain, name, temporary)


@contextmanager
def _complete(to: Path) -> Iterator[str]:
    """A temporary file that takes its name only when it is whole. InputError if it cannot be written."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{to.name[:40]}-", suffix=to.suffix, dir=to.parent)
        os.close(descriptor)
        try:
            yield temporary
            os.chmod(temporary, 0o644)
            os.replace(temporary, to)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:  # it names the temporary file, of which nobody has heard
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError("to", "", problem, to, "a file that can be written") from None


def _write_sheet(table: pa.Table, name: str, to: str) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    sheet.append(table.column_names)
    exact = [_as_exact_cells(column) for column in table.columns]
    for batch in pa.table(exact, names=table.column_names).to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([_text_cell(sheet, cell) if isinstance(cell, str) else cell for cell in row])
    book.save(to)


def _as_exact_cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A spreadsheet counts in floating point: whole numbers that it would round become text."""
    if pa.types.is_integer(column.type) and column.type.bit_width == 64:
        ends = pc.min_max(column).as_py()
        if ends["max"] is not None and max(abs(ends["min"]), abs(ends["max"])) > _LARGEST_EXACT:
            return column.cast(pa.string())
    return column


def _text_cell(sheet: Any, text: str) -> Any:
    """Text that stays text: an id that begins with `=` is no formula, and control characters are left out."""
    if not text.startswith("=") and text.isprintable():
        return text
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, "".join(letter for letter in text if letter.isprintable()))
    cell.data_type = "s"
    return cell
