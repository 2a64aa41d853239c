"""Netting rounds (轧差场次): how much was netted into how little, and how the nets passed the settlement queue."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    as_date,
    columns_of,
    remembered,
)
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, group, number, ratios, tidy, total
from cnaps_sim.words.errors import InputError

#: Names by which rounds are grouped.
ROUND_GROUPS: Final = {name: name for name in ("round", "date", "kind", "time_ms")}


class Rounds(Columns):
    """One row per round, from the manifest: also of the rounds that left no net."""

    @cached_property
    def gross(self) -> IntArray:
        """Value netted since the round before, BEPS and IBPS together, fen."""
        return self.numbers("gross_fen")


class Nets(Columns):
    """Columns of the rounds table: one row per round and participant with a net."""

    @cached_property
    def net(self) -> IntArray:
        """Net, positive if it is to be received, fen."""
        return self.numbers("net_fen")

    @cached_property
    def sent(self) -> IntArray:
        """When it was handed to SAPS, ms; `NONE` if it never was."""
        return self.numbers("sent_ms")

    @cached_property
    def settled(self) -> IntArray:
        """When SAPS posted it, ms; `NONE` if it never did."""
        return self.numbers("settled_ms")

    @cached_property
    def waited(self) -> BoolArray:
        """Did it wait at level 4 of its payer's settlement queue, for longer than an instant?"""
        return (self.sent != NONE) & ((self.settled == NONE) | (self.settled > self.sent))


def has_rounds(run: Any) -> bool:
    """Did BEPS or IBPS clear in this run?"""
    return bool(run.manifest.get("rounds"))


def rounds_of(run: Run, where: Where = None) -> Rounds:
    """The rounds of a run, narrowed by `where`. InputError if the run has no retail clearing."""
    told = run.manifest.get("rounds")
    if told is None:
        raise InputError("run", "rounds", "has no netting rounds", "", "a run whose workload has BEPS or IBPS")
    kept = getattr(run, "kept_columns", {})
    if "rounds:all" not in kept:
        kept["rounds:all"] = Rounds("rounds", _table(told))
    whole: Rounds = kept["rounds:all"]
    return whole.narrow(where, whole.table.to_pandas)


def _table(told: list[dict[str, Any]]) -> pa.Table:
    def whole(key: str) -> pa.Array:
        return pa.array([each[key] for each in told], pa.int64())

    def netted(key: str) -> pa.Array:
        return pa.array([sum(part[key] for part in each["netted"].values()) for each in told], pa.int64())

    return pa.table(
        {
            "date": pa.array([as_date(each["date"]) for each in told], pa.date32()),
            "round": whole("round"),
            "time_ms": whole("time_ms"),
            "kind": pa.array([each["kind"] for each in told], pa.string()).dictionary_encode(),
            "sent_ms": whole("sent_ms"),
            "netted_count": netted("count"),
            "gross_fen": netted("value_fen"),
        }
    )


def nets_of(run: Run, rounds: Rounds) -> tuple[Nets, IntArray]:
    """The nets of these rounds, and the row of each one's round among them."""
    nets = columns_of(run, "rounds", Nets)
    numbers = rounds.numbers("round")
    order = np.argsort(numbers)
    place = np.searchsorted(numbers[order], nets.numbers("round"))
    of = np.append(order, -1)[np.minimum(place, len(order))]
    mine = (of >= 0) & (np.append(numbers, NONE)[of] == nets.numbers("round"))
    if mine.all():
        return nets, of
    rows = np.flatnonzero(mine)
    return Nets("rounds", nets.table, rows, nets), of[rows]


