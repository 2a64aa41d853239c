"""Small runs made by hand: tables with the documented schema and a stand-in for the run that owns them."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from cnaps_sim.words.codes import Priority
from cnaps_sim.words.tables import TABLES

DATE = dt.date(2025, 6, 17)
_KINDS = {
    "i64": pa.int64(),
    "i8": pa.int8(),
    "date": pa.date32(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "id": pa.string(),
}
#: One HVPS day: opens 20:30 on the evening before, cut-off 17:15, window to 17:30.
DAY_MS = {"opens_ms": -12_600_000, "cut_off_ms": 62_100_000, "window_end_ms": 63_000_000}


def clock(text: str) -> int:
    """HH:MM[:SS] as ms."""
    parts = [int(part) for part in text.split(":")]
    return sum(part * unit for part, unit in zip(parts, (3_600_000, 60_000, 1_000), strict=False))


def table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A documented table from rows; columns that a row leaves out are null."""
    columns = TABLES[name]
    known = {column.name for column in columns}
    assert all(set(row) <= known for row in rows)
    arrays = []
    for column in columns:
        values = [row.get(column.name) for row in rows]
        kind = _KINDS[column.kind]
        arrays.append(
            pa.array(values, pa.string()).dictionary_encode() if column.kind == "text" else pa.array(values, kind)
        )
    return pa.table(arrays, schema=pa.schema([(column.name, _KINDS[column.kind]) for column in columns]))


class HandMadeRun:
    """What analysis may ask of a run, over tables written down in a test."""

    def __init__(self, tables: dict[str, pa.Table], manifest: dict[str, Any], scenario: dict[str, Any]) -> None:
        self.tables = tables
        self.manifest = manifest
        self.scenario = scenario
        self.summary = manifest.get("summary", {})

    def table(self, name: str) -> pa.Table:
        return self.tables[name]

    @property
    def payments(self) -> pd.DataFrame:
        return self.tables["payments"].to_pandas()

    @property
    def accounts(self) -> pd.DataFrame:
        return self.tables["accounts"].to_pandas()


def payment(sequence: int, debtor: str, creditor: str, yuan: float, at: int | str, **more: Any) -> dict[str, Any]:
    """A row of payments: settled on arrival unless told otherwise. Times as ms or HH:MM."""
    time = clock(at) if isinstance(at, str) else at
    level = more.get("level", 7)
    priority = Priority.of(level)
    row: dict[str, Any] = {
        "date": DATE,
        "sequence": sequence,
        "payment_id": f"P{sequence}",
        "system": "HVPS" if priority else "SAPS",
        "debtor": debtor,
        "creditor": creditor,
        "amount_fen": round(yuan * 100),
        "priority": priority.value if priority else None,
        "level": level,
        "type": "A100",
        "instructed_ms": time,
        "submitted_ms": time,
        "settled_ms": time,
        "status": "PR04",
    }
    row.update(
        {key: clock(value) if key.endswith("_ms") and isinstance(value, str) else value for key, value in more.items()}
    )
    row.setdefault("ended_ms", row["settled_ms"])
    return row


def waiting(settled: int | str | None, by: str | None, **more: Any) -> dict[str, Any]:
    """What a payment that waited says instead: when it settled and what released it."""
    return {"settled_ms": settled, "released_by": by, **more}


def ended(at: int | str, status: str, reason: str | None = None, iso: str | None = None) -> dict[str, Any]:
    """What a payment that did not settle says instead."""
    return {"settled_ms": None, "ended_ms": at, "status": status, "reason": reason, "reason_iso": iso}


def account(name: str, /, opening: float, lowest: float, closing: float | None = None, **more: Any) -> dict[str, Any]:
    """A row of accounts; money in CNY."""
    closing = opening if closing is None else closing
    row: dict[str, Any] = dict.fromkeys((c.name for c in TABLES["accounts"] if c.kind == "i64"), 0)
    row.update(date=DATE, account=name, owner=name, kind="city", status="AS01")
    row.update(opening_fen=round(opening * 100), lowest_fen=round(lowest * 100), closing_fen=round(closing * 100))
    row.update(more)
    if "min_available_fen" not in more:
        row["min_available_fen"] = None if row["kind"] == "central-bank" else row["lowest_fen"]
    return row


