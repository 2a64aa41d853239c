"""The books: every rule together, fed one payment at a time or a flow at a time."""

from __future__ import annotations

from bisect import bisect_left
from itertools import count
from operator import itemgetter
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.matching import Matching
from cnaps_sim.reference.orders import Orders
from cnaps_sim.reference.rows import plain_rows
from cnaps_sim.reference.terms import Terms
from cnaps_sim.reference.window import ClearingWindow
from cnaps_sim.words.codes import Act, Phase

#: The outbox's number among an account's queues, after the eight levels 0 to 7.
OUTBOX: Final = 8

_ACCOUNT_FIELDS: Final = (
    "balance", "earmark", "floor", "overdraft_limit", "reserved_high", "reserved_urgent", "reserved_matching",
    "warning_line", "hold_until_ms", "lowest_balance", "lowest_available", "sent", "received", "sent_count",
    "received_count", "life", "debit_control", "credit_control", "logged_in", "warned", "overdraft_fen_ms",
)  # fmt: skip
_COUNTERS: Final = (
    "waiting_count", "waiting_fen", "hvps_waiting_count", "hvps_waiting_fen", "peak_hvps_count", "peak_hvps_fen",
    "peak_saps_count", "peak_saps_fen", "overdrawn_count", "crossings", "matching_locked",
)  # fmt: skip
_TIME: Final = itemgetter(0)


class Books(Orders, Terms, ClearingWindow, Matching):
    """The central bank's books (清算账户管理系统) in plain Python.

    `Books(accounts, discipline, reprioritise, limits)`: one mapping per account in row order, with any of the
    terms of `account.Account`; the discipline of the queue; whether participants may change the level of a
    payment; bilateral limits as (debtor row, creditor row, fen).
    """

    def advance(self, rows: Any, first: int, until_ms: int, first_sequence: int) -> int:
        """Submit the payments of a flow from row `first` while their time is before `until_ms`.

        rows: structured array or list of (time_ms, amount, debtor, creditor, level, refusal, special), sorted by
        time; row r has sequence `first_sequence + r`. Stops after the row whose cascade crossed a watch line and,
        in the clearing window, after the settlement that cured all shortages. Answers the next row.
        """
        end = bisect_left(rows, until_ms, lo=first, key=_TIME)
        submit, settled, in_window = self.submit, Act.SETTLED, self.phase == Phase.CLEARING_WINDOW
        numbers = count(first_sequence + first)
        for sequence, row in zip(numbers, plain_rows(rows, first, end), strict=False):
            time, amount, debtor, creditor, level, refusal, special = row
            act = submit(time, sequence, debtor, creditor, amount, level, refusal, special)
            if self.crossings or (in_window and act is settled and self._is_cured()):
                return sequence - first_sequence + 1
        return end

    def _is_cured(self) -> bool:
        """Nothing waits and no participant is overdrawn: the clearing window may close early."""
        return self.waiting_count == 0 and self.overdrawn_count == 0

    def snapshot(self) -> dict[str, Any]:
        """Everything observable: accounts, queues (only those that hold something, heads first), counters, and the
        net sums under bilateral limits in the order in which these were first set.
        """
        return {
            "accounts": [{field: getattr(account, field) for field in _ACCOUNT_FIELDS} for account in self.accounts],
            "queues": {account.row: queues for account in self.accounts if (queues := _queues_of(account))},
            "books": {counter: getattr(self, counter) for counter in _COUNTERS},
            "limits": list(self.net.values()),
        }


def _queues_of(account: Account) -> dict[int, list[int]]:
    """Level, or OUTBOX, to the sequences that wait there."""
    queues = dict(enumerate([*account.queue.levels, account.outbox]))
    return {level: [payment.sequence for payment in queue] for level, queue in queues.items() if queue}
