"""The headline figures of a run: the `systems` and `liquidity` parts of the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnaps_sim.analysis.metrics.columns import Run, columns_of, frame_of, remembered
from cnaps_sim.analysis.metrics.delay import mean_delay, rho_of
from cnaps_sim.analysis.metrics.liquidity import liquidity
from cnaps_sim.analysis.metrics.matching import matching_headline, matching_is_on
from cnaps_sim.analysis.metrics.outcomes import tally
from cnaps_sim.analysis.metrics.payments import OUTCOMES, Payments
from cnaps_sim.analysis.metrics.queue import peak_queue
from cnaps_sim.analysis.metrics.studied import about_studies
from cnaps_sim.analysis.metrics.tidy import group
from cnaps_sim.words.codes import System


@about_studies
def headline(run: Run) -> dict[str, Any]:
    """`{"systems": {...}, "liquidity": {...}}` as in the JSON of `run`, computed from the tables alone.

    Every system that has payments, and HVPS even if it has none. Money in fen, times in ms; `mean_delay_ms` is
    an exact mean, null if nothing settled; `turnover` is null if no liquidity was used. Several business dates add
    up; `opening_fen` is of the first. Where the scenario asks for queue matching there is a third part, `matching`
    (see `matching_headline`).
    """
    view = remembered(run)
    system = columns_of(view, "payments", Payments).codes("system")
    present = {system.labels[code] for code in np.flatnonzero(np.bincount(system.codes, minlength=1)).tolist()}
    peaks = peak_queue(view, by="system").set_index(["system", "measure"])["value"].to_dict()
    systems = {name: _system(view, name, peaks) for name in sorted(present | {System.HVPS.value}, key=_system_order)}
    systems |= {name: _retail_system(part) for name, part in run.manifest.get("outcomes", {}).items()}
    figures = {"systems": systems, "liquidity": _liquidity(view)}
    if matching_is_on(view):
        figures["matching"] = matching_headline(view)
    return figures


def _system_order(name: str) -> tuple[bool, str]:
    return name != System.HVPS, name


def _system(run: Run, name: str, peaks: dict[Any, Any]) -> dict[str, Any]:
    payments = columns_of(run, "payments", Payments).narrow({"system": name}, frame_of(run, "payments"))
    groups = group(payments, None)
    counts, values = tally(payments, groups)
    part: dict[str, Any] = {
        outcome: {"count": counts[outcome][0], "value_fen": values[outcome][0]} for outcome in counts
    }
    part["peak_queue"] = {
        "count": int(peaks.get((name, "peak_count"), 0)),
        "value_fen": int(peaks.get((name, "peak_fen"), 0)),
    }
    part["delay_rho"] = rho_of(run, payments)
    part["mean_delay_ms"] = mean_delay(payments)
    return part


def _retail_system(outcomes: Mapping[str, Any]) -> dict[str, Any]:
    """A system of the netting server, whose items were counted while its totals were made.

    The delay is from submission to netting. There is no delay indicator: what weighs it, the longest that an item
    could have waited, is not the same for one that is answered at once and one answered days later.
    """
    figures = {name: outcomes[name] for name in ("submitted", *OUTCOMES, "peak_queue")}
    return {**figures, "delay_rho": None, "mean_delay_ms": outcomes["mean_delay_ms"]}


def _liquidity(run: Run) -> dict[str, Any]:
    value: dict[str, Any] = dict(liquidity(run)[["measure", "value"]].itertuples(index=False))
    return {
        "opening_fen": int(value["opening"]),
        "peak_used_fen": int(value["peak_used"]),
        "lower_bound_fen": int(value["lower_bound"]),
        "upper_bound_fen": int(value["upper_bound"]),
        "turnover": value["turnover"],
    }
