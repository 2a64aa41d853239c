"""Credit of a scenario: pledge financing, automatic interbank loans, and banks that lend in the clearing window.

Source: rule sections "the account", "business day" (the clearing window) and "liquidity tools". Money is int fen, rates
are per year of 360 days. [P] marks defaults without a public source.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.moments import Date, Span
from cnaps_sim.scenario.quantities import Amount, Days, Money, Ratio, Share
from cnaps_sim.scenario.terms import AccountId, OneOf, Terms, choose_one, listed
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.units import MS_PER_MINUTE

#: Overnight rate of the standing lending facility (常备借贷便利) that a pledge loan is charged by the hour [P].
PLEDGE_RATE_PER_YEAR: Final = Decimal("0.0225")
#: What a loan not repaid by the end of its date's clearing window bears more.
OVERDUE_EXTRA_PER_YEAR: Final = Decimal("0.03")
#: Days after which an overdue borrower is in default.
DEFAULT_AFTER_DAYS: Final = 3
#: A bond is worth at most this share of its value as collateral.
COLLATERAL_SHARE: Final = Decimal("0.9")
#: Rate of automatic interbank loans and of lending in the clearing window [P].
LOAN_RATE_PER_YEAR: Final = Decimal("0.018")


class Mode(StrEnum):
    """How an account uses pledge financing (自动质押融资)."""

    NONE = "none"
    MANUAL = "manual"  # on its own request
    AUTOMATIC = "automatic"  # whenever its balance cannot pay


class CapitalShares(Terms):
    """Limit of pledge financing as a share of paid-in capital, by class of participant."""

    state: Share = Field(default=Decimal("0.04"), description="state banks")
    policy: Share = Field(default=Decimal("0.04"), description="policy banks, and the postal savings bank")
    joint_stock: Share = Field(default=Decimal("0.10"), alias="joint-stock", description="joint-stock banks")
    others: Share = Field(default=Decimal("0.15"), description="all others")

    def of_kind(self, kind: str | None) -> Decimal:
        """The share of this class."""
        named = {ParticipantKind.STATE: self.state, ParticipantKind.POLICY: self.policy}
        named[ParticipantKind.JOINT_STOCK] = self.joint_stock
        return named.get(ParticipantKind(kind), self.others) if kind else self.others


class CollateralRow(Terms):
    """Bonds that an account has pledged at the depository (CCDC), and what limits its borrowing.

    Money is int fen.
    """

    account: AccountId = Field(description="account")
    bonds: Money = Field(description="CNY, value of the bonds pledged")
    capital: Money | None = Field(default=None, description="CNY, paid-in capital; no limit by capital if left out")
    mode: Annotated[Mode, OneOf.of("mode", Mode)] = Field(
        default=Mode.AUTOMATIC, description="none, manual or automatic"
    )


_KIND: Final = OneOf.of("kind of participant", ParticipantKind)


class GeneratedCollateral(Terms):
    """Bonds of every account in proportion to what it sends [P]: no public source says what is pledged."""

    share_of_outflow: Ratio = Field(
        description="value of the bonds as a share of what the account sends on the first date; no public source"
    )
    kinds: Annotated[tuple[Annotated[ParticipantKind, _KIND], ...], listed] = Field(
        default=(), description="only these classes of participant; all if left out"
    )


_ROWS, _GENERATED = tag("rows"), tag("outflow")


def _way(collateral: Any) -> str:
    return _GENERATED if isinstance(collateral, Mapping | GeneratedCollateral) else _ROWS


Collateral = Annotated[
    Annotated[GeneratedCollateral, Tag(_GENERATED)] | Annotated[tuple[CollateralRow, ...], listed, Tag(_ROWS)],
    Discriminator(_way),
    choose_one("share_of_outflow", or_list=True),
]


class PledgeTerms(Terms):
    """Automatic pledge financing (自动质押融资): intraday loans of the central bank against bonds."""

    rate: Share = Field(
        default=PLEDGE_RATE_PER_YEAR, description="interest per year, charged by the begun hour; no public source"
    )
    overdue_extra: Share = Field(
        default=OVERDUE_EXTRA_PER_YEAR, description="more per year once a loan is overdue (逾期)"
    )
    default_after: Days = Field(default=DEFAULT_AFTER_DAYS, description="days overdue after which bonds are realised")
    collateral_share: Share = Field(default=COLLATERAL_SHARE, description="what a bond is worth of its value, at most")
    capital_share: CapitalShares = Field(default=CapitalShares(), description="limit as a share of paid-in capital")
    start: Money = Field(
        default=0, description="CNY, smallest automatic loan (起点金额), where there is room for it; no public source"
    )
    collateral: Collateral = Field(
        default=(), description="rows of account, bonds, capital and mode; or {share_of_outflow}"
    )


class Agreement(Terms):
    """An agreement on automatic interbank loans (自动拆借): when the clearing window opens, the lender makes good what
    the borrower lacks, if that lies between the two limits and the lender has it to spare."""

    lender: AccountId = Field(description="account that lends")
    borrower: AccountId = Field(description="account that borrows")
    lower: Money = Field(default=0, description="CNY, smallest loan")
    upper: Amount = Field(description="CNY, largest loan")
    rate: Share = Field(default=LOAN_RATE_PER_YEAR, description="interest per year; no public source")
    from_: Date | None = Field(default=None, alias="from", description="first business date; the run's if left out")
    until: Date | None = Field(default=None, description="last business date; the run's if left out")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lender == self.borrower:
            raise fault("is the lender itself", "another account", path=("borrower",))
        if self.lower > self.upper:
            raise fault("is above the upper limit", "amounts up to it", path=("lower",))
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            raise fault("is before it begins", f"dates from {self.from_}", path=("until",))
        return self


class LendingDesk(Terms):
    """Banks with money to spare that lend to short ones while the clearing window is open [P].

    How many find each other, and how fast, has no public source.
    """

    share: Share = Field(
        default=Decimal(0),
        description="share of its spare money that each bank lends; 0: nobody does; no public source",
    )
    after: Span = Field(
        default=2 * MS_PER_MINUTE, description="time from the window's opening to the loans; no public source"
    )
    rate: Share = Field(default=LOAN_RATE_PER_YEAR, description="interest per year; no public source")


class CreditTerms(Terms):
    """Who lends to whom, beside overdraft limits of the accounts and penalty loans of the central bank."""

    pledge: PledgeTerms = Field(default=PledgeTerms(), description="pledge financing (质押融资)")
    agreements: Annotated[tuple[Agreement, ...], listed] = Field(
        default=(), description="automatic interbank loans (自动拆借), in the order in which they are tried"
    )
    lending_desk: LendingDesk = Field(default=LendingDesk(), description="lending among banks in the clearing window")
