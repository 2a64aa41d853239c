"""Rules of a scenario: the hours of the day, the opening liquidity, and how HVPS treats what it cannot settle.

Source: rule sections "the settlement queue" and "business day". [P] marks defaults without a public source.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.matching import MatchingTerms
from cnaps_sim.scenario.moments import ClockTime
from cnaps_sim.scenario.quantities import Ratio, Share
from cnaps_sim.scenario.terms import OneOf, Switch, Terms, choose_one
from cnaps_sim.words.codes import Discipline
from cnaps_sim.words.timetable import SPECIAL_SESSION_END_MS, HvpsHours, hvps_hours

#: Interest on intraday overdrafts (日间透支计息), a year of 360 days [P].
OVERDRAFT_RATE_PER_YEAR: Final = Decimal("0.005")
#: Penalty loans of the central bank (高额罚息贷款), per day [P].
PENALTY_RATE_PER_DAY: Final = Decimal("0.0006")
#: Opening balances of generated accounts as a share of a day's outflow: a calm day [P].
CALM_SHARE_OF_OUTFLOW: Final = ("0.5", "0.7")


class BankCodes(StrEnum):
    """Whether account ids must be bank codes (行号)."""

    FREE = "free"
    STRICT = "strict"


class Detail(StrEnum):
    """How much of a system is recorded."""

    PAYMENTS = "payments"
    ACCOUNTS = "accounts"
    TOTALS = "totals"


class BalanceSource(StrEnum):
    """Where opening balances can be taken from as they are."""

    ACCOUNTS = "accounts"


class TimetableTerms(Terms):
    """Hours that hold on every date of the run; what is left out is as published for the first date.

    Times are int ms since midnight.
    """

    opens: ClockTime | None = Field(default=None, description="opening")
    opens_day_before: Switch | None = Field(default=None, description="whether it opens on the evening before the date")
    cut_off: ClockTime | None = Field(default=None, description="cut-off (业务截止)")
    window_end: ClockTime | None = Field(default=None, description="end of the clearing window (清算窗口)")

    def hours(self, date: dt.date) -> HvpsHours:
        """The hours these terms make of the published ones of `date`. ValueError, in words, if they make no day."""
        published = hvps_hours(date)
        opens_ms = published.opens_ms if self.opens is None else self.opens
        evening = published.opens_day_before if self.opens_day_before is None else self.opens_day_before
        return HvpsHours(
            name="scenario",
            valid_from=published.valid_from,
            opens_day_before=evening,
            opens_ms=opens_ms,
            cut_off_ms=published.cut_off_ms if self.cut_off is None else self.cut_off,
            window_end_ms=published.window_end_ms if self.window_end is None else self.window_end,
            special_session=published.special_session and evening and opens_ms >= SPECIAL_SESSION_END_MS,
        )


def _pair(value: object) -> object:
    """One number stands for both ends."""
    if not isinstance(value, list | tuple):
        return (value, value)
    if len(value) != 2:
        raise fault("has not two ends", "a number, or [low, high]", value=f"{len(value)} numbers")
    return tuple(value)


_PAIR_SCHEMA: Final = {
    "type": ["number", "string", "array"],
    "items": {"type": ["number", "string"]},
    "minItems": 2,
    "maxItems": 2,
}


class Liquidity(Terms):
    """Where the opening balances come from: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    alpha: Ratio | None = Field(
        default=None, description="lower bound + alpha * (upper bound - lower bound) of the liquidity the payments need"
    )
    share_of_outflow: Annotated[tuple[Ratio, Ratio], BeforeValidator(_pair), WithJsonSchema(_PAIR_SCHEMA)] | None = (
        Field(
            default=None,
            description="share of what each account sends in a day; [low, high] is drawn account by account; "
            "no public source",
        )
    )
    from_: Annotated[BalanceSource, OneOf.of("source of balances", BalanceSource)] | None = Field(
        default=None, alias="from", description="accounts: the balances given with them"
    )

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        if self.share_of_outflow is not None and self.share_of_outflow[0] > self.share_of_outflow[1]:
            raise fault("the low end is above the high end", "[low, high]", path=("share_of_outflow",))
        return self


LiquidityTerms = Annotated[Liquidity, choose_one("alpha", "share_of_outflow", "from")]


class HvpsTerms(Terms):
    """How HVPS (大额支付系统) works in this scenario."""

    discipline: Annotated[Discipline, OneOf.of("discipline", Discipline)] = Field(
        default=Discipline.FIFO,
        description="fifo: strict order; bypass: later payments of a level may pass; reject: no queue",
    )
    reprioritise: Switch = Field(default=False, description="whether a bank may move a queued payment to another level")
    overdraft_rate: Share = Field(
        default=OVERDRAFT_RATE_PER_YEAR,
        description="interest on intraday overdrafts, per year of 360 days; no public source",
    )
    penalty_rate: Share = Field(
        default=PENALTY_RATE_PER_DAY, description="interest on penalty loans, per day; no public source"
    )
    matching: MatchingTerms = Field(default=MatchingTerms(), description="queue matching")

    @model_validator(mode="after")
    def _matching_needs_a_queue(self) -> Self:
        if self.matching.is_on and self.discipline is Discipline.REJECT:
            raise fault(
                "there is no queue to match: the discipline is reject",
                "discipline fifo or bypass, or algorithm none",
                path=("matching", "algorithm"),
            )
        return self
