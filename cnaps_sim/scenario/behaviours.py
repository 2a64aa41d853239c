"""Behaviours of a scenario (发报策略): which banks follow which policy, with what parameters.

What each policy does and where it comes from stands in `participants.behaviours`. Money is int fen, times of day int ms
since midnight. [P] marks defaults without a public source.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from cnaps_sim.participants.behaviours import POLICIES, learning, policies
from cnaps_sim.participants.behaviours.costs import DELAY_RATE, LIQUIDITY_RATE
from cnaps_sim.participants.behaviours.plan import ALL_LEVELS
from cnaps_sim.scenario.accounts import Kind
from cnaps_sim.scenario.behaviour_fields import (
    PATH,
    PATH_FORM,
    CandidateStep,
    Levels,
    Parameters,
    Pieces,
    Shares,
    Until,
    UsualUntil,
)
from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.moments import ClockTime
from cnaps_sim.scenario.quantities import AccountCount, Amount, Money, Ratio, Share
from cnaps_sim.scenario.terms import AccountId, Terms, choose_one, listed, shape

#: The word for every bank.
ALL: Final = "all"
_CHOICES: Final = "all, a list of accounts, {kind: KIND} or {largest: NUMBER}"
_OWN_POLICY: Final = tag("own")
_OWN_MONEY: Final = ("share_of_opening", "share of what the bank opens the date with, instead of an amount")


class BanksOfKind(Terms):
    """Every bank of one class of participant."""

    kind: Kind = Field(description="class of participant")


class LargestBanks(Terms):
    """The banks that are told to pay most, by value over the whole run; of equal ones those that stand first."""

    largest: AccountCount = Field(description="how many")


def _way(banks: Any) -> str:
    if isinstance(banks, str):
        return tag("all")
    if isinstance(banks, BanksOfKind | LargestBanks):
        return tag("kind") if isinstance(banks, BanksOfKind) else tag("largest")
    if isinstance(banks, Mapping):
        return tag("kind") if banks.get("kind") is not None else tag("largest")
    return tag("accounts")


def _known_choice(banks: Any) -> Any:
    if isinstance(banks, str) and banks != ALL:
        raise fault("no such choice of banks", _CHOICES)
    if not isinstance(banks, str | list | tuple | Mapping | Terms):
        raise fault("no such choice of banks", _CHOICES, value=shape(banks))
    if isinstance(banks, list | tuple) and not banks:
        raise fault("names no bank", _CHOICES, value="an empty list")
    if isinstance(banks, Mapping):
        choose_one("kind", "largest").func(banks)  # type: ignore[call-arg]
    return banks


Banks = Annotated[
    Annotated[Literal["all"], Tag(tag("all"))]
    | Annotated[BanksOfKind, Tag(tag("kind"))]
    | Annotated[LargestBanks, Tag(tag("largest"))]
    | Annotated[tuple[AccountId, ...], listed, Tag(tag("accounts"))],
    Discriminator(_way),
    BeforeValidator(_known_choice),
]


class Follows(Terms):
    """Some banks follow a policy; of several entries that name a bank the last one counts."""

    banks: Banks = Field(description=_CHOICES)


class SendsAtOnce(Follows):
    """Every payment is sent the moment the bank is told to make it (即时发送)."""

    policy: Literal["send-at-once"] = Field(description="name of the policy")


class HoldsUntil(Follows):
    """Payments are kept until a time of day (定时发送)."""

    policy: Literal["hold-until"] = Field(description="name of the policy")
    until: Until = Field(default=policies.HOLDS_UNTIL_MS, description="when they are sent; no public source")
    levels: Levels = Field(default=ALL_LEVELS, description="which: of 1 (URGT), 6 (HIGH) and 7 (NORM)")


class _OfOwnMoney(Follows):
    """An amount that may be told as a share of the opening balance."""

    share_of_opening: Ratio | None = Field(default=None, description=_OWN_MONEY[1])

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        for key in ("budget", "reserve"):
            if self.share_of_opening is not None and getattr(self, key, None) is not None:
                raise fault(f"contradicts {key}", f"{key} or share_of_opening", path=("share_of_opening",), at_key=True)
        return self


class ReactsToReceipts(_OfOwnMoney):
    """Sends while what it sent today stays within a budget plus a share of today's receipts (以收定支)."""

    policy: Literal["receipt-reactive"] = Field(description="name of the policy")
    budget: Money | None = Field(default=None, description="CNY of own money that may be out at once; 0 if left out")
    receipt_share: Share = Field(default=Decimal(1), description="share of today's receipts that may be spent")
    levels: Levels = Field(default=ALL_LEVELS, description="payments that wait: of 1, 6 and 7")
    until: UsualUntil = None


class KeepsReserve(_OfOwnMoney):
    """Payments are sent while a reserve stays available (保留备付)."""

    policy: Literal["keep-reserve"] = Field(description="name of the policy")
    reserve: Money | None = Field(
        default=None, description="CNY that stay available; 0.2 of the opening balance if left out, no public source"
    )
    levels: Levels = Field(default=(7,), description="payments that wait: of 1, 6 and 7")
    until: UsualUntil = None


