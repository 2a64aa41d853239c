"""Accounts from files, frames and lists: defaults, and every fault in its own words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cnaps_sim.words.errors import InputError
from cnaps_sim.workload.account_rows import account_row, accounts_from_frame, accounts_from_rows, read_accounts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def fault(file: Path, text: str, strict_codes: bool = False) -> str:
    """The sentence of the error, the folder left out."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_accounts(file, strict_codes)
    return str(error.value).replace(f"{file.parent}/", "")


def test_two_columns_are_enough(file: Path) -> None:
    file.write_text("account,balance\nA,1_000.50\nB,0\n")
    assert read_accounts(file) == [account_row("A", 100_050), account_row("B")]


def test_every_column_is_read(file: Path) -> None:
    file.write_text(
        "account,balance,name,kind,owner,status,overdraft_limit,floor,earmark,pledged,credit_line,warning_line,"
        "reserved_high,reserved_urgent,cap_warning_line\n"
        "102100099996,5,中国工商银行,state,ICBC,AS04,1,2,3,4,5.5,-6,7,8,9\n",
        encoding="utf-8",
    )
    assert read_accounts(file, strict_codes=True) == [
        {
            "account": "102100099996",
            "balance": 500,
            "name": "中国工商银行",
            "kind": "state",
            "owner": "ICBC",
            "status": "AS04",
            "overdraft_limit": 100,
            "floor": 200,
            "earmark": 300,
            "pledged": 400,
            "credit_line": 550,
            "warning_line": -600,
            "reserved_high": 700,
            "reserved_urgent": 800,
            "cap_warning_line": 900,
        }
    ]


def test_empty_cells_mean_the_default(file: Path) -> None:
    file.write_text("account,balance,name,kind,owner,status,floor,warning_line\nA,1,,,,,,\n")
    assert read_accounts(file) == [account_row("A", 100)]


def test_a_warning_line_of_zero_is_a_line(file: Path) -> None:
    file.write_text("account,balance,warning_line\nA,1,0\n")
    assert read_accounts(file)[0]["warning_line"] == 0


def test_accounts_keep_the_order_of_the_file(file: Path) -> None:
    file.write_text("account,balance\nZ,1\nA,1\nM,1\n")
    assert [row["account"] for row in read_accounts(file)] == ["Z", "A", "M"]


@pytest.mark.parametrize(
    ("header", "row", "sentence"),
    [
        ("account,balance", "A,x", "balance: not an amount in CNY with at most two decimals (x); allowed: such as "),
        ("account,balance", "A,", "balance: missing value; allowed: such as "),
        ("account,balance", "A,-1", "balance: below zero by more than the overdraft limit (-1); allowed: 0 or more"),
        ("account,balance", "A,920000000000000.01", "balance: over the largest amount, 920000000000000.00 CNY ("),
        ("account,balance", "A,-920000000000000.01", "balance: over the largest amount, 920000000000000.00 CNY ("),
        ("account,balance", ",1", "account: missing value; allowed: an account id"),
        ("account,balance", "A B,1", "account: not an account id (A B); allowed: 1 to 35 of A-Z a-z 0-9 . _ -"),
        ("account,balance", f"{'A' * 36},1", "account: not an account id (AAAA"),
        ("account,balance", "工行,1", "account: not an account id (工行)"),
        ("account,balance", "first,1", "account: already used at a.csv:2 (first)"),
        (
            "account,balance",
            "PBC-LENDING,1",
            "account: the central bank's own account (PBC-LENDING); allowed: any other",
        ),
        ("account,balance,kind", "A,1,bank", "kind: unknown kind (bank); allowed: state, policy, joint-stock, "),
        ("account,balance,status", "A,1,AS09", "status: unknown status (AS09); allowed: AS00, AS01, "),
        ("account,balance,floor", "A,1,-1", "floor: must not be below 0 (-1); allowed: such as "),
        ("account,balance,overdraft_limit", "A,1,-1", "overdraft_limit: must not be below 0 (-1)"),
        ("account,balance,warning_line", "A,1,low", "warning_line: not an amount in CNY"),
        ("account,balance,cap_warning_line", "A,1,-1", "cap_warning_line: must not be below 0 (-1)"),
        ("account,balance", "A", "1 cell where the header has 2 (A)"),
    ],
)
def test_faults_of_a_row(file: Path, header: str, row: str, sentence: str) -> None:
    first = "first,1" + "," * (header.count(",") - 1)
    assert fault(file, f"{header}\n{first}\n{row}\n").startswith(f"a.csv:3: {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.csv:1: the file is empty; allowed: the columns account, balance"),
        ("account,balance\n", "a.csv:1: there is no account; allowed: one row or more"),
        ("account\nA\n", "a.csv:1: balance: missing column; allowed: the columns account, balance"),
        ("account,balance,limit\n", "a.csv:1: limit: unknown column; allowed: "),
        ("account,balance,balance\n", "a.csv:1: balance: column given twice"),
    ],
)
def test_faults_of_a_file(file: Path, text: str, sentence: str) -> None:
    assert fault(file, text).startswith(sentence)


