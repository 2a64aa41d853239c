"""Outcomes: what became of the payments, per level of the queue, and obligations with a time of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import NONE, Run, Where, as_list, columns_of
from cnaps_sim.analysis.metrics.delay import waits
from cnaps_sim.analysis.metrics.payments import OUTCOMES, RETURNED, Payments, payments_of
from cnaps_sim.analysis.metrics.studied import about_studies
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, group, number, ratios, tidy, total
from cnaps_sim.words.tables import TABLES


@about_studies
def outcomes(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Payments by outcome (业务处理结果), counted once each.

    `submitted_count`, `settled_count`, `rejected_count`, `returned_count`, `cancelled_count`, `queued_count`
    (payments) and the same with `_fen` (fen). submitted is the sum of the other five. settled: PR03, PR04 and
    originals of later reversals or returns (PR22, PR23); rejected: PR09 and PR32; returned: PR09 with RJ99;
    cancelled: PR08 and PR21; queued: still open when the run stopped.

    Without `by` those of HVPS and SAPS. `by="system"`, and a `where` that names BEPS or IBPS and nothing else, are
    answered from what the run counted while it was played, so that no item need have been recorded.
    """
    names = as_list(by)
    if names == ["system"] and where is None:
        return _by_system(run)
    counted = _counted(run, where)
    if names in ([], ["system"]) and counted is not None:
        return _told(counted, names)
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    counts, values = tally(payments, groups)
    return _frame(groups, counts, values)


def _by_system(run: Run) -> pd.DataFrame:
    """Every system: of the payments table where it is recorded, of the run's own figures where not."""
    told = dict(run.manifest.get("outcomes") or {})
    if "payments" not in run.manifest.get("tables", TABLES) and run.manifest.get("summary"):
        return _told(dict(run.manifest["summary"]["systems"]), ["system"])
    payments = columns_of(run, "payments", Payments)
    groups = group(payments, "system")
    counts, values = tally(payments, groups)
    gross = _frame(groups, counts, values)
    return pd.concat([gross, _told(told, ["system"])], ignore_index=True) if told else gross


def _counted(run: Run, where: Where) -> dict[str, Any] | None:
    """What the run counted of the retail systems that `where` names, if it names nothing else."""
    told = run.manifest.get("outcomes") or {}
    if not isinstance(where, Mapping) or list(where) != ["system"]:
        return None
    named = as_list(where["system"]) if isinstance(where["system"], str) else list(where["system"])
    return {name: told[name] for name in named} if named and all(name in told for name in named) else None


def _told(systems: Mapping[str, Any], names: list[str]) -> pd.DataFrame:
    """The frame of outcomes that were counted, one group per system, or one of all together."""
    order = ["submitted", *OUTCOMES]
    sums = {
        unit: {name: [int(part[name][key]) for part in systems.values()] for name in order}
        for unit, key in (("count", "count"), ("fen", "value_fen"))
    }
    labels: list[tuple[Any, ...]] = [(name,) for name in systems]
    if not names:
        sums = {unit: {name: [sum(values)] for name, values in each.items()} for unit, each in sums.items()}
        labels = [()]
    return _frame(Groups(names, np.zeros(0, np.intp), labels), sums["count"], sums["fen"])


def _frame(groups: Groups, counts: dict[str, list[int]], values: dict[str, list[int]]) -> pd.DataFrame:
    measures = [Measure(f"{name}_count", "payments", counts[name]) for name in counts]
    measures += [Measure(f"{name}_fen", "fen", values[name]) for name in values]
    return tidy(groups, measures)


def tally(payments: Payments, groups: Groups) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Count and value (fen) per outcome and group, first of all of them under `submitted`."""
    cell = groups._replace(
        group=groups.group * len(OUTCOMES) + payments.outcome, labels=[()] * (groups.size * len(OUTCOMES))
    )
    counts = number(cell).reshape(groups.size, len(OUTCOMES))
    values = total(cell, payments.amount).reshape(groups.size, len(OUTCOMES))
    tallies: list[dict[str, list[int]]] = []
    for cells in (counts, values):
        parts = {name: cells[:, place].tolist() for place, name in enumerate(OUTCOMES)}
        tallies.append({"submitted": cells.sum(axis=1).tolist(), **parts})
    return tallies[0], tallies[1]


def levels(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """What came and what waited at each level of the settlement queue (清算排队级别).

    Grouped by `level` (0 first) after the names in `by`. `accepted_count`, `waited_count`, `returned_count`
    (payments), `accepted_fen`, `waited_fen`, `returned_fen` (fen), `mean_wait`: mean time in the queue of the
    payments that waited (ms, null if none did; returned ones until the scheduled end of the window).
    """
    payments = payments_of(run, where)
    names = [name for name in as_list(by) if name != "level"]
    groups = group(payments, [*names, "level"])
    measures = []
    for name, mask in (
        ("accepted", payments.accepted),
        ("waited", payments.waited),
        ("returned", payments.outcome == RETURNED),
    ):
        measures.append(Measure(f"{name}_count", "payments", number(groups, mask)))
        measures.append(Measure(f"{name}_fen", "fen", total(groups, payments.amount, mask)))
    waiting = total(groups, waits(run, payments).queue, payments.waited)
    measures.append(Measure("mean_wait", "ms", ratios(waiting, number(groups, payments.waited))))
    return tidy(groups, measures)


def due(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Time-specific obligations: payments that had to be settled by a certain instant (`due_ms`).

    `due_count` = `met_count` + `missed_count` (payments) and the same in fen. Met: settled at `due_ms` or before;
    missed: everything else, whatever the reason. `met_share` (ratio of the value, null if nothing was due).
    Source: BCBS 248 (2013), tool A(iv).
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    limit = payments.numbers("due_ms")
    owed = limit != NONE
    met = owed & payments.settled & (payments.final <= limit)
    measures = []
    for name, mask in (("due", owed), ("met", met), ("missed", owed & ~met)):
        measures.append(Measure(f"{name}_count", "payments", number(groups, mask)))
        measures.append(Measure(f"{name}_fen", "fen", total(groups, payments.amount, mask)))
    share = ratios(total(groups, payments.amount, met), total(groups, payments.amount, owed))
    return tidy(groups, [*measures, Measure("met_share", "ratio", share)])
