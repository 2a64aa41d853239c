"""The queue that two tables describe: accounts and payments as data frames, as files, or as a bundled pair of files.

By level, then in the order of the table; times are checked if there are any, but a matching has no clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.optimise.doctor import Diagnosis, diagnose
from cnaps_sim.optimise.queue_table import Fen, QueueTable
from cnaps_sim.resources import resource
from cnaps_sim.words.codes import AccountStatus, Refusal
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.account_rows import AccountRow, accounts_from_frame, read_accounts
from cnaps_sim.workload.replay import PAYMENT_TERMS, from_frame, read_payments
from cnaps_sim.workload.sheet import frame_sheet, read_sheet

if TYPE_CHECKING:
    import pandas as pd

    from cnaps_sim.workload.flow import Flow

    #: A data frame, or the path of a CSV or Parquet file.
    Source = pd.DataFrame | str | Path

#: Times of day in a file are on this date, whichever it is.
_SOME_DATE: Final = dt.date(2025, 6, 17)
_LARGEST: Final = 2**63 - 1
_HELD: Final = frozenset({AccountStatus.AS04, AccountStatus.AS06})
_NOT_OPEN: Final = frozenset({AccountStatus.AS00, AccountStatus.AS03})


@dataclass(frozen=True, eq=False)
class QueueInput:
    """A queue as it was given, with the names of its accounts and payments.

    accounts:    the account rows (money in fen); table: the queue; payment_ids: by row of the table
    left_out:    payments that cannot stand in the queue, and why, in words
    """

    accounts: list[AccountRow]
    table: QueueTable
    payment_ids: list[str]
    left_out: list[tuple[str, str]]

    @property
    def account_ids(self) -> list[str]:
        """Ids by account row."""
        return [account["account"] for account in self.accounts]

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The doctor's findings; the same for every algorithm."""
        return diagnose(self.table)


def bundled_pairs() -> list[str]:
    """Names of the bundled pairs of an accounts and a payments file."""
    try:
        folder = resource("scenarios")
    except FileNotFoundError:
        return []
    folders = [path.parent for path in folder.glob("*/payments.csv")]
    return sorted(found.name for found in folders if (found / "accounts.csv").is_file())


def read_queue(accounts: Source, payments: Source | None = None) -> QueueInput:
    """The queue of two tables, or of the bundled pair of that name; see `match.match` for what they may be."""
    if payments is None:
        accounts, payments = _bundled(accounts)
    rows = read_accounts(accounts) if isinstance(accounts, str | Path) else accounts_from_frame(accounts)
    index = {account["account"]: row for row, account in enumerate(rows)}
    flow, order = _in_file_order(payments, index)
    records = flow.rows[order]
    ids = flow.payment_ids.take(pa.array(order)).to_pylist()
    reasons = _why_left_out(rows, records)
    left_out = [(ids[row], reasons[row]) for row in sorted(reasons)]
    queued = np.array([row not in reasons for row in range(len(ids))], np.bool_) if reasons else slice(None)
    kept = np.arange(len(ids))[queued]
    kept = kept[np.argsort(records["level"][kept], kind="stable")]
    available = _available(rows)
    _check_sums(available, records["amount"], payments)
    table = QueueTable.of(
        available, records["debtor"][kept], records["creditor"][kept], records["amount"][kept], records["level"][kept]
    )
    return QueueInput(rows, table, [ids[row] for row in kept.tolist()], left_out)


def _bundled(name: Source) -> tuple[Path, Path]:
    known = bundled_pairs()
    if not isinstance(name, str) or name not in known:
        allowed = nearest(str(name), known) if isinstance(name, str) else "a table of payments beside that of accounts"
        raise InputError("pair", "", "no such bundled pair of files", name if isinstance(name, str) else "", allowed)
    return resource("scenarios", name, "accounts.csv"), resource("scenarios", name, "payments.csv")


def _in_file_order(payments: Source, index: dict[str, int]) -> tuple[Flow, npt.NDArray[np.int64]]:
    """The payments, and the order of their rows in which the file has them: a flow is sorted by time."""
    terms = PAYMENT_TERMS.without("time")
    if isinstance(payments, str | Path):
        flow = read_payments(payments, index, _SOME_DATE, need_time=False)
        sheet = read_sheet(payments, terms)
    else:
        flow = from_frame(payments, index, _SOME_DATE, need_time=False)
        sheet = frame_sheet(payments, terms, "payments")
    place = pc.index_in(sheet.column("payment_id"), value_set=flow.payment_ids)
    return flow, place.to_numpy(zero_copy_only=False).astype(np.int64)


def _why_left_out(accounts: list[AccountRow], records: Any) -> dict[int, str]:
    """Payments that the books would refuse or hold whatever money there is: row and reason."""
    status = [AccountStatus(account["status"]) for account in accounts]
    closed = np.array([state in _NOT_OPEN for state in status], np.bool_)
    held = np.array([state in _HELD for state in status], np.bool_)
    no_credit = np.array([state is AccountStatus.AS05 for state in status], np.bool_)
    debtor, creditor = records["debtor"], records["creditor"]
    reasons: dict[int, str] = {}
    for wrong, words in (
        (records["refusal"] == Refusal.NO_BOOK, Refusal.NO_BOOK.sentence),
        (closed[debtor] | closed[creditor], Refusal.CLOSED_ACCOUNT.sentence),
        (debtor == creditor, Refusal.SELF_PAYMENT.sentence),
        (no_credit[creditor], Refusal.CREDIT_CONTROL.sentence),
        (held[debtor], "the debtor's account is held: debit control or frozen"),
    ):
        for row in np.flatnonzero(wrong).tolist():
            reasons.setdefault(row, words)
    return reasons


def _available(accounts: list[AccountRow]) -> Fen:
    return np.array(
        [a["balance"] - a["earmark"] - a["floor"] + a["overdraft_limit"] for a in accounts], dtype=np.int64
    )  # fmt: skip


def _check_sums(available: Fen, amount: Fen, payments: Source) -> None:
    """InputError if an account could come to hold more than can be counted."""
    most = max(abs(int(available.min())), int(available.max())) + sum(amount.tolist())
    if most > _LARGEST:
        place = str(payments) if isinstance(payments, str | Path) else "payments"
        problem = "balances and payments add up to too much"
        raise InputError(place, "amount", problem, format_fen(most), f"up to {format_fen(_LARGEST)}")
