"""The end of the clearing window (清算窗口): afterwards no queue holds an item and no account is below zero.

Source: business day, clearing window. In order: payments of participants are sent back (RJ99), then the central
bank lends what the remaining items and overdrafts are short of, at the penalty rate (高额罚息贷款).
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.queue import Payment
from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Cause, Level, Refusal

#: Levels of the central bank's own bookings that come after the repayment of overdrafts, in order.
_AFTER_OVERDRAFT: Final = (Level.INTEREST_AND_FEES, Level.SAME_CITY_NET, Level.ROUND_NET, Level.ONE_SIDED)


class ClearingWindow(Settlement):
    """What closes a business date."""

    def return_queued(self, time: int) -> None:
        """Send back every queued payment of levels 1, 6 and 7 (PR09, RJ99), then retry what still waits.

        Accounts in row order, levels from the highest, each from its head. Nothing is retried before all are out.
        No matching is under way any more.
        """
        assert not any(payment.locked for payment in self.waiting.values()), "a matching is under way"
        for account in self.accounts:
            for level in HVPS_LEVELS:
                for payment in tuple(account.queue.levels[level]):
                    self._dequeue(payment)
                    self._note(time, payment.sequence, Act.RETURNED, level, Refusal.END_OF_DAY)
        self.retry_all(time, Cause.RETURN)

    def lend_and_clear(self, time: int, first_sequence: int, lender: int) -> list[tuple[int, int, int]]:
        """Post what still waits at levels 0 and 2-5, lending each account exactly what it is short of.

        `lender` is a row of the central bank. Items are posted even under debit control. Answers the loans as
        (sequence, account, amount in fen), numbered from `first_sequence`.
        """
        loans: list[tuple[int, int, int]] = []

        def lend(account: Account, shortage: int) -> bool:
            if shortage <= 0:
                return False
            sequence = first_sequence + len(loans)
            self._lend(time, sequence, self.accounts[lender], account, shortage)
            loans.append((sequence, account.row, shortage))
            return True

        participants = [account for account in self.accounts if not account.central_bank]
        for account in participants:
            for payment in tuple(account.queue.levels[Level.REVERSAL]):
                lent = lend(account, payment.amount - max(0, account.balance))
                self._clear(time, payment, lent)
        for account in participants:
            lend(account, -account.balance)
            for level in _AFTER_OVERDRAFT:
                for payment in tuple(account.queue.levels[level]):
                    lent = lend(account, payment.amount - account.balance)
                    self._clear(time, payment, lent)
            account.earmark = min(account.earmark, max(0, account.balance))
        return loans

    def _lend(self, time: int, sequence: int, lender: Account, borrower: Account, amount: int) -> None:
        """One penalty loan. It wakes no queue: what it is meant for is posted next."""
        assert lender.central_bank, f"account {lender.row} is not the central bank's"
        self._post(time, sequence, lender, borrower, amount, Level.ONE_SIDED, Cause.NONE)

    def _clear(self, time: int, payment: Payment, lent: bool) -> None:
        """Post one item that the return of the payments ahead of it, or a loan, made possible."""
        self._dequeue(payment)
        debtor, creditor = self.accounts[payment.debtor], self.accounts[payment.creditor]
        cause = Cause.PENALTY if lent else Cause.CONTROL if debtor.holds(payment.level) else Cause.RETURN
        self._post(time, payment.sequence, debtor, creditor, payment.amount, payment.level, cause)
