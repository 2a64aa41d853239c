"""The netting server (轧差服务器, NETS): BEPS and IBPS under one net debit cap per participant.

headroom = cap + position + unsettled. A unit (a package of BEPS, a payment of IBPS) is netted when its payer's
headroom covers it, which is final (PR03), long before money moves in SAPS. Short of headroom, real-time kinds are
rejected (RJ94); the others wait in the payer's cap queue, smallest first, and are retried whenever headroom rises.
Checking and netting are one act. Source: rule sections "BEPS" and "IBPS".
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.netting_heap import add, take
from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.words.codes import Act, Cause, Refusal
from cnaps_sim.words.retail import RetailKind

_NO_CAUSE: Final = int(Cause.NONE)
_NETTED: Final = int(Act.NETTED)
_QUEUED: Final = int(Act.QUEUED)
_REFUSED: Final = int(Act.REFUSED)
_STOPPED: Final = int(Act.STOPPED)
_EXPIRED: Final = int(Act.EXPIRED)
_OPEN: Final = int(Act.OPEN)
_RAISED: Final = int(Act.CAP_WARNING_RAISED)
_CLEARED: Final = int(Act.CAP_WARNING_CLEARED)
_ACCEPTED: Final = int(Refusal.NONE)
_NO_BOOK: Final = int(Refusal.NO_BOOK)
_CLOSED_ACCOUNT: Final = int(Refusal.CLOSED_ACCOUNT)
_SELF_PAYMENT: Final = int(Refusal.SELF_PAYMENT)
_AMOUNT: Final = int(Refusal.AMOUNT)
_OUT_OF_HOURS: Final = int(Refusal.OUT_OF_HOURS)
_LOGGED_OUT: Final = int(Refusal.LOGGED_OUT)
_PAYER_BANK: Final = int(Refusal.PAYER_BANK)
_PAYEE_BANK: Final = int(Refusal.PAYEE_BANK)
_TIMED_OUT: Final = int(Refusal.TIMED_OUT)
_IS_STOPPED: Final = int(Refusal.STOPPED)
_UNANSWERED: Final = int(Refusal.UNANSWERED)
_CAP: Final = int(Refusal.CAP)
#: Bit k is set for a kind k that is a debit, that waits for headroom, that the other bank answers.
_DEBITS: Final = sum(1 << kind for kind in RetailKind if kind.is_debit)
_QUEUES: Final = sum(1 << kind for kind in RetailKind if kind.queues)
_REPLIES: Final = sum(1 << kind for kind in RetailKind if kind.has_reply)


@clause
def headroom(participant: Records) -> int:
    """What a participant may still owe (fen): negative only after its cap was cut or its receipts were posted."""
    return participant.cap + participant.position + participant.unsettled  # type: ignore[no-any-return]


@clause
def write_net_log(
    netting: Records, net_log: Records, unit: int, time_ms: int, cause: int, act: int, refusal: int, kind: int
) -> None:
    """Append one entry; the caller has made sure that there is room."""
    entry = net_log[netting[0].log_count]
    entry.unit = unit
    entry.time_ms = time_ms
    entry.cause = cause
    entry.units_come = netting[0].units_come
    entry.act = act
    entry.refusal = refusal
    entry.kind = kind
    netting[0].log_count += 1


@clause
def tally(tallies: Records, kind: int, act: int, items: int, amount: int) -> None:
    """Count an outcome."""
    sums = tallies[kind, act]
    sums.units += 1
    sums.items += items
    sums.fen += amount


@clause
def watch_cap(netting: Records, positions: Records, net_log: Records, time_ms: int, row: int) -> None:
    """Raise or clear the participant's cap warning (限额预警) if its headroom has crossed the line."""
    participant = positions[row]
    below = headroom(participant) < participant.cap_line
    if below != participant.warned:
        participant.warned = below
        netting[0].crossings += 1
        write_net_log(netting, net_log, row, time_ms, _NO_CAUSE, _RAISED if below else _CLEARED, _ACCEPTED, 0)


@clause
def note_lowest_headroom(participant: Records) -> None:
    """Keep the lowest headroom of the run."""
    participant.lowest_headroom = min(participant.lowest_headroom, headroom(participant))


@clause
def count_in_positions(
    positions: Records, tallies: Records, debtor_row: int, creditor_row: int, amount: int, items: int, kind: int
) -> None:
    """Debit one position, credit the other."""
    debtor = positions[debtor_row]
    creditor = positions[creditor_row]
    debtor.position -= amount
    debtor.sent += amount
    debtor.sent_count += items
    creditor.position += amount
    creditor.received += amount
    creditor.received_count += items
    tally(tallies, kind, _NETTED, items, amount)


