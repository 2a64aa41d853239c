"""Fork: a run again from its start to an instant, and from there on under another rule (what-if in mid-day).

Nothing of a run's inside is kept: the day is played again under the scenario that the run keeps, and what it did until
the instant must be what the tables of the run say (see `fork_past`). At the instant, before the payments that arrive in
it, the new rules are handed to the books and the matching of queues. BEPS and IBPS go on as before: what can be changed
of them in mid-run, such as a net debit cap, is changed by actions.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any, Final

from cnaps_sim.core.records import ANYBODY
from cnaps_sim.engine.clock import Rank
from cnaps_sim.run.matching import limit_rows
from cnaps_sim.run.store import Run
from cnaps_sim.run.world import World
from cnaps_sim.scenario.actions import Match
from cnaps_sim.scenario.load import Loaded, from_dict
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.systems.matching import QueueMatching
from cnaps_sim.words.codes import Cause, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS
from cnaps_sim.words.units import MS_PER_DAY, format_clock

#: Keys that can take over in mid-run, besides actions from the instant on; name and question say nothing of rules.
CAN_CHANGE: Final = ("hvps.discipline", "hvps.reprioritise", "hvps.matching", "limits", "name", "question")
_ALLOWED: Final = "hvps.discipline, hvps.matching, hvps.reprioritise, limits, actions from the instant on"
#: Keys whose terms an action can change, by the action.
_BY_ACTION: Final = {
    "nets.cap": "actions from the instant on: set (field credit_line, pledged or earmark) changes net debit caps",
    "accounts": "actions from the instant on: set (field overdraft_limit, floor, ...), inject, central_bank_debit",
    "pools": "actions from the instant on: start_pool, stop_pool, cancel_pool",
    "credit": "actions from the instant on: pledge, repay",
}


@dataclasses.dataclass(frozen=True)
class Fork:
    """A run to be repeated until `at_ms`, and the scenario whose rules take over then.

    base: the scenario of the run; later: the scenario after the instant; changed: keys in which they differ
    """

    base: Loaded
    later: Loaded
    at_ms: int
    changed: tuple[str, ...]

    @property
    def start(self) -> Loaded:
        """The scenario that is played from the start: that of the run, with the actions of the new one.

        They are the same before the instant; so they all are on the clock when it begins.
        """
        scenario = self.base.scenario.model_copy(update={"actions": self.later.scenario.actions})
        return dataclasses.replace(self.base, scenario=scenario)

    def told(self) -> dict[str, Any]:
        """What the manifest keeps of it, enough to repeat it."""
        return {"at_ms": self.at_ms, "changed": list(self.changed), "base": resolved(self.base.scenario)}


def forked(base: Loaded, later: Loaded, at_ms: int, asked: Mapping[str, Any] | None = None) -> Fork:
    """The fork of a scenario. InputError names the first key that would alter the past, or an instant outside.

    asked: values by key as they were asked for, by which the error then names the key
    """
    changed = tuple(_differences(resolved(base.scenario), resolved(later.scenario)))
    for key in changed:
        if key == "actions":
            _check_actions(base, later, at_ms)
        elif not any(key == name or key.startswith(f"{name}.") for name in CAN_CHANGE):
            allowed = next((words for start, words in _BY_ACTION.items() if key.startswith(start)), _ALLOWED)
            named, value = _as_asked(key, asked or {}, _value(later, key))
            raise InputError("set", named, "would alter the past of the run", value, allowed)
    days = base.scenario.business_timetable().business_days
    begins_ms, ends_ms = Hvps.begins_ms(days[0]), days[-1].window_end_ms
    if base.scenario.has_retail:
        begins_ms = min(begins_ms, RETAIL_DATE_SWITCH_MS - MS_PER_DAY)
    if not begins_ms <= at_ms < ends_ms:
        hours = f"{format_clock(begins_ms)} to {format_clock(ends_ms)} of the run"
        raise InputError("at", "", "lies outside the run", format_clock(at_ms), hours)
    if base.scenario.messages > 0 and "limits" in changed:
        raise InputError("set", "limits", "travel as messages in this run", "", "actions of the kind set_limit")
    return Fork(base, later, at_ms, changed)


def fork_of(run: Run, loaded: Loaded) -> Fork | None:
    """The fork that a run was, by its manifest; None if it is none. loaded: the scenario that it came to follow."""
    told = run.manifest.get("fork")
    if told is None:
        return None
    if (
        not isinstance(told, Mapping)
        or not isinstance(told.get("at_ms"), int)
        or not isinstance(told.get("base"), dict)
    ):
        raise InputError("manifest.json", "fork", "is not what a run writes", "", "at_ms, changed and base")
    return forked(from_dict(told["base"]), loaded, told["at_ms"])


def _differences(one: Mapping[str, Any], other: Mapping[str, Any], above: str = "") -> list[str]:
    """Dotted keys in which two resolved scenarios differ; a list counts as one value."""
    keys = []
    for key in dict.fromkeys([*one, *other]):
        old, new = one.get(key), other.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            keys += _differences(old, new, f"{above}{key}.")
        elif old != new:
            keys.append(f"{above}{key}")
    return keys


def _as_asked(key: str, asked: Mapping[str, Any], value: Any) -> tuple[str, Any]:
    """The key that was asked for behind one that differs, and its value: the nearest one of the same branch."""
    steps = key.split(".")
    shared = {}
    for name in asked:
        pairs = zip(steps, name.split("."), strict=False)
        shared[name] = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
    best = max(shared, key=lambda name: shared[name], default="")
    return (best, asked[best]) if best and shared[best] else (key, value)


def _value(loaded: Loaded, key: str) -> Any:
    part: Any = resolved(loaded.scenario)
    for step in key.split("."):
        part = part.get(step) if isinstance(part, Mapping) else None
    text = " ".join(str(part).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _check_actions(base: Loaded, later: Loaded, at_ms: int) -> None:
    """InputError if the actions before the instant are not the same ones in the same order."""
    first = base.scenario.date
    past = [[act for act in of.scenario.actions if act.at.ms(first) < at_ms] for of in (base, later)]
    if past[0] != past[1]:
        allowed = f"actions at {format_clock(at_ms)} and after"
        raise InputError("set", "actions", "would alter the past of the run", "an earlier action differs", allowed)


# taking over --------------------------------------------------------------------------------------------------


def schedule(fork: Fork, world: World) -> None:
    """Put the change of rules on the world's clock, before the payments that arrive at the instant."""
    changed = [key for key in fork.changed if key not in ("name", "question", "actions")]
    if changed:
        world.clock.call_at(fork.at_ms, Rank.FAULT, lambda: _take_over(fork, world, changed))


