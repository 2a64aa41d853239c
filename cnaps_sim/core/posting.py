"""Posting: the debit and the credit of one transfer, together or not at all.

Nothing here tests whether the money is there: the caller has just done so, in the same compiled call. What
depends on every change of a balance is kept here: the time integral of the overdraft, lowest balances, and
the watch lines of balance warnings (余额预警).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause
from cnaps_sim.core.funds import earmark_used
from cnaps_sim.core.records import Records
from cnaps_sim.words.codes import Act, Cause, Level

_NO_CAUSE: Final = int(Cause.NONE)
_SETTLED: Final = int(Act.SETTLED)
_RAISED: Final = int(Act.WARNING_RAISED)
_CLEARED: Final = int(Act.WARNING_CLEARED)
_ROUND_NET: Final = int(Level.ROUND_NET)
_LOW_BITS: Final = 32
_LOW_MASK: Final = (1 << 32) - 1


@clause
def write_log(
    books: Records, log: Records, sequence: int, time_ms: int, cause: int, act: int, refusal: int, level: int
) -> None:
    """Append one entry to the log; the caller has made sure that there is room."""
    entry = log[books[0].log_count]
    entry.sequence = sequence
    entry.time_ms = time_ms
    entry.cause = cause
    entry.act = act
    entry.refusal = refusal
    entry.level = level
    books[0].log_count += 1


@clause
def count_overdraft(account: Records, time_ms: int) -> None:
    """Add −balance × elapsed time to the account's overdraft integral, exactly, in two words.

    A product of fen and ms overflows int64, so the amount is split: the sum is high · 2^32 + low.
    """
    if account.balance < 0:
        elapsed = time_ms - account.overdraft_since_ms
        owed = -account.balance
        low = account.overdraft_low + (owed & _LOW_MASK) * elapsed
        account.overdraft_high += (owed >> _LOW_BITS) * elapsed + (low >> _LOW_BITS)
        account.overdraft_low = low & _LOW_MASK
        account.overdraft_since_ms = time_ms


@clause
def watch(books: Records, accounts: Records, log: Records, time_ms: int, row: int) -> None:
    """Raise or clear the account's balance warning if its balance has crossed the line."""
    account = accounts[row]
    below = account.balance < account.warning_line
    if below != account.warned:
        account.warned = below
        books[0].crossings += 1
        write_log(books, log, row, time_ms, _NO_CAUSE, _RAISED if below else _CLEARED, 0, 0)


@clause
def note_lowest(account: Records) -> None:
    """Keep the lowest balance and the lowest available funds of the day."""
    account.lowest_balance = min(account.lowest_balance, account.balance)
    free = account.balance - account.earmark - account.floor + account.overdraft_limit
    account.lowest_available = min(account.lowest_available, free)


@clause
def move_money(
    books: Records, accounts: Records, time_ms: int, debtor_row: int, creditor_row: int, amount: int
) -> None:
    """Debit and credit, with what depends on every change of a balance."""
    _debit(books, accounts[debtor_row], time_ms, amount)
    _credit(books, accounts[creditor_row], time_ms, amount)


@clause
def post(
    books: Records,
    accounts: Records,
    log: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    cause: int,
) -> None:
    """Move `amount` fen from debtor to creditor and log the settlement; final (PR04)."""
    debtor = accounts[debtor_row]
    debtor.earmark -= earmark_used(books[0].phase, debtor, level, amount)
    move_money(books, accounts, time_ms, debtor_row, creditor_row, amount)
    note_lowest(debtor)
    write_log(books, log, sequence, time_ms, cause, _SETTLED, 0, level)
    if level == _ROUND_NET and not debtor.central_bank:
        books[0].nets_posted += 1
    watch(books, accounts, log, time_ms, debtor_row)
    watch(books, accounts, log, time_ms, creditor_row)


@clause
def _debit(books: Records, debtor: Records, time_ms: int, amount: int) -> None:
    count_overdraft(debtor, time_ms)
    was_overdrawn = debtor.balance < 0
    debtor.balance -= amount
    debtor.sent += amount
    debtor.sent_count += 1
    if debtor.balance < 0 and not was_overdrawn:
        debtor.overdraft_since_ms = time_ms
        if not debtor.central_bank:
            books[0].overdrawn_count += 1


@clause
def _credit(books: Records, creditor: Records, time_ms: int, amount: int) -> None:
    count_overdraft(creditor, time_ms)
    was_overdrawn = creditor.balance < 0
    creditor.balance += amount
    creditor.received += amount
    creditor.received_count += 1
    if was_overdrawn and creditor.balance >= 0 and not creditor.central_bank:
        books[0].overdrawn_count -= 1
