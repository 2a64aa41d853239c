"""Stress: each bank in turn meets a strain, such as to stop sending, and what that leaves unsettled at all the others.

The day is played once undisturbed and once per bank, each time with the same seed, payments and opening balances and
with one strain more (see `stress_kinds`); without tables and auditor. Retail payments of BEPS and IBPS, if there are
any, go on, because a bank that is silent holds back payments of HVPS only; they count where the strain is on the cap.
What the central bank books itself (nets, fees, loans, returns) moves money in every play but is counted in none.
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
from cnaps_sim.run.stress_kinds import Strain, Strains, span_of
from cnaps_sim.run.world import Rehearsal, World
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import Bound
from cnaps_sim.words.codes import Act
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MS_PER_HOUR

#: Threads if nobody says how many. The rules of the books run beside each other, what is Python does not, so that more
#: of them only wait for each other.
USUAL_WORKERS: Final = min(2, os.cpu_count() or 1)
#: Told how many plays are done, and how many there will be.
Done = Callable[[int, int], None]


@dataclass(frozen=True)
class BankStress:
    """What a strain on one bank does to the others. Money in fen.

    account, name:         the bank
    unsettled_fen, _count: payments of other banks that settle in the undisturbed day and no longer do; where the cap is
                           cut also by how much less of BEPS and IBPS each of them has netted
    banks_affected:        other banks with such a payment
    banks_delayed:         other banks with a payment that still settles, but later
    delay_added_fen_h:     sum of amount times time waited of the other banks' payments, less that of the undisturbed
                           day; fen times whole hours, cut off towards 0
    rho_elsewhere:         delay indicator (结算延迟) of the other banks' payments
    rho_added:             the same less that of these payments in the undisturbed day
    peak_queue_added_fen, _count: by how much more stands in all queues of HVPS payments when most does, by the books'
                           own count (outboxes left out; see metric `peak_queue` for moments inside a millisecond)
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
    """The day without any strain. Money in fen; payments of the workload of HVPS only."""

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
    netted_fen, netted_count: payments of BEPS and IBPS that each account's bank has paid, empty without them
    peak_count, peak_fen: most payments of HVPS that waited in all queues together, and their value
    """

    def __init__(self, waits: Waits) -> None:
        super().__init__(waits)
        self.settled_ms: Array = np.full(len(waits.end), NEVER)
        self.peak_count = 0
        self.peak_fen = 0
        self.netted_fen: Array = np.zeros(0, np.int64)
        self.netted_count: Array = np.zeros(0, np.int64)

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
    """Plays one scenario with a strain on one bank or on none.

    loaded: a scenario without messages
    InputError, with the place of an argument, for a strain that cannot be, and for messages.
    """

    def __init__(self, loaded: Loaded, strain: Strain) -> None:
        scenario = loaded.scenario
        if scenario.messages > 0:
            raise InputError(
                loaded.place_of("messages"), "messages", "payments travel as messages, which this sweep does not play",
                "", "off, such as --set messages=off",
            )  # fmt: skip
        timetable = scenario.business_timetable()
        self.span = span_of(strain, timetable)
        matching = scenario.hvps.matching.model_copy(update={"bound": Bound.NONE})  # it is told and changes nothing
        hvps = scenario.hvps.model_copy(update={"matching": matching})
        self.loaded = dataclasses.replace(loaded, scenario=scenario.model_copy(update={"hvps": hvps}))
        self.population: Population = populate(loaded, timetable, Streams(scenario.seed))
        self.strains = Strains(strain, self.span, loaded, self.population)
        self.waits = Waits(self.population.flow, timetable)
        debtor = self.population.flow.rows["debtor"]
        order = np.argsort(debtor, kind="stable")
        edges = np.searchsorted(debtor[order], np.arange(len(self.population.rows) + 1))
        self._rows_of = [order[first:end] for first, end in pairwise(edges)]
        self._given_up = threading.Event()
        self.base = self.play(None)
        self._base_delay = self.base.delay()

    def play(self, bank: int | None) -> Outcome:
        """The day with the strain on this account, or on none."""
        scenario = self.loaded.scenario
        if bank is not None:
            scenario = self.strains.amended(scenario, bank)
        loaded = dataclasses.replace(self.loaded, scenario=scenario)
        world = World(loaded, progress=self._look, rehearsal=Rehearsal(self.population, matched=True))
        outcome = Outcome(self.waits)
        world.recorder.listeners.append(outcome.see)
        actions = Actions(world)
        actions.schedule()
        if bank is None:
            self.strains.see_undisturbed(world)
        else:
            self.strains.schedule(world, actions, bank)
        world.play()
        if world.retail is not None:
            positions = world.retail.netting.positions
            outcome.netted_fen, outcome.netted_count = np.array(positions["sent"]), np.array(positions["sent_count"])
        peaks = [close.peaks for close in world.recorder.day_closes]
        outcome.peak_count = max(peak["peak_hvps_count"] for peak in peaks)
        outcome.peak_fen = max(peak["peak_hvps_fen"] for peak in peaks)
        return outcome

    def _look(self, _time_ms: int, _payments: int) -> None:
        if self._given_up.is_set():
            raise KeyboardInterrupt

    def undisturbed(self) -> Undisturbed:
        """The figures of the day without any strain."""
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
        """What the strain on this account does."""
        outcome = self.play(bank) if self.strains.may_change_something(bank, self._sends_meanwhile(bank)) else self.base
        debtor, own = self.population.flow.rows["debtor"], self._rows_of[bank]
        lost = np.flatnonzero(self.base.settled & ~outcome.settled)
        lost_own, lost_elsewhere = lost[debtor[lost] == bank], lost[debtor[lost] != bank]
        later = np.flatnonzero(outcome.settled & self.base.settled & (outcome.settled_ms > self.base.settled_ms))
        before = _less(self._base_delay, self.base.delay_of(own))
        after = _less(outcome.delay() if outcome is not self.base else self._base_delay, outcome.delay_of(own))
        count, value = self._total(lost_elsewhere)
        own_count, own_value = self._total(lost_own)
        hit = debtor[lost_elsewhere]
        if self.strains.counts_retail:
            less_fen, less_count = self._less_netted(outcome)
            own_value, own_count = own_value + int(less_fen[bank]), own_count + int(less_count[bank])
            less_fen[bank] = less_count[bank] = 0
            value, count = value + sum(less_fen.tolist()), count + int(less_count.sum())
            hit = np.append(hit, np.flatnonzero(less_fen))
        row = self.population.rows[bank]
        return BankStress(
            account=row["account"],
            name=row["name"],
            unsettled_fen=value,
            unsettled_count=count,
            banks_affected=len(np.unique(hit)),
            banks_delayed=len(np.setdiff1d(debtor[later], [bank])),
            delay_added_fen_h=_whole_hours(after.waited - before.waited),
            rho_elsewhere=after.rho,
            rho_added=after.rho - before.rho,
            peak_queue_added_fen=outcome.peak_fen - self.base.peak_fen,
            peak_queue_added_count=outcome.peak_count - self.base.peak_count,
            own_unsettled_fen=own_value,
            own_unsettled_count=own_count,
        )

    def _sends_meanwhile(self, bank: int) -> bool:
        """Whether the bank is told to pay between the begin and the end of the strain."""
        times = self.waits.instructed[self._rows_of[bank]]
        return bool(((times >= self.span.from_ms) & (times < self.span.until_ms)).any())

    def _less_netted(self, outcome: Outcome) -> tuple[Array, Array]:
        """By how much less each account's bank has paid in BEPS and IBPS than undisturbed: fen, and items."""
        less_fen = np.maximum(0, self.base.netted_fen - outcome.netted_fen)
        return less_fen, np.maximum(0, self.base.netted_count - outcome.netted_count)

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


def _less(all_payments: Delay, own: Delay) -> Delay:
    """The delay of the other banks' payments."""
    return Delay(all_payments.waited - own.waited, all_payments.room - own.room)


def _whole_hours(fen_ms: int) -> int:
    """fen times ms in fen times hours, cut off towards 0."""
    hours = abs(fen_ms) // MS_PER_HOUR
    return hours if fen_ms >= 0 else -hours
