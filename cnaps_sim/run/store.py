"""The run folder: manifest, resolved scenario and one Parquet file per table; and the `Run` that they make.

A folder is written under a temporary name beside its place and renamed when complete, so that an interrupted
run leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cnaps_sim.run.columns import empty_table, schema
from cnaps_sim.run.spool import Spooled, SpoolFile, parquet_options
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"
MESSAGES = "messages"
RESOLVED = "scenario.resolved.json"
SOURCE = "scenario.yaml"


_Run = TypeVar("_Run")


class HasFolder(Protocol):
    """Something that keeps files in a folder of its own as long as it lives."""

    folder: Path


class Run:
    """One execution of a scenario: result tables, manifest and the scenario as it was resolved.

    `run.payments`, `run.transfers`, `run.accounts`, `run.series`, `run.rounds`, `run.matchings` and `run.events`
    are pandas DataFrames (columns as in `words.tables`: `_fen` and `_ms` int64 or nullable Int64, text str);
    `run.table(name)` is the same as an Arrow table. `run.folder` is where it was read from or written to.

    recorded_payments: while a run with retail items is being made, the table of payments as it will be kept, where
        `table("payments")` still holds those of HVPS and SAPS alone
    """

    def __init__(
        self,
        tables: dict[str, pa.Table],
        manifest: dict[str, Any],
        scenario: dict[str, Any],
        source: str = "",
        folder: Path | None = None,
    ) -> None:
        self._tables = tables
        self.manifest = manifest
        self.scenario = scenario
        self.source = source
        self.folder = folder
        self.unwanted: tuple[str, ...] = ()
        self.spooled: dict[str, SpoolFile] = {}
        self.recorded_payments: Spooled | None = None
        self.message_log: HasFolder | None = None

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of `cnaps-sim run --json`: per system, and liquidity."""
        return self.manifest["summary"]  # type: ignore[no-any-return]

    @property
    def messages_folder(self) -> Path | None:
        """Where the message log lies; None if no message travelled."""
        place = None if self.folder is None else self.folder / MESSAGES
        if place is not None and place.is_dir():
            return place
        return None if self.message_log is None else self.message_log.folder

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the tables that were recorded."""
        return tuple(self.manifest["tables"])

    def table(self, name: str) -> pa.Table:
        """A result table in Arrow form; a documented table that was not recorded has no rows."""
        if name not in TABLES:
            raise InputError("table", "", "no such table", name, ", ".join(TABLES))
        if name not in self._tables:
            path = self._file_of(name)
            self._tables[name] = empty_table(name) if path is None else _documented(read_table(path), name, path)
        return self._tables[name]

    def _file_of(self, name: str) -> Path | None:
        """The file that holds a table: the run folder's, or the spooled one of a run that has not been saved."""
        if name in self.spooled:
            return self.spooled[name].path
        return self.folder / f"{name}.parquet" if self.folder is not None and name in self.recorded else None

    def payments_of(self, *systems: System) -> pa.Table:
        """The rows of the table of payments that belong to these systems; of a large file only they are read."""
        path = None if "payments" in self._tables else self._file_of("payments")
        if path is None:
            return _of_systems(self.table("payments"), systems)
        return pa.concat_tables([empty_table("payments"), *_groups_of(path, systems)])

    def batches(self, name: str) -> Iterator[pa.Table]:
        """A table in parts, in order; of a large file no more than a part is in memory."""
        path = None if name in self._tables else self._file_of(name)
        if path is None:
            yield self.table(name)
            return
        with _reading(path) as file:
            for group in range(file.num_row_groups):
                yield _documented(file.read_row_group(group), name, path)

    def forget_unwanted(self) -> None:
        """Drop the tables that the scenario does not want kept (`record`)."""
        for name in self.unwanted:
            self._tables.pop(name, None)
            self.spooled.pop(name, None)
            self.manifest["tables"].pop(name, None)
        if self.recorded_payments is not None:
            self._keep_payments(self.recorded_payments)

    def _keep_payments(self, kept: Spooled) -> None:
        """From now on the table of payments is the recorded one, retail items and all."""
        self.recorded_payments = None
        if kept.table is not None:
            self._tables["payments"] = kept.table
        elif kept.file is not None:
            self._tables.pop("payments", None)
            self.spooled["payments"] = kept.file

    def frame(self, name: str) -> pd.DataFrame:
        """A result table as pandas: text as str, whole numbers as int64 (Int64 where some are null)."""
        import pandas as pd

        table = self.table(name)
        columns = {}
        for item, column in zip(table.schema, table.columns, strict=True):
            if pa.types.is_dictionary(item.type):
                column = column.cast(pa.string())
            if pa.types.is_integer(item.type) and column.null_count:
                columns[item.name] = column.to_pandas(
                    types_mapper={pa.int64(): pd.Int64Dtype(), pa.int8(): pd.Int8Dtype()}.get
                )
            elif pa.types.is_date(item.type):
                columns[item.name] = pd.Series(column.cast(pa.timestamp("s")).to_pandas()).astype("datetime64[s]")
            elif pa.types.is_string(item.type) or pa.types.is_dictionary(item.type):
                columns[item.name] = column.to_pandas().astype("str" if column.null_count == 0 else object)
            else:
                columns[item.name] = column.to_pandas()
        return pd.DataFrame(columns)

    payments = cached_property(lambda self: self.frame("payments"))
    transfers = cached_property(lambda self: self.frame("transfers"))
    accounts = cached_property(lambda self: self.frame("accounts"))
    series = cached_property(lambda self: self.frame("series"))
    rounds = cached_property(lambda self: self.frame("rounds"))
    matchings = cached_property(lambda self: self.frame("matchings"))
    events = cached_property(lambda self: self.frame("events"))

    def __repr__(self) -> str:
        name, seed = self.scenario.get("name"), self.manifest.get("seed")
        return f"<Run {name} seed {seed}, {self.manifest.get('date')}, audit {self.manifest['audit']['verdict']}>"


