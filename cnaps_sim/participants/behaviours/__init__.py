"""Behaviours (发报策略): how banks decide when to send, by name.

A bundled policy is a few numbers that the books keep to at flow speed; a researcher's own (`custom`) is asked at the
decision points it names.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.participants.behaviours.learning import Adaptive
from cnaps_sim.participants.behaviours.plan import Plan, Policy
from cnaps_sim.participants.behaviours.policies import (
    FreeRider,
    HoldUntil,
    KeepReserve,
    ReceiptReactive,
    SendAtOnce,
    Split,
    Throughput,
    UrgentFirst,
)

#: The bundled policies by name, in documented order.
POLICIES: Final[dict[str, type[Policy]]] = {
    policy.name: policy
    for policy in (
        *(SendAtOnce, HoldUntil, ReceiptReactive, KeepReserve, Throughput),
        *(Split, UrgentFirst, FreeRider, Adaptive),
    )
}

__all__ = [
    "POLICIES",
    "Adaptive",
    "FreeRider",
    "HoldUntil",
    "KeepReserve",
    "Plan",
    "Policy",
    "ReceiptReactive",
    "SendAtOnce",
    "Split",
    "Throughput",
    "UrgentFirst",
]
