"""Tables as files for other programs: exact in a spreadsheet, and mistakes told in one line."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

import cnaps_sim as cs
from cnaps_sim.run.export import write_file


def test_a_spreadsheet_shows_every_digit_of_a_whole_number(tmp_path: Path) -> None:
    """It keeps fifteen: longer numbers are text there."""
    table = pa.table({"few_fen": [10**15 - 1, None], "many_fen": [10**15 + 1, 7]})
    write_file(table, "t", tmp_path / "t.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "t.xlsx")["t"].iter_rows(values_only=True))
    assert rows == [("few_fen", "many_fen"), (10**15 - 1, "1000000000000001"), (None, "7")]


def test_a_table_or_place_that_is_none_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = cs.simulate("gridlock-ring")
    for table, to, sentence in (
        ("payment", "x.csv", "table: no such table (payment); allowed: payments, "),
        ("rounds", "x.csv", "table: was not recorded in this run (rounds); allowed: "),
        ("payments", "nodir/x.csv", "to: no such folder (nodir); allowed: an existing folder"),
        ("payments", "/proc/x.csv", "to: cannot be written: "),
    ):
        with pytest.raises(cs.InputError) as caught:
            cs.export(run, table, to)
        assert caught.value.sentence().startswith(sentence)
    with pytest.raises(cs.InputError, match=r"to: no such folder \(nodir\); allowed: an existing folder"):
        cs.animate(run, "nodir/ring.html")
