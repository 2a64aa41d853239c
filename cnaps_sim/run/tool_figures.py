"""What one play of a day came to: liquidity used and brought, interest, delay, and where the money came from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.optimise.sources import CREDIT, Postings, Source, attribute
from cnaps_sim.run.columns import Array
from cnaps_sim.run.fates import Instructions
from cnaps_sim.run.results import close_day
from cnaps_sim.run.saving import DelayMeter, Waits
from cnaps_sim.run.world import World
from cnaps_sim.systems.saps import loan_interest
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, CentralBankAccount, TransferKind
from cnaps_sim.words.units import MS_PER_DAY, day_of

_KINDS = list(TransferKind)


class PlayMeter(DelayMeter):
    """Reads off the books' log what a play came to: delays, and every posting in order."""

    def __init__(self, waits: Waits) -> None:
        super().__init__(waits)
        self._parts: list[tuple[Array, Array, Array]] = []

    def see(self, log: Records) -> None:
        """Entries of the log in order."""
        super().see(log)
        rows = log[log["act"] == int(Act.SETTLED)]
        self._parts.append((rows["sequence"], rows["time_ms"], rows["cause"]))

    def postings(self) -> tuple[Array, Array, Array]:
        """Sequence, instant (ms) and cause of everything posted, in order."""
        nothing = np.zeros(0, np.int64)
        columns = zip(*self._parts, strict=True) if self._parts else [[nothing]] * 3
        sequence, time_ms, cause = (np.concatenate(column) for column in columns)
        return sequence, time_ms, cause


def figures_of(world: World, meter: PlayMeter) -> dict[str, Any]:
    """The figures of a day that has been played without tables, as `tools` of the manifest has them. Money in fen.

    peak_used_fen: own liquidity used, the sum over participants and dates of how far the balance fell below the
        opening one, at most to zero: what was brought and what an overdraft paid is left out
    submitted, settled, returned: payments of HVPS
    pool_fen, sweep_fen: moved by rescues and by sweeps; loans: among participants
    pledge_fen: taken in all, and the sum over accounts of the most owed at once
    overdraft_peak_fen: sum over accounts of the largest
    interest_fen: overdraft as charged at cut-off, pledges as paid or accrued, loans and penalty loans for the night
    sources: fen of all debits of payments, nets and bookings by source (`optimise.sources`)
    """
    sequence, time_ms, cause = meter.postings()
    told = Instructions.gather(world.population.flow, world.recorder)
    moved = _moved(told, sequence)
    closes = [close.accounts[: len(world.population.rows)] for close in world.recorder.day_closes]
    return {
        "opening_fen": int(world.opening[: len(world.population.rows)].sum()),
        "peak_used_fen": _own_used(world, closes),
        **_ends(world),
        "delay_rho": meter.delay().rho,
        "pool_fen": moved[TransferKind.POOL][1],
        "sweep_fen": moved[TransferKind.SWEEP][1],
        "pledge_fen": {"taken": moved[TransferKind.PLEDGE][1], "peak": _peaks(closes, "peak_pledged", 1)},
        "overdraft_peak_fen": _peaks(closes, "lowest_balance", -1),
        "loans": dict(zip(("count", "value_fen"), moved[TransferKind.LOAN], strict=True)),
        "penalty_fen": moved[TransferKind.PENALTY][1],
        "interest_fen": _interest(world, told, sequence),
        "sources": _sources(world, told, sequence, time_ms, cause),
    }


def _own_used(world: World, closes: list[Records]) -> int:
    participants = len(world.population.rows)
    openings = [world.opening[:participants], *(close["balance"] for close in closes[:-1])]
    used = 0
    for opening, close in zip(openings, closes, strict=True):
        used += int(np.clip(opening - close["lowest_balance"], 0, np.maximum(opening, 0)).sum())
    return used


def _peaks(closes: list[Records], field: str, sign: int) -> int:
    """Sum over accounts of the largest value of a field times sign on any date, 0 at least."""
    days = np.array([sign * close[field] for close in closes])
    return int(np.maximum(days.max(axis=0), 0).sum())


