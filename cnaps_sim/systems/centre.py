"""The national centre (国家处理中心) for participants: it judges their messages, books, and tells what became of them.

Whatever arrives is judged by transport, XML, schema and profile; what they refuse is answered by admi.002 and nothing
is booked. Then the replay key decides: instructing participant, business id and message type. The same key with the
same bytes is a resend and is answered again from memory, never booked twice; with other bytes it is refused (AM05).
What remains is business: a payment enters the books through the same rule as one of a flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cnaps_sim.core import Books
from cnaps_sim.core.records import Records
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.messages import credits, envelope, queue_orders, status, technical
from cnaps_sim.messages.catalogue import Kind
from cnaps_sim.messages.envelope import CENTRE, MESSAGE_TYPE
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.parts import Reason as Why
from cnaps_sim.messages.queue_orders import RequestAnswer
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.messages.technical import Receipt
from cnaps_sim.messages.validate import Checked, check
from cnaps_sim.systems.mail import ACCEPTED, RESENT, RETAIL_SYSTEMS, Letter, Mail, kind, verdict_of
from cnaps_sim.systems.memory import PaymentIds, digest_of
from cnaps_sim.systems.seen import Seen, replay_key
from cnaps_sim.words.codes import Act, Answer, Priority, Reason, Refusal, Status

#: Status codes of camt.025 and admi.007: done, refused.
DONE: Final = "ACPT"
NOT_DONE: Final = "RJCT"

_RECEIPT: Final = "ccms.990.001.01"
_REJECTION: Final = "ccms.911.001.01"
_STATUS: Final = "ccms.900.001.01"
#: Business acts of the books and the status they give a payment in messages: ISO code, CNAPS code.
STATUS_OF: Final = {
    Act.SETTLED: ("ACSC", Status.PR04),
    Act.QUEUED: ("PDNG", Status.PR12),
    Act.REFUSED: ("RJCT", Status.PR09),
    Act.RETURNED: ("RJCT", Status.PR09),
    Act.CANCELLED: ("CANC", Status.PR08),
}
_FINAL: Final = frozenset({Act.SETTLED, Act.REFUSED, Act.RETURNED, Act.CANCELLED})
#: Refusals whose ISO reason the profile of pacs.002 does not list, and the code that stands for them there.
REASON_INSTEAD: Final = {"AM03": "FF01", "AM02": "FF01"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """A payment that came as a message and has no final status yet.

    sender, receiver: bank codes of payer and payee; document: the original's bytes, forwarded when it settles
    reference: what results call the payment, where that is not its transaction id
    """

    sender: str
    receiver: str
    kind: Kind
    original: OriginalMessage
    transaction_id: str
    uetr: str
    end_to_end_id: str
    priority: Priority
    document: bytes
    reference: str = ""


@dataclass
class Register:
    """What the centre knows of participants and payments.

    row_of:    account row by bank code
    sequences: sequences by payment id, of the payments that travel
    payments:  per sequence what the bank was instructed to pay (`records.FLOW`)
    refusals:  per sequence the refusal that was found before the books saw it (`codes.Refusal`), 0 if none
    specials:  per sequence whether a special session takes it
    taken:     per sequence whether a message of it has reached the books
    kept:      sequences that stand in their bank's outbox, or are on their way
    """

    row_of: dict[str, int]
    sequences: PaymentIds
    payments: Records
    refusals: Any
    specials: Any
    taken: Any
    kept: set[int] = field(default_factory=set)


class Centre:
    """The centre's front end.

    deliver_to: what a participant does with what it receives, by bank code
    retail:     serves what belongs to BEPS and IBPS; None where they do not run on messages
    on_answer:  told what an order about a queued payment came to
    """

    def __init__(
        self,
        books: Books,
        recorder: Recorder,
        mail: Mail,
        register: Register,
        deliver_to: Callable[[str], Callable[[bytes], str]],
    ) -> None:
        self.books = books
        self.recorder = recorder
        self.mail = mail
        self.register = register
        self.deliver_to = deliver_to
        self.open: dict[int, Instruction] = {}
        self.resent = 0
        self.refused = 0
        self.on_answer: Callable[[Checked, Answer], None] = lambda *_: None
        self.retail: Callable[[Checked], None] | None = None
        self._seen = Seen(mail)
        self._instructions: dict[str, Callable[[Checked], Instruction]] = {
            credits.PACS_008: _customers_instruction,
            credits.PACS_009: _banks_instruction,
        }
        self._requests: dict[str, Callable[[Checked], int]] = {
            credits.PACS_008: self._pay_customer,
            credits.PACS_009: self._pay_bank,
        }
        recorder.listeners.append(self._see_log)
        mail.network.after_batch.append(recorder.drain)

    def serve(
        self, iso: str, act: Callable[[Checked], int], instruction: Callable[[Checked], Instruction] | None = None
    ) -> None:
        """Have `act` do what messages of this ISO id ask; it answers the payment's sequence, -1 if it is about none.

        instruction: reads the payment that such a message is, so that its end can be told again
        """
        self._requests[iso] = act
        if instruction is not None:
            self._instructions[iso] = instruction

    # what arrives ---------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> str:
        """Bytes have arrived from a participant. Answers `accepted` or why they are refused, for the log."""
        try:
            checked = check(data, self.mail.expected(data[MESSAGE_TYPE]))
            self._acknowledge(checked)
            key, digest = replay_key(checked), digest_of(data)
            seen_before = self._seen.on_date_of(checked.kind.system)
            seen = seen_before.get(key)
            if seen is not None and seen[0] == digest:
                self.resent += 1
                self._tell_again(seen[1], checked)
                return RESENT
            if seen is not None:
                raise Refused(Fault(Layer.BUSINESS, "", "its id was used by another message", Code.DUPLICATE))
            seen_before.add(key, digest, self._act_on(checked))
        except Refused as refused:
            self.refused += 1
            self._reject(data, refused.fault)
            return verdict_of(refused)
        return ACCEPTED

    def _act_on(self, checked: Checked) -> int:
        """Do what a message asks; the sequence of the payment it is about, -1 if it is about none."""
        if self.retail is not None and checked.kind.system in RETAIL_SYSTEMS:
            self.retail(checked)
            return -1
        act = self._requests.get(checked.kind.iso)
        if act is None or checked.kind.system in RETAIL_SYSTEMS:
            raise Refused(Fault(Layer.BUSINESS, "header/message_type", f"{checked.kind.number} is not served here"))
        return act(checked)

    # payments -------------------------------------------------------------------------------------------------

    def _pay_customer(self, checked: Checked) -> int:
        message = credits.read_customer_credit(checked.root)
        return self._pay(checked, message, message.transactions[0])

    def _pay_bank(self, checked: Checked) -> int:
        message = credits.read_bank_credit(checked.root)
        return self._pay(checked, message, message.transactions[0])

    def _pay(
        self,
        checked: Checked,
        message: credits.CustomerCredit | credits.BankCredit,
        transaction: credits.CustomerTransfer | credits.BankTransfer,
    ) -> int:
        """A payment enters the books; what became of it is told when the log is drained."""
        sequence = self.register.sequences.get(transaction.transaction_id)
        debtor, creditor = self.row(message.instructing), self.row(message.instructed)
        if sequence < 0 or self.register.taken[sequence]:
            problem = "no payment of the run has this id" if sequence < 0 else "the payment has been received before"
            raise Refused(Fault(Layer.BUSINESS, "CdtTrfTxInf/PmtId/TxId", problem, Code.DUPLICATE))
        level = int(Priority(transaction.priority).level)
        known = self.register.payments[sequence]
        if debtor != known["debtor"]:
            raise Refused(Fault(Layer.BUSINESS, "GrpHdr/InstgAgt", "the payment is another participant's", Code.AGENT))
        if (creditor, transaction.amount_fen, level) != (known["creditor"], known["amount"], known["level"]):
            raise Refused(Fault(Layer.BUSINESS, "CdtTrfTxInf", "its terms are not those of the payment with this id"))
        self.register.taken[sequence] = True
        self.open[sequence] = _instruction(checked, message, transaction)
        now = int(self.mail.clock.now)
        if sequence in self.register.kept:
            self.register.kept.discard(sequence)
            if self.books.submit_kept(now, debtor, sequence) == Act.NONE:  # refused at cut-off, on its way
                self._tell(sequence, self.open.pop(sequence), Act.REFUSED, Refusal.OUT_OF_HOURS, now)
            return sequence
        self.books.submit(
            now,
            sequence,
            debtor,
            creditor,
            transaction.amount_fen,
            level,
            int(self.register.refusals[sequence]),
            bool(self.register.specials[sequence]),
        )
        return sequence

    def row(self, member: str) -> int:
        """The account row of a participant. Refused if it keeps no account."""
        row = self.register.row_of.get(member)
        if row is None:
            raise Refused(Fault(Layer.BUSINESS, "GrpHdr", f"{member} keeps no account here", Code.AGENT))
        return row

    def _see_log(self, log: Records) -> None:
        """Tell payers, and payees of what has settled, what the books did with payments that came as messages."""
        if not self.open:
            return
        for sequence, time_ms, _, act, refusal, _ in log.tolist():
            if act in STATUS_OF and sequence in self.open:
                self._tell(sequence, self.open[sequence], Act(act), Refusal(refusal), time_ms)
                if act in _FINAL:
                    del self.open[sequence]

    def _tell(self, sequence: int, paid: Instruction, act: Act, refusal: Refusal, time_ms: int) -> None:
        """pacs.002 to the payer; the original to the payee if it has settled (PR04)."""
        self._send_status(sequence, paid, act, refusal, time_ms)
        if act == Act.SETTLED:
            self.send(
                Letter(
                    paid.kind, CENTRE, paid.receiver, paid.original.business_id, paid.document,
                    paid.reference or paid.transaction_id, sequence, paid.priority,
                )
            )  # fmt: skip

    def _send_status(self, sequence: int, paid: Instruction, act: Act, refusal: Refusal, time_ms: int) -> None:
        code, cnaps = STATUS_OF[act]
        business_id = self.mail.business_id(CENTRE)
        reasons = [Why(cnaps, proprietary=True)]
        if refusal != Refusal.NONE:
            assert refusal.reason is not None, "only retail items are stopped"
            reasons.append(Why(refusal.reason, proprietary=True))
            reasons.append(Why(REASON_INSTEAD.get(refusal.iso, refusal.iso)))
        elif act == Act.RETURNED:
            reasons.append(Why(Reason.RJ99, proprietary=True))
        document = status.build_payment_status(
            PaymentStatus(
                business_id,
                self.mail.now,
                CENTRE,
                paid.sender,
                (
                    TransactionStatus(
                        original=paid.original,
                        transaction_id=paid.transaction_id,
                        uetr=paid.uetr,
                        status=code,
                        reasons=tuple(reasons),
                        end_to_end_id=paid.end_to_end_id,
                        settled=self.mail.moment(time_ms) if act == Act.SETTLED else None,
                    ),
                ),
            )
        )
        letter = Letter(
            kind(_STATUS, status.PACS_002), CENTRE, paid.sender, business_id, document,
            paid.reference or paid.transaction_id, sequence, paid.priority,
        )  # fmt: skip
        self.send(letter)

    def _tell_again(self, sequence: int, checked: Checked) -> None:
        """A resend: the final status once more, if there is one; a payment that still waits was told so.

        What the books did and the message itself say all that the status says, so no letter is kept for it. Nothing
        is told over a perfect link, nor as long as the first telling is still being sent.
        """
        instruction = self._instructions.get(checked.kind.iso)
        if sequence < 0 or instruction is None or self.mail.network.is_perfect:
            return
        if sequence in self.open or self.mail.is_telling(checked.instructing, sequence):
            return
        end = self.recorder.latest(sequence)
        if end is not None and Act(int(end["act"])) in _FINAL:
            act, refusal = Act(int(end["act"])), Refusal(int(end["refusal"]))
            self._send_status(sequence, instruction(checked), act, refusal, int(end["time_ms"]))

    # answers --------------------------------------------------------------------------------------------------

    def answer(self, checked: Checked, answer: Answer, payment: queue_orders.PaymentKey | None = None) -> None:
        """camt.025: what became of a request, which may be about one payment."""
        business_id = self.mail.business_id(CENTRE)
        document = queue_orders.build_request_answer(
            RequestAnswer(
                business_id,
                self.mail.now,
                checked.business_id,
                DONE if answer == Answer.DONE else NOT_DONE,
                answer.sentence,
                checked.kind.number,
                payment,
            )
        )
        reference = "" if payment is None else payment.transaction_id
        about = self.sequence_of(reference)
        answered = kind(queue_orders.CAMT_025, queue_orders.CAMT_025)
        self.send(Letter(answered, CENTRE, checked.instructing, business_id, document, reference, about))
        self.on_answer(checked, answer)

    def sequence_of(self, transaction_id: str) -> int:
        """The payment of that id; -1, which never waits, if there is none."""
        return self.register.sequences.get(transaction_id)

    # receipts and rejections ------------------------------------------------------------------------------------

    def _acknowledge(self, checked: Checked) -> None:
        """admi.007: the message has arrived (通信级确认)."""
        business_id = self.mail.business_id(CENTRE)
        header = checked.envelope.header
        document = technical.build_receipt(
            Receipt(business_id, self.mail.now, header.message_id, DONE, header.message_type)
        )
        receipt = kind(_RECEIPT, technical.ADMI_007)
        self.send(Letter(receipt, CENTRE, header.sender, business_id, document, answers=header.message_id))

    def _reject(self, data: bytes, fault: Fault) -> None:
        """admi.002: the message is refused, and why; nothing is sent where its sender cannot be read."""
        try:
            header = envelope.read_header(data)
        except Refused:
            return
        if header.sender not in self.register.row_of:
            return
        business_id = self.mail.business_id(CENTRE)
        document = technical.build_technical_rejection(technical.rejection_of(fault, header.message_id, self.mail.now))
        rejected = kind(_REJECTION, technical.ADMI_002)
        self.send(Letter(rejected, CENTRE, header.sender, business_id, document, answers=header.message_id))

    def send(self, letter: Letter) -> None:
        """Send a message of the centre to a participant."""
        self.mail.send(letter, self.deliver_to(letter.receiver))


def _customers_instruction(checked: Checked) -> Instruction:
    message = credits.read_customer_credit(checked.root)
    return _instruction(checked, message, message.transactions[0])


def _banks_instruction(checked: Checked) -> Instruction:
    message = credits.read_bank_credit(checked.root)
    return _instruction(checked, message, message.transactions[0])


def _instruction(
    checked: Checked,
    message: credits.CustomerCredit | credits.BankCredit,
    transaction: credits.CustomerTransfer | credits.BankTransfer,
) -> Instruction:
    return Instruction(
        sender=message.instructing,
        receiver=message.instructed,
        kind=checked.kind,
        original=OriginalMessage(message.business_id, checked.kind.number, message.created),
        transaction_id=transaction.transaction_id,
        uetr=transaction.uetr,
        end_to_end_id=transaction.end_to_end_id,
        priority=Priority(transaction.priority),
        document=checked.envelope.document,
    )
