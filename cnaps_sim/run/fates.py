"""Fates: every instruction of a run, and what the log of the books says became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.engine.recorder import Booking, Recorder
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.words.codes import Act, Cause, Level, MoveKind, Status, TransferKind
from cnaps_sim.workload.flow import Flow

#: The status that each final act of the books gives a payment.
STATUS_OF_ACT = {
    Act.SETTLED: Status.PR04,
    Act.REFUSED: Status.PR09,
    Act.RETURNED: Status.PR09,
    Act.CANCELLED: Status.PR08,
}


@dataclass
class Instructions:
    """Every instruction of the run by sequence: the workload's payments, then the central bank's bookings."""

    time_ms: Array
    debtor: Array
    creditor: Array
    amount: Array
    level: Array
    kind: Array  # code into TransferKind
    is_item: Array  # stands in the table of payments (loans, injections and moves do not)
    for_sequence: Array  # of moves: the payment covered, of repayments and interest the loan; NOBODY
    payment_ids: pa.Array

    @classmethod
    def gather(cls, flow: Flow, recorder: Recorder) -> Instructions:
        """Columns over all sequences: what the workload told, bookings, and what rules moved by themselves."""
        rows, bookings, moves = flow.rows, recorder.bookings, recorder.all_moves()
        count = len(rows) + len(bookings) + len(moves)
        kinds = list(TransferKind)
        of_booking = np.array([booking.sequence for booking in bookings], np.int64)
        of_move = moves["sequence"]

        def column(name: str, kind: Any, own: Any = None) -> Array:
            values = np.empty(count, kind)
            values[: len(rows)] = rows[name]
            values[of_booking] = np.array([getattr(booking, name) for booking in bookings], kind)
            values[of_move] = moves[name] if own is None else own
            return values

        kind = np.zeros(count, np.int8)
        kind[of_booking] = np.array([kinds.index(booking.kind) for booking in bookings], np.int8)
        kind[of_move] = np.array([0, *(kinds.index(move.transfer) for move in MoveKind)], np.int8)[moves["kind"]]
        is_item = np.zeros(count, np.bool_)
        is_item[: len(rows)] = True
        is_item[of_booking] = [booking.payment_id is not None for booking in bookings]
        for_sequence = np.full(count, NOBODY, np.int64)
        for_sequence[of_move] = moves["for_sequence"]
        return cls(
            time_ms=column("time_ms", np.int64),
            debtor=column("debtor", np.int32),
            creditor=column("creditor", np.int32),
            amount=column("amount", np.int64),
            level=column("level", np.int8, int(Level.ONE_SIDED)),
            kind=kind,
            is_item=is_item,
            for_sequence=for_sequence,
            payment_ids=_ids(flow, bookings, count),
        )


def _ids(flow: Flow, bookings: Sequence[Booking], count: int) -> pa.Array:
    """The id of every sequence; null for loans, injections and moves."""
    later: list[str | None] = [None] * (count - len(flow.rows))
    for booking in bookings:
        later[booking.sequence - len(flow.rows)] = booking.payment_id
    return pa.concat_arrays([flow.payment_ids.cast(pa.string()), pa.array(later, pa.string())])


@dataclass
class Fates:
    """What became of every instruction, read off the log."""

    submitted_ms: Array
    settled_ms: Array
    ended_ms: Array
    level: Array
    act: Array  # the final act, NONE while it waits
    refusal: Array
    cause: Array

    @classmethod
    def read(cls, told: Instructions, log: Records, recorder: Recorder) -> Fates:
        """Replay the log; a later entry about the same payment overrides an earlier one."""
        count = len(told.time_ms)
        fates = cls(
            submitted_ms=told.time_ms.copy(),
            settled_ms=np.full(count, NEVER),
            ended_ms=np.full(count, NEVER),
            level=told.level.copy(),
            act=np.zeros(count, np.int8),
            refusal=np.zeros(count, np.int8),
            cause=np.full(count, int(Cause.NONE), np.int64),
        )
        acts = np.ascontiguousarray(log["act"])
        for act in (Act.HELD, Act.SUBMITTED, Act.LEVEL_CHANGED):
            fates._note_passage(log[acts == act], act)
        for act in STATUS_OF_ACT:
            fates._note_end(log, np.flatnonzero(acts == act), act)
        for booking in recorder.bookings:
            if booking.original is not None and fates.act[booking.sequence] == Act.SETTLED:
                fates.ended_ms[booking.original] = fates.settled_ms[booking.sequence]
        return fates

    def _note_passage(self, entries: Records, act: Act) -> None:
        sequence = entries["sequence"]
        if act == Act.HELD:
            self.submitted_ms[sequence] = NEVER
        elif act == Act.SUBMITTED:
            self.submitted_ms[sequence] = entries["time_ms"]
        elif act == Act.LEVEL_CHANGED:
            self.level[sequence] = entries["level"]

    def _note_end(self, log: Records, rows: Array, act: Act) -> None:
        sequence, ended = log["sequence"][rows], log["time_ms"][rows]
        self.act[sequence] = int(act)
        self.ended_ms[sequence] = ended
        if act == Act.SETTLED:
            self.settled_ms[sequence] = ended
            self.cause[sequence] = log["cause"][rows]
        else:
            self.refusal[sequence] = log["refusal"][rows]
