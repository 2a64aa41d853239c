"""A table that comes in parts is the same table whether it is kept or written, and leaves no file behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.audit.digest import table_digest
from cnaps_sim.run import spool as spooling
from cnaps_sim.run.columns import schema
from cnaps_sim.run.spool import spool
from cnaps_sim.run.store import Run, load, save
from cnaps_sim.words.codes import System

SCHEMA = schema("payments")


def part(system: str, first: int, count: int) -> pa.Table:
    """Rows of a system whose dictionaries differ from those of other parts."""
    values = {
        "sequence": pa.array(range(first, first + count), pa.int64()),
        "payment_id": pa.array([f"P{number}" for number in range(first, first + count)]),
        "system": pa.array([system] * count).dictionary_encode(),
        "released_by": pa.array([f"P{number}" if number % 3 else None for number in range(first, first + count)]),
    }
    columns = [values[f.name].cast(f.type) if f.name in values else pa.nulls(count, f.type) for f in SCHEMA]
    return pa.table(columns, SCHEMA)


PARTS = [part("HVPS", 0, 5), part("BEPS", 5, 8), part("IBPS", 13, 4), part("HVPS", 17, 3), part("IBPS", 20, 9)]
WHOLE = pa.concat_tables(PARTS)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "GROUP_ROWS", 10)


def test_a_spooled_table_is_the_table_kept(tmp_path: Path) -> None:
    kept, written = spool(PARTS, SCHEMA), spool(PARTS, SCHEMA, kept_rows=6, beside=tmp_path)
    assert kept.table is not None
    assert kept.file is None
    assert written.table is None
    assert written.file is not None
    assert kept.rows == written.rows == len(WHOLE)
    assert kept.sha256 == written.sha256 == table_digest(WHOLE)
    for table in (kept.table, pq.read_table(written.file.path)):
        assert table.schema == SCHEMA
        assert table.to_pylist() == WHOLE.to_pylist()


def test_every_part_is_shown_once_in_order() -> None:
    seen: list[Any] = []
    spool(iter(PARTS), SCHEMA, see=lambda rows: seen.extend(rows["sequence"].to_pylist()))
    assert seen == list(range(len(WHOLE)))


def test_no_part_makes_a_table_without_rows() -> None:
    nothing = spool([], SCHEMA)
    assert nothing.table == SCHEMA.empty_table()
    assert nothing.sha256 == table_digest(SCHEMA.empty_table())


def test_the_file_vanishes_with_its_holder_and_after_an_error(tmp_path: Path) -> None:
    written = spool(PARTS, SCHEMA, kept_rows=0, beside=tmp_path)
    assert written.file is not None
    place = written.file.path
    assert place.exists()
    del written
    gc.collect()
    assert not place.exists()

    def broken() -> Iterator[pa.Table]:
        yield from PARTS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool(broken(), SCHEMA, kept_rows=0, beside=tmp_path)
    with pytest.raises(ZeroDivisionError):
        spool(PARTS, SCHEMA, see=lambda rows: print(1 // 0), kept_rows=0, beside=tmp_path)
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def a_run(tmp_path: Path) -> Run:
    """A run of which the payments are spooled."""
    run = cs.simulate("quickstart")
    written = spool(PARTS, SCHEMA, kept_rows=0, beside=tmp_path)
    assert written.file is not None
    run._tables.pop("payments")
    run.spooled["payments"] = written.file
    return run


def test_a_run_reads_and_saves_a_spooled_table(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert run.table("payments").to_pylist() == WHOLE.to_pylist()
    save(run, tmp_path / "saved")
    loaded = load(tmp_path / "saved")
    assert loaded.table("payments").to_pylist() == WHOLE.to_pylist()
    gc.collect()
    assert [place.name for place in tmp_path.iterdir()] == ["saved"]


def test_the_payments_of_a_system_are_found_in_a_file(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for systems in ([System.HVPS], [System.IBPS], [System.BEPS, System.HVPS], [System.SAPS]):
        wanted = [row for row in WHOLE.to_pylist() if row["system"] in systems]
        assert run.payments_of(*systems).to_pylist() == wanted
        assert run.payments_of(*systems).schema == SCHEMA
    run.table("payments")
    assert run.payments_of(System.BEPS).num_rows == 8


def test_a_table_may_be_read_in_parts(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    groups = list(run.batches("payments"))
    assert len(groups) > 1
    assert pa.concat_tables(groups).to_pylist() == WHOLE.to_pylist()
    assert [len(rows) for rows in run.batches("transfers")] == [len(run.table("transfers"))]