def matching(number: int, at: int | str, trigger: str, considered: Any, settled: Any, **more: Any) -> dict[str, Any]:
    """A row of matchings; `considered` and `settled` are a number of payments and CNY. Times as ms or HH:MM."""
    row: dict[str, Any] = {
        "date": DATE,
        "matching": number,
        "time_ms": clock(at) if isinstance(at, str) else at,
        "trigger": trigger,
        "algorithm": "multilateral",
        "considered": considered[0],
        "considered_fen": round(considered[1] * 100),
        "settled": settled[0],
        "settled_fen": round(settled[1] * 100),
        "accounts": 0,
    }
    row["settled_ms"] = row["time_ms"] if settled[0] else None
    row.update(
        {key: clock(value) if key.endswith("_ms") and isinstance(value, str) else value for key, value in more.items()}
    )
    return row


def make_run(
    payments: Sequence[dict[str, Any]],
    accounts: Sequence[dict[str, Any]] = (),
    events: Sequence[dict[str, Any]] = (),
    scenario: dict[str, Any] | None = None,
    dates: Sequence[dt.date] = (DATE,),
    matchings: Sequence[dict[str, Any]] = (),
    **manifest: Any,
) -> HandMadeRun:
    """A run from its rows; the transfers are the settled payments in order of settlement."""
    settled = sorted((row for row in payments if row["settled_ms"] is not None), key=lambda row: row["settled_ms"])
    names = ("date", "debtor", "creditor", "amount_fen", "level", "payment_id")
    transfers = [
        {**{key: row[key] for key in names}, "sequence": place, "time_ms": row["settled_ms"], "kind": "payment"}
        for place, row in enumerate(settled)
    ]
    for row, transfer in zip(settled, transfers, strict=True):
        word, _, number = (row.get("released_by") or "").partition(":")
        transfer["matching"] = int(number) if word == "matching" else None
    if not accounts:
        accounts = [
            account(name, 0, 0) for name in sorted({row[side] for row in payments for side in ("debtor", "creditor")})
        ]
    rows = {"payments": payments, "accounts": accounts, "transfers": transfers, "matchings": matchings}
    rows["events"] = [{"date": DATE, "sequence": place, **event} for place, event in enumerate(events)]
    tables = {name: table(name, rows.get(name, ())) for name in TABLES}
    shift = [(date - dates[0]).days * 86_400_000 for date in dates]
    about: dict[str, Any] = {
        "cnaps_sim": "0.1.0",
        "seed": 1,
        "date": dates[0].isoformat(),
        "days": len(dates),
        "scenario_sha256": "0" * 64,
        "items": {"HVPS": {"count": len(payments)}} if payments else {},
        "tables": {name: {"rows": tables[name].num_rows} for name in TABLES if tables[name].num_rows},
        "timetable": [
            {"date": date.isoformat(), **{key: value + days for key, value in DAY_MS.items()}}
            for date, days in zip(dates, shift, strict=True)
        ],
        "audit": {"verdict": "passed", "rules": {"money is conserved": 0, "no balance is under its limit": 0}},
        **manifest,
    }
    return HandMadeRun(tables, about, {"name": "by hand", **(scenario or {})})


