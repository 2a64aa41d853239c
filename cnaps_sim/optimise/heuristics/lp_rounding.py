"""LP rounding: what the relaxation settles for the greater part settles, and short accounts are repaired."""

from __future__ import annotations

from cnaps_sim.optimise.heuristics.accounts import funds
from cnaps_sim.optimise.heuristics.take_out import largest_first, repaired
from cnaps_sim.optimise.lp import relax
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm


@algorithm(
    "lp-rounding",
    reference="compare Shafransky and Doudkin (2006), An optimization algorithm for the clearing of interbank payments",
    chinese="线性规划取整",
    uses_lp=True,
)
def lp_rounding(queue: QueueTable) -> Chosen:
    """What the LP relaxation settles for half or more, repaired by best-fit take-out; what can be funded comes back."""
    funds(queue)  # refuses what 64 bits cannot hold
    start = relax(queue).settled >= queue.amount - queue.amount // 2
    return repaired(queue, start, -queue.amount, largest_first(queue), best_fit=True)
