"""The liquidity query tells what fund pools and pledges still hold: at every instant what the books then say."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.liquidity.query import LiquidityQuery
from cnaps_sim.analysis.simulate import play, read
from cnaps_sim.engine.clock import Rank
from cnaps_sim.run.world import World

#: (time_ms, account) → pool, what the other members could give, pledge room left.
Seen = dict[tuple[int, str], tuple[str | None, int | None, int | None]]
STEP_MS = 10 * 60_000


def scenario() -> dict[str, Any]:
    """Two dates; A, B and C are a pool, D and E another of their class, F pledges on request and G automatically."""
    draw = random.Random(11)
    payments = []
    for number in range(160):
        debtor, creditor = draw.sample("ABCDEFGH", 2)
        time = f"2025-06-{17 + draw.randrange(2)}T{draw.randrange(9, 17):02d}:{draw.randrange(60):02d}"
        row = {"payment_id": f"p{number}", "time": time, "debtor": debtor, "creditor": creditor}
        payments.append(row | {"amount": draw.randrange(1, 60), "priority": draw.choice(["NORM", "HIGH", "URGT"])})
    accounts = [{"account": name, "balance": 60, "kind": "rural" if name in "DE" else "city"} for name in "ABCDEFGH"]
    accounts[1] |= {"floor": 5, "earmark": 10}
    return {
        "name": "reserves",
        "days": 2,
        "accounts": accounts,
        "workload": [{"system": "HVPS", "payments": payments}],
        "reservations": [{"account": "C", "high": 7, "urgent": 4}],
        "pools": [{"name": "abc", "accounts": ["C", "A", "B"]}, {"kind": "rural", "from": "2025-06-18"}],
        "credit": {"pledge": {"collateral": [
            {"account": "F", "bonds": 50, "mode": "manual"}, {"account": "G", "bonds": 70},
            {"account": "H", "bonds": 70, "mode": "none"},
        ]}},
        "actions": [
            {"at": "10:05", "do": "pledge", "account": "F", "amount": 30},
            {"at": "11:05", "do": "stop_pool", "pool": "abc"},
            {"at": "12:05", "do": "start_pool", "pool": "abc"},
            {"at": "13:05", "do": "debit_control", "account": "A", "on": True},
            {"at": "14:05", "do": "debit_control", "account": "A", "on": False},
            {"at": "2025-06-18T15:05", "do": "cancel_pool", "pool": "abc"},
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def played() -> tuple[cs.Run, Seen]:
    """A run, and what its books said every ten minutes."""
    seen: Seen = {}

    def watch(world: World) -> Callable[[], None]:
        for day in world.timetable.business_days:
            for time_ms in range(day.midnight_ms + 9 * 3_600_000, day.window_end_ms, STEP_MS):
                world.clock.call_at(time_ms, Rank.SAMPLE, lambda: look(world, seen))
        return lambda: None

    return play(read(scenario()), watch=watch), seen


def look(world: World, seen: Seen) -> None:
    books = world.books
    for row, name in enumerate(world.directory.accounts):
        record = books.accounts[row]
        pool = next((pool for pool in world.tools.pools if row in pool.members), None)
        active = pool is not None and bool(books.tools.pools["active"][world.tools.pools.index(pool)])
        others = sum(books.spare(member) for member in pool.members if member != row) if pool and active else 0
        room = int(record["pledge_room"]) or None
        seen[int(world.clock.now), name] = (
            None if pool is None else pool.name,
            None if pool is None else others,
            None if room is None else max(0, room - int(record["pledged"])),
        )


def test_the_answer_at_every_instant_is_what_the_books_say(played: tuple[cs.Run, Seen]) -> None:
    run, seen = played
    query, moved = LiquidityQuery(run), set()
    for time_ms in sorted({time_ms for time_ms, _ in seen}):
        for owner in query.answer(time_ms).owners:
            for one in owner.accounts:
                told = (one.pool, one.pool_spare, one.pledge_room)
                assert told == seen[time_ms, one.account], (time_ms, one.account)
                moved.add(told)
    assert len(moved) > 60
    assert ("rural-1", 0, None) in moved


def test_the_frame_has_them_beside_an_expected_position_that_leaves_them_out(played: tuple[cs.Run, Seen]) -> None:
    frame = cs.liquidity(played[0], at="10:10")
    told = frame[frame.account.notna()].set_index("account")
    assert told.pool.dropna().to_dict() == {"A": "abc", "B": "abc", "C": "abc", "D": "rural-1", "E": "rural-1"}
    assert told.pledge_room_fen.dropna().to_dict() == {"F": 15_00, "G": told.pledge_room_fen["G"]}
    participants = told[told.available_fen.notna()]
    expected = participants.available_fen + participants.queued_in_fen - participants.queued_out_fen
    assert expected.equals(participants.expected_fen)


def test_overdraft_limits_of_a_generated_population_are_known() -> None:
    run = cs.simulate(
        {
            "accounts": {"generate": "national", "count": 8, "overdraft": {"share_of_outflow": "0.1"}},
            "workload": [{"system": "HVPS", "generator": "national", "count": 60, "value": 9_000_000}],
            "liquidity": {"share_of_outflow": ["0.1", "0.2"]},
            "series_step": "4 h",
        }
    )
    frame = cs.liquidity(run, at="12:00")
    told = frame[frame.account.notna()].set_index("account").overdraft_limit_fen.dropna()
    assert told[told > 0].to_dict() == run.manifest["granted"]["overdraft_limit_fen"]
    assert "pledge_room_fen" not in run.manifest["granted"]
