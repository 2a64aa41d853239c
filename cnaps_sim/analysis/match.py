"""Match: two tables in, what one matching settles of the queue out, with the bound, the gap and the doctor's verdict.

    result = match("accounts.csv", "payments.csv", algorithm="exact")
    result.settled, result.bound, result.gap, result.as_dict()

Every algorithm starts from the opening balances with all payments queued: by level, then in the order of the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.optimise.doctor import Diagnosis, diagnose
from cnaps_sim.optimise.doctor_words import sentences
from cnaps_sim.optimise.match import DEFAULT_ALGORITHM, Matched, compare_queue, match_queue
from cnaps_sim.optimise.queue_table import Fen, QueueTable
from cnaps_sim.resources import resource
from cnaps_sim.words.codes import AccountStatus, Priority, Refusal
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

#: Runs every bundled algorithm.
ALL: Final = "all"

#: Times of day in a file are checked, but a matching has no clock: any date will do.
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


@dataclass(frozen=True, eq=False)
class MatchResult:
    """What one algorithm settles of a queue; the attributes are the fields of `match --json`."""

    queue: QueueInput
    matched: Matched

    @property
    def algorithm(self) -> str:
        """The name it was asked for by."""
        return self.matched.algorithm.name

    @property
    def settled(self) -> list[str]:
        """Ids of the settled payments in queue order."""
        return [self.queue.payment_ids[row] for row in np.flatnonzero(self.matched.chosen).tolist()]

    @property
    def settled_value_fen(self) -> int:
        """Value settled, fen."""
        return self.matched.value

    @property
    def settled_count(self) -> int:
        """Number of payments settled."""
        return int(self.matched.chosen.sum())

    @property
    def closing_fen(self) -> dict[str, int]:
        """Balance of every account after the matching, fen."""
        table = self.queue.table
        moved = table.closing(self.matched.chosen) - table.available
        return {
            account["account"]: account["balance"] + int(fen)
            for account, fen in zip(self.queue.accounts, moved, strict=True)
        }

    @property
    def lp_bound_fen(self) -> int:
        """Whole fen that no matching, in whatever order, can exceed."""
        return self.matched.bound

    @property
    def bound(self) -> int:
        """The same as `lp_bound_fen`."""
        return self.matched.bound

    @property
    def gap(self) -> float:
        """1 - settled / bound; 0 if the bound is 0."""
        return self.matched.gap

    @property
    def optimal(self) -> bool:
        """Is it proven that no choice settles more?"""
        return self.matched.value == self.matched.proven

    @property
    def diagnosis(self) -> str:
        """What strict one-by-one release leaves: clear, gridlock or deadlock, keeping the sequence."""
        return self.queue.diagnosis.diagnosis.value

    @property
    def diagnosis_free(self) -> str:
        """The same without the sequence constraint; undecided if the search stopped at its limit."""
        return self.queue.diagnosis.diagnosis_free.value

    @property
    def injection_fen(self) -> dict[str, int]:
        """The least new money by account with which the whole queue settles, fen."""
        return dict(zip(self.queue.account_ids, map(int, self.queue.diagnosis.injection), strict=True))

    @property
    def seconds(self) -> float:
        """How long the algorithm took."""
        return self.matched.seconds

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Payments that cannot stand in the queue, and why."""
        return self.queue.left_out

    @property
    def sentences(self) -> list[str]:
        """The doctor's verdict in words."""
        best = self.matched.value if self.optimal else None
        return sentences(
            self.queue.table, self.queue.diagnosis, self.queue.account_ids, self.queue.payment_ids, best
        )  # fmt: skip

    @property
    def payments(self) -> pd.DataFrame:
        """The queue in its order: payment_id, debtor, creditor, amount_fen, level, settled."""
        import pandas as pd

        table, names = self.queue.table, np.array(self.queue.account_ids, dtype=object)
        columns = {
            "payment_id": self.queue.payment_ids,
            "debtor": names[table.debtor],
            "creditor": names[table.creditor],
            "amount_fen": table.amount,
            "level": table.level,
            "settled": self.matched.chosen,
        }
        return pd.DataFrame(columns)

    @property
    def accounts(self) -> pd.DataFrame:
        """The accounts: account, balance_fen, available_fen, closing_fen, injection_fen."""
        import pandas as pd

        columns = {
            "account": self.queue.account_ids,
            "balance_fen": [account["balance"] for account in self.queue.accounts],
            "available_fen": self.queue.table.available,
            "closing_fen": list(self.closing_fen.values()),
            "injection_fen": self.queue.diagnosis.injection,
        }
        return pd.DataFrame(columns)

    def as_dict(self) -> dict[str, Any]:
        """The object that `match --json` prints."""
        return {
            "algorithm": self.algorithm,
            "settled": self.settled,
            "settled_value_fen": self.settled_value_fen,
            "settled_count": self.settled_count,
            "closing_fen": self.closing_fen,
            "lp_bound_fen": self.lp_bound_fen,
            "gap": self.gap,
            "diagnosis": self.diagnosis,
            "diagnosis_free": self.diagnosis_free,
            "injection_fen": self.injection_fen,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Every bundled algorithm on one queue, in documented order."""

    queue: QueueInput
    results: list[MatchResult]

    def __iter__(self) -> Iterator[MatchResult]:
        return iter(self.results)

    def __getitem__(self, algorithm: str) -> MatchResult:
        return next(result for result in self.results if result.algorithm == algorithm)

    @property
    def table(self) -> pd.DataFrame:
        """One row per algorithm: algorithm, settled_count, settled_value_fen, lp_bound_fen, gap, seconds."""
        import pandas as pd

        keys = ("algorithm", "settled_count", "settled_value_fen", "lp_bound_fen", "gap", "seconds")
        return pd.DataFrame([{key: getattr(result, key) for key in keys} for result in self.results])

    @property
    def best(self) -> MatchResult:
        """The result with the most value; of equal ones the first."""
        return max(self.results, key=lambda result: result.settled_value_fen)

    @property
    def sentences(self) -> list[str]:
        """The doctor's verdict in words; it measures the cost of order by the optimum if one of them proves it."""
        return next((result for result in self.results if result.optimal), self.results[0]).sentences

    def as_dict(self) -> dict[str, Any]:
        """The object that `match --algorithm all --json` prints."""
        return {"results": [result.as_dict() for result in self.results]}


def match(
    accounts: Source,
    payments: Source | None = None,
    algorithm: str = DEFAULT_ALGORITHM,
    time_limit: float | None = None,
) -> MatchResult | Comparison:
    """Match one queue.

    accounts, payments: data frames (`balance_fen`, `amount_fen` as int64, or `balance`, `amount` as text or Decimal),
        or the paths of CSV or Parquet files; the name of a bundled pair alone stands for both
    algorithm:  a name, `package.module:function`, or `all` for a `Comparison`
    time_limit: seconds for `exact`; without it, a limit of work that is the same on every machine

    InputError says what in the tables is wrong; TypeError names a column of floating-point numbers.
    """
    if algorithm == ALL:
        return compare(accounts, payments, time_limit)
    queue = read_queue(accounts, payments)
    matched = match_queue(queue.table, algorithm, _seconds(time_limit), queue.account_ids)
    return MatchResult(queue, matched)


def compare(accounts: Source, payments: Source | None = None, time_limit: float | None = None) -> Comparison:
    """Every bundled algorithm on one queue; see `match`."""
    queue = read_queue(accounts, payments)
    found = compare_queue(queue.table, _seconds(time_limit), queue.account_ids)
    return Comparison(queue, [MatchResult(queue, matched) for matched in found])


def bundled_pairs() -> list[str]:
    """Names of the bundled pairs of an accounts and a payments file."""
    try:
        folder = resource("scenarios")
    except FileNotFoundError:
        return []
    folders = [path.parent for path in folder.glob("*/payments.csv")]
    return sorted(found.name for found in folders if (found / "accounts.csv").is_file())


def read_queue(accounts: Source, payments: Source | None = None) -> QueueInput:
    """The queue that two tables describe; see `match`."""
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


def _seconds(time_limit: float | None) -> float | None:
    if time_limit is not None and not time_limit > 0:
        raise InputError("--time-limit", "", "not a number of seconds above 0", time_limit)
    return time_limit


def level_name(level: int) -> str:
    """`NORM`, `HIGH` or `URGT`, or the number of another level."""
    priority = Priority.of(level)
    return str(level) if priority is None else priority.value
