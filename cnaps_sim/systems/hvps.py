"""HVPS (大额支付系统): the business day, from the evening before to the close of the clearing window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnaps_sim.core.records import OUTBOX
from cnaps_sim.engine.clock import Clock, Event, Process, Rank
from cnaps_sim.engine.recorder import DayClose, Recorder
from cnaps_sim.systems.ccms import Ccms
from cnaps_sim.systems.credit import Credit
from cnaps_sim.systems.fund_pools import FundPools
from cnaps_sim.systems.matching import QueueMatching
from cnaps_sim.systems.saps import Saps
from cnaps_sim.words.codes import Phase, System
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import day_of

_PEAKS = ("peak_hvps_count", "peak_hvps_fen", "peak_saps_count", "peak_saps_fen")


class Hvps:
    """Runs the business dates one after the other; closing balances are carried over.

    on_close: called at the end of each business date, when no queue holds anything any more.
    matching: the matching of queues; None where the scenario has none.
    pools, credit: fund pools, and credit beside overdrafts; None likewise.
    """

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        saps: Saps,
        ccms: Ccms,
        days: tuple[BusinessDay, ...],
        on_phase: Callable[[int, Phase, bool], None],
        on_close: Callable[[int, BusinessDay], None],
        matching: QueueMatching | None = None,
        pools: FundPools | None = None,
        credit: Credit | None = None,
    ) -> None:
        self.clock = clock
        self.books = clock.books
        self.recorder = recorder
        self.saps = saps
        self.ccms = ccms
        self.days = days
        self.on_phase = on_phase
        self.on_close = on_close
        self.matching = matching
        self.pools = pools
        self.credit = credit
        self._cured: Event | None = None
        clock.after_each.append(self._close_window_if_cured)

    @staticmethod
    def begins_ms(day: BusinessDay) -> int:
        """When preparation for a business date begins: before its special session, if it has one."""
        ahead = day.opens_ms - day.preparation_ms
        return day.special[0] - ahead if day.special else day.preparation_ms

    def business_days(self) -> Process:
        """The whole run: every business date in turn."""
        for place, day in enumerate(self.days):
            yield self.clock.at(self.begins_ms(day), Rank.PHASE)
            self.books.start_day(int(self.clock.now))
            self._enter(Phase.PREPARATION, day)
            if self.pools is not None:
                self.pools.begin_date(place, day)
            if day.special:
                yield self.clock.at(day.special[0], Rank.PHASE)
                self._enter(Phase.DAYTIME, day, special_session=True)
                yield self.clock.at(day.special[1], Rank.PHASE)
                self._enter(Phase.PREPARATION, day)
            yield self.clock.at(day.opens_ms, Rank.PHASE)
            self._enter(Phase.DAYTIME, day)
            if self.credit is not None:
                self.credit.begin_date(place)
            self.saps.collect_loans(int(self.clock.now), day_of(day.midnight_ms))
            if self.matching is not None:
                self.matching.open_date(day)
            yield self.clock.at(day.cut_off_ms, Rank.PHASE)
            yield from self._end_of_day(day)

    def _end_of_day(self, day: BusinessDay) -> Process:
        self._enter(Phase.CUT_OFF, day)
        now = int(self.clock.now)
        if self.matching is not None:
            self.matching.enter_cut_off()
        self._give_up_outboxes(now)
        self.saps.charge_interest(now)
        if self.credit is not None:
            self.credit.cut_off()
        if not self.books.is_cured():
            self._enter(Phase.CLEARING_WINDOW, day)
            if self.matching is not None:
                self.matching.enter_window()
            self._cured = self.clock.event()
            if self.credit is not None:
                self.credit.enter_window(day)
            yield self._cured | self.clock.at(day.window_end_ms, Rank.CLOSING)
            self._cured = None
            self._close_window(day)
        if self.credit is not None:
            self.credit.end_date(day)
        self._enter(Phase.END_OF_DAY, day)
        self._take_statement()
        self.on_close(int(self.clock.now), day)
        yield self.clock.at(day.window_end_ms, Rank.CLOSING)
        self._give_up_outboxes(int(self.clock.now))

    def _enter(self, phase: Phase, day: BusinessDay, special_session: bool = False) -> None:
        now = int(self.clock.now)
        self.recorder.drain()
        self.books.set_phase(phase, special_session)
        self.on_phase(now, phase, special_session)
        self.ccms.broadcast(now, System.HVPS, phase, special_session, day.date.isoformat())

    def _give_up_outboxes(self, now: int) -> None:
        """What a silent bank has not sent by cut-off, or by the end of the date, it sends too late: refused (TM01)."""
        for account in np.flatnonzero(self.books.queues["waiting_count"][:, OUTBOX]):
            self.books.empty_outbox(now, int(account))

    def _close_window_if_cured(self, _now: int) -> None:
        if self._cured is not None and not self._cured.triggered and self.books.is_cured():
            self._cured.succeed()

    def _close_window(self, day: BusinessDay) -> None:
        """At its close: a last matching, return what is queued, then lend for the central bank's own levels."""
        now = int(self.clock.now)
        if self.matching is not None and not self.books.is_cured():
            self.matching.close_window()
        if not self.books.is_cured():
            self.books.return_queued(now)
            self.saps.clear_remains(now, day_of(day.midnight_ms))
        assert self.books.is_cured(), "the clearing window closed with something unsettled"

    def _take_statement(self) -> None:
        """Keep each account's figures of the business date (日终对账)."""
        self.recorder.drain()
        desk = self.books.desk[0]
        self.recorder.day_closes.append(
            DayClose(
                self.books.accounts.copy(),
                self.saps.interest_fen.copy(),
                self.saps.penalty_fen.copy(),
                {name: int(desk[name]) for name in _PEAKS},
            )
        )
        self.saps.interest_fen[:] = 0
        self.saps.penalty_fen[:] = 0
