"""Every matching algorithm on days of random traffic: what settles, how far from the best, how long it takes.

    python tests/benchmarks/random_traffic.py [--seeds 0 1 2] [--algorithm NAME ...]

The day is that of `cnaps_sim.optimise.traffic`. One line per algorithm and seed: value settled in percent of the value
submitted, percentage points below the LP bound of the whole day, milliseconds per matching (median and longest).
"""

from __future__ import annotations

import argparse
import statistics
import time

from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import Solve, find, names
from cnaps_sim.optimise.traffic import random_traffic, settle_in_rounds


def timed(solve: Solve, seconds: list[float]) -> Solve:
    """The same function, which notes how long each call took."""

    def call(queue: QueueTable) -> Chosen:
        begin = time.perf_counter()
        chosen = solve(queue)
        seconds.append(time.perf_counter() - begin)
        return chosen

    return call


def line(name: str, seed: int) -> str:
    """One algorithm on one day."""
    solve = find(name).solve
    solve(QueueTable.of([1, 0], [0, 1], [1, 0], [1, 1]))  # compiles it
    seconds: list[float] = []
    day = settle_in_rounds(random_traffic(seed), timed(solve, seconds))
    return (
        f"{name:28} seed {seed}  settled {100 * day.share:7.3f} %  below bound {day.missing_points:6.3f} points  "
        f"median {1000 * statistics.median(seconds):6.1f} ms  longest {1000 * max(seconds):6.1f} ms  "
        f"queued {min(day.queued)}-{max(day.queued)}"
    )


def main() -> None:
    """Read the options and print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--algorithm", nargs="+", default=[name for name in names(for_runs=True) if name != "exact"])
    options = parser.parse_args()
    for name in options.algorithm:
        for seed in options.seeds:
            print(line(name, seed), flush=True)


if __name__ == "__main__":
    main()
