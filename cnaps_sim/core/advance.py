"""Advance: all payments of the flows up to an instant, in one compiled call.

The flow of HVPS and that of the netting server go on together: whichever row comes first is next, of one millisecond
HVPS before retail. So no flow ever stands later than the other, and what one changes the other sees in time.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.netting import advance_units_here
from cnaps_sim.core.records import Records, Tools
from cnaps_sim.core.submission import submit_here
from cnaps_sim.words.codes import Act, Phase

_SETTLED: Final = int(Act.SETTLED)
_WINDOW: Final = int(Phase.CLEARING_WINDOW)


@rule
def is_cured(books: Records) -> bool:
    """In the clearing window: nothing waits any more and no account is overdrawn."""
    return books[0].phase == _WINDOW and books[0].waiting_count == 0 and books[0].overdrawn_count == 0  # type: ignore[no-any-return]


@rule
def advance(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    flow: Records,
    first: int,
    until_ms: int,
    first_sequence: int,
) -> int:
    """Submit the flow's rows from `first` on whose time is before `until_ms`; returns the next row.

    Stops early, after a whole cascade, when a watch line has been crossed or the clearing window is cured.
    The caller has made sure that the open table and the log have room (see `Books.make_room`).
    """
    row = first
    while row < flow.shape[0] and flow[row].time_ms < until_ms:
        payment = flow[row]
        act = submit_here(
            books, accounts, queues, owed, payments, limits, tools, log, payment.time_ms, first_sequence + row,
            int(payment.debtor), int(payment.creditor), payment.amount, int(payment.level), int(payment.refusal),
            payment.special,
        )  # fmt: skip
        row += 1
        if books[0].crossings > 0 or (act == _SETTLED and is_cured(books)):
            break
    return row


@rule
def advance_both(
    books: Records,
    accounts: Records,
    queues: Records,
    owed: Records,
    payments: Records,
    limits: Records,
    tools: Tools,
    log: Records,
    flow: Records,
    first: int,
    until_ms: int,
    first_sequence: int,
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    absences: Records,
    retail: Records,
    first_row: int,
    units_until_ms: int,
    first_unit: int,
) -> tuple[int, int]:
    """Submit both flows' rows in order of time; returns the next row of each.

    Payments of `flow` go up to `until_ms`, units of `retail` up to `units_until_ms`, which is no later; rows of `flow`
    that lie between the two come last. Stops early as `advance` does, also when a queued round net has been posted.
    """
    row, unit_row = first, first_row
    while True:
        due_ms = units_until_ms
        if row < flow.shape[0] and flow[row].time_ms < due_ms:
            due_ms = flow[row].time_ms
        unit_row = advance_units_here(
            netting, positions, units, net_log, tallies, absences, retail, unit_row, due_ms, first_unit
        )  # fmt: skip
        if netting[0].crossings > 0 or row == flow.shape[0] or flow[row].time_ms >= until_ms:
            break
        payment = flow[row]
        act = submit_here(
            books, accounts, queues, owed, payments, limits, tools, log, payment.time_ms, first_sequence + row,
            int(payment.debtor), int(payment.creditor), payment.amount, int(payment.level), int(payment.refusal),
            payment.special,
        )  # fmt: skip
        row += 1
        if books[0].crossings > 0 or books[0].nets_posted > 0 or (act == _SETTLED and is_cured(books)):
            break
    return row, unit_row
