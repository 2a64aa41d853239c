"""Generated days of BEPS and IBPS: exact counts, the published value, the same bytes whoever makes them."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay, retail_days
from cnaps_sim.words.retail_terms import published_item_limit
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR
from cnaps_sim.workload.population import national_accounts
from cnaps_sim.workload.retail_chunk import CHUNK_MS, SLOTS, RetailChunk
from cnaps_sim.workload.retail_draw import CLASS, LINK, PART
from cnaps_sim.workload.retail_stream import GeneratedRetail
from cnaps_sim.workload.retail_terms import NATIONAL, BepsTerms, RetailParameters, RetailTerms, Volume

BEPS, IBPS = System.BEPS, System.IBPS
KIND = RetailKind
Rows = np.ndarray[Any, np.dtype[Any]]


def days_from(first: str = "2025-06-17", count: int = 1) -> tuple[RetailDay, ...]:
    return retail_days(Timetable(dt.date.fromisoformat(first), count, Calendar()))


def generated(
    scale: str = "0.0005",
    systems: Sequence[System] = (BEPS, IBPS),
    days: Sequence[RetailDay] | None = None,
    seed: int = 1,
    terms: RetailTerms | None = None,
    **parameters: Any,
) -> GeneratedRetail:
    volumes = {system: NATIONAL[system].scaled(Decimal(scale)) for system in systems}
    sizes, given = national_accounts(40).size, RetailParameters(**parameters)
    return GeneratedRetail(sizes, days or days_from(), volumes, Calendar(), Streams(seed), terms, given)


def all_rows(chunks: Iterable[RetailChunk]) -> Rows:
    return np.concatenate([chunk.rows for chunk in chunks])


def netted(rows: Rows, system: System) -> Rows:
    kinds = [kind for kind in RetailKind if kind.system is system]
    found: Rows = rows[(rows["refusal"] == Refusal.NONE) & np.isin(rows["kind"], kinds)]
    return found


def digest(chunks: Iterable[RetailChunk]) -> str:
    hashed = hashlib.sha256()
    for chunk in chunks:
        for name in RETAIL.names or ():
            hashed.update(np.ascontiguousarray(chunk.rows[name]).tobytes())
        hashed.update(np.ascontiguousarray(chunk.amounts).tobytes())
    return hashed.hexdigest()


@pytest.fixture(scope="module")
def stream() -> GeneratedRetail:
    return generated()


@pytest.fixture(scope="module")
def chunks(stream: GeneratedRetail) -> list[RetailChunk]:
    return list(stream.chunks())


@pytest.fixture(scope="module")
def rows(chunks: list[RetailChunk]) -> Rows:
    return all_rows(chunks)


@pytest.mark.parametrize("system", [BEPS, IBPS])
def test_the_count_netted_is_exact_and_the_value_close(rows: Rows, system: System) -> None:
    volume = NATIONAL[system].scaled(Decimal("0.0005"))
    found = netted(rows, system)
    assert int(found["items"].sum()) == volume.count
    assert int(found["amount"].sum()) == pytest.approx(volume.value_fen, rel=0.003)


def test_at_the_published_mean_the_amount_factor_is_near_one(stream: GeneratedRetail) -> None:
    for name in ("beps_amount_factor", "ibps_amount_factor"):
        assert float(str(stream.notes[name])) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("scale", ["0.00001", "0.000005", "0.0000001"])
def test_a_few_hundred_items_are_still_exact(scale: str) -> None:
    rows = all_rows(generated(scale).chunks())
    for system in (BEPS, IBPS):
        assert int(netted(rows, system)["items"].sum()) == NATIONAL[system].scaled(Decimal(scale)).count


def test_what_is_refused_or_not_answered_comes_on_top(rows: Rows) -> None:
    online = rows[rows["kind"] == KIND.IBPS_CREDIT]
    refusals = {why: int((online["refusal"] == why).sum()) for why in (Refusal.PAYEE_BANK, Refusal.TIMED_OUT)}
    netted_count = int((online["refusal"] == Refusal.NONE).sum())
    assert refusals[Refusal.PAYEE_BANK] == round(netted_count * 0.002 / 0.9975)
    assert refusals[Refusal.TIMED_OUT] == round(netted_count * 0.0005 / 0.9975)
    debits = rows[rows["kind"] == KIND.REALTIME_DEBIT]
    assert set(debits["refusal"].tolist()) <= {Refusal.NONE, Refusal.PAYER_BANK, Refusal.TIMED_OUT}


def test_the_hours_have_their_published_shares(rows: Rows) -> None:
    online = netted(rows, IBPS)
    hour = online["time_ms"] // MS_PER_HOUR % 24
    for begin, end, share in ((0, 8, 0.05), (8, 12, 0.35), (12, 18, 0.35), (18, 24, 0.25)):
        assert float(((hour >= begin) & (hour < end)).mean()) == pytest.approx(share, abs=0.001)


def test_banks_send_what_they_collected_when_the_clock_strikes(rows: Rows) -> None:
    bulk = netted(rows, BEPS)
    by_day = bulk[(bulk["time_ms"] // MS_PER_HOUR % 24 >= 8) & (bulk["time_ms"] // MS_PER_HOUR % 24 < 18)]
    assert by_day["items"].sum() / bulk["items"].sum() == pytest.approx(0.6, abs=0.01)
    struck = by_day[by_day["time_ms"] % MS_PER_HOUR < CHUNK_MS]
    assert struck["items"].sum() / by_day["items"].sum() == pytest.approx(0.3, abs=0.02)


def test_rows_stand_in_order_and_inside_their_chunks(chunks: list[RetailChunk]) -> None:
    unit = item = 0
    for number, chunk in enumerate(chunks):
        times = chunk.rows["time_ms"]
        assert chunk.number == number
        assert chunk.ends_ms - chunk.begins_ms == CHUNK_MS
        assert (chunk.first_unit, chunk.first_item) == (unit, item)
        assert ((times >= chunk.begins_ms) & (times < chunk.ends_ms)).all()
        key = times * 2 + (chunk.rows["kind"] >= KIND.IBPS_CREDIT)
        assert (np.diff(key) >= 0).all(), "of one instant BEPS comes before IBPS"
        assert len(chunk.amounts) == chunk.rows["items"].sum()
        firsts = np.cumsum(chunk.rows["items"]) - chunk.rows["items"]
        if len(firsts):
            assert np.add.reduceat(chunk.amounts, firsts).tolist() == chunk.rows["amount"].tolist()
        unit, item = unit + len(chunk.rows), item + len(chunk.amounts)


def test_no_amount_is_over_the_limit_of_its_date(chunks: list[RetailChunk]) -> None:
    amounts = np.concatenate([chunk.amounts for chunk in chunks])
    assert amounts.min() >= 1
    assert amounts.max() <= 100_000_000
    early = generated("0.0001", [BEPS], days_from("2012-06-14"))
    limit = published_item_limit(BEPS, dt.date(2012, 6, 14))
    assert max(chunk.amounts.max(initial=0) for chunk in early.chunks()) <= limit


def test_a_package_holds_one_item_or_more_up_to_its_limit_and_is_in_the_mean_as_large_as_told() -> None:
    rows = all_rows(generated("0.01", [BEPS], terms=RetailTerms(beps=BepsTerms(package_limit=40))).chunks())
    packages = rows[rows["kind"] == KIND.ORDINARY_CREDIT]["items"]
    assert packages.min() >= 1
    assert packages.max() == 40
    assert packages.mean() == pytest.approx(20, rel=0.01)
    assert (rows[rows["kind"] == KIND.REALTIME_CREDIT]["items"] == 1).all()


def test_nobody_pays_itself_and_large_banks_pay_most(rows: Rows) -> None:
    assert (rows["debtor"] != rows["creditor"]).all()
    assert np.bincount(rows["debtor"]).argmax() == 0


def test_the_expected_outflow_adds_up_to_the_published_value(stream: GeneratedRetail, rows: Rows) -> None:
    outflow = stream.daily_outflow_fen()
    total = sum(NATIONAL[system].scaled(Decimal("0.0005")).value_fen for system in (BEPS, IBPS))
    assert int(outflow.sum()) == pytest.approx(total, abs=len(outflow))
    ok = rows[rows["refusal"] == Refusal.NONE]
    drawn = np.bincount(ok["debtor"], ok["amount"].astype(np.float64))
    assert drawn[0] == pytest.approx(outflow[0], rel=0.1)


def test_replies_come_before_their_limits_and_what_is_not_answered_at_them(rows: Rows) -> None:
    for kind, limit_ms in ((KIND.IBPS_CREDIT, 20_000), (KIND.REALTIME_CREDIT, 60_000)):
        of_kind = rows[rows["kind"] == kind]
        expired = of_kind["refusal"] == Refusal.TIMED_OUT
        assert (of_kind["lag_ms"][expired] == limit_ms).all()
        assert of_kind["lag_ms"][~expired].max() < limit_ms
        assert of_kind["lag_ms"].min() >= 1
    assert (rows["lag_ms"][np.isin(rows["kind"], [KIND.ORDINARY_CREDIT, KIND.REGULAR_CREDIT])] == 0).all()
    assert np.median(rows["lag_ms"][rows["kind"] == KIND.IBPS_CREDIT]) == pytest.approx(800, rel=0.05)


def test_a_debit_nobody_answers_expires_after_working_days_and_on_one() -> None:
    days = days_from("2025-10-09", 3)  # Thursday after eight days off, Friday, and a make-up Saturday
    assert [day.is_working_day for day in days] == [True, True, True]
    rows = all_rows(generated("0.01", [BEPS], days[:1]).chunks())
    expired = rows[(rows["kind"] == KIND.REGULAR_DEBIT) & (rows["refusal"] == Refusal.TIMED_OUT)]
    # The five working days before 9 October are 30, 29, 28, 26 and 25 September.
    assert set(expired["lag_ms"].tolist()) == {(dt.date(2025, 10, 9) - dt.date(2025, 9, 25)).days * MS_PER_DAY}
    weekend = days_from("2025-06-13", 2)
    stream = generated("0.01", [BEPS], weekend)
    saturday = all_rows(stream.chunk(SLOTS + slot) for slot in range(SLOTS))
    assert not ((saturday["kind"] == KIND.REGULAR_DEBIT) & (saturday["refusal"] == Refusal.TIMED_OUT)).any()


def test_wages_double_the_regular_credits_of_their_dates_and_every_date_is_otherwise_equal() -> None:
    stream = generated("0.0001", days=days_from("2025-06-13", 2))  # the 15th is a Sunday
    by_date = [all_rows(stream.chunk(day * SLOTS + slot) for slot in range(SLOTS)) for day in range(4)]
    ordinary = int(NATIONAL[BEPS].count * Decimal("0.0001"))
    regular = [int(rows[rows["kind"] == KIND.REGULAR_CREDIT]["items"].sum()) for rows in by_date]
    assert regular[2] == 2 * regular[0]
    totals = [int(netted(rows, BEPS)["items"].sum()) for rows in by_date]
    assert totals == [ordinary, ordinary, ordinary + regular[0], ordinary]


def test_ids_count_both_systems_of_a_retail_date_in_order() -> None:
    stream = generated("0.00001", days=days_from("2025-06-16", 2))
    numbers: dict[str, list[int]] = {}
    for chunk in stream.chunks():
        ids = chunk.ids().to_pylist()
        assert len(ids) == len(chunk.amounts)
        kinds = np.repeat(chunk.rows["kind"], chunk.rows["items"])
        assert [text[0] for text in ids] == ["I" if kind >= KIND.IBPS_CREDIT else "B" for kind in kinds]
        assert chunk.types.to_pylist() == [KIND(kind).code for kind in kinds]
        if ids:
            assert int(ids[0][9:]) == chunk.first_number
        for text in ids:
            numbers.setdefault(text[1:9], []).append(int(text[9:]))
    assert sorted(numbers) == ["20250616", "20250617"]
    for told in numbers.values():
        assert told == list(range(1, len(told) + 1))


def test_the_same_bytes_in_whatever_order_and_by_whoever_chunks_are_made(
    stream: GeneratedRetail, chunks: list[RetailChunk]
) -> None:
    expected = digest(chunks)
    assert digest(stream.prefetched(3)) == expected
    assert digest(reversed([stream.chunk(number) for number in reversed(range(stream.chunk_count))])) == expected
    assert digest(generated(seed=2).chunks()) != expected


def test_one_system_does_not_disturb_the_other(rows: Rows) -> None:
    alone = all_rows(generated(systems=[IBPS]).chunks())
    assert alone.tolist() == rows[rows["kind"] >= KIND.IBPS_CREDIT].tolist()


def test_a_new_date_does_not_disturb_those_before_it() -> None:
    one, two = generated(days=days_from()), generated(days=days_from("2025-06-17", 2))
    assert digest(one.chunks()) == digest(two.chunk(number) for number in range(SLOTS))


def test_the_loop_draws_the_same_uncompiled() -> None:
    program = (
        "import runpy, sys\n"
        f"tests = runpy.run_path({__file__!r})\n"
        "stream = tests['generated']('0.0001')\n"
        "print(tests['digest'](stream.chunk(number) for number in (204, 205)))\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    compiled = generated("0.0001")
    assert found == digest(compiled.chunk(number) for number in (204, 205))


def test_prefetching_makes_only_a_few_chunks_ahead_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = generated("0.0000001")
    made: list[int] = []
    make = stream.chunk

    def counted(number: int) -> RetailChunk:
        made.append(number)
        return make(number)

    monkeypatch.setattr(stream, "chunk", counted)
    ahead = stream.prefetched(2)
    for number, chunk in zip(range(5), ahead, strict=False):
        assert chunk.number == number
        assert len(made) <= number + 1 + 3
    ahead.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("retail")]


def test_what_goes_wrong_in_a_thread_is_raised_where_the_chunks_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = generated("0.0000001")

    def broken(number: int) -> RetailChunk:
        raise RuntimeError(f"chunk {number}")

    monkeypatch.setattr(stream, "chunk", broken)
    with pytest.raises(RuntimeError, match="chunk 0"):
        next(iter(stream.prefetched(2)))


@pytest.mark.parametrize("kind", [PART, CLASS, LINK], ids=["PART", "CLASS", "LINK"])
def test_no_field_hides_behind_a_method_of_a_record(kind: np.dtype[Any]) -> None:
    assert not set(kind.names or ()) & set(dir(np.record))


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (Volume(-1, 1), r"workload: count: must be 0 or more \(-1\)"),
        (Volume(10, 5), r"workload: value: cannot be the total of 10 payments \(0.05\); allowed: from 0.10 to"),
        (Volume(1, 100_000_001), r"cannot be the total of 1 payments \(1000000.01\)"),
        (Volume(0, 1), r"cannot be the total of 0 payments"),
        (Volume(2_000_000_000, 10**15), r"more items in a date than ids"),
    ],
)
def test_a_volume_that_cannot_be_is_an_error_in_words(volume: Volume, words: str) -> None:
    with pytest.raises(InputError, match=words):
        GeneratedRetail(national_accounts(40).size, days_from(), {IBPS: volume}, Calendar(), Streams(1))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"lump_share": Decimal(2)}, r"workload: lump_share: out of range \(2\); allowed: 0 to 1"),
        ({"regular_credit_share": Decimal("0.9")}, "with the other shares more than all items"),
        ({"beps_hours": ((0, 8, 1), (9, 24, 1))}, "hours that do not follow one another"),
        ({"largest": 10**12}, "workload: largest: out of range"),
    ],
)
def test_a_parameter_out_of_range_is_an_error_in_words(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        RetailParameters(**parameters)


def test_terms_under_which_nothing_is_netted_are_an_error() -> None:
    terms = RetailTerms(beps=BepsTerms(refused_share=Decimal(1), unanswered_share=Decimal(0)))
    with pytest.raises(InputError, match="beps: refused_share: leaves nothing to be netted"):
        generated(systems=[BEPS], terms=terms)
