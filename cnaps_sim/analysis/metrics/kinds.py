"""Kinds of retail business beside each other: how many, in which packages, what became of them, who paid whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import Codes, IntArray, Run, Where, as_list, remembered
from cnaps_sim.analysis.metrics.items import item_parts, recorded_systems
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, ratios, tidy
from cnaps_sim.words.errors import InputError, nearest

#: What became of an item; the waiting ones are counted under one of the others too.
_ENDS: Final = ("settled", "rejected", "cancelled")
_KEYS: Final = ("system", "type")


def kinds(run: Run, *, by: By = "type", where: Where = None) -> pd.DataFrame:
    """Items of BEPS and IBPS by kind of business (业务种类), as the netting server counted them; none need be recorded.

    Grouped by type (code of the kind, such as BREG), system or both; everything in one group with `by=None`. `where`:
    a dict with system, type or both. `packages`; `count` (payments), `value` (fen): all that were decided upon;
    `mean_package` (payments); `count_share`, `value_share` (ratio): of all the groups together; `settled_`, `rejected_`
    and `cancelled_count`, `_fen`: netted, refused for whatever reason or expired, cancelled or stopped; `waited_count`,
    `_fen`: stood in the cap queue (轧差排队), whatever became of them. Source: rule sections "BEPS" and "IBPS".
    """
    names = as_list(by)
    for name in names:
        if name not in _KEYS:
            raise InputError("by", name, "cannot be grouped by", "", nearest(name, _KEYS))
    told = _told(run, where)
    labels = sorted({tuple(row[name] for name in names) for row, _ in told}) or ([()] if not names else [])
    sums: dict[str, list[int]] = {}
    for row, parts in told:
        place = labels.index(tuple(row[name] for name in names))
        for part, numbers in parts.items():
            for key, number in numbers.items():
                sums.setdefault(f"{part} {key}", [0] * len(labels))[place] += number
    nothing = [0] * len(labels)

    def of(key: str, *parts: str) -> list[int]:
        columns = [sums.get(f"{part} {key}", nothing) for part in parts]
        return [sum(row) for row in zip(*columns, strict=True)]

    packages, count, value = (of(key, *_ENDS) for key in ("packages", "count", "value_fen"))
    measures = [
        Measure("packages", "packages", packages),
        Measure("count", "payments", count),
        Measure("value", "fen", value),
        Measure("mean_package", "payments", ratios(count, packages)),
        Measure("count_share", "ratio", ratios(count, [sum(count)] * len(labels))),
        Measure("value_share", "ratio", ratios(value, [sum(value)] * len(labels))),
    ]
    for part in (*_ENDS, "waited"):
        measures.append(Measure(f"{part}_count", "payments", of("count", part)))
        measures.append(Measure(f"{part}_fen", "fen", of("value_fen", part)))
    return tidy(Groups(names, np.arange(len(labels)), labels), measures)


def _told(run: Run, where: Where) -> list[tuple[dict[str, str], Any]]:
    """System and type, and the counts, of every kind that `where` asks for."""
    if where is not None and (not isinstance(where, Mapping) or set(where) - set(_KEYS)):
        raise InputError("where", "", "cannot narrow kinds", "", "a dict with the keys system and type")
    rows = [
        ({"system": str(system), "type": str(code)}, parts)
        for system, told in (run.manifest.get("outcomes") or {}).items()
        for code, parts in told.get("kinds", {}).items()
    ]
    return [row for row in rows if _wanted(row[0], where or {})]


def _wanted(row: dict[str, str], where: Mapping[str, Any]) -> bool:
    return all(
        row[key] in ([wanted] if isinstance(wanted, str) else list(wanted)) for key, wanted in where.items()
    )  # fmt: skip


class _Flows(NamedTuple):
    """Sums by participant and type, each of shape (participants, types)."""

    accounts: list[str]
    types: list[str]
    sent: IntArray  # fen
    received: IntArray  # fen
    sent_count: IntArray
    received_count: IntArray


def kind_flows(run: Run, *, by: By = ("account", "type"), where: Where = None) -> pd.DataFrame:
    """What each participant sent and received of each kind of retail business, netted items alone.

    One row per participant, type (code of the kind) and measure: `sent_count`, `received_count` (payments), `sent`,
    `received` (fen) and `net` (fen): received - sent, what the kind added to the participant's position (轧差头寸).
    `by` is always account and type. `where`: {"type": ...}. InputError if no items were recorded.
    """
    if as_list(by) != ["account", "type"]:
        raise InputError("by", "", "cannot be grouped by", by, "account and type together")
    if where is not None and (not isinstance(where, Mapping) or set(where) - {"type"}):
        raise InputError("where", "", "cannot narrow the flows of kinds", "", "a dict with the key type alone")
    run = remembered(run)
    if not recorded_systems(run):
        allowed = "a run with `record: {BEPS: payments}`"
        raise InputError("run", "payments", "the run did not record items of BEPS or IBPS", "", allowed)
    found = _flows(run)
    wanted = [place for place, name in enumerate(found.types) if _wanted({"type": name}, where or {})]
    labels = [(account, found.types[place]) for account in found.accounts for place in wanted]
    chosen = {name: getattr(found, name)[:, wanted].ravel() for name in _Flows._fields[2:]}
    return tidy(
        Groups(["account", "type"], np.arange(len(labels)), labels),
        [
            Measure("sent_count", "payments", chosen["sent_count"]),
            Measure("sent", "fen", chosen["sent"]),
            Measure("received_count", "payments", chosen["received_count"]),
            Measure("received", "fen", chosen["received"]),
            Measure("net", "fen", chosen["received"] - chosen["sent"]),
        ],
    )


def _flows(run: Any) -> _Flows:
    accounts = sorted(str(name) for name in run.manifest["caps"])
    types = sorted(code for told in run.manifest["outcomes"].values() for code in told.get("kinds", {}))
    rows = {name: place for place, name in enumerate(accounts)}
    columns = {name: place for place, name in enumerate(types)}
    sums = [np.zeros((len(accounts) + 1, len(types) + 1), np.int64) for _ in range(4)]
    for items in item_parts(run):
        of_type = _places(items.codes("type"), columns)[items.settled]
        amount = items.amount[items.settled]
        for side, fen, count in (("debtor", 0, 2), ("creditor", 1, 3)):
            cell = (_places(items.codes(side), rows)[items.settled], of_type)
            np.add.at(sums[fen], cell, amount)
            np.add.at(sums[count], cell, 1)
    return _Flows(accounts, types, *(part[:-1, :-1] for part in sums))


def _places(column: Codes, place_of: dict[str, int]) -> IntArray:
    """The place of each row's label; -1, the last one, for a label without."""
    places: IntArray = np.array([place_of.get(str(label), -1) for label in column.labels] + [-1])[column.codes]
    return places
