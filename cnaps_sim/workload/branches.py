"""Branches: one settlement account per provincial branch (省级分行), as the first generation kept them.

Single-point access (法人一点接入) gives each legal entity one account; before it every provincial branch had its own.
Both are played with the same payments between entities: only the branches at their two ends are drawn here, from
streams of their own, and payments inside an entity (行内) are added, which single-point access keeps inside the bank.
Source: rule section "one place where money moves"; how business spreads over branches is a modelling default [P].
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.core.records import FLOW, new
from cnaps_sim.words.business_types import SPECIAL_SESSION_TYPES, BusinessType
from cnaps_sim.words.codes import Level, System
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MAX_FEN
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.ids import numbered_ids
from cnaps_sim.workload.profile import Day, arrival_times
from cnaps_sim.workload.quantiles import lognormal_strata, pareto_strata
from cnaps_sim.workload.shares import largest_remainder

Integers = npt.NDArray[np.int64]

#: Weights are whole parts of this number, so that their sums do not depend on the order of adding.
_PARTS: Final = 1_000_000
#: Payments inside an entity are ordinary credit transfers (普通汇兑).
INSIDE_TYPE: Final = BusinessType.ORDINARY.code


@dataclass(frozen=True, eq=False)
class Branches:
    """The accounts of all branches.

    The rows of accounts begin with the head office of every entity, in the order of the entities, so that what belongs
    to the legal entity as a whole (a position in the netting server) stands at the row of the entity. The other
    branches follow, entity by entity.

    entity: the entity of each account row
    number: the place of the branch in its entity, from 1 (the head office)
    weight: share of the entity's business, a whole number above 0 without unit; the head office has the largest
    """

    entity: Integers
    number: Integers
    weight: Integers

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def entities(self) -> int:
        """Number of entities."""
        return int((self.number == 1).sum())

    @cached_property
    def count(self) -> Integers:
        """Branches of each entity."""
        return np.bincount(self.entity, minlength=self.entities).astype(np.int64)

    @cached_property
    def _order(self) -> Integers:
        """Account rows, entity by entity: the places below are places in it."""
        return np.lexsort((self.number, self.entity)).astype(np.int64)

    @cached_property
    def _first(self) -> Integers:
        """Place of each entity's head office."""
        return np.cumsum(self.count) - self.count

    @cached_property
    def _upto(self) -> Integers:
        """Sum of the weights before each place, and of all at the end."""
        return np.concatenate(([0], np.cumsum(self.weight[self._order])))

    def draw(self, entity: Integers, rng: np.random.Generator) -> Integers:
        """The account of a branch for each payment of an entity, in proportion to weight."""
        low, high = self._upto[self._first[entity]], self._upto[self._first[entity] + self.count[entity]]
        return self._order[self._place(entity, low + _part_of(high - low, rng))]

    def draw_other(self, account: Integers, rng: np.random.Generator) -> Integers:
        """Another account of the same entity for each payment, in proportion to weight; the entity has two or more."""
        entity, own = self.entity[account], self.weight[account]
        low, high = self._upto[self._first[entity]], self._upto[self._first[entity] + self.count[entity]]
        place = np.empty(len(self), np.int64)
        place[self._order] = np.arange(len(self))
        drawn = low + _part_of(high - low - own, rng)
        # What lies at or behind the account's own weights moves past them, so that they are never hit.
        drawn += np.where(drawn >= self._upto[place[account]], own, 0)
        return self._order[self._place(entity, drawn)]

    def _place(self, entity: Integers, drawn: Integers) -> Integers:
        """Where the weights reach a number; it lies inside the weights of `entity`."""
        place = np.searchsorted(self._upto, drawn, side="right") - 1
        assert bool(np.all((place >= self._first[entity]) & (place < self._first[entity] + self.count[entity])))
        return place.astype(np.int64)

    def split(self, totals: Integers) -> Integers:
        """The money of each entity, divided over its accounts in proportion to weight, exactly (fen)."""
        parts = np.zeros(len(self), np.int64)
        for entity, total in enumerate(totals.tolist()):
            first = int(self._first[entity])
            accounts = self._order[first : first + int(self.count[entity])]
            parts[accounts] = largest_remainder(total, self.weight[accounts].tolist())
        return parts


def _part_of(width: Integers, rng: np.random.Generator) -> Integers:
    """A whole number from 0 to below each width."""
    drawn = np.floor(rng.random(len(width)) * width).astype(np.int64)
    return np.minimum(drawn, width - 1)  # a product just below the width may round up to it


