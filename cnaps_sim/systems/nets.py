"""NETS (轧差服务器): rounds of BEPS and IBPS, and the way of their nets to SAPS.

A round closes all positions; each participant's net then waits, using its cap, until SAPS has posted it. SAPS takes
nets on working days from the release on while its own day is open; those of nights, weekends, holidays and of times
without a link are held and sent later, oldest round first. Source: rule sections "the settlement queue" (round nets)
and "business day"; rounds and release have no public source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Clock, Process, Rank
from cnaps_sim.engine.netting_recorder import NEVER, NettingRecorder, Round
from cnaps_sim.engine.recorder import Matching, Recorder
from cnaps_sim.systems.saps import Saps
from cnaps_sim.words.codes import Act, Answer, Level, Refusal, System
from cnaps_sim.words.retail_days import RetailDay, RoundKind
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import format_clock, format_fen

#: How tables call the matching of cap queues.
CAP_QUEUE: str = "cap-queue"


@dataclass(frozen=True)
class NetsRules:
    """How rounds and their nets are treated; all [P].

    release_ms:     time of day from which SAPS takes nets of the present business date, ms; None: from its opening
    match_on_round: match the cap queues before every round
    match_every_ms: and at this distance, from the beginning of each retail date
    """

    release_ms: int | None
    match_on_round: bool
    match_every_ms: int | None


class Nets:
    """Runs the retail dates one after the other.

    pledged, credit_line: by account row, fen; with the account's earmark they make the net debit cap (净借记限额)
    on_round: told of a round that has been closed; on_sent, on_posted: of its nets' way
    on_cap:   told (time, row, cap) before a cap changes
    """

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        net_recorder: NettingRecorder,
        saps: Saps,
        rules: NetsRules,
        days: Sequence[RetailDay],
        business_days: Sequence[BusinessDay],
        pledged: Any,
        credit_line: Any,
    ) -> None:
        assert clock.netting is not None
        self.clock = clock
        self.netting: Netting = clock.netting
        self.books = clock.books
        self.recorder = recorder
        self.net_recorder = net_recorder
        self.saps = saps
        self.rules = rules
        self.days = days
        self.business_days = business_days
        self.pledged = np.array(pledged, np.int64)
        self.credit_line = np.array(credit_line, np.int64)
        self.link_down_until_ms = NEVER
        self.on_round: Callable[[Round], None] = lambda _: None
        self.on_sent: Callable[[Round], None] = lambda _: None
        self.on_posted: Callable[[Round, int, int], None] = lambda *_: None
        self.on_cap: Callable[[int, int, int], None] = lambda *_: None
        self.on_switch: Callable[[RetailDay], None] = lambda _: None
        self._held: list[Round] = []
        self._net_of: dict[int, tuple[Round, int]] = {}  # round and row of each booking that SAPS has not posted
        self._posted: list[tuple[Round, int, int]] = []  # nets posted and not yet taken off: round, row, instant
        self._releasing = False
        self._earmark_seen = np.array(self.books.accounts["earmark"])
        recorder.listeners.append(self._see_log)
        net_recorder.on_warning = self._warn
        clock.after_each.append(self._look)

    # the retail day ---------------------------------------------------------------------------------------------

    def retail_dates(self) -> Process:
        """Every retail date of the run: its rounds, then the date switch (日切)."""
        for day in self.days:
            yield self.clock.at(day.begins_ms, Rank.PHASE)
            self._open(day)
            for time_ms, kind in day.rounds:
                closing = kind in (RoundKind.LAST, RoundKind.ONLY)
                yield self.clock.at(time_ms, Rank.CLOSING if closing else Rank.ROUND)
                if self.rules.match_on_round:
                    self.match("round")
                self._close_round(day, kind)
                if closing:  # what a posted net would free comes too late for the date that ends
                    self._switch(day)
                self.send_held()

    def _open(self, day: RetailDay) -> None:
        for system in (System.BEPS, System.IBPS):
            self.recorder.tell(day.begins_ms, "phase", system.value, f"10 daytime (日间) of {day.date.isoformat()}")
        if self.rules.match_every_ms is not None:
            self.clock.process(self._match_at_intervals(day, self.rules.match_every_ms))

    def _match_at_intervals(self, day: RetailDay, every_ms: int) -> Process:
        for time_ms in range(day.begins_ms + every_ms, day.ends_ms, every_ms):
            yield self.clock.at(time_ms, Rank.MATCHING)
            self.match("every")

    def _switch(self, day: RetailDay) -> None:
        """The date switch: what still waits for headroom is cancelled (PR08, RJ94)."""
        now = int(self.clock.now)
        waiting = int(self.netting.netting["waiting_count"][0])
        if waiting:
            self.netting.cancel_queue(now)
            self.recorder.tell(now, "cancelled", System.NETS.value, f"{waiting} left in cap queues at the date switch")
        self.net_recorder.drain()
        self.on_switch(day)

    def releases(self) -> Process:
        """The instants at which SAPS begins to take held nets."""
        for day in self.business_days:
            yield self.clock.at(self._release_of(day), Rank.ROUND)
            self.send_held()

    def _release_of(self, day: BusinessDay) -> int:
        if self.rules.release_ms is None:
            return day.opens_ms
        return max(day.opens_ms, day.midnight_ms + self.rules.release_ms)

    # rounds -----------------------------------------------------------------------------------------------------

    def match(self, trigger: str) -> None:
        """Match the cap queues (业务死锁): what can be netted together is, although nothing of it can alone."""
        now = int(self.clock.now)
        if not self.netting.netting["waiting_count"][0]:
            return
        self.net_recorder.drain()
        number = len(self.recorder.matchings) + 1
        before = np.array(self.netting.positions["sent_count"] + self.netting.positions["received_count"])
        considered, considered_fen, settled, settled_fen = self.netting.match(now, number)
        after = self.netting.positions["sent_count"] + self.netting.positions["received_count"]
        accounts = int((after != before).sum())
        self.recorder.matchings.append(
            Matching(
                number, now, now if settled else None, trigger, CAP_QUEUE, considered, considered_fen, settled,
                settled_fen, None, accounts,
            )
        )  # fmt: skip
        self.net_recorder.drain()

    def _close_round(self, day: RetailDay, kind: RoundKind) -> None:
        now = int(self.clock.now)
        self.net_recorder.drain()
        nets = self.netting.close_round()
        number = len(self.net_recorder.rounds) + 1
        closed = Round(number, now, kind, day.index, nets, None, np.full(len(nets), NEVER), self.net_recorder.logged)
        self.net_recorder.rounds.append(closed)
        self.on_round(closed)
        total = int(nets[nets > 0].sum())
        count = int((nets != 0).sum())
        self.recorder.tell(
            now, "round", System.NETS.value, f"round {number} ({kind}) of {day.date.isoformat()}: "
            f"{count} nets, {format_fen(total)} CNY to receive",
        )  # fmt: skip
        if count:
            self._held.append(closed)

    def _may_send(self) -> bool:
        """Whether SAPS takes round nets now."""
        now = int(self.clock.now)
        if now < self.link_down_until_ms or self.books.desk["special_session"][0]:
            return False
        in_hours = any(self._release_of(day) <= now < day.window_end_ms for day in self.business_days)
        return in_hours and self.saps.is_open()

    def send_held(self) -> None:
        """Send every round that is held, oldest first, if SAPS takes nets now."""
        self._releasing = True
        while self._held and self._may_send():
            oldest = self._held.pop(0)
            now = int(self.clock.now)
            oldest.sent_ms = now
            rows = [int(row) for row in np.flatnonzero(oldest.nets)]
            self.recorder.drain()
            self.on_sent(oldest)
            booked = len(self.recorder.bookings)
            refusal = self.saps.post_nets(now, [(row, int(oldest.nets[row])) for row in rows], Level.ROUND_NET)
            assert refusal == Refusal.NONE, "SAPS refuses no net that it may take"
            own = {int(account) for account in rows}
            for booking in self.recorder.bookings[booked:]:
                row = booking.debtor if booking.debtor in own else booking.creditor
                self._net_of[booking.sequence] = (oldest, row)
            self.recorder.drain()
            if now > oldest.time_ms:
                self.recorder.tell(
                    now, "round", System.NETS.value,
                    f"round {oldest.number}, held since {format_clock(oldest.time_ms)}, sent to SAPS",
                )  # fmt: skip

        self._releasing = False
        self._take_off_posted()

    def lose_link(self, until_ms: int) -> None:
        """The link to SAPS is lost until an instant: rounds go on, their nets are held."""
        self.link_down_until_ms = max(self.link_down_until_ms, until_ms)

    # what SAPS has done -------------------------------------------------------------------------------------------

    def _see_log(self, log: Records) -> None:
        """Nets that SAPS has posted no longer use the cap."""
        if not self._net_of:
            return
        posted = log[(log["act"] == Act.SETTLED) & (log["level"] == Level.ROUND_NET)]
        for entry in posted:
            found = self._net_of.pop(int(entry["sequence"]), None)
            if found is None:
                continue
            closed, row = found
            closed.settled_ms[row] = int(entry["time_ms"])
            self._posted.append((closed, row, int(entry["time_ms"])))
        if not self._releasing:
            self._take_off_posted()

    def _take_off_posted(self) -> None:
        """What SAPS has posted leaves the caps: of one release all rounds together, before any cap queue is retried."""
        posted, self._posted = self._posted, []
        while posted:
            time_ms = posted[0][2]
            together = [each for each in posted if each[2] == time_ms]
            posted = [each for each in posted if each[2] != time_ms]
            nets: dict[int, int] = {}
            self.net_recorder.drain()
            for closed, row, _ in together:
                nets[row] = nets.get(row, 0) + int(closed.nets[row])
                self.on_posted(closed, row, time_ms)
            caps = {row: self._cap_of(row) for row in nets}
            for row, cap in caps.items():
                if cap != int(self.netting.positions["cap"][row]):
                    self.on_cap(time_ms, row, cap)
            self.netting.nets_posted(time_ms, nets, caps)
            self.net_recorder.drain()

    def _look(self, now: int) -> None:
        """After every event: has SAPS posted a net, has an earmark changed?"""
        while self.books.nets_posted():  # nets of a third party that are complete may release further ones
            self.books.forget_nets_posted()
            self.recorder.drain()
        changed = np.flatnonzero(self.books.accounts["earmark"] != self._earmark_seen)
        for row in changed:
            self._refresh_cap(int(row), now)

    @property
    def held(self) -> list[int]:
        """Numbers of the rounds whose nets have not been sent to SAPS, oldest first."""
        return [closed.number for closed in self._held]

    # the cap --------------------------------------------------------------------------------------------------------

    def _cap_of(self, row: int) -> int:
        """The cap as its three parts make it now."""
        earmark = int(self.books.accounts["earmark"][row])
        self._earmark_seen[row] = earmark
        return earmark + int(self.pledged[row]) + int(self.credit_line[row])

    def _refresh_cap(self, row: int, time_ms: int) -> None:
        cap = self._cap_of(row)
        if cap != int(self.netting.positions["cap"][row]):
            self.net_recorder.drain()
            self.on_cap(time_ms, row, cap)
            self.netting.set_cap(time_ms, row, cap)

    def set_part(self, row: int, part: str, fen: int) -> Answer:
        """The central bank sets `pledged` or `credit_line`, by force: headroom may fall below zero."""
        assert part in ("pledged", "credit_line")
        (self.pledged if part == "pledged" else self.credit_line)[row] = fen
        self._refresh_cap(row, int(self.clock.now))
        return Answer.DONE

    def may_set_earmark(self, row: int, fen: int) -> Answer:
        """An earmark (圈存) may not be lowered below what the cap is used for."""
        lowered = int(self.books.accounts["earmark"][row]) - fen
        if lowered > 0 and self.netting.headroom(row) < lowered:
            return Answer.SHORT_OF_HEADROOM
        return Answer.DONE

    def is_idle(self, row: int) -> bool:
        """Whether a participant has neither a position nor a net on its way, so that it may be closed.

        Nets that add up to nothing are on their way all the same.
        """
        own = self.netting.positions[row]
        if own["position"] or own["waiting_count"] or any(closed.nets[row] for closed in self._held):
            return False
        return all(owner != row for _, owner in self._net_of.values())

    def _warn(self, time_ms: int, row: int, raised: bool) -> None:
        """Cap warning (限额预警) raised or cleared."""
        line = int(self.netting.positions["cap_line"][row])
        text = "below" if raised else "no longer below"
        self.recorder.tell(
            time_ms, "warning", self.saps.names[row],
            f"headroom under the net debit cap {text} its warning line at {format_clock(time_ms)} "
            f"({format_fen(line)} CNY)",
        )  # fmt: skip
