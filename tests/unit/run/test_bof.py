"""Import of tables of the BoF-PSS simulator: what it makes runs, and each mistake is told with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.cli.main import execute

TABLES = {
    "participants.csv": "participant_id;participant_name\nBANKA;Bank A\nBANKB;Bank B\n",
    "accounts.csv": "account_id;participant_id\nA1;BANKA\nA2;BANKA\nB1;BANKB\n",
    "daily_balances.csv": (
        "date;account_id;balance;credit_limit\n20250616;A1;1,00;\n"
        "20250617;A1;100,50;20\n20250617;A2;0;0\n20250617;B1;-5;10\n"
    ),
    "transactions.txt": (
        "transaction_id;date;time;from_account;to_account;value;priority\n"
        "T1;20250617;101500;A1;B1;110,25;1\n"
        "T2;20250617;10:16:00;B1;A2;90;\n"
        "T0;20250616;09:00;A1;B1;1;\n"
        "T3;20250617;17:20;A2;B1;60.75;\n"
    ),
}


def kept(folder: Path) -> Path:
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_imported_tables_run_and_come_to_the_payments_that_they_tell(tmp_path: Path) -> None:
    made = cs.import_bof(kept(tmp_path / "bof"), tmp_path / "out", priorities={"1": "URGT"}, date="2025-06-17")
    assert (made.accounts, made.payments, made.value_fen, made.other_dates) == (3, 3, 26_100, 1)
    run = cs.simulate(tmp_path / "out" / "scenario.yaml")
    assert run.payments.set_index("payment_id")[["amount_fen", "priority", "status"]].to_dict("index") == {
        "T1": {"amount_fen": 11_025, "priority": "URGT", "status": "PR04"},
        "T2": {"amount_fen": 9_000, "priority": "NORM", "status": "PR04"},
        "T3": {"amount_fen": 6_075, "priority": "NORM", "status": "PR04"},  # after 17:15: the cut-off is later
    }
    own = run.accounts[run.accounts["account"].isin(["A1", "A2", "B1"])].set_index("account")
    assert own["opening_fen"].to_dict() == {"A1": 10_050, "A2": 0, "B1": -500}
    assert own["closing_fen"].to_dict() == {"A1": 0, "A2": 2_925, "B1": 7_600}  # a penalty loan repays the overdraft


def test_without_accounts_each_participant_has_one_and_columns_may_have_other_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bof"
    folder.mkdir()
    (folder / "participants.csv").write_text("bic\nA\nB\n")
    (folder / "daily_balances.csv").write_text("date,account_id,balance\n2025-06-14,A,5\n")
    (folder / "transactions.csv").write_text(
        "no,date,time,from_account,to_account,value,branch\n1,2025-06-14,09:00,A,B,5,x\n"
    )
    words = ["import", "bof", str(folder), "--out", str(tmp_path / "out"), "--columns", "participant=bic"]
    words += ["--columns", "transaction=no", "--ignore", "branch"]
    assert execute(words) == 2  # a Saturday
    assert "no business date of HVPS (2025-06-14)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert execute([*words, "--as-date", "2025-06-16", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["date"], told["as_date"], told["payments"]) == ("2025-06-14", "2025-06-16", 1)
    settled = cs.simulate(tmp_path / "out" / "scenario.yaml").summary["systems"]["HVPS"]["settled"]
    assert settled == {"count": 1, "value_fen": 500}


def test_what_the_run_will_refuse_is_told_with_number_and_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(tmp_path / "bof")
    late = "T4;20250617;20:20;A2;B1;1;\nT5;20250617;23:59;A2;B1;2.5;\n"  # the next date opens at 20:30
    (folder / "transactions.txt").write_text(TABLES["transactions.txt"] + late)
    words = ["import", "bof", str(folder), "--out", str(tmp_path / "out"), "--date", "2025-06-17"]
    assert execute([*words, "--priority", "1=URGT"]) == 0
    told = (
        "outside the hours of HVPS, T-1 20:30:00 to 20:15:00: 2 payments (CNY 3.50), which the run will refuse (TM01)"
    )
    assert told in capsys.readouterr().out.splitlines()
    run = cs.simulate(tmp_path / "out" / "scenario.yaml")
    late_ones = run.payments.set_index("payment_id").loc[["T4", "T5"]]
    assert late_ones[["status", "reason_iso"]].values.tolist() == [["PR09", "TM01"]] * 2
    assert run.summary["systems"]["HVPS"]["settled"]["count"] == 3


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("transactions.txt", "value;priority", "sum;priority", "transactions.txt:1: sum: unknown column; allowed: "),
        ("transactions.txt", "90;", "9o;", "transactions.txt:3: value: not an amount in CNY"),
        ("transactions.txt", "A2;B1;60", "A2;B9;60", "transactions.txt:5: to: unknown account or participant (B9)"),
        ("transactions.txt", "10:16:00", "10:61", "transactions.txt:3: time: not a time of day (10:61)"),
        ("transactions.txt", ";110,25;1", ";110,25", "transactions.txt:2: 6 cells where the header has 7"),
        ("accounts.csv", "B1;BANKB", "B1;BANKC", "accounts.csv:4: participant: unknown participant (BANKC)"),
        (
            "daily_balances.csv",
            "-5;10",
            "-15;10",
            "daily_balances.csv:5: balance: is further below zero than the credit",
        ),
        ("daily_balances.csv", "date;", "day;", "daily_balances.csv:1: day: unknown column"),
        ("transactions.txt", "T2;", "T1;", "transactions.txt:3: transaction: given twice (T1)"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, table: str, old: str, new: str, told: str) -> None:
    folder = kept(tmp_path / "bof")
    (folder / table).write_text(TABLES[table].replace(old, new, 1))
    with pytest.raises(cs.InputError) as caught:
        cs.import_bof(folder, tmp_path / "out", priorities={"1": "URGT"}, date="2025-06-17")
    assert f"/{told}" in caught.value.sentence()
    assert not (tmp_path / "out").exists()