@clause
def wake_queue(netting: Records, positions: Records, row: int, cause: int) -> None:
    """Note that the participant's cap queue is worth a retry, and why; once in the chain is enough."""
    participant = positions[row]
    if participant.heap == NOBODY:
        return
    participant.woken_by = cause
    if participant.woken:
        return
    participant.woken = True
    participant.next_woken = NOBODY
    if netting[0].last_woken == NOBODY:
        netting[0].first_woken = row
    else:
        positions[netting[0].last_woken].next_woken = row
    netting[0].last_woken = row


@clause
def give_back_unit(netting: Records, units: Records, row: int) -> None:
    """The unit's wait is over: its row may be used again."""
    netting[0].waiting_count -= 1
    netting[0].waiting_fen -= units[row].amount
    units[row].waits = False
    units[row].next = netting[0].first_free
    netting[0].first_free = row
    netting[0].free_count += 1


@rule
def retry_queue(
    netting: Records, positions: Records, units: Records, net_log: Records, tallies: Records, time_ms: int, row: int
) -> None:
    """Net the participant's waiting units, smallest first, as far as its headroom reaches."""
    participant = positions[row]
    while participant.heap != NOBODY and units[participant.heap].amount <= headroom(participant):
        first = participant.heap
        unit = units[first]
        take(positions, units, first)
        if positions[unit.creditor].closed:
            tally(tallies, unit.kind, _REFUSED, unit.items, unit.amount)
            write_net_log(
                netting, net_log, unit.unit, time_ms, participant.woken_by, _REFUSED, _CLOSED_ACCOUNT, unit.kind
            )
        else:
            count_in_positions(positions, tallies, row, unit.creditor, unit.amount, unit.items, unit.kind)
            note_lowest_headroom(participant)
            write_net_log(netting, net_log, unit.unit, time_ms, participant.woken_by, _NETTED, _ACCEPTED, unit.kind)
            watch_cap(netting, positions, net_log, time_ms, row)
            watch_cap(netting, positions, net_log, time_ms, unit.creditor)
            wake_queue(netting, positions, unit.creditor, unit.unit)
        give_back_unit(netting, units, first)


@rule
def cascade_queues(
    netting: Records, positions: Records, units: Records, net_log: Records, tallies: Records, time_ms: int
) -> None:
    """Retry the cap queues of all woken participants, first woken first."""
    while netting[0].first_woken != NOBODY:
        row = netting[0].first_woken
        netting[0].first_woken = positions[row].next_woken
        if netting[0].first_woken == NOBODY:
            netting[0].last_woken = NOBODY
        positions[row].woken = False
        retry_queue(netting, positions, units, net_log, tallies, time_ms, row)


@rule
def was_logged_in(positions: Records, absences: Records, row: int, instant_ms: int) -> bool:
    """Whether a participant was logged in at an instant, up to the present one.

    An absence covers the instant in which it begins, not the one in which it ends.
    """
    at = positions[row].last_absence
    while at != NOBODY:
        if instant_ms >= absences[at].until_ms:
            return True
        if instant_ms >= absences[at].from_ms:
            return False
        at = absences[at].previous
    return True


@clause
def find_retail_refusal(
    positions: Records,
    absences: Records,
    debtor_row: int,
    creditor_row: int,
    kind: int,
    refusal: int,
    submitted_ms: int,
) -> int:
    """The first rule in order of precedence that refuses the unit, the cap apart; none: it may be netted.

    A unit that was stopped before it came stays so. The bank that starts it must have been logged in when it submitted
    it (`submitted_ms`), the bank that answers must be so now, when its answer comes.
    """
    debtor = positions[debtor_row]
    creditor = positions[creditor_row]
    if _ACCEPTED < refusal <= _NO_BOOK or refusal == _IS_STOPPED:
        return refusal
    if debtor.closed or creditor.closed:
        return _CLOSED_ACCOUNT
    if debtor_row == creditor_row:
        return _SELF_PAYMENT
    if refusal == _AMOUNT or refusal == _OUT_OF_HOURS:
        return refusal
    if debtor.last_absence == NOBODY and creditor.last_absence == NOBODY:
        return refusal
    is_debit = (_DEBITS >> kind) & 1 == 1
    initiator_row = creditor_row if is_debit else debtor_row
    if not was_logged_in(positions, absences, initiator_row, submitted_ms):
        return _LOGGED_OUT
    answers = debtor.logged_in if is_debit else creditor.logged_in
    its_answer = refusal == _ACCEPTED or refusal == (_PAYER_BANK if is_debit else _PAYEE_BANK)
    if its_answer and (_REPLIES >> kind) & 1 == 1 and not answers:
        return _TIMED_OUT  # the bank that should say yes or no is the one that is logged out
    return refusal


