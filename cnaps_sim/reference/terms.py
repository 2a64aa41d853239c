"""Terms: limits, reservations, controls and log-in, changed in the course of a day.

Source: rules of the account. A change that may let a queue move has it retried at that instant.
"""

from __future__ import annotations

from cnaps_sim.reference.account import TERMS, Account
from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import Answer, Cause, Life


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
        """双边限额: what `debtor` may send `creditor` net becomes `fen`; None: it is limited no longer."""
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
        if life in (Life.CLOSED, Life.TO_OPEN) and (owner.balance != 0 or owner.queue.count or owner.outbox):
            return Answer.NOT_EMPTY
        owner.life = Life(life)
        self._retry_one(time, owner, Cause.CONTROL)
        return Answer.DONE

    def set_logged_in(self, account: int, on: bool) -> None:
        """A participant logs in or out; only a logged-in one may send."""
        self.accounts[account].logged_in = on

    def _retry_one(self, time: int, account: Account, cause: Cause) -> None:
        self._wake(account, cause)
        self._cascade(time)
