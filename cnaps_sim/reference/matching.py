"""Queue matching (排队撮合): payments of levels 6 and 7 settle together when their net effect is funded.

Source: queue matching. The choice *multilateral* is that of Bech and Soramäki (2001): start from everything
considered; while an account would be short, leave out the last of its payments. All legs of a matching are
posted as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.limits import ANYBODY
from cnaps_sim.reference.queue import Payment
from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import MATCHING_CAUSE, Cause, Discipline, Level

#: The levels that a matching looks at, in the order of the queue.
_MATCHED: Final = (Level.HIGH, Level.NORMAL)
#: What no row is: nothing blocks.
_NOBODY: Final = -1


class Matchable(NamedTuple):
    """What a matching considers: columns of payments, account row by row, each account in queue order.

    ticket     the payment's sequence
    available  of every account, for algorithms that know one number (fen) per account
    """

    ticket: list[int]
    debtor: list[int]
    creditor: list[int]
    amount: list[int]
    level: list[int]
    available: list[int]


class Together:
    """A set of payments tried together, and what each account would win or lose by it.

    sends  debtor's row → its payments of the set, in the order given
    gain   row → received − sent in the set, in fen
    """

    def __init__(self, payments: Iterable[Payment]) -> None:
        self.sends: dict[int, list[Payment]] = {}
        self.gain: Counter[int] = Counter()
        for payment in payments:
            self.sends.setdefault(payment.debtor, []).append(payment)
            self.gain[payment.debtor] -= payment.amount
            self.gain[payment.creditor] += payment.amount

    def drop_last(self, debtor: int) -> None:
        """Leave out the last payment of an account."""
        payment = self.sends[debtor].pop()
        self.gain[payment.debtor] += payment.amount
        self.gain[payment.creditor] -= payment.amount

    def sent(self, debtor: int, creditor: int) -> int:
        """What the one sends to the other in the set, in fen."""
        return sum(payment.amount for payment in self.sends.get(debtor, ()) if payment.creditor == creditor)


class Matching(Settlement):
    """Matchings, at once or with a duration.

    locked  the payments that a matching under way has chosen, in posting order; empty if there is none
    """

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        discipline: int = Discipline.FIFO,
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        super().__init__(accounts, discipline, limits)
        self.locked: list[Payment] = []

    @property
    def matching_locked(self) -> int:
        """How many payments a matching under way has chosen."""
        return len(self.locked)

    # What is considered

    def matchable(self) -> Matchable:
        """All payments that a matching may choose from now, and the funds of every account."""
        assert not self.locked, "a matching is under way"
        found = self._considered()
        return Matchable(
            [payment.sequence for payment in found],
            [payment.debtor for payment in found],
            [payment.creditor for payment in found],
            [payment.amount for payment in found],
            [payment.level for payment in found],
            [self._funds_for_matching(account) for account in self.accounts],
        )

    def matchable_totals(self) -> tuple[int, int]:
        """Count and value (fen) of the payments that a matching may choose from now."""
        found = self._considered()
        return len(found), sum(payment.amount for payment in found)

    def _considered(self) -> list[Payment]:
        return list(chain.from_iterable(self._considered_of(account) for account in self.accounts))

    def _considered_of(self, account: Account) -> list[Payment]:
        """The payments with which an account takes part, in queue order; none if it is only a receiver.

        It sends nothing while something waits at levels 0 to 5, while its debits are held, while a matching under
        way has chosen one of its payments, or while its available funds are negative (for level 7: those of
        level 7). A payment whose creditor refuses credit stops all behind it.
        """
        levels = account.queue.levels
        if account.held or any(levels[: Level.HIGH]):
            return []
        if any(payment.locked for level in _MATCHED for payment in levels[level]):
            return []
        taken: list[Payment] = []
        for level in _MATCHED:
            if account.available(level, self.phase) < 0:
                return taken
            for payment in levels[level]:
                if self.accounts[payment.creditor].refuses_credit(level):
                    return taken
                taken.append(payment)
        return taken

    def _funds_for_matching(self, account: Account) -> int:
        """One number (fen) for algorithms that know no levels: what the account may lose in a matching."""
        sends = self._considered_of(account)
        if not sends:
            return max(0, account.available(Level.HIGH, self.phase))
        return account.available(sends[-1].level, self.phase)

    # The choice

    def choose_multilateral(self) -> list[int]:
        """The largest set that can settle together in the order of the queues; tickets in posting order.

        The answer does not depend on the order in which the short accounts are looked at.
        """
        assert not self.locked, "a matching is under way"
        together = Together(self._considered())
        while (row := self._first_short(together)) != _NOBODY:
            together.drop_last(row)
        return [payment.sequence for payments in together.sends.values() for payment in payments]

    def _first_short(self, together: Together) -> int:
        """The lowest row that sends more in the set than its funds or its limits allow."""
        return min((row for row in together.sends if self._is_short(self.accounts[row], together)), default=_NOBODY)

    def _is_short(self, account: Account, together: Together) -> bool:
        """Would the set leave a sender with less than nothing, or over one of its limits?

        If it sends at level 7, what it reserved for levels 0 to 6 must be left over. A mere receiver is not
        asked.
        """
        sends = together.sends[account.row]
        if not sends:
            return False
        lowest_level = max(payment.level for payment in sends)
        if account.available(lowest_level, self.phase) + together.gain[account.row] < 0:
            return True
        return any(self._exceeds(pair, together) for pair in self.limit if pair[0] == account.row)

    def _exceeds(self, pair: tuple[int, int], together: Together) -> bool:
        debtor, creditor = pair
        if creditor == ANYBODY:
            more = -together.gain[debtor]
        else:
            more = together.sent(debtor, creditor) - together.sent(creditor, debtor)
        return self.net[pair] + more > self.limit[pair]

    # Settlement at once

    def settle_together(self, time: int, number: int, tickets: Sequence[int]) -> int:
        """Post a set of waiting payments as matching `number`: all or nothing.

        Answers -1, or the lowest row of an account that blocks: with a payment that is not considered, short of
        funds, or over a limit. Then nothing has changed.
        """
        payments = self._payments(tickets)
        blocking = self._first_blocking(payments)
        if blocking == _NOBODY:
            self._post_together(time, number, payments)
        return blocking

    def _payments(self, tickets: Sequence[int]) -> list[Payment]:
        assert len(set(tickets)) == len(tickets), "a ticket is named twice"
        return [self.waiting[ticket] for ticket in tickets]

    def _first_blocking(self, payments: list[Payment]) -> int:
        """The lowest row that keeps the set from settling together; -1 if none does."""
        considered = {payment.sequence for payment in self._considered()}
        rows = {payment.debtor for payment in payments if payment.sequence not in considered}
        return self._lowest(rows, payments)

    def _lowest(self, rows: set[int], payments: list[Payment]) -> int:
        """The lowest of the rows found to block and of those that the set would leave short."""
        short = self._first_short(Together(payments))
        return min(rows if short == _NOBODY else rows | {short}, default=_NOBODY)

    def _post_together(self, time: int, number: int, payments: list[Payment]) -> None:
        """Post all legs, then look at the lowest balances and the watch lines, then retry the queues.

        In between an account may stand below zero: nobody sees it.
        """
        touched: dict[int, Account] = {}
        for payment in payments:
            debtor, creditor = self.accounts[payment.debtor], self.accounts[payment.creditor]
            touched |= {debtor.row: debtor, creditor.row: creditor}
            self._dequeue(payment)
            self._transfer(
                time, payment.sequence, debtor, creditor, payment.amount, payment.level, MATCHING_CAUSE - number
            )
        for account in touched.values():
            account.note_lowest()
            self._watch(time, account)
        for payment in payments:
            self._wake(self.accounts[payment.debtor], payment.sequence)
            self._wake(self.accounts[payment.creditor], payment.sequence)
        self._cascade(time)

    # Settlement after a duration

    def reserve_for_matching(self, tickets: Sequence[int]) -> int:
        """A matching that takes time begins: its payments are locked and what they cost is reserved.

        The answer is that of `settle_together`. Nothing is credited before the end.
        """
        assert not self.locked, "a matching is under way"
        payments = self._payments(tickets)
        blocking = self._first_blocking(payments)
        if blocking == _NOBODY:
            for row, gain in Together(payments).gain.items():
                self.accounts[row].reserved_matching = max(0, -gain)
            for payment in payments:
                payment.locked = True
            self.locked = payments
        return blocking

    def settle_reserved(self, time: int, number: int) -> int:
        """The matching under way ends: it settles as number `number` (-1) if the set still holds.

        If not, nothing settles, the payments are free again and their queues are retried; the answer is the
        lowest row that blocks.
        """
        payments, self.locked = self.locked, []
        for payment in payments:
            payment.locked = False
        for account in self.accounts:
            account.reserved_matching = 0
        blocking = self._lowest({payment.debtor for payment in payments if self._is_out(payment)}, payments)
        if blocking == _NOBODY:
            self._post_together(time, number, payments)
        else:
            for payment in payments:
                self._wake(self.accounts[payment.debtor], Cause.LIMIT)
            self._cascade(time)
        return blocking

    def _is_out(self, payment: Payment) -> bool:
        """Is a chosen payment no longer fit to settle? What came to wait before it meanwhile does not matter."""
        debtor, creditor = self.accounts[payment.debtor], self.accounts[payment.creditor]
        if debtor.held or debtor.available(payment.level, self.phase) < 0:
            return True
        return bool(creditor.refuses_credit(payment.level))
