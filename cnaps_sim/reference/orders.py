"""Orders: what a participant may do with a payment of its own that waits in the settlement queue.

Source: settlement queue rules: to the head (QC00) or the tail (QC01) of its level, cancel (PR08), and, where the
scenario allows it, to another level. Only levels 1, 6 and 7 are open to participants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cnaps_sim.reference.queue import Payment
from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Answer, Cause, Discipline

_HVPS: Final = frozenset(HVPS_LEVELS)


class Orders(Settlement):
    """Queue operations. Each names the payment by its sequence and the account (row) that asks, and answers
    DONE, or the first obstacle of: not waiting, not its own, level closed, locked, switched off.

    reprioritise  may a participant change the level of a queued payment?
    """

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        discipline: int = Discipline.FIFO,
        reprioritise: bool = False,
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        super().__init__(accounts, discipline, limits)
        self.reprioritise = reprioritise

    def move_to_head(self, time: int, sequence: int, by: int) -> Answer:
        """QC00: to the head of its level; the account's queue is retried."""
        answer, payment = self._find(sequence, by)
        if payment is not None:
            queue = self.accounts[by].queue
            queue.remove(payment)
            queue.push(payment)
            self._reordered(time, payment, Act.MOVED_TO_HEAD, Cause.MOVE)
        return answer

    def move_to_tail(self, time: int, sequence: int, by: int) -> Answer:
        """QC01: to the tail of its level; the account's queue is retried."""
        answer, payment = self._find(sequence, by)
        if payment is not None:
            queue = self.accounts[by].queue
            queue.remove(payment)
            queue.append(payment)
            self._reordered(time, payment, Act.MOVED_TO_TAIL, Cause.MOVE)
        return answer

    def change_level(self, time: int, sequence: int, by: int, level: int) -> Answer:
        """To the tail of another of the levels 1, 6, 7 (or of its own); an extension, off by default."""
        answer, payment = self._find(sequence, by)
        if payment is None:
            return answer
        if level not in _HVPS:
            return Answer.LEVEL_CLOSED
        if not self.reprioritise:
            return Answer.SWITCHED_OFF
        queue = self.accounts[by].queue
        queue.remove(payment)
        payment.level = level
        queue.append(payment)
        self._reordered(time, payment, Act.LEVEL_CHANGED, Cause.MOVE)
        return answer

    def cancel(self, time: int, sequence: int, by: int) -> Answer:
        """PR08: the sender takes its payment back; the account's queue is retried."""
        answer, payment = self._find(sequence, by)
        if payment is not None:
            self._dequeue(payment)
            self._reordered(time, payment, Act.CANCELLED, Cause.CANCEL)
        return answer

    def withdraw(self, time: int, sequence: int) -> Answer:
        """The central bank takes back an item of its own levels; the account's queue is retried."""
        payment = self.waiting.get(sequence)
        if payment is None:
            return Answer.NOT_WAITING
        if payment.level in _HVPS:
            return Answer.LEVEL_CLOSED
        self._dequeue(payment)
        self._reordered(time, payment, Act.CANCELLED, Cause.CANCEL)
        return Answer.DONE

    def _find(self, sequence: int, by: int) -> tuple[Answer, Payment | None]:
        """The waiting payment, if `by` may give orders about it; else why not."""
        payment = self.waiting.get(sequence)
        if payment is None:
            return Answer.NOT_WAITING, None
        if payment.debtor != by:
            return Answer.NOT_OWN, None
        if payment.level not in _HVPS:
            return Answer.LEVEL_CLOSED, None
        if payment.locked:
            return Answer.LOCKED, None
        return Answer.DONE, payment

    def _reordered(self, time: int, payment: Payment, act: Act, cause: Cause) -> None:
        """Log the order and retry the queue, which may have a new head."""
        self._note(time, payment.sequence, act, payment.level)
        self._wake(self.accounts[payment.debtor], cause)
        self._cascade(time)