@clause
def act_of_refusal(refusal: int) -> int:
    """What becomes of a unit that is not netted for this reason."""
    if refusal == _IS_STOPPED:
        return _STOPPED
    if refusal == _UNANSWERED:
        return _OPEN
    return _EXPIRED if refusal == _TIMED_OUT else _REFUSED


@rule
def queue_for_cap(
    netting: Records,
    positions: Records,
    units: Records,
    time_ms: int,
    unit_number: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    items: int,
    kind: int,
) -> None:
    """Copy the unit into the table of waiting units, in its payer's cap queue."""
    desk = netting[0]
    row = desk.first_free
    assert row != NOBODY
    desk.first_free = units[row].next
    desk.free_count -= 1
    unit = units[row]
    unit.unit = unit_number
    unit.amount = amount
    unit.time_ms = time_ms
    unit.debtor = debtor_row
    unit.creditor = creditor_row
    unit.items = items
    unit.kind = kind
    unit.waits = True
    add(positions, units, row)
    desk.waiting_count += 1
    desk.waiting_fen += amount
    desk.peak_waiting_count = max(desk.peak_waiting_count, desk.waiting_count)
    desk.peak_waiting_fen = max(desk.peak_waiting_fen, desk.waiting_fen)


@clause
def submit_unit_here(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    absences: Records,
    time_ms: int,
    unit: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    items: int,
    kind: int,
    refusal: int,
    lag_ms: int,
) -> int:
    """A unit comes to its cap check: netted, queued or refused (`codes.Act`). The body of `submit_unit`."""
    netting[0].units_come += 1
    refused = find_retail_refusal(positions, absences, debtor_row, creditor_row, kind, refusal, time_ms - lag_ms)
    if refused == _ACCEPTED and amount <= headroom(positions[debtor_row]):
        count_in_positions(positions, tallies, debtor_row, creditor_row, amount, items, kind)
        note_lowest_headroom(positions[debtor_row])
        if netting[0].log_all:
            write_net_log(netting, net_log, unit, time_ms, _NO_CAUSE, _NETTED, _ACCEPTED, kind)
        watch_cap(netting, positions, net_log, time_ms, debtor_row)
        watch_cap(netting, positions, net_log, time_ms, creditor_row)
        wake_queue(netting, positions, creditor_row, unit)
        if netting[0].first_woken != NOBODY:
            cascade_queues(netting, positions, units, net_log, tallies, time_ms)
        return _NETTED
    if refused == _ACCEPTED and (_QUEUES >> kind) & 1 == 1:
        queue_for_cap(netting, positions, units, time_ms, unit, debtor_row, creditor_row, amount, items, kind)
        tally(tallies, kind, _QUEUED, items, amount)
        write_net_log(netting, net_log, unit, time_ms, _NO_CAUSE, _QUEUED, _ACCEPTED, kind)
        return _QUEUED
    if refused == _ACCEPTED:
        refused = _CAP
    act = act_of_refusal(refused)
    tally(tallies, kind, act, items, amount)
    if refused != refusal or netting[0].log_all:
        write_net_log(netting, net_log, unit, time_ms, _NO_CAUSE, act, refused, kind)
    return act


@rule
def submit_unit(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    absences: Records,
    time_ms: int,
    unit: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    items: int,
    kind: int,
    refusal: int,
    lag_ms: int,
) -> int:
    """A unit that was submitted `lag_ms` ago comes to its cap check: netted, queued or refused (`codes.Act`)."""
    assert amount > 0
    assert items > 0
    return submit_unit_here(
        netting, positions, units, net_log, tallies, absences, time_ms, unit, debtor_row, creditor_row, amount, items,
        kind, refusal, lag_ms,
    )  # fmt: skip


@clause
def advance_units_here(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    absences: Records,
    retail: Records,
    first: int,
    until_ms: int,
    first_unit: int,
) -> int:
    """The body of `advance_units`."""
    row = first
    while row < retail.shape[0] and retail[row].time_ms < until_ms:
        unit = retail[row]
        assert unit.amount > 0
        submit_unit_here(
            netting, positions, units, net_log, tallies, absences, unit.time_ms, first_unit + row, int(unit.debtor),
            int(unit.creditor), unit.amount, int(unit.items), int(unit.kind), int(unit.refusal), unit.lag_ms,
        )  # fmt: skip
        row += 1
        if netting[0].crossings > 0:
            break
    return row


@rule
def advance_units(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    absences: Records,
    retail: Records,
    first: int,
    until_ms: int,
    first_unit: int,
) -> int:
    """Net the rows of a retail flow from `first` on whose time is before `until_ms`; returns the next row.

    Stops early, after a whole cascade, when a watch line has been crossed. The caller has made sure of room.
    """
    return advance_units_here(
        netting, positions, units, net_log, tallies, absences, retail, first, until_ms, first_unit
    )  # fmt: skip
