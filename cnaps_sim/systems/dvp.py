"""DvP (券款对付): cash legs of bond trades (hvps.141), sent by CCDC from 09:00 to 17:00.

A leg queues at level 7 like any payment. One that is returned at the end of the day is a failed trade: the bonds do
not move either. Source: rule section "the settlement queue" (DvP cash legs).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Act, Level, Refusal
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import MS_PER_HOUR

#: Hours of the business date in which legs are taken.
OPENS_MS: Final = 9 * MS_PER_HOUR
CLOSES_MS: Final = 17 * MS_PER_HOUR
CODE: Final = BusinessType.BOND.code


def hold_legs_to_their_hours(rows: Records, is_leg: Any, days: Sequence[BusinessDay]) -> None:
    """Put the legs of a flow at level 7, and refuse those that come outside their hours (TM01)."""
    times = rows["time_ms"]
    in_hours = np.zeros(len(rows), np.bool_)
    for day in days:
        in_hours |= (times >= day.midnight_ms + OPENS_MS) & (times < day.midnight_ms + CLOSES_MS)
    rows["level"][is_leg] = Level.NORMAL
    rows["refusal"][is_leg & ~in_hours & (rows["refusal"] == Refusal.NONE)] = Refusal.OUT_OF_HOURS


class DvpTrades:
    """Tells which trades have failed because their cash leg was returned.

    is_leg: per sequence of the workload whether the payment is a leg; ids: their payment ids
    """

    def __init__(self, recorder: Recorder, is_leg: Any, ids: Any) -> None:
        self.recorder = recorder
        self._is_leg = is_leg
        self._ids = ids
        recorder.listeners.append(self._see_log)

    def _see_log(self, log: Records) -> None:
        for entry in log[log["act"] == Act.RETURNED]:
            sequence = int(entry["sequence"])
            if sequence < len(self._is_leg) and self._is_leg[sequence]:
                self.recorder.tell(
                    int(entry["time_ms"]), "failed_trade", self._ids[sequence].as_py(),
                    "its cash leg was returned at the end of the day: the bonds stay where they are",
                )  # fmt: skip
