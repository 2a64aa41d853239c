"""Tables of amounts and latencies, and the table of who pays whom: what a compiled loop draws from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import System
from cnaps_sim.words.retail_days import retail_days
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.network import core_periphery
from cnaps_sim.workload.population import national_accounts
from cnaps_sim.workload.retail_alias import alias_table
from cnaps_sim.workload.retail_amounts import AMOUNT_CELLS, amount_table, lag_table, probability_below
from cnaps_sim.workload.retail_stream import GeneratedRetail
from cnaps_sim.workload.retail_terms import RetailTerms, Volume

SIGMA = Decimal(2)
LARGEST = 100_000_000


@pytest.mark.parametrize(("median", "largest"), [(831_600, LARGEST), (267_500, LARGEST), (800, 20_000), (5, 1)])
def test_the_share_that_is_not_redrawn_is_that_of_the_distribution(median: int, largest: int) -> None:
    expected = stats.lognorm(s=2.0, scale=median).cdf(largest)
    assert probability_below(median, SIGMA, largest) == pytest.approx(expected, rel=1e-12)


def test_amounts_have_the_mean_they_are_asked_for() -> None:
    table = amount_table(267_500, SIGMA, LARGEST, 1_000, 1_000 * 1_646_999)
    mean = (table.entries[:-1].sum() + table.entries[1:].sum()) / (2 * AMOUNT_CELLS)
    assert mean == pytest.approx(1_646_999, rel=1e-6)
    assert table.factor == pytest.approx(1, abs=1e-3)


def test_scaling_takes_no_amount_over_the_largest() -> None:
    table = amount_table(267_500, SIGMA, LARGEST, 1_000, 1_000 * 20_000_000)
    mean = (table.entries[:-1].sum() + table.entries[1:].sum()) / (2 * AMOUNT_CELLS)
    assert table.entries.max() == LARGEST
    assert mean == pytest.approx(20_000_000, rel=1e-6)


def test_a_reply_takes_a_millisecond_at_least_and_comes_before_its_limit() -> None:
    for median in (1, 800, 10**9):
        table = lag_table(median, SIGMA, 20_000)
        assert table.min() >= 1
        assert table.max() <= 19_999


def test_a_date_has_one_amount_from_each_stratum() -> None:
    count = 1_000
    volume = Volume(count, count * 1_647_000)
    table = amount_table(267_500, SIGMA, LARGEST, volume.count, volume.value_fen)
    days = retail_days(Timetable(dt.date(2025, 6, 17), 1, Calendar()))
    stream = GeneratedRetail(
        national_accounts(20).size, days, {System.IBPS: volume}, Calendar(), Streams(1), RetailTerms()
    )
    amounts = np.sort(np.concatenate([chunk.amounts for chunk in stream.chunks()]))
    # What is refused comes on top and has strata of its own.
    edges = np.arange(len(amounts) + 1) * (AMOUNT_CELLS / len(amounts))
    bounds = np.interp(edges, np.arange(AMOUNT_CELLS + 1), table.entries)
    assert (amounts >= np.floor(bounds[:-1]) - 1).all()
    assert (amounts <= np.ceil(bounds[1:])).all()


def test_the_alias_table_draws_each_link_with_its_probability() -> None:
    network = core_periphery(national_accounts(60).size, 10, 3, 0.9, np.random.default_rng(1))
    links = alias_table(network)
    found: dict[tuple[int, int], float] = {}
    for link in links:
        first = float(link["threshold"]) / 2**32
        for pair, share in (
            ((link["debtor"], link["creditor"]), first),
            ((link["other_debtor"], link["other_creditor"]), 1 - first),
        ):
            key = (int(pair[0]), int(pair[1]))
            found[key] = found.get(key, 0.0) + share / len(links)
    for debtor, creditor, probability in zip(network.debtor, network.creditor, network.probability, strict=True):
        assert found[int(debtor), int(creditor)] == pytest.approx(probability, abs=1e-9)
