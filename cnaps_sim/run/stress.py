"""Stress: each bank in turn stops sending (停止发出), and what that leaves unsettled at all the others.

The day is played once undisturbed and once per bank, each time with the same seed, payments and opening balances and
with one more action `stop_sending`; without tables and auditor. Retail payments of BEPS and IBPS, if there are any, go
on, because a bank that stops holds back payments of HVPS only. What the central bank books itself (nets, fees, loans,
returns) moves money in every play but is counted in none.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.run.population import Population, populate
from cnaps_sim.run.saving import Delay, DelayMeter, Waits, exact_dot
from cnaps_sim.run.world import Rehearsal, World
from cnaps_sim.scenario.actions import StopSending
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.scenario.moments import Moment
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.words.codes import Act
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_HOUR, format_clock

#: Threads if nobody says how many. The rules of the books run beside each other, what is Python does not, so that more
#: of them only wait for each other.
USUAL_WORKERS: Final = min(2, os.cpu_count() or 1)
#: Told how many plays are done, and how many there will be.
Done = Callable[[int, int], None]


@dataclass(frozen=True)
class BankStress:
    """What it does to the others that one bank stops sending. Money in fen.

    account, name:         the bank that stops
    unsettled_fen, _count: payments of other banks that settle in the undisturbed day and no longer do
    banks_affected:        other banks with such a payment
    banks_delayed:         other banks with a payment that still settles, but later
    delay_added_fen_h:     sum of amount times time waited of the other banks' payments, less that of the undisturbed
                           day; fen times whole hours, cut off towards 0
    rho_elsewhere:         delay indicator (结算延迟) of the other banks' payments
    rho_added:             the same less that of these payments in the undisturbed day
    peak_queue_added_fen, _count: by how much more stands in all queues of HVPS payments when most does
    own_unsettled_fen, _count:    the bank's own payments that settle in the undisturbed day and no longer do
    """

    account: str
    name: str | None
    unsettled_fen: int
    unsettled_count: int
    banks_affected: int
    banks_delayed: int
    delay_added_fen_h: int
    rho_elsewhere: float
    rho_added: float
    peak_queue_added_fen: int
    peak_queue_added_count: int
    own_unsettled_fen: int
    own_unsettled_count: int


@dataclass(frozen=True)
class Undisturbed:
    """The day on which nobody stops. Money in fen; payments of the workload of HVPS only."""

    submitted_fen: int
    submitted_count: int
    settled_fen: int
    settled_count: int
    delay_rho: float
    peak_queue_fen: int
    peak_queue_count: int


class Outcome(DelayMeter):
    """What one play of the day came to, payment by payment.

    settled_ms: when each payment of the flow settled, NEVER if it did not
    peak_count, peak_fen: most payments of HVPS that waited in all queues together, and their value
    """

    def __init__(self, waits: Waits) -> None:
        super().__init__(waits)
        self.settled_ms: Array = np.full(len(waits.end), NEVER)
        self.peak_count = 0
        self.peak_fen = 0

    def see(self, log: Records) -> None:
        """Entries of the log in order."""
        super().see(log)
        rows = log[(log["act"] == int(Act.SETTLED)) & (log["sequence"] < len(self.settled_ms))]
        self.settled_ms[rows["sequence"]] = rows["time_ms"]

    @property
    def settled(self) -> Array:
        """Which payments settled."""
        return self.settled_ms != NEVER

    def delay_of(self, rows: Array) -> Delay:
        """The delay of some payments of the flow, by their row numbers."""
        waits = self.waits
        rows = rows[waits.counted[rows] & ~self.refused[rows]]
        room = exact_dot(waits.amount[rows], waits.end[rows] - waits.instructed[rows])
        rows = rows[self.left[rows] > waits.instructed[rows]]
        return Delay(exact_dot(waits.amount[rows], self.left[rows] - waits.instructed[rows]), room)


class Stress:
    """Plays one scenario with one bank or none stopped.

    loaded: a scenario without messages; stop_at, until: see `stop_sending` of `scenario.actions`
    InputError, with the place `stop_at` or `until`, for instants at which nobody can stop, and for messages.
    """

    def __init__(self, loaded: Loaded, stop_at: Moment, until: Moment | None = None) -> None:
        scenario = loaded.scenario
        if scenario.messages > 0:
            raise InputError(
                loaded.place_of("messages"), "messages", "payments travel as messages, which this sweep does not play",
                "", "off, such as --set messages=off",
            )  # fmt: skip
        timetable = scenario.business_timetable()
        self.stop_ms, self.until_ms = stop_span(timetable, stop_at, until)
        self.stop_at, self.until = stop_at, until
        matching = scenario.hvps.matching.model_copy(update={"bound": Bound.NONE})  # it is told and changes nothing
        hvps = scenario.hvps.model_copy(update={"matching": matching})
        self.loaded = dataclasses.replace(loaded, scenario=scenario.model_copy(update={"hvps": hvps}))
        self.population: Population = populate(loaded, timetable, Streams(scenario.seed))
        self.waits = Waits(self.population.flow, timetable)
        debtor = self.population.flow.rows["debtor"]
        order = np.argsort(debtor, kind="stable")
        edges = np.searchsorted(debtor[order], np.arange(len(self.population.rows) + 1))
        self._rows_of = [order[first:end] for first, end in pairwise(edges)]
        self._given_up = threading.Event()
        self.base = self.play(None)
        self._base_delay = self.base.delay()

    def play(self, bank: int | None) -> Outcome:
        """The day with this account stopped, or with none."""
        scenario = self.loaded.scenario
        if bank is not None:
            account = self.population.rows[bank]["account"]
            stop = StopSending(at=self.stop_at, do="stop_sending", account=account, until=self.until)
            scenario = scenario.model_copy(update={"actions": (*scenario.actions, stop)})
        loaded = dataclasses.replace(self.loaded, scenario=scenario)
        world = World(loaded, progress=self._look, rehearsal=Rehearsal(self.population, matched=True))
        outcome = Outcome(self.waits)
        world.recorder.listeners.append(outcome.see)
        Actions(world).schedule()
        world.play()
        peaks = [close.peaks for close in world.recorder.day_closes]
        outcome.peak_count = max(peak["peak_hvps_count"] for peak in peaks)
        outcome.peak_fen = max(peak["peak_hvps_fen"] for peak in peaks)
        return outcome

    def _look(self, _time_ms: int, _payments: int) -> None:
        if self._given_up.is_set():
            raise KeyboardInterrupt

    def undisturbed(self) -> Undisturbed:
        """The figures of the day on which nobody stops."""
        count, value = self._total(np.arange(len(self.waits.amount)))
        settled_count, settled = self._total(np.flatnonzero(self.base.settled))
        return Undisturbed(
            submitted_fen=value,
            submitted_count=count,
            settled_fen=settled,
            settled_count=settled_count,
            delay_rho=self._base_delay.rho,
            peak_queue_fen=self.base.peak_fen,
            peak_queue_count=self.base.peak_count,
        )

    def of(self, bank: int) -> BankStress:
        """What it does that this account stops."""
        outcome = self.play(bank) if self._holds_back(bank) else self.base
        debtor, own = self.population.flow.rows["debtor"], self._rows_of[bank]
        lost = np.flatnonzero(self.base.settled & ~outcome.settled)
        lost_own, lost_elsewhere = lost[debtor[lost] == bank], lost[debtor[lost] != bank]
        later = np.flatnonzero(outcome.settled & self.base.settled & (outcome.settled_ms > self.base.settled_ms))
        before = _less(self._base_delay, self.base.delay_of(own))
        after = _less(outcome.delay() if outcome is not self.base else self._base_delay, outcome.delay_of(own))
        count, value = self._total(lost_elsewhere)
        own_count, own_value = self._total(lost_own)
        row = self.population.rows[bank]
        return BankStress(
            account=row["account"],
            name=row["name"],
            unsettled_fen=value,
            unsettled_count=count,
            banks_affected=len(np.unique(debtor[lost_elsewhere])),
            banks_delayed=len(np.setdiff1d(debtor[later], [bank])),
            delay_added_fen_h=_whole_hours(after.waited - before.waited),
            rho_elsewhere=after.rho,
            rho_added=after.rho - before.rho,
            peak_queue_added_fen=outcome.peak_fen - self.base.peak_fen,
            peak_queue_added_count=outcome.peak_count - self.base.peak_count,
            own_unsettled_fen=own_value,
            own_unsettled_count=own_count,
        )

    def _holds_back(self, bank: int) -> bool:
        """Whether the stop changes anything: the bank is told to pay meanwhile, or a stop of the scenario meets it."""
        account = self.population.rows[bank]["account"]
        actions = self.loaded.scenario.actions
        if any(isinstance(action, StopSending) and action.account == account for action in actions):
            return True
        times = self.waits.instructed[self._rows_of[bank]]
        return bool(((times >= self.stop_ms) & (times < self.until_ms)).any())

    def _total(self, rows: Array) -> tuple[int, int]:
        """Count and value of payments, exactly."""
        return len(rows), exact_dot(self.waits.amount[rows], np.ones(len(rows), np.int64))

    def all(self, workers: int, done: Done | None = None) -> list[BankStress]:
        """Every bank in turn, ranked: what is unsettled elsewhere by value, by count, delay added; then as accounts
        stand in the scenario. The same whatever the number of `workers` (threads)."""
        found: dict[int, BankStress] = {}
        banks = range(len(self.population.rows))
        pool = ThreadPoolExecutor(workers)
        try:
            if done is not None:
                done(0, len(banks))
            bank_of = {pool.submit(self.of, bank): bank for bank in banks}
            for future in as_completed(bank_of):
                found[bank_of[future]] = future.result()
                if done is not None:
                    done(len(found), len(banks))
        except BaseException:
            self._given_up.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        ranked = [found[bank] for bank in banks]
        return sorted(ranked, key=lambda row: (-row.unsettled_fen, -row.unsettled_count, -row.delay_added_fen_h))


def stop_span(timetable: Timetable, stop_at: Moment, until: Moment | None) -> tuple[int, int]:
    """From when to when a bank keeps its payments back, ms of the run; without `until` to the date's cut-off.

    InputError with the place `stop_at` or `until`.
    """
    days = timetable.business_days
    stop_ms = stop_at.ms(timetable.first_date)
    day = days[timetable.day_index(stop_ms)]
    first_ms = Hvps.begins_ms(days[0])
    if not first_ms <= stop_ms < day.cut_off_ms:
        allowed = f"from {format_clock(first_ms)} to before the cut-off at {format_clock(day.cut_off_ms)}"
        problem = "after cut-off nobody sends" if stop_ms >= day.cut_off_ms else "before the day begins nobody sends"
        raise InputError("stop_at", "", problem, str(stop_at), allowed)
    if until is None:
        return stop_ms, day.cut_off_ms
    until_ms = until.ms(timetable.first_date)
    if until_ms <= stop_ms:
        raise InputError("until", "", "is not after the moment it begins", str(until), f"after {stop_at}")
    return stop_ms, until_ms


def _less(all_payments: Delay, own: Delay) -> Delay:
    """The delay of the other banks' payments."""
    return Delay(all_payments.waited - own.waited, all_payments.room - own.room)


def _whole_hours(fen_ms: int) -> int:
    """fen times ms in fen times hours, cut off towards 0."""
    hours = abs(fen_ms) // MS_PER_HOUR
    return hours if fen_ms >= 0 else -hours
