"""How the participants of a scenario reach SAPS: with one account each (法人一点接入), or with one per branch.

Single-point access books payments inside an entity in the bank itself; the manifest tells how many they are. One
account per branch brings them to HVPS. In both the payments between entities and the opening balances of each entity
are the same, so that two such runs differ by how the money is spread over accounts, and by nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP

import numpy as np

from cnaps_sim.run.columns import Array
from cnaps_sim.scenario.accounts import Access, GeneratedAccounts
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.workload import WorkloadGenerator
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.streams import Streams
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.branches import (
    Branches,
    between_branches,
    between_entities,
    branch_rows,
    inside_amounts,
    inside_flow,
    open_branches,
)
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.profile import Day

#: Key of what the manifest tells about payments inside entities: count, value_fen, booked.
NOTE = "intrabank"
#: Where payments inside an entity are booked.
IN_THE_BANK = "inside the bank"
IN_SAPS = "between accounts of one owner"


@dataclass(frozen=True, eq=False)
class EntityAccess:
    """How generated entities reach the system.

    entities: their rows as single-point access has them
    sizes:    weight of each entity
    apart:    whether each branch has an account of its own
    """

    entities: list[AccountRow]
    sizes: Array
    branches: Branches
    apart: bool

    def rows(self) -> list[AccountRow]:
        """The rows of the accounts."""
        return branch_rows(self.entities, self.branches) if self.apart else self.entities

    def flows(
        self, terms: WorkloadGenerator, made: Sequence[Flow], days: Sequence[Day], streams: Streams
    ) -> list[Flow]:
        """What SAPS sees of the payments that a generator made between entities, one flow per date."""
        return [flow for one, day in zip(made, days, strict=True) for flow in self._day(terms, one, day, streams)]

    def _day(self, terms: WorkloadGenerator, flow: Flow, day: Day, streams: Streams) -> list[Flow]:
        inside = int((len(flow) * terms.intrabank_share).to_integral_value(ROUND_HALF_UP))
        flows = [between_branches(flow, self.branches, day, streams)] if self.apart else [flow]
        if not inside or int(self.branches.count.max()) < 2:
            return flows
        factor = float(str(flow.notes["amount_factor"]))
        median, sigma = terms.customer_median, float(terms.customer_sigma)
        amounts = inside_amounts(inside, median, sigma, factor, day, streams)
        booked = IN_SAPS if self.apart else IN_THE_BANK
        note = {"count": inside, "value_fen": sum(amounts.tolist()), "booked": booked}
        flows[0] = dataclasses.replace(flows[0], notes={**flow.notes, NOTE: note})
        return [*flows, inside_flow(amounts, self.sizes, self.branches, day, streams)] if self.apart else flows

    def pooled(self, flow: Flow) -> Flow:
        """The payments between entities with the rows of the entities."""
        return between_entities(flow, self.branches) if self.apart else flow

    def split(self, totals: Array) -> Array:
        """What each account has of what each entity has, fen: in proportion to what a branch is expected to send."""
        return self.branches.split(totals) if self.apart else totals

    def padded(self, figures: Array) -> Array:
        """Figures of the entities as figures of the accounts: those of the entity at its head office, 0 elsewhere."""
        missing = len(self.branches) - len(figures) if self.apart else 0
        return np.concatenate((figures, np.zeros(missing, figures.dtype))) if missing else figures


def access_of(scenario: Scenario, entities: list[AccountRow], sizes: Array) -> EntityAccess | None:
    """How the entities of a scenario reach the system; None if its accounts are given."""
    accounts = scenario.accounts
    if not isinstance(accounts, GeneratedAccounts):
        return None
    counts = [accounts.branches.of_kind(ParticipantKind(str(row["kind"]))) for row in entities]
    branches = _branches(tuple(counts), float(accounts.branch_size_exponent))
    return EntityAccess(entities, sizes, branches, scenario.access is Access.BRANCHES)


@functools.lru_cache(maxsize=2)
def _branches(counts: tuple[int, ...], exponent: float) -> Branches:
    """The same for every run of a study, and a third of the time it takes to generate a small day."""
    return open_branches(counts, exponent)
