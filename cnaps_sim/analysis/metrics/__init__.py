"""Metrics: pure functions of a run's tables, all with one signature, all answering with a tidy frame.

    metric(run, *, by=None, where=None) -> DataFrame: grouping columns, measure, value, unit

`by`: one name or a list of system, priority, level, account (the debtor), date, type; for metrics of accounts:
account, date, kind, owner; for metrics of matchings: matching, trigger, algorithm, date, time_ms; for `messages`: iso,
number, way, outcome, layer, reason, sender, receiver, hour_ms.
`where`: a dict column -> value or list of values, or a function of the table's pandas frame that gives one True or
False per row.
"""

from cnaps_sim.analysis.metrics.activity import activity, flows, in_use
from cnaps_sim.analysis.metrics.delay import delay, delay_distribution, waited
from cnaps_sim.analysis.metrics.headline import headline
from cnaps_sim.analysis.metrics.liquidity import concentration, liquidity, provision
from cnaps_sim.analysis.metrics.matching import matching, matching_accounts, matching_gap, matching_share
from cnaps_sim.analysis.metrics.messages import messages
from cnaps_sim.analysis.metrics.monitoring import monitoring
from cnaps_sim.analysis.metrics.outcomes import due, levels, outcomes
from cnaps_sim.analysis.metrics.queue import peak_queue, queue, queue_value_time
from cnaps_sim.analysis.metrics.throughput import throughput

__all__ = [
    "activity",
    "concentration",
    "delay",
    "delay_distribution",
    "due",
    "flows",
    "headline",
    "in_use",
    "levels",
    "liquidity",
    "matching",
    "matching_accounts",
    "matching_gap",
    "matching_share",
    "messages",
    "monitoring",
    "outcomes",
    "peak_queue",
    "provision",
    "queue",
    "queue_value_time",
    "throughput",
    "waited",
]