def open_branches(counts: Sequence[int], exponent: float) -> Branches:
    """The branches of entities that have `counts` of them (1 or more), the sizes in an entity Pareto with `exponent`.

    The sizes are quantiles, as those of the entities are: nothing is drawn by chance.
    """
    entity = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    number = np.concatenate([np.arange(1, count + 1, dtype=np.int64) for count in counts])
    size = np.concatenate([pareto_strata(count, exponent) for count in counts])
    weight = np.maximum(np.rint(size * _PARTS), 1).astype(np.int64)
    order = np.lexsort((number, entity, number > 1))
    return Branches(entity[order], number[order], weight[order])


def branch_rows(entities: Sequence[AccountRow], branches: Branches) -> list[AccountRow]:
    """The accounts of the branches: `<account of the entity>-01` and so on, with the entity as owner."""
    rows = []
    for entity, number in zip(branches.entity.tolist(), branches.number.tolist(), strict=True):
        row = entities[entity].copy()
        row["account"] = f"{row['account']}-{number:02d}"
        row["name"] = f"{row['name']} {number:02d}"
        rows.append(row)
    return rows


def between_branches(flow: Flow, branches: Branches, day: Day, streams: Streams) -> Flow:
    """Payments between entities as payments between branches of them; nothing but the two accounts changes.

    streams: uses `access.debtors` and `access.creditors` of the date
    """
    rows = flow.rows.copy()
    for side in ("debtor", "creditor"):
        rng = streams[f"access.{side}s.{day.date.isoformat()}"]
        rows[side] = branches.draw(rows[side].astype(np.int64), rng)
    return dataclasses.replace(flow, rows=rows)


def inside_amounts(count: int, median_fen: int, sigma: float, factor: float, day: Day, streams: Streams) -> Integers:
    """Amounts of a day's payments inside entities, fen, in random order: those of customers, by the day's factor.

    streams: uses `access.amounts` of the date
    """
    rng = streams[f"access.amounts.{day.date.isoformat()}"]
    drawn = lognormal_strata(count, median_fen, sigma, rng) * factor
    amounts = np.rint(np.clip(drawn, 1.0, float(MAX_FEN))).astype(np.int64)
    rng.shuffle(amounts)
    return np.minimum(amounts, MAX_FEN)


def inside_flow(
    amounts: Integers, sizes: npt.NDArray[np.float64], branches: Branches, day: Day, streams: Streams
) -> Flow:
    """A day's payments between two branches of one entity (行内跨省汇划), of the given amounts.

    sizes:   weight of each entity; those with one branch have none of these payments, another has them in proportion
    streams: uses `access.times`, `access.entities` and `access.inside` of the date

    Payment ids are `N`, the date and a number in order of time. Some entity has two branches or more.
    """
    date = day.date.isoformat()
    weight = np.where(branches.count > 1, np.rint(np.asarray(sizes) * _PARTS), 0.0).astype(np.int64)
    upto = np.cumsum(weight)
    count = len(amounts)
    point = _part_of(np.full(count, upto[-1]), streams[f"access.entities.{date}"])
    entity = np.searchsorted(upto, point, side="right").astype(np.int64)
    rows = new(FLOW, count)
    rows["time_ms"] = arrival_times(day, count, streams[f"access.times.{date}"])
    rows["amount"] = amounts
    rows["level"] = Level.NORMAL
    rows["special"] = INSIDE_TYPE in SPECIAL_SESSION_TYPES
    rng = streams[f"access.inside.{date}"]
    debtor = branches.draw(entity, rng)
    rows["debtor"] = debtor
    rows["creditor"] = branches.draw_other(debtor, rng)
    return Flow(
        system=System.HVPS,
        rows=rows,
        payment_ids=numbered_ids(f"N{day.date:%Y%m%d}", count),
        types=(INSIDE_TYPE,),
        type_index=np.zeros(count, np.int16),
    )


def between_entities(flow: Flow, branches: Branches) -> Flow:
    """The payments between different entities, as payments of the entities."""
    debtor, creditor = branches.entity[flow.rows["debtor"]], branches.entity[flow.rows["creditor"]]
    chosen = np.flatnonzero(debtor != creditor)
    rows = flow.rows[chosen]
    rows["debtor"], rows["creditor"] = debtor[chosen], creditor[chosen]
    return dataclasses.replace(
        flow,
        rows=rows,
        payment_ids=flow.payment_ids.take(chosen),
        type_index=flow.type_index[chosen],
        due_ms=None,
        on_behalf_of=None,
    )
