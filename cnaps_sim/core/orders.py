"""Orders: what a participant may do with its own queued payment (队列管理): move it, cancel it, change its level.

Only levels 1, 6 and 7 are the participants' own. Each order answers (`codes.Answer`) and, when done, retries
the queue, whose head may have changed.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.funds import is_hvps
from cnaps_sim.core.posting import write_log
from cnaps_sim.core.queue import append, give_back_row, push_to_head, remove
from cnaps_sim.core.records import LEVELS, NOBODY, Records, Tools
from cnaps_sim.core.release import cascade
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Act, Answer, Cause, Refusal

_DONE: Final = int(Answer.DONE)
_NOT_WAITING: Final = int(Answer.NOT_WAITING)
_NOT_OWN: Final = int(Answer.NOT_OWN)
_LEVEL_CLOSED: Final = int(Answer.LEVEL_CLOSED)
_SWITCHED_OFF: Final = int(Answer.SWITCHED_OFF)
_LOCKED: Final = int(Answer.LOCKED)
_TO_HEAD: Final = int(Act.MOVED_TO_HEAD)
_TO_TAIL: Final = int(Act.MOVED_TO_TAIL)
_CANCELLED: Final = int(Act.CANCELLED)
_LEVEL_CHANGED: Final = int(Act.LEVEL_CHANGED)
_NO_CAUSE: Final = int(Cause.NONE)
_MOVE: Final = int(Cause.MOVE)
_CANCEL: Final = int(Cause.CANCEL)
_ACCEPTED: Final = int(Refusal.NONE)


@rule
def find_waiting(queues: Records, payments: Records, sequence: int) -> int:
    """The row at which a payment waits in a settlement queue, or NOBODY; looks through all queues."""
    for account_row in range(queues.shape[0]):
        for level in range(LEVELS):
            row = queues[account_row, level].head
            while row != NOBODY:
                if payments[row].sequence == sequence:
                    return row  # type: ignore[no-any-return]
                row = payments[row].next
    return NOBODY


@rule
def may_order(payments: Records, row: int, by: int) -> int:
    """Whether participant `by` may give an order about the payment that waits at `row`."""
    if row == NOBODY:
        return _NOT_WAITING
    if payments[row].debtor != by:
        return _NOT_OWN
    if not is_hvps(payments[row].level):
        return _LEVEL_CLOSED
    if payments[row].locked:
        return _LOCKED
    return _DONE


@rule
def move(
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
    by: int,
    to_head: bool,
) -> int:
    """Move an own payment to the head (QC00) or the tail (QC01) of its level."""
    row = find_waiting(queues, payments, sequence)
    answer = may_order(payments, row, by)
    if answer != _DONE:
        return answer
    level = int(payments[row].level)
    was_over_count, was_over_fen = books[0].is_over_count, books[0].is_over_fen
    remove(books, accounts, queues, owed, payments, row)
    if to_head:
        push_to_head(books, accounts, queues, owed, payments, row, level)
    else:
        append(books, accounts, queues, owed, payments, row, level)
    books[0].is_over_count, books[0].is_over_fen = was_over_count, was_over_fen  # the queue is as long as before
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _TO_HEAD if to_head else _TO_TAIL, _ACCEPTED, level)
    wake(books, accounts, tools, by, _MOVE)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE


@rule
def cancel(
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
    by: int,
) -> int:
    """Cancel an own payment while it waits (PR12 becomes PR08)."""
    row = find_waiting(queues, payments, sequence)
    answer = may_order(payments, row, by)
    if answer != _DONE:
        return answer
    remove(books, accounts, queues, owed, payments, row)
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _CANCELLED, _ACCEPTED, payments[row].level)
    give_back_row(books, payments, row)
    wake(books, accounts, tools, by, _CANCEL)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE


@rule
def withdraw(
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
) -> int:
    """The central bank takes back an item of its own levels while it waits, such as a leg of a third-party net."""
    row = find_waiting(queues, payments, sequence)
    if row == NOBODY:
        return _NOT_WAITING
    if is_hvps(payments[row].level):
        return _LEVEL_CLOSED
    debtor_row = int(payments[row].debtor)
    remove(books, accounts, queues, owed, payments, row)
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _CANCELLED, _ACCEPTED, payments[row].level)
    give_back_row(books, payments, row)
    wake(books, accounts, tools, debtor_row, _CANCEL)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE


@rule
def change_level(
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
    by: int,
    level: int,
) -> int:
    """Move an own payment to the tail of another of the levels 1, 6, 7; an extension, off by default."""
    row = find_waiting(queues, payments, sequence)
    answer = may_order(payments, row, by)
    if answer != _DONE:
        return answer
    if not is_hvps(level):
        return _LEVEL_CLOSED
    if not books[0].reprioritise:
        return _SWITCHED_OFF
    was_over_count, was_over_fen = books[0].is_over_count, books[0].is_over_fen
    remove(books, accounts, queues, owed, payments, row)
    payments[row].level = level
    append(books, accounts, queues, owed, payments, row, level)
    books[0].is_over_count, books[0].is_over_fen = was_over_count, was_over_fen
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _LEVEL_CHANGED, _ACCEPTED, level)
    wake(books, accounts, tools, by, _MOVE)
    cascade(books, accounts, queues, owed, payments, limits, tools, log, time_ms)
    return _DONE
