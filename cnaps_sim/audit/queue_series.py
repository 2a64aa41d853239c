"""Series of the settlement queue: do the samples say what the payments make them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL, Codes
from cnaps_sim.audit.sums import Steps
from cnaps_sim.audit.verdict import Findings, one_line
from cnaps_sim.words.codes import System
from cnaps_sim.words.units import format_clock

SERIES: Final = "series-replay"
_GROSS: Final = (System.HVPS.value, System.SAPS.value)
_SYSTEMS: Final = frozenset(system.value for system in System)


def check_queue_series(series: Frame, payments: Frame, manifest: Any, findings: Findings) -> None:
    """`series-replay`, of queues and of HVPS: what is sampled at an instant is what the payments that had come by
    then, and those that had settled or left otherwise, make of it.

    A system of which no payment is recorded is left out, and the queues of accounts with it.
    """
    codes = series.texts("scope")[1]
    known = [system for system in _GROSS if _is_recorded(system, payments, manifest)]
    accounts = codes if len(known) == len(_GROSS) else []
    scopes = {name: k for k, name in enumerate(accounts) if name not in _SYSTEMS}
    scopes |= {system: len(codes) + k for k, system in enumerate(known)}
    scope = series.coded("scope", lambda name: scopes.get(name, -1))
    rows = np.flatnonzero(scope >= 0)
    waiting = _Waiting(payments, scopes)
    for measure, steps in (("queued_fen", waiting.fen), ("queued_count", waiting.count)):
        own = rows[series.is_one_of("measure", measure)[rows]]
        tell_difference(series, own, steps.at(scope[own], series.ints("time_ms")[own]), findings)
    ends = _ends(manifest)
    if System.HVPS.value in known and ends is not None:
        _check_cumulated(series, payments, ends, findings)


def _is_recorded(system: str, payments: Frame, manifest: Any) -> bool:
    """Whether the payments of a system are in the table, as far as the manifest knows of any."""
    told = manifest.get("items") if isinstance(manifest, Mapping) else None
    entry = told.get(system) if isinstance(told, Mapping) else None
    count = entry.get("count", 0) if isinstance(entry, Mapping) else 0
    return not count or bool(payments.is_one_of("system", system).any())


class _Waiting:
    """Payments that stood in the settlement queue, by account and by system, as step functions of time."""

    def __init__(self, payments: Frame, scopes: Mapping[str, int]) -> None:
        came, left = payments.ints("submitted_ms"), payments.ints("settled_ms")
        left = np.where(left == NULL, payments.ints("ended_ms"), left)
        rows = np.flatnonzero((came != NULL) & ((left == NULL) | (left > came)))
        went = rows[left[rows] != NULL]
        time_ms = np.concatenate([came[rows], left[went]])
        amount = payments.ints("amount_fen")
        fen = np.concatenate([amount[rows], -amount[went]])
        one = np.concatenate([np.ones(len(rows), np.int64), -np.ones(len(went), np.int64)])
        groups: list[Codes] = []
        for column in ("debtor", "system"):
            group = payments.coded(column, lambda name: scopes.get(name, -1))
            groups.append(np.concatenate([group[rows], group[went]]))
        both = np.concatenate(groups)
        there: Flags = both >= 0
        self.fen = Steps(both[there], np.tile(time_ms, 2)[there], np.tile(fen, 2)[there])
        self.count = Steps(both[there], np.tile(time_ms, 2)[there], np.tile(one, 2)[there])


def _ends(manifest: Any) -> tuple[Ints, Ints] | None:
    """Each business date of the timetable, as days since 1970, and the end of its window; None without a timetable."""
    told = manifest.get("timetable") if isinstance(manifest, Mapping) else None
    if not isinstance(told, list) or not told:
        return None
    dates = np.array([np.datetime64(day["date"]).astype("datetime64[D]").astype(np.int64) for day in told], np.int64)
    return dates, np.array([int(day["window_end_ms"]) for day in told], np.int64)


def _check_cumulated(series: Frame, payments: Frame, ends: tuple[Ints, Ints], findings: Findings) -> None:
    """HVPS payments submitted and settled since the business date began."""
    own = series.is_one_of("scope", System.HVPS.value)
    hvps = payments.is_one_of("system", System.HVPS.value)
    for word in ("submitted", "settled"):
        time_ms = payments.ints(f"{word}_ms")
        chosen = np.flatnonzero(hvps & (time_ms != NULL))
        amount, nowhere = payments.ints("amount_fen")[chosen], np.zeros(len(chosen), np.int64)
        for unit, change in (("fen", amount), ("count", np.ones(len(chosen), np.int64))):
            steps = Steps(nowhere, time_ms[chosen], change)
            rows = np.flatnonzero(own & series.is_one_of("measure", f"{word}_{unit}"))
            group = np.zeros(len(rows), np.int64)
            place = np.searchsorted(ends[0], series.ints("date")[rows])
            before = np.where(place > 0, ends[1][np.maximum(place, 1) - 1], NULL)
            wanted = steps.at(group, series.ints("time_ms")[rows]) - steps.at(group, before)
            tell_difference(series, rows, wanted, findings)


def tell_difference(series: Frame, rows: Ints, wanted: Ints, findings: Findings, what: str = "payments") -> None:
    """A breach of `series-replay` for each of some samples whose value is not as wanted."""
    value = series.ints("value")[rows]
    findings.where(
        SERIES,
        value != wanted,
        lambda k: (
            f"{one_line(series.text('measure', int(rows[k])))} of {series.text('scope', int(rows[k]))} at "
            f"{format_clock(int(series.ints('time_ms')[rows[k]]))} is sampled as {value[k]}, the {what} make it "
            f"{wanted[k]}"
        ),
    )
