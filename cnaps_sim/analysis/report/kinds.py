"""The part of a report on kinds of retail business: each beside the others, and who pays and receives the wages.

Wages (代发工资) are regular credits (定期贷记, BREG); on payroll dates generated traffic has more of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import money, percent, plural
from cnaps_sim.analysis.metrics.items import recorded_systems
from cnaps_sim.analysis.report.words import account_kinds, account_names, share_or_dash
from cnaps_sim.words.codes import System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_terms import RetailParameters

_WAGES: Final = RetailKind.REGULAR_CREDIT
#: Participants told by name on either side of the wages.
MOST_NAMED: Final = 5


def kind_rows(view: Any) -> list[dict[str, str]]:
    """The table of kinds, in the order of their numbers; empty if the run did not count them."""
    found = _wide(metrics.kinds(view), ["type"])
    rows = []
    for kind in RetailKind:
        if kind.code in found.index:
            row = found.loc[kind.code]
            rows.append(
                {
                    "kind": f"{kind.english} ({kind.chinese})",
                    "code": kind.code,
                    "count_told": f"{row['count']:,}",
                    "items_share": share_or_dash(row["count_share"]),
                    "value": money(row["value"]),
                    "value_share": share_or_dash(row["value_share"]),
                    "packages": f"{row['packages']:,}",
                    "mean": f"{row['mean_package']:,.1f}",
                    "rejected": _with_share(row["rejected_count"], row["count"]),
                    "cancelled": _with_share(row["cancelled_count"], row["count"]),
                    "waited": _with_share(row["waited_count"], row["count"]) if kind.queues else "never",
                }
            )
    return rows


def _with_share(count: int, whole: int) -> str:
    return f"{count:,} ({percent(count / whole)})" if count and whole else f"{count:,}"


def _wide(frame: pd.DataFrame, names: list[str]) -> Any:
    """One row per group, one column per measure."""
    return frame.pivot(index=names, columns="measure", values="value").astype(object)


def wage_section(view: Any) -> dict[str, Any] | None:
    """Who pays and who receives regular credits; None without any, or if items of BEPS were not recorded.

    Of generated traffic it is told on payroll dates alone: on others regular credits are as all the rest.
    """
    if System.BEPS not in recorded_systems(view) or (_generated(view) and not _payroll_dates(view)):
        return None
    flows = _wide(metrics.kind_flows(view), ["account", "type"])
    if flows.empty or _WAGES.code not in flows.index.get_level_values("type"):
        return None
    wages, other = flows.xs(_WAGES.code, level="type"), flows.drop(index=_WAGES.code, level="type")
    if not wages["sent"].sum():
        return None
    table = wages[["sent", "received", "net"]].astype("int64")
    other = other[["sent", "net"]].astype("int64").groupby(level="account").sum()
    table = table.join(other.rename(columns={"sent": "other_sent", "net": "other_net"})).fillna(0)
    caps = view.manifest["caps"]
    for name in ("rejected", "queued"):
        table[name] = [caps[account].get(name, {}).get("count", 0) for account in table.index]
    named = [*_largest(table["net"]), *_largest(-table["net"])]
    return {
        "sentences": [*_payroll(view), *_answer(table), _netting(table)],
        "sides": _sides(table),
        "classes": _classes(view, table),
        "named": _named(view, table.loc[named]),
    }


def _largest(net: Any) -> list[Any]:
    """Those with the most negative figures, the first of them first."""
    order = sorted(net.index, key=lambda account: (net[account], account))
    return [account for account in order[:MOST_NAMED] if net[account] < 0]


def _generated(view: Any) -> list[Any]:
    """The sources of the workload that generate BEPS."""
    entries = [entry for entry in view.scenario.get("workload") or () if isinstance(entry, Mapping)]
    return [entry for entry in entries if entry.get("system") == System.BEPS and entry.get("generator")]


def _dates(view: Any) -> list[dt.date]:
    return sorted({dt.date.fromisoformat(str(each["date"])) for each in view.manifest.get("rounds") or ()})


def _payroll_dates(view: Any) -> list[dt.date]:
    """The retail dates of the run on which generated traffic pays wages."""
    return [date for date in _dates(view) if RetailParameters().is_payroll_date(date)]


def _payroll(view: Any) -> list[str]:
    """By how much the wages of the run's payroll dates exceed ordinary ones, where they were generated."""
    generated, paid = _generated(view), _payroll_dates(view)
    if not generated or not paid:
        return []
    row = _wide(metrics.kinds(view, where={"system": str(System.BEPS)}), ["type"])
    count, whole = row["count"][_WAGES.code], row["count"].sum()
    factor = Decimal(str(generated[0].get("payroll_factor", RetailParameters.payroll_factor)))
    which = f"{paid[0]} is a payroll date" if len(paid) == 1 else f"{plural(len(paid), 'date')} are payroll dates"
    words = f"{which}: regular credits are {factor.normalize():f} times those of an ordinary date. In the run they are "
    words += f"{count:,} items, {percent(count / whole)} of BEPS"
    if len(paid) < len(_dates(view)) or not factor:
        return [f"{words}."]
    usual = count / float(factor)
    return [f"{words}; ordinarily about {usual:,.0f} would be, {percent(usual / (whole - count + usual))}."]


