"""What participants order about their own queue and account by message: moves, earmarks, reservations, limits.

Each order is answered by camt.025. Source: message flows "queue", "earmark up, down", "reservation", "limits".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cnaps_sim.core.records import ANYBODY
from cnaps_sim.messages import limits, liquidity, queue_orders
from cnaps_sim.messages.limits import LimitKey
from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems.centre import Centre
from cnaps_sim.words.codes import Answer, Priority

#: The term of an account that each kind of reservation sets.
_RESERVED: Final = {limits.FOR_URGENT: "reserved_high", limits.FOR_HIGH: "reserved_urgent"}


class AccountOrders:
    """Serves camt.007, camt.008, camt.011, camt.012, camt.050, camt.051 and camt.103 at the centre.

    before_limit: told of a limit before the books set it: debtor row, creditor row or ANYBODY, fen or None
    cancel_retail: withdraws a payment of BEPS from its cap queue: its id, the owner's row; None if it is none
    before_term: told of a money term of an account (row, term, fen) before the books are asked to set it; if refused,
        told once more of what it stays
    may_set_earmark: whether an account's earmark may become so many fen
    """

    def __init__(self, centre: Centre, before_limit: Callable[[int, int, int | None], None]) -> None:
        self.centre = centre
        self.before_limit = before_limit
        self.books = centre.books
        self.cancel_retail: Callable[[str, int], Answer | None] = lambda *_: None
        self.may_set_earmark: Callable[[int, int], Answer] = lambda *_: Answer.DONE
        self.before_term: Callable[[int, str, int], None] = lambda *_: None
        centre.serve(queue_orders.CAMT_007, self._move)
        centre.serve(queue_orders.CAMT_008, self._cancel)
        centre.serve(liquidity.CAMT_050, self._raise_earmark)
        centre.serve(liquidity.CAMT_051, self._lower_earmark)
        centre.serve(limits.CAMT_103, self._reserve)
        centre.serve(limits.CAMT_011, self._set_limits)
        centre.serve(limits.CAMT_012, self._remove_limit)

    @property
    def _now(self) -> int:
        return int(self.centre.mail.clock.now)

    def _move(self, checked: Checked) -> int:
        """camt.007: an own queued payment to the head or tail of its level, or to another level."""
        order = queue_orders.read_queue_move(checked.root)
        sequence, owner = self.centre.sequence_of(order.payment.transaction_id), self.centre.row(checked.instructing)
        if order.change == queue_orders.TO_HEAD:
            answer = self.books.move_to_head(self._now, sequence, owner)
        elif order.change == queue_orders.TO_TAIL:
            answer = self.books.move_to_tail(self._now, sequence, owner)
        else:
            answer = self.books.change_level(self._now, sequence, owner, int(Priority(order.change).level))
        self.centre.answer(checked, answer, order.payment)
        return -1

    def _cancel(self, checked: Checked) -> int:
        """camt.008: an own queued payment is withdrawn; pacs.002 CANC follows."""
        order = queue_orders.read_queue_cancellation(checked.root)
        sequence, owner = self.centre.sequence_of(order.payment.transaction_id), self.centre.row(checked.instructing)
        answer = None if sequence >= 0 else self.cancel_retail(order.payment.transaction_id, owner)
        if answer is None:
            answer = self.books.cancel(self._now, sequence, owner)
        self.centre.answer(checked, answer, order.payment)
        return -1

    def _raise_earmark(self, checked: Checked) -> int:
        """camt.050: earmark up (圈存资金调增)."""
        return self._change_earmark(checked, liquidity.read_earmark_increase(checked.root).amount_fen)

    def _lower_earmark(self, checked: Checked) -> int:
        """camt.051: earmark down (圈存资金调减); what is not earmarked cannot be lowered."""
        return self._change_earmark(checked, -liquidity.read_earmark_decrease(checked.root).amount_fen)

    def _change_earmark(self, checked: Checked, by_fen: int) -> int:
        row = self.centre.row(checked.instructing)
        earmark = int(self.books.accounts["earmark"][row]) + by_fen
        answer = Answer.SHORT_OF_FUNDS
        if earmark >= 0:
            answer = self.may_set_earmark(row, earmark)
        if earmark >= 0 and answer == Answer.DONE:
            answer = self._set_term(row, "earmark", earmark)
        self.centre.answer(checked, answer)
        return -1

    def _reserve(self, checked: Checked) -> int:
        """camt.103: money kept for levels 0-1 (HPAR) or 0-6 (UPAR)."""
        order = limits.read_reservation(checked.root)
        row = self.centre.row(checked.instructing)
        answer = self._set_term(row, _RESERVED[order.kind], order.amount_fen)
        self.centre.answer(checked, answer)
        return -1

    def _set_term(self, row: int, field: str, fen: int) -> Answer:
        self.before_term(row, field, fen)
        answer = self.books.set_field(self._now, row, field, fen)
        if answer != Answer.DONE:
            self.before_term(row, field, int(self.books.accounts[field][row]))
        return answer

    def _set_limits(self, checked: Checked) -> int:
        """camt.011: limits (双边限额, 多边限额) of the sender, all of them or, if one cannot be set, none."""
        order = limits.read_limit_setting(checked.root)
        answers = [self._may_limit(checked, new.key) for new in order.limits]
        answer = next((answer for answer in answers if answer != Answer.DONE), Answer.DONE)
        if answer == Answer.DONE:
            for new in order.limits:
                self._set_limit(new.key, new.amount_fen)
        self.centre.answer(checked, answer)
        return -1

    def _remove_limit(self, checked: Checked) -> int:
        """camt.012: a limit of the sender binds no longer."""
        key = limits.read_limit_deletion(checked.root).key
        answer = self._may_limit(checked, key)
        if answer == Answer.DONE:
            self._set_limit(key, None)
        self.centre.answer(checked, answer)
        return -1

    def _may_limit(self, checked: Checked, key: LimitKey) -> Answer:
        """Whether the sender may set this limit; net debit caps are not its own to set."""
        if key.kind not in (limits.BILATERAL, limits.MULTILATERAL):
            return Answer.SWITCHED_OFF
        if key.owner != checked.instructing:
            return Answer.NOT_YOURS
        if key.kind == limits.MULTILATERAL:
            return Answer.DONE if key.counterparty is None else Answer.NO_COUNTERPARTY
        towards = self.centre.register.row_of.get(key.counterparty or "")
        if towards is None or key.counterparty == key.owner or self.books.accounts["central_bank"][towards]:
            return Answer.NO_COUNTERPARTY
        return Answer.DONE

    def _set_limit(self, key: LimitKey, fen: int | None) -> None:
        debtor = self.centre.row(key.owner)
        creditor = ANYBODY if key.kind == limits.MULTILATERAL else self.centre.row(key.counterparty or "")
        self.before_limit(debtor, creditor, fen)
        self.books.set_limit(self._now, debtor, creditor, fen)
