"""What BEPS (小额) and IBPS (网银) do where a scenario says nothing of it: limits, replies, and a generated day.

Source: rule sections "BEPS", "IBPS" and "volumes to calibrate on"; [P] marks what has no public source. Money is fen,
durations are ms, shares and sigmas are Decimal, so that a scenario writes them as they stand here.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from cnaps_sim.words.codes import System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import FEN_PER_YUAN, MS_PER_HOUR, MS_PER_SECOND

#: The kind of a payment whose type is left out.
USUAL_KIND: Final = {System.BEPS: RetailKind.ORDINARY_CREDIT, System.IBPS: RetailKind.IBPS_CREDIT}

# A day of 2025 as published.

#: Items netted a day.
BEPS_ITEMS_PER_DAY: Final = 13_950_800
IBPS_ITEMS_PER_DAY: Final = 46_687_200
#: Their value in fen: CNY 564.88 bn and CNY 768.95 bn.
BEPS_VALUE_PER_DAY: Final = 564_880_000_000 * FEN_PER_YUAN
IBPS_VALUE_PER_DAY: Final = 768_950_000_000 * FEN_PER_YUAN

# Limits of the systems.

#: Most items of one package (包) [P].
PACKAGE_LIMIT: Final = 2_000
#: How long a real-time credit or debit of BEPS waits for its reply (实时业务回执期限), ms.
REALTIME_LIMIT_MS: Final = 60 * MS_PER_SECOND
#: How many working days an ordinary or regular debit waits for its reply (借记回执期限) [P].
REPLY_DAYS: Final = 5
#: How long a payment of IBPS waits for its reply, ms [P].
IBPS_REPLY_LIMIT_MS: Final = 20 * MS_PER_SECOND

# How the other bank answers, all [P]: lognormal times with median in ms and sigma of the logarithm.

#: Real-time credits and debits of BEPS.
REALTIME_MEDIAN_MS: Final = 1_200
REALTIME_SIGMA: Final = Decimal("0.8")
#: Ordinary and regular debits of BEPS.
REPLY_MEDIAN_MS: Final = 4 * MS_PER_HOUR
REPLY_SIGMA: Final = Decimal("0.9")
#: Payments of IBPS.
IBPS_REPLY_MEDIAN_MS: Final = 800
IBPS_REPLY_SIGMA: Final = Decimal("0.6")
#: Shares of what has a reply: the other bank says no, or never answers.
BEPS_REFUSED_SHARE: Final = Decimal("0.01")
BEPS_UNANSWERED_SHARE: Final = Decimal("0.001")
IBPS_REFUSED_SHARE: Final = Decimal("0.002")
IBPS_UNANSWERED_SHARE: Final = Decimal("0.0005")

# A generated day, all [P].

#: Shares of the kinds in the items of BEPS; the rest are ordinary credits (普通贷记).
REALTIME_CREDIT_SHARE: Final = Decimal("0.1")
REGULAR_CREDIT_SHARE: Final = Decimal("0.25")
ORDINARY_DEBIT_SHARE: Final = Decimal("0.05")
REALTIME_DEBIT_SHARE: Final = Decimal("0.05")
REGULAR_DEBIT_SHARE: Final = Decimal("0.1")
#: Share of debits (网银借记) in the payments of IBPS; the rest are credits.
IBPS_DEBIT_SHARE: Final = Decimal("0.15")
#: Lognormal amounts of an item: median in fen, sigma of the logarithm.
BEPS_MEDIAN: Final = 8_316 * FEN_PER_YUAN
IBPS_MEDIAN: Final = 2_675 * FEN_PER_YUAN
RETAIL_SIGMA: Final = Decimal("2.0")
#: Items of a package that may hold several, in the mean.
MEAN_PACKAGE_SIZE: Final = Decimal(20)

#: The most one credit may move (单笔金额上限), fen, from a date on; newest first. The step of 2019 is [P].
_ITEM_LIMITS: Final = {
    System.BEPS: (
        (dt.date(2019, 9, 1), 1_000_000 * FEN_PER_YUAN),
        (dt.date(2010, 9, 1), 50_000 * FEN_PER_YUAN),
        (dt.date.min, 20_000 * FEN_PER_YUAN),
    ),
    System.IBPS: (
        (dt.date(2020, 1, 1), 1_000_000 * FEN_PER_YUAN),
        (dt.date.min, 50_000 * FEN_PER_YUAN),
    ),
}


def published_item_limit(system: System, date: dt.date) -> int:
    """The most one credit of BEPS or IBPS may move on a retail date, fen."""
    return next(fen for since, fen in _ITEM_LIMITS[system] if since <= date)
