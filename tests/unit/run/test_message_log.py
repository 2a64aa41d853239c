"""The message log: sealed record by record, written in parts as the run goes on, readable by anyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cnaps_sim.run import message_log
from cnaps_sim.run.message_log import FIRST_SEAL, MessageLog, Record, check_chain, read_log

RECORDS = [
    Record(
        1000 + row, None if row % 7 == 3 else 1050 + row, "102100099996", "0000", "hvps.111.001.01", "pacs.008.001.08",
        f"20250617{row:08d}", f"P{row}", row, "lost" if row % 7 == 3 else "accepted", f"报文 {row}".encode(),
    )
    for row in range(25)
]  # fmt: skip
COLUMNS = ("sent_ms", "received_ms", "sender", "receiver", "number", "iso", "business_id", "reference", "payment")


@pytest.fixture(autouse=True)
def _short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_log, "ROWS_OF_A_PART", 10)


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    log = MessageLog(tmp_path)
    for record in RECORDS:
        log.add(record)
    return tmp_path, log.close()


def rewrite(folder: Path, part: int, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Change the rows of one part, as somebody with a Parquet library would."""
    path = folder / f"part-{part:05d}.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), path)


def edit(folder: Path, at: int, **values: Any) -> None:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[at % 10].update(values)
        return rows

    rewrite(folder, at // 10, change)


# what is written ----------------------------------------------------------------------------------------------


def test_what_is_read_is_what_was_written(written: tuple[Path, dict[str, Any]]) -> None:
    folder, told = written
    found = list(read_log(folder))
    assert [record for _, record, _ in found] == RECORDS
    assert [row for row, _, _ in found] == list(range(25))
    assert (told["rows"], told["parts"], told["seal"]) == (25, 3, found[-1][2].hex())
    assert check_chain(folder, told) == []


def test_each_seal_is_over_the_one_before(written: tuple[Path, dict[str, Any]]) -> None:
    seal = FIRST_SEAL
    for _, record, sealed in read_log(written[0]):
        seal = record.seal(seal)
        assert seal == sealed
        assert len(seal) == 32


def test_the_same_records_give_the_same_seal(written: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    log = MessageLog(tmp_path / "again")
    for record in RECORDS:
        log.add(record)
    assert log.close() == written[1]


def test_parts_are_written_as_the_run_goes_on_so_that_memory_does_not_grow(tmp_path: Path) -> None:
    log, most = MessageLog(tmp_path), 0
    for row in range(95):
        log.add(RECORDS[row % 25])
        most = max(most, len(log._pending))
        assert len(list(tmp_path.iterdir())) == (row + 1) // 10
    assert most <= 10
    assert log.close()["parts"] == 10


def test_a_run_without_messages_leaves_an_empty_log_that_is_whole(tmp_path: Path) -> None:
    told = MessageLog(tmp_path).close()
    assert (told["rows"], told["parts"], told["seal"]) == (0, 0, FIRST_SEAL.hex())
    assert check_chain(tmp_path, told) == []


def test_duckdb_reads_all_parts_as_one_table(written: tuple[Path, dict[str, Any]]) -> None:
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql(
        f"SELECT count(*), count(received_ms), sum(octet_length(data)) FROM '{written[0]}/part-*.parquet' "
        "WHERE iso = 'pacs.008.001.08'"
    ).fetchall()
    assert found[0] == (25, 21, sum(len(record.data) for record in RECORDS))


# what is found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [0, 9, 10, 24])
def test_one_changed_byte_of_a_message_is_found(written: tuple[Path, dict[str, Any]], row: int) -> None:
    folder, told = written
    data = bytearray(RECORDS[row].data)
    data[-1] ^= 1
    edit(folder, row, data=bytes(data))
    assert check_chain(folder, told) == [
        f"record {row} of the message log (hvps.111.001.01 from 102100099996) has been changed"
    ]


@pytest.mark.parametrize("column", [*COLUMNS, "verdict", "seal", "row"])
def test_one_changed_value_of_any_column_is_found(written: tuple[Path, dict[str, Any]], column: str) -> None:
    folder, told = written
    whole = getattr(RECORDS[12], column, 12)
    value: Any = bytes(32) if column == "seal" else whole + 1 if isinstance(whole, int) else whole[:-1] + "7"
    edit(folder, 12, **{column: value})
    (sentence,) = check_chain(folder, told)
    assert sentence.startswith("record 12 of the message log ")


@pytest.mark.parametrize(("row", "received_ms"), [(3, -1), (3, 0), (4, None)])
def test_whether_it_arrived_is_sealed(written: tuple[Path, dict[str, Any]], row: int, received_ms: int | None) -> None:
    edit(written[0], row, received_ms=received_ms)
    assert len(check_chain(*written)) == 1


def test_a_letter_moved_from_one_column_to_the_next_is_found(written: tuple[Path, dict[str, Any]]) -> None:
    record = RECORDS[12]
    edit(written[0], 12, business_id=record.business_id + "P", reference=record.reference[1:])
    assert len(check_chain(*written)) == 1


@pytest.mark.parametrize("column", ["sender", "data", "payment", "verdict"])
def test_a_value_taken_out_is_found(written: tuple[Path, dict[str, Any]], column: str) -> None:
    edit(written[0], 12, **{column: None})
    (sentence,) = check_chain(*written)
    assert "record 12 is not whole" in sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows[:4] + rows[5:], "record 14 of the message log is missing or out of place"),
        (lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]], "record 14 of the message log is missing or out of"),
        (lambda rows: rows[:5] + rows[4:], "record 15 of the message log is missing or out of place"),
        (lambda rows: rows[:-1], "record 19 of the message log is missing or out of place"),
    ],
    ids=["one missing", "two swapped", "one twice", "last of a part missing"],
)
def test_records_missing_swapped_or_twice_are_found(
    written: tuple[Path, dict[str, Any]], change: Any, sentence: str
) -> None:
    rewrite(written[0], 1, change)
    (found,) = check_chain(*written)
    assert found.startswith(sentence)


