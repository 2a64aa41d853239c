"""Spool: a table that comes in parts, digested and written to Parquet as it comes, so that it need not fit in memory.

A small table is simply kept. A large one goes to a temporary file, which vanishes with the object that holds it, at
the latest when the program ends, and of which a run folder gets a link or a copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from cnaps_sim.audit.digest import TableDigest

#: A table of at most so many rows is kept in memory.
KEPT_ROWS: Final = 2_000_000
#: Rows of a row group of the file; one may have fewer, or up to a part more.
GROUP_ROWS: Final = 1_000_000


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """How every table is written: zstd, text dictionary-encoded, whole numbers as differences, no statistics."""
    whole = [item.name for item in schema if pa.types.is_integer(item.type) or pa.types.is_date(item.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [item.name for item in schema if pa.types.is_dictionary(item.type)],
        "column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED") or None,
        "write_statistics": False,
    }


class SpoolFile:
    """A Parquet file in a temporary folder of its own, for as long as this object lives."""

    def __init__(self, name: str, beside: Path | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix=".cnaps-sim-", dir=beside))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = folder / name

    def place(self, target: Path) -> None:
        """Put the file there too: a link where the file system allows it, else a copy."""
        with suppress(OSError):
            os.link(self.path, target)
            return
        shutil.copyfile(self.path, target)


@dataclass(frozen=True, eq=False)
class Spooled:
    """A table that has come: its rows and digest, and either the table or the file that holds it."""

    rows: int
    sha256: str
    table: pa.Table | None
    file: SpoolFile | None


def spool(
    parts: Iterable[pa.Table],
    schema: pa.Schema,
    see: Callable[[pa.Table], None] | None = None,
    kept_rows: int = KEPT_ROWS,
    beside: Path | None = None,
) -> Spooled:
    """Take all parts of a table, in order.

    see:       is shown each part once, in order, in a thread of its own (the audit)
    kept_rows: up to so many rows the table is kept in memory
    beside:    an existing folder in which the temporary file is made, so that a run folder made there gets a link and
               not a copy; None for the system's temporary folder

    While the caller's thread makes the next part, one thread digests and looks at the one before it, and one writes.
    At most one part waits for each. What goes wrong in a thread is raised here.
    """
    digest = TableDigest()
    writer = _Writer(schema, kept_rows, beside)

    def look(part: pa.Table) -> None:
        digest.update(part)
        if see is not None:
            see(part)

    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1) as looking, ThreadPoolExecutor(1) as writing:
        try:
            for part in parts:
                for done in waiting:
                    done.result()
                waiting = [looking.submit(look, part), writing.submit(writer.add, part)]
            for done in waiting:
                done.result()
            table, file = writing.submit(writer.finish).result()
        finally:
            writing.submit(writer.close).result()
    if not digest.rows:
        digest.update(schema.empty_table())
    return Spooled(digest.rows, digest.hexdigest(), table, file)


class _Writer:
    """Keeps parts until there are too many rows, then writes them and all that follow, group by group."""

    def __init__(self, schema: pa.Schema, kept_rows: int, beside: Path | None) -> None:
        self._schema = schema
        self._kept_rows = kept_rows
        self._beside = beside
        self._pending: list[pa.Table] = []
        self._rows = 0
        self._file: SpoolFile | None = None
        self._parquet: pq.ParquetWriter | None = None

    def add(self, part: pa.Table) -> None:
        self._pending.append(part)
        self._rows += part.num_rows
        if self._parquet is None and self._rows > self._kept_rows:
            self._file = SpoolFile("table.parquet", self._beside)
            self._parquet = pq.ParquetWriter(self._file.path, self._schema, **parquet_options(self._schema))
        if self._parquet is not None and self._rows >= GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        assert self._parquet is not None
        whole = pa.concat_tables(self._pending).unify_dictionaries()  # or a group would not keep its dictionary
        self._pending, self._rows = [], 0
        groups = max(1, round(whole.num_rows / GROUP_ROWS))
        self._parquet.write_table(whole, row_group_size=max(1, -(-whole.num_rows // groups)))

    def finish(self) -> tuple[pa.Table | None, SpoolFile | None]:
        """The table or its file, whichever it has become."""
        if self._parquet is None:
            whole = pa.concat_tables(self._pending or [self._schema.empty_table()])
            return (whole if len(self._pending) < 2 else whole.unify_dictionaries().combine_chunks()), None
        if self._pending:
            self._write()
        self.close()
        return None, self._file

    def close(self) -> None:
        """End the file; a second time nothing is left to do."""
        if self._parquet is not None:
            self._parquet.close()
