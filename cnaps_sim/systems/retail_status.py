"""What both banks are told about a unit of BEPS or IBPS (pacs.002): netted, refused, queued, cancelled, expired.

Netted is final (PR03). A package is told payment by payment, each with the same status.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.messages import status
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.systems.centre import REASON_INSTEAD, Centre
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.systems.retail_register import FIRST_LETTER, Original, Transaction
from cnaps_sim.words.codes import Act, Refusal, Status
from cnaps_sim.words.codes import Reason as CnapsReason

#: Acts of the netting server and the status they give a unit: ISO code, CNAPS code.
STATUS_OF: Final = {
    Act.NETTED: ("ACSP", Status.PR03),
    Act.QUEUED: ("PDNG", Status.PR11),
    Act.REFUSED: ("RJCT", Status.PR09),
    Act.CANCELLED: ("CANC", Status.PR08),
    Act.STOPPED: ("CANC", Status.PR21),
    Act.EXPIRED: ("RJCT", Status.PR32),
}
_STATUS: Final = "ccms.900.001.01"


def told_of_unit(centre: Centre, unit: int, original: Original, act: Act, refusal: Refusal, member: str) -> None:
    """pacs.002 to one of a unit's banks."""
    code, cnaps = STATUS_OF[act]
    reasons = [Reason(cnaps, proprietary=True)]
    if act is not Act.NETTED:
        reasons += _why(refusal)
    _send(centre, member, original.message, original.transactions, code, tuple(reasons), unit)


def refused(
    centre: Centre,
    member: str,
    original: OriginalMessage,
    transactions: tuple[Transaction, ...],
    refusal: Refusal,
    code: str = "",
    unit: int = -1,
) -> None:
    """pacs.002 RJCT to the sender of a message that changes nothing.

    code: ISO reason, if it is not the one of the refusal
    """
    reasons = [Reason(Status.PR09, proprietary=True), *_why(refusal)]
    if code:
        reasons[-1] = Reason(REASON_INSTEAD.get(code, code))
    _send(centre, member, original, transactions, "RJCT", tuple(reasons), unit)


def _why(refusal: Refusal) -> list[Reason]:
    if refusal is Refusal.NONE or refusal is Refusal.STOPPED:
        return []
    assert refusal.reason is not None
    iso = REASON_INSTEAD.get(refusal.iso, refusal.iso)
    return [Reason(CnapsReason(refusal.reason), proprietary=True), Reason(iso)]


def _send(
    centre: Centre,
    member: str,
    original: OriginalMessage,
    transactions: tuple[Transaction, ...],
    code: str,
    reasons: tuple[Reason, ...],
    unit: int,
) -> None:
    business_id = centre.mail.business_id(CENTRE)
    told = tuple(
        [
            TransactionStatus(
                original=original,
                transaction_id=each.transaction_id,
                uetr=each.uetr,
                status=code,
                reasons=reasons,
                end_to_end_id=each.end_to_end_id,
            )
            for each in transactions
        ]
    )
    document = status.build_payment_status(PaymentStatus(business_id, centre.mail.now, CENTRE, member, told))
    about = FIRST_LETTER + unit if unit >= 0 else -1
    reference = transactions[0].transaction_id
    sent = kind(_STATUS, status.PACS_002)
    centre.send(Letter(sent, CENTRE, member, business_id, document, reference, about))
