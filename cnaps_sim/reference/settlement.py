"""Settlement: a payment is posted at once, or waits and is released when money arrives.

Source: settlement queue rules. Levels are strict; the queue is retried from its head whenever available funds
rise or the head changes; credited accounts are retried in the order credited.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.admission import Admission
from cnaps_sim.reference.covering import NONE, PLAIN, Cover
from cnaps_sim.reference.queue import Payment
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Cause, Discipline, Level, Refusal

# Looked up once; see `account`.
_HVPS: Final = frozenset(HVPS_LEVELS)
_SETTLED: Final = Act.SETTLED
_MATCHED: Final = frozenset({Level.HIGH, Level.NORMAL})
_NO_CAUSE: Final = Cause.NONE
#: A line that no queue crosses.
_NEVER: Final = 2**62


class Settlement(Admission):
    """The books in motion.

    waiting             every payment in a settlement queue, by its sequence
    woken               accounts whose queue is to be retried, first credited first
    is_serving          is a cascade under way? None begins inside another
    waiting_count, …    payments in all settlement queues and their value; `hvps_` those of levels 1, 6 and 7
    peak_hvps_…, peak_saps_…  highest count and value right after a payment was queued; saps is all but HVPS
    count_line, fen_line  growth of the HVPS queue beyond one of these is a crossing, on which the clock stops
    stop_when_queued    every submission that leaves something waiting at levels 6 and 7 is a crossing
    """

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        discipline: int = Discipline.FIFO,
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        super().__init__(accounts, discipline, limits)
        self.waiting: dict[int, Payment] = {}
        self.woken: deque[Account] = deque()
        self.is_serving = False
        self.waiting_count = self.waiting_fen = 0
        self.hvps_waiting_count = self.hvps_waiting_fen = 0
        self.peak_hvps_count = self.peak_hvps_fen = 0
        self.peak_saps_count = self.peak_saps_fen = 0
        self.count_line = self.fen_line = _NEVER
        self.stop_when_queued = False

    def submit(
        self,
        time: int,
        sequence: int,
        debtor: int,
        creditor: int,
        amount: int,
        level: int,
        refusal: int = Refusal.NONE,
        special: bool = False,
    ) -> Act:
        """One payment arrives: HELD in the outbox, REFUSED, SETTLED or QUEUED.

        time in ms, amount in fen (> 0), accounts by row; `refusal` was found before the books saw it, `special`
        marks business that a special session takes. A payment that settles releases others in a cascade.
        """
        payer = self.accounts[debtor]
        if (time < payer.hold_until_ms and level in _HVPS) or (
            payer.has_tools and self._policy_keeps(time, payer, level, amount)
        ):
            self.keep_back(time, sequence, debtor, creditor, amount, level, refusal, special)
            return Act.HELD
        return self._receive(time, sequence, payer, self.accounts[creditor], amount, level, refusal, special)

    def _policy_keeps(self, time: int, bank: Account, level: int, amount: int) -> bool:
        """Does the bank's policy (发报策略) keep a payment in the outbox, behind those that stand there?"""
        if not bank.policy_binds(time, level):
            return False
        return len(bank.outbox) > 0 or not bank.may_send(level, amount, time, self.phase)

    def _receive(
        self,
        time: int,
        sequence: int,
        payer: Account,
        payee: Account,
        amount: int,
        level: int,
        refusal: int,
        special: bool,
    ) -> Act:
        """The system receives a payment; with continuous matching the clock looks at what it leaves behind."""
        act = self._settle_or_queue(time, sequence, payer, payee, amount, level, refusal, special)
        if self.stop_when_queued and self._may_be_matched():
            self.crossings += 1
        return act

    def _settle_or_queue(
        self,
        time: int,
        sequence: int,
        payer: Account,
        payee: Account,
        amount: int,
        level: int,
        refusal: int,
        special: bool,
    ) -> Act:
        """REFUSED, SETTLED or QUEUED."""
        why = self._judge(payer, payee, amount, level, refusal, special)
        if why:
            return self._refuse(time, sequence, level, why)
        cover = self._cover_on_arrival(payer, payee, amount, level)
        if cover is not NONE:
            if cover is not PLAIN:
                self._fund(time, sequence, payer, amount, level, cover)
            self._post(time, sequence, payer, payee, amount, level, _NO_CAUSE)
            if payee.queue.count or payee.has_tools:
                self._wake(payee, sequence)
            if self.woken:
                self._cascade(time)
            return _SETTLED
        if self.discipline == Discipline.REJECT and level in _HVPS:
            why = Refusal.DEBIT_CONTROL if payer.holds(level) else Refusal.FUNDS
            return self._refuse(time, sequence, level, why)
        return self._enqueue(time, Payment(sequence, payer.row, payee.row, amount, level, refusal, special))

    def _refuse(self, time: int, sequence: int, level: int, why: Refusal, cause: int = _NO_CAUSE) -> Act:
        """PR09: on arrival, or when its turn in the queue came."""
        self._note(time, sequence, Act.REFUSED, level, why, cause)
        return Act.REFUSED

    def _enqueue(self, time: int, payment: Payment) -> Act:
        """PR12: to the tail of its level."""
        self.accounts[payment.debtor].queue.append(payment)
        self.waiting[payment.sequence] = payment
        self._count_waiting(payment, +1)
        self._note_peaks()
        if payment.level in _HVPS:
            self._watch_growth(payment.amount)
        self._note(time, payment.sequence, Act.QUEUED, payment.level)
        return Act.QUEUED

    def _note_peaks(self) -> None:
        """Keep the highest count and value that have waited at once."""
        self.peak_hvps_count = max(self.peak_hvps_count, self.hvps_waiting_count)
        self.peak_hvps_fen = max(self.peak_hvps_fen, self.hvps_waiting_fen)
        self.peak_saps_count = max(self.peak_saps_count, self.waiting_count - self.hvps_waiting_count)
        self.peak_saps_fen = max(self.peak_saps_fen, self.waiting_fen - self.hvps_waiting_fen)

    def set_queue_lines(self, count: int, fen: int) -> None:
        """Stop the clock when more than `count` HVPS payments, or more than `fen` of them, have come to wait."""
        self.count_line, self.fen_line = count, fen

    def set_stop_when_queued(self, on: bool) -> None:
        """Stop the clock after every submission that leaves something waiting at levels 6 and 7, or no longer."""
        self.stop_when_queued = on

    def _may_be_matched(self) -> bool:
        """Does anything wait at the levels that a matching looks at?"""
        return any(payment.level in _MATCHED for payment in self.waiting.values())

    def _watch_growth(self, amount: int) -> None:
        """A payment of `amount` has joined the HVPS queue: did that take it above a line below which it was?"""
        self.crossings += self.hvps_waiting_count - 1 <= self.count_line < self.hvps_waiting_count
        self.crossings += self.hvps_waiting_fen - amount <= self.fen_line < self.hvps_waiting_fen

    def start_day(self, time: int) -> None:
        """A business date begins: the accounts' figures and the peaks start from what is there now."""
        super().start_day(time)
        self.peak_hvps_count = self.peak_hvps_fen = self.peak_saps_count = self.peak_saps_fen = 0
        self._note_peaks()

    def _dequeue(self, payment: Payment) -> None:
        """Out of the settlement queue: settled, refused, cancelled or returned."""
        self.accounts[payment.debtor].queue.remove(payment)
        del self.waiting[payment.sequence]
        self._count_waiting(payment, -1)

    def _count_waiting(self, payment: Payment, one: int) -> None:
        self.waiting_count += one
        self.waiting_fen += one * payment.amount
        if payment.level in _HVPS:
            self.hvps_waiting_count += one
            self.hvps_waiting_fen += one * payment.amount

    def _wake(self, account: Account, cause: int) -> None:
        """Something has changed for the account: have it looked at again, in the order woken.

        That is for its queue, its loans if they are repaid by themselves, and its outbox. If it has none of these,
        others of its pool are looked at, which it may rescue now.
        """
        if account.queue.count == 0:
            if not account.has_tools:
                return
            if not (account.loans and account.pledge_automatic) and not account.outbox:
                self._wake_pool(account, cause)
                return
        self._call(account, cause)

    def _wake_pool(self, account: Account, cause: int) -> None:
        """Have the queues of the other members of its active pool looked at again, in list order."""
        for member in account.pool.others(account) if account.pool is not None else ():
            if member.queue.count:
                self._call(member, cause)

    def _call(self, account: Account, cause: int) -> None:
        """To the end of those woken.

        A later cause replaces an earlier one while the account waits for its turn: what is released is released
        by the last credit before it.
        """
        account.woken_by = cause
        if not account.woken:
            account.woken = True
            self.woken.append(account)

    def _cascade(self, time: int) -> None:
        """Retry the woken accounts, first woken first, until nothing moves any more."""
        if self.is_serving:
            return
        self.is_serving = True
        while self.woken:
            account = self.woken.popleft()
            account.woken = False
            self._retry(time, account)
        self.is_serving = False

    def _retry(self, time: int, account: Account) -> None:
        """Look at an account again: its queue, its loans, its outbox, and then at those that it may rescue."""
        cause = account.woken_by
        self._release(time, account, cause)
        if not account.has_tools:
            return
        if account.pledge_automatic:
            self._repay(time, account)
        self._send_by_policy(time, account)
        if account.queue.count == 0:
            self._wake_pool(account, cause)

    def _release(self, time: int, account: Account, cause: int) -> None:
        """Release from the head of one account's queue what its funds, or what may cover it, allow.

        A payment whose creditor can no longer be credited is refused when its turn comes, and nothing covers it.
        """
        while (found := self._next_funded(account)) is not None:
            payment, cover = found
            self._dequeue(payment)
            creditor = self.accounts[payment.creditor]
            why = creditor.refuses_credit(payment.level)
            if why:
                self._refuse(time, payment.sequence, payment.level, why, cause)
                continue
            by = cause
            if cover is not PLAIN:
                by = self._fund(time, payment.sequence, account, payment.amount, payment.level, cover)
            self._post(time, payment.sequence, account, creditor, payment.amount, payment.level, by)
            self._wake(creditor, payment.sequence)

    def _fund(self, time: int, sequence: int, account: Account, amount: int, level: int, cover: Cover) -> Cause:
        """Bring what a payment lacks; what a loan leaves over may serve what waits, an older loan, or the pool."""
        by, left_over = self._bring(time, sequence, account, amount, level, cover)
        if left_over:
            self._wake(account, Cause.PLEDGE)
        return by

    def _next_funded(self, account: Account) -> tuple[Payment, Cover] | None:
        """The payment that is released next, and how it is paid; None if the queue stands still.

        Only the highest movable level that holds a payment is looked at. FIFO: its head or nothing. Bypass: the
        first of that level, from its head, that can be paid. Only the head is covered by a pool or a loan.
        """
        level = account.queue.first_movable_level(account.held)
        if level is None:
            return None
        if account.has_tools:
            head = account.queue.levels[level][0]
            cover = self._cover(account, head.amount, level) if self._is_free(head) else NONE
            if cover is not NONE:
                return head, cover
        available = account.available(level, self.phase)
        for payment in account.queue.levels[level]:
            if payment.amount <= available and self._is_free(payment):
                return payment, PLAIN
            if self.discipline != Discipline.BYPASS:
                break
        return None

    def _send_by_policy(self, time: int, bank: Account) -> None:
        """What the bank's policy lets go leaves the outbox, head after head, whatever becomes of each."""
        while time < bank.policy_until_ms and time >= bank.hold_until_ms and bank.outbox:
            head = bank.outbox[0]
            if not bank.may_send(head.level, head.amount, time, self.phase):
                return
            self._submit_kept(time, bank.outbox.popleft())

    def _is_free(self, payment: Payment) -> bool:
        """Neither chosen by a matching under way nor kept back by a bilateral limit."""
        if payment.locked:
            return False
        return not self.limit or self._within_limit(payment.debtor, payment.creditor, payment.amount, payment.level)

    def retry_all(self, time: int, cause: int) -> None:
        """Retry every queue, the accounts in row order; what is released has `cause` until a credit releases it."""
        for account in self.accounts:
            self._wake(account, cause)
        self._cascade(time)

    def post_direct(
        self, time: int, sequence: int, debtor: int, creditor: int, amount: int, level: int, cause: int
    ) -> None:
        """The central bank pays unconditionally: an injection, a loan, the creditor side of a round net.

        Such a posting waits for nothing; `cause` is what it is to the payments that it releases.
        """
        payer, payee = self.accounts[debtor], self.accounts[creditor]
        assert payer.central_bank, f"account {debtor} is not the central bank's"
        self._post(time, sequence, payer, payee, amount, level, _NO_CAUSE)
        self._wake(payee, cause)
        self._cascade(time)

    def keep_back(
        self,
        time: int,
        sequence: int,
        debtor: int,
        creditor: int,
        amount: int,
        level: int,
        refusal: int = Refusal.NONE,
        special: bool = False,
    ) -> None:
        """A bank is instructed to pay, and its payment stands in its outbox."""
        bank = self.accounts[debtor]
        bank.outbox.append(Payment(sequence, debtor, creditor, amount, level, refusal, special))
        self._note(time, sequence, Act.HELD, level)

    def _submit_kept(self, time: int, p: Payment) -> Act:
        self._note(time, p.sequence, Act.SUBMITTED, p.level)
        bank, payee = self.accounts[p.debtor], self.accounts[p.creditor]
        return self._receive(time, p.sequence, bank, payee, p.amount, p.level, p.refusal, p.special)