def _take_over(fork: Fork, world: World, changed: list[str]) -> None:
    now, hvps = int(world.clock.now), fork.later.scenario.hvps
    world.recorder.drain()
    world.recorder.tell(now, "action", System.HVPS.value, f"fork: other rules from now on ({', '.join(changed)})")
    if any(key.startswith("hvps.matching") for key in changed):
        _change_matching(fork, world)
    world.books.set_reprioritise(hvps.reprioritise)
    if "limits" in changed:
        _change_limits(fork, world)
    if "hvps.discipline" in changed:
        world.books.set_discipline(hvps.discipline)
        world.books.retry_all(now, Cause.MOVE)  # what may pass now need not wait for the next receipt


def _change_matching(fork: Fork, world: World) -> None:
    """The old matching ends with what it has under way; the new one begins, with the orders still to come."""
    if world.matching is not None:
        world.matching.retire()
        world.recorder.drain()
    world.matching = None
    if world.later_rules is not None:
        names = world.directory.accounts
        world.matching = QueueMatching(world.clock, world.recorder, world.later_rules, names)
        if world.tools.are_any:
            world.matching.on_reserve = world.tell_auditor_of_reserved
        now = int(world.clock.now)
        day = world.timetable.business_days[world.timetable.day_index(now)]
        world.matching.join(day)
        first = fork.later.scenario.date
        for action in fork.later.scenario.actions:
            if isinstance(action, Match) and action.at.ms(first) >= now:
                world.matching.command(action.at.ms(first))
    world.hvps.matching = world.matching


def _change_limits(fork: Fork, world: World) -> None:
    """Limits that the new scenario has otherwise are set, those that it has no more are removed."""
    old, new = (
        {row[:2]: row[2] for row in limit_rows(of, world.population.index)} for of in (fork.base, fork.later)
    )  # fmt: skip
    for pair in dict.fromkeys([*old, *new]):
        if old.get(pair) != new.get(pair):
            debtor, creditor = pair
            assert creditor == ANYBODY or creditor >= 0
            world.recorder.drain()
            world.tell_auditor_of_bilateral_limit(debtor, creditor, new.get(pair))
            world.books.set_limit(int(world.clock.now), debtor, creditor, new.get(pair))
