"""Faults: why a message is refused, by which layer, at which place.

Four layers judge a message before its business is looked at, each only what the one before lets through; the
systems are the fifth. A fault is data: what a technical rejection (报文拒绝) or a status report carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cnaps_sim.words.errors import CnapsError


class Layer(StrEnum):
    """The layer that refuses a message, in the order in which they look at it."""

    TRANSPORT = "transport"  # the header and the signature block (报文头、签名域)
    XML = "xml"  # well-formed, no document type, not too large
    SCHEMA = "schema"  # the usage-guideline schema of the message
    PROFILE = "profile"  # what a schema cannot say: references, sums, check digits
    BUSINESS = "business"  # accounts, phases, replays: judged by the systems


class Code(StrEnum):
    """Reason codes of faults, from the ISO 20022 external code sets."""

    FORMAT = "FF01"  # the form is wrong
    SIGNATURE = "DS0B"  # the signature is missing or not valid
    DUPLICATE = "AM05"
    SUM = "AM10"  # the control sum does not agree
    COUNT = "AM18"  # the number of transactions does not agree
    DATE = "DT01"
    AGENT = "RC01"  # a bank code is not right
    DEBTOR_AGENT = "RC03"
    CREDITOR_AGENT = "RC04"


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to refuse a message.

    layer:  who refuses
    path:   where, in element names (`Document/FIToFICstmrCdtTrf/GrpHdr/MsgId`) or as a field of the transport
            header (`header/date`); "" for the message as a whole
    reason: what is wrong, one sentence that a person reads
    code:   ISO reason code, see `Code`
    """

    layer: Layer
    path: str
    reason: str
    code: str = Code.FORMAT

    def sentence(self) -> str:
        """`layer: path: reason (code)`, on one line."""
        text = ": ".join(part for part in (self.layer.value, self.path, self.reason) if part)
        return " ".join(f"{text} ({self.code})".split())

    def as_dict(self) -> dict[str, str]:
        """The fault for `--json`."""
        return {"layer": self.layer.value, "path": self.path, "reason": self.reason, "code": str(self.code)}


class Refused(CnapsError):  # noqa: N818 -- an outcome that `check` raises, not a mistake of the caller
    """A message is refused; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.sentence())

    def __reduce__(self) -> tuple[object, ...]:
        return (Refused, (self.fault,))
