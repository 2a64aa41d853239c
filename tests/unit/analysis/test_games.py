"""The initial liquidity game of two banks: its equilibrium, exactly, and the same game on settlement accounts."""

from __future__ import annotations

from fractions import Fraction

import pytest

import cnaps_sim as cs

NONE = Fraction(0)


@pytest.mark.parametrize("step", ["0.05", "0.01"])
def test_the_published_game_has_one_equilibrium(step: str) -> None:
    """Castro et al. (2021): A brings nothing and pays from what B paid in period 1; B brings what it owes."""
    game = cs.initial_liquidity_game(step=step)
    assert game.equilibria() == [(NONE, Fraction(1, 5))]
    assert game.costs((0, "0.2")) == (NONE, Fraction(2, 100))


def test_a_course_by_hand() -> None:
    """B brings 0.1: it pays 0.1 of 0.15, owes 0.05, is then told 0.05 more and receives too late what A pays."""
    first, second = cs.initial_liquidity_game().courses((0, "0.1"))
    assert (first.paid, first.delayed, first.borrowed) == ((NONE, Fraction(1, 10)), (NONE,), Fraction(1, 20))
    assert (second.paid, second.delayed) == ((Fraction(1, 10), NONE), (Fraction(1, 20),))
    assert second.borrowed == Fraction(1, 10)
    assert first.cost == Fraction(4, 10) * Fraction(1, 20)
    assert second.cost == Fraction(1, 10) * Fraction(1, 10) + Fraction(2, 10) / 20 + Fraction(4, 10) / 10


def test_money_received_in_a_period_pays_in_the_next_one() -> None:
    game = cs.initial_liquidity_game({"A": (2, 0), "B": (0, 2)}, step=1)
    assert game.courses((2, 0))[1].paid == (NONE, Fraction(2))
    at_once = cs.initial_liquidity_game({"A": (0, 2), "B": (0, 2)}, step=1)
    assert at_once.courses((2, 0))[1].paid == (NONE, NONE)


def test_best_responses_are_all_that_cost_least() -> None:
    free = cs.initial_liquidity_game(liquidity_rate=0, delay_rate=0, borrowing_rate=0)
    assert free.best_responses(0, 0) == free.grid(0)
    game = cs.initial_liquidity_game()
    assert game.best_responses(0, "0.2") == [NONE]
    assert game.best_responses(1, 0) == [Fraction(1, 5)]


def test_the_table_holds_every_pair_and_marks_the_equilibrium() -> None:
    table = cs.initial_liquidity_game().table()
    assert len(table) == 4 * 5
    (row,) = table[table.equilibrium].itertuples()
    assert (row.liquidity_A, row.liquidity_B, row.cost_A, row.cost_B) == (0, Fraction(1, 5), 0, Fraction(1, 50))


@pytest.mark.parametrize("liquidity", [(0, "0.2"), (0, 0), ("0.05", "0.1"), ("0.15", "0.15")])
def test_the_same_game_on_settlement_accounts_has_the_same_payments_and_costs(liquidity: tuple[str, str]) -> None:
    game = cs.initial_liquidity_game()
    played, run = game.play(liquidity)
    assert played == game.courses(liquidity)
    assert run.manifest["audit"]["verdict"] == "passed"


def test_three_periods_on_settlement_accounts() -> None:
    game = cs.initial_liquidity_game({"A": (3, 0, 2), "B": (1, 4, 0)}, step=1)
    for pair in ((1, 0), (0, 2), (2, 1)):
        assert game.play(pair)[0] == game.courses(pair)


def test_what_makes_no_game_is_told() -> None:
    with pytest.raises(cs.InputError, match="demands: are not those of two banks over the same periods"):
        cs.initial_liquidity_game({"A": (1, 2), "B": (1,)})
    with pytest.raises(cs.InputError, match="step: makes no grid that can be searched"):
        cs.initial_liquidity_game(step="0.0000001")
    with pytest.raises(cs.InputError, match="step: does not divide every amount"):
        cs.initial_liquidity_game(step="0.05").play(("0.01", 0))
    for amounts, told in (((1, None), "nothing"), ((1, ["0.5"]), "a list"), ((1, "1/0"), "1/0")):
        with pytest.raises(cs.InputError, match=rf"demands: is no number \({told}\)"):
            cs.initial_liquidity_game({"A": (1, 2), "B": amounts})  # type: ignore[dict-item]
    with pytest.raises(cs.InputError, match=r"demands: are not told as a list of amounts for each bank \(5\)"):
        cs.initial_liquidity_game({"A": (1, 2), "B": 5})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="delay_rate: a float is no exact number"):
        cs.initial_liquidity_game(delay_rate=0.2)  # type: ignore[arg-type]
