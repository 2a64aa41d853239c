"""Terms: limits, reservations, controls, log-in, pools and pledges, changed in the course of a day.

Source: rules of the account, liquidity tools. A change that may let a queue move has it retried at that instant.
"""

from __future__ import annotations

from cnaps_sim.reference.account import TERMS, Account
from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import Answer, Cause, Life, MoveKind


class Terms(Settlement):
    """Changes to one account, named by its row."""

    def set_field(self, time: int, account: int, field: str, value: int) -> Answer:
        """Set overdraft_limit, floor, earmark, reserved_high, reserved_urgent or warning_line, in fen.

        SHORT_OF_FUNDS if an earmark (圈存) is raised by more than is available. No money moves. Only a warning
        line may be negative.
        """
        assert field in TERMS, f"{field} is no term of an account"
        owner = self.accounts[account]
        if field == "warning_line":
            owner.warning_line = value
            self._watch(time, owner)
            return Answer.DONE
        assert value >= 0, f"{field} {value} is negative"
        if field == "earmark" and value > owner.earmark:
            reserved = owner.reserved_high + owner.reserved_urgent + owner.reserved_matching
            available = owner.unreserved() - reserved
            if available < value - owner.earmark:
                return Answer.SHORT_OF_FUNDS
        setattr(owner, field, value)
        owner.lowest_available = min(owner.lowest_available, owner.unreserved())
        self._retry_one(time, owner, Cause.LIMIT)
        return Answer.DONE

    def set_limit(self, time: int, debtor: int, creditor: int, fen: int | None) -> Answer:
        """双边限额, 多边限额: what `debtor` may send `creditor`, or ANYBODY, net is now `fen`; None: no limit."""
        self._change_limit(debtor, creditor, fen)
        self._retry_one(time, self.accounts[debtor], Cause.LIMIT)
        return Answer.DONE

    def set_debit_control(self, time: int, account: int, on: bool) -> Answer:
        """借记控制 on or off: while on, the account's debits wait, those already queued included."""
        self.accounts[account].debit_control = on
        self._retry_one(time, self.accounts[account], Cause.CONTROL)
        return Answer.DONE

    def set_credit_control(self, time: int, account: int, on: bool) -> Answer:
        """贷记控制 on or off: while on, HVPS payments to the account are refused."""
        self.accounts[account].credit_control = on
        self._retry_one(time, self.accounts[account], Cause.CONTROL)
        return Answer.DONE

    def set_life(self, time: int, account: int, life: int) -> Answer:
        """Open, freeze, close an account; NOT_EMPTY if it would no longer be open but holds something."""
        owner = self.accounts[account]
        if life in (Life.CLOSED, Life.TO_OPEN) and (
            owner.balance != 0 or owner.queue.count or owner.outbox or owner.loans
        ):
            return Answer.NOT_EMPTY
        owner.life = Life(life)
        self._retry_one(time, owner, Cause.CONTROL)
        return Answer.DONE

    def set_logged_in(self, account: int, on: bool) -> None:
        """A participant logs in or out; only a logged-in one may send."""
        self.accounts[account].logged_in = on

    def set_pool(self, time: int, pool: int, active: bool) -> None:
        """A fund pool (资金池), by its number, is stopped (MT02), or begins again and rescues at once what it can."""
        chosen = self.pools[pool]
        chosen.active = active
        if active:
            for member in chosen.members:
                if member.queue.count:
                    self._call(member, Cause.POOL)
            self._cascade(time)

    def set_pledge(self, time: int, account: int, room: int, start: int, automatic: bool) -> None:
        """质押融资: what the account may owe at once, its smallest loan (起点金额), both fen, and whether by itself."""
        assert room >= 0, f"room {room} is negative"
        assert start >= 0, f"start {start} is negative"
        owner = self.accounts[account]
        owner.pledge_room, owner.pledge_start, owner.pledge_automatic = room, start, automatic
        owner.has_tools = owner.has_tools or automatic
        self._retry_one(time, owner, Cause.PLEDGE)

    def borrow(self, time: int, account: int, amount: int) -> Answer:
        """A loan that the account asks for; SHORT_OF_ROOM if its bonds or its limit do not cover it.

        Then its queue is retried. Where financing is automatic, what it does not need for that is repaid at once.
        """
        assert amount > 0, f"amount {amount} is not positive"
        owner = self.accounts[account]
        if owner.room() < amount:
            return Answer.SHORT_OF_ROOM
        self._pay_out(time, owner, amount, for_sequence=-1)
        self._retry_one(time, owner, Cause.PLEDGE)
        return Answer.DONE

    def spare(self, account: int) -> int:
        """What an account could give to others now, fen."""
        return self.accounts[account].spare()

    def move_spare(self, time: int, giver: int, taker: int, least: int, most: int, kind: MoveKind) -> int:
        """A sweep (上收下拨) or a loan (拆借): `least` to `most` fen of what the giver can spare, or nothing."""
        payer, payee = self.accounts[giver], self.accounts[taker]
        given = min(payer.spare(), most)
        if given < max(1, least):
            given = 0
        else:
            self._move(time, payer, payee, given, kind, -1)
        self._retry_one(time, payee, Cause.POOL if kind is MoveKind.SWEEP else Cause.LOAN)
        return given

    def _retry_one(self, time: int, account: Account, cause: Cause) -> None:
        self._wake(account, cause)
        self._cascade(time)
