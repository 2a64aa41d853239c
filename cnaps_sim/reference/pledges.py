"""Pledge financing (质押融资, G109): the central bank lends against bonds when an account's balance cannot pay.

Source: liquidity tools, automatic pledge financing. Loans are repaid one by one, oldest first, as soon as the
account's own funds allow and nothing waits in its queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.loan import Loan
from cnaps_sim.reference.pools import Pools
from cnaps_sim.words.codes import Level, MoveKind

_NORMAL: Final = Level.NORMAL
#: No account: nobody lends, nobody is paid interest.
_NOBODY: Final = -1


class Lending(NamedTuple):
    """Who lends, and for what.

    lender            row of the central bank's lending account; -1 where nobody may borrow
    interest_account  row that is paid the interest; -1 where there is none to pay
    rate_ppm          yearly rate of a new loan, in millionths
    """

    lender: int = _NOBODY
    interest_account: int = _NOBODY
    rate_ppm: int = 0


class Pledges(Pools):
    """The ledger with pledge loans, all on the terms of `lending`.

    These are one attribute, because CPython reads objects with more than thirty attributes more slowly.
    """

    def __init__(self, accounts: Sequence[Mapping[str, Any]], limits: Sequence[tuple[int, int, int]] = ()) -> None:
        super().__init__(accounts, limits)
        self.lending = Lending()

    def _can_borrow(self, account: Account, lacking: int) -> bool:
        """Would an automatic loan cover what the account lacks (fen)?"""
        return account.pledge_automatic and account.room() >= lacking

    def _lend_lacking(self, time: int, sequence: int, account: Account, lacking: int) -> bool:
        """One automatic loan for payment `sequence`: what is lacking, or the starting amount (起点金额) if more.

        Is anything left over?
        """
        principal = max(lacking, min(account.pledge_start, account.room()))
        self._pay_out(time, account, principal, sequence)
        return principal > lacking

    def _pay_out(self, time: int, account: Account, principal: int, for_sequence: int) -> None:
        assert self.lending.lender != _NOBODY, f"nobody lends to account {account.row}"
        lender = self.accounts[self.lending.lender]
        number = self._move(time, lender, account, principal, MoveKind.PLEDGE, for_sequence)
        account.loans.append(Loan(number, principal, time, self.lending.rate_ppm))
        account.has_tools = True

    def _repay(self, time: int, account: Account) -> None:
        """Repay loans, oldest first, while own funds cover one with its interest and nothing waits in the queue."""
        while account.loans and account.queue.count == 0:
            loan = account.loans[0]
            interest = loan.interest(time)
            if account.own(_NORMAL, self.phase) < loan.principal + interest:
                return
            account.loans.pop(0)
            lender = self.accounts[self.lending.lender]
            self._move(time, account, lender, loan.principal, MoveKind.REPAYMENT, loan.sequence)
            if interest:
                assert self.lending.interest_account != _NOBODY, f"nobody is paid the interest of loan {loan.sequence}"
                payee = self.accounts[self.lending.interest_account]
                self._move(time, account, payee, interest, MoveKind.INTEREST, loan.sequence)

    def repay_now(self, time: int, account: int) -> None:
        """The account repays what it can, also loans that are not repaid by themselves. No queue is retried."""
        self._repay(time, self.accounts[account])

    def make_overdue(self, time: int, extra_ppm: int) -> None:
        """Every loan that stands is overdue from now on, at `extra_ppm` more a year; once only for each."""
        for account in self.accounts:
            for loan in account.loans:
                loan.fall_overdue(time, extra_ppm)

    def write_off(self, time: int, account: int) -> list[tuple[int, int, int]]:
        """The borrower defaults: its bonds are realised and its loans end without a move.

        Answers (sequence, principal, interest up to now) of each, oldest first. Its room shrinks by the principals.
        """
        borrower = self.accounts[account]
        ended = [(loan.sequence, loan.principal, loan.interest(time)) for loan in borrower.loans]
        borrower.pledge_room = max(0, borrower.pledge_room - borrower.pledged)
        borrower.loans.clear()
        return ended
