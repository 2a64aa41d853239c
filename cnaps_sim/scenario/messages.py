"""Messages of a scenario (报文): whether payments travel as ISO 20022 messages, and what the network does to them.

Nothing travels unless it is asked for, and the network is perfect unless it is told otherwise [P].
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.moments import Span, Step
from cnaps_sim.scenario.quantities import Share, Sigma, decimal, format_ratio, whole
from cnaps_sim.scenario.terms import AccountId, Switch, Terms, listed, shape
from cnaps_sim.words.network import MOST_ATTEMPTS, RESEND_AFTER_MS

OFF: Final = "off"
ALL: Final = "all"
_ALLOWED: Final = "off, all, or {sample: share}"

_SHARE: Final = decimal("0", "1")


def _share(value: object) -> Decimal:
    """Which share of the payments travels as messages: none, all, or a sample."""
    if isinstance(value, Decimal):
        return value
    if value == OFF or value is False:
        return Decimal(0)
    if value == ALL:
        return Decimal(1)
    if not isinstance(value, Mapping):
        raise fault("says neither off nor all", _ALLOWED, value=shape(value))
    for key in value:
        if key != "sample":
            raise fault("unknown key", "sample", path=(str(key),), at_key=True)
    if "sample" not in value:
        raise fault("says no share", _ALLOWED)
    try:
        share: Decimal = _SHARE.func(value["sample"])  # type: ignore[call-arg, assignment]
    except PydanticCustomError as error:
        told = error.context or {}
        raise fault(told["problem"], told["allowed"], value=told["value"], path=("sample",)) from None
    return share


def _share_text(share: Decimal) -> object:
    if share == 0:
        return OFF
    return ALL if share == 1 else {"sample": format_ratio(share)}


#: The share of payments that travel as messages: Decimal from 0 (off) to 1 (all).
MessageShare = Annotated[
    Decimal,
    BeforeValidator(_share),
    PlainSerializer(_share_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [OFF, ALL]},
                {
                    "type": "object",
                    "properties": {"sample": {"type": ["number", "string"]}},
                    "required": ["sample"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]

_ATTEMPTS: Final = whole(1, 100)


class LinkRow(Terms):
    """A participant's own link to the national centre, where it differs from the others. Durations are int ms."""

    account: AccountId = Field(description="account")
    latency: Span | None = Field(default=None, description="median one-way latency")
    latency_sigma: Sigma | None = Field(default=None, description="spread of the lognormal latency")
    loss: Share | None = Field(default=None, description="share of passages that never arrive")
    duplicates: Share | None = Field(default=None, description="share of passages that arrive twice")


class NetworkTerms(Terms):
    """The links between participants and the national centre. Durations are int ms."""

    latency: Span = Field(default=0, description="median one-way latency")
    latency_sigma: Sigma = Field(default=Decimal(0), description="spread of the lognormal latency; 0: constant")
    loss: Share = Field(default=Decimal(0), description="share of passages that never arrive")
    duplicates: Share = Field(default=Decimal(0), description="share of passages that arrive twice")
    resend_after: Step = Field(
        default=RESEND_AFTER_MS, description="silence after which a sender sends the same bytes again"
    )
    attempts: Annotated[int, _ATTEMPTS, WithJsonSchema({"type": "integer"})] = Field(
        default=MOST_ATTEMPTS, description="how often a sender sends the same bytes at most"
    )
    signed: Switch = Field(default=False, description="whether messages are signed, and signatures verified")
    links: Annotated[tuple[LinkRow, ...], listed] = Field(default=(), description="links that differ, by account")

    @model_validator(mode="after")
    def _each_account_once(self) -> Self:
        seen: set[str] = set()
        for place, row in enumerate(self.links):
            if row.account in seen:
                raise fault("given twice", "each account once", value=row.account, path=("links", place, "account"))
            seen.add(row.account)
        return self
