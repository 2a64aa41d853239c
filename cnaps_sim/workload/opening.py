"""Opening balances as a share of what each account pays out in a day.

Source: rule section "volumes to calibrate on" [P]: on a calm day 0.5 to 0.7 of a day's outflow, under stress 0.05 to
0.1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.workload.flow import Flow

#: Shares are whole parts per million, so that money is never multiplied by a fraction.
_PARTS: Final = 1_000_000


def outflow(flow: Flow, n_accounts: int) -> npt.NDArray[np.int64]:
    """What each of `n_accounts` accounts pays out in `flow`, fen."""
    total = np.zeros(n_accounts, dtype=np.int64)
    np.add.at(total, flow.rows["debtor"], flow.rows["amount"])
    return total


def opening_share_of_outflow(
    flow: Flow, n_accounts: int, low: float | Decimal, high: float | Decimal, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Opening balance of every account in fen: its outflow in `flow` times a share drawn between `low` and `high`.

    n_accounts: accounts the rows of the flow refer to; one that pays nothing opens with 0
    low, high:  shares of the outflow, 0 or more, taken to the millionth

    One number is drawn per account whatever the shares are, so a wider or higher range moves every balance the same
    way. ValueError if the range is not one.
    """
    lowest, highest = (round(share * _PARTS) for share in (low, high))
    if not 0 <= lowest <= highest:
        raise ValueError(f"shares of outflow must satisfy 0 <= low <= high, not {low} and {high}")
    share = lowest + np.floor(rng.random(n_accounts) * (highest - lowest + 1)).astype(np.int64)
    whole, rest = np.divmod(outflow(flow, n_accounts), _PARTS)
    return whole * share + rest * share // _PARTS