class FifoDay:
    """The plainest books there are: one level, strict order, credited accounts retried first credited first."""

    def __init__(self, balances: dict[str, int]) -> None:
        self.balance = dict(balances)
        self.opening = dict(balances)
        self.lowest = dict(balances)
        self.queues: dict[str, deque[dict[str, Any]]] = {name: deque() for name in balances}
        self.rows: list[dict[str, Any]] = []
        self.peak_count = self.peak_fen = 0

    def arrive(self, time: int, debtor: str, creditor: str, fen: int) -> None:
        row = payment(len(self.rows), debtor, creditor, 0, time, amount_fen=fen)
        self.rows.append(row)
        if self.queues[debtor] or self.balance[debtor] < fen:
            row.update(settled_ms=None, ended_ms=None, status="PR12")
            self.queues[debtor].append(row)
            waiting_now = [item for queue in self.queues.values() for item in queue]
            self.peak_count = max(self.peak_count, len(waiting_now))
            self.peak_fen = max(self.peak_fen, sum(item["amount_fen"] for item in waiting_now))
            return
        self._post(row, time)
        woken = deque([(creditor, row["payment_id"])])
        while woken:
            name, cause = woken.popleft()
            queue = self.queues[name]
            while queue and self.balance[name] >= queue[0]["amount_fen"]:
                item = queue.popleft()
                item.update(status="PR04", released_by=cause)
                self._post(item, time)
                woken.append((item["creditor"], item["payment_id"]))

    def _post(self, row: dict[str, Any], time: int) -> None:
        row.update(settled_ms=time, ended_ms=time)
        self.balance[row["debtor"]] -= row["amount_fen"]
        self.balance[row["creditor"]] += row["amount_fen"]
        self.lowest[row["debtor"]] = min(self.lowest[row["debtor"]], self.balance[row["debtor"]])

    def close(self, time: int) -> None:
        """Send back what is still queued."""
        for queue in self.queues.values():
            while queue:
                queue.popleft().update(**ended(time, "PR09", "RJ99", "AM04"))

    def run(self) -> HandMadeRun:
        settled = [row for row in self.rows if row["settled_ms"] is not None]
        rows = [
            account(name, 0, 0, opening_fen=self.opening[name], lowest_fen=self.lowest[name], closing_fen=fen,
                    sent_fen=sum(row["amount_fen"] for row in settled if row["debtor"] == name),
                    received_fen=sum(row["amount_fen"] for row in settled if row["creditor"] == name))
            for name, fen in self.balance.items()
        ]  # fmt: skip
        return make_run(self.rows, rows)


@pytest.fixture
def hand_made() -> Any:
    """The builders above, for tests that write down a run of their own."""

    class Builders:
        pass

    for builder in (clock, table, payment, item, waiting, ended, account, matching, make_run, FifoDay):
        setattr(Builders, builder.__name__, staticmethod(builder) if callable(builder) else builder)
    Builders.DATE = DATE  # type: ignore[attr-defined]
    return Builders


@pytest.fixture
def toy_day() -> HandMadeRun:
    """A pays B 60, B pays C 50, C pays A 40, A pays C 10; A opens with 60 and nothing waits."""
    day = FifoDay({"A": 6000, "B": 0, "C": 0})
    for hour, (debtor, creditor, yuan) in enumerate(
        [("A", "B", 60), ("B", "C", 50), ("C", "A", 40), ("A", "C", 10)], start=9
    ):
        day.arrive(hour * 3_600_000, debtor, creditor, yuan * 100)
    return day.run()


BANK_DAY_IN = {"09:00": 223, "10:00": 95, "12:00": 400, "12:35": 22, "14:05": 5, "15:30": 102}
BANK_DAY_OUT = {
    "09:30": 19,
    "10:15": 223,
    "10:45": 99,
    "11:00": 108,
    "14:00": 10,
    "14:20": 45,
    "15:00": 379,
    "17:00": 11,
}


@pytest.fixture
def bank_day() -> HandMadeRun:
    """The published example of one bank's day: payments in and out."""
    rows = [("other", "bank", yuan, at) for at, yuan in BANK_DAY_IN.items()]
    rows += [("bank", "other", yuan, at) for at, yuan in BANK_DAY_OUT.items()]
    rows.sort(key=lambda row: row[3])
    return make_run([payment(n, *row) for n, row in enumerate(rows)])


@pytest.fixture
def queueing_day() -> HandMadeRun:
    """A day with every outcome, fresh for each test."""
    return make_queueing_day()


