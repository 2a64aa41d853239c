"""The tables of the books: the arrays that the compiled rules change, and the room in them.

Rules never allocate, so whoever calls one has made room for all that it may write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cnaps_sim.core.pools import join_pool, set_pool
from cnaps_sim.core.records import (
    ACCOUNT,
    BOOKS,
    LEVELS,
    LIMIT,
    LOAN,
    LOG,
    MOVE,
    NO_LIMIT,
    NO_QUEUE_LINE,
    NO_RESERVE,
    NO_WARNING_LINE,
    NOBODY,
    PAYMENT,
    PLEDGES,
    POOL,
    QUEUE,
    UNLIMITED,
    Records,
    Tools,
    as_records,
    new,
)  # fmt: skip
from cnaps_sim.words.codes import Cause, Discipline, Life

_FIRST_ROOM = 1024
_TERMS = (
    "balance",
    "earmark",
    "floor",
    "overdraft_limit",
    "reserved_high",
    "reserved_urgent",
    "pledge_room",
    "pledge_start",
    "debit_control",
    "credit_control",
    "central_bank",
)


def _members(pools: Sequence[tuple[bool, Sequence[int]]]) -> Records:
    return np.array([row for _, members in pools for row in members], np.int64)


def _grown(old: Records, used: int, size: int, kind: np.dtype[Any]) -> Records:
    """A longer array with the used rows of an old one; what is beyond them is not touched, so costs no memory yet."""
    grown = as_records(np.empty(size, kind))
    grown[:used] = old[:used]
    return grown


class Tables:
    """Accounts, queues, waiting payments, limits and log as structured arrays; arguments as for `books.Books`."""

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        *,
        discipline: Discipline = Discipline.FIFO,
        reprioritise: bool = False,
        limits: Sequence[tuple[int, int, int]] = (),
        pools: Sequence[tuple[bool, Sequence[int]]] = (),
        first_booking: int = 1 << 40,
        pool_seed: int = 0,
        lender: int = NOBODY,
        interest_account: int = NOBODY,
        pledge_rate_ppm: int = 0,
    ) -> None:
        self.accounts: Records = new(ACCOUNT, len(accounts))
        self.queues: Records = new(QUEUE, (len(accounts), LEVELS + 1))
        self.owed: Records = np.zeros((0, 0), np.int64)
        self.payments: Records = new(PAYMENT, 0)
        self.log: Records = new(LOG, _FIRST_ROOM)
        self.desk: Records = new(BOOKS, 1)
        self.queues["head"] = NOBODY
        self.queues["tail"] = NOBODY
        for name in ("first_free", "first_woken", "last_woken", "first_free_loan"):
            self.desk[name] = NOBODY
        self.desk["next_booking"] = first_booking
        self.desk["pool_seed"] = pool_seed
        self.desk["lender"] = lender
        self.desk["interest_account"] = interest_account
        self.desk["pledge_rate_ppm"] = pledge_rate_ppm
        self.desk["discipline"] = discipline
        self.desk["reprioritise"] = reprioritise
        self._uses_tools = len(pools) > 0 or any(account.get("pledge_room", 0) for account in accounts)
        self.desk["count_line"] = NO_QUEUE_LINE
        self.desk["fen_line"] = NO_QUEUE_LINE
        self._open(accounts)
        self.tools = Tools(new(POOL, len(pools)), _members(pools), new(LOAN, 0), new(MOVE, 0))
        self._open_pools(pools)
        self.limits: Records = new(LIMIT, len(limits))
        for row, (debtor, creditor, most) in enumerate(limits):
            self._open_limit(row, debtor, creditor, most)
        self.make_room(_FIRST_ROOM)

    def _open(self, given: Sequence[Mapping[str, Any]]) -> None:
        """Fill the table of accounts with their terms, and what nothing has been said of."""

        def told(name: str, usual: Any) -> Records:
            return np.array([account.get(name, usual) for account in given], np.int64)

        accounts = self.accounts
        for name in _TERMS:
            accounts[name] = told(name, 0)
        accounts["warning_line"] = told("warning_line", NO_WARNING_LINE)
        accounts["life"] = told("life", Life.OPEN)
        accounts["logged_in"] = told("logged_in", True)
        for name in ("keeps_until_ms", "hold_until_ms", "policy_until_ms", "policy_hold_ms"):
            accounts[name] = NO_WARNING_LINE
        accounts["policy_budget"] = UNLIMITED
        accounts["policy_reserve"] = NO_RESERVE
        for name in ("pool", "first_loan", "last_loan", "next_woken", "first_limit"):
            accounts[name] = NOBODY
        accounts["alert"] = np.where(told("pledge_automatic", False) != 0, PLEDGES, 0)
        accounts["warned"] = accounts["balance"] < accounts["warning_line"]
        accounts["lowest_balance"] = accounts["balance"]
        kept = accounts["earmark"] + accounts["floor"]
        accounts["lowest_available"] = accounts["balance"] - kept + accounts["overdraft_limit"]
        accounts["woken_by"] = Cause.NONE
        self.desk["overdrawn_count"] = np.count_nonzero((accounts["balance"] < 0) & (accounts["central_bank"] == 0))
        self._watching = bool((accounts["warning_line"] != NO_WARNING_LINE).any())

    def _open_pools(self, pools: Sequence[tuple[bool, Sequence[int]]]) -> None:
        first = 0
        for number, (is_random, members) in enumerate(pools):
            self.tools.pools[number] = (first, len(members), is_random, False)
            first += len(members)
            join_pool(self.accounts, self.tools, number)
            set_pool(self.desk, self.accounts, self.tools, number, True)

    def _open_limit(self, row: int, debtor: int, creditor: int, most: int) -> None:
        """A limit that has counted nothing yet, first in its debtor's chain."""
        self.limits[row] = (debtor, creditor, most, 0, 0, self.accounts["first_limit"][debtor])
        self.accounts["first_limit"][debtor] = row

    @property
    def _tables(self) -> tuple[Records, Records, Records, Records, Records, Records, Tools, Records]:
        return self.desk, self.accounts, self.queues, self.owed, self.payments, self.limits, self.tools, self.log

    # room -------------------------------------------------------------------------------------------------

    def make_room(self, arrivals: int) -> None:
        """Make sure that `arrivals` payments can wait, and that all they set off can be logged."""
        free = int(self.desk["free_count"][0])
        if free < arrivals:
            self._grow_open_table(arrivals - free)
        settlements = arrivals + self.waiting_anywhere() + 1
        moves = self._make_room_for_moves(settlements)
        entries = (settlements + moves) * (4 if self._watching else 2)
        needed = int(self.desk["log_count"][0]) + entries
        if needed > len(self.log):
            self.log = _grown(self.log, int(self.desk["log_count"][0]), max(needed, 2 * len(self.log)), LOG)

    def make_room_for_move(self) -> None:
        """Make sure of room for one more move, also where no pool and no pledge makes any."""
        pools, members, loans, moves = self.tools
        used = int(self.desk["move_count"][0])
        if used == len(moves):
            self.tools = Tools(pools, members, loans, _grown(moves, used, 2 * used + 16, MOVE))

    def _make_room_for_moves(self, settlements: int) -> int:
        """Make sure of room for loans and moves; returns how many moves so many settlements may set off."""
        pools, members, loans, moves = self.tools
        if not self._uses_tools:
            return 0
        widest = int(pools["member_count"].max()) if len(pools) else 0
        if int(self.desk["free_loans"][0]) < settlements:
            loans = self._grown_loans(settlements)
        taken = len(loans) - int(self.desk["free_loans"][0])
        most = settlements * (widest + 3) + 2 * taken  # a rescue or a loan each; every loan may be repaid with interest
        needed = int(self.desk["move_count"][0]) + most
        if needed > len(moves):
            moves = _grown(moves, int(self.desk["move_count"][0]), max(needed, 2 * len(moves)), MOVE)
        self.tools = Tools(pools, members, loans, moves)
        return most

    def _grown_loans(self, missing: int) -> Records:
        """The table of loans with `missing` more free rows."""
        old = len(self.tools.loans)
        size = old + max(missing, old)
        grown = new(LOAN, size)
        grown[:old] = self.tools.loans
        grown["next"][old:] = np.arange(old + 1, size + 1)
        grown["next"][size - 1] = self.desk["first_free_loan"][0]
        self.desk["first_free_loan"] = old
        self.desk["free_loans"] += size - old
        return grown

    def _grow_open_table(self, missing: int) -> None:
        old = len(self.payments)
        size = old + max(missing, old, _FIRST_ROOM)
        grown = new(PAYMENT, size)
        grown[:old] = self.payments
        grown["next"][old:] = np.arange(old + 1, size + 1)
        grown["next"][size - 1] = self.desk["first_free"][0]
        grown["at_level"][old:] = NOBODY
        self.desk["first_free"] = old
        self.desk["free_count"] += size - old
        self.payments = grown

    def make_room_for_limit(self, debtor: int, creditor: int) -> None:
        """Make sure that there is such a limit; one that was not there binds nothing yet."""
        if ((self.limits["debtor"] == debtor) & (self.limits["creditor"] == creditor)).any():
            return
        row = len(self.limits)
        grown = new(LIMIT, row + 1)
        grown[:row] = self.limits
        self.limits = grown
        self._open_limit(row, debtor, creditor, NO_LIMIT)

    def waiting_anywhere(self) -> int:
        """Payments in settlement queues and outboxes together."""
        return len(self.payments) - int(self.desk["free_count"][0])
