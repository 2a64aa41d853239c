"""Peers: the same payments in another simulator, where it is installed."""

from __future__ import annotations

import contextlib
import io
import time
from typing import Any

import numpy as np

from cnaps_sim.run.bench import openings, run_compiled, workload
from cnaps_sim.words.errors import InputError

PEER_PAYMENTS = 10_000
_PEER_ACCOUNTS = 20


def against_pssimpy() -> dict[str, Any]:
    """Seconds for 10 000 payments here and in PSSimPy. InputError if PSSimPy is not installed."""
    try:
        import pandas as pd
        from PSSimPy.simulator import BasicSim  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise InputError("--peers", "", "PSSimPy is not installed", "", "pip install PSSimPy") from None
    rows = workload(PEER_PAYMENTS, _PEER_ACCOUNTS)
    opening = openings(rows, _PEER_ACCOUNTS)["ample"]
    banks = pd.DataFrame({"name": [f"b{n}" for n in range(_PEER_ACCOUNTS)]})
    accounts = pd.DataFrame(
        {
            "id": [f"a{n}" for n in range(_PEER_ACCOUNTS)],
            "owner": banks["name"],
            "balance": opening.astype(np.float64),
        }
    )
    minutes = rows["time_ms"] // 60_000
    payments = pd.DataFrame(
        {
            "sender_account": [f"a{n}" for n in rows["debtor"]],
            "recipient_account": [f"a{n}" for n in rows["creditor"]],
            "amount": rows["amount"].astype(np.float64),
            "time": [f"{m // 60:02d}:{m % 60:02d}" for m in minutes],
            "day": 1,
        }
    )
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = BasicSim(
            name="bench", banks=banks, accounts=accounts, transactions=payments, open_time="08:30", close_time="17:15",
            processing_window=15, num_days=1,
        )  # fmt: skip
        start = time.perf_counter()
        simulation.run()
        theirs = time.perf_counter() - start
    ours = min(run_compiled(rows, opening)[0] for _ in range(5))
    return {
        "peer": "PSSimPy",
        "payments": PEER_PAYMENTS,
        "peer_payments_per_s": round(PEER_PAYMENTS / theirs),
        "payments_per_s": round(PEER_PAYMENTS / ours),
        "times": round(theirs / ours),
    }
