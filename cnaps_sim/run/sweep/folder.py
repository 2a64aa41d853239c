"""The study folder: study.json and runs.parquet; while it is being played also what is finished, run by run.

A study that is interrupted leaves `finished.jsonl`, one line per run, and goes on from there. When all is done the
table takes its place. A study of which no run was finished leaves nothing. One program at a time writes into a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.run.folder_lock import FolderLock
from cnaps_sim.run.runner import file_sha256
from cnaps_sim.run.store import check_folder, read_table, to_json, write_table
from cnaps_sim.run.sweep.measures import Measured
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.words.errors import InputError

STUDY: Final = "study.json"
RUNS: Final = "runs.parquet"
FINISHED: Final = "finished.jsonl"
#: What `study.json` calls itself.
_KIND: Final = "cnaps-sim study"

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
#: Columns of the table beside those of the keys. A measure is a whole number or a ratio; the other column is null.
#: `value` has either as float64, for programs that want one column: exact up to 2^53.
COLUMNS: Final = (
    ("run", pa.int64()),
    ("point", pa.int64()),
    ("replication", pa.int64()),
    ("system", _TEXT),
    ("measure", _TEXT),
    ("unit", _TEXT),
    ("value", pa.float64()),
    ("whole", pa.int64()),
    ("ratio", pa.float64()),
)
#: Columns that come before those of the keys.
_BEFORE_KEYS: Final = 3


def runs_table(plan: Plan, played: Mapping[int, list[Measured]]) -> pa.Table:
    """One row per run and measure, by run; the same bytes whoever played the runs.

    `run`, `point`, `replication` (from 0); one column per key that varies, int64 or float64 where all its values are
    numbers, else text; `system` (null: HVPS and SAPS together), `measure`, `unit`; `value` (float64: whichever of the
    next two there is), `whole` (int64: payments, fen, ms), `ratio` (float64: ratios and means).
    """
    rows = [(run, each) for run in sorted(played) for each in played[run]]
    runs = [run for run, _ in rows]
    points = [run // plan.replications for run in runs]
    data: dict[str, Any] = {
        "run": runs,
        "point": points,
        "replication": [run % plan.replications for run in runs],
        "system": [each.system for _, each in rows],
        "measure": [each.measure for _, each in rows],
        "unit": [each.unit for _, each in rows],
        "value": [None if each.value is None else float(each.value) for _, each in rows],
        "whole": [each.value if isinstance(each.value, int) else None for _, each in rows],
        "ratio": [each.value if isinstance(each.value, float) else None for _, each in rows],
    }
    fields = {name: pa.array(data[name], kind) for name, kind in COLUMNS if kind is not _TEXT}
    fields |= {name: pa.array(data[name], pa.string()).dictionary_encode() for name, kind in COLUMNS if kind is _TEXT}
    names = [name for name, _ in COLUMNS]
    columns = {name: fields[name] for name in names[:_BEFORE_KEYS]}
    for number, key in enumerate(plan.keys):
        columns[key] = _key_column(plan.labels(number)).take(pa.array(points, pa.int64()))
    columns |= {name: fields[name] for name in names[_BEFORE_KEYS:]}
    return pa.table(columns)


def _key_column(labels: list[str]) -> pa.Array:
    """The value of a key at each point: numbers where all are, else text."""
    for read, kind in ((int, pa.int64()), (float, pa.float64())):
        try:
            return pa.array([read(text) for text in labels], kind)
        except (ValueError, OverflowError):
            continue
    return pa.array(labels, pa.string()).dictionary_encode()


class Keeper:
    """Keeps what has been played of a study, in a folder where one is given.

    place: a new or empty folder, or None
    """

    def __init__(self, plan: Plan, place: Path | None) -> None:
        self.plan = plan
        self.place = place
        self.played: dict[int, list[Measured]] = {}
        self._file: TextIO | None = None
        self._lock: FolderLock | None = None
        #: Folders that were not there before, the study's own first; None for a study that is gone on with.
        self._made: list[Path] | None = None

    def begin(self) -> None:
        """Make the folder. InputError if it holds something or cannot be made."""
        if self.place is None:
            return
        check_new(self.place)
        self._made = [folder for folder in (self.place, *self.place.parents) if not folder.exists()]
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            self._take_lock("out")
            self._write_study(complete=False)
            self._file = (self.place / FINISHED).open("w", encoding="utf-8")
        except BaseException:
            self.close()
            raise

    def go_on(self) -> None:
        """Take over what an interrupted study of the same plan has finished; a line that was torn or changed counts
        for nothing. InputError if another program is at it."""
        assert self.place is not None
        self._take_lock("resume")
        path = self.place / FINISHED
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        self.played |= dict(found for line in lines if (found := self._read(line)) is not None)
        temporary = path.with_suffix(".new")  # written anew, so that no torn line stays in the middle
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(self._line(run, found) for run, found in self.played.items())
        os.replace(temporary, path)
        self._file = path.open("a", encoding="utf-8")

    def _take_lock(self, argument: str) -> None:
        assert self.place is not None
        lock = FolderLock(self.place)
        if not lock.take():
            raise InputError(argument, "", "is being played by another sweep", self.place, "when that one has ended")
        self._lock = lock

    @property
    def missing(self) -> list[int]:
        """Runs that have not been played yet."""
        return [run for run in range(self.plan.runs) if run not in self.played]

    def keep(self, run: int, measured: list[Measured]) -> None:
        """A run is finished."""
        self.played[run] = measured
        if self._file is not None:
            self._file.write(self._line(run, measured))
            self._file.flush()

    def finish(self) -> pa.Table:
        """All runs are finished: returns the table, and leaves a complete folder."""
        table = runs_table(self.plan, self.played)
        if self.place is not None:
            temporary = self.place / f".{RUNS}"
            write_table(table, temporary)
            os.replace(temporary, self.place / RUNS)
            self._write_study(complete=True)
            self._close_file()
            (self.place / FINISHED).unlink(missing_ok=True)
        self.close()
        return table

    def close(self) -> None:
        """No more is kept. A study of which no run was finished leaves nothing behind."""
        self._close_file()
        empty = self._made if self._lock is not None and not self.played else None
        if empty is not None and self.place is not None:
            for name in (STUDY, FINISHED):
                (self.place / name).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.free()
            self._lock = None
        if empty is not None:
            for folder in empty:
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _line(self, run: int, measured: list[Measured]) -> str:
        """A finished run as a line: its number, its measures, and a digest by which a changed line is known."""
        told = [list(each) for each in measured]
        return json.dumps([run, told, self._digest(run, told)], ensure_ascii=False, allow_nan=False) + "\n"

    def _read(self, line: str) -> tuple[int, list[Measured]] | None:
        """What `_line` has written for this plan; None for anything else."""
        try:
            run, told, digest = json.loads(line)
            if digest != self._digest(run, told):
                return None
            return run, [Measured(*each) for each in told]
        except (ValueError, TypeError):
            return None

    def _digest(self, run: int, told: object) -> str:
        text = json.dumps([self.plan.digest, run, told], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _write_study(self, complete: bool) -> None:
        assert self.place is not None
        told = {"kind": _KIND, "complete": complete, "digest": self.plan.digest, "runs": self.plan.runs}
        temporary = self.place / f".{STUDY}"
        temporary.write_text(to_json({**told, **self.plan.as_dict()}), encoding="utf-8")
        os.replace(temporary, self.place / STUDY)


def check_new(place: Path) -> None:
    """Refuse a folder in which no new study can be written. InputError says what would be accepted."""
    if (place / STUDY).is_file():
        _, complete = read_plan(place, "out")
        problem = "holds a study" if complete else "holds an unfinished study"
        other = "" if complete else f"--resume {place}, or "
        raise InputError("out", "", problem, place, f"{other}a new or empty folder")
    check_folder(place, force=None)


def read_plan(place: str | Path, argument: str) -> tuple[Plan, bool]:
    """The plan of a study folder, and whether it is complete. InputError if it is no study folder."""
    path = Path(place) / STUDY
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["kind"] != _KIND:
            raise KeyError("kind")
        plan, complete, digest = Plan.from_dict(data), bool(data["complete"]), data["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(argument, "", "is no study folder", place, f"a folder with a {STUDY}") from None
    if digest != plan.digest:
        raise InputError(argument, "", f"{STUDY} has been changed since it was written", place, "an untouched study")
    return plan, complete


def check_inputs(plan: Plan) -> None:
    """Refuse to go on with a study under another version or with other files. InputError says which."""
    import cnaps_sim

    if plan.version != cnaps_sim.__version__:
        allowed = f"cnaps-sim {plan.version}, or a new study"
        raise InputError("resume", "", "was begun with another version", plan.version, allowed)
    for key, path in plan.loaded(0).files.items():
        if key in plan.inputs and file_sha256(path) != plan.inputs[key]:
            raise InputError("resume", key, "the file has changed since the study was begun", path, "a new study")


def read_runs(plan: Plan, place: str | Path) -> pa.Table:
    """The table of a complete study. InputError if it cannot be read, is another table, or lacks runs."""
    path = Path(place) / RUNS
    table = read_table(path)
    if not {name for name, _ in COLUMNS} <= set(table.column_names):
        raise InputError(str(path), "", "has other columns than a study writes", "", "the table that the sweep wrote")
    if pc.unique(table["run"]).to_pylist() != list(range(plan.runs)):
        raise InputError(str(path), "", "has not the runs of its study", "", "the table that the sweep wrote")
    return table
