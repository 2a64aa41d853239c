"""The netting server's recorder: its log, its rounds and samples of it, until the result tables are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.netting_records import NET_LOG
from cnaps_sim.core.records import Records, joined
from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail_days import RoundKind

#: An instant that has not come.
NEVER: Final = -(2**63)
_WARNINGS: Final = (int(Act.CAP_WARNING_RAISED), int(Act.CAP_WARNING_CLEARED))


@dataclass
class Round:
    """A netting round (轧差场次): the net of each participant by row, and when SAPS posted it.

    number: from 1 over the run; date_index: its retail date; sent_ms: None while it is held
    settled_ms: NEVER where nothing is posted (yet)
    logged: entries about units in the log when it ended
    """

    number: int
    time_ms: int
    kind: RoundKind
    date_index: int
    nets: Any
    sent_ms: int | None
    settled_ms: Any
    logged: int


@dataclass
class NettingSample:
    """Positions and headroom of all participants at one instant (fen), and the outcomes counted so far."""

    time_ms: int
    position_fen: Any
    headroom_fen: Any
    waiting_count: int
    waiting_fen: int
    tallies: Any


@dataclass
class NettingRecorder:
    """What the netting server leaves behind.

    on_warning: told time, participant's row and whether the cap warning was raised
    """

    netting: Netting
    listeners: list[Callable[[Records], None]] = field(default_factory=list)
    on_warning: Callable[[int, int, bool], None] | None = None
    log: list[Records] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    samples: list[NettingSample] = field(default_factory=list)
    logged: int = 0

    def drain(self) -> None:
        """Take over the netting server's log since the last call."""
        log = self.netting.drain_log()
        for listen in self.listeners:
            listen(log)
        if not len(log):
            return
        is_warning = np.isin(log["act"], _WARNINGS)
        if is_warning.any():
            for entry in log[is_warning]:
                if self.on_warning is not None:
                    raised = entry["act"] == Act.CAP_WARNING_RAISED
                    self.on_warning(int(entry["time_ms"]), int(entry["unit"]), bool(raised))
            log = log[~is_warning]
        self.log.append(log)
        self.logged += len(log)

    def sample(self, time_ms: int) -> None:
        """Look at every position now."""
        desk = self.netting.netting[0]
        self.samples.append(
            NettingSample(
                int(time_ms),
                np.array(self.netting.positions["position"]),
                self.netting.headrooms(),
                int(desk["waiting_count"]),
                int(desk["waiting_fen"]),
                self.netting.tallies.copy(),
            )
        )

    def whole_log(self) -> Records:
        """All log entries about units, in order."""
        return joined(self.log, NET_LOG)
