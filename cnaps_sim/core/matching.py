"""Queue matching (排队撮合): queued payments of levels 6 and 7 that settle together.

Who takes part: an account sends nothing while anything waits at its levels 0-5, while a control holds its debits, or
while it has less than nothing available; it then only receives. A queue ends where a payment's creditor refuses
credit. What is posted together must leave every sender with nothing less than zero available, the reservation for
urgent payments (UPAR) included if one of its level-7 payments is among them, and every limit kept.

How the multilateral set is found stands in `multilateral`; here it is lined up, checked and posted.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.admission import refuses_credit
from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import available, is_held
from cnaps_sim.core.limits import count_breaches, try_in_limits
from cnaps_sim.core.posting import move_money, note_lowest, watch, write_log
from cnaps_sim.core.queue import give_back_row, remove
from cnaps_sim.core.records import NOBODY, Records, Tools
from cnaps_sim.core.release import cascade
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Act, Cause, Level, Refusal

_HIGH: Final = int(Level.HIGH)
_NORMAL: Final = int(Level.NORMAL)
#: Levels 0-5 as a bit mask: while anything waits there, an account sends nothing in a matching.
_HIGHER_LEVELS: Final = (1 << _HIGH) - 1
_SETTLED: Final = int(Act.SETTLED)
_ACCEPTED: Final = int(Refusal.NONE)
_LIMIT: Final = int(Cause.LIMIT)


@clause
def lowest_level_sent(phase: int, account: Records) -> int:
    """Down to which level an account takes part as a sender: 7, 6, or 0 if it only receives."""
    if account.waiting_levels & _HIGHER_LEVELS or is_held(account, _HIGH) or available(phase, account, _HIGH) < 0:
        return 0
    return _NORMAL if available(phase, account, _NORMAL) >= 0 else _HIGH


@clause
def next_in_line(queues: Records, payments: Records, row: int) -> int:
    """The payment behind `row` in its debtor's queue of levels 6 and 7, or NOBODY."""
    payment = payments[row]
    if payment.next == NOBODY and payment.at_level == _HIGH:
        return queues[payment.debtor, _NORMAL].head  # type: ignore[no-any-return]
    return payment.next  # type: ignore[no-any-return]


@clause
def first_in_line(queues: Records, account_row: int) -> int:
    """The head of an account's queue of levels 6 and 7, or NOBODY."""
    row = queues[account_row, _HIGH].head
    return row if row != NOBODY else queues[account_row, _NORMAL].head  # type: ignore[no-any-return]


@rule
def line_up(books: Records, accounts: Records, queues: Records, payments: Records, rows: Records) -> int:
    """Every payment that a matching considers, account by account, each in queue order; returns how many.

    rows: int64, room for every payment that waits at levels 6 and 7; filled with rows of the open table
    """
    count = 0
    for account_row in range(accounts.shape[0]):
        lowest = lowest_level_sent(books[0].phase, accounts[account_row])
        row = first_in_line(queues, account_row)
        while row != NOBODY and payments[row].at_level <= lowest:
            if refuses_credit(accounts[payments[row].creditor], payments[row].level) != _ACCEPTED:
                break
            rows[count] = row
            count += 1
            row = next_in_line(queues, payments, row)
    return count


@rule
def funds_at_levels(books: Records, accounts: Records, funds: Records) -> None:
    """What each account has available at level 6 (`funds[0]`) and at level 7 (`funds[1]`), fen."""
    for account_row in range(accounts.shape[0]):
        funds[0, account_row] = available(books[0].phase, accounts[account_row], _HIGH)
        funds[1, account_row] = available(books[0].phase, accounts[account_row], _NORMAL)


@rule
def add_up(payments: Records, limits: Records, accounts: Records, rows: Records, net: Records, sends: Records) -> None:
    """What a set of payments would change.

    net:   int64 per account, filled with received less sent; sends: int8 per account, filled with the lowest level sent
    """
    for row in range(limits.shape[0]):
        limits[row].trial = limits[row].net
    for account_row in range(net.shape[0]):
        net[account_row] = 0
        sends[account_row] = 0
    for place in range(rows.shape[0]):
        payment = payments[rows[place]]
        net[payment.debtor] -= payment.amount
        net[payment.creditor] += payment.amount
        sends[payment.debtor] = max(sends[payment.debtor], payment.at_level)
        if limits.shape[0] > 0:
            try_in_limits(accounts, limits, payment.debtor, payment.creditor, payment.amount)


@clause
def cannot_send(phase: int, account: Records, breaches: int, change: int, level: int, at_its_end: bool) -> bool:
    """Whether an account stops a set in which it sends down to `level`.

    breaches: how many of its limits the set would exceed; change: what its funds would win or lose, fen
    """
    funds = available(phase, account, level)
    if is_held(account, _HIGH) or funds < 0 or funds + change < 0:
        return True
    if not at_its_end and lowest_level_sent(phase, account) < level:
        return True
    return breaches > 0


@clause
def refusing_somewhere(accounts: Records) -> bool:
    """Whether a payment waits at level 6 or 7 for an account that refuses credit."""
    for account_row in range(accounts.shape[0]):
        account = accounts[account_row]
        if account.incoming_fen > 0 and refuses_credit(account, _NORMAL) != _ACCEPTED:
            return True
    return False


