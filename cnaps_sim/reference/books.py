"""The books: every rule together, fed one payment at a time or a flow at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import count
from operator import itemgetter
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.ledger import FIRST_BOOKING
from cnaps_sim.reference.matching import Matching
from cnaps_sim.reference.orders import Orders
from cnaps_sim.reference.pledges import Lending
from cnaps_sim.reference.policy import Policies
from cnaps_sim.reference.rows import plain_rows
from cnaps_sim.reference.terms import Terms
from cnaps_sim.reference.window import ClearingWindow
from cnaps_sim.words.codes import Act, Discipline, Phase

#: The outbox's number among an account's queues, after the eight levels 0 to 7.
OUTBOX: Final = 8

_ACCOUNT_FIELDS: Final = (
    "balance", "earmark", "floor", "overdraft_limit", "reserved_high", "reserved_urgent", "reserved_matching",
    "warning_line", "hold_until_ms", "lowest_balance", "lowest_available", "sent", "received", "sent_count",
    "received_count", "life", "debit_control", "credit_control", "logged_in", "warned", "overdraft_fen_ms",
    "pledge_room", "pledge_start", "pledge_automatic", "pledged", "policy_until_ms", "policy_levels", "policy_hold_ms",
    "policy_budget", "policy_receipt_ppm", "policy_reserve",
)  # fmt: skip
_COUNTERS: Final = (
    "waiting_count", "waiting_fen", "hvps_waiting_count", "hvps_waiting_fen", "peak_hvps_count", "peak_hvps_fen",
    "peak_saps_count", "peak_saps_fen", "overdrawn_count", "crossings", "matching_locked",
)  # fmt: skip
_TIME: Final = itemgetter(0)


class Books(Orders, Terms, ClearingWindow, Matching, Policies):
    """The central bank's books (清算账户管理系统) in plain Python.

    `Books(accounts, discipline, reprioritise, limits)`: one mapping per account in row order, with any of the
    terms of `account.Account`; the discipline of the queue; whether participants may change the level of a
    payment; limits as (debtor row, creditor row or `limits.ANYBODY`, fen). Then by name:

    pools             fund pools as (random, rows in list order), all active; an account is in one at most
    pool_seed         on it the random orders depend
    lender            row that pays out pledge loans; -1: nobody may borrow
    interest_account  row that is paid the interest on them; -1: there is none to pay
    pledge_rate_ppm   yearly rate of a pledge loan, in millionths
    first_booking     sequence of the first transfer that is nobody's payment
    """

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        discipline: int = Discipline.FIFO,
        reprioritise: bool = False,
        limits: Sequence[tuple[int, int, int]] = (),
        *,
        pools: Sequence[tuple[bool, Sequence[int]]] = (),
        pool_seed: int = 0,
        lender: int = -1,
        interest_account: int = -1,
        pledge_rate_ppm: int = 0,
        first_booking: int = FIRST_BOOKING,
    ) -> None:
        super().__init__(accounts, discipline, reprioritise, limits)
        self._form_pools(pools, pool_seed)
        self.lending = Lending(lender, interest_account, pledge_rate_ppm)
        self.next_booking = first_booking

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
        """Everything observable: accounts, queues (only those that hold something, heads first), counters, the net
        sums under limits in the order in which these were first set, pledge loans of the accounts that
        owe some, which pools are active, and the next booking.
        """
        return {
            "accounts": [{field: getattr(account, field) for field in _ACCOUNT_FIELDS} for account in self.accounts],
            "queues": {account.row: queues for account in self.accounts if (queues := _queues_of(account))},
            "books": {counter: getattr(self, counter) for counter in _COUNTERS},
            "limits": list(self.net.values()),
            "loans": {a.row: [loan.shown() for loan in a.loans] for a in self.accounts if a.loans},
            "pools": [pool.active for pool in self.pools],
            "next_booking": self.next_booking,
        }


def _queues_of(account: Account) -> dict[int, list[int]]:
    """Level, or OUTBOX, to the sequences that wait there."""
    queues = dict(enumerate([*account.queue.levels, account.outbox]))
    return {level: [payment.sequence for payment in queue] for level, queue in queues.items() if queue}
