"""Liquidity: what the accounts began with, what they used of it, and what the day needed at least and at most."""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    as_list,
    columns_of,
    frame_of,
    remembered,
)
from cnaps_sim.analysis.metrics.payments import Payments, payments_of
from cnaps_sim.analysis.metrics.studied import about_studies
from cnaps_sim.analysis.metrics.tidy import ACCOUNT_GROUPS, By, Groups, Measure, group, ratios, tidy, total
from cnaps_sim.optimise.bounds import account_bounds
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import CentralBankAccount
from cnaps_sim.words.participant_kinds import ParticipantKind

#: Bookings of the central bank that follow from the run itself; a bound that counted them would chase its tail.
_CONSEQUENCES: Final = frozenset({BusinessType.INTEREST.code, BusinessType.CENTRAL_BANK_LOAN.code})
_CENTRAL_BANK: Final = frozenset(CentralBankAccount)


class Accounts(Columns):
    """Columns of the accounts table, one row per account and business date."""

    @cached_property
    def participant(self) -> BoolArray:
        """True for accounts of participants, False for the central bank's own."""
        name, kind = self.codes("account"), self.codes("kind")
        own = np.array([label in _CENTRAL_BANK for label in name.labels] + [False], np.bool_)[name.codes]
        central = np.array([label == ParticipantKind.CENTRAL_BANK for label in kind.labels] + [False], np.bool_)
        return ~(own | central[kind.codes])

    @cached_property
    def used(self) -> IntArray:
        """Liquidity used: max(0, opening - lowest balance), fen; 0 for the central bank."""
        used = np.maximum(self.numbers("opening_fen") - self.numbers("lowest_fen"), 0)
        return np.where(self.participant, used, 0)


def accounts_of(run: Run, where: Where = None) -> Accounts:
    """The accounts of a run, narrowed by `where`."""
    return columns_of(run, "accounts", Accounts).narrow(where, frame_of(run, "accounts"))


