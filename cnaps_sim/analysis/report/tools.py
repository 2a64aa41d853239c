"""The part of a report on the liquidity tools that a run used: who rescued whom, pledge loans, loans of the window."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import money, percent, plural
from cnaps_sim.analysis.metrics.columns import Columns, columns_of, has_table
from cnaps_sim.analysis.metrics.liquidity import accounts_of
from cnaps_sim.analysis.metrics.sources import transfers_of
from cnaps_sim.analysis.metrics.tool_use import TOOL_KINDS, pools_of
from cnaps_sim.analysis.metrics.tools import SOURCES
from cnaps_sim.words.units import format_clock

#: Rows of each table of the section; the rest is counted.
MOST_ROWS: Final = 12
_SOURCE_WORDS: Final = {
    "own": "own opening balance (自有余额)",
    "receipts": "receipts of the date (当日收款)",
    "pool": "fund pools (资金池)",
    "credit": "credit (融资): loans and overdraft",
    "offset": "offset in matchings (撮合抵扣)",
}


def tool_section(view: Any) -> dict[str, Any] | None:
    """What the page shows of pools and credit; None if the run used none, or kept no transfers."""
    if not (has_table(view, "transfers") and has_table(view, "accounts")):
        return None
    kinds = transfers_of(view).codes("kind")
    used = np.bincount(kinds.codes + 1, minlength=len(kinds.labels) + 1)[1:]
    count = {label: int(used[place]) for place, label in enumerate(kinds.labels)}
    overdrawn = int(accounts_of(view).numbers("peak_overdraft_fen")[accounts_of(view).participant].sum())
    if not any(count.get(kind) for kind in TOOL_KINDS) and not overdrawn:
        return None
    use: Any = metrics.tool_use(view, by=None).set_index("measure")["value"].to_dict()
    pools, more_pools = _pools(view) if count.get("pool") else ([], "")
    pledges, more_pledges = _pledges(view) if count.get("pledge") else ([], "")
    loans, more_loans = _loans(view) if count.get("loan") else ([], "")
    return {
        "figures": _figures(view, use, count),
        "sources": _sources(view),
        "classes": _classes(view),
        "pools": pools,
        "pledges": pledges,
        "loans": loans,
        "more": " ".join(words for words in (more_pools, more_pledges, more_loans) if words),
    }


def _figures(view: Any, use: Any, count: dict[str, int]) -> list[tuple[str, str]]:
    """What each tool moved, where it was used."""
    rows = []
    if count.get("pool"):
        rows.append(("rescues by pools", f"{plural(int(use['rescued_count']), 'payment')}, {money(use['rescued'])}"))
    if count.get("sweep"):
        rows.append(("sweeps", f"{plural(count['sweep'], 'transfer')}, {money(use['swept_in'])}"))
    if count.get("pledge"):
        rows += [
            ("pledge loans taken", f"{plural(int(use['pledge_count']), 'loan')}, {money(use['pledge'])}"),
            ("most owed at once, account by account", money(use["pledge_peak"])),
            ("repaid", money(use["pledge_repaid"])),
            *_unpaid(use),
            ("interest paid on them", money(use["pledge_interest"])),
            ("overdue", _overdue(view)),
        ]
    if count.get("loan"):
        rows.append(("loans among participants", f"{plural(count['loan'], 'loan')}, {money(use['borrowed'])}"))
    if use["penalty"]:
        rows.append(("penalty loans of the central bank", money(use["penalty"])))
    if use["overdraft_peak"]:
        rows.append(("largest overdrafts, account by account", money(use["overdraft_peak"])))
        rows.append(("overdraft interest", money(use["overdraft_interest"])))
    return rows


def _unpaid(use: Any) -> list[tuple[str, str]]:
    """Pledge loans that were not repaid, and why, where there are any."""
    found = {"in default (违约), the bonds realised": int(use["pledge_defaulted"]), "open at the end": _open(use)}
    return [(words, money(fen)) for words, fen in found.items() if fen]


def _open(use: Any) -> int:
    """Principal of pledge loans that are neither repaid nor in default when the run ends, fen."""
    return int(use["pledge"]) - int(use["pledge_repaid"]) - int(use["pledge_defaulted"])


def _overdue(view: Any) -> str:
    """Accounts with loans not repaid by the end of their date, and with defaults, as the events tell them."""
    if not has_table(view, "events"):
        return "none"
    kind = columns_of(view, "events", Columns).codes("kind")
    found = {word: int((kind.codes == kind.labels.index(word)).sum()) for word in kind.labels}
    words = [plural(found["overdue"], "account")] if found.get("overdue") else []
    words += [f"{found['default']:,} in default"] if found.get("default") else []
    return ", ".join(words) or "none"


def _sources(view: Any) -> list[dict[str, str]]:
    value: Any = metrics.sources(view).set_index("measure")["value"].to_dict()
    return [
        {"source": _SOURCE_WORDS[name], "value": money(value[name]), "share": percent(float(value[f"{name}_share"]))}
        for name in SOURCES
        if value[name]
    ]


def _classes(view: Any) -> list[dict[str, Any]]:
    """What classes of participant provided and received."""
    accounts = accounts_of(view)
    if not accounts.participant.any() or all(label is None for label in accounts.codes("kind").labels):
        return []
    use = _by(metrics.tool_use(view, by="kind"), "kind")
    opening, used = _own_by_kind(view)
    rows = []
    for kind in dict.fromkeys(kind for kind, _ in use):
        names = ("gave", "rescued", "pledge_peak", "overdraft_peak", "lent", "borrowed")
        cells = [opening.get(kind, 0), used.get(kind, 0), *(int(use[kind, name]) for name in names)]
        rows.append({"kind": kind or "other", "cells": [_short(fen) for fen in cells]})
    return rows if len(rows) > 1 else []


def _by(frame: Any, column: str) -> dict[tuple[str | None, str], Any]:
    """The values of a metric by group and measure; pandas' mark for a group without name becomes None."""
    groups = frame[column].astype(object).where(frame[column].notna(), None)
    return dict(zip(zip(groups, frame["measure"], strict=True), frame["value"], strict=True))


