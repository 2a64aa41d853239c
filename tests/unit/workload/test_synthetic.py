"""A synthetic HVPS day: exact count and total, published shares, the same bytes for the same seed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Level
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import BusinessDay, Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR
from cnaps_sim.workload.flow import Flow, merge
from cnaps_sim.workload.opening import opening_share_of_outflow
from cnaps_sim.workload.population import national_accounts
from cnaps_sim.workload.synthetic import HvpsParameters, amounts_of_a_day, generate_hvps_day

SIZES = national_accounts().size
DAYS = Timetable(dt.date(2025, 6, 17), 2, Calendar()).business_days
COUNT = 20_000
#: The published mean, CNY 22.19 m, times the count.
VALUE = COUNT * 2_219_000_000
LATE = 15 * MS_PER_HOUR


def generate(
    count: int = COUNT,
    value: int = VALUE,
    seed: int = 1,
    day: BusinessDay = DAYS[0],
    sizes: npt.NDArray[np.float64] = SIZES,
    **parameters: Any,
) -> Flow:
    return generate_hvps_day(sizes, day, count, value, Streams(seed), HvpsParameters(**parameters))


def late_share(flow: Flow) -> float:
    amount = flow.rows["amount"]
    return float(amount[flow.rows["time_ms"] >= LATE].sum() / amount.sum())


@pytest.fixture(scope="module")
def flow() -> Flow:
    return generate()


def test_count_and_total_are_exact(flow: Flow) -> None:
    assert len(flow) == COUNT
    assert int(flow.rows["amount"].sum()) == VALUE


def test_at_the_published_mean_the_scaling_factor_is_near_one(flow: Flow) -> None:
    assert float(str(flow.notes["amount_factor"])) == pytest.approx(1, abs=0.02)


def test_no_payment_goes_to_its_own_sender(flow: Flow) -> None:
    assert (flow.rows["debtor"] != flow.rows["creditor"]).all()
    assert flow.rows["debtor"].max() < 320
    assert flow.rows["creditor"].min() >= 0


def test_the_count_has_its_share_of_bank_transfers(flow: Flow) -> None:
    assert flow.types == ("A100", "A200")
    assert np.bincount(flow.type_index).tolist() == [COUNT - 2884, 2884]


def test_each_kind_has_its_median(flow: Flow) -> None:
    amount, factor = flow.rows["amount"], float(str(flow.notes["amount_factor"]))
    medians = [np.median(amount[flow.type_index == kind]) / factor for kind in (0, 1)]
    assert medians == pytest.approx([15_000_000, 4_000_000_000], rel=0.01)


def test_28_percent_of_the_count_and_35_percent_of_the_value_come_after_three(flow: Flow) -> None:
    assert (flow.rows["time_ms"] >= LATE).sum() == COUNT * 28 // 100
    assert late_share(flow) == pytest.approx(0.35, abs=0.02)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_another_share_of_late_value_can_be_asked_for(share: float) -> None:
    assert late_share(generate(late_value_share=share)) == pytest.approx(share, abs=0.02)


def test_a_share_of_late_value_that_cannot_be_is_approached() -> None:
    flow = generate(late_value_share=1.0)
    is_late = flow.rows["time_ms"] >= LATE
    assert (flow.type_index[~is_late] == 0).all()


def test_priorities_have_exact_numbers(flow: Flow) -> None:
    levels, counts = np.unique(flow.rows["level"], return_counts=True)
    assert dict(zip(levels.tolist(), counts.tolist(), strict=True)) == {
        Level.URGENT: 2,
        Level.HIGH: 400,
        Level.NORMAL: COUNT - 402,
    }


def test_ids_number_the_payments_in_order_of_time(flow: Flow) -> None:
    assert flow.payment_ids[0].as_py() == "H2025061700000001"
    assert flow.payment_ids[-1].as_py() == "H2025061700020000"
    assert (np.diff(flow.rows["time_ms"]) >= 0).all()


def test_nothing_is_refused_beforehand_or_special(flow: Flow) -> None:
    assert not flow.rows["refusal"].any()
    assert not flow.rows["special"].any()


def test_larger_banks_pay_more(flow: Flow) -> None:
    sent = np.bincount(flow.rows["debtor"], minlength=320)
    assert sent[:6].min() > sent[30:].max()


def digest(flow: Flow) -> str:
    return hashlib.sha256(flow.rows.tobytes() + flow.payment_ids.buffers()[2].to_pybytes()).hexdigest()[:16]


def test_the_same_seed_makes_the_same_bytes_on_every_machine() -> None:
    assert digest(generate(500, 10**12)) == "947108925332100e"


def test_another_seed_makes_another_day() -> None:
    assert digest(generate(500, 10**12, seed=1)) != digest(generate(500, 10**12, seed=2))


def test_days_differ_but_share_one_network() -> None:
    streams = Streams(1)
    first, second = (generate_hvps_day(SIZES, day, 3_000, 10**13, streams) for day in DAYS)
    assert second.rows["time_ms"].min() >= DAYS[1].opens_ms
    assert (first.rows["amount"] != second.rows["amount"]).any()
    small = [
        set(zip(f.rows["debtor"], f.rows["creditor"], strict=True))
        for f in (generate(60_000), generate(60_000, day=DAYS[1]))
    ]
    payees = [{b for a, b in pairs if a == 200} for pairs in small]
    assert payees[0] == payees[1]
    merged = merge([first, second])
    assert len(merged) == 6_000
    assert merged.rows["time_ms"].max() < DAYS[1].midnight_ms + MS_PER_DAY


def test_changing_the_amounts_leaves_times_and_parties_alone() -> None:
    one, other = generate(), generate(customer_sigma=1.0)
    for field in ("time_ms", "debtor", "creditor", "level"):
        assert (one.rows[field] == other.rows[field]).all()
    assert (one.rows["amount"] != other.rows["amount"]).any()


@pytest.mark.parametrize(
    ("count", "value"), [(0, 0), (1, 1), (1, 10**9), (3, 10**6), (10, 10), (10, 11), (50, 60), (1_000, 1_500)]
)
def test_the_smallest_days_are_exact_too(count: int, value: int) -> None:
    flow = generate(count, value, sizes=np.ones(3))
    assert len(flow) == count
    assert int(flow.rows["amount"].sum()) == value
    assert count == 0 or flow.rows["amount"].min() >= 1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_day_may_have_one_kind_of_payment_only(share: float) -> None:
    flow = generate(1_000, 10**12, bank_share=share)
    assert set(flow.type_index.tolist()) == {int(share)}


def test_amounts_stay_in_rising_order_of_their_kind() -> None:
    customer, bank, _ = amounts_of_a_day(5_000, 10**13, HvpsParameters(), np.random.default_rng(1))
    assert (np.diff(customer) >= 0).all()
    assert (np.diff(bank) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"count": -1}, "workload: count: must be 0 or more (-1)"),
        ({"count": 10, "value": 9}, "workload: value: cannot be the total of 10 payments (0.09)"),
        ({"count": 0, "value": 5}, "workload: value: cannot be the total of 0 payments (0.05)"),
        ({"count": 2, "value": 10**19}, "workload: value: cannot be the total of 2 payments (100000000000000000.00)"),
        (
            {"count": 1, "value": 10**17},
            "workload: value: makes a payment over the largest amount (1000000000000000.00)",
        ),
        ({"sizes": np.ones(1)}, "workload: accounts: payments need at least two accounts (1)"),
        ({"reciprocity": 1.5}, "workload: reciprocity: out of range (1.5); allowed: 0 to 1"),
        ({"bank_sigma": -1.0}, "workload: bank_sigma: out of range (-1.0); allowed: 0 to 10"),
        ({"bank_share": float("nan")}, "workload: bank_share: out of range (nan); allowed: 0 to 1"),
        ({"ties": 0}, "workload: ties: out of range (0); allowed: 1 or more"),
        (
            {"high_share": 0.9, "urgent_share": 0.2},
            "workload: high_share: with urgent_share more than all payments (0.9)",
        ),
    ],
)
def test_impossible_days_are_refused_in_words(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        generate(**arguments)
    assert str(error.value) == sentence


def test_every_parameter_stands_where_the_default_day_can_change_it() -> None:
    assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(HvpsParameters))


def test_opening_balances_are_a_share_of_each_outflow(flow: Flow) -> None:
    outflow = np.zeros(321, dtype=np.int64)
    np.add.at(outflow, flow.rows["debtor"], flow.rows["amount"])
    opening = opening_share_of_outflow(flow, 321, 0.5, 0.7, np.random.default_rng(1))
    assert opening.dtype == np.int64
    assert opening[320] == 0
    paying = outflow > 10**7
    assert (opening[paying] / outflow[paying]).min() >= 0.4999
    assert (opening[paying] / outflow[paying]).max() <= 0.7001
    assert len(np.unique((opening[paying] / outflow[paying]).round(4))) > 100


def test_a_single_share_is_taken_exactly(flow: Flow) -> None:
    opening = opening_share_of_outflow(flow, 320, 0.25, 0.25, np.random.default_rng(1))
    outflow = np.zeros(320, dtype=np.int64)
    np.add.at(outflow, flow.rows["debtor"], flow.rows["amount"])
    assert (opening == outflow // 4).all()


def test_a_higher_range_raises_every_opening_balance(flow: Flow) -> None:
    low = opening_share_of_outflow(flow, 320, 0.05, 0.1, np.random.default_rng(1))
    high = opening_share_of_outflow(flow, 320, 0.5, 0.7, np.random.default_rng(1))
    assert (high >= low).all()


@pytest.mark.parametrize(("low", "high"), [(0.7, 0.5), (-0.1, 0.5)])
def test_a_range_that_is_none_is_refused(flow: Flow, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="0 <= low <= high"):
        opening_share_of_outflow(flow, 320, low, high, np.random.default_rng(1))
