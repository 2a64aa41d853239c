"""Matching two tables: reading, names, and the fields of the result."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnaps_sim.analysis.match import compare, match
from cnaps_sim.analysis.match_result import Comparison, MatchResult
from cnaps_sim.analysis.queue_input import bundled_pairs, read_queue
from cnaps_sim.analysis.queue_network import queue_network, save_picture
from cnaps_sim.optimise.registry import names
from cnaps_sim.words.errors import InputError

FIELDS = [
    "algorithm", "settled", "settled_value_fen", "settled_count", "closing_fen", "lp_bound_fen", "gap", "diagnosis",
    "diagnosis_free", "injection_fen", "seconds",
]  # fmt: skip


@pytest.fixture
def accounts() -> pd.DataFrame:
    return pd.DataFrame({"account": ["A", "B"], "balance_fen": [10, 8]})


@pytest.fixture
def payments() -> pd.DataFrame:
    """Project Ubin, case 2.2.3."""
    rows = [("A", "B", 20), ("B", "A", 15), ("A", "B", 30), ("B", "A", 12), ("A", "B", 15), ("B", "A", 80)]
    debtor, creditor, amount = zip(*rows, strict=True)
    ids = [f"U{number}" for number in range(1, 7)]
    return pd.DataFrame({"payment_id": ids, "debtor": debtor, "creditor": creditor, "amount_fen": amount})


def one(accounts: object, payments: object, algorithm: str = "multilateral") -> MatchResult:
    found = match(accounts, payments, algorithm)  # type: ignore[arg-type]
    assert isinstance(found, MatchResult)
    return found


def test_a_result_has_the_documented_fields(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    result = one(accounts, payments)
    told = result.as_dict()
    assert list(told) == FIELDS
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["settled"] == result.settled == ["U1", "U2", "U4"]
    assert (told["settled_value_fen"], told["settled_count"]) == (47, 3)
    assert told["closing_fen"] == {"A": 17, "B": 1}
    assert told["lp_bound_fen"] == result.bound == 138
    assert told["gap"] == result.gap == (138 - 47) / 138
    assert (told["diagnosis"], told["diagnosis_free"]) == ("gridlock", "gridlock")
    assert told["injection_fen"] == {"A": 0, "B": 34}
    exact = one(accounts, payments, "exact")
    assert exact.settled == ["U1", "U2", "U4", "U5"]
    assert exact.optimal
    assert all(exact.as_dict()[key] == told[key] for key in ("diagnosis", "diagnosis_free", "injection_fen"))


def test_frames_of_the_result_tell_what_became_of_whom(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    result = one(accounts, payments)
    assert result.payments["settled"].tolist() == [True, True, False, True, False, False]
    assert result.payments["debtor"].tolist() == payments["debtor"].tolist()
    assert result.accounts.to_dict("list") == {
        "account": ["A", "B"], "balance_fen": [10, 8], "available_fen": [10, 8], "closing_fen": [17, 1],
        "injection_fen": [0, 34],
    }  # fmt: skip


def test_text_decimals_and_fen_mean_the_same(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    usual = one(accounts, payments).as_dict()
    amounts = payments.pop("amount_fen")
    as_text = payments.assign(amount=[f"0.{fen:02d}" for fen in amounts])
    as_decimal = payments.assign(amount=[Decimal(int(fen)) / 100 for fen in amounts])
    for given in (as_text, as_decimal):
        in_yuan = pd.DataFrame({"account": ["A", "B"], "balance": ["0.10", "0.08"]})
        assert {**one(in_yuan, given).as_dict(), "seconds": 0} == {**usual, "seconds": 0}


def test_available_is_balance_less_earmark_and_floor_plus_the_overdraft_limit(payments: pd.DataFrame) -> None:
    terms = pd.DataFrame(
        {
            "account": ["A", "B"],
            "balance_fen": [-20, 30],
            "overdraft_limit_fen": [30, 0],
            "earmark_fen": [0, 15],
            "floor_fen": [0, 7],
        }
    )
    result = one(terms, payments)
    assert result.queue.table.available.tolist() == [10, 8]
    assert result.settled == ["U1", "U2", "U4"]
    assert result.closing_fen == {"A": -13, "B": 23}


def test_the_queue_is_by_level_then_in_the_order_of_the_file_whatever_the_times(accounts: pd.DataFrame) -> None:
    rows = pd.DataFrame(
        {
            "payment_id": ["late", "early", "urgent", "high"],
            "time": ["16:00", "09:00", "17:00", "10:00"],
            "debtor": ["A"] * 4,
            "creditor": ["B"] * 4,
            "amount_fen": [4, 4, 3, 3],
            "priority": ["NORM", "", "URGT", "HIGH"],
        }
    )
    result = one(accounts, rows, "fifo")
    assert result.queue.payment_ids == ["urgent", "high", "late", "early"]
    assert result.settled == ["urgent", "high", "late"]


def test_payments_that_cannot_stand_in_the_queue_are_left_out_with_the_reason() -> None:
    accounts = pd.DataFrame(
        {
            "account": ["A", "B", "HELD", "CLOSED", "SHUT"],
            "balance_fen": [50, 50, 50, 0, 0],
            "status": ["", "AS01", "AS04", "AS03", "AS05"],
        }
    )
    rows = [
        ("ok", "A", "B", "CNY"), ("self", "A", "A", ""), ("foreign", "A", "B", "USD"), ("held", "HELD", "A", ""),
        ("closed", "A", "CLOSED", ""), ("shut", "A", "SHUT", ""), ("to-held", "A", "HELD", ""),
    ]  # fmt: skip
    ids, debtor, creditor, currency = zip(*rows, strict=True)
    columns = {"payment_id": ids, "debtor": debtor, "creditor": creditor, "currency": currency}
    result = one(accounts, pd.DataFrame({**columns, "amount_fen": 5}))
    assert result.settled == ["ok", "to-held"]
    assert [payment for payment, _ in result.left_out] == ["self", "foreign", "held", "closed", "shut"]
    assert "same account" in dict(result.left_out)["self"]
    assert list(result.closing_fen) == ["A", "B", "HELD", "CLOSED", "SHUT"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount_fen": [1.0] * 6}, "payments: amount_fen: not whole fen"),
        ({"amount": [0.2] * 6}, "payments: amount: this type cannot hold CNY exactly"),
    ],
)
def test_a_column_of_floating_point_numbers_is_a_type_error_that_names_it(
    accounts: pd.DataFrame, payments: pd.DataFrame, change: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        match(accounts, payments.drop(columns="amount_fen").assign(**change))


@pytest.mark.parametrize(
    ("frame", "column", "value", "sentence"),
    [
        ("accounts", "balance_fen", -1, "accounts[1]: balance: below zero by more than the overdraft limit (-1)"),
        ("accounts", "account", "A", "accounts[1]: account: already used at accounts[0] (A)"),
        ("payments", "debtor", "Z", "payments[1]: debtor: unknown account (Z); allowed: "),
        ("payments", "amount_fen", 0, "payments[1]: amount: must be above 0"),
        ("payments", "amount_fen", 92_000_000_000_000_001, "payments[1]: amount: over the largest amount"),
        ("payments", "payment_id", "U1", "payments[1]: payment_id: already used at payments[0] (U1)"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_place(
    accounts: pd.DataFrame, payments: pd.DataFrame, frame: str, column: str, value: object, sentence: str
) -> None:
    {"accounts": accounts, "payments": payments}[frame].loc[1, column] = value
    with pytest.raises(InputError) as caught:
        match(accounts, payments)
    assert caught.value.sentence().startswith(sentence)


def test_sums_that_could_not_be_counted_are_refused() -> None:
    accounts = pd.DataFrame({"account": ["A", "B"], "balance_fen": [92_000_000_000_000_000, 0]})
    count = 100
    rows = {"payment_id": [str(row) for row in range(count)], "debtor": "A", "creditor": "B"}
    with pytest.raises(InputError, match="payments: amount: balances and payments add up to too much"):
        match(accounts, pd.DataFrame({**rows, "amount_fen": 92_000_000_000_000_000}))
    with pytest.raises(InputError, match="payments: amount: the payments add up to too much"):
        more = pd.DataFrame({**rows, "amount_fen": 92_000_000_000_000_000})
        match(accounts, pd.concat([more, more.assign(payment_id="X" + more["payment_id"])], ignore_index=True))


def test_an_algorithm_that_does_not_exist_says_which_do(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        match(accounts, payments, "best")
    assert all(name in caught.value.allowed for name in names())


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_limit_is_above_0(accounts: pd.DataFrame, payments: pd.DataFrame, seconds: float) -> None:
    with pytest.raises(InputError, match="time_limit"):
        match(accounts, payments, "exact", seconds)


def test_files_are_read_like_frames_and_keep_their_order(
    tmp_path: Path, accounts: pd.DataFrame, payments: pd.DataFrame
) -> None:
    accounts.to_parquet(tmp_path / "accounts.parquet")
    timed = payments.rename(columns={"amount_fen": "amount"}).assign(
        amount=[f"{fen / 100:.2f}" for fen in payments["amount_fen"]],
        time=[f"{hour:02d}:00" for hour in range(15, 9, -1)],
    )
    timed.to_csv(tmp_path / "payments.csv", index=False)
    result = one(str(tmp_path / "accounts.parquet"), tmp_path / "payments.csv")
    assert result.settled == ["U1", "U2", "U4"]


def test_the_bundled_queue_is_one_that_order_blocks_and_the_optimum_settles() -> None:
    found = match("gridlock-lab", algorithm="all")
    assert isinstance(found, Comparison)
    assert "gridlock-lab" in bundled_pairs()
    assert [result.algorithm for result in found] == names()
    assert all(found[name].settled_count == 0 for name in ("fifo", "bypass", "bilateral-fifo", "multilateral"))
    order_left = ("bilateral", "bilateral-then-multilateral", "exact")
    assert [found[name].settled_value_fen for name in order_left] == [28_500, 42_500, 61_500]
    assert (found["exact"].settled_count, found["exact"].bound, found["exact"].optimal) == (14, 67_500, True)
    assert (found["exact"].diagnosis, found["exact"].diagnosis_free) == ("deadlock", "gridlock")
    assert found.best.settled_value_fen == 61_500
    assert found.table["settled_value_fen"].max() == 61_500
    assert [item["algorithm"] for item in found.as_dict()["results"]] == names()
    assert "costs 100 %" in found.sentences[-1]


def test_an_unknown_pair_names_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        match("gridlock-lap")
    assert caught.value.sentence() == "pair: no such bundled pair of files (gridlock-lap); allowed: gridlock-lab"


def test_an_empty_table_of_payments_is_clear(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    result = one(accounts, payments.iloc[:0])
    assert result.as_dict()["settled"] == []
    assert (result.diagnosis, result.gap) == ("clear", 0)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_picture_shows_the_queue_before_and_after(tmp_path: Path, suffix: str) -> None:
    result = one("gridlock-lab", None, "exact")
    figure = queue_network(result)
    before, after = (ax.get_title(loc="left") for ax in figure.axes)
    assert "20 payments, CNY 835.00" in before
    assert "exact: 6 payments, CNY 220.00" in after
    path = tmp_path / f"queue.{suffix}"
    save_picture(result, path)
    content = path.read_bytes()
    if suffix == "svg":
        assert "撮合后" in content.decode()
        save_picture(result, path)
        assert path.read_bytes() == content


def test_a_picture_of_many_accounts_and_of_an_empty_queue_can_be_drawn(tmp_path: Path) -> None:
    count = 60
    ring = [f"N{bank}" for bank in range(count)]
    accounts = pd.DataFrame({"account": ring, "balance_fen": 0})
    rows = pd.DataFrame(
        {"payment_id": ring, "debtor": ring, "creditor": np.roll(ring, 1).tolist(), "amount_fen": [7] * count}
    )
    save_picture(one(accounts, rows), tmp_path / "many.png")
    save_picture(one(accounts, rows.iloc[:0]), tmp_path / "none.png")


def test_a_picture_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^picture: not a picture file .*; allowed: \.png or \.svg"):
        match("gridlock-lab", picture=tmp_path / "queue.gif")
    with pytest.raises(InputError, match=r"^picture: cannot be written"):
        match("gridlock-lab", picture=tmp_path / "no" / "queue.png")


def test_compare_and_read_queue_take_the_same_sources(accounts: pd.DataFrame, payments: pd.DataFrame) -> None:
    assert compare(accounts, payments)["multilateral"].settled == ["U1", "U2", "U4"]
    assert read_queue(accounts, payments).payment_ids == payments["payment_id"].tolist()