@about_studies
def liquidity(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Liquidity (流动性) of the participants' accounts; `by` is account, date, kind or owner.

    `opening` (fen): balances when the first business date of the group began; `peak_used` (fen): sum over
    accounts and dates of max(0, opening - lowest balance); `lower_bound`, `upper_bound` (fen): sums of the
    bounds of each account and date (see `cnaps_sim.optimise.bounds`), over accepted payments and posted nets;
    `settled` (fen): value settled in SAPS, counted at the debtor; `turnover`: settled / peak_used (ratio, null
    if nothing was used). Without `account`, `kind` or `owner` in `by`, `settled` includes what the central bank
    paid from its own accounts.
    """
    run = remembered(run)
    accounts = accounts_of(run, where)
    names = as_list(by)
    groups = group(accounts, names, ACCOUNT_GROUPS)
    lower, upper = bounds(run)
    used = total(groups, accounts.used)
    settled = total(groups, _narrow(accounts, settled_by_debtor(run)))
    frame = tidy(
        groups,
        [
            Measure("opening", "fen", _opening(accounts, groups)),
            Measure("peak_used", "fen", used),
            Measure("lower_bound", "fen", total(groups, _narrow(accounts, lower))),
            Measure("upper_bound", "fen", total(groups, _narrow(accounts, upper))),
            Measure("settled", "fen", settled),
            Measure("turnover", "ratio", ratios(settled, used)),
        ],
    )
    if set(names) & {"account", "kind", "owner"}:
        kept = np.bincount(groups.group[accounts.participant], minlength=groups.size) > 0
        frame = frame[np.repeat(kept, 6)].reset_index(drop=True)
    return frame


def concentration(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """How unevenly the liquidity used is spread over the participants' accounts; `by` is date, kind or owner.

    `gini`: 0 if all accounts use the same, towards 1 if one uses all; sum (2i - n - 1) x_i / (n sum x), x
    ascending. `herfindahl`: sum of squared shares, from 1/n to 1. Unit: ratio; null if nothing was used. Each
    account and date counts as one x.
    """
    accounts = accounts_of(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    ginis, herfindahls = [], []
    for g in range(groups.size):
        used = np.sort(accounts.used[(groups.group == g) & accounts.participant])
        ginis.append(gini(used))
        herfindahls.append(herfindahl(used))
    return tidy(groups, [Measure("gini", "ratio", ginis), Measure("herfindahl", "ratio", herfindahls)])


def provision(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Provision of liquidity relative to usage of the system, per account.

    `provision`: ND_i / sum ND - P_i / sum P, ND the peak net debit (liquidity used), P the value sent; positive:
    the account provides more liquidity than its share of payments, negative: it rides on what others provide.
    Unit: ratio; null if nothing was used or sent. `by` is account, date, kind or owner. Source: Denbee, Garratt
    and Zimmerman (2012).
    """
    accounts = accounts_of(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    used = total(groups, accounts.used)
    sent = total(groups, accounts.numbers("sent_fen"), accounts.participant)
    all_used, all_sent = int(used.sum()), int(sent.sum())
    shares: list[float | None] = [None] * groups.size
    if all_used and all_sent:
        shares = [u / all_used - s / all_sent for u, s in zip(used.tolist(), sent.tolist(), strict=True)]
    kept = np.bincount(groups.group[accounts.participant], minlength=groups.size) > 0
    frame = tidy(groups, [Measure("provision", "ratio", shares)])
    return frame[kept].reset_index(drop=True)


def gini(ascending: IntArray) -> float | None:
    """Gini coefficient of amounts in ascending order; null if their sum is 0."""
    n, whole = len(ascending), sum(ascending.tolist())
    if not whole:
        return None
    spread = sum((2 * i - n - 1) * x for i, x in enumerate(ascending.tolist(), 1))
    return float(spread / (n * whole))


def herfindahl(amounts: IntArray) -> float | None:
    """Herfindahl index of amounts; null if their sum is 0."""
    whole = sum(amounts.tolist())
    return float(sum(x * x for x in amounts.tolist()) / (whole * whole)) if whole else None


def bounds(run: Run) -> tuple[IntArray, IntArray]:
    """Lower and upper bound of each row of the accounts table, fen; 0 for the central bank.

    Accepted payments of the business date, settled nets and other settled bookings of the central bank, in the
    order of submission; interest and repayments, which follow from the run itself, are left out.
    """
    accounts, payments = accounts_of(run), payments_of(run)
    lower, upper = np.zeros(accounts.count, np.int64), np.zeros(accounts.count, np.int64)
    book = postings(payments, accounts)
    row_of = _row_of(accounts)
    n = len(accounts.codes("account").labels)
    for date, day in row_of.items():
        today = slice(None) if len(row_of) == 1 else book.date == date
        low, high = account_bounds(n, book.debtor[today], book.creditor[today], book.amount[today])
        present = np.flatnonzero(day >= 0)
        lower[day[present]], upper[day[present]] = low[present], high[present]
    return np.where(accounts.participant, lower, 0), np.where(accounts.participant, upper, 0)


def settled_by_debtor(run: Run) -> IntArray:
    """Value settled in SAPS per row of the accounts table, counted at the debtor, fen."""
    accounts, payments = accounts_of(run), payments_of(run)
    row_of = _row_of(accounts)
    posted = np.flatnonzero(payments.settled & (payments.numbers("settled_ms") != NONE))
    debtor = account_numbers(payments, "debtor", accounts)[posted]
    date = payments.numbers("date")[posted]
    sums = np.zeros(accounts.count, np.int64)
    for day, rows in row_of.items():
        today = date == day
        per_account = np.zeros(len(rows), np.int64)
        np.add.at(per_account, debtor[today], payments.amount[posted[today]])
        sums[rows[rows >= 0]] = per_account[rows >= 0]
    return sums


class Book(NamedTuple):
    """Postings in order: business date (days since 1970-01-01), account numbers, fen."""

    date: IntArray
    debtor: npt.NDArray[np.intp]
    creditor: npt.NDArray[np.intp]
    amount: IntArray


def postings(payments: Payments, accounts: Accounts) -> Book:
    """What the bounds count, in the order in which the books would post it on submission."""
    order = payments.arrival_order
    counted = payments.accepted & (payments.own | payments.settled) & ~_consequences(payments)
    rows = order[counted[order]]
    return Book(
        payments.numbers("date")[rows],
        account_numbers(payments, "debtor", accounts)[rows],
        account_numbers(payments, "creditor", accounts)[rows],
        payments.amount[rows],
    )


def _consequences(payments: Payments) -> BoolArray:
    """Interest and repayments that the central bank booked because of how much liquidity this very run had."""
    kind = payments.codes("type")
    found = np.array([label in _CONSEQUENCES for label in kind.labels] + [False], np.bool_)
    return found[kind.codes] & ~payments.own


def _opening(accounts: Accounts, groups: Groups) -> IntArray:
    """Openings of the participants on the first date of each group."""
    date = accounts.numbers("date")
    first = np.full(groups.size, 2**62, np.int64)
    np.minimum.at(first, groups.group, date)
    begins = accounts.participant & (date == first[groups.group])
    return total(groups, accounts.numbers("opening_fen"), begins)


def _row_of(accounts: Accounts) -> dict[int, npt.NDArray[np.intp]]:
    """For each business date: the table row of every account number, -1 where the account has none."""
    date, account = accounts.numbers("date"), accounts.codes("account")
    rows: dict[int, npt.NDArray[np.intp]] = {}
    for day in np.unique(date).tolist():
        row_of = np.full(len(account.labels), -1, np.intp)
        today = np.flatnonzero(date == day)
        row_of[account.codes[today]] = today
        rows[day] = row_of
    return rows


def account_numbers(columns: Columns, name: str, accounts: Accounts) -> npt.NDArray[np.intp]:
    """A column of account names as numbers of the accounts table; every name must be in it."""
    number_of = {label: number for number, label in enumerate(accounts.whole.codes("account").labels)}
    column = columns.codes(name)
    return np.array([number_of[label] for label in column.labels] + [-1], np.intp)[column.codes]


def _narrow(accounts: Accounts, per_row: IntArray) -> IntArray:
    return per_row if accounts.rows is None else per_row[accounts.rows]
