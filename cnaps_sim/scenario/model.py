"""The scenario: everything a run is told, checked, in the units the program works in.

Money is int fen, durations and times of day are int ms, ratios are Decimal; `resolve` writes all of them as the text
they are read from. A scenario is frozen: a changed one is made by reading it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from cnaps_sim.scenario import checks
from cnaps_sim.scenario.accounts import Access, Accounts
from cnaps_sim.scenario.behaviours import Behaviour
from cnaps_sim.scenario.credit import CreditTerms
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.matching import LimitRow, ReservationRow
from cnaps_sim.scenario.messages import MessageShare, NetworkTerms
from cnaps_sim.scenario.moments import Date, Step
from cnaps_sim.scenario.pools import PoolTerms
from cnaps_sim.scenario.quantities import Days, Factor, Seed
from cnaps_sim.scenario.retail import BepsTerms, ClientRow, IbpsTerms, NetsTerms
from cnaps_sim.scenario.rules import (
    BankCodes,
    Detail,
    HvpsTerms,
    LiquidityTerms,
    TimetableTerms,
)
from cnaps_sim.scenario.terms import Name, OneOf, Switch, Terms, Text, listed, shape
from cnaps_sim.scenario.usual import USUAL_DETAIL, usual_terms
from cnaps_sim.scenario.vary import Replications, Vary
from cnaps_sim.scenario.verbs import Action
from cnaps_sim.scenario.workload import RETAIL_SYSTEMS, SYSTEMS, WorkloadEntry
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import System
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_MINUTE

#: The business date where none is given: never the computer's.
DEFAULT_DATE: Final = dt.date(2025, 6, 17)
DEFAULT_NAME: Final = "scenario"

_DETAIL: Final = OneOf.of("detail", Detail)
_SYSTEM: Final = OneOf.of("system", SYSTEMS)


def _record(value: object) -> dict[System, Detail]:
    """The detail recorded of each system."""
    if not isinstance(value, Mapping):
        raise fault("must be a mapping of systems to a detail", "HVPS: payments", value=shape(value))
    record = dict(USUAL_DETAIL)
    for key, detail in value.items():
        if key not in SYSTEMS:
            raise fault("no such system", ", ".join(SYSTEMS), path=(str(key),), at_key=True)
        if detail is not None and detail not in list(Detail):
            raise fault("no such detail", ", ".join(Detail), value=shape(detail), path=(str(key),))
        if detail is not None:
            record[System(key)] = Detail(detail)
    return record


Record = Annotated[
    dict[System, Detail],
    BeforeValidator(_record),
    PlainSerializer(lambda record: {system.value: detail.value for system, detail in record.items()}),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {system.value: {"enum": [detail.value for detail in Detail]} for system in SYSTEMS},
            "additionalProperties": False,
        }
    ),
]


class Scenario(Terms):
    """One scenario. The keys of a file are the fields of this model and of the models below it, and `extends`, which
    is gone once the file it names has been laid under this one."""

    keys_read_before: ClassVar[tuple[str, ...]] = ("extends",)

    name: Name = Field(default=DEFAULT_NAME, description="name; it names the folder of the run")
    question: Text | None = Field(default=None, description="what the scenario asks, in one sentence")
    date: Date = Field(default=DEFAULT_DATE, description="first HVPS business date")
    days: Days = Field(
        default=1, description="HVPS business dates from `date` on; the natural days between them run too"
    )
    seed: Seed = Field(default=1, description="seed of every random stream")
    scale: Factor = Field(default=Decimal(1), description="multiplies the counts of every generator")
    record: Record = Field(
        default=USUAL_DETAIL,
        description="detail recorded of each system: payments, accounts or totals; if left out, payments of a system "
        "none of whose payments are generated",
        validate_default=False,
    )
    series_step: Step = Field(default=MS_PER_MINUTE, description="time between two samples of the series")
    holidays: Annotated[tuple[Date, ...], listed] = Field(
        default=(), description="days off in years of unknown calendar"
    )
    timetable: TimetableTerms | None = Field(default=None, description="hours of HVPS; as published if left out")
    bank_codes: Annotated[BankCodes, OneOf.of("rule for bank codes", BankCodes)] = Field(
        default=BankCodes.FREE, description="strict: account ids must be bank codes with the right check digit"
    )
    access: Annotated[Access, OneOf.of("kind of access", Access)] = Field(
        default=Access.SINGLE,
        description="single: one account per legal entity (法人一点接入); branches: one per provincial branch, as the "
        "first generation had",
    )
    accounts: Accounts = Field(description="a file, rows, or a generated population")
    workload: Annotated[tuple[WorkloadEntry, ...], listed] = Field(description="where the payments come from")
    liquidity: LiquidityTerms = Field(description="where the opening balances come from")
    limits: Annotated[tuple[LimitRow, ...], listed] = Field(
        default=(), description="limits that accounts set themselves, towards one other or towards all"
    )
    reservations: Annotated[tuple[ReservationRow, ...], listed] = Field(
        default=(), description="what accounts keep for important payments (HPAR, UPAR)"
    )
    pools: Annotated[tuple[PoolTerms, ...], listed] = Field(
        default=(), description="fund pools (资金池), whose members rescue one another"
    )
    credit: CreditTerms = Field(default=CreditTerms(), description="who lends to whom")
    compare_tools: Switch = Field(
        default=False,
        description="whether to play the day again without any liquidity tool and with each alone, and compare them",
    )
    compare_access: Switch = Field(
        default=False,
        description="whether to play the day again with the other kind of access, and compare them",
    )
    hvps: HvpsTerms = Field(default=HvpsTerms(), description="how HVPS works")
    nets: NetsTerms = Field(default=NetsTerms(), description="how the netting server of BEPS and IBPS works")
    beps: BepsTerms = Field(default=BepsTerms(), description="how BEPS works")
    ibps: IbpsTerms = Field(default=IbpsTerms(), description="how IBPS works")
    clients: Annotated[tuple[ClientRow, ...], listed] = Field(
        default=(), description="indirect participants, whose retail payments their banks make"
    )
    messages: MessageShare = Field(
        default=Decimal(0), description="payments that travel as ISO 20022 messages: off, all, or {sample: share}"
    )
    network: NetworkTerms = Field(default=NetworkTerms(), description="the links that messages travel on")
    behaviours: Annotated[tuple[Behaviour, ...], listed] = Field(
        default=(), description="when banks send what they are told to pay; of a bank that none names: at once"
    )
    actions: Annotated[tuple[Action, ...], listed] = Field(default=(), description="what happens at given moments")
    vary: Vary | None = Field(default=None, description="what `cnaps-sim sweep` varies; a single run takes no notice")
    replications: Replications | None = Field(
        default=None, description="how often a study plays each of its points; once if left out"
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_terms(cls, data: Any) -> Any:
        """What is usual depends on what is generated: balances, caps, and the detail that is recorded."""
        return usual_terms(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _checked(self) -> Self:
        checks.check(self)
        return self

    @property
    def has_retail(self) -> bool:
        """Whether it brings payments of BEPS or IBPS."""
        return any(entry.system in RETAIL_SYSTEMS for entry in self.workload)

    @property
    def needs_bank_codes(self) -> bool:
        """Whether account ids must be bank codes: because the scenario says so, or because messages name them."""
        return self.bank_codes is BankCodes.STRICT or self.messages > 0

    @property
    def why_bank_codes(self) -> str:
        """The words that tell why account ids must be bank codes, where the scenario does not say so itself."""
        return "" if self.bank_codes is BankCodes.STRICT else ", which messages need (messages is not off)"

    def business_timetable(self) -> Timetable:
        """The business days of the run. ValueError, in words, if the terms make none."""
        hours = None if self.timetable is None else self.timetable.hours(self.date)
        return Timetable(self.date, self.days, Calendar(self.holidays), hours)
