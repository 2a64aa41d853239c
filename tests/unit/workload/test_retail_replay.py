"""Recorded items of BEPS and IBPS: packages, replies, clients' lines, and streams merged into one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay, retail_days
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, format_clock
from cnaps_sim.workload.population import national_accounts
from cnaps_sim.workload.retail_chunk import RetailStream
from cnaps_sim.workload.retail_items import RetailItems, items_from_rows, read_items
from cnaps_sim.workload.retail_merge import merged
from cnaps_sim.workload.retail_replay import ReplayedRetail
from cnaps_sim.workload.retail_stream import GeneratedRetail
from cnaps_sim.workload.retail_terms import BepsTerms, ClientLine, IbpsTerms, RetailTerms, Volume

BEPS, IBPS = System.BEPS, System.IBPS
DATE = dt.date(2025, 6, 17)
ACCOUNTS = {"A": 0, "B": 1, "C": 2}
NAMES = list(ACCOUNTS)
HEADER = "payment_id,time,debtor,creditor,amount,type,package"
#: Every reply is yes, and takes its median.
CERTAIN = RetailTerms(
    beps=BepsTerms(
        refused_share=Decimal(0), unanswered_share=Decimal(0), realtime_sigma=Decimal(0), reply_sigma=Decimal(0)
    ),
    ibps=IbpsTerms(refused_share=Decimal(0), unanswered_share=Decimal(0), reply_sigma=Decimal(0)),
)
NEVER = RetailTerms(
    beps=BepsTerms(refused_share=Decimal(0), unanswered_share=Decimal(1)),
    ibps=IbpsTerms(refused_share=Decimal(0), unanswered_share=Decimal(1)),
)
NO = RetailTerms(
    beps=BepsTerms(refused_share=Decimal(1), unanswered_share=Decimal(0)),
    ibps=IbpsTerms(refused_share=Decimal(1), unanswered_share=Decimal(0)),
)


def days_from(first: str = "2025-06-17", count: int = 1) -> tuple[RetailDay, ...]:
    return retail_days(Timetable(dt.date.fromisoformat(first), count, Calendar()))


def item(
    payment_id: str, time: str = "10:00", debtor: str = "A", creditor: str = "B", amount: str = "5", **more: str
) -> dict[str, str]:
    return {
        "payment_id": payment_id,
        "time": time,
        "debtor": debtor,
        "creditor": creditor,
        "amount": amount,
        **more,
    }


def source(
    rows: Sequence[Mapping[str, object]], system: System = BEPS, name: str = "0", date: dt.date = DATE
) -> RetailItems:
    return items_from_rows(rows, ACCOUNTS, date, system, name)


def replay(
    *rows: Mapping[str, object],
    system: System = BEPS,
    days: Sequence[RetailDay] | None = None,
    terms: RetailTerms = CERTAIN,
    clients: Sequence[ClientLine] = (),
) -> ReplayedRetail:
    days = days or days_from()
    return ReplayedRetail([source(rows, system, date=days[0].date)], days, Streams(1), terms, clients)


def told(stream: RetailStream) -> list[tuple[str, str, str, int, str]]:
    """Units in order: time, kind, refusal, fen, ids of the items."""
    found = []
    for chunk in stream.chunks():
        ids = chunk.ids().to_pylist()
        assert len(ids) == len(chunk.amounts)
        at = 0
        for row in chunk.rows:
            assert chunk.begins_ms <= row["time_ms"] < chunk.ends_ms
            own = slice(at, at + int(row["items"]))
            assert int(chunk.amounts[own].sum()) == row["amount"]
            found.append(
                (
                    format_clock(row["time_ms"]),
                    RetailKind(row["kind"]).code,
                    Refusal(row["refusal"]).name,
                    int(row["amount"]),
                    " ".join(ids[own]),
                )
            )
            at = own.stop
        assert at == len(ids)
    return found


def test_rows_with_one_package_id_are_one_unit_and_a_row_without_is_its_own() -> None:
    stream = replay(
        item("p1", package="K"), item("p2", amount="1"), item("p3", package="K", amount="7.50"), item("p4", package="")
    )
    assert told(stream) == [
        ("10:00:00", "BCRD", "NONE", 1250, "p1 p3"),
        ("10:00:00", "BCRD", "NONE", 100, "p2"),
        ("10:00:00", "BCRD", "NONE", 500, "p4"),
    ]
    assert (stream.unit_count, stream.item_count) == (3, 4)


@pytest.mark.parametrize(
    "other",
    [{"time": "10:01"}, {"debtor": "C"}, {"creditor": "C"}, {"type": "BREG"}],
    ids=lambda other: next(iter(other)),
)
def test_every_item_of_a_package_whose_items_differ_is_refused_for_its_form(other: dict[str, str]) -> None:
    units = told(replay(item("p1", package="K"), {**item("p2", package="K"), **other}, item("p3")))
    assert sorted((ids, refusal) for _, _, refusal, _, ids in units) == [
        ("p1", "FORMAT"),
        ("p2", "FORMAT"),
        ("p3", "NONE"),
    ]


def test_a_package_over_its_limit_is_refused_whole_for_its_form() -> None:
    terms = RetailTerms(beps=BepsTerms(package_limit=2))
    rows = [item(f"{package}{n}", package=package) for package, size in (("K", 2), ("L", 3)) for n in range(size)]
    units = told(replay(*rows, terms=terms))
    assert [unit[2:] for unit in units] == [("NONE", 1000, "K0 K1"), ("FORMAT", 1500, "L0 L1 L2")]


@pytest.mark.parametrize(
    ("date", "amount", "refusal"),
    [
        ("2010-08-31", "20000", "NONE"),
        ("2010-08-31", "20000.01", "AMOUNT"),
        ("2010-09-01", "50000", "NONE"),
        ("2019-08-30", "50000.01", "AMOUNT"),
        ("2019-09-02", "1000000", "NONE"),
        ("2025-06-17", "1000000.01", "AMOUNT"),
    ],
)
def test_a_credit_over_the_limit_of_its_date_refuses_its_package(date: str, amount: str, refusal: str) -> None:
    days = days_from(date)
    units = told(replay(item("p1", package="K"), item("p2", package="K", amount=amount), days=days))
    assert [unit[2] for unit in units] == [refusal]


def test_the_limit_of_a_credit_is_that_of_the_retail_date_which_begins_the_evening_before() -> None:
    days = days_from("2019-08-30", 2)  # a Friday, and Monday 2 September
    evening = item("p1", time="2019-08-31T16:00", amount="50000.01")
    afternoon = item("p2", time="2019-08-31T15:59", amount="50000.01")
    assert [(unit[2], unit[4]) for unit in told(replay(evening, afternoon, days=days))] == [
        ("AMOUNT", "p2"),
        ("NONE", "p1"),
    ]


def test_a_debit_has_no_limit_of_amount() -> None:
    assert told(replay(item("p1", amount="2000000", type="BRTD")))[0][2] == "NONE"


def test_the_form_goes_before_the_currency_and_the_currency_before_the_amount() -> None:
    units = told(
        replay(
            item("p1", currency="USD", package="K"),
            item("p2", time="11:00", package="K"),
            item("p3", currency="USD", amount="2000000"),
            item("p4", time="2026-01-01T10:00", amount="2000000"),
        )
    )
    assert [(unit[4], unit[2]) for unit in units] == [
        ("p1", "FORMAT"),
        ("p3", "NO_BOOK"),
        ("p2", "FORMAT"),
        ("p4", "AMOUNT"),
    ]


def test_what_is_sent_outside_the_retail_dates_stands_refused_at_the_nearest_instant_inside_with_its_own_time() -> None:
    stream = replay(
        item("late", time="16:00"),
        item("early", time="2025-06-16T15:59:59.999"),
        item("first", time="2025-06-16T16:00"),
        item("last", time="15:59:59.999", type="BCRD"),
    )
    assert [(unit[0], unit[2], unit[4]) for unit in told(stream)] == [
        ("T-1 16:00:00", "OUT_OF_HOURS", "early"),
        ("T-1 16:00:00", "NONE", "first"),
        ("15:59:59.999", "OUT_OF_HOURS", "late"),
        ("15:59:59.999", "NONE", "last"),
    ]
    assert (stream.rows["time_ms"] - stream.rows["lag_ms"]).tolist() == [
        -8 * MS_PER_HOUR - 1,
        -8 * MS_PER_HOUR,
        16 * MS_PER_HOUR,
        16 * MS_PER_HOUR - 1,
    ]


def test_a_time_years_away_is_kept_to_the_millisecond() -> None:
    stream = replay(item("p1", time="1925-06-17T10:00:00.001"), item("p2", time="2125-06-17T10:00"))
    sent = dt.datetime.combine(DATE, dt.time()) - dt.datetime(1925, 6, 17, 10, 0, 0, 1000)
    assert int(stream.rows["time_ms"][0] - stream.rows["lag_ms"][0]) == -sent // dt.timedelta(milliseconds=1)
    assert stream.rows["refusal"].tolist() == [Refusal.OUT_OF_HOURS] * 2


@pytest.mark.parametrize(
    ("kind", "system", "time"),
    [
        ("BCRD", BEPS, "10:00:00"),
        ("BREG", BEPS, "10:00:00"),
        ("BRTC", BEPS, "10:00:01.200"),
        ("BRTD", BEPS, "10:00:01.200"),
        ("BDBT", BEPS, "14:00:00"),
        ("BRGD", BEPS, "14:00:00"),
        ("ICRD", IBPS, "10:00:00.800"),
        ("IDBT", IBPS, "10:00:00.800"),
    ],
)
def test_a_unit_stands_at_its_reply_where_it_has_one(kind: str, system: System, time: str) -> None:
    stream = replay(item("p1", type=kind), system=system)
    assert told(stream)[0][:3] == (time, kind, "NONE")
    assert format_clock(int(stream.rows[0]["time_ms"] - stream.rows[0]["lag_ms"])) == "10:00:00"


@pytest.mark.parametrize(
    ("kind", "system", "refusal"),
    [
        ("BCRD", BEPS, "NONE"),
        ("BRTC", BEPS, "PAYEE_BANK"),
        ("BRTD", BEPS, "PAYER_BANK"),
        ("ICRD", IBPS, "PAYEE_BANK"),
        ("IDBT", IBPS, "PAYER_BANK"),
    ],
)
def test_a_credit_is_refused_by_the_bank_of_its_payee_a_debit_by_that_of_its_payer(
    kind: str, system: System, refusal: str
) -> None:
    assert told(replay(item("p1", type=kind), system=system, terms=NO))[0][2] == refusal


@pytest.mark.parametrize(
    ("kind", "system", "expires"),
    [("BRTC", BEPS, "10:01:00"), ("ICRD", IBPS, "10:00:20"), ("BDBT", BEPS, "T+7 10:00:00")],
)
def test_what_nobody_answers_expires_when_its_limit_runs_out(kind: str, system: System, expires: str) -> None:
    days = days_from("2025-06-17", 8)
    units = told(replay(item("p1", type=kind), system=system, terms=NEVER, days=days))
    assert units == [(expires, kind, "TIMED_OUT", 500, "p1")]


@pytest.mark.parametrize("terms", [CERTAIN, NO, NEVER], ids=["agreed", "refused", "never answered"])
def test_what_waits_for_its_reply_when_the_run_ends_is_open_in_its_last_millisecond(terms: RetailTerms) -> None:
    units = told(replay(item("p1", time="15:00", type="BDBT"), item("p2", "15:59:59.990", type="BRTC"), terms=terms))
    assert [(unit[0], unit[2]) for unit in units] == [("15:59:59.999", "UNANSWERED")] * 2


def test_a_reply_or_a_limit_in_the_last_millisecond_is_still_of_the_run() -> None:
    answered = told(replay(item("p1", time="15:59:58.799", type="BRTC")))
    expired = told(replay(item("p1", time="15:58:59.999", type="BRTC"), terms=NEVER))
    assert [(unit[0], unit[2]) for unit in answered + expired] == [
        ("15:59:59.999", "NONE"),
        ("15:59:59.999", "TIMED_OUT"),
    ]


def test_replies_are_drawn_with_their_shares_and_depend_on_nothing_else() -> None:
    rows = [item(f"p{n}") for n in range(20_000)]
    units = replay(*rows, system=IBPS, terms=RetailTerms()).rows
    assert (units["refusal"] == Refusal.PAYEE_BANK).mean() == pytest.approx(0.002, abs=0.001)
    assert (units["refusal"] == Refusal.TIMED_OUT).mean() == pytest.approx(0.0005, abs=0.0005)
    answered = units["lag_ms"][units["refusal"] != Refusal.TIMED_OUT]
    assert np.median(answered) == pytest.approx(800, rel=0.05)
    assert 1 <= answered.min() <= answered.max() < 20_000
    fewer = ReplayedRetail(
        [source(rows[:50], IBPS), source([item("q")], IBPS, "1")], days_from(), Streams(1), RetailTerms()
    )
    lags = dict(zip(fewer.payment_ids.to_pylist(), fewer.rows["lag_ms"], strict=True))
    first = replay(*rows, system=IBPS, terms=RetailTerms())
    of_all = dict(zip(first.payment_ids.to_pylist(), first.rows["lag_ms"], strict=True))
    del lags["q"]
    assert {payment_id: of_all[payment_id] for payment_id in lags} == lags


def test_a_payment_to_oneself_waits_for_nobody() -> None:
    assert told(replay(item("p1", creditor="A"), system=IBPS, terms=NO)) == [("10:00:00", "ICRD", "NONE", 500, "p1")]


def client_of(direct: int = 0, value: int = 1_000, credit_line: int = 500) -> ClientLine:
    return ClientLine("Z", direct, value, credit_line)


def test_a_client_sends_up_to_its_value_and_credit_line_in_each_date() -> None:
    rows = [
        item("p1", time="09:00", amount="10", on_behalf_of="Z"),
        item("p2", time="09:01", amount="5.01", on_behalf_of="Z"),
        item("p3", time="09:02", amount="5", on_behalf_of="Z"),
        item("p4", time="09:03", amount="99", on_behalf_of="another"),
        item("p5", time="16:30", amount="15", on_behalf_of="Z"),
        item("p6", time="16:31", amount="0.01", on_behalf_of="Z"),
    ]
    units = told(replay(*rows, clients=[client_of()], days=days_from(count=2)))
    assert [unit[2] for unit in units] == ["NONE", "PAYER_BANK", "NONE", "NONE", "NONE", "PAYER_BANK"]


def test_a_package_over_the_line_of_a_client_is_refused_whole() -> None:
    rows = [
        item("p1", amount="10", package="K", on_behalf_of="Z"),
        item("p2", amount="6", package="K", on_behalf_of="Z"),
    ]
    assert [unit[2:] for unit in told(replay(*rows, clients=[client_of()]))] == [("PAYER_BANK", 1600, "p1 p2")]


def test_the_line_of_a_client_holds_over_all_sources_in_order_of_time() -> None:
    online = source([item("i1", time="09:00", amount="10", on_behalf_of="Z")], IBPS, "1")
    bulk = source([item("b1", time="10:00", amount="10", on_behalf_of="Z")], BEPS, "0")
    stream = ReplayedRetail([bulk, online], days_from(), Streams(1), CERTAIN, [client_of()])
    assert [(unit[4], unit[2]) for unit in told(stream)] == [("i1", "NONE"), ("b1", "PAYER_BANK")]


def test_a_credit_over_the_line_is_refused_when_it_is_sent_a_debit_when_it_is_answered() -> None:
    rows = [
        item("p1", amount="20", type="BRTC", on_behalf_of="Z"),
        item("p2", amount="20", type="BRTD", on_behalf_of="Z"),
    ]
    stream = replay(*rows, clients=[client_of()])
    assert [(unit[0], unit[2]) for unit in told(stream)] == [
        ("10:00:00", "PAYER_BANK"),
        ("10:00:01.200", "PAYER_BANK"),
    ]
    assert stream.rows["lag_ms"].tolist() == [0, 1200]


def test_the_client_of_another_bank_is_a_mistake() -> None:
    with pytest.raises(InputError, match=r"scenario: on_behalf_of: a client of another participant \(Z\)"):
        replay(item("p1", on_behalf_of="Z"), clients=[client_of(direct=1)])


def test_principals_stand_by_their_items() -> None:
    stream = replay(item("p1", time="11:00", on_behalf_of="Z"), item("p2", time="10:00"))
    columns = [chunk.on_behalf_of for chunk in stream.chunks()]
    found = [name for column in columns if column is not None for name in column.to_pylist()]
    assert found == [None, "Z"]


def fault(path: Path, text: str, system: System = BEPS) -> str:
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_items(path, ACCOUNTS, DATE, system, "0")
    return str(error.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{HEADER}\np1,10:00,A,B,1,BCRD,\np2,10:00,A,B,1,ICRD,\n",
            "p.csv:3: type: no kind of payment of BEPS (ICRD); allowed: BCRD, BRTC, BREG, BDBT, BRTD, BRGD",
        ),
        (f"{HEADER}\np1,10:00,A,B,1,,\np1,10:00,A,B,1,,\n", "p.csv:3: payment_id: already used at p.csv:2 (p1)"),
        (f"{HEADER}\np1,10:00,A,X,1,,\n", "p.csv:2: creditor: unknown account (X); allowed: C, B, A"),
        (
            f"{HEADER},priority\np1,10:00,A,B,1,,,HIGH\n",
            "p.csv:2: priority: payments of BEPS have no other priority (HIGH); allowed: NORM",
        ),
        (
            f"{HEADER},due\np1,10:00,A,B,1,,,11:00\n",
            "p.csv:2: due: payments of BEPS are due at no time (11:00); allowed: an empty cell",
        ),
        (
            f"{HEADER},system\np1,10:00,A,B,1,,,IBPS\n",
            "p.csv:2: system: not the system these payments are for (IBPS); allowed: BEPS",
        ),
        (
            "payment_id,time,debtor,creditor,amount,pack\n",
            "p.csv:1: pack: unknown column; allowed: package, payment_id, type",
        ),
    ],
)
def test_a_fault_of_a_file_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    assert fault(tmp_path / "p.csv", text) == words


def test_ibps_knows_no_packages(tmp_path: Path) -> None:
    text = f"{HEADER}\np1,10:00,A,B,1,,\np2,10:00,A,B,1,ICRD,K\n"
    words = "p.csv:3: package: IBPS knows no packages (K); allowed: an empty cell"
    assert fault(tmp_path / "p.csv", text, IBPS) == words


def test_an_id_in_two_sources_is_a_mistake() -> None:
    with pytest.raises(InputError, match=r"scenario: payment_id: already used at scenario \(p1\)"):
        ReplayedRetail([source([item("p1")]), source([item("p1")], IBPS, "1")], days_from(), Streams(1))


def generated(count: int = 3_000) -> GeneratedRetail:
    volumes = {BEPS: Volume(count, count * 4_000_000), IBPS: Volume(count, count * 1_600_000)}
    return GeneratedRetail(national_accounts(20).size, days_from(), volumes, Calendar(), Streams(1))


def test_merged_streams_stand_in_order_of_time_beps_before_ibps_then_in_order_of_the_list() -> None:
    days = days_from()
    streams = [
        ReplayedRetail([source([item("i1", time="16:00", debtor="B")], IBPS, "1")], days, Streams(1)),
        ReplayedRetail([source([item("b1", package="K"), item("b2", package="K"), item("b3")])], days, Streams(1)),
        ReplayedRetail(
            [source([item("i2", creditor="A"), item("i3", "10:00:01", creditor="A")], IBPS)], days, Streams(1)
        ),
        ReplayedRetail([source([item("b4")])], days, Streams(1)),
    ]
    stream = merged(streams)
    assert [unit[4] for unit in told(stream)] == ["b1 b2", "b3", "b4", "i2", "i3", "i1"]
    assert (stream.unit_count, stream.item_count) == (6, 7)


def test_a_merged_stream_loses_nothing_and_numbers_everything() -> None:
    own = generated()
    rows = [item(f"p{n}", f"{n % 16:02d}:{n % 60:02d}", package=f"K{n % 16}-{n % 240}") for n in range(500)]
    stream = merged([own, replay(*rows)])
    unit = first_item = 0
    ids: list[str] = []
    rows_found = []
    for chunk in stream.prefetched(2):
        assert (chunk.first_unit, chunk.first_item) == (unit, first_item)
        unit, first_item = unit + len(chunk.rows), first_item + len(chunk.amounts)
        key = chunk.rows["time_ms"] * 2 + (chunk.rows["kind"] >= RetailKind.IBPS_CREDIT)
        assert (np.diff(key) >= 0).all()
        firsts = np.cumsum(chunk.rows["items"]) - chunk.rows["items"]
        if len(firsts):
            assert np.add.reduceat(chunk.amounts, firsts).tolist() == chunk.rows["amount"].tolist()
        found = chunk.ids().to_pylist()
        assert (chunk.first_number is None) == any(payment_id.startswith("p") for payment_id in found)
        ids += found
        rows_found.append(chunk.rows)
    assert (unit, first_item) == (stream.unit_count, stream.item_count)
    mine = [payment_id for payment_id in ids if not payment_id.startswith("p")]
    assert mine == [payment_id for chunk in own.chunks() for payment_id in chunk.ids().to_pylist()]
    assert sorted(payment_id for payment_id in ids if payment_id.startswith("p")) == sorted(f"p{n}" for n in range(500))
    assert stream.notes == own.notes


def test_a_recorded_id_may_look_generated_only_where_nothing_is_generated() -> None:
    recorded = replay(item("p1"), item("B20250617000000001"))
    assert merged([recorded]) is recorded
    words = r"scenario: payment_id: is of the form of generated payments \(B20250617000000001\)"
    with pytest.raises(InputError, match=words):
        merged([recorded, generated()])


def test_what_a_reader_writes_into_a_chunk_is_not_in_the_stream() -> None:
    stream = replay(item("p1"))
    number = (10 * MS_PER_HOUR - stream.dates[0].begins_ms) * 288 // MS_PER_DAY
    stream.chunk(number).rows["refusal"] = Refusal.STOPPED
    assert told(stream)[0][2] == "NONE"


def test_a_stream_of_no_items_has_all_its_chunks() -> None:
    stream = ReplayedRetail([], days_from(), Streams(1))
    assert [len(chunk.rows) for chunk in stream.chunks()] == [0] * stream.chunk_count
    assert stream.item_count == 0
    assert told(merged([stream, replay()])) == []


@pytest.mark.parametrize("streams", [[], [("2025-06-16", 1), ("2025-06-17", 1)]])
def test_streams_that_make_no_stream_are_refused(streams: list[tuple[str, int]]) -> None:
    parts: list[Any] = [ReplayedRetail([], days_from(*dates), Streams(1)) for dates in streams]
    with pytest.raises(ValueError, match=r"no stream to merge|different dates"):
        merged(parts)
