"""Two files in place of a scenario: the accounts and the payments of a day, and nothing else.

Strict FIFO, no matching, no credit beyond the columns of accounts, one business day, no randomness. The date is never
the computer's.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnaps_sim.scenario.load import Loaded, from_dict
from cnaps_sim.scenario.model import DEFAULT_DATE
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.timetable import business_date_of
from cnaps_sim.workload.payment_cells import systems_told
from cnaps_sim.workload.replay import PAYMENT_TERMS, earliest_date_time
from cnaps_sim.workload.sheet import read_sheet

_File = str | Path


def of_files(
    accounts: _File | None,
    payments: _File | None,
    date: str | dt.date | None = None,
    overrides: Sequence[str | tuple[str, Any]] = (),
    seed: int | None = None,
) -> Loaded:
    """The scenario made of two files.

    accounts: CSV or Parquet; payments: CSV or Parquet, or a folder or zip file of messages
    date: HVPS business date; if left out that of the earliest full date-time of the payments, else 2025-06-17
    overrides, seed: as of `scenario.load.from_dict`

    InputError, with the place of an argument or of a file, for whatever is missing or wrong.
    """
    if accounts is None and payments is None:
        raise InputError("scenario", "", "is missing", "", "a name, a path, a dict, or accounts and payments")
    for name, file in (("accounts", accounts), ("payments", payments)):
        if file is None:
            raise InputError(name, "", "is missing", "", "both accounts and payments")
        if not isinstance(file, str | Path):
            raise InputError(
                name, "", "is no file", type(file).__name__, "a CSV or Parquet file; write frames with to_csv"
            )
        if not Path(file).is_file() and not (name == "payments" and Path(file).is_dir()):
            raise InputError(name, "", "no such file", file, "a CSV or Parquet file")
    first, second = Path(str(accounts)), Path(str(payments))
    source = "messages" if _is_messages(second) else "file"
    data = {
        "name": _name(second),
        "date": (_date(date) if date is not None else _usual_date(second)).isoformat(),
        "accounts": {"file": os.path.abspath(first)},
        "workload": [
            {"system": system, source: os.path.abspath(second)}
            for system in ([System.HVPS.value] if source == "messages" else _systems(second))
        ],
        "liquidity": {"from": "accounts"},
    }
    try:
        return from_dict(data, overrides, seed)
    except InputError as error:
        if error.place == "scenario" and error.key == "date":
            raise InputError("date", "", error.problem, error.value, error.allowed) from None
        raise


def _systems(payments: Path) -> list[str]:
    """The systems that the payments of one file are for: those that its column `system` names, HVPS without one."""
    with payments.open("rb") as file:
        head = file.readline()
    if payments.suffix != ".parquet" and b"system" not in head:
        return [System.HVPS.value]  # and the file need not be read twice
    return [system.value for system in systems_told(read_sheet(payments, PAYMENT_TERMS))] or [System.HVPS.value]


def _is_messages(payments: Path) -> bool:
    return payments.is_dir() or payments.suffix.lower() == ".zip"


def _name(file: Path) -> str:
    letters = [letter if letter.isalnum() or letter in "._-" else "-" for letter in file.stem]
    return "".join(letters).lstrip(".-")[:80] or "payments"


def _date(told: str | dt.date) -> dt.date:
    if isinstance(told, dt.date) and not isinstance(told, dt.datetime):
        return told
    text = str(told)
    try:
        if len(text) == len("YYYY-MM-DD") and text[4] == text[7] == "-":
            return dt.date.fromisoformat(text)
    except ValueError:
        pass  # told below
    raise InputError("date", "", "not a date", text, "YYYY-MM-DD")


def _usual_date(payments: Path) -> dt.date:
    """The business date to which the earliest full date-time of the file belongs; never the computer's.

    Of messages, the date on which most of them are to settle.
    """
    if _is_messages(payments):
        from cnaps_sim.run.message_files import usual_date

        return usual_date(payments) or DEFAULT_DATE
    earliest = earliest_date_time(str(payments))
    if earliest is None:
        return DEFAULT_DATE
    try:
        return business_date_of(earliest, Calendar())
    except ValueError as error:
        allowed = "a moment within the calendar"
        raise InputError(str(payments), "time", str(error), earliest.isoformat(), allowed) from None
