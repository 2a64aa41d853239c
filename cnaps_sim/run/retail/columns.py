"""Retail columns: a chunk of the retail flow item by item, with what became of each item."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.records import Records, as_records
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.run.retail.fates import RetailFates
from cnaps_sim.words.codes import Act, Refusal, Status, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import RetailChunk

#: The systems whose items these are, in the order of their codes.
SYSTEMS: Final = (System.BEPS, System.IBPS)
#: Code of each kind's system.
SYSTEM_OF_KIND: Final = np.array([SYSTEMS.index(kind.system) for kind in RetailKind], np.int32)
#: The statuses in which a retail item can be, in the order of their codes.
STATUSES: Final = (
    Status.PR03, Status.PR09, Status.PR08, Status.PR21, Status.PR32, Status.PR11, Status.PR22, Status.PR23,
)  # fmt: skip
_STATUS_OF_ACT: Final = {
    Act.NETTED: Status.PR03,
    Act.REFUSED: Status.PR09,
    Act.CANCELLED: Status.PR08,
    Act.STOPPED: Status.PR21,
    Act.EXPIRED: Status.PR32,
    Act.QUEUED: Status.PR11,
    Act.OPEN: Status.PR11,
}
_CODE_OF_ACT: Final = np.array(
    [STATUSES.index(_STATUS_OF_ACT[act]) if act in _STATUS_OF_ACT else -1 for act in Act], np.int32
)
_STOPPED_CODE: Final = STATUSES.index(Status.PR21)
_NETTED: Final = int(Act.NETTED)
_REFUSED: Final = int(Act.REFUSED)
_STOPPED: Final = int(Act.STOPPED)
_EXPIRED: Final = int(Act.EXPIRED)
_OPEN: Final = int(Act.OPEN)
_IS_STOPPED: Final = int(Refusal.STOPPED)
_TIMED_OUT: Final = int(Refusal.TIMED_OUT)
_UNANSWERED: Final = int(Refusal.UNANSWERED)
#: Up to this one a refusal of a row was known when it was sent.
_LAST_KNOWN: Final = int(Refusal.OUT_OF_HOURS)
_NEVER: Final = int(NEVER)


@dataclass(frozen=True, eq=False)
class ItemColumns:
    """One value per item of a chunk, in order of item numbers.

    submitted_ms, netted_ms, ended_ms: ms of the run, NEVER where it has not come
    net_round:                         number of the round, 0 where it was not netted into one
    debtor, creditor:                  account rows
    kind, status, refusal:             codes: RetailKind, place in STATUSES, Refusal
    amounts:                           fen
    """

    chunk: RetailChunk
    submitted_ms: Array
    netted_ms: Array
    ended_ms: Array
    net_round: Array
    debtor: Array
    creditor: Array
    kind: Array
    status: Array
    refusal: Array
    amounts: Array

    @property
    def systems(self) -> Array:
        """Code of each item's system."""
        codes: Array = SYSTEM_OF_KIND[self.kind]
        return codes


_COLUMNS: Final = tuple(field.name for field in fields(ItemColumns))[1:]


def item_columns(chunk: RetailChunk, fates: RetailFates) -> ItemColumns:
    """A chunk item by item, with what became of each."""
    amounts = np.ascontiguousarray(chunk.amounts, np.int64)
    numbers, codes = np.empty((4, len(amounts)), np.int64), np.empty((5, len(amounts)), np.int32)
    rows, told = as_records(chunk.rows), as_records(fates.of(chunk))
    filled = unfold(rows, chunk.first_unit, told, fates.bounds, _CODE_OF_ACT, numbers, codes)
    assert filled == len(amounts), "a chunk has one amount per item"
    for one in fates.interventions_in(chunk):
        row = one.unit - chunk.first_unit
        first = int(chunk.rows["items"][:row].sum())
        last = first + int(chunk.rows["items"][row])
        items = slice(first, last) if one.item is None else slice(first + one.item, first + one.item + 1)
        if one.status is Status.PR21 and codes[3, items][0] != _STOPPED_CODE:
            continue  # by the time it came another rule refused it first
        numbers[2, items] = one.time_ms
        codes[3, items] = STATUSES.index(one.status)
    columns = dict(zip(_COLUMNS, [*numbers, *codes, amounts], strict=True))
    return ItemColumns(chunk, **columns)


@rule
def unfold(
    rows: Records, first_unit: int, fates: Records, bounds: Array, code_of_act: Array, numbers: Array, codes: Array
) -> int:
    """Fill the columns of a chunk's items in the order of `ItemColumns`; returns the number of items.

    A unit without a fate of its own ended when its row came: netted, or as the row's refusal says. One that was
    refused for what was known when it was sent ended then, which is not within the run if it came out of hours.
    """
    fate = 0
    ended_rounds = 0
    item = 0
    for row in range(rows.shape[0]):
        unit = rows[row]
        while ended_rounds < bounds.shape[0] and bounds[ended_rounds] <= unit.time_ms:
            ended_rounds += 1
        ended_ms = unit.time_ms
        refusal = int(unit.refusal)
        net_round = 0
        if refusal == 0:
            act = _NETTED
            net_round = ended_rounds + 1 if ended_rounds < bounds.shape[0] else 0
        elif refusal == _IS_STOPPED:
            act = _STOPPED
        elif refusal == _UNANSWERED:
            act = _OPEN
        else:
            act = _EXPIRED if refusal == _TIMED_OUT else _REFUSED
        if fate < fates.shape[0] and fates[fate].unit == first_unit + row:
            ended_ms = fates[fate].ended_ms
            act = int(fates[fate].act)
            refusal = int(fates[fate].refusal)
            net_round = fates[fate].net_round
            fate += 1
        if act == _REFUSED and 0 < unit.refusal <= _LAST_KNOWN:
            ended_ms = unit.time_ms - unit.lag_ms
        elif act == _OPEN:
            ended_ms = _NEVER
            refusal = 0
        netted_ms = ended_ms if act == _NETTED else _NEVER
        status = code_of_act[act]
        for _ in range(unit.items):
            numbers[0, item] = unit.time_ms - unit.lag_ms
            numbers[1, item] = netted_ms
            numbers[2, item] = ended_ms
            numbers[3, item] = net_round
            codes[0, item] = unit.debtor
            codes[1, item] = unit.creditor
            codes[2, item] = unit.kind
            codes[3, item] = status
            codes[4, item] = refusal
            item += 1
    return item
