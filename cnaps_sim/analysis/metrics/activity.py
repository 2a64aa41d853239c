"""Activity: payments per minute, value between pairs of accounts, balances and liquidity in use over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    columns_of,
    frame_of,
    remembered,
)
from cnaps_sim.analysis.metrics.liquidity import Accounts, accounts_of
from cnaps_sim.analysis.metrics.payments import payments_of
from cnaps_sim.analysis.metrics.tidy import By, Groups, group, label_column
from cnaps_sim.words.units import MS_PER_MINUTE


def activity(run: Run, *, by: By = None, where: Where = None, step_ms: int = MS_PER_MINUTE) -> pd.DataFrame:
    """Payments submitted and settled in each minute (or step of `step_ms`).

    One row per group, step and measure: `time_ms` is the begin of the step (ms of the run); `submitted_count`
    counts the accepted payments received in it, `settled_count` the payments settled in it. Steps from the
    first to the last in which anything happened, quiet ones included.
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    came = payments.accepted & (payments.submitted != NONE)
    steps = (payments.submitted // step_ms, payments.final // step_ms)
    masks = (came, payments.settled)
    seen = [step[mask] for step, mask in zip(steps, masks, strict=True) if mask.any()]
    first, last = (min(int(s.min()) for s in seen), max(int(s.max()) for s in seen)) if seen else (0, -1)
    width = last - first + 1
    counts = [_per_step(groups, step, mask, first, width).ravel() for step, mask in zip(steps, masks, strict=True)]
    member = np.repeat(np.arange(groups.size), 2 * width)
    data: dict[str, Any] = {
        name: label_column(name, [label[place] for label in groups.labels]).take(member).array
        for place, name in enumerate(groups.names)
    }
    data["time_ms"] = np.tile(np.repeat(np.arange(first, last + 1) * step_ms, 2), groups.size)
    both = np.tile([0, 1], groups.size * width)
    data["measure"] = pd.Series(["submitted_count", "settled_count"]).take(both).array
    data["value"] = np.stack(counts, axis=1).ravel()
    data["unit"] = pd.Series(["payments"]).take(both * 0).array
    return pd.DataFrame(data)


def _per_step(groups: Groups, step: IntArray, mask: BoolArray, first: int, width: int) -> IntArray:
    cells = groups.group[mask] * width + (step[mask] - first)
    return np.bincount(cells, minlength=groups.size * width).reshape(groups.size, width).astype(np.int64)


def flows(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Value and number of settled payments from each account to each other account.

    Columns: those of `by`, `debtor`, `creditor`, `measure` (`settled_fen`, `settled_count`), `value`, `unit`;
    largest value first inside each group. Pairs without a settled payment are left out.
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    debtor, creditor = payments.codes("debtor"), payments.codes("creditor")
    rows = np.flatnonzero(payments.settled)
    width = len(creditor.labels)
    pair = (groups.group[rows] * len(debtor.labels) + debtor.codes[rows]) * width + creditor.codes[rows]
    cells = groups.size * len(debtor.labels) * width
    fen = np.zeros(cells, np.int64)
    np.add.at(fen, pair, payments.amount[rows])
    count = np.bincount(pair, minlength=cells)
    used = np.flatnonzero(count)
    used = used[np.lexsort((used, -fen[used], used // (len(debtor.labels) * width or 1)))]
    rest, to = np.divmod(used, width or 1)
    member, source = np.divmod(rest, len(debtor.labels) or 1)
    data: dict[str, Any] = {
        name: label_column(name, [groups.labels[g][place] for g in np.repeat(member, 2)])
        for place, name in enumerate(groups.names)
    }
    data["debtor"] = [debtor.labels[code] for code in np.repeat(source, 2)]
    data["creditor"] = [creditor.labels[code] for code in np.repeat(to, 2)]
    data["measure"] = ["settled_fen", "settled_count"] * len(used)
    data["value"] = np.stack((fen[used], count[used]), axis=1).ravel()
    data["unit"] = ["fen", "payments"] * len(used)
    return pd.DataFrame(data)


def in_use(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Balances and liquidity in use over time, from the sampled series.

    One row per instant, account (if `by` is "account") and measure: `balance` (fen), `in_use`: max(0, opening of
    the business date - balance) (fen), summed over participants' accounts without `by`. Samples lie
    `series_step` apart. `where` narrows the accounts table.
    """
    run = remembered(run)
    accounts = accounts_of(run, where)
    series = columns_of(run, "series", Columns).narrow({"measure": "balance_fen"}, frame_of(run, "series"))
    time, balance = series.numbers("time_ms"), series.numbers("value")
    opening, member = _openings(accounts, series)
    kept = np.flatnonzero(member >= 0)
    time, balance, opening, member = time[kept], balance[kept], opening[kept], member[kept]
    used = np.maximum(opening - balance, 0)
    labels = accounts.whole.codes("account").labels
    if by is None:
        instants, place = np.unique(time, return_inverse=True)
        sums = [np.zeros(len(instants), np.int64) for _ in range(2)]
        np.add.at(sums[0], place, balance)
        np.add.at(sums[1], place, used)
        return _in_use_frame({}, instants, sums[0], sums[1])
    assert by == "account", "liquidity in use is for all accounts or for each"
    order = np.lexsort((time, member))
    return _in_use_frame(
        {"account": [labels[code] for code in np.repeat(member[order], 2)]}, time[order], balance[order], used[order]
    )


def _openings(accounts: Accounts, series: Columns) -> tuple[IntArray, Any]:
    """Opening balance and account number of every sample; -1 for scopes that are no selected account."""
    labels = accounts.whole.codes("account").labels
    number_of = {label: number for number, label in enumerate(labels)}
    scope = series.codes("scope")
    member = np.array([number_of.get(label, -1) for label in scope.labels] + [-1])[scope.codes]
    date = accounts.numbers("date")
    days = np.unique(np.concatenate((date, series.numbers("date"))))
    opening = np.zeros((len(days), len(labels) + 1), np.int64)
    chosen = np.zeros((len(days), len(labels) + 1), np.bool_)
    cell = (np.searchsorted(days, date), accounts.codes("account").codes)
    opening[cell] = accounts.numbers("opening_fen")
    chosen[cell] = accounts.participant
    day = np.searchsorted(days, series.numbers("date"))
    return opening[day, member], np.where(chosen[day, member], member, -1)


def _in_use_frame(labels: dict[str, Any], time: IntArray, balance: IntArray, used: IntArray) -> pd.DataFrame:
    count = len(time)
    return pd.DataFrame(
        {
            **labels,
            "time_ms": np.repeat(time, 2),
            "measure": ["balance", "in_use"] * count,
            "value": np.stack((balance, used), axis=1).ravel(),
            "unit": ["fen"] * (2 * count),
        }
    )
