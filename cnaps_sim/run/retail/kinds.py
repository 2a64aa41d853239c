"""Retail kinds: how many packages and items of each kind of BEPS and IBPS were netted, refused, cancelled or waited."""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.records import Records
from cnaps_sim.words.codes import Act, System
from cnaps_sim.words.retail import RetailKind

#: What the acts of the netting server count as in the summary of a run; what waited ends as one of the others too.
_ACTS: Final = {
    "settled": (Act.NETTED,),
    "rejected": (Act.REFUSED, Act.EXPIRED),
    "cancelled": (Act.CANCELLED, Act.STOPPED),
    "waited": (Act.QUEUED,),
}


def kinds_told(tallies: Records, system: System) -> dict[str, dict[str, dict[str, int]]]:
    """Of each kind of a system that occurred, by its code: packages (包), count (items) and value_fen by outcome.

    tallies: `core.netting_records` TALLY by kind and act, once the run is over
    waited:  what stood in a cap queue (轧差排队), whatever became of it
    """
    told = {}
    for kind in RetailKind:
        if kind.system is not system:
            continue
        sums = {name: _sum(tallies, kind, acts) for name, acts in _ACTS.items()}
        if any(part["packages"] for part in sums.values()):
            told[kind.code] = sums
    return told


def _sum(tallies: Records, kind: RetailKind, acts: tuple[Act, ...]) -> dict[str, int]:
    names = {"packages": "units", "count": "items", "value_fen": "fen"}
    return {name: sum(int(tallies[field][kind, act]) for act in acts) for name, field in names.items()}
