"""Release: queues are retried whenever an account may have become able to pay.

Woken accounts (see `waking`) are served first woken first; each settled payment wakes its creditor. The order decides
which payment is named as the one that released another.

Disciplines: FIFO stops at the first payment that cannot be funded; BYPASS looks behind it, inside the level.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.admission import admit, look_if_queued, refuses_credit
from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.covering import can_be_covered, cover, has_cover, needs_cover
from cnaps_sim.core.funds import available, movable_levels
from cnaps_sim.core.limits import count_in_limits, is_within_limit
from cnaps_sim.core.pledges import repay
from cnaps_sim.core.policy import may_send
from cnaps_sim.core.posting import post, write_log
from cnaps_sim.core.queue import give_back_row, highest, remove
from cnaps_sim.core.records import IN_DEBT, IN_OUTBOX, IN_POOL, IN_QUEUE, NOBODY, OUTBOX, PLEDGES, Records, Tools
from cnaps_sim.core.waking import wake, wake_pool
from cnaps_sim.words.codes import Act, Cause, Discipline, Refusal

_REFUSED: Final = int(Act.REFUSED)
_SUBMITTED: Final = int(Act.SUBMITTED)
_NO_CAUSE: Final = int(Cause.NONE)
_BYPASS: Final = int(Discipline.BYPASS)
_ACCEPTED: Final = int(Refusal.NONE)


@rule
def settle_waiting(
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
    cause: int,
) -> None:
    """A waiting payment's turn has come and the money is there: settle it, or refuse it at the creditor's door."""
    payment = payments[row]
    refusal = refuses_credit(accounts[payment.creditor], payment.level)
    assert not payment.locked
    is_head = queues[payment.debtor, payment.at_level].head == row
    remove(books, accounts, queues, owed, payments, row)
    if refusal != _ACCEPTED:
        write_log(books, log, payment.sequence, time_ms, cause, _REFUSED, refusal, payment.level)
    else:
        if is_head and needs_cover(accounts[payment.debtor], payment.level, payment.amount):
            covered_by = cover(
                books, accounts, tools, log, time_ms, payment.sequence, payment.debtor, payment.level, payment.amount
            )  # fmt: skip
            cause = cause if covered_by == _NO_CAUSE else covered_by
        post(
            books, accounts, log, time_ms, payment.sequence, payment.debtor, payment.creditor, payment.amount,
            payment.level, cause,
        )  # fmt: skip
        count_in_limits(accounts, limits, payment.debtor, payment.creditor, payment.amount, payment.level)
        wake(books, accounts, tools, payment.creditor, payment.sequence)
    give_back_row(books, payments, row)


@clause
def is_payable(accounts: Records, payments: Records, limits: Records, row: int, funds: int) -> bool:
    """Whether the money is there for a waiting payment, no matching keeps it, and its limits allow it."""
    payment = payments[row]
    if payment.amount > funds or payment.locked:
        return False
    return is_within_limit(accounts, limits, payment.debtor, payment.creditor, payment.amount, payment.level)


@clause
def is_coverable(
    accounts: Records, payments: Records, limits: Records, tools: Tools, row: int, level: int
) -> bool:  # fmt: skip
    """Whether a pool or a pledge covers the head of a queue, no matching keeps it, and its limit allows it."""
    payment = payments[row]
    if payment.locked or not has_cover(accounts[payment.debtor]):
        return False
    if not is_within_limit(accounts, limits, payment.debtor, payment.creditor, payment.amount, payment.level):
        return False
    return can_be_covered(accounts, tools, payment.debtor, level, payment.amount)  # type: ignore[no-any-return]


@rule
def next_payable(
    books: Records, accounts: Records, queues: Records, payments: Records, limits: Records, tools: Tools,
    account_row: int,
) -> int:  # fmt: skip
    """The row of the payment that may settle next from this account's queue, or NOBODY.

    Only the head is covered by a pool or a pledge; what passes it under BYPASS pays for itself.
    """
    account = accounts[account_row]
    levels = movable_levels(account)
    if levels == 0:
        return NOBODY
    level = highest(levels)
    funds = available(books[0].phase, account, level)
    row = queues[account_row, level].head
    if is_payable(accounts, payments, limits, row, funds) or is_coverable(
        accounts, payments, limits, tools, row, level
    ):
        return row  # type: ignore[no-any-return]
    if books[0].discipline != _BYPASS:
        return NOBODY
    while row != NOBODY and not is_payable(accounts, payments, limits, row, funds):
        row = payments[row].next
    return row  # type: ignore[no-any-return]


@clause
def take_from_outbox(
    books: Records, accounts: Records, queues: Records, owed: Records, payments: Records, log: Records, time_ms: int,
    at: int,
) -> None:  # fmt: skip
    """The payment of row `at` leaves its bank's outbox for the system; its row is free."""
    remove(books, accounts, queues, owed, payments, at)
    give_back_row(books, payments, at)
    write_log(books, log, payments[at].sequence, time_ms, _NO_CAUSE, _SUBMITTED, _ACCEPTED, payments[at].level)


@rule
def send_by_policy(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    account_row: int,
) -> None:
    """A bank with a policy sends from the head of its outbox what the policy now allows; no cascade in a cascade."""
    account = accounts[account_row]
    if time_ms < account.hold_until_ms or time_ms >= account.policy_until_ms:
        return
    at = queues[account_row, OUTBOX].head
    while at != NOBODY and may_send(
        books[0].phase, account, int(payments[at].level), payments[at].amount, time_ms
    ):  # fmt: skip
        payment = payments[at]
        sequence, amount, creditor = payment.sequence, payment.amount, int(payment.creditor)
        level, refusal, special = int(payment.level), int(payment.refusal), payment.special
        take_from_outbox(books, accounts, queues, owed, payments, log, time_ms, at)
        admit(
            books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, account_row, creditor,
            amount, level, refusal, special,
        )  # fmt: skip
        look_if_queued(books)
        at = queues[account_row, OUTBOX].head


@rule
def retry(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    account_row: int,
) -> None:
    """Settle what this account can now pay, from the head of its queue; then serve its other concerns.

    With an empty queue it repays its pledge loans, its bank sends what its policy allows, and with nothing waiting
    any more it may rescue members of its pool.
    """
    cause = accounts[account_row].woken_by
    row = next_payable(books, accounts, queues, payments, limits, tools, account_row)
    while row != NOBODY:
        settle_waiting(books, accounts, queues, owed, payments, limits, tools, log, time_ms, row, cause)
        row = next_payable(books, accounts, queues, payments, limits, tools, account_row)
    if accounts[account_row].alert & ~(IN_QUEUE | PLEDGES):
        if accounts[account_row].alert & IN_DEBT:
            repay(books, accounts, tools, log, time_ms, account_row)
        if accounts[account_row].alert & IN_OUTBOX:
            send_by_policy(books, accounts, queues, owed, payments, limits, tools, log, time_ms, account_row)
        if accounts[account_row].alert & (IN_POOL | IN_QUEUE) == IN_POOL:
            wake_pool(books, accounts, tools, account_row, cause)


@rule
def cascade(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
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
        retry(books, accounts, queues, owed, payments, limits, tools, log, time_ms, row)


@rule
def retry_all(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    cause: int,
) -> None:
    """Retry every queue, accounts in file order."""
    for row in range(accounts.shape[0]):
        wake(books, accounts, tools, row, cause)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
