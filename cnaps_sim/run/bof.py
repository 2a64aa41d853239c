"""Import of data kept for the BoF-PSS simulator: one business date becomes two CSV files and a scenario that runs.

| table | becomes |
|---|---|
| participants | `owner` and `name` of accounts |
| accounts (may be absent: each participant has one account with its own id) | `account` of accounts.csv |
| daily_balances of the date | `balance`, `overdraft_limit` (the intraday credit limit) |
| transactions of the date | payments of HVPS in payments.csv, equal times in file order |

Currency units are taken as CNY. An account without a balance on the date opens with 0.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Priority
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.timetable import hvps_hours
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_MINUTE, format_clock, format_fen, parse_clock, parse_fen
from cnaps_sim.workload import bof_tables
from cnaps_sim.workload.bof_tables import COLUMN_NAMES, Row, Table, read_table

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,35}")
_DATE: Final = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_TIME: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})")
_QUARTER_MS: Final = 15 * MS_PER_MINUTE
_ACCOUNT_COLUMNS: Final = ("account", "balance", "name", "owner", "overdraft_limit")
_PAYMENT_COLUMNS: Final = ("payment_id", "time", "debtor", "creditor", "amount", "priority")


@dataclass(frozen=True)
class Imported:
    """folder: what was written; date: the business date that was read, as_date: the one it is played on.

    accounts, payments: how many; value_fen: of the payments; other_dates: transactions of other dates, left out
    cut_off_ms: the cut-off if the published one is before the last payment, else None
    refused, refused_fen: payments outside the hours, which the run will refuse (TM01), and their value; opens_ms and
        closes_ms: these hours, from the opening (negative: on the evening before) to the cut-off
    """

    folder: Path
    date: dt.date
    as_date: dt.date
    accounts: int
    payments: int
    value_fen: int
    other_dates: int
    cut_off_ms: int | None
    refused: int
    refused_fen: int
    opens_ms: int
    closes_ms: int


def import_bof(
    folder: str | Path,
    out: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    priorities: Mapping[str, str] | None = None,
    date: dt.date | str | None = None,
    as_date: dt.date | str | None = None,
) -> Imported:
    """Turn tables of the BoF-PSS simulator into `accounts.csv`, `payments.csv` and `scenario.yaml` in `out`.

    folder: holds `participants`, `accounts` (may be absent), `daily_balances` and `transactions`, `.csv` or `.txt`;
        see `cnaps_sim.workload.bof_tables` for their columns, whose names are assumed
    columns: what columns are called, by key, such as `{"value": "amount"}`; ignore: columns to pass over
    priorities: `{"1": "URGT"}`: what a priority of theirs is here; URGT, HIGH and NORM stand for themselves
    date: the business date to read; may be left out if the transactions have only one
    as_date: the business date to play it on, where `date` is none of HVPS
    A new or empty folder `out`. InputError with file and line for whatever is wrong; then nothing is written.
    """
    names = _names(columns or {})
    words = _priorities(priorities or {})
    source, target = Path(folder), Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(str(target), "", "exists and is not empty", "", "a new or empty folder")
    tables = [
        read_table(source, terms, names, ignore)
        for terms in (bof_tables.PARTICIPANTS, bof_tables.ACCOUNTS, bof_tables.BALANCES, bof_tables.TRANSACTIONS)
    ]
    participants, accounts, balances, transactions = tables
    assert participants is not None
    assert balances is not None
    assert transactions is not None
    known = _accounts(participants, accounts)
    payments, dates = _payments(transactions, known, words)
    day = _chosen_date(transactions.place, dates, _as_date("date", date))
    _open(balances, known, day)
    played = _as_date("as_date", as_date) or day
    if not Calendar().is_working_day(played):
        place = "as_date" if as_date is not None else transactions.place
        raise InputError(place, "date", "no business date of HVPS", played, "a working day of China as --as-date")
    chosen = [payment for when, payment in zip(dates, payments, strict=True) if when == day]
    cut_off = _later_cut_off(chosen, played)
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "accounts.csv", _ACCOUNT_COLUMNS, known.values())
    _write(target / "payments.csv", _PAYMENT_COLUMNS, chosen)
    (target / "scenario.yaml").write_text(_scenario(source.resolve().name, day, played, cut_off), encoding="utf-8")
    hours = hvps_hours(played)
    opens = hours.opens_ms - MS_PER_DAY * hours.opens_day_before
    closes = hours.cut_off_ms if cut_off is None else cut_off
    refused = [payment for payment in chosen if not opens <= parse_clock(payment["time"]) < closes]
    return Imported(
        target, day, played, len(known), len(chosen), _value(chosen), len(dates) - len(chosen), cut_off,
        len(refused), _value(refused), opens, closes,
    )  # fmt: skip


def _value(payments: Iterable[Mapping[str, str]]) -> int:
    return sum(parse_fen(payment["amount"]) for payment in payments)


def _names(columns: Mapping[str, str]) -> dict[str, str]:
    for key in columns:
        if key not in COLUMN_NAMES:
            raise InputError("columns", key, "no such column", "", nearest(key, COLUMN_NAMES))
    return {**COLUMN_NAMES, **columns}


def _priorities(words: Mapping[str, str]) -> dict[str, str]:
    for theirs, ours in words.items():
        if ours not in tuple(Priority):
            raise InputError("priorities", theirs, "no such priority", ours, ", ".join(Priority))
    return {"": Priority.NORM, **{word.value: word.value for word in Priority}, **words}


def _accounts(participants: Table, accounts: Table | None) -> dict[str, dict[str, str]]:
    """The rows of accounts.csv by account, nothing opened yet."""
    owners: dict[str, str] = {}
    for row in participants.rows:
        owner = _id(row, "participant")
        if owner in owners:
            raise InputError(row.place, "participant", "given twice", owner)
        owners[owner] = row.cells["name"] or owner
    if accounts is None:
        return {owner: _account(owner, owner, name) for owner, name in owners.items()}
    known: dict[str, dict[str, str]] = {}
    for row in accounts.rows:
        account, owner = _id(row, "account"), row.cells["participant"]
        if owner not in owners:
            raise InputError(row.place, "participant", "unknown participant", owner, nearest(owner, owners))
        if account in known:
            raise InputError(row.place, "account", "given twice", account)
        known[account] = _account(account, owner, owners[owner])
    return known


def _account(account: str, owner: str, name: str) -> dict[str, str]:
    return {"account": account, "balance": "0", "name": name, "owner": owner, "overdraft_limit": "0"}


def _open(balances: Table, known: dict[str, dict[str, str]], day: dt.date) -> None:
    """Put the balances and credit limits of the date into the accounts."""
    seen = set()
    for row in balances.rows:
        account = _known(row, "account", known)
        balance = _amount(row, "balance", balances.decimal_comma)
        limit = _amount(row, "credit", balances.decimal_comma) if row.cells["credit"] else 0
        if _date(row) != day:
            continue
        if account in seen:
            raise InputError(row.place, "account", "a second balance of the date", account)
        if limit < 0 or balance < -limit:
            problem = "is negative" if limit < 0 else "is further below zero than the credit limit"
            raise InputError(row.place, "credit" if limit < 0 else "balance", problem, format_fen(min(limit, balance)))
        seen.add(account)
        known[account].update(balance=format_fen(balance), overdraft_limit=format_fen(limit))


def _payments(
    transactions: Table, known: Mapping[str, Any], words: Mapping[str, str]
) -> tuple[list[dict[str, str]], list[dt.date]]:
    """The rows of payments.csv, and the date of each."""
    payments, dates, ids = [], [], set()
    for row in transactions.rows:
        number, priority = row.cells["transaction"], row.cells["priority"]
        if not number or number in ids:
            raise InputError(row.place, "transaction", "given twice" if number else "is empty", number)
        ids.add(number)
        amount = _amount(row, "value", transactions.decimal_comma)
        if amount <= 0:
            raise InputError(row.place, "value", "not above zero", row.cells["value"])
        if priority not in words:
            allowed = f"{', '.join(Priority)}, or --priority {priority}=WORD"
            raise InputError(row.place, "priority", "no such priority", priority, allowed)
        debtor, creditor = _known(row, "from", known), _known(row, "to", known)
        told = (number, _clock(row), debtor, creditor, format_fen(amount), words[priority])
        payments.append(dict(zip(_PAYMENT_COLUMNS, told, strict=True)))
        dates.append(_date(row))
    return payments, dates


def _id(row: Row, key: str) -> str:
    if not _ID.fullmatch(row.cells[key]):
        raise InputError(row.place, key, "not an account id", row.cells[key] or "''", "1 to 35 of A-Z a-z 0-9 . _ -")
    return row.cells[key]


def _known(row: Row, key: str, known: Mapping[str, Any]) -> str:
    if row.cells[key] not in known:
        raise InputError(
            row.place, key, "unknown account or participant", row.cells[key], nearest(row.cells[key], known)
        )
    return row.cells[key]


def _amount(row: Row, key: str, decimal_comma: bool) -> int:
    text = row.cells[key].replace(",", ".") if decimal_comma else row.cells[key]
    try:
        return parse_fen(text)
    except ValueError as error:
        raise InputError(row.place, key, str(error), row.cells[key] or "''", "1000.50") from None


def _date(row: Row) -> dt.date:
    parts = _DATE.fullmatch(row.cells["date"])
    try:
        return dt.date(*map(int, parts.groups())) if parts else dt.date.fromisoformat(row.cells["date"])
    except ValueError:
        raise InputError(row.place, "date", "not a date", row.cells["date"] or "''", "YYYY-MM-DD, YYYYMMDD") from None


def _clock(row: Row) -> str:
    text = row.cells["time"]
    try:
        return format_clock(parse_clock(":".join(parts.groups()) if (parts := _TIME.fullmatch(text)) else text))
    except ValueError as error:
        raise InputError(row.place, "time", str(error), text or "''", "HH:MM[:SS[.mmm]], HHMMSS") from None


def _as_date(argument: str, value: dt.date | str | None) -> dt.date | None:
    if value is None or isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise InputError(argument, "", "not a date", value, "YYYY-MM-DD") from None


def _chosen_date(place: str, dates: Sequence[dt.date], wanted: dt.date | None) -> dt.date:
    there = sorted(set(dates))
    if wanted is None and len(there) == 1:
        return there[0]
    shown = ", ".join(map(str, there[:3])) + (", …" if len(there) > 3 else "")
    if wanted is None:
        problem = "transactions of several dates" if there else "no transactions"
        raise InputError(place, "date", problem, shown, "one of them as --date" if there else "one or more")
    if wanted not in there:
        raise InputError(place, "date", "no transactions of this date", wanted, shown)
    return wanted


def _later_cut_off(payments: Iterable[Mapping[str, str]], date: dt.date) -> int | None:
    """A cut-off at the quarter of an hour after the last payment, if the published one is before it.

    The clearing window ends before the next date opens (on the evening, or at midnight): what comes later than that
    is after every cut-off.
    """
    hours = hvps_hours(date)
    last = max((parse_clock(payment["time"]) for payment in payments), default=0)
    ends = hours.opens_ms if hours.opens_day_before else MS_PER_DAY - _QUARTER_MS
    later = min((last // _QUARTER_MS + 1) * _QUARTER_MS, ends - _QUARTER_MS)
    return later if last >= hours.cut_off_ms else None


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _scenario(name: str, day: dt.date, played: dt.date, cut_off_ms: int | None) -> str:
    name = re.sub(r"[^\w.-]", "-", name).lstrip(".-")[:60] or "bof"
    lines = [
        f"# Imported from tables of the BoF-PSS simulator: {day}",
        f"name: {name}-{day}",
        f"date: {played}",
        "accounts: {file: accounts.csv}",
        "workload:",
        "  - {system: HVPS, file: payments.csv}",
        "liquidity: {from: accounts}",
    ]
    if cut_off_ms is not None:
        end = format_clock(cut_off_ms + _QUARTER_MS)
        lines.append(
            f'timetable: {{cut_off: "{format_clock(cut_off_ms)}", window_end: "{end}"}}  # after the last payment'
        )
    return "\n".join(lines) + "\n"
