"""Submission: a bank is told to pay; it sends the payment, or keeps it in its outbox.

What the system then does with it stands in `admission`; whom a settlement wakes is served in `release`.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.admission import admit_here, look_if_queued, stand_in_line
from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import is_hvps
from cnaps_sim.core.policy import keeps_back
from cnaps_sim.core.posting import write_log
from cnaps_sim.core.records import OUTBOX, Records, Tools
from cnaps_sim.core.release import cascade
from cnaps_sim.words.codes import Act, Cause, Refusal

_NO_CAUSE: Final = int(Cause.NONE)
_HELD: Final = int(Act.HELD)
_ACCEPTED: Final = int(Refusal.NONE)


@clause
def receive(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    refusal: int,
    special: bool,
) -> int:
    """The system receives a payment. Returns what was done with it; the clock looks if matching is continuous."""
    assert amount > 0
    act = admit_here(
        books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, debtor_row, creditor_row,
        amount, level, refusal, special,
    )  # fmt: skip
    if books[0].first_woken >= 0:
        cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    look_if_queued(books)
    return act


@rule
def keep_back(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    log: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    refusal: int,
    special: bool,
) -> None:
    """A bank is instructed to pay but its payment has not reached the system: it stands in the bank's outbox."""
    stand_in_line(
        books, accounts, queues, owed, payments, time_ms, sequence, debtor_row, creditor_row,
        amount, level, OUTBOX, refusal, special,
    )  # fmt: skip
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _HELD, _ACCEPTED, level)


@clause
def submit_here(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    refusal: int,
    special: bool,
) -> int:
    """The body of `submit`, for rules that submit many: a call with so many arrays costs more than what it does."""
    may_keep = time_ms < accounts[debtor_row].keeps_until_ms and is_hvps(level)
    if may_keep and keeps_back(books, accounts, queues, debtor_row, level, amount, time_ms):
        keep_back(
            books, accounts, queues, owed, payments, log, time_ms, sequence, debtor_row, creditor_row,
            amount, level, refusal, special,
        )  # fmt: skip
        return _HELD
    return receive(
        books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, debtor_row, creditor_row,
        amount, level, refusal, special,
    )  # fmt: skip


@rule
def submit(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    refusal: int,
    special: bool,
) -> int:
    """A bank is instructed to pay: it sends at once, or keeps the payment in its outbox (see `policy`)."""
    return submit_here(
        books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, debtor_row, creditor_row,
        amount, level, refusal, special,
    )  # fmt: skip
