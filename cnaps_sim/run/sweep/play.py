"""Playing the runs of a study: one player per worker, which keeps whatever several runs share.

A player keeps the checked scenario of each point, and the accounts and payments of the replication it is at, so that
a run costs little more than the day itself.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from cnaps_sim.core.records import LOG, Records, joined
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.population import Population, populate, reopened
from cnaps_sim.run.runner import simulate
from cnaps_sim.run.sweep.measures import Measured, measures_of
from cnaps_sim.run.sweep.own import Own
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.run.world import Progress, Rehearsal, World
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.words.errors import AuditError
from cnaps_sim.words.streams import Streams

#: Populations and scenarios that a player keeps.
_POPULATIONS: Final = 2
_SCENARIOS: Final = 256
#: Keys of a scenario on which neither accounts nor payments depend.
_BESIDE: Final = (
    "name", "question", "record", "series_step", "hvps", "liquidity", "compare_tools", "compare_access",
)  # fmt: skip

#: A run's number and its measures.
Played = tuple[int, list[Measured]]


class Player:
    """Plays runs of one plan, one after the other.

    own: the researcher's own measures, if the plan has some; each run is then simulated in full
    """

    def __init__(self, plan: Plan, progress: Progress | None = None, own: Own | None = None) -> None:
        self.plan = plan
        self.progress = progress
        self.own = own
        self._scenarios: OrderedDict[int, tuple[Loaded, str]] = OrderedDict()
        self._populations: OrderedDict[tuple[str, int], tuple[str, Population]] = OrderedDict()

    def play(self, run: int) -> Played:
        """One run; what comes out depends on its number and on nothing played before."""
        point, replication = divmod(run, self.plan.replications)
        loaded, key = self._scenario(point)
        if self.own is not None:
            return run, self._measured_in_full(loaded, run, self.own)
        if loaded.scenario.messages > 0:  # messages decide when payments arrive, so that they have to travel
            world = World(loaded, replication, self.progress)
            Actions(world).schedule()
            world.play()
            return run, measures_of(world, world.recorder.whole_log())
        population = self._population(loaded, key, replication)
        world = World(loaded, replication, self.progress, Rehearsal(population, matched=True))
        parts: list[Records] = []
        world.recorder.listeners.append(parts.append)
        Actions(world).schedule()
        world.play()
        return run, measures_of(world, joined(parts, LOG))

    def _measured_in_full(self, loaded: Loaded, run: int, own: Own) -> list[Measured]:
        """The measures of a run, and the researcher's own of the same run. AuditError if it breaks a rule."""
        found: list[Measured] = []

        def watch(world: World) -> Callable[[], None]:
            return lambda: found.extend(measures_of(world, world.recorder.whole_log()))

        replication = run % self.plan.replications
        played = simulate(loaded, own.summarise, replication, self.progress, watch=watch)
        if played.manifest["audit"]["verdict"] != "passed":
            raise AuditError(played.manifest["audit"]["breaches"])
        played.forget_unwanted()
        return [*found, *own.of(played, self.plan.told(run))]

    def _scenario(self, point: int) -> tuple[Loaded, str]:
        """The scenario of a point, and as text what its accounts and payments depend on."""
        kept = self._scenarios.get(point)
        if kept is None:
            loaded = self.plan.loaded(point)
            data = resolved(loaded.scenario)
            key = json.dumps({name: part for name, part in data.items() if name not in _BESIDE}, sort_keys=True)
            played = _without_bound(loaded) if self.own is None else _without_replays(loaded)
            kept = self._scenarios[point] = (played, key)
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


def _without_replays(loaded: Loaded) -> Loaded:
    """What a day would save under other rules is told to people, and costs many plays of it."""
    hvps = loaded.scenario.hvps
    matching = hvps.matching.model_copy(update={"saving": False})
    told = {"hvps": hvps.model_copy(update={"matching": matching}), "compare_tools": False, "compare_access": False}
    return dataclasses.replace(loaded, scenario=loaded.scenario.model_copy(update=told))


_thread = threading.local()


def play_batch(plan: Plan, runs: list[int], own: Own | None = None) -> list[Played]:
    """Some runs of a plan, in a worker; each thread of it keeps the player of the plan it is at."""
    player: Player | None = getattr(_thread, "player", None)
    if player is None or player.plan.digest != plan.digest:
        player = _thread.player = Player(plan, own=own)
    return [player.play(run) for run in runs]
