"""The close of the clearing window (清算窗口): returns, then loans at the penalty rate.

Participants' payments still queued go back (RJ99). What is owed to the central bank's own levels must be
posted all the same, so the central bank lends each account exactly what it lacks (高额罚息贷款); an overdraft
left over is lent for as well. Afterwards no queue holds anything and no account is below zero.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.funds import is_held, is_hvps
from cnaps_sim.core.posting import post, write_log
from cnaps_sim.core.queue import give_back_row, remove
from cnaps_sim.core.records import LEVELS, NOBODY, Records, Tools
from cnaps_sim.core.release import retry_all
from cnaps_sim.words.codes import Act, Cause, Level, Refusal

_RETURNED: Final = int(Act.RETURNED)
_NO_CAUSE: Final = int(Cause.NONE)
_RETURN: Final = int(Cause.RETURN)
_PENALTY: Final = int(Cause.PENALTY)
_CONTROL: Final = int(Cause.CONTROL)
_END_OF_DAY: Final = int(Refusal.END_OF_DAY)
_ONE_SIDED: Final = int(Level.ONE_SIDED)


@rule
def return_queued(
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
    """Send back every queued payment of levels 1, 6, 7; then what they blocked is tried once more.

    No matching is under way any more.
    """
    assert books[0].matching_locked == 0
    for account_row in range(accounts.shape[0]):
        for level in range(LEVELS):
            if not is_hvps(level):
                continue
            while queues[account_row, level].head != NOBODY:
                row = queues[account_row, level].head
                remove(books, accounts, queues, owed, payments, row)
                write_log(books, log, payments[row].sequence, time_ms, _NO_CAUSE, _RETURNED, _END_OF_DAY, level)
                give_back_row(books, payments, row)
    retry_all(books, accounts, queues, owed, payments, limits, tools, log, time_ms, _RETURN)


@rule
def shortage(accounts: Records, payments: Records, row: int) -> int:
    """What the debtor of a waiting payment lacks to post it from a positive balance."""
    payment = payments[row]
    return max(0, payment.amount - max(0, accounts[payment.debtor].balance))


@rule
def lend(
    books: Records,
    accounts: Records,
    log: Records,
    time_ms: int,
    sequence: int,
    lender: int,
    borrower: int,
    amount: int,
) -> None:
    """One loan at the penalty rate, from the central bank's lending account."""
    post(books, accounts, log, time_ms, sequence, lender, borrower, amount, _ONE_SIDED, _NO_CAUSE)


@rule
def post_in_any_case(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    log: Records,
    time_ms: int,
    row: int,
    cause: int,
) -> None:
    """Post a waiting item of the central bank's own levels, whatever controls stand on the account."""
    payment = payments[row]
    remove(books, accounts, queues, owed, payments, row)
    post(
        books, accounts, log, time_ms, payment.sequence, payment.debtor, payment.creditor,
        payment.amount, payment.level, cause,
    )  # fmt: skip
    give_back_row(books, payments, row)


@rule
def clear_level(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    log: Records,
    loans: Records,
    time_ms: int,
    first_sequence: int,
    lender: int,
    account_row: int,
    level: int,
    count: int,
) -> int:
    """Lend for and post every item of one level of one account; returns the number of loans made so far."""
    while queues[account_row, level].head != NOBODY:
        row = queues[account_row, level].head
        lacking = shortage(accounts, payments, row)
        cause = _CONTROL if is_held(accounts[account_row], level) else _RETURN
        if lacking > 0:
            lend(books, accounts, log, time_ms, first_sequence + count, lender, account_row, lacking)
            loans[count, 0] = account_row
            loans[count, 1] = lacking
            count += 1
            cause = _PENALTY
        post_in_any_case(books, accounts, queues, owed, payments, log, time_ms, row, cause)
    return count


@rule
def lend_and_clear(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    log: Records,
    loans: Records,
    time_ms: int,
    first_sequence: int,
    lender: int,
) -> int:
    """Clear levels 0 and 2-5 and every overdraft with exact loans; returns how many loans `loans` now lists.

    loans: int64 array of (account row, fen), with room for one loan per waiting item and one per account.
    """
    count = 0
    for account_row in range(accounts.shape[0]):
        count = clear_level(
            books,
            accounts,
            queues,
            owed,
            payments,
            log,
            loans,
            time_ms,
            first_sequence,
            lender,
            account_row,
            0,
            count,
        )
    for account_row in range(accounts.shape[0]):
        account = accounts[account_row]
        if account.balance < 0 and not account.central_bank:
            lacking = -account.balance
            lend(books, accounts, log, time_ms, first_sequence + count, lender, account_row, lacking)
            loans[count, 0] = account_row
            loans[count, 1] = lacking
            count += 1
        for level in range(2, 6):
            count = clear_level(
                books, accounts, queues, owed, payments, log, loans, time_ms, first_sequence, lender, account_row,
                level, count,
            )  # fmt: skip
        if not account.central_bank:
            account.earmark = min(account.earmark, max(0, account.balance))  # credit covers nothing overnight
    return count
