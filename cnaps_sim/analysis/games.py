"""Games between banks: how much initial liquidity (初始流动性) each brings when it can wait for the other's payments.

Two banks, some periods. At the beginning each buys liquidity; in each period it is told to pay an amount and pays what
its money covers, at most what it owes. Receipts of a period are usable from the next one on, those of the last are not.
What is not paid in a period is delayed; what is still owed after the last period is borrowed at the end of the day.
All figures are exact fractions of one unit of money.

Source: the initial liquidity game of Castro, Desai, Du, Garratt and Rivadeneyra (2021), after Bech and Garratt (2003).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from cnaps_sim.participants.behaviours.view import View
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import FEN_PER_YUAN

if TYPE_CHECKING:
    from cnaps_sim.run.store import Run

Number = str | int | Decimal | Fraction
Pair = tuple[Fraction, Fraction]

#: What each bank is told to pay in periods 1 and 2 in the source.
DEMANDS: Final[Mapping[str, Sequence[Number]]] = {"A": ("0", "0.15"), "B": ("0.15", "0.05")}
#: A grid with more points would not be searched in minutes.
_MOST_POINTS: Final = 1_000
#: In the books period p begins at 8 + p o'clock; receipts are looked at half an hour before the next one.
_FIRST_HOUR: Final = 9
_MOST_PERIODS: Final = 8


@dataclass(frozen=True)
class Course:
    """What happens to one bank. paid, delayed: per period; borrowed: at the end of the day; cost: of all together."""

    paid: tuple[Fraction, ...]
    delayed: tuple[Fraction, ...]
    borrowed: Fraction
    cost: Fraction


class InitialLiquidityGame:
    """The game of two banks; see the module.

    banks:   their names; demands: what each is told to pay per period
    rates:   cost of a unit of liquidity, of delay per period, of borrowing
    step:    distance of the points of the grid on which liquidity is chosen
    """

    def __init__(
        self,
        demands: Mapping[str, Sequence[Number]],
        liquidity_rate: Number,
        delay_rate: Number,
        borrowing_rate: Number,
        step: Number,
    ) -> None:
        _check_lists(demands)
        self.banks = tuple(demands)
        self.demands = [[_fraction("demands", amount) for amount in told] for told in demands.values()]
        self.liquidity_rate = _fraction("liquidity_rate", liquidity_rate)
        self.delay_rate = _fraction("delay_rate", delay_rate)
        self.borrowing_rate = _fraction("borrowing_rate", borrowing_rate)
        self.step = _fraction("step", step)
        if len(self.banks) != 2 or len({len(told) for told in self.demands}) != 1 or not self.demands[0]:
            raise InputError("demands", "", "are not those of two banks over the same periods", ", ".join(self.banks))
        if not self.step or max(sum(told) for told in self.demands) / self.step > _MOST_POINTS:
            raise InputError("step", "", "makes no grid that can be searched", self.step, f"{_MOST_POINTS} points")
        self._played: dict[Pair, tuple[Course, Course]] = {}

    def grid(self, bank: int) -> list[Fraction]:
        """Liquidity that a bank may choose: from 0 to all it is told to pay."""
        whole = sum(self.demands[bank], Fraction(0))
        points = [number * self.step for number in range(int(whole / self.step) + 1)]
        return points if points[-1] == whole else [*points, whole]

    def courses(self, liquidity: Sequence[Number]) -> tuple[Course, Course]:
        """What happens to both banks with the liquidity they bring."""
        first, second = (_fraction("liquidity", amount) for amount in liquidity)
        if (first, second) not in self._played:
            self._played[first, second] = self._play((first, second))
        return self._played[first, second]

    def _play(self, liquidity: Pair) -> tuple[Course, Course]:
        periods = len(self.demands[0])
        money, owed = list(liquidity), [Fraction(0), Fraction(0)]
        paid: tuple[list[Fraction], list[Fraction]] = ([], [])
        delayed: tuple[list[Fraction], list[Fraction]] = ([], [])
        for period in range(periods):
            for bank in (0, 1):
                owed[bank] += self.demands[bank][period]
                paid[bank].append(min(money[bank], owed[bank]))
            for bank in (0, 1):
                owed[bank] -= paid[bank][-1]
                money[bank] += paid[1 - bank][-1] - paid[bank][-1]
                if period < periods - 1:
                    delayed[bank].append(owed[bank])
        return self._course(liquidity[0], paid[0], delayed[0]), self._course(liquidity[1], paid[1], delayed[1], 1)

    def _course(
        self, liquidity: Fraction, paid: Sequence[Fraction], delayed: Sequence[Fraction], bank: int = 0
    ) -> Course:
        borrowed = sum(self.demands[bank], Fraction(0)) - sum(paid, Fraction(0))
        late = sum(delayed, Fraction(0))
        cost = self.liquidity_rate * liquidity + self.delay_rate * late + self.borrowing_rate * borrowed
        return Course(tuple(paid), tuple(delayed), borrowed, cost)

    def costs(self, liquidity: Sequence[Number]) -> Pair:
        """What each bank pays in all."""
        first, second = self.courses(liquidity)
        return first.cost, second.cost

    def best_responses(self, bank: int, other: Number) -> list[Fraction]:
        """What costs one bank least on its grid, where the other brings `other`; several if they cost the same."""
        against = _fraction("liquidity", other)
        pairs = {own: (own, against) if bank == 0 else (against, own) for own in self.grid(bank)}
        cost = {own: self.courses(pair)[bank].cost for own, pair in pairs.items()}
        least = min(cost.values())
        return [own for own, value in cost.items() if value == least]

    def equilibria(self) -> list[Pair]:
        """The pairs on the grid in which neither bank gains by bringing something else (Nash, pure strategies)."""
        answers = [{other: set(self.best_responses(bank, other)) for other in self.grid(1 - bank)} for bank in (0, 1)]
        pairs = product(self.grid(0), self.grid(1))
        return [(a, b) for a, b in pairs if a in answers[0][b] and b in answers[1][a]]

    def table(self) -> pd.DataFrame:
        """One row per pair of the grid: liquidity and cost of each bank, and whether it is an equilibrium."""
        found = set(self.equilibria())
        rows = []
        for pair in product(self.grid(0), self.grid(1)):
            told = dict(zip((f"liquidity_{name}" for name in self.banks), pair, strict=True))
            paid = dict(zip((f"cost_{name}" for name in self.banks), self.costs(pair), strict=True))
            rows.append({**told, **paid, "equilibrium": pair in found})
        return pd.DataFrame(rows)

    # the same in the books ---------------------------------------------------------------------------------------

    def scenario(self, liquidity: Sequence[Number]) -> dict[str, Any]:
        """The game as a scenario: every step of money is a payment of its own, so that any part can be paid.

        One unit of money is as many CNY as there are steps in it. Raises InputError for what is no number of steps.
        """
        periods = len(self.demands[0])
        if periods > _MOST_PERIODS:
            raise InputError("demands", "", "has more periods than a day in the books", periods, f"{_MOST_PERIODS}")
        payments = [
            {
                "payment_id": f"{name}{period + 1}-{number + 1}",
                "time": f"{_FIRST_HOUR + period:02d}:00",
                "debtor": name,
                "creditor": self.banks[1 - bank],
                "amount": 1,
            }
            for bank, name in enumerate(self.banks)
            for period, amount in enumerate(self.demands[bank])
            for number in range(self._steps(amount))
        ]
        return {
            "name": "initial-liquidity-game",
            "accounts": [
                {"account": name, "balance": self._steps(_fraction("liquidity", amount))}
                for name, amount in zip(self.banks, liquidity, strict=True)
            ],
            "workload": [{"system": "HVPS", "payments": payments}],
            "behaviours": [
                {
                    "banks": list(self.banks),
                    "policy": f"{PeriodPayer.__module__}:{PeriodPayer.__name__}",
                    "parameters": {"periods": periods},
                    "until": "never",
                }
            ],
        }

    def play(self, liquidity: Sequence[Number]) -> tuple[tuple[Course, Course], Run]:
        """The game played on settlement accounts of the simulator; what happened to both banks, and the run."""
        from cnaps_sim.analysis.simulate import simulate

        run = simulate(self.scenario(liquidity))
        courses = [self._observed(run, bank, _fraction("liquidity", liquidity[bank])) for bank in (0, 1)]
        return (courses[0], courses[1]), run

    def _observed(self, run: Run, bank: int, liquidity: Fraction) -> Course:
        """The course of one bank as the table of payments tells it."""
        periods = len(self.demands[bank])
        own = run.payments[run.payments["debtor"] == self.banks[bank]]
        paid = []
        for period in range(periods):
            begins = (_FIRST_HOUR + period) * 3_600_000
            settled = own["settled_ms"].between(begins, begins + 3_599_999)
            paid.append(int(own.loc[settled, "amount_fen"].sum()) * self.step / FEN_PER_YUAN)
        told, sent = Fraction(0), Fraction(0)
        delayed = []
        for period in range(periods - 1):
            told, sent = told + self.demands[bank][period], sent + paid[period]
            delayed.append(told - sent)
        return self._course(liquidity, paid, delayed, bank)

    def _steps(self, amount: Fraction) -> int:
        if (amount / self.step).denominator != 1:
            raise InputError("step", "", "does not divide every amount", f"{amount} / {self.step}", "whole steps")
        return int(amount / self.step)


class PeriodPayer:
    """The policy of a bank in the game: at the beginning of a period it pays what its money covers, in order.

    Money is what it opened with, less what it sent, plus what it had received before the period began; it looks half
    an hour before each period, so that payments of the same period change nothing.
    """

    def __init__(self, periods: int) -> None:
        hours = range(_FIRST_HOUR, _FIRST_HOUR + periods)
        self.at = [f"{hour - 1:02d}:30" for hour in hours] + [f"{hour:02d}:00" for hour in hours]
        self._received = 0
        self._looks = {(hour * 60 - 30) * 60_000 for hour in hours}

    def decide(self, view: View) -> list[int]:
        """The heads of the outbox that its money covers."""
        if view.time_ms in self._looks:
            self._received = view.received_fen
            return []
        money = view.opening + self._received - view.sent_fen
        chosen = []
        for place, amount in enumerate(view.outbox.amount.tolist()):
            if amount > money:
                break
            money -= amount
            chosen.append(place)
        return chosen


def initial_liquidity_game(
    demands: Mapping[str, Sequence[Number]] = DEMANDS,
    *,
    liquidity_rate: Number = "0.1",
    delay_rate: Number = "0.2",
    borrowing_rate: Number = "0.4",
    step: Number = "0.05",
) -> InitialLiquidityGame:
    """The initial liquidity game (初始流动性博弈) of two banks; without arguments that of the source.

    demands: what each bank is told to pay per period, by name
    liquidity_rate, delay_rate, borrowing_rate: costs of a unit brought, delayed by a period, borrowed at the end
    step: distance of the points among which liquidity is chosen

    Numbers as text, int, Decimal or Fraction; a float is a TypeError. InputError for demands of other than two banks.
    """
    return InitialLiquidityGame(demands, liquidity_rate, delay_rate, borrowing_rate, step)


def _check_lists(demands: object) -> None:
    """InputError unless a list of amounts is told for each bank."""
    wrong = [demands]
    if isinstance(demands, Mapping):
        wrong = [told for told in demands.values() if not isinstance(told, list | tuple)]
    if wrong:
        raise InputError("demands", "", "are not told as a list of amounts for each bank", wrong[0], "{A: [0, 0.15]}")


def _fraction(name: str, number: Number) -> Fraction:
    if isinstance(number, float):
        raise TypeError(f"{name}: a float is no exact number; use text, Decimal or Fraction")
    try:
        found = Fraction(number)
    except (ArithmeticError, ValueError, TypeError):
        raise InputError(name, "", "is no number", number, "such as 0.05 or 1/20") from None
    if found < 0:
        raise InputError(name, "", "is negative", number, "numbers from 0")
    return found
