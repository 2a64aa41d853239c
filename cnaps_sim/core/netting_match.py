"""Matching of the cap queues (轧差排队撮合): a deadlock of business (业务死锁) is released by netting a set together.

Of every payer the smallest units, in the order of its queue. All units are tried; while a participant would be short,
the last of its units is dropped. What remains is the largest such set, whatever the order of dropping, because
dropping a unit never helps anybody but its payer (the argument of FIFO-multilateral matching: M. L. Bech and
K. Soramäki (2002), Liquidity, gridlocks and bank failures in large value payment systems).
"""

from __future__ import annotations

from typing import Any, Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.netting import (
    cascade_queues,
    count_in_positions,
    give_back_unit,
    headroom,
    note_lowest_headroom,
    wake_queue,
    watch_cap,
    write_net_log,
)
from cnaps_sim.core.netting_heap import take
from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Refusal

_NETTED: Final = int(Act.NETTED)
_ACCEPTED: Final = int(Refusal.NONE)


@rule
def choose(positions: Records, units: Records, order: Any, ends: Any, funds: Any, short: Any) -> None:
    """Drop units until every participant is funded.

    order: rows of the considered units, by payer in row order, each payer's in queue order
    ends:  per participant where its part of `order` begins, and one more for the end of the last; afterwards
           `short[p]` is where the kept part of p ends
    funds: room, one int64 a participant; short: room, one int64 a participant
    """
    count = positions.shape[0]
    for row in range(count):
        funds[row] = headroom(positions[row])
        short[row] = ends[row + 1]
    for place in range(order.shape[0]):
        unit = units[order[place]]
        funds[unit.debtor] -= unit.amount
        funds[unit.creditor] += unit.amount
    dropped = True
    while dropped:
        dropped = False
        for row in range(count):
            while funds[row] < 0 and short[row] > ends[row]:
                short[row] -= 1
                unit = units[order[short[row]]]
                funds[row] += unit.amount
                funds[unit.creditor] -= unit.amount
                dropped = True


@rule
def net_together(
    netting: Records,
    positions: Records,
    units: Records,
    net_log: Records,
    tallies: Records,
    order: Any,
    ends: Any,
    short: Any,
    touched: Any,
    time_ms: int,
    number: int,
) -> int:
    """Net the kept units, then look at everybody touched (bit 0: took part, bit 1: received). Returns their fen."""
    cause = MATCHING_CAUSE - number
    fen = 0
    for row in range(positions.shape[0]):
        for place in range(ends[row], short[row]):
            unit = units[order[place]]
            take(positions, units, order[place])
            count_in_positions(positions, tallies, row, unit.creditor, unit.amount, unit.items, unit.kind)
            write_net_log(netting, net_log, unit.unit, time_ms, cause, _NETTED, _ACCEPTED, unit.kind)
            touched[row] |= 1
            touched[unit.creditor] |= 3
            fen += unit.amount
            give_back_unit(netting, units, order[place])
    for row in range(positions.shape[0]):
        if touched[row] != 0:
            note_lowest_headroom(positions[row])
            watch_cap(netting, positions, net_log, time_ms, row)
    for row in range(positions.shape[0]):
        if touched[row] >= 2:
            wake_queue(netting, positions, row, cause)
    if netting[0].first_woken != NOBODY:
        cascade_queues(netting, positions, units, net_log, tallies, time_ms)
    return fen