def test_rows_swapped_with_their_numbers_put_right_are_found(written: tuple[Path, dict[str, Any]]) -> None:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[4], rows[5] = {**rows[5], "row": 14}, {**rows[4], "row": 15}
        return rows

    rewrite(written[0], 1, change)
    assert len(check_chain(*written)) == 1


def test_missing_records_at_the_end_are_found(written: tuple[Path, dict[str, Any]]) -> None:
    folder, told = written
    (folder / "part-00002.parquet").unlink()
    assert check_chain(folder, told) == ["the message log has 20 records, the manifest says 25"]


def test_a_missing_or_renamed_part_is_found(written: tuple[Path, dict[str, Any]]) -> None:
    folder, told = written
    (folder / "part-00001.parquet").rename(folder / "part-00003.parquet")
    assert check_chain(folder, told) == ["record 10 of the message log is missing or out of place"]


def test_a_log_that_was_sealed_again_is_not_the_one_in_the_manifest(
    written: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    log = MessageLog(tmp_path / "again")
    for record in RECORDS:
        log.add(record._replace(verdict="accepted"))
    log.close()
    assert check_chain(tmp_path / "again", written[1]) == [
        "the last seal of the message log is not the one in the manifest"
    ]


def test_what_cannot_be_read_is_said_in_one_line(written: tuple[Path, dict[str, Any]]) -> None:
    folder, told = written
    path = folder / "part-00001.parquet"
    for broken in (b"", b"no parquet", path.read_bytes()[:-9]):
        path.write_bytes(broken)
        (sentence,) = check_chain(folder, told)
        assert "part-00001.parquet: cannot be read" in sentence
        assert "\n" not in sentence


def test_other_columns_are_said_in_one_line(written: tuple[Path, dict[str, Any]]) -> None:
    folder, told = written
    path = folder / "part-00000.parquet"
    table = pq.read_table(path)
    for other in (table.drop(["seal"]), table.cast(table.schema.set(12, pa.field("seal", pa.binary())))):
        pq.write_table(other, path)
        (sentence,) = check_chain(folder, told)
        assert "its columns are not those of a message log" in sentence


def test_a_byte_flipped_in_the_file_itself_is_found_wherever_it_stands(written: tuple[Path, dict[str, Any]]) -> None:
    """Compressed columns, page headers and footer alike: what is read differs, cannot be read, or says nothing."""
    folder, told = written
    path = folder / "part-00001.parquet"
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        broken = bytearray(whole)
        broken[place] ^= 0x10
        path.write_bytes(bytes(broken))
        assert len(check_chain(folder, told)) == 1, place
