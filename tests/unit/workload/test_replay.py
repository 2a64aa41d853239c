"""Payments from files, frames and lists: every way of writing them, and every fault in its own words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.words.codes import Level, Refusal, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_fen, parse_clock, parse_fen, parse_moment
from cnaps_sim.workload.columns import amounts_fen, moments
from cnaps_sim.workload.flow import NO_DUE_TIME, Flow
from cnaps_sim.workload.replay import earliest_date_time, from_frame, from_rows, read_payments

DATE = dt.date(2025, 6, 17)
ACCOUNTS = {"A": 0, "B": 1, "C": 2, "102100099996": 3}
HEADER = "payment_id,time,debtor,creditor,amount"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "p.csv"


def read(file: Path, text: str | bytes, need_time: bool = True) -> Flow:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_payments(file, ACCOUNTS, DATE, need_time=need_time)


def fault(file: Path, text: str | bytes) -> str:
    """The sentence of the error, the folder left out."""
    with pytest.raises(InputError) as error:
        read(file, text)
    return str(error.value).replace(f"{file.parent}/", "")


def test_a_row_becomes_a_payment(file: Path) -> None:
    flow = read(file, f"{HEADER}\np1,09:30,A,B,1_000.50\n")
    assert flow.system is System.HVPS
    assert flow.payment_ids.to_pylist() == ["p1"]
    (row,) = flow.rows
    assert row["time_ms"] == parse_clock("09:30")
    assert row["amount"] == 100_050
    assert (row["debtor"], row["creditor"], row["level"]) == (0, 1, Level.NORMAL)
    assert (row["refusal"], row["special"]) == (Refusal.NONE, False)
    assert flow.type_index.tolist() == [-1]
    assert flow.due_ms is None
    assert flow.on_behalf_of is None


def test_columns_stand_in_any_order_and_empty_cells_mean_the_default(file: Path) -> None:
    header = "amount,priority,creditor,type,debtor,due,time,currency,payment_id,system,on_behalf_of"
    flow = read(
        file,
        f"{header}\n"
        "1,URGT,B,LEND,A,10:00,09:00,CNY,p1,HVPS,Z1\n"
        "2,,B,,A,,09:01,,p2,,\n"
        "3,HIGH,A,A100,B,2025-06-18T09:00,09:02,USD,p3,,Z1\n",
    )
    assert flow.rows["level"].tolist() == [Level.URGENT, Level.NORMAL, Level.HIGH]
    assert flow.types == ("LEND", "A100")
    assert flow.type_index.tolist() == [0, -1, 1]
    assert flow.rows["special"].tolist() == [True, False, False]
    assert flow.rows["refusal"].tolist() == [Refusal.NONE, Refusal.NONE, Refusal.NO_BOOK]
    assert flow.due_ms is not None
    assert flow.on_behalf_of is not None
    assert flow.due_ms.tolist() == [parse_clock("10:00"), NO_DUE_TIME, 86_400_000 + parse_clock("09:00")]
    assert flow.on_behalf_of.to_pylist() == ["Z1", None, "Z1"]
    assert pa.types.is_dictionary(flow.on_behalf_of.type)


def test_rows_are_sorted_by_time_and_equal_times_keep_the_order_of_the_file(file: Path) -> None:
    flow = read(file, f"{HEADER}\nx,10:00,A,B,1\ny,09:00,A,B,2\nz,10:00,B,C,3\nw,09:00,B,C,4\n")
    assert flow.payment_ids.to_pylist() == ["y", "w", "x", "z"]
    assert flow.rows["amount"].tolist() == [200, 400, 100, 300]
    assert flow.rows["debtor"].tolist() == [0, 1, 0, 1]


def test_the_evening_before_is_negative(file: Path) -> None:
    flow = read(file, f"{HEADER}\na,08:30,A,B,1\nb,2025-06-16T20:30:00,A,B,1\nc,2025-06-16 23:59:59.999,A,B,1\n")
    assert flow.payment_ids.to_pylist() == ["b", "c", "a"]
    assert flow.rows["time_ms"].tolist() == [-12_600_000, -1, parse_clock("08:30")]


@pytest.mark.parametrize(
    "text",
    [
        "09:30",
        "09:30:01",
        "09:30:01.2",
        "09:30:01.23",
        "09:30:01.234",
        "2025-06-16T20:30",
        "2025-06-16 20:30:01",
        "2025-06-16T20:30:01.2",
        "2024-02-29T20:30:01.234",
        "2025-06-16T20:30:01.234000",
        "2025-06-16T12:30:00Z",
        "2025-06-16T20:30:00+08:00",
        "20250616T203000",
    ],
)
def test_every_way_to_write_a_time_is_read(file: Path, text: str) -> None:
    flow = read(file, f"{HEADER}\na,{text},A,B,1\nb,2025-07-01T00:00:00,A,B,1\n")
    assert flow.rows["time_ms"][0] == parse_moment(text, DATE)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0.01", 1),
        ("1", 100),
        ("1.5", 150),
        ("007.10", 710),
        ("1_2_3.45", 12_345),
        ("920000000000000.00", 92_000_000_000_000_000),
        ("920_000_000_000_000", 92_000_000_000_000_000),
        ("0" * 40 + "1.00", 100),
    ],
)
def test_every_way_to_write_an_amount_is_read_exactly(file: Path, text: str, fen: int) -> None:
    assert read(file, f"{HEADER}\na,09:00,A,B,{text}\nb,09:00,A,B,3.33\n").rows["amount"].tolist() == [fen, 333]


@given(st.lists(st.integers(1, 92_000_000_000_000_000), min_size=1))
def test_whole_columns_of_amounts_agree_with_the_rule_for_one(amounts: list[int]) -> None:
    texts = [format_fen(fen) for fen in amounts]
    found, wrong = amounts_fen(pa.array(texts), "amount")
    assert wrong is None
    assert found.tolist() == amounts == [parse_fen(text) for text in texts]


CELLS = st.text(alphabet="0123456789:.-T_ +Z٣", max_size=24)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_any_text_is_judged_by_a_column_as_by_the_rule_for_one_amount(cells: list[str]) -> None:
    def right(text: str) -> bool:
        try:
            return parse_fen(text) > 0
        except ValueError:
            return False

    _, wrong = amounts_fen(pa.array(cells, pa.string()), "amount")
    assert (None if wrong is None else wrong.row) == next((i for i, text in enumerate(cells) if not right(text)), None)


TIMES = st.one_of(
    CELLS,
    st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2026, 1, 1)).map(lambda t: t.isoformat()[:23]),
    st.times().map(lambda t: t.isoformat()[:12]),
)


@given(st.lists(TIMES, min_size=1, max_size=5))
def test_any_text_is_judged_by_a_column_as_by_the_rule_for_one_time(cells: list[str]) -> None:
    def ms(text: str) -> int | None:
        try:
            return parse_moment(text, DATE)
        except ValueError:
            return None

    expected = [ms(text) for text in cells]
    found = moments(pa.array(cells, pa.string()), DATE, "time")
    first_wrong = expected.index(None) if None in expected else None
    assert (None if found.fault is None else found.fault.row) == first_wrong
    if first_wrong is None:
        assert found.ms.tolist() == expected


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_no_harm(file: Path) -> None:
    flow = read(file, b"\xef\xbb\xbf" + f"{HEADER}\r\na,09:00,A,B,1\r\n\r\nb,09:00,B,A,2\r\n\r\n".encode())
    assert flow.payment_ids.to_pylist() == ["a", "b"]


def test_quotes_may_hold_commas_quotes_and_line_breaks(file: Path) -> None:
    flow = read(file, f'{HEADER}\n"a,""1""\n2",09:00,"A",B,"1_000.00"\nb,09:00,B,A,2\n')
    assert flow.payment_ids.to_pylist() == ['a,"1"\n2', "b"]


def test_chinese_ids_are_text_like_any_other(file: Path) -> None:
    assert read(file, f"{HEADER}\n支付一,09:00,A,B,1\n").payment_ids.to_pylist() == ["支付一"]


def test_a_file_without_rows_is_an_empty_flow(file: Path) -> None:
    assert len(read(file, f"{HEADER}\n")) == 0
    assert len(read(file, f"{HEADER},priority,type,due,on_behalf_of,currency,system")) == 0


def test_a_payment_to_oneself_stays_a_row_for_the_books_to_refuse(file: Path) -> None:
    flow = read(file, f"{HEADER}\na,09:00,A,A,1\n")
    assert flow.rows["debtor"].tolist() == flow.rows["creditor"].tolist()


def test_time_may_be_absent_where_it_is_not_needed(file: Path) -> None:
    flow = read(file, "payment_id,debtor,creditor,amount\nb,A,B,1\na,B,A,2\n", need_time=False)
    assert flow.rows["time_ms"].tolist() == [0, 0]
    assert flow.payment_ids.to_pylist() == ["b", "a"]
    assert earliest_date_time(file) is None


GOOD = f"{HEADER}\ng1,09:00,A,B,1.00\n"
ALLOWED_AMOUNT = "; allowed: such as 1000.50 or 1_000.50"
ALLOWED_TIME = "; allowed: such as 09:30, 09:30:15.250 or 2025-06-16T20:45:00"
COLUMNS = "payment_id, time, debtor, creditor, amount"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"p.csv:1: the file is empty; allowed: the columns {COLUMNS}"),
        (" \n\n", f"p.csv:1: the file is empty; allowed: the columns {COLUMNS}"),
        (b"\xef\xbb\xbf", f"p.csv:1: the file is empty; allowed: the columns {COLUMNS}"),
        ("payment_id,time,debtor,creditor\n", f"p.csv:1: amount: missing column; allowed: the columns {COLUMNS}"),
        (HEADER.replace("amount", "amout") + "\n", "p.csv:1: amout: unknown column; allowed: amount, "),
        (HEADER + ",amount\n", "p.csv:1: amount: column given twice"),
        (HEADER + ",\n", "p.csv:1: a column without a name; allowed: payment_id, time, debtor, "),
        (HEADER + ",amount_fen\n", "p.csv:1: amount_fen: unknown column; allowed: amount, "),
    ],
)
def test_faults_of_the_header(file: Path, text: str | bytes, sentence: str) -> None:
    found = fault(file, text)
    assert found == sentence or (sentence.endswith(", ") and found.startswith(sentence))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("g2,09:00,A,B,1.005", f"amount: not an amount in CNY with at most two decimals (1.005){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B,ten", f"amount: not an amount in CNY with at most two decimals (ten){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B,1e5", f"amount: not an amount in CNY with at most two decimals (1e5){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B,1__0", f"amount: not an amount in CNY with at most two decimals (1__0){ALLOWED_AMOUNT}"),
        ('g2,09:00,A,B,"1,000"', f"amount: not an amount in CNY with at most two decimals (1,000){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B, 1", f"amount: not an amount in CNY with at most two decimals (' 1'){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B,0.00", f"amount: must be above 0 (0.00){ALLOWED_AMOUNT}"),
        ("g2,09:00,A,B,-5", f"amount: must be above 0 (-5){ALLOWED_AMOUNT}"),
        (
            "g2,09:00,A,B,920000000000000.01",
            f"amount: over the largest amount, 920000000000000.00 CNY (920000000000000.01){ALLOWED_AMOUNT}",
        ),
        (
            "g2,09:00,A,B,184467440737095516.17",  # a fen above 2^64: must not wrap round
            f"amount: over the largest amount, 920000000000000.00 CNY (184467440737095516.17){ALLOWED_AMOUNT}",
        ),
        ("g2,09:00,A,B,", f"amount: missing value{ALLOWED_AMOUNT}"),
        ("g2,9:00,A,B,1", f"time: a leading zero is missing, as in 09:00 (9:00){ALLOWED_TIME}"),
        ("g2,24:00,A,B,1", f"time: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (24:00){ALLOWED_TIME}"),
        ("g2,09:60,A,B,1", f"time: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (09:60){ALLOWED_TIME}"),
        (
            "g2,2025-02-30T09:00,A,B,1",
            f"time: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (2025-02-30T09:00){ALLOWED_TIME}",
        ),
        ("g2,2025-06-17,A,B,1", f"time: a date without a time (2025-06-17){ALLOWED_TIME}"),
        (
            "g2,2025-06-17T09:00:00.0005,A,B,1",
            f"time: finer than a millisecond (2025-06-17T09:00:00.0005){ALLOWED_TIME}",
        ),
        ("g2,,A,B,1", f"time: missing value{ALLOWED_TIME}"),
        ("g2,09:00,102100099969,B,1", "debtor: unknown account (102100099969); allowed: 102100099996, "),
        ("g2,09:00,A,D,1", "creditor: unknown account (D); allowed: "),
        ("g2,09:00,,B,1", "debtor: missing value; allowed: an account"),
        ("g1,09:00,A,B,1", "payment_id: already used at p.csv:2 (g1)"),
        (",09:00,A,B,1", "payment_id: missing value; allowed: an id that no other payment has"),
        ("g2,09:00,A,B", "4 cells where the header has 5 (g2,09:00,A,B)"),
        ("g2,09:00,A,B,1,2", "6 cells where the header has 5 (g2,09:00,A,B,1,2)"),
        (" ", "1 cell where the header has 5"),
    ],
)
def test_faults_of_a_row(file: Path, row: str, sentence: str) -> None:
    found = fault(file, f"{GOOD}{row}\ng9,09:00,B,A,2.00\n")
    assert found == f"p.csv:3: {sentence}" or (
        sentence.endswith((", ", ": ")) and found.startswith(f"p.csv:3: {sentence}")
    )


@pytest.mark.parametrize(
    ("column", "cell", "sentence"),
    [
        ("priority", "LOW", "priority: unknown priority (LOW); allowed: NORM, HIGH, URGT"),
        ("priority", "high", "priority: unknown priority (high); allowed: NORM, HIGH, URGT"),
        ("currency", "RMB¥", "currency: not a currency code (RMB¥); allowed: three capital letters, such as CNY"),
        ("currency", "cny", "currency: not a currency code (cny); allowed: three capital letters, such as CNY"),
        ("system", "BEPS", "system: not the system these payments are for (BEPS); allowed: HVPS"),
        ("due", "soon", f"due: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (soon){ALLOWED_TIME}"),
    ],
)
def test_faults_of_optional_columns(file: Path, column: str, cell: str, sentence: str) -> None:
    text = f"{HEADER},{column}\na,09:00,A,B,1,\nb,09:00,A,B,1,\nc,09:00,A,B,1,{cell}\n"
    assert fault(file, text) == f"p.csv:4: {sentence}"


def test_of_several_faults_the_first_line_is_told(file: Path) -> None:
    text = f"{GOOD}g2,09:00,A,B,1\ng3,09:00,A,X,1\ng4,25:00,A,B,0\ng1,09:00,A,B\n"
    assert fault(file, text).startswith("p.csv:4: creditor: unknown account (X)")
    assert fault(file, f"{GOOD}g2,09:00\ng3,09:00,A,X,1\n") == "p.csv:3: 2 cells where the header has 5 (g2,09:00)"


def test_of_several_faults_in_a_line_the_first_column_is_told(file: Path) -> None:
    assert fault(file, f"{GOOD}g1,25:00,A,X,0\n") == "p.csv:3: payment_id: already used at p.csv:2 (g1)"


def test_lines_are_counted_past_blank_lines_and_line_breaks_in_quotes(file: Path) -> None:
    text = f'{HEADER}\n\n"g\n1",09:00,A,B,1\n\n\ng2,09:00,A,X,1\n'
    assert fault(file, text).startswith("p.csv:7: creditor: unknown account")


def test_lines_are_counted_in_a_file_of_many_blocks(file: Path) -> None:
    rows = [f"p{i:06d},09:00,A,B,1.00" for i in range(4_000)]
    rows[3_210] = "p003210,09:00,A,B,x"
    assert fault(file, "\n".join([HEADER, *rows])).startswith("p.csv:3212: amount: not an amount")


def test_text_in_another_encoding_is_told_with_its_line(file: Path) -> None:
    assert (
        fault(file, GOOD.encode() + "支付,09:00,A,B,1\n".encode("gbk"))
        == "p.csv:3: not UTF-8 text (byte 0xb8); allowed: UTF-8"
    )
    assert fault(file, GOOD.encode("utf-16")) == "p.csv:1: not UTF-8 but UTF-16 text; allowed: UTF-8"
    assert fault(file, b"caf\xe9," + GOOD.encode()) == "p.csv:1: not UTF-8 text (byte 0xe9); allowed: UTF-8"


def test_a_binary_file_is_no_text(file: Path) -> None:
    assert fault(file, b"PAR1\x15\x00\x00\n\x00PAR1") == "p.csv:1: not a text file; allowed: CSV in UTF-8"
    assert fault(file, GOOD.encode() + b"g2,09:00,A,B,\x00\n") == "p.csv:3: not a text file; allowed: CSV in UTF-8"


def test_an_unfinished_quote_is_a_fault_of_its_line(file: Path) -> None:
    assert fault(file, f'{GOOD}"g2,09:00,A,B,1\ng3,09:00,A,B,1\n').startswith("p.csv:3: 1 cell where the header has 5")


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_payments(tmp_path / "none.csv", ACCOUNTS, DATE)
    assert str(error.value) == f"{tmp_path}/none.csv: cannot be read (No such file or directory)"
    with pytest.raises(InputError, match="cannot be read"):
        read_payments(tmp_path, ACCOUNTS, DATE)


def test_amounts_that_add_up_to_more_than_can_be_counted_are_refused(file: Path) -> None:
    rows = "".join(f"p{i},09:00,A,B,920000000000000.00\n" for i in range(101))
    assert fault(file, f"{HEADER}\n{rows}").startswith(
        "p.csv:1: amount: the payments add up to too much (92920000000000000.00); allowed: up to "
    )


def test_the_earliest_date_time_ignores_times_of_day(file: Path) -> None:
    file.write_text(
        f"{HEADER}\na,00:01,A,B,1\nb,2025-06-17T09:00,A,B,1\nc,2025-06-16T20:30:00.5,A,B,1\nd,20250616T2100,A,B,1\n"
    )
    assert earliest_date_time(file) == dt.datetime(2025, 6, 16, 20, 30, 0, 500_000)
    file.write_text(GOOD)
    assert earliest_date_time(file) is None


def test_the_earliest_date_time_needs_readable_times(file: Path) -> None:
    file.write_text(f"{GOOD}g2,noon,A,B,1\n")
    with pytest.raises(InputError, match=r"p\.csv:3: time: neither"):
        earliest_date_time(file)


def table(**columns: object) -> dict[str, object]:
    base: dict[str, object] = {
        "payment_id": ["a", "b"],
        "time": ["09:00", "2025-06-16T20:30:00"],
        "debtor": ["A", "B"],
        "creditor": ["B", "A"],
        "amount": ["1.50", "2"],
    }
    base.update(columns)
    return {name: column for name, column in base.items() if column is not None}


EXACT = [
    {},
    {"amount": [Decimal("1.50"), Decimal("2.000")]},
    {"amount": None, "amount_fen": [150, 200]},
    {"time": [dt.datetime(2025, 6, 17, 9), dt.datetime(2025, 6, 16, 20, 30)]},
    {"priority": ["HIGH", None]},
]


@pytest.mark.parametrize("columns", EXACT)
def test_a_parquet_file_reads_as_the_csv_file_does(tmp_path: Path, columns: dict[str, object]) -> None:
    pq.write_table(pa.table(table(**columns)), tmp_path / "p.parquet")
    flow = read_payments(tmp_path / "p.parquet", ACCOUNTS, DATE)
    assert flow.payment_ids.to_pylist() == ["b", "a"]
    assert flow.rows["amount"].tolist() == [200, 150]
    assert flow.rows["time_ms"].tolist() == [-12_600_000, parse_clock("09:00")]
    assert flow.rows["level"][1] == (Level.HIGH if "priority" in columns else Level.NORMAL)


@pytest.mark.parametrize("columns", EXACT)
def test_a_data_frame_reads_as_the_csv_file_does(columns: dict[str, object]) -> None:
    frame = pd.DataFrame(table(**columns), index=[7, 7])
    flow = from_frame(frame, ACCOUNTS, DATE)
    assert flow.payment_ids.to_pylist() == ["b", "a"]
    assert flow.rows["amount"].tolist() == [200, 150]
    assert flow.rows["time_ms"].tolist() == [-12_600_000, parse_clock("09:00")]


def test_categories_and_times_with_an_offset_are_read_from_frames() -> None:
    times = pd.to_datetime(["2025-06-17T01:00:00Z", "2025-06-16T12:30:00Z"])
    frame = pd.DataFrame(table(debtor=pd.Categorical(["A", "B"]), time=times))
    assert from_frame(frame, ACCOUNTS, DATE).rows["time_ms"].tolist() == [-12_600_000, parse_clock("09:00")]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"amount": [1.5, 2.0]},
            "payments: amount: this type cannot hold CNY exactly (double); "
            "allowed: text, Decimal, or amount_fen as int64",
        ),
        (
            {"amount": [150, 200]},
            "payments: amount: this type cannot hold CNY exactly (int64); "
            "allowed: text, Decimal, or amount_fen as int64",
        ),
        ({"amount": None, "amount_fen": [1.5, 2.0]}, "payments: amount_fen: not whole fen (double); allowed: int64"),
        ({"debtor": [1, 2]}, "payments: debtor: not text (int64); allowed: text"),
        ({"debtor": ["A", 2]}, "payments: debtor: values of several types (object); allowed: text"),
    ],
)
def test_a_column_of_the_wrong_type_is_a_type_error_that_names_it(columns: dict[str, object], sentence: str) -> None:
    with pytest.raises(TypeError) as error:
        from_frame(pd.DataFrame(table(**columns)), ACCOUNTS, DATE)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"debtor": ["A", "X"]}, "payments[1]: debtor: unknown account (X); allowed: "),
        ({"amount": None, "amount_fen": [5, 0]}, "payments[1]: amount: must be above 0 (0.00)"),
        ({"amount": None, "amount_fen": [-5, 1]}, "payments[0]: amount: must be above 0 (-0.05)"),
        ({"amount": None, "amount_fen": [5, 10**17]}, "payments[1]: amount: over the largest amount"),
        ({"amount": [Decimal("1.005"), Decimal("1")]}, "payments[0]: amount: not an amount in CNY"),
        ({"amount_fen": [5, 6]}, "payments: amount_fen: column given twice"),
        ({"amonut": [5, 6]}, "payments: amonut: unknown column; allowed: amount, "),
        ({"debtor": None}, "payments: debtor: missing column"),
        ({"payment_id": ["a", "a"]}, "payments[1]: payment_id: already used at payments[0] (a)"),
        ({"creditor": ["A", None]}, "payments[1]: creditor: missing value"),
    ],
)
def test_faults_in_a_frame_are_placed_by_row(columns: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        from_frame(pd.DataFrame(table(**columns)), ACCOUNTS, DATE)
    assert str(error.value).startswith(sentence)


def test_faults_in_a_parquet_file_are_placed_by_row_and_wrong_types_by_file(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    for columns, sentence in (
        ({"amount": ["1", "0"]}, f"{path}:2: amount: must be above 0 (0)"),
        ({"amount": [1.5, 2.0]}, f"{path}: amount: this type cannot hold CNY exactly (double)"),
    ):
        pq.write_table(pa.table(table(**columns)), path)
        with pytest.raises(InputError) as error:
            read_payments(path, ACCOUNTS, DATE)
        assert str(error.value).startswith(sentence)
    path.write_text(GOOD)
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_payments(path, ACCOUNTS, DATE)


def test_payments_of_a_scenario_are_read_by_the_same_rules() -> None:
    rows: list[dict[str, object]] = [
        {"payment_id": "a", "time": "09:00", "debtor": "A", "creditor": "B", "amount": "1_000.50", "priority": "HIGH"},
        {"payment_id": 7, "time": "2025-06-16T20:30", "debtor": 102100099996, "creditor": "B", "amount": 12},
        {
            "payment_id": "c",
            "time": dt.datetime(2025, 6, 17, 9),
            "debtor": "A",
            "creditor": "B",
            "amount": Decimal("2.50"),
        },
        {"payment_id": "d", "time": "09:00", "debtor": "A", "creditor": "B", "amount_fen": 5, "priority": None},
    ]
    flow = from_rows(rows, ACCOUNTS, DATE)
    assert flow.payment_ids.to_pylist() == ["7", "a", "c", "d"]
    assert flow.rows["amount"].tolist() == [1_200, 100_050, 250, 5]
    assert flow.rows["level"].tolist() == [Level.NORMAL, Level.HIGH, Level.NORMAL, Level.NORMAL]
    assert len(from_rows([], ACCOUNTS, DATE)) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": 1.5}, "s.yaml:10: amount: text is wanted here, not a value of type float (1.5)"),
        ({"amount": True}, "s.yaml:10: amount: text is wanted here, not a value of type bool (true)"),
        ({"amount_fen": "5"}, "s.yaml:10: amount_fen: column given twice"),
        ({"ammount": "5"}, "s.yaml:10: ammount: unknown column; allowed: amount, "),
        ({"debtor": "X"}, "s.yaml:10: debtor: unknown account (X); allowed: "),
        ({"time": None}, f"s.yaml:10: time: missing value{ALLOWED_TIME}"),
        ({"payment_id": "a"}, "s.yaml:10: payment_id: already used at s.yaml:9 (a)"),
    ],
)
def test_faults_in_a_scenario_are_placed_by_the_caller(change: dict[str, object], sentence: str) -> None:
    good: dict[str, object] = {"payment_id": "a", "time": "09:00", "debtor": "A", "creditor": "B", "amount": "1"}
    with pytest.raises(InputError) as error:
        from_rows([good, {**good, "payment_id": "b", **change}], ACCOUNTS, DATE, place=lambda row: f"s.yaml:{row + 9}")
    assert str(error.value).startswith(sentence)


def test_fen_given_as_text_are_refused_rather_than_read_as_yuan() -> None:
    row = {"payment_id": "a", "time": "09:00", "debtor": "A", "creditor": "B", "amount_fen": "500"}
    with pytest.raises(InputError) as error:
        from_rows([row], ACCOUNTS, DATE)
    assert str(error.value) == "scenario: amount_fen: not whole fen (500); allowed: a whole number"


def test_many_different_types_are_numbered(file: Path) -> None:
    rows = "".join(f"p{i},09:00,A,B,1,T{i % 300}\n" for i in range(600))
    flow = read(file, f"{HEADER},type\n{rows}")
    assert len(flow.types) == 300
    assert [flow.types[i] for i in flow.type_index[:2]] == ["T0", "T1"]
    assert np.bincount(flow.type_index).tolist() == [2] * 300


def test_a_frame_without_rows_is_an_empty_flow() -> None:
    assert len(from_frame(pd.DataFrame(columns=HEADER.split(",")), ACCOUNTS, DATE)) == 0
    assert len(from_frame(pd.DataFrame(columns=[*HEADER.split(",")[:4], "amount_fen"]), ACCOUNTS, DATE)) == 0
