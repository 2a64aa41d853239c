"""Who is refused by the netting server (轧差服务器) before headroom is looked at, in which order of precedence.

Source: netting rules; precedence of refusals. What is found after the answer of the other bank, or because there was
none, comes last: it is known only then.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.reference.netting_ledger import Participant
from cnaps_sim.words.codes import Act, Refusal
from cnaps_sim.words.retail import RetailKind

_IS_DEBIT: Final = [kind.is_debit for kind in RetailKind]
_HAS_REPLY: Final = [kind.has_reply for kind in RetailKind]

#: What a unit comes to, and why if it comes to nothing.
Outcome = tuple[Act, int]
ACCEPTED: Final[Outcome] = (Act.NETTED, Refusal.NONE)
REFUSED: Final = {refusal: (Act.REFUSED, refusal) for refusal in Refusal}
_STOPPED: Final[Outcome] = (Act.STOPPED, Refusal.STOPPED)
_EXPIRED: Final[Outcome] = (Act.EXPIRED, Refusal.TIMED_OUT)
_OPEN: Final[Outcome] = (Act.OPEN, Refusal.UNANSWERED)
#: Found before the netting server saw the unit: those that go before everything it finds, and those that go after it
#: has looked at who pays whom.
_FIRST: Final = (Refusal.FORMAT, Refusal.DUPLICATE, Refusal.NO_BOOK)
_SECOND: Final = (Refusal.AMOUNT, Refusal.OUT_OF_HOURS)


def judge(payer: Participant, payee: Participant, kind: int, refusal: int, submitted: int) -> Outcome:
    """What a unit comes to before headroom is looked at, in order of precedence; one that was stopped stays so.

    Its initiator must have been logged in when it was submitted, the bank that answers when the answer comes, now.
    """
    if refusal == Refusal.STOPPED:
        return _STOPPED
    if refusal in _FIRST:
        return REFUSED[Refusal(refusal)]
    if payer.closed or payee.closed:
        return REFUSED[Refusal.CLOSED_ACCOUNT]
    if payer is payee:
        return REFUSED[Refusal.SELF_PAYMENT]
    if refusal in _SECOND:
        return REFUSED[Refusal(refusal)]
    initiator, other = (payee, payer) if _IS_DEBIT[kind] else (payer, payee)
    if not initiator.was_logged_in(submitted):
        return REFUSED[Refusal.LOGGED_OUT]
    says_no = Refusal.PAYER_BANK if _IS_DEBIT[kind] else Refusal.PAYEE_BANK
    if _HAS_REPLY[kind] and not other.logged_in and refusal in (Refusal.NONE, says_no):
        return _EXPIRED
    return told_by_row(refusal)


def told_by_row(refusal: int) -> Outcome:
    """What a row of the flow comes to if the netting server finds nothing else."""
    if refusal == Refusal.NONE:
        return ACCEPTED
    if refusal == Refusal.STOPPED:
        return _STOPPED
    if refusal == Refusal.TIMED_OUT:
        return _EXPIRED
    if refusal == Refusal.UNANSWERED:
        return _OPEN
    return REFUSED[Refusal(refusal)]
