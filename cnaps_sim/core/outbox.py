"""Outbox: what a bank that stops sending, or follows a policy, has been told to pay and does not send yet.

The central queue knows nothing of them; delay in the outbox is delay all the same (see the delay measure).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import IN_OUTBOX, NOBODY, OUTBOX, Records, Tools
from cnaps_sim.core.release import cascade, take_from_outbox
from cnaps_sim.core.submission import receive
from cnaps_sim.core.waking import line_up
from cnaps_sim.words.codes import Act, Cause

_NOT_THERE: Final = int(Act.NONE)
_NO_CAUSE: Final = int(Cause.NONE)


@clause
def submit_from(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    at: int,
) -> int:
    """The payment of row `at` leaves its outbox and reaches the system; returns what is done with it."""
    payment = payments[at]
    sequence, amount = payment.sequence, payment.amount
    debtor, creditor = int(payment.debtor), int(payment.creditor)
    level, refusal, special = int(payment.level), int(payment.refusal), payment.special
    take_from_outbox(books, accounts, queues, owed, payments, log, time_ms, at)
    return receive(
        books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, debtor, creditor,
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
    tools: Tools,
    log: Records,
    time_ms: int,
    row: int,
) -> None:
    """Submit everything in the bank's outbox now, in the order in which it was instructed.

    Until when the bank holds back is not touched: at cut-off a bank may give up its outbox and stay silent.
    """
    while queues[row, OUTBOX].head != NOBODY:
        submit_from(
            books, accounts, queues, owed, payments, limits, tools, log, time_ms, queues[row, OUTBOX].head
        )  # fmt: skip


@rule
def submit_kept(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
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
    return submit_from(books, accounts, queues, owed, payments, limits, tools, log, time_ms, at)


@rule
def send_from_outbox(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    row: int,
    fen: int,
) -> None:
    """Submit the bank's outbox from its head, whatever its policy says, until `fen` have been sent or it is empty."""
    while fen > 0 and queues[row, OUTBOX].head != NOBODY:
        at = queues[row, OUTBOX].head
        fen -= payments[at].amount
        submit_from(books, accounts, queues, owed, payments, limits, tools, log, time_ms, at)


@rule
def release_outbox(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    row: int,
) -> None:
    """The bank looks again at what its policy allows it to send."""
    if accounts[row].alert & IN_OUTBOX:
        line_up(books, accounts, row, _NO_CAUSE)
        cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
