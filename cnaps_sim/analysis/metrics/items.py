"""Recorded items of BEPS and IBPS, part by part: of a large table only one part is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import NONE, BoolArray, IntArray
from cnaps_sim.analysis.metrics.payments import REJECTED, RETAIL_SYSTEMS, Payments
from cnaps_sim.words.retail import RetailKind


def recorded_systems(run: Any) -> list[str]:
    """The retail systems whose items were recorded one by one."""
    record = (getattr(run, "scenario", None) or {}).get("record") or {}
    return [name for name in run.manifest.get("outcomes") or () if record.get(name) == "payments"]


def item_parts(run: Any) -> Iterator[Payments]:
    """The recorded items in order of their cap check, in parts."""
    systems = pa.array(RETAIL_SYSTEMS, pa.string())
    batches = getattr(run, "batches", None)
    for batch in [run.table("payments")] if batches is None else batches("payments"):
        part = batch.filter(pc.is_in(batch["system"].cast(pa.string()), systems))
        if part.num_rows:
            yield Payments("payments", part)


class CheckTimes:
    """When each item was checked against the cap (限额检查), from parts in order.

    The table tells it of all items but those that waited in the cap queue for a kind with a reply, since the instant of
    the reply is not kept. Items stand in order of their check: such a one was checked no earlier than the item
    before it, and that is the time it gets.
    """

    def __init__(self) -> None:
        self._last = NONE

    def of(self, items: Payments) -> IntArray:
        """The instants of one part, ms; `NONE` before the first that is known."""
        kind = items.codes("type")
        replies = [(found := RetailKind.of_code(str(label))) is not None and found.has_reply for label in kind.labels]
        has_reply = np.array([*replies, False], np.bool_)[kind.codes]
        at_once = np.where(items.outcome == REJECTED, items.numbers("ended_ms"), items.numbers("netted_ms"))
        known = np.where(items.waited, np.where(has_reply, NONE, items.submitted), at_once)
        running: IntArray = np.maximum.accumulate(np.concatenate(([self._last], known)))
        self._last = int(running[-1])
        return np.where(known == NONE, np.maximum(running[1:], np.where(items.waited, items.submitted, NONE)), known)


def over_cap(items: Payments) -> BoolArray:
    """Which items of kinds that cannot wait were refused for the net debit cap (RJ94)."""
    reason = items.codes("reason")
    for_cap = np.array([label == "RJ94" for label in reason.labels] + [False], np.bool_)[reason.codes]
    refused: BoolArray = for_cap & (items.outcome == REJECTED)
    return refused
