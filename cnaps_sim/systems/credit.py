"""Credit of a run: pledge loans that are not repaid in time, and loans between participants at the end of the day.

Automatic pledge loans and their repayment happen inside the settlement rules (`core.pledges`); here is what has a time:
loans become overdue when the clearing window ends, borrowers default, agreements (自动拆借) and lending desks bring
funds when the window opens. Source: rule sections "business day" and "liquidity tools".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from cnaps_sim.core import Books
from cnaps_sim.core.records import LEVELS, PLEDGES
from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.systems.saps import Loan, Saps
from cnaps_sim.words.codes import Answer, Level, Life, MoveKind, Phase
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import day_of, format_fen

#: Day-count convention of loans between participants.
_DAYS_OF_RATE_YEAR = 360


@dataclass(frozen=True)
class LoanAgreement:
    """An agreement on automatic interbank loans (自动拆借): account rows, limits in fen, rate per year.

    on_day: whether it is in force on each business date of the run
    """

    lender: int
    borrower: int
    lower: int
    upper: int
    rate: Decimal
    on_day: tuple[bool, ...]


@dataclass(frozen=True)
class CreditRules:
    """Who lends to whom, and what happens to loans that are not repaid.

    overdue_ppm:    what an overdue pledge loan bears more a year, in millionths
    default_days:   natural days overdue after which the bonds are realised
    desk_share:     share of its spare money that each bank lends in the window; desk_after_ms: how long after it opens
    """

    overdue_ppm: int
    default_days: int
    agreements: tuple[LoanAgreement, ...]
    desk_share: Decimal
    desk_after_ms: int
    desk_rate: Decimal


class Credit:
    """Runs the credit of a scenario beside the business day."""

    def __init__(
        self, clock: Clock, recorder: Recorder, saps: Saps, names: Sequence[str], rules: CreditRules
    ) -> None:  # fmt: skip
        self.clock = clock
        self.books: Books = clock.books
        self.recorder = recorder
        self.saps = saps
        self.names = names
        self.rules = rules
        self._overdue_since: dict[int, int] = {}  # natural day on which an account's loans became overdue
        self._place = 0
        self.before_overdue: Callable[[int], None] = lambda _: None  # told of what loans will bear more, in millionths
        self.before_default: Callable[[int], None] = lambda _: None  # told of the account
        self.after_default: Callable[[int], None] = lambda _: None

    # pledge loans -------------------------------------------------------------------------------------------

    def borrow(self, account: int, amount: int) -> Answer:
        """A participant asks for a loan against its bonds (质押融资申请)."""
        if not self.saps.is_open():
            return Answer.SYSTEM_CLOSED
        if self.books.accounts["alert"][account] & PLEDGES:
            return Answer.AUTOMATIC
        return self.books.borrow(int(self.clock.now), account, amount)

    def repay(self, account: int) -> Answer:
        """A participant repays its pledge loans as far as its own money goes."""
        if not self.saps.is_open():
            return Answer.SYSTEM_CLOSED
        self.books.repay_now(int(self.clock.now), account)
        return Answer.DONE

    def cut_off(self) -> None:
        """The business is cut off: loans taken by hand are repaid too, as far as own money goes."""
        for account in self._borrowers():
            self.books.repay_now(int(self.clock.now), account)

    def begin_date(self, place: int) -> None:
        """A business date opens: what is left of pledge loans is repaid as far as own money goes."""
        self._place = place
        for account in self._borrowers():
            self.books.repay_now(int(self.clock.now), account)

    def end_date(self, day: BusinessDay) -> None:
        """The clearing window of a date is over: loans become overdue (逾期), and old ones default (违约)."""
        self.recorder.drain()  # what has been repaid in this very instant is not overdue
        now, today = int(self.clock.now), day_of(day.midnight_ms)
        borrowers = self._borrowers()
        for account in [account for account in self._overdue_since if account not in borrowers]:
            del self._overdue_since[account]
        for account in borrowers:
            since = self._overdue_since.setdefault(account, today)
            owed = format_fen(int(self.books.accounts["pledged"][account]))
            if since == today:
                self.recorder.tell(now, "overdue", self.names[account], f"pledge loans of {owed} CNY not repaid")
            elif today - since >= self.rules.default_days:
                self._default(now, account)
        self.before_overdue(self.rules.overdue_ppm)
        self.books.make_overdue(now, self.rules.overdue_ppm)

    def _default(self, now: int, account: int) -> None:
        self.before_default(account)
        gone = self.books.write_off(now, account)
        self.after_default(account)
        principal, interest = sum(loan[1] for loan in gone), sum(loan[2] for loan in gone)
        words = f"pledge loans of {format_fen(principal)} CNY and {format_fen(interest)} CNY of interest"
        self.recorder.tell(now, "default", self.names[account], f"{words}: the bonds are realised")
        del self._overdue_since[account]

    def _borrowers(self) -> list[int]:
        """Accounts that owe pledge loans, in row order."""
        return [int(account) for account in np.flatnonzero(self.books.accounts["pledged"] > 0)]

    # loans between participants -----------------------------------------------------------------------------

    def enter_window(self, day: BusinessDay) -> None:
        """The clearing window opens: agreements bring their loans at once, lending desks a while later."""
        now = int(self.clock.now)
        for account in sorted(set(self.saps.participants).intersection(self.books.queued_or_overdrawn())):
            if (lacking := self.shortage(account)) > 0:
                self.recorder.tell(now, "short", self.names[account], f"lacks {format_fen(lacking)} CNY")
        for agreement in self.rules.agreements:
            needed = self.shortage(agreement.borrower)
            if agreement.on_day[self._place] and max(1, agreement.lower) <= needed <= agreement.upper:
                self._lend(agreement.lender, agreement.borrower, needed, needed, agreement.rate, day)
        if self.rules.desk_share > 0 and not self.books.is_cured():
            at_ms = min(now + self.rules.desk_after_ms, day.window_end_ms - 1)
            self.clock.call_at(at_ms, Rank.ACTION, lambda: self._lend_at_desk(day))

    def shortage(self, account: int) -> int:
        """What an account would have to receive now to settle all that can go from its queue and to be above zero, fen.

        Items that debit control, a freeze or a limit of its own holds back do not count, nor what waits behind them.
        """
        waiting = [self._movable(account, level) for level in range(LEVELS)]
        received = 0
        while lacking := self._lacking(account, waiting, received):
            received += lacking
        return received

    def _movable(self, account: int, level: int) -> int:
        """What waits at one level of an account and is not held back, fen."""
        record = self.books.accounts[account]
        held = bool(record["debit_control"]) or int(record["life"]) == Life.FROZEN
        if held and level not in (Level.REVERSAL, Level.SAME_CITY_NET):
            return 0
        if level < Level.HIGH or not self.books.limits_of(account):
            return int(self.books.queues["waiting_fen"][account, level])
        return self.books.within_limits(account, level)

    def _lacking(self, account: int, waiting: Sequence[int], received: int) -> int:
        """What is lacking at the first level that cannot be paid, level by level, once so much has been received."""
        record = self.books.accounts[account]
        names = ("balance", "floor", "earmark", "reserved_high", "reserved_urgent")
        balance, floor, earmark, high, urgent = (int(record[name]) for name in names)
        balance += received
        for level, fen in enumerate(waiting):
            kept = floor if level == Level.ROUND_NET else floor + earmark
            kept += high if level > Level.URGENT and level != Level.ROUND_NET else 0
            kept += urgent if level == Level.NORMAL else 0
            if fen > 0 and balance - kept < fen:
                return fen + kept - balance
            if level == Level.ROUND_NET:
                earmark -= min(earmark, max(0, fen - max(0, balance - floor - earmark)))
            balance -= fen
        return max(0, -balance)

    def _lend_at_desk(self, day: BusinessDay) -> None:
        """Banks with money to spare lend to the short ones: the shortest first, from who has most."""
        if int(self.books.desk["phase"][0]) != Phase.CLEARING_WINDOW:
            return
        self.recorder.drain()
        rows = self.saps.participants
        left = {row: int(self.books.spare(row) * self.rules.desk_share) for row in rows}
        short = sorted(rows, key=lambda row: (-self.shortage(row), row))
        for borrower in short:
            if self.shortage(borrower) > sum(left.values()) - left[borrower]:
                continue  # half of what it lacks would cure nothing
            for lender in sorted(left, key=lambda row: (-left[row], row)):
                needed = self.shortage(borrower)
                if needed == 0 or left[lender] == 0:
                    break
                if lender != borrower:
                    left[lender] -= self._lend(
                        lender, borrower, 1, min(needed, left[lender]), self.rules.desk_rate, day
                    )  # fmt: skip

    def _lend(self, lender: int, borrower: int, least: int, most: int, rate: Decimal, day: BusinessDay) -> int:
        """One loan, due when the next business date opens; returns its amount, 0 if the lender has too little."""
        now = int(self.clock.now)
        lent = self.books.move_spare(now, lender, borrower, least, most, MoveKind.LOAN)
        if lent > 0:
            self.saps.loans.append(Loan(borrower, lent, day_of(day.midnight_ms), lender, rate / _DAYS_OF_RATE_YEAR))
            words = f"{format_fen(lent)} CNY to {self.names[borrower]}, {format_rate(rate)} a year"
            self.recorder.tell(now, "interbank_loan", self.names[lender], words)
        return lent


def format_rate(rate: Decimal) -> str:
    """A rate as a percentage, such as `1.8 %`."""
    return f"{format((rate * 100).normalize(), 'f')} %"
