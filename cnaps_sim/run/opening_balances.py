"""What accounts open with (期初余额), as the scenario's `liquidity` asks: what they say, or what they are to pay."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from cnaps_sim.optimise.bounds import account_bounds
from cnaps_sim.run.columns import Array
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.opening import opening_share_of_outflow

#: Opening balances at a level alpha are computed in whole millionths.
_PARTS = 1_000_000


def opening_balances(
    loaded: Loaded, rows: Sequence[AccountRow], flow: Flow, timetable: Timetable, streams: Streams
) -> Array:
    """Opening balance of each participant, fen: at a level between the bounds of the first date, as a share of what
    each sends on it, or as the accounts say."""
    terms = loaded.scenario.liquidity
    if terms.alpha is not None:
        day = first_day(flow, timetable).rows
        lower, upper = account_bounds(len(rows), day["debtor"], day["creditor"], day["amount"].copy())
        parts = int((terms.alpha * _PARTS).to_integral_value())
        spread = upper - lower
        return lower + spread // _PARTS * parts + spread % _PARTS * parts // _PARTS
    if terms.share_of_outflow is not None:
        low, high = terms.share_of_outflow
        rng = streams["liquidity.opening"]
        return opening_share_of_outflow(first_day(flow, timetable), len(rows), low, high, rng)
    return np.array([row["balance"] for row in rows], np.int64)


def first_day(flow: Flow, timetable: Timetable) -> Flow:
    """The payments of the first business date that the system would not refuse for what they are."""
    rows = flow.rows
    day = timetable.business_days[0]
    times = rows["time_ms"]
    in_hours = (times >= day.opens_ms) & (times < day.cut_off_ms)
    sound = (rows["refusal"] == Refusal.NONE) & (rows["debtor"] != rows["creditor"])
    chosen = np.flatnonzero(in_hours & sound)
    if len(chosen) == len(rows):
        return flow
    return dataclasses.replace(
        flow,
        rows=rows[chosen],
        payment_ids=flow.payment_ids.take(chosen),
        type_index=flow.type_index[chosen],
        due_ms=None,
        on_behalf_of=None,
    )
