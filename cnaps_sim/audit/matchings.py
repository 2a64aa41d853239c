"""Matchings: does the table of queue matchings (排队撮合) say what payments and transfers say?"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.blocks import MATCHED_LEVELS
from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL, Hashes, chain
from cnaps_sim.audit.outcomes import account_codes, matchings_named
from cnaps_sim.audit.postings import without_partner
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.units import format_clock

AGREE: Final = "matchings-agree"
#: How the table calls the matchings of cap queues (轧差排队), which net units of retail.
CAP_QUEUE: Final = "cap-queue"


def check_possible(matchings: Frame, findings: Findings) -> None:
    """`matchings-possible`: a matching considered something (one of cap queues need not) and settled no more of it, in
    number and in fen, and no more than the bound; it settled after it chose, and only if it settled anything it has an
    instant, fen and accounts."""
    considered, settled, accounts = (matchings.ints(name) for name in ("considered", "settled", "accounts"))
    considered_fen, settled_fen, bound_fen = (
        matchings.ints(f"{name}_fen") for name in ("considered", "settled", "bound")
    )
    settled_ms = matchings.ints("settled_ms")
    wrong = (
        (considered < np.where(matchings.is_one_of("algorithm", CAP_QUEUE), 0, 1))
        | (settled < 0)
        | (settled > considered)
    )
    wrong |= (settled_fen < settled) | (settled_fen > considered_fen)
    wrong |= (bound_fen != NULL) & (settled_fen > bound_fen)
    wrong |= (settled_ms != NULL) & (settled_ms < matchings.ints("time_ms"))
    is_empty = settled == 0
    wrong |= (is_empty != (settled_fen == 0)) | (is_empty != (accounts == 0)) | (is_empty != (settled_ms == NULL))
    findings.where(
        "matchings-possible",
        wrong,
        lambda row: (
            f"matching {matchings.text('matching', row)} of {considered[row]} payments ({considered_fen[row]} fen, "
            f"bound {matchings.text('bound_fen', row)}) that settled {settled[row]} ({settled_fen[row]} fen) for "
            f"{accounts[row]} accounts at {matchings.text('settled_ms', row)} ms cannot be"
        ),
    )


class Settled(NamedTuple):
    """What matchings settled, as payments or transfers tell it; parallel columns."""

    source: Frame
    rows: Ints  # of the source
    number: Ints  # of the matching
    time_ms: Ints
    identity: Hashes  # of the payment_id and the matching
    date: Ints | None  # of the posting, where the source says it

    def name(self, k: int) -> str:
        word = self.source.name.removesuffix("s")
        return f"{word} {self.rows[k]} ({self.source.text('payment_id', int(self.rows[k]))})"


def settled_payments(payments: Frame, ids: Hashes) -> Settled:
    """The payments that name a matching as what released them."""
    number_of = matchings_named(payments)
    codes = payments.texts("released_by")[0]
    rows = np.flatnonzero((number_of != 0)[codes]) if number_of.any() else np.zeros(0, np.int64)
    number = number_of[codes[rows]]
    return Settled(payments, rows, number, payments.ints("settled_ms")[rows], chain(number, start=ids[rows]), None)


def settled_transfers(transfers: Frame, ids: Hashes) -> Settled:
    """The transfers that name a matching."""
    is_named = transfers.column("matching").null_count < transfers.rows
    rows = np.flatnonzero(transfers.known("matching")) if is_named else np.zeros(0, np.int64)
    number = transfers.ints("matching")[rows] if is_named else rows
    time_ms, date = transfers.ints("time_ms")[rows], transfers.ints("date")[rows]
    return Settled(transfers, rows, number, time_ms, chain(number, start=ids[rows]), date)


def check_agreement(
    matchings: Frame | None, payments: Settled | None, transfers: Settled | None, findings: Findings
) -> None:
    """`matchings-agree`: what a matching settled, in number, fen and accounts, and when, is what the payments it
    released and the transfers it made say; these are the same payments, of levels 6 and 7, and the transfers of one
    matching stand together, matching after matching.

    Without a table of matchings none took place.
    """
    findings.made(AGREE)
    for told in (payments, transfers):
        if told is not None and (matchings is not None or len(told.rows)):
            _compare(matchings, told, findings)
    if payments is not None and len(payments.rows):
        level = payments.source.ints("level")[payments.rows]
        findings.where(
            AGREE,
            ~np.isin(level, MATCHED_LEVELS),
            lambda k: f"{payments.name(k)} of level {level[k]} was settled by matching {payments.number[k]}",
        )
    if transfers is not None:
        _check_together(transfers, findings)
    if payments is not None and transfers is not None:
        for one, other in ((payments, transfers), (transfers, payments)):
            _check_partners(one, other, findings)


def _compare(matchings: Frame | None, told: Settled, findings: Findings) -> None:
    """The sums of one source beside those of the table."""
    nothing: Ints = np.zeros(0, np.int64)
    numbers = nothing if matchings is None else matchings.ints("matching")
    order = np.argsort(numbers, kind="stable")
    place = np.searchsorted(numbers[order], told.number)
    known = place < len(numbers)
    known[known] = numbers[order][place[known]] == told.number[known]
    findings.where(
        AGREE,
        ~known,
        lambda k: f"{told.name(k)} was settled by matching {told.number[k]}, which did not take place",
    )
    if matchings is None:
        return
    row, source = order[place[known]], told.rows[known]
    own = {
        "settled": np.bincount(row, minlength=len(numbers)),
        "settled_fen": _sums(row, told.source.ints("amount_fen")[source], len(numbers)),
        "accounts": _accounts(row, told.source, source, len(numbers)),
    }
    for column, values in own.items():
        _tell_difference(matchings, column, values, told.source.name, findings)
    other_time = np.zeros(len(known), np.bool_)
    other_time[known] = matchings.ints("settled_ms")[row] != told.time_ms[known]
    if told.date is not None:
        other_time[known] |= matchings.ints("date")[row] != told.date[known]
    findings.where(
        AGREE,
        other_time,
        lambda k: (
            f"{told.name(k)} settled at {format_clock(int(told.time_ms[k]))}, which is not when matching "
            f"{told.number[k]} did"
        ),
    )


def _tell_difference(matchings: Frame, column: str, own: Ints, source: str, findings: Findings) -> None:
    given = matchings.ints(column)
    findings.where(
        AGREE,
        given != own,
        lambda row: (
            f"{column} of matching {matchings.text('matching', row)} is {given[row]}, the {source} say {own[row]}"
        ),
    )


def _sums(group: Ints, amount: Ints, size: int) -> Ints:
    total = np.zeros(size, np.int64)
    np.add.at(total, group, amount)
    return total


def _accounts(group: Ints, source: Frame, rows: Ints, size: int) -> Ints:
    """How many different accounts the payments of each group debit or credit."""
    debtor, creditor = account_codes(source)
    span = 1 + max(int(debtor.max(initial=0)), int(creditor.max(initial=0)))
    pairs = np.unique(np.append(group * span + debtor[rows], group * span + creditor[rows]))
    return np.bincount(pairs // span, minlength=size)


def _check_together(transfers: Settled, findings: Findings) -> None:
    """The transfers of one matching follow each other, and come after those of earlier matchings."""
    number, rows = transfers.number, transfers.rows
    begins: Flags = np.ones(len(rows), np.bool_)
    begins[1:] = (np.diff(rows) != 1) | (np.diff(number) != 0)
    first = np.flatnonzero(begins)
    before: NDArray[np.int64] = np.maximum.accumulate(np.append(0, number[first]))[:-1]
    findings.where(
        AGREE,
        number[first] <= before,
        lambda k: f"{transfers.name(int(first[k]))} of matching {number[first[k]]} stands apart from others of it",
    )


def _check_partners(one: Settled, other: Settled, findings: Findings) -> None:
    """What one source says a matching settled is in the other source too."""
    if len(one.rows) == len(other.rows) and one.identity.sum() == other.identity.sum():
        return
    alone = without_partner(one.identity, other.identity)
    findings.breaches(
        AGREE,
        len(alone),
        lambda k: (
            f"{one.name(int(alone[k]))} was settled by matching {one.number[alone[k]]}, the {other.source.name} do "
            "not say so"
        ),
    )
