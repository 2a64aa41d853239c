"""Outbox: a bank that stops sending keeps its payments to itself until it resumes.

The central queue knows nothing of them; delay in the outbox is delay all the same (see the delay measure).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.posting import write_log
from cnaps_sim.core.queue import give_back_row, remove
from cnaps_sim.core.records import NOBODY, OUTBOX, Records
from cnaps_sim.core.submission import receive
from cnaps_sim.words.codes import Act, Cause, Refusal

_SUBMITTED: Final = int(Act.SUBMITTED)
_NO_CAUSE: Final = int(Cause.NONE)
_ACCEPTED: Final = int(Refusal.NONE)


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
        at = queues[row, OUTBOX].head
        payment = payments[at]
        sequence, creditor, amount = payment.sequence, int(payment.creditor), payment.amount
        level, refusal, special = int(payment.level), int(payment.refusal), payment.special
        remove(books, accounts, queues, owed, payments, at)
        give_back_row(books, payments, at)
        write_log(books, log, sequence, time_ms, _NO_CAUSE, _SUBMITTED, _ACCEPTED, level)
        receive(
            books, accounts, queues, owed, payments, limits, log, time_ms, sequence, row, creditor,
            amount, level, refusal, special,
        )  # fmt: skip
