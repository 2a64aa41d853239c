"""Actions of a scenario on pools and pledges, one model per verb; `verbs` has all of them. Money is int fen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnaps_sim.scenario.actions import OnAccount, Timed
from cnaps_sim.scenario.quantities import Amount
from cnaps_sim.scenario.terms import Name


class OnPool(Timed):
    """An action on one fund pool (资金池)."""

    do: str
    pool: Name = Field(description="name of the pool")


class StartPool(OnPool):
    """The pool works again (MT00, MT01)."""

    do: Literal["start_pool"]


class StopPool(OnPool):
    """The pool is stopped until it is started again (MT02, 暂停)."""

    do: Literal["stop_pool"]


class CancelPool(OnPool):
    """The pool is cancelled for good (MT03, 撤销)."""

    do: Literal["cancel_pool"]


class Pledge(OnAccount):
    """The participant asks for a loan against its bonds (质押融资申请)."""

    do: Literal["pledge"]
    amount: Amount = Field(description="CNY, above 0")


class Repay(OnAccount):
    """The participant repays its pledge loans, oldest first, as far as its own money goes (质押融资还款)."""

    do: Literal["repay"]
