"""Two runs compared: pairs, what the second changes, who was delayed because of whom, what cannot be paired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.compare.page import page
from cnaps_sim.cli.main import execute
from cnaps_sim.words.errors import InputError


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount}


#: A pays B, which passes it on to C, which passes it on to D; B has a small payment behind the large one.
CHAIN: dict[str, Any] = {
    "name": "chain",
    "accounts": [{"account": name, "balance": 100 if name == "A" else 0} for name in "ABCD"],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                pay("P1", "09:00", "A", "B", 100),
                pay("P2", "10:00", "B", "C", 95),
                pay("P3", "10:05", "B", "A", 5),
                pay("P4", "11:00", "C", "D", 95),
            ],
        }
    ],
}
SILENT = {"actions": [{"at": "08:50", "do": "stop_sending", "account": "A", "until": "12:00"}]}


@pytest.fixture(scope="module")
def silent() -> Any:
    return cs.compare(cs.simulate(CHAIN), cs.simulate({**CHAIN, **SILENT}))


def reasons(found: Any) -> dict[str, tuple[Any, Any, Any]]:
    columns = (found.payments[name] for name in ("payment_id", "reason", "of", "because_of"))
    return {row[0]: row[1:] for row in zip(*columns, strict=True)}


def test_a_late_payment_is_followed_back_to_the_bank_that_sent_late(silent: Any) -> None:
    assert reasons(silent) == {
        "P1": ("sent later", None, "A"),
        "P2": ("receipt", "P1", "A"),
        "P3": ("receipt", "P1", "A"),
        "P4": ("receipt", "P2", "A"),
    }
    assert silent.chain("P4") == ["P4", "P2", "P1"]
    hour = 3_600_000
    assert silent.payments["later_ms"].tolist() == [3 * hour, 2 * hour, 2 * hour - 300_000, hour]
    assert silent.blame[["because_of", "delayed", "payments", "value_fen"]].values.tolist() == [
        ["A", "B", 2, 10_000], ["A", "A", 1, 10_000], ["A", "C", 1, 9_500]
    ]  # fmt: skip


def test_what_never_settles_is_blamed_on_the_missing_receipt_or_the_head_of_its_queue() -> None:
    poor = {**CHAIN, "accounts": [{"account": name, "balance": 99 if name == "A" else 0} for name in "ABCD"]}
    found = cs.compare(cs.simulate(CHAIN), cs.simulate(poor))
    assert reasons(found) == {
        "P1": ("funds", None, "A"),
        "P2": ("receipt", "P1", "A"),
        "P3": ("behind", "P2", "A"),
        "P4": ("receipt", "P2", "A"),
    }
    assert (found.counts["lost"], found.counts["lost_fen"], found.counts["same"]) == (4, 29_500, 0)


def test_a_gridlock_is_a_circle_and_what_no_longer_frees_it_a_rule() -> None:
    """Where the small payment may pass, it lets the two large ones go; in strict order all three stand still."""
    payments = [pay("X1", "09:00", "X", "Y", 60), pay("Y1", "09:10", "Y", "X", 60), pay("X2", "09:20", "X", "Y", 10)]
    accounts = [{"account": name, "balance": 50} for name in "XY"]
    day = {"name": "lock", "accounts": accounts, "workload": [{"system": "HVPS", "payments": payments}]}
    found = cs.compare(cs.simulate(day, set={"hvps.discipline": "bypass"}), cs.simulate(day))
    assert {name: row[:2] for name, row in reasons(found).items()} == {
        "X1": ("receipt", "Y1"),
        "Y1": ("receipt", "X2"),
        "X2": ("behind", "X1"),
    }
    assert set(found.payments["root_reason"]) == {"circle"}
    less = cs.compare(cs.simulate("gridlock-ring"), cs.simulate("gridlock-ring", set={"actions.1.amount": "0.5"}))
    assert reasons(less)["R1"] == ("rule", None, "EAST")
    assert set(less.payments["root"]) == {"R1"}


def test_a_run_beside_itself_differs_in_nothing_and_the_other_way_round_changes_the_sign(silent: Any) -> None:
    first, second = cs.simulate(CHAIN), cs.simulate({**CHAIN, **SILENT})
    same = cs.compare(first, first)
    assert (same.counts["same"], len(same.blame), len(same.as_dict()["payments"])) == (4, 0, 0)
    assert set(same.measures["difference"].dropna()) == {0}
    back = cs.compare(second, first)
    assert back.payments["later_ms"].tolist() == (-silent.payments["later_ms"]).tolist()
    assert (back.counts["sooner"], back.counts["later"]) == (4, 0)


def test_the_page_stands_alone_and_is_the_same_each_time(silent: Any) -> None:
    text = page(silent)
    assert text == page(silent)
    assert text.count("<svg") == 3
    assert "receipt P2 ← P1" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_the_page_tells_of_a_payment_that_never_settles_how_it_ended() -> None:
    poor = {**CHAIN, "accounts": [{"account": name, "balance": 99 if name == "A" else 0} for name in "ABCD"]}
    assert '<td class="time">returned</td>' in page(cs.compare(cs.simulate(CHAIN), cs.simulate(poor)))


def test_payments_are_paired_by_id_where_the_two_runs_tell_them_in_another_order(silent: Any) -> None:
    payments = [*CHAIN["workload"][0]["payments"][::-1], pay("P5", "09:00", "D", "D", 1)]
    other = {**CHAIN, "workload": [{"system": "HVPS", "payments": payments}]}
    found = cs.compare(cs.simulate(CHAIN), cs.simulate({**other, **SILENT}))
    assert (found.counts["paired"], found.counts["only_b"]) == (4, 1)
    assert reasons(found) == reasons(silent)


def test_the_command_prints_the_blame_json_and_the_place_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cs.simulate(CHAIN, out="a")
    cs.simulate({**CHAIN, **SILENT}, out="b")
    assert execute(["compare", "a", "b", "--out", "."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "because of A, C: 1 payment worse off, CNY 95.00, later by 1.0 h on average" in lines
    assert "4 settled in both, on average 2.0 h later in B" in lines
    assert lines[-1] == "compare.html"
    cs.compare("a", "b", out="python.html")
    assert (tmp_path / "compare.html").read_bytes() == (tmp_path / "python.html").read_bytes()
    with pytest.raises(cs.InputError, match=r"^out: is a file of another kind \(a/manifest.json\)"):
        cs.compare("a", "b", out="a/manifest.json")
    assert execute(["compare", "a", "b", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["of"] for row in told["payments"]] == [None, "P1", "P1", "P2"]
    assert execute(["compare", "b", "a", "--out", "made/anew"]) == 0
    assert "4 settled in both, on average 2.0 h sooner in B" in capsys.readouterr().out.splitlines()
    assert "on average 2.0 h sooner in B." in (tmp_path / "made/anew/compare.html").read_text(encoding="utf-8")
    assert execute(["compare", "a", "a"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 settled in both, each at the same instant"
    assert execute(["compare", "a", "nowhere", "--out", "left"]) == 2
    assert not (tmp_path / "left").exists()
    assert execute(["compare", "a", "b", "--out", "a/manifest.json"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("--out: is a file of another kind")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"date": "2025-06-18"}, "the two runs are not of the same business dates"),
        ({"record": {"HVPS": "totals"}}, "the run did not record its payments"),
        ({"workload.0.payments.1.amount": "7"}, "payment P2 is another one in the second run"),
    ],
)
def test_runs_that_cannot_be_paired_say_why(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        cs.compare(cs.simulate(CHAIN), cs.simulate(CHAIN, set=change))


def test_runs_without_a_common_payment_are_refused() -> None:
    with pytest.raises(InputError, match="the two runs have no payment in common"):
        cs.compare(cs.simulate("quickstart"), cs.simulate("gridlock-ring"))
