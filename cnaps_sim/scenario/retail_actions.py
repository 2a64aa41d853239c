"""Actions of retail clearing: faults of the link to SAPS, nets of third parties, payments stopped before netting.

Source: rule sections "netting rules" and "BEPS". Money in fen.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnaps_sim.scenario.actions import Nets, OnPayment, Timed
from cnaps_sim.scenario.moments import MomentField
from cnaps_sim.scenario.terms import AccountId


class LinkLoss(Timed):
    """The link between the netting server and SAPS is lost: nets are held, and sent when it is back."""

    do: Literal["link_loss"]
    until: MomentField = Field(description="when the link is back")


class ThirdPartyNet(Nets):
    """A special participant sends nets of others (第三方轧差净额), at level 4.

    All debtors pay first; the creditors are paid when the last debtor has.
    """

    do: Literal["third_party_net"]
    from_: AccountId = Field(alias="from", description="account of the participant that sends them")


class CancelThirdParty(Timed):
    """A special participant cancels its nets that are not yet complete (撤销), each request as a whole."""

    do: Literal["cancel_third_party"]
    from_: AccountId = Field(alias="from", description="account of the participant that sent them")


class StopPayment(OnPayment):
    """The payer's customer stops a payment of BEPS or IBPS before it is netted (止付), PR21."""

    do: Literal["stop_payment"]