def _ends(world: World) -> dict[str, dict[str, int]]:
    """Count and value of all payments of the workload, of those that settled, and of those that were returned."""
    amount = world.population.flow.rows["amount"]
    last = world.recorder.last_act[: len(amount)]
    ends = {
        "submitted": np.ones(len(amount), np.bool_),
        "settled": last == int(Act.SETTLED),
        "returned": last == int(Act.RETURNED),
    }
    return {name: {"count": int(rows.sum()), "value_fen": int(amount[rows].sum())} for name, rows in ends.items()}


def _moved(told: Instructions, sequence: Array) -> dict[TransferKind, tuple[int, int]]:
    """Number and value of the transfers of each kind."""
    kind, amount = told.kind[sequence], told.amount[sequence]
    return {word: (int((kind == code).sum()), int(amount[kind == code].sum())) for code, word in enumerate(_KINDS)}


def _interest(world: World, told: Instructions, sequence: Array) -> dict[str, int]:
    """Interest in fen by kind of credit."""
    names, recorder, last = world.directory.accounts, world.recorder, world.timetable.business_days[-1]
    central = names.index(CentralBankAccount.LENDING.value)
    earner = names.index(CentralBankAccount.INTEREST_AND_FEES.value)
    overdraft = sum(int(close.interest_fen.sum()) for close in recorder.day_closes)
    paid = sequence[(told.kind[sequence] == _KINDS.index(TransferKind.INTEREST)) & ~told.is_item[sequence]]
    owed = sum(loan[2] for account in range(len(world.population.rows)) for loan in world.books.loans_of(account))
    due = {True: 0, False: 0}  # of penalty loans, and of loans among participants
    for booking in recorder.bookings:
        if booking.kind is TransferKind.INTEREST:
            due[booking.creditor == earner] += booking.amount
    due[True] -= overdraft
    repaid = world.timetable.calendar.next_working_day(last.date)
    day = day_of(last.midnight_ms + (repaid - last.date).days * MS_PER_DAY)
    for loan in world.saps.loans:
        due[loan.lender == central] += loan_interest(loan.amount, day - loan.day, Decimal(loan.daily_rate))
    return {
        "overdraft": overdraft, "pledge": int(told.amount[paid].sum()) + owed, "loan": due[False], "penalty": due[True]
    }  # fmt: skip


def _sources(world: World, told: Instructions, sequence: Array, time_ms: Array, cause: Array) -> dict[str, int]:
    """Fen of the debits of participants' payments, nets and bookings by source."""
    covering = np.isin(told.kind, [_KINDS.index(kind) for kind in (TransferKind.POOL, TransferKind.PLEDGE)])
    matching = np.where(cause <= MATCHING_CAUSE, MATCHING_CAUSE - cause.astype(np.int64), -1)
    postings = Postings(
        told.debtor[sequence],
        told.creditor[sequence],
        told.amount[sequence],
        told.kind[sequence],
        covering[sequence] & (told.for_sequence[sequence] != NOBODY),
        matching,
    )
    timetable, central = world.timetable, np.ascontiguousarray(world.books.accounts["central_bank"])
    day = close_day(np.asarray(timetable.day_index(time_ms)), time_ms, timetable)
    total = np.zeros(len(Source), np.int64)
    openings = [world.opening, *(close.accounts["balance"] for close in world.recorder.day_closes)]
    for place in range(len(timetable.business_days)):
        rows = np.flatnonzero(day == place)
        used = attribute(postings.of(rows), openings[place], central)
        total += used[told.is_item[sequence[rows]]].sum(axis=0)
    return {
        "own": int(total[Source.OWN]),
        "receipts": int(total[Source.RECEIPTS]),
        "pool": int(total[Source.POOL]),
        "credit": sum(int(total[source]) for source in CREDIT),
        "offset": int(total[Source.OFFSET]),
    }