@pytest.fixture(scope="session")
def kept_queueing_day() -> HandMadeRun:
    """The same for tests that only look."""
    return make_queueing_day()


def make_queueing_day() -> HandMadeRun:
    """A day with every outcome: waiting at three levels, an outbox, a cancellation, refusals and a return."""
    return make_run(
        [
            payment(0, "A", "B", 100, "09:00", **waiting("10:00", "P2"), type="A200"),
            payment(1, "A", "C", 40, "09:30", **waiting("10:00", "P2"), level=6, due_ms="09:45"),
            payment(2, "B", "A", 140, "10:00", due_ms="11:00"),
            payment(3, "C", "A", 500, "10:30", **ended("17:30", "PR09", "RJ99", "AM04"), due_ms="16:00"),
            payment(4, "C", "B", 10, "10:31", **ended("12:00", "PR08")),
            payment(5, "B", "X", 20, "11:00", **ended("11:00", "PR09", "RJ90", "AC04"), due_ms="12:00"),
            payment(6, "B", "C", 30, "11:30", submitted_ms="12:30", settled_ms="12:30"),
            payment(7, "A", "B", 5, "13:00", **waiting("13:20", "limit"), level=1),
            payment(8, "A", "PBC-INTEREST-FEES", 1, "17:15", **waiting("17:30", "return"), level=2, type="INTR"),
        ],
        [
            account("A", 10, -1, -1.0, owner="Alpha Bank 甲银行", sent_fen=14600, received_fen=14000),
            account("B", 300, 160, 265, sent_fen=17000, received_fen=10500),
            account("C", 0, 0, 70, received_fen=7000),
            account("X", 0, 0, 0, status="AS03"),
            account("PBC-INTEREST-FEES", 0, 0, 1, kind="central-bank"),
        ],
        [
            {"time_ms": -12_600_000, "kind": "phase", "subject": "HVPS", "detail": "10 daytime (日间) of 2025-06-17"},
            {"time_ms": 34_000_000, "kind": "warning", "subject": "A", "detail": "balance below its warning line"},
            {"time_ms": 39_000_000, "kind": "action", "subject": "P4", "detail": "moved to the tail of its level"},
            {"time_ms": 47_000_000, "kind": "refusal", "subject": "P5", "detail": "cancel: the payment is not waiting"},
            {
                "time_ms": 62_100_000,
                "kind": "phase",
                "subject": "HVPS",
                "detail": "20 cut off (业务截止) of 2025-06-17",
            },
            {"time_ms": 48_000_000, "kind": "action", "subject": "A", "detail": "floor 0.00 CNY"},
            {"time_ms": 63_000_000, "kind": "loan", "subject": "A", "detail": "central-bank loan <1.00 CNY>"},
        ],
        {"question": "Does <it> wait & why?", "hvps": {"discipline": "fifo"}},
    )


@pytest.fixture
def matched_day() -> HandMadeRun:
    """A day with three matchings, fresh for each test."""
    return make_matched_day()


