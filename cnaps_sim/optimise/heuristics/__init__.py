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

Rules here call rules of other files, which Numba's disk cache does not watch: like those of the books, compiled code
is kept in a directory whose name carries a hash of every source of the package.
"""

from __future__ import annotations

from pathlib import Path

import numba

from cnaps_sim.core import cache_directory

_before = numba.config.CACHE_DIR
numba.config.CACHE_DIR = str(cache_directory(Path(__file__).resolve().parents[2]))
try:  # in documented order
    from cnaps_sim.optimise.heuristics import take_out  # isort: skip
    from cnaps_sim.optimise.heuristics import put_in  # isort: skip
    from cnaps_sim.optimise.heuristics import knapsack  # isort: skip
    from cnaps_sim.optimise.heuristics import cycles  # isort: skip
    from cnaps_sim.optimise.heuristics import lp_rounding  # isort: skip
    from cnaps_sim.optimise.heuristics import rising_prices  # isort: skip
finally:
    numba.config.CACHE_DIR = _before

__all__ = ["cycles", "knapsack", "lp_rounding", "put_in", "rising_prices", "take_out"]
