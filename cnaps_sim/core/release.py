"""Release: queues are retried whenever an account may have become able to pay.

An account whose available funds rose, or whose queue changed, is *woken*. Woken accounts form a chain and are
served first woken first; each settled payment wakes its creditor. The order decides which payment is named as
the one that released another.

Disciplines: FIFO stops at the first payment that cannot be funded; BYPASS looks behind it, inside the level.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import available, is_hvps, movable_levels
from cnaps_sim.core.limits import count_in_limits, is_within_limit
from cnaps_sim.core.posting import post, write_log
from cnaps_sim.core.queue import give_back_row, highest, remove
from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.words.codes import Act, Discipline, Life, Refusal

_REFUSED: Final = int(Act.REFUSED)
_BYPASS: Final = int(Discipline.BYPASS)
_TO_OPEN: Final = int(Life.TO_OPEN)
_CLOSED: Final = int(Life.CLOSED)
_ACCEPTED: Final = int(Refusal.NONE)
_CLOSED_ACCOUNT: Final = int(Refusal.CLOSED_ACCOUNT)
_CREDIT_CONTROL: Final = int(Refusal.CREDIT_CONTROL)


@clause
def wake(books: Records, accounts: Records, row: int, cause: int) -> None:
    """Note that the account's queue is worth a retry, and why; once in the chain is enough."""
    account = accounts[row]
    if account.waiting_levels == 0:
        return
    account.woken_by = cause
    if account.woken:
        return
    account.woken = True
    account.next_woken = NOBODY
    if books[0].last_woken == NOBODY:
        books[0].first_woken = row
    else:
        accounts[books[0].last_woken].next_woken = row
    books[0].last_woken = row


@clause
def refuses_credit(creditor: Records, level: int) -> int:
    """The refusal that a credit to this account would meet at `level`, or none (贷记控制, closed accounts)."""
    if creditor.life == _CLOSED or creditor.life == _TO_OPEN:
        return _CLOSED_ACCOUNT
    if creditor.credit_control and is_hvps(level):
        return _CREDIT_CONTROL
    return _ACCEPTED


@rule
def settle_waiting(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    row: int,
    cause: int,
) -> None:
    """A waiting payment's turn has come and the money is there: settle it, or refuse it at the creditor's door."""
    payment = payments[row]
    refusal = refuses_credit(accounts[payment.creditor], payment.level)
    assert not payment.locked
    remove(books, accounts, queues, owed, payments, row)
    if refusal != _ACCEPTED:
        write_log(books, log, payment.sequence, time_ms, cause, _REFUSED, refusal, payment.level)
    else:
        post(
            books,
            accounts,
            log,
            time_ms,
            payment.sequence,
            payment.debtor,
            payment.creditor,
            payment.amount,
            payment.level,
            cause,
        )
        count_in_limits(accounts, limits, payment.debtor, payment.creditor, payment.amount, payment.level)
        wake(books, accounts, payment.creditor, payment.sequence)
    give_back_row(books, payments, row)


@clause
def is_payable(accounts: Records, payments: Records, limits: Records, row: int, funds: int) -> bool:
    """Whether the money is there for a waiting payment, no matching keeps it, and its bilateral limit allows it."""
    payment = payments[row]
    if payment.amount > funds or payment.locked:
        return False
    return is_within_limit(accounts, limits, payment.debtor, payment.creditor, payment.amount, payment.level)


@rule
def next_payable(
    books: Records, accounts: Records, queues: Records, payments: Records, limits: Records, account_row: int
) -> int:
    """The row of the payment that may settle next from this account's queue, or NOBODY."""
    account = accounts[account_row]
    levels = movable_levels(account)
    if levels == 0:
        return NOBODY
    level = highest(levels)
    funds = available(books[0].phase, account, level)
    row = queues[account_row, level].head
    if books[0].discipline == _BYPASS:
        while row != NOBODY and not is_payable(accounts, payments, limits, row, funds):
            row = payments[row].next
    elif not is_payable(accounts, payments, limits, row, funds):
        return NOBODY
    return row  # type: ignore[no-any-return]


@rule
def retry(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    account_row: int,
) -> None:
    """Settle what this account can now pay, from the head of its queue."""
    cause = accounts[account_row].woken_by
    row = next_payable(books, accounts, queues, payments, limits, account_row)
    while row != NOBODY:
        settle_waiting(books, accounts, queues, owed, payments, limits, log, time_ms, row, cause)
        row = next_payable(books, accounts, queues, payments, limits, account_row)


@rule
def cascade(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
) -> None:
    """Serve the chain of woken accounts until it is empty."""
    while books[0].first_woken != NOBODY:
        row = books[0].first_woken
        books[0].first_woken = accounts[row].next_woken
        if books[0].first_woken == NOBODY:
            books[0].last_woken = NOBODY
        accounts[row].woken = False
        retry(books, accounts, queues, owed, payments, limits, log, time_ms, row)


@rule
def retry_all(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    log: Records,
    time_ms: int,
    cause: int,
) -> None:
    """Retry every queue, accounts in file order."""
    for row in range(accounts.shape[0]):
        wake(books, accounts, row, cause)
    cascade(books, accounts, queues, owed, payments, limits, log, time_ms)
