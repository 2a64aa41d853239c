"""A small correct day, once as the stream of outcomes and once as stored tables, for tests to damage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnaps_sim.audit import AccountTerms, StreamAuditor, Verdict
from cnaps_sim.audit.digest import item_checksum, table_digest
from cnaps_sim.audit.tables import audit_tables
from cnaps_sim.words.codes import Act, Cause, Discipline, Phase, Refusal
from cnaps_sim.words.tables import TABLES

FLOW = np.dtype(
    [("time_ms", "i8"), ("amount", "i8"), ("debtor", "i4"), ("creditor", "i4"), ("level", "i1"), ("refusal", "i1"),
     ("special", "?")],
    align=True,
)  # fmt: skip
LOG = np.dtype(
    [("sequence", "i8"), ("time_ms", "i8"), ("cause", "i8"), ("act", "i1"), ("refusal", "i1"), ("level", "i1")],
    align=True,
)

A, B, C, PBC = range(4)
NAMES = ["A", "B", "C", "PBC-LENDING"]


@dataclass
class Stream:
    """What the auditor is told of one day, step by step; steps are (method, arguments).

    flow rows: (time, amount, debtor, creditor, level[, refusal[, special]]);
    log entries: (sequence, time, act[, level[, cause[, refusal]]])
    """

    opening: list[int] = field(default_factory=lambda: [100, 50, 0, 0])
    limits: list[int] = field(default_factory=lambda: [0, 0, 0, 10**18])
    floors: list[int] | None = None
    discipline: Discipline = Discipline.FIFO
    steps: list[tuple[str, list[Any]]] = field(default_factory=list)
    of_matching: dict[str, Any] = field(default_factory=dict)  # further arguments of the auditor

    def flow(self, first: int, *rows: tuple[Any, ...]) -> Stream:
        full = [(*row, *(0, False)[len(row) - 5 :]) for row in rows]
        self.steps.append(("see_flow", [np.array(full, FLOW), first]))
        return self

    def log(self, *entries: tuple[Any, ...]) -> Stream:
        rows = []
        for sequence, time, act, *rest in entries:
            level, cause, refusal = (*rest, *(7, Cause.NONE, 0)[len(rest) :])
            rows.append((sequence, time, cause, act, refusal, level))
        self.steps.append(("see_log", [np.array(rows, LOG)]))
        return self

    def tell(self, method: str, *arguments: Any) -> Stream:
        self.steps.append((method, list(arguments)))
        return self

    def find(self, method: str, number: int = 0) -> list[Any]:
        """The arguments of the n-th call of a method, to be damaged."""
        return [arguments for name, arguments in self.steps if name == method][number]

    def entries(self, sequence: int, act: Act) -> np.ndarray[Any, Any]:
        """The log entry about a payment, as a view to be damaged."""
        for name, arguments in self.steps:
            if name == "see_log":
                chosen = np.flatnonzero((arguments[0]["sequence"] == sequence) & (arguments[0]["act"] == act))
                if len(chosen):
                    return arguments[0][chosen[0] : chosen[0] + 1]
        raise KeyError((sequence, act))

    def auditor(self) -> StreamAuditor:
        floors = None if self.floors is None else np.array(self.floors)
        terms = AccountTerms(
            np.array(self.opening), np.array(self.limits), np.array([False, False, False, True]), floors, NAMES
        )
        return StreamAuditor(terms, self.discipline, **self.of_matching)

    def verdict(self, stopped: bool = False) -> Verdict:
        auditor = self.auditor()
        for method, arguments in self.steps:
            getattr(auditor, method)(*arguments)
        return auditor.finish(stopped)

    def broken(self, stopped: bool = False) -> set[str]:
        return {rule for rule, count in self.verdict(stopped).rules.items() if count}


def make_day() -> Stream:
    """A day in which payments settle at once, queue, are released, refused, cancelled, returned and lent for."""
    day = Stream()
    day.tell("see_phase", 0, Phase.PREPARATION).tell("see_phase", 1, Phase.DAYTIME)
    day.flow(
        0,
        (10, 60, A, B, 7),  # 0: settles
        (20, 50, A, C, 7),  # 1: queues
        (21, 10, A, C, 7),  # 2: queues behind it
        (22, 5, A, B, 6),  # 3: settles at a higher level
        (30, 30, B, A, 7),  # 4: settles, and releases 1 and 2
        (40, 100, C, A, 7),  # 5: queues, is returned at the end
        (50, 1, C, B, 7, Refusal.DUPLICATE),  # 6: refused
        (55, 20, C, A, 7),  # 7: queues, is cancelled
    )
    day.log(
        (0, 10, Act.SETTLED),
        (1, 20, Act.QUEUED),
        (2, 21, Act.QUEUED),
        (3, 22, Act.SETTLED, 6),
        (A, 22, Act.WARNING_RAISED, 0),
        (4, 30, Act.SETTLED),
        (1, 30, Act.SETTLED, 7, 4),
        (2, 30, Act.SETTLED, 7, 4),
        (5, 40, Act.QUEUED),
        (6, 50, Act.REFUSED, 7, Cause.NONE, Refusal.DUPLICATE),
        (7, 55, Act.QUEUED),
        (7, 60, Act.CANCELLED),
    )
    day.tell("see_balances", 60, np.array([5, 85, 60, 0]), 1)
    day.tell("see_phase", 90, Phase.CUT_OFF)
    day.tell("see_bookings", [(8, C, PBC, 70, 2, "fee")])
    day.log((8, 90, Act.QUEUED, 2))
    day.tell("see_phase", 95, Phase.CLEARING_WINDOW)
    day.tell("see_bookings", [(9, PBC, C, 10, 5, "penalty")])
    day.log(
        (5, 100, Act.RETURNED, 7, Cause.NONE, Refusal.END_OF_DAY),
        (9, 100, Act.SETTLED, 5),
        (8, 100, Act.SETTLED, 2, Cause.PENALTY),
    )
    day.tell("see_phase", 100, Phase.END_OF_DAY)
    day.tell("end_of_day", 100, np.array([5, 85, 0, 60]), 0)
    return day


@pytest.fixture
def day() -> Stream:
    return make_day()


@pytest.fixture
def empty_stream() -> Stream:
    return Stream()


# tables -------------------------------------------------------------------------------------------------------

ARROW = {
    "i64": pa.int64(),
    "i8": pa.int8(),
    "date": pa.date32(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "id": pa.string(),
}
FIRST, SECOND = dt.date(2025, 6, 17), dt.date(2025, 6, 18)
NEXT = 86_400_000


def table_of(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """A documented table from rows that name only what is not null."""
    columns = [pa.array([row.get(column.name) for row in rows], ARROW[column.kind]) for column in TABLES[name]]
    return pa.Table.from_arrays(columns, [column.name for column in TABLES[name]])


def _payment(date: dt.date, sequence: int, times: tuple[Any, ...], move: tuple[Any, ...], end: tuple[Any, ...]) -> Any:
    instructed, settled, ended = times
    debtor, creditor, amount, level = move
    status, reason, iso, released = end
    priority = {1: "URGT", 6: "HIGH", 7: "NORM"}.get(level)
    return {
        "date": date, "sequence": sequence, "payment_id": f"P{sequence}", "system": "HVPS" if priority else "SAPS",
        "debtor": debtor, "creditor": creditor, "amount_fen": amount, "priority": priority, "level": level,
        "type": "A100", "instructed_ms": instructed, "submitted_ms": instructed, "settled_ms": settled,
        "ended_ms": ended, "status": status, "reason": reason, "reason_iso": iso, "released_by": released,
    }  # fmt: skip


def _payments() -> list[dict[str, Any]]:
    settled = ("PR04", None, None, None)
    own, window = "PBC-LENDING", (NEXT + 100,) * 2
    return [
        _payment(FIRST, 0, (10, 10, 10), ("A", "B", 60, 7), settled),
        _payment(FIRST, 1, (20, 30, 30), ("A", "C", 50, 7), ("PR04", None, None, "P4")),
        _payment(FIRST, 2, (21, 30, 30), ("A", "C", 10, 7), ("PR04", None, None, "P4")),
        _payment(FIRST, 3, (22, 22, 22), ("A", "B", 5, 6), settled),
        _payment(FIRST, 4, (30, 30, 30), ("B", "A", 30, 7), settled),
        _payment(FIRST, 5, (40, None, 50), ("C", "A", 100, 7), ("PR08", None, None, None)),
        _payment(SECOND, 6, (NEXT + 10, NEXT + 10, NEXT + 10), ("B", "A", 25, 1), settled),
        _payment(SECOND, 7, (NEXT + 20, None, NEXT + 20), ("B", "B", 1, 7), ("PR09", "RJ90", "RC01", None)),
        _payment(SECOND, 8, (NEXT + 30, None, NEXT + 100), ("B", "C", 900, 7), ("PR09", "RJ99", "AM04", None)),
        _payment(SECOND, 9, (NEXT + 90, *window), ("C", own, 70, 2), ("PR04", None, None, "penalty")),
    ]


def _transfer(
    date: dt.date,
    sequence: int,
    time: int,
    move: tuple[str, str, int, int],
    payment: int | None,
    matching: int | None = None,
) -> Any:
    debtor, creditor, amount, level = move
    return {
        "date": date, "sequence": sequence, "time_ms": time, "debtor": debtor, "creditor": creditor,
        "amount_fen": amount, "level": None if payment is None else level,
        "kind": "penalty" if payment is None else "fee" if payment == 9 else "payment",
        "payment_id": None if payment is None else f"P{payment}", "matching": matching,
    }  # fmt: skip


def _transfers() -> list[dict[str, Any]]:
    moves: list[tuple[dt.date, int, tuple[str, str, int, int], int | None]] = [
        (FIRST, 10, ("A", "B", 60, 7), 0),
        (FIRST, 22, ("A", "B", 5, 6), 3),
        (FIRST, 30, ("B", "A", 30, 7), 4),
        (FIRST, 30, ("A", "C", 50, 7), 1),
        (FIRST, 30, ("A", "C", 10, 7), 2),
        (SECOND, NEXT + 10, ("B", "A", 25, 1), 6),
        (SECOND, NEXT + 100, ("PBC-LENDING", "C", 10, 5), None),
        (SECOND, NEXT + 100, ("C", "PBC-LENDING", 70, 2), 9),
    ]
    return [_transfer(date, number, time, move, payment) for number, (date, time, move, payment) in enumerate(moves)]


def _account(date: dt.date, account: str, fen: tuple[int, ...], counts: tuple[int, int], loan: int = 0) -> Any:
    opening, closing, lowest, sent, received = fen
    return {
        "date": date, "account": account, "name": account, "owner": account, "opening_fen": opening,
        "kind": "central-bank" if account.startswith("PBC") else "city", "closing_fen": closing,
        "lowest_fen": lowest, "min_available_fen": lowest, "peak_overdraft_fen": max(0, -lowest),
        "peak_pledge_fen": 0, "penalty_loan_fen": loan, "overdraft_interest_fen": 0, "sent_fen": sent,
        "received_fen": received, "sent_count": counts[0], "received_count": counts[1], "status": "AS01",
    }  # fmt: skip


def _accounts() -> list[dict[str, Any]]:
    return [
        _account(FIRST, "A", (100, 5, 5, 125, 30), (4, 1)),
        _account(FIRST, "B", (50, 85, 50, 30, 65), (1, 2)),
        _account(FIRST, "C", (0, 60, 0, 0, 60), (0, 2)),
        _account(FIRST, "PBC-LENDING", (0, 0, 0, 0, 0), (0, 0)),
        _account(SECOND, "A", (5, 30, 5, 0, 25), (0, 1)),
        _account(SECOND, "B", (85, 60, 60, 25, 0), (1, 0)),
        _account(SECOND, "C", (60, 0, 0, 70, 10), (1, 1), loan=10),
        _account(SECOND, "PBC-LENDING", (0, 60, -10, 10, 70), (1, 1)),
    ]


def _series() -> list[dict[str, Any]]:
    samples = [
        (FIRST, 0, "A", 100), (FIRST, 20, "A", 40), (FIRST, 30, "A", 5), (FIRST, 30, "C", 60), (FIRST, 99, "B", 85),
        (SECOND, NEXT, "A", 5), (SECOND, NEXT + 10, "A", 30), (SECOND, NEXT + 100, "C", 0),
        (SECOND, NEXT + 100, "B", 60),
    ]  # fmt: skip
    rows = [
        {"date": date, "time_ms": time, "scope": scope, "measure": "balance_fen", "value": value}
        for date, time, scope, value in samples
    ]
    return [*rows, {"date": FIRST, "time_ms": 20, "scope": "HVPS", "measure": "queued_count", "value": 1}]


def _events() -> list[dict[str, Any]]:
    times = [0, 90, 95, NEXT, NEXT + 90, NEXT + 95, NEXT + 100]
    return [
        {"date": FIRST if t < NEXT else SECOND, "sequence": k, "time_ms": t, "kind": "phase", "subject": "HVPS",
         "detail": "another phase"}
        for k, t in enumerate(times)
    ]  # fmt: skip


@dataclass
class Tables:
    """The stored tables of two days, with a manifest that can be made to fit them after they were damaged."""

    tables: dict[str, Any]
    manifest: Any = None

    def change(self, table: str, row: int, **values: Any) -> Tables:
        """Put other values into one row; the manifest is made to fit."""
        rows = self.tables[table].to_pylist()
        rows[row].update(values)
        return self.replace(table, rows)

    def replace(self, table: str, rows: list[dict[str, Any]]) -> Tables:
        self.tables[table] = table_of(table, rows)
        return self.sign()

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.tables[table].to_pylist()  # type: ignore[no-any-return]

    def sign(self) -> Tables:
        """Write the manifest anew."""
        items = {}
        payments = self.tables["payments"]
        for system in payments["system"].unique().to_pylist():
            part = payments.filter(pa.array([value == system for value in payments["system"].to_pylist()]))
            amounts = part["amount_fen"].to_pylist()
            items[system] = {"count": len(part), "value_fen": sum(amounts), "checksum": item_checksum(part)}
        self.manifest = {
            "tables": {k: {"rows": len(t), "sha256": table_digest(t)} for k, t in self.tables.items()},
            "items": items,
        }
        return self

    def verdict(self, **options: Any) -> Verdict:
        return audit_tables(self.tables, self.manifest, **options)

    def broken(self, **options: Any) -> set[str]:
        return {rule for rule, count in self.verdict(**options).rules.items() if count}


def make_tables() -> Tables:
    """Two days: one ordinary, one whose clearing window returns a payment and lends at the penalty rate."""
    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "payments": _payments, "transfers": _transfers, "accounts": _accounts, "series": _series, "events": _events,
    }  # fmt: skip
    return Tables({name: table_of(name, rows()) for name, rows in makers.items()}).sign()


def make_matched_tables() -> Tables:
    """One day with three matchings: one that keeps the order, one that takes time and does not, one that fails.

    What the second leaves behind (P8) is released by the payment of its own debtor (P7) that the matching settled.
    """
    by = [("PR04", None, None, text) for text in ("matching:1", "P5", None, "matching:2", "P7")]
    first, fifth, none, second, own = by
    payments = [
        _payment(FIRST, 0, (10, 40, 40), ("A", "B", 10, 7), first),
        _payment(FIRST, 1, (20, 40, 40), ("B", "C", 10, 6), first),
        _payment(FIRST, 2, (21, 40, 40), ("C", "A", 10, 7), first),
        _payment(FIRST, 3, (22, 40, 40), ("A", "C", 4, 7), first),
        _payment(FIRST, 4, (23, 50, 50), ("B", "A", 3, 7), fifth),
        _payment(FIRST, 5, (50, 50, 50), ("C", "B", 3, 7), none),
        _payment(FIRST, 6, (55, 60, 60), ("A", "B", 10, 7), second),
        _payment(FIRST, 7, (56, 60, 60), ("B", "A", 8, 7), second),
        _payment(FIRST, 8, (57, 60, 60), ("B", "C", 2, 7), own),
        _payment(FIRST, 9, (65, None, 80), ("C", "A", 50, 7), ("PR08", None, None, None)),
    ]
    transfers = []
    for number, matching in ((0, 1), (3, 1), (1, 1), (2, 1), (5, None), (4, None), (6, 2), (7, 2), (8, None)):
        p = payments[number]
        move = (p["debtor"], p["creditor"], p["amount_fen"], p["level"])
        transfers.append(_transfer(FIRST, len(transfers), p["settled_ms"], move, number, matching))
    accounts = [
        _account(FIRST, "A", (4, 1, 0, 24, 21), (3, 3)),
        _account(FIRST, "B", (0, 0, 0, 23, 23), (4, 3)),
        _account(FIRST, "C", (0, 3, 0, 13, 16), (2, 3)),
        _account(FIRST, "PBC-LENDING", (0, 0, 0, 0, 0), (0, 0)),
    ]
    samples = [(40, "A", 0), (40, "C", 4), (50, "A", 3), (60, "A", 1), (60, "B", 0)]
    series = [{"date": FIRST, "time_ms": t, "scope": a, "measure": "balance_fen", "value": v} for t, a, v in samples]
    rows = {"payments": payments, "transfers": transfers, "accounts": accounts, "series": series, "matchings": [
        _matching(1, (40, 40), (5, 37), (4, 34, 34, 3)),
        _matching(2, (58, 60), (3, 20), (2, 18, None, 2)),
        _matching(3, (70, None), (1, 50), (0, 0, None, 0)),
    ]}  # fmt: skip
    return Tables({name: table_of(name, of_table) for name, of_table in rows.items()}).sign()


def _matching(number: int, times: tuple[Any, Any], considered: tuple[int, int], end: tuple[Any, ...]) -> Any:
    settled, settled_fen, bound, accounts = end
    return {
        "date": FIRST, "matching": number, "time_ms": times[0], "settled_ms": times[1], "trigger": "every",
        "algorithm": "multilateral", "considered": considered[0], "considered_fen": considered[1],
        "settled": settled, "settled_fen": settled_fen, "bound_fen": bound, "accounts": accounts,
    }  # fmt: skip


@pytest.fixture
def matched() -> Tables:
    return make_matched_tables()


@pytest.fixture
def stored() -> Tables:
    return make_tables()


@pytest.fixture
def tables_maker() -> Callable[[], Tables]:
    """Makes fresh tables, for tests that damage many."""
    return make_tables
