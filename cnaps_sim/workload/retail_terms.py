"""Retail terms: what shapes a generated day of BEPS (小额) and IBPS (网银), and how banks answer.

Every field is a modelling default [P] but the limits of real-time replies and of amounts; where the defaults come
from stands in `words.retail_terms`. Source: rule sections "BEPS", "IBPS" and "volumes to calibrate on".
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Final

from cnaps_sim.words import retail_terms as usual
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import FEN_PER_YUAN

_ONE: Final = Decimal(1)
#: Lags are int32 ms in a row; so many working days, with the longest holiday among them, still fit.
MOST_REPLY_DAYS: Final = 10
#: Amounts up to this one are interpolated exactly, fen.
MOST_LARGEST_FEN: Final = 100_000_000 * FEN_PER_YUAN


@dataclass(frozen=True)
class Volume:
    """What one system nets in an ordinary retail date: items, and their value in fen."""

    count: int
    value_fen: int

    def scaled(self, scale: Decimal) -> Volume:
        """Both multiplied, rounded half even."""
        return Volume(*(int((number * scale).to_integral_value()) for number in (self.count, self.value_fen)))


#: The published volumes of 2025.
NATIONAL: Final = {
    System.BEPS: Volume(usual.BEPS_ITEMS_PER_DAY, usual.BEPS_VALUE_PER_DAY),
    System.IBPS: Volume(usual.IBPS_ITEMS_PER_DAY, usual.IBPS_VALUE_PER_DAY),
}


@dataclass(frozen=True)
class BepsTerms:
    """Limits of BEPS and how its banks answer. Money is fen, durations are ms; InputError out of range."""

    package_limit: int = usual.PACKAGE_LIMIT  # most items of a package (包)
    item_limit: int | None = None  # most of one credit; None: as published for the retail date
    realtime_limit: int = usual.REALTIME_LIMIT_MS  # a real-time credit or debit waits so long for its reply
    realtime_median: int = usual.REALTIME_MEDIAN_MS
    realtime_sigma: Decimal = usual.REALTIME_SIGMA
    reply_days: int = usual.REPLY_DAYS  # an ordinary or regular debit waits so many working days
    reply_median: int = usual.REPLY_MEDIAN_MS
    reply_sigma: Decimal = usual.REPLY_SIGMA
    refused_share: Decimal = usual.BEPS_REFUSED_SHARE  # of what has a reply
    unanswered_share: Decimal = usual.BEPS_UNANSWERED_SHARE

    def __post_init__(self) -> None:
        _check(self, "beps")


@dataclass(frozen=True)
class IbpsTerms:
    """Limits of IBPS and how its banks answer. Money is fen, durations are ms; InputError out of range."""

    item_limit: int | None = None  # most of one credit; None: as published for the retail date
    reply_limit: int = usual.IBPS_REPLY_LIMIT_MS
    reply_median: int = usual.IBPS_REPLY_MEDIAN_MS
    reply_sigma: Decimal = usual.IBPS_REPLY_SIGMA
    refused_share: Decimal = usual.IBPS_REFUSED_SHARE
    unanswered_share: Decimal = usual.IBPS_UNANSWERED_SHARE

    def __post_init__(self) -> None:
        _check(self, "ibps")


@dataclass(frozen=True)
class RetailTerms:
    """The terms of both systems."""

    beps: BepsTerms = field(default_factory=BepsTerms)
    ibps: IbpsTerms = field(default_factory=IbpsTerms)

    def of(self, system: System) -> BepsTerms | IbpsTerms:
        """The terms of BEPS or IBPS."""
        return self.beps if system is System.BEPS else self.ibps

    def item_limit(self, system: System, date: dt.date) -> int:
        """The most one credit may move on a retail date (单笔金额上限), fen."""
        told = self.of(system).item_limit
        return usual.published_item_limit(system, date) if told is None else told


@dataclass(frozen=True)
class ClientLine:
    """An indirect participant (间接参与者): what its direct participant lets it send in a retail date. Money is fen.

    name:   as `on_behalf_of` of a payment says it
    direct: account row of its direct participant
    """

    name: str
    direct: int
    value: int = 0
    credit_line: int = 0


#: Hours of the natural day and their share of the units in thousandths [P]; even inside, but for the hourly lumps.
IBPS_HOURS: Final = ((0, 8, 50), (8, 12, 350), (12, 18, 350), (18, 24, 250))
BEPS_HOURS: Final = ((0, 8, 120), (8, 18, 600), (18, 24, 280))


@dataclass(frozen=True)
class RetailParameters:
    """What shapes a generated day; all are [P]. InputError if one lies outside its range."""

    beps_median: int = usual.BEPS_MEDIAN  # lognormal amounts of items, fen
    beps_sigma: Decimal = usual.RETAIL_SIGMA
    ibps_median: int = usual.IBPS_MEDIAN
    ibps_sigma: Decimal = usual.RETAIL_SIGMA
    largest: int = 1_000_000 * FEN_PER_YUAN  # an amount above it is redrawn, fen; so is one above the item limit
    realtime_credit_share: Decimal = usual.REALTIME_CREDIT_SHARE  # of the items netted by BEPS on an ordinary date;
    regular_credit_share: Decimal = usual.REGULAR_CREDIT_SHARE  # the rest are ordinary credits
    ordinary_debit_share: Decimal = usual.ORDINARY_DEBIT_SHARE
    realtime_debit_share: Decimal = usual.REALTIME_DEBIT_SHARE
    regular_debit_share: Decimal = usual.REGULAR_DEBIT_SHARE
    ibps_debit_share: Decimal = usual.IBPS_DEBIT_SHARE  # of the payments netted by IBPS
    mean_package_size: Decimal = usual.MEAN_PACKAGE_SIZE  # items; a real-time package holds one
    payroll_days: tuple[int, ...] = (5, 10, 15)  # retail dates whose regular credits are multiplied
    payroll_on_last_day: bool = True  # so is the last one of a month
    payroll_factor: Decimal = Decimal(2)
    beps_hours: tuple[tuple[int, int, int], ...] = BEPS_HOURS
    ibps_hours: tuple[tuple[int, int, int], ...] = IBPS_HOURS
    lump_from: int = 8  # from this hour to that one, banks send what they collected when the clock strikes
    lump_to: int = 18
    lump_share: Decimal = Decimal("0.3")  # of such an hour's units in its first five minutes
    core_count: int = 21  # banks that all pay one another; the others are tied to few of them
    ties: int = 3  # core banks that another bank pays
    reciprocity: Decimal = Decimal("0.9")  # probability that such a tie works both ways

    def __post_init__(self) -> None:
        _check(self, "workload")
        if self.largest > MOST_LARGEST_FEN:
            raise InputError("workload", "largest", "out of range", self.largest, f"up to {MOST_LARGEST_FEN} fen")
        if self.kind_shares(System.BEPS)[RetailKind.ORDINARY_CREDIT] < 0:
            raise InputError("workload", "regular_credit_share", "with the other shares more than all items")
        for name in ("beps_hours", "ibps_hours"):
            ends = [hour for begin, end, _ in getattr(self, name) for hour in (begin, end)]
            if ends[:1] + ends[-1:] != [0, 24] or ends != sorted(ends) or ends[1:-1:2] != ends[2:-1:2]:
                raise InputError("workload", name, "hours that do not follow one another from 0 to 24")
            shares = [share for *_, share in getattr(self, name)]
            if min(shares) < 0 or not sum(shares):
                raise InputError("workload", name, "shares of hours must be 0 or more, and one above 0")

    def kind_shares(self, system: System) -> dict[RetailKind, Decimal]:
        """Shares of the kinds in the items that a system nets on an ordinary date; they add up to 1."""
        if system is System.IBPS:
            return {
                RetailKind.IBPS_CREDIT: _ONE - self.ibps_debit_share,
                RetailKind.IBPS_DEBIT: self.ibps_debit_share,
            }
        shares = {
            RetailKind.REALTIME_CREDIT: self.realtime_credit_share,
            RetailKind.REGULAR_CREDIT: self.regular_credit_share,
            RetailKind.ORDINARY_DEBIT: self.ordinary_debit_share,
            RetailKind.REALTIME_DEBIT: self.realtime_debit_share,
            RetailKind.REGULAR_DEBIT: self.regular_debit_share,
        }
        return {RetailKind.ORDINARY_CREDIT: _ONE - sum(shares.values()), **shares}

    def is_payroll_date(self, date: dt.date) -> bool:
        """Whether wages are paid on a retail date."""
        is_last = (date + dt.timedelta(days=1)).day == 1
        return date.day in self.payroll_days or (is_last and self.payroll_on_last_day)


def _check(terms: object, place: str) -> None:
    """InputError for the first number of a dataclass of terms that is out of its range."""
    for item in fields(terms):  # type: ignore[arg-type]
        number = getattr(terms, item.name)
        if number is None or not isinstance(number, int | Decimal):
            continue
        if item.name.endswith(("_share", "reciprocity")):
            fits, allowed = 0 <= number <= 1, "0 to 1"
        elif item.name.endswith("sigma"):
            fits, allowed = 0 <= number <= 10, "0 to 10"
        elif item.name == "reply_days":
            fits, allowed = 1 <= number <= MOST_REPLY_DAYS, f"1 to {MOST_REPLY_DAYS}"
        elif item.name.startswith(("lump_", "payroll_")):
            fits, allowed = number >= 0, "0 or more"
        else:
            fits, allowed = number >= 1, "1 or more"
        if not fits:
            raise InputError(place, item.name, "out of range", number, allowed)
    refused, unanswered = (getattr(terms, name, Decimal(0)) for name in ("refused_share", "unanswered_share"))
    if refused + unanswered > 1:
        raise InputError(place, "refused_share", "together with unanswered_share over 1", refused)
