"""What a story is read from: result tables that make sense, and the events of a run by subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import Codes, Columns, Run, as_date, columns_of, has_table, table_of
from cnaps_sim.analysis.metrics.payments import timetable_of
from cnaps_sim.words.codes import Level, Phase, Status, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.tables import TABLES, Column
from cnaps_sim.words.units import MAX_DURATION_MS, MAX_FEN

_Range = tuple[int, int]
_AMOUNT: Final[_Range] = (1, MAX_FEN)
_TIME: Final[_Range] = (-MAX_DURATION_MS, MAX_DURATION_MS)
#: Balances may be sums of many amounts, but stay far from the end of int64.
_BALANCE: Final[_Range] = (-(4 * 10**18), 4 * 10**18)
#: Smallest and largest value that makes sense, by table and column.
_RANGES: Final[dict[str, dict[str, _Range]]] = {
    "payments": {
        "amount_fen": _AMOUNT,
        "level": (int(min(Level)), int(max(Level))),
        **dict.fromkeys(("instructed_ms", "submitted_ms", "due_ms", "netted_ms", "settled_ms", "ended_ms"), _TIME),
    },
    "transfers": {"amount_fen": _AMOUNT, "time_ms": _TIME},
    "accounts": dict.fromkeys(("opening_fen", "closing_fen", "lowest_fen", "min_available_fen"), _BALANCE),
    "matchings": {"time_ms": _TIME, "settled_ms": _TIME, "settled_fen": (0, 4 * 10**18)},
    "events": {"time_ms": _TIME},
}
_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "i64": pa.types.is_integer,
    "i8": pa.types.is_integer,
    "date": pa.types.is_date32,
}


class Event(NamedTuple):
    """One event of a run; time in ms of the run."""

    time: int
    kind: str
    subject: str
    detail: str


def check_tables(run: Run) -> None:
    """InputError if a table that a story is read from lacks a column or holds a value that makes no sense."""
    if table_of(run, "payments").num_rows == 0 and not run.manifest.get("outcomes"):
        raise InputError("run", "payments", "there is no payment to tell of", "", "a run with payments")
    for name in _RANGES:
        if has_table(run, name):
            _check_table(name, run.table(name))


def _check_table(name: str, table: Any) -> None:
    for column in TABLES[name]:
        if column.name not in table.column_names:
            raise InputError("table", name, "has no such column", column.name, "a column of each documented name")
        values = table.column(column.name)
        if not _fits(values.type, column):
            raise InputError("table", f"{name}.{column.name}", "is of another type than documented", values.type)
        if column.required and values.null_count:
            raise InputError("table", f"{name}.{column.name}", "lacks a value in a row", "", "a value in every row")
    for key, (low, high) in _RANGES[name].items():
        ends = pc.min_max(table.column(key)).as_py()
        for value in ends.values():  # null where every row is
            if value is not None and not low <= value <= high:
                raise InputError("table", f"{name}.{key}", "is out of range", value, f"{low} to {high}")
    if name == "payments":
        unknown = set(pc.unique(table.column("status")).to_pylist()) - {status.value for status in Status}
        if unknown:
            raise InputError("table", "payments.status", "no such status", min(unknown), ", ".join(Status))


def _fits(kind: Any, column: Column) -> bool:
    if column.kind in _KINDS:
        return _KINDS[column.kind](kind)
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


def is_label(column: Codes, label: str) -> Any:
    """Which rows of a coded column hold the label."""
    if label not in column.labels:
        return np.zeros(len(column.codes), np.bool_)
    return column.codes == column.labels.index(label)


def day_of_payment(run: Run, date: object) -> dict[str, Any]:
    """Opening, cut-off and scheduled end of the window of a business date. InputError if the run has no such date."""
    for day in timetable_of(run):
        if as_date(day["date"]) == as_date(date):
            return day
    raise InputError("manifest.json", "timetable", "does not know a business date of the run", date)


class Told:
    """The events of a run, looked up by subject or by the beginning of their words."""

    def __init__(self, run: Run) -> None:
        self._events = columns_of(run, "events", Columns) if has_table(run, "events") else None

    def about(self, subject: str, kinds: Sequence[str] = ("action",)) -> list[Event]:
        """Events about a subject, in order."""
        if self._events is None:
            return []
        return self._read(np.flatnonzero(is_label(self._events.codes("subject"), subject)), kinds)

    def beginning(self, words: str | tuple[str, ...], kinds: Sequence[str] = ("action",)) -> list[Event]:
        """Events whose detail begins with these words, or with one of them, in order."""
        if self._events is None:
            return []
        detail = self._events.codes("detail")
        wanted = np.array([(label or "").startswith(words) for label in detail.labels] + [False], np.bool_)
        return self._read(np.flatnonzero(wanted[detail.codes]), kinds)

    def phase(self, time: int) -> tuple[Phase, bool] | None:
        """Phase of HVPS at an instant, and whether it is a special session; None if no event tells.

        A change of phase comes before the arrivals of its instant.
        """
        seen = [event for event in self.about(System.HVPS, ("phase",)) if event.time <= time]
        if not seen or not seen[-1].detail[:2].isdigit() or int(seen[-1].detail[:2]) not in list(Phase):
            return None
        return Phase(int(seen[-1].detail[:2])), "special session" in seen[-1].detail

    def _read(self, rows: Any, kinds: Sequence[str]) -> list[Event]:
        assert self._events is not None
        rows = rows[np.lexsort((rows, self._events.numbers("time_ms")[rows]))]
        taken = self._events.table.take(pa.array(rows))
        columns = [taken.column(name).to_pylist() for name in ("time_ms", "kind", "subject", "detail")]
        return [Event(*values) for values in zip(*columns, strict=True) if values[1] in kinds]
