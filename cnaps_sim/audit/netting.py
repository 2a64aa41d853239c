"""The audit of retail clearing: re-checks what the netting server (轧差服务器, NETS) did while a run goes on.

The auditor is told what the server is told (units as they come to their cap check, caps, closed and logged-out
participants, nets that SAPS posts) and reads the server's log. From these it keeps its own positions and its own
picture of the cap queues, and compares. It shares no code with the server.

Tell everything in the order in which it happens: before `see_cap`, `see_closed`, `see_logged_in`, `see_round`,
`see_posted`, `see_positions`, `see_tallies` and `end_of_date`, tell the units that have come since the last telling
(`see_chunk`) and then the log drained (`see_log`); the log of what such a change sets off comes after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnaps_sim.audit.cap_queues import CapQueues
from cnaps_sim.audit.net_entries import (
    DEFAULT_ACT,
    ONE_FINAL,
    REFUSALS_HOLD,
    Flags,
    Ints,
    NetEntries,
    check_arrivals,
    check_kinds,
    due,
    read_entries,
)
from cnaps_sim.audit.net_presence import Presence
from cnaps_sim.audit.net_rows import IN_TIME_ORDER, NetRows, read_rows
from cnaps_sim.audit.netting_positions import Positions
from cnaps_sim.audit.open_payments import Rows
from cnaps_sim.audit.rounds import Rounds
from cnaps_sim.audit.tallies import Tallies
from cnaps_sim.audit.verdict import Findings, Verdict
from cnaps_sim.words.codes import Act
from cnaps_sim.words.units import format_clock, format_fen

#: Rows examined at a time: few enough for the processor's cache.
STRETCH: Final = 1 << 16
POSITIONS_AGREE: Final = "positions-agree"


class NettingAuditor:
    """Re-checks the stream of retail clearing; `finish` says what it found.

    caps:      net debit cap (净借记限额) of each participant row when the run begins, fen
    names:     for sentences; without them participants are called by their row
    closed, logged_in: participants that are so when the run begins; without them all are open and logged in
    log_all:   the log tells every outcome and the rows only give terms; units may then come in any order
    """

    def __init__(
        self,
        caps: ArrayLike,
        names: Sequence[str] = (),
        closed: ArrayLike | None = None,
        logged_in: ArrayLike | None = None,
        log_all: bool = False,
    ) -> None:
        opening = np.array(caps, np.int64)
        count = len(opening)
        self._names = list(names) or [f"participant {row}" for row in range(count)]
        self._findings = Findings()
        self._positions = Positions(opening, self._names)
        self._queues = CapQueues()
        self._rounds = Rounds(self._names)
        self._tallies = Tallies()
        self._closed: Flags = np.zeros(count, np.bool_) if closed is None else np.array(closed, np.bool_)
        self._presence = Presence(np.ones(count, np.bool_) if logged_in is None else np.array(logged_in, np.bool_))
        self._log_all = log_all
        self._come = 0
        self._rows: Rows | None = None  # told and not examined; with log_all, those that may still come
        self._first_unit = 0
        self._expected: Flags = np.zeros(0, np.bool_)
        self._log: list[Rows] = []
        self._latest_row_ms: int | None = None
        self._latest_entry_ms: int | None = None

    # what the server is told --------------------------------------------------------------------------------

    def see_chunk(self, rows: Rows, first_unit: int, come: int) -> None:
        """Units `first_unit` to `come` - 1 have come to their cap check (fields of `core.netting_records.RETAIL`).

        Row r is unit `first_unit` + r; rows beyond `come` are not looked at. Without `log_all` the rows must not
        change until the next call.
        """
        if come == first_unit == self._come:
            return
        self._examine()
        rows = rows[: come - first_unit]
        if first_unit != self._come or len(rows) != come - first_unit:
            self._findings.breach(
                ONE_FINAL, f"units {first_unit} to {come - 1} came after {self._come} others, in {len(rows)} rows"
            )
        self._come = come
        if self._log_all:
            rows = read_rows(rows, first_unit, len(self._names), self._findings).rows
            self._expect(rows.copy(), first_unit)
        else:
            self._rows, self._first_unit = rows, first_unit

    def _expect(self, rows: Rows, first_unit: int) -> None:
        """Keep terms of units whose outcomes are still to be logged."""
        if self._rows is None or not self._expected.any():
            self._rows, self._first_unit, self._expected = rows, first_unit, np.ones(len(rows), np.bool_)
        else:
            self._rows = np.concatenate((self._rows, rows))
            self._expected = np.append(self._expected, np.ones(len(rows), np.bool_))

    def see_refusal(self, unit: int, refusal: int) -> None:
        """What is known against a unit is not what its row says (`log_all`): its messages tell otherwise."""
        self._examine()
        assert self._rows is not None
        self._rows["refusal"][unit - self._first_unit] = refusal

    def see_arrival(self, unit: int, time_ms: int) -> None:
        """The message of a unit, not yet checked, came at another instant than its row says (`log_all`)."""
        assert self._rows is not None
        row = self._rows[unit - self._first_unit]
        row["lag_ms"] = row["time_ms"] - time_ms

    def see_cap(self, time_ms: int, participant: int, cap: int) -> None:
        """A participant's cap becomes `cap` fen: earmark, pledged value or credit line changed, or SAPS used them."""
        del time_ms
        self._examine()
        self._positions.cap[participant] = cap

    def see_closed(self, participant: int, closed: bool) -> None:
        """A participant's account closes or opens."""
        self._examine()
        self._closed[participant] = closed

    def see_logged_in(self, time_ms: int, participant: int, logged_in: bool) -> None:
        """A participant logs in or out."""
        self._examine()
        self._presence.see(time_ms, participant, logged_in)

    # what the server did ------------------------------------------------------------------------------------

    def see_log(self, net_log: Rows) -> None:
        """Log entries in the order written (fields of `core.netting_records.NET_LOG`); they must not change."""
        if len(net_log):
            self._log.append(net_log)

    def see_round(self, number: int, time_ms: int, kind: str, nets: ArrayLike) -> None:
        """A netting round (场次) of a kind (first, intraday, last, only); nets in fen by participant row."""
        self._examine()
        told = np.array(nets, np.int64)
        self._queues.check_retried(time_ms, self._positions.headroom(), self._names, self._findings)
        self._rounds.close(number, time_ms, kind, told, self._positions.close_round(), self._findings)

    def see_sent(self, number: int, time_ms: int) -> None:
        """The nets of a round are handed to SAPS, all together."""
        self._rounds.send(number, time_ms, self._findings)

    def see_posted(self, number: int, participant: int, net_fen: int, time_ms: int) -> None:
        """SAPS has posted the net of a participant (positive: received)."""
        self._examine()
        self._rounds.post(number, participant, net_fen, time_ms, self._findings)
        self._positions.post(participant, net_fen)

    def see_positions(self, time_ms: int, positions: ArrayLike, unsettled: ArrayLike, waiting_count: int) -> None:
        """The server's own figures, fen by participant row, and the number of units in all cap queues.

        `positions-agree`: they are what rows, log and nets make. `cap-queue-retried`: see `CapQueues`.
        """
        self._examine()
        clock = format_clock(int(time_ms))
        for what, told, own in (
            ("position", np.asarray(positions), self._positions.position),
            ("sum of nets not posted", np.asarray(unsettled), self._positions.unsettled),
        ):
            self._findings.where(
                POSITIONS_AGREE,
                told != own,
                lambda row, what=what, told=told, own=own: (  # type: ignore[misc]
                    f"{self._names[row]} has a {what} of {format_fen(int(told[row]))} CNY at {clock}, the log makes "
                    f"it {format_fen(int(own[row]))}"
                ),
            )
        own_count = len(self._queues.waiting)
        if own_count != waiting_count:
            self._findings.breach(POSITIONS_AGREE, f"at {clock} {waiting_count} units wait, the log says {own_count}")
        self._queues.check_retried(int(time_ms), self._positions.headroom(), self._names, self._findings)

    def see_tallies(self, tallies: NDArray[Any]) -> None:
        """The server's own sums since the run began: `tallies[kind, act]` with fields units, items, fen.

        `package-whole`: they are the sums of whole units (packages, 包): each is netted or cancelled with all its
        items and their whole amount.
        """
        self._examine()
        self._tallies.compare(tallies, self._findings)

    def end_of_date(self, date: object, positions: ArrayLike, unsettled: ArrayLike, waiting_count: int) -> None:
        """A retail date is over: the date switch (日切), after its last round and what time cancels then.

        date: for sentences; the others as for `see_positions`
        """
        self._examine()
        time_ms = self._rounds.end_date(date, self._positions.position, self._findings)
        self._queues.end_date(time_ms, waiting_count, self._findings)
        self.see_positions(time_ms, positions, unsettled, waiting_count)

    def finish(self, stopped: bool = False, held: Collection[int] = ()) -> Verdict:
        """Everything found. `stopped`: the run was broken off, so that units and nets may stand anywhere.

        held: numbers of the rounds that SAPS takes only after the end of the run, so that their nets are missing
        """
        self._examine()
        if self._log_all and not stopped:
            left = self._first_unit + np.flatnonzero(self._expected)
            self._findings.breaches(ONE_FINAL, len(left), lambda k: f"unit {left[k]} came and has no outcome")
        self._queues.finish(stopped, self._findings)
        self._rounds.finish(stopped, held, self._findings)
        return self._findings.verdict()

    # examination --------------------------------------------------------------------------------------------

    def _check_time_order(self, rows: NetRows) -> None:
        """`retail-in-time-order`: units come in the order of their instants."""
        time_ms = rows.time_ms
        earlier = np.empty(len(rows), np.bool_)
        np.less(time_ms[1:], time_ms[:-1], out=earlier[1:])
        earlier[0] = self._latest_row_ms is not None and time_ms[0] < self._latest_row_ms
        self._latest_row_ms = int(time_ms[-1])
        self._findings.where(IN_TIME_ORDER, earlier, lambda k: f"unit {rows.first_unit + k} came before the one ahead")

    def _examine(self) -> None:
        """Examine what was told of units and log."""
        log = None
        if self._log:
            log = self._log[0] if len(self._log) == 1 else np.concatenate(self._log)
            self._log = []
            self._check_log_order(log)
        if self._log_all:
            if log is not None:
                self._examine_log(log)
            return
        rows, self._rows = self._rows, None
        if rows is None and log is None:
            return
        rows = _NO_ROWS if rows is None else rows
        stops = [*range(STRETCH, len(rows), STRETCH), len(rows)]
        first_unit = self._first_unit if len(rows) else self._come
        ends = [0] * len(stops)
        if log is not None:
            come = np.maximum.accumulate(log["units_come"])
            ends = np.searchsorted(come, [first_unit + stop for stop in stops], side="right").tolist()
            ends[-1] = len(log)
        start = begin = 0
        for stop, end in zip(stops, ends, strict=True):
            part = _NO_LOG if log is None else log[begin:end]
            self._examine_stretch(rows[start:stop], first_unit + start, part)
            start, begin = stop, end

    def _check_log_order(self, log: Rows) -> None:
        """`retail-in-time-order`: no entry is earlier than the one before, in time or in units that had come."""
        time_ms, come = log["time_ms"], log["units_come"]
        earlier = np.zeros(len(log), np.bool_)
        earlier[1:] = (time_ms[1:] < time_ms[:-1]) | (come[1:] < come[:-1])
        earlier[0] = self._latest_entry_ms is not None and time_ms[0] < self._latest_entry_ms
        if not self._log_all:
            earlier |= come > self._come
        self._latest_entry_ms = int(time_ms[-1])
        self._findings.where(
            IN_TIME_ORDER,
            earlier,
            lambda k: f"the entry about {log['unit'][k]} at {format_clock(int(time_ms[k]))} is out of order",
        )

    def _examine_log(self, log: Rows) -> None:
        """All outcomes are in the log."""
        terms = _NO_ROWS if self._rows is None else self._rows
        entries = read_entries(log, terms, self._first_unit, self._expected, True, len(self._names), self._findings)
        self._expected[entries.row[entries.arrival]] = False
        self._follow(entries, terms)
        self._positions.see(None, _NO_WEIGHT, entries, self._findings)

    def _examine_stretch(self, told: Rows, first_unit: int, log: Rows) -> None:
        """Some rows, and the entries written while they came."""
        findings = self._findings
        rows = read_rows(told, first_unit, len(self._names), findings)
        expected = np.ones(len(rows), np.bool_)
        entries = read_entries(log, rows.rows, first_unit, expected, False, len(self._names), findings)
        logged = entries.row[entries.arrival]
        weight = rows.netted(logged)
        if len(rows):
            self._check_time_order(rows)
            self._check_untold(rows, logged)
            self._tallies.add_rows(rows, weight, logged)
        self._follow(entries, rows.rows)
        self._positions.see(rows, weight, entries, findings)

    def _follow(self, entries: NetEntries, terms: Rows) -> None:
        """Check the entries of one stretch; `terms` are those of the units that may come in it."""
        findings = self._findings
        check_arrivals(entries, terms, self._closed, self._presence, not self._log_all, findings)
        self._queues.see(entries, self._closed, self._come, findings)
        check_kinds(entries, findings)
        self._tallies.add_entries(entries)

    def _check_untold(self, rows: NetRows, logged: Ints) -> None:
        """`retail-refusals-hold`: what the log does not mention had no more in its way than its row says."""
        self._findings.made(REFUSALS_HOLD)
        barred = self._closed | self._presence.ever_out
        concerned = rows.debtor == rows.creditor
        if barred.any():
            concerned |= barred[rows.debtor] | barred[rows.creditor]
        concerned[logged] = False
        places = np.flatnonzero(concerned)
        if not len(places):
            return
        few = rows.rows[places]
        act, refusal = due(few, self._closed, self._presence)
        wrong = (act != DEFAULT_ACT[few["refusal"]]) | (refusal != few["refusal"])
        self._findings.where(
            REFUSALS_HOLD,
            wrong,
            lambda k: (
                f"unit {rows.first_unit + places[k]} came out as its row says, but had to be "
                f"{Act(int(act[k])).name.lower()} with refusal {refusal[k]}"
            ),
        )


_NO_WEIGHT: Final = np.zeros(0)
#: No rows of a flow; and no entries of the log.
_NO_ROWS: Final = np.zeros(
    0,
    [(name, np.int64) for name in ("time_ms", "amount", "debtor", "creditor", "items", "lag_ms")]
    + [(name, np.int8) for name in ("kind", "refusal")],
)
_NO_LOG: Final = np.zeros(
    0,
    [(name, np.int64) for name in ("unit", "time_ms", "cause", "units_come")]
    + [(name, np.int8) for name in ("act", "refusal", "kind")],
)
