"""Retail items: what the table of payments says of BEPS and IBPS, checked part by part.

A national day has sixty million items, so nothing is kept of a part but sums: per round and participant, per matching,
per system and outcome. What ties them to the other tables is checked when all parts have been seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL, chain, hash_text
from cnaps_sim.audit.matchings import CAP_QUEUE
from cnaps_sim.audit.net_rows import exact_sums
from cnaps_sim.audit.outcomes import check_outcomes, check_times, matchings_named
from cnaps_sim.audit.releases import RELEASED, Happened
from cnaps_sim.audit.retail_releases import RetailReleases
from cnaps_sim.audit.retail_sums import RETAIL, RetailSums
from cnaps_sim.audit.rounds_table import round_nets
from cnaps_sim.audit.sums import exact_sum
from cnaps_sim.audit.verdict import Findings, Verdict, one_line
from cnaps_sim.words.codes import Status
from cnaps_sim.words.units import format_clock

IN_ROUND: Final = "netted-in-round"
AGREE: Final = "rounds-agree"
CAP_MATCHINGS: Final = "cap-matchings-agree"
COUNTED: Final = "outcomes-counted"
ITEMS: Final = "items-agree"

_COUNTED_AS: Final = {
    **dict.fromkeys((Status.PR03.value, Status.PR22.value, Status.PR23.value), "settled"),
    **dict.fromkeys((Status.PR09.value, Status.PR32.value), "rejected"),
    **dict.fromkeys((Status.PR08.value, Status.PR21.value), "cancelled"),
    Status.PR11.value: "queued",
}


@dataclass
class _Netted:
    """What is known of the items of one round or one matching."""

    first_ms: int
    last_ms: int
    first_date: int
    last_date: int
    count: int = 0
    fen: int = 0
    nets: dict[str, int] = field(default_factory=dict)

    def add(self, netted_ms: Ints, date: Ints, fen: int) -> None:
        self.first_ms, self.last_ms = min(self.first_ms, int(netted_ms.min())), max(self.last_ms, int(netted_ms.max()))
        self.first_date, self.last_date = min(self.first_date, int(date.min())), max(self.last_date, int(date.max()))
        self.count += len(netted_ms)
        self.fen += fen


@dataclass
class _Sum:
    count: int = 0
    value_fen: int = 0
    checksum: int = 0
    outcomes: dict[str, list[int]] = field(default_factory=dict)


class RetailItems:
    """Sees the retail rows of the table of payments, in parts of any size, in their order; then `finish`."""

    def __init__(self, lenient: bool = False, with_checksum: bool = True) -> None:
        """lenient: as for `columns.Frame`; with_checksum: false spares it where it has just been taken."""
        self._findings = Findings()
        self._lenient = lenient
        self._with_checksum = with_checksum
        self._rounds: dict[int, _Netted] = {}
        self._matchings: dict[int, _Netted] = {}
        self._sums: dict[str, _Sum] = {}
        self._latest = (NULL, NULL)
        self._releases = RetailReleases()
        self.rows = 0
        self.sums = RetailSums()
        #: Whether every part had the columns that the sums need.
        self.is_sound = True

    def see_part(self, part: pa.Table) -> None:
        """Check the next rows; rows of other systems are passed over."""
        findings = self._findings
        frame = Frame("payments", part, findings, self._lenient)
        if frame.has("system") and not frame.is_one_of("system", *RETAIL).all():
            own = pc.is_in(frame.column("system").cast(pa.string()), pa.array(RETAIL, pa.string()))
            frame = Frame("payments", part.filter(own), Findings(), self._lenient)
        self.rows += frame.rows
        if not frame.rows:
            return
        with findings.checking("outcomes"):
            check_outcomes(frame, findings)
        with findings.checking("times-ordered"):
            check_times(frame, findings)
        with findings.checking("levels-and-priorities"):
            _check_levels(frame, findings)
        with findings.checking("in-order"):
            self._check_order(frame)
        with findings.checking(IN_ROUND):
            _check_netted(frame, findings)
        with findings.checking(AGREE):
            self._add_rounds(frame)
        with findings.checking(CAP_MATCHINGS):
            self._add_matchings(frame)
        with findings.checking(ITEMS):
            self._add_items(frame)
        with findings.checking(RELEASED):
            self._releases.see(frame, findings)
        seen = False
        with findings.checking(COUNTED):
            self.sums.see(frame)
            seen = True
        self.is_sound = self.is_sound and seen

    def _check_order(self, frame: Frame) -> None:
        """`in-order`: rows stand by date and sequence, no sequence twice."""
        date = np.append(self._latest[0], frame.ints("date"))
        sequence = np.append(self._latest[1], frame.ints("sequence"))
        self._latest = (int(date[-1]), int(sequence[-1]))
        self._findings.where(
            "in-order",
            (date[1:] < date[:-1]) | (sequence[1:] <= sequence[:-1]),
            lambda row: f"retail payment {sequence[row + 1]} stands after {sequence[row]}",
        )

    def _add_rounds(self, frame: Frame) -> None:
        """What was netted, by round and participant."""
        number = frame.ints("round")
        rows = np.flatnonzero((number != NULL) & frame.known("netted_ms"))
        debtors, creditors = frame.texts("debtor"), frame.texts("creditor")
        for one, own in _groups(number[rows]):
            chosen = rows[own]
            known = _add_to(self._rounds, one, frame, chosen)
            amount = frame.ints("amount_fen")[chosen]
            for (codes, names), sign in ((debtors, -1), (creditors, 1)):
                fen = exact_sums(codes[chosen].astype(np.int64), amount.astype(np.float64), amount, len(names))
                for place in np.flatnonzero(fen).tolist():
                    known.nets[names[place]] = known.nets.get(names[place], 0) + sign * int(fen[place])

    def _add_matchings(self, frame: Frame) -> None:
        """What names a matching of cap queues as what released it."""
        number_of = matchings_named(frame)
        if not number_of.any():
            return
        number = number_of[frame.texts("released_by")[0]]
        rows = np.flatnonzero((number != 0) & frame.known("netted_ms"))
        for one, own in _groups(number[rows]):
            _add_to(self._matchings, one, frame, rows[own])

    def _add_items(self, frame: Frame) -> None:
        """Count, value and checksum by system; count and value by outcome."""
        systems, statuses = frame.texts("system"), frame.texts("status")
        amount = frame.ints("amount_fen")
        hashes = None
        if self._with_checksum:
            hashes = chain(
                hash_text(frame.column("payment_id")),
                frame.field("debtor"),
                frame.field("creditor"),
                amount,
                frame.field("status"),
                frame.ints("ended_ms"),
            )
        for code, system in enumerate(systems[1]):
            of_system = np.flatnonzero(systems[0] == code)
            if not len(of_system):
                continue
            known = self._sums.setdefault(system, _Sum())
            known.count += len(of_system)
            known.value_fen += exact_sum(amount[of_system])
            if hashes is not None:
                known.checksum += int(np.add.reduce(hashes[of_system], dtype=np.uint64))
            for status_code, status in enumerate(statuses[1]):
                rows = of_system[statuses[0][of_system] == status_code]
                outcome = known.outcomes.setdefault(_COUNTED_AS.get(status, ""), [0, 0])
                outcome[0] += len(rows)
                outcome[1] += exact_sum(amount[rows])

    # when all has been seen -----------------------------------------------------------------------------------

    def check_released(self, rounds: Frame | None, happened: Happened, manifest: Any) -> None:
        """`released-by`: see `retail_releases.RetailReleases.finish`."""
        told = manifest.get("items") if isinstance(manifest, Mapping) else None
        is_whole = self.sums.is_whole(told) if isinstance(told, Mapping) else False
        self._releases.finish(rounds, happened, is_whole, self._findings)

    def finish(self, rounds: Frame | None, matchings: Frame | None, manifest: Any) -> Verdict:
        """What was found, in the rows and beside the tables of rounds and matchings and the manifest.

        A table that could not be read is None, as one that was not recorded.
        """
        findings = self._findings
        if not self.rows:
            return findings.verdict()
        with findings.checking(ITEMS):
            self._check_items(manifest)
        with findings.checking(COUNTED):
            self._check_counted(manifest)
        if rounds is not None:
            with findings.checking(IN_ROUND):
                self._check_intervals(rounds, isinstance(manifest, Mapping) and bool(manifest.get("messages")))
            with findings.checking(AGREE):
                self._check_nets(rounds, manifest)
        if matchings is not None or self._matchings:
            with findings.checking(CAP_MATCHINGS):
                self._check_matchings(matchings)
        return findings.verdict()

    def _check_items(self, manifest: Any) -> None:
        """`items-agree`: count, value and checksum of each system are those of the manifest."""
        told = manifest.get("items") if isinstance(manifest, Mapping) else None
        for system, own in self._sums.items():
            entry = told.get(system) if isinstance(told, Mapping) else None
            given = entry if isinstance(entry, Mapping) else {}
            values: dict[str, Any] = {"count": own.count, "value_fen": own.value_fen}
            if self._with_checksum:
                values["checksum"] = f"{own.checksum % 2**64:016x}"
            for key, value in values.items():
                if given.get(key) != value:
                    self._findings.breach(
                        ITEMS, f"{key} of {system} is {value}, the manifest says {one_line(given.get(key))}"
                    )

    def _check_counted(self, manifest: Any) -> None:
        """`outcomes-counted`: submitted = settled + rejected + returned + cancelled + queued, in count and value, and
        each is what the summary of the run says, where it has one."""
        summary = manifest.get("summary") if isinstance(manifest, Mapping) else None
        systems = summary.get("systems") if isinstance(summary, Mapping) else None
        for system, own in self._sums.items():
            counted = [own.outcomes.get(name, [0, 0]) for name in ("settled", "rejected", "cancelled", "queued")]
            whole = [sum(one) for one in zip(*counted, strict=True)]
            if whole != [own.count, own.value_fen]:
                self._findings.breach(COUNTED, f"of {own.count} items of {system} only {whole[0]} have an outcome")
            figures = systems.get(system) if isinstance(systems, Mapping) else None
            if not isinstance(figures, Mapping):
                continue
            outcomes = {**own.outcomes, "submitted": [own.count, own.value_fen]}
            for name in ("submitted", "settled", "rejected", "returned", "cancelled", "queued"):
                count, fen = outcomes.get(name, [0, 0])
                if figures.get(name) != {"count": count, "value_fen": fen}:
                    self._findings.breach(
                        COUNTED,
                        f"{count} items of {system} over {fen} fen were {name}, the summary says "
                        f"{one_line(figures.get(name))}",
                    )

    def _check_intervals(self, rounds: Frame, by_message: bool) -> None:
        """`netted-in-round`: what a round nets was netted after the round before and not after it, on its date.

        A round without nets has no rows; its neighbours are then its bounds. What was on its way as a message when the
        retail date switched is of the date before; so may be some of a round where payments travel as messages.
        """
        numbers, first = np.unique(rounds.ints("round"), return_index=True)
        time_ms, date = rounds.ints("time_ms")[first], rounds.ints("date")[first]
        for number, own in sorted(self._rounds.items()):
            place = int(np.searchsorted(numbers, number))
            is_there = place < len(numbers) and numbers[place] == number
            wrong = place > 0 and own.first_ms < time_ms[place - 1]
            wrong |= place < len(numbers) and own.last_ms > time_ms[place]
            wrong |= is_there and (own.last_date > date[place] or (own.first_date < date[place] and not by_message))
            if wrong:
                self._findings.breach(
                    IN_ROUND,
                    f"round {number} has items netted from {format_clock(own.first_ms)} to "
                    f"{format_clock(own.last_ms)}, which is not between its neighbours or not on its date",
                )

    def _check_nets(self, rounds: Frame, manifest: Any) -> None:
        """`rounds-agree`: the nets of each round are the sums of its items, where those of all systems are recorded."""
        told = manifest.get("items") if isinstance(manifest, Mapping) else None
        for system in RETAIL:
            entry = told.get(system) if isinstance(told, Mapping) else None
            count = entry.get("count", 0) if isinstance(entry, Mapping) else 0
            if count and system not in self._sums:
                return
        nets = round_nets(rounds)
        for number in sorted({*nets, *self._rounds}):
            given = nets.get(number, {})
            own = self._rounds[number].nets if number in self._rounds else {}
            for name in sorted({*given, *own}):
                if given.get(name, 0) != own.get(name, 0):
                    self._findings.breach(
                        AGREE,
                        f"round {number} has a net of {given.get(name, 0)} fen for {name}, its items make "
                        f"{own.get(name, 0)}",
                    )

    def _check_matchings(self, matchings: Frame | None) -> None:
        """`cap-matchings-agree`: items name a matching of cap queues that took place, were netted when it was, and
        make up at least what it netted; more were released by what it freed."""
        table: dict[int, tuple[int, int]] = {}
        if matchings is not None:
            is_own = matchings.is_one_of("algorithm", CAP_QUEUE)
            columns = [matchings.ints(name)[is_own].tolist() for name in ("matching", "settled_ms", "settled_fen")]
            table = {number: (settled_ms, fen) for number, settled_ms, fen in zip(*columns, strict=True)}
        for number in sorted({*table, *self._matchings}):
            own, there = self._matchings.get(number), table.get(number)
            if there is None:
                self._findings.breach(CAP_MATCHINGS, f"items name matching {number}, which did not take place")
            elif own is None:
                if there[1] and len(self._sums) == len(RETAIL):
                    self._findings.breach(CAP_MATCHINGS, f"no item names matching {number} over {there[1]} fen")
            elif (own.first_ms, own.last_ms) != (there[0], there[0]) or own.fen < there[1]:
                self._findings.breach(
                    CAP_MATCHINGS,
                    f"matching {number} netted {there[1]} fen, its items tell of {own.fen} fen from "
                    f"{format_clock(own.first_ms)} to {format_clock(own.last_ms)}",
                )


def _groups(number: Ints) -> list[tuple[int, Any]]:
    """The different numbers, and the places of each."""
    if not len(number):
        return []
    if number[0] == number[-1] and (number == number[0]).all():
        return [(int(number[0]), slice(None))]
    return [(one, np.flatnonzero(number == one)) for one in np.unique(number).tolist()]


def _add_to(sums: dict[int, _Netted], number: int, frame: Frame, rows: Ints) -> _Netted:
    netted_ms, date = frame.ints("netted_ms")[rows], frame.ints("date")[rows]
    known = sums.setdefault(number, _Netted(int(netted_ms[0]), int(netted_ms[0]), int(date[0]), int(date[0])))
    known.add(netted_ms, date, exact_sum(frame.ints("amount_fen")[rows]))
    return known


def _check_levels(frame: Frame, findings: Findings) -> None:
    """`levels-and-priorities`: retail items have neither; their amounts are positive unless refused."""
    amount = frame.ints("amount_fen")
    wrong: Flags = frame.known("level") | frame.known("priority")
    wrong |= (amount <= 0) & ~frame.is_one_of("status", Status.PR09)
    findings.where(
        "levels-and-priorities",
        wrong,
        lambda row: (
            f"retail payment {frame.text('payment_id', row)} over {amount[row]} fen stands at level "
            f"{frame.text('level', row)} with priority {frame.text('priority', row)}"
        ),
    )


def _check_netted(frame: Frame, findings: Findings) -> None:
    """`netted-in-round`: what was netted belongs to a round, nothing else does; nothing else was released."""
    netted = frame.known("netted_ms")
    wrong = netted != frame.known("round")
    wrong |= frame.known("released_by") & ~netted
    findings.where(
        IN_ROUND,
        wrong,
        lambda row: (
            f"retail payment {frame.text('payment_id', row)} was netted at {frame.text('netted_ms', row)} ms into "
            f"round {frame.text('round', row)}, released by {frame.text('released_by', row)}"
        ),
    )