def make_matched_day() -> HandMadeRun:
    """A ring of three that a matching clears, a pair that one clears after new money came, one that releases nothing.

    A, B and C hold nothing, D holds 30. The first matching cannot let C pay D 50 nor D pay C 40: C would be 10
    short. At 11:30 E pays C 10, and the second matching settles both. The third finds B's 500 alone.
    """
    return make_run(
        [
            payment(0, "A", "B", 100, "09:00", **waiting("10:00", "matching:1")),
            payment(1, "B", "C", 100, "09:10", **waiting("10:00", "matching:1"), level=6),
            payment(2, "C", "A", 100, "09:20", **waiting("10:00", "matching:1")),
            payment(3, "C", "D", 50, "09:30", **waiting("12:00", "matching:2")),
            payment(4, "D", "C", 40, "09:40", **waiting("12:00", "matching:2")),
            payment(5, "E", "C", 10, "11:30"),
            payment(6, "B", "A", 500, "13:00", **ended("17:30", "PR09", "RJ99", "AM04")),
        ],
        [
            account("A", 0, 0, sent_fen=10_000, received_fen=10_000),
            account("B", 0, 0, sent_fen=10_000, received_fen=10_000),
            account("C", 0, 0, sent_fen=15_000, received_fen=15_000),
            account("D", 30, 30, 40, sent_fen=4_000, received_fen=5_000),
            account("E", 10, 0, 0, sent_fen=1_000),
        ],
        scenario={
            "hvps": {"discipline": "fifo", "matching": {"algorithm": "multilateral", "every": "2 h", "bound": "lp"}},
            "accounts": [{"account": name, "balance": 0} for name in "ABCDE"],
        },
        matchings=[
            matching(1, "10:00", "every", (5, 390), (3, 300), bound_fen=38_000, accounts=3),
            matching(2, "12:00", "every", (2, 90), (2, 90), bound_fen=9_000, accounts=2),
            matching(3, "17:30", "close", (1, 500), (0, 0)),
        ],
    )


@pytest.fixture(scope="session")
def hand_made_day() -> type[FifoDay]:
    """The plain books, for tests that draw many days."""
    return FifoDay


def item(sequence: int, system: str, kind: str, debtor: str, creditor: str, yuan: float, **more: Any) -> dict[str, Any]:
    """A row of payments for an item of BEPS or IBPS; `at` is when it was submitted, `netted` when it was netted."""
    submitted, netted = clock(more.pop("at")), more.pop("netted", None)
    row = payment(sequence, debtor, creditor, yuan, submitted, settled_ms=None, ended_ms=None)
    row.update(system=system, type=kind, level=None, priority=None, payment_id=f"{system[0]}{sequence}")
    if netted is not None:
        row.update(netted_ms=clock(netted), ended_ms=clock(netted), status="PR03")
    row.update({key: clock(value) if key.endswith("_ms") else value for key, value in more.items()})
    return row


def outcome_of(mean_delay_ms: float, refusals: dict[str, Any], **counts: tuple[int, int]) -> dict[str, Any]:
    """What the manifest counts of a retail system; every outcome as items and fen."""
    names = ("settled", "rejected", "returned", "cancelled", "queued")
    told = {name: counts.get(name, (0, 0)) for name in names}
    told = {"submitted": tuple(sum(pair) for pair in zip(*told.values(), strict=True)), **told}
    figures = {name: {"count": count, "value_fen": fen} for name, (count, fen) in told.items()}
    peak = {"count": 0, "value_fen": 0}
    return {**figures, "mean_delay_ms": mean_delay_ms, "refusals": refusals, "peak_queue": peak}


#: Sampled positions and headroom (fen) of A, B and C; the caps are 100, 50 and 10 CNY.
CLEARED_SAMPLES = {
    "09:00": ((-3_000, 2_000, 1_000), (7_000, 7_000, 2_000)),
    "10:00": ((0, 0, 0), (6_000, 5_000, 1_000)),  # A owes 40 that SAPS has not posted
    "11:00": ((2_000, -4_600, 2_600), (12_000, 400, 3_600)),
    "16:00": ((0, 0, 0), (10_000, 5_000, 1_000)),
}


