"""The books: the Python face of the compiled rules.

Makes room before a rule needs it and turns rows into plain values. It decides nothing: every rule stands in the
module that bears its name.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cnaps_sim.core import orders, outbox, terms, window
from cnaps_sim.core.advance import advance, advance_both
from cnaps_sim.core.funds import available_at
from cnaps_sim.core.limits import start_limits
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.posting import count_overdraft, post
from cnaps_sim.core.queue import note_peaks
from cnaps_sim.core.records import ANYBODY, LEVELS, NO_LIMIT, NOBODY, OUTBOX, Records, as_records
from cnaps_sim.core.release import cascade, retry_all
from cnaps_sim.core.submission import keep_back, submit
from cnaps_sim.core.tools_desk import ToolsDesk
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Act, Answer, Cause, Discipline, Life, Phase

_WINDOW: Final = int(Phase.CLEARING_WINDOW)  # asked after every chunk of payments
_OBSERVABLE = (
    "balance",
    "earmark",
    "floor",
    "overdraft_limit",
    "reserved_high",
    "reserved_urgent",
    "reserved_matching",
    "warning_line",
    "hold_until_ms",
    "pledge_room",
    "pledge_start",
    "pledged",
    "policy_until_ms",
    "policy_levels",
    "policy_hold_ms",
    "policy_budget",
    "policy_receipt_ppm",
    "policy_reserve",
    "lowest_balance",
    "lowest_available",
    "sent",
    "received",
    "sent_count",
    "received_count",
    "life",
    "debit_control",
    "credit_control",
    "logged_in",
    "warned",
)
_COUNTERS = (
    "waiting_count",
    "waiting_fen",
    "hvps_waiting_count",
    "hvps_waiting_fen",
    "peak_hvps_count",
    "peak_hvps_fen",
    "peak_saps_count",
    "peak_saps_fen",
    "overdrawn_count",
    "crossings",
    "matching_locked",
)


class Books(ToolsDesk):
    """Settlement accounts and their queues at the central bank (清算账户, SAPS).

    accounts: one mapping per account, in file order; keys as the fields of `records.ACCOUNT`, all optional
        (money in fen). The row of an account is its place in this list.
    discipline: what happens to a payment that cannot be funded.
    reprioritise: whether participants may move a queued payment to another level.
    limits: as (debtor row, creditor row, fen), each ordered pair at most once; `records.ANYBODY` for the creditor is
        a multilateral limit (多边限额), all others are bilateral (双边限额).
    pools: fund pools (资金池) as (random order?, account rows in list order); an account belongs to one at most.
    pool_seed: of the order in which the members of random pools are asked.
    first_booking: the sequence of the first booking, after those of the payments.
    lender, interest_account, pledge_rate_ppm: rows of the accounts that lend against pledges and earn the interest,
        and the yearly rate in millionths.

    Times given to the methods must not decrease.
    """

    # payments ---------------------------------------------------------------------------------------------

    def submit(
        self,
        time_ms: int,
        sequence: int,
        debtor: int,
        creditor: int,
        amount: int,
        level: int,
        refusal: int = 0,
        special: bool = False,
    ) -> Act:
        """One payment of `amount` fen arrives; returns what was done with it."""
        self.make_room(1)
        return Act(submit(*self._tables, time_ms, sequence, debtor, creditor, amount, level, refusal, special))

    def advance(self, flow: Records, first: int, until_ms: int, first_sequence: int = 0) -> int:
        """Submit the rows of `flow` (records.FLOW, sorted by time) before `until_ms`; returns the next row."""
        self.make_room(len(flow) - first)
        return int(advance(*self._tables, as_records(flow), first, until_ms, first_sequence))

    def advance_with(
        self,
        netting: Netting,
        flow: tuple[Records, int, int, int],
        retail: tuple[Records, int, int, int],
    ) -> tuple[int, int]:
        """Submit payments of HVPS and units of the netting server in one order of time; returns the next row of each.

        Both as (rows, first row, until when, number of row 0); units no further than payments (see `advance_both`).
        """
        rows, first, until_ms, first_sequence = flow
        units, first_row, units_until_ms, first_unit = retail
        self.make_room(len(rows) - first)
        netting.make_room(len(units) - first_row)
        return advance_both(  # type: ignore[no-any-return]
            *self._tables, as_records(rows), first, until_ms, first_sequence,
            *netting.tables, netting.absences, as_records(units), first_row, units_until_ms, first_unit,
        )  # fmt: skip

    def post_direct(
        self, time_ms: int, sequence: int, debtor: int, creditor: int, amount: int, level: int, cause: int
    ) -> None:
        """The central bank credits an account without condition; `cause` is what it will have released."""
        assert self.accounts["central_bank"][debtor], "only the central bank pays without condition"
        assert amount > 0
        self.make_room(1)
        post(self.desk, self.accounts, self.log, time_ms, sequence, debtor, creditor, amount, level, Cause.NONE)
        wake(self.desk, self.accounts, self.tools, creditor, cause)
        cascade(*self._tables, time_ms)

    # orders of participants ---------------------------------------------------------------------------------

    def move_to_head(self, time_ms: int, sequence: int, by: int) -> Answer:
        """QC00: an own payment goes to the head of its level."""
        self.make_room(1)
        return Answer(orders.move(*self._tables, time_ms, sequence, by, True))

    def move_to_tail(self, time_ms: int, sequence: int, by: int) -> Answer:
        """QC01: an own payment goes to the tail of its level."""
        self.make_room(1)
        return Answer(orders.move(*self._tables, time_ms, sequence, by, False))

    def cancel(self, time_ms: int, sequence: int, by: int) -> Answer:
        """An own queued payment is withdrawn."""
        self.make_room(1)
        return Answer(orders.cancel(*self._tables, time_ms, sequence, by))

    def withdraw(self, time_ms: int, sequence: int) -> Answer:
        """The central bank takes back a waiting item of its own levels."""
        self.make_room(1)
        return Answer(orders.withdraw(*self._tables, time_ms, sequence))

    def change_level(self, time_ms: int, sequence: int, by: int, level: int) -> Answer:
        """An own queued payment goes to the tail of another of the levels 1, 6, 7."""
        self.make_room(1)
        return Answer(orders.change_level(*self._tables, time_ms, sequence, by, level))

    # terms --------------------------------------------------------------------------------------------------

    def set_field(self, time_ms: int, account: int, field: str, value: int) -> Answer:
        """Change one of `terms.FIELDS` (fen)."""
        self._watching |= field == "warning_line"
        self.make_room(1)
        return Answer(terms.set_field(*self._tables, time_ms, account, terms.FIELDS[field], value))

    def set_discipline(self, discipline: Discipline) -> None:
        """From now on another discipline; what waits is not looked at before the next release."""
        self.desk["discipline"] = discipline

    def set_reprioritise(self, on: bool) -> None:
        """Whether participants may from now on move a queued payment to another level."""
        self.desk["reprioritise"] = on

    def set_limit(self, time_ms: int, debtor: int, creditor: int, fen: int | None) -> Answer:
        """Set a limit to `fen`, or remove it (None); a new one counts from now on.

        creditor: the account that it is towards (双边限额), `records.ANYBODY` for all others together (多边限额).
        A matching under way goes on: what it has chosen is checked against the limits once more at its end.
        """
        assert debtor != creditor, "a limit is towards another account"
        assert creditor >= 0 or creditor == ANYBODY, "a limit is towards an account or towards all"
        if fen is not None:
            self.make_room_for_limit(debtor, creditor)
        self.make_room(1)
        terms.set_limit(*self._tables, time_ms, debtor, creditor, NO_LIMIT if fen is None else fen)
        return Answer.DONE

    def set_debit_control(self, time_ms: int, account: int, on: bool) -> Answer:
        """借记控制: while on, debits wait (reversals and same-city nets pass)."""
        self.make_room(1)
        terms.set_controls(*self._tables, time_ms, account, on, bool(self.accounts["credit_control"][account]))
        return Answer.DONE

    def set_credit_control(self, time_ms: int, account: int, on: bool) -> Answer:
        """贷记控制: while on, participants' payments to this account are refused."""
        self.make_room(1)
        terms.set_controls(*self._tables, time_ms, account, bool(self.accounts["debit_control"][account]), on)
        return Answer.DONE

    def set_life(self, time_ms: int, account: int, life: Life) -> Answer:
        """Open, freeze or close an account."""
        self.make_room(1)
        return Answer(terms.set_life(*self._tables, time_ms, account, int(life)))

    def set_logged_in(self, account: int, on: bool) -> None:
        """Log a participant in or out; a logged-out one cannot send."""
        self.accounts["logged_in"][account] = on

    # the bank's own outbox ------------------------------------------------------------------------------------

    def hold_sending(self, account: int, until_ms: int) -> None:
        """The bank keeps to itself whatever it is instructed to pay before `until_ms`."""
        self.accounts["hold_until_ms"][account] = until_ms
        self.accounts["keeps_until_ms"][account] = max(until_ms, int(self.accounts["policy_until_ms"][account]))

    def keep_back(
        self,
        time_ms: int,
        sequence: int,
        debtor: int,
        creditor: int,
        amount: int,
        level: int,
        refusal: int = 0,
        special: bool = False,
    ) -> None:
        """A bank is instructed to pay; the payment stands in its outbox, or on its way, until it is submitted."""
        self.make_room(1)
        tables = (self.desk, self.accounts, self.queues, self.owed, self.payments, self.log)
        keep_back(*tables, time_ms, sequence, debtor, creditor, amount, level, refusal, special)

    def submit_kept(self, time_ms: int, account: int, sequence: int) -> Act:
        """One payment of a bank's outbox reaches the system; Act.NONE if it is no longer there."""
        self.make_room(2)
        return Act(outbox.submit_kept(*self._tables, time_ms, account, sequence))

    def empty_outbox(self, time_ms: int, account: int) -> None:
        """The bank submits its whole outbox; until when it holds back is not touched."""
        self.make_room(2 * int(self.queues["waiting_count"][account, OUTBOX]) + 1)
        outbox.empty_outbox(*self._tables, time_ms, account)

    # the business day ------------------------------------------------------------------------------------------

    def set_phase(self, phase: Phase, special_session: bool = False) -> None:
        """The business day enters a phase."""
        self.desk["phase"] = phase
        self.desk["special_session"] = special_session

    def retry_all(self, time_ms: int, cause: Cause) -> None:
        """Retry every queue, accounts in row order."""
        self.make_room(1)
        retry_all(*self._tables, time_ms, cause)

    def return_queued(self, time_ms: int) -> None:
        """Send back every queued payment of levels 1, 6 and 7 (RJ99)."""
        self.make_room(1)
        window.return_queued(*self._tables, time_ms)

    def lend_and_clear(self, time_ms: int, first_sequence: int, lender: int) -> list[tuple[int, int, int]]:
        """Clear the queues with exact loans; returns (sequence, account, fen) of each loan."""
        room = self.waiting_anywhere() + len(self.accounts)
        self.make_room(2 * room)
        loans = np.zeros((room, 2), np.int64)
        tables = (self.desk, self.accounts, self.queues, self.owed, self.payments, self.log)
        count = window.lend_and_clear(*tables, loans, time_ms, first_sequence, lender)
        return [(first_sequence + i, int(account), int(fen)) for i, (account, fen) in enumerate(loans[:count])]

    def charge_overdraft(self, time_ms: int, account: int) -> int:
        """The account's overdraft integral in fen·ms since it was last charged; starts it afresh."""
        record = self.accounts[account : account + 1]
        _count_overdraft_of(record, time_ms)
        integral = (int(record["overdraft_high"][0]) << 32) + int(record["overdraft_low"][0])
        record["overdraft_high"] = 0
        record["overdraft_low"] = 0
        return integral

    def with_overdraft(self) -> list[int]:
        """Accounts that are overdrawn, or have been since they were last charged for it."""
        accounts = self.accounts
        was = (accounts["overdraft_high"] != 0) | (accounts["overdraft_low"] != 0)
        return [int(row) for row in np.flatnonzero((accounts["balance"] < 0) | was)]

    def queued_or_overdrawn(self) -> list[int]:
        """Accounts with a payment in their settlement queue or a balance below zero."""
        waiting = self.queues["waiting_fen"][:, :LEVELS].any(axis=1)
        return [int(row) for row in np.flatnonzero(waiting | (self.accounts["balance"] < 0))]

    def start_day(self, time_ms: int) -> None:
        """A business date begins: lowest values and sums of the day start afresh."""
        terms.start_day(self.accounts, time_ms)
        start_limits(self.limits)
        for name in ("peak_hvps_count", "peak_hvps_fen", "peak_saps_count", "peak_saps_fen"):
            self.desk[name] = 0
        note_peaks(self.desk)

    def is_cured(self) -> bool:
        """Nothing waits in any queue and no account is overdrawn."""
        return bool(self.desk["waiting_count"][0] == 0 and self.desk["overdrawn_count"][0] == 0)

    def is_window_cured(self) -> bool:
        """The clearing window is open and has nothing left to do."""
        return bool(self.desk["phase"][0] == _WINDOW) and self.is_cured()

    # looking -------------------------------------------------------------------------------------------------

    def drain_log(self) -> Records:
        """A copy of the log entries since the last call; the log starts afresh."""
        count = int(self.desk["log_count"][0])
        self.desk["log_count"] = 0
        return self.log[:count].copy()

    def take_crossings(self) -> int:
        """How many watch lines were crossed since the last call."""
        count = int(self.desk["crossings"][0])
        self.desk["crossings"] = 0
        return count

    def nets_posted(self) -> bool:
        """Whether participants' debits of level 4 were posted since `forget_nets_posted`."""
        return bool(self.desk["nets_posted"][0])

    def forget_nets_posted(self) -> None:
        """Whoever waited for round nets to be posted has looked."""
        self.desk["nets_posted"] = 0

    def available(self, account: int, level: int) -> int:
        """What an account may spend at a level now (可用额度), fen; may be negative."""
        return int(available_at(self.desk, self.accounts, account, level))

    def limits_of(self, account: int) -> list[tuple[int, int, int]]:
        """The limits (双边限额, 多边限额) of an account that are in force, in the order first set.

        Each as (creditor row or `records.ANYBODY`, limit, sent less received so far), fen.
        """
        own = self.limits[(self.limits["debtor"] == account) & (self.limits["most"] != NO_LIMIT)]
        columns = (own[name].tolist() for name in ("creditor", "most", "net"))
        return list(zip(*columns, strict=True))

    def within_limits(self, account: int, level: int) -> int:
        """Value (fen) of what waits at one level from its head up to the first payment that a limit holds back."""
        room = {creditor: most - net for creditor, most, net in self.limits_of(account)}
        total, row = 0, int(self.queues["head"][account, level])
        while row != NOBODY:
            creditor, amount = int(self.payments["creditor"][row]), int(self.payments["amount"][row])
            bound = [towards for towards in (creditor, ANYBODY) if towards in room]
            if any(room[towards] < amount for towards in bound):
                break
            for towards in bound:
                room[towards] -= amount
            total, row = total + amount, int(self.payments["next"][row])
        return total

    def waiting(self, account: int, level: int) -> list[int]:
        """Sequences of the payments that wait at one level of an account (or in its OUTBOX), head first."""
        sequences = []
        row = int(self.queues["head"][account, level])
        while row != NOBODY:
            sequences.append(int(self.payments["sequence"][row]))
            row = int(self.payments["next"][row])
        return sequences

    def snapshot(self) -> dict[str, Any]:
        """Everything observable, as plain values: accounts, queues that hold something, counters, limits.

        Of limits the net sums, in the order in which the limits were first set.
        """
        accounts = []
        for row in range(len(self.accounts)):
            record = self.accounts[row]
            seen = {name: record[name].item() for name in _OBSERVABLE}
            seen["pledge_automatic"] = self._pledges(row)
            seen["overdraft_fen_ms"] = (int(record["overdraft_high"]) << 32) + int(record["overdraft_low"])
            accounts.append(seen)
        queues: dict[int, dict[int, list[int]]] = {}
        for row, level in np.argwhere(self.queues["head"] != NOBODY).tolist():
            queues.setdefault(row, {})[level] = self.waiting(row, level)
        counters = {name: self.desk[name][0].item() for name in _COUNTERS}
        limits = self.limits["net"].tolist()
        return {"accounts": accounts, "queues": queues, "books": counters, "limits": limits} | self.snapshot_of_tools()


def _count_overdraft_of(record: Records, time_ms: int) -> None:
    count_overdraft(record[0], time_ms)
