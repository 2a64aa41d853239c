"""The centre for BEPS and IBPS: judges packages and replies, has units checked and netted, and tells both banks.

What needs an answer is forwarded to the bank that answers; its reply (回执) brings the unit to its cap check. Without
a reply the unit expires at its limit (PR32). All units of one millisecond are checked together, in order of their
numbers, after everything that arrives in it. Source: rule sections "BEPS" and "IBPS".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Rank
from cnaps_sim.engine.netting_recorder import NettingRecorder
from cnaps_sim.messages import credits, debits, returns, status
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems import retail_status
from cnaps_sim.systems.centre import Centre
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.systems.retail_register import FIRST_LETTER, Original, RetailRegister, Standing, Transaction
from cnaps_sim.systems.retail_status import STATUS_OF
from cnaps_sim.systems.retail_terms import Package, RetailLimits, read_package
from cnaps_sim.words.codes import Act, Answer, Reason, Refusal
from cnaps_sim.words.retail import RetailKind

_STOP: Final = "beps.411.001.01"
_FINAL: Final = frozenset(STATUS_OF) - {Act.QUEUED}
_REFUSED: Final = "RJCT"
_OF_REASON: Final = {Reason.RJ92: Refusal.PAYER_BANK, Reason.RJ95: Refusal.PAYEE_BANK}


class RetailCentre:
    """Serves the messages of BEPS and IBPS.

    limit_ms:   the instant at which a unit that has arrived expires
    ends_ms:    when the last retail date of the run ends: what is to expire then or later stays open
    on_refusal: told a unit and what is known against it, before the netting server hears of it
    on_check:   told a unit and when its message came, before the netting server checks it
    on_stop:    told a unit that is stopped (止付)
    """

    def __init__(
        self,
        centre: Centre,
        netting: Netting,
        recorder: NettingRecorder,
        register: RetailRegister,
        limits: RetailLimits,
        limit_ms: Callable[[int], int],
        ends_ms: int,
    ) -> None:
        self.centre = centre
        self.netting = netting
        self.recorder = recorder
        self.register = register
        self.limits = limits
        self.limit_ms = limit_ms
        self.ends_ms = ends_ms
        self.on_refusal: Callable[[int, int], None] = lambda *_: None
        self.on_check: Callable[[int, int], None] = lambda *_: None
        self.on_stop: Callable[[int], None] = lambda _: None
        self._due: list[tuple[int, int]] = []
        centre.retail = self.serve
        recorder.listeners.append(self._see_log)
        centre.mail.clock.after_each.append(self._look)

    @property
    def _now(self) -> int:
        return int(self.centre.mail.clock.now)

    def serve(self, checked: Checked) -> None:
        """Do what a message of BEPS or IBPS asks. Refused if it asks for nothing that is done here."""
        iso = checked.kind.iso
        if iso in (credits.PACS_008, credits.PACS_009, debits.PACS_003):
            self._take(checked)
        elif iso == status.PACS_002:
            self._hear(checked)
        elif iso == returns.CAMT_056 and checked.kind.number == _STOP:
            self._stop(checked)
        elif iso == returns.CAMT_029 and checked.kind.number == _STOP:
            self._forward_answer(checked)
        else:
            reason = f"{checked.kind.number} is not served here"
            raise Refused(Fault(Layer.BUSINESS, "header/message_type", reason))

    # packages and payments ----------------------------------------------------------------------------------------

    def _take(self, checked: Checked) -> None:
        """A package of BEPS or a payment of IBPS has arrived."""
        package = read_package(checked)
        original = Original(
            checked.kind,
            OriginalMessage(package.business_id, checked.kind.number, package.created),
            package.starter,
            package.other,
            package.transactions,
            checked.envelope.document,
        )
        broken = self.limits.problem(package, self.centre.mail.retail_date)
        unit = self._unit_of(package)
        if unit < 0:
            refusal, code, _ = broken or (Refusal.FORMAT, Code.FORMAT, "")
            if broken is None and self.register.unit_of(package.items[0][0]) < 0:
                refusal, code = Refusal.DUPLICATE, Code.DUPLICATE
            self._refuse(original, refusal, code)
        elif self.register.standing[unit] != Standing.UNKNOWN:
            self._refuse(original, Refusal.DUPLICATE, Code.DUPLICATE)
        else:
            self.register.originals[unit] = original
            self.register.arrived_ms[unit] = self._now
            known = int(self.register.rows["refusal"][unit])
            if self.register.needs_reply(unit) and broken is None:
                self._ask(unit, original)
            else:
                self.check(unit, known or (broken[0] if broken else Refusal.NONE))

    def _unit_of(self, package: Package) -> int:
        """The unit whose payments a message brings, under the terms that it has; -1 if it brings none."""
        register = self.register
        unit = register.unit_of(package.items[0][0])
        if unit < 0:
            return -1
        parties = (register.accounts[register.starter(unit)], register.accounts[register.answerer(unit)])
        same = register.kind(unit) == package.kind and parties == (package.starter, package.other)
        return unit if same and register.items(unit) == package.items else -1

    def _refuse(self, original: Original, refusal: Refusal, code: str) -> None:
        """Nothing is booked; its sender is told why."""
        retail_status.refused(self.centre, original.sender, original.message, original.transactions, refusal, code)

    def _ask(self, unit: int, original: Original) -> None:
        """Forward it to the bank that answers, and wait."""
        self.register.standing[unit] = Standing.ASKED
        self._forward(unit, original)
        self.expect(unit)

    def expect(self, unit: int) -> None:
        """A unit waits for its reply up to its limit, an instant that still belongs to it, or to the end of the run."""
        self.register.standing[unit] = Standing.ASKED
        limit_ms = self.limit_ms(unit)
        refusal = Refusal.TIMED_OUT if limit_ms < self.ends_ms else Refusal.UNANSWERED

        def expire() -> None:
            if self.register.standing[unit] == Standing.ASKED:
                self.check(unit, refusal)

        self.centre.mail.clock.call_at(max(min(limit_ms, self.ends_ms - 1), self._now), Rank.CAP_CHECK, expire)

    def _forward(self, unit: int, original: Original) -> None:
        if original.document is None:
            return
        letter = Letter(
            original.kind, CENTRE, original.receiver, original.message.business_id, original.document,
            original.transactions[0].transaction_id, FIRST_LETTER + unit,
        )  # fmt: skip
        self.centre.send(letter)

    # replies ------------------------------------------------------------------------------------------------------

    def _hear(self, checked: Checked) -> None:
        """A reply: the bank that was asked agrees or refuses, for all payments of the message alike."""
        reply = status.read_payment_status(checked.root)
        answers = tuple(
            [Transaction(t.transaction_id, t.uetr, t.end_to_end_id or t.transaction_id) for t in reply.transactions]
        )
        unit = self.register.unit_of(answers[0].transaction_id)
        wrong = self._wrong_reply(checked, unit, reply, answers)
        if wrong is not Refusal.NONE:
            message = OriginalMessage(reply.business_id, checked.kind.number, reply.created)
            retail_status.refused(self.centre, checked.instructing, message, answers, wrong)
            return
        first = reply.transactions[0]
        agreed = first.status != _REFUSED
        self.check(unit, Refusal.NONE if agreed else self._refusal_of(self.register.kind(unit), first))

    def _wrong_reply(
        self, checked: Checked, unit: int, reply: status.PaymentStatus, answers: tuple[Transaction, ...]
    ) -> Refusal:
        """Why a reply is not taken: no original (RJ91), answered before (RJ91), too late (AB05), not whole (FF01)."""
        register = self.register
        if unit < 0 or register.standing[unit] == Standing.UNKNOWN:
            return Refusal.NO_ORIGINAL
        if register.accounts[register.answerer(unit)] != checked.instructing:
            return Refusal.NO_ORIGINAL
        if register.standing[unit] == Standing.CHECKED:
            return Refusal.TIMED_OUT if register.acts[unit] == Act.EXPIRED else Refusal.ANSWERED
        original = register.originals[unit]
        asked = [each.transaction_id for each in original.transactions]
        if checked.kind.number.removesuffix(".001.01") != register.kind(unit).messages[-1]:
            return Refusal.NO_ORIGINAL
        if reply.transactions[0].original.business_id != original.message.business_id:
            return Refusal.NO_ORIGINAL
        is_whole = [each.transaction_id for each in answers] == asked
        return Refusal.NONE if is_whole and len({t.status for t in reply.transactions}) == 1 else Refusal.FORMAT

    @staticmethod
    def _refusal_of(kind_: RetailKind, told: status.TransactionStatus) -> Refusal:
        for reason in told.reasons:
            if reason.proprietary and reason.code in _OF_REASON:
                return _OF_REASON[Reason(reason.code)]
        return Refusal.PAYER_BANK if kind_.is_debit else Refusal.PAYEE_BANK

    # the cap check ------------------------------------------------------------------------------------------------

    def check(self, unit: int, refusal: int) -> None:
        """A unit comes to its cap check in this millisecond, with what is known against it."""
        assert self.register.standing[unit] != Standing.CHECKED
        self.register.standing[unit] = Standing.CHECKED
        if not self._due:
            self.centre.mail.clock.call_at(self._now, Rank.CAP_CHECK, self._check_all)
        self._due.append((unit, int(refusal)))

    def _check_all(self) -> None:
        """The netting server takes all that came in this millisecond, in order of the units' numbers."""
        due, self._due = sorted(self._due), []
        self.centre.recorder.drain()
        now, rows = self._now, self.register.rows
        for unit, refusal in due:
            row = rows[unit]
            if refusal != row["refusal"]:
                self.recorder.drain()
                self.on_refusal(unit, refusal)
            arrived_ms = int(self.register.arrived_ms[unit])
            self.on_check(unit, arrived_ms)
            self.netting.submit(
                now, unit, int(row["debtor"]), int(row["creditor"]), int(row["amount"]), int(row["items"]),
                int(row["kind"]), refusal, now - arrived_ms,
            )  # fmt: skip
        self.recorder.drain()

    def _look(self, _now: int) -> None:
        """After every event: has the netting server done something that its banks should hear of?"""
        if self.netting.netting["log_count"][0]:
            self.recorder.drain()

    def _see_log(self, log: Records) -> None:
        """Tell both banks what became of units that came as messages."""
        for unit, _, _, _, act, refusal, _ in log.tolist():
            if act not in STATUS_OF or unit >= len(self.register):  # a warning, or a return that did not travel
                continue
            self.register.acts[unit] = act
            original = self.register.originals.get(unit)
            if original is None:
                continue
            if act in _FINAL:
                del self.register.originals[unit]
            if act == Act.EXPIRED and self.limit_ms(unit) > self._now:
                self._tell_later(unit, original)
            else:
                self._tell(unit, original, Act(act), Refusal(refusal))

    def _tell_later(self, unit: int, original: Original) -> None:
        """The reply of a bank that is logged out counts for nothing: the unit expires when its limit runs out."""
        limit_ms = self.limit_ms(unit)
        if limit_ms < self.ends_ms:
            self.centre.mail.clock.call_at(
                limit_ms, Rank.CAP_CHECK, lambda: self._tell(unit, original, Act.EXPIRED, Refusal.TIMED_OUT)
            )

    def _tell(self, unit: int, original: Original, act: Act, refusal: Refusal) -> None:
        """To the bank that started it; to the other one once it has the original, which it gets with the money."""
        retail_status.told_of_unit(self.centre, unit, original, act, refusal, original.sender)
        asked = self.register.needs_reply(unit)
        if act not in _FINAL or (not asked and act is not Act.NETTED) or original.receiver == original.sender:
            return
        if not asked:
            self._forward(unit, original)
        retail_status.told_of_unit(self.centre, unit, original, act, refusal, original.receiver)

    # stop and cancel ----------------------------------------------------------------------------------------------

    def cancel(self, payment_id: str, owner: int) -> Answer | None:
        """A bank withdraws a unit that waits for headroom, whole; None if it is no payment of BEPS or IBPS."""
        unit = self.register.unit_of(payment_id)
        if unit < 0:
            return None
        answer = self.netting.cancel(self._now, unit, owner)
        self.recorder.drain()
        return Answer.NETTED if answer == Answer.NOT_WAITING and self.register.acts[unit] == Act.NETTED else answer

    def _stop(self, checked: Checked) -> None:
        """camt.056 (止付): a unit that waits for its reply is stopped, one in the cap queue leaves it.

        The answer is that of the bank which was asked (camt.029); where it was not asked, or the stop is refused, the
        centre's own.
        """
        request = returns.read_recall(checked.root)
        wanted = request.payments[0]
        unit = self.register.unit_of(wanted.transaction_id)
        was_asked = unit >= 0 and self.register.standing[unit] == Standing.ASKED
        answer = self._stopped(unit, checked)
        if not (was_asked and answer == Answer.DONE):
            self._answer_stop(checked, request, answer)
        self.centre.on_answer(checked, answer)

    def _answer_stop(self, checked: Checked, request: returns.Recall, answer: Answer) -> None:
        wanted = request.payments[0]
        business_id = self.centre.mail.business_id(CENTRE)
        answered = returns.AnsweredPayment(wanted.original, wanted.transaction_id, wanted.uetr)
        document = returns.build_recall_answer(
            returns.RecallAnswer(
                business_id, self.centre.mail.now, CENTRE, checked.instructing, request.business_id,
                checked.instructing, returns.AGREED if answer == Answer.DONE else returns.REFUSED, (answered,),
            )
        )  # fmt: skip
        sent = kind(_STOP, returns.CAMT_029)
        self.centre.send(
            Letter(sent, CENTRE, checked.instructing, business_id, document, wanted.transaction_id)
        )  # fmt: skip

    def _stopped(self, unit: int, checked: Checked) -> Answer:
        register = self.register
        if unit < 0 or register.standing[unit] == Standing.UNKNOWN:
            return Answer.NOT_WAITING
        owner = register.starter(unit)
        if register.accounts[owner] != checked.instructing:
            return Answer.NOT_OWN
        if register.standing[unit] == Standing.CHECKED:
            answer = self.netting.stop(self._now, unit, owner)
            self.recorder.drain()
            return Answer.NETTED if answer == Answer.NOT_WAITING and register.acts[unit] == Act.NETTED else answer
        original = register.originals[unit]
        self.centre.send(
            Letter(
                checked.kind, CENTRE, original.receiver, checked.business_id, checked.envelope.document,
                original.transactions[0].transaction_id, FIRST_LETTER + unit,
            )
        )  # fmt: skip
        self.on_stop(unit)
        self.check(unit, Refusal.STOPPED)
        return Answer.DONE

    def _forward_answer(self, checked: Checked) -> None:
        """camt.029 of a bank that was told to stop: it goes to the bank that asked."""
        answer = returns.read_recall_answer(checked.root)
        reference = answer.payments[0].transaction_id
        self.centre.send(
            Letter(checked.kind, CENTRE, answer.instructed, checked.business_id, checked.envelope.document, reference)
        )  # fmt: skip
