"""Retail ids: the payment ids of generated items, `B` or `I`, the retail date and a number of nine digits.

The number counts the items of both systems of a retail date from 1 on, in order of their cap check, so that an id
can be made, or hashed in a compiled loop, without a text being kept for it.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: The form of a generated id.
GENERATED_ID: Final = r"^[BI][0-9]{17}$"
#: The largest number that an id has room for: the most items of one retail date.
MOST_ITEMS: Final = 999_999_999

_LAYOUT: Final = np.dtype([("letter", "S1"), ("date", "S8"), ("high", "S1"), ("middle", "S4"), ("low", "S4")])
_FOUR_DIGITS: Final = np.char.zfill(np.arange(10_000).astype("S4"), 4)
_DIGITS: Final = np.arange(10).astype("S1")
_LETTERS: Final = np.array([b"B", b"I"])


def generated_ids(date: dt.date, first_number: int, is_ibps: npt.NDArray[np.bool_]) -> pa.StringArray:
    """The ids of consecutive items of a retail date, the first being number `first_number`.

    is_ibps: for each item, whether it is one of IBPS
    """
    count = len(is_ibps)
    records = np.empty(count, _LAYOUT)
    numbers = np.arange(first_number, first_number + count, dtype=np.int64)
    assert not count or int(numbers[-1]) <= MOST_ITEMS, "an id has room for nine digits"
    records["letter"] = _LETTERS[is_ibps.astype(np.int8)]
    records["date"] = f"{date:%Y%m%d}".encode("ascii")
    records["high"] = _DIGITS[numbers // 100_000_000]
    records["middle"] = _FOUR_DIGITS[numbers // 10_000 % 10_000]
    records["low"] = _FOUR_DIGITS[numbers % 10_000]
    offsets = (np.arange(count + 1, dtype=np.int64) * _LAYOUT.itemsize).astype(np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(records))


def first_generated(ids: pa.StringArray) -> int | None:
    """The first of the given ids that has the form of a generated one, None if none has."""
    row = pc.index(pc.match_substring_regex(ids, GENERATED_ID), True).as_py()
    return None if row < 0 else int(row)
