"""Retail items: payments of BEPS (小额) or IBPS (网银) that were recorded elsewhere, as columns in the order given.

The columns of a file are those of HVPS payments and `package`. `type` is the code of a kind of retail payment;
`priority` and `due` must be empty or usual, because netting knows neither. What cannot be read is an InputError with
its place; what the system would refuse stays an item.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.codes import Priority, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_terms import USUAL_KIND
from cnaps_sim.workload.columns import Fault, amounts_fen, coded, empty_cell, first_of, raise_first
from cnaps_sim.workload.payment_cells import (
    account_rows_of,
    check_total,
    duplicate_fault,
    first_outside,
    other_system,
    principals_of,
    refusals_of,
    rows_for,
    times_of,
)
from cnaps_sim.workload.replay import PAYMENT_TERMS
from cnaps_sim.workload.sheet import Place, Sheet, read_sheet, rows_sheet

Integers = npt.NDArray[np.int64]

#: `package` of an item that is a package of its own.
ALONE: Final = -1


@dataclass(frozen=True, eq=False)
class RetailItems:
    """Items of one system, as given.

    name:         names the source, and with it the random stream of its replies
    place:        says where an item stands
    payment_ids:  each once
    time_ms:      when the initiator sends it, ms of the run
    debtor, creditor: account rows; the debtor is always the payer, also of a debit
    amount:       fen
    kind:         int8, RetailKind
    refusal:      int8, Refusal: NO_BOOK or NONE
    package:      number of the package it is in, from 0; ALONE where none is named
    on_behalf_of: the indirect participant behind the debtor (dictionary-encoded text); None if none has one
    """

    system: System
    name: str
    place: Place
    payment_ids: pa.StringArray
    time_ms: Integers
    debtor: npt.NDArray[np.int32]
    creditor: npt.NDArray[np.int32]
    amount: Integers
    kind: npt.NDArray[np.int8]
    refusal: npt.NDArray[np.int8]
    package: npt.NDArray[np.int32]
    on_behalf_of: pa.Array | None

    def __len__(self) -> int:
        return len(self.payment_ids)


def read_items(
    path: str | Path,
    account_index: Mapping[str, int],
    first_date: dt.date,
    system: System,
    name: str,
    shared: Collection[System] = (),
) -> RetailItems:
    """The items of a CSV or Parquet file.

    account_index: row of each account
    first_date:    first business date of the run; a time of day without a date is on it
    system:        BEPS or IBPS; a row for another system, or of a kind of another one, is a fault
    name:          names the source, such as its place in the scenario
    shared:        the systems that share the file, if several do; rows of the others are theirs

    InputError with `file:line` of the first line that is wrong.
    """
    sheet = rows_for(read_sheet(path, PAYMENT_TERMS), system, shared)
    return _items(sheet, account_index, first_date, system, name)


def items_from_rows(
    rows: Sequence[Mapping[str, object]],
    account_index: Mapping[str, int],
    first_date: dt.date,
    system: System,
    name: str,
    place: Place | str = "scenario",
) -> RetailItems:
    """The items of a list of mappings with a file's columns as keys; see `read_items`.

    place: says where row r stands, or one place for all. InputError as for a file.
    """
    return _items(rows_sheet(rows, PAYMENT_TERMS, place), account_index, first_date, system, name)


def _items(
    sheet: Sheet, account_index: Mapping[str, int], first_date: dt.date, system: System, name: str
) -> RetailItems:
    """Every column is read before the earliest fault is raised."""
    payment_ids = sheet.column("payment_id")
    times = times_of(sheet, first_date)
    debtor, debtor_fault = account_rows_of(sheet, "debtor", account_index)
    creditor, creditor_fault = account_rows_of(sheet, "creditor", account_index)
    amount, amount_fault = amounts_fen(sheet.column("amount"), "amount")
    kind, kind_fault = _kinds(sheet, system)
    refusal, currency_fault = refusals_of(sheet)
    package, package_fault = _packages(sheet, system)
    raise_first(
        sheet,
        empty_cell(payment_ids, "payment_id", "an id that no other payment has"),
        duplicate_fault(sheet, payment_ids),
        times.fault,
        debtor_fault,
        creditor_fault,
        amount_fault,
        other_system(sheet, system),
        _priority_fault(sheet, system),
        kind_fault,
        currency_fault,
        _due_fault(sheet, system),
        package_fault,
    )
    check_total(sheet, amount)
    return RetailItems(
        system=system,
        name=name,
        place=sheet.place,
        payment_ids=payment_ids,
        time_ms=times.ms,
        debtor=debtor,
        creditor=creditor,
        amount=amount,
        kind=kind,
        refusal=refusal,
        package=package,
        on_behalf_of=principals_of(sheet),
    )


def _kinds(sheet: Sheet, system: System) -> tuple[npt.NDArray[np.int8], Fault | None]:
    """The kind of each item, the usual one where none is told."""
    usual = USUAL_KIND[system]
    if "type" not in sheet.columns:
        return np.full(sheet.row_count, usual, np.int8), None
    known = {kind.code: kind for kind in RetailKind if kind.system is system}
    fault = first_outside(sheet, "type", list(known), f"no kind of payment of {system.value}")
    numbers, words = coded(sheet.column("type"))
    return np.array([known.get(word, usual) for word in words], np.int8)[numbers], fault


def _priority_fault(sheet: Sheet, system: System) -> Fault | None:
    if "priority" not in sheet.columns:
        return None
    return first_outside(sheet, "priority", [Priority.NORM.value], f"payments of {system.value} have no other priority")


def _due_fault(sheet: Sheet, system: System) -> Fault | None:
    return _first_told(sheet, "due", f"payments of {system.value} are due at no time")


def _packages(sheet: Sheet, system: System) -> tuple[npt.NDArray[np.int32], Fault | None]:
    """The package of each item, numbered in the order in which they first occur."""
    alone = np.full(sheet.row_count, ALONE, np.int32)
    if "package" not in sheet.columns:
        return alone, None
    if system is System.IBPS:
        return alone, _first_told(sheet, "package", f"{system.value} knows no packages")
    numbers, words = coded(sheet.column("package"))
    named = np.array([bool(word) for word in words], np.bool_)
    return np.where(named[numbers], numbers, ALONE).astype(np.int32) if len(words) else alone, None


def _first_told(sheet: Sheet, key: str, problem: str) -> Fault | None:
    """The first cell that is not empty in a column that must be."""
    if key not in sheet.columns:
        return None
    numbers, words = coded(sheet.column(key))
    row = first_of(pc.greater(pc.binary_length(sheet.column(key).cast(pa.string())), 0).to_numpy(zero_copy_only=False))
    return None if row is None else Fault(row, key, problem, words[numbers[row]], "an empty cell")
