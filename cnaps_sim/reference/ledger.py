"""The ledger: the one place where money moves, and the log of everything the books do.

Source: rules of the account; balance warnings from the liquidity tools. The sum of all balances, the central
bank's own accounts included, never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.limits import Limits
from cnaps_sim.words.codes import Act, Cause, Level, MoveKind, Phase, Refusal

#: (sequence, time_ms, cause, act, refusal, level)
LogEntry = tuple[int, int, int, int, int, int]
#: (sequence, time_ms, amount, debtor, creditor, kind, for_sequence)
MoveEntry = tuple[int, int, int, int, int, int, int]
#: Where the bookings of the books themselves are numbered from, above the payments of a run.
FIRST_BOOKING: Final = 1 << 40

# Looked up once; see `account`.
_SETTLED: Final = Act.SETTLED
_NO_REFUSAL: Final = Refusal.NONE
_NO_CAUSE: Final = Cause.NONE
_ROUND_NET: Final = Level.ROUND_NET
_ONE_SIDED: Final = Level.ONE_SIDED


class Ledger(Limits):
    """Accounts, the posting of transfers, and the log.

    accounts         rows 0..n-1 in the order of the file
    log              entries since the log was last drained, in the order done
    overdrawn_count  participants' accounts with a balance below zero
    crossings        watch lines crossed since the clock last looked
    next_booking     sequence of the next transfer that is nobody's payment
    moves            transfers that a rule made by itself since they were last drained
    """

    def __init__(self, accounts: Sequence[Mapping[str, Any]], limits: Sequence[tuple[int, int, int]] = ()) -> None:
        super().__init__(limits)
        self.accounts = [Account(row, terms) for row, terms in enumerate(accounts)]
        self.phase: Phase = Phase.PREPARATION
        self.log: list[LogEntry] = []
        self.overdrawn_count = sum(a.balance < 0 and not a.central_bank for a in self.accounts)
        self.crossings = 0
        self.next_booking = FIRST_BOOKING
        self.moves: list[MoveEntry] = []

    def _note(
        self, time: int, sequence: int, act: Act, level: int, refusal: int = _NO_REFUSAL, cause: int = _NO_CAUSE
    ) -> None:
        """Write one log entry."""
        self.log.append((sequence, time, cause, act, refusal, level))

    def _post(
        self, time: int, sequence: int, debtor: Account, creditor: Account, amount: int, level: int, cause: int
    ) -> None:
        """Post a transfer: debit and credit in one act, final (PR04).

        Whoever calls has just found that the debtor can pay, or posts for the central bank. `cause` is what
        released the payment, NONE if it had not to wait.
        """
        if level == _ROUND_NET:
            debtor.earmark = max(0, debtor.earmark - debtor.earmark_used(amount, self.phase))
        self._transfer(time, sequence, debtor, creditor, amount, level, cause)
        debtor.note_lowest()
        self._watch(time, debtor)
        self._watch(time, creditor)

    def _transfer(
        self, time: int, sequence: int, debtor: Account, creditor: Account, amount: int, level: int, cause: int
    ) -> None:
        """The two legs of a transfer and its log entry; the lowest figures and watch lines are looked at after it."""
        self._change_balance(time, debtor, -amount)
        self._change_balance(time, creditor, amount)
        debtor.sent += amount
        debtor.sent_count += 1
        creditor.received += amount
        creditor.received_count += 1
        if self.net:
            self._count_net(debtor.row, creditor.row, amount, level)
        self.log.append((sequence, time, cause, _SETTLED, _NO_REFUSAL, level))

    def number_booking(self) -> int:
        """The sequence of a new booking of the central bank."""
        self.next_booking += 1
        return self.next_booking - 1

    def _move(
        self, time: int, debtor: Account, creditor: Account, amount: int, kind: MoveKind, for_sequence: int
    ) -> int:
        """A transfer that a rule makes by itself, posted as one-sided business; answers its sequence.

        `for_sequence` is the payment covered (-1 if none), or the loan's own sequence when it is repaid.
        """
        number = self.number_booking()
        self._post(time, number, debtor, creditor, amount, _ONE_SIDED, _NO_CAUSE)
        self.moves.append((number, time, amount, debtor.row, creditor.row, kind, for_sequence))
        return number

    def _change_balance(self, time: int, account: Account, by: int) -> None:
        """Change a balance, having first charged the overdraft so far to the interest integral.

        The integral ∫ max(0, −balance) dt is in fen·ms, a Python integer: 3.6e15 fen over a day are far more
        than 64 bits hold.
        """
        before = account.balance
        after = before + by
        if before < 0:
            account.overdraft_fen_ms += -before * (time - account.overdraft_since_ms)
        account.overdraft_since_ms = time
        account.balance = after
        if (before < 0) != (after < 0) and not account.central_bank:
            self.overdrawn_count += 1 if after < 0 else -1

    def _watch(self, time: int, account: Account) -> None:
        """Has the balance crossed its warning line (余额预警), downwards or upwards?"""
        if (account.balance < account.warning_line) != account.warned:
            account.warned = not account.warned
            self.crossings += 1
            act = Act.WARNING_RAISED if account.warned else Act.WARNING_CLEARED
            self._note(time, account.row, act, level=0)

    def charge_overdraft(self, time: int, account: int) -> int:
        """The overdraft integral since last charged, in fen·ms, exact; it starts again from zero.

        Intraday overdraft interest (日间透支计息) = integral × rate / (360 × 86 400 000).
        """
        borrower = self.accounts[account]
        self._change_balance(time, borrower, 0)
        charged = borrower.overdraft_fen_ms
        borrower.overdraft_fen_ms = 0
        return charged

    def start_day(self, time: int) -> None:
        """A business date begins: lowest figures are the present ones, nothing is sent or received yet."""
        for account in self.accounts:
            account.start_day(time)
        self._forget_nets()

    def drain_log(self) -> list[LogEntry]:
        """The log entries since the last drain: (sequence, time_ms, cause, act, refusal, level)."""
        entries, self.log = self.log, []
        return entries

    def drain_moves(self) -> list[MoveEntry]:
        """The moves since the last drain: (sequence, time_ms, amount, debtor, creditor, kind, for_sequence)."""
        entries, self.moves = self.moves, []
        return entries

    def take_crossings(self) -> int:
        """How many watch lines were crossed since this was last asked."""
        crossings, self.crossings = self.crossings, 0
        return crossings