def read_table(path: Path) -> pa.Table:
    """One Parquet file as it stands. InputError if it cannot be read."""
    with _reading(path) as file:
        return file.read()


#: A file with more row groups than this is read one by one.
_FEW_GROUPS = 2


def is_large(path: Path) -> bool:
    """Whether a table is better read in parts. InputError if it cannot be read."""
    with _reading(path) as file:
        return bool(file.num_row_groups > _FEW_GROUPS)


def groups_of(path: Path) -> Iterator[pa.Table]:
    """The row groups of a Parquet file, one after the other. InputError if one cannot be read."""
    with _reading(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


@contextmanager
def _reading(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file that is being read. InputError if it cannot be."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(path), "", "cannot be read", _reason(error), "the table that the run wrote") from None


def _of_systems(payments: pa.Table, systems: Sequence[System]) -> pa.Table:
    wanted = pa.array([system.value for system in systems], pa.string())
    return payments.filter(pc.is_in(payments["system"].cast(pa.string()), wanted))


def _groups_of(path: Path, systems: Sequence[System]) -> Iterator[pa.Table]:
    """The rows of these systems in each row group of a file of payments that has any."""
    names = {system.value for system in systems}
    with _reading(path) as file:
        for group in range(file.num_row_groups):
            there = pc.unique(file.read_row_group(group, ["system"])["system"].cast(pa.string())).to_pylist()
            if names & set(there):
                yield _of_systems(_documented(file.read_row_group(group), "payments", path), systems)


def _documented(table: pa.Table, name: str, path: Path) -> pa.Table:
    """The table with exactly its documented columns and types. InputError if it is another table."""
    wanted = schema(name)
    if table.column_names != wanted.names:
        raise InputError(str(path), "", "has other columns than the table it is called after", "", "cnaps-sim audit")
    try:
        return table.cast(wanted)
    except pa.ArrowException as error:
        raise InputError(str(path), "", "has columns of another type", _reason(error), "cnaps-sim audit") from None


def _reason(error: Exception) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def load(folder: str | Path) -> Run:
    """The run kept in a folder. InputError if it is no run folder, or if its manifest or scenario make no sense."""
    place = Path(folder)
    if not (place / MANIFEST).is_file():
        raise InputError(str(folder), "", "is not a run folder", "", "a folder with a manifest.json")
    manifest, scenario = _read_json(place, MANIFEST), _read_json(place, RESOLVED)
    for key, kind in (("tables", dict), ("summary", dict), ("audit", dict), ("inputs", dict), ("timetable", list)):
        if not isinstance(manifest.get(key), kind):
            raise InputError(str(place / MANIFEST), key, "is missing or not what a run writes")
    source = place / SOURCE
    text = source.read_text(encoding="utf-8", errors="replace") if source.is_file() else ""
    return Run({}, manifest, scenario, text, place)


def opened(run: str | Path | _Run) -> _Run | Run:
    """The run that is meant: itself, or the one kept in that folder."""
    return load(run) if isinstance(run, str | Path) else run


def _read_json(place: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((place / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            str(place / name), "", "cannot be read", _reason(error), "the file that the run wrote"
        ) from None
    if not isinstance(value, dict):
        raise InputError(str(place / name), "", "is not what a run writes", type(value).__name__, "an object")
    return value


def default_folder(name: str, seed: int, parent: Path = Path("runs")) -> Path:
    """`runs/<name>-s<seed>`, then `-2`, `-3`…: the first that does not exist."""
    base = parent / f"{name}-s{seed}"
    place, number = base, 1
    while place.exists():
        number += 1
        place = parent / f"{base.name}-{number}"
    return place


def check_folder(place: Path, force: bool | None) -> None:
    """Refuse a folder that holds something else or cannot be made. InputError says what would be accepted.

    force: an earlier run's folder will do; None where that can not even be asked for
    """
    try:
        if place.is_dir() and any(place.iterdir()) and not (force and (place / MANIFEST).is_file()):
            allowed = "a new or empty folder" + (", or --force for an earlier run's folder" if force is False else "")
            raise InputError("out", "", "exists and is not empty", place, allowed)
        if place.exists() and not place.is_dir():
            raise InputError("out", "", "is not a folder", place, "a new or empty folder")
        _try(place.resolve())
    except (OSError, ValueError) as error:
        raise InputError(
            "out", "", f"cannot be written ({_reason(error)})", place, "a folder that can be made"
        ) from None


def _try(target: Path) -> None:
    """A trial before the work rather than a failure after it: can something be written where the folder will be?"""
    with contextlib.suppress(FileNotFoundError):
        target.lstat()  # a name that is too long fails here
    above = next(folder for folder in target.parents if folder.exists())
    Path(tempfile.mkdtemp(prefix=".cnaps-sim-", dir=above)).rmdir()


def _temporary_beside(place: Path) -> Path:
    parent = place.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{place.resolve().name[:40]}-", dir=parent))


@contextmanager
def new_folder(place: Path, force: bool = False) -> Iterator[Path]:
    """A temporary folder that becomes `place` when the block ends well, and vanishes when it does not.

    An earlier run's folder is put aside, and removed only when the new one stands in its place.
    """
    check_folder(place, force)
    target = place.resolve()
    temporary = _temporary_beside(place)
    aside = temporary.with_name(f"{temporary.name}-old")
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.is_dir() and not any(target.iterdir()):
            _move_into(temporary, target)
        else:
            if target.exists():
                target.rename(aside)
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _move_into(temporary: Path, target: Path) -> None:
    """Fill an empty folder, which may be the one the user stands in; the manifest comes last."""
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == MANIFEST):
        path.rename(target / path.name)
    temporary.rmdir()


def save(run: Run, place: Path, force: bool = False, also: Callable[[Run, Path], None] | None = None) -> None:
    """Write a run folder; `also` may add files to it (the report) before it gets its name."""
    wanted = [name for name in run.recorded if name not in run.unwanted]
    with new_folder(place, force) as folder:
        with ThreadPoolExecutor(1) as beside:  # tables are compressed while the report is drawn
            written = [beside.submit(_write, run, name, folder / f"{name}.parquet") for name in wanted]
            if also is not None:
                also(run, folder)
            for table in written:
                table.result()
        run.forget_unwanted()
        if run.messages_folder is not None:
            shutil.copytree(run.messages_folder, folder / MESSAGES)
        (folder / RESOLVED).write_text(to_json(run.scenario), encoding="utf-8")
        (folder / SOURCE).write_text(run.source, encoding="utf-8")
        (folder / MANIFEST).write_text(to_json(run.manifest), encoding="utf-8")
    run.folder = place
    run.spooled.clear()  # from now on they are read from the folder


def _write(run: Run, name: str, path: Path) -> None:
    """One table of a run, from memory or from the file in which it was kept."""
    kept = run.recorded_payments if name == "payments" else None
    file = run.spooled.get(name) if kept is None else kept.file
    if file is not None:
        file.place(path)
    else:
        write_table(run.table(name) if kept is None or kept.table is None else kept.table, path)


def write_table(table: pa.Table, path: Path) -> None:
    """One table as a Parquet file without pandas metadata."""
    pq.write_table(table, path, **parquet_options(table.schema))


def to_json(value: Any) -> str:
    """Indented JSON, Chinese as it is, never NaN."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
