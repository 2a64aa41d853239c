"""Fund pools (资金池) of a scenario: who may rescue whom, in which order, on which dates, and what is swept when.

Source: rule section "liquidity tools". Money is int fen, times of day int ms since midnight. [P] marks defaults without
a public source.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from cnaps_sim.scenario.accounts import Kind
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.moments import ClockTime, Date
from cnaps_sim.scenario.quantities import Money, PartyCount
from cnaps_sim.scenario.terms import AccountId, Name, OneOf, Terms, choose_one, listed

#: Members of a pool of a whole class of participants [P]: no public source says how many join.
POOL_SIZE: Final = 10


class PoolOrder(StrEnum):
    """In which order members are asked."""

    SET = "set"  # 指定顺序 (MT00)
    RANDOM = "random"  # 随机顺序 (MT01)


class SweepDirection(StrEnum):
    """Which way money is swept."""

    UP = "up"  # 上收: from the members to the head
    DOWN = "down"  # 下拨: from the head to the members


class Owners(StrEnum):
    """Whose accounts are pooled."""

    ALL = "all"


class Sweep(Terms):
    """Money is swept between the head of a pool and its members at a time of every HVPS business date.

    Up (上收): each member sends what it can spare above `keep`. Down (下拨): each member whose balance is below `keep`
    is filled up to it, in list order, as far as the head's own money goes. The head is the first account of the list.
    """

    at: ClockTime = Field(description="HH:MM[:SS[.mmm]] of every business date")
    direction: Annotated[SweepDirection, OneOf.of("direction", SweepDirection)] = Field(
        description="up: members to head; down: head to members"
    )
    keep: Money = Field(default=0, description="CNY that each member is left with, or filled up to")


class Pool(Terms):
    """A fund pool, or one for each group that its key stands for: exactly one of accounts, kind and owners."""

    name: Name | None = Field(default=None, description="name; pool-1, rural-1 or the owner's if left out")
    accounts: Annotated[tuple[AccountId, ...], listed] | None = Field(
        default=None, description="members in the order in which they are asked, the head first"
    )
    kind: Kind | None = Field(default=None, description="a class of participants, in pools of `size` in file order")
    owners: Annotated[Owners, OneOf.of("choice of owners", Owners)] | None = Field(
        default=None, description="all: one pool for each legal entity with several accounts"
    )
    size: PartyCount = Field(default=POOL_SIZE, description="members of each pool of a class; no public source")
    order: Annotated[PoolOrder, OneOf.of("order of members", PoolOrder)] = Field(
        default=PoolOrder.SET, description="set: as listed (MT00); random: drawn for each rescue (MT01)"
    )
    from_: Date | None = Field(default=None, alias="from", description="first business date; the run's if left out")
    until: Date | None = Field(default=None, description="last business date; the run's if left out")
    sweeps: Annotated[tuple[Sweep, ...], listed] = Field(default=(), description="sweeps up and down (上收下拨)")

    @model_validator(mode="after")
    def _members_once(self) -> Self:
        if self.accounts is not None and len(self.accounts) < 2:
            raise fault("has fewer than two members", "two accounts or more", path=("accounts",))
        for place, account in enumerate(self.accounts or ()):
            if account in (self.accounts or ())[:place]:
                raise fault("is a member already", "each account once", value=account, path=("accounts", place))
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            raise fault("is before it begins", f"dates from {self.from_}", path=("until",))
        return self

    def holds_on(self, date: dt.date) -> bool:
        """Whether it is in force on a business date."""
        return (self.from_ is None or self.from_ <= date) and (self.until is None or date <= self.until)


PoolTerms = Annotated[Pool, choose_one("accounts", "kind", "owners")]
