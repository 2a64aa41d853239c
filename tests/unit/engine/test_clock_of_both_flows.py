"""The clock with two flows: payments of HVPS and retail units go on together, wherever slices and chunks end."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnaps_sim.core import Books
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import FLOW, UNLIMITED, new
from cnaps_sim.engine import clock as engine
from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.words.codes import Act, Cause, Level, Phase
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import RetailChunk

BANKS = 3
CREDIT, ONLINE = int(RetailKind.ORDINARY_CREDIT), int(RetailKind.IBPS_CREDIT)


def flow(rows: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Rows of (time, debtor, creditor, amount) at level 7."""
    records = new(FLOW, len(rows))
    for place, (time_ms, debtor, creditor, amount) in enumerate(rows):
        records[place] = (time_ms, amount, debtor, creditor, 7, 0, False)
    return records


def units(rows: list[tuple[int, int, int, int, int]]) -> np.ndarray:
    """Rows of (time, debtor, creditor, amount, kind), of one item each."""
    records = new(RETAIL, len(rows))
    for place, (time_ms, debtor, creditor, amount, kind) in enumerate(rows):
        records[place] = (time_ms, amount, 0, debtor, creditor, 1, kind, 0)
    return records


def chunks(rows: np.ndarray, length_ms: int) -> list[RetailChunk]:
    """The rows in chunks of so much simulated time, empty ones included."""
    made = []
    for number in range(int(rows["time_ms"][-1]) // length_ms + 1 if len(rows) else 0):
        begins_ms, ends_ms = number * length_ms, (number + 1) * length_ms
        first, after = np.searchsorted(rows["time_ms"], [begins_ms, ends_ms])
        part = rows[first:after].copy()
        ids = pa.array([f"U{unit}" for unit in range(first, after)], pa.string())
        made.append(
            RetailChunk(
                number, 0, begins_ms, ends_ms, part, int(first), int(first), part["amount"], None, lambda ids=ids: ids
            )
        )
    return made


class Played:
    """Both flows on one clock, with a listener that does what NETS does about posted nets."""

    def __init__(
        self,
        payments: list[tuple[int, int, int, int]],
        retail: list[tuple[int, int, int, int, int]],
        accounts: list[dict[str, Any]],
        caps: list[dict[str, Any]],
        owed: list[tuple[int, int]],
        chunk_ms: int = 1_000,
    ) -> None:
        """owed: account and fen of round nets that are due at the start."""
        own = {"central_bank": True, "overdraft_limit": UNLIMITED}
        self.books = Books([*accounts, own])
        self.netting = Netting([*caps, {"closed": True}], log_all=True)
        self.books.set_phase(Phase.DAYTIME)
        self.clock = Clock(self.books, 0, self.netting)
        self.rows, self.units = flow(payments), units(retail)
        self.clock.feed(self.rows, 100)
        self.clock.feed_retail(iter(chunks(self.units, chunk_ms)))
        self.nets = {number: (account, fen) for number, (account, fen) in enumerate(owed)}
        self.log: list[tuple[int, ...]] = []
        self.net_log: list[tuple[int, ...]] = []
        self.stops: list[int] = []
        self.clock.after_each.append(self.look)
        for number, (account, fen) in self.nets.items():
            self.netting.positions["unsettled"][account] -= fen
            self.books.submit(0, number, account, len(accounts), fen, Level.ROUND_NET)
        self.drain()

    def drain(self) -> None:
        log = self.books.drain_log()
        self.log += log.tolist()
        for entry in log[(log["act"] == Act.SETTLED) & (log["level"] == Level.ROUND_NET)]:
            account, fen = self.nets.pop(int(entry["sequence"]))
            self.netting.net_posted(int(entry["time_ms"]), account, -fen)
        self.net_log += self.netting.drain_log().tolist()

    def look(self, now: int) -> None:
        retail = self.clock.retail
        assert retail is not None
        assert self.clock.feeds[0].next_ms >= now, "payments lag behind"
        assert retail.next_ms >= now, "units lag behind"
        passed = self.rows[: self.clock.feeds[0].next_row]
        assert not len(passed) or passed["time_ms"][-1] <= now, "payments run ahead"
        come = self.units[: int(self.netting.netting["units_come"][0])]
        assert not len(come) or come["time_ms"][-1] <= now, "units run ahead"
        self.stops.append(now)
        if self.books.nets_posted():
            self.books.forget_nets_posted()
            self.drain()

    def run(self, until_ms: int) -> Played:
        self.clock.call_at(until_ms, Rank.SAMPLE, lambda: None)
        self.clock.run()
        self.drain()
        return self

    def seen(self) -> tuple[Any, ...]:
        snapshot = self.netting.snapshot()
        del snapshot["desk"]["crossings"]
        return self.log, self.net_log, snapshot, self.books.snapshot()


def test_of_one_millisecond_payments_come_before_units() -> None:
    played = Played(
        payments=[(5, 1, 0, 10)],
        retail=[(4, 0, 1, 10, ONLINE), (5, 0, 1, 10, ONLINE), (6, 0, 1, 1, ONLINE)],
        accounts=[{}, {"balance": 10}],
        caps=[{"cap": 10}, {}],
        owed=[(0, 10)],
    ).run(9)
    acts = [(unit, time_ms, act) for unit, time_ms, _, _, act, _, _ in played.net_log]
    assert acts == [(0, 4, Act.REFUSED), (1, 5, Act.NETTED), (2, 6, Act.REFUSED)]


def test_a_net_posted_between_two_units_frees_headroom_for_the_later_one_only() -> None:
    played = Played(
        payments=[(50, 1, 0, 10), (60, 1, 0, 1)],
        retail=[(10, 0, 1, 8, CREDIT), (49, 0, 1, 2, ONLINE), (51, 0, 1, 2, ONLINE)],
        accounts=[{}, {"balance": 11}],
        caps=[{"cap": 10}, {}],
        owed=[(0, 10)],
    ).run(99)
    acts = [(unit, time_ms, cause, act) for unit, time_ms, cause, _, act, _, _ in played.net_log]
    assert acts == [
        (0, 10, Cause.NONE, Act.QUEUED), (1, 49, Cause.NONE, Act.REFUSED),
        (0, 50, Cause.ROUND, Act.NETTED), (2, 51, Cause.NONE, Act.NETTED),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("accounts", "caps", "stops"),
    [
        ([{"balance": 9, "warning_line": 8}, {}], [{"cap": 9}, {}], [20, 99]),
        ([{"balance": 9}, {}], [{"cap": 9, "cap_line": 9}, {}], [10, 20, 30, 99]),
        ([{"balance": 9, "warning_line": 8}, {}], [{"cap": 9, "cap_line": 8}, {}], [20, 30, 99]),
    ],
)
def test_a_line_crossed_in_one_flow_stops_the_other_at_the_same_instant(
    accounts: list[dict[str, int]], caps: list[dict[str, int]], stops: list[int]
) -> None:
    """`Played.look` sees at every stop that neither flow has gone on without the other."""
    payments = [(20, 0, 1, 2), (30, 0, 1, 1), (40, 0, 1, 1)]
    retail = [(10, 0, 1, 1, CREDIT), (20, 1, 0, 1, CREDIT), (30, 0, 1, 2, CREDIT), (35, 0, 1, 1, CREDIT)]
    assert Played(payments, retail, accounts, caps, owed=[]).run(99).stops == stops


class Traffic:
    """Random flows in few instants, with little money, low caps and lines, and nets that wait at the start."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        times = sorted(chance.randrange(40) for _ in range(60))

        def pair() -> tuple[int, int]:
            debtor, creditor = chance.sample(range(BANKS), 2)
            return debtor, creditor

        self.payments = [(time_ms, *pair(), chance.randint(1, 20)) for time_ms in times[::2]]
        self.retail = sorted(
            ((time_ms, *pair(), chance.randint(1, 12), chance.choice([CREDIT, CREDIT, ONLINE])) for time_ms in times),
            key=lambda row: (row[0], row[4]),
        )
        self.accounts = [{"balance": chance.randint(0, 30)} for _ in range(BANKS)]
        self.caps = [{"cap": chance.randint(0, 20)} for _ in range(BANKS)]
        if seed % 2:
            self.accounts[0]["warning_line"] = 10
            self.caps[1]["cap_line"] = 4
        self.owed = [(chance.randrange(BANKS), chance.randint(1, 15)) for _ in range(chance.randint(0, 4))]

    def play(self, chunk_ms: int) -> Played:
        accounts, caps = [dict(row) for row in self.accounts], [dict(row) for row in self.caps]
        return Played(self.payments, self.retail, accounts, caps, self.owed, chunk_ms).run(50)


@pytest.mark.parametrize("seed", range(40))
def test_slices_and_chunks_of_either_flow_do_not_change_what_happens(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(seed)
    whole = traffic.play(chunk_ms=1_000).seen()
    for slice_length, payments_ms, units_ms in ((1, 1_000, 1_000), (2, 1, 1_000), (3, 7, 3), (1 << 15, 3, 1)):
        monkeypatch.setattr(engine, "SLICE", slice_length)
        monkeypatch.setattr(engine, "CHUNK_MS", payments_ms)
        assert traffic.play(units_ms).seen() == whole, (slice_length, payments_ms, units_ms)


def test_a_flow_of_units_goes_on_when_the_payments_have_ended_and_the_other_way_round() -> None:
    accounts, caps = [{"balance": 9}, {}], [{"cap": 9}, {}]
    late_units = Played([(1, 0, 1, 1)], [(2, 0, 1, 1, CREDIT), (5_500, 0, 1, 1, CREDIT)], accounts, caps, []).run(9_000)
    assert late_units.netting.positions["sent"][0] == 2
    late_payment = Played([(8_000, 0, 1, 1)], [(2, 0, 1, 1, CREDIT)], accounts, caps, []).run(9_000)
    assert late_payment.books.accounts["sent"][0] == 1


def test_units_wait_for_who_asks_after_each_payment() -> None:
    played = Played(
        payments=[(4, 0, 1, 5), (9, 1, 0, 1)],
        retail=[(3, 0, 1, 1, ONLINE), (4, 0, 1, 1, ONLINE), (5, 0, 1, 1, ONLINE), (9, 0, 1, 1, ONLINE)],
        accounts=[{"balance": 10}, {}],
        caps=[{"cap": 10}, {}],
        owed=[],
    )
    seen: list[tuple[int, int]] = []

    def ask() -> bool:
        now = played.clock.feeds[0].next_row, int(played.netting.netting["units_come"][0])
        seen.append(now)
        return True

    played.clock.stop_if = ask
    played.run(9)
    assert seen[0] == (1, 2)  # the units of its own millisecond have come, none after
    assert played.stops[0] == 4
    assert seen[-1] == (2, 4)
