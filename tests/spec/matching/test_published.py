"""Published instances, to the payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnaps_sim.optimise.doctor import diagnose
from cnaps_sim.optimise.exact import solve_exactly
from cnaps_sim.optimise.lp import bound_fen
from cnaps_sim.optimise.queue_table import QueueTable
from cnaps_sim.optimise.sequence import multilateral


def test_project_ubin_case_2_2_3(queue: Callable[[str], Any]) -> None:
    """MAS (2017), Project Ubin phase 2: in queue order items 1, 2, 4; out of order item 5 as well."""
    case = queue("A 10, B 8; A→B 20, B→A 15, A→B 30, B→A 12, A→B 15, B→A 80")
    assert case.settles("multilateral") == [1, 2, 4]
    assert case.value("multilateral") == 47
    assert case.settles("exact") == [1, 2, 4, 5]
    assert case.value("exact") == 62


@pytest.fixture(scope="module")
def sheet() -> QueueTable:
    """Four banks in a ring, each with one large payment first and then 1 249 equal small ones."""
    large = (5_001_000, 5_005_000, 5_006_000, 5_008_000)
    amount = [[first, *[1_000 * (bank + 1)] * 1_249] for bank, first in enumerate(large)]
    debtor = np.repeat(np.arange(4), 1_250)
    funds = [800_000, 800_000, 1_201_000, 1_335_000]
    return QueueTable.of(funds, debtor, (debtor + 1) % 4, np.concatenate(amount))


def test_the_sheet_of_four_banks_under_fifo(sheet: QueueTable) -> None:
    chosen = multilateral(sheet)
    left = np.bincount(sheet.debtor[~chosen], minlength=4)
    assert len(sheet) == 5_000
    assert int(sheet.amount.sum()) == 32_510_000
    assert left.tolist() == [0, 227, 168, 105]
    assert sheet.value(chosen) == 31_132_000
    assert sheet.closing(chosen).tolist() == [4_134_000, 1_000, 1_000, 0]


def test_the_sheet_of_four_banks_has_no_better_answer(sheet: QueueTable) -> None:
    answer = solve_exactly(sheet)
    assert answer.optimal
    assert answer.value == 31_132_000
    assert bound_fen(sheet) >= 31_132_000


def test_the_sheet_of_four_banks_needs_new_money_at_two(sheet: QueueTable) -> None:
    found = diagnose(sheet)
    assert found.injection.tolist() == [0, 453_000, 49_000, 0]
    topped = QueueTable.of(sheet.available + found.injection, sheet.debtor, sheet.creditor, sheet.amount)
    assert multilateral(topped).all()
    for bank in (1, 2):
        short = topped.available.copy()
        short[bank] -= 1
        assert not multilateral(QueueTable.of(short, sheet.debtor, sheet.creditor, sheet.amount)).all()
