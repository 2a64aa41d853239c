"""What each liquidity tool does: the same day without any tool, with each alone, and with all of them together.

Every play has the same seed, population, payments and opening balances; without tables and auditor. Then it is sought
how far the opening balances could fall with a tool, payments waiting no longer than without any at full liquidity
(`saving`). Payments go without messages here, as in every rehearsal.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.participants.behaviours import Split
from cnaps_sim.run.population import Population, populate
from cnaps_sim.run.saving import PARTS, Delay, Rehearsals, least_parts
from cnaps_sim.run.tool_figures import PlayMeter, figures_of
from cnaps_sim.run.world import World
from cnaps_sim.scenario.actions import Ask, AskStatus, OnPayment, Set, Timed
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.tool_actions import OnPool, Pledge
from cnaps_sim.words.streams import Streams

#: Threads that play beside each other; what is Python waits for its turn, so that more of them only wait.
_WORKERS: Final = min(2, os.cpu_count() or 1)
#: Told how many steps of the study are done, and how many there will be.
Done = Callable[[int, int], None]


class Tool(StrEnum):
    """A liquidity tool that a study can leave out."""

    MATCHING = "matching"  # 排队撮合
    POOLS = "pools"  # 资金池
    PLEDGE = "pledge"  # 质押融资
    OVERDRAFT = "overdraft"  # 日间透支
    LENDING = "lending"  # 拆借: agreements, and the lending desk in the clearing window
    BEHAVIOURS = "behaviours"  # 发报策略


def tools_of(world: World) -> tuple[Tool, ...]:
    """The tools that a run has, in the order of `Tool`."""
    scenario = world.loaded.scenario
    credit = scenario.credit
    there = {
        Tool.MATCHING: scenario.hvps.matching.is_on,
        Tool.POOLS: bool(world.tools.pools),
        Tool.PLEDGE: any(room > 0 for room, _, _ in world.tools.pledges),
        Tool.OVERDRAFT: any(row["overdraft_limit"] > 0 for row in world.population.rows),
        Tool.LENDING: bool(credit.agreements) or credit.lending_desk.share > 0,
        Tool.BEHAVIOURS: bool(scenario.behaviours),
    }
    return tuple(tool for tool in Tool if there[tool])


def compare_tools(world: World, replication: int = 0, done: Done | None = None) -> list[dict[str, Any]]:
    """The figures of each play, as `tools` of the manifest has them: none, each tool alone, all.

    tools: the tools that it has; least_opening: least share of the opening balances, in thousandths, with which
    payments wait no longer than without any tool at full liquidity, None where even all of them do not do; the rest is
    told at `tool_figures.figures_of`
    """
    tools = tools_of(world)
    sets = [(), *((tool,) for tool in tools), *([tools] if len(tools) > 1 else [])]
    return ToolStudy(world, replication, done or (lambda _done, _all: None)).compare(sets)


class ToolStudy:
    """Plays the day of a world with some of its tools."""

    def __init__(self, world: World, replication: int, done: Done) -> None:
        self.loaded = world.loaded
        self.population = world.population
        self.replication = replication
        self.done = done
        self._timetable = world.timetable
        self._given_up = threading.Event()

    def compare(self, sets: Sequence[tuple[Tool, ...]]) -> list[dict[str, Any]]:
        """One entry per set of tools; the first is what the others are measured by."""
        steps = 2 * len(sets) - 1
        rehearsals = [self._rehearsals(tools) for tools in sets]
        rows: list[dict[str, Any]] = [{} for _ in sets]
        beside = ThreadPoolExecutor(_WORKERS)
        try:
            self.done(0, steps)
            jobs: dict[Future[Any], int] = {}
            for place, tools in enumerate(sets):
                jobs[beside.submit(self._play, rehearsals[place], tools)] = place
            delays = [Delay(0, 0)] * len(sets)
            for count, job in enumerate(as_completed(jobs), 1):
                rows[jobs[job]], delays[jobs[job]] = job.result()
                self.done(count, steps)
            jobs = {
                beside.submit(self._least, rehearsals[place], tools, delays[0], delays[place]): place
                for place, tools in enumerate(sets)
                if place
            }
            rows[0]["least_opening"] = 1.0
            for count, job in enumerate(as_completed(jobs), len(sets) + 1):
                rows[jobs[job]]["least_opening"] = job.result()
                self.done(count, steps)
        except BaseException:
            self._given_up.set()
            raise
        finally:
            beside.shutdown(cancel_futures=True)
        return rows

    def _play(self, rehearsals: Rehearsals, tools: tuple[Tool, ...]) -> tuple[dict[str, Any], Delay]:
        meter = PlayMeter(rehearsals.waits)
        world = rehearsals.play(PARTS, Tool.MATCHING in tools, meter.see)
        return {"tools": [tool.value for tool in tools], **figures_of(world, meter)}, meter.delay()

    def _least(self, rehearsals: Rehearsals, tools: tuple[Tool, ...], without: Delay, full: Delay) -> float | None:
        """The least share of the opening balances; None if even all of them do not give the delay without tools."""
        if not full.is_at_most(without):
            return None
        matched = Tool.MATCHING in tools
        return least_parts(lambda parts: rehearsals.delay(parts, matched).is_at_most(without)) / PARTS

    def _rehearsals(self, tools: tuple[Tool, ...]) -> Rehearsals:
        population = self.population
        if Tool.BEHAVIOURS not in tools:
            population = self._whole_payments
        if Tool.OVERDRAFT not in tools:
            rows = [row.copy() for row in population.rows]
            for row in rows:
                row["overdraft_limit"] = 0
            population = dataclasses.replace(population, rows=rows)
        loaded = dataclasses.replace(self.loaded, scenario=with_tools(self.loaded.scenario, tools, population))
        return Rehearsals(loaded, population, self._look, self.replication)

    @cached_property
    def _whole_payments(self) -> Population:
        """The population with the payments that a bank splits (拆分大额) in one piece again."""
        scenario = self.loaded.scenario
        if not any(entry.policy == Split.name for entry in scenario.behaviours):
            return self.population
        plain = dataclasses.replace(self.loaded, scenario=scenario.model_copy(update={"behaviours": ()}))
        flow = populate(plain, self._timetable, Streams(scenario.seed, self.replication)).flow
        return dataclasses.replace(self.population, flow=flow)

    def _look(self, _time_ms: int, _payments: int) -> None:
        if self._given_up.is_set():
            raise KeyboardInterrupt


def with_tools(scenario: Scenario, tools: Sequence[Tool], population: Population) -> Scenario:
    """The scenario with only these of its tools; matching and overdraft limits are left out elsewhere.

    Actions that need a tool which is not there are left out, and those on payments that are not told in that form.
    """
    credit = scenario.credit
    if Tool.PLEDGE not in tools:
        credit = credit.model_copy(update={"pledge": credit.pledge.model_copy(update={"collateral": ()})})
    if Tool.LENDING not in tools:
        desk = credit.lending_desk.model_copy(update={"share": Decimal(0)})
        credit = credit.model_copy(update={"agreements": (), "lending_desk": desk})
    matching = scenario.hvps.matching.model_copy(update={"bound": Bound.NONE})  # it is told and changes nothing
    return scenario.model_copy(
        update={
            "credit": credit,
            "pools": scenario.pools if Tool.POOLS in tools else (),
            "behaviours": scenario.behaviours if Tool.BEHAVIOURS in tools else (),
            "hvps": scenario.hvps.model_copy(update={"matching": matching}),
            "actions": tuple(act for act in scenario.actions if _can_act(act, tools, population)),
        }
    )


def _can_act(action: Timed, tools: Sequence[Tool], population: Population) -> bool:
    """Whether an action makes sense with these tools, and without messages, in which alone a bank can ask."""
    if isinstance(action, Ask | AskStatus):
        return False
    if isinstance(action, OnPool):
        return Tool.POOLS in tools
    if isinstance(action, Pledge):
        return Tool.PLEDGE in tools
    if isinstance(action, Set) and action.field == "overdraft_limit":
        return Tool.OVERDRAFT in tools
    if isinstance(action, OnPayment) and Tool.BEHAVIOURS not in tools and "/" in action.payment:
        ids = population.flow.payment_ids
        return bool(pc.index(ids, pa.scalar(action.payment, ids.type)).as_py() >= 0)
    return True
