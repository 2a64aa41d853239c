"""The past of a run: what its tables and its message log tell of the time before an instant, and nothing later.

A fork plays the past again, so that both must tell the same of it. Only what no later event can change counts: of a
payment that still waits, not what became of it; of a settled one that is sent back later, not its later status; of a
business date, its accounts only once it has ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.audit.digest import TableDigest
from cnaps_sim.run.columns import schema
from cnaps_sim.run.message_log import FIRST_SEAL, read_log
from cnaps_sim.run.store import Run, groups_of
from cnaps_sim.scenario.rules import Detail
from cnaps_sim.scenario.workload import RETAIL_SYSTEMS
from cnaps_sim.systems.mail import LOST
from cnaps_sim.words.codes import Status, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock

#: The tables that a run keeps beside its payments, by how much of HVPS it records.
_ALWAYS: Final = ("events", "matchings", "rounds")
_KEPT: Final = {
    Detail.PAYMENTS: ("transfers", *_ALWAYS, "series", "accounts"),
    Detail.ACCOUNTS: (*_ALWAYS, "series", "accounts"),
    Detail.TOTALS: _ALWAYS,
}
#: Columns of a payment by what fixes them: its instruction; each of these instants; its posting; its netting; its end.
_TOLD: Final = ("payment_id", "system", "debtor", "creditor", "on_behalf_of", "amount_fen", "type", "instructed_ms")
_INSTANTS: Final = ("submitted_ms", "netted_ms", "settled_ms")
_OF_END: Final = ("ended_ms", "status", "reason", "reason_iso")
#: Statuses of what has settled for good, until it is sent back: the instants say as much.
_FINAL: Final = (Status.PR03.value, Status.PR04.value)
#: Columns of rounds and matchings that only the later one of their two instants fixes.
_LATE: Final = {"rounds": ("settled_ms",), "matchings": ("settled_ms", "settled", "settled_fen", "accounts")}


def check_past(original: Run, repeated: Run, at_ms: int) -> None:
    """InputError if a table or the message log of the repeated run tells another past than the original's."""
    before, after = past_of(original, at_ms), past_of(repeated, at_ms)
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            version = original.manifest.get("version")
            problem = f"{name} until {format_clock(at_ms)} is not what playing it again gives"
            raise InputError("fork", str(original.folder or ""), problem, f"version {version}", "cnaps-sim verify")


def past_of(run: Run, at_ms: int) -> dict[str, str]:
    """The digest of what each table that the run keeps, and its message log, tell of the time before an instant."""
    record = run.scenario.get("record") or {}
    detail = Detail(record.get(System.HVPS.value, Detail.PAYMENTS))
    told = {f"the table {name}": _digest(iter([_PAST[name](run, at_ms)])) for name in _KEPT[detail]}
    of_retail = [record.get(system.value, Detail.TOTALS) for system in RETAIL_SYSTEMS]
    if Detail.PAYMENTS in (detail, *of_retail):
        told["the table payments"] = _digest(_past_payments(part, at_ms) for part in _payment_parts(run))
    if run.messages_folder is not None:
        told["the message log"] = _past_messages(run.messages_folder, at_ms)
    return told


def _digest(parts: Iterator[pa.Table]) -> str:
    digest = TableDigest()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _past_rows(name: str) -> Callable[[Run, int], pa.Table]:
    """The rows of a table that came before the instant."""

    def past(run: Run, at_ms: int) -> pa.Table:
        table = run.table(name)
        return table.filter(pc.less(table["time_ms"], at_ms))

    return past


def _past_rounds(run: Run, at_ms: int) -> pa.Table:
    """Rounds closed by then, and what had become of their nets."""
    rounds = _past_rows("rounds")(run, at_ms)
    return _blanked(rounds, at_ms, {"sent_ms": ("sent_ms",), "settled_ms": _LATE["rounds"]})


def _past_matchings(run: Run, at_ms: int) -> pa.Table:
    """Matchings begun by then, and what they had settled."""
    return _blanked(_past_rows("matchings")(run, at_ms), at_ms, {"settled_ms": _LATE["matchings"]})


def _past_accounts(run: Run, at_ms: int) -> pa.Table:
    """The accounts of the business dates that had ended."""
    table = run.table("accounts")
    ended = [day["date"] for day in run.manifest["timetable"] if day["window_end_ms"] < at_ms]
    return table.filter(pc.is_in(table["date"], pa.array([dt.date.fromisoformat(date) for date in ended], pa.date32())))


_PAST: Final[dict[str, Callable[[Run, int], pa.Table]]] = {
    **{name: _past_rows(name) for name in ("transfers", "events", "series")},
    "rounds": _past_rounds,
    "matchings": _past_matchings,
    "accounts": _past_accounts,
}


def _blanked(table: pa.Table, at_ms: int, columns_of: dict[str, tuple[str, ...]]) -> pa.Table:
    """A table with the columns that an instant fixes null where that instant had not come."""
    for instant, names in columns_of.items():
        had_come = pc.fill_null(pc.less(table[instant], at_ms), False)
        for name in names:
            table = table.set_column(table.column_names.index(name), name, _where(had_come, table[name]))
    return table


def _where(chosen: pa.ChunkedArray, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column with null where it is not chosen; text keeps its dictionary."""
    column = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
    return pc.if_else(chosen, column, pa.scalar(None, column.type))


# payments -----------------------------------------------------------------------------------------------------


def _payment_parts(run: Run) -> Iterator[pa.Table]:
    """The table of payments as the run keeps it, part by part; a run just played holds it beside its other tables."""
    kept = run.recorded_payments
    if kept is None:
        return run.batches("payments")
    return iter([kept.table]) if kept.file is None else groups_of(kept.file.path)


def _past_payments(payments: pa.Table, at_ms: int) -> pa.Table:
    """Payments instructed before an instant as they stood then: what came later is null, and so is their sequence."""
    known = payments.filter(pc.less(payments["instructed_ms"], at_ms))
    columns: dict[str, Any] = {name: known[name] for name in _TOLD}
    for name in _INSTANTS:
        columns[name] = _where(_had_come(known[name], at_ms), known[name])
    netted, settled = _had_come(known["netted_ms"], at_ms), _had_come(known["settled_ms"], at_ms)
    columns["round"] = _where(netted, known["round"])
    columns["released_by"] = _where(pc.or_(netted, settled), known["released_by"])
    is_final = pc.is_in(known["status"].cast(pa.string()), pa.array(_FINAL))
    has_end = pc.and_not(_had_come(known["ended_ms"], at_ms), is_final)
    for name in _OF_END:
        columns[name] = _where(has_end, known[name])
    wanted = schema("payments")
    arrays = [columns.get(item.name, pa.nulls(known.num_rows, item.type)) for item in wanted]
    return pa.table(arrays, schema=wanted)


def _had_come(instants: pa.ChunkedArray, at_ms: int) -> pa.ChunkedArray:
    return pc.fill_null(pc.less(instants, at_ms), False)


# messages -----------------------------------------------------------------------------------------------------


def _past_messages(folder: Path, at_ms: int) -> str:
    """The seal of the chain that the passages known before the instant make: arrived by then, or sent and lost."""
    seal = FIRST_SEAL
    for _, record, _ in read_log(folder):
        arrived = record.received_ms is not None and record.received_ms < at_ms
        lost = record.received_ms is None and record.sent_ms < at_ms and record.verdict == LOST
        if arrived or lost:
            seal = record.seal(seal)
    return seal.hex()
