"""The world: one scenario wired together — books, clock, systems, recorder, auditor — and run to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cnaps_sim.audit import StreamAuditor, Verdict
from cnaps_sim.audit.stream import AccountTerms
from cnaps_sim.audit.told import ToolTerms
from cnaps_sim.core import Books
from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Clock, Process, Rank
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.run.behaviours import Behaviours
from cnaps_sim.run.matching import keeps_sequence, limit_rows, matching_rules
from cnaps_sim.run.population import Population, legs_of, populate
from cnaps_sim.run.tools import LiquidityTools, liquidity_tools
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.systems.ccms import Ccms
from cnaps_sim.systems.credit import Credit
from cnaps_sim.systems.dvp import DvpTrades
from cnaps_sim.systems.fund_pools import FundPools
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.systems.matching import QueueMatching
from cnaps_sim.systems.saps import Saps
from cnaps_sim.words.codes import Discipline, Life, Phase
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import BusinessDay, Timetable
from cnaps_sim.words.units import MS_PER_MINUTE

if TYPE_CHECKING:
    from cnaps_sim.core.netting_desk import Netting
    from cnaps_sim.run.exchange import Exchange
    from cnaps_sim.run.retail.clearing import RetailClearing

#: How long after the last window messages are still delivered.
LAST_DELIVERIES_MS: Final = 10 * MS_PER_MINUTE
#: Told the simulated time and the number of payments fed so far.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rehearsal:
    """A world that is played for one figure: no auditor, no samples, no log kept, and its population given.

    matched: whether queues are matched as the scenario says
    """

    population: Population
    matched: bool


class World:
    """Everything one run needs. `run()` plays it to the end; the recorder then holds what happened."""

    def __init__(
        self,
        loaded: Loaded,
        replication: int = 0,
        progress: Progress | None = None,
        rehearsal: Rehearsal | None = None,
        replay: Path | None = None,
        later: Loaded | None = None,
    ) -> None:
        """later: a scenario whose rules take over in mid-run (see `fork`); the auditor asks what holds under both."""
        scenario = loaded.scenario
        self.later = later
        self.later_rules = None if later is None else matching_rules(later)
        self.loaded = loaded
        self.rehearsal = rehearsal
        self.rules = matching_rules(loaded) if rehearsal is None or rehearsal.matched else None
        self.timetable = _timetable(loaded)
        self.streams = Streams(scenario.seed, replication)
        if rehearsal is None:
            self.population = populate(loaded, self.timetable, self.streams)
        else:
            self.population = rehearsal.population
        self.directory = self.population.directory()
        limits = limit_rows(loaded, self.population.index)
        self.tools = liquidity_tools(loaded, self.population, self.timetable, self.streams)
        self.books = Books(
            self.tools.terms(self.population.terms()),
            discipline=scenario.hvps.discipline,
            reprioritise=scenario.hvps.reprioritise,
            limits=limits,
            first_booking=len(self.population.flow),
            **self.tools.of_books(self.directory.accounts),
        )
        self.opening = np.array(self.books.accounts["balance"])
        self.recorder = Recorder(self.books, keep_log=rehearsal is None)
        self.netting = self._netting()
        self.clock = Clock(self.books, self._begins_ms(), self.netting)
        names = self.directory.accounts
        self.saps = Saps(self.books, self.recorder, names, scenario.hvps.overdraft_rate, scenario.hvps.penalty_rate)
        self.saps.taken_ids = self.population.booking_like_ids() if rehearsal is None else frozenset()
        self.ccms = Ccms(self.books, self.recorder, names)
        self.matching: QueueMatching | None = None
        if self.rules is not None:
            self.matching = QueueMatching(self.clock, self.recorder, self.rules, names)
        self.pools = FundPools(self.clock, self.recorder, names, self.tools.pools) if self.tools.pools else None
        self.credit = Credit(self.clock, self.recorder, self.saps, names, self.tools.credit)
        self.hvps = Hvps(
            self.clock,
            self.recorder,
            self.saps,
            self.ccms,
            self.timetable.business_days,
            self._see_phase,
            self._see_close,
            self.matching,
            self.pools,
            self.credit,
        )
        self.retail: RetailClearing | None = None
        if self.population.retail is not None:
            from cnaps_sim.run.retail.clearing import RetailClearing

            self.retail = RetailClearing(self, self.population.retail)
        legs = legs_of(self.population.flow)
        if rehearsal is None and legs.any():
            DvpTrades(self.recorder, legs, self.population.flow.payment_ids)
        self.auditor = self._auditor(limits) if rehearsal is None else None
        self._bookings_told = 0
        self._moves_told = 0
        self._progress = progress
        self.exchange: Exchange | None = None
        if scenario.messages > 0 and rehearsal is None:
            from cnaps_sim.run.exchange import Exchange  # messages take a while to load, and most runs need none

            self.exchange = Exchange(self, replay)
        self.behaviours = Behaviours(self)
        self._wire()

    def _auditor(self, limits: Sequence[tuple[int, int, int]]) -> StreamAuditor:
        rules = [rules for rules in (self.rules, self.later_rules) if rules is not None]
        duration_ms = max((rule.duration_ms for rule in rules), default=0)
        in_sequence = bool(rules) and all(keeps_sequence(rule) for rule in rules)
        terms = _auditors_terms(self.books, self.directory.accounts)
        disciplines = [of.scenario.hvps.discipline for of in (self.loaded, self.later) if of is not None]
        discipline = Discipline.BYPASS if Discipline.BYPASS in disciplines else disciplines[0]
        tools = _auditors_tools(self.books, self.tools, self.directory.accounts) if self.tools.are_any else None
        return StreamAuditor(terms, discipline, in_sequence, duration_ms, limits, tools)

    def _begins_ms(self) -> int:
        begins_ms = Hvps.begins_ms(self.timetable.business_days[0])
        times = self.population.flow.rows["time_ms"]
        if self.population.retail is not None:
            begins_ms = min(begins_ms, self.population.retail.dates[0].begins_ms)
        return min(begins_ms, int(times[0]) if len(times) else begins_ms)

    def _netting(self) -> Netting | None:
        """The netting server, if the scenario has retail payments."""
        if self.population.retail is None:
            return None
        from cnaps_sim.run.retail.clearing import netting_of

        return netting_of(self.population, log_all=self.loaded.scenario.messages > 0)

    def _last_ms(self) -> int:
        """When the last payment of the flow is instructed, which may be after the last window."""
        times = self.population.flow.rows["time_ms"]
        return int(times[-1]) if len(times) else 0

    def _wire(self) -> None:
        rows = self.population.flow.rows
        self.recorder.on_warning = self.ccms.warn
        self.clock.on_chunk.append(self._end_chunk)
        self.clock.feed(rows, 0, None if self.exchange is None else self.exchange.held.rows)
        self.behaviours.start()
        if self.exchange is not None:
            self.exchange.start()
        if self.retail is not None:
            self.retail.start()
        if self.auditor is not None:
            self.recorder.listeners.append(self._see_log)
            self.auditor.see_flow(rows, 0)
            self.auditor.see_phase(int(self.clock.now), Phase.PREPARATION)
            self._tell_initial_controls()
            self._tell_of_tools()
            self.clock.process(self._samples())

    def run(self) -> Verdict:
        """Play every business date; returns what the auditor found in the stream of outcomes."""
        self.play()
        assert self.auditor is not None, "a rehearsal has no auditor"
        verdict = self.auditor.finish()
        if self.retail is not None:
            verdict = verdict + self.retail.verdict()
        return verdict

    def play(self) -> None:
        """Play every business date."""
        self.clock.run(until=self.clock.process(self.hvps.business_days()))
        self.clock.run(until=self.timetable.business_days[-1].window_end_ms + 1)  # actions after an early close
        if self.exchange is not None:  # what was sent last still has to arrive
            self.clock.run(until=max(int(self.clock.now), self._last_ms()) + LAST_DELIVERIES_MS)
            self.exchange.give_up()
        self.clock.finish()
        self.recorder.drain()
        if self.retail is not None:
            self.retail.end()
        if self.exchange is not None:
            self.exchange.end()

    def _samples(self) -> Process:
        """Look at the accounts every `series_step` from each opening to the scheduled end of the window."""
        step = self.loaded.scenario.series_step
        for day in self.timetable.business_days:
            time_ms = day.opens_ms
            while time_ms <= day.window_end_ms:
                yield self.clock.at(time_ms, Rank.SAMPLE)
                self.recorder.sample(time_ms)
                time_ms += step

    # what the auditor and the terminal are told -----------------------------------------------------------------

    def _end_chunk(self) -> None:
        self.recorder.drain()
        if self._progress is not None:
            self._progress(int(self.clock.now), self.clock.feeds[0].next_row)

    def _see_log(self, log: Records) -> None:
        assert self.auditor is not None
        new = self.recorder.bookings[self._bookings_told :]
        self._bookings_told = len(self.recorder.bookings)
        if new:
            self.auditor.see_bookings(
                [(b.sequence, b.debtor, b.creditor, b.amount, b.level, b.kind.value) for b in new]
            )
        for moves in self.recorder.moves[self._moves_told :]:
            self.auditor.see_moves(moves)
        self._moves_told = len(self.recorder.moves)
        self.auditor.see_log(log)

    def _see_phase(self, time_ms: int, phase: Phase, special: bool) -> None:
        if self.auditor is not None:
            self.auditor.see_phase(time_ms, phase, special)
        if self.exchange is not None:
            self.exchange.tell_phase(phase, special)

    def _see_close(self, time_ms: int, day: BusinessDay) -> None:
        if self.exchange is not None:
            self.exchange.tell_statements(day)
        if self.auditor is None:
            return
        accounts = self.books.accounts
        kept = [np.array(accounts[name]) for name in ("pledged", "earmark")] if self.tools.are_any else []
        waiting_count = int(self.books.desk["waiting_count"][0])
        self.auditor.end_of_day(time_ms, np.array(accounts["balance"]), waiting_count, *kept)

    def tell_auditor_of_limit(self, account: int, field: str, value: int) -> None:
        """A money term is about to change, or stays what it is after all; the log has been drained."""
        if self.auditor is not None:
            self.auditor.see_limit_change(int(self.clock.now), account, field, value)

    def tell_auditor_of_bilateral_limit(self, debtor: int, creditor: int, fen: int | None) -> None:
        """A limit (双边限额, 多边限额) is about to be set or, with None, removed; the log has been drained."""
        if self.auditor is not None:
            self.auditor.see_bilateral_limit(int(self.clock.now), debtor, creditor, fen)

    def tell_auditor_of_control(
        self, account: int, *, debit_control: bool | None = None, life: Life | None = None
    ) -> None:
        """A control or the life of an account is about to change; the log has been drained."""
        if self.auditor is None:
            return
        record = self.books.accounts[account]
        controlled = bool(record["debit_control"]) if debit_control is None else debit_control
        frozen = int(record["life"]) == Life.FROZEN if life is None else life == Life.FROZEN
        self.auditor.see_control(int(self.clock.now), account, controlled or frozen)
        is_open = int(record["life"]) == Life.OPEN if life is None else life == Life.OPEN
        self.auditor.see_life(int(self.clock.now), account, is_open)

    def _tell_of_tools(self) -> None:
        """From now on the auditor is told what becomes of pools, pledge loans and the funds of matchings."""
        if not self.tools.are_any:
            return
        if self.pools is not None:
            self.pools.before_change = self.tell_auditor_of_pool
        self.credit.before_overdue = self.tell_auditor_of_overdue
        self.credit.before_default = self.tell_auditor_of_write_off
        self.credit.after_default = self.tell_auditor_of_pledge
        if self.matching is not None:
            self.matching.on_reserve = self.tell_auditor_of_reserved
        for account in np.flatnonzero(self.books.accounts["life"] != Life.OPEN):
            self.tell_auditor_of_control(int(account))

    def tell_auditor_of_pool(self, pool: int, active: bool) -> None:
        """A fund pool is about to begin or cease to work."""
        assert self.auditor is not None
        self.recorder.drain()
        self.auditor.see_pool(int(self.clock.now), pool, active)

    def tell_auditor_of_overdue(self, extra_ppm: int) -> None:
        """Pledge loans are about to become overdue."""
        assert self.auditor is not None
        self.recorder.drain()
        self.auditor.see_overdue(int(self.clock.now), extra_ppm)

    def tell_auditor_of_write_off(self, account: int) -> None:
        """The pledge loans of an account are about to be written off."""
        assert self.auditor is not None
        self.recorder.drain()
        self.auditor.see_write_off(int(self.clock.now), account)

    def tell_auditor_of_pledge(self, account: int) -> None:
        """The terms of pledge financing of an account have changed."""
        assert self.auditor is not None
        room, start = (int(self.books.accounts[name][account]) for name in ("pledge_room", "pledge_start"))
        automatic = self.tools.pledges[account][2]
        self.auditor.see_pledge(int(self.clock.now), account, room, start, automatic)

    def tell_auditor_of_reserved(self, is_reserved: bool) -> None:
        """Funds have been kept for a matching under way, or are about to be set free."""
        assert self.auditor is not None
        self.recorder.drain()
        kept = np.array(self.books.accounts["reserved_matching"])
        self.auditor.see_reserved(int(self.clock.now), kept if is_reserved else np.zeros_like(kept))

    def _tell_initial_controls(self) -> None:
        """Tell the auditor which accounts begin under control."""
        assert self.auditor is not None
        held = self.books.accounts["debit_control"] | (self.books.accounts["life"] == Life.FROZEN)
        for account in np.flatnonzero(held):
            self.auditor.see_control(int(self.clock.now), int(account), True)


def _timetable(loaded: Loaded) -> Timetable:
    try:
        return loaded.scenario.business_timetable()
    except ValueError as error:
        raise InputError(loaded.place_of("date"), "date", str(error)) from None


def _auditors_terms(books: Books, names: list[str]) -> AccountTerms:
    accounts = books.accounts
    return AccountTerms(
        opening=np.array(accounts["balance"]),
        overdraft_limit=np.array(accounts["overdraft_limit"]),
        central_bank=np.array(accounts["central_bank"]),
        floor=np.array(accounts["floor"]),
        names=names,
    )


def _auditors_tools(books: Books, tools: LiquidityTools, names: list[str]) -> ToolTerms:
    accounts, told = books.accounts, tools.of_books(names)
    automatic = np.zeros(len(names), np.bool_)
    automatic[: len(tools.pledges)] = [given[2] for given in tools.pledges]
    return ToolTerms(
        earmark=np.array(accounts["earmark"]),
        reserved_high=np.array(accounts["reserved_high"]),
        reserved_urgent=np.array(accounts["reserved_urgent"]),
        pools=told["pools"],
        active=[bool(active) for active in books.tools.pools["active"][: len(tools.pools)]],
        pool_seed=told["pool_seed"],
        room=np.array(accounts["pledge_room"]),
        start=np.array(accounts["pledge_start"]),
        automatic=automatic,
        lender=told["lender"],
        interest_account=told["interest_account"],
        rate_ppm=told["pledge_rate_ppm"],
    )
