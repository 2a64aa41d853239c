"""Workload of a scenario: the payments that banks are told to make, from files, written out, or generated.

The defaults of the generator are the figures of rule section "volumes to calibrate on" (中国人民银行 2025); those
marked [P] have no public source and are modelling defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Discriminator, Field, Tag, WithJsonSchema, model_validator

from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.moments import MomentField
from cnaps_sim.scenario.quantities import AccountCount, Amount, Factor, ItemCount, MeanCount, Ratio, Share, Sigma
from cnaps_sim.scenario.terms import (
    AccountId,
    Currency,
    FileName,
    OneOf,
    PaymentId,
    Terms,
    Text,
    TypeCode,
    choose_one,
    known_keys,
    listed,
    matching,
)
from cnaps_sim.words import retail_terms as usual
from cnaps_sim.words.codes import Priority, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import FEN_PER_YUAN
from cnaps_sim.workload.retail_terms import RetailParameters

#: HVPS on a working day of 2025: items, and their value in fen (CNY 36.15 tn).
HVPS_ITEMS_PER_DAY: Final = 1_629_000
HVPS_VALUE_PER_DAY: Final = 36_150_000_000_000 * FEN_PER_YUAN
#: Share of bank transfers (行间资金汇划) in the count [P].
BANK_TRANSFER_SHARE: Final = Decimal("0.1442")
#: Share of the day's value that is sent after 15:00 [P].
LATE_VALUE_SHARE: Final = Decimal("0.35")
#: The network of who pays whom [P]: a core in which all pay one another, the other banks tied to a few of it, and the
#: probability that such a tie works both ways.
CORE_COUNT: Final = 21
TIES: Final = 3
RECIPROCITY: Final = Decimal("0.9")
#: Shares of the count at priority HIGH (紧急) and URGT (特急) [P].
HIGH_SHARE: Final = Decimal("0.02")
URGENT_SHARE: Final = Decimal("0.0001")
#: Payments between two branches of one entity, as a share of the count of those between entities [P].
INTRABANK_SHARE: Final = Decimal("0.1")
#: Exponent of the Pareto distribution of the banks' sizes [P].
SIZE_EXPONENT: Final = Decimal("1.2")
#: Lognormal amounts of customer payments and of bank transfers [P]: median in fen, sigma of the logarithm.
CUSTOMER_MEDIAN: Final = 150_000 * FEN_PER_YUAN
CUSTOMER_SIGMA: Final = Decimal("2.2")
BANK_MEDIAN: Final = 40_000_000 * FEN_PER_YUAN
BANK_SIGMA: Final = Decimal("1.6")

#: Systems whose payments a scenario can bring.
SYSTEMS: Final = (System.HVPS, System.BEPS, System.IBPS)
#: Those of them whose payments are netted.
RETAIL_SYSTEMS: Final = (System.BEPS, System.IBPS)

#: A folder or zip file beside the scenario, or with a path of its own.
MessageSource = Annotated[
    str,
    matching(re.compile(r"[^\x00\n]{1,1000}"), "not a name", "a folder or a .zip file of messages"),
    WithJsonSchema({"type": "string"}),
]
SystemOfWorkload = Annotated[System, OneOf.of("system", SYSTEMS)]


class Generator(StrEnum):
    """Generators of payments."""

    NATIONAL = "national"  # calibrated on the published national totals


class PaymentRow(Terms):
    """One payment (支付业务), with the columns of payments.csv.

    The amount is int fen.
    """

    payment_id: PaymentId = Field(description="the sender's id, unique in the scenario")
    time: MomentField = Field(description="when the bank is told to pay: HH:MM[:SS[.mmm]] or a full date-time")
    debtor: AccountId = Field(description="account to debit")
    creditor: AccountId = Field(description="account to credit")
    amount: Amount = Field(description="CNY, above 0")
    priority: Annotated[Priority, OneOf.of("priority", Priority)] = Field(
        default=Priority.NORM, description="URGT (特急), HIGH (紧急) or NORM (普通)"
    )
    type: TypeCode | None = Field(
        default=None,
        description="business type (业务类型), such as A100; of BEPS its kind BCRD (if left out), BRTC, BREG, BDBT, "
        "BRTD or BRGD; of IBPS ICRD (if left out) or IDBT",
    )
    currency: Currency = Field(
        default="CNY", description="currency; a payment in one without a book is refused in the run"
    )
    due: MomentField | None = Field(default=None, description="when it must be settled at the latest")
    on_behalf_of: Text | None = Field(default=None, description="indirect participant behind the debtor")
    package: PaymentId | None = Field(
        default=None,
        description="package (包) of BEPS that it travels in: payments with the same one are checked and netted "
        "together; without one a payment is a package of its own",
    )


class WorkloadFile(Terms):
    """Payments in a CSV or Parquet file."""

    system: SystemOfWorkload = Field(description="system that takes the payments")
    file: FileName = Field(description="payments.csv or .parquet, from the folder of the scenario")


class WorkloadMessages(Terms):
    """Payments in ISO 20022 messages, one message per file, with or without envelope.

    Credit transfers (pacs.008, pacs.009); of BEPS and IBPS direct debits, too (pacs.003), and of BEPS whole packages.
    """

    system: SystemOfWorkload = Field(description="system that takes the payments")
    messages: MessageSource = Field(description="folder or .zip file of messages, from the folder of the scenario")


class WorkloadPayments(Terms):
    """Payments written out, for small scenarios."""

    system: SystemOfWorkload = Field(description="system that takes the payments")
    payments: Annotated[tuple[PaymentRow, ...], listed] = Field(description="the payments; equal times keep this order")

    @model_validator(mode="after")
    def _of_their_system(self) -> Self:
        for row, payment in enumerate(self.payments):
            here = ("payments", row)
            if self.system in RETAIL_SYSTEMS:
                _check_retail(payment, self.system, here)
            if payment.package is not None and self.system is not System.BEPS:
                raise fault("only payments of BEPS come in packages", path=(*here, "package"))
        return self


def _check_retail(payment: PaymentRow, system: System, here: tuple[str | int, ...]) -> None:
    """A payment of BEPS or IBPS has a kind of its system, and no priority."""
    kind = None if payment.type is None else RetailKind.of_code(payment.type)
    if payment.type is not None and (kind is None or kind.system is not system):
        kinds = ", ".join(kind.code for kind in RetailKind if kind.system is system)
        raise fault(f"no kind of payment of {system.value}", kinds, path=(*here, "type"))
    if payment.priority is not Priority.NORM:
        raise fault(f"payments of {system.value} have no priority", "NORM, or none", path=(*here, "priority"))


class WorkloadGenerator(Terms):
    """Generated payments of HVPS: counts and the value of a day are exact, everything else is drawn.

    Money is int fen, sigmas are standard deviations of the natural logarithm.
    """

    system: SystemOfWorkload = Field(description="system that takes the payments")
    generator: Annotated[Generator, OneOf.of("generator", Generator)] = Field(description="which generator")
    count: ItemCount = Field(default=HVPS_ITEMS_PER_DAY, description="payments a day, before the scenario's scale")
    value: Amount = Field(default=HVPS_VALUE_PER_DAY, description="CNY a day, before the scenario's scale")
    bank_transfer_share: Share = Field(
        default=BANK_TRANSFER_SHARE, description="share of bank transfers in the count; no public source"
    )
    late_value_share: Share = Field(
        default=LATE_VALUE_SHARE, description="share of the value after 15:00; no public source"
    )
    high_share: Share = Field(default=HIGH_SHARE, description="share of the count at priority HIGH; no public source")
    urgent_share: Share = Field(
        default=URGENT_SHARE, description="share of the count at priority URGT; no public source"
    )
    core_count: AccountCount = Field(default=CORE_COUNT, description="banks that all pay one another; no public source")
    ties: AccountCount = Field(default=TIES, description="core banks that every other bank pays; no public source")
    reciprocity: Share = Field(
        default=RECIPROCITY, description="probability that such a tie works both ways; no public source"
    )
    intrabank_share: Share = Field(
        default=INTRABANK_SHARE,
        description="payments between two branches of one entity, beside the count and as a share of it; booked inside "
        "the bank where access is single; no public source",
    )
    size_exponent: Factor = Field(
        default=SIZE_EXPONENT, description="exponent of the Pareto distribution of sizes; no public source"
    )
    customer_median: Amount = Field(
        default=CUSTOMER_MEDIAN, description="CNY, median of customer payments; no public source"
    )
    customer_sigma: Sigma = Field(
        default=CUSTOMER_SIGMA, description="sigma of the logarithm of customer payments; no public source"
    )
    bank_median: Amount = Field(default=BANK_MEDIAN, description="CNY, median of bank transfers; no public source")
    bank_sigma: Sigma = Field(
        default=BANK_SIGMA, description="sigma of the logarithm of bank transfers; no public source"
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.high_share + self.urgent_share > 1:
            raise fault("together with urgent_share over 1", "shares that sum to at most 1", path=("high_share",))
        return self


class RetailGenerator(Terms):
    """What generators of BEPS and IBPS have in common."""

    system: SystemOfWorkload = Field(description="system that takes the payments")
    generator: Annotated[Generator, OneOf.of("generator", Generator)] = Field(description="which generator")

    @model_validator(mode="before")
    @classmethod
    def _no_key_of_hvps(cls, data: Any) -> Any:
        own = known_keys(cls)
        for key in data if isinstance(data, Mapping) else ():
            if key in WorkloadGenerator.model_fields and key not in own:
                raise fault("is a key of HVPS alone", ", ".join(own), path=(key,), at_key=True)
        return data


class BepsGenerator(RetailGenerator):
    """Generated payments of BEPS: the items netted in a day and their value are exact, everything else is drawn.

    Money is int fen, sigma is the standard deviation of the natural logarithm. What no share names is an ordinary
    credit (普通贷记).
    """

    count: ItemCount = Field(default=usual.BEPS_ITEMS_PER_DAY, description="items a day, before the scenario's scale")
    value: Amount = Field(default=usual.BEPS_VALUE_PER_DAY, description="CNY a day, before the scenario's scale")
    realtime_credit_share: Share = Field(
        default=usual.REALTIME_CREDIT_SHARE,
        description="share of real-time credits (实时贷记) in the count; no public source",
    )
    regular_credit_share: Share = Field(
        default=usual.REGULAR_CREDIT_SHARE,
        description="share of regular credits (定期贷记) in the count; no public source",
    )
    ordinary_debit_share: Share = Field(
        default=usual.ORDINARY_DEBIT_SHARE,
        description="share of ordinary debits (普通借记) in the count; no public source",
    )
    realtime_debit_share: Share = Field(
        default=usual.REALTIME_DEBIT_SHARE,
        description="share of real-time debits (实时借记) in the count; no public source",
    )
    regular_debit_share: Share = Field(
        default=usual.REGULAR_DEBIT_SHARE,
        description="share of regular debits (定期借记) in the count; no public source",
    )
    median: Amount = Field(default=usual.BEPS_MEDIAN, description="CNY, median of an item; no public source")
    sigma: Sigma = Field(default=usual.RETAIL_SIGMA, description="sigma of the logarithm of an item; no public source")
    mean_package_size: MeanCount = Field(
        default=usual.MEAN_PACKAGE_SIZE,
        description="items of a package in the mean, of kinds that are not real-time; no public source",
    )

    payroll_factor: Ratio = Field(
        default=RetailParameters.payroll_factor,
        description="what regular credits are multiplied by on payroll dates; no public source",
    )
    lump_share: Share = Field(
        default=RetailParameters.lump_share,
        description="share of an hour of the day that is sent in its first five minutes; no public source",
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        shares = [key for key in type(self).model_fields if key.endswith(("_credit_share", "_debit_share"))]
        if sum(getattr(self, key) for key in shares) > 1:
            given = next(key for key in shares if key in self.model_fields_set)
            problem, allowed = "together with the shares of other kinds over 1", "shares that sum to at most 1"
            raise fault(problem, allowed, path=(given,))
        return self


class IbpsGenerator(RetailGenerator):
    """Generated payments of IBPS: those netted in a day and their value are exact, everything else is drawn.

    Money is int fen, sigma is the standard deviation of the natural logarithm.
    """

    count: ItemCount = Field(
        default=usual.IBPS_ITEMS_PER_DAY, description="payments a day, before the scenario's scale"
    )
    value: Amount = Field(default=usual.IBPS_VALUE_PER_DAY, description="CNY a day, before the scenario's scale")
    debit_share: Share = Field(
        default=usual.IBPS_DEBIT_SHARE, description="share of debits (网银借记) in the count; no public source"
    )
    median: Amount = Field(default=usual.IBPS_MEDIAN, description="CNY, median of a payment; no public source")
    sigma: Sigma = Field(
        default=usual.RETAIL_SIGMA, description="sigma of the logarithm of a payment; no public source"
    )


#: The ways to bring payments, by the key that names each.
SOURCES: Final = ("file", "messages", "payments", "generator")
_FILE, _MESSAGES, _PAYMENTS, _GENERATOR = map(tag, SOURCES)
_OF_BEPS, _OF_IBPS = tag("beps"), tag("ibps")
_GENERATOR_OF: Final = {System.BEPS.value: _OF_BEPS, System.IBPS.value: _OF_IBPS}


def _source(entry: Any) -> str:
    if isinstance(entry, Mapping):
        found = next((tag(key) for key in SOURCES if entry.get(key) is not None), _FILE)
        system = entry.get("system")
        return _GENERATOR_OF.get(system, found) if found == _GENERATOR and isinstance(system, str) else found
    if isinstance(entry, RetailGenerator):
        return _OF_BEPS if isinstance(entry, BepsGenerator) else _OF_IBPS
    if isinstance(entry, WorkloadPayments):
        return _PAYMENTS
    if isinstance(entry, WorkloadMessages):
        return _MESSAGES
    return _GENERATOR if isinstance(entry, WorkloadGenerator) else _FILE


WorkloadEntry = Annotated[
    Annotated[WorkloadFile, Tag(_FILE)]
    | Annotated[WorkloadMessages, Tag(_MESSAGES)]
    | Annotated[WorkloadPayments, Tag(_PAYMENTS)]
    | Annotated[WorkloadGenerator, Tag(_GENERATOR)]
    | Annotated[BepsGenerator, Tag(_OF_BEPS)]
    | Annotated[IbpsGenerator, Tag(_OF_IBPS)],
    Discriminator(_source),
    choose_one(*SOURCES),
]