@rule
def find_behind_refused(accounts: Records, queues: Records, payments: Records, rows: Records) -> int:
    """The first account whose chosen payments stand behind one that its creditor refuses, or NOBODY."""
    found = NOBODY
    for place in range(rows.shape[0]):
        payments[rows[place]].locked = True
    for account_row in range(accounts.shape[0]):
        refused = False
        row = first_in_line(queues, account_row)
        while row != NOBODY and found == NOBODY:
            refused |= refuses_credit(accounts[payments[row].creditor], payments[row].level) != _ACCEPTED
            if refused and payments[row].locked:
                found = account_row
            row = next_in_line(queues, payments, row)
    for place in range(rows.shape[0]):
        payments[rows[place]].locked = False
    return found


@rule
def find_blocking(
    books: Records,
    accounts: Records,
    queues: Records,
    payments: Records,
    limits: Records,
    rows: Records,
    net: Records,
    sends: Records,
    at_its_end: bool,
) -> int:
    """The first account that stops these payments from settling together, or NOBODY.

    At its end a matching that took time is not stopped by what has come to wait at levels 0-5 since.
    """
    add_up(payments, limits, accounts, rows, net, sends)
    blocking = accounts.shape[0]
    if not at_its_end and refusing_somewhere(accounts):
        behind = find_behind_refused(accounts, queues, payments, rows)
        blocking = behind if behind != NOBODY else blocking
    for place in range(rows.shape[0]):
        payment = payments[rows[place]]
        if refuses_credit(accounts[payment.creditor], payment.level) != _ACCEPTED:
            blocking = min(blocking, payment.debtor)
    for account_row in range(blocking):
        level = sends[account_row]
        if level > 0:
            account = accounts[account_row]
            breaches = count_breaches(accounts, limits, account_row)
            if cannot_send(books[0].phase, account, breaches, net[account_row], level, at_its_end):
                return account_row
    return NOBODY if blocking == accounts.shape[0] else blocking


@rule
def post_together(
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
    rows: Records,
) -> None:
    """Post all legs; only then look at lowest balances and warning lines, and let the queues go on."""
    for place in range(rows.shape[0]):
        row = rows[place]
        payment = payments[row]
        assert not payment.locked
        remove(books, accounts, queues, owed, payments, row)
        move_money(books, accounts, time_ms, payment.debtor, payment.creditor, payment.amount)
        write_log(books, log, payment.sequence, time_ms, cause, _SETTLED, 0, payment.level)
    for row in range(limits.shape[0]):
        limits[row].net = limits[row].trial
    for place in range(rows.shape[0]):
        payment = payments[rows[place]]
        note_lowest(accounts[payment.debtor])  # one that only receives ends no lower than before
        watch(books, accounts, log, time_ms, payment.debtor)
        watch(books, accounts, log, time_ms, payment.creditor)
    for place in range(rows.shape[0]):
        payment = payments[rows[place]]
        wake(books, accounts, tools, payment.debtor, payment.sequence)
        wake(books, accounts, tools, payment.creditor, payment.sequence)
        give_back_row(books, payments, rows[place])
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)


@rule
def settle_together(
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
    rows: Records,
    net: Records,
    sends: Records,
) -> int:
    """Post these waiting payments together, or none: then the account that stops them is returned, else NOBODY.

    rows: of the open table, as `line_up` or `multilateral.choose` gave them, in the order of posting
    """
    assert books[0].matching_locked == 0
    blocking = find_blocking(books, accounts, queues, payments, limits, rows, net, sends, False)
    if blocking == NOBODY:
        post_together(books, accounts, queues, owed, payments, limits, tools, log, time_ms, cause, rows)
    return blocking  # type: ignore[no-any-return]


@rule
def reserve(
    books: Records,
    accounts: Records,
    queues: Records,
    payments: Records,
    limits: Records,
    rows: Records,
    net: Records,
    sends: Records,
) -> int:
    """A matching that takes time begins: keep each account's net debit for it, and its payments where they are."""
    assert books[0].matching_locked == 0
    blocking = find_blocking(books, accounts, queues, payments, limits, rows, net, sends, False)
    if blocking != NOBODY:
        return blocking  # type: ignore[no-any-return]
    for account_row in range(accounts.shape[0]):
        accounts[account_row].reserved_matching = max(0, -net[account_row])
    for place in range(rows.shape[0]):
        payments[rows[place]].locked = True
    books[0].matching_locked = rows.shape[0]
    return NOBODY


@rule
def settle_reserved(
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
    rows: Records,
    net: Records,
    sends: Records,
) -> int:
    """A matching that took time ends: all its payments post together.

    Terms may have changed meanwhile (a limit lowered, a control put on); if they no longer allow it, nothing posts,
    the payments wait on as before, and the account that stops them is returned, else NOBODY.
    """
    for account_row in range(accounts.shape[0]):
        accounts[account_row].reserved_matching = 0
    for place in range(rows.shape[0]):
        payments[rows[place]].locked = False
    books[0].matching_locked = 0
    blocking = find_blocking(books, accounts, queues, payments, limits, rows, net, sends, True)
    if blocking == NOBODY:
        post_together(books, accounts, queues, owed, payments, limits, tools, log, time_ms, cause, rows)
        return NOBODY
    for place in range(rows.shape[0]):
        wake(books, accounts, tools, payments[rows[place]].debtor, _LIMIT)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return blocking  # type: ignore[no-any-return]
