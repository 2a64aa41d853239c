"""The records of `rising_prices`: one row per account, one per payment, and one desk for all.

Structured NumPy arrays, as in the books, so that a compiled rule reads `account.slack -= payment.amount`. Money is
int64 fen, prices are int64 in 1024ths.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

#: A structured array with the fields below, or any other array.
Records = Any

#: A price of UNIT counts a fen of deficit like a fen of value.
UNIT: Final = 1024
#: Shadow prices above this are cut: an account that many payments away from money has none.
HIGHEST_WORTH: Final = 31 * UNIT
HIGHEST_PRICE: Final = 64 * UNIT
#: Amounts are weighed in units in which the largest has at most so many bits, so that weight times price is exact.
WEIGHT_BITS: Final = 44

ACCOUNT = np.dtype(
    [
        ("funds", np.int64),  # fen it may use besides what it receives
        ("slack", np.int64),  # fen left when everything chosen settles; below 0: short
        ("worth", np.int64),  # shadow price in the LP relaxation
        ("least", np.int64),  # where its price falls back to
        ("price", np.int64),  # what a fen of deficit costs now
        ("raised", np.bool_),  # is the price above the least?
        ("short_place", np.int64),  # its place among the short accounts, -1: not short
        ("first_out", np.int64),  # the payments it sends: leaving[first_out:end_out], largest first
        ("end_out", np.int64),
        ("first_in", np.int64),  # the payments it receives: arriving[first_in:end_in], largest first
        ("end_in", np.int64),
    ],
    align=True,
)

PAYMENT = np.dtype(
    [
        ("amount", np.int64),  # fen
        ("weight", np.int64),  # amount >> shift
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("place", np.int32),  # its place among the waiting payments, -1: chosen
        ("rests_until", np.int32),  # the move up to which it stays as it is
        ("chosen", np.bool_),
    ],
    align=True,
)

DESK = np.dtype(
    [
        ("shift", np.int64),  # how many low bits amounts lose when they are weighed
        ("drawn", np.int64),  # the last number drawn, 1 to 2^31 - 2
        ("spent", np.int64),  # payments looked at so far
        ("moves", np.int64),
        ("value", np.int64),  # fen chosen
        ("best_value", np.int64),  # fen of the best choice that leaves no account short, -1: none yet
        ("better_at", np.int64),  # the move that found it, or the last start
        ("starts", np.int64),
        ("short_count", np.int64),
        ("waiting_count", np.int64),
        ("raised_count", np.int64),
    ],
    align=True,
)
