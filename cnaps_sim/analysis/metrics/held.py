"""Nets on their way: what participants owe one another between a round and its posting in SAPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, IntArray, Run, Where, as_list, remembered
from cnaps_sim.analysis.metrics.rounds import nets_of, rounds_of
from cnaps_sim.analysis.metrics.tidy import By
from cnaps_sim.words.errors import InputError


def held(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Round nets (轧差净额) that SAPS has not posted, over time: held by the netting server or waiting at level 4.

    One row per instant at which something changed (`time_ms`, ms of the run) and measure: `held` (fen): what is still
    to be paid, added up round by round; `held_as_one` (fen): the same if all rounds under way were netted together.
    `by="account"`: per instant and participant with such a net `owed` (fen), positive if it is to pay. What is closed
    and posted in one instant is not there. `where` narrows the rounds (round, date, kind, time_ms).
    Source: rule section "business day" (nets of nights, weekends and holidays are held).
    """
    run = remembered(run)
    if as_list(by) not in ([], ["account"]):
        raise InputError("by", "", "cannot be grouped by", by, "account")
    rounds = rounds_of(run, where)
    nets, of = nets_of(run, rounds)
    closed = rounds.numbers("time_ms")[of]
    kept = np.flatnonzero((nets.settled == NONE) | (nets.settled > closed))
    posted = nets.settled[kept]
    account = nets.codes("participant")
    owed = -nets.net[kept]
    instants = np.unique(np.concatenate((closed[kept], posted[posted != NONE])))
    columns = account.codes[kept].astype(np.int64)
    change = np.zeros((len(instants), len(account.labels)), np.int64)
    unpaid = np.zeros(len(instants), np.int64)
    for time, sign in ((closed[kept], 1), (posted, -1)):
        known = time != NONE
        place = np.searchsorted(instants, time[known])
        np.add.at(change, (place, columns[known]), sign * owed[known])
        np.add.at(unpaid, place, sign * np.maximum(owed[known], 0))
    running = change.cumsum(axis=0)
    if as_list(by):
        return _by_account(instants, running, account.labels, np.unique(columns))
    values = np.stack((unpaid.cumsum(), np.maximum(running, 0).sum(axis=1)), axis=1)
    return pd.DataFrame(
        {
            "time_ms": np.repeat(instants, 2),
            "measure": ["held", "held_as_one"] * len(instants),
            "value": values.ravel(),
            "unit": ["fen"] * values.size,
        }
    )


def _by_account(instants: IntArray, owed: IntArray, labels: list[Any], chosen: IntArray) -> pd.DataFrame:
    """One row per participant and instant, participants in order of their names."""
    order = sorted(chosen.tolist(), key=lambda code: str(labels[code]))
    return pd.DataFrame(
        {
            "account": [labels[code] for code in order for _ in instants],
            "time_ms": np.tile(instants, len(order)),
            "measure": ["owed"] * (len(order) * len(instants)),
            "value": owed[:, order].T.ravel(),
            "unit": ["fen"] * (len(order) * len(instants)),
        }
    )
