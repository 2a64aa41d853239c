"""A day of retail clearing as the auditor is told of it, played by the reference netting server, to be damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit import Verdict
from cnaps_sim.audit.netting import NettingAuditor
from cnaps_sim.reference.netting import Netting
from cnaps_sim.words.codes import Act, Refusal
from cnaps_sim.words.retail import RetailKind

LOG = np.dtype(
    [("unit", "i8"), ("time_ms", "i8"), ("cause", "i8"), ("units_come", "i8"), ("act", "i1"), ("refusal", "i1"),
     ("kind", "i1")],
    align=True,
)  # fmt: skip
RETAIL = np.dtype(
    [("time_ms", "i8"), ("amount", "i8"), ("lag_ms", "i8"), ("debtor", "i4"), ("creditor", "i4"), ("items", "i4"),
     ("kind", "i1"), ("refusal", "i1")],
    align=True,
)  # fmt: skip
TALLY = np.dtype([("units", "i8"), ("items", "i8"), ("fen", "i8")], align=True)

CREDIT, ONLINE = RetailKind.ORDINARY_CREDIT, RetailKind.IBPS_CREDIT


class Clearing:
    """Plays what a test asks for and notes what the auditor is told: steps are [method, arguments]."""

    def __init__(self, caps: list[int], log_all: bool = False) -> None:
        self.caps = caps
        self.log_all = log_all
        self.server = Netting([{"cap": cap} for cap in caps], log_all=log_all)
        self.steps: list[tuple[str, list[Any]]] = []
        self.rows: list[tuple[int, ...]] = []
        self.come = 0
        self.nets: list[list[int]] = []
        self.matchings = 0

    # what happens ---------------------------------------------------------------------------------------------

    def submit(self, time: int, debtor: int, creditor: int, amount: int, kind: RetailKind = CREDIT, **more: int) -> int:
        items, refusal = more.get("items", 1), more.get("refusal", 0)
        unit = self.come + len(self.rows)
        lag_ms = more.get("lag_ms", 0)
        self.server.submit(time, unit, debtor, creditor, amount, items, kind, refusal, lag_ms)
        self.rows.append((time, amount, lag_ms, debtor, creditor, items, kind, refusal))
        return unit

    def cap(self, time: int, participant: int, cap: int) -> Clearing:
        self.tell("see_cap", time, participant, cap)
        self.server.set_cap(time, participant, cap)
        return self

    def close(self, participant: int, closed: bool = True) -> Clearing:
        self.tell("see_closed", participant, closed)
        self.server.set_closed(participant, closed)
        return self

    def log_in(self, time: int, participant: int, logged_in: bool) -> Clearing:
        self.tell("see_logged_in", time, participant, logged_in)
        self.server.set_logged_in(time, participant, logged_in)
        return self

    def cancel(self, time: int, unit: int, by: int) -> Clearing:
        self.server.cancel(time, unit, by)
        return self

    def match(self, time: int) -> Clearing:
        self.matchings += 1
        self.flush()
        self.server.match(time, self.matchings)
        return self

    def round(self, time: int, kind: str = "intraday", send: bool = True) -> Clearing:
        self.flush()
        self.nets.append(self.server.close_round())
        self.steps.append(("see_round", [len(self.nets), time, kind, np.array(self.nets[-1])]))
        if send:
            self.send(time, len(self.nets))
        return self

    def send(self, time: int, number: int) -> Clearing:
        return self.tell("see_sent", number, time)

    def post(self, time: int, number: int, participant: int) -> Clearing:
        net = self.nets[number - 1][participant]
        self.tell("see_posted", number, participant, net, time)
        self.server.net_posted(time, participant, net)
        return self

    def post_all(self, time: int, number: int) -> Clearing:
        for participant, net in enumerate(self.nets[number - 1]):
            if net:
                self.post(time, number, participant)
        return self

    def switch(self, time: int) -> Clearing:
        """The last round of a date and the switch to the next, told before SAPS posts."""
        self.round(time, "last", send=False)
        self.server.cancel_queue(time)
        self.flush()
        self.steps.append(("end_of_date", ["2025-06-17", *self._standing()]))
        self.send(time, len(self.nets))
        return self.post_all(time, len(self.nets))

    # what is told ---------------------------------------------------------------------------------------------

    def flush(self) -> Clearing:
        """Tell of the units that have come and of the log."""
        rows = np.array(self.rows, RETAIL)
        if len(rows):
            self.steps.append(("see_chunk", [rows, self.come, self.come + len(rows)]))
        self.come += len(rows)
        self.rows = []
        log = np.array(self.server.drain_log(), LOG)
        if len(log):
            self.steps.append(("see_log", [log]))
        return self

    def tell(self, method: str, *arguments: Any) -> Clearing:
        self.flush()
        self.steps.append((method, list(arguments)))
        return self

    def look(self, time: int) -> Clearing:
        self.flush()
        return self.tell("see_positions", time, *self._standing()).tell("see_tallies", self.tallies())

    def _standing(self) -> tuple[Any, ...]:
        state = self.server.snapshot()
        each = [[p[name] for p in state["positions"]] for name in ("position", "unsettled")]
        return (*map(np.array, each), state["desk"]["waiting_count"])

    def tallies(self) -> np.ndarray[Any, Any]:
        tallies = np.zeros((len(RetailKind), len(Act)), TALLY)
        for (kind, act), sums in self.server.snapshot()["tallies"].items():
            tallies[kind, act] = sums
        return tallies

    # damage and verdict ---------------------------------------------------------------------------------------

    def find(self, method: str, number: int = 0) -> list[Any]:
        """The arguments of the n-th telling of a kind, to be damaged."""
        return [arguments for name, arguments in self.steps if name == method][number]

    def entry(self, unit: int, act: Act) -> np.ndarray[Any, Any]:
        """The log entry about a unit, as a view to be damaged."""
        for name, arguments in self.steps:
            if name == "see_log":
                chosen = np.flatnonzero((arguments[0]["unit"] == unit) & (arguments[0]["act"] == act))
                if len(chosen):
                    return arguments[0][chosen[0] : chosen[0] + 1]
        raise KeyError((unit, act))

    def without(self, unit: int, act: Act) -> Clearing:
        """Lose a log entry."""
        self.entry(unit, act)
        for name, arguments in self.steps:
            if name == "see_log":
                lost = (arguments[0]["unit"] == unit) & (arguments[0]["act"] == act)
                arguments[0] = arguments[0][~lost]
        return self

    def verdict(self, stopped: bool = False, held: tuple[int, ...] = ()) -> Verdict:
        self.flush()
        auditor = NettingAuditor(self.caps, log_all=self.log_all)
        for method, arguments in self.steps:
            getattr(auditor, method)(*arguments)
        return auditor.finish(stopped, held)

    def broken(self, stopped: bool = False, held: tuple[int, ...] = ()) -> set[str]:
        return {rule for rule, count in self.verdict(stopped, held).rules.items() if count}


A, B, C = range(3)


def make_day(log_all: bool = False) -> Clearing:
    """Units are netted, queue, are released, refused, stopped, matched, cancelled; nets go out and are posted."""
    day = Clearing([100, 50, 0], log_all)
    day.submit(10, A, B, 60, items=3)  # 0
    day.submit(20, A, C, 50)  # 1: queues
    day.submit(21, A, C, 45, items=2)  # 2: queues ahead of it
    day.submit(22, A, B, 90, ONLINE)  # 3: rejected
    day.submit(23, B, B, 5)  # 4: self-payment
    day.submit(24, B, A, 5, ONLINE, refusal=Refusal.PAYEE_BANK)  # 5
    day.submit(25, B, A, 5, refusal=Refusal.STOPPED)  # 6
    day.submit(30, B, A, 20)  # 7: releases 2
    day.look(31).round(40, "first").post(41, 1, B)
    day.submit(50, C, A, 70)  # 8: queues
    day.submit(51, A, C, 30)  # 9: queues ahead of 1
    day.match(55).look(56)  # 8, 9 and no more
    day.cap(60, C, 30).submit(61, C, B, 20)  # 10
    day.close(A).submit(62, C, A, 1, ONLINE)  # 11: refused
    day.close(A, False).log_in(63, A, False).submit(63, A, C, 1, ONLINE)  # 12: refused
    day.submit(64, C, A, 1, ONLINE)  # 13: not answered
    day.log_in(64, A, True)
    day.cancel(65, day.submit(64, C, A, 500, items=4), C)  # 14: cancelled by its bank
    day.submit(66, C, A, 600)  # 15: cancelled by time
    day.post(70, 1, A).post(70, 1, C).look(71)
    day.switch(100).submit(100, B, A, 3)  # 16: of the next date
    return day.look(101).switch(200)


@pytest.fixture
def day() -> Clearing:
    return make_day()


@pytest.fixture
def day_maker() -> Callable[..., Clearing]:
    return make_day


@pytest.fixture
def clearing() -> type[Clearing]:
    return Clearing
