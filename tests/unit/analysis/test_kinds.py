"""Kinds of retail business beside each other, and who pays and receives the wages."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.report.page import render
from cnaps_sim.words.errors import InputError


def instruction(name: str, time: str, debtor: str, creditor: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"payment_id": name, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more}


def pay_day(**more: Any) -> Any:
    """A pays wages of 10 and 20 to B in one package, and 90 that wait for ever; B pays A 5 and C 3 otherwise."""
    wages = {"type": "BREG"}
    return cs.simulate(
        {
            "name": "pay-day",
            "date": "2025-06-10",
            "accounts": [{"account": name, "balance": 1_000, "credit_line": 50} for name in "ABC"],
            "record": {"BEPS": "payments"},
            "workload": [
                {
                    "system": "BEPS",
                    "payments": [
                        instruction("w1", "09:10", "A", "B", 10, **wages, package="w"),
                        instruction("w2", "09:10", "A", "B", 20, **wages, package="w"),
                        instruction("w3", "09:20", "A", "C", 90, **wages),
                        instruction("o1", "09:30", "B", "A", 5),
                        instruction("o2", "09:40", "B", "C", 3),
                    ],
                }
            ],
            **more,
        }
    )


def table(frame: pd.DataFrame, names: list[str]) -> Any:
    return frame.pivot(index=names, columns="measure", values="value").astype(object)


def words(run: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render(run)))


def test_kinds_worked_example() -> None:
    run = pay_day()
    found = table(metrics.kinds(run), ["type"])
    wages = found.loc["BREG"]
    assert (wages["packages"], wages["count"], wages["value"], wages["mean_package"]) == (2, 3, 12_000, 1.5)
    assert (wages["settled_count"], wages["settled_fen"]) == (2, 3_000)
    assert (wages["cancelled_count"], wages["waited_count"], wages["waited_fen"]) == (1, 1, 9_000)
    assert (wages["count_share"], wages["value_share"]) == (0.6, 12_000 / 12_800)
    assert found.loc["BCRD"]["packages"] == 2
    whole = metrics.kinds(run, by=None).set_index("measure")["value"]
    outcomes = run.manifest["outcomes"]["BEPS"]
    assert whole["count"] == outcomes["submitted"]["count"]
    assert whole["settled_fen"] == outcomes["settled"]["value_fen"]
    assert table(metrics.kinds(run, where={"type": "BREG"}), ["type"]).index.tolist() == ["BREG"]


def test_kinds_need_no_recorded_items() -> None:
    recorded, counted = (metrics.kinds(pay_day(record={"BEPS": detail})) for detail in ("payments", "totals"))
    pd.testing.assert_frame_equal(recorded, counted)


def test_what_each_participant_sent_and_received_of_each_kind() -> None:
    found = table(metrics.kind_flows(pay_day()), ["account", "type"])
    assert found.loc[("A", "BREG")][["sent_count", "sent", "received", "net"]].tolist() == [2, 3_000, 0, -3_000]
    assert found.loc[("B", "BCRD")][["sent_count", "sent", "received", "net"]].tolist() == [2, 800, 0, -800]
    assert found["net"].sum() == 0
    with pytest.raises(InputError, match="did not record items"):
        metrics.kind_flows(pay_day(record={"BEPS": "totals"}))


@pytest.mark.parametrize("asked", [{"by": "account"}, {"where": {"account": "A"}}])
def test_other_groups_and_filters_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        metrics.kinds(pay_day(), **asked)
    with pytest.raises(InputError):
        metrics.kind_flows(pay_day(), **asked)


def test_the_report_sets_kinds_and_payers_and_receivers_of_wages_beside_each_other() -> None:
    told = words(pay_day())
    for sentence in (
        "regular credit (定期贷记) BREG 3 60 % CNY 120.00 93.8 % 2 1.5 0 1 (33.3 %) 1 (33.3 %)",
        "1 participant pays more wages than it receives: CNY 30.00 against CNY 0.00, by which it loses CNY 30.00 of "
        "position, while all other kinds together bring it CNY 5.00. Of all that it was to pay, nothing was refused "
        "for the cap and 1 item was kept waiting by it.",
        "1 that pays more than it receives CNY 30.00 CNY 0.00 −CNY 30.00 +CNY 5.00 −CNY 25.00 0 1",
    ):
        assert sentence in told


@pytest.mark.parametrize(("date", "told"), [("2025-06-10", True), ("2025-06-11", False)])
def test_of_generated_traffic_wages_are_told_on_payroll_dates(date: str, told: bool) -> None:
    traffic = {"system": "BEPS", "generator": "national", "count": 400, "value": 16_000_000}
    run = pay_day(date=date, accounts={"generate": "national", "count": 8}, workload=[traffic])
    found = words(run)
    assert ("Wages: who pays" in found) == told
    sentence = (
        "2025-06-10 is a payroll date: regular credits are 2 times those of an ordinary date. In the run they are "
    )
    assert (sentence + "200 items" in found) == told
