"""Tables of retail clearing but for the payments: rounds, and the series of positions, headroom and outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import Records
from cnaps_sim.engine.netting_recorder import NettingRecorder, NettingSample
from cnaps_sim.run.columns import Array, build, nullable, text
from cnaps_sim.run.retail.fates import is_open
from cnaps_sim.words.codes import Act, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay, RoundKind

_EPOCH: Final = dt.date(1970, 1, 1)
_SYSTEMS: Final = (System.BEPS, System.IBPS)
_REJECTED: Final = (Act.REFUSED, Act.EXPIRED)


def retail_dates_of(days: Sequence[RetailDay], index: Array) -> pa.Array:
    """date32 of each retail-date index."""
    since = np.array([(day.date - _EPOCH).days for day in days], np.int32)
    return pa.array(since[index], pa.int32()).cast(pa.date32())


def rounds_table(recorder: NettingRecorder, accounts: Sequence[str], days: Sequence[RetailDay]) -> pa.Table:
    """One row per round and participant with a net, rounds in order; a round without nets has none."""
    rounds = recorder.rounds
    rows = [np.flatnonzero(each.nets) for each in rounds]
    repeat = np.repeat(np.arange(len(rounds)), [len(part) for part in rows])
    participant = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    kinds = list(RoundKind)

    def of_round(values: Sequence[Any]) -> Array:
        return np.array(values, np.int64)[repeat]

    def of_participant(columns: Sequence[Array]) -> Array:
        parts = [column[part] for column, part in zip(columns, rows, strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    never = np.int64(-(2**63))
    return build(
        "rounds",
        {
            "date": retail_dates_of(days, of_round([each.date_index for each in rounds])),
            "round": of_round([each.number for each in rounds]),
            "time_ms": of_round([each.time_ms for each in rounds]),
            "kind": text(of_round([kinds.index(each.kind) for each in rounds]), kinds),
            "participant": text(participant, accounts),
            "net_fen": of_participant([each.nets for each in rounds]),
            "sent_ms": nullable(of_round([never if each.sent_ms is None else each.sent_ms for each in rounds])),
            "settled_ms": nullable(of_participant([each.settled_ms for each in rounds])),
        },
    )


def retail_series(
    recorder: NettingRecorder, accounts: Sequence[str], days: Sequence[RetailDay], late: Records
) -> pa.Table:
    """One row per sample, scope and measure: positions and headroom, outcomes of the retail date so far, cap queues.

    late: `retail.fates.LATE` records; such a unit counts as rejected from the instant on at which it expires
    """
    samples = recorder.samples
    count = len(accounts)
    scopes = [*accounts, *(system.value for system in _SYSTEMS), System.NETS.value]
    measures = [
        "position_fen", "headroom_fen", "netted_fen", "netted_count", "rejected_count", "queued_fen", "queued_count"
    ]  # fmt: skip
    per_sample = 2 * count + 3 * len(_SYSTEMS) + 2
    scope = np.concatenate(
        [np.tile(np.arange(count), 2), np.repeat(count + np.arange(len(_SYSTEMS)), 3), np.full(2, count + 2)]
    )
    measure = np.concatenate([np.repeat([0, 1], count), np.tile([2, 3, 4], len(_SYSTEMS)), [5, 6]])
    times = np.array([sample.time_ms for sample in samples], np.int64)
    ends = np.array([day.ends_ms for day in days], np.int64)
    index = np.minimum(np.searchsorted(ends, times, side="left"), len(days) - 1)
    value = np.empty((len(samples), per_sample), np.int64)
    come = [_outcomes(sample, late) for sample in samples]
    before = np.zeros(3 * len(_SYSTEMS), np.int64)
    for number, sample in enumerate(samples):
        if number and index[number] != index[number - 1]:
            before = come[number - 1]
        value[number, :count] = sample.position_fen[:count]
        value[number, count : 2 * count] = sample.headroom_fen[:count]
        value[number, 2 * count :] = [*(come[number] - before), sample.waiting_fen, sample.waiting_count]
    return build(
        "series",
        {
            "date": retail_dates_of(days, np.repeat(index, per_sample)),
            "time_ms": np.repeat(times, per_sample),
            "scope": text(np.tile(scope, len(samples)), scopes),
            "measure": text(np.tile(measure, len(samples)), measures),
            "value": value.ravel(),
        },
    )


def _outcomes(sample: NettingSample, late: Records) -> Array:
    """Of each system what was netted (fen, items) and rejected (items) since the run began."""
    pending = late[(late["decided_ms"] <= sample.time_ms) & ((late["ended_ms"] > sample.time_ms) | is_open(late))]
    told = []
    for system in _SYSTEMS:
        kinds = [int(kind) for kind in RetailKind if kind.system is system]

        def come(field: str, acts: Sequence[Act], kinds: list[int] = kinds) -> int:
            return int(sample.tallies[field][np.ix_(kinds, [int(act) for act in acts])].sum())

        not_yet = int(pending["items"][np.isin(pending["kind"], kinds)].sum())
        told += [come("fen", (Act.NETTED,)), come("items", (Act.NETTED,)), come("items", _REJECTED) - not_yet]
    return np.array(told, np.int64)


def merged_series(of_accounts: pa.Table, of_netting: pa.Table) -> pa.Table:
    """Both series in one, by time; of one instant the settlement accounts first."""
    whole = pa.concat_tables([of_accounts, of_netting]).unify_dictionaries().combine_chunks()
    order = np.argsort(whole["time_ms"].to_numpy(), kind="stable")
    return whole.take(pa.array(order))
