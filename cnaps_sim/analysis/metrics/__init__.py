"""Metrics: pure functions of a run's tables, all with one signature, all answering with a tidy frame.

    metric(run, *, by=None, where=None) -> DataFrame: grouping columns, measure, value, unit

`by`: one name or a list of system, priority, level, account (the debtor), date, type; for metrics of accounts:
account, date, kind, owner, for `access` without account; for metrics of matchings: matching, trigger, algorithm, date,
time_ms; for `netting` and `rounds`: round, date, kind, time_ms; for `caps`: account, kind, owner; for `messages`: iso,
number, way, outcome, layer, reason, sender, receiver, hour_ms; for `sources`: account, date, kind, level (of the
transfers); for `rescues`: pool, account, taker, date; for `tools`: tools;
for the intraday tools (`intraday_usage`, `start_liquidity`, `total_payments`, `customer_credit`): account, date, kind,
owner; `importance` reads what `cs.stress` returned.
`where`: a dict column -> value or list of values, or a function of the table's pandas frame that gives one True or
False per row.

Metrics of payments are about HVPS and SAPS. Items of BEPS and IBPS, where the run recorded them, enter when `where`
names their system or `by` asks for systems; `outcomes`, `netting`, `rounds`, `caps`, `clearing` and `kinds` need none
recorded. `kinds` is grouped by type and system; `cap_changes` and `kind_flows` have groups of their own.
"""

from cnaps_sim.analysis.metrics.access import access
from cnaps_sim.analysis.metrics.activity import activity, flows, in_use
from cnaps_sim.analysis.metrics.cap_changes import cap_changes
from cnaps_sim.analysis.metrics.caps import caps, clearing, headroom
from cnaps_sim.analysis.metrics.costs import costs
from cnaps_sim.analysis.metrics.delay import delay, delay_distribution, waited
from cnaps_sim.analysis.metrics.headline import headline
from cnaps_sim.analysis.metrics.held import held
from cnaps_sim.analysis.metrics.importance import importance
from cnaps_sim.analysis.metrics.intraday import (
    customer_credit,
    customer_payments,
    intraday_throughput,
    intraday_usage,
    start_liquidity,
    total_payments,
)
from cnaps_sim.analysis.metrics.kinds import kind_flows, kinds
from cnaps_sim.analysis.metrics.liquidity import concentration, liquidity, provision
from cnaps_sim.analysis.metrics.matching import matching, matching_accounts, matching_gap, matching_share
from cnaps_sim.analysis.metrics.messages import messages
from cnaps_sim.analysis.metrics.monitoring import monitoring
from cnaps_sim.analysis.metrics.network import network, network_accounts
from cnaps_sim.analysis.metrics.outcomes import due, levels, outcomes
from cnaps_sim.analysis.metrics.queue import peak_queue, queue, queue_value_time
from cnaps_sim.analysis.metrics.rounds import netting, rounds
from cnaps_sim.analysis.metrics.sources import sources
from cnaps_sim.analysis.metrics.targets import throughput_targets
from cnaps_sim.analysis.metrics.throughput import throughput
from cnaps_sim.analysis.metrics.tiering import tiering
from cnaps_sim.analysis.metrics.tool_use import rescues, tool_use
from cnaps_sim.analysis.metrics.tools import tools

__all__ = [
    "access",
    "activity",
    "cap_changes",
    "caps",
    "clearing",
    "concentration",
    "costs",
    "customer_credit",
    "customer_payments",
    "delay",
    "delay_distribution",
    "due",
    "flows",
    "headline",
    "headroom",
    "held",
    "importance",
    "in_use",
    "intraday_throughput",
    "intraday_usage",
    "kind_flows",
    "kinds",
    "levels",
    "liquidity",
    "matching",
    "matching_accounts",
    "matching_gap",
    "matching_share",
    "messages",
    "monitoring",
    "netting",
    "network",
    "network_accounts",
    "outcomes",
    "peak_queue",
    "provision",
    "queue",
    "queue_value_time",
    "rescues",
    "rounds",
    "sources",
    "start_liquidity",
    "throughput",
    "throughput_targets",
    "tiering",
    "tool_use",
    "tools",
    "total_payments",
    "waited",
]
