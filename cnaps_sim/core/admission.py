"""Admission: what becomes of a payment when it arrives: settled, queued or refused, in one act.

Precedence of refusals: format, duplicate, unknown or closed account, self-payment, amount, phase, credit
control, then funds (which only the discipline REJECT turns into a refusal).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.covering import can_be_covered, cover, has_cover, needs_cover
from cnaps_sim.core.funds import available, is_held, is_hvps, movable_levels
from cnaps_sim.core.limits import count_in_limits, is_within_limit
from cnaps_sim.core.posting import post, write_log
from cnaps_sim.core.queue import append, note_peaks, take_free_row, watch_growth
from cnaps_sim.core.records import Records, Tools
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Act, Cause, Discipline, Level, Life, Phase, Refusal

_NO_CAUSE: Final = int(Cause.NONE)
_SETTLED: Final = int(Act.SETTLED)
_QUEUED: Final = int(Act.QUEUED)
_REFUSED: Final = int(Act.REFUSED)
_BYPASS: Final = int(Discipline.BYPASS)
_REJECT: Final = int(Discipline.REJECT)
_DAYTIME: Final = int(Phase.DAYTIME)
_CUT_OFF: Final = int(Phase.CUT_OFF)
_WINDOW: Final = int(Phase.CLEARING_WINDOW)
_SAME_CITY: Final = int(Level.SAME_CITY_NET)
_ROUND_NET: Final = int(Level.ROUND_NET)
_TO_OPEN: Final = int(Life.TO_OPEN)
_CLOSED: Final = int(Life.CLOSED)
_ACCEPTED: Final = int(Refusal.NONE)
_NO_BOOK: Final = int(Refusal.NO_BOOK)
_CLOSED_ACCOUNT: Final = int(Refusal.CLOSED_ACCOUNT)
_SELF_PAYMENT: Final = int(Refusal.SELF_PAYMENT)
_OUT_OF_HOURS: Final = int(Refusal.OUT_OF_HOURS)
_LOGGED_OUT: Final = int(Refusal.LOGGED_OUT)
_CREDIT_CONTROL: Final = int(Refusal.CREDIT_CONTROL)
_DEBIT_CONTROL: Final = int(Refusal.DEBIT_CONTROL)
_FUNDS: Final = int(Refusal.FUNDS)


@clause
def refuses_credit(creditor: Records, level: int) -> int:
    """The refusal that a credit to this account would meet at `level`, or none (贷记控制, closed accounts)."""
    if creditor.life == _CLOSED or creditor.life == _TO_OPEN:
        return _CLOSED_ACCOUNT
    if creditor.credit_control and is_hvps(level):
        return _CREDIT_CONTROL
    return _ACCEPTED


@clause
def is_blocked(books: Records, debtor: Records, level: int) -> bool:
    """Whether a waiting payment stands in front of one that arrives at `level`."""
    movable = movable_levels(debtor)
    if movable == 0:
        return False
    if movable & ((1 << level) - 1):
        return True
    return books[0].discipline != _BYPASS and (movable >> level) & 1 == 1  # type: ignore[no-any-return]


@clause
def stands_first(debtor: Records, level: int) -> bool:
    """Whether nothing that could go waits at the level of an arrival or above; only then is it covered."""
    return movable_levels(debtor) & ((2 << level) - 1) == 0


@clause
def can_settle(
    books: Records, accounts: Records, limits: Records, tools: Tools, debtor_row: int, creditor_row: int, level: int,
    amount: int,
) -> bool:  # fmt: skip
    """Nothing stands in front, no control holds it, its limits allow it, and it is or can be funded."""
    debtor = accounts[debtor_row]
    if is_held(debtor, level) or is_blocked(books, debtor, level):
        return False
    if not is_within_limit(accounts, limits, debtor_row, creditor_row, amount, level):
        return False
    if available(books[0].phase, debtor, level) >= amount:
        return True
    if not has_cover(debtor) or not stands_first(debtor, level):
        return False
    return can_be_covered(accounts, tools, debtor_row, level, amount)  # type: ignore[no-any-return]


@clause
def is_out_of_hours(
    books: Records, accounts: Records, limits: Records, tools: Tools, debtor_row: int, creditor_row: int, level: int,
    amount: int, special: bool,
) -> bool:  # fmt: skip
    """Whether the phase of the business day refuses the payment.

    Daytime takes all (a special session only CIPS funding and interbank lending); the clearing window takes
    only payments that fund a short account and can settle at once. The central bank books in any open phase, but sends
    no nets in a special session.
    """
    phase = books[0].phase
    if not is_hvps(level):
        if phase == _DAYTIME and books[0].special_session:
            return level == _SAME_CITY or level == _ROUND_NET
        return phase != _DAYTIME and phase != _CUT_OFF and phase != _WINDOW  # type: ignore[no-any-return]
    if phase == _DAYTIME:
        return books[0].special_session and not special  # type: ignore[no-any-return]
    if phase != _WINDOW:
        return True
    creditor = accounts[creditor_row]
    is_short = creditor.balance < 0 or creditor.waiting_levels != 0
    return not is_short or not can_settle(books, accounts, limits, tools, debtor_row, creditor_row, level, amount)


@clause
def find_refusal(
    books: Records, accounts: Records, limits: Records, tools: Tools, debtor_row: int, creditor_row: int, level: int,
    amount: int, refusal: int, special: bool,
) -> int:  # fmt: skip
    """The first rule in order of precedence that refuses the payment on arrival, funds apart."""
    debtor = accounts[debtor_row]
    creditor = accounts[creditor_row]
    if _ACCEPTED < refusal <= _NO_BOOK:
        return refusal
    if debtor.life == _CLOSED or debtor.life == _TO_OPEN or creditor.life == _CLOSED or creditor.life == _TO_OPEN:
        return _CLOSED_ACCOUNT
    if debtor_row == creditor_row:
        return _SELF_PAYMENT
    if refusal != _ACCEPTED:
        return refusal
    if is_out_of_hours(books, accounts, limits, tools, debtor_row, creditor_row, level, amount, special):
        return _OUT_OF_HOURS
    if not debtor.logged_in and is_hvps(level):
        return _LOGGED_OUT
    return refuses_credit(creditor, level)


@rule
def stand_in_line(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    time_ms: int,
    sequence: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    level: int,
    at_level: int,
    refusal: int,
    special: bool,
) -> None:
    """Copy the payment into the open table, at the tail of a queue (or of the outbox)."""
    row = take_free_row(books, payments)
    payment = payments[row]
    payment.sequence = sequence
    payment.amount = amount
    payment.submitted_ms = time_ms
    payment.debtor = debtor_row
    payment.creditor = creditor_row
    payment.level = level
    payment.refusal = refusal
    payment.special = special
    payment.locked = False
    append(books, accounts, queues, owed, payments, row, at_level)


@clause
def admit_here(
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
    """Settle the payment, queue it or refuse it; the caller serves whom that wakes. Returns `codes.Act`."""
    refused = find_refusal(
        books, accounts, limits, tools, debtor_row, creditor_row, level, amount, refusal, special
    )  # fmt: skip
    if refused == _ACCEPTED:
        if can_settle(books, accounts, limits, tools, debtor_row, creditor_row, level, amount):
            debtor = accounts[debtor_row]
            if needs_cover(debtor, level, amount) and stands_first(debtor, level):
                cover(books, accounts, tools, log, time_ms, sequence, debtor_row, level, amount)
            post(books, accounts, log, time_ms, sequence, debtor_row, creditor_row, amount, level, _NO_CAUSE)
            count_in_limits(accounts, limits, debtor_row, creditor_row, amount, level)
            wake(books, accounts, tools, creditor_row, sequence)
            return _SETTLED
        if books[0].discipline != _REJECT or not is_hvps(level):
            stand_in_line(
                books, accounts, queues, owed, payments, time_ms, sequence, debtor_row, creditor_row,
                amount, level, level, _ACCEPTED, special,
            )  # fmt: skip
            note_peaks(books)
            watch_growth(books)
            write_log(books, log, sequence, time_ms, _NO_CAUSE, _QUEUED, _ACCEPTED, level)
            return _QUEUED
        refused = _DEBIT_CONTROL if is_held(accounts[debtor_row], level) else _FUNDS
    write_log(books, log, sequence, time_ms, _NO_CAUSE, _REFUSED, refused, level)
    return _REFUSED


@rule
def admit(
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
    """The same as one call, for rules that admit few."""
    return admit_here(
        books, accounts, queues, owed, payments, limits, tools, log, time_ms, sequence, debtor_row, creditor_row,
        amount, level, refusal, special,
    )  # fmt: skip


@clause
def look_if_queued(books: Records) -> None:
    """Where matching is continuous the clock looks after every payment that finds or leaves something queued."""
    if books[0].stop_when_queued and books[0].normal_waiting_count > 0:
        books[0].crossings += 1
