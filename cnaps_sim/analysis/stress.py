"""Stress sweep (N-1 压力测试): whose silence, loss of money, of credit or of cap hurts the others most."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cnaps_sim.analysis.simulate import Settings, read
from cnaps_sim.run.stress import USUAL_WORKERS, BankStress, Done, Stress
from cnaps_sim.run.stress_kinds import WITH_SHARE, Kind, Strain
from cnaps_sim.scenario.moments import Moment
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario

#: An instant as text, or as Python has it.
Instant = str | dt.time | dt.datetime


def stress(
    scenario: str | Path | Mapping[str, Any] | Scenario,
    *,
    stop_at: Instant | None = None,
    kind: str = Kind.STOP,
    at: Instant | None = None,
    until: Instant | None = None,
    share: str | Decimal | int | None = None,
    seed: int | None = None,
    set: Settings = (),
    workers: int | None = None,
    progress: Done | None = None,
) -> pd.DataFrame:
    """Put each bank in turn under a strain, all else equal, and rank the banks by what stays unsettled elsewhere.

    scenario, seed, set: as of `simulate`; a scenario whose payments travel as messages is refused
    kind: `stop` (it sends nothing from `at` on), `shock` (at `at` the central bank debits it by a share of its opening
        balance), `cap-cut` (its net debit cap is cut to a share, but not below its own earmark; only with BEPS or
        IBPS), `credit-withdrawn` (no more overdraft and no more loans against bonds), `late-opening` (it sends nothing
        before `until`)
    at, until: `HH:MM[:SS[.mmm]]` on the first business date, or a full date-time; a bank that stops without `until` is
        silent to the cut-off of the date
    stop_at: `at` of the kind `stop`
    share: text or Decimal from 0 to 1, for `shock` and `cap-cut`; 0.5 if left out (no public source)
    workers: threads; what is found does not depend on them
    progress: told how many banks are done, and of how many

    One row per bank, the worst first: `rank` from 1, and the fields of `cnaps_sim.run.stress.BankStress`; `_fen` int64.
    `frame.attrs` has `scenario`, `date`, `seed`, `kind`, `stop_at` (when it begins), `until`, `share` and the figures
    of the `undisturbed` day. Payments of the workload of HVPS are counted, for `cap-cut` those of BEPS and IBPS too;
    what the central bank books itself is not. InputError says what is wrong in the scenario, its files or the strain.
    """
    strain = _strain(kind, stop_at, at, until, share)
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise InputError("workers", "", "is no number of threads", workers, "from 1")
    loaded = read(scenario, set, seed)
    played = Stress(loaded, strain)
    rows = played.all(USUAL_WORKERS if workers is None else workers, progress)
    frame = _frame(rows)
    frame.attrs = {
        "scenario": loaded.scenario.name,
        "date": loaded.scenario.date.isoformat(),
        "seed": loaded.scenario.seed,
        "kind": strain.kind.value,
        "stop_at": None if strain.at is None else str(strain.at),
        "until": None if strain.until is None else str(strain.until),
        "share": str(strain.part) if strain.kind in WITH_SHARE else None,
        "undisturbed": dataclasses.asdict(played.undisturbed()),
    }
    return frame


def _strain(
    kind: str, stop_at: Instant | None, at: Instant | None, until: Instant | None, share: str | Decimal | int | None
) -> Strain:  # fmt: skip
    """The strain that the arguments describe. InputError with the name of the one that is wrong."""
    if kind not in tuple(Kind):
        raise InputError("kind", "", "is no kind of stress", kind, ", ".join(Kind))
    if stop_at is not None and (at is not None or kind != Kind.STOP):
        beside = "at" if at is not None else kind
        raise InputError("stop_at", "", f"stands beside {beside}", stop_at, "at alone")
    place, begin = ("at", at) if at is not None else ("stop_at", stop_at)
    return Strain(
        Kind(kind),
        None if begin is None else _moment(place, begin),
        None if until is None else _moment("until", until),
        None if share is None else _share(share),
        place,
    )


def _share(value: object) -> Decimal:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise InputError("share", "", "is no share", value, "text such as 0.5, or a Decimal")


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
