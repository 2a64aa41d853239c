"""Moves in the stored tables: rescues, pledge loans and their repayment beside the payments that they were made for.

The amounts of rescues and loans follow from terms that no table holds; that they are exact is checked in the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import Hashes, hash_text
from cnaps_sim.audit.pool_tables import WITHIN, PoolsTold, check_within_pools
from cnaps_sim.audit.postings import Ledger
from cnaps_sim.audit.queues import rank
from cnaps_sim.audit.releases import RELEASED
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Cause, TransferKind
from cnaps_sim.words.units import format_fen

COVERS: Final = "covers-agree"
PLEDGES: Final = "pledges-replay"
_KINDS: Final = (TransferKind.POOL, TransferKind.PLEDGE, TransferKind.REPAYMENT, TransferKind.INTEREST)


def check_moves(
    frames: Mapping[str, Frame], paid_ids: Hashes | None, posted_ids: Hashes, pools: PoolsTold, findings: Findings
) -> None:
    """Every check of such transfers; without one there is none.

    paid_ids, posted_ids: hash of each payment's id, and of each transfer's
    """
    transfers, payments, accounts = frames["transfers"], frames.get("payments"), frames.get("accounts")
    swept = transfers.has("kind") and transfers.is_one_of("kind", TransferKind.POOL, TransferKind.SWEEP).any()
    if pools.are_known and (pools or swept):
        with findings.checking(WITHIN):
            check_within_pools(transfers, pools, findings)
    told = transfers.has("for_payment") and transfers.column("for_payment").null_count < transfers.rows
    moved = transfers.has("kind") and transfers.is_one_of("kind", TransferKind.POOL, TransferKind.PLEDGE).any()
    owed = accounts is not None and accounts.has("peak_pledge_fen") and accounts.ints("peak_pledge_fen").any()
    if not (told or moved or owed):
        return
    with findings.checking(COVERS):
        moves = MoveTables(transfers, posted_ids)
        moves.check_covers(findings)
        if payments is not None and paid_ids is not None:
            moves.check_released(payments, paid_ids, findings)
        if accounts is not None:
            with findings.checking(PLEDGES):
                moves.check_pledges(Ledger(accounts, Findings()), frames.get("events"), findings)


class MoveTables:
    """The transfers that rules made by themselves, as the table of transfers tells them.

    ids: hash of each transfer's payment_id
    """

    def __init__(self, transfers: Frame, ids: Hashes) -> None:
        self.transfers = transfers
        self.ids = ids
        self.covered: Hashes = hash_text(transfers.column("for_payment"))
        self.names_one = transfers.known("for_payment")
        unnamed = ~transfers.known("payment_id")
        self.is_rescue, self.is_loan, repaid, interest = (transfers.is_one_of("kind", kind) for kind in _KINDS)
        self.is_repaid, self.is_interest = repaid & unnamed, interest & unnamed  # other loans are repaid by payments
        _, debtors = transfers.texts("debtor")
        number = {name: place for place, name in enumerate(debtors)}
        self.creditor = transfers.coded("creditor", lambda name: number.setdefault(name, len(number))).astype(np.int64)
        self.debtor = transfers.texts("debtor")[0].astype(np.int64)
        self.names = list(number)

    def check_covers(self, findings: Findings) -> None:
        """`covers-agree`: only rescues, pledge loans, their repayments and the interest on them name a payment they
        were made for, and every rescue does; what covers a payment stands at the same instant just before that
        payment's own transfer, and credits its payer."""
        transfers, kind = self.transfers, self.is_rescue | self.is_loan
        may = kind | self.is_repaid | self.is_interest
        findings.where(
            COVERS,
            (self.names_one & ~may) | (self.is_rescue & ~self.names_one) | (kind & transfers.known("payment_id")),
            lambda row: (
                f"transfer {row}, kind {transfers.text('kind', row)}, payment {transfers.text('payment_id', row)}, is "
                f"told to be for payment {transfers.text('for_payment', row)}"
            ),
        )
        rows = np.flatnonzero(kind & self.names_one)
        ends = np.ones(len(rows), np.bool_)
        ends[:-1] = (np.diff(rows) != 1) | (self.covered[rows[1:]] != self.covered[rows[:-1]])
        last = rows[np.flatnonzero(ends)[np.cumsum(ends) - ends]] if len(rows) else rows
        paid = np.minimum(last + 1, transfers.rows - 1)
        time_ms = transfers.ints("time_ms")
        right = (paid > last) & (self.ids[paid] == self.covered[rows]) & transfers.known("payment_id")[paid]
        right &= (time_ms[paid] == time_ms[rows]) & (self.debtor[paid] == self.creditor[rows])
        findings.where(
            COVERS,
            ~right,
            lambda k: (
                f"transfer {rows[k]}, kind {transfers.text('kind', int(rows[k]))}, is for payment "
                f"{transfers.text('for_payment', int(rows[k]))}, which its creditor did not pay just after it"
            ),
        )

    def check_released(self, payments: Frame, ids: Hashes, findings: Findings) -> None:
        """`released-by`: a payment that waited and was covered by a pool or a pledge says so."""
        codes, texts = payments.texts("released_by")
        for cause, chosen in ((Cause.POOL, self.is_rescue), (Cause.PLEDGE, self.is_loan)):
            word = str(cause.word)
            said = np.array([*(text == word for text in texts), True])[codes]
            wrong = ~said & np.isin(ids, self.covered[chosen & self.names_one])
            findings.where(
                RELEASED,
                wrong,
                lambda row, word=word: (  # type: ignore[misc]
                    f"payment {payments.text('payment_id', row)} was covered by a {word}, and names "
                    f"{payments.text('released_by', row)} as what released it"
                ),
            )

    def check_pledges(self, ledger: Ledger, events: Frame | None, findings: Findings) -> None:
        """`pledges-replay`: what an account owes in pledge loans is never below nothing; each repayment returns the
        oldest of its loans whole, its interest just behind it; and `peak_pledge_fen` is the most it owed that date.

        Loans in default are over without a transfer; without events of that nobody can tell.
        """
        rows = np.flatnonzero(self.is_loan | self.is_repaid)
        account = np.where(self.is_loan[rows], self.creditor[rows], self.debtor[rows])
        defaults = _Defaults(events, self.names)
        time_ms, amount = self.transfers.ints("time_ms")[rows], self.transfers.ints("amount_fen")[rows]
        epoch = account * (defaults.count + 1) + defaults.before(account, time_ms)
        owed = self._check_repaid(rows, epoch, amount, findings)
        self._check_interest(findings)
        self._check_peaks(ledger, rows, account, epoch, owed, defaults, findings)

    def _check_repaid(self, rows: Ints, epoch: Ints, amount: Ints, findings: Findings) -> Ints:
        """Repayments of each account, between its defaults, in order of its loans; what it owes after each transfer."""
        transfers, is_loan = self.transfers, self.is_loan[rows]
        order = np.argsort(epoch, kind="stable")
        change = np.where(is_loan, amount, -amount)[order]
        first = np.flatnonzero(np.append(True, np.diff(epoch[order]) != 0)[: len(order)])
        summed = np.cumsum(change)
        counts = np.diff(np.append(first, len(order)))
        owed = np.empty(len(rows), np.int64)
        owed[order] = summed - np.repeat(summed[first] - change[first], counts)
        loans, repaid = rows[is_loan], rows[~is_loan]
        turn = [rank(epoch[chosen]) for chosen in (is_loan, ~is_loan)]
        span = int(max((len(rows), 1)))
        key, wanted = (epoch[is_loan] * span + turn[0]), (epoch[~is_loan] * span + turn[1])
        by_key = np.argsort(key, kind="stable")
        at = np.minimum(np.searchsorted(key[by_key], wanted), max(0, len(key) - 1))
        right: Flags = np.zeros(len(repaid), np.bool_)
        if len(loans):
            place = by_key[at]
            loan = loans[place]
            right = (key[place] == wanted) & (loan < repaid) & (self.covered[loan] == self.covered[repaid])
            right &= transfers.ints("amount_fen")[loan] == transfers.ints("amount_fen")[repaid]
            right &= self.debtor[loan] == self.creditor[repaid]
        wrong = np.zeros(len(rows), np.bool_)
        wrong[~is_loan] = ~right
        wrong |= owed < 0
        findings.where(
            PLEDGES,
            wrong,
            lambda k: (
                f"transfer {rows[k]} of {format_fen(int(amount[k]))} CNY by {transfers.text('debtor', int(rows[k]))} "
                f"repays no oldest loan of it; it then owes {format_fen(int(owed[k]))} CNY"
            ),
        )
        return owed

    def _check_interest(self, findings: Findings) -> None:
        rows = np.flatnonzero(self.is_interest)
        before = np.maximum(rows - 1, 0)
        right = self.is_repaid[before] & (self.debtor[before] == self.debtor[rows])
        right &= self.covered[before] == self.covered[rows]
        findings.where(
            PLEDGES,
            ~right,
            lambda k: f"transfer {rows[k]} is interest on a loan that was not repaid just before",
        )

    def _check_peaks(
        self,
        ledger: Ledger,
        rows: Ints,
        account: Ints,
        epoch: Ints,
        owed: Ints,
        defaults: _Defaults,
        findings: Findings,
    ) -> None:
        """The most that was owed on each date, what was left of the date before included."""
        count, dates = len(ledger.names), ledger.dates
        known = np.array([*(ledger.number.get(name, -1) for name in self.names), -1], np.int64)
        date = self.transfers.ints("date")[rows]
        day = np.searchsorted(dates, date)
        own = known[account]
        sound = (own >= 0) & (day < len(dates))
        own, day, owed, epoch, account = (column[sound] for column in (own, day, owed, epoch, account))
        peak = np.zeros(ledger.size, np.int64)
        np.maximum.at(peak, day * count + own, owed)
        order = np.argsort(own * (len(dates) + 1) + day, kind="stable")
        key = (own * (len(dates) + 1) + day)[order]
        cells = np.arange(ledger.size)
        cell_day, cell_own = np.divmod(cells, max(1, count))
        last = np.searchsorted(key, cell_own * (len(dates) + 1) + cell_day) - 1
        carried = (last >= 0) & (own[order][np.maximum(last, 0)] == cell_own) if len(order) else cells < 0
        where = np.flatnonzero(carried)
        latest = order[last[where]]
        now = defaults.before_date(account[latest], dates[cell_day[where]])
        standing = epoch[latest] == account[latest] * (defaults.count + 1) + now
        peak[where] = np.maximum(peak[where], np.where(standing, owed[latest], 0))
        ledger.compare(PLEDGES, findings, "peak_pledge_fen", peak, "the transfers make it")


class _Defaults:
    """When the loans of an account were over because it was in default (违约)."""

    def __init__(self, events: Frame | None, names: list[str]) -> None:
        number = {name: place for place, name in enumerate(names)}
        nothing: Ints = np.zeros(0, np.int64)
        self._account = self._time_ms = self._date = nothing
        if events is not None:
            account = events.coded("subject", lambda name: number.get(name, -1)).astype(np.int64)
            rows = np.flatnonzero(events.is_one_of("kind", "default") & (account >= 0))
            self._account, self._time_ms, self._date = (
                column[rows] for column in (account, events.ints("time_ms"), events.ints("date"))
            )
        self.count = len(self._account)

    def before(self, account: Ints, time_ms: Ints) -> Ints:
        """How many defaults each account had before an instant."""
        return self._counted(account, time_ms, self._time_ms)

    def before_date(self, account: Ints, date: Ints) -> Ints:
        """How many defaults each account had on earlier dates."""
        return self._counted(account, date, self._date)

    def _counted(self, account: Ints, until: Ints, at: Ints) -> Ints:
        count = np.zeros(len(account), np.int64)
        for own, when in zip(self._account.tolist(), at.tolist(), strict=True):
            count += (account == own) & (when < until)
        return count
