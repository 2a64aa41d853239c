"""The basket liquidity query against the books themselves, at every sample of days in which everything happens."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.liquidity.query import LiquidityAnswer, LiquidityQuery
from cnaps_sim.engine.netting_recorder import NettingRecorder
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.words.codes import CentralBankAccount

LEVELS = 8
BANKS = "ABCDEF"
#: G, H and I owe one another what only a matching can settle: G pays 5 more than it receives. J and L have a net that
#: is posted in the clearing window, and K is the creditor of all nets.
OTHERS: dict[str, dict[str, Any]] = {
    "G": {"balance": 60, "earmark": 50},
    "H": {"balance": 10},
    "I": {"balance": 10},
    "J": {"balance": 100, "earmark": 100, "overdraft_limit": 300},
    "K": {},
    "L": {"balance": 1000, "earmark": 100, "overdraft_limit": 300, "floor": 20, "status": "AS04"},
}
OTHER_ACCOUNTS = [{"account": name, **terms} for name, terms in OTHERS.items()]
DATE = "2025-06-17"


def at(day: int, clock: str) -> str:
    return f"2025-06-{17 + day}T{clock}"


def act(time: str, do: str, account: str | list[str] = "A", **more: Any) -> dict[str, Any]:
    return {"at": time, "do": do, "account": account, **more}


def put(time: str, account: str, field: str, value: str) -> dict[str, Any]:
    return act(time, "set", account, field=field, value=value)


def payments(system: str, count: int, value: int) -> list[dict[str, Any]]:
    """Payments at whole minutes of two dates, so that many fall on the instant of a sample."""
    draw = random.Random(f"{system} {count}")
    rows = []
    for number in range(count):
        debtor, creditor = draw.sample(BANKS, 2)
        time = at(draw.randrange(2), f"{draw.randrange(9, 17):02d}:{draw.randrange(60):02d}")
        row = {"payment_id": f"{system}{number}", "time": time, "debtor": debtor, "creditor": creditor}
        row["amount"] = str(draw.randrange(1, value))
        if system == "HVPS":
            row["priority"] = draw.choice(["NORM", "NORM", "HIGH", "URGT"])
        rows.append(row)
    return rows


def ring(day: int) -> list[dict[str, Any]]:
    told = [("G", "H", "100"), ("H", "I", "100"), ("I", "G", "95")]
    return [
        {"payment_id": f"R{day}{debtor}", "time": at(day, "09:01"), "debtor": debtor, "creditor": creditor,
         "amount": amount}
        for debtor, creditor, amount in told
    ]  # fmt: skip


def net(time: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    legs = [{"account": debtor, "net": str(-amount)}, {"account": creditor, "net": str(amount)}]
    return {"at": time, "do": "round_net", "nets": legs}


#: What is done to accounts on both dates; some of it at the very instant of a sample.
ACTIONS = [
    put(at(0, "09:30"), "A", "floor", "20"),
    put(at(0, "10:00:07"), "B", "overdraft_limit", "900"),
    put(at(0, "10:10"), "C", "earmark", "300"),
    put(at(0, "10:40"), "D", "reserved_high", "70"),
    put(at(0, "10:45"), "D", "reserved_urgent", "30"),
    put(at(0, "11:00"), "F", "warning_line", "400"),
    put(at(0, "11:05"), "E", "cap_warning_line", "5000"),
    act(at(0, "11:20"), "debit_control", "B", on=True),
    act(at(0, "12:20"), "debit_control", "B", on=False),
    act(at(0, "12:30"), "credit_control", "E", on=True),
    put(at(0, "13:00"), "E", "status", "AS06"),
    put(at(0, "14:00"), "E", "status", "AS01"),
    put(at(0, "13:30"), "C", "earmark", "150"),
    put(at(0, "14:30"), "A", "credit_line", "2500"),
    act(at(0, "15:00"), "central_bank_debit", "A", amount="400"),
    act(at(0, "15:30"), "fee", ["B", "D"], amount="15"),
    act(at(0, "15:40"), "inject", "D", amount="55"),
    act(at(0, "16:10"), "central_bank_debit", "C", amount="2000"),
    {"at": at(0, "09:50"), "do": "reprioritise", "payment": "HVPS3", "priority": "URGT"},
    net(at(0, "09:35"), "G", "K", 30),  # while a matching is under way
    net(at(0, "16:30"), "J", "K", 500),
    net(at(0, "16:30"), "L", "K", 950),
    act(at(0, "17:20"), "inject", "J", amount="410"),
    put(at(0, "17:30"), "J", "earmark", "200"),
    net(at(1, "10:00"), "A", "B", 900),
    net(at(1, "11:00"), "C", "D", 900),
    put(at(1, "12:00"), "C", "overdraft_limit", "800"),
    act(at(1, "13:10"), "stop_sending", "D", until=at(1, "14:10")),
]


def everything(**changes: Any) -> dict[str, Any]:
    """Six banks with little money and every kind of term, retail rounds, and two dates."""
    given: dict[str, dict[str, Any]] = {
        "A": {"balance": 900, "earmark": 500, "floor": 10, "warning_line": 600},
        "B": {"balance": 300, "overdraft_limit": 400, "warning_line": 500},
        "C": {"balance": 500, "earmark": 200, "overdraft_limit": 300, "owner": "C-GROUP"},
        "D": {"balance": 400, "reserved_high": 40, "reserved_urgent": 60, "owner": "C-GROUP"},
        "E": {"balance": 200, "cap_warning_line": 100, "earmark": 150},
        "F": {"balance": 350, "status": "AS04", "cap_warning_line": 4000},
    }
    accounts = [{"account": name, "credit_line": 3000, **terms} for name, terms in given.items()]
    workload = [
        {"system": "HVPS", "payments": [*payments("HVPS", 260, 300), *ring(0)]},
        {"system": "BEPS", "payments": payments("BEPS", 220, 260)},
    ]
    told = {"name": "fifo", "date": DATE, "days": 2, "accounts": [*accounts, *OTHER_ACCOUNTS], "workload": workload}
    return {**told, "series_step": "10 min", "actions": ACTIONS, "hvps": {"reprioritise": True}, **changes}


MATCHED = {
    "name": "matched",
    "hvps": {"matching": {"algorithm": "multilateral", "every": "30 min", "duration": "20 min"}},
}


class Seen:
    """What the books and the netting server themselves said at each sample, by instant."""

    def __init__(self) -> None:
        self.books: dict[int, dict[str, Any]] = {}
        self.netting: dict[int, dict[str, Any]] = {}

    def look(self, recorder: Recorder, time_ms: int) -> None:
        books, accounts = recorder.books, recorder.books.accounts
        rows = range(len(accounts))
        terms = ("balance", "earmark", "floor", "overdraft_limit", "warned", "debit_control", "reserved_matching")
        seen: dict[str, Any] = {name: np.array(accounts[name]) for name in terms}
        seen["available"] = [[books.available(row, level) for level in range(LEVELS)] for row in rows]
        waiting = [[books.waiting(row, level) for level in range(LEVELS)] for row in rows]
        there = books.payments[books.payments["at_level"] >= 0]
        amount = dict(zip(there["sequence"].tolist(), there["amount"].tolist(), strict=True))
        creditor = dict(zip(there["sequence"].tolist(), there["creditor"].tolist(), strict=True))
        seen["out"] = [[(len(ids), sum(amount[one] for one in ids)) for ids in of_row] for of_row in waiting]
        coming = np.zeros((len(accounts), LEVELS, 2), np.int64)
        for of_row in waiting:
            for level, ids in enumerate(of_row):
                for one in ids:
                    coming[creditor[one], level] += (1, amount[one])
        seen["in"] = coming.tolist()
        self.books[time_ms] = seen

    def look_at_netting(self, recorder: NettingRecorder, time_ms: int) -> None:
        positions = recorder.netting.positions
        names = ("position", "unsettled", "cap", "warned")
        self.netting[time_ms] = {"headroom": recorder.netting.headrooms(),
                                 **{name: np.array(positions[name]) for name in names}}  # fmt: skip


@pytest.fixture(scope="module", params=["fifo", "matched"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[cs.Run, Seen]:
    """The day of everything with what its books said, read back from its folder."""
    seen = Seen()
    sample, sample_netting = Recorder.sample, NettingRecorder.sample

    def look(recorder: Recorder, time_ms: int) -> None:
        seen.look(recorder, time_ms)
        sample(recorder, time_ms)

    def look_at_netting(recorder: NettingRecorder, time_ms: int) -> None:
        seen.look_at_netting(recorder, time_ms)
        sample_netting(recorder, time_ms)

    scenario = everything(**(MATCHED if request.param == "matched" else {}))
    if request.param == "matched":
        scenario["actions"] = [one for one in ACTIONS if one["do"] != "reprioritise"]
    folder = tmp_path_factory.mktemp("runs") / request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "sample", look)
        patch.setattr(NettingRecorder, "sample", look_at_netting)
        cs.simulate(scenario, out=folder)
    return cs.load(folder), seen


def rows_of(answer: LiquidityAnswer, run: cs.Run) -> list[Any]:
    """The accounts of an answer in the order of the books."""
    found = {one.account: one for owner in answer.owners for one in owner.accounts}
    return [found[name] for name in [*BANKS, *OTHERS, *CentralBankAccount]]


def test_it_answers_what_the_books_say_at_every_sample(played: tuple[cs.Run, Seen]) -> None:
    run, seen = played
    query = LiquidityQuery(run)
    reserved = shortened = queued = 0
    for time_ms, books in seen.books.items():
        for row, one in enumerate(rows_of(query.answer(time_ms), run)):
            where = (time_ms, one.account)
            assert one.balance == books["balance"][row], where
            out, coming = one.queued_out, one.queued_in
            assert list(zip(out.counts, out.sums, strict=True)) == books["out"][row], where
            assert [list(pair) for pair in zip(coming.counts, coming.sums, strict=True)] == books["in"][row], where
            if one.available is None:
                continue
            told = (one.floor, one.earmark, one.overdraft_limit, one.balance_warning, list(one.available))
            held = tuple(books[name][row] for name in ("floor", "earmark", "overdraft_limit", "warned"))
            assert told == (*held, books["available"][row]), where
            assert one.status in ("AS04", "AS06") or not books["debit_control"][row], where
            reserved += books["reserved_matching"][row] > 0
            shortened += one.earmark not in (0, 15_000, 20_000, 30_000, 50_000)
            queued += sum(count for count, _ in books["out"][row])
    assert queued > 1_000
    assert shortened, "no net has used part of an earmark"
    assert bool(reserved) == (run.scenario["name"] == "matched"), "no matching was under way at a sample"


def test_positions_are_those_of_the_netting_server_at_a_sample(played: tuple[cs.Run, Seen]) -> None:
    run, seen = played
    query = LiquidityQuery(run)
    warned = 0
    for time_ms, netting in seen.netting.items():
        answer = query.answer(time_ms)
        assert answer.netted_ms == time_ms
        for row, one in enumerate(rows_of(answer, run)[: len(BANKS)]):
            told = (one.position, one.unsettled, one.headroom, one.cap, one.cap_warning)
            assert told == tuple(netting[key][row] for key in ("position", "unsettled", "headroom", "cap", "warned")), (
                time_ms, one.account)  # fmt: skip
            warned += one.cap_warning
    assert warned


def test_between_samples_the_answer_names_the_instant_of_its_positions(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    frame = cs.liquidity(run, at="10:34:59.999")
    assert set(frame["netted_ms"]) == {(10 * 60 + 30) * 60_000}


def test_all_balances_add_up_to_the_same_at_every_instant(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    query = LiquidityQuery(run)
    total = int(run.accounts["opening_fen"][: len(run.accounts) // 2].sum())
    for time_ms in sorted({int(time) for time in run.transfers["time_ms"]})[::7]:
        answer = query.answer(time_ms)
        told = [owner.measures for owner in answer.owners]
        assert answer.total_balance == total == sum(one["balance_fen"] or 0 for one in told)
        assert sum(one["balance_if_settled_fen"] or 0 for one in told) == total
        assert sum(one["queued_in_fen"] or 0 for one in told) == sum(one["queued_out_fen"] or 0 for one in told)


def test_at_the_end_of_each_date_balances_are_the_closing_ones(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    for day in (0, 1):
        frame = cs.liquidity(run, at=at(day, "17:30"))
        closing = run.accounts[run.accounts["date"] == pd.Timestamp(f"2025-06-{17 + day}")]
        told = frame[frame["account"].notna()].set_index("account")["balance_fen"]
        assert told.to_dict() == closing.set_index("account")["closing_fen"].to_dict()
        assert not frame["queued_out_fen"].any()


def test_before_the_first_transfer_balances_are_the_opening_ones(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    frame = cs.liquidity(run, at="2025-06-16T20:00", participant="A")
    assert frame["balance_fen"].tolist() == [90_000, 90_000]
    assert frame["available_fen"].tolist() == [39_000, 39_000]


def test_an_owner_is_the_sum_of_its_accounts_whichever_of_them_is_asked_for(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    frame = cs.liquidity(run, at="12:00", participant="D")
    whole, *parts = frame.to_dict("records")
    assert [part["account"] for part in parts] == ["C", "D"]
    assert {row["owner"] for row in (whole, *parts)} == {"C-GROUP"}
    for name in ("balance_fen", "available_fen", "queued_out_count", "queued_in_fen", "headroom_fen"):
        assert whole[name] == sum(part[name] for part in parts)
    for row in (whole, *parts):
        assert row["expected_fen"] == row["available_fen"] + row["queued_in_fen"] - row["queued_out_fen"]
    assert frame.equals(cs.liquidity(run, at="12:00", participant="C-GROUP"))


def test_levels_add_up_to_the_account_and_level_7_is_what_is_available(played: tuple[cs.Run, Seen]) -> None:
    run, _ = played
    levels = cs.liquidity(run, at="15:00", by="level")
    frame = cs.liquidity(run, at="15:00").dropna(subset="account").set_index("account")
    sums = levels.groupby("account", sort=False)["queued_out_fen"].sum()
    assert sums.to_dict() == frame["queued_out_fen"].to_dict()
    ordinary = levels[levels["level"] == 7].set_index("account")["available_fen"]
    assert ordinary.equals(frame["available_fen"])


def test_an_instant_includes_what_was_posted_at_it_and_nothing_later() -> None:
    run = cs.simulate("gridlock-ring")
    before, then = (cs.liquidity(run, at=time, participant="EAST").iloc[1] for time in ("13:59:59.999", "14:00"))
    assert (before["balance_fen"], before["queued_out_fen"], before["queued_in_fen"]) == (9_900, 10_000, 10_000)
    assert (then["balance_fen"], then["queued_out_fen"], then["queued_in_fen"]) == (10_000, 0, 0)


def test_a_matching_under_way_that_fails_is_told_as_what_is_not_known() -> None:
    told = {"name": "ring", "date": DATE, "accounts": OTHER_ACCOUNTS, **MATCHED}
    workload = [{"system": "HVPS", "payments": ring(0)}]
    run = cs.simulate({**told, "workload": workload, "actions": [act("09:35", "debit_control", "G", on=True)]})
    query = LiquidityQuery(run)
    notes = {time: query.answer(time).notes for time in ("09:29", "09:30", "09:49:59.999", "09:50")}
    assert {time: len(told) for time, told in notes.items()} == {"09:29": 0, "09:30": 1, "09:49:59.999": 1, "09:50": 0}


def test_a_payment_counts_at_the_level_it_had_at_the_instant() -> None:
    row = {"payment_id": "P", "time": "09:00", "debtor": "A", "creditor": "B", "amount": "5", "priority": "HIGH"}
    moves = [("10:00", "URGT"), ("11:00", "NORM")]
    run = cs.simulate(
        {
            "name": "moved",
            "accounts": [{"account": "A", "balance": 0}, {"account": "B", "balance": 0}],
            "workload": [{"system": "HVPS", "payments": [row]}],
            "hvps": {"reprioritise": True},
            "actions": [{"at": time, "do": "reprioritise", "payment": "P", "priority": to} for time, to in moves],
        }
    )
    found = []
    for time in ("09:00", "10:00", "11:00"):
        levels = cs.liquidity(run, at=time, participant="A", by="level")
        found += levels.loc[levels["queued_out_count"] == 1, "level"].tolist()
    assert found == [6, 1, 7]


def test_terms_come_from_the_accounts_file_as_long_as_it_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("account,balance,floor\nA,100,30\nB,0,0\n")
    workload = [{"system": "HVPS", "payments": payments("HVPS", 0, 1)}]
    run = cs.simulate({"name": "filed", "accounts": {"file": str(file)}, "workload": workload})
    assert cs.liquidity(run, at="10:00", participant="A")["available_fen"].tolist() == [7_000, 7_000]
    file.write_text("account,balance,floor\nA,100,20\nB,0,0\n")
    with pytest.raises(cs.InputError, match="is no longer what the run read"):
        cs.liquidity(run, at="10:00")


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        ({"record": {"HVPS": "accounts"}}, {"at": "10:00"}, "run: transfers: the run did not record this table"),
        ({"record": {"HVPS": "totals"}}, {"at": "10:00"}, "run: accounts: the run did not record this table"),
        ({}, {"at": "noon"}, "at: neither HH:MM"),
        ({}, {"at": "2025-06-19T10:00"}, "at: is outside the run .*; allowed: 2025-06-16T00:00 to 2025-06-18T00:00"),
        ({}, {"at": "10:00", "participant": "EASTERN"}, "participant: no such owner or account .*allowed: EAST"),
        ({}, {"at": "10:00", "by": "owner"}, "by: cannot be grouped by"),
    ],
)
def test_what_cannot_be_answered_is_one_line(changes: dict[str, Any], arguments: dict[str, Any], words: str) -> None:
    run = cs.simulate("gridlock-ring", set=changes)
    with pytest.raises(cs.InputError, match=f"^{words}"):
        cs.liquidity(run, **arguments)
