"""Results: the log of the books becomes the result tables of `words.tables`, column by column.

Nothing is decided here; a payment's story is read off the log. Tables are Arrow tables with int64 fen and ms,
dictionary-encoded text and plain ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import NOBODY, Records
from cnaps_sim.engine.recorder import DayClose, Recorder
from cnaps_sim.run.columns import ARROW_TYPES, NEVER, Array, build, nullable, text
from cnaps_sim.run.fates import STATUS_OF_ACT, Fates, Instructions
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import (
    HVPS_LEVELS,
    MATCHING_CAUSE,
    AccountStatus,
    Act,
    Cause,
    Life,
    Priority,
    Refusal,
    Status,
    System,
    TransferKind,
    matching_number,
)
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.flow import Flow


@dataclass(frozen=True)
class Directory:
    """Who owns which account row: parallel lists, the central bank's own accounts last."""

    accounts: list[str]
    names: Sequence[str | None]
    kinds: Sequence[str | None]
    owners: list[str]


def _statuses(fates: Fates, recorder: Recorder) -> pa.DictionaryArray:
    words = [Status.PR12, Status.PR04, Status.PR09, Status.PR08, Status.PR22, Status.PR23]
    codes = np.zeros(len(fates.act), np.int8)
    for act, status in STATUS_OF_ACT.items():
        codes[fates.act == act] = words.index(status)
    for booking in recorder.bookings:
        if booking.original is not None and fates.act[booking.sequence] == Act.SETTLED:
            sent_back = booking.type == BusinessType.RETURN.code
            codes[booking.original] = words.index(Status.PR23 if sent_back else Status.PR22)
    return text(codes, words)


def _released_by(fates: Fates, ids: pa.Array) -> pa.DictionaryArray:
    """What released each payment, in words: a payment's id, a matching and its number, or the word of a cause."""
    causes, codes = np.unique(fates.cause, return_inverse=True)
    words: list[str] = []
    by_payment = ids.take(pa.array(np.maximum(causes, 0))).to_pylist() if len(ids) else []
    for cause, name in zip(causes.tolist(), by_payment, strict=True):
        if cause <= MATCHING_CAUSE:
            words.append(f"matching:{matching_number(cause)}")
        else:
            words.append(name if cause >= 0 else Cause(cause).word or "")
    return text(codes, words, mask=fates.cause == int(Cause.NONE))


def _types(flow: Flow, recorder: Recorder) -> pa.DictionaryArray:
    words = list(flow.types)
    for booking in recorder.bookings:
        if booking.type is not None and booking.type not in words:
            words.append(booking.type)
    codes = np.full(recorder.sequences, -1, np.int32)
    codes[: len(flow.type_index)] = flow.type_index
    for booking in recorder.bookings:
        if booking.type is not None:
            codes[booking.sequence] = words.index(booking.type)
    return text(np.maximum(codes, 0), words or [""], mask=codes < 0)


def _padded(column: pa.Array | None, missing: int, kind: pa.DataType) -> pa.Array | None:
    """A column of the workload, null for the central bank's bookings."""
    if column is None:
        return None
    column = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    joined = pa.concat_arrays([column, pa.nulls(missing, column.type)])
    return joined.dictionary_encode() if pa.types.is_dictionary(kind) else joined


def dates_of(timetable: Timetable, index: Array) -> pa.Array:
    """date32 of each business-date index."""
    epoch = dt.date(1970, 1, 1)
    days = np.array([(day.date - epoch).days for day in timetable.business_days], np.int32)
    return pa.array(days[index], pa.int32()).cast(pa.date32())


