"""Behaviours in a run: the books are told the policies of the banks, and what is decided at given instants is done.

A bundled policy is numbers in the books (`core.policy`), so a bank with one costs no event but the end of its plan;
where payments travel as messages, the exchange asks the same rule (see `held_messages`). A policy of the researcher's
own is asked at its decision points. Events of kind `behaviour` tell of a date who follows what, what a bank that gives
up still sends, and what an adaptive bank has learned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Final

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Rank
from cnaps_sim.participants.behaviours import Adaptive, Plan, Policy, SendAtOnce, Split
from cnaps_sim.participants.behaviours.custom import Custom
from cnaps_sim.run.bank_view import Views
from cnaps_sim.run.behaviour_banks import bundled_policy, followers, payable
from cnaps_sim.run.columns import Array
from cnaps_sim.run.outboxes import Outboxes, OutboxesOfBooks
from cnaps_sim.scenario.behaviours import FollowsOwnPolicy
from cnaps_sim.words.codes import Act, Phase
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import format_clock, format_fen

if TYPE_CHECKING:
    from cnaps_sim.run.held_messages import HeldMessages
    from cnaps_sim.run.world import World

#: The kind of the events told here.
KIND: Final = "behaviour"
_LEAVES: Final = (int(Act.SETTLED), int(Act.CANCELLED), int(Act.REFUSED), int(Act.RETURNED))


class Behaviours:
    """The policies of a world's banks, by account row; banks that send at once have none.

    InputError where an entry names no bank, or a policy of the researcher's own cannot be had.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = world.clock
        self.books = world.books
        self.recorder = world.recorder
        self.flow = world.population.flow
        self.names = world.directory.accounts
        self.entry_of = followers(world.loaded, world.population.rows, self.flow)
        self.policies = {bank: self._policy(number) for bank, number in sorted(self.entry_of.items())}
        self.plans: dict[int, Plan] = {}
        self.openings: dict[int, int] = {}
        self.day: BusinessDay | None = None
        self._lessons = _Lessons(self) if any(isinstance(p, Adaptive) for p in self.policies.values()) else None
        self.held: HeldMessages | None = None if world.exchange is None else world.exchange.held
        if self.held is not None:
            at_once = (SendAtOnce, Split)
            self.held.take_over(bank for bank, policy in self.policies.items() if not isinstance(policy, at_once))
        in_books = OutboxesOfBooks(self.books, self.clock, self.flow.rows["level"])
        self.outboxes: Outboxes = in_books if self.held is None else self.held
        own = [bank for bank, policy in self.policies.items() if isinstance(policy, Custom)]
        self.deciders = _Deciders(self, own) if own else None

    def _policy(self, number: int) -> Policy:
        loaded = self.world.loaded
        entry = loaded.scenario.behaviours[number]
        if isinstance(entry, FollowsOwnPolicy):
            place, key = loaded.place_of(("behaviours", number, "policy")), f"behaviours.{number}.policy"
            return Custom(entry.policy, entry.parameters, entry.until, place, key)
        policy = bundled_policy(entry)
        assert policy is not None
        return policy

    def start(self) -> None:
        """Put the opening of every date on the clock."""
        for day in self.world.timetable.business_days:
            self.clock.call_at(day.opens_ms, Rank.FAULT, partial(self._open, day))
        if self.deciders is not None:
            self.deciders.start()

    def _open(self, day: BusinessDay) -> None:
        """A date opens: every bank makes its plan, after what yesterday has taught it."""
        self.day = day
        self.plans = {}
        ends: dict[int, list[int]] = defaultdict(list)
        for bank, policy in self.policies.items():
            if self._lessons is not None and isinstance(policy, Adaptive) and day.index > 0:
                self._lessons.learn(bank, policy, day.index - 1)
            opening = self.openings[bank] = int(self.books.accounts["balance"][bank])
            plan = policy.plan(day, opening)
            if plan is not None and plan.until_ms > day.opens_ms:
                self.plans[bank] = plan
                self.outboxes.adopt(bank, plan)
                ends[plan.until_ms].append(bank)
        for until_ms, banks in ends.items():
            self.clock.call_at(until_ms, Rank.FAULT, partial(self._end, banks))
        self._schedule_shares()
        self._tell_who(day)
        if self.deciders is not None:
            self.deciders.open_date(day)

    def _tell_who(self, day: BusinessDay) -> None:
        """One event for each entry that somebody follows, on the first date."""
        for number, entry in enumerate(self.world.loaded.scenario.behaviours if day.index == 0 else ()):
            banks = [bank for bank in self.plans if self.entry_of[bank] == number]
            if banks:
                who = f"{self.names[min(banks)]}" + (f" and {len(banks) - 1} more" if len(banks) > 1 else "")
                self.recorder.tell(day.opens_ms, KIND, who, f"policy {entry.policy}")

    # what happens at given instants ------------------------------------------------------------------------------

    def is_silent(self, bank: int) -> bool:
        """Whether the bank cannot send now, because an action stops it."""
        return int(self.clock.now) < int(self.books.accounts["hold_until_ms"][bank])

    def is_active(self, bank: int) -> bool:
        """Whether the bank's plan of this date is still on."""
        plan = self.plans.get(bank)
        return plan is not None and int(self.clock.now) < plan.until_ms

    def _end(self, banks: list[int]) -> None:
        """Plans end: what the banks have kept they send now, in the order in which they were told."""
        now = int(self.clock.now)
        for bank in banks:
            count, fen = self.outboxes.total(bank)
            if not self.plans[bank].gives_up or count == 0 or self.is_silent(bank):
                continue
            self.recorder.drain()
            self.outboxes.send_all(bank)
            words = f"waits no longer and sends what it kept: {count} payments, CNY {format_fen(fen)}"
            self.recorder.tell(now, KIND, self.names[bank], words)

    def _schedule_shares(self) -> None:
        """Put the instants of throughput guidelines on the clock: they count the payments told at that instant."""
        at: dict[int, list[int]] = defaultdict(list)
        for bank, plan in self.plans.items():
            for time_ms, _ in plan.shares:
                if self.clock.now <= time_ms < plan.until_ms:
                    at[time_ms].append(bank)
        for time_ms, banks in at.items():
            self.clock.call_at(time_ms, Rank.ACTION, partial(self._reach_shares, banks))

    def _reach_shares(self, banks: list[int]) -> None:
        now = int(self.clock.now)
        for bank in banks:
            if self.is_silent(bank):
                continue
            share = max(share for time_ms, share in self.plans[bank].shares if time_ms <= now)
            told = self._told_so_far(bank)
            sent = told - self.outboxes.total(bank)[1]
            lacking = -int(-(told * share) // 1) - sent
            if lacking > 0:
                self.recorder.drain()
                self.outboxes.send_worth(bank, lacking)

    def _told_so_far(self, bank: int) -> int:
        """Value of the payments that the bank was told to make on this date up to now, fen."""
        assert self.day is not None
        rows = self.flow.rows[self.rows_of(bank)]
        times = rows["time_ms"]
        chosen = (times >= self.day.opens_ms) & (times <= int(self.clock.now))
        return sum(rows["amount"][chosen].tolist())

    def rows_of(self, bank: int) -> Array:
        """The rows of the flow that the bank is told to pay and that the system would take."""
        sound = payable(self.flow)
        own: Array = sound[self.flow.rows["debtor"][sound] == bank]
        return own


class _Lessons:
    """What adaptive banks look back on: how long their payments waited, and how much of their own money they used."""

    def __init__(self, behaviours: Behaviours) -> None:
        self.behaviours = behaviours
        self._left_ms = np.full(len(behaviours.flow), 2**62)
        behaviours.recorder.listeners.append(self._see)

    def _see(self, log: Records) -> None:
        rows = log[(log["sequence"] < len(self._left_ms)) & np.isin(log["act"], _LEAVES)]
        self._left_ms[rows["sequence"]] = rows["time_ms"]

    def learn(self, bank: int, policy: Adaptive, date: int) -> None:
        """A bank looks back on a date that is over; an event tells what it learned."""
        owner = self.behaviours
        owner.recorder.drain()
        day = owner.world.timetable.business_days[date]
        rows = owner.rows_of(bank)
        told = owner.flow.rows["time_ms"][rows]
        rows = rows[(told >= day.opens_ms) & (told < day.cut_off_ms)]
        ended = np.minimum(self._left_ms[rows], day.window_end_ms) - owner.flow.rows["time_ms"][rows]
        waited = sum(map(mul, owner.flow.rows["amount"][rows].tolist(), ended.tolist()))
        lowest = int(owner.recorder.day_closes[date].accounts["lowest_balance"][bank])
        lesson = policy.learn(waited, max(0, owner.openings[bank] - lowest))
        words = f"delay cost CNY {format_fen(lesson.delay_fen)}, liquidity CNY {format_fen(lesson.liquidity_fen)}"
        until = format_clock(lesson.until)
        now = int(owner.clock.now)
        owner.recorder.tell(now, KIND, owner.names[bank], f"yesterday {words}; today it holds until {until}")


class _Deciders:
    """Banks with a policy of the researcher's own, and their decision points."""

    def __init__(self, behaviours: Behaviours, banks: list[int]) -> None:
        self.behaviours = behaviours
        self.clock = behaviours.clock
        self.banks = banks
        self.views = Views(behaviours.recorder, behaviours.flow, behaviours.names, banks, behaviours.outboxes)
        self.receivers = [bank for bank in banks if self.policy(bank).points.on_receipt]
        self._credits: dict[int, int] = {}

    def policy(self, bank: int) -> Custom:
        """The bank's policy."""
        policy = self.behaviours.policies[bank]
        assert isinstance(policy, Custom)
        return policy

    def start(self) -> None:
        """Look after each payment if anybody decides on receipts; beside messages when all others have been read."""
        if not self.receivers:
            return
        if self.behaviours.held is not None:
            self.behaviours.held.listen(self._has_received, self._look)
            return
        self.clock.stop_if = self._has_received
        self.clock.after_each.append(lambda _: self._look())

    def open_date(self, day: BusinessDay) -> None:
        """Put the decision points of a date on the clock."""
        self.views.start_date()
        self._credits = {bank: self._credits_of(bank) for bank in self.receivers}
        points: dict[int, list[int]] = defaultdict(list)
        for bank in self.banks:
            for time_ms in self._instants(bank, day):
                points[time_ms].append(bank)
        for time_ms, banks in sorted(points.items()):
            one_by_one = [[bank] for bank in banks]  # messages arrive between one decision and the next
            for deciding in [banks] if self.behaviours.held is None else one_by_one:
                self.clock.call_at(time_ms, Rank.ACTION, partial(self._decide_all, deciding))

    def _instants(self, bank: int, day: BusinessDay) -> Iterator[int]:
        """The instants of a date at which a bank decides, ms of the run, each once."""
        plan = self.behaviours.plans.get(bank)
        if plan is None:
            return
        points = self.policy(bank).points
        found = {day.midnight_ms + clock for clock in points.at_ms}
        if points.every_ms:
            found.update(range(day.opens_ms, plan.until_ms, points.every_ms))
        yield from sorted(time_ms for time_ms in found if day.opens_ms <= time_ms < plan.until_ms)

    def _decide_all(self, banks: list[int]) -> None:
        for bank in banks:
            self._decide(bank)

    def _credits_of(self, bank: int) -> int:
        return int(self.behaviours.books.accounts["received_count"][bank])

    def _has_received(self) -> bool:
        counts = self.behaviours.books.accounts["received_count"]
        return any(int(counts[bank]) != count for bank, count in self._credits.items())

    def _look(self) -> None:
        """Whoever has received something decides; what it sends may be somebody else's receipt."""
        while self._has_received():
            for bank in self._credits:
                count = self._credits_of(bank)
                grown = count > self._credits[bank]
                self._credits[bank] = count
                if grown:
                    self._decide(bank)

    def _decide(self, bank: int) -> None:
        """Ask a bank what it sends now, and send it."""
        owner = self.behaviours
        is_daytime = int(owner.books.desk["phase"][0]) == Phase.DAYTIME
        if not owner.is_active(bank) or owner.is_silent(bank) or not is_daytime:
            return
        assert owner.day is not None
        now = int(self.clock.now)
        owner.recorder.drain()
        rng = owner.world.streams[f"behaviours.{owner.names[bank]}"]
        until_ms = owner.plans[bank].until_ms
        view = self.views.view(bank, now, owner.day, owner.openings[bank], until_ms, rng)
        kept = owner.outboxes.kept(bank)
        for place in self.policy(bank).decide(view):
            owner.outboxes.send(bank, kept[place])
