"""Fates: every instruction of a run, and what the log of the books says became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import Records
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.words.codes import Act, Cause, Status, TransferKind
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
    is_item: Array  # stands in the table of payments (loans and injections do not)
    payment_ids: pa.Array

    @classmethod
    def gather(cls, flow: Flow, recorder: Recorder) -> Instructions:
        """Columns over all sequences."""
        rows, bookings = flow.rows, recorder.bookings
        kinds = list(TransferKind)

        def column(name: str, of_bookings: list[Any], kind: Any) -> Array:
            return np.concatenate([rows[name].astype(kind), np.array(of_bookings, kind)])

        return cls(
            time_ms=column("time_ms", [b.time_ms for b in bookings], np.int64),
            debtor=column("debtor", [b.debtor for b in bookings], np.int32),
            creditor=column("creditor", [b.creditor for b in bookings], np.int32),
            amount=column("amount", [b.amount for b in bookings], np.int64),
            level=column("level", [b.level for b in bookings], np.int8),
            kind=np.concatenate(
                [np.zeros(len(rows), np.int8), np.array([kinds.index(b.kind) for b in bookings], np.int8)]
            ),
            is_item=np.concatenate(
                [np.ones(len(rows), np.bool_), np.array([b.payment_id is not None for b in bookings], np.bool_)]
            ),
            payment_ids=pa.concat_arrays(
                [flow.payment_ids.cast(pa.string()), pa.array([b.payment_id for b in bookings], pa.string())]
            ),
        )


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