def payments_table(
    told: Instructions, fates: Fates, flow: Flow, recorder: Recorder, directory: Directory, timetable: Timetable
) -> pa.Table:
    """One row per payment, the central bank's own items included, by (date, sequence)."""
    bookings = recorder.sequences - len(flow)
    is_hvps = np.isin(fates.level, [int(level) for level in HVPS_LEVELS])
    priorities = [Priority.NORM, Priority.HIGH, Priority.URGT]
    priority_code = np.zeros(len(is_hvps), np.int8)
    for code, priority in enumerate(priorities):
        priority_code[fates.level == int(priority.level)] = code
    refused = fates.refusal > 0
    reasons = [str(r.reason or "") if r else "" for r in Refusal]
    isos = [r.iso for r in Refusal]
    due = None if flow.due_ms is None else np.concatenate([flow.due_ms, np.full(bookings, NEVER)])
    day = timetable.day_index(told.time_ms)
    columns = {
        "date": dates_of(timetable, day),
        "sequence": np.arange(len(is_hvps)),
        "payment_id": told.payment_ids,
        "system": text((~is_hvps).astype(np.int8), [System.HVPS, System.SAPS]),
        "debtor": text(told.debtor, directory.accounts),
        "creditor": text(told.creditor, directory.accounts),
        "on_behalf_of": _padded(flow.on_behalf_of, bookings, ARROW_TYPES["text"]),
        "amount_fen": told.amount,
        "priority": text(priority_code, priorities, mask=~is_hvps),
        "level": fates.level,
        "type": _types(flow, recorder),
        "instructed_ms": told.time_ms,
        "submitted_ms": nullable(fates.submitted_ms),
        "due_ms": None if due is None else nullable(due),
        "settled_ms": nullable(fates.settled_ms),
        "ended_ms": nullable(fates.ended_ms),
        "status": _statuses(fates, recorder),
        "reason": text(fates.refusal, reasons, mask=~refused),
        "reason_iso": text(fates.refusal, isos, mask=~refused),
        "released_by": _released_by(fates, told.payment_ids),
    }
    table = build("payments", {name: values for name, values in columns.items() if values is not None})
    order = np.argsort(day, kind="stable")
    keep = order[told.is_item[order]]
    if len(keep) == len(order) and len(timetable.business_days) == 1:
        return table
    return table.take(pa.array(keep))


def transfers_table(
    told: Instructions, fates: Fates, log: Records, directory: Directory, timetable: Timetable
) -> pa.Table:
    """One row per posting, in posting order."""
    rows = np.flatnonzero(np.ascontiguousarray(log["act"]) == Act.SETTLED)
    sequence, time_ms, cause = log["sequence"][rows], log["time_ms"][rows], log["cause"][rows]
    in_queue = told.is_item[sequence]
    day = np.asarray(timetable.day_index(time_ms))
    return build(
        "transfers",
        {
            "date": dates_of(timetable, close_day(day, time_ms, timetable)),
            "sequence": np.arange(len(rows)),
            "time_ms": time_ms,
            "debtor": text(told.debtor[sequence], directory.accounts),
            "creditor": text(told.creditor[sequence], directory.accounts),
            "amount_fen": told.amount[sequence],
            "level": pa.array(fates.level[sequence], mask=~in_queue),
            "kind": text(told.kind[sequence], list(TransferKind)),
            "payment_id": told.payment_ids.take(pa.array(sequence)),
            "for_payment": _covered_ids(told, sequence),
            "matching": pa.array(MATCHING_CAUSE - cause.astype(np.int64), mask=cause > MATCHING_CAUSE),
        },
    )


def _covered_ids(told: Instructions, sequence: Array) -> pa.Array:
    """The payment for which a rescue or a pledge loan was made; of its repayment and interest that of the loan."""
    covered = told.for_sequence[sequence]
    covered = np.where(covered == NOBODY, covered, np.where(told.is_item[covered], covered, told.for_sequence[covered]))
    return told.payment_ids.take(pa.array(covered, mask=covered == NOBODY))


