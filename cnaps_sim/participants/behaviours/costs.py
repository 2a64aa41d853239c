"""Costs: what delay, liquidity and failure cost a bank, in whole fen.

Source: the cost terms of Bech and Garratt (2003) and Galbiati and Soramäki (2011). No public source tells the rates:
all are named parameters, a year has 360 days, and halves of a fen are rounded up.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from cnaps_sim.words.units import MS_PER_DAY

#: Liquidity (流动性成本): yearly rate on the most own money used on a date, for one day; no public source.
LIQUIDITY_RATE: Final = Decimal("0.02")
#: Delay (延迟成本): yearly rate on the value that waits, for the time it waits; no public source.
DELAY_RATE: Final = Decimal("0.10")
#: Failure (失败成本): share of the value of a payment that was sent back or never settled; no public source.
FAILURE_RATE: Final = Decimal("0.001")
DAYS_OF_YEAR: Final = 360
#: Value × time of a national day has 25 digits; products with a rate of 18 stay exact.
_DIGITS: Final = 60


def liquidity_cost(used_fen: int, yearly_rate: Decimal) -> int:
    """used × rate / 360: the money is tied for the whole date, however short it was needed."""
    return _rounded(used_fen, yearly_rate, DAYS_OF_YEAR)


def delay_cost(waited_fen_ms: int, yearly_rate: Decimal) -> int:
    """Sum of amount × time × rate / (360 × 86 400 000)."""
    return _rounded(waited_fen_ms, yearly_rate, DAYS_OF_YEAR * MS_PER_DAY)


def failure_cost(failed_fen: int, rate: Decimal) -> int:
    """failed × rate."""
    return _rounded(failed_fen, rate, 1)


def penalty_cost(lent_fen: int, daily_rate: Decimal) -> int:
    """lent × rate: a day of a loan at the penalty rate (高额罚息贷款)."""
    return _rounded(lent_fen, daily_rate, 1)


def _rounded(amount: int, rate: Decimal, over: int) -> int:
    with localcontext() as context:
        context.prec = _DIGITS
        return int((Decimal(amount) * rate / over).to_integral_value(ROUND_HALF_UP))
