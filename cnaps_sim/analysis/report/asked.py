"""The part of a report on what was asked: the run's date, seed and scenario, and its settings, few of them unfolded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from cnaps_sim.analysis.drawing import plural
from cnaps_sim.analysis.metrics.payments import RETAIL_SYSTEMS
from cnaps_sim.words.codes import System
from cnaps_sim.words.units import format_clock

#: Rows that stand open, with those of the run itself; what more there is can be unfolded, up to so many.
MOST_OPEN: Final = 30
MOST_FOLDED: Final = 200
#: Parts of a scenario, those first that tell most of a run.
_SETTINGS: Final = (
    "workload", "access", "accounts", "liquidity", "pools", "credit", "reservations", "limits", "compare_tools",
    "compare_access",
    "behaviours", "actions", "nets", "hvps", "clients", "messages", "network", "timetable", "holidays", "bank_codes",
    "scale", "record", "series_step", "beps", "ibps",
)  # fmt: skip
#: What one line tells of a source of payments; its other parameters have lines of their own, further down.
_SOURCE: Final = ("system", "generator", "file", "count", "value", "from", "to")
#: Lists whose entries have a line each.
_IN_ONE_LINE: Final = ("workload", "actions", "behaviours")
#: Lists of mappings with few enough entries have a line for each.
_MOST_ENTRIES: Final = 6
#: Terms that only matter where the system has payments.
_RETAIL_TERMS: Final = (("beps", System.BEPS), ("ibps", System.IBPS))
#: Terms of branches only matter where each of them has an account.
_BRANCH_TERMS: Final = ("access", "accounts.branch")
_LONGEST: Final = 120

Rows = list[tuple[str, str]]


def asked_rows(manifest: Mapping[str, Any]) -> Rows:
    """What the run says of itself."""
    rows = [
        ("business date", str(manifest.get("date", ""))),
        ("business days", str(manifest.get("days", ""))),
        ("seed", str(manifest.get("seed", ""))),
        ("scenario (SHA-256)", str(manifest.get("scenario_sha256", ""))),
        ("version", str(manifest.get("version", ""))),
    ]
    if isinstance(fork := manifest.get("fork"), Mapping):
        rows.append(("forked", f"at {format_clock(fork['at_ms'])}: {', '.join(fork['changed']) or 'nothing changed'}"))
    rows += [("calendar", str(warning)) for warning in manifest.get("calendar_warnings", ())]
    return [(name, value) for name, value in rows if value]


def setting_rows(scenario: Mapping[str, Any], room: int) -> tuple[Rows, Rows]:
    """What the scenario sets, as lines: those that stand open, at most `room`, and the others.

    The network is told only where messages travel, terms of retail systems where they clear, those of liquidity tools
    and of queue matching where they are on.
    """
    scenario = _in_use(scenario)
    without = {"messages", "network"} if scenario.get("messages", "off") == "off" else set()
    sources = scenario.get("workload")
    systems = {source.get("system") for source in sources if isinstance(source, Mapping)} if sources else set()
    without |= {key for key, system in _RETAIL_TERMS if system not in systems}
    without |= set() if systems & set(RETAIL_SYSTEMS) else {"nets", "clients"}
    first: Rows = []
    later: Rows = []
    for key in _SETTINGS:
        if key in scenario and key not in without:
            for is_detail, row in _lines(key, scenario[key]):
                (later if is_detail else first).append(row)
    rows = first + later
    if scenario.get("access") != "branches":
        rows = [row for row in rows if not row[0].startswith(_BRANCH_TERMS)]
    more = len(rows) - room - MOST_FOLDED
    folded = rows[room : room + MOST_FOLDED]
    return rows[:room], folded if more <= 0 else [*folded, ("…", f"and {plural(more, 'setting')} more")]


def _in_use(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario without the terms of tools that are off."""
    told = {key: dict(value) if isinstance(value, Mapping) else value for key, value in scenario.items()}
    credit, hvps = told.get("credit"), told.get("hvps")
    if isinstance(credit, dict):
        if not (credit.get("pledge") or {}).get("collateral"):
            credit.pop("pledge", None)
        if not Decimal(str((credit.get("lending_desk") or {}).get("share", 0))):
            credit.pop("lending_desk", None)
    if isinstance(hvps, dict) and (hvps.get("matching") or {}).get("algorithm") == "none":
        hvps["matching"] = {"algorithm": "none"}
    for key in ("compare_tools", "compare_access"):
        if not told.get(key):
            told.pop(key, None)
    return told


def _lines(key: str, value: Any) -> Iterable[tuple[bool, tuple[str, str]]]:
    """The lines of one part, and whether each is a detail: of a source of payments all but the most telling."""
    if key not in _IN_ONE_LINE or not isinstance(value, (list, tuple)) or len(value) > _MOST_ENTRIES:
        yield from ((False, row) for row in _flat(key, value))
        return
    for place, item in enumerate(value):
        name = f"{key}.{place}" if len(value) > 1 else key
        if not isinstance(item, Mapping):
            yield from ((False, row) for row in _flat(name, item))
            continue
        item = {part: _choice(inner) for part, inner in item.items()}
        told = item if key != "workload" else {part: item[part] for part in _SOURCE if part in item}
        words = ", ".join(
            f"{part} {_text(inner)}" for part, inner in told.items() if _is_told(inner) and not _is_long(inner)
        )
        yield False, (name, _short(words))
        rest = {part: inner for part, inner in item.items() if part not in told or _is_long(inner)}
        yield from ((True, row) for row in _flat(name, rest))


def _choice(value: Any) -> Any:
    """A mapping that only says which, such as `{kind: city}`, as words; anything else as it is."""
    if isinstance(value, Mapping) and len(value) == 1 and not any(map(_is_long, value.values())):
        return " ".join(f"{name} {_text(inner)}" for name, inner in value.items())
    return value


def _flat(key: str, value: Any) -> Iterable[tuple[str, str]]:
    """A setting as lines `a.b.c: value`; what is off or empty is not told, and rows of input are only counted."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{key}.{name}", inner)
    elif _is_long(value):
        yield key, f"{len(value)} given in the scenario"
    elif _is_told(value):
        yield key, _short(_text(value))


def _is_told(value: Any) -> bool:
    return value is not None and value != [] and value != ""


def _is_long(value: Any) -> bool:
    """Is it a list of rows, or a mapping?"""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"
