"""The matching of queues (排队撮合) that a scenario asks for, in the words of the systems."""

from __future__ import annotations

from collections.abc import Mapping

from cnaps_sim.core.records import ANYBODY
from cnaps_sim.optimise.registry import Algorithm, find
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.matching import MULTILATERAL, Bound
from cnaps_sim.systems.matching import MatchingRules, Triggers
from cnaps_sim.words.errors import InputError

ALGORITHM_KEY = "hvps.matching.algorithm"


def matching_rules(loaded: Loaded) -> MatchingRules | None:
    """How queues are matched in the run; None if they are not. InputError if its algorithm cannot be had."""
    terms = loaded.scenario.hvps.matching
    if not terms.is_on:
        return None
    triggers = Triggers(
        every_ms=terms.every,
        at_ms=terms.at,
        queued_over=terms.queued_over,
        value_over=terms.value_over,
        on_phase=terms.on_phase,
        continuous=terms.continuous,
    )
    place = loaded.place_of(ALGORITHM_KEY)
    algorithm = None if terms.algorithm == MULTILATERAL else _algorithm(terms.algorithm, place)
    return MatchingRules(algorithm, triggers, terms.duration, terms.bound is Bound.LP, place, ALGORITHM_KEY)


def _algorithm(name: str, place: str) -> Algorithm:
    found = find(name, place, ALGORITHM_KEY)
    if not found.for_runs:
        raise InputError(place, ALGORITHM_KEY, "is no matching of a run", name, "a function that settles payments")
    return found


def keeps_sequence(rules: MatchingRules | None) -> bool:
    """Whether what a matching settles is a leading run of each account's queue."""
    return rules is not None and (rules.algorithm is None or rules.algorithm.keeps_sequence)


def limit_rows(loaded: Loaded, index: Mapping[str, int]) -> list[tuple[int, int, int]]:
    """The limits (双边限额, 多边限额) of the scenario as (debtor row, creditor row or ANYBODY, fen)."""
    limits = loaded.scenario.limits
    return [(index[limit.account], limited_row(index, limit.to), limit.limit) for limit in limits]


def limited_row(index: Mapping[str, int], to: str | None) -> int:
    """The row of the account that a limit is towards; ANYBODY where it is towards all others together (None)."""
    return ANYBODY if to is None else index[to]
