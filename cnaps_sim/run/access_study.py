"""What access alone does: the same day with one account per legal entity (法人一点接入), and with one per branch.

Both plays have the same seed, the same payments between entities and the same money of each entity at the opening. What
is compared is the liquidity of all accounts and the fate of the payments between entities; payments inside an entity
are in HVPS only where branches have accounts, and say nothing about access.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from cnaps_sim.core.records import LOG, Records, joined
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.columns import Array
from cnaps_sim.run.population import populate
from cnaps_sim.run.sweep.measures import PlayedDay
from cnaps_sim.run.world import Rehearsal, World
from cnaps_sim.scenario.accounts import Access
from cnaps_sim.words.streams import Streams


def compare_access(world: World, replication: int = 0) -> list[dict[str, Any]]:
    """The figures of both ways of access, as `access` of the manifest has them: single first.

    access: single or branches; accounts: of participants; opening_fen, used_fen (at the peak), lower_fen and upper_fen:
    liquidity of all of them; submitted_fen, settled_fen: value of the accepted payments between entities; rho: their
    delay indicator; mean_delay_ms: of those settled
    """
    here = PlayedDay(world, world.recorder.whole_log())
    found = {
        world.loaded.scenario.access: _figures(here),
        _other(world): _figures(_played_otherwise(world, replication)),
    }
    return [{"access": access.value, **found[access]} for access in Access]


def _other(world: World) -> Access:
    return Access.SINGLE if world.loaded.scenario.access is Access.BRANCHES else Access.BRANCHES


def _played_otherwise(world: World, replication: int) -> PlayedDay:
    scenario = world.loaded.scenario.model_copy(update={"access": _other(world), "compare_access": False})
    loaded = dataclasses.replace(world.loaded, scenario=scenario)
    population = populate(loaded, world.timetable, Streams(scenario.seed, replication))
    other = World(loaded, replication, None, Rehearsal(population, matched=True))
    parts: list[Records] = []
    other.recorder.listeners.append(parts.append)
    Actions(other).schedule()
    other.play()
    return PlayedDay(other, joined(parts, LOG))


def _figures(day: PlayedDay) -> dict[str, Any]:
    owners = np.unique(np.array(day.world.directory.owners), return_inverse=True)[1]
    between: Array = day.own & (owners[day.debtor] != owners[day.creditor])
    told = {measure.measure: measure.value for measure in day.liquidity()}
    fate = day.fate(between)
    return {
        "accounts": int(day.participant.sum()),
        "opening_fen": told["opening"],
        "used_fen": told["peak_used"],
        "lower_fen": told["lower_bound"],
        "upper_fen": told["upper_bound"],
        **fate._asdict(),
    }
