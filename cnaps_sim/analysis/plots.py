"""Plots: one function per question, `(run, ax=None, **choices) -> Axes`; they draw what a metric returned.

Every plot takes `where` (as the metrics do) and draws on the given axes or on those of a new figure, which
`ax.figure.savefig("queue.png")` writes. Chinese terms appear where a font has the characters.
`tornado` draws a sensitivity study instead of a run, and has no `where`.
"""

from cnaps_sim.analysis.plots_caps import cap_queue, headroom, positions, retail_volume
from cnaps_sim.analysis.plots_frontier import frontier, frontier_differences
from cnaps_sim.analysis.plots_liquidity import balances, liquidity_by_account
from cnaps_sim.analysis.plots_matching import matching, matching_gap
from cnaps_sim.analysis.plots_measures import (
    concentration,
    intraday_throughput,
    intraday_usage,
    provision,
    start_liquidity,
)
from cnaps_sim.analysis.plots_messages import messages
from cnaps_sim.analysis.plots_network import core, importance
from cnaps_sim.analysis.plots_payments import network, outcomes, payments_per_minute, throughput
from cnaps_sim.analysis.plots_queue import delay_distribution, levels, queue
from cnaps_sim.analysis.plots_rounds import held_nets, nets_journey, rounds
from cnaps_sim.analysis.plots_sensitivity import tornado
from cnaps_sim.analysis.plots_tools import tools

__all__ = [
    "balances",
    "cap_queue",
    "concentration",
    "core",
    "delay_distribution",
    "frontier",
    "frontier_differences",
    "headroom",
    "held_nets",
    "importance",
    "intraday_throughput",
    "intraday_usage",
    "levels",
    "liquidity_by_account",
    "matching",
    "matching_gap",
    "messages",
    "nets_journey",
    "network",
    "outcomes",
    "payments_per_minute",
    "positions",
    "provision",
    "queue",
    "retail_volume",
    "rounds",
    "start_liquidity",
    "throughput",
    "tools",
    "tornado",
]