def _own_by_kind(view: Any) -> tuple[dict[Any, int], dict[Any, int]]:
    """Opening balances of the first date by class, and own money used, fen."""
    accounts = accounts_of(view)
    kind, date = accounts.codes("kind"), accounts.numbers("date")
    opened, lowest = accounts.numbers("opening_fen"), accounts.numbers("lowest_fen")
    own = np.clip(opened - lowest, 0, np.maximum(opened, 0))
    sums: tuple[dict[Any, int], dict[Any, int]] = ({}, {})
    for code, label in [*enumerate(kind.labels), (-1, None)]:
        rows = accounts.participant & (kind.codes == code)
        sums[0][label] = int(opened[rows & (date == date.min())].sum())
        sums[1][label] = int(own[rows].sum())
    return sums


def _pools(view: Any) -> tuple[list[dict[str, str]], str]:
    """Pools by value of their rescues: who gave, and who got."""
    whole = _by(metrics.rescues(view, by="pool"), "pool")
    gave, got = (_largest(view, side) for side in ("account", "taker"))
    members = {name: len(accounts) for name, accounts in pools_of(view)}
    names = sorted(dict.fromkeys(name for name, _ in whole), key=lambda name: -whole[name, "rescued"])
    rows = [
        {
            "pool": name or "unknown",
            "members": f"{members[name]:,}" if name in members else "–",
            "rescues": f"{int(whole[name, 'rescues']):,}",
            "value": money(whole[name, "rescued"]),
            "giver": f"{gave[name][0]}, {money(gave[name][1])}",
            "taker": f"{got[name][0]}, {money(got[name][1])}",
        }
        for name in names[:MOST_ROWS]
    ]
    return rows, f"{plural(len(names) - MOST_ROWS, 'more pool')} rescued less." if len(names) > MOST_ROWS else ""


def _largest(view: Any, side: str) -> dict[Any, tuple[str, int]]:
    """For each pool the account that gave or got most, and how much."""
    frame = metrics.rescues(view, by=["pool", side])
    frame = frame[frame["measure"] == "rescued"]
    best: dict[Any, tuple[str, int]] = {}
    pools = frame["pool"].astype(object).where(frame["pool"].notna(), None)
    for pool, account, fen in zip(pools, frame[side], frame["value"], strict=True):
        if pool not in best or fen > best[pool][1]:
            best[pool] = (account, int(fen))
    return best


def _pledges(view: Any) -> tuple[list[dict[str, Any]], str]:
    """Accounts by what they borrowed against bonds."""
    use = metrics.tool_use(view, by="account").pivot(index="account", columns="measure", values="value")
    use = use[use["pledge"] > 0].sort_values("pledge", ascending=False, kind="stable")
    called = _names(view)
    rows = []
    for account, row in use.head(MOST_ROWS).iterrows():
        amounts = [row[name] for name in ("pledge", "pledge_peak", "pledge_repaid", "pledge_defaulted")]
        amounts += [_open(row), row["pledge_interest"]]
        cells = [f"{int(row['pledge_count']):,}", *(_short(int(fen)) for fen in amounts)]
        rows.append({"account": account, "name": called.get(str(account), ""), "cells": cells})
    more = len(use) - MOST_ROWS
    return rows, f"{plural(more, 'more account')} borrowed less against a pledge." if more > 0 else ""


def _names(view: Any) -> dict[str, str]:
    accounts = accounts_of(view)
    account, name = accounts.codes("account"), accounts.codes("name")
    pairs = zip(account.codes.tolist(), name.codes.tolist(), strict=True)
    return {account.labels[row]: name.labels[called] if called >= 0 else "" for row, called in pairs}


def _loans(view: Any) -> tuple[list[dict[str, str]], str]:
    """The largest loans among participants."""
    transfers = transfers_of(view, {"kind": "loan"})
    order = np.argsort(-transfers.amount, kind="stable")[:MOST_ROWS]
    lender, borrower, time = transfers.codes("debtor"), transfers.codes("creditor"), transfers.numbers("time_ms")
    rows = [
        {
            "lender": lender.labels[lender.codes[row]],
            "borrower": borrower.labels[borrower.codes[row]],
            "time": format_clock(int(time[row])),
            "value": money(transfers.amount[row]),
        }
        for row in order.tolist()
    ]
    more = transfers.count - MOST_ROWS
    return rows, f"{plural(more, 'more loan')} were smaller." if more > 0 else ""


def _short(fen: int) -> str:
    """An amount for a narrow column, without the currency; a dash for none."""
    return money(fen).removeprefix("CNY ") if fen else "–"
