"""Retail items become rows of the table of payments by what the netting server's sparse log says, and by no more."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnaps_sim.audit.digest import item_checksum
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.netting_records import NET_LOG, RETAIL
from cnaps_sim.run.columns import schema
from cnaps_sim.run.retail.fates import Intervention, RetailFates, RoundEnd, UnitNames
from cnaps_sim.run.retail.parts import RetailPayments, by_date, retail_parts
from cnaps_sim.run.retail.totals import ItemTotals
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Cause, Refusal, Status, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import RetailChunk
from cnaps_sim.workload.retail_ids import generated_ids

DATES = [dt.date(2025, 6, 17), dt.date(2025, 6, 18)]
ACCOUNTS = ["A", "B", "C"]
HOUR = 3_600_000
NINE, FOUR = 9 * HOUR, 16 * HOUR
CREDIT, ONLINE = RetailKind.ORDINARY_CREDIT, RetailKind.IBPS_CREDIT
#: The rounds of a day: one at 09:00 and the last; the log has no entry when they end.
ROUNDS = [RoundEnd(NINE, False, 0), RoundEnd(FOUR, True, 0)]
REFUSALS = [Refusal.PAYEE_BANK, Refusal.TIMED_OUT, Refusal.STOPPED, Refusal.FORMAT]


def chunk(rows: list[tuple[Any, ...]], before: RetailChunk | None = None, **given: Any) -> RetailChunk:
    """Units (time, amounts of the items, debtor, creditor, kind[, refusal]) after those of the chunk before."""
    records = np.zeros(len(rows), RETAIL)
    for record, (time_ms, amounts, debtor, creditor, kind, *refusal) in zip(records, rows, strict=True):
        told = (time_ms, sum(amounts), 40, debtor, creditor, len(amounts), kind, *(refusal or [0]))
        for name, value in zip(RETAIL.names or (), told, strict=True):
            record[name] = value
    date_index, ids, first_number = given.get("date_index", 0), given.get("ids"), given.get("first_number", 1)
    is_ibps = np.repeat(records["kind"] >= RetailKind.IBPS_CREDIT, records["items"])
    return RetailChunk(
        number=0,
        date_index=date_index,
        begins_ms=0,
        ends_ms=0,
        rows=records,
        first_unit=0 if before is None else before.first_unit + len(before.rows),
        first_item=0 if before is None else before.first_item + len(before.amounts),
        amounts=np.array([amount for row in rows for amount in row[1]], np.int64),
        first_number=first_number if ids is None else None,
        _ids=lambda: pa.array(ids) if ids else generated_ids(DATES[date_index], first_number, is_ibps),
        on_behalf_of=given.get("on_behalf_of"),
    )


def entries(*told: tuple[int, int, Act, int, Refusal]) -> Any:
    """Entries (unit, time, act, cause, refusal)."""
    log = np.zeros(len(told), NET_LOG)
    for entry, (unit, time_ms, act, cause, refusal) in zip(log, told, strict=True):
        entry["unit"], entry["time_ms"], entry["act"], entry["cause"] = unit, time_ms, act, cause
        entry["refusal"] = refusal
    return log


def table(
    chunks: list[RetailChunk],
    log: Any = None,
    rounds: list[RoundEnd] = ROUNDS,
    interventions: tuple[Intervention, ...] = (),
    recorded: tuple[System, ...] = (System.BEPS, System.IBPS),
) -> tuple[pa.Table, ItemTotals]:
    """The rows of these units, and their totals."""
    log = entries() if log is None else log
    fates = RetailFates(log, rounds, interventions)
    payments = RetailPayments(fates, UnitNames.collect(chunks, log), ACCOUNTS, DATES, 100)
    totals = ItemTotals(ACCOUNTS, DATES)
    parts = list(retail_parts(chunks, fates, totals, payments, recorded))
    return pa.concat_tables([schema("payments").empty_table(), *parts]), totals


def test_a_row_that_the_log_does_not_mention_ends_as_it_says_itself() -> None:
    rows = [(NINE, [1], 0, 1, ONLINE, refusal) for refusal in (Refusal.NONE, *REFUSALS)]
    payments, _ = table([chunk(rows)])
    assert payments.schema == schema("payments")
    told = [(row["status"], row["reason"], row["reason_iso"]) for row in payments.to_pylist()]
    assert told == [
        ("PR03", None, None),
        ("PR09", "RJ95", "AC06"),
        ("PR32", "RJ90", "AB05"),
        ("PR21", None, None),
        ("PR09", "RJ90", "FF01"),
    ]
    assert payments["ended_ms"].to_pylist() == [NINE] * 4 + [NINE - 40], "its form was known when it was sent"
    assert payments["netted_ms"].to_pylist() == [NINE] + [None] * 4
    assert payments["round"].to_pylist() == [1] + [None] * 4


def test_every_item_of_a_package_has_a_row_of_its_own() -> None:
    first = chunk([(10, [3, 4], 0, 1, CREDIT), (20, [5], 2, 0, ONLINE)])
    second = chunk([(30, [6], 1, 2, CREDIT)], first, date_index=1)
    rows = table([first, second])[0].to_pylist()
    told = [(row["date"], row["sequence"], row["payment_id"], row["system"], row["amount_fen"]) for row in rows]
    assert told == [
        (DATES[0], 100, "B20250617000000001", "BEPS", 3),
        (DATES[0], 101, "B20250617000000002", "BEPS", 4),
        (DATES[0], 102, "I20250617000000003", "IBPS", 5),
        (DATES[1], 103, "B20250618000000001", "BEPS", 6),
    ]
    assert (rows[2]["debtor"], rows[2]["creditor"], rows[2]["type"]) == ("C", "A", "ICRD")
    assert (rows[2]["instructed_ms"], rows[2]["submitted_ms"], rows[2]["netted_ms"]) == (-20, -20, 20)
    assert {row["level"] for row in rows} == {row["priority"] for row in rows} == {None}


def test_a_round_takes_its_own_millisecond_but_the_last_one_does_not() -> None:
    instants = [NINE - 1, NINE, NINE + 1, FOUR - 1, FOUR]
    rounds = [*ROUNDS, RoundEnd(NINE + 24 * HOUR, False, 0)]
    payments, _ = table([chunk([(time_ms, [1], 0, 1, ONLINE) for time_ms in instants])], rounds=rounds)
    assert payments["round"].to_pylist() == [1, 1, 2, 2, 3]
    assert table([chunk([(FOUR, [1], 0, 1, ONLINE)])])[0]["round"].to_pylist() == [None]


def test_what_the_log_tells_counts_in_the_round_in_which_it_was_written() -> None:
    """At 16:00 the last matching comes before the round, and what the posted nets release after it."""
    units = [(10, [1], 0, 1, CREDIT), (20, [1], 0, 1, CREDIT)]
    log = entries(
        (0, 10, Act.QUEUED, Cause.NONE, Refusal.NONE),
        (1, 20, Act.QUEUED, Cause.NONE, Refusal.NONE),
        (0, FOUR, Act.NETTED, MATCHING_CAUSE - 7, Refusal.NONE),
        (1, FOUR, Act.NETTED, Cause.ROUND, Refusal.NONE),
    )
    rounds = [RoundEnd(NINE, False, 2), RoundEnd(FOUR, True, 3), RoundEnd(FOUR + HOUR, False, 4)]
    rows = table([chunk(units)], log, rounds)[0].to_pylist()
    assert [(row["round"], row["released_by"]) for row in rows] == [(2, "matching:7"), (3, "round")]


def test_the_last_entry_of_a_unit_is_its_end() -> None:
    units = [(10 * number, [1, 2], 0, 1, CREDIT) for number in range(5)]
    log = entries(
        *[(unit, 10 * unit, Act.QUEUED, Cause.NONE, Refusal.NONE) for unit in range(4)],
        (2, 60, Act.CANCELLED, Cause.NONE, Refusal.NONE),
        (1, 70, Act.NETTED, 4, Refusal.NONE),
        (3, FOUR, Act.CANCELLED, Cause.NONE, Refusal.CAP_QUEUE_CLOSED),
    )
    rows = table([chunk(units)], log)[0].to_pylist()[::2]
    assert [row["status"] for row in rows] == ["PR11", "PR03", "PR08", "PR08", "PR03"]
    assert [row["reason"] for row in rows] == [None, None, None, "RJ94", None]
    assert [row["ended_ms"] for row in rows] == [None, 70, 60, FOUR, 40]
    assert [row["released_by"] for row in rows] == [None, "B20250617000000009", None, None, None]


def test_a_unit_may_be_released_by_one_of_a_later_chunk() -> None:
    first = chunk([(10, [1], 0, 1, CREDIT), (11, [1], 0, 1, CREDIT)])
    second = chunk([(20, [1, 1], 1, 0, CREDIT), (30, [1], 1, 0, ONLINE)], first, first_number=3)
    queued = entries(*[(unit, 10 + unit, Act.QUEUED, Cause.NONE, Refusal.NONE) for unit in (0, 1)])
    freed = entries((0, 30, Act.NETTED, 3, Refusal.NONE), (1, 30, Act.NETTED, 0, Refusal.NONE))
    log = np.concatenate([queued, freed])
    payments, _ = table([first, second], log)
    assert payments["released_by"].to_pylist() == ["I20250617000000005", "B20250617000000001", None, None, None]
    noted = UnitNames()
    noted.see(first, queued)
    noted.see(second, freed)
    whole = UnitNames.collect([first, second], log)
    causes = np.array([MATCHING_CAUSE - 2, Cause.LIMIT, 0, 3])
    assert noted.words(causes) == whole.words(causes) == [
        "matching:2", "limit", "B20250617000000001", "I20250617000000005"
    ]  # fmt: skip


def test_an_item_that_was_sent_back_stays_netted() -> None:
    units = chunk([(10, [1, 2], 0, 1, CREDIT), (20, [4], 0, 1, ONLINE), (30, [8, 16], 0, 1, CREDIT)])
    told = (Intervention(2, 1, Status.PR23, 500), Intervention(1, None, Status.PR22, 600))
    payments, totals = table([units], interventions=told)
    assert payments["status"].to_pylist() == ["PR03", "PR03", "PR22", "PR03", "PR23"]
    assert payments["ended_ms"].to_pylist() == [10, 10, 600, 30, 500]
    assert payments["netted_ms"].to_pylist() == [10, 10, 20, 30, 30]
    assert totals.outcomes()["BEPS"]["settled"] == {"count": 4, "value_fen": 27}


def test_a_stopped_unit_ends_when_it_is_stopped_unless_another_rule_refuses_it_first() -> None:
    stopped = [(time_ms, [1, 2], 0, 1, CREDIT, Refusal.STOPPED) for time_ms in (10, 20)]
    log = entries((1, 20, Act.REFUSED, Cause.NONE, Refusal.CLOSED_ACCOUNT))
    told = tuple(Intervention(unit, None, Status.PR21, 5) for unit in (0, 1))
    rows = table([chunk(stopped)], log, interventions=told)[0].to_pylist()[::2]
    assert [(row["status"], row["reason_iso"], row["ended_ms"]) for row in rows] == [
        ("PR21", None, 5), ("PR09", "AC04", 20)
    ]  # fmt: skip


def test_indirect_participants_are_told() -> None:
    behind = pa.array(["X", None, "Y"]).dictionary_encode()
    payments, _ = table([chunk([(10, [1, 2], 0, 1, CREDIT), (20, [4], 0, 1, ONLINE)], on_behalf_of=behind)])
    assert payments["on_behalf_of"].to_pylist() == ["X", None, "Y"]


def test_given_ids_are_told_and_hashed() -> None:
    ids = ["one", "第二", "a much longer id of a bank"]
    payments, totals = table([chunk([(10, [1, 2], 0, 1, CREDIT), (20, [4], 0, 1, CREDIT)], ids=ids)])
    assert payments["payment_id"].to_pylist() == ids
    assert totals.as_manifest()["BEPS"]["checksum"] == item_checksum(payments)


@pytest.mark.parametrize("first_number", [1, 9_997, 99_998, 123_459_998])
def test_numbers_are_hashed_as_the_ids_they_make(first_number: int) -> None:
    """Across every carry of the digits."""
    units = [(10 * unit, [unit + 1], unit % 3, (unit + 1) % 3, 6 * (unit % 2), unit % 21) for unit in range(40)]
    payments, totals = table([chunk(units, first_number=first_number)])
    for system in ("BEPS", "IBPS"):
        own = payments.filter(pa.compute.equal(payments["system"].cast(pa.string()), system))
        assert totals.as_manifest()[system]["checksum"] == item_checksum(own)


def test_large_values_are_summed_exactly() -> None:
    _, totals = table([chunk([(10, [2**62], 0, 1, ONLINE)] * 3)])
    assert totals.as_manifest()["IBPS"]["value_fen"] == 3 * 2**62


def test_items_that_are_not_recorded_count_the_same() -> None:
    chunks, log, rounds = random_day(3, log_all=False)
    whole, counted = table(chunks, log, rounds)
    beps, of_beps = table(chunks, log, rounds, recorded=(System.BEPS,))
    none, of_none = table(chunks, log, rounds, recorded=())
    assert beps.to_pylist() == [row for row in whole.to_pylist() if row["system"] == "BEPS"]
    assert none.num_rows == 0
    assert counted.as_manifest() == of_beps.as_manifest() == of_none.as_manifest()
    assert counted.outcomes() == of_none.outcomes()


def random_day(seed: int, log_all: bool) -> tuple[list[RetailChunk], Any, list[RoundEnd]]:
    """Units of a day with every kind and refusal as the netting server plays them: scarce caps, a cap raised at noon,
    a matching, then the last round, whose posting releases some; the rest is cancelled."""
    rng = np.random.default_rng(seed)
    netting = Netting([{"cap": 500}] * 3, log_all=log_all)
    chunks: list[RetailChunk] = []
    logs = []
    for hour in range(8, 16):
        rows = []
        for time_ms in np.sort(rng.integers(hour * HOUR, (hour + 1) * HOUR, 30)).tolist():
            kind = int(rng.integers(8))
            amounts = rng.integers(1, 150, 1 if kind >= ONLINE else int(rng.integers(1, 4))).tolist()
            debtor, creditor = rng.permutation(3)[:2].tolist()
            rows.append((time_ms, amounts, debtor, creditor, kind, int(rng.choice(REFUSALS)) * (rng.random() < 0.1)))
        last = chunks[-1] if chunks else None
        chunks.append(chunk(rows, last, first_number=1 + (last.first_item + len(last.amounts) if last else 0)))
        assert netting.advance(chunks[-1].rows, 0, 2**62, chunks[-1].first_unit) == len(rows)
        if hour == 12:
            netting.set_cap(13 * HOUR, 0, 900)
        logs.append(netting.drain_log())
    netting.match(FOUR, 1)
    logs.append(netting.drain_log())
    nets = netting.close_round().tolist()
    rounds = [RoundEnd(FOUR, True, sum(map(len, logs))), RoundEnd(FOUR + HOUR, False, 2**62)]
    for row, net in enumerate(nets):
        netting.net_posted(FOUR, row, net)
    netting.cancel_queue(FOUR)
    return chunks, np.concatenate([*logs, netting.drain_log()]), rounds


@pytest.mark.parametrize("seed", range(5))
def test_the_sparse_log_says_as_much_as_the_whole_one(seed: int) -> None:
    chunks, log, rounds = random_day(seed, log_all=False)
    _, whole_log, whole_rounds = random_day(seed, log_all=True)
    sparse, totals = table(chunks, log, rounds)
    whole, _ = table(chunks, whole_log, whole_rounds)
    assert len(log) < len(whole_log)
    assert sparse.to_pylist() == whole.to_pylist()
    words = Counter(row["released_by"] is not None for row in sparse.to_pylist())
    assert words[True] > 20, "without units that were released by others this shows little"
    for system in ("BEPS", "IBPS"):
        own = sparse.filter(pa.compute.equal(sparse["system"].cast(pa.string()), system))
        assert totals.as_manifest()[system] == {
            "count": own.num_rows,
            "value_fen": sum(own["amount_fen"].to_pylist()),
            "checksum": item_checksum(own),
        }


def test_of_each_date_large_value_payments_come_first() -> None:
    """Also of dates that have only the one or the other."""
    days = [DATES[0] + dt.timedelta(days=step) for step in range(4)]

    def some(name: str, day: dt.date) -> pa.Table:
        column = {"date": pa.array([day], pa.date32()), "payment_id": pa.array([name])}
        return pa.table([column.get(f.name, pa.nulls(1, f.type)) for f in schema("payments")], schema("payments"))

    settled = pa.concat_tables([some("h0", days[0]), some("h0b", days[0]), some("h2", days[2]), some("h3", days[3])])
    retail = [some("r0", days[0]), some("r0b", days[0]), some("r1", days[1]), some("r2", days[2])]
    told = [name for part in by_date(settled, retail) for name in part["payment_id"].to_pylist()]
    assert told == ["h0", "h0b", "r0", "r0b", "r1", "h2", "r2", "h3"]
    assert [part.num_rows for part in by_date(settled.slice(0, 0), [])] == [0]
