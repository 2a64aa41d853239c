"""Liquidity, its bounds and its concentration; monitoring tools; the headline."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest

from cnaps_sim.analysis.metrics import concentration, headline, liquidity, monitoring, provision, throughput


def values(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_the_toy_day_turns_its_liquidity_over_eight_thirds_times(toy_day: Any) -> None:
    found = values(liquidity(toy_day))
    assert (found["lower_bound"], found["upper_bound"]) == (3_000, 6_000)
    assert found["turnover"] == pytest.approx(8 / 3)


def test_bounds_belong_to_accounts(toy_day: Any) -> None:
    frame = liquidity(toy_day, by="account")
    bounds = frame[frame["measure"].isin(["lower_bound", "upper_bound"])].groupby("account")["value"].apply(list)
    assert bounds.to_dict() == {"A": [3_000, 6_000], "B": [0, 0], "C": [0, 0]}


def test_an_account_that_used_nothing_has_no_turnover(toy_day: Any) -> None:
    frame = liquidity(toy_day, by="account").set_index(["account", "measure"])["value"]
    assert frame["B", "turnover"] is None


def test_the_central_bank_provides_no_liquidity(queueing_day: Any) -> None:
    frame = liquidity(queueing_day, by="account")
    assert set(frame["account"]) == {"A", "B", "C", "X"}
    assert values(liquidity(queueing_day))["opening"] == 31_000


def test_peak_use_is_opening_less_lowest_balance(queueing_day: Any) -> None:
    assert values(liquidity(queueing_day))["peak_used"] == 1_100 + 14_000


def test_a_refused_payment_needs_no_liquidity_and_a_returned_one_does(queueing_day: Any) -> None:
    frame = liquidity(queueing_day, by="account").set_index(["account", "measure"])["value"]
    assert frame["C", "lower_bound"] == 50_000 + 1_000 - 7_000
    assert frame["B", "lower_bound"] == 14_000 + 3_000 - 10_000 - 500 - 1_000


def test_bounds_do_not_count_interest_that_the_run_itself_caused(hand_made: Any) -> None:
    interest = hand_made.payment(0, "A", "PBC-INTEREST-FEES", 7, "17:15", level=2, type="INTR")
    fee = hand_made.payment(1, "A", "PBC-INTEREST-FEES", 5, "17:15", level=2, type="FEES")
    assert values(liquidity(hand_made.make_run([interest, fee])))["upper_bound"] == 500


def test_what_a_bank_held_back_comes_before_the_arrivals_of_its_instant(hand_made: Any) -> None:
    """A's 30 leaves its outbox at 10:00, B's 30 arrives at 10:00: B needs nothing."""
    run = hand_made.make_run(
        [
            hand_made.payment(0, "B", "A", 30, "10:00"),
            hand_made.payment(1, "A", "B", 30, "09:00", submitted_ms="10:00", settled_ms="10:00"),
        ]
    )
    frame = liquidity(run, by="account").set_index(["account", "measure"])["value"]
    assert (frame["A", "upper_bound"], frame["B", "upper_bound"]) == (3_000, 0)


def test_several_dates_add_up_and_the_opening_is_the_first(hand_made: Any) -> None:
    first, second = hand_made.DATE, hand_made.DATE + dt.timedelta(days=1)
    day = 86_400_000
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 30, "09:00"),
            hand_made.payment(1, "B", "A", 30, day + 32_400_000, date=second),
        ],
        [
            hand_made.account("A", 30, 0, 0),
            hand_made.account("B", 0, 0, 30),
            hand_made.account("A", 0, 0, 30, date=second),
            hand_made.account("B", 30, 0, 0, date=second),
        ],
        dates=[first, second],
    )
    part = headline(run)["liquidity"]
    assert part == {
        "opening_fen": 3_000,
        "peak_used_fen": 6_000,
        "lower_bound_fen": 6_000,
        "upper_bound_fen": 6_000,
        "turnover": 1.0,
    }
    by_date = liquidity(run, by="date")
    assert by_date[by_date["measure"] == "opening"]["value"].tolist() == [3_000, 3_000]


@pytest.mark.parametrize(
    ("used", "gini", "herfindahl"),
    [([5, 5, 5, 5], 0.0, 0.25), ([0, 0, 0, 8], 0.75, 1.0), ([1, 3], 0.25, 0.625), ([0, 0], float("nan"), float("nan"))],
)
def test_concentration_of_the_liquidity_used(hand_made: Any, used: list[int], gini: float, herfindahl: float) -> None:
    accounts = [hand_made.account(f"A{n}", yuan, 0) for n, yuan in enumerate(used)]
    run = hand_made.make_run([hand_made.payment(0, "A0", "A1", 1, "09:00")], accounts)
    found = values(concentration(run))
    assert found["gini"] == pytest.approx(gini, nan_ok=True)
    assert found["herfindahl"] == pytest.approx(herfindahl, nan_ok=True)


def test_provision_adds_up_to_nothing(queueing_day: Any) -> None:
    frame = provision(queueing_day)
    assert sum(frame["value"]) == pytest.approx(0)
    assert frame.set_index("account")["value"]["B"] == pytest.approx(14_000 / 15_100 - 17_000 / 31_600)


def test_the_published_bank_day_peaks_at_ten_and_is_lowest_at_three(bank_day: Any, hand_made: Any) -> None:
    found = values(monitoring(bank_day).query("account == 'bank'"))
    assert (found["largest_positive_net"], found["largest_positive_at"]) == (29_900, hand_made.clock("10:00"))
    assert (found["largest_negative_net"], found["largest_negative_at"]) == (-13_800, hand_made.clock("15:00"))
    assert (found["closing_net"], found["sent"], found["received"]) == (-4_700, 89_400, 84_700)


def test_the_published_bank_day_has_its_throughput(bank_day: Any) -> None:
    """An hour includes its end: what is paid at 15:00 counts at 15:00."""
    frame = throughput(bank_day, where={"account": "bank"})
    share = frame[frame["measure"] == "settled_share"].set_index("time_ms")["value"]
    shares = [round(100 * share[hour * 3_600_000], 2) for hour in range(10, 18)]
    assert shares == [2.13, 50.22, 50.22, 50.22, 51.34, 98.77, 98.77, 100]


def test_throughput_of_several_dates_lies_on_one_axis(hand_made: Any) -> None:
    second = hand_made.DATE + dt.timedelta(days=1)
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 1, "09:30"),
            hand_made.payment(1, "A", "B", 1, 86_400_000 + hand_made.clock("10:30"), date=second),
        ],
        dates=[hand_made.DATE, second],
    )
    frame = throughput(run)
    settled = frame[frame["measure"] == "settled_share"]
    assert dict(zip(settled["time_ms"], settled["value"], strict=True)) == {36_000_000: 0.5, 39_600_000: 1.0}


def test_the_settled_curve_stays_below_one_where_payments_are_returned(queueing_day: Any) -> None:
    last = throughput(queueing_day).groupby("measure")["value"].max()
    assert last["submitted_share"] == last["settled_share"] == 1
    assert last["settled_of_submitted"] == pytest.approx(316 / 826)


def test_inside_an_instant_receipts_and_payments_net(queueing_day: Any) -> None:
    """At 10:00 B pays A 140, which releases A's 100 and 40: A ends the instant where it was."""
    found = values(monitoring(queueing_day).query("account == 'A'"))
    assert found["largest_positive_net"] == 0
    assert found["largest_negative_net"] == -600


def test_the_headline_is_plain_json(queueing_day: Any) -> None:
    found = json.loads(json.dumps(headline(queueing_day), allow_nan=False))
    assert list(found["systems"]) == ["HVPS", "SAPS"]
    assert found["systems"]["HVPS"]["submitted"] == {"count": 8, "value_fen": 84_500}
    assert found["systems"]["HVPS"]["mean_delay_ms"] == pytest.approx((3600 + 1800 + 0 + 3600 + 1200) / 5 * 1000)
    assert found["systems"]["SAPS"]["delay_rho"] == 1


def test_the_headline_names_hvps_even_if_it_has_no_payment(hand_made: Any) -> None:
    run = hand_made.make_run([], [hand_made.account("A", 5, 5)])
    part = headline(run)
    assert part["systems"]["HVPS"]["submitted"] == {"count": 0, "value_fen": 0}
    assert part["systems"]["HVPS"]["mean_delay_ms"] is None
    assert part["liquidity"]["turnover"] is None
