"""Stress sweep (N-1 压力测试): whose silence hurts the others most."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cnaps_sim.analysis.simulate import read
from cnaps_sim.run.stress import USUAL_WORKERS, BankStress, Done, Stress
from cnaps_sim.scenario.moments import Moment
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario

#: An instant as text, or as Python has it.
Instant = str | dt.time | dt.datetime


def stress(
    scenario: str | Path | Mapping[str, Any] | Scenario,
    *,
    stop_at: Instant,
    until: Instant | None = None,
    seed: int | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    workers: int | None = None,
    progress: Done | None = None,
) -> pd.DataFrame:
    """Let each bank in turn stop sending, all else equal, and rank the banks by what stays unsettled elsewhere.

    scenario, seed, set: as of `simulate`; a scenario whose payments travel as messages is refused
    stop_at, until: `HH:MM[:SS[.mmm]]` on the first business date, or a full date-time; without `until` the bank is
        silent to the cut-off of the date
    workers: threads; what is found does not depend on them
    progress: told how many banks are done, and of how many

    One row per bank, the worst first: `rank` from 1, and the fields of `cnaps_sim.run.stress.BankStress`; `_fen` int64.
    `frame.attrs` has `scenario`, `date`, `seed`, `stop_at`, `until` and the figures of the `undisturbed` day.
    Payments of the workload of HVPS are counted; what the central bank books itself is not. InputError says what is
    wrong in the scenario, its files or the instants.
    """
    moments = _moment("stop_at", stop_at), None if until is None else _moment("until", until)
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise InputError("workers", "", "is no number of threads", workers, "from 1")
    loaded = read(scenario, set, seed)
    played = Stress(loaded, *moments)
    rows = played.all(USUAL_WORKERS if workers is None else workers, progress)
    frame = _frame(rows)
    frame.attrs = {
        "scenario": loaded.scenario.name,
        "date": loaded.scenario.date.isoformat(),
        "seed": loaded.scenario.seed,
        "stop_at": str(moments[0]),
        "until": None if moments[1] is None else str(moments[1]),
        "undisturbed": dataclasses.asdict(played.undisturbed()),
    }
    return frame


def _moment(place: str, value: object) -> Moment:
    """The instant of an argument. InputError with its name."""
    text = value.isoformat() if isinstance(value, dt.datetime | dt.time) else value
    allowed = "08:30, 08:30:00.250 or 2025-06-17T08:30:00"
    if not isinstance(text, str):
        raise InputError(place, "", "neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time", value, allowed)
    try:
        return Moment.parse(text)
    except ValueError as error:
        raise InputError(place, "", str(error), text, allowed) from None


def _frame(rows: Sequence[BankStress]) -> pd.DataFrame:
    frame = pd.DataFrame([dataclasses.astuple(row) for row in rows], columns=_FIELDS)
    for name in ("account", "name"):
        frame[name] = frame[name].astype(object)
    frame.insert(0, "rank", range(1, len(rows) + 1))
    return frame


_FIELDS = [field.name for field in dataclasses.fields(BankStress)]
