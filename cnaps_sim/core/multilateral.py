"""Multilateral matching that keeps the order of every queue (多边撮合): the largest set that can settle together.

Start with everything that may take part; while an account would have less than zero, or exceed a limit, drop
its last payment. What remains is the answer, whatever the order of the accounts: it contains every other set that
takes a leading run of each queue and can be funded. Source: Bech and Soramäki (2001).

Running totals of what waits at and for each account make this linear in accounts and dropped payments. An account that
cannot even send its first payment is dropped whole, which in a deadlock is nearly all there is.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.admission import refuses_credit
from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import available
from cnaps_sim.core.limits import count_breaches, try_in_limits
from cnaps_sim.core.matching import first_in_line, lowest_level_sent, next_in_line
from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.words.codes import Level, Refusal

_HIGH: Final = int(Level.HIGH)
_NORMAL: Final = int(Level.NORMAL)
_ACCEPTED: Final = int(Refusal.NONE)


@clause
def is_deficient(own: Records) -> bool:
    """Whether an account that sends something would be below zero or over a limit."""
    if own.kept == 0:
        return False
    return own.may_spend < own.fen + own.reserved or own.breaches > 0  # type: ignore[no-any-return]


@clause
def list_if_deficient(trial: Records, account_row: int, first: int) -> int:
    """Put an account at the head of the chain of those to look at, if it is worth it; returns the chain's head."""
    own = trial[account_row]
    if own.listed or not is_deficient(own):
        return first
    own.listed = True
    own.next = first
    return account_row


@clause
def drop_last(queues: Records, payments: Records, trial: Records, account_row: int) -> int:
    """Drop an account's last payment; returns the row of its creditor's account.

    When its last payment of level 7 goes, the reservation for urgent payments no longer binds.
    """
    own = trial[account_row]
    payment = payments[own.last]
    own.whole = False
    own.kept -= 1
    own.fen -= payment.amount
    trial[payment.creditor].may_spend -= payment.amount
    own.last = payment.prev
    if payment.prev == NOBODY and payment.at_level == _NORMAL:
        own.last = queues[account_row, _HIGH].tail
        own.reserved = 0
    return payment.creditor  # type: ignore[no-any-return]


@clause
def drop_rest(queues: Records, owed: Records, payments: Records, trial: Records, account_row: int, first: int) -> int:
    """Drop all that is left of an account's queue and list whom that leaves deficient; returns the chain's head."""
    own = trial[account_row]
    kept = own.kept
    own.kept = 0
    own.fen = 0
    own.last = NOBODY
    if own.whole and owed.shape[0] > 0:
        for creditor_row in range(owed.shape[1]):
            if owed[account_row, creditor_row] > 0:
                trial[creditor_row].may_spend -= owed[account_row, creditor_row]
                first = list_if_deficient(trial, creditor_row, first)
    else:
        row = first_in_line(queues, account_row)
        for _ in range(kept):
            payment = payments[row]
            trial[payment.creditor].may_spend -= payment.amount
            first = list_if_deficient(trial, payment.creditor, first)
            row = next_in_line(queues, payments, row)
    return first


@rule
def end_line(
    accounts: Records, queues: Records, payments: Records, trial: Records, account_row: int, lowest: int
) -> None:
    """End an account's queue before what it may not send: levels below `lowest`, creditors that refuse credit."""
    own = trial[account_row]
    kept = 0
    fen = 0
    last = NOBODY
    row = first_in_line(queues, account_row)
    while row != NOBODY and payments[row].at_level <= lowest:
        if refuses_credit(accounts[payments[row].creditor], payments[row].level) != _ACCEPTED:
            break
        kept += 1
        fen += payments[row].amount
        last = row
        row = next_in_line(queues, payments, row)
    own.whole = own.whole and row == NOBODY
    while row != NOBODY:
        trial[payments[row].creditor].may_spend -= payments[row].amount
        row = next_in_line(queues, payments, row)
    own.kept = kept
    own.fen = fen
    own.last = last
    if last == NOBODY or payments[last].at_level == _HIGH:
        own.reserved = 0


@rule
def consider(
    books: Records, accounts: Records, queues: Records, owed: Records, payments: Records, trial: Records
) -> None:
    """Fill `trial`, one `records.TRIAL` per account, with all that may take part."""
    refusing = False
    for account_row in range(accounts.shape[0]):
        account = accounts[account_row]
        own = trial[account_row]
        high = queues[account_row, _HIGH]
        normal = queues[account_row, _NORMAL]
        own.kept = high.waiting_count + normal.waiting_count
        own.fen = high.waiting_fen + normal.waiting_fen
        own.last = normal.tail if normal.tail != NOBODY else high.tail
        own.reserved = account.reserved_urgent if normal.tail != NOBODY else 0
        own.may_spend = available(books[0].phase, account, _HIGH) + account.incoming_fen
        own.whole = True
        own.breaches = 0
        own.listed = False
        refusing |= account.incoming_fen > 0 and refuses_credit(account, _NORMAL) != _ACCEPTED
    for account_row in range(accounts.shape[0]):
        if trial[account_row].kept > 0:
            lowest = lowest_level_sent(books[0].phase, accounts[account_row])
            if lowest == 0:
                drop_rest(queues, owed, payments, trial, account_row, NOBODY)
            elif lowest == _HIGH or refusing:
                end_line(accounts, queues, payments, trial, account_row, lowest)
    for account_row in range(accounts.shape[0]):
        trial[account_row].listed = False


