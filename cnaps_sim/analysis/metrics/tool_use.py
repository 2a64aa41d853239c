"""Who used which liquidity tool, and who helped: rescues by pools, pledge loans, loans among participants."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from cnaps_sim.analysis.metrics.columns import (
    BoolArray,
    Codes,
    Columns,
    IntArray,
    Run,
    Where,
    columns_of,
    has_table,
    remembered,
)
from cnaps_sim.analysis.metrics.liquidity import Accounts, account_numbers, accounts_of
from cnaps_sim.analysis.metrics.sources import TRANSFER_GROUPS, Transfers, transfers_of
from cnaps_sim.analysis.metrics.tidy import ACCOUNT_GROUPS, By, Groups, Measure, group, number, tidy, total
from cnaps_sim.run.tools import groups_of
from cnaps_sim.scenario.pools import Pool, PoolTerms
from cnaps_sim.words.codes import CentralBankAccount, TransferKind

#: Kinds of transfers that a liquidity tool makes.
TOOL_KINDS: Final = (TransferKind.POOL, TransferKind.SWEEP, TransferKind.PLEDGE, TransferKind.LOAN)
_PLACE: Final = {kind: place for place, kind in enumerate(TransferKind)}
_DEBTOR, _CREDITOR = "debtor", "creditor"

_CENTRAL: Final = frozenset(account.value for account in CentralBankAccount)


def tool_use(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """What each account got from liquidity tools, and what it gave; `by` is account, date, kind or owner.

    `rescued_count` (payments), `rescued`, `gave` (fen): rescues by its pool (资金池), received and given; `swept_in`,
    `swept_out` (fen): sweeps (上收下拨); `pledge_count` (loans), `pledge`, `pledge_repaid`, `pledge_interest` (fen):
    pledge financing (质押融资), `pledge_defaulted` (fen) the principal of loans in default (违约), written off against
    the bonds at the date of the default, and `pledge_peak` (fen) the most owed at once on any date, summed over
    accounts; `borrowed`, `lent` (fen): loans among participants (拆借); `penalty` (fen): penalty loans;
    `overdraft_peak`, `overdraft_interest` (fen). Accounts of the central bank are left out.
    """
    run = remembered(run)
    accounts, transfers = accounts_of(run, where), transfers_of(run)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    sums = _Sums(accounts, transfers)
    pool, pledge = sums.of(TransferKind.POOL), sums.of(TransferKind.PLEDGE)
    repaid = sums.of(TransferKind.REPAYMENT) & ~transfers.is_item
    interest = sums.of(TransferKind.INTEREST) & ~transfers.is_item
    sweep, loan = sums.of(TransferKind.SWEEP), sums.of(TransferKind.LOAN)

    def summed(name: str, values: IntArray, unit: str = "fen") -> Measure:
        return Measure(name, unit, total(groups, np.where(accounts.participant, values, 0)))

    frame = tidy(
        groups,
        [
            summed("rescued_count", sums.rescued(pool), "payments"),
            summed("rescued", sums.fen(pool, _CREDITOR)),
            summed("gave", sums.fen(pool, _DEBTOR)),
            summed("swept_in", sums.fen(sweep, _CREDITOR)),
            summed("swept_out", sums.fen(sweep, _DEBTOR)),
            summed("pledge_count", sums.count(pledge, _CREDITOR), "loans"),
            summed("pledge", sums.fen(pledge, _CREDITOR)),
            summed("pledge_repaid", sums.fen(repaid, _DEBTOR)),
            summed("pledge_defaulted", sums.written_off(run, pledge, repaid)),
            summed("pledge_interest", sums.fen(interest, _DEBTOR)),
            summed("pledge_peak", _highest(accounts, groups, "peak_pledge_fen")),
            summed("borrowed", sums.fen(loan, _CREDITOR)),
            summed("lent", sums.fen(loan, _DEBTOR)),
            summed("penalty", accounts.numbers("penalty_loan_fen")),
            summed("overdraft_peak", _highest(accounts, groups, "peak_overdraft_fen")),
            summed("overdraft_interest", accounts.numbers("overdraft_interest_fen")),
        ],
    )
    kept = np.bincount(groups.group[accounts.participant], minlength=groups.size) > 0
    return frame[np.repeat(kept, len(frame) // max(groups.size, 1))].reset_index(drop=True)


def _highest(accounts: Accounts, groups: Groups, name: str) -> IntArray:
    """A column of peaks, of which only the highest of each account in each group stays; the others are 0."""
    values, codes = accounts.numbers(name), accounts.codes("account").codes
    order = np.lexsort((values, codes, groups.group))
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = (np.diff(codes[order]) != 0) | (np.diff(groups.group[order]) != 0)
    highest = np.zeros(len(values), np.int64)
    highest[order[is_last]] = values[order[is_last]]
    return highest


def interest_paid(accounts: Accounts, transfers: Transfers) -> tuple[IntArray, IntArray]:
    """Interest on pledge loans, and on loans among participants, per row of the accounts table, fen."""
    sums = _Sums(accounts, transfers)
    interest = sums.of(TransferKind.INTEREST)
    central = np.isin(transfers.table.column("creditor").to_numpy(zero_copy_only=False), list(_CENTRAL))
    return sums.fen(interest & ~transfers.is_item, _DEBTOR), sums.fen(interest & transfers.is_item & ~central, _DEBTOR)


class _Sums:
    """Sums of transfers per row of the accounts table."""

    def __init__(self, accounts: Accounts, transfers: Transfers) -> None:
        self.accounts, self.transfers = accounts, transfers
        whole = accounts.whole
        date, account = whole.numbers("date"), whole.codes("account")
        self._days = np.unique(date)
        self._names = len(account.labels)
        self._row = np.full(len(self._days) * self._names, -1, np.int64)
        self._row[np.searchsorted(self._days, date) * self._names + account.codes] = np.arange(whole.count)

    def of(self, kind: TransferKind) -> BoolArray:
        """The transfers of one kind."""
        found: BoolArray = self.transfers.kinds == _PLACE[kind]
        return found

    def fen(self, chosen: BoolArray, side: str) -> IntArray:
        """Sum of the amounts of these transfers at one side."""
        return self._added(np.flatnonzero(chosen), side, self.transfers.amount[chosen])

    def count(self, chosen: BoolArray, side: str) -> IntArray:
        """Number of these transfers at one side."""
        rows = np.flatnonzero(chosen)
        return self._added(rows, side, np.ones(len(rows), np.int64))

    def rescued(self, pool: BoolArray) -> IntArray:
        """Payments rescued: several members may give for one, and do so one after the other."""
        rows = np.flatnonzero(pool)
        rows = rows[_first_of_payment(self.transfers, rows)]
        return self._added(rows, _CREDITOR, np.ones(len(rows), np.int64))

    def written_off(self, run: Run, pledge: BoolArray, repaid: BoolArray) -> IntArray:
        """Principal of the pledge loans on which an account defaulted (违约): all it owed when the events say so."""
        sums = np.zeros(self.accounts.whole.count, np.int64)
        names = self.accounts.whole.codes("account").labels
        for time, date, name in _defaults(run):
            account = names.index(name)
            until = self.transfers.numbers("time_ms") <= time
            taken = pledge & until & (account_numbers(self.transfers, _CREDITOR, self.accounts) == account)
            paid = repaid & until & (account_numbers(self.transfers, _DEBTOR, self.accounts) == account)
            amount, rows = self.transfers.amount, self._row[account :: self._names]
            before = sums[rows[rows >= 0]].sum()
            day = int(np.searchsorted(self._days, date))
            sums[self._row[day * self._names + account]] += amount[taken].sum() - amount[paid].sum() - before
        return sums if self.accounts.rows is None else sums[self.accounts.rows]

    def _added(self, rows: IntArray, side: str, values: IntArray) -> IntArray:
        day = np.searchsorted(self._days, self.transfers.numbers("date")[rows])
        place = self._row[day * self._names + account_numbers(self.transfers, side, self.accounts)[rows]]
        sums = np.zeros(self.accounts.whole.count, np.int64)
        np.add.at(sums, place, values)
        return sums if self.accounts.rows is None else sums[self.accounts.rows]


def _defaults(run: Run) -> list[tuple[int, int, str]]:
    """Time, date and account of each default on pledge loans, in order."""
    if not has_table(run, "events"):
        return []
    events = columns_of(run, "events", Columns)
    kind, subject = events.codes("kind"), events.codes("subject")
    rows = np.flatnonzero(kind.codes == kind.labels.index("default")) if "default" in kind.labels else ()
    time, date = events.numbers("time_ms"), events.numbers("date")
    return [(int(time[row]), int(date[row]), subject.labels[subject.codes[row]]) for row in rows]


def _first_of_payment(transfers: Transfers, rows: IntArray) -> BoolArray:
    """Which of these moves are the first for their payment."""
    covered = transfers.table.column("for_payment").take(rows).to_pylist()
    return np.array([name != before for before, name in zip([None, *covered], covered, strict=False)], np.bool_)


def rescues(run: Run, *, by: By = "pool", where: Where = None) -> pd.DataFrame:
    """Rescues by fund pools (资金池救助); `by` is pool, account (the giver), taker or date.

    `rescues` (payments): payments covered; `moves` (transfers): members' shares in them; `rescued` (fen). The names of
    pools are those of the scenario, or made by it (rural-1).
    """
    run = remembered(run)
    transfers = transfers_of(run)
    chosen = transfers_of(run, where) if where is not None else transfers
    rows = np.arange(transfers.count) if chosen.rows is None else chosen.rows
    rows = rows[transfers.kinds[rows] == _PLACE[TransferKind.POOL]]
    moves = Rescues("transfers", transfers.table, rows, Rescues("transfers", transfers.table))
    moves.pool = pool_codes(run, moves)
    groups = group(moves, by, {**TRANSFER_GROUPS, "taker": "creditor", "pool": "pool"})
    return tidy(
        groups,
        [
            Measure("rescues", "payments", number(groups, _first_of_payment(transfers, rows))),
            Measure("moves", "transfers", number(groups)),
            Measure("rescued", "fen", total(groups, moves.amount)),
        ],
    )


class Rescues(Transfers):
    """Transfers that pools made, and by which pool each."""

    pool: Codes

    def codes(self, name: str) -> Codes:
        """As of any table, and the pool."""
        return self.pool if name == "pool" else super().codes(name)


def pool_codes(run: Run, moves: Transfers) -> Codes:
    """The pool that each of these transfers belongs to, by its creditor."""
    members = pools_of(run)
    names = [name for name, _ in members]
    place = {account: number for number, (_, accounts) in enumerate(members) for account in accounts}
    creditor = moves.codes("creditor")
    return Codes(np.array([place.get(label, -1) for label in creditor.labels] + [-1], np.int64)[creditor.codes], names)


def pools_of(run: Any) -> list[tuple[str, list[str]]]:
    """Name and members of each pool of a run's scenario, members in the order in which they are asked."""
    terms = (getattr(run, "scenario", None) or {}).get("pools") or []
    accounts = accounts_of(run)
    name, kind, owner = (accounts.codes(column) for column in ("account", "kind", "owner"))
    date = accounts.numbers("date")
    rows: list[dict[str, Any]] = []
    for row in np.flatnonzero(accounts.participant & (date == date.min())) if len(date) else ():
        of_kind = kind.labels[kind.codes[row]] if kind.codes[row] >= 0 else None
        rows.append({"account": name.labels[name.codes[row]], "kind": of_kind, "owner": owner.labels[owner.codes[row]]})
    index = {row["account"]: place for place, row in enumerate(rows)}
    reader: TypeAdapter[Pool] = TypeAdapter(PoolTerms)
    found = []
    for place, entry in enumerate(terms):
        groups = groups_of(reader.validate_python(entry), rows, index, place)
        found += [(called, [rows[member]["account"] for member in members]) for called, members in groups]
    return found
