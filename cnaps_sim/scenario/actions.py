"""Actions of a scenario: what banks and the central bank do at given moments, one model per verb.

Verbs and their Chinese terms follow the rule sections "the account" and "the settlement queue". Money in fen. Those of
retail clearing are in `retail_actions`; `verbs` has all of them.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema, model_validator

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.matching import Counterparty
from cnaps_sim.scenario.moments import MomentField
from cnaps_sim.scenario.quantities import Amount, SignedMoney, read_money
from cnaps_sim.scenario.terms import AccountId, OneOf, PaymentId, Switch, Terms, listed, shape
from cnaps_sim.words.codes import AccountStatus, Priority
from cnaps_sim.words.units import format_fen


class Timed(Terms):
    """What every action has: the moment it happens."""

    at: MomentField = Field(description="HH:MM[:SS[.mmm]] on the first business date, or a full date-time")


class OnPayment(Timed):
    """An action on one payment."""

    payment: PaymentId = Field(description="payment_id")


class MoveHead(OnPayment):
    """Its sender moves a queued payment to the head of its level (QC00, 排队队首)."""

    do: Literal["move_head"]


class MoveTail(OnPayment):
    """Its sender moves a queued payment to the tail of its level (QC01, 排队队尾)."""

    do: Literal["move_tail"]


class Cancel(OnPayment):
    """Its sender cancels a queued payment (撤销); of a package in a cap queue, the whole package."""

    do: Literal["cancel"]


class Reverse(OnPayment):
    """The central bank reverses a settled payment at level 0 (错账冲正)."""

    do: Literal["reverse"]


class Recall(OnPayment):
    """Its sender asks for a settled payment (退回申请); if the bank that was paid agrees, it sends it back (退汇)."""

    do: Literal["recall"]
    agreed: Switch = Field(default=True, description="whether the bank that was paid agrees")


class AskStatus(OnPayment):
    """Its sender asks the centre by message where a payment stands (业务状态查询)."""

    do: Literal["ask_status"]


class Reprioritise(OnPayment):
    """Its sender moves a queued payment to another level, where `hvps.reprioritise` allows it."""

    do: Literal["reprioritise"]
    priority: Annotated[Priority, OneOf.of("priority", Priority)] = Field(description="URGT, HIGH or NORM")


class OnAccount(Timed):
    """An action on one account."""

    account: AccountId = Field(description="account")


#: Fields that `set` changes, all money but the last.
MONEY_FIELDS: Final = (
    "overdraft_limit",
    "floor",
    "earmark",
    "reserved_high",
    "reserved_urgent",
    "warning_line",
    "pledged",
    "credit_line",
    "cap_warning_line",
)
SETTABLE: Final = (*MONEY_FIELDS, "status")
_STATUS: Final = OneOf.of("status", AccountStatus)


def _field(value: object) -> object:
    if value not in SETTABLE:
        raise fault("no such field of an account", ", ".join(SETTABLE), value=shape(value))
    return value


def _value_of_field(value: object, info: ValidationInfo) -> int | AccountStatus:
    field = info.data.get("field")
    if field is None:  # its own fault is reported
        return 0
    if field == "status":
        status = _STATUS.read(value)
        assert isinstance(status, AccountStatus)
        return status
    fen = read_money(value)
    if fen < 0 and field != "warning_line":
        raise fault("is negative", "amounts from 0")
    return fen


def _value_text(value: int | AccountStatus) -> str:
    return value.value if isinstance(value, AccountStatus) else format_fen(value)


class Set(OnAccount):
    """One term of an account changes.

    `value` is int fen, or an account status where the field is `status`.
    """

    do: Literal["set"]
    field: Annotated[str, BeforeValidator(_field), WithJsonSchema({"enum": list(SETTABLE)})] = Field(
        description="which term"
    )
    value: Annotated[
        int | AccountStatus,
        BeforeValidator(_value_of_field),
        PlainSerializer(_value_text, return_type=str),
        WithJsonSchema({"type": ["string", "number"]}),
    ] = Field(description="CNY; AS00 to AS06 for status")


#: The word for a limit that ends.
_NO_LIMIT: Final = "none"


def _limit(value: object) -> int | str:
    if value == _NO_LIMIT:
        return _NO_LIMIT
    if isinstance(value, str) and value.isalpha():
        raise fault("neither an amount nor none", f"CNY such as 1000.50, or {_NO_LIMIT}", value=shape(value))
    fen = read_money(value)
    if fen < 0:
        raise fault("is negative", f"amounts from 0, or {_NO_LIMIT}")
    return fen


def _limit_text(limit: int | str) -> str:
    return limit if isinstance(limit, str) else format_fen(limit)


class SetLimit(OnAccount):
    """The participant sets, changes or removes its limit towards another (双边限额) or all together (多边限额).

    `limit` is int fen, or `none` to remove it. One where it had none counts from now on.
    """

    do: Literal["set_limit"]
    to: Counterparty = Field(default=None, description="the account it pays; all, or left out: all others together")
    limit: Annotated[
        int | str,
        BeforeValidator(_limit),
        PlainSerializer(_limit_text, return_type=str),
        WithJsonSchema({"type": ["string", "number"]}),
    ] = Field(description="CNY it may send more than it receives in a day; none removes the limit")

    @property
    def most(self) -> int | None:
        """The limit in fen; None where it ends."""
        return None if isinstance(self.limit, str) else self.limit

    @model_validator(mode="after")
    def _two_accounts(self) -> Self:
        if self.account == self.to:
            raise fault("is the account itself", "another account", path=("to",))
        return self


class DebitControl(OnAccount):
    """Debit control (借记控制) on or off: the account's debits wait in its queue."""

    do: Literal["debit_control"]
    on: Switch = Field(description="true or false")


