"""The measures of one run of a study, read off the books' log: no tables, no auditor, no report.

They are those of the summary of a full run, to the last bit; the rules behind them stand in the metrics of the same
names, and a test plays both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.optimise.bounds import account_bounds
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.run.fates import Fates, Instructions
from cnaps_sim.run.sweep.peaks import Queued, peaks
from cnaps_sim.run.world import World
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Cause, CentralBankAccount, Reason, Refusal, System
from cnaps_sim.words.participant_kinds import ParticipantKind

#: Outcomes in the order of the summary.
OUTCOMES: Final = ("submitted", "settled", "rejected", "returned", "cancelled", "queued")
#: Percentiles of the delay, by nearest rank.
PERCENTILES: Final = (50, 90, 99)
GROSS: Final = (System.HVPS.value, System.SAPS.value)
_CONSEQUENCES: Final = frozenset({BusinessType.INTEREST.code, BusinessType.CENTRAL_BANK_LOAN.code})

#: The measures that every study has, of all together or of a system.
BUILT_IN: Final = frozenset(
    {"rho", "rho_outbox", "rho_queue", "mean_delay", "delay_max", "peak_count", "peak_fen", "opening", "peak_used"}
    | {"lower_bound", "upper_bound", "settled", "turnover", *(f"delay_p{percent}" for percent in PERCENTILES)}
    | {f"{outcome}_{unit}" for outcome in OUTCOMES for unit in ("count", "fen")}
)

#: A whole number (payments, fen, ms), a ratio or mean, or None where there is none.
Value = int | float | None


class Measured(NamedTuple):
    """One measure of a run. system: None for all of HVPS and SAPS together."""

    system: str | None
    measure: str
    unit: str
    value: Value


class Fate(NamedTuple):
    """Value of payments, fen; their delay indicator, and the mean delay of those settled (None if there are none)."""

    submitted_fen: int
    settled_fen: int
    rho: float
    mean_delay_ms: float | None


def measures_of(world: World, log: Records) -> list[Measured]:
    """Everything measured of a world that has been played, always in the same order.

    log: what the books noted, in order
    """
    day = PlayedDay(world, log)
    found = [*day.whole(), *day.liquidity()]
    for system in GROSS:
        found += day.of_system(system)
    return found + _retail(world)


class PlayedDay:
    """The payments of HVPS and SAPS that a world leaves behind, in the order of the table of payments."""

    def __init__(self, world: World, log: Records) -> None:
        self.world = world
        flow, recorder = world.population.flow, world.recorder
        told = Instructions.gather(flow, recorder)
        fates = Fates.read(told, log, recorder)
        index = np.asarray(world.timetable.day_index(told.time_ms))
        order = np.argsort(index, kind="stable")
        rows = order[told.is_item[order]]
        ends = np.array([day.window_end_ms for day in world.timetable.business_days], np.int64)
        self.day: Array = index[rows]
        self.end: Array = ends[self.day]
        self.debtor, self.creditor, self.amount = told.debtor[rows], told.creditor[rows], told.amount[rows]
        self.instructed: Array = told.time_ms[rows]
        self.submitted, self.final = fates.submitted_ms[rows], fates.settled_ms[rows]
        self.act: Array = fates.act[rows]
        self.refusal: Array = fates.refusal[rows]
        self.ended: Array = fates.ended_ms[rows]
        self.cause: Array = fates.cause[rows]
        self.released: Array = self.cause != int(Cause.NONE)
        self._row_of: Array = np.full(len(told.time_ms), -1, np.int64)
        self._row_of[rows] = np.arange(len(rows))
        self.own: Array = np.isin(fates.level[rows], [int(level) for level in HVPS_LEVELS])
        late = [booking.sequence for booking in recorder.bookings if booking.type in _CONSEQUENCES]
        self.consequence: Array = np.isin(rows, late) & ~self.own

    # what became of each payment --------------------------------------------------------------------------------

    @cached_property
    def outcome(self) -> Array:
        """The place of each payment's outcome in `OUTCOMES`."""
        names = {Act.SETTLED: "settled", Act.REFUSED: "rejected", Act.RETURNED: "rejected", Act.CANCELLED: "cancelled"}
        place = np.full(128, OUTCOMES.index("queued"), np.int8)
        for act, name in names.items():
            place[int(act)] = OUTCOMES.index(name)
        outcome = place[self.act]
        sent_back = [int(refusal) for refusal in Refusal if refusal.reason == Reason.RJ99]
        outcome[np.isin(self.refusal, sent_back)] = OUTCOMES.index("returned")
        return outcome

    @cached_property
    def settled(self) -> Array:
        return self.outcome == OUTCOMES.index("settled")

    @cached_property
    def left(self) -> Array:
        """When each stopped waiting, ms; NEVER if it is still open."""
        left = np.where(self.settled, self.final, self.ended)
        left[self.outcome == OUTCOMES.index("queued")] = NEVER
        return left

    @cached_property
    def accepted(self) -> Array:
        """All but those refused on arrival."""
        at_once = (self.submitted == NEVER) | (self.left == self.submitted) | (self.left == NEVER)
        return ~((self.outcome == OUTCOMES.index("rejected")) & at_once & ~self.released)

    # measures ---------------------------------------------------------------------------------------------------

    def whole(self) -> list[Measured]:
        """Delay of all payments: the indicator and its parts, mean, percentiles and maximum of those settled."""
        rho, outbox, queue = self._rho(None)
        told: list[tuple[str, str, Value]] = [("rho", "ratio", rho)]
        told += [("rho_outbox", "ratio", outbox), ("rho_queue", "ratio", queue)]
        rows = np.flatnonzero(self.settled)
        delays = self.final[rows] - self.instructed[rows]
        told.append(("mean_delay", "ms", _mean(delays)))
        places = [-(-percent * len(delays) // 100) - 1 for percent in PERCENTILES]
        ranked = np.partition(delays, sorted(set(places))) if len(delays) else delays
        for percent, place in zip(PERCENTILES, places, strict=True):
            told.append((f"delay_p{percent}", "ms", int(ranked[place]) if len(delays) else None))
        told.append(("delay_max", "ms", int(delays.max()) if len(delays) else None))
        return [Measured(None, *row) for row in told]

    def of_system(self, system: str) -> list[Measured]:
        """Outcomes, longest queue and delay of one system."""
        mine = self.own if system == System.HVPS else ~self.own
        outcome, amount = self.outcome[mine], self.amount[mine]
        counts = np.bincount(outcome, minlength=len(OUTCOMES))
        values = np.zeros(len(OUTCOMES), np.int64)
        np.add.at(values, outcome, amount)
        counts[0], values[0] = len(outcome), values.sum()
        told: list[tuple[str, str, Value]] = []
        told += [(f"{name}_count", "payments", int(counts[place])) for place, name in enumerate(OUTCOMES)]
        told += [(f"{name}_fen", "fen", int(values[place])) for place, name in enumerate(OUTCOMES)]
        count, value = self._peaks(system, mine)
        told += [("peak_count", "payments", count), ("peak_fen", "fen", value)]
        told.append(("rho", "ratio", self._rho(mine)[0]))
        rows = np.flatnonzero(mine & self.settled)
        told.append(("mean_delay", "ms", _mean(self.final[rows] - self.instructed[rows])))
        return [Measured(system, *row) for row in told]

    def _peaks(self, system: str, mine: Array) -> tuple[int, int]:
        """Most payments that waited at once, and their value: the books' own count where nobody kept any back."""
        if self.held.any():
            return peaks(self._queued, self.amount, mine)
        closes = [close.peaks for close in self.world.recorder.day_closes]
        names = [f"peak_{system.lower()}_{unit}" for unit in ("count", "fen")]
        count, value = (max((int(peak[name]) for peak in closes), default=0) for name in names)
        return count, value

    @cached_property
    def _queued(self) -> Queued:
        open_or_later = (self.left == NEVER) | (self.left > self.submitted)
        parent = np.where(self.cause >= 0, self._row_of[np.maximum(self.cause, 0)], -1)
        return Queued(
            submitted=self.submitted,
            left=self.left,
            waited=self.accepted & (self.submitted != NEVER) & (self.released | open_or_later),
            returned=self.outcome == OUTCOMES.index("returned"),
            cause=self.cause,
            parent=np.where((parent >= 0) & self.settled[parent], parent, -1),
            order=self._arrival_order,
        )

    def _rho(self, mine: Array | None) -> tuple[float, float, float]:
        """The delay indicator (结算延迟): all of it, its part in the outbox, its part in the central queue."""
        chosen = slice(None) if mine is None else mine
        end, instructed, submitted = self.end[chosen], self.instructed[chosen], self.submitted[chosen]
        left, amount = self.left[chosen], self.amount[chosen]
        open_or_returned = (left == NEVER) | (self.outcome[chosen] == OUTCOMES.index("returned"))
        until = np.where(open_or_returned, end, left)
        handed_over = np.where(submitted == NEVER, until, submitted)
        counted = self.accepted[chosen] & (instructed < end)
        room = _weighted(amount, end - instructed, counted)
        outbox, queue = handed_over - instructed, until - handed_over
        parts = [_weighted(amount, wait, counted & (wait > 0)) for wait in (outbox, queue)]
        if not room:
            return 0.0, 0.0, 0.0
        return (parts[0] + parts[1]) / room, parts[0] / room, parts[1] / room

    def fate(self, mine: Array) -> Fate:
        """What became of some of the payments, those refused on arrival left out."""
        mine = mine & self.accepted
        settled = np.flatnonzero(mine & self.settled)
        return Fate(
            submitted_fen=sum(self.amount[mine].tolist()),
            settled_fen=sum(self.amount[settled].tolist()),
            rho=self._rho(mine)[0],
            mean_delay_ms=_mean(self.final[settled] - self.instructed[settled]),
        )

    @cached_property
    def participant(self) -> Array:
        """Which accounts are those of participants."""
        names, kinds = self.world.directory.accounts, self.world.directory.kinds
        own = set(CentralBankAccount)
        return np.array(
            [name not in own and kind != ParticipantKind.CENTRAL_BANK for name, kind in zip(names, kinds, strict=True)]
        )

    def liquidity(self) -> list[Measured]:
        """Liquidity of the participants' accounts over all business dates."""
        world, participant = self.world, self.participant
        opening, used = world.opening, 0
        for close in world.recorder.day_closes:
            used += sum(np.maximum(opening - close.accounts["lowest_balance"], 0)[participant].tolist())
            opening = close.accounts["balance"]
        lower, upper = self._bounds(len(participant), participant)
        settled = sum(self.amount[self.settled].tolist())
        opened = sum(world.opening[participant].tolist())
        told = (("opening", opened), ("peak_used", used), ("lower_bound", lower), ("upper_bound", upper))
        found = [Measured(None, name, "fen", value) for name, value in (*told, ("settled", settled))]
        return [*found, Measured(None, "turnover", "ratio", float(settled) / float(used) if used else None)]

    def _bounds(self, accounts: int, participant: Array) -> tuple[int, int]:
        """Sums of both bounds over participants and dates, fen."""
        order = self._arrival_order
        counted = self.accepted & (self.own | self.settled) & ~self.consequence
        rows = order[counted[order]]
        lower = upper = 0
        for day in range(len(self.world.recorder.day_closes)):
            today = rows[self.day[rows] == day]
            low, high = account_bounds(accounts, self.debtor[today], self.creditor[today], self.amount[today])
            lower, upper = lower + sum(low[participant].tolist()), upper + sum(high[participant].tolist())
        return lower, upper

    @cached_property
    def held(self) -> Array:
        """Which stood in their bank's outbox before they were submitted."""
        return (self.submitted != NEVER) & (self.submitted > self.instructed)

    @cached_property
    def _arrival_order(self) -> Array:
        """The order in which the system received them: out of outboxes first, the central bank's own items last."""
        rank = np.ones(len(self.amount), np.int8)
        rank[self.held] = 0
        rank[~self.own] = 2
        order = np.lexsort((rank, self.submitted))
        return order[self.submitted[order] != NEVER]


def _weighted(amount: Array, ms: Array, mask: Array) -> float:
    """Sum of amount times time, added up in the order of the table as the metric does it."""
    rows = np.flatnonzero(mask)
    product = amount[rows].astype(np.float64) * ms[rows]
    return float(np.bincount(np.zeros(len(rows), np.intp), weights=product, minlength=1)[0])


def _mean(delays: Array) -> float | None:
    return float(delays.sum()) / len(delays) if len(delays) else None


def _retail(world: World) -> list[Measured]:
    """Outcomes, longest cap queue and delay of BEPS and IBPS, if the scenario has them."""
    if world.retail is None:
        return []
    from cnaps_sim.run.columns import empty_table
    from cnaps_sim.run.retail.results import retail_results
    from cnaps_sim.run.runner import with_peaks

    outcomes = with_peaks(world, retail_results(world.retail, empty_table("payments")))
    return [found for system, told in outcomes.items() for found in _of_retail(system, told, OUTCOMES)]


def _of_retail(system: str, told: dict[str, Any], names: Sequence[str]) -> list[Measured]:
    found = [Measured(system, f"{name}_count", "payments", int(told[name]["count"])) for name in names]
    found += [Measured(system, f"{name}_fen", "fen", int(told[name]["value_fen"])) for name in names]
    peak = told["peak_queue"]
    found.append(Measured(system, "peak_count", "payments", int(peak["count"])))
    found.append(Measured(system, "peak_fen", "fen", int(peak["value_fen"])))
    return [*found, Measured(system, "mean_delay", "ms", told["mean_delay_ms"])]
