"""Access: what one account per legal entity (法人一点接入) would save, seen from a run with several of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, BoolArray, Columns, IntArray, Run, Where, columns_of, remembered
from cnaps_sim.analysis.metrics.liquidity import Accounts, account_numbers, accounts_of, bounds, postings
from cnaps_sim.analysis.metrics.payments import payments_of
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, group, total
from cnaps_sim.analysis.metrics.tidy import tidy as tidied
from cnaps_sim.optimise.bounds import account_bounds

Places = npt.NDArray[np.intp]

#: Names by which owners can be grouped, and the column that each reads.
ACCESS_GROUPS: Final = {"owner": "owner", "date": "date", "kind": "kind"}


def access(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Liquidity of legal entities, their accounts apart and pooled; `by` is owner, date or kind.

    `entities`, `accounts`: how many; an account counts once per business date. The others in fen, added up over the
    accounts of participants and business dates. `opening`: balances when the date began; `peak_used`: max(0, opening -
    lowest balance) of each account; `lower_bound`, `upper_bound`: as in `liquidity`. `pooled_peak_used`,
    `pooled_lower_bound`, `pooled_upper_bound`: the same with all accounts of an owner taken as one, and what moves
    between them left out; of the same postings, not of a day played again. `inside`: value settled between accounts of
    one owner. No pooled figure is above the figure it stands beside (theorem: a peak of a sum is
    no more than the sum of the peaks). With one account per owner each pair is equal.
    """
    run = remembered(run)
    accounts = accounts_of(run, where)
    groups = group(accounts, by, ACCESS_GROUPS)
    low, high = bounds(run)
    pools = _pools(run)
    chosen = slice(None) if accounts.rows is None else accounts.rows
    participant = accounts.participant

    def added(per_row: IntArray) -> IntArray:
        return total(groups, per_row[chosen], participant)

    return tidied(
        groups,
        [
            Measure("entities", "entities", _entities(accounts, groups, participant)),
            Measure("accounts", "accounts", np.bincount(groups.group[participant], minlength=groups.size)),
            Measure("opening", "fen", total(groups, accounts.numbers("opening_fen"), participant)),
            Measure("peak_used", "fen", total(groups, accounts.used)),
            Measure("pooled_peak_used", "fen", added(pools.used)),
            Measure("lower_bound", "fen", added(low)),
            Measure("pooled_lower_bound", "fen", added(pools.lower)),
            Measure("upper_bound", "fen", added(high)),
            Measure("pooled_upper_bound", "fen", added(pools.upper)),
            Measure("inside", "fen", added(pools.inside)),
        ],
    )


class _Pools(NamedTuple):
    """Figures of each owner and date, at the first of the owner's rows in the table of accounts, 0 elsewhere; fen."""

    used: IntArray
    lower: IntArray
    upper: IntArray
    inside: IntArray


class _Moves(NamedTuple):
    """Money moved between owners (numbers), in order; fen. An amount of 0 moved inside an owner."""

    debtor: Places
    creditor: Places
    amount: IntArray


def _pools(run: Run) -> _Pools:
    accounts = accounts_of(run)
    owner = accounts.codes("owner")
    account = accounts.codes("account")
    owner_of = np.full(len(account.labels) + 1, len(owner.labels), np.intp)  # the last is for what has no account
    owner_of[account.codes] = owner.codes
    n = len(owner.labels) + 1
    pools = _Pools(*(np.zeros(accounts.count, np.int64) for _ in _Pools._fields))
    book = postings(payments_of(run), accounts)
    moved = columns_of(run, "transfers", Columns)
    debtor, creditor = (account_numbers(moved, side, accounts) for side in ("debtor", "creditor"))
    amount, date = moved.numbers("amount_fen"), moved.numbers("date")
    for day, owners, rows in _first_rows(accounts):
        today = book.date == day
        due = _Moves(owner_of[book.debtor[today]], owner_of[book.creditor[today]], book.amount[today])
        lower, upper = _bounds(n, due)
        then = date == day
        posted = _Moves(owner_of[debtor[then]], owner_of[creditor[then]], amount[then])
        _, used = _bounds(n, _together(n, posted, moved.numbers("matching")[then]))
        inside = np.zeros(n, np.int64)
        own = posted.debtor == posted.creditor
        np.add.at(inside, posted.debtor[own], posted.amount[own])
        for column, figures in zip(pools, (used, lower, upper, inside), strict=True):
            column[rows] = figures[owners]
    return pools


def _first_rows(accounts: Accounts) -> Iterator[tuple[int, Places, Places]]:
    """Of each business date its day, its owners of participants' accounts, and the first row of each."""
    date, owner = accounts.numbers("date"), accounts.codes("owner").codes
    for day in np.unique(date).tolist():
        rows = np.flatnonzero((date == day) & accounts.participant)
        owners, first = np.unique(owner[rows], return_index=True)
        yield day, owners.astype(np.intp), rows[first]


def _bounds(n: int, moves: _Moves) -> tuple[IntArray, IntArray]:
    between = moves.debtor != moves.creditor
    return account_bounds(n, moves.debtor[between], moves.creditor[between], moves.amount[between])


def _together(n: int, moves: _Moves, matching: IntArray) -> _Moves:
    """The moves with those of one matching as one: each owner's net, which the books look at when all is posted.

    Nets come from and go to the number behind the owners, `n - 1`, which nobody looks at.
    """
    matched = np.flatnonzero(matching != NONE)
    if not len(matched):
        return moves
    numbers, first, which = np.unique(matching[matched], return_index=True, return_inverse=True)
    net = np.zeros((len(numbers), n), np.int64)
    np.add.at(net, (which, moves.debtor[matched]), -moves.amount[matched])
    np.add.at(net, (which, moves.creditor[matched]), moves.amount[matched])
    group_of, owner = np.nonzero(net)
    amount, nobody = net[group_of, owner], np.full(len(owner), n - 1, np.intp)
    alone: BoolArray = matching == NONE
    place = np.concatenate((np.flatnonzero(alone), matched[first][group_of]))
    order = np.argsort(place, kind="stable")
    return _Moves(
        np.concatenate((moves.debtor[alone], np.where(amount < 0, owner, nobody)))[order],
        np.concatenate((moves.creditor[alone], np.where(amount < 0, nobody, owner)))[order],
        np.concatenate((moves.amount[alone], np.abs(amount)))[order],
    )


def _entities(accounts: Accounts, groups: Groups, participant: BoolArray) -> IntArray:
    """Different owners in each group."""
    owner = accounts.codes("owner")
    pairs = np.unique(groups.group[participant] * (len(owner.labels) + 1) + owner.codes[participant])
    return np.bincount(pairs // (len(owner.labels) + 1), minlength=groups.size).astype(np.int64)
