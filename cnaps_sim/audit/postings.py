"""Postings: do the stored transfers, accounts and series tell one story?

The transfers are posted again, from the opening balance of each account and date, and everything the other
tables say about balances is compared with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL, Codes, Hashes, chain
from cnaps_sim.audit.replay import Replay
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import CentralBankAccount, Level, TransferKind
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.units import format_clock, format_fen

#: Postings replayed at a time.
_STRETCH: Final = 1 << 17
#: Samples of balances that are compared; of longer series an even selection is.
_SAMPLES: Final = 400_000


class Ledger:
    """The table of accounts as one cell per business date and account: cell = date · accounts + account."""

    def __init__(self, accounts: Frame, findings: Findings) -> None:
        self.accounts = accounts
        codes, self.names = accounts.texts("account")
        self.number = {name: place for place, name in enumerate(self.names)}
        self.dates = np.unique(accounts.ints("date"))
        #: cell of each row of the table; -1 without an account
        self.cell = np.searchsorted(self.dates, accounts.ints("date")) * len(self.names) + codes
        self.cell[codes < 0] = -1
        self.size = len(self.dates) * len(self.names)
        times = np.bincount(self.cell[self.cell >= 0], minlength=self.size)
        #: row of each cell
        self.row = np.zeros(self.size, np.int64)
        self.row[self.cell[self.cell >= 0]] = np.flatnonzero(self.cell >= 0)
        self.there: Flags = times > 0
        findings.where(
            "days-chain",
            times != 1,
            lambda cell: f"account {self.name(cell)} has {times[cell]} rows on date {self.date(cell)}, not one",
        )

    def column(self, name: str) -> Ints:
        """A whole-number column by cell; 0 where there is no row."""
        values = self.accounts.ints(name)
        return np.where(self.there, values[self.row], 0) if len(values) else np.zeros(self.size, np.int64)

    def central(self) -> Flags:
        """Which cells belong to the central bank's own accounts."""
        own = np.isin(np.array(self.names, object), [account.value for account in CentralBankAccount])
        own = np.tile(own, len(self.dates))
        if self.accounts.has("kind") and self.accounts.rows:
            own |= self.accounts.is_one_of("kind", ParticipantKind.CENTRAL_BANK)[self.row]
        return own

    def name(self, cell: int) -> str:
        return self.names[cell % len(self.names)]

    def date(self, cell: int) -> str:
        return str(np.datetime64(int(self.dates[cell // len(self.names)]), "D"))

    def compare(
        self, rule: str, findings: Findings, column: str, wanted: Ints, what: str, where: Flags | None = None
    ) -> None:
        """A breach of `rule` for each cell in which the column is not as wanted."""
        given = self.column(column)
        wrong = self.there & (given != wanted)
        if where is not None:
            wrong &= where
        findings.where(
            rule,
            wrong,
            lambda cell: (
                f"{column} of account {self.name(cell)} on {self.date(cell)} is {given[cell]}, {what} {wanted[cell]}"
            ),
        )


def check_accounts(ledger: Ledger, findings: Findings) -> None:
    """What the table of accounts must say whatever was posted.

    `days-chain`: every account has one row on every date and opens with what it closed with on the date before.
    `money-conserved`: all accounts together, the central bank's own included, hold the same at every opening and
    closing.
    `no-overnight-overdraft`: no account but the central bank's own closes below zero.
    `sums-agree`: closing = opening + received − sent, the lowest balance is none above these, and the peak
    overdraft is the lowest balance below zero.
    """
    opening, closing, lowest = (ledger.column(name) for name in ("opening_fen", "closing_fen", "lowest_fen"))
    accounts = len(ledger.names)
    if len(ledger.dates) > 1:
        before = np.append(opening[:accounts], closing[:-accounts])
        ledger.compare("days-chain", findings, "opening_fen", before, "closing of the date before")
    findings.made("days-chain", "money-conserved")
    total = sum(opening[:accounts].tolist())
    for day in range(len(ledger.dates)):
        for word, balances in (("opens", opening), ("closes", closing)):
            held = sum(balances[day * accounts : (day + 1) * accounts].tolist())
            if held != total:
                date = ledger.date(day * accounts)
                text = f"{date} {word} with {format_fen(held)} CNY on all accounts, not {format_fen(total)}"
                findings.breach("money-conserved", text)
    findings.where(
        "no-overnight-overdraft",
        (closing < 0) & ~ledger.central(),
        lambda cell: f"{ledger.name(cell)} closes {ledger.date(cell)} with {format_fen(int(closing[cell]))} CNY",
    )
    summed = opening + ledger.column("received_fen") - ledger.column("sent_fen")
    ledger.compare("sums-agree", findings, "closing_fen", summed, "opening + received - sent is")
    highest = np.minimum(opening, closing)
    ledger.compare("sums-agree", findings, "lowest_fen", highest, "not at most", where=lowest > highest)
    peak = np.maximum(0, -lowest)
    ledger.compare("sums-agree", findings, "peak_overdraft_fen", peak, "the lowest balance makes it")


class Postings:
    """The transfers that name an account and date of the ledger, to be posted once more, stretch by stretch."""

    def __init__(self, transfers: Frame, ledger: Ledger, findings: Findings) -> None:
        self.transfers = transfers
        self.ledger = ledger
        debtor = transfers.coded("debtor", lambda name: ledger.number.get(name, -1))
        creditor = transfers.coded("creditor", lambda name: ledger.number.get(name, -1))
        date = transfers.ints("date")
        day = np.searchsorted(ledger.dates, date).astype(np.int32)
        self.sound = (debtor >= 0) & (creditor >= 0) & (day < len(ledger.dates))
        if len(ledger.dates):
            self.sound &= ledger.dates[np.minimum(day, len(ledger.dates) - 1)] == date
        findings.where(
            "transfers-valid",
            ~self.sound,
            lambda row: f"transfer {row} names an account or date without a row of accounts",
        )
        day *= len(ledger.names)
        self.debtor, self.creditor = self._sound(debtor + day), self._sound(creditor + day)
        self.amount = self._sound(transfers.ints("amount_fen"))
        #: number of the matching that made each posting, 0 for none; None if there is none at all
        self.matching: Ints | None = None
        if transfers.has("matching") and transfers.column("matching").null_count < transfers.rows:
            number = self._sound(transfers.ints("matching"))
            self.matching = np.where(number == NULL, 0, number)

    def _sound(self, column: NDArray[Any]) -> NDArray[Any]:
        return column if self.sound.all() else column[self.sound]

    def keys(self, span: int, first_ms: int) -> Ints:
        """Day and time of each posting as one number: day · span + (time − first_ms)."""
        day: Ints = self.debtor // max(1, len(self.ledger.names)) * np.int64(span)
        day += self._sound(self.transfers.ints("time_ms"))
        day -= first_ms
        return day

    def total(self, side: Codes, where: Flags | None = None) -> Ints:
        """Amounts by cell of one side (debtor or creditor), exactly."""
        total = np.zeros(self.ledger.size, np.int64)
        np.add.at(total, side if where is None else side[where], self.amount if where is None else self.amount[where])
        return total

    def replay(self) -> Iterator[tuple[int, Replay]]:
        """Post everything again; the number of the first posting and the legs of each stretch."""
        balance = self.ledger.column("opening_fen")
        for part in self._parts():
            together = None if self.matching is None else self.matching[part]
            replay = Replay(balance, self.debtor[part], self.creditor[part], self.amount[part], together)
            yield part.start, replay
            balance = replay.closing()

    def _parts(self) -> Iterator[slice]:
        """The stretches: what one matching posted stays together."""
        first, count = 0, len(self.amount)
        while first < count:
            stop = min(first + _STRETCH, count)
            if self.matching is not None and stop < count and self.matching[stop] == self.matching[stop - 1] != 0:
                others = np.flatnonzero(self.matching[stop:] != self.matching[stop])
                stop = stop + int(others[0]) if len(others) else count
            yield slice(first, stop)
            first = stop


class Samples:
    """Balances of accounts at instants, to be compared with those of a replay.

    A sample of `cell` is taken when `posted` postings have been made.
    """

    def __init__(self, series: Frame | None, postings: Postings) -> None:
        ledger = postings.ledger
        nothing: Ints = np.zeros(0, np.int64)
        self.cell: Ints = nothing
        self.posted: Ints = nothing
        self.rows: Ints = nothing
        self.own: Ints = nothing
        if series is None or not len(ledger.dates):
            return
        account = series.coded("scope", lambda name: ledger.number.get(name, -1))
        rows = np.flatnonzero(series.is_one_of("measure", "balance_fen") & (account >= 0))
        rows = rows[:: 1 + len(rows) // _SAMPLES]
        day: Ints = np.minimum(np.searchsorted(ledger.dates, series.ints("date")[rows]), len(ledger.dates) - 1)
        time_ms = series.ints("time_ms")[rows]
        posted_ms = postings.transfers.ints("time_ms")
        first_ms, last_ms = (int(posted_ms.min()), int(posted_ms.max())) if len(posted_ms) else (0, 0)
        span = last_ms - first_ms + 2
        wanted: Ints = day * span + np.clip(time_ms, first_ms - 1, last_ms) - first_ms
        order = np.argsort(wanted, kind="stable")
        self.rows = rows[order]
        self.cell = day[order] * len(ledger.names) + account[self.rows]
        self.posted = np.searchsorted(postings.keys(span, first_ms), wanted[order], side="right")
        self.own = ledger.column("opening_fen")[self.cell]

    def look(self, first: int, replay: Replay) -> None:
        """Look up the samples that fall into one stretch of the replay."""
        count = len(replay.order) // 2
        start, stop = np.searchsorted(self.posted, (first, first + count), side="right").tolist()
        if start == stop:
            return
        cell, posted = self.cell[start:stop], self.posted[start:stop] - first
        legs = np.repeat(np.arange(len(replay.counts)) * count, replay.counts)
        legs += replay.order >> 1
        end = np.searchsorted(legs, cell * count + posted)
        own = replay.opening[cell]
        moved = end > replay.starts[cell]
        own[moved] = replay.after[end[moved] - 1]
        self.own[start:stop] = own


def check_transfers(transfers: Frame, findings: Findings) -> None:
    """`transfers-valid`: a transfer moves a positive amount between two accounts of the table of accounts, on a
    date of that table, at a level of the queue or none, for a documented kind of reason, which `payment` names."""
    amount = transfers.ints("amount_fen")
    level = transfers.ints("level")
    kinds = {kind.value for kind in TransferKind}
    kind = transfers.coded("kind", lambda text: 2 if text == TransferKind.PAYMENT else int(text in kinds), null=0)
    _, debtors = transfers.texts("debtor")
    number = {name: place for place, name in enumerate(debtors)}
    creditor = transfers.coded("creditor", lambda name: number.get(name, -2), null=-3)
    wrong = (amount <= 0) | (kind == 0) | ((kind == 2) & ~transfers.known("payment_id"))
    wrong |= ((level < 0) | (level >= len(Level))) & (level != NULL)
    wrong |= transfers.texts("debtor")[0] == creditor
    findings.where(
        "transfers-valid",
        wrong,
        lambda row: (
            f"transfer {row} of {amount[row]} fen from {transfers.text('debtor', row)} to "
            f"{transfers.text('creditor', row)}, kind {transfers.text('kind', row)}, level "
            f"{transfers.text('level', row)}, cannot be"
        ),
    )


def check_balances(postings: Postings, samples: Samples, findings: Findings) -> None:
    """The accounts of each date against the transfers of that date, posted in order from the opening balance.

    `balances-replay`: the last balance is the closing one.
    `lowest-replay`: the lowest balance on the way is `lowest_fen`, and its negative the peak overdraft. What one
    matching posted is posted together, so only the balances after all of it count.
    `sums-agree`: sent and received, in fen and in number, and what was lent at the penalty rate.
    Looks up the samples on the way.
    """
    ledger = postings.ledger
    closing = ledger.column("opening_fen")
    lowest = closing.copy()
    for first, replay in postings.replay():
        samples.look(first, replay)
        closing = replay.closing()
        np.minimum(lowest, replay.lowest(), out=lowest)
    ledger.compare("balances-replay", findings, "closing_fen", closing, "the transfers make it")
    ledger.compare("lowest-replay", findings, "lowest_fen", lowest, "the transfers make it")
    ledger.compare("lowest-replay", findings, "peak_overdraft_fen", np.maximum(0, -lowest), "the transfers make it")
    for word, side in (("sent", postings.debtor), ("received", postings.creditor)):
        ledger.compare("sums-agree", findings, f"{word}_fen", postings.total(side), "the transfers make it")
        count = np.bincount(side, minlength=ledger.size)
        ledger.compare("sums-agree", findings, f"{word}_count", count, "the transfers make it")
    is_loan = postings.transfers.is_one_of("kind", TransferKind.PENALTY)[postings.sound]
    lent = postings.total(postings.creditor, is_loan)
    ledger.compare("sums-agree", findings, "penalty_loan_fen", lent, "the transfers make it")


def check_series(series: Frame, samples: Samples, ledger: Ledger, findings: Findings) -> None:
    """`series-replay`: a sampled balance is what the transfers up to and at that instant make of the opening one."""
    rows, cell = samples.rows, samples.cell
    value, time_ms = series.ints("value")[rows], series.ints("time_ms")[rows]
    wrong = value != samples.own
    if len(rows):
        wrong |= ledger.dates[cell // len(ledger.names)] != series.ints("date")[rows]
    findings.where(
        "series-replay",
        wrong,
        lambda k: (
            f"balance of {ledger.name(int(cell[k]))} at {format_clock(int(time_ms[k]))} is sampled as {value[k]}, "
            f"the transfers make it {samples.own[k]}"
        ),
    )


def check_match(payments: Frame, paid: Hashes, transfers: Frame, posted: Hashes, findings: Findings) -> None:
    """`transfers-match-payments`: every settled payment has exactly one transfer of the same parties, amount and
    instant, and every transfer with a payment_id is that of a settled payment.

    paid, posted: hash of id, debtor, creditor and amount of each payment and transfer
    """
    findings.made("transfers-match-payments")
    settled = np.flatnonzero(payments.ints("settled_ms") != NULL)
    with_id = np.flatnonzero(transfers.known("payment_id"))
    left = chain(payments.ints("settled_ms")[settled], start=paid[settled])
    right = chain(transfers.ints("time_ms")[with_id], start=posted[with_id])
    if len(left) == len(right) and left.sum() == right.sum():
        return
    for rows, lone, sentence in (
        (settled, without_partner(left, right), _tell(payments, "payment {} settled without a transfer like it")),
        (with_id, without_partner(right, left), _tell(transfers, "a transfer of payment {} matches no payment")),
    ):
        alone = rows[lone]
        findings.breaches("transfers-match-payments", len(alone), lambda k, a=alone, s=sentence: s(int(a[k])))  # type: ignore[misc]


def _tell(frame: Frame, sentence: str) -> Callable[[int], str]:
    return lambda row: sentence.format(frame.text("payment_id", row))


def without_partner(hashes: Hashes, others: Hashes) -> Ints:
    """Places of the hashes that have no partner among the others, each other being the partner of one only."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    copy = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    partners = np.sort(others)
    there = np.searchsorted(partners, ordered, side="right") - np.searchsorted(partners, ordered)
    return np.sort(order[copy >= there])
