"""The run folder: manifest, resolved scenario and one Parquet file per table; and the `Run` that they make.

A folder is written under a temporary name beside its place and renamed when complete, so that an interrupted
run leaves nothing that looks finished.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cnaps_sim.run.columns import empty_table
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"
RESOLVED = "scenario.resolved.json"
SOURCE = "scenario.yaml"


class Run:
    """One execution of a scenario: result tables, manifest and the scenario as it was resolved.

    `run.payments`, `run.transfers`, `run.accounts`, `run.series`, `run.rounds`, `run.matchings` and `run.events`
    are pandas DataFrames (columns as in `words.tables`: `_fen` and `_ms` int64 or nullable Int64, text str);
    `run.table(name)` is the same as an Arrow table. `run.folder` is where it was read from or written to.
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

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of `cnaps-sim run --json`: per system, and liquidity."""
        return self.manifest["summary"]  # type: ignore[no-any-return]

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the tables that were recorded."""
        return tuple(self.manifest["tables"])

    def table(self, name: str) -> pa.Table:
        """A result table in Arrow form; a documented table that was not recorded has no rows."""
        if name not in TABLES:
            raise InputError("table", "", "no such table", name, ", ".join(TABLES))
        if name not in self._tables:
            path = self.folder / f"{name}.parquet" if self.folder is not None and name in self.recorded else None
            self._tables[name] = read_table(path) if path is not None else empty_table(name)
        return self._tables[name]

    def forget(self, names: Iterable[str]) -> None:
        """Drop tables that are not to be kept."""
        for name in names:
            self._tables.pop(name, None)
            self.manifest["tables"].pop(name, None)

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
    """One Parquet file, with its dictionary columns as they were written."""
    return pq.read_table(path)


def load(folder: str | Path) -> Run:
    """The run kept in a folder. InputError if it is no run folder."""
    place = Path(folder)
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        scenario = json.loads((place / RESOLVED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(str(folder), "", "is not a run folder", "", "a folder with a manifest.json") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(str(folder), MANIFEST, "cannot be read", error, "the manifest that a run wrote") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("tables"), dict):
        raise InputError(str(folder), MANIFEST, "is not the manifest of a run", "", "the manifest that a run wrote")
    source = place / SOURCE
    return Run({}, manifest, scenario, source.read_text(encoding="utf-8") if source.exists() else "", place)


def default_folder(name: str, seed: int, parent: Path = Path("runs")) -> Path:
    """`runs/<name>-s<seed>`, then `-2`, `-3`…: the first that does not exist."""
    base = parent / f"{name}-s{seed}"
    place, number = base, 1
    while place.exists():
        number += 1
        place = parent / f"{base.name}-{number}"
    return place


def check_folder(place: Path, force: bool) -> None:
    """Refuse a folder that holds something else. InputError says what would be accepted."""
    if not place.exists():
        return
    if not place.is_dir():
        raise InputError("--out", "", "is not a folder", place, "a new or empty folder")
    if not any(place.iterdir()):
        return
    if force and (place / MANIFEST).is_file():
        return
    allowed = "a new or empty folder" if force else "a new or empty folder, or --force for an earlier run's folder"
    raise InputError("--out", "", "exists and is not empty", place, allowed)


@contextmanager
def new_folder(place: Path, force: bool = False) -> Iterator[Path]:
    """A temporary folder that becomes `place` when the block ends well, and vanishes when it does not."""
    check_folder(place, force)
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def save(run: Run, place: Path, force: bool = False, also: Callable[[Run, Path], None] | None = None) -> None:
    """Write a run folder; `also` may add files to it (the report) before it gets its name."""
    with new_folder(place, force) as folder:
        with ThreadPoolExecutor(1) as beside:  # tables are compressed while the report is drawn
            written = [beside.submit(write_table, run.table(name), folder / f"{name}.parquet") for name in run.recorded]
            if also is not None:
                also(run, folder)
            for table in written:
                table.result()
        (folder / RESOLVED).write_text(to_json(run.scenario), encoding="utf-8")
        (folder / SOURCE).write_text(run.source, encoding="utf-8")
        (folder / MANIFEST).write_text(to_json(run.manifest), encoding="utf-8")
    run.folder = place


def write_table(table: pa.Table, path: Path) -> None:
    """Parquet with zstd, text dictionary-encoded, no pandas metadata."""
    dictionaries = [item.name for item in table.schema if pa.types.is_dictionary(item.type)]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=dictionaries,
        write_statistics=False,
    )


def to_json(value: Any) -> str:
    """Indented JSON, Chinese as it is, never NaN."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