@clause
def is_hopeless(account: Records, queues: Records, payments: Records, own: Records, account_row: int) -> bool:
    """Whether not even its first payment is funded by what the account has and all that may still come in."""
    head = payments[first_in_line(queues, account_row)]
    reserved = account.reserved_urgent if head.at_level == _NORMAL else 0
    return head.amount > own.may_spend - reserved  # type: ignore[no-any-return]


@rule
def drop_the_hopeless(accounts: Records, queues: Records, owed: Records, payments: Records, trial: Records) -> int:
    """Drop every account that cannot send its first payment, until none is left; returns the chain of the deficient."""
    first = NOBODY
    dropped = True
    while dropped:
        dropped = False
        for account_row in range(accounts.shape[0]):
            own = trial[account_row]
            if own.kept > 0 and is_hopeless(accounts[account_row], queues, payments, own, account_row):
                first = drop_rest(queues, owed, payments, trial, account_row, first)
                dropped = True
    for account_row in range(accounts.shape[0]):
        first = list_if_deficient(trial, account_row, first)
    return first


@rule
def drop_until_funded(accounts: Records, queues: Records, owed: Records, payments: Records, trial: Records) -> None:
    """Drop last payments of deficient accounts until none is deficient, where there are no limits."""
    first = drop_the_hopeless(accounts, queues, owed, payments, trial)
    while first != NOBODY:
        account_row = first
        own = trial[account_row]
        first = own.next
        own.listed = False
        if own.kept > 0 and is_hopeless(accounts[account_row], queues, payments, own, account_row):
            first = drop_rest(queues, owed, payments, trial, account_row, first)
        while is_deficient(own):
            creditor_row = drop_last(queues, payments, trial, account_row)
            first = list_if_deficient(trial, creditor_row, first)


@rule
def add_up_limits(accounts: Records, queues: Records, payments: Records, limits: Records, trial: Records) -> None:
    """What each limit's net would be, and how many limits of each account would be exceeded."""
    for row in range(limits.shape[0]):
        limits[row].trial = limits[row].net
    for account_row in range(accounts.shape[0]):
        row = first_in_line(queues, account_row)
        for _ in range(trial[account_row].kept):
            payment = payments[row]
            try_in_limits(accounts, limits, payment.debtor, payment.creditor, payment.amount)
            row = next_in_line(queues, payments, row)
    for account_row in range(accounts.shape[0]):
        trial[account_row].breaches = count_breaches(accounts, limits, account_row)


@clause
def drop_from_limits(accounts: Records, limits: Records, trial: Records, payment: Records) -> None:
    """A payment has been dropped: its debtor's limits may be kept again, its creditor's may now be exceeded."""
    try_in_limits(accounts, limits, payment.debtor, payment.creditor, -payment.amount)
    trial[payment.debtor].breaches = count_breaches(accounts, limits, payment.debtor)
    trial[payment.creditor].breaches = count_breaches(accounts, limits, payment.creditor)


@rule
def drop_until_allowed(accounts: Records, queues: Records, payments: Records, limits: Records, trial: Records) -> None:
    """The same where there are limits: payment by payment, because each may change a limit's net."""
    add_up_limits(accounts, queues, payments, limits, trial)
    first = NOBODY
    for account_row in range(accounts.shape[0]):
        first = list_if_deficient(trial, account_row, first)
    while first != NOBODY:
        account_row = first
        own = trial[account_row]
        first = own.next
        own.listed = False
        while is_deficient(own):
            row = own.last
            creditor_row = drop_last(queues, payments, trial, account_row)
            drop_from_limits(accounts, limits, trial, payments[row])
            first = list_if_deficient(trial, creditor_row, first)


@rule
def choose(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    trial: Records,
    rows: Records,
) -> int:
    """Fill `rows` with the largest set that can settle together, account by account, each in queue order.

    trial: one `records.TRIAL` per account, filled by `consider`
    rows:  int64, room for every payment that waits at levels 6 and 7. Returns how many there are.
    """
    assert books[0].matching_locked == 0
    if limits.shape[0] == 0:
        drop_until_funded(accounts, queues, owed, payments, trial)
    else:
        drop_until_allowed(accounts, queues, payments, limits, trial)
    count = 0
    for account_row in range(accounts.shape[0]):
        row = first_in_line(queues, account_row)
        for _ in range(trial[account_row].kept):
            rows[count] = row
            count += 1
            row = next_in_line(queues, payments, row)
    return count


@rule
def sum_up_owed(queues: Records, payments: Records, owed: Records) -> None:
    """Fill `owed[debtor, creditor]` with the fen that wait at levels 6 and 7; `queue` keeps it from then on."""
    for account_row in range(owed.shape[0]):
        row = first_in_line(queues, account_row)
        while row != NOBODY:
            owed[account_row, payments[row].creditor] += payments[row].amount
            row = next_in_line(queues, payments, row)
