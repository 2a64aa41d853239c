"""Liquidity tools to look at: sources of money, who used what, stories of covered payments, the comparison."""

from __future__ import annotations

import re
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.report.page import render

#: A holds 50 and is in a pool with B (30); D may borrow 100 against bonds; C is out of money and gets a loan at night.
DAY: dict[str, Any] = {
    "name": "tools",
    "accounts": [
        {"account": "A", "balance": 50, "kind": "city"}, {"account": "B", "balance": 30, "kind": "city"},
        {"account": "C", "kind": "rural"}, {"account": "D", "kind": "foreign"},
    ],
    "workload": [
        {"system": "HVPS", "payments": [
            {"payment_id": "P1", "time": "09:00", "debtor": "A", "creditor": "C", "amount": 70},
            {"payment_id": "P2", "time": "10:00", "debtor": "D", "creditor": "C", "amount": 40},
            {"payment_id": "P3", "time": "11:30", "debtor": "C", "creditor": "D", "amount": 60},
            {"payment_id": "P4", "time": "12:00", "debtor": "C", "creditor": "A", "amount": 55},
        ]}
    ],
    "pools": [{"name": "twins", "accounts": ["A", "B"]}],
    "credit": {
        "pledge": {"rate": "0.9", "collateral": [{"account": "D", "bonds": 200}]},
        "agreements": [{"lender": "B", "borrower": "C", "lower": 1, "upper": 10}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def day() -> cs.Run:
    return cs.simulate(DAY)


def values(frame: Any) -> dict[str, Any]:
    found: dict[str, Any] = frame.set_index("measure")["value"].to_dict()
    return found


def test_the_sources_of_each_payment_of_a_small_day(day: cs.Run) -> None:
    """P1: B gave 20, 50 of its own. P2: a loan of 40. P3: 60 of receipts. P4: 50 of receipts, and 5 that B lent."""
    told = values(cs.metrics.sources(day))
    assert {name: told[name] for name in ("debited", "own", "receipts", "pool", "credit", "offset")} == {
        "debited": 225_00, "own": 50_00, "receipts": 110_00, "pool": 20_00, "credit": 45_00, "offset": 0
    }  # fmt: skip
    assert (told["pledge"], told["loan"], told["overdraft"]) == (40_00, 5_00, 0)
    by_account = cs.metrics.sources(day, by="account").set_index(["account", "measure"])["value"]
    assert by_account["C", "receipts"] == 110_00
    assert by_account["D", "credit_share"] == 1.0
    assert values(cs.metrics.sources(day, where={"account": "A"}))["own_share"] == pytest.approx(5 / 7)


def test_who_used_which_tool_and_who_gave(day: cs.Run) -> None:
    use = cs.metrics.tool_use(day).set_index(["account", "measure"])["value"]
    assert (use["A", "rescued_count"], use["A", "rescued"], use["B", "gave"]) == (1, 20_00, 20_00)
    assert (use["D", "pledge"], use["D", "pledge_peak"], use["D", "pledge_repaid"]) == (40_00, 40_00, 40_00)
    assert use["D", "pledge_interest"] == 1
    assert (use["B", "lent"], use["C", "borrowed"]) == (5_00, 5_00)
    whole = cs.metrics.rescues(day).set_index(["pool", "measure"])["value"]
    assert (whole["twins", "rescues"], whole["twins", "rescued"]) == (1, 20_00)


def test_a_covered_payment_says_by_whom(day: cs.Run) -> None:
    assert "A lacked CNY 20.00 of its own, which B of its fund pool (资金池) gave it." in str(cs.explain(day, "P1"))
    pledged = str(cs.explain(day, "P2"))
    assert "the central bank lent it CNY 40.00 against its bonds (自动质押融资), repaid at 11:30:00" in pledged
    assert "with CNY 0.01 of interest" in pledged
    assert "with that its account could pay: it settled at once" in pledged
    assert "B lent C CNY 5.00 (拆借); that released it." in str(cs.explain(day, "P4"))


def test_the_report_tells_who_gave_and_who_got(day: cs.Run) -> None:
    page = render(day)
    assert "Liquidity tools (流动性工具)" in page
    assert "1 payment, CNY 20.00" in page
    assert "B, CNY 20.00" in page
    assert "What each tool does" not in page
    assert "Liquidity tools" not in render(cs.simulate("gridlock-ring"))


def test_loans_in_default_are_told_apart_from_loans_open_at_the_end() -> None:
    """A borrows 100 and defaults after three days overdue; B borrows 50 on the last date and still owes it."""
    times = ["2025-06-16T10:00", "2025-06-19T10:00"]
    run = cs.simulate({
        "date": "2025-06-16", "days": 4,
        "accounts": [{"account": "A"}, {"account": "B", "kind": "city"}, {"account": "X"}],
        "workload": [{"system": "HVPS", "payments": [
            {"payment_id": "P1", "time": times[0], "debtor": "A", "creditor": "X", "amount": 100},
            {"payment_id": "P2", "time": times[1], "debtor": "B", "creditor": "X", "amount": 50},
        ]}],
        "credit": {"pledge": {"collateral": [{"account": "A", "bonds": 200}, {"account": "B", "bonds": 200}]}},
    })  # fmt: skip
    use = cs.metrics.tool_use(run).set_index(["account", "measure"])["value"]
    assert (use["A", "pledge_defaulted"], use["B", "pledge_defaulted"]) == (100_00, 0)
    by_date = cs.metrics.tool_use(run, by="date").set_index(["date", "measure"])["value"].unstack()
    assert by_date["pledge_defaulted"].tolist() == [0, 0, 0, 100_00]
    page = render(run)
    words = re.sub(r"\s*<[^>]+>\s*", "|", page)
    assert "|in default (违约), the bonds realised||CNY 100.00|" in words
    assert "|open at the end||CNY 50.00|" in words
    assert "|In default (违约)||Open at the end|" in words
    assert "|other|" in words  # the class of accounts without a kind
    assert "|nan|" not in words
    assert "a loan on which it was in default (违约) at T+3 17:15:00." in str(cs.explain(run, "P1"))
    assert "a loan still open at the end of the run." in str(cs.explain(run, "P2"))


def test_the_comparison_is_a_metric_a_picture_and_an_answer() -> None:
    run = cs.simulate(DAY, set={"compare_tools": True})
    frame = cs.metrics.tools(run)
    told = frame.set_index(["tools", "measure"])["value"]
    assert list(dict.fromkeys(frame["tools"])) == ["none", "pools", "pledge", "lending", "all"]
    assert (told["none", "settled_count"], told["all", "settled_count"]) == (0, 4)
    assert told["pools", "pool"] == 20_00
    axes = cs.plots.tools(run)
    assert ["CNY" in panel.get_xlabel() for panel in axes.child_axes] == [True, True]
    page = render(run)
    assert "How much? The day needs from" in page
    assert "With all tools together 100 % of the value settled" in page
    with pytest.raises(cs.InputError, match="compared no liquidity tools"):
        cs.metrics.tools(cs.simulate("gridlock-ring"))
