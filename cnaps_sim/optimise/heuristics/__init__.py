"""Heuristics: choices of payments that settle together, quickly and without keeping each account's order.

One family per module, in documented order; modules whose names end in `_rules` are compiled.

* `take_out`       everything settles, then short accounts give payments up
* `put_in`         nothing settles, then payments are taken in one by one as they can be funded
* `knapsack`       a short account keeps the set of payments that uses its money best
* `cycles`         one by one, then simple cycles of payments
* `lp_rounding`    the relaxation that may cut payments, rounded and repaired
* `rising_prices`  a search in which accounts may be short for a while, at a price that rises

The problem is NP-hard (Güntzer, Jungnickel and Leclerc 1998); `optimise.exact` solves it where that is affordable,
`optimise.lp` says how far from the best an answer can be at most.
"""

from __future__ import annotations

from cnaps_sim.optimise.heuristics import (  # isort: skip  # in documented order
    take_out,
    put_in,
    knapsack,
    cycles,
    lp_rounding,
    rising_prices,
)

__all__ = ["cycles", "knapsack", "lp_rounding", "put_in", "rising_prices", "take_out"]
