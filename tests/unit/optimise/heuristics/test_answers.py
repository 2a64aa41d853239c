"""Whatever a heuristic answers can be posted, leaves nothing that could simply be added, and never changes."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnaps_sim.optimise.heuristics as bundled
from cnaps_sim.optimise.heuristics.rising_prices import rising_prices, searched
from cnaps_sim.optimise.heuristics.take_out import last
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import Chosen, QueueTable
from cnaps_sim.optimise.registry import Algorithm, algorithms, checked
from cnaps_sim.optimise.sequence import multilateral
from cnaps_sim.optimise.traffic import random_traffic
from cnaps_sim.words.errors import InputError

HEURISTICS = [item for item in algorithms() if item.solve.__module__.startswith(bundled.__name__)]
NAMES = [item.name for item in HEURISTICS]
LARGEST_AMOUNT = 92_000_000_000_000_000


def test_every_family_is_declared_in_documented_order() -> None:
    assert NAMES == [
        "take-out-last", "take-out-largest", "take-out-smallest", "take-out-best-fit",
        "put-in-arrival", "put-in-largest", "put-in-smallest",
        "account-knapsack", "simple-cycles", "lp-rounding", "rising-prices",
    ]  # fmt: skip
    assert all(item.reference and item.chinese and item.summary for item in HEURISTICS)


@st.composite
def queues(draw: st.DrawFn) -> QueueTable:
    accounts = draw(st.integers(2, 6))
    amounts = draw(st.sampled_from([st.integers(1, 5), st.integers(1, 40), st.integers(1, LARGEST_AMOUNT)]))
    pair = st.permutations(range(accounts)).map(lambda order: order[:2])
    rows = draw(st.lists(st.tuples(pair, amounts), max_size=24))
    largest = max([amount for _, amount in rows], default=1)
    money = st.one_of(st.just(0), st.integers(-largest, 2 * largest))
    available = draw(st.lists(money, min_size=accounts, max_size=accounts))
    debtor, creditor = [pair[0] for pair, _ in rows], [pair[1] for pair, _ in rows]
    return QueueTable.of(available, debtor, creditor, [amount for _, amount in rows])


def closing(queue: QueueTable, chosen: Chosen) -> list[int]:
    """What each account has when the chosen payments settle, in Python's whole numbers."""
    money = queue.available.tolist()
    for row in np.flatnonzero(chosen).tolist():
        money[queue.debtor[row]] -= int(queue.amount[row])
        money[queue.creditor[row]] += int(queue.amount[row])
    return money


@settings(max_examples=60, deadline=None)
@given(queues())
@pytest.mark.parametrize("heuristic", HEURISTICS, ids=NAMES)
def test_no_account_is_pushed_below_zero(heuristic: Algorithm, queue: QueueTable) -> None:
    before = [column.copy() for column in (queue.available, queue.debtor, queue.creditor, queue.amount)]
    chosen = checked(queue, heuristic.solve(queue), heuristic)
    assert all(
        after >= min(0, had) for after, had in zip(closing(queue, chosen), queue.available.tolist(), strict=True)
    )
    columns = (queue.available, queue.debtor, queue.creditor, queue.amount)
    assert all(map(np.array_equal, columns, before))


@settings(max_examples=40, deadline=None)
@given(queues())
@pytest.mark.parametrize("heuristic", HEURISTICS, ids=NAMES)
def test_nothing_is_left_that_its_debtor_could_fund(heuristic: Algorithm, queue: QueueTable) -> None:
    """Funded by what the account has left; an account below zero has left what it receives beyond what it sends."""
    chosen = heuristic.solve(queue)
    money = closing(queue, chosen)
    for row in np.flatnonzero(~chosen).tolist():
        account = int(queue.debtor[row])
        assert money[account] - min(0, int(queue.available[account])) < queue.amount[row]


