"""The message log (报文日志): every message of a run, compressed, indexed, each record sealed by the one before it.

A record's seal is SHA-256 over the seal before it and over everything the record says, so that one changed byte of a
record breaks the chain from there on; whatever else a file holds is under the digest of all files. The records lie in
Parquet files of a bounded number of rows, written as the run goes on: memory does not grow with the number of messages,
and DuckDB reads them as one table.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.systems.mail import Letter

#: Rows of one Parquet file of the log.
ROWS_OF_A_PART: Final = 20_000
#: The seal before the first record.
FIRST_SEAL: Final = bytes(32)


class Record(NamedTuple):
    """One passage of one message.

    sent_ms, received_ms: ms of the run; received_ms is None if it never arrived
    sender, receiver:     accounts, or the centre
    number, iso:          CNAPS number and ISO 20022 message id
    business_id:          the sender's id of the message
    reference:            the payment it is about, if any
    payment:              sequence of that payment, -1 without one
    verdict:              `accepted`, or the layer, path and reason of the refusal
    data:                 the bytes that travelled
    """

    sent_ms: int
    received_ms: int | None
    sender: str
    receiver: str
    number: str
    iso: str
    business_id: str
    reference: str
    payment: int
    verdict: str
    data: bytes

    def seal(self, before: bytes) -> bytes:
        """The seal of this record when it follows one sealed `before`."""
        received = "" if self.received_ms is None else self.received_ms
        texts = (self.sender, self.receiver, self.number, self.iso, self.business_id, self.reference, self.verdict)
        lengths = ":".join([str(len(text)) for text in texts])
        said = f"{self.sent_ms}:{received}:{self.payment}:{lengths}:{''.join(texts)}:{len(self.data)}:"
        return hashlib.sha256(b"".join((before, said.encode(), self.data))).digest()


_NAMES: Final = Record._fields
SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("sent_ms", pa.int64()),
        ("received_ms", pa.int64()),
        ("sender", pa.dictionary(pa.int32(), pa.string())),
        ("receiver", pa.dictionary(pa.int32(), pa.string())),
        ("number", pa.dictionary(pa.int32(), pa.string())),
        ("iso", pa.dictionary(pa.int32(), pa.string())),
        ("business_id", pa.string()),
        ("reference", pa.string()),
        ("payment", pa.int64()),
        ("verdict", pa.dictionary(pa.int32(), pa.string())),
        ("data", pa.binary()),
        ("seal", pa.binary(32)),
    ]
)
#: Columns whose least and greatest value per part help a query; of ids, bytes and seals they would say nothing.
_WITH_STATISTICS: Final = ["row", "sent_ms", "received_ms", "number", "iso", "payment"]


class MessageLog:
    """The log being written into a folder, which must be empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self.seal = FIRST_SEAL
        self._parts = 0
        self._files = hashlib.sha256()
        self._pending: list[tuple[Any, ...]] = []

    def add(self, record: Record) -> None:
        """Seal one record and keep it."""
        self.seal = record.seal(self.seal)
        self._pending.append((self.rows, *record, self.seal))
        self.rows += 1
        if len(self._pending) >= ROWS_OF_A_PART:
            self._write()

    def close(self) -> dict[str, Any]:
        """Write what is pending; answers rows, parts, the last seal and the digest of all files for the manifest."""
        if self._pending:
            self._write()
        return {
            "rows": self.rows, "parts": self._parts, "seal": self.seal.hex(), "files": self._files.hexdigest(),
        }  # fmt: skip

    def _write(self) -> None:
        columns = zip(*self._pending, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=SCHEMA)
        path = self.folder / f"part-{self._parts:05d}.parquet"
        pq.write_table(table, path, compression="zstd", write_statistics=_WITH_STATISTICS)
        self._files.update(path.read_bytes())
        self._parts += 1
        self._pending = []


class LogOfRun:
    """Writes what the mail notes into the message log, in a folder of its own until the run is saved."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cnaps-sim-messages-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._log = MessageLog(self.folder)
        self.closed: dict[str, Any] | None = None

    def note(self, letter: Letter, data: bytes, sent_ms: int, received_ms: int | None, verdict: str) -> None:
        self._log.add(
            Record(
                sent_ms, received_ms, letter.sender, letter.receiver, letter.kind.number, letter.kind.iso,
                letter.business_id, letter.reference, letter.payment, verdict, data,
            )
        )  # fmt: skip

    def close(self) -> dict[str, Any]:
        if self.closed is None:
            self.closed = self._log.close()
        return self.closed


def _parts_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def read_log(folder: Path) -> Iterator[tuple[int, Record, bytes]]:
    """Every record with its row and seal, in order. InputError if a file cannot be read."""
    for path in _parts_of(folder):
        try:
            file = pq.ParquetFile(path)
            if not file.schema_arrow.equals(SCHEMA):
                raise TypeError("its columns are not those of a message log")
            for batch in file.iter_batches(batch_size=4096):
                columns = [batch.column(name).to_pylist() for name in ("row", *_NAMES, "seal")]
                for row, *values, seal in zip(*columns, strict=True):
                    record = Record(*values)
                    if None in record._replace(received_ms=0):
                        raise TypeError(f"record {row} is not whole")
                    yield row, record, seal
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            told = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
            reason = " ".join(ascii(told)[1:-1].split())
            raise InputError(str(path), "", "cannot be read", reason, "the file that the run wrote") from None


def check_chain(folder: Path, told: dict[str, Any], see: Callable[[Record], None] = lambda _: None) -> list[str]:
    """What is wrong with a log's chain, one sentence each; empty if every byte is as it was written.

    told: what the manifest says about the log, as `MessageLog.close` answered; see: told every record whose seal holds
    """
    seal, rows = FIRST_SEAL, 0
    try:
        for row, record, sealed in read_log(folder):
            if row != rows:
                return [f"record {rows} of the message log is missing or out of place"]
            seal = record.seal(seal)
            if seal != sealed:
                return [f"record {row} of the message log ({record.number} from {record.sender}) has been changed"]
            see(record)
            rows += 1
    except InputError as error:
        return [str(error)]
    if rows != told.get("rows"):
        return [f"the message log has {rows} records, the manifest says {told.get('rows')}"]
    if seal.hex() != told.get("seal"):
        return ["the last seal of the message log is not the one in the manifest"]
    parts = _parts_of(folder)
    if len(parts) != told.get("parts"):
        return [f"the message log has {len(parts)} files, the manifest says {told.get('parts')}"]
    files = hashlib.sha256()
    for path in parts:
        files.update(path.read_bytes())
    if files.hexdigest() != told.get("files"):
        return ["every record of the message log is as it was, but its files are not those that the run wrote"]
    return []