def close_day(day: Array, time_ms: Array, timetable: Timetable) -> Array:
    """Closing acts at the very end of the window belong to the date that ends, not to the next one."""
    ends = np.array([d.window_end_ms for d in timetable.business_days])
    at_end = (day > 0) & (time_ms == ends[np.maximum(day - 1, 0)])
    return day - at_end


def account_status(record: Records) -> AccountStatus:
    """One status code for an account: controls show where its life is ordinary."""
    life = Life(int(record["life"]))
    if life == Life.OPEN and record["debit_control"]:
        return AccountStatus.AS04
    if life == Life.OPEN and record["credit_control"]:
        return AccountStatus.AS05
    return AccountStatus(f"AS{int(life):02d}")


def accounts_table(closes: Sequence[DayClose], opening: Array, directory: Directory, timetable: Timetable) -> pa.Table:
    """One row per account and business date."""
    count = len(directory.accounts)
    days = len(closes)
    openings = [opening, *[close.accounts["balance"] for close in closes[:-1]]][:days]

    def over_days(name: str) -> Array:
        return np.concatenate([close.accounts[name] for close in closes]) if closes else np.zeros(0, np.int64)

    lowest = over_days("lowest_balance")
    central = over_days("central_bank").astype(np.bool_)
    statuses = list(AccountStatus)
    codes = [statuses.index(account_status(record)) for close in closes for record in close.accounts]
    return build(
        "accounts",
        {
            "date": dates_of(timetable, np.repeat(np.arange(days), count)),
            "account": directory.accounts * days,
            "name": pa.array(list(directory.names) * days, pa.string()).dictionary_encode(),
            "kind": pa.array(list(directory.kinds) * days, pa.string()).dictionary_encode(),
            "owner": pa.array(directory.owners * days, pa.string()).dictionary_encode(),
            "opening_fen": np.concatenate(openings) if openings else np.zeros(0, np.int64),
            "closing_fen": over_days("balance"),
            "lowest_fen": lowest,
            "min_available_fen": pa.array(over_days("lowest_available"), mask=central),
            "peak_overdraft_fen": np.maximum(0, -lowest),
            "peak_pledge_fen": over_days("peak_pledged"),
            "penalty_loan_fen": _joined([close.penalty_fen for close in closes]),
            "overdraft_interest_fen": _joined([close.interest_fen for close in closes]),
            "sent_fen": over_days("sent"),
            "received_fen": over_days("received"),
            "sent_count": over_days("sent_count"),
            "received_count": over_days("received_count"),
            "status": text(np.array(codes, np.int32), statuses),
        },
    )


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def series_table(
    recorder: Recorder, told: Instructions, fates: Fates, directory: Directory, timetable: Timetable
) -> pa.Table:
    """One row per sample, scope and measure: accounts' balances and queues, and each system's totals."""
    samples = recorder.samples
    times = np.array([sample.time_ms for sample in samples], np.int64)
    count = len(directory.accounts)
    scopes = [*directory.accounts, System.HVPS.value, System.SAPS.value]
    measures = [
        "balance_fen", "queued_fen", "queued_count", "submitted_fen", "submitted_count", "settled_fen", "settled_count"
    ]  # fmt: skip
    hvps, saps = count, count + 1
    blocks: list[tuple[Array, int, Array]] = []  # (scope of each column, measure, values by sample and column)
    rows = np.arange(count)
    empty = np.zeros((0, count), np.int64)
    blocks.append((rows, 0, np.array([s.balance_fen for s in samples]) if samples else empty))
    blocks.append((rows, 1, np.array([s.queued_fen for s in samples]) if samples else empty))
    both = np.array([hvps, saps])
    blocks.append((both, 1, np.array([[s.hvps_queue[1], s.saps_queue[1]] for s in samples]).reshape(-1, 2)))
    blocks.append((both, 2, np.array([[s.hvps_queue[0], s.saps_queue[0]] for s in samples]).reshape(-1, 2)))
    for measure, values in _cumulated(times, told, fates, timetable).items():
        blocks.append((np.array([hvps]), measures.index(measure), values.reshape(-1, 1)))
    scope = np.concatenate([np.tile(columns, len(times)) for columns, _, _ in blocks])
    measure_code = np.concatenate([np.full(values.size, measure) for _, measure, values in blocks])
    instants = np.concatenate([np.repeat(times, len(columns)) for columns, _, _ in blocks])
    value = np.concatenate([values.ravel() for _, _, values in blocks]).astype(np.int64)
    order = np.argsort(instants, kind="stable")
    day = _sample_days(instants[order], timetable)
    return build(
        "series",
        {
            "date": dates_of(timetable, day),
            "time_ms": instants[order],
            "scope": text(scope[order], scopes),
            "measure": text(measure_code[order], measures),
            "value": value[order],
        },
    )


