"""The tables of the books: the arrays that the compiled rules change, and the room in them.

Rules never allocate, so whoever calls one has made room for all that it may write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cnaps_sim.core.records import (
    ACCOUNT,
    BOOKS,
    LEVELS,
    LIMIT,
    LOG,
    NO_LIMIT,
    NO_QUEUE_LINE,
    NO_WARNING_LINE,
    NOBODY,
    PAYMENT,
    QUEUE,
    Records,
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
    "debit_control",
    "credit_control",
    "central_bank",
)


class Tables:
    """Accounts, queues, waiting payments, limits and log as structured arrays; arguments as for `books.Books`."""

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        *,
        discipline: Discipline = Discipline.FIFO,
        reprioritise: bool = False,
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.accounts: Records = new(ACCOUNT, len(accounts))
        self.queues: Records = new(QUEUE, (len(accounts), LEVELS + 1))
        self.owed: Records = np.zeros((0, 0), np.int64)
        self.payments: Records = new(PAYMENT, 0)
        self.log: Records = new(LOG, _FIRST_ROOM)
        self.desk: Records = new(BOOKS, 1)
        self.queues["head"] = NOBODY
        self.queues["tail"] = NOBODY
        for name in ("first_free", "first_woken", "last_woken"):
            self.desk[name] = NOBODY
        self.desk["discipline"] = discipline
        self.desk["reprioritise"] = reprioritise
        self._watching = False
        self.desk["count_line"] = NO_QUEUE_LINE
        self.desk["fen_line"] = NO_QUEUE_LINE
        for row, account in enumerate(accounts):
            self._open(row, account)
        self.limits: Records = new(LIMIT, len(limits))
        for row, (debtor, creditor, most) in enumerate(limits):
            self._open_limit(row, debtor, creditor, most)
        self.make_room(_FIRST_ROOM)

    def _open(self, row: int, given: Mapping[str, Any]) -> None:
        account = self.accounts[row]
        for name in _TERMS:
            account[name] = given.get(name, 0)
        account["warning_line"] = given.get("warning_line", NO_WARNING_LINE)
        account["life"] = given.get("life", Life.OPEN)
        account["logged_in"] = given.get("logged_in", True)
        account["hold_until_ms"] = NO_WARNING_LINE
        account["warned"] = account["balance"] < account["warning_line"]
        account["lowest_balance"] = account["balance"]
        account["lowest_available"] = (
            account["balance"] - account["earmark"] - account["floor"] + account["overdraft_limit"]
        )
        account["woken_by"] = Cause.NONE
        account["next_woken"] = NOBODY
        account["first_limit"] = NOBODY
        if account["balance"] < 0 and not account["central_bank"]:
            self.desk["overdrawn_count"] += 1
        self._watching |= bool(account["warning_line"] != NO_WARNING_LINE)

    def _open_limit(self, row: int, debtor: int, creditor: int, most: int) -> None:
        """A bilateral limit that has counted nothing yet, first in its debtor's chain."""
        self.limits[row] = (debtor, creditor, most, 0, 0, self.accounts["first_limit"][debtor])
        self.accounts["first_limit"][debtor] = row

    @property
    def _tables(self) -> tuple[Records, Records, Records, Records, Records, Records, Records]:
        return self.desk, self.accounts, self.queues, self.owed, self.payments, self.limits, self.log

    # room -------------------------------------------------------------------------------------------------

    def make_room(self, arrivals: int) -> None:
        """Make sure that `arrivals` payments can wait, and that all they set off can be logged."""
        free = int(self.desk["free_count"][0])
        if free < arrivals:
            self._grow_open_table(arrivals - free)
        entries = arrivals + self.waiting_anywhere() + 1
        needed = int(self.desk["log_count"][0]) + entries * (4 if self._watching else 2)
        if needed > len(self.log):
            grown = as_records(np.empty(max(needed, 2 * len(self.log)), LOG))
            grown[: len(self.log)] = self.log
            self.log = grown

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
        """Make sure that the pair has a limit; one that it did not have binds nothing yet."""
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
