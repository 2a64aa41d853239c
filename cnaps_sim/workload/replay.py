"""Replay: payments that were recorded elsewhere, from CSV and Parquet files, data frames and scenario files.

The columns are those of a payments file: `payment_id, time, debtor, creditor, amount` and optional `system`,
`priority`, `type`, `currency`, `due`, `on_behalf_of`. What cannot be read is an InputError with its place; what the
payment system would refuse (a payment to oneself, a currency in which no account is kept) stays a row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import FLOW, new
from cnaps_sim.words.codes import SPECIAL_SESSION_TYPES, Priority, Refusal, System
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.account_rows import accounts_from_frame, accounts_from_rows, read_accounts
from cnaps_sim.workload.columns import Fault, Moments, amounts_fen, coded, empty_cell, first_of, moments, raise_first
from cnaps_sim.workload.flow import NO_DUE_TIME, NO_TYPE, Flow, sorted_flow
from cnaps_sim.workload.ids import first_duplicate
from cnaps_sim.workload.sheet import Place, Sheet, Terms, frame_sheet, read_sheet, rows_sheet

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "PAYMENT_TERMS",
    "accounts_from_frame",
    "accounts_from_rows",
    "earliest_date_time",
    "from_frame",
    "from_rows",
    "read_accounts",
    "read_payments",
]

#: The columns of a payments file.
PAYMENT_TERMS: Final = Terms(
    required=("payment_id", "time", "debtor", "creditor", "amount"),
    optional=("system", "priority", "type", "currency", "due", "on_behalf_of"),
    money=frozenset({"amount"}),
    coded=frozenset({"debtor", "creditor", "system", "priority", "type", "currency", "on_behalf_of"}),
)
#: The currency of the settlement accounts.
CURRENCY: Final = "CNY"

_TOTAL_LIMIT: Final = 2**63 - 1
_MAX_TYPES: Final = 32_767
_EPOCH: Final = dt.date(1970, 1, 1)


def read_payments(
    path: str | Path,
    account_index: Mapping[str, int],
    first_date: dt.date,
    system: System = System.HVPS,
    need_time: bool = True,
) -> Flow:
    """The payments of a CSV or Parquet file, sorted by time; equal times keep the order of the file.

    account_index: row of each account
    first_date:    first business date of the run; a time of day without a date is on it
    system:        the system the payments are for; a row for another one is a fault
    need_time:     False lets the column `time` be absent; all payments are then at 0

    InputError with `file:line` of the first line that is wrong.
    """
    terms = PAYMENT_TERMS if need_time else PAYMENT_TERMS.without("time")
    return _flow(read_sheet(path, terms), account_index, first_date, system)


def from_rows(
    rows: Sequence[Mapping[str, object]],
    account_index: Mapping[str, int],
    first_date: dt.date,
    place: Place | str = "scenario",
    system: System = System.HVPS,
    need_time: bool = True,
) -> Flow:
    """The payments of a list of mappings with a payments file's columns as keys; see `read_payments`.

    place: says where row r stands, or one place for all. InputError as for a file.
    """
    terms = PAYMENT_TERMS if need_time else PAYMENT_TERMS.without("time")
    return _flow(rows_sheet(rows, terms, place), account_index, first_date, system)


def from_frame(
    frame: pd.DataFrame,
    account_index: Mapping[str, int],
    first_date: dt.date,
    name: str = "payments",
    system: System = System.HVPS,
    need_time: bool = True,
) -> Flow:
    """The payments of a data frame: `amount_fen` (int64), or `amount` as text or Decimal; see `read_payments`.

    InputError placed at `name[row]`. TypeError naming a column of floating-point numbers.
    """
    terms = PAYMENT_TERMS if need_time else PAYMENT_TERMS.without("time")
    return _flow(frame_sheet(frame, terms, name), account_index, first_date, system)


def earliest_date_time(path: str | Path) -> dt.datetime | None:
    """The earliest full date-time in the column `time` of a payments file; None if times of day are all it has.

    Local time (Asia/Shanghai), without an offset. InputError as `read_payments`, for the column `time` only.
    """
    sheet = read_sheet(path, PAYMENT_TERMS.without("time"))
    if "time" not in sheet.columns:
        return None
    found = moments(sheet.column("time"), _EPOCH, "time")
    raise_first(sheet, found.fault)
    if not found.dated.any():
        return None
    earliest = int(found.ms[found.dated].min())
    return dt.datetime.combine(_EPOCH, dt.time()) + dt.timedelta(milliseconds=earliest)


def _flow(sheet: Sheet, account_index: Mapping[str, int], first_date: dt.date, system: System) -> Flow:
    """The rows of a sheet as a flow; every column is read before the earliest fault is raised."""
    payment_ids = sheet.column("payment_id")
    times = _times(sheet, first_date)
    debtor, debtor_fault = _account_rows(sheet, "debtor", account_index)
    creditor, creditor_fault = _account_rows(sheet, "creditor", account_index)
    amount, amount_fault = amounts_fen(sheet.column("amount"), "amount")
    system_fault = _system_fault(sheet, system)
    level, priority_fault = _levels(sheet)
    type_index, types, type_fault = _types(sheet)
    refusal, currency_fault = _refusals(sheet)
    due_ms, due_fault = _due(sheet, first_date)
    raise_first(
        sheet,
        empty_cell(payment_ids, "payment_id", "an id that no other payment has"),
        _duplicate_fault(sheet, payment_ids),
        times.fault,
        debtor_fault,
        creditor_fault,
        amount_fault,
        system_fault,
        priority_fault,
        type_fault,
        currency_fault,
        due_fault,
    )
    _check_total(sheet, amount)
    rows = new(FLOW, sheet.row_count)
    rows["time_ms"], rows["amount"], rows["debtor"], rows["creditor"] = times.ms, amount, debtor, creditor
    rows["level"], rows["refusal"] = level, refusal
    special = np.array([*(kind in SPECIAL_SESSION_TYPES for kind in types), False], dtype=np.bool_)
    rows["special"] = special[type_index]
    return sorted_flow(
        rows=rows,
        payment_ids=payment_ids,
        system=system,
        types=types,
        type_index=type_index,
        due_ms=due_ms,
        on_behalf_of=_principals(sheet),
    )


def _times(sheet: Sheet, first_date: dt.date) -> Moments:
    if "time" not in sheet.columns:
        return Moments(np.zeros(sheet.row_count, np.int64), np.zeros(sheet.row_count, np.bool_), None)
    return moments(sheet.column("time"), first_date, "time")


def _duplicate_fault(sheet: Sheet, payment_ids: pa.StringArray) -> Fault | None:
    twice = first_duplicate(payment_ids)
    if twice is None:
        return None
    earlier, row = twice
    return Fault(row, "payment_id", f"already used at {sheet.place(earlier)}", payment_ids[row].as_py())


def _account_rows(
    sheet: Sheet, key: str, account_index: Mapping[str, int]
) -> tuple[npt.NDArray[np.int32], Fault | None]:
    """The account row of each cell."""
    numbers, names = coded(sheet.column(key))
    found = np.array([account_index.get(name, -1) for name in names], dtype=np.int32)
    rows = found[numbers] if len(names) else np.zeros(0, dtype=np.int32)
    row = first_of(rows < 0)
    if row is None:
        return rows, None
    name = names[numbers[row]]
    problem = "unknown account" if name else "missing value"
    return rows, Fault(row, key, problem, name, nearest(name, account_index) if name else "an account")


def _first_outside(sheet: Sheet, key: str, allowed: Sequence[str], problem: str) -> Fault | None:
    """The first cell that is neither empty nor one of the allowed words."""
    numbers, words = coded(sheet.column(key))
    wrong = np.array([bool(word) and word not in allowed for word in words], dtype=np.bool_)
    row = first_of(wrong[numbers]) if len(words) else None
    return None if row is None else Fault(row, key, problem, words[numbers[row]], ", ".join(allowed))


def _system_fault(sheet: Sheet, system: System) -> Fault | None:
    if "system" not in sheet.columns:
        return None
    return _first_outside(sheet, "system", [system.value], "not the system these payments are for")


def _levels(sheet: Sheet) -> tuple[npt.NDArray[np.int8], Fault | None]:
    """The queue level of each priority; NORM where none is told."""
    if "priority" not in sheet.columns:
        return np.full(sheet.row_count, Priority.NORM.level, dtype=np.int8), None
    allowed = [Priority.NORM.value, Priority.HIGH.value, Priority.URGT.value]
    fault = _first_outside(sheet, "priority", allowed, "unknown priority")
    numbers, words = coded(sheet.column("priority"))
    levels = [Priority(word).level if word in allowed else Priority.NORM.level for word in words]
    return np.array(levels, dtype=np.int8)[numbers], fault


def _types(sheet: Sheet) -> tuple[npt.NDArray[np.int16], tuple[str, ...], Fault | None]:
    """The business types (业务类型): which occur, and which one each row has."""
    if "type" not in sheet.columns:
        return np.full(sheet.row_count, NO_TYPE, dtype=np.int16), (), None
    numbers, words = coded(sheet.column("type"))
    types = tuple(word for word in words if word)
    if len(types) > _MAX_TYPES:
        row = first_of(numbers > _MAX_TYPES)
        assert row is not None
        fault = Fault(row, "type", f"more than {_MAX_TYPES} different types", words[numbers[row]])
        return np.zeros(sheet.row_count, np.int16), types, fault
    place = {word: i for i, word in enumerate(types)}
    return np.array([place.get(word, NO_TYPE) for word in words], dtype=np.int16)[numbers], types, None


def _refusals(sheet: Sheet) -> tuple[npt.NDArray[np.int8], Fault | None]:
    """NO_BOOK where a payment is in a currency other than that of the settlement accounts."""
    if "currency" not in sheet.columns:
        return np.zeros(sheet.row_count, dtype=np.int8), None
    numbers, words = coded(sheet.column("currency"))
    refusals = [Refusal.NO_BOOK if word not in ("", CURRENCY) else Refusal.NONE for word in words]
    wrong = [bool(word) and not (len(word) == 3 and word.isascii() and word.isupper()) for word in words]
    row = first_of(np.array(wrong, dtype=np.bool_)[numbers])
    allowed = "three capital letters, such as CNY"
    fault = None if row is None else Fault(row, "currency", "not a currency code", words[numbers[row]], allowed)
    return np.array(refusals, dtype=np.int8)[numbers], fault


def _due(sheet: Sheet, first_date: dt.date) -> tuple[npt.NDArray[np.int64] | None, Fault | None]:
    """The instant each payment is due, NO_DUE_TIME where none is told; None if none is told at all."""
    if "due" not in sheet.columns:
        return None, None
    column = sheet.column("due")
    told = pc.greater(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    if not told.any():
        return None, None
    rows = np.flatnonzero(told)
    found = moments(column.take(pa.array(rows)), first_date, "due")
    due_ms = np.full(sheet.row_count, NO_DUE_TIME, dtype=np.int64)
    due_ms[rows] = found.ms
    return due_ms, None if found.fault is None else found.fault._replace(row=int(rows[found.fault.row]))


def _principals(sheet: Sheet) -> pa.Array | None:
    """The indirect participants; None if no payment has one."""
    if "on_behalf_of" not in sheet.columns:
        return None
    numbers, names = coded(sheet.column("on_behalf_of"))
    if not any(names):
        return None
    told = [name for name in names if name]
    place = {name: i for i, name in enumerate(told)}
    places = np.array([place.get(name, -1) for name in names], dtype=np.int32)[numbers]
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=places < 0), pa.array(told, pa.string()))


def _check_total(sheet: Sheet, amount: npt.NDArray[np.int64]) -> None:
    """InputError if the amounts add up to more than the books can count in one account."""
    total = (int((amount >> 31).sum()) << 31) + int((amount & (2**31 - 1)).sum())
    if total > _TOTAL_LIMIT:
        limit = f"up to {format_fen(_TOTAL_LIMIT)}"
        raise InputError(sheet.whole_place, "amount", "the payments add up to too much", format_fen(total), limit)