def _answer(table: Any) -> list[str]:
    """Who loses and who gains by the wages, against what the other kinds did to the same participants."""
    told = []
    for is_payer, side in ((True, table[table["net"] < 0]), (False, table[table["net"] > 0])):
        one = len(side) == 1
        they, them, s = ("it", "it", "s") if one else ("they", "them", "")
        more, less = ("pay", "receive") if is_payer else ("receive", "pay")
        gross, opposite = ("sent", "received") if is_payer else ("received", "sent")
        moved = f"lose{s}" if is_payer else f"gain{s}"
        ordinary = int(side["other_net"].sum())
        told.append(
            f"{plural(len(side), 'participant')} {more}{s} more wages than {they} {less}{s}: "
            f"{money(side[gross].sum())} against {money(side[opposite].sum())}, by which {they} {moved} "
            f"{money(abs(side['net'].sum()))} of position, while all other kinds together "
            f"{'bring' if ordinary >= 0 else 'cost'} {them} {money(abs(ordinary))}. Of all that {they} "
            f"{'was' if one else 'were'} to pay, {_no(side['rejected'].sum())} refused for the cap and "
            f"{_no(side['queued'].sum())} kept waiting by it."
        )
    return told


def _no(count: float) -> str:
    return {0: "nothing was", 1: "1 item was"}.get(int(count), f"{int(count):,} items were")


def _netting(table: pd.DataFrame) -> str:
    """How much position the wages and the other kinds moved for their value."""
    parts = []
    for words, net, sent in (("wages moved", "net", "sent"), ("all other kinds", "other_net", "other_sent")):
        moved, gross = int(table[net].clip(lower=0).sum()), int(table[sent].sum())
        parts.append(f"{words} {money(moved)} of position, {share_or_dash(moved / gross if gross else None)} of value")
    return f"Over the whole run {parts[0]}; {parts[1]}."


def _sides(table: Any) -> list[dict[str, str]]:
    rows = []
    for more, less, mask in (("pay", "receive", table["net"] < 0), ("receive", "pay", table["net"] > 0)):
        count = int(mask.sum())
        words = f"{more}s more than it {less}s" if count == 1 else f"{more} more than they {less}"
        rows.append(_row(f"{count:,} that {words}", table[mask].sum()))
    return rows


def _classes(view: Any, table: pd.DataFrame) -> list[dict[str, str]]:
    kind_of = account_kinds(view)
    classes = pd.Series([kind_of.get(str(account), "other") for account in table.index], index=table.index)
    sums = table.groupby(classes).sum()
    order = sorted(sums.index, key=lambda name: (sums["net"][name], name))
    return [_row(f"{name}, {int((classes == name).sum())}", sums.loc[name]) for name in order]


def _named(view: Any, table: pd.DataFrame) -> list[dict[str, str]]:
    called = account_names(view)
    return [_row(_join(str(account), called.get(str(account), "")), table.loc[account]) for account in table.index]


def _join(account: str, name: str) -> str:
    return f"{account} {name}" if name else account


def _row(who: str, sums: Any) -> dict[str, str]:
    return {
        "who": who,
        "sent": money(sums["sent"]),
        "received": money(sums["received"]),
        "net": _signed(sums["net"]),
        "other_net": _signed(sums["other_net"]),
        "all_net": _signed(sums["net"] + sums["other_net"]),
        "rejected": f"{int(sums['rejected']):,}",
        "queued": f"{int(sums['queued']):,}",
    }


def _signed(fen: Any) -> str:
    return money(0) if not fen else f"{'+' if fen > 0 else '−'}{money(abs(fen))}"
