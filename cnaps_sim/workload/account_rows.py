"""Account rows: the settlement accounts (清算账户) of a run, from CSV and Parquet files, data frames and lists.

The columns are those of an accounts file: `account, balance` and optional columns with defaults. Only the form is
checked here; what an account may do is the books' affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from cnaps_sim.words.bank_code import is_valid
from cnaps_sim.words.codes import AccountStatus, CentralBankAccount
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.units import MAX_FEN, format_fen, parse_fen
from cnaps_sim.workload.columns import AMOUNT_ALLOWED, Fault, raise_first
from cnaps_sim.workload.sheet import Place, Sheet, Terms, frame_sheet, read_sheet, rows_sheet, texts

if TYPE_CHECKING:
    import pandas as pd

#: Columns of money that may not be below 0, all with the default 0.
_LIMITS: Final = (
    "overdraft_limit",
    "floor",
    "earmark",
    "pledged",
    "credit_line",
    "reserved_high",
    "reserved_urgent",
)

_NEVER_NEGATIVE: Final = frozenset({*_LIMITS, "cap_warning_line"})

#: The columns of an accounts file.
ACCOUNT_TERMS: Final = Terms(
    required=("account", "balance"),
    optional=("name", "kind", "owner", "status", *_LIMITS, "warning_line", "cap_warning_line"),
    money=frozenset({"balance", "warning_line", "cap_warning_line", *_LIMITS}),
    coded=frozenset(),
)

_ACCOUNT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,35}")
#: All balances together stay far from the end of int64.
_TOTAL_LIMIT: Final = 4_000_000_000_000_000_000


class AccountRow(TypedDict):
    """One settlement account. All money in fen."""

    account: str  # id, 1-35 characters
    balance: int  # opening balance
    name: str  # default: the id
    kind: str | None  # a ParticipantKind
    owner: str  # legal entity; default: the id
    status: str  # codes.AccountStatus; default AS01, open
    overdraft_limit: int  # 日间透支限额
    floor: int  # 余额控制下限
    earmark: int  # 圈存
    pledged: int  # value pledged for the net debit cap
    credit_line: int  # 授信额度 of the net debit cap
    reserved_high: int  # kept for levels 0-1
    reserved_urgent: int  # kept for levels 0-6
    warning_line: int | None  # 余额预警
    cap_warning_line: int | None  # 限额预警, of the headroom under the net debit cap


def account_row(account: str, balance: int = 0, name: str = "", kind: str | None = None) -> AccountRow:
    """An account with the default of every other column; `balance` in fen."""
    return AccountRow(
        account=account,
        balance=balance,
        name=name or account,
        kind=kind,
        owner=account,
        status=AccountStatus.AS01.value,
        overdraft_limit=0,
        floor=0,
        earmark=0,
        pledged=0,
        credit_line=0,
        reserved_high=0,
        reserved_urgent=0,
        warning_line=None,
        cap_warning_line=None,
    )


def read_accounts(path: str | Path, strict_codes: bool = False) -> list[AccountRow]:
    """The accounts of a CSV or Parquet file, in its order.

    strict_codes: account ids must be bank codes (行号) with a right check digit

    InputError with `file:line` of the first line that is wrong.
    """
    return _accounts(read_sheet(path, ACCOUNT_TERMS), strict_codes)


def accounts_from_rows(
    rows: Sequence[Mapping[str, object]], place: Place | str = "scenario", strict_codes: bool = False
) -> list[AccountRow]:
    """The accounts of a list of mappings with an accounts file's columns as keys; see `read_accounts`.

    place: says where row r stands, or one place for all
    """
    return _accounts(rows_sheet(rows, ACCOUNT_TERMS, place), strict_codes)


def accounts_from_frame(frame: pd.DataFrame, name: str = "accounts", strict_codes: bool = False) -> list[AccountRow]:
    """The accounts of a data frame: `balance_fen` (int64), or `balance` as text or Decimal, other money likewise.

    InputError placed at `name[row]`. TypeError naming a column of floating-point numbers.
    """
    return _accounts(frame_sheet(frame, ACCOUNT_TERMS, name), strict_codes)


def _accounts(sheet: Sheet, strict_codes: bool) -> list[AccountRow]:
    columns = {name: list(texts(sheet.column(name))) for name in ACCOUNT_TERMS.names}
    accounts: list[AccountRow] = []
    first_at: dict[str, int] = {}
    for row in range(sheet.row_count):
        cells = {name: column[row] for name, column in columns.items()}
        accounts.append(_account(sheet, row, cells, strict_codes))
        earlier = first_at.setdefault(accounts[-1]["account"], row)
        if earlier != row:
            problem = f"already used at {sheet.place(earlier)}"
            raise_first(sheet, Fault(row, "account", problem, accounts[-1]["account"]))
    raise_first(sheet)
    if not accounts:
        raise InputError(sheet.whole_place, "", "there is no account", "", "one row or more")
    total = sum(abs(account["balance"]) for account in accounts)
    if total > _TOTAL_LIMIT:
        allowed = f"up to {format_fen(_TOTAL_LIMIT)}"
        raise InputError(sheet.whole_place, "balance", "the balances add up to too much", format_fen(total), allowed)
    return accounts


def _account(sheet: Sheet, row: int, cells: Mapping[str, str | int], strict_codes: bool) -> AccountRow:
    """One row; InputError for the first of its cells that is wrong."""

    def check(key: str, problem: str, allowed: str) -> None:
        if problem:
            raise_first(sheet, Fault(row, key, problem, cells[key], allowed))

    account = str(cells["account"])
    check("account", *_id_problem(account, strict_codes))
    money = {name: _money(cells[name], name, check) for name in ACCOUNT_TERMS.names if name in ACCOUNT_TERMS.money}
    for key, known in (("kind", ParticipantKind), ("status", AccountStatus)):
        allowed = [member.value for member in known]
        check(key, "" if cells[key] in ("", *allowed) else f"unknown {key}", ", ".join(allowed))
    if -money["balance"] > money["overdraft_limit"]:
        check("balance", "below zero by more than the overdraft limit", "0 or more")
    return AccountRow(
        account=account,
        balance=money["balance"],
        name=str(cells["name"]) or account,
        kind=str(cells["kind"]) or None,
        owner=str(cells["owner"]) or account,
        status=str(cells["status"]) or AccountStatus.AS01.value,
        overdraft_limit=money["overdraft_limit"],
        floor=money["floor"],
        earmark=money["earmark"],
        pledged=money["pledged"],
        credit_line=money["credit_line"],
        reserved_high=money["reserved_high"],
        reserved_urgent=money["reserved_urgent"],
        warning_line=None if cells["warning_line"] == "" else money["warning_line"],
        cap_warning_line=None if cells["cap_warning_line"] == "" else money["cap_warning_line"],
    )


def _id_problem(account: str, strict_codes: bool) -> tuple[str, str]:
    """What is wrong with an account id ("" if nothing), and what is allowed."""
    if not account:
        return "missing value", "an account id"
    if _ACCOUNT_ID.fullmatch(account) is None:
        return "not an account id", "1 to 35 of A-Z a-z 0-9 . _ -"
    if account in {own.value for own in CentralBankAccount}:
        return "the central bank's own account", "any other id"
    if strict_codes and not is_valid(account):
        return "not a bank code with a right check digit", "12 digits, the last by ISO 7064 MOD 11,10"
    return "", ""


def _money(cell: str | int, key: str, check: Callable[[str, str, str], None]) -> int:
    """Fen of a cell, 0 if it is empty."""
    if cell == "" and key != "balance":
        return 0
    try:
        fen = cell if isinstance(cell, int) else parse_fen(cell)
    except ValueError as error:
        check(key, str(error) if cell else "missing value", AMOUNT_ALLOWED)
        raise
    if abs(fen) > MAX_FEN:
        check(key, "over the largest amount", f"up to {format_fen(MAX_FEN)}")
    if fen < 0 and key in _NEVER_NEGATIVE:
        check(key, "must not be below 0", AMOUNT_ALLOWED)
    return fen