class CreditControl(OnAccount):
    """Credit control (贷记控制) on or off: credits to the account are refused."""

    do: Literal["credit_control"]
    on: Switch = Field(description="true or false")


class LogIn(OnAccount):
    """The participant logs in (登录)."""

    do: Literal["log_in"]


class LogOut(OnAccount):
    """The participant logs out, or is logged out by the centre (强制退出)."""

    do: Literal["log_out"]


class StopSending(OnAccount):
    """The participant keeps its payments of HVPS in its own outbox, for ever or until a moment; BEPS and IBPS go on."""

    do: Literal["stop_sending"]
    until: MomentField | None = Field(default=None, description="when it sends again; never if left out")


#: What a participant can ask the centre about by message.
ABOUT: Final = ("balance", "queue", "day", "account", "limits")


def _about(value: object) -> object:
    if value not in ABOUT:
        raise fault("nothing that can be asked about", ", ".join(ABOUT), value=shape(value))
    return value


class Ask(OnAccount):
    """The participant asks the centre by message.

    Its balances (一揽子流动性实时查询), its queue, the business day, its account so far today, or its limits.
    """

    do: Literal["ask"]
    about: Annotated[str, BeforeValidator(_about), WithJsonSchema({"enum": list(ABOUT)})] = Field(
        description="balance, queue, day, account or limits"
    )


class Inject(OnAccount):
    """The central bank puts money on the account."""

    do: Literal["inject"]
    amount: Amount = Field(description="CNY, above 0")


class CentralBankDebit(OnAccount):
    """One-sided business (单边业务): the central bank debits the account, at level 5."""

    do: Literal["central_bank_debit"]
    amount: Amount = Field(description="CNY, above 0")


class CentralBankCredit(OnAccount):
    """One-sided business (单边业务): the central bank credits the account."""

    do: Literal["central_bank_credit"]
    amount: Amount = Field(description="CNY, above 0")


def _one_or_more(value: object) -> object:
    accounts = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not accounts:
        raise fault("names no account", "an account, or a list of accounts")
    return accounts


_ACCOUNTS_SCHEMA: Final = {"type": ["string", "integer", "array"], "items": {"type": ["string", "integer"]}}


class Fee(Timed):
    """Fees (汇划费用) of the same amount charged to one or more accounts, at level 2."""

    do: Literal["fee"]
    account: Annotated[tuple[AccountId, ...], BeforeValidator(_one_or_more), WithJsonSchema(_ACCOUNTS_SCHEMA)] = Field(
        description="an account, or a list of accounts"
    )
    amount: Amount = Field(description="CNY for each account, above 0")


class Net(Terms):
    """The net of one account; a net of 0 posts nothing.

    The net is int fen, positive: to receive.
    """

    account: AccountId = Field(description="account")
    net: SignedMoney = Field(description="CNY; positive: to receive")


class Nets(Timed):
    """Nets of several accounts, which sum to zero."""

    nets: Annotated[tuple[Net, ...], listed] = Field(description="list of account and net")

    @model_validator(mode="after")
    def _sum_to_zero(self) -> Self:
        seen: set[str] = set()
        for row, net in enumerate(self.nets):
            if net.account in seen:
                raise fault("has a net already", "each account once", path=("nets", row, "account"))
            seen.add(net.account)
        if not self.nets:
            raise fault("is empty", "at least two accounts with their nets", path=("nets",))
        if total := sum(net.net for net in self.nets):
            raise fault("the nets do not sum to zero", value=f"sum {format_fen(total)} CNY", path=("nets",))
        return self


class SameCityNet(Nets):
    """A same-city net (同城轧差净额清算): posted at level 3, even under debit control."""

    do: Literal["same_city_net"]


class RoundNet(Nets):
    """The nets of a BEPS and IBPS round (小额、网银轧差净额): posted at level 4."""

    do: Literal["round_net"]


class Match(Timed):
    """A matching of the queues (排队撮合) on command."""

    do: Literal["match"]
