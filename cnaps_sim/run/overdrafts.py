"""Intraday overdraft limits (日间透支限额) of generated accounts, in proportion to what each sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cnaps_sim.scenario.accounts import Accounts, GeneratedAccounts
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.opening import outflow

#: Shares are whole parts per million, so that money is never multiplied by a fraction.
_PARTS: Final = 1_000_000


def give_overdrafts(accounts: Accounts, rows: Sequence[AccountRow], first_day: Flow) -> None:
    """Write the limits into the account rows, fen; first_day: the payments of the first business date."""
    if not isinstance(accounts, GeneratedAccounts) or accounts.overdraft is None:
        return
    kinds = {kind.value for kind in accounts.overdraft.kinds}
    share = int(accounts.overdraft.share_of_outflow * _PARTS)
    for row, sent in zip(rows, outflow(first_day, len(rows)).tolist(), strict=True):
        if not kinds or row["kind"] in kinds:
            row["overdraft_limit"] = sent * share // _PARTS
