"""Monitoring tools for one bank's intraday liquidity, after BCBS 248 (2013)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import IntArray, Run, Where, as_list
from cnaps_sim.analysis.metrics.payments import payments_of
from cnaps_sim.analysis.metrics.tidy import By, label_column, values_column
from cnaps_sim.optimise.bounds import net_paths
from cnaps_sim.words.errors import InputError


def monitoring(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Intraday liquidity monitoring tools (日间流动性监测) of every account that settled a payment.

    Always grouped by `account`, and by `date` before it if `by` is "date" (else the net runs over all dates).
    From settled payments, with net = received - sent at the end of each instant: `largest_positive_net`,
    `largest_negative_net` (fen, 0 or below for the latter; tool A(i)), `largest_positive_at`,
    `largest_negative_at` (ms of the run, first instant of the extreme; null if the net never passed 0),
    `closing_net`, `sent`, `received` (fen; tool A(iii)).
    """
    daily = _is_daily(by)
    payments = payments_of(run, where)
    rows = np.flatnonzero(payments.settled)
    rows = rows[np.argsort(payments.final[rows])]
    account = _Numbers(payments.codes("debtor"), payments.codes("creditor"))
    date = payments.codes("date")
    days: list[tuple[Any, IntArray]] = [((), rows)]
    if daily:
        days = [((label,), rows[date.codes[rows] == code]) for code, label in enumerate(date.labels)]
    found: list[tuple[Any, ...]] = []
    for label, chosen in days:
        paths = net_paths(
            len(account.labels), account.debtor[chosen], account.creditor[chosen], payments.amount[chosen]
        )
        for place in range(len(paths.account)):
            end = paths.start[place + 1] if place + 1 < len(paths.start) else len(paths.posting)
            piece = slice(paths.start[place], end)
            net = -paths.net_debit[piece]
            time = payments.final[chosen[paths.posting[piece]]]
            name = account.labels[paths.account[place]]
            found += [(*label, name, *measure) for measure in _tools(net, time)]
    names = ["date", "account"] if daily else ["account"]
    frame = pd.DataFrame([(*row[: len(names) + 1], row[-1]) for row in found], columns=[*names, "measure", "unit"])
    if daily:
        frame["date"] = label_column("date", frame["date"].tolist())
    frame.insert(len(names) + 1, "value", values_column([row[-2] for row in found]))
    return frame.sort_values(names, kind="stable").reset_index(drop=True)


def _is_daily(by: By) -> bool:
    """Whether each date stands by itself. InputError for any other group."""
    names = as_list(by)
    for name in names:
        if name not in ("account", "date"):
            raise InputError("by", name, "cannot be grouped by", "", "date, besides account")
    return "date" in names


def _tools(running: IntArray, posted: IntArray) -> list[tuple[str, Any, str]]:
    """Measures of one account from its net after each posting and the instants of the postings."""
    step = np.diff(running, prepend=0)
    last = np.append(np.diff(posted) != 0, True)
    net, time = running[last], posted[last]
    high, low = int(net.argmax()), int(net.argmin())
    return [
        ("largest_positive_net", max(0, int(net[high])), "fen"),
        ("largest_positive_at", int(time[high]) if net[high] > 0 else None, "ms"),
        ("largest_negative_net", min(0, int(net[low])), "fen"),
        ("largest_negative_at", int(time[low]) if net[low] < 0 else None, "ms"),
        ("closing_net", int(net[-1]), "fen"),
        ("sent", int(-step[step < 0].sum()), "fen"),
        ("received", int(step[step > 0].sum()), "fen"),
    ]


class _Numbers:
    """Debtors and creditors numbered in one list of accounts, in alphabetical order."""

    def __init__(self, debtor: Any, creditor: Any) -> None:
        self.labels = sorted({*debtor.labels, *creditor.labels})
        place = {label: number for number, label in enumerate(self.labels)}
        self.debtor = np.array([place[label] for label in debtor.labels] + [-1], np.int64)[debtor.codes]
        self.creditor = np.array([place[label] for label in creditor.labels] + [-1], np.int64)[creditor.codes]
