"""The desk of the liquidity tools: the Python face of pools, pledges and policies.

It makes room before a rule needs it and decides nothing.
"""

from __future__ import annotations

from cnaps_sim.core import outbox, pledges, policy, pools
from cnaps_sim.core.matching_desk import MatchingDesk
from cnaps_sim.core.records import NO_RESERVE, NOBODY, OUTBOX, PLEDGES, UNLIMITED, Records
from cnaps_sim.core.release import cascade
from cnaps_sim.core.waking import wake
from cnaps_sim.words.codes import Answer, Cause, MoveKind

#: A pledge loan as plain values: sequence, principal, accrued, since_ms, rate_ppm, overdue.
PledgeLoan = tuple[int, int, int, int, int, bool]


class ToolsDesk(MatchingDesk):
    """What the books offer to whoever runs pools, pledge financing and banks' policies."""

    def number_booking(self) -> int:
        """The sequence of the next booking of the central bank, which is taken."""
        sequence = int(self.desk["next_booking"][0])
        self.desk["next_booking"] += 1
        return sequence

    def drain_moves(self) -> Records:
        """A copy of the moves (records.MOVE) since the last call: transfers that rules made by themselves."""
        count = int(self.desk["move_count"][0])
        self.desk["move_count"] = 0
        return self.tools.moves[:count].copy()

    # pools ------------------------------------------------------------------------------------------------------

    def set_pool(self, time_ms: int, pool: int, active: bool) -> None:
        """Start or stop a fund pool (资金池); one that starts rescues its waiting members at once."""
        self.make_room(1)
        pools.set_pool(self.desk, self.accounts, self.tools, pool, active)
        cascade(*self._tables, time_ms)

    def move_spare(self, time_ms: int, giver: int, taker: int, least: int, most: int, kind: MoveKind) -> int:
        """One account gives another of its spare money, `least` to `most` fen, or nothing; returns how much."""
        self.make_room(1)
        self.make_room_for_move()
        tables = (self.desk, self.accounts, self.tools, self.log)
        given = int(pools.move_spare(*tables, time_ms, giver, taker, least, most, int(kind)))
        wake(self.desk, self.accounts, self.tools, taker, Cause.POOL if kind == MoveKind.SWEEP else Cause.LOAN)
        cascade(*self._tables, time_ms)
        return given

    def spare(self, account: int) -> int:
        """What an account could give to others now, fen: its own money beyond all that is kept, if nothing waits."""
        return int(pools.spare(self.accounts[account]))

    # pledges ----------------------------------------------------------------------------------------------------

    def set_pledge(self, time_ms: int, account: int, room: int, start: int, automatic: bool) -> None:
        """Change the terms of pledge financing (质押融资) of an account: room and smallest loan in fen."""
        pledges.set_pledge(self.accounts, account, room, start, automatic)
        self._uses_tools |= room > 0
        self.make_room(1)
        wake(self.desk, self.accounts, self.tools, account, Cause.PLEDGE)
        cascade(*self._tables, time_ms)

    def borrow(self, time_ms: int, account: int, amount: int) -> Answer:
        """A manual loan of `amount` fen against the account's pledge."""
        if pledges.room(self.accounts[account]) < amount:
            return Answer.SHORT_OF_ROOM
        self.make_room(1)
        pledges.lend_on_pledge(self.desk, self.accounts, self.tools, self.log, time_ms, account, amount, NOBODY)
        wake(self.desk, self.accounts, self.tools, account, Cause.PLEDGE)
        cascade(*self._tables, time_ms)
        return Answer.DONE

    def repay_now(self, time_ms: int, account: int) -> None:
        """Repay what the account's own money covers, oldest loan first."""
        self.make_room(1)
        pledges.repay(self.desk, self.accounts, self.tools, self.log, time_ms, account)

    def make_overdue(self, time_ms: int, extra_ppm: int) -> None:
        """Every loan not yet overdue (逾期) becomes so, and bears `extra_ppm` more a year from now on."""
        pledges.make_overdue(self.accounts, self.tools, time_ms, extra_ppm)

    def write_off(self, time_ms: int, account: int) -> list[tuple[int, int, int]]:
        """The loans of an account vanish, and so much room with them: the bonds are realised.

        Returns (sequence, principal, interest due) of each.
        """
        gone = []
        record = self.accounts[account : account + 1]
        while int(record["first_loan"][0]) != NOBODY:
            loan = self.tools.loans[int(record["first_loan"][0])]
            principal = int(loan["principal"])
            gone.append((int(loan["sequence"]), principal, int(pledges.interest(loan, time_ms))))
            pledges.end_first_loan(self.desk, self.accounts, self.tools, account)
            record["pledge_room"] = max(0, int(record["pledge_room"][0]) - principal)
        return gone

    def loans_of(self, account: int) -> list[PledgeLoan]:
        """The pledge loans of an account, oldest first."""
        found: list[PledgeLoan] = []
        at = int(self.accounts["first_loan"][account])
        while at != NOBODY:
            loan = self.tools.loans[at]
            sequence, principal, accrued, since_ms, rate_ppm = (
                int(loan[name]) for name in ("sequence", "principal", "accrued", "since_ms", "rate_ppm")
            )
            found.append((sequence, principal, accrued, since_ms, rate_ppm, bool(loan["overdue"])))
            at = int(loan["next"])
        return found

    # policies ---------------------------------------------------------------------------------------------------

    def set_policy(
        self,
        account: int,
        until_ms: int,
        levels: int = 0xFF,
        hold_ms: int = -(2**63),
        budget: int = UNLIMITED,
        receipt_ppm: int = 0,
        reserve: int = NO_RESERVE,
    ) -> None:
        """Until `until_ms` the bank sends payments of `levels` (bit mask) by a policy (see `policy.may_send`)."""
        policy.set_policy(self.accounts, account, until_ms, levels, hold_ms, budget, receipt_ppm, reserve)

    def release_outbox(self, time_ms: int, account: int) -> None:
        """The bank looks again at what its policy allows it to send."""
        self.make_room(2 * int(self.queues["waiting_count"][account, OUTBOX]) + 1)
        outbox.release_outbox(*self._tables, time_ms, account)

    def send_from_outbox(self, time_ms: int, account: int, fen: int) -> None:
        """The bank sends from the head of its outbox until `fen` have been sent, whatever its policy says."""
        self.make_room(2 * int(self.queues["waiting_count"][account, OUTBOX]) + 1)
        outbox.send_from_outbox(*self._tables, time_ms, account, fen)

    def snapshot_of_tools(self) -> dict[str, object]:
        """Loans, pools and the next booking's number as plain values."""
        loans = {row: self.loans_of(row) for row in range(len(self.accounts)) if self.accounts["first_loan"][row] >= 0}
        return {
            "loans": loans,
            "pools": [bool(active) for active in self.tools.pools["active"]],
            "next_booking": int(self.desk["next_booking"][0]),
        }

    def _pledges(self, account: int) -> bool:
        return bool(self.accounts["alert"][account] & PLEDGES)
