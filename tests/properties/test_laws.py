"""Laws that hold for the books as a whole: the closed network of tokens, and what the liquidity bounds promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.core import Books
from cnaps_sim.core.records import FLOW, new
from cnaps_sim.optimise.bounds import account_bounds
from cnaps_sim.words.codes import Act, Discipline, Phase
from cnaps_sim.words.streams import Streams


def play(rows: np.ndarray, opening: list[int], discipline: Discipline = Discipline.FIFO) -> tuple[Books, np.ndarray]:
    """Books after the whole flow, and their log."""
    books = Books([{"balance": fen} for fen in opening], discipline=discipline)
    books.set_phase(Phase.DAYTIME)
    books.advance(rows, 0, 2**62)
    return books, books.drain_log()


@pytest.mark.parametrize(("banks", "tokens"), [(5, 3), (10, 20), (40, 40), (8, 100)])
def test_unit_payments_in_a_closed_network_settle_with_probability_l_over_l_plus_n_minus_1(
    banks: int, tokens: int
) -> None:
    """Every bank asks at the same rate for unit payments to a payee drawn evenly; what cannot be funded is refused.

    All distributions of the tokens are then equally likely in the long run, so an account is not empty with
    probability L / (L + n - 1).
    """
    count = 400_000
    rng = Streams(3)["closed-network"]
    rows = new(FLOW, count)
    rows["time_ms"] = np.cumsum(rng.exponential(5.0, count)).astype(np.int64)
    rows["debtor"] = rng.integers(0, banks, count)
    rows["creditor"] = (rows["debtor"] + rng.integers(1, banks, count)) % banks
    rows["amount"] = 1
    rows["level"] = 7
    opening = [tokens // banks + (bank < tokens % banks) for bank in range(banks)]
    books, log = play(rows, opening, Discipline.REJECT)
    settled = log["act"][count // 4 :] == Act.SETTLED
    assert abs(settled.mean() - tokens / (tokens + banks - 1)) < 0.006
    assert books.accounts["balance"].sum() == tokens


payment = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 50))


def flow_of(payments: list[tuple[int, int, int]]) -> np.ndarray:
    rows = new(FLOW, len(payments))
    for place, (debtor, step, amount) in enumerate(payments):
        rows[place] = (place, amount, debtor, (debtor + step) % 4, 7, 0, False)
    return rows


@given(st.lists(payment, min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_with_the_upper_bounds_every_payment_settles_on_arrival(payments: list[tuple[int, int, int]]) -> None:
    rows = flow_of(payments)
    _, upper = account_bounds(4, rows["debtor"], rows["creditor"], rows["amount"].copy())
    _, log = play(rows, upper.tolist())
    assert (log["act"] == Act.SETTLED).all()
    if upper.max() > 0:
        short = int(np.argmax(upper))
        _, log = play(rows, [fen - (bank == short) for bank, fen in enumerate(upper.tolist())])
        assert (log["act"] == Act.QUEUED).any()


@given(st.lists(payment, min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_one_fen_below_a_lower_bound_something_never_settles(payments: list[tuple[int, int, int]]) -> None:
    rows = flow_of(payments)
    lower, upper = account_bounds(4, rows["debtor"], rows["creditor"], rows["amount"].copy())
    for bank in np.flatnonzero(lower):
        opening = (upper + 1_000).tolist()
        opening[bank] = int(lower[bank]) - 1
        books, _ = play(rows, opening)
        assert books.waiting(int(bank), 7)


@given(
    st.lists(payment, min_size=1, max_size=40), st.lists(st.integers(0, 40), min_size=4, max_size=4), st.integers(0, 3)
)
@settings(max_examples=150, deadline=None)
def test_strict_fifo_is_monotone_in_liquidity(
    payments: list[tuple[int, int, int]], opening: list[int], richer: int
) -> None:
    rows = flow_of(payments)
    _, poor = play(rows, opening)
    _, rich = play(rows, [fen + 7 * (bank == richer) for bank, fen in enumerate(opening)])

    def settled_at(log: np.ndarray) -> dict[int, int]:
        return {int(e["sequence"]): int(e["time_ms"]) for e in log if e["act"] == Act.SETTLED}

    later = settled_at(rich)
    assert all(later.get(sequence, 2**62) <= time_ms for sequence, time_ms in settled_at(poor).items())
