"""Where the money came from (资金来源): each settled fen of participants attributed to one source."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    columns_of,
    frame_of,
    remembered,
    table_of,
)
from cnaps_sim.analysis.metrics.liquidity import Accounts, account_numbers, accounts_of
from cnaps_sim.analysis.metrics.tidy import By, Measure, group, ratios, tidy, total
from cnaps_sim.optimise.sources import CREDIT, Postings, Source, attribute
from cnaps_sim.words.codes import TransferKind

#: Names by which transfers are grouped, and the column that each reads.
TRANSFER_GROUPS: Final = {"account": "debtor", "date": "date", "kind": "kind", "level": "level"}
#: The kinds that can bring money for one payment.
_COVERS: Final = (TransferKind.POOL, TransferKind.PLEDGE)


class Transfers(Columns):
    """Columns of the transfers table, one row per posting, in posting order."""

    @cached_property
    def amount(self) -> IntArray:
        """fen."""
        return self.numbers("amount_fen")

    @cached_property
    def is_item(self) -> BoolArray:
        """Is it a payment, net or booking, and no move of a liquidity tool?"""
        return self._valid("payment_id")

    @cached_property
    def kinds(self) -> IntArray:
        """The kind as a place in `list(TransferKind)`."""
        column, places = self.codes("kind"), {kind.value: place for place, kind in enumerate(TransferKind)}
        found: IntArray = np.array([places[label] for label in column.labels] + [0], np.int64)[column.codes]
        return found

    @cached_property
    def covers(self) -> BoolArray:
        """Does it bring money for one payment: a rescue by a pool, or a pledge loan?"""
        covering = np.array([kind in _COVERS for kind in TransferKind], np.bool_)[self.kinds]
        return covering & self._valid("for_payment") if "for_payment" in self.table.column_names else covering

    def _valid(self, name: str) -> BoolArray:
        known: BoolArray = pc.is_valid(self.table.column(name)).to_numpy()
        return known if self.rows is None else known[self.rows]


def transfers_of(run: Run, where: Where = None) -> Transfers:
    """The transfers of a run, narrowed by `where`. InputError if it did not keep them."""
    table_of(run, "transfers")
    return columns_of(run, "transfers", Transfers).narrow(where, frame_of(run, "transfers"))


def sources(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Where the money of settled payments, nets and bookings came from (资金来源), counted at the participant debited.

    `own`, `receipts`, `pool`, `credit`, `offset` (fen) add up to `debited` (fen); `pledge`, `loan`, `penalty` and
    `overdraft` (fen) are the parts of `credit`; `own_share` and so on are the five over `debited` (ratio, null if
    nothing was debited). By and `where`: account (the debtor), date, kind or level of the transfers.

    offset: what credits of the same matching set off; pool: rescues and sweeps; credit: loans and overdraft;
    receipts: what the account was paid on the same business date; own: its balance when that date began. In which
    order an account uses what it has is a convention, told in `cnaps_sim.optimise.sources`; no public source. What a
    bank gives to its pool, lends or repays is no debit of this metric.
    """
    run = remembered(run)
    transfers = transfers_of(run, where)
    used = _used(run)
    if transfers.rows is not None:
        used = used[transfers.rows]
    groups = group(transfers, by, TRANSFER_GROUPS)
    sums = {source: total(groups, np.ascontiguousarray(used[:, source])) for source in Source}
    credit = sum((sums[source] for source in CREDIT), np.zeros(groups.size, np.int64))
    five = {
        "own": sums[Source.OWN], "receipts": sums[Source.RECEIPTS], "pool": sums[Source.POOL], "credit": credit,
        "offset": sums[Source.OFFSET],
    }  # fmt: skip
    debited = sum(five.values(), np.zeros(groups.size, np.int64))
    frame = tidy(
        groups,
        [
            Measure("debited", "fen", debited),
            *(Measure(name, "fen", values) for name, values in five.items()),
            *(Measure(source.name.lower(), "fen", sums[source]) for source in CREDIT),
            *(Measure(f"{name}_share", "ratio", ratios(values, debited)) for name, values in five.items()),
        ],
    )
    kept = np.bincount(groups.group[used.any(axis=1)], minlength=groups.size) > 0
    if groups.names and not kept.all():  # the central bank's debits and moves of tools have no source
        frame = frame[np.repeat(kept, len(frame) // groups.size)].reset_index(drop=True)
    return frame


def _used(run: Run) -> IntArray:
    """Fen of every transfer of the run by source; zeros where it is no debit of a participant's payment or net."""
    transfers, accounts = transfers_of(run), accounts_of(run)
    debtor, creditor = (account_numbers(transfers, side, accounts) for side in ("debtor", "creditor"))
    matching = transfers.numbers("matching")
    whole = Postings(
        debtor, creditor, transfers.amount, transfers.kinds, transfers.covers, np.where(matching == NONE, -1, matching)
    )
    names = len(accounts.codes("account").labels)
    central = np.zeros(names, np.bool_)
    central[accounts.codes("account").codes[~accounts.participant]] = True
    used = np.zeros((transfers.count, len(Source)), np.int64)
    date = transfers.numbers("date")
    for day in np.unique(accounts.numbers("date")).tolist():
        rows = np.flatnonzero(date == day)
        today = whole if len(rows) == len(date) else whole.of(rows)
        used[rows] = attribute(today, _opening(accounts, day, names), central)
    used[~transfers.is_item] = 0
    return used


def _opening(accounts: Accounts, day: int, names: int) -> IntArray:
    """Balance of every account when a business date began, by account number."""
    opening = np.zeros(names, np.int64)
    today = np.flatnonzero(accounts.numbers("date") == day)
    opening[accounts.codes("account").codes[today]] = accounts.numbers("opening_fen")[today]
    return opening
