"""Recalls and returns at the centre: what is asked for is passed on, what is sent back is booked.

A settled payment is final; only the bank that was paid can send it back, by a payment of its own (退汇, pacs.004) at
level 7. The original is then marked PR23.
"""

from __future__ import annotations

from collections.abc import Callable

from cnaps_sim.messages import returns
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.queue_orders import ByNumber
from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems.centre import Centre, Instruction
from cnaps_sim.systems.mail import Letter
from cnaps_sim.systems.saps import Saps
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Answer, Priority

#: Told the sequence of a payment; answers its debtor's row, its creditor's row and its amount in fen.
Terms = Callable[[int], tuple[int, int, int]]


class Recalls:
    """Serves camt.056, camt.029 and pacs.004."""

    def __init__(self, centre: Centre, saps: Saps, terms: Terms) -> None:
        self.centre = centre
        self.saps = saps
        self.terms = terms
        centre.serve(returns.CAMT_056, self._recall)
        centre.serve(returns.CAMT_029, self._answer)
        centre.serve(returns.PACS_004, self._return, self._instruction)

    def _recall(self, checked: Checked) -> int:
        """camt.056 is passed on to the bank that was paid; refused while the payment has not settled."""
        recall = returns.read_recall(checked.root)
        transaction_id = recall.payments[0].transaction_id
        refused = self._refusal(transaction_id, recall.instructing, recall.instructed)
        if refused != Answer.DONE:
            self.centre.answer(checked, refused, ByNumber(transaction_id))
        else:
            self._forward(checked, recall.instructed, transaction_id)
        return -1

    def _answer(self, checked: Checked) -> int:
        """camt.029 is passed on to the bank that asked."""
        answer = returns.read_recall_answer(checked.root)
        self._forward(checked, answer.instructed, answer.payments[0].transaction_id)
        return -1

    def _return(self, checked: Checked) -> int:
        """pacs.004 enters the books as a payment of the bank that was paid, to the bank that had paid."""
        message = returns.read_return(checked.root)
        refused = self._refusal(message.original_transaction_id, message.instructed, message.instructing)
        if refused != Answer.DONE:
            self.centre.answer(checked, refused, ByNumber(message.original_transaction_id))
            return -1
        original = self.centre.sequence_of(message.original_transaction_id)
        debtor, creditor, amount = self.terms(original)
        now = int(self.centre.mail.clock.now)
        sequence = self.saps.next_booking
        self.saps.return_payment(now, original, debtor, creditor, amount)
        self.centre.open[sequence] = self._instruction(checked)
        return sequence

    def _instruction(self, checked: Checked) -> Instruction:
        """What a pacs.004 that has been booked asks, under the id that results give it."""
        message = returns.read_return(checked.root)
        original = self.centre.sequence_of(message.original_transaction_id)
        return Instruction(
            sender=message.instructing,
            receiver=message.instructed,
            kind=checked.kind,
            original=OriginalMessage(message.business_id, checked.kind.number, message.created),
            transaction_id=message.return_id,
            uetr=message.original_uetr,
            end_to_end_id=message.return_id,
            priority=Priority.NORM,
            document=checked.envelope.document,
            reference=self._reference(original),
        )

    def _reference(self, original: int) -> str:
        """What results call the latest return of a payment."""
        bookings = reversed(self.centre.recorder.bookings)
        return next(
            (b.payment_id or "" for b in bookings if b.original == original and b.type == BusinessType.RETURN.code), ""
        )

    def _refusal(self, transaction_id: str, payer: str, paid: str) -> Answer:
        """Why a payment cannot be asked for or sent back between these two banks now, or DONE."""
        sequence = self.centre.sequence_of(transaction_id)
        may = self.saps.may_be_sent_back(sequence)
        if may == Answer.NOT_SETTLED:
            return may
        if (self.centre.row(payer), self.centre.row(paid)) != self.terms(sequence)[:2]:
            return Answer.NOT_OWN
        return may

    def _forward(self, checked: Checked, member: str, transaction_id: str) -> None:
        document = checked.envelope.document
        about = self.centre.sequence_of(transaction_id)
        self.centre.send(
            Letter(checked.kind, CENTRE, member, checked.business_id, document, transaction_id, about)
        )  # fmt: skip
