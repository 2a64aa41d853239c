"""Replay: payments that were recorded elsewhere, from CSV and Parquet files, data frames and scenario files.

The columns are those of a payments file: `payment_id, time, debtor, creditor, amount` and optional `system`,
`priority`, `type`, `currency`, `due`, `on_behalf_of`, `package` (of BEPS alone). What cannot be read is an InputError
with its place; what the payment system would refuse (a payment to oneself, a currency in which no account is kept)
stays a row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import FLOW, new
from cnaps_sim.words.business_types import SPECIAL_SESSION_TYPES
from cnaps_sim.words.codes import Priority, System
from cnaps_sim.workload.account_rows import accounts_from_frame, accounts_from_rows, read_accounts
from cnaps_sim.workload.columns import Fault, amounts_fen, coded, empty_cell, first_of, moments, raise_first
from cnaps_sim.workload.flow import NO_DUE_TIME, NO_TYPE, Flow, sorted_flow
from cnaps_sim.workload.payment_cells import (
    account_rows_of,
    check_total,
    duplicate_fault,
    first_outside,
    other_system,
    packaged,
    principals_of,
    refusals_of,
    rows_for,
    times_of,
)
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
    "place_of_payment",
    "read_accounts",
    "read_payments",
]

#: The columns of a payments file.
PAYMENT_TERMS: Final = Terms(
    required=("payment_id", "time", "debtor", "creditor", "amount"),
    optional=("system", "priority", "type", "currency", "due", "on_behalf_of", "package"),
    money=frozenset({"amount"}),
    coded=frozenset({"debtor", "creditor", "system", "priority", "type", "currency", "on_behalf_of"}),
)
_MAX_TYPES: Final = 32_767
_EPOCH: Final = dt.date(1970, 1, 1)


def read_payments(
    path: str | Path,
    account_index: Mapping[str, int],
    first_date: dt.date,
    system: System = System.HVPS,
    need_time: bool = True,
    shared: Collection[System] = (),
) -> Flow:
    """The payments of a CSV or Parquet file, sorted by time; equal times keep the order of the file.

    account_index: row of each account
    first_date:    first business date of the run; a time of day without a date is on it
    system:        the system the payments are for; a row for another one is a fault
    need_time:     False lets the column `time` be absent; all payments are then at 0
    shared:        the systems that share the file, if several do; rows of the others are theirs

    InputError with `file:line` of the first line that is wrong.
    """
    terms = PAYMENT_TERMS if need_time else PAYMENT_TERMS.without("time")
    return _flow(rows_for(read_sheet(path, terms), system, shared), account_index, first_date, system)


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


def place_of_payment(path: str | Path, payment_id: str) -> str | None:
    """Where a payment stands in a file that has been read, as `read_payments` says it; None if it is not there."""
    sheet = read_sheet(path, PAYMENT_TERMS.without("time"))
    row = pc.index(sheet.column("payment_id"), payment_id).as_py()
    return None if row < 0 else sheet.place(row)


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
    times = times_of(sheet, first_date)
    debtor, debtor_fault = account_rows_of(sheet, "debtor", account_index)
    creditor, creditor_fault = account_rows_of(sheet, "creditor", account_index)
    amount, amount_fault = amounts_fen(sheet.column("amount"), "amount")
    system_fault = other_system(sheet, system)
    level, priority_fault = _levels(sheet)
    type_index, types, type_fault = _types(sheet)
    refusal, currency_fault = refusals_of(sheet)
    due_ms, due_fault = _due(sheet, first_date)
    raise_first(
        sheet,
        empty_cell(payment_ids, "payment_id", "an id that no other payment has"),
        duplicate_fault(sheet, payment_ids),
        times.fault,
        debtor_fault,
        creditor_fault,
        amount_fault,
        system_fault,
        priority_fault,
        type_fault,
        currency_fault,
        due_fault,
        packaged(sheet, system),
    )
    check_total(sheet, amount)
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
        on_behalf_of=principals_of(sheet),
    )


def _levels(sheet: Sheet) -> tuple[npt.NDArray[np.int8], Fault | None]:
    """The queue level of each priority; NORM where none is told."""
    if "priority" not in sheet.columns:
        return np.full(sheet.row_count, Priority.NORM.level, dtype=np.int8), None
    allowed = [Priority.NORM.value, Priority.HIGH.value, Priority.URGT.value]
    fault = first_outside(sheet, "priority", allowed, "unknown priority")
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
