"""Accounts of a scenario: a table in a file, rows written out, or a generated population.

A row has the columns of accounts.csv. The net debit cap (净借记限额) of an account is earmark + pledged + credit line.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Discriminator, Field, Tag, model_validator

from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.quantities import AccountCount, BranchCount, Factor, Money, Ratio, SignedMoney
from cnaps_sim.scenario.terms import AccountId, FileName, OneOf, Terms, Text, choose_one, listed
from cnaps_sim.words.codes import AccountStatus
from cnaps_sim.words.participant_kinds import ParticipantKind

#: Accounts of the generated national population [P]: no public source gives today's number.
NATIONAL_ACCOUNTS: Final = 320
#: Exponent of the Pareto distribution of the branches' sizes in an entity [P].
BRANCH_SIZE_EXPONENT: Final = Decimal("1.2")

Kind = Annotated[ParticipantKind, OneOf.of("kind of participant", ParticipantKind)]
StatusOfAccount = Annotated[AccountStatus, OneOf.of("status", AccountStatus)]


class Population(StrEnum):
    """Populations of accounts that can be generated."""

    NATIONAL = "national"  # the classes of participant of CNAPS 2


class Access(StrEnum):
    """How legal entities reach the settlement accounts."""

    SINGLE = "single"  # 法人一点接入: one account per legal entity
    BRANCHES = "branches"  # the first generation: one account per provincial branch


class BranchCounts(Terms):
    """Provincial branches (省级分行) of an entity of each class.

    The defaults are [P]; with them the 320 entities of the national population have 1 737 accounts.
    """

    state: BranchCount = Field(default=32, description="of a state bank; no public source")
    policy: BranchCount = Field(default=32, description="of a policy bank; no public source")
    joint_stock: BranchCount = Field(
        default=30, alias="joint-stock", description="of a joint-stock bank; no public source"
    )
    city: BranchCount = Field(default=4, description="of a city bank; no public source")
    rural: BranchCount = Field(default=5, description="of a rural institution; no public source")
    foreign: BranchCount = Field(default=5, description="of a foreign bank; no public source")
    finance: BranchCount = Field(default=1, description="of a finance company; no public source")
    special: BranchCount = Field(default=1, description="of a special participant; no public source")

    def of_kind(self, kind: ParticipantKind) -> int:
        """Branches of an entity of this class."""
        return int(getattr(self, kind.value.replace("-", "_")))


class AccountRow(Terms):
    """One settlement account (清算账户) as the run finds it.

    Money is int fen.
    """

    account: AccountId = Field(description="id of the account, such as its bank code (行号)")
    balance: SignedMoney = Field(default=0, description="CNY at the opening of the first date")
    name: Text | None = Field(default=None, description="name of the participant")
    kind: Kind | None = Field(default=None, description="class of the participant")
    owner: AccountId | None = Field(default=None, description="legal entity; the account itself if left out")
    status: StatusOfAccount = Field(default=AccountStatus.AS01, description="status (清算账户状态), AS00 to AS06")
    overdraft_limit: Money = Field(default=0, description="CNY, intraday overdraft limit (日间透支限额)")
    floor: Money = Field(default=0, description="CNY the balance must keep (余额控制下限)")
    earmark: Money = Field(default=0, description="CNY kept for netting (圈存)")
    pledged: Money = Field(default=0, description="CNY of pledged value behind the net debit cap (质押额度)")
    credit_line: Money = Field(default=0, description="CNY of credit line behind the net debit cap (授信额度)")
    reserved_high: Money = Field(default=0, description="CNY kept for levels 0 and 1 (HPAR)")
    reserved_urgent: Money = Field(default=0, description="CNY kept for levels 0 to 6 (UPAR)")
    warning_line: SignedMoney | None = Field(default=None, description="CNY below which a warning is raised (余额预警)")
    cap_warning_line: Money | None = Field(
        default=None, description="CNY of headroom under the net debit cap below which a warning is raised (限额预警)"
    )

    @model_validator(mode="after")
    def _within_overdraft(self) -> Self:
        if -self.balance > self.overdraft_limit:
            raise fault("below the overdraft limit", "0 or more, less the overdraft limit", path=("balance",))
        return self


class AccountsFile(Terms):
    """Accounts in a CSV file with the same columns."""

    file: FileName = Field(description="accounts.csv, from the folder of the scenario")


class GeneratedOverdraft(Terms):
    """Intraday overdraft limits (日间透支限额) of generated accounts, in proportion to what each sends [P]."""

    share_of_outflow: Ratio = Field(
        description="the limit as a share of what the account sends on the first date; no public source"
    )
    kinds: Annotated[tuple[Kind, ...], listed] = Field(
        default=(), description="only these classes of participant; all if left out"
    )


class GeneratedAccounts(Terms):
    """A generated population in the classes of the national one."""

    generate: Annotated[Population, OneOf.of("population", Population)] = Field(description="which population")
    count: AccountCount = Field(default=NATIONAL_ACCOUNTS, description="number of legal entities; no public source")
    branches: BranchCounts = Field(
        default=BranchCounts(), description="branches per entity; each has an account where access is branches"
    )
    branch_size_exponent: Factor = Field(
        default=BRANCH_SIZE_EXPONENT,
        description="exponent of the Pareto distribution of the branches' sizes in an entity; no public source",
    )
    overdraft: GeneratedOverdraft | None = Field(
        default=None, description="intraday overdraft limits; none if left out"
    )


_ROWS, _FILE, _GENERATED = tag("rows"), tag("file"), tag("generate")


def _way(accounts: Any) -> str:
    if isinstance(accounts, Mapping):
        return _GENERATED if accounts.get("generate") is not None else _FILE
    if isinstance(accounts, Terms):
        return _GENERATED if isinstance(accounts, GeneratedAccounts) else _FILE
    return _ROWS


Accounts = Annotated[
    Annotated[AccountsFile, Tag(_FILE)]
    | Annotated[GeneratedAccounts, Tag(_GENERATED)]
    | Annotated[tuple[AccountRow, ...], listed, Tag(_ROWS)],
    Discriminator(_way),
    choose_one("file", "generate", or_list=True),
]
