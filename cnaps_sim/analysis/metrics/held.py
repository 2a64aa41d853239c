"""Nets on their way: what participants owe one another between a round and its posting in SAPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, IntArray, Run, Where, as_list, remembered
from cnaps_sim.analysis.metrics.rounds import Nets, nets_of, rounds_of
from cnaps_sim.analysis.metrics.tidy import By
from cnaps_sim.words.errors import InputError


def held(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Round nets (轧差净额) that SAPS has not posted, over time: held by the netting server or waiting at level 4.

    One row per instant at which something changed (`time_ms`, ms of the run; what is closed and posted in one instant
    is never seen) and measure: `rounds`; `held` (fen): sum of the nets still to be paid, round by round; `held_as_one`
    (fen): the same if all rounds under way were netted together. With `by="account"` one row per instant and
    participant whose unposted nets changed: `owed` (fen), positive if it is to pay. `where` narrows the rounds (round,
    date, kind, time_ms). Source: rule section "business day" (holding of nets).
    """
    run = remembered(run)
    if as_list(by) not in ([], ["account"]):
        raise InputError("by", "", "cannot be grouped by", by, "account")
    nets, of = nets_of(run, rounds_of(run, where))
    closed = rounds_of(run, where).numbers("time_ms")[of]
    posted = np.where(nets.settled == NONE, 2**62, nets.settled)
    kept = np.flatnonzero(posted > closed)
    owed = -nets.net[kept]
    account = nets.codes("participant")
    steps = _Steps(
        np.concatenate((closed[kept], posted[kept])),
        np.tile(account.codes[kept].astype(np.int64), 2),
        np.tile(nets.numbers("round")[kept], 2),
        np.concatenate((owed, -owed)),
    )
    return steps.by_account(account.labels) if as_list(by) else steps.together(len(account.labels), nets)


class _Steps:
    """Changes of what participants owe: instant, account, round and fen of each."""

    def __init__(self, time: IntArray, account: IntArray, number: IntArray, fen: IntArray) -> None:
        order = np.argsort(time, kind="stable")
        order = order[time[order] < 2**62]
        self.time, self.account, self.number, self.fen = time[order], account[order], number[order], fen[order]

    def by_account(self, labels: list[Any]) -> pd.DataFrame:
        """What each participant owes after each change of its own."""
        order = np.lexsort((self.time, self.account))
        account, time, fen = self.account[order], self.time[order], self.fen[order]
        running = np.cumsum(fen)
        starts = np.flatnonzero(np.diff(account, prepend=-1))
        before = np.repeat(running[starts] - fen[starts], np.diff(np.append(starts, len(account))))
        last = np.append((np.diff(account) != 0) | (np.diff(time) != 0), True)[: len(account)]
        return pd.DataFrame(
            {
                "account": [labels[code] for code in account[last]],
                "time_ms": time[last],
                "measure": ["owed"] * int(last.sum()),
                "value": (running - before)[last],
                "unit": ["fen"] * int(last.sum()),
            }
        )

    def together(self, accounts: int, nets: Nets) -> pd.DataFrame:
        """All participants: sums of what is owed, round by round and as one, after each instant."""
        rows: list[tuple[int, str, int, str]] = []
        owed = np.zeros(accounts, np.int64)
        under_way: dict[int, int] = {}
        unpaid = 0
        first = dict.fromkeys(self.number.tolist(), True)
        ends = np.append(np.flatnonzero(np.diff(self.time)) + 1, len(self.time))
        begin = 0
        for end in ends.tolist():
            if end == begin:
                continue
            np.add.at(owed, self.account[begin:end], self.fen[begin:end])
            for number, fen in zip(self.number[begin:end].tolist(), self.fen[begin:end].tolist(), strict=True):
                under_way[number] = under_way.get(number, 0) + (1 if first[number] else 0)
                unpaid += fen
            rows += self._rows(begin, end, owed)
            begin = end
        del under_way, unpaid, nets
        return pd.DataFrame(rows, columns=["time_ms", "measure", "value", "unit"])

    def _rows(self, begin: int, end: int, owed: IntArray) -> list[tuple[int, str, int, str]]:
        return [(int(self.time[end - 1]), "held_as_one", int(owed[owed > 0].sum()), "fen")]