def _sample_days(times: Array, timetable: Timetable) -> Array:
    """A sample at the very end of a window still belongs to the date that ends."""
    return np.asarray(timetable.day_index(times - 1))


def _cumulated(times: Array, told: Instructions, fates: Fates, timetable: Timetable) -> dict[str, Array]:
    """HVPS payments submitted and settled by each sample instant, cumulated per business date."""
    hvps = np.isin(told.level, [int(level) for level in HVPS_LEVELS]) & told.is_item
    result = {}
    for word, column in (("submitted", fates.submitted_ms), ("settled", fates.settled_ms)):
        chosen = hvps & (column != NEVER)
        at, amount = column[chosen], told.amount[chosen]
        if len(at) and np.any(at[1:] < at[:-1]):
            order = np.argsort(at, kind="stable")
            at, amount = at[order], amount[order]
        total = np.concatenate([[0], np.cumsum(amount)])
        reached = np.searchsorted(at, times, side="right")
        ends = np.array([day.window_end_ms for day in timetable.business_days], np.int64)
        day = _sample_days(times, timetable) if len(times) else np.zeros(0, np.int64)
        before = np.where(day > 0, np.searchsorted(at, ends[np.maximum(day - 1, 0)], side="right"), 0)
        result[f"{word}_fen"] = total[reached] - total[before]
        result[f"{word}_count"] = reached - before
    return result


def matchings_table(recorder: Recorder, timetable: Timetable) -> pa.Table:
    """One row per queue matching (排队撮合), by number."""
    found = recorder.matchings
    times = np.array([matching.time_ms for matching in found], np.int64)
    day = close_day(np.asarray(timetable.day_index(times)), times, timetable)
    columns: dict[str, pa.Array] = {"date": dates_of(timetable, day)}
    for name in ("time_ms", "settled_ms", "considered", "considered_fen", "settled", "settled_fen", "bound_fen"):
        columns[name] = pa.array([getattr(matching, name) for matching in found], pa.int64())
    columns["matching"] = pa.array([matching.number for matching in found], pa.int64())
    columns["accounts"] = pa.array([matching.accounts for matching in found], pa.int64())
    for name in ("trigger", "algorithm"):
        columns[name] = pa.array([getattr(matching, name) for matching in found], pa.string()).dictionary_encode()
    return build("matchings", columns)


def events_table(recorder: Recorder, timetable: Timetable) -> pa.Table:
    """Events in order of time; at one instant in the order in which they were noted."""
    events = sorted(recorder.events, key=lambda event: event.time_ms)
    times = np.array([event.time_ms for event in events], np.int64)
    day = close_day(np.asarray(timetable.day_index(times)), times, timetable)
    return build(
        "events",
        {
            "date": dates_of(timetable, day),
            "sequence": np.arange(len(events)),
            "time_ms": times,
            "kind": pa.array([event.kind for event in events], pa.string()).dictionary_encode(),
            "subject": pa.array([event.subject for event in events], pa.string()).dictionary_encode(),
            "detail": pa.array([event.detail for event in events], pa.string()).dictionary_encode(),
        },
    )
