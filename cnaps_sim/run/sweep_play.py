"""Playing the runs of a study: one player per worker, which keeps whatever several runs share.

A player keeps the checked scenario of each point, and the accounts and payments of the replication it is at, so that
a run costs little more than the day itself.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import OrderedDict
from typing import Final

import numpy as np

from cnaps_sim.core.records import LOG, Records
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.population import Population, populate, reopened
from cnaps_sim.run.sweep_measures import Measured, measures_of
from cnaps_sim.run.sweep_plan import Plan
from cnaps_sim.run.world import Progress, Rehearsal, World
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.words.streams import Streams

#: Populations and scenarios that a player keeps.
_POPULATIONS: Final = 2
_SCENARIOS: Final = 256
#: Keys of a scenario on which neither accounts nor payments depend.
_BESIDE: Final = ("name", "question", "record", "series_step", "hvps", "liquidity", "compare_tools")

#: A run's number and its measures.
Played = tuple[int, list[Measured]]


class Player:
    """Plays runs of one plan, one after the other."""

    def __init__(self, plan: Plan, progress: Progress | None = None) -> None:
        self.plan = plan
        self.progress = progress
        self._scenarios: OrderedDict[int, tuple[Loaded, str]] = OrderedDict()
        self._populations: OrderedDict[tuple[str, int], tuple[str, Population]] = OrderedDict()

    def play(self, run: int) -> Played:
        """One run; what comes out depends on its number and on nothing played before."""
        point, replication = divmod(run, self.plan.replications)
        loaded, key = self._scenario(point)
        if loaded.scenario.messages > 0:  # messages decide when payments arrive, so that they have to travel
            world = World(loaded, replication, self.progress)
            Actions(world).schedule()
            world.play()
            return run, measures_of(world, world.recorder.whole_log())
        population = self._population(loaded, key, replication)
        world = World(loaded, replication, self.progress, Rehearsal(population, matched=True))
        parts: list[Records] = [np.zeros(0, LOG)]
        world.recorder.listeners.append(parts.append)
        Actions(world).schedule()
        world.play()
        return run, measures_of(world, np.concatenate(parts))

    def _scenario(self, point: int) -> tuple[Loaded, str]:
        """The scenario of a point, and as text what its accounts and payments depend on."""
        kept = self._scenarios.get(point)
        if kept is None:
            loaded = self.plan.loaded(point)
            data = resolved(loaded.scenario)
            key = json.dumps({name: part for name, part in data.items() if name not in _BESIDE}, sort_keys=True)
            kept = self._scenarios[point] = (_without_bound(loaded), key)
            if len(self._scenarios) > _SCENARIOS:
                self._scenarios.popitem(last=False)
        return kept

    def _population(self, loaded: Loaded, key: str, replication: int) -> Population:
        scenario = loaded.scenario
        timetable, streams = scenario.business_timetable(), Streams(scenario.seed, replication)
        liquidity = scenario.liquidity.model_dump_json()
        kept = self._populations.get((key, replication))
        population = None
        if kept is not None:
            same = kept[0] == liquidity
            population = kept[1] if same else reopened(kept[1], loaded, timetable, streams)
        if population is None:
            population = populate(loaded, timetable, streams)
        self._populations[key, replication] = (liquidity, population)
        if len(self._populations) > _POPULATIONS:
            self._populations.popitem(last=False)
        return population


def _without_bound(loaded: Loaded) -> Loaded:
    """The bound of each matching is told to people and changes nothing."""
    hvps = loaded.scenario.hvps
    matching = hvps.matching.model_copy(update={"bound": Bound.NONE})
    scenario = loaded.scenario.model_copy(update={"hvps": hvps.model_copy(update={"matching": matching})})
    return dataclasses.replace(loaded, scenario=scenario)


_own = threading.local()


def play_batch(plan: Plan, runs: list[int]) -> list[Played]:
    """Some runs of a plan, in a worker; each thread of it keeps the player of the plan it is at."""
    player: Player | None = getattr(_own, "player", None)
    if player is None or player.plan.digest != plan.digest:
        player = _own.player = Player(plan)
    return [player.play(run) for run in runs]
