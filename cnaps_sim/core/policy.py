"""Policy: when a bank sends what it has been told to pay (发报策略); until then it stands in the bank's outbox.

One rule with a few numbers per account serves all bundled behaviours (`participants.behaviours` says which numbers a
behaviour means, and where it comes from): a time before which nothing is sent, own money that may be out at once plus
a share of the day's receipts, and what must stay available.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import available
from cnaps_sim.core.records import NOBODY, OUTBOX, UNLIMITED, Records

_MILLION: Final = 1_000_000


@clause
def may_send(phase: int, account: Records, level: int, amount: int, time_ms: int) -> bool:
    """Whether the bank's policy lets a payment of `amount` fen go now."""
    if time_ms < account.policy_hold_ms:
        return False
    if account.policy_budget != UNLIMITED:
        received, ppm = account.received, account.policy_receipt_ppm
        usable = account.policy_budget + received // _MILLION * ppm + received % _MILLION * ppm // _MILLION
        if usable - account.sent < amount:
            return False
    return available(phase, account, level) - amount >= account.policy_reserve  # type: ignore[no-any-return]


@rule
def keeps_back(
    books: Records, accounts: Records, queues: Records, row: int, level: int, amount: int, time_ms: int
) -> bool:
    """Whether a bank that holds back, or follows a policy, puts a payment of a participant's level into its outbox."""
    account = accounts[row]
    if time_ms < account.hold_until_ms:
        return True
    if time_ms >= account.policy_until_ms or not (account.policy_levels >> level) & 1:
        return False
    return queues[row, OUTBOX].head != NOBODY or not may_send(books[0].phase, account, level, amount, time_ms)


@rule
def set_policy(
    accounts: Records, row: int, until_ms: int, levels: int, hold_ms: int, budget: int, receipt_ppm: int, reserve: int
) -> None:
    """Give a bank a policy; see the fields of `records.ACCOUNT`."""
    assert 0 <= receipt_ppm <= _MILLION
    account = accounts[row]
    account.policy_until_ms = until_ms
    account.policy_levels = levels
    account.policy_hold_ms = hold_ms
    account.policy_budget = budget
    account.policy_receipt_ppm = receipt_ppm
    account.policy_reserve = reserve
    account.keeps_until_ms = max(account.hold_until_ms, until_ms)
