"""What several plots ask of a run: from when to when its day lasts, and what an account is called."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnaps_sim.analysis.drawing import drawable
from cnaps_sim.analysis.metrics.columns import Columns, columns_of
from cnaps_sim.analysis.metrics.payments import timetable_of
from cnaps_sim.words.units import MS_PER_HOUR


def day_span(run: Any) -> tuple[int, int]:
    """From the first opening to the last end of the clearing window, ms."""
    days = timetable_of(run)
    return int(days[0]["opens_ms"]), int(days[-1]["window_end_ms"])


def busy_span(run: Any, first_ms: int | None) -> tuple[int, int]:
    """`day_span`, but from the hour in which `first_ms` lies if a run of one date begins with a night in which nothing
    happens. None: nothing happens at all."""
    opens_ms, end_ms = day_span(run)
    if first_ms is None or len(timetable_of(run)) > 1:
        return opens_ms, end_ms
    return max(opens_ms, min(first_ms, end_ms - MS_PER_HOUR) // MS_PER_HOUR * MS_PER_HOUR), end_ms


def account_name(run: Any, account: str) -> str:
    """What to call an account: its participant's name where it has a short one, else its id."""
    columns = columns_of(run, "accounts", Columns)
    account_codes, names = columns.codes("account"), columns.codes("name")
    if account not in account_codes.labels:
        return account
    rows = np.flatnonzero(account_codes.codes == account_codes.labels.index(account))
    code = int(names.codes[rows[0]]) if len(rows) else -1
    name = names.labels[code] if code >= 0 else account
    return drawable(name, account)
