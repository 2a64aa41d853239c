"""A digest depends on values alone, and is what the documentation says it is."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cnaps_sim.audit.digest import (
    TableDigest,
    chain,
    checksum_text,
    hash_text,
    item_checksum,
    item_hashes,
    table_digest,
)
from cnaps_sim.words.tables import TABLES

WORD = 2**64


def sized(text: str) -> bytes:
    return struct.pack("<i", len(text.encode()))


def documented_digest(table: pa.Table, kinds: dict[str, str]) -> str:
    """The digest as the module's text tells it, value by value."""
    lines = f"rows {table.num_rows}\n"
    for name, kind in kinds.items():
        values = table[name].to_pylist()
        bits = bytearray((len(values) + 7) // 8)
        for row, value in enumerate(values):
            bits[row // 8] |= (value is not None) << (row % 8)
        given = [value for value in values if value is not None]
        letters = b""
        if kind == "text":
            different = list(dict.fromkeys(given))
            content = b"".join(struct.pack("<i", different.index(text)) for text in given)
            letters = b"".join(sized(text) + text.encode() for text in different)
        elif kind == "id":
            content = b"".join(map(sized, given))
            letters = b"".join(text.encode() for text in given)
        else:
            days = [(v - dt.date(1970, 1, 1)).days if isinstance(v, dt.date) else v for v in given]
            content = b"".join(struct.pack("<q", value) for value in days)
        told = " ".join(hashlib.sha256(part).hexdigest() for part in (bytes(bits), content, letters))
        lines += f"{name} {kind} {told}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def fnv(text: str | None) -> int:
    if text is None:
        return 0
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % WORD
    return value


def mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % WORD
    value = (value ^ value >> 27) * 0x94D049BB133111EB % WORD
    return value ^ value >> 31


def test_the_digest_is_the_documented_one(stored: Any) -> None:
    for name in ("payments", "accounts", "series"):
        kinds = {c.name: c.kind if c.kind in ("date", "text", "id") else "number" for c in TABLES[name]}
        assert table_digest(stored.tables[name]) == documented_digest(stored.tables[name], kinds)


def test_the_checksum_is_the_documented_one(stored: Any) -> None:
    total = 0
    for row in stored.rows("payments"):
        ended = -(2**63) if row["ended_ms"] is None else row["ended_ms"]
        fields = [fnv(row["payment_id"]), fnv(row["debtor"]), fnv(row["creditor"]), row["amount_fen"]]
        value = 0
        for part in [*fields, fnv(row["status"]), ended]:
            value = mixed(value ^ part % WORD)
        total += value
    assert item_checksum(stored.tables["payments"]) == f"{total % WORD:016x}"


def test_the_hash_of_known_texts_is_fnv_1a() -> None:
    """Published values of the 64-bit FNV-1a hash."""
    known = {"": 0xCBF29CE484222325, "a": 0xAF63DC4C8601EC8C, "foobar": 0x85944171F73967E8}
    assert hash_text(pa.array([*known, None])).tolist() == [*known.values(), 0]


def test_chunks_dictionaries_and_widths_do_not_matter(stored: Any) -> None:
    table = stored.tables["payments"]
    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            words = sorted({w for w in column.to_pylist() if w is not None}, reverse=True)
            codes = [None if w is None else words.index(w) + 1 for w in column.to_pylist()]
            column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(["unused", *words]))
        elif pa.types.is_string(column.type):
            column = column.cast(pa.large_string())
        elif pa.types.is_int8(column.type):
            column = column.cast(pa.int16())
        columns.append(column)
    other = pa.table(columns, names=table.column_names)
    other = pa.concat_tables([other.slice(0, 3), other.slice(3, 0), other.slice(3)])
    other = other.select([*reversed(table.column_names)])
    assert table_digest(other) == table_digest(table)
    assert item_checksum(table.take(pa.array(range(len(table) - 1, -1, -1)))) == item_checksum(table)


def test_a_table_in_parts_has_the_digest_of_the_whole(stored: Any) -> None:
    """However it is cut, parts without rows and rows short of a byte of validity bits included."""
    table = pa.concat_tables([stored.tables["payments"]] * 7)
    for size in (1, 3, 8, 13):
        digest = TableDigest()
        for first in range(0, len(table), size):
            digest.update(table.slice(first, size).unify_dictionaries())
            digest.update(table.slice(first, 0))
        assert digest.hexdigest() == table_digest(table), size


def test_words_of_a_dictionary_may_stand_twice_or_be_null(stored: Any) -> None:
    table = stored.tables["payments"]
    statuses = table["status"].to_pylist()
    words = [None, *statuses, *statuses]
    codes = [row + 1 + row % 2 * len(statuses) for row in range(len(statuses))]
    statuses[0], codes[0] = None, 0
    place = table.schema.get_field_index("status")
    doubled = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words, pa.string()))
    plain = pa.array(statuses, pa.string())
    assert len({table_digest(table.set_column(place, "status", column)) for column in (doubled, plain)}) == 1


def test_parquet_and_back_has_the_same_digest(stored: Any, tmp_path: Any) -> None:
    for name, table in stored.tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=2)
        assert table_digest(pq.read_table(tmp_path / f"{name}.parquet")) == table_digest(table)


def test_checksums_add_up(stored: Any) -> None:
    """Payments may be summed chunk by chunk."""
    table = stored.tables["payments"]
    parts = [int(item_checksum(table.slice(k, 2)), 16) for k in range(0, len(table), 2)]
    assert f"{sum(parts) % WORD:016x}" == item_checksum(table)
    assert checksum_text(item_hashes(table)) == item_checksum(table)


@pytest.mark.parametrize("table", ["payments", "transfers", "accounts", "series", "events"])
def test_every_value_counts(stored: Any, table: str) -> None:
    before = table_digest(stored.tables[table])
    row = stored.rows(table)[1]
    for name, value in row.items():
        other: Any = "other" if isinstance(value, str) else dt.date(2030, 1, 1) if name == "date" else 5
        if other == value:
            other = 6
        column = stored.tables[table].schema.get_field_index(name)
        kind = stored.tables[table].schema.field(name).type
        values = stored.tables[table][name].to_pylist()
        values[1] = "other" if pa.types.is_dictionary(kind) or pa.types.is_string(kind) else other
        changed = stored.tables[table].set_column(column, name, pa.array(values, kind))
        assert table_digest(changed) != before, name


def test_null_and_nothing_differ() -> None:
    assert table_digest(pa.table({"x": pa.array([None, 1])})) != table_digest(pa.table({"x": pa.array([0, 1])}))
    assert table_digest(pa.table({"x": ["", "a"]})) != table_digest(pa.table({"x": [None, "a"]}))
    assert table_digest(pa.table({"x": ["ab", ""]})) != table_digest(pa.table({"x": ["a", "b"]}))


def test_long_and_many_texts_hash_as_short_ones() -> None:
    """Blocks and mixed lengths change nothing."""
    texts = [f"{k:0{k % 40 + 1}d}" for k in range(40_000)]
    assert hash_text(pa.array(texts)).tolist()[::997] == [fnv(text) for text in texts[::997]]
    assert chain(hash_text(pa.array(texts)))[39_999] == mixed(fnv(texts[39_999]))


def test_a_table_without_rows_has_a_digest() -> None:
    table = pa.table({"x": pa.array([], pa.int64()), "y": pa.array([], pa.string())})
    assert len(table_digest(table)) == 64
    assert table_digest(table) != table_digest(table.select(["x"]))