def netting(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """How much value the netting server (轧差服务器) cleared with how little money.

    Grouped by round (its number), date (retail date), kind or time_ms. `rounds`; `netted_count` (payments) and
    `gross` (fen): items netted and their value G; `nets` (fen): N, the sum of what the participants are to receive,
    equal to what they are to pay, over the rounds of the group; `netting_ratio`: N / G; `liquidity_efficiency`:
    1 - N / G, the share of the value that was cleared without money in SAPS; `nets_as_one` (fen): N if the rounds of
    the group had been one, sum over participants of max(0, sum of their nets). Ratios are null where nothing was
    netted. A run with retail clearing; items need not have been recorded.
    Source: netting ratio as in CPSS, Real-time gross settlement systems (1997); efficiency is what it leaves.
    """
    run = remembered(run)
    rounds = rounds_of(run, where)
    groups = group(rounds, by, ROUND_GROUPS)
    nets, of = nets_of(run, rounds)
    member = groups._replace(group=groups.group[of])
    gross = total(groups, rounds.gross).tolist()
    net = total(member, nets.net, nets.net > 0).tolist()
    shares = ratios(net, gross)
    return tidy(
        groups,
        [
            Measure("rounds", "rounds", number(groups)),
            Measure("netted_count", "payments", total(groups, rounds.numbers("netted_count"))),
            Measure("gross", "fen", gross),
            Measure("nets", "fen", net),
            Measure("netting_ratio", "ratio", shares),
            Measure("liquidity_efficiency", "ratio", [None if share is None else 1 - share for share in shares]),
            Measure("nets_as_one", "fen", _as_one(member, nets)),
        ],
    )


def _as_one(member: Groups, nets: Nets) -> list[int]:
    """Sum over participants of max(0, sum of their nets in the group), per group."""
    account = nets.codes("participant")
    width = len(account.labels)
    sums = np.zeros(member.size * width, np.int64)
    np.add.at(sums, member.group * width + account.codes, nets.net)
    found: list[int] = np.maximum(sums, 0).reshape(member.size, width).sum(axis=1).tolist()
    return found


def rounds(run: Run, *, by: By = "round", where: Where = None) -> pd.DataFrame:
    """The rounds and the journey of their nets (轧差净额) through SAPS.

    Grouped by round (its number), date (retail date), kind or time_ms; everything in one group with `by=None`.
    `participants`, `payers`: accounts with a net, and with one to be paid, each once a group; `nets` (fen): sum of the
    positive nets; `closed_at`, `sent_at`, `settled_at` (ms of the run): the round, the instant at which its nets were
    handed to SAPS, and the posting of the last one; of several rounds the latest; null where there is none. `held`
    (ms): from round to sending, the longest; `journey` (ms): from round to the last posting, the longest.
    `waited_count` (nets), `waited_fen`: nets that waited at level 4 of their payer's settlement queue; `longest_wait`
    (ms): from sending to posting, 0 if none waited; `unsettled_count` (nets), `unsettled_fen`: not posted when the run
    ended, the payers' part. Creditors' nets are posted on receipt, whatever the debtors' do. Source: rule section "the
    settlement queue" (round nets).
    """
    run = remembered(run)
    found = rounds_of(run, where)
    groups = group(found, by, ROUND_GROUPS)
    nets, of = nets_of(run, found)
    member = groups._replace(group=groups.group[of])
    owed, sizes = nets.net < 0, np.abs(nets.net)
    posted = nets.settled != NONE
    closed, sent = found.numbers("time_ms"), found.numbers("sent_ms")
    wait = np.where(nets.waited & posted, nets.settled - nets.sent, 0)
    unposted = owed & ~posted
    return tidy(
        groups,
        [
            Measure("participants", "accounts", _accounts(member, nets, nets.net != 0)),
            Measure("payers", "accounts", _accounts(member, nets, owed)),
            Measure("nets", "fen", total(member, nets.net, nets.net > 0)),
            Measure("closed_at", "ms", _latest(groups, closed)),
            Measure("sent_at", "ms", _latest(groups, sent, sent != NONE)),
            Measure("settled_at", "ms", _latest(member, nets.settled, posted)),
            Measure("held", "ms", _latest(groups, sent - closed, sent != NONE)),
            Measure("journey", "ms", _latest(member, nets.settled - closed[of], posted)),
            Measure("waited_count", "nets", number(member, nets.waited & owed)),
            Measure("waited_fen", "fen", total(member, sizes, nets.waited & owed)),
            Measure("longest_wait", "ms", [value or 0 for value in _latest(member, wait)]),
            Measure("unsettled_count", "nets", number(member, unposted)),
            Measure("unsettled_fen", "fen", total(member, sizes, unposted)),
        ],
    )


def _accounts(member: Groups, nets: Nets, mask: BoolArray) -> IntArray:
    """How many different accounts have one of these nets, per group."""
    account = nets.codes("participant")
    pairs = np.unique(member.group[mask] * len(account.labels) + account.codes[mask])
    return np.bincount(pairs // max(1, len(account.labels)), minlength=member.size).astype(np.int64)


def _latest(groups: Groups, times: IntArray, mask: BoolArray | None = None) -> list[int | None]:
    """The largest of some times per group; null for a group without one."""
    latest = np.full(groups.size, NONE, np.int64)
    rows = slice(None) if mask is None else np.flatnonzero(mask)
    np.maximum.at(latest, groups.group[rows], times[rows])
    return [None if value == NONE else value for value in latest.tolist()]