@settings(max_examples=100, deadline=None)
@given(queues())
def test_take_out_last_settles_whatever_multilateral_does(queue: QueueTable) -> None:
    assert not np.any(multilateral(queue) & ~last(queue))


@settings(max_examples=100, deadline=None, derandomize=True)  # no theorem: measured, not proven
@given(queues())
def test_rising_prices_settles_no_less_than_any_other_and_no_more_than_the_bound(queue: QueueTable) -> None:
    settled = queue.value(rising_prices(queue))
    assert settled <= bound_fen(queue)
    for heuristic in HEURISTICS:
        assert queue.value(heuristic.solve(queue)) <= settled, heuristic.name


def best_value(queue: QueueTable) -> int:
    """The most value that can settle, by trying every choice."""
    best = 0
    for choice in itertools.product([False, True], repeat=len(queue)):
        chosen = np.array(choice, np.bool_)
        if min(closing(queue, chosen)) >= 0:
            best = max(best, queue.value(chosen))
    return best


@pytest.mark.parametrize("seed", range(24))
def test_rising_prices_finds_the_best_of_ten_payments(seed: int) -> None:
    draw = np.random.default_rng(seed)
    accounts, largest = 2 + seed % 4, [6, 30, 10**8][seed % 3]
    debtor = draw.integers(0, accounts, 10)
    creditor = (debtor + draw.integers(1, accounts, 10)) % accounts
    available = draw.integers(0, largest // 2 + 1, accounts) * (draw.random(accounts) < 0.6)
    queue = QueueTable.of(available, debtor, creditor, draw.integers(1, largest + 1, 10))
    assert queue.value(rising_prices(queue)) == best_value(queue)


@pytest.mark.parametrize("heuristic", HEURISTICS, ids=NAMES)
def test_an_empty_queue_and_one_without_accounts(heuristic: Algorithm) -> None:
    assert heuristic.solve(QueueTable.of([5, -5], [], [], [])).shape == (0,)
    assert heuristic.solve(QueueTable.of([], [], [], [])).shape == (0,)


@pytest.mark.parametrize("heuristic", HEURISTICS, ids=NAMES)
def test_amounts_that_64_bits_cannot_add_up_are_refused(heuristic: Algorithm) -> None:
    queue = QueueTable.of([0, 0], [0] * 101, [1] * 101, [LARGEST_AMOUNT] * 101)
    with pytest.raises(InputError, match="add up to too much"):
        heuristic.solve(queue)


def test_more_effort_settles_no_less_on_the_way_to_the_bound() -> None:
    queue = random_traffic(seed=7, rounds=1, payments=400, accounts=16)
    values = [queue.value(searched(queue, effort)) for effort in (1, 100_000, 2_000_000)]
    assert values == sorted(values)
    assert values[-1] > values[0]


def digest(chosen: Chosen) -> str:
    return hashlib.blake2b(np.packbits(chosen).tobytes(), digest_size=8).hexdigest()


def test_the_answer_is_the_same_on_every_machine() -> None:
    """If this digest changes, results change for everybody who runs with this algorithm: say so in the changelog."""
    queue = random_traffic(seed=1, rounds=1, payments=600, accounts=20)
    assert digest(rising_prices(queue)) == "9866cb4ba5e37882"


def test_the_answer_is_the_same_uncompiled() -> None:
    """Rules run as plain Python where the JIT is off; integer arithmetic agrees to the payment."""
    program = (
        "import numpy as np, sys\n"
        "from cnaps_sim.optimise.heuristics.rising_prices import searched\n"
        "from cnaps_sim.optimise.traffic import random_traffic\n"
        "chosen = searched(random_traffic(3, 1, 60, 6), 40_000)\n"
        "print(np.flatnonzero(chosen).tolist())\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", program]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    compiled = searched(random_traffic(3, 1, 60, 6), 40_000)
    assert answer.stdout.strip() == str(np.flatnonzero(compiled).tolist())
