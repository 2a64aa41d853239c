"""Verbs: every action a scenario can have, by the word that `do` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

from pydantic import BeforeValidator, Discriminator, Tag

from cnaps_sim.scenario.actions import (
    Ask,
    AskStatus,
    Cancel,
    CentralBankCredit,
    CentralBankDebit,
    CreditControl,
    DebitControl,
    Fee,
    Inject,
    LogIn,
    LogOut,
    Match,
    MoveHead,
    MoveTail,
    Recall,
    Reprioritise,
    Reverse,
    RoundNet,
    SameCityNet,
    Set,
    SetLimit,
    StopSending,
    Timed,
)
from cnaps_sim.scenario.faults import fault, tag
from cnaps_sim.scenario.retail_actions import CancelThirdParty, LinkLoss, StopPayment, ThirdPartyNet
from cnaps_sim.scenario.terms import shape
from cnaps_sim.scenario.tool_actions import CancelPool, Pledge, Repay, StartPool, StopPool

_MODELS: Final[tuple[type[Timed], ...]] = (
    *(MoveHead, MoveTail, Cancel, Reprioritise, Set, DebitControl, CreditControl, Inject, Reverse, SameCityNet),
    *(RoundNet, CentralBankDebit, CentralBankCredit, Fee, StopSending, LogIn, LogOut, Match, Recall, Ask, AskStatus),
    *(SetLimit, LinkLoss, ThirdPartyNet, CancelThirdParty, StopPayment, Pledge, Repay, StartPool, StopPool, CancelPool),
)
#: The model of each verb, in the order of the documentation.
VERBS: Final = {get_args(model.model_fields["do"].annotation)[0]: model for model in _MODELS}


def _known_verb(action: Any) -> Any:
    if isinstance(action, Timed):
        return action
    if not isinstance(action, Mapping):
        raise fault("must be a mapping with at and do", ", ".join(VERBS), value=shape(action))
    verb = action.get("do")
    if verb is None:
        raise fault("is missing", ", ".join(VERBS), path=("do",))
    if not isinstance(verb, str) or verb not in VERBS:
        raise fault("no such action", ", ".join(VERBS), value=shape(verb), path=("do",))
    return action


def _tag_of(action: Any) -> str:
    return tag(action["do"] if isinstance(action, Mapping) else action.do)


Action = Annotated[
    Annotated[MoveHead, Tag(tag("move_head"))]
    | Annotated[MoveTail, Tag(tag("move_tail"))]
    | Annotated[Cancel, Tag(tag("cancel"))]
    | Annotated[Reprioritise, Tag(tag("reprioritise"))]
    | Annotated[Set, Tag(tag("set"))]
    | Annotated[DebitControl, Tag(tag("debit_control"))]
    | Annotated[CreditControl, Tag(tag("credit_control"))]
    | Annotated[Inject, Tag(tag("inject"))]
    | Annotated[Reverse, Tag(tag("reverse"))]
    | Annotated[SameCityNet, Tag(tag("same_city_net"))]
    | Annotated[RoundNet, Tag(tag("round_net"))]
    | Annotated[CentralBankDebit, Tag(tag("central_bank_debit"))]
    | Annotated[CentralBankCredit, Tag(tag("central_bank_credit"))]
    | Annotated[Fee, Tag(tag("fee"))]
    | Annotated[StopSending, Tag(tag("stop_sending"))]
    | Annotated[LogIn, Tag(tag("log_in"))]
    | Annotated[LogOut, Tag(tag("log_out"))]
    | Annotated[Match, Tag(tag("match"))]
    | Annotated[Recall, Tag(tag("recall"))]
    | Annotated[Ask, Tag(tag("ask"))]
    | Annotated[AskStatus, Tag(tag("ask_status"))]
    | Annotated[SetLimit, Tag(tag("set_limit"))]
    | Annotated[LinkLoss, Tag(tag("link_loss"))]
    | Annotated[ThirdPartyNet, Tag(tag("third_party_net"))]
    | Annotated[CancelThirdParty, Tag(tag("cancel_third_party"))]
    | Annotated[StopPayment, Tag(tag("stop_payment"))]
    | Annotated[Pledge, Tag(tag("pledge"))]
    | Annotated[Repay, Tag(tag("repay"))]
    | Annotated[StartPool, Tag(tag("start_pool"))]
    | Annotated[StopPool, Tag(tag("stop_pool"))]
    | Annotated[CancelPool, Tag(tag("cancel_pool"))],
    Discriminator(_tag_of),
    BeforeValidator(_known_verb),
]
