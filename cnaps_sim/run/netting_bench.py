"""Netting bench: how fast the netting server is on this machine, beside its plain-Python twin.

Payments of IBPS between participants drawn evenly, amounts lognormal, a round with all nets posted every 100 000.
*Ample*: no cap binds. *Tight*: one cap for all, the one at which about one payment in a hundred is rejected (RJ94).
Only the server's own time counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import Records, new
from cnaps_sim.reference import Netting as PlainNetting
from cnaps_sim.words.codes import Act
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MS_PER_DAY

PARTICIPANTS: Final = 320
ROUND: Final = 100_000
#: Units given to the plain server: enough for a steady rate.
PLAIN_UNITS: Final = 200_000
#: The share of units that tight caps reject.
REJECTED: Final = 0.01
_AMPLE_FEN: Final = 10**15
_FOREVER_MS: Final = 2**62
_SEARCH: Final = 24


def units(count: int) -> Records:
    """`count` payments of IBPS over one day, each one unit."""
    rng = Streams(1)["netting_bench"]
    rows = new(RETAIL, count)
    rows["time_ms"] = np.sort(rng.integers(0, MS_PER_DAY, count))
    rows["amount"] = np.maximum(1, rng.lognormal(10, 1.5, count)).astype(np.int64)
    rows["debtor"] = rng.integers(0, PARTICIPANTS, count)
    rows["creditor"] = (rows["debtor"] + rng.integers(1, PARTICIPANTS, count)) % PARTICIPANTS
    rows["items"] = 1
    rows["kind"] = int(RetailKind.IBPS_CREDIT)
    return rows


def run_server(make: Callable[..., Any], rows: Records, cap_fen: int) -> tuple[float, int]:
    """Seconds in a netting server, and the units it rejected."""
    server = make([{"cap": cap_fen}] * PARTICIPANTS)
    seconds, rejected = 0.0, 0
    for first in range(0, len(rows), ROUND):
        part = rows[first : first + ROUND]
        start = time.perf_counter()
        server.advance(part, 0, _FOREVER_MS, first)
        seconds += time.perf_counter() - start
        rejected += sum(1 for entry in server.drain_log() if _act_of(entry) == Act.REFUSED)
        nets = server.close_round()
        for row, net in enumerate(nets):
            server.net_posted(int(part["time_ms"][-1]), row, int(net))
    return seconds, rejected


def _act_of(entry: Any) -> int:
    """The act of a log entry, a record or a tuple."""
    return int(entry[4])


def tight_cap(rows: Records) -> int:
    """The cap (fen) at which about one unit in a hundred of these is rejected, found by halving."""
    low, high = 0, _AMPLE_FEN
    for _ in range(_SEARCH):
        middle = int(np.sqrt(max(low, 1)) * np.sqrt(high))
        _, rejected = run_server(Netting, rows, middle)
        if rejected > REJECTED * len(rows):
            low = middle
        else:
            high = middle
    return high


def netting_bench(count: int, repeats: int = 3, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Throughput of the netting server at ample and at tight caps."""
    rows = units(count)
    run_server(Netting, rows[:1000], _AMPLE_FEN)  # compile first
    few = rows[: min(count, PLAIN_UNITS)]
    result: dict[str, Any] = {"units": count, "participants": PARTICIPANTS}
    for setting, cap in (("ample", _AMPLE_FEN), ("tight", tight_cap(few))):
        tell(f"{setting} caps: netting server, {count:,} units")
        seconds, rejected = min(run_server(Netting, rows, cap) for _ in range(repeats))
        tell(f"{setting} caps: plain netting server, {len(few):,} units")
        plain = min(run_server(PlainNetting, few, cap)[0] for _ in range(2))
        rate, plain_rate = count / seconds, len(few) / plain
        result[setting] = {
            "units_per_s": round(rate),
            "plain_units_per_s": round(plain_rate),
            "times_plain": round(rate / plain_rate, 1),
            "rejected_share": round(rejected / count, 4),
        }
    return result
