"""Bench: how fast the compiled books are on this machine, beside the plain-Python books in the same process.

The workload is the hardest one for a queue that still lets nearly everything settle: payees drawn evenly, amounts
lognormal, so that no account keeps its money. *Ample*: every account opens with its upper bound, nothing waits.
*Scarce*: every account opens with lower bound + 0.1 · (upper − lower bound). Only the books' own time counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cnaps_sim.core import Books
from cnaps_sim.core.records import FLOW, Records, new
from cnaps_sim.engine.clock import Feed
from cnaps_sim.optimise.bounds import account_bounds
from cnaps_sim.reference import Books as PlainBooks
from cnaps_sim.words.codes import Act, Level, Phase
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE

Array = np.ndarray[Any, Any]

ACCOUNTS = 300
#: Place of the scarce opening balances between the bounds.
SCARCE_ALPHA_TENTHS = 1
_OPENS_MS = 8 * MS_PER_HOUR + 30 * MS_PER_MINUTE
_CUT_OFF_MS = 17 * MS_PER_HOUR + 15 * MS_PER_MINUTE
_FOREVER_MS = 2**62
#: Payments given to the plain books: enough for a steady rate.
PLAIN_PAYMENTS = 300_000


def workload(count: int, accounts: int = ACCOUNTS) -> Records:
    """`count` normal payments between `accounts` accounts over one day; the same on every machine's integers."""
    rng = Streams(1)["bench"]
    rows = new(FLOW, count)
    rows["time_ms"] = np.sort(rng.integers(_OPENS_MS, _CUT_OFF_MS, count))
    rows["amount"] = np.maximum(1, rng.lognormal(10, 1.5, count)).astype(np.int64)
    rows["debtor"] = rng.integers(0, accounts, count)
    rows["creditor"] = (rows["debtor"] + rng.integers(1, accounts, count)) % accounts
    rows["level"] = int(Level.NORMAL)
    return rows


def openings(rows: Records, accounts: int = ACCOUNTS) -> dict[str, Array]:
    """Opening balances (fen) of the two settings."""
    lower, upper = account_bounds(accounts, rows["debtor"], rows["creditor"], rows["amount"].copy())
    return {"ample": upper, "scarce": lower + (upper - lower) * SCARCE_ALPHA_TENTHS // 10}


def run_compiled(rows: Records, opening: Array) -> tuple[float, int, int]:
    """Seconds in the compiled books, payments that waited, payments that settled."""
    books = Books([{"balance": int(fen)} for fen in opening])
    books.set_phase(Phase.DAYTIME)
    feed = Feed(rows, 0)
    seconds, waited, settled = 0.0, 0, 0
    while feed.next_row < len(rows):
        chunk = feed.chunk()
        start = time.perf_counter()
        feed.next_row = books.advance(chunk, feed.next_row, _FOREVER_MS, 0)
        seconds += time.perf_counter() - start
        acts = books.drain_log()["act"]
        waited += int((acts == Act.QUEUED).sum())
        settled += int((acts == Act.SETTLED).sum())
    return seconds, waited, settled


def run_plain(rows: Records, opening: Array) -> float:
    """Seconds in the plain books."""
    books = PlainBooks([{"balance": int(fen)} for fen in opening])
    books.set_phase(Phase.DAYTIME)
    start = time.perf_counter()
    books.advance(rows, 0, _FOREVER_MS, 0)
    return time.perf_counter() - start


def best(measure: Callable[[], float], times: int) -> float:
    """The least of several measurements: what the machine can do undisturbed."""
    return min(measure() for _ in range(times))


def bench(payments: int, repeats: int = 3, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Throughput and growth of cost, ample and scarce."""
    run_compiled(workload(1_000), np.zeros(ACCOUNTS, np.int64))  # compile first
    result: dict[str, Any] = {"payments": payments, "accounts": ACCOUNTS}
    rows = workload(payments)
    few = rows[: min(payments, PLAIN_PAYMENTS)]
    few_openings = openings(few)
    for setting, opening in openings(rows).items():
        tell(f"{setting}: compiled books, {payments:,} payments")
        seconds, waited, settled = min(run_compiled(rows, opening) for _ in range(repeats))
        tell(f"{setting}: plain books, {len(few):,} payments")
        plain = best(lambda opening=few_openings[setting]: run_plain(few, opening), 2)  # type: ignore[misc]
        rate, plain_rate = payments / seconds, len(few) / plain
        result[setting] = {
            "payments_per_s": round(rate),
            "plain_payments_per_s": round(plain_rate),
            "times_plain": round(rate / plain_rate, 1),
            "waited_share": round(waited / payments, 4),
            "settled_share": round(settled / payments, 4),
        }
    result["growth"] = _growth(payments, repeats, tell)
    return result


def _growth(payments: int, repeats: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Cost of one payment (ns) as the day grows hundredfold."""
    sizes = [payments // 50, payments // 5, payments * 2]
    growth: dict[str, Any] = {"payments": sizes}
    for setting in ("ample", "scarce"):
        costs = []
        for size in sizes:
            tell(f"{setting}: growth, {size:,} payments")
            rows = workload(size)
            opening = openings(rows)[setting]
            tries = repeats * 4 if size < payments else repeats
            seconds = best(lambda rows=rows, opening=opening: run_compiled(rows, opening)[0], tries)  # type: ignore[misc]
            costs.append(round(seconds / size * 1e9, 1))
        growth[f"{setting}_ns"] = costs
        growth[f"{setting}_ratio"] = round(costs[-1] / costs[0], 2)
    return growth
