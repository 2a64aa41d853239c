"""CSV text: UTF-8, comma, RFC 4180 quotes; read quickly, and told line by line where something is wrong.

Arrow divides the text into columns; only when a fault must be shown is it read again, slowly, to find its line.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.csv

from cnaps_sim.words.errors import InputError

_BLOCK_BYTES = 8 << 20


class CsvText:
    """The text of one CSV file. Blank lines are passed over.

    InputError, with the line, if it is no text or not in UTF-8 (a byte order mark may stand in front).
    """

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise InputError(f"{name}:1", "", "not UTF-8 but UTF-16 text", "", "UTF-8")
        binary = content.find(b"\0")
        if binary >= 0:
            raise InputError(f"{name}:{self._line_at(binary)}", "", "not a text file", "", "CSV in UTF-8")

    def header(self) -> list[str]:
        """The names of the columns."""
        return next(self._records())[1]

    def header_line(self) -> int:
        return next(self._records())[0]

    def place(self, row: int) -> str:
        """`file:line` of a row (from 0, the header not counted)."""
        line = next((line for line, _ in islice(self._records(), row + 1, None)), None)
        return self.name if line is None else f"{self.name}:{line}"

    def read(self, header: list[str], coded: frozenset[str]) -> tuple[pa.Table, InputError | None]:
        """The rows as text columns, those of `coded` dictionary-encoded.

        If a row has more or fewer cells than the header, the table ends before the first such row, and the second
        answer tells about it.
        """
        try:
            return self._columns(self.content, header, coded), None
        except pa.ArrowInvalid as error:
            self._refuse_encoding()
            broken = self._first_ragged(len(header))
            if broken is None:
                raise InputError(self.name, "", "not readable as CSV", error) from None
        rows, told = broken
        if rows < 0:
            raise told
        return self._columns(self._first_records(rows + 1), header, coded), told

    @staticmethod
    def _columns(content: bytes, header: list[str], coded: frozenset[str]) -> pa.Table:
        """What Arrow makes of a text; ArrowInvalid if it cannot be divided.

        Arrow's threads get memory of Arrow alone and no function to call: they may outlive the interpreter by a moment
        when a fault is told and the program ends, and must not reach back into it.
        """
        kinds = {name: pa.dictionary(pa.int32(), pa.string()) if name in coded else pa.string() for name in header}
        # Arrow does not take a header without a line end for a table without rows.
        end = b"" if content.endswith((b"\n", b"\r")) else b"\n"
        memory = pa.allocate_buffer(len(content) + len(end))
        view = memoryview(memory).cast("B")
        view[: len(content)], view[len(content) :] = content, end
        return pyarrow.csv.read_csv(
            pa.BufferReader(memory),
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES),
            # Line breaks inside quotes cost speed, so they are looked for only where there are quotes.
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=b'"' in content),
            convert_options=pyarrow.csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
        )

    def _first_records(self, count: int) -> bytes:
        """The text of the header and of the rows after it, `count` records in all."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(cells for _, cells in islice(self._records(), count))
        return text.getvalue().encode()

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """The line on which each record begins, and its cells; a record that cannot be divided has none."""
        text = io.TextIOWrapper(io.BytesIO(self.content), encoding="utf-8-sig", newline="")
        reader = csv.reader(text)
        line = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError:
                self._refuse_encoding()
                raise
            except csv.Error:
                yield line, []
                return
            if cells:
                yield line, cells
            line = reader.line_num + 1

    def _first_ragged(self, width: int) -> tuple[int, InputError] | None:
        """The row and the error of the first record that has not `width` cells."""
        for row, (line, cells) in enumerate(self._records(), start=-1):
            if len(cells) != width:
                problem = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} where the header has {width}"
                return row, InputError(f"{self.name}:{line}", "", problem, ",".join(cells))
        return None

    def _refuse_encoding(self) -> None:
        """InputError if the text is not UTF-8, with the line of the first wrong byte."""
        try:
            self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            place = f"{self.name}:{self._line_at(error.start)}"
            byte = f"byte 0x{self.content[error.start]:02x}"
            raise InputError(place, "", "not UTF-8 text", byte, "UTF-8") from None

    def _line_at(self, position: int) -> int:
        return self.content.count(b"\n", 0, position) + 1
