"""Sensitivity: what the headline figures of a day owe to each parameter that has no public source.

The day is played as the scenario has it, then with one such parameter at a time at a low and at a high value, all else
equal and with the same seed; without tables and auditor. It is played with other seeds, too: what that changes is what
chance alone does, and an effect below it says little.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

import numpy as np

from cnaps_sim.run.actions import Actions
from cnaps_sim.run.population import populate
from cnaps_sim.run.saving import Waits
from cnaps_sim.run.tool_figures import PlayMeter, figures_of
from cnaps_sim.run.world import Rehearsal, World
from cnaps_sim.scenario.assumptions import Assumption
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.words.codes import Act
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams

#: Threads if nobody says how many: what is Python waits for its turn, so that more of them only wait.
USUAL_WORKERS: Final = min(2, os.cpu_count() or 1)
#: How many other seeds tell what chance does.
OTHER_SEEDS: Final = 2
#: The figures and their units.
#:   settled_share:          value settled of the payments of HVPS, as a share of what was submitted
#:   returned_fen:           value sent back when the clearing window closed
#:   delay_rho:              delay indicator (结算延迟) of the payments of HVPS
#:   mean_delay_ms:          mean time from instruction to settlement of those that settled
#:   peak_used_fen:          own liquidity used, as `tool_figures.figures_of` counts it
#:   turnover:               value settled over that
#:   interest_fen:           interest on credit of every kind
#:   retail_rejected_share:  items of BEPS and IBPS refused, unanswered or cancelled, of all that were decided
MEASURES: Final = {
    "settled_share": "ratio",
    "returned_fen": "fen",
    "delay_rho": "ratio",
    "mean_delay_ms": "ms",
    "peak_used_fen": "fen",
    "turnover": "ratio",
    "interest_fen": "fen",
    "retail_rejected_share": "ratio",
}
_NOT_NETTED: Final = (Act.REFUSED, Act.EXPIRED, Act.CANCELLED, Act.STOPPED)
#: The figures of a play by measure, None for one that has no meaning in it.
Figures = dict[str, float | int | None]
#: Told how many plays are done, and how many there will be.
Done = Callable[[int, int], None]


@dataclass(frozen=True)
class Effect:
    """The figures with a parameter at its low and at its high value; None where it has none, or the day with it cannot
    be played (`problem` says why)."""

    assumption: Assumption
    at_low: Figures | None
    at_high: Figures | None
    problem: str


@dataclass(frozen=True)
class Found:
    """base: the figures of the scenario itself; chance: the same with each other seed; effects: by parameter."""

    base: Figures
    chance: list[Figures]
    effects: list[Effect]


class Sensitivity:
    """Plays one scenario with other values of its parameters.

    loaded: a scenario without messages; InputError for one with them
    """

    def __init__(self, loaded: Loaded) -> None:
        scenario = loaded.scenario
        if scenario.messages > 0:
            raise InputError(
                loaded.place_of("messages"), "messages", "payments travel as messages, which rehearsals do not play",
                "", "off, such as --set messages=off",
            )  # fmt: skip
        matching = scenario.hvps.matching.model_copy(update={"bound": Bound.NONE})  # it is told and changes nothing
        hvps = scenario.hvps.model_copy(update={"matching": matching})
        self.loaded = dataclasses.replace(loaded, scenario=scenario.model_copy(update={"hvps": hvps}))
        self._given_up = threading.Event()

    def of(self, varied: Sequence[Assumption], workers: int, done: Done | None = None) -> Found:
        """Play the day with each of these varied. The same whatever the number of `workers` (threads)."""
        scenario = self.loaded.scenario
        seeds = [scenario.seed + more for more in range(OTHER_SEEDS + 1)]
        plays = [scenario.model_copy(update={"seed": seed}) for seed in seeds]
        place: dict[tuple[int, str], int] = {}
        for number, each in enumerate(varied):
            for side, value in (("low", each.low), ("high", each.high)):
                if value is not None:
                    place[number, side] = len(plays)
                    plays.append(each.amended(scenario, value))
        played = self._played(plays, workers, done)
        told = [self._figures_of(each) for each in played[: len(seeds)]]
        return Found(told[0], told[1:], [_effect(each, number, place, played) for number, each in enumerate(varied)])

    @staticmethod
    def _figures_of(played: Figures | InputError) -> Figures:
        if isinstance(played, InputError):
            raise played
        return played

    def _played(self, plays: Sequence[Scenario], workers: int, done: Done | None) -> list[Figures | InputError]:
        results: list[Figures | InputError] = [{} for _ in plays]
        beside = ThreadPoolExecutor(workers)
        try:
            if done is not None:
                done(0, len(plays))
            place_of = {beside.submit(self._play, scenario): place for place, scenario in enumerate(plays)}
            for count, job in enumerate(as_completed(place_of), 1):
                results[place_of[job]] = job.result()
                if done is not None:
                    done(count, len(plays))
        except BaseException:
            self._given_up.set()
            raise
        finally:
            beside.shutdown(cancel_futures=True)
        return results

    def _play(self, scenario: Scenario) -> Figures | InputError:
        """The figures of one day, or why it cannot be played."""
        loaded = dataclasses.replace(self.loaded, scenario=scenario)
        try:
            timetable = scenario.business_timetable()
            population = populate(loaded, timetable, Streams(scenario.seed))
            world = World(loaded, progress=self._look, rehearsal=Rehearsal(population, matched=True))
        except InputError as error:
            return error
        meter = PlayMeter(Waits(population.flow, timetable))
        world.recorder.listeners.append(meter.see)
        Actions(world).schedule()
        world.play()
        return headline_of(world, meter)

    def _look(self, _time_ms: int, _payments: int) -> None:
        if self._given_up.is_set():
            raise KeyboardInterrupt


def _effect(
    each: Assumption, number: int, place: dict[tuple[int, str], int], played: list[Figures | InputError]
) -> Effect:
    sides: dict[str, Figures | None] = {"low": None, "high": None}
    problem = ""
    for side in sides:
        result = played[place[number, side]] if (number, side) in place else None
        if isinstance(result, InputError):
            problem = problem or f"{side}: {result.problem}"
        else:
            sides[side] = result
    return Effect(each, sides["low"], sides["high"], problem)


def headline_of(world: World, meter: PlayMeter) -> Figures:
    """The figures of a day that has been played without tables, by measure."""
    told = figures_of(world, meter)
    submitted, settled, used = told["submitted"]["value_fen"], told["settled"]["value_fen"], told["peak_used_fen"]
    return {
        "settled_share": settled / submitted if submitted else None,
        "returned_fen": told["returned"]["value_fen"],
        "delay_rho": told["delay_rho"],
        "mean_delay_ms": _mean_delay(world, meter),
        "peak_used_fen": used,
        "turnover": settled / used if used else None,
        "interest_fen": sum(told["interest_fen"].values()),
        "retail_rejected_share": _retail_rejected(world),
    }


def _mean_delay(world: World, meter: PlayMeter) -> float | None:
    """Mean time from instruction to settlement of the payments that settled, ms."""
    settled = np.flatnonzero(world.recorder.last_act[: len(meter.left)] == int(Act.SETTLED))
    waited = meter.left[settled] - meter.waits.instructed[settled]
    return float(waited.sum()) / len(settled) if len(settled) else None


def _retail_rejected(world: World) -> float | None:
    """Items of BEPS and IBPS that were not netted, as a share of all that were decided."""
    if world.retail is None:
        return None
    items = world.retail.netting.tallies["items"].sum(axis=0)
    lost = int(sum(items[act] for act in _NOT_NETTED))
    decided = lost + int(items[Act.NETTED])
    return lost / decided if decided else None