class FollowsThroughput(Follows):
    """By given times a share of the value told so far has been sent (吞吐量指引)."""

    policy: Literal["throughput"] = Field(description="name of the policy")
    shares: Shares = Field(default=policies.THROUGHPUT, description="share sent by each time of day")
    until: UsualUntil = None


class Splits(Follows):
    """Payments above an amount are told as several smaller ones (拆分大额)."""

    policy: Literal["split"] = Field(description="name of the policy")
    above: Amount = Field(description="CNY; larger payments are split")
    pieces: Pieces | None = Field(default=None, description="into how many pieces, equal to the fen")
    max_piece: Amount | None = Field(default=None, description="CNY; or into as few as are no larger than this")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.pieces is None) == (self.max_piece is None):
            problem = "says none of its alternatives" if self.pieces is None else "contradicts pieces"
            raise fault(problem, "exactly one of pieces, max_piece", path=("max_piece",), at_key=True)
        if self.max_piece is not None and self.max_piece > self.above:
            raise fault("is larger than what is split", "at most above", path=("max_piece",))
        return self


class PutsUrgentFirst(_OfOwnMoney):
    """URGT and HIGH go at once, NORM only while a reserve for them stays available (紧急优先)."""

    policy: Literal["urgent-first"] = Field(description="name of the policy")
    reserve: Money | None = Field(
        default=None, description="CNY that stay available; 0.2 of the opening balance if left out, no public source"
    )
    until: UsualUntil = None


class RidesFree(Follows):
    """Sends only what it has received, net (搭便车)."""

    policy: Literal["free-rider"] = Field(description="name of the policy")
    until: Until = Field(
        default=policies.RIDES_UNTIL_MS, description="when it stops waiting for others, or never; no public source"
    )


class Adapts(Follows):
    """Holds payments until a time that it moves from date to date by what the last one cost (自适应)."""

    policy: Literal["adaptive"] = Field(description="name of the policy")
    initial: ClockTime = Field(default=learning.INITIAL, description="time of day it holds to first; no public source")
    candidates: Annotated[tuple[ClockTime, ...], listed] = Field(
        default=learning.CANDIDATES, description="times of day it chooses from, ascending; no public source"
    )
    delay_cost: Ratio = Field(default=DELAY_RATE, description="yearly rate on the value that waits; no public source")
    liquidity_cost: Ratio = Field(
        default=LIQUIDITY_RATE, description="yearly rate on the most own money used on a date; no public source"
    )
    step: CandidateStep = Field(default=1, description="how many candidates it moves after a date; no public source")

    @model_validator(mode="after")
    def _can_choose(self) -> Self:
        if not self.candidates:
            raise fault("is empty", "at least one time of day", value="an empty list", path=("candidates",))
        for place, (early, late) in enumerate(pairwise(self.candidates), 1):
            if early >= late:
                raise fault("is not after the one before it", "ascending times", path=("candidates", place))
        if self.initial not in self.candidates:
            if "initial" in self.model_fields_set:
                raise fault("is none of the candidates", "one of candidates", path=("initial",))
            raise fault("do not hold the usual first time, 12:00", "initial beside them", path=("candidates",))
        return self


class FollowsOwnPolicy(Follows):
    """A policy of the researcher's own, a Python class by import path (自定义策略)."""

    policy: Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"})] = Field(
        description=f"{PATH_FORM}, a class that decides"
    )
    parameters: Parameters = Field(default_factory=dict, description="what its constructor is given, by name")
    until: UsualUntil = None


def _known_policy(entry: Any) -> Any:
    if isinstance(entry, Follows):
        return entry
    if not isinstance(entry, Mapping):
        raise fault("must be a mapping with banks and policy", ", ".join(POLICIES), value=shape(entry))
    policy = entry.get("policy")
    allowed = ", ".join([*POLICIES, PATH_FORM])
    if policy is None:
        raise fault("is missing", allowed, path=("policy",))
    if not isinstance(policy, str) or (policy not in POLICIES and PATH.fullmatch(policy) is None):
        raise fault("no such policy", allowed, value=shape(policy), path=("policy",))
    return entry


def _tag_of(entry: Any) -> str:
    policy = entry["policy"] if isinstance(entry, Mapping) else entry.policy
    return tag(policy) if policy in POLICIES else _OWN_POLICY


Behaviour = Annotated[
    Annotated[SendsAtOnce, Tag(tag("send-at-once"))]
    | Annotated[HoldsUntil, Tag(tag("hold-until"))]
    | Annotated[ReactsToReceipts, Tag(tag("receipt-reactive"))]
    | Annotated[KeepsReserve, Tag(tag("keep-reserve"))]
    | Annotated[FollowsThroughput, Tag(tag("throughput"))]
    | Annotated[Splits, Tag(tag("split"))]
    | Annotated[PutsUrgentFirst, Tag(tag("urgent-first"))]
    | Annotated[RidesFree, Tag(tag("free-rider"))]
    | Annotated[Adapts, Tag(tag("adaptive"))]
    | Annotated[FollowsOwnPolicy, Tag(_OWN_POLICY)],
    Discriminator(_tag_of),
    BeforeValidator(_known_policy),
]
