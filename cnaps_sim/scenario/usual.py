"""Usual terms: what a scenario leaves out and what is usual for it depends on what else it says.

Given accounts bring their own balances and caps; generated ones have none, start a calm day and get caps in proportion
to what they send. Payments that are brought are recorded one by one; those of a generated retail day are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cnaps_sim.scenario.quantities import format_ratio
from cnaps_sim.scenario.retail import CAP_SHARE_OF_OUTFLOW
from cnaps_sim.scenario.rules import CALM_SHARE_OF_OUTFLOW, Detail
from cnaps_sim.scenario.workload import RETAIL_SYSTEMS
from cnaps_sim.words.codes import System

#: What is recorded of a system: a day of BEPS and IBPS has tens of millions of items.
USUAL_DETAIL: Final = {System.HVPS: Detail.PAYMENTS, System.BEPS: Detail.TOTALS, System.IBPS: Detail.TOTALS}


def usual_terms(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a scenario with what is usual for it filled in, where nothing is said."""
    accounts = data.get("accounts")
    accounts_made = isinstance(accounts, Mapping) and accounts.get("generate") is not None
    retail = {system: list(_entries(data, system)) for system in RETAIL_SYSTEMS}
    retail_made = any(_is_made(entry) for entries in retail.values() for entry in entries)
    filled = dict(data)
    if data.get("liquidity") is None:
        usual = {"share_of_outflow": list(CALM_SHARE_OF_OUTFLOW)} if accounts_made else {"from": "accounts"}
        filled["liquidity"] = usual
    nets = {} if data.get("nets") is None else data["nets"]
    if accounts_made and retail_made and isinstance(nets, Mapping) and nets.get("cap") is None:
        filled["nets"] = {**nets, "cap": {"share_of_outflow": format_ratio(CAP_SHARE_OF_OUTFLOW)}}
    record = {} if data.get("record") is None else data["record"]
    if isinstance(record, Mapping):
        said = {system: detail for system, detail in record.items() if detail is not None}
        brought = [s for s, entries in retail.items() if entries and not any(map(_is_made, entries))]
        filled["record"] = {**{system.value: Detail.PAYMENTS.value for system in brought}, **said}
    return filled


def _is_made(entry: Mapping[str, Any]) -> bool:
    return entry.get("generator") is not None


def _entries(data: Mapping[str, Any], system: System) -> Iterator[Mapping[str, Any]]:
    """The entries of the workload for one system."""
    workload = data.get("workload")
    for entry in workload if isinstance(workload, list | tuple) else ():
        if isinstance(entry, Mapping) and entry.get("system") == system:
            yield entry
