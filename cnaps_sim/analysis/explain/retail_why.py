"""Why an item of BEPS or IBPS was not netted, where the codes of the table leave more than one answer open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.phrases import cny
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS
from cnaps_sim.words.units import MS_PER_DAY, format_clock, parse_fen

#: A run's first retail date begins at 16:00 of the day before it.
_BEGINS_MS: Final = RETAIL_DATE_SWITCH_MS - MS_PER_DAY


def is_outside(run: Any, time_ms: int) -> bool:
    """Whether an instant is in none of the run's retail dates."""
    return not _BEGINS_MS <= time_ms < _ends_ms(run)


def outside_words(run: Any) -> str:
    """The retail dates of a run, for what was sent before or after them."""
    return f"outside the retail dates of the run, from {format_clock(_BEGINS_MS)} to {format_clock(_ends_ms(run))}"


def _ends_ms(run: Any) -> int:
    return int(run.manifest["rounds"][-1]["time_ms"])  # the last round of the last date


def untimely(run: Any, row: Mapping[str, Any], told: Told, starter: str) -> Refusal:
    """Of the two refusals with the reason TM01 the one that an item was given: its hours, or its sender's log-out."""
    submitted = int(row["submitted_ms"])
    if is_outside(run, submitted):
        return Refusal.OUT_OF_HOURS
    log = [event.kind for event in told.about(starter, ("log_in", "log_out")) if event.time <= submitted]
    return Refusal.LOGGED_OUT if log and log[-1] == "log_out" else Refusal.OUT_OF_HOURS


def over_line(run: Any, row: Mapping[str, Any]) -> str | None:
    """The line of a client (间接参与者) that a credit would have passed; None if it was sent for no such client."""
    clients = (getattr(run, "scenario", None) or {}).get("clients") or ()
    client = next((one for one in clients if one["name"] == row["on_behalf_of"]), None)
    if client is None:
        return None
    fen = parse_fen(client["value"]) + parse_fen(client["credit_line"])
    return f"its client {client['name']} may send up to {cny(fen)} in a retail date, and this would have been more"


def absence(told: Told, account: str, first_ms: int, last_ms: int | None) -> str | None:
    """When a bank was logged out while an item waited for its answer, in words; None if it never was.

    last_ms: when the waiting ended, None if it did not end within the run
    """
    left: int | None = None
    for event in told.about(account, ("log_in", "log_out")):
        if event.kind == "log_out" and left is None:
            left = event.time
        elif event.kind == "log_in" and left is not None:
            if event.time > first_ms and (last_ms is None or left <= last_ms):
                return _absence(account, f"from {format_clock(left)} to {format_clock(event.time)}")
            left = None
    if left is None or (last_ms is not None and left > last_ms):
        return None
    return _absence(account, f"from {format_clock(left)} on")


def _absence(account: str, when: str) -> str:
    return f"{account} was logged out {when}; a bank that is logged out cannot answer."