@pytest.fixture
def cleared_day() -> HandMadeRun:
    """Two rounds between A, B and C: 300 netted into nets of 40, then 100 into 20; A's first net waits half an hour."""
    run = make_run(
        [
            payment(0, "A", "B", 1, "09:30"),
            item(1, "IBPS", "ICRD", "A", "B", 30, at="09:00", netted="09:00:02", round=1),
            item(2, "BEPS", "BCRD", "B", "C", 7, at="10:50", netted="11:20", round=2, released_by="I3"),
            item(3, "IBPS", "ICRD", "C", "B", 5, at="11:19:56", netted="11:20", round=2),
            item(4, "BEPS", "BCRD", "C", "A", 5, at="12:00", ended_ms="16:00", status="PR08", reason="RJ94",
                 reason_iso="AM23"),
            item(5, "IBPS", "IDBT", "B", "A", 9, at="11:00", ended_ms="11:00:05", status="PR09", reason="RJ94",
                 reason_iso="AM23"),
            payment(6, "A", "PBC-NETTING", 40, "10:00", **waiting("10:30", "injection"), level=4,
                    payment_id="NETS-000001"),
        ],
        [*(account(name, 0, 0) for name in "ABC"), account("PBC-NETTING", 0, 0, kind="central-bank")],
        scenario={"record": {"BEPS": "payments", "IBPS": "payments"}, "workload": [{"system": "BEPS"}]},
        outcomes={
            "BEPS": outcome_of(
                1_800_000.0, {"CAP_QUEUE_CLOSED": {"count": 1, "value_fen": 500}}, settled=(1, 700), cancelled=(1, 500)
            ),
            "IBPS": outcome_of(3_000.0, {"CAP": {"count": 1, "value_fen": 900}}, settled=(2, 3_500), rejected=(1, 900)),
        },
        rounds=[round_told(1, "10:00", "first", 20, 30_000), round_told(2, "16:00", "last", 10, 10_000)],
        caps={
            "A": {"lowest_headroom_fen": 5_500},
            "B": {"lowest_headroom_fen": 350, "rejected": {"count": 1, "value_fen": 900}},
            "C": {"lowest_headroom_fen": 1_000, "queued": {"count": 2, "value_fen": 1_200}},
        },
    )  # fmt: skip
    nets = [("A", 1, -4_000, "10:30"), ("B", 1, 3_000, "10:00"), ("C", 1, 1_000, "10:00"), ("A", 2, 2_000, "16:00"),
            ("B", 2, -2_000, "16:00")]  # fmt: skip
    keep(run, "rounds", [net_row(*net) for net in nets])
    keep(run, "series", [row for at, (positions, headrooms) in CLEARED_SAMPLES.items()
                         for row in sample_rows(at, positions, headrooms)])  # fmt: skip
    return run


def round_told(number: int, at: str, kind: str, count: int, fen: int) -> dict[str, Any]:
    """What the manifest tells of a round."""
    netted = {"BEPS": {"count": 0, "value_fen": 0}, "IBPS": {"count": count, "value_fen": fen}}
    time = clock(at)
    return {"round": number, "date": DATE.isoformat(), "time_ms": time, "kind": kind, "sent_ms": time, "netted": netted}


def net_row(name: str, number: int, fen: int, settled: str) -> dict[str, Any]:
    """A row of rounds."""
    at, kind = (("10:00", "first"), ("16:00", "last"))[number - 1]
    times = {"time_ms": clock(at), "sent_ms": clock(at), "settled_ms": clock(settled)}
    return {"date": DATE, "round": number, "kind": kind, "participant": name, "net_fen": fen, **times}


def sample_rows(at: str, positions: Sequence[int], headrooms: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of series: positions and headroom of A, B and C, and what the systems had netted by then."""
    told = [("position_fen", "ABC", positions), ("headroom_fen", "ABC", headrooms)]
    seen = list(CLEARED_SAMPLES).index(at)
    told += [(f"{measure}", (system,), (value,)) for system in ("BEPS", "IBPS") for measure, value in (
        ("netted_fen", 1_000 * seen), ("netted_count", 10 * seen), ("rejected_count", seen))]  # fmt: skip
    told += [("queued_fen", ("NETS",), (500 * seen,)), ("queued_count", ("NETS",), (seen,))]
    return [
        {"date": DATE, "time_ms": clock(at), "scope": scope, "measure": measure, "value": value}
        for measure, scopes, values in told
        for scope, value in zip(scopes, values, strict=True)
    ]


def keep(run: HandMadeRun, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Give a run a table."""
    run.tables[name] = table(name, rows)
    run.manifest["tables"][name] = {"rows": len(rows)}
