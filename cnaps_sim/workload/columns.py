"""Columns: text to numbers for a whole column at once, exactly, and which row is the first that is wrong.

The rules are those of `words.units`; what the fast way does not recognise goes through them text by text.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import (
    MAX_FEN,
    MS_PER_DAY,
    MS_PER_HOUR,
    MS_PER_MINUTE,
    MS_PER_SECOND,
    format_fen,
    parse_fen,
    parse_moment,
)
from cnaps_sim.workload.ids import letters
from cnaps_sim.workload.sheet import Sheet

AMOUNT_ALLOWED: Final = "such as 1000.50 or 1_000.50"
TIME_ALLOWED: Final = "such as 09:30, 09:30:15.250 or 2025-06-16T20:45:00"

_AMOUNT: Final = r"^[0-9]+(?:_[0-9]+)*(?:\.[0-9]{1,2})?$"
#: Longer amounts have more digits than int64, or zeros in front; both are rare.
_LONG_AMOUNT: Final = 24
#: Texts worked on together.
_BLOCK: Final = 65_536
_DATE_PART: Final = 11  # `2025-06-17T`
#: Lengths of `HH:MM`, `HH:MM:SS`, and of a fraction of one to three digits behind it.
_CLOCK_LENGTHS: Final = (5, 8, 10, 11, 12)


class Fault(NamedTuple):
    """What is wrong in a row of a sheet."""

    row: int
    key: str
    problem: str
    value: object = ""
    allowed: str = ""


def raise_first(sheet: Sheet, *faults: Fault | None) -> None:
    """InputError for the fault in the earliest row, if there is one; in the same row, the one named first."""
    found = [fault for fault in faults if fault is not None]
    if found:
        first = min(found, key=lambda fault: fault.row)
        value = first.value
        if isinstance(value, str) and value != value.strip():
            value = f"'{value}'"  # else nobody would see the space that is wrong
        raise InputError(sheet.place(first.row), first.key, first.problem, value, first.allowed)
    if sheet.broken is not None:
        raise sheet.broken


class Moments(NamedTuple):
    """Times of a column: ms of the run, and whether the text told a date."""

    ms: npt.NDArray[np.int64]
    dated: npt.NDArray[np.bool_]
    fault: Fault | None


def coded(column: pa.Array) -> tuple[npt.NDArray[np.int32], list[str]]:
    """A text column as numbers of its different values, in the order in which they first occur."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    return column.indices.to_numpy(zero_copy_only=False).astype(np.int32), column.dictionary.to_pylist()


def first_of(wanted: npt.NDArray[np.bool_]) -> int | None:
    """The first row of a mask that is set."""
    row = int(wanted.argmax()) if len(wanted) else 0
    return row if len(wanted) and wanted[row] else None


def empty_cell(column: pa.Array, key: str, allowed: str) -> Fault | None:
    """The first row in which a required cell is empty."""
    row = first_of(pc.equal(pc.binary_length(column), 0).to_numpy(zero_copy_only=False))
    return None if row is None else Fault(row, key, "missing value", "", allowed)


def amounts_fen(column: pa.Array, key: str) -> tuple[npt.NDArray[np.int64], Fault | None]:
    """Amounts above 0 in fen, of CNY as text or of whole fen. After a fault the numbers mean nothing."""
    if pa.types.is_integer(column.type):
        fen = column.to_numpy(zero_copy_only=False)
        row = first_of((fen <= 0) | (fen > MAX_FEN))
        return fen, None if row is None else _amount_fault(row, key, format_fen(int(fen[row])))
    readable = pc.match_substring_regex(column, _AMOUNT).to_numpy(zero_copy_only=False)
    readable &= pc.binary_length(column).to_numpy(zero_copy_only=False) <= _LONG_AMOUNT
    fen = np.zeros(len(column), dtype=np.int64)
    rest = np.flatnonzero(~readable)
    fast = column if not len(rest) else column.filter(pa.array(readable))
    fen[readable] = _fen_of_short_texts(fast)
    for row in rest.tolist():
        try:
            fen[row] = parse_fen(column[row].as_py())
        except ValueError:
            fen[row] = 0
            break
    row = first_of(fen <= 0)
    return fen, None if row is None else _amount_fault(row, key, column[row].as_py())


def _fen_of_short_texts(column: pa.Array) -> npt.NDArray[np.int64]:
    """Fen of well-formed amounts of at most 24 characters; 0 where they are over the largest amount."""
    digits = pc.replace_substring(column, "_", "") if pc.any(pc.match_substring(column, "_")).as_py() else column
    decimals = digits.cast(pa.decimal128(38, 2))
    # The number behind a decimal128 is its value in hundredths, 16 bytes, low half first: exactly fen.
    halves = np.frombuffer(decimals.buffers()[1], dtype=np.int64).reshape(-1, 2)
    halves = halves[decimals.offset : decimals.offset + len(decimals)]
    low, high = halves[:, 0], halves[:, 1]
    return np.where((high == 0) & (low >= 0) & (low <= MAX_FEN), low, 0)


