"""Payment cells: the columns that every file of payments has, read the same way for every system.

Each reader returns what a column says and the first row in which it is wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.columns import Fault, Moments, coded, first_of, moments
from cnaps_sim.workload.ids import first_duplicate
from cnaps_sim.workload.sheet import Sheet

#: The currency of the settlement accounts.
CURRENCY: Final = "CNY"

_TOTAL_LIMIT: Final = 2**63 - 1

#: Systems whose payments files bring.
_BRINGING: Final = (System.HVPS, System.BEPS, System.IBPS)


def times_of(sheet: Sheet, first_date: dt.date) -> Moments:
    """When each payment is sent; 0 throughout where the sheet has no such column."""
    if "time" not in sheet.columns:
        return Moments(np.zeros(sheet.row_count, np.int64), np.zeros(sheet.row_count, np.bool_), None)
    return moments(sheet.column("time"), first_date, "time")


def duplicate_fault(sheet: Sheet, payment_ids: pa.StringArray) -> Fault | None:
    """The first row whose id an earlier one has."""
    twice = first_duplicate(payment_ids)
    if twice is None:
        return None
    earlier, row = twice
    return Fault(row, "payment_id", f"already used at {sheet.place(earlier)}", payment_ids[row].as_py())


def account_rows_of(
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


def first_outside(sheet: Sheet, key: str, allowed: Sequence[str], problem: str) -> Fault | None:
    """The first cell that is neither empty nor one of the allowed words."""
    numbers, words = coded(sheet.column(key))
    wrong = np.array([bool(word) and word not in allowed for word in words], dtype=np.bool_)
    row = first_of(wrong[numbers]) if len(words) else None
    return None if row is None else Fault(row, key, problem, words[numbers[row]], ", ".join(allowed) or "none")


def other_system(sheet: Sheet, system: System) -> Fault | None:
    """The first row that is for another system."""
    if "system" not in sheet.columns:
        return None
    unknown = first_outside(sheet, "system", [known.value for known in _BRINGING], "no such system")
    other = first_outside(sheet, "system", [system.value], "not the system these payments are for")
    return unknown if unknown is not None and other is not None and unknown.row == other.row else other


def packaged(sheet: Sheet, system: System) -> Fault | None:
    """The first row that names a package, in a system that knows none."""
    if "package" not in sheet.columns:
        return None
    return first_outside(sheet, "package", [], f"{system.value} knows no packages")


def rows_for(sheet: Sheet, system: System, shared: Collection[System]) -> Sheet:
    """The rows of a file that several systems share which are for one of them; no system told means HVPS.

    shared: the systems that the file's payments are brought to. Rows for none of them stay with the first, whose
    fault they are.
    """
    if len(shared) < 2 or "system" not in sheet.columns:
        return sheet
    others = [other.value for other in shared if other is not system]
    if system is not System.HVPS and System.HVPS in shared:
        others.append("")
    theirs = pc.is_in(sheet.columns["system"].cast(pa.string()), pa.array(others, pa.string()))
    return sheet.only(np.flatnonzero(~theirs.to_numpy(zero_copy_only=False)))


def systems_told(sheet: Sheet) -> tuple[System, ...]:
    """The systems that a sheet of payments names, HVPS for those that name none; words that are none are left out."""
    words = {"" if word is None else word for word in pc.unique(sheet.column("system").cast(pa.string())).to_pylist()}
    return tuple(
        system for system in _BRINGING
        if system.value in words or (system is System.HVPS and (not words or "" in words))
    )  # fmt: skip


def refusals_of(sheet: Sheet) -> tuple[npt.NDArray[np.int8], Fault | None]:
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


def principals_of(sheet: Sheet) -> pa.Array | None:
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


def check_total(sheet: Sheet, amount: npt.NDArray[np.int64]) -> None:
    """InputError if the amounts add up to more than the books can count in one account."""
    total = (int((amount >> 31).sum()) << 31) + int((amount & (2**31 - 1)).sum())
    if total > _TOTAL_LIMIT:
        limit = f"up to {format_fen(_TOTAL_LIMIT)}"
        raise InputError(sheet.whole_place, "amount", "the payments add up to too much", format_fen(total), limit)
