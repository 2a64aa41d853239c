"""Queue matching (排队撮合): when it runs, which payments it chooses, and how they are posted together.

It runs over levels 6 and 7, at its rank among the events of an instant: after arrivals, orders and bookings. Two
moments are their own: entering the cut-off, while overdraft limits still count, and the close of the clearing window,
before anything is returned. Source: rule sections "liquidity tools" and "business day".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from cnaps_sim.core.matching_desk import Matchable, Tickets
from cnaps_sim.core.records import NO_QUEUE_LINE, NOBODY
from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.engine.recorder import Matching, Recorder
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.registry import Algorithm, settle
from cnaps_sim.words.codes import Phase, System
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import format_fen

#: The triggers of the two lines, as results call them.
_LINES: Final = ("queued_over", "value_over")
_OPEN_PHASES: Final = (Phase.DAYTIME, Phase.CUT_OFF, Phase.CLEARING_WINDOW)


@dataclass(frozen=True)
class Triggers:
    """What starts a matching, besides commands and the close of the window.

    every_ms:    ms between matchings in daytime, counted from the opening of the date
    at_ms:       times of day of every date, ms since midnight
    queued_over: HVPS payments queued, value_over: their value in fen; a matching when one comes to be exceeded
    on_phase:    on entering these phases
    continuous:  whenever something has happened and payments are queued; the two lines then say nothing more
    """

    every_ms: int | None = None
    at_ms: tuple[int, ...] = ()
    queued_over: int | None = None
    value_over: int | None = None
    on_phase: tuple[Phase, ...] = ()
    continuous: bool = False


@dataclass(frozen=True)
class MatchingRules:
    """How queues are matched in a run.

    algorithm:   None for multilateral matching, which the books themselves know
    duration_ms: from choosing payments to posting them; the funds they need are kept meanwhile
    with_bound:  whether each matching is measured by the bound of the linear relaxation
    place, key:  where the scenario names the algorithm, for errors
    """

    algorithm: Algorithm | None
    triggers: Triggers
    duration_ms: int = 0
    with_bound: bool = False
    place: str = "scenario"
    key: str = "hvps.matching.algorithm"

    @property
    def name(self) -> str:
        """The algorithm as results call it."""
        return "multilateral" if self.algorithm is None else self.algorithm.name


class _Choice(NamedTuple):
    """What a matching looked at, and what it chose of it; tickets in the order of posting."""

    considered: int
    considered_fen: int
    tickets: Tickets
    bound_fen: int | None


class _Outcome(NamedTuple):
    """What a set of payments comes to when it posts."""

    settled: int
    settled_fen: int
    accounts: int


class QueueMatching:
    """Runs the matchings of a run on its clock.

    names: account ids by row, for what is told about them
    """

    def __init__(self, clock: Clock, recorder: Recorder, rules: MatchingRules, names: Sequence[str]) -> None:
        self.clock = clock
        self.books = clock.books
        self.recorder = recorder
        self.rules = rules
        self.names = names
        self._under_way: tuple[Matching, _Outcome] | None = None
        self._is_retired = False
        self._is_due = False  # a matching that the queue itself has started waits for its rank
        self._has_just_matched = False
        self._growth_seen = 0
        self._was_over = (False, False)
        self.on_reserve: Callable[[bool], None] = lambda _: (
            None
        )  # told when funds have been kept, or will not be any more
        self._watch_queue()

    def _watch_queue(self) -> None:
        triggers = self.rules.triggers
        if triggers.continuous:
            self.books.set_stop_when_queued(True)
            self.clock.after_each.append(self._match_if_queued)
        elif triggers.queued_over is not None or triggers.value_over is not None:
            count, fen = triggers.queued_over, triggers.value_over
            self.books.set_queue_lines(NO_QUEUE_LINE if count is None else count, NO_QUEUE_LINE if fen is None else fen)
            self.clock.after_each.append(self._match_if_grown)

    def retire(self) -> None:
        """Other rules take over: what is under way ends now, and whatever is still on the clock does nothing."""
        self._end()
        self._is_retired = True
        for listen in (self._match_if_queued, self._match_if_grown):
            if listen in self.clock.after_each:
                self.clock.after_each.remove(listen)
        self.books.set_stop_when_queued(False)
        self.books.set_queue_lines()

    def join(self, day: BusinessDay) -> None:
        """Begin in the middle of a run: the matchings of a date that has opened, and a queue that is over its lines.

        `on_phase` counts from the next phase on, `every` from the opening of the date.
        """
        now = int(self.clock.now)
        self.recorder.drain()
        self._growth_seen = self.clock.crossings - self.recorder.warnings
        if not day.opens_ms <= now < day.window_end_ms:
            return
        for clock_ms in self.rules.triggers.at_ms:
            if day.midnight_ms + clock_ms >= now:
                self._schedule(day.midnight_ms + clock_ms, "at")
        if (every_ms := self.rules.triggers.every_ms) is not None:
            passed_ms = (max(0, now - day.opens_ms - 1) // every_ms) * every_ms
            self._schedule_next(day.opens_ms + passed_ms, every_ms, day.cut_off_ms)
        over = self._over()
        if any(over) and not self.rules.triggers.continuous and self._is_open():
            self._make_due(now, _LINES[over.index(True)])

    # triggers -------------------------------------------------------------------------------------------------

    def open_date(self, day: BusinessDay) -> None:
        """The date has opened: put its matchings on the clock."""
        triggers = self.rules.triggers
        if Phase.DAYTIME in triggers.on_phase:
            self._schedule(int(self.clock.now), "phase")
        for clock_ms in triggers.at_ms:
            self._schedule(day.midnight_ms + clock_ms, "at")
        if triggers.every_ms is not None:
            self._schedule_next(day.opens_ms, triggers.every_ms, day.cut_off_ms)

    def enter_cut_off(self) -> None:
        """The business is cut off; overdraft limits count until the clearing window opens, in the same instant."""
        if Phase.CUT_OFF in self.rules.triggers.on_phase:
            self._match("phase")

    def enter_window(self) -> None:
        """The clearing window has opened."""
        if Phase.CLEARING_WINDOW in self.rules.triggers.on_phase:
            self._schedule(int(self.clock.now), "phase")

    def close_window(self) -> None:
        """The clearing window closes: end what is under way, then a last matching, posted at once."""
        self._end()
        self._match("close", at_once=True)

    def command(self, time_ms: int) -> None:
        """Somebody orders a matching for `time_ms`."""

        def obey() -> None:
            if self._is_retired:
                return
            if not self._is_open():
                self._tell("refusal", "match refused: no phase in which queues are matched")
            else:
                self._match("action")

        self.clock.call_at(time_ms, Rank.MATCHING, obey)

    def _schedule(self, time_ms: int, trigger: str) -> None:
        self.clock.call_at(time_ms, Rank.MATCHING, lambda: self._match(trigger))

    def _schedule_next(self, time_ms: int, every_ms: int, before_ms: int) -> None:
        next_ms = time_ms + every_ms
        if next_ms >= before_ms:
            return

        def act() -> None:
            if self._is_retired:
                return
            self._match("every")
            self._schedule_next(next_ms, every_ms, before_ms)

        self.clock.call_at(next_ms, Rank.MATCHING, act)

    def _match_if_queued(self, now: int) -> None:
        """Continuous matching: something has happened, and payments are queued."""
        has_just_matched, self._has_just_matched = self._has_just_matched, False
        if has_just_matched or self._is_due or self._under_way or not self._is_open():
            return
        if self.books.desk["normal_waiting_count"][0]:
            self._make_due(now, "continuous")

    def _match_if_grown(self, now: int) -> None:
        """The queue may have grown past a line. Crossings that are no balance warnings are those of the queue."""
        if self.clock.crossings - self.recorder.warnings == self._growth_seen:
            return
        self.recorder.drain()
        grown = self.clock.crossings - self.recorder.warnings
        if grown == self._growth_seen:
            return
        self._growth_seen = grown
        over, was = self._over(), self._was_over
        self._was_over = over
        if any(over) and not self._is_due and self._is_open():
            fresh = [now_over and not was_over for now_over, was_over in zip(over, was, strict=True)]
            self._make_due(now, _LINES[fresh.index(True) if any(fresh) else over.index(True)])

    def _over(self) -> tuple[bool, bool]:
        desk = self.books.desk[0]
        return bool(desk["is_over_count"]), bool(desk["is_over_fen"])

    def _make_due(self, now: int, trigger: str) -> None:
        """A matching at this instant, when arrivals and orders of the instant are done."""
        self._is_due = True

        def act() -> None:
            self._is_due = False
            if trigger == "continuous" or any(self._over()):
                self._match(trigger)
            self._was_over = self._over()

        self.clock.call_at(now, Rank.MATCHING, act)

    def _is_open(self) -> bool:
        return Phase(int(self.books.desk["phase"][0])) in _OPEN_PHASES

    # one matching ---------------------------------------------------------------------------------------------

    def _match(self, trigger: str, at_once: bool = False) -> None:
        """Choose payments and post them, now or after the duration of a matching."""
        if self._is_retired or not self._is_open():
            return
        if self._under_way is not None:
            number = self._under_way[0].number
            self._tell("matching", f"trigger {trigger} not obeyed: matching {number} is under way")
            return
        choice = self._choose()
        self._has_just_matched = trigger == "continuous" and (choice is None or not len(choice.tickets))
        if choice is None or self._has_just_matched:
            return
        matching = self._record(trigger, choice)
        if len(choice.tickets):
            outcome = self._outcome(choice.tickets)
            if self.rules.duration_ms and not at_once:
                self._begin(matching, outcome, choice.tickets)
            else:
                blocking = self.books.settle_together(matching.time_ms, matching.number, choice.tickets)
                assert blocking == NOBODY, f"a verified matching was stopped by account {self.names[blocking]}"
                self._note(matching, outcome)

    def _record(self, trigger: str, choice: _Choice) -> Matching:
        """The matching's row of results, nothing settled so far."""
        number = len(self.recorder.matchings) + 1
        matching = Matching(
            number, int(self.clock.now), None, trigger, self.rules.name,
            choice.considered, choice.considered_fen, 0, 0, choice.bound_fen, 0,
        )  # fmt: skip
        self.recorder.matchings.append(matching)
        return matching

    def _outcome(self, tickets: Tickets) -> _Outcome:
        chosen = self.books.payments[tickets]
        accounts = np.unique(np.concatenate([chosen["debtor"], chosen["creditor"]]))
        return _Outcome(len(tickets), int(chosen["amount"].sum()), len(accounts))

    def _note(self, matching: Matching, outcome: _Outcome) -> None:
        matching.settled_ms = int(self.clock.now)
        matching.settled, matching.settled_fen, matching.accounts = outcome

    def _begin(self, matching: Matching, outcome: _Outcome, tickets: Tickets) -> None:
        """The payments and their funds are kept until the matching ends."""
        blocking = self.books.reserve_for_matching(tickets)
        assert blocking == NOBODY, f"a verified matching was stopped by account {self.names[blocking]}"
        self.on_reserve(True)
        self._under_way = matching, outcome
        self.books.set_stop_when_queued(False)

        def end() -> None:
            if self._under_way is not None and self._under_way[0] is matching:
                self._end()

        self.clock.call_at(matching.time_ms + self.rules.duration_ms, Rank.MATCHING, end)

    def _end(self) -> None:
        """The matching under way, if there is one, ends: its payments post together, or none of them."""
        if self._under_way is None:
            return
        matching, outcome = self._under_way
        self._under_way = None
        self.books.set_stop_when_queued(self.rules.triggers.continuous)
        self.on_reserve(False)
        blocking = self.books.settle_reserved(int(self.clock.now), matching.number)
        if blocking == NOBODY:
            self._note(matching, outcome)
            return
        what = f"{outcome.settled} payments, {format_fen(outcome.settled_fen)} CNY"
        why = f"{self.names[blocking]} could no longer take part"
        self._tell("matching", f"matching {matching.number} settled nothing of its {what}: {why}")

    # choosing -------------------------------------------------------------------------------------------------

    def _choose(self) -> _Choice | None:
        """Which payments settle together; None if there is none to choose from."""
        if not self.books.desk["normal_waiting_count"][0]:
            return None
        if self.rules.algorithm is None:
            count, fen = self.books.matchable_totals()
            if not count:
                return None
            bound = bound_of(self.books.matchable(), self._own()) if self.rules.with_bound else None
            return _Choice(count, fen, self.books.choose_multilateral(), bound)
        queued = self.books.matchable()
        if not len(queued.ticket):
            return None
        tickets = self._chosen_by(self.rules.algorithm, queued)
        bound = bound_of(queued, self._own()) if self.rules.with_bound else None
        return _Choice(len(queued.ticket), int(queued.amount.sum()), tickets, bound)

    def _chosen_by(self, algorithm: Algorithm, queued: Matchable) -> Tickets:
        """What an algorithm chooses from a table of the queue, verified; posted account by account in queue order."""
        order = table_order(queued, self.books.payments["sequence"][queued.ticket])
        table = _table(queued, np.where(self._own(), 0, queued.available), order)
        chosen = settle(algorithm, table, self.names, self.rules.place, self.rules.key)
        return queued.ticket[np.sort(order[chosen])]

    def _own(self) -> Any:
        """Which accounts are the central bank's own: they send nothing here, whatever they could."""
        return self.books.accounts["central_bank"]

    def _tell(self, kind: str, words: str) -> None:
        self.recorder.tell(int(self.clock.now), kind, System.HVPS.value, words)


def table_order(queued: Matchable, sequence: Any) -> Any:
    """The rows of `queued` in the order of a queue table: by level, then by arrival, each account's own order kept.

    sequence: number of each payment, which counts arrivals. A payment that was moved behind a later one counts as
        having arrived with it.
    """
    if not len(sequence):
        return np.zeros(0, np.int64)
    is_new = np.ones(len(sequence), np.bool_)
    is_new[1:] = (queued.debtor[1:] != queued.debtor[:-1]) | (queued.level[1:] != queued.level[:-1])
    apart = np.cumsum(is_new) * (int(sequence.max()) + 1)
    arrival = np.maximum.accumulate(sequence + apart) - apart
    return np.lexsort((arrival, queued.level))


def bound_of(queued: Matchable, central_bank: Any) -> int:
    """The LP bound of what a matching considers, fen; what is reserved from level 7 counts, so it holds for any set."""
    funds = np.where(central_bank, 0, np.maximum(queued.before_reservation, 0))
    return bound_fen(_table(queued, funds, np.arange(len(queued.ticket))))


def _table(queued: Matchable, available: Any, order: Any) -> QueueTable:
    return QueueTable(
        available, queued.debtor[order], queued.creditor[order], queued.amount[order], queued.level[order]
    )
