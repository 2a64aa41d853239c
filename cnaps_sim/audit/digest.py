"""Digests: one number for a table's values, one for a set of payments.

Both depend on values alone: not on Parquet bytes, compression, chunks, dictionaries or the width of integers.

**Table digest.** Of each column three SHA-256 are taken over its rows in order. *valid*: one bit per row (bit k of
byte b is row 8b + k; 1 = not null). *values*, of what is not null: whole numbers and dates (days since 1970-01-01) as
int64 little-endian; of ids the UTF-8 lengths as int32 little-endian; of text the number of each value as int32
little-endian, where the different texts of a column are numbered from 0 in the order in which they first stand in it.
*bytes*: of ids all the UTF-8 bytes; of text, for each different one in the order of its number, its UTF-8 length as
int32 little-endian and its bytes; of numbers and dates nothing. The table's digest is SHA-256 over the lines `rows N`
and, column by column in documented order, `name kind valid values bytes`, the last three as hexadecimal digits; kind is
`number`, `date`, `text` (what `words.tables` calls text) or `id` (any other text). No result table has a column of
another type; its values would count as ids. A table can be fed part by part, and how it is cut does not matter.

**Checksum of payments.** The sum modulo 2^64 over the payments of h6, where h1 = mix(t(id)),
h2 = mix(h1 xor t(debtor)), h3 = mix(h2 xor t(creditor)), h4 = mix(h3 xor amount_fen), h5 = mix(h4 xor t(status)),
h6 = mix(h5 xor ended_ms); t is the 64-bit FNV-1a hash of the UTF-8 bytes (0 for null), mix the finaliser of
SplitMix64, numbers are taken modulo 2^64 and a null ended_ms is -2^63. The sum needs no order, so payments may be
added up chunk by chunk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cnaps_sim.words.tables import TABLES

Hashes = NDArray[np.uint64]
Codes = NDArray[np.int32]
Field = tuple[Hashes, Codes]

#: Stands for null among numbers.
NULL: Final = np.iinfo(np.int64).min
_FNV_START: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_MIX_STEPS: Final = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
    (np.uint64(31), np.uint64(0)),
)
#: Rows hashed at a time, so that they stay in the processor's cache.
_BLOCK: Final = 1 << 14
#: Rows of a table that are digested at a time, and threads that do it.
_ROWS: Final = 1 << 20
_THREADS: Final = 2


class TableDigest:
    """The digest of a table that comes in parts; what it keeps does not grow with the rows.

    Of text columns it keeps the different texts. `threads` may digest columns side by side.
    """

    def __init__(self, threads: ThreadPoolExecutor | None = None) -> None:
        self.rows = 0
        self._threads = threads
        self._columns: dict[str, _ColumnDigest] = {}

    def update(self, part: pa.Table) -> None:
        """Take the next rows; every part has the same columns, in any order."""
        if not self._columns:
            self._columns = {name: _ColumnDigest(is_text) for name, is_text in _documented_order(part.column_names)}
        assert sorted(part.column_names) == sorted(self._columns), "parts of one table have the same columns"
        for first in range(0, part.num_rows, _ROWS):
            self._take(part.slice(first, _ROWS))
        if not part.num_rows:
            self._take(part)  # what kind of column it is shows without rows, too
        self.rows += part.num_rows

    def _take(self, rows: pa.Table) -> None:
        both = self._columns.values(), [rows.column(name) for name in self._columns]
        each = map if self._threads is None else self._threads.map
        for _ in each(_ColumnDigest.update, *both):
            pass

    def hexdigest(self) -> str:
        """SHA-256 over all values so far, as 64 hexadecimal digits. More parts may follow."""
        lines = [f"{name} {column.line()}\n" for name, column in self._columns.items()]
        return hashlib.sha256((f"rows {self.rows}\n" + "".join(lines)).encode()).hexdigest()


def table_digest(table: pa.Table) -> str:
    """SHA-256 over a table's values, as 64 hexadecimal digits (see the module's text)."""
    with ThreadPoolExecutor(_THREADS) as threads:
        digest = TableDigest(threads)
        digest.update(table)
    return digest.hexdigest()


def _documented_order(names: Sequence[str]) -> list[tuple[str, bool]]:
    """The names, and whether each is a text column, in the order of the documented table that has exactly these."""
    for columns in TABLES.values():
        if sorted(column.name for column in columns) == sorted(names):
            return [(column.name, column.kind == "text") for column in columns]
    return [(name, False) for name in names]


class _ColumnDigest:
    """The three digests of one column."""

    def __init__(self, is_text: bool) -> None:
        self._is_text = is_text
        self._kind = ""
        self._valid, self._values, self._bytes = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self._bits = np.zeros(0, np.bool_)  # of the last rows, fewer than a byte
        self._numbers: dict[str, int] = {}

    def update(self, column: pa.ChunkedArray) -> None:
        kind, chunks = _plain_chunks(column, self._is_text)
        assert self._kind in ("", kind), "parts of one column have the same type"
        self._kind = kind
        for chunk in chunks:
            self._take_valid(chunk)
            given = chunk.drop_null() if chunk.null_count else chunk
            if kind == "text":
                self._take_text(given)
            elif kind == "id":
                starts, data = text_bytes(given)
                self._values.update(np.diff(starts).astype("<i4").data)
                self._bytes.update(data[starts[0] : starts[-1]].data)
            else:
                self._values.update(np.ascontiguousarray(given.to_numpy(zero_copy_only=False), "<i8").data)

    def _take_valid(self, chunk: pa.Array) -> None:
        if chunk.null_count in (0, len(chunk)):
            valid = np.full(len(chunk), chunk.null_count == 0)
        else:
            valid = chunk.is_valid().to_numpy(zero_copy_only=False)
        bits = np.concatenate([self._bits, valid]) if len(self._bits) else valid
        whole = len(bits) // 8 * 8
        self._valid.update(np.packbits(bits[:whole], bitorder="little").data)
        self._bits = bits[whole:].copy()

    def _take_text(self, given: pa.DictionaryArray) -> None:
        """Number the texts that are new, in the order in which they come, and note the numbers of all."""
        words = given.dictionary.to_pylist()
        number_of = np.array([self._numbers.get(word, -1) for word in words], np.int32)
        codes = given.indices.to_numpy(zero_copy_only=False)
        numbered = number_of.take(codes, mode="clip")  # of the modes the fastest; every code is in range
        if len(codes) and numbered.min() < 0:
            unknown = codes[numbered < 0]
            first = np.full(len(words), len(unknown))
            first[unknown[::-1]] = np.arange(len(unknown))[::-1]  # of several rows the last one told remains
            for code in np.argsort(first)[: np.count_nonzero(first < len(unknown))].tolist():
                number_of[code] = self._number(words[code])
            numbered = number_of.take(codes, mode="clip")
        self._values.update(numbered.astype("<i4", copy=False).data)

    def _number(self, word: str) -> int:
        if word not in self._numbers:  # a dictionary may hold a word twice
            self._numbers[word] = len(self._numbers)
            data = word.encode()
            self._bytes.update(len(data).to_bytes(4, "little") + data)
        return self._numbers[word]

    def line(self) -> str:
        """Kind and the three digests."""
        valid = self._valid.copy()
        valid.update(np.packbits(self._bits, bitorder="little").data)
        return f"{self._kind} {valid.hexdigest()} {self._values.hexdigest()} {self._bytes.hexdigest()}"


def _plain_chunks(column: pa.ChunkedArray, is_text: bool) -> tuple[str, list[pa.Array]]:
    """Kind of a column and its chunks: int64, plain strings, or dictionaries without null for a text column."""
    kind = column.type
    if pa.types.is_integer(kind):
        return "number", column.cast(pa.int64()).chunks
    if pa.types.is_date32(kind):
        return "date", column.cast(pa.int32()).cast(pa.int64()).chunks
    if is_text and pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
        return "text", [_without_null_word(chunk) for chunk in column.chunks]
    if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind):
        column = column.cast(pa.string())
    elif not pa.types.is_string(kind):
        column = pa.chunked_array([pa.array([repr(value) for value in column.to_pylist()], pa.string())])
    return ("text", column.dictionary_encode().chunks) if is_text else ("id", column.chunks)


def _without_null_word(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    """A null may stand in the dictionary instead of among the rows."""
    return chunk.cast(pa.string()).dictionary_encode() if chunk.dictionary.null_count else chunk


def text_bytes(array: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Where each text of a plain string array starts (one more than texts), and the UTF-8 bytes."""
    if array.null_count:
        array = pc.fill_null(array, "")
    _, offsets, data = array.buffers()
    if not len(array):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    starts = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return starts, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def text_codes(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """A text column as codes into a list of different texts; -1 for null."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    given = whole.dictionary.to_pylist()
    number: dict[str, int] = {}
    of_word = np.array([*(-1 if w is None else number.setdefault(w, len(number)) for w in given), -1], np.int32)
    indices = whole.indices.cast(pa.int32())
    if indices.null_count:
        indices = indices.fill_null(len(given))
    codes: Codes = indices.to_numpy(zero_copy_only=False)
    if len(number) < len(given) or whole.null_count:
        codes = of_word[codes]
    return codes, list(number)


def text_field(codes: Codes, words: Sequence[str]) -> Field:
    """A text column as a field to be chained: the hash of each different text (0 for null) and its codes."""
    return np.append(hash_text(pa.array(words, pa.string())), np.uint64(0)), codes


def hash_text(column: pa.Array | pa.ChunkedArray) -> Hashes:
    """64-bit FNV-1a hash of each text of a string column; 0 for null."""
    if isinstance(column, pa.ChunkedArray):
        return np.concatenate([hash_text(chunk) for chunk in column.chunks] or [np.zeros(0, np.uint64)])
    starts, data = text_bytes(column)
    hashes = np.full(len(column), _FNV_START)
    for first in range(0, len(column), _BLOCK):
        _hash_block(starts[first : first + _BLOCK + 1], data, hashes[first : first + _BLOCK])
    if column.null_count:
        hashes[~column.is_valid().to_numpy(zero_copy_only=False)] = 0
    return hashes


def _hash_block(starts: NDArray[np.int32], data: NDArray[np.uint8], hashes: Hashes) -> None:
    """Hash texts byte by byte, all texts of one length together."""
    lengths = np.diff(starts)
    if (lengths == lengths[0]).all():
        _hash_letters(data[starts[0] : starts[-1]].reshape(len(lengths), lengths[0]), hashes)
        return
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        part = hashes[rows]
        _hash_letters(data[starts[rows][:, None] + np.arange(length)], part)
        hashes[rows] = part


def _hash_letters(letters: NDArray[np.uint8], hashes: Hashes) -> None:
    for letter in np.ascontiguousarray(letters.T).astype(np.uint64):
        hashes ^= letter
        hashes *= _FNV_PRIME


def mix(hashes: Hashes, spare: Hashes) -> None:
    """The finaliser of SplitMix64, in place: every bit of the input moves half the bits of the result.

    spare: room for intermediate values, as long as `hashes`
    """
    for shift, factor in _MIX_STEPS:
        np.right_shift(hashes, shift, out=spare)
        hashes ^= spare
        if factor:
            hashes *= factor


def chain(*fields: NDArray[Any] | Field, start: Hashes | None = None) -> Hashes:
    """One hash per row over several fields in order: h = mix(h xor field), from 0 or from `start`.

    A field is an array of 64-bit numbers, or a text column as `text_field` gives it.
    """
    sample = fields[0]
    count = len(sample[1]) if isinstance(sample, tuple) else len(sample)
    result = np.zeros(count, np.uint64) if start is None else start.copy()
    spare = np.empty(min(count, _BLOCK), np.uint64)
    for first in range(0, count, _BLOCK):
        block = slice(first, first + _BLOCK)
        part = result[block]
        for one in fields:
            part ^= one[0][one[1][block]] if isinstance(one, tuple) else one[block].view(np.uint64)
            mix(part, spare[: len(part)])
    return result


def numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A whole-number column as int64, with `NULL` for null."""
    column = column.cast(pa.int64())
    if column.null_count:
        column = column.fill_null(NULL)
    return np.ascontiguousarray(column.to_numpy(), np.int64)


def item_hashes(payments: pa.Table) -> Hashes:
    """The hash h6 of each payment; needs payment_id, debtor, creditor, amount_fen, status and ended_ms."""
    fields: list[NDArray[Any] | Field] = [hash_text(payments["payment_id"])]
    for name in ("debtor", "creditor", "amount_fen", "status", "ended_ms"):
        is_number = name in ("amount_fen", "ended_ms")
        fields.append(numbers(payments[name]) if is_number else text_field(*text_codes(payments[name])))
    return chain(*fields)


def checksum_text(hashes: Hashes) -> str:
    """The sum of hashes modulo 2^64, as 16 hexadecimal digits."""
    return f"{int(np.add.reduce(hashes, dtype=np.uint64)):016x}"


def item_checksum(payments: pa.Table) -> str:
    """The checksum of a table of payments, as 16 hexadecimal digits (see the module's text)."""
    return checksum_text(item_hashes(payments))
