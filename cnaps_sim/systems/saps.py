"""SAPS (清算账户管理系统): the central bank books on the settlement accounts.

Levels 0 and 2-5 of the queue are its own: reversals, interest and fees, same-city nets, round nets, one-sided
business. Its own accounts are the counterparties, so that the sum of all balances never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from cnaps_sim.core import Books
from cnaps_sim.engine.recorder import Booking, Recorder
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Act, Answer, Cause, CentralBankAccount, Level, Life, Phase, Refusal, TransferKind
from cnaps_sim.words.units import MS_PER_DAY, format_fen

_NOT_OPEN = (Life.TO_OPEN, Life.CLOSED)
#: Phases in which the central bank books.
_OPEN_PHASES = (Phase.DAYTIME, Phase.CUT_OFF, Phase.CLEARING_WINDOW)
#: Day-count convention of intraday overdraft interest: a year has 360 days.
DAYS_OF_RATE_YEAR = 360


@dataclass(frozen=True)
class Loan:
    """A loan due when the next business date opens: at the penalty rate (高额罚息贷款), or between participants (拆借).

    account, lender: rows of the borrower's account and the lender's
    day:        natural day on which it was granted, counted from the run's first business date
    daily_rate: interest per natural day
    """

    account: int
    amount: int
    day: int
    lender: int
    daily_rate: Decimal


def round_half_up(value: Decimal) -> int:
    """To the fen, halves upwards: the rounding of interest."""
    return int(value.to_integral_value(ROUND_HALF_UP))


def overdraft_interest(fen_ms: int, annual_rate: Decimal) -> int:
    """Interest in fen on an overdraft integral in fen·ms: integral × rate / (360 × 86 400 000)."""
    return round_half_up(Decimal(fen_ms) * annual_rate / (DAYS_OF_RATE_YEAR * MS_PER_DAY))


def loan_interest(amount: int, days: int, daily_rate: Decimal) -> int:
    """Interest in fen on a loan over natural days, rounded half up."""
    return round_half_up(Decimal(amount) * daily_rate * days)


class Saps:
    """The central bank's desk at the settlement accounts.

    names: account ids by row, the central bank's own included.
    overdraft_rate: yearly rate of the intraday overdraft; penalty_rate: daily rate of penalty loans.
    """

    def __init__(
        self,
        books: Books,
        recorder: Recorder,
        names: Sequence[str],
        overdraft_rate: Decimal,
        penalty_rate: Decimal,
    ) -> None:
        self.books = books
        self.recorder = recorder
        self.names = names
        self.overdraft_rate = overdraft_rate
        self.penalty_rate = penalty_rate
        self.row = {name: row for row, name in enumerate(names)}
        self.participants = [row for row in range(len(names)) if not books.accounts["central_bank"][row]]
        self.loans: list[Loan] = []
        self._returns: dict[int, int] = {}  # the latest return of a payment, both by sequence
        self.interest_fen = np.zeros(len(names), np.int64)
        self.penalty_fen = np.zeros(len(names), np.int64)
        self.taken_ids: frozenset[str] = frozenset()  # ids of payments that look like those of bookings
        self._last_id: dict[str, int] = {}

    def own(self, account: CentralBankAccount) -> int:
        """The row of one of the central bank's own accounts."""
        return self.row[account.value]

    def is_open(self) -> bool:
        """Whether the central bank books now: from the opening to the end of the clearing window."""
        return Phase(int(self.books.desk["phase"][0])) in _OPEN_PHASES

    # bookings ---------------------------------------------------------------------------------------------

    def _book(
        self,
        time_ms: int,
        kind: TransferKind,
        debtor: int,
        creditor: int,
        amount: int,
        level: Level,
        business: BusinessType,
        original: int | None = None,
    ) -> Act:
        """Submit one item of the central bank's own levels."""
        sequence = self.recorder.number_booking()
        payment_id = self._next_id(business.code)
        self.recorder.bookings.append(
            Booking(sequence, kind, time_ms, debtor, creditor, amount, int(level), payment_id, business.code, original)
        )
        return self.books.submit(time_ms, sequence, debtor, creditor, amount, int(level))

    def _next_id(self, prefix: str) -> str:
        self._last_id[prefix] = self._last_id.get(prefix, 0) + 1
        booking_id = f"{prefix}-{self._last_id[prefix]:06d}"
        return self._next_id(prefix) if booking_id in self.taken_ids else booking_id

    def central_bank_debit(self, time_ms: int, account: int, amount: int) -> Act:
        """One-sided debit (单边业务), level 5: a loan falls due, a fine, a withdrawal of cash."""
        own = self.own(CentralBankAccount.ONE_SIDED)
        return self._book(
            time_ms, TransferKind.ONE_SIDED, account, own, amount, Level.ONE_SIDED, BusinessType.ONE_SIDED
        )

    def central_bank_credit(self, time_ms: int, account: int, amount: int) -> Act:
        """One-sided credit (单边业务), level 5: posted at once."""
        own = self.own(CentralBankAccount.ONE_SIDED)
        return self._book(
            time_ms, TransferKind.ONE_SIDED, own, account, amount, Level.ONE_SIDED, BusinessType.ONE_SIDED
        )

    def fee(self, time_ms: int, account: int, amount: int) -> Act:
        """Fees of the payment system (收费), level 2."""
        own = self.own(CentralBankAccount.INTEREST_AND_FEES)
        return self._book(time_ms, TransferKind.FEE, account, own, amount, Level.INTEREST_AND_FEES, BusinessType.FEE)

    def reverse(self, time_ms: int, original: int, debtor: int, creditor: int, amount: int) -> Act:
        """Reversal of a booking error (错账冲正), level 0: the original's creditor pays the debtor back."""
        return self._book(
            time_ms, TransferKind.REVERSAL, creditor, debtor, amount, Level.REVERSAL, BusinessType.REVERSAL, original
        )

    def return_payment(self, time_ms: int, original: int, debtor: int, creditor: int, amount: int) -> Act:
        """The bank that was paid sends a settled payment back (退汇), level 7: creditor and debtor change places."""
        sequence = self.next_booking
        act = self._book(
            time_ms, TransferKind.PAYMENT, creditor, debtor, amount, Level.NORMAL, BusinessType.RETURN, original
        )
        if act != Act.REFUSED:
            self._returns[original] = sequence
        return act

    def may_be_sent_back(self, original: int) -> Answer:
        """Whether a payment can be asked for or sent back: it has settled, and no return of it has or still may."""
        if original < 0 or self.recorder.act_of(original) != Act.SETTLED:
            return Answer.NOT_SETTLED
        booked = self._returns.get(original)
        undone = (Act.REFUSED, Act.RETURNED, Act.CANCELLED)
        return Answer.DONE if booked is None or self.recorder.act_of(booked) in undone else Answer.SENT_BACK

    def post_nets(self, time_ms: int, nets: Sequence[tuple[int, int]], level: Level) -> Refusal:
        """A table of nets (account, fen; positive = to receive), against the netting account.

        Every creditor's net is posted at once, whether or not any debtor has paid; each debtor's net is
        posted if its account can pay, else it queues alone. Level 3: same-city nets; level 4: round nets. A table
        that names an account which is not open, or that comes out of hours, is refused whole.
        """
        refusal = self.refuses_nets(nets)
        if refusal != Refusal.NONE:
            return refusal
        same_city = level == Level.SAME_CITY_NET
        kind = TransferKind.SAME_CITY_NET if same_city else TransferKind.NET
        business = BusinessType.SAME_CITY_NET if same_city else BusinessType.ROUND_NET
        own = self.own(CentralBankAccount.NETTING)
        for account, net in nets:
            if net > 0:
                self._book(time_ms, kind, own, account, net, level, business)
        for account, net in nets:
            if net < 0:
                self._book(time_ms, kind, account, own, -net, level, business)
        return Refusal.NONE

    def refuses_nets(self, nets: Sequence[tuple[int, int]]) -> Refusal:
        """Why a table of nets would be refused whole: an account that is not open, or the hour; NONE if it is taken."""
        if any(Life(int(self.books.accounts["life"][account])) in _NOT_OPEN for account, _ in nets):
            return Refusal.CLOSED_ACCOUNT
        if not self.is_open() or self.books.desk["special_session"][0]:
            return Refusal.OUT_OF_HOURS
        return Refusal.NONE

    @property
    def next_booking(self) -> int:
        """The sequence that the next booking will get."""
        return self.recorder.sequences

    def book_net(self, time_ms: int, account: int, net: int) -> Act:
        """One leg of a third-party net against the netting account, level 4 (fen, positive = to receive)."""
        own = self.own(CentralBankAccount.NETTING)
        debtor, creditor = (own, account) if net > 0 else (account, own)
        kind, business = TransferKind.NET, BusinessType.OTHER_NET
        return self._book(time_ms, kind, debtor, creditor, abs(net), Level.ROUND_NET, business)

    def inject(self, time_ms: int, account: int, amount: int) -> Refusal:
        """Give an account liquidity, without a queue: the researcher's own tap. Refused where a booking would be."""
        if Life(int(self.books.accounts["life"][account])) in _NOT_OPEN:
            return Refusal.CLOSED_ACCOUNT
        if Phase(int(self.books.desk["phase"][0])) not in _OPEN_PHASES:
            return Refusal.OUT_OF_HOURS
        sequence = self.recorder.number_booking()
        own = self.own(CentralBankAccount.ONE_SIDED)
        self.recorder.bookings.append(
            Booking(sequence, TransferKind.INJECTION, time_ms, own, account, amount, int(Level.ONE_SIDED), None)
        )
        self.books.post_direct(time_ms, sequence, own, account, amount, int(Level.ONE_SIDED), Cause.INJECTION)
        return Refusal.NONE

    # the end of the day ------------------------------------------------------------------------------------

    def charge_interest(self, time_ms: int) -> None:
        """Intraday overdraft interest (日间透支计息) of every account, at level 2, when the business is cut off."""
        own = self.own(CentralBankAccount.INTEREST_AND_FEES)
        for account in sorted(set(self.participants).intersection(self.books.with_overdraft())):
            fen = overdraft_interest(self.books.charge_overdraft(time_ms, account), self.overdraft_rate)
            if fen > 0:
                self.interest_fen[account] += fen
                self.recorder.tell(
                    time_ms, "interest", self.names[account], f"overdraft interest {format_fen(fen)} CNY"
                )
                self._book(
                    time_ms,
                    TransferKind.INTEREST,
                    account,
                    own,
                    fen,
                    Level.INTEREST_AND_FEES,
                    BusinessType.INTEREST,
                )

    def clear_remains(self, time_ms: int, day: int) -> None:
        """Lend what is lacking at the penalty rate, so that no queue holds an item and nobody is below zero."""
        lender = self.own(CentralBankAccount.LENDING)
        first = self.recorder.sequences
        for sequence, account, fen in self.books.lend_and_clear(time_ms, first, lender):
            numbered = self.recorder.number_booking()
            assert numbered == sequence
            self.recorder.bookings.append(
                Booking(sequence, TransferKind.PENALTY, time_ms, lender, account, fen, int(Level.ONE_SIDED), None)
            )
            self.loans.append(Loan(account, fen, day, lender, self.penalty_rate))
            self.penalty_fen[account] += fen
            self.recorder.tell(
                time_ms, "loan", self.names[account], f"central-bank loan at the penalty rate, {format_fen(fen)} CNY"
            )

    def collect_loans(self, time_ms: int, day: int) -> None:
        """A business date opens: loans of earlier days fall due, principal at level 5, interest at level 2."""
        due, self.loans = self.loans, []
        central, earner = self.own(CentralBankAccount.LENDING), self.own(CentralBankAccount.INTEREST_AND_FEES)
        for loan in due:
            interest = loan_interest(loan.amount, day - loan.day, loan.daily_rate)
            kind, earned_by = BusinessType.CENTRAL_BANK_LOAN, earner
            if loan.lender != central:
                kind, earned_by = BusinessType.AUTOMATIC_LOAN, loan.lender
            if interest > 0:
                level = Level.INTEREST_AND_FEES
                self._book(
                    time_ms, TransferKind.INTEREST, loan.account, earned_by, interest, level, BusinessType.INTEREST
                )  # fmt: skip
            self._book(
                time_ms, TransferKind.REPAYMENT, loan.account, loan.lender, loan.amount, Level.ONE_SIDED, kind
            )  # fmt: skip
