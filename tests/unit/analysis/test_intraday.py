"""Intraday monitoring tools of BCBS 248 and throughput targets, on the published bank's day and on small days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis import metrics


def of(frame: pd.DataFrame, account: str) -> dict[str, Any]:
    mine = frame[frame["account"] == account]
    return dict(zip(mine["measure"], mine["value"], strict=True))


def test_the_published_bank_day_has_its_peaks_and_its_gross_sums(bank_day: Any) -> None:
    """Largest net debit 138 at 15:00, largest net credit 299 at 10:00; 894 out, 847 in."""
    usage, gross = of(metrics.intraday_usage(bank_day), "bank"), of(metrics.total_payments(bank_day), "bank")
    assert (usage["usage_1"], usage["usage_mean"], usage["positive_1"]) == (13_800, 13_800, 29_900)
    assert usage["usage_2"] is None
    assert (gross["sent_1"], gross["received_1"]) == (89_400, 84_700)


def test_the_published_bank_day_has_its_throughput_by_hour_and_against_targets(bank_day: Any) -> None:
    frame = metrics.intraday_throughput(bank_day)
    share = frame[frame["account"] == "bank"].set_index("time_ms")["value"]
    shares = [round(100 * share[hour * 3_600_000], 2) for hour in range(10, 18)]
    assert shares == [2.13, 50.22, 50.22, 50.22, 51.34, 98.77, 98.77, 100]
    told = metrics.throughput_targets(bank_day, where={"account": "bank"})
    found = told.set_index(["time_ms", "measure"])["value"]
    assert found[43_200_000, "shortfall"] == 0
    assert found[52_200_000, "throughput"] == pytest.approx(504 / 894)
    assert found[52_200_000, "shortfall"] == pytest.approx(0.75 - 504 / 894)


@pytest.mark.parametrize("targets", [{"noon": 0.5}, {"12:00": 1.5}])
def test_a_target_that_cannot_be_is_an_error(bank_day: Any, targets: dict[str, float]) -> None:
    with pytest.raises(cs.InputError, match="targets"):
        metrics.throughput_targets(bank_day, targets=targets)


def test_the_toy_day_uses_what_its_first_payer_held(toy_day: Any) -> None:
    usage = metrics.intraday_usage(toy_day).set_index(["account", "measure"])["value"]
    assert [usage[name, "usage_1"] for name in "ABC"] == [6_000, 0, 0]
    assert [usage[name, "positive_1"] for name in "ABC"] == [0, 6_000, 5_000]
    whole = metrics.intraday_usage(toy_day, by=None).set_index("measure")["value"]
    assert (whole["usage_1"], whole["positive_1"]) == (6_000, 11_000)


def test_the_three_largest_days_are_reported_and_the_mean_of_all(hand_made: Any) -> None:
    dates = [hand_made.DATE + dt.timedelta(days=day) for day in range(4)]
    rows = [
        hand_made.payment(n, "A", "B", yuan, n * 86_400_000 + 32_400_000, date=dates[n])
        for n, yuan in enumerate((10, 40, 20, 31))
    ]
    accounts = [hand_made.account(name, 100, 0, date=date) for date in dates for name in "AB"]
    run = hand_made.make_run(rows, accounts, dates=dates)
    usage = of(metrics.intraday_usage(run), "A")
    assert [usage[f"usage_{n}"] for n in (1, 2, 3)] == [4_000, 3_100, 2_000]
    assert usage["usage_mean"] == 2_525
    assert of(metrics.total_payments(run), "B")["received_mean"] == 2_525


def test_what_is_available_at_the_start_adds_credit_and_leaves_out_what_is_blocked() -> None:
    run = cs.simulate(
        {
            "name": "start",
            "days": 2,
            "accounts": [
                {"account": "A", "balance": 100, "overdraft_limit": 30, "earmark": 20, "floor": 5},
                {"account": "B", "balance": 50},
            ],
            "credit": {
                "pledge": {"collateral": [{"account": "B", "bonds": 100}]},
                "agreements": [
                    {"lender": "A", "borrower": "B", "upper": 40},
                    {"lender": "A", "borrower": "B", "upper": 9, "from": "2025-06-18"},
                ],
            },
            "workload": [
                {"system": "HVPS", "payments": [
                    {"payment_id": "P", "time": "09:00", "debtor": "A", "creditor": "B", "amount": 60,
                     "on_behalf_of": "RURAL"},
                    {"payment_id": "Q", "time": "09:30", "debtor": "A", "creditor": "B", "amount": 20},
                ]}
            ],
        }
    )  # fmt: skip
    start = metrics.start_liquidity(run, where={"date": dt.date(2025, 6, 17)})
    assert of(start, "A") == {
        "balance": 10_000, "blocked": 2_500, "overdraft_limit": 3_000, "pledge_room": 0, "available": 10_500,
        "available_min": 10_500, "available_mean": 10_500,
    }  # fmt: skip
    assert of(start, "B")["available"] == 5_000 + of(start, "B")["pledge_room"] == 14_000
    customers = of(metrics.customer_payments(run), "A")
    assert (customers["customer_value"], customers["customer_share"]) == (6_000, 0.75)
    assert (customers["customers"], customers["largest_customers"]) == (1, 6_000)
    assert of(metrics.customer_credit(run, where={"date": dt.date(2025, 6, 17)}), "A") == {
        "customers": 1, "credit_lines": 4_000, "largest_line": 4_000, "credit_used": 0,
    }  # fmt: skip
    assert of(metrics.customer_credit(run), "B")["credit_lines"] == 0
