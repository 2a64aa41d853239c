"""The manifest of a run with retail clearing: does what it tells of rounds, outcomes and caps follow from the tables?

Where the items of a system are recorded, its figures are counted again; else they must fit each other, the rounds
and the series.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Frame, Ints
from cnaps_sim.audit.digest import NULL
from cnaps_sim.audit.retail_sums import REFUSED, RETAIL, RetailSums
from cnaps_sim.audit.verdict import Findings, one_line
from cnaps_sim.words.codes import CentralBankAccount, Refusal, Status, System
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.retail_days import RoundKind
from cnaps_sim.words.units import format_clock

ROUNDS: Final = "rounds-told"
OUTCOMES: Final = "outcomes-told"
CAPS: Final = "caps-told"

_PARTS: Final = ("settled", "rejected", "returned", "cancelled", "queued")
_NOTHING: Final = {"count": 0, "value_fen": 0}
#: What is refused for these counts as cancelled.
_CANCELLED: Final = (Refusal.STOPPED.name, Refusal.CAP_QUEUE_CLOSED.name)


class Told:
    """What a manifest tells of retail clearing; anything that has not its documented form counts as not told."""

    def __init__(self, manifest: Any, items: RetailSums) -> None:
        whole = manifest if isinstance(manifest, Mapping) else {}
        self.is_there = any(name in whole for name in ("rounds", "outcomes", "caps"))
        self.outcomes: Mapping[str, Any] = _mapping(whole.get("outcomes"))
        self.caps: Mapping[str, Any] = _mapping(whole.get("caps"))
        rounds = whole.get("rounds")
        self.rounds = [_mapping(each) for each in rounds] if isinstance(rounds, list) else []
        self.items = {name: entry for name, entry in _mapping(whole.get("items")).items() if name in RETAIL}
        self.summary = _mapping(_mapping(whole.get("summary")).get("systems"))
        self.missing = [
            name for name, kind in (("rounds", list), ("outcomes", Mapping), ("caps", Mapping))
            if not isinstance(whole.get(name), kind)
        ]  # fmt: skip
        self.recorded = [name for name in RETAIL if name in items.systems]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sum(count: int, fen: int) -> dict[str, int]:
    return {"count": count, "value_fen": fen}


def check_told(
    told: Told,
    items: RetailSums,
    rounds: Frame | None,
    series: Frame | None,
    events: Frame | None,
    accounts: Frame | None,
    findings: Findings,
) -> None:
    """Check `rounds`, `outcomes` and `caps` of a manifest. Rules: see the functions that this calls."""
    findings.made(ROUNDS, OUTCOMES, CAPS)
    for name in told.missing:
        findings.breach(f"{name}-told", f"the manifest does not tell of the {name} of retail clearing")
    if "rounds" not in told.missing:
        with findings.checking(ROUNDS):
            _check_rounds(told, items, rounds, events, findings)
        if series is not None:
            with findings.checking(ROUNDS):
                _check_in_series(told, series, findings)
    if "outcomes" not in told.missing:
        with findings.checking(OUTCOMES):
            _check_outcomes(told, items, findings)
        if series is not None:
            with findings.checking(OUTCOMES):
                _check_peak(told, series, findings)
    if "caps" not in told.missing:
        with findings.checking(CAPS):
            _check_caps(told, items, accounts, findings)


# rounds ---------------------------------------------------------------------------------------------------------


def _check_rounds(
    told: Told, items: RetailSums, rounds: Frame | None, events: Frame | None, findings: Findings
) -> None:
    """`rounds-told`: the rounds are numbered from 1 and do not go back in time; date, instant, kind and sending of
    each are those of the table, which holds no other, and an event tells of it; what each netted is the sum of its
    items, and all together what the outcomes call settled."""
    table = {} if rounds is None else _first_rows(rounds)
    shown = None if events is None else _shown(events)
    earlier = NULL
    for number, each in enumerate(told.rounds, start=1):
        own = {name: each.get(name) for name in ("round", "date", "time_ms", "kind", "sent_ms")}
        there = table.pop(number, {**own, "round": number, "sent_ms": None})
        time_ms = each.get("time_ms")
        wrong = own != there or own["kind"] not in [kind.value for kind in RoundKind]
        wrong = wrong or not isinstance(time_ms, int) or time_ms < earlier
        if shown is not None:
            event = time_ms, f"round {number} ({own['kind']}) of {own['date']}"
            wrong = wrong or event not in shown
            shown.discard(event)  # type: ignore[arg-type]
        if wrong:
            findings.breach(ROUNDS, f"round {number} is told as {one_line(own)}, the tables say {one_line(there)}")
        earlier = time_ms if isinstance(time_ms, int) else earlier
    for text in [*(f"round {number}" for number in table), *(event[1] for event in sorted(shown or ()))]:
        findings.breach(ROUNDS, f"the manifest does not tell of {text}")
    _check_netted(told, items, findings)


def _first_rows(rounds: Frame) -> dict[int, dict[str, Any]]:
    """What the table says of each round."""
    numbers, first = np.unique(rounds.ints("round"), return_index=True)
    kinds, words = rounds.texts("kind")
    date, time_ms, sent_ms = (rounds.ints(name) for name in ("date", "time_ms", "sent_ms"))
    return {
        number: {
            "round": number,
            "date": (dt.date(1970, 1, 1) + dt.timedelta(int(date[row]))).isoformat(),
            "time_ms": int(time_ms[row]),
            "kind": words[kinds[row]],
            "sent_ms": None if sent_ms[row] == NULL else int(sent_ms[row]),
        }
        for number, row in zip(numbers.tolist(), first.tolist(), strict=True)
    }


def _shown(events: Frame) -> set[tuple[int, str]]:
    """Instant and beginning of each event that tells of a round; others tell of its nets."""
    rows = np.flatnonzero(events.is_one_of("kind", "round") & events.is_one_of("subject", System.NETS.value))
    codes, words = events.texts("detail")
    told = ((int(events.ints("time_ms")[row]), words[codes[row]].partition(":")[0]) for row in rows.tolist())
    return {(time_ms, text) for time_ms, text in told if ") of " in text}


def _check_netted(told: Told, items: RetailSums, findings: Findings) -> None:
    """What each round netted of each system."""
    group, number, count, fen = (column.tolist() for column in items.rounds.total())
    own = {(RETAIL[g], n): _sum(c, f) for g, n, c, f in zip(group, number, count, fen, strict=True)}
    for system in RETAIL:
        netted = [_mapping(_mapping(each.get("netted")).get(system)) for each in told.rounds]
        if system in told.recorded:
            for place, given in enumerate(netted, start=1):
                wanted = own.get((system, place), _NOTHING)
                if given != wanted:
                    findings.breach(
                        ROUNDS, f"round {place} netted {one_line(dict(given))} of {system}, its items make {wanted}"
                    )
        total = _sum(*(sum(given.get(key, 0) for given in netted) for key in ("count", "value_fen")))
        settled = _mapping(told.outcomes.get(system)).get("settled", _NOTHING)
        if total != settled:
            findings.breach(
                ROUNDS, f"the rounds netted {total} of {system}, the outcomes say that {one_line(settled)} settled"
            )


def _check_in_series(told: Told, series: Frame, findings: Findings) -> None:
    """`rounds-told`, beside the series: of each system what the rounds until an instant netted is no more than was
    netted until then, and that no more than what the next round netted besides."""
    times = np.array([each["time_ms"] for each in told.rounds], np.int64)
    time_ms, date, value = (series.ints(name) for name in ("time_ms", "date", "value"))
    for system in RETAIL:
        for measure, key in (("netted_count", "count"), ("netted_fen", "value_fen")):
            rows = np.flatnonzero(series.is_one_of("scope", system) & series.is_one_of("measure", measure))
            if not len(rows):
                continue
            rows = rows[np.argsort(time_ms[rows], kind="stable")]
            netted = [int(_mapping(_mapping(each.get("netted")).get(system)).get(key, 0)) for each in told.rounds]
            sums: Ints = np.append(0, np.cumsum(netted, dtype=np.int64))
            done = np.searchsorted(times, time_ms[rows], side="right")
            # samples count from the beginning of their date
            is_new = np.append(False, date[rows][1:] != date[rows][:-1])
            whole = value[rows] + np.cumsum(np.where(is_new, np.append(0, value[rows][:-1]), 0))
            wrong = (whole < sums[done]) | (whole > sums[np.minimum(done + 1, len(netted))])
            _tell_series(series, rows, wrong, findings)


def _tell_series(series: Frame, rows: Ints, wrong: Any, findings: Findings) -> None:
    findings.where(
        ROUNDS,
        wrong,
        lambda k: (
            f"{series.text('measure', int(rows[k]))} of {series.text('scope', int(rows[k]))} at "
            f"{format_clock(int(series.ints('time_ms')[rows[k]]))} is sampled as {series.text('value', int(rows[k]))}, "
            "which is not what the rounds before and after it netted"
        ),
    )


# outcomes -------------------------------------------------------------------------------------------------------


def _check_outcomes(told: Told, items: RetailSums, findings: Findings) -> None:
    """`outcomes-told`: of every system that had items the outcomes make up what was submitted, which is what `items`
    says, and so does the summary, where there is one; refusals make up what was rejected, or cancelled by time or
    stopped; refusals and the mean delay are those of the items."""
    if sorted(told.outcomes) != sorted(told.items):
        findings.breach(OUTCOMES, f"outcomes are told of {list(told.outcomes)}, items of {list(told.items)}")
    for system, entry in told.outcomes.items():
        own = _mapping(entry)
        parts = {name: _mapping(own.get(name)) for name in ("submitted", *_PARTS)}
        of_items = _mapping(told.items.get(system))
        refusals = {name: _mapping(value) for name, value in _mapping(own.get("refusals")).items()}
        for key in ("count", "value_fen"):
            whole = {name: part.get(key) for name, part in parts.items()}
            total = sum(whole[name] or 0 for name in _PARTS)
            if not whole["submitted"] == total == of_items.get(key):
                findings.breach(OUTCOMES, f"{key} of {system}: {whole}, but {of_items.get(key)} of items")
            by_time = sum(refusals[name].get(key, 0) for name in _CANCELLED if name in refusals)
            refused = sum(value.get(key, 0) for value in refusals.values()) - by_time
            if refused != whole["rejected"] or by_time > (whole["cancelled"] or 0):
                findings.breach(
                    OUTCOMES,
                    f"{key} of {system}: refusals make {refused} and {by_time}, the outcomes say {whole['rejected']} "
                    f"rejected and {whole['cancelled']} cancelled",
                )
        _check_kinds(system, own, findings)
        of_summary = _mapping(told.summary.get(system))
        other = [name for name in (*parts, "mean_delay_ms") if name in of_summary and of_summary[name] != own.get(name)]
        if other:
            findings.breach(OUTCOMES, f"outcomes and summary of {system} tell different {', '.join(other)}")
        if system in told.recorded:
            _check_counted(system, own, refusals, items, findings)


def _check_kinds(system: str, own: Mapping[str, Any], findings: Findings) -> None:
    """The kinds of a system make up its outcomes, where they are told."""
    if "kinds" not in own:
        return
    kinds = _mapping(own["kinds"])
    for name in ("settled", "rejected", "cancelled"):
        parts = [_mapping(_mapping(kind).get(name)) for kind in kinds.values()]
        total = _sum(*(sum(part.get(key, 0) for part in parts) for key in ("count", "value_fen")))
        if total != own.get(name):
            findings.breach(
                OUTCOMES, f"the kinds of {system} make {total} {name}, the outcomes say {one_line(own.get(name))}"
            )


def _check_counted(
    system: str, own: Mapping[str, Any], refusals: Mapping[str, Any], items: RetailSums, findings: Findings
) -> None:
    """Refusals and the mean delay of a system beside its items. Several refusals may have one reason."""
    counted: dict[Any, list[int]] = {}
    for (name, status, reason, iso), (count, fen) in items.refusals.items():
        if name == system and status in (*REFUSED, Status.PR08, Status.PR21):
            known = counted.setdefault((reason, iso), [0, 0])
            known[0], known[1] = known[0] + count, known[1] + fen
    given: dict[Any, list[int]] = {}
    for name, part in refusals.items():
        refusal = Refusal[name]
        known = given.setdefault((refusal.reason, refusal.iso or None), [0, 0])
        known[0], known[1] = known[0] + part["count"], known[1] + part["value_fen"]
    for key in sorted({*counted, *given}, key=str):
        if counted.get(key, [0, 0]) != given.get(key, [0, 0]):
            findings.breach(
                OUTCOMES,
                f"refusals of {system} for {key[0]} {key[1]} are told as {given.get(key, [0, 0])} items and fen, the "
                f"items make {counted.get(key, [0, 0])}",
            )
    count, total = items.delays.get(system, [0, 0])
    mean = total / count if count else None
    if own.get("mean_delay_ms") != mean:
        findings.breach(
            OUTCOMES, f"the mean delay of {system} is {one_line(own.get('mean_delay_ms'))}, the items make it {mean}"
        )


def _check_peak(told: Told, series: Frame, findings: Findings) -> None:
    """`outcomes-told`, beside the series: no sample of the cap queues is above the peak, which only BEPS has."""
    own = series.is_one_of("scope", System.NETS.value)
    for system, entry in told.outcomes.items():
        peak = _mapping(_mapping(entry).get("peak_queue"))
        for key, measure in (("count", "queued_count"), ("value_fen", "queued_fen")):
            value = series.ints("value")[own & series.is_one_of("measure", measure)]
            given = peak.get(key)
            wrong = not isinstance(given, int)
            wrong = wrong or (given < value.max(initial=0) if system == System.BEPS else given != 0)
            if wrong:
                findings.breach(
                    OUTCOMES, f"the longest queue of {system} had {key} {given}, the series has {value.max(initial=0)}"
                )


# caps -----------------------------------------------------------------------------------------------------------


def _check_caps(told: Told, items: RetailSums, accounts: Frame | None, findings: Findings) -> None:
    """`caps-told`: caps are told of every participant and nobody else; what was refused for the cap is in sum what the
    outcomes say; and what the cap refused or held up is what the items say, where all are recorded."""
    if accounts is not None:
        codes, words = accounts.texts("account")
        own = accounts.is_one_of("kind", ParticipantKind.CENTRAL_BANK)
        names = {words[code] for code in np.unique(codes[~own])} - {account.value for account in CentralBankAccount}
        for name in sorted(names ^ set(told.caps)):
            findings.breach(CAPS, f"the cap of {one_line(name)} {'is not told' if name in names else 'is told'}")
    is_whole = items.is_whole(told.items)
    for key in ("rejected", "queued"):
        given = {name: _mapping(_mapping(entry).get(key)) for name, entry in told.caps.items()}
        if is_whole:
            _check_payers(key, given, items, findings)
    refused = [
        _mapping(_mapping(entry).get("refusals")).get(Refusal.CAP.name, _NOTHING) for entry in told.outcomes.values()
    ]
    for key in ("count", "value_fen"):
        total = sum(_mapping(_mapping(entry).get("rejected")).get(key, 0) for entry in told.caps.values())
        wanted = sum(one[key] for one in refused)
        if total != wanted:
            findings.breach(CAPS, f"{key} of what caps refused is {total}, the outcomes say {wanted}")


def _check_payers(key: str, given: Mapping[str, Mapping[str, Any]], items: RetailSums, findings: Findings) -> None:
    sums = items.over_cap if key == "rejected" else items.held_up
    group, _, count, fen = (column.tolist() for column in sums.total())
    names = {number: name for name, number in items.numbers.items()}
    own = {names[g]: _sum(c, f) for g, c, f in zip(group, count, fen, strict=True)}
    for name in sorted({*given, *own}):
        wanted = own.get(name, {})
        if given.get(name, {}) != wanted:
            findings.breach(
                CAPS,
                f"items {key} for the cap of {name} are told as {one_line(given.get(name))}, the items are {wanted}",
            )