def _amount_fault(row: int, key: str, text: str) -> Fault:
    if not text:
        return Fault(row, key, "missing value", "", AMOUNT_ALLOWED)
    try:
        problem = "must be above 0" if parse_fen(text) <= 0 else ""
    except ValueError as error:
        problem = str(error)
    assert problem, "an amount that is right was called wrong"
    return Fault(row, key, problem, text, AMOUNT_ALLOWED)


def moments(column: pa.Array, first_date: dt.date, key: str) -> Moments:
    """Times of day (on `first_date`) and full date-times as ms since 00:00 of `first_date`."""
    count = len(column)
    ms = np.zeros(count, dtype=np.int64)
    done = np.zeros(count, dtype=np.bool_)
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False)
    dated = lengths > max(_CLOCK_LENGTHS)
    for clock_length in _CLOCK_LENGTHS:
        for date_part in (0, _DATE_PART):
            chosen = lengths == date_part + clock_length
            if not chosen.any():
                continue
            same = column if chosen.all() else column.filter(pa.array(chosen))
            ms[chosen], done[chosen] = _same_length(letters(same), date_part, first_date)
    fault = None
    for row in np.flatnonzero(~done).tolist():
        text = column[row].as_py()
        try:
            ms[row] = parse_moment(text, first_date)
            dated[row] = True  # a time of day would have been recognised above
        except ValueError as error:
            problem = str(error) if text else "missing value"
            fault = Fault(row, key, problem, text, TIME_ALLOWED)
            break
    return Moments(ms, dated, fault)


def _same_length(
    texts: npt.NDArray[np.uint8], date_part: int, first_date: dt.date
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Ms of the run of texts of one length, and which of them were recognised."""
    ms = np.empty(len(texts), dtype=np.int64)
    right = np.empty(len(texts), dtype=np.bool_)
    for first in range(0, len(texts), _BLOCK):
        block = texts[first : first + _BLOCK]
        part = slice(first, first + len(block))
        ms[part], right[part] = _clock_ms(block[:, date_part:])
        if date_part:
            days, known = _days(block[:, :date_part], first_date)
            ms[part] += days * MS_PER_DAY
            right[part] &= known
    return ms, right


def _clock_ms(texts: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """`HH:MM[:SS[.mmm]]` to ms since midnight."""
    width = texts.shape[1]
    hours, right = _number(texts, 0, 2)
    minutes, digits = _number(texts, 3, 2)
    right &= digits & (hours < 24) & (minutes < 60) & (texts[:, 2] == ord(":"))
    ms = hours * MS_PER_HOUR + minutes * MS_PER_MINUTE
    if width >= 8:
        seconds, digits = _number(texts, 6, 2)
        right &= digits & (seconds < 60) & (texts[:, 5] == ord(":"))
        ms += seconds * MS_PER_SECOND
    if width > 8:
        fraction, digits = _number(texts, 9, width - 9)
        right &= digits & (texts[:, 8] == ord("."))
        ms += fraction * 10 ** (12 - width)
    return ms, right


def _days(texts: npt.NDArray[np.uint8], first_date: dt.date) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """`YYYY-MM-DD` and a `T` or a space to days since `first_date`."""
    year, right = _number(texts, 0, 4)
    month, month_digits = _number(texts, 5, 2)
    day, day_digits = _number(texts, 8, 2)
    right &= month_digits & day_digits & (texts[:, 4] == ord("-")) & (texts[:, 7] == ord("-"))
    right &= (texts[:, 10] == ord("T")) | (texts[:, 10] == ord(" "))
    dates, index = np.unique(np.where(right, (year * 100 + month) * 100 + day, 0), return_inverse=True)
    offsets = np.zeros(len(dates), dtype=np.int64)
    known = np.zeros(len(dates), dtype=np.bool_)
    for place, number in enumerate(dates.tolist()):
        try:
            date = dt.date(number // 10_000, number // 100 % 100, number % 100)
        except ValueError:
            continue
        offsets[place], known[place] = (date - first_date).days, True
    return offsets[index], right & known[index]


def _number(
    texts: npt.NDArray[np.uint8], first: int, width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The number written in `width` columns from `first` on, and where all of them are digits."""
    number = np.zeros(len(texts), dtype=np.int64)
    right = np.ones(len(texts), dtype=np.bool_)
    for place in range(first, first + width):
        digit = texts[:, place] - np.uint8(ord("0"))  # what lies below "0" wraps round to a large number
        right &= digit < 10
        number *= 10
        number += digit
    return number, right
