"""Ids: columns of payment ids, made and compared without a Python object per payment."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: What the int32 offsets of an Arrow text column can address.
_MAX_TEXT_BYTES: Final = 2**31 - 1
#: An odd constant whose products spread over all 64 bits (2^64 divided by the golden ratio).
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
#: Longer ids are compared in Arrow.
_LONGEST_HASHED: Final = 64


def numbered_ids(prefix: str, count: int) -> pa.StringArray:
    """`count` ids: the ASCII prefix and a number of eight digits from 00000001 on. ValueError past 99 999 999."""
    if count > 99_999_999:
        raise ValueError("an id has room for eight digits")
    start = prefix.encode("ascii")
    four = np.char.zfill(np.arange(10_000).astype("S4"), 4)
    layout = np.dtype([("prefix", f"S{len(start)}"), ("high", "S4"), ("low", "S4")])
    records = np.empty(count, dtype=layout)
    records["prefix"] = start
    numbers = np.arange(1, count + 1, dtype=np.int32)
    records["high"] = four[numbers // 10_000]
    records["low"] = four[numbers % 10_000]
    offsets = np.arange(count + 1, dtype=np.int64) * layout.itemsize
    if offsets[-1] > _MAX_TEXT_BYTES:
        raise ValueError("more text than one column holds")
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(records))


def letters(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Texts of equal length as a matrix of bytes, one row per text; nothing is copied."""
    _, offset_buffer, text_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(text_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]].reshape(len(texts), -1)


def first_duplicate(ids: pa.StringArray) -> tuple[int, int] | None:
    """The first row whose id an earlier row has, as (earlier row, row); None if every id stands once."""
    if _surely_different(ids) or len(pc.unique(ids)) == len(ids):
        return None
    seen: dict[str, int] = {}
    for row, text in enumerate(ids.to_pylist()):
        earlier = seen.setdefault(text, row)
        if earlier != row:
            return earlier, row
    return None


def _surely_different(ids: pa.StringArray) -> bool:
    """True only if no two ids are equal; quick, for ids of one length, by the difference of their hashes."""
    if len(ids) < 2:
        return True
    lengths = pc.min_max(pc.binary_length(ids)).as_py()
    if lengths["min"] != lengths["max"] or not 0 < lengths["max"] <= _LONGEST_HASHED:
        return False
    texts = letters(ids)
    words = -(-texts.shape[1] // 8)
    padded = np.zeros((len(ids), 8 * words), dtype=np.uint8)
    padded[:, : texts.shape[1]] = texts
    numbers = padded.view(np.uint64)
    hashes = np.zeros(len(ids), dtype=np.uint64)
    for word in range(words):
        hashes ^= numbers[:, word]
        hashes *= _SPREAD
        hashes ^= hashes >> np.uint64(29)
    hashes.sort()
    return not bool((hashes[1:] == hashes[:-1]).any())
