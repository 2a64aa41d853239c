"""The settlement queue (清算排队): eight levels per account, first in first out inside a level.

Only links and counts: whether a payment may settle is decided in `release`. A waiting payment's row in the
open table carries its links, the account's queue carries head and tail, so every operation takes constant
time. The outbox of a bank is one more queue of the same kind, which counts as nobody's settlement queue.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause
from cnaps_sim.core.funds import is_hvps
from cnaps_sim.core.records import IN_OUTBOX, IN_POOL, IN_QUEUE, LEVELS, NOBODY, Records
from cnaps_sim.words.codes import Level

_ONE_SIDED: Final = int(Level.ONE_SIDED)


@clause
def take_free_row(books: Records, payments: Records) -> int:
    """A free row of the open table; the caller has made sure that there is one."""
    row = books[0].first_free
    assert row != NOBODY
    books[0].first_free = payments[row].next
    books[0].free_count -= 1
    return row  # type: ignore[no-any-return]


@clause
def give_back_row(books: Records, payments: Records, row: int) -> None:
    """The payment's wait is over: its row may be used again."""
    payments[row].at_level = NOBODY
    payments[row].next = books[0].first_free
    books[0].first_free = row
    books[0].free_count += 1


@clause
def count_in(
    books: Records, accounts: Records, owed: Records, debtor_row: int, creditor_row: int, level: int, amount: int
) -> None:
    """Counts of waiting payments after one has joined a level, and what waits for its creditor."""
    desk = books[0]
    accounts[debtor_row].waiting_levels |= 1 << level
    if accounts[debtor_row].alert & (IN_POOL | IN_QUEUE) == IN_POOL:
        desk.pooled_waiting += 1
    accounts[debtor_row].alert |= IN_QUEUE
    desk.waiting_count += 1
    desk.waiting_fen += amount
    if is_hvps(level):
        desk.hvps_waiting_count += 1
        desk.hvps_waiting_fen += amount
    if level > _ONE_SIDED:
        desk.normal_waiting_count += 1
        accounts[creditor_row].incoming_fen += amount
        if owed.shape[0] > 0:
            owed[debtor_row, creditor_row] += amount


@clause
def note_peaks(books: Records) -> None:
    """Keep the highest count and value that have waited at once, HVPS and the central bank's own apart."""
    desk = books[0]
    desk.peak_hvps_count = max(desk.peak_hvps_count, desk.hvps_waiting_count)
    desk.peak_hvps_fen = max(desk.peak_hvps_fen, desk.hvps_waiting_fen)
    desk.peak_saps_count = max(desk.peak_saps_count, desk.waiting_count - desk.hvps_waiting_count)
    desk.peak_saps_fen = max(desk.peak_saps_fen, desk.waiting_fen - desk.hvps_waiting_fen)


@clause
def watch_growth(books: Records) -> None:
    """A payment has joined the queue: note whether it has grown past a watch line."""
    desk = books[0]
    if desk.hvps_waiting_count > desk.count_line and not desk.is_over_count:
        desk.is_over_count = True
        desk.crossings += 1
    if desk.hvps_waiting_fen > desk.fen_line and not desk.is_over_fen:
        desk.is_over_fen = True
        desk.crossings += 1


@clause
def append(
    books: Records, accounts: Records, queues: Records, owed: Records, payments: Records, row: int, level: int
) -> None:
    """Put the payment of `row` at the tail of `level` of its debtor (or of the outbox)."""
    payment = payments[row]
    queue = queues[payment.debtor, level]
    payment.at_level = level
    payment.next = NOBODY
    payment.prev = queue.tail
    if queue.tail == NOBODY:
        queue.head = row
    else:
        payments[queue.tail].next = row
    queue.tail = row
    queue.waiting_count += 1
    queue.waiting_fen += payment.amount
    if level < LEVELS:
        count_in(books, accounts, owed, payment.debtor, payment.creditor, level, payment.amount)
    else:
        accounts[payment.debtor].alert |= IN_OUTBOX


@clause
def push_to_head(
    books: Records, accounts: Records, queues: Records, owed: Records, payments: Records, row: int, level: int
) -> None:
    """Put the payment of `row` at the head of `level` of its debtor."""
    payment = payments[row]
    queue = queues[payment.debtor, level]
    payment.at_level = level
    payment.prev = NOBODY
    payment.next = queue.head
    if queue.head == NOBODY:
        queue.tail = row
    else:
        payments[queue.head].prev = row
    queue.head = row
    queue.waiting_count += 1
    queue.waiting_fen += payment.amount
    count_in(books, accounts, owed, payment.debtor, payment.creditor, level, payment.amount)


@clause
def remove(books: Records, accounts: Records, queues: Records, owed: Records, payments: Records, row: int) -> None:
    """Take the payment of `row` out of the queue in which it stands; its row stays taken."""
    payment = payments[row]
    level = int(payment.at_level)
    queue = queues[payment.debtor, level]
    if payment.prev == NOBODY:
        queue.head = payment.next
    else:
        payments[payment.prev].next = payment.next
    if payment.next == NOBODY:
        queue.tail = payment.prev
    else:
        payments[payment.next].prev = payment.prev
    queue.waiting_count -= 1
    queue.waiting_fen -= payment.amount
    if level < LEVELS:
        _count_out(books, accounts, owed, queue, payment.debtor, payment.creditor, level, payment.amount)
    elif queue.head == NOBODY:
        accounts[payment.debtor].alert &= ~IN_OUTBOX


@clause
def _count_out(
    books: Records, accounts: Records, owed: Records, queue: Records, debtor_row: int, creditor_row: int, level: int,
    amount: int,
) -> None:  # fmt: skip
    if queue.head == NOBODY:
        accounts[debtor_row].waiting_levels &= ~(1 << level)
        if accounts[debtor_row].waiting_levels == 0:
            accounts[debtor_row].alert &= ~IN_QUEUE
            if accounts[debtor_row].alert & IN_POOL:
                books[0].pooled_waiting -= 1
    desk = books[0]
    desk.waiting_count -= 1
    desk.waiting_fen -= amount
    if is_hvps(level):
        desk.hvps_waiting_count -= 1
        desk.hvps_waiting_fen -= amount
        if desk.hvps_waiting_count <= desk.count_line:
            desk.is_over_count = False
        if desk.hvps_waiting_fen <= desk.fen_line:
            desk.is_over_fen = False
    if level > _ONE_SIDED:
        desk.normal_waiting_count -= 1
        accounts[creditor_row].incoming_fen -= amount
        if owed.shape[0] > 0:
            owed[debtor_row, creditor_row] -= amount


@clause
def highest(levels: int) -> int:
    """The highest level (lowest number) of a non-empty bit mask."""
    level = 0
    while not (levels >> level) & 1:
        level += 1
    return level
