"""Rising prices: a search among choices that may leave accounts short, at a price that rises until it is mended.

1. `simple_cycles`, cut short, is the choice to beat. The LP relaxation gives each account a shadow price, and a choice
   to begin from: the payments of which it settles at least half. Some accounts are then short.
2. An account that is short costs its deficit times a price that starts a little above the shadow price. While
   accounts are short, one is drawn, its price rises, and the best move at it is made: a payment of its own taken
   out, or one to it taken in. When none is short the choice counts, and the best waiting payment is taken in.
3. After many moves without a better choice the search lands, that is mends every account and fills each one's slack
   by swaps of a few payments, and begins again with other prices, from the best choice and from the first by turns.

It ends at the bound of the relaxation, or when it has looked at a fixed number of payments: never by the clock, and
in whole numbers throughout, so that the same queue gives the same answer everywhere.

Prices that rise where a search is stuck: the breakout method (Morris 1993). A payment just moved rests: tabu search
(Glover 1989). Shadow prices as a measure of what a move costs: Lagrangian relaxation (Fisher 1981). Chinese: 缺口计价.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.core.records import as_records
from cnaps_sim.optimise.heuristics.accounts import funds, lists
from cnaps_sim.optimise.heuristics.cycles import cycles_within
from cnaps_sim.optimise.heuristics.price_records import (
    ACCOUNT,
    DESK,
    HIGHEST_WORTH,
    PAYMENT,
    UNIT,
    WEIGHT_BITS,
    Records,
)
from cnaps_sim.optimise.heuristics.price_rules import search
from cnaps_sim.optimise.lp import Relaxation, relax
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import algorithm

#: How many payments are looked at, at most: so many per queued payment, up to the most, and again some for long queues.
LOOKS_PER_PAYMENT: Final = 20_000
MOST_LOOKS: Final = 2_000_000
MORE_LOOKS_PER_PAYMENT: Final = 100
#: The search is over when less than one part in so many of the bound is missing.
CLOSE_ENOUGH: Final = 10_000_000
#: Moves without a better choice before the search begins again: a number, and so many per account
PATIENCE: Final = 200
PATIENCE_PER_ACCOUNT: Final = 20
#: What part of the effort goes into finding simple cycles first.
CYCLES_SHARE: Final = 8
#: So many chosen and waiting payments of an account are considered for swaps.
SWAPPED: Final = 40


@algorithm(
    "rising-prices",
    reference="own; LP shadow prices, breakout method (Morris 1993), tabu search (Glover 1989)",
    chinese="缺口计价法",
    uses_lp=True,
)
def rising_prices(queue: QueueTable) -> Chosen:
    """Search in which accounts may be short for a while, at a price that rises until they are mended. The best here."""
    count = len(queue)
    return searched(queue, min(MOST_LOOKS, LOOKS_PER_PAYMENT * count) + MORE_LOOKS_PER_PAYMENT * count)


def searched(queue: QueueTable, effort: int) -> Chosen:
    """`rising_prices` that looks at no more than about `effort` payments. Twice the effort takes twice the time."""
    count, accounts = len(queue), queue.accounts
    best = cycles_within(queue, effort // CYCLES_SHARE)
    if not count:
        return best
    relaxed = relax(queue)
    account_rows, leaving, arriving = _account_rows(queue, relaxed)
    desk = np.zeros(1, DESK)
    desk["shift"] = max(0, int(queue.amount.max()).bit_length() - WEIGHT_BITS)
    desk["drawn"] = 1
    desk["best_value"] = -1
    short, raised = np.zeros((2, accounts), np.int64)
    mine, others = np.zeros((2, SWAPPED), np.int64)
    search(
        as_records(account_rows), as_records(_payment_rows(queue, int(desk["shift"][0]))), leaving, arriving,
        short, raised, np.zeros(count, np.int64), mine, others, as_records(desk),
        relaxed.settled >= queue.amount - queue.amount // 2, best,
        relaxed.bound - relaxed.bound // CLOSE_ENOUGH, PATIENCE + PATIENCE_PER_ACCOUNT * accounts, effort,
    )  # fmt: skip
    return best


def _account_rows(queue: QueueTable, relaxed: Relaxation) -> tuple[Records, Records, Records]:
    """The account records, and the payments by debtor and by creditor, largest first."""
    rows = np.zeros(queue.accounts, ACCOUNT)
    rows["funds"] = funds(queue)
    rows["worth"] = np.minimum(relaxed.price, HIGHEST_WORTH // UNIT) * UNIT
    leaving, first_out = lists(queue.debtor, queue.accounts, -queue.amount)
    arriving, first_in = lists(queue.creditor, queue.accounts, -queue.amount)
    rows["first_out"], rows["end_out"] = first_out[:-1], first_out[1:]
    rows["first_in"], rows["end_in"] = first_in[:-1], first_in[1:]
    return rows, leaving, arriving


def _payment_rows(queue: QueueTable, shift: int) -> Records:
    rows = np.zeros(len(queue), PAYMENT)
    rows["amount"] = queue.amount
    rows["weight"] = queue.amount >> shift
    rows["debtor"] = queue.debtor
    rows["creditor"] = queue.creditor
    return rows
