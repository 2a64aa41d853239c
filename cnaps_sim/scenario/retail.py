"""Retail terms of a scenario: the netting server (轧差服务器), BEPS (小额), IBPS (网银), and clients of banks.

Source: rule sections "netting rules", "BEPS" and "IBPS". [P] marks defaults without a public source; those that the
generators of payments share are in `words.retail_terms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.moments import ClockTime, LongStep, Step
from cnaps_sim.scenario.quantities import Amount, Money, PackageLimit, PartyCount, Ratio, ReplyDays, Share, Sigma
from cnaps_sim.scenario.terms import AccountId, OneOf, Switch, Terms, Text, listed, shape
from cnaps_sim.words import retail_terms as usual
from cnaps_sim.words.retail_days import OTHER_ROUNDS_MS, WORKING_ROUNDS_MS
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS
from cnaps_sim.words.units import format_clock

#: The caps of generated accounts as a share of what each sends over BEPS and IBPS in a day [P].
CAP_SHARE_OF_OUTFLOW: Final = Decimal("0.5")
#: Participants in the nets of a third party [P].
THIRD_PARTY_PARTICIPANTS: Final = 40


class CapSource(StrEnum):
    """Where caps can be taken from as they are."""

    ACCOUNTS = "accounts"


class Release(StrEnum):
    """When nets that were held over a night, a weekend or a holiday are sent to SAPS [P]."""

    MORNING = "08:30"  # of the next working day
    OPENING = "opening"  # of SAPS


class OutflowCap(Terms):
    """Caps made for generated accounts."""

    share_of_outflow: Ratio = Field(
        description="credit line of each generated account as a share of what it sends over BEPS and IBPS in a day; "
        "no public source"
    )


_SOURCE, _OUTFLOW = tag("source"), tag("outflow")


def _cap(value: Any) -> Any:
    if not isinstance(value, Mapping | OutflowCap) and value not in list(CapSource):
        raise fault("no such source of caps", "accounts, {share_of_outflow: share}", value=shape(value))
    return value


def _way_of_cap(value: Any) -> str:
    return _OUTFLOW if isinstance(value, Mapping | OutflowCap) else _SOURCE


Cap = Annotated[
    Annotated[Annotated[CapSource, OneOf.of("source of caps", CapSource)], Tag(_SOURCE)]
    | Annotated[OutflowCap, Tag(_OUTFLOW)],
    Discriminator(_way_of_cap),
    BeforeValidator(_cap),
]


class RoundTerms(Terms):
    """The netting rounds (轧差场次) of a retail date [P]. Times of day are int ms, in order; the last is at 16:00."""

    working: Annotated[tuple[ClockTime, ...], listed] = Field(
        default=WORKING_ROUNDS_MS, description="times of day on working days, the last one 16:00; no public source"
    )
    other: Annotated[tuple[ClockTime, ...], listed] = Field(
        default=OTHER_ROUNDS_MS, description="times of day on other days, the last one 16:00; no public source"
    )

    @model_validator(mode="after")
    def _end_at_the_switch(self) -> Self:
        for key, times in (("working", self.working), ("other", self.other)):
            for place, (before, after) in enumerate(pairwise(times), 1):
                if after <= before:
                    allowed = f"times after {format_clock(before)}, each once"
                    raise fault("does not come after the round before it", allowed, path=(key, place))
            switch = format_clock(RETAIL_DATE_SWITCH_MS)
            if not times:
                raise fault("is empty", f"at least the round at {switch}", path=(key,))
            if times[-1] != RETAIL_DATE_SWITCH_MS:
                problem = "the last round is not at the date switch"
                raise fault(problem, f"{switch} last", path=(key, len(times) - 1))
        return self


class CapQueueMatching(Terms):
    """Multilateral matching of the cap queues (轧差排队撮合) [P]; the last one of a retail date is part of the date."""

    on_round: Switch = Field(default=True, description="whether a matching runs before every round; no public source")
    every: LongStep | None = Field(
        default=None,
        description="time between further matchings, from the date's begin on; 1 s or more; no public source",
    )


class ThirdPartyRow(Terms):
    """Nets that a special participant (特许参与者) sends for others on every business date, drawn by their sizes.

    `value` is int fen, `at` int ms since midnight.
    """

    from_: AccountId = Field(alias="from", description="account of the participant that sends them")
    at: Annotated[tuple[ClockTime, ...], listed] = Field(description="times of day, on every business date")
    value: Amount = Field(description="CNY that all payers of one request pay together; no public source")
    participants: PartyCount = Field(
        default=THIRD_PARTY_PARTICIPANTS, description="accounts with a net in a request; no public source"
    )

    @model_validator(mode="after")
    def _each_time_once(self) -> Self:
        if not self.at:
            raise fault("is empty", "at least one time of day", path=("at",))
        for place, time_ms in enumerate(self.at):
            if time_ms in self.at[:place]:
                raise fault("given twice", "each once", path=("at", place))
        return self


class NetsTerms(Terms):
    """How the netting server (NETS, 轧差服务器) works, which BEPS and IBPS share."""

    cap: Cap = Field(
        default=CapSource.ACCOUNTS,
        description="net debit caps (净借记限额): accounts, or {share_of_outflow: share} of generated accounts",
    )
    release: Annotated[Release, OneOf.of("release of held nets", Release)] = Field(
        default=Release.MORNING,
        description="when held nets are sent: 08:30 of the next working day, or opening; no public source",
    )
    rounds: RoundTerms = Field(default=RoundTerms(), description="when positions become nets")
    matching: CapQueueMatching = Field(default=CapQueueMatching(), description="matching of the cap queues")
    third_party: Annotated[tuple[ThirdPartyRow, ...], listed] = Field(
        default=(), description="nets that special participants send (第三方轧差净额)"
    )

    @property
    def cap_share(self) -> Decimal | None:
        """The share of their daily outflow that generated accounts have as credit line; None: caps as given."""
        return self.cap.share_of_outflow if isinstance(self.cap, OutflowCap) else None


def _shares_fit(refused: Decimal, unanswered: Decimal) -> None:
    if refused + unanswered > 1:
        raise fault("together with unanswered_share over 1", "shares that sum to at most 1", path=("refused_share",))


class BepsTerms(Terms):
    """How BEPS (小额支付系统) and its banks work. Durations are int ms, money is int fen."""

    package_limit: PackageLimit = Field(
        default=usual.PACKAGE_LIMIT, description="most payments of one package (包); no public source"
    )
    item_limit: Amount | None = Field(
        default=None, description="CNY, most of one credit; as published for the date if left out"
    )
    realtime_limit: Step = Field(
        default=usual.REALTIME_LIMIT_MS, description="how long a real-time credit or debit waits for its reply"
    )
    realtime_median: Step = Field(
        default=usual.REALTIME_MEDIAN_MS,
        description="median time to the reply of a real-time credit or debit; no public source",
    )
    realtime_sigma: Sigma = Field(
        default=usual.REALTIME_SIGMA, description="spread of the lognormal time; no public source"
    )
    reply_days: ReplyDays = Field(
        default=usual.REPLY_DAYS,
        description="working days an ordinary or regular debit waits for its reply; no public source",
    )
    reply_median: Step = Field(
        default=usual.REPLY_MEDIAN_MS,
        description="median time to the reply of an ordinary or regular debit; no public source",
    )
    reply_sigma: Sigma = Field(default=usual.REPLY_SIGMA, description="spread of the lognormal time; no public source")
    refused_share: Share = Field(
        default=usual.BEPS_REFUSED_SHARE,
        description="share of what needs a reply that the other bank refuses; no public source",
    )
    unanswered_share: Share = Field(
        default=usual.BEPS_UNANSWERED_SHARE,
        description="share of what needs a reply that is never answered; no public source",
    )

    @model_validator(mode="after")
    def _shares(self) -> Self:
        _shares_fit(self.refused_share, self.unanswered_share)
        return self


class IbpsTerms(Terms):
    """How IBPS (网上支付跨行清算系统) and its banks work. Durations are int ms, money is int fen."""

    item_limit: Amount | None = Field(
        default=None, description="CNY, most of one credit; as published for the date if left out"
    )
    reply_limit: Step = Field(
        default=usual.IBPS_REPLY_LIMIT_MS, description="how long a payment waits for its reply; no public source"
    )
    reply_median: Step = Field(
        default=usual.IBPS_REPLY_MEDIAN_MS, description="median time to the reply; no public source"
    )
    reply_sigma: Sigma = Field(
        default=usual.IBPS_REPLY_SIGMA, description="spread of the lognormal time; no public source"
    )
    refused_share: Share = Field(
        default=usual.IBPS_REFUSED_SHARE, description="share of payments that the other bank refuses; no public source"
    )
    unanswered_share: Share = Field(
        default=usual.IBPS_UNANSWERED_SHARE, description="share of payments that are never answered; no public source"
    )

    @model_validator(mode="after")
    def _shares(self) -> Self:
        _shares_fit(self.refused_share, self.unanswered_share)
        return self


class ClientRow(Terms):
    """An indirect participant (间接参与者), whose retail payments its direct participant makes. Money is int fen.

    Its bank refuses a payment (RJ92) that is more than its value and credit line less what it has sent on the date.
    """

    name: Text = Field(description="name, as `on_behalf_of` of a payment says it")
    direct: AccountId = Field(description="account of its direct participant (直接参与者)")
    value: Money = Field(default=0, description="CNY it keeps with its direct participant")
    credit_line: Money = Field(default=0, description="CNY its direct participant lends it in a day")
