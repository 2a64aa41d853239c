"""Metrics: pure functions of a run's tables, all with one signature, all answering with a tidy frame.

    metric(run, *, by=None, where=None) -> DataFrame: grouping columns, measure, value, unit

`by`: one name or a list of system, priority, level, account (the debtor), date, type; for metrics of accounts:
account, date, kind, owner; for metrics of matchings: matching, trigger, algorithm, date, time_ms; for `netting` and
`rounds`: round, date, kind, time_ms; for `caps`: account, kind, owner; for `messages`: iso, number, way, outcome,
layer, reason, sender, receiver, hour_ms.
`where`: a dict column -> value or list of values, or a function of the table's pandas frame that gives one True or
False per row.

Metrics of payments are about HVPS and SAPS. Items of BEPS and IBPS, where the run recorded them, enter when `where`
names their system or `by` asks for systems; `outcomes`, `netting`, `rounds`, `caps` and `clearing` need none recorded.
"""

from cnaps_sim.analysis.metrics.activity import activity, flows, in_use
from cnaps_sim.analysis.metrics.caps import caps, clearing, headroom
from cnaps_sim.analysis.metrics.delay import delay, delay_distribution, waited
from cnaps_sim.analysis.metrics.headline import headline
from cnaps_sim.analysis.metrics.held import held
from cnaps_sim.analysis.metrics.liquidity import concentration, liquidity, provision
from cnaps_sim.analysis.metrics.matching import matching, matching_accounts, matching_gap, matching_share
from cnaps_sim.analysis.metrics.messages import messages
from cnaps_sim.analysis.metrics.monitoring import monitoring
from cnaps_sim.analysis.metrics.outcomes import due, levels, outcomes
from cnaps_sim.analysis.metrics.queue import peak_queue, queue, queue_value_time
from cnaps_sim.analysis.metrics.rounds import netting, rounds
from cnaps_sim.analysis.metrics.throughput import throughput
from cnaps_sim.analysis.metrics.tiering import tiering

__all__ = [
    "activity",
    "caps",
    "clearing",
    "concentration",
    "delay",
    "delay_distribution",
    "due",
    "flows",
    "headline",
    "headroom",
    "held",
    "in_use",
    "levels",
    "liquidity",
    "matching",
    "matching_accounts",
    "matching_gap",
    "matching_share",
    "messages",
    "monitoring",
    "netting",
    "outcomes",
    "peak_queue",
    "provision",
    "queue",
    "queue_value_time",
    "rounds",
    "throughput",
    "tiering",
    "waited",
]