def test_an_earlier_row_is_told_before_a_later_one_with_too_few_cells(file: Path) -> None:
    assert fault(file, "account,balance\nA,x\nB\n").startswith("a.csv:2: balance")


def test_balances_that_add_up_to_too_much_are_refused(file: Path) -> None:
    rows = "".join(f"A{i},920000000000000\n" for i in range(44))
    assert fault(file, f"account,balance\n{rows}").startswith("a.csv:1: balance: the balances add up to too much (4048")


def test_check_digits_count_only_where_the_scenario_is_strict(file: Path) -> None:
    file.write_text("account,balance\n102100099997,1\n")
    assert read_accounts(file)[0]["account"] == "102100099997"
    sentence = fault(file, file.read_text(), strict_codes=True)
    assert sentence == (
        "a.csv:2: account: not a bank code with a right check digit (102100099997); "
        "allowed: 12 digits, the last by ISO 7064 MOD 11,10"
    )


def test_a_balance_below_zero_needs_an_overdraft_limit(file: Path) -> None:
    file.write_text("account,balance,overdraft_limit\nA,-5,5\n")
    assert read_accounts(file)[0]["balance"] == -500


def test_frames_give_fen_or_exact_yuan() -> None:
    frame = pd.DataFrame({"account": ["A", "B"], "balance_fen": [5, 0], "floor": [Decimal("1.50"), Decimal("0")]})
    rows = accounts_from_frame(frame)
    assert [(row["balance"], row["floor"]) for row in rows] == [(5, 150), (0, 0)]


def test_parquet_files_give_fen_or_exact_yuan(tmp_path: Path) -> None:
    pq.write_table(pa.table({"account": ["A"], "balance": ["2.50"], "floor_fen": [7]}), tmp_path / "a.parquet")
    (row,) = read_accounts(tmp_path / "a.parquet")
    assert (row["balance"], row["floor"]) == (250, 7)


def test_a_column_of_floating_point_numbers_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError) as error:
        accounts_from_frame(pd.DataFrame({"account": ["A"], "balance": [1.0]}))
    assert str(error.value) == (
        "accounts: balance: this type cannot hold CNY exactly (double); allowed: text, Decimal, or balance_fen as int64"
    )


def test_accounts_of_a_scenario_are_read_by_the_same_rules() -> None:
    rows = accounts_from_rows(
        [{"account": "A", "balance": "1_000"}, {"account": 102100099996, "balance": 5, "kind": None}]
    )
    assert [(row["account"], row["balance"]) for row in rows] == [("A", 100_000), ("102100099996", 500)]


def test_faults_in_a_scenario_are_placed_by_the_caller() -> None:
    with pytest.raises(InputError) as error:
        accounts_from_rows(
            [{"account": "A", "balance": "1"}, {"account": "A", "balance": "1"}], lambda row: f"s.yaml:{row}"
        )
    assert str(error.value) == "s.yaml:1: account: already used at s.yaml:0 (A)"
