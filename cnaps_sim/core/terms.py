"""Terms of an account: limits, floor, earmark, reservations, warning line, controls and life.

Whatever may let a waiting payment go wakes the account; a retry that finds nothing changes nothing.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.limits import find_limit
from cnaps_sim.core.posting import note_lowest, watch
from cnaps_sim.core.records import NOBODY, Records, Tools
from cnaps_sim.core.release import cascade
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Answer, Cause, Life

_DONE: Final = int(Answer.DONE)
_SHORT: Final = int(Answer.SHORT_OF_FUNDS)
_NOT_EMPTY: Final = int(Answer.NOT_EMPTY)
_LIMIT: Final = int(Cause.LIMIT)
_CONTROL: Final = int(Cause.CONTROL)
_CLOSED: Final = int(Life.CLOSED)
_TO_OPEN: Final = int(Life.TO_OPEN)

#: The terms that `set_field` changes, and the numbers by which the compiled rule knows them.
FIELDS: Final = {
    "overdraft_limit": 0,
    "floor": 1,
    "earmark": 2,
    "reserved_high": 3,
    "reserved_urgent": 4,
    "warning_line": 5,
}


@rule
def _raise_earmark(account: Records, value: int) -> bool:
    """Set the earmark (圈存); raising it needs the money, and moves none."""
    free = account.balance - account.earmark - account.floor + account.overdraft_limit
    free -= account.reserved_high + account.reserved_urgent + account.reserved_matching
    if value > account.earmark and free < value - account.earmark:
        return False
    account.earmark = value
    return True


@rule
def set_field(
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
    field: int,
    value: int,
) -> int:
    """Change one money term of an account (see FIELDS) and retry its queue."""
    account = accounts[row]
    if field == 5:
        account.warning_line = value
        watch(books, accounts, log, time_ms, row)
        return _DONE
    assert value >= 0
    if field == 0:
        account.overdraft_limit = value
    elif field == 1:
        account.floor = value
    elif field == 2:
        if not _raise_earmark(account, value):
            return _SHORT
    elif field == 3:
        account.reserved_high = value
    else:
        account.reserved_urgent = value
    note_lowest(account)
    wake(books, accounts, tools, row, _LIMIT)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE


@rule
def set_limit(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    debtor_row: int,
    creditor_row: int,
    most: int,
) -> None:
    """Change a limit (双边限额, 多边限额), or remove it with NO_LIMIT, and retry its debtor's queue.

    creditor_row: ANYBODY for the multilateral limit. Where there is none, none comes to be: whoever adds a limit has
    made room for it.
    """
    assert most >= 0
    row = find_limit(accounts, limits, debtor_row, creditor_row)
    if row != NOBODY:
        limits[row].most = most
    wake(books, accounts, tools, debtor_row, _LIMIT)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)


@rule
def set_controls(
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
    debit_control: bool,
    credit_control: bool,
) -> None:
    """Put debit control (借记控制) and credit control (贷记控制) on or off, and retry the account's queue."""
    accounts[row].debit_control = debit_control
    accounts[row].credit_control = credit_control
    wake(books, accounts, tools, row, _CONTROL)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)


@rule
def set_life(
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
    life: int,
) -> int:
    """Open, freeze or close an account; one that holds money or a waiting payment, or owes a
    pledge loan, cannot cease to be open."""
    account = accounts[row]
    if life == _CLOSED or life == _TO_OPEN:
        waiting = 0
        for level in range(queues.shape[1]):
            waiting += queues[row, level].waiting_count
        if account.balance != 0 or waiting != 0 or account.pledged != 0:
            return _NOT_EMPTY
    account.life = life
    wake(books, accounts, tools, row, _CONTROL)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE


@rule
def start_day(accounts: Records, time_ms: int) -> None:
    """A business date begins: lowest values and sums start afresh, and an overdraft counts from now on."""
    for row in range(accounts.shape[0]):
        account = accounts[row]
        account.overdraft_since_ms = time_ms
        account.lowest_balance = account.balance
        account.lowest_available = account.balance - account.earmark - account.floor + account.overdraft_limit
        account.peak_pledged = account.pledged
        account.sent = 0
        account.received = 0
        account.sent_count = 0
        account.received_count = 0
