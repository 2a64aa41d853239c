"""Retail clearing of one run: the netting server, its rounds and nets, its auditor, wired into a world."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cnaps_sim.audit import Verdict
from cnaps_sim.audit.netting import NettingAuditor
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.records import NO_WARNING_LINE, Records
from cnaps_sim.engine.clock import Process, Rank
from cnaps_sim.engine.netting_recorder import NettingRecorder, Round
from cnaps_sim.run.retail.population import retail_terms
from cnaps_sim.run.third_party import drawn_nets
from cnaps_sim.scenario.retail import Release
from cnaps_sim.systems.nets import Nets, NetsRules
from cnaps_sim.systems.third_party import ThirdPartyNets
from cnaps_sim.words.codes import AccountStatus, Life, System
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE
from cnaps_sim.workload.retail_amended import AmendedRetail, Return
from cnaps_sim.workload.retail_chunk import RetailStream
from cnaps_sim.workload.retail_limits import ReplyLimits

if TYPE_CHECKING:
    from cnaps_sim.run.population import Population
    from cnaps_sim.run.world import World

#: From this time of day of a working day SAPS takes nets, unless they go at its opening.
MORNING_RELEASE_MS: Final = 8 * MS_PER_HOUR + 30 * MS_PER_MINUTE
#: Threads that generate chunks ahead of the netting server; more would only take memory.
WORKERS: Final = min(2, os.cpu_count() or 1)


def netting_of(population: Population, log_all: bool) -> Netting:
    """The netting server with every account's cap; the central bank's own accounts take no part."""
    participants: list[dict[str, Any]] = []
    for row, line in zip(population.rows, population.credit_lines.tolist(), strict=True):
        life = AccountStatus(row["status"])
        cap_line = row["cap_warning_line"]
        participants.append(
            {
                "cap": row["earmark"] + row["pledged"] + line,
                "cap_line": NO_WARNING_LINE if cap_line is None else cap_line,
                "closed": life in (AccountStatus.AS00, AccountStatus.AS03),
            }
        )
    own = [{"closed": True}] * (len(population.directory().accounts) - len(participants))
    return Netting(participants + own, log_all=log_all)


class RetailClearing:
    """BEPS, IBPS and NETS in a world; `start()` puts them on the clock."""

    def __init__(self, world: World, stream: RetailStream) -> None:
        assert world.netting is not None
        self.world = world
        self.clock = world.clock
        self.netting = world.netting
        self.stream = AmendedRetail(stream)
        self.limits = ReplyLimits(retail_terms(world.loaded), stream.dates, world.timetable.calendar)
        terms = world.loaded.scenario.nets
        self.recorder = NettingRecorder(self.netting)
        population = world.population
        nothing = np.zeros(len(self.netting.positions) - len(population.rows), np.int64)
        self.nets = Nets(
            world.clock,
            world.recorder,
            self.recorder,
            world.saps,
            NetsRules(
                release_ms=MORNING_RELEASE_MS if terms.release is Release.MORNING else None,
                match_on_round=terms.matching.on_round,
                match_every_ms=terms.matching.every,
            ),
            stream.dates,
            world.timetable.business_days,
            pledged=np.concatenate([[row["pledged"] for row in population.rows], nothing]),
            credit_line=np.concatenate([population.credit_lines, nothing]),
        )
        self.third_party = ThirdPartyNets(world.saps, world.recorder)
        self.auditor: NettingAuditor | None = None
        if world.rehearsal is None:
            self._appoint_auditor()
        self._told = 0

    def _appoint_auditor(self) -> None:
        """Have an auditor told of everything that the netting server does."""
        names = self.world.directory.accounts
        positions = self.netting.positions
        self.auditor = auditor = NettingAuditor(
            np.array(positions["cap"]),
            names,
            closed=np.array(positions["closed"]),
            logged_in=np.array(positions["logged_in"]),
            log_all=bool(self.netting.netting["log_all"][0]),
        )
        self.recorder.listeners.append(self._see_log)
        self.nets.on_cap = auditor.see_cap
        self.nets.on_round = self._see_round
        self.nets.on_sent = lambda closed: auditor.see_sent(closed.number, int(self.clock.now))
        self.nets.on_posted = self._see_posted
        self.nets.on_switch = self._see_switch

    def start(self) -> None:
        """Feed the units and schedule rounds, releases, third-party nets and samples."""
        exchange = self.world.exchange
        if exchange is None or exchange.retail is None:  # else the units come as messages
            feed = self.clock.feed_retail(self.stream.prefetched(WORKERS))
            feed.on_chunk.append(self.recorder.drain)
        self.clock.process(self.nets.retail_dates())
        self.clock.process(self.nets.releases())
        self._schedule_third_parties()
        if self.world.rehearsal is None:
            self.clock.process(self._samples())

    def _schedule_third_parties(self) -> None:
        scenario = self.world.loaded.scenario
        for row in scenario.nets.third_party:
            value = int((row.value * scenario.scale).to_integral_value())
            sender = self.world.saps.row[row.from_]
            for day in self.world.timetable.business_days:
                for at in row.at:
                    time_ms = day.midnight_ms + at
                    name = f"nets.third_party.{row.from_}.{day.date.isoformat()}.{at}"
                    nets = drawn_nets(
                        self.world.population.sizes, sender, value, row.participants, self.world.streams[name]
                    )
                    self.clock.call_at(time_ms, Rank.ACTION, self._request(sender, nets))

    def _request(self, sender: int, nets: list[tuple[int, int]]) -> Any:
        def request() -> None:
            self.world.recorder.drain()
            self.third_party.request(int(self.clock.now), sender, nets)

        return request

    def _samples(self) -> Process:
        """Look at the positions every `series_step` of every retail date."""
        step = self.world.loaded.scenario.series_step
        for day in self.stream.dates:
            first_ms = day.begins_ms if day.index == 0 else day.begins_ms + step
            for time_ms in range(first_ms, day.ends_ms + 1, step):
                yield self.clock.at(time_ms, Rank.SAMPLE)
                self.recorder.drain()
                self.recorder.sample(time_ms)

    # units ---------------------------------------------------------------------------------------------------------

    def stop(self, unit: int, comes_ms: int) -> None:
        """A unit of the stream beneath is stopped (止付) before it comes to its cap check at `comes_ms`."""
        self.stream.stopped[unit] = comes_ms, int(self.clock.now)
        feed = self.clock.retail
        if feed is not None and feed.chunk is not None:
            self.recorder.drain()
            feed.chunk = self.stream.chunk(feed.chunk.number)

    def send_back(self, sent: Return) -> None:
        """A bank sends a netted item back, now: a unit of its own, which comes next."""
        self.recorder.drain()
        self.stream.returns.append(sent)
        exchange = self.world.exchange
        if exchange is not None and exchange.retail is not None:
            exchange.retail.send_back(sent)
        feed = self.clock.retail
        if feed is None:
            return
        number = self.stream.slot_of(sent.time_ms)
        present = self.stream.chunk(number)
        come = int(self.netting.netting["units_come"][0]) - present.first_unit
        feed.go_back_to(present, come, self.stream.chunk)

    def units_come(self) -> int:
        """How many units have come to their cap check."""
        come = None if self.clock.retail is None else self.clock.retail.rows_come()
        return self.stream.unit_count if come is None else come[1] + come[2]

    def row_of(self, unit: int) -> Any:
        """The row of the flow that tells a unit's terms."""
        for chunk in self.stream.chunks():
            if chunk.first_unit <= unit < chunk.first_unit + len(chunk.rows):
                return chunk.rows[unit - chunk.first_unit]
        raise AssertionError("a unit of the run has a row")

    # the life of an account and its log-in matter to both servers --------------------------------------------------

    def account_changed(self, row: int) -> None:
        """An account's life or its participant's log-in has changed."""
        account = self.world.books.accounts[row]
        closed = Life(int(account["life"])) in (Life.TO_OPEN, Life.CLOSED)
        logged_in = bool(account["logged_in"])
        now = int(self.clock.now)
        self.recorder.drain()
        self.netting.set_closed(row, closed)
        self.netting.set_logged_in(now, row, logged_in)
        if self.auditor is not None:
            self.auditor.see_closed(row, closed)
            self.auditor.see_logged_in(now, row, logged_in)

    # what the auditor is told -----------------------------------------------------------------------------------------

    def _see_log(self, log: Records) -> None:
        assert self.auditor is not None
        come = None if self.clock.retail is None else self.clock.retail.rows_come()
        if come is not None:
            rows, first_unit, count = come
            told = self._told - first_unit
            self.auditor.see_chunk(rows[told:], self._told, first_unit + count)
            self._told = first_unit + count
        self.auditor.see_log(log)

    def _see_round(self, closed: Round) -> None:
        assert self.auditor is not None
        self.auditor.see_round(closed.number, closed.time_ms, closed.kind.value, closed.nets)

    def _see_posted(self, closed: Round, row: int, time_ms: int) -> None:
        assert self.auditor is not None
        self.auditor.see_posted(closed.number, row, int(closed.nets[row]), time_ms)

    def _see_switch(self, day: RetailDay) -> None:
        assert self.auditor is not None
        self.auditor.end_of_date(day.date, *self._standing())
        self.auditor.see_tallies(self.netting.tallies)

    def end(self) -> None:
        """The run is over: tell which rounds' nets SAPS takes only later."""
        self.recorder.drain()
        for number in self.nets.held:
            words = f"nets of round {number} are held beyond the end of the run"
            self.world.recorder.tell(int(self.clock.now), "round", System.NETS.value, words)

    def verdict(self) -> Verdict:
        """What the auditor of the netting server found in the whole run."""
        assert self.auditor is not None, "a rehearsal has no auditor"
        return self.auditor.finish(held=self.nets.held)

    def _standing(self) -> tuple[Any, Any, int]:
        positions = self.netting.positions
        return positions["position"], positions["unsettled"], int(self.netting.netting["waiting_count"][0])
