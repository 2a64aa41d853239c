"""Terms of the netting server: caps, watch lines, rounds, cancellations.

A round (场次) moves positions into `unsettled`, where they go on using the cap until SAPS has posted the net: headroom
does not jump at a round, and nobody's netting takes it over its cap, however long a holiday. Headroom falls below zero
only by a cut of the cap, or when SAPS has posted what a participant received while its own debit still waits there.
"""

from __future__ import annotations

from typing import Any, Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.netting import (
    cascade_queues,
    give_back_unit,
    note_lowest_headroom,
    tally,
    wake_queue,
    watch_cap,
    write_net_log,
)
from cnaps_sim.core.netting_heap import take
from cnaps_sim.core.netting_records import FOREVER_MS
from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.words.codes import Act, Answer, Cause, Refusal
from cnaps_sim.words.retail import RetailKind

_NO_CAUSE: Final = int(Cause.NONE)
_LIMIT: Final = int(Cause.LIMIT)
_ROUND: Final = int(Cause.ROUND)
_CANCELLED: Final = int(Act.CANCELLED)
_STOPPED: Final = int(Act.STOPPED)
_ACCEPTED: Final = int(Refusal.NONE)
_QUEUE_CLOSED: Final = int(Refusal.CAP_QUEUE_CLOSED)
_IS_STOPPED: Final = int(Refusal.STOPPED)
_DONE: Final = int(Answer.DONE)
_NOT_WAITING: Final = int(Answer.NOT_WAITING)
_NOT_OWN: Final = int(Answer.NOT_OWN)
_DEBITS: Final = sum(1 << kind for kind in RetailKind if kind.is_debit)


@rule
def set_cap(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    time_ms: int,
    row: int,
    cap: int,
) -> None:
    """The net debit cap (净借记限额) becomes `cap` fen, by force: headroom may fall below zero."""
    positions[row].cap = cap
    note_lowest_headroom(positions[row])
    watch_cap(netting, positions, net_log, time_ms, row)
    wake_queue(netting, positions, row, _LIMIT)
    cascade_queues(netting, positions, units, net_log, tallies, time_ms)


@rule
def set_cap_line(netting: Records, positions: Records, net_log: Records, time_ms: int, row: int, line: int) -> None:
    """The participant is warned while its headroom is below `line` fen."""
    positions[row].cap_line = line
    watch_cap(netting, positions, net_log, time_ms, row)


@rule
def set_logged_in(
    netting: Records, positions: Records, absences: Records, time_ms: int, row: int, logged_in: bool
) -> None:
    """The participant logs in or out; the caller has made sure that there is room for one absence more."""
    participant = positions[row]
    if logged_in == participant.logged_in:
        return
    participant.logged_in = logged_in
    if logged_in:
        absences[participant.last_absence].until_ms = time_ms
        return
    at = netting[0].absence_count
    netting[0].absence_count += 1
    absence = absences[at]
    absence.participant = row
    absence.from_ms = time_ms
    absence.until_ms = FOREVER_MS
    absence.previous = participant.last_absence
    participant.last_absence = at


@rule
def nets_posted(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    time_ms: int,
    rows: Any,
    nets: Any,
    caps: Any,
) -> None:
    """SAPS has posted round nets of participants (fen, positive = received): they no longer use the caps.

    All are taken off before anybody's queue is retried: an older net that was owed may not free what a younger one
    that was received still covers.

    rows: participants in row order, each once; nets: the sum of each one's nets
    caps: what each one's cap is from now on; a debit that used the earmark has lowered it
    """
    for place in range(rows.shape[0]):
        positions[rows[place]].unsettled -= nets[place]
        positions[rows[place]].cap = caps[place]
    for place in range(rows.shape[0]):
        note_lowest_headroom(positions[rows[place]])
        watch_cap(netting, positions, net_log, time_ms, rows[place])
        wake_queue(netting, positions, rows[place], _ROUND)
    cascade_queues(netting, positions, units, net_log, tallies, time_ms)


@rule
def close_round(positions: Records, nets: Any) -> None:
    """End a round: `nets[p]` becomes each participant's position, which moves into `unsettled`."""
    total = 0
    for row in range(positions.shape[0]):
        net = positions[row].position
        nets[row] = net
        positions[row].unsettled += net
        positions[row].position = 0
        total += net
    assert total == 0


@rule
def _withdraw_row(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    time_ms: int,
    row: int,
    act: int,
    refusal: int,
) -> None:
    unit = units[row]
    take(positions, units, row)
    tally(tallies, unit.kind, act, unit.items, unit.amount)
    write_net_log(netting, net_log, unit.unit, time_ms, _NO_CAUSE, act, refusal, unit.kind)
    give_back_unit(netting, units, row)


@rule
def cancel_unit(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    time_ms: int,
    unit_number: int,
    by: int,
    stop: bool,
) -> int:
    """Its initiator withdraws a waiting unit, whole, or stops it; the others wait on, for it used no headroom."""
    row = 0
    while row < units.shape[0] and not (units[row].waits and units[row].unit == unit_number):
        row += 1
    if row == units.shape[0]:
        return _NOT_WAITING
    unit = units[row]
    initiator = unit.creditor if (_DEBITS >> int(unit.kind)) & 1 == 1 else unit.debtor
    if initiator != by:
        return _NOT_OWN
    act = _STOPPED if stop else _CANCELLED
    refusal = _IS_STOPPED if stop else _ACCEPTED
    _withdraw_row(netting, positions, units, net_log, tallies, time_ms, row, act, refusal)
    return _DONE


@rule
def cancel_queue(
    netting: Records, positions: Records, units: Records, net_log: Records, tallies: Records, time_ms: int
) -> None:
    """The date switch (日切): what still waits is cancelled, participants in row order, smallest first."""
    for participant in range(positions.shape[0]):
        while positions[participant].heap != NOBODY:
            _withdraw_row(
                netting, positions, units, net_log, tallies, time_ms, positions[participant].heap, _CANCELLED,
                _QUEUE_CLOSED,
            )  # fmt: skip
