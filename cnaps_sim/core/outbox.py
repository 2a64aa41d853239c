"""Outbox: a bank that stops sending keeps its payments to itself until it resumes.

The central queue knows nothing of them; delay in the outbox is delay all the same (see the delay measure).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.posting import write_log
from cnaps_sim.core.queue import give_back_row, remove
from cnaps_sim.core.records import NOBODY, OUTBOX, Records
from cnaps_sim.core.submission import receive
from cnaps_sim.words.codes import Act, Cause, Refusal

_SUBMITTED: Final = int(Act.SUBMITTED)
_NOT_THERE: Final = int(Act.NONE)
_NO_CAUSE: Final = int(Cause.NONE)
_ACCEPTED: Final = int(Refusal.NONE)


@clause
def submit_from(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    at: int,
) -> int:
    """The payment of row `at` leaves its outbox and reaches the system; returns what is done with it."""
    payment = payments[at]
    sequence, amount = payment.sequence, payment.amount
    debtor, creditor = int(payment.debtor), int(payment.creditor)
    level, refusal, special = int(payment.level), int(payment.refusal), payment.special
    remove(books, accounts, queues, owed, payments, at)
    give_back_row(books, payments, at)
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _SUBMITTED, _ACCEPTED, level)
    return receive(
        books, accounts, queues, owed, payments, limits, log, time_ms, sequence, debtor, creditor,
        amount, level, refusal, special,
    )  # fmt: skip


@rule
def empty_outbox(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    row: int,
) -> None:
    """Submit everything in the bank's outbox now, in the order in which it was instructed.

    Until when the bank holds back is not touched: at cut-off a bank may give up its outbox and stay silent.
    """
    while queues[row, OUTBOX].head != NOBODY:
        submit_from(
            books, accounts, queues, owed, payments, limits, log, time_ms, queues[row, OUTBOX].head
        )  # fmt: skip


@rule
def submit_kept(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    row: int,
    sequence: int,
) -> int:
    """One payment of the bank's outbox reaches the system; returns what is done with it, 0 if it is not there."""
    at = queues[row, OUTBOX].head
    while at != NOBODY and payments[at].sequence != sequence:
        at = payments[at].next
    if at == NOBODY:
        return _NOT_THERE
    return submit_from(books, accounts, queues, owed, payments, limits, log, time_ms, at)
