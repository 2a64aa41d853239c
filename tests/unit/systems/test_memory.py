"""Compact memories: they know what they were told, and a message costs some bytes."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from cnaps_sim.analysis.simulate import read
from cnaps_sim.run.world import World
from cnaps_sim.systems.memory import Digests, PaymentIds, digest_of

#: What grows with the day beside its results, bytes a message.
BYTES_A_MESSAGE = 60
_ROOMS = ("systems", "participants", "messages", "engine/network.py", "engine/clock.py", "run/exchange.py")


def test_a_table_of_digests_agrees_with_a_dict() -> None:
    chance, known = random.Random(1), dict[int, tuple[int, int]]()
    table = Digests(numbers=2)
    for _ in range(5000):
        written = digest_of(bytes([chance.randrange(256), chance.randrange(20)]))
        digest = chance.choice([written, chance.randrange(1, 90)])  # small ones stand close to one another
        numbers = (chance.randrange(-(2**63), 2**63), chance.randrange(-1, 2**40))
        assert table.add(digest, *numbers) == (digest not in known)
        known[digest] = numbers
    assert len(table) == len(known)
    assert all(table.get(digest) == numbers for digest, numbers in known.items())
    assert table.get(2**62) is None


def test_payment_ids_are_found_among_those_that_travel() -> None:
    ids, rows = pa.array([f"P{n}" for n in range(2000)]), np.arange(0, 2000, 2)
    found = PaymentIds(ids, rows)
    assert [found.get(f"P{n}") for n in range(2000)] == [n if n % 2 == 0 else -1 for n in range(2000)]
    assert found.get("") == found.get("P2000") == -1


def test_two_ids_with_one_digest_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnaps_sim.systems.memory.digest_of", lambda data: len(data))
    found = PaymentIds(pa.array(["A", "B", "CC"]), np.arange(3))
    assert [found.get(payment_id) for payment_id in ("A", "B", "CC", "D", "DD")] == [0, 1, 2, -1, -1]


def grown(payments: int) -> tuple[int, int]:
    """Bytes that the rooms of messages hold at the end of a day over bad links, and how many messages there were."""
    world = World(
        read(
            {
                "name": "memory",
                "accounts": {"generate": "national", "count": 10},
                "workload": [
                    {"system": "HVPS", "generator": "national", "count": payments, "value": payments * 22_191_000}
                ],
                "messages": "all",
                "network": {"latency": "40 ms", "loss": "0.01", "duplicates": "0.01"},
                "series_step": "6 h",
            }
        )
    )
    tracemalloc.start()
    try:
        world.run()
        patterns = [tracemalloc.Filter(True, f"*/cnaps_sim/{room}*") for room in _ROOMS]
        held = sum(found.size for found in tracemalloc.take_snapshot().filter_traces(patterns).statistics("filename"))
    finally:
        tracemalloc.stop()
    assert world.exchange is not None
    return held, int(world.exchange.summary()["rows"])


def test_a_message_costs_some_bytes_beside_the_results_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnaps_sim.run.message_log.ROWS_OF_A_PART", 100)  # what is not written yet is bounded by this
    grown(100)  # what is compiled and prepared once is not counted
    few, many = grown(400), grown(2400)
    assert (many[0] - few[0]) / (many[1] - few[1]) < BYTES_A_MESSAGE
