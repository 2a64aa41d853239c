"""Whatever the netting servers do is what the auditor expects, and most of what they did not do is found."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit.netting import NettingAuditor
from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.retail import RetailKind

BANKS = 5
KNOWN = [0] * 12 + [Refusal.AMOUNT, Refusal.PAYER_BANK, Refusal.TIMED_OUT, Refusal.STOPPED, Refusal.DUPLICATE]
KNOWN.append(Refusal.UNANSWERED)


def act(day: Any, time: int, rng: Random, sent: int) -> int:
    """One thing that may happen; answers the number of rounds sent."""
    bank, choice = rng.randrange(BANKS), rng.random()
    if choice < 0.75:
        more = {"items": rng.randint(1, 4), "refusal": int(rng.choice(KNOWN)), "lag_ms": rng.choice([0, 1, 9, 300])}
        kind = rng.choice([RetailKind.ORDINARY_CREDIT, *RetailKind])
        day.submit(time, bank, rng.randrange(BANKS), rng.randint(1, 60), kind, **more)
    elif choice < 0.80:
        day.cap(time, bank, rng.randint(0, 120))
    elif choice < 0.84:
        day.close(bank, rng.random() < 0.3)
    elif choice < 0.88:
        day.log_in(time, bank, rng.random() < 0.7)
    elif choice < 0.91:
        waiting = sorted({unit for queue in day.server.snapshot()["queues"].values() for unit in queue})
        if waiting:
            day.cancel(time, rng.choice(waiting), bank)
    elif choice < 0.94:
        day.match(time)
    elif choice < 0.97:
        day.round(time, send=False)
    elif sent < len(day.nets):
        sent += 1
        day.send(time, sent).post_all(time, sent)
    else:
        day.look(time)
    return sent


def random_day(clearing: Any, seed: int, log_all: bool) -> Any:
    rng = Random(seed)
    day, sent = clearing([rng.randint(0, 100) for _ in range(BANKS)], log_all), 0
    for time in range(400):
        sent = act(day, time // 2, rng, sent)
    for number in range(sent + 1, len(day.nets) + 1):
        day.send(200, number).post_all(200, number)
    return day.switch(201).look(202)


@pytest.mark.parametrize("log_all", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_a_random_day_passes(clearing: Any, seed: int, log_all: bool) -> None:
    verdict = random_day(clearing, seed, log_all).verdict()
    assert verdict.passed, verdict.breaches


@pytest.mark.parametrize("seed", range(25))
def test_an_entry_that_is_lost_is_found(clearing: Any, seed: int) -> None:
    """Any entry about a unit: each is either an outcome or the end of a wait."""
    rng = Random(seed)
    for _ in range(4):
        day = random_day(clearing, seed, False)
        logs = [arguments for method, arguments in day.steps if method == "see_log"]
        log = rng.choice(logs)
        log[0] = np.delete(log[0], rng.randrange(len(log[0])))
        assert not day.verdict().passed


def test_the_compiled_server_passes_in_chunks() -> None:
    """A flow in which caps bind, drained at uneven distances."""
    rng = np.random.default_rng(7)
    size, banks = 20_000, 12
    rows = np.zeros(size, RETAIL)
    rows["time_ms"] = np.sort(rng.integers(0, 10_000, size))
    rows["amount"], rows["items"] = rng.integers(1, 1000, size), rng.integers(1, 5, size)
    rows["debtor"], rows["creditor"] = rng.integers(0, banks, size), rng.integers(0, banks, size)
    rows["kind"] = rng.integers(0, len(RetailKind), size)
    rows["refusal"] = rng.choice([0, 0, 0, Refusal.PAYEE_BANK, Refusal.TIMED_OUT], size)
    caps = rng.integers(0, 5000, banks)
    server = Netting([{"cap": int(cap)} for cap in caps])
    auditor = NettingAuditor(caps)
    done = 0
    while done < size:
        until_ms = int(rows["time_ms"][min(done + int(rng.integers(1, 3000)), size - 1)]) + 1
        come = server.advance(rows, done, until_ms)
        auditor.see_chunk(rows[done:come], done, come)
        auditor.see_log(server.drain_log())
        done = come
        positions = server.positions
        waiting = int(server.netting["waiting_count"][0])
        auditor.see_positions(until_ms, positions["position"], positions["unsettled"], waiting)
    auditor.see_tallies(server.tallies)
    verdict = auditor.finish(stopped=True)
    assert verdict.passed, verdict.breaches
    assert verdict.rules["package-whole"] == 0
