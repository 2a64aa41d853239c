"""Paired differences: what another rule changes where both met the same chance (common random numbers).

Runs are paired by replication, so that what one day has more to pay than another drops out of each difference. The
interval of the mean difference is Student's t on these differences, which is far narrower than the two intervals of
the levels wherever both runs rise and fall together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

#: Level of the confidence intervals if nobody says which.
CONFIDENCE: Final = 0.95
_OF_A_MEASURE: Final = ("system", "measure", "unit")


def half_width(deviation: Any, count: Any, confidence: float) -> Any:
    """Half the width of the interval of a mean by Student's t; NaN for a single value.

    deviation, count: standard deviation and number of the values behind each mean
    """
    from scipy.special import stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        several = count > 1
        quantile = stdtrit(np.where(several, count - 1, 1), (1 + confidence) / 2)
        return np.where(several, quantile * deviation / np.sqrt(count), np.nan)


def paired_differences(
    a: pd.DataFrame, b: pd.DataFrame, on: Sequence[str], by: Sequence[str], confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Mean of `b` less `a` over the pairs of runs, measure by measure, with its interval.

    a, b: rows of `Study.runs`, each run of `a` once per value of `on`; on: columns that are the same in both runs of a
    pair, beside replication and measure; by: columns of `b` that tell the means apart

    Columns: those of `by`, system, measure, `a` and `b` (means over the pairs), `difference`, `low`, `high` (null for
    a single pair), `pairs` (in which both runs have a value), unit.
    """
    a, b = (rows.assign(value=rows["value"].astype(np.float64)) for rows in (a, b))
    same = [*on, "replication", *_OF_A_MEASURE]
    found = b.merge(a[[*same, "value"]], on=same, suffixes=("_b", "_a"))
    found = found[found["value_a"].notna() & found["value_b"].notna()]
    found = found.assign(difference=found["value_b"] - found["value_a"])
    groups = found.groupby([*by, *_OF_A_MEASURE], sort=False, dropna=False)
    means = groups.agg(
        a=("value_a", "mean"), b=("value_b", "mean"), difference=("difference", "mean"),
        deviation=("difference", "std"), pairs=("difference", "count"),
    ).reset_index()  # fmt: skip
    half = half_width(means["deviation"].to_numpy(), means["pairs"].to_numpy(), confidence)
    means = means.assign(low=means["difference"] - half, high=means["difference"] + half)
    means["system"] = means["system"].astype(object).where(means["system"].notna(), None)
    return means[[*by, "system", "measure", "a", "b", "difference", "low", "high", "pairs", "unit"]]
