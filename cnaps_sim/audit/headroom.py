"""Headroom: do the samples of positions and headroom agree with rounds and items, and was the cap kept?

headroom = cap + position + unsettled. The cap itself (净借记限额) stands in no table, so it is what the other three
make it, and it may change only when something is told that changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL
from cnaps_sim.audit.queue_series import SERIES, tell_difference
from cnaps_sim.audit.retail_sums import RETAIL, RetailSums, steps_of
from cnaps_sim.audit.sums import Steps
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Level, System, TransferKind
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_MINUTE, format_clock, format_fen

POSITIONS: Final = "positions-replay"
CAP: Final = "cap-steps"
KEPT: Final = "headroom-kept"
LOWEST: Final = "lowest-headroom"
_NEVER: Final = np.iinfo(np.int64).max


class Samples:
    """Positions and headroom of the participants, by participant and time; parallel arrays."""

    def __init__(self, series: Frame, findings: Findings) -> None:
        """`positions-replay`: every sample of a position has one of headroom beside it."""
        names: dict[str, int] = {}
        group = series.coded("scope", lambda name: names.setdefault(name, len(names)))
        time_ms = series.ints("time_ms")
        places = []
        for measure in ("position_fen", "headroom_fen"):
            rows = np.flatnonzero(series.is_one_of("measure", measure))
            places.append(rows[np.lexsort((time_ms[rows], group[rows]))])
        positions, headroom = places
        paired = len(positions) == len(headroom)
        paired = paired and bool((group[positions] == group[headroom]).all())
        if not paired or not (time_ms[positions] == time_ms[headroom]).all():
            findings.breach(POSITIONS, "positions and headroom are not sampled of the same participants and instants")
            positions = headroom = positions[:0]
        self.names = list(names)
        self.group, self.time_ms = group[positions].astype(np.int64), time_ms[positions]
        self.position, self.headroom = series.ints("value")[positions], series.ints("value")[headroom]
        begins = np.ones(len(positions), np.bool_)
        begins[1:] = np.diff(self.group) != 0
        self.begins: Flags = begins
        #: The instant of the sample before, of the same participant.
        self.before_ms = np.where(begins, NULL, np.append(0, self.time_ms)[:-1])

    def number(self, name: str) -> int:
        """The group of a participant; -1 for one that is not sampled."""
        return self.names.index(name) if name in self.names else -1

    def between(self, steps: Steps) -> Ints:
        """What has been added up since the sample before."""
        return steps.at(self.group, self.time_ms) - steps.at(self.group, self.before_ms)

    def name(self, k: int) -> str:
        return f"{self.names[self.group[k]]} at {format_clock(int(self.time_ms[k]))}"


class _Causes:
    """What may change a cap or headroom, by participant, as counts until an instant.

    told:     actions on the participant
    used:     debits of level 4, which may use up an earmark, and loans at the penalty rate
    ended:    phases of HVPS; at the end of a window an earmark is cut to the balance
    received: round nets that were posted to it (fen), so that they leave headroom for the balance
    is_known: whether every cause is told; orders that come as messages are not
    all_used: whether every debit of level 4 is
    """

    def __init__(
        self, samples: Samples, rounds: Frame | None, transfers: Frame | None, events: Frame | None, manifest: Any
    ) -> None:
        self.is_known = events is not None and not (isinstance(manifest, Mapping) and manifest.get("messages"))
        numbers = {name: k for k, name in enumerate(samples.names)}
        nothing: Ints = np.zeros(0, np.int64)
        told = ended = (nothing, nothing)
        used = [told]
        third_parties = False
        if events is not None:
            subject = events.coded("subject", lambda name: numbers.get(name, -1)).astype(np.int64)
            time_ms = events.ints("time_ms")
            is_action = events.is_one_of("kind", "action")
            own = is_action & (subject >= 0)
            told = subject[own], time_ms[own]
            third_parties = bool((events.is_one_of("kind", "third_party") | (is_action & ~own)).any())
            ends = time_ms[events.is_one_of("kind", "phase") & events.is_one_of("subject", System.HVPS.value)]
            count = len(numbers)
            ended = (np.repeat(np.arange(count), len(ends)), np.tile(ends, count))
        received: tuple[Ints, Ints, Ints] = (nothing, nothing, nothing)
        if rounds is not None:
            participant = rounds.coded("participant", lambda name: numbers.get(name, -1)).astype(np.int64)
            settled_ms, net = rounds.ints("settled_ms"), rounds.ints("net_fen")
            posted = (settled_ms != NULL) & (participant >= 0)
            paid, got = posted & (net < 0), posted & (net > 0)
            used.append((participant[paid], settled_ms[paid]))
            received = participant[got], settled_ms[got], net[got]
        if transfers is not None:
            used += _taken(transfers, numbers)
        self.all_used = transfers is not None or not third_parties
        self.told, self.used, self.ended = _counted([told]), _counted(used), _counted([ended])
        self.received = Steps(*received)

    def explain_fall(self, samples: Samples) -> Flags:
        """Where something since the sample before may have taken from the cap."""
        if not self.all_used:
            return np.ones(len(samples.group), np.bool_)
        fallen: Flags = (samples.between(self.used) > 0) | (samples.between(self.ended) > 0)
        return fallen | (samples.between(self.told) > 0)


def _taken(transfers: Frame, numbers: Mapping[str, int]) -> list[tuple[Ints, Ints]]:
    """Debits of level 4, and loans at the penalty rate."""
    time_ms = transfers.ints("time_ms")
    taken = []
    for column, chosen in (
        ("debtor", transfers.ints("level") == Level.ROUND_NET),
        ("creditor", transfers.is_one_of("kind", TransferKind.PENALTY)),
    ):
        group = transfers.coded(column, lambda name: numbers.get(name, -1)).astype(np.int64)
        chosen = chosen & (group >= 0)
        taken.append((group[chosen], time_ms[chosen]))
    return taken


def _counted(parts: list[tuple[Ints, Ints]]) -> Steps:
    group, time_ms = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Steps(group, time_ms, np.ones(len(group), np.int64))


def check_headroom(
    series: Frame,
    rounds: Frame | None,
    transfers: Frame | None,
    events: Frame | None,
    accounts: Frame | None,
    items: RetailSums | None,
    manifest: Any,
    findings: Findings,
) -> None:
    """Check positions and headroom; `items` only if they are all there. Rules: see the functions that this calls."""
    samples = Samples(series, findings)
    if not len(samples.group):
        return
    nets, unsettled = _nets(samples, rounds)
    _check_positions(samples, nets, items, findings)
    cap = samples.headroom - samples.position - unsettled.at(samples.group, samples.time_ms)
    change = np.where(samples.begins, 0, cap - np.append(0, cap)[:-1])
    causes = _Causes(samples, rounds, transfers, events, manifest)
    if causes.is_known:
        _check_cap(samples, cap, change, causes, findings)
        _check_kept(samples, change, causes, findings)
    _check_lowest(samples, change, causes, items, _overnight(samples, cap, accounts), manifest, findings)


def _nets(samples: Samples, rounds: Frame | None) -> tuple[Steps, Steps]:
    """By participant the nets of all rounds until an instant, and what of them SAPS has not posted."""
    nothing: Ints = np.zeros(0, np.int64)
    if rounds is None:
        return Steps(nothing, nothing, nothing), Steps(nothing, nothing, nothing)
    participant = rounds.coded("participant", samples.number).astype(np.int64)
    own = np.flatnonzero(participant >= 0)
    group, net, time_ms = participant[own], rounds.ints("net_fen")[own], rounds.ints("time_ms")[own]
    settled_ms = rounds.ints("settled_ms")[own]
    posted = settled_ms != NULL
    left = Steps(np.append(group, group[posted]), np.append(time_ms, settled_ms[posted]), np.append(net, -net[posted]))
    return Steps(group, time_ms, net), left


def _check_positions(samples: Samples, nets: Steps, items: RetailSums | None, findings: Findings) -> None:
    """`positions-replay`: the positions of an instant cancel out; and each is what the items netted until then, less
    the nets of the rounds until then, make it (at whole minutes, where all items are recorded)."""
    findings.made(POSITIONS)
    order = np.argsort(samples.time_ms, kind="stable")
    ordered = samples.time_ms[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    total = np.add.reduceat(samples.position[order], first)
    findings.where(
        POSITIONS,
        total != 0,
        lambda k: (
            f"the positions at {format_clock(int(ordered[first[k]]))} make {format_fen(int(total[k]))} CNY, not 0"
        ),
    )
    if items is None:
        return
    number = np.array([items.numbers.setdefault(name, len(items.numbers)) for name in samples.names], np.int64)
    wanted = items.moved(-1, 1).at(number[samples.group], samples.time_ms)
    wanted -= nets.at(samples.group, samples.time_ms)
    findings.where(
        POSITIONS,
        (wanted != samples.position) & (samples.time_ms % MS_PER_MINUTE == 0),
        lambda k: (
            f"the position of {samples.name(k)} is sampled as {samples.position[k]}, items and rounds make it "
            f"{wanted[k]}"
        ),
    )


def _check_cap(samples: Samples, cap: Ints, change: Ints, causes: _Causes, findings: Findings) -> None:
    """`cap-steps`: headroom less position and unsettled nets is the cap, which changes only by an action on the
    participant, and falls otherwise only where a debit of level 4 or the end of a window used up an earmark."""
    told = samples.between(causes.told) > 0
    findings.where(
        CAP,
        (change != 0) & ~told & ~((change < 0) & causes.explain_fall(samples)),
        lambda k: (
            f"the samples of {samples.name(k)} make a cap of {format_fen(int(cap[k]))} CNY, before it was "
            f"{format_fen(int(cap[k] - change[k]))} CNY, and nothing is told that changed it"
        ),
    )


def _check_kept(samples: Samples, change: Ints, causes: _Causes, findings: Findings) -> None:
    """`headroom-kept`: headroom does not fall below zero, unless the cap was cut or a net that the participant was to
    receive was posted."""
    before = np.where(samples.begins, 0, np.append(0, samples.headroom)[:-1])
    excused = (before < 0) | (samples.between(causes.told) > 0) | (samples.between(causes.received) > 0)
    excused |= (change < 0) & causes.explain_fall(samples)
    findings.where(
        KEPT,
        (samples.headroom < 0) & ~(excused & ~samples.begins),
        lambda k: (
            f"the headroom of {samples.name(k)} is {format_fen(int(samples.headroom[k]))} CNY, although its cap was "
            "not cut"
        ),
    )


def _overnight(samples: Samples, cap: Ints, accounts: Frame | None) -> Ints:
    """By sampled participant what the end of the last window may take from its cap: an earmark beyond the balance."""
    last = cap[np.append(samples.begins[1:], True)]
    groups = samples.group[samples.begins]
    closing = np.zeros(len(samples.names), np.int64)
    if accounts is not None and accounts.rows:
        group = accounts.coded("account", samples.number)
        rows = np.flatnonzero((group >= 0) & (accounts.ints("date") == accounts.ints("date").max()))
        closing[group[rows]] = accounts.ints("closing_fen")[rows]
    return np.maximum(0, last - np.maximum(0, closing[groups]))


def _check_lowest(
    samples: Samples,
    change: Ints,
    causes: _Causes,
    items: RetailSums | None,
    overnight: Ints,
    manifest: Any,
    findings: Findings,
) -> None:
    """`lowest-headroom`: the lowest headroom that the manifest tells of a participant is above none of its samples; it
    is not below zero where nothing could take it there; and where all items are recorded and the cap stays, it is not
    below a sample by more than what was sent, or received in SAPS, until the next one."""
    findings.made(LOWEST)
    told = manifest.get("caps") if isinstance(manifest, Mapping) else None
    if not isinstance(told, Mapping):
        return  # `caps-told` says so
    first = np.flatnonzero(samples.begins)
    last = np.append(first[1:], len(samples.group)) - 1
    groups = samples.group[first]
    until, end = samples.time_ms[last], np.full(len(first), _NEVER)
    highest = np.minimum.reduceat(samples.headroom, first)
    steady = (np.add.reduceat(np.abs(change), first) == 0) & (causes.told.at(groups, end) == 0)
    steady &= (causes.used.at(groups, end) == causes.used.at(groups, until)) & causes.all_used
    unmoved = steady & (causes.received.at(groups, end) == 0)
    floor = np.where(unmoved, np.minimum(highest, 0), NULL)
    if items is not None:
        floor = np.where(steady, np.maximum(floor, _floors(samples, first, causes, items)), floor)
    is_cut = causes.ended.at(groups, end) > causes.ended.at(groups, until)
    floor = np.where(is_cut & (floor != NULL), floor - overnight, floor)
    if not causes.is_known:
        floor[:] = NULL
    for k, group in enumerate(groups.tolist()):
        entry = told.get(samples.names[group])
        lowest = entry.get("lowest_headroom_fen") if isinstance(entry, Mapping) else None
        if not isinstance(lowest, int) or not floor[k] <= lowest <= highest[k]:
            findings.breach(
                LOWEST,
                f"the manifest says that the headroom of {samples.names[group]} was {lowest} fen at its lowest, its "
                f"samples and items say from {floor[k] if floor[k] != NULL else 'any'} to {highest[k]}",
            )


def _floors(samples: Samples, first: Ints, causes: _Causes, items: RetailSums) -> Ints:
    """By participant the lowest headroom that is possible, if its cap stays."""
    number = np.array([items.numbers.setdefault(name, len(items.numbers)) for name in samples.names], np.int64)
    later = np.append(samples.time_ms[1:], _NEVER)
    later[np.append(samples.begins[1:], True)] = _NEVER
    fallen: Ints = causes.received.at(samples.group, later) - causes.received.at(samples.group, samples.time_ms)
    sent, own = items.moved(1, 0), number[samples.group]
    from_ms = samples.time_ms // MS_PER_MINUTE * MS_PER_MINUTE  # sums are by minutes
    fallen += sent.at(own, np.where(later == _NEVER, later, later + MS_PER_MINUTE - 1)) - sent.at(own, from_ms)
    return np.minimum.reduceat(samples.headroom - fallen, first)


def check_retail_series(series: Frame, items: RetailSums, findings: Findings) -> None:
    """`series-replay`, of retail: what each system whose items are recorded had netted and rejected since its date
    began, and how much waited for headroom (at whole minutes)."""
    findings.made(SERIES)
    time_ms, date = series.ints("time_ms"), series.ints("date")
    own = series.is_one_of("scope", *items.systems)
    dates = np.unique(date[own])
    ends = np.array([int(time_ms[own & (date == one)].max()) for one in dates], np.int64)
    # What is refused because it was sent after the run counts when the last date is over.
    over_ms = ends[-1] if len(ends) and ends[-1] % MS_PER_DAY == RETAIL_DATE_SWITCH_MS else NULL
    codes = series.coded("scope", lambda name: RETAIL.index(name) if name in RETAIL else -1).astype(np.int64)
    (netted_count, netted_fen), (rejected_count, _) = steps_of(items.netted), steps_of(items.rejected)
    for measure, steps in (("netted_count", netted_count), ("netted_fen", netted_fen), ("rejected_count", None)):
        rows = np.flatnonzero(own & series.is_one_of("measure", measure))
        place = np.searchsorted(dates, date[rows])
        before = np.where(place > 0, ends[np.maximum(place, 1) - 1], NULL)
        rows, before = (column[_on_minutes(time_ms[rows], before)] for column in (rows, before))
        group, until = codes[rows], time_ms[rows]
        if steps is not None:
            tell_difference(series, rows, steps.at(group, until) - steps.at(group, before), findings, "items")
            continue
        until = np.where(until == over_ms, _NEVER, until)
        least = rejected_count.at(group, until) - rejected_count.at(group, before)
        most = least + rejected_count.at(group + len(RETAIL), until)
        least -= rejected_count.at(group + len(RETAIL), before)
        tell_difference(series, rows, np.clip(series.ints("value")[rows], least, most), findings, "items")
    if System.BEPS.value in items.systems:
        _check_waiting(series, items, findings)


def _on_minutes(time_ms: Ints, before: Ints) -> Flags:
    both: Flags = (time_ms % MS_PER_MINUTE == 0) & ((before == NULL) | (before % MS_PER_MINUTE == 0))
    return both


def _check_waiting(series: Frame, items: RetailSums, findings: Findings) -> None:
    """What waits for headroom: at least what kinds without a reply make it, at most with those that have one."""
    own = series.is_one_of("scope", System.NETS.value) & (series.ints("time_ms") % MS_PER_MINUTE == 0)
    rows = np.flatnonzero(own & series.is_one_of("measure", "queued_fen"))
    counts = np.flatnonzero(own & series.is_one_of("measure", "queued_count"))
    time_ms, value = series.ints("time_ms")[rows], series.ints("value")[rows]
    nowhere = np.zeros(len(rows), np.int64)
    least = items.waiting(0).at(nowhere, time_ms)
    most = least + items.waiting(2).at(nowhere, time_ms)
    wrong = (value < least) | (value > most)
    if len(counts) == len(rows):
        count = series.ints("value")[counts]
        wrong |= (count == 0) != (value == 0)
        wrong |= count > value
    findings.where(
        SERIES,
        wrong,
        lambda k: (
            f"{value[k]} fen are sampled in cap queues at {format_clock(int(time_ms[k]))}, the items make from "
            f"{least[k]} to {most[k]}"
        ),
    )
