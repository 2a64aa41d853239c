"""The settlement queue of one account on its own."""

from __future__ import annotations

from cnaps_sim.reference.queue import Payment, SettlementQueue
from cnaps_sim.words.codes import Level


def payment(sequence: int, level: int) -> Payment:
    return Payment(sequence, 0, 1, 10, level, 0, False)


def test_the_first_movable_level_is_the_highest_that_holds_a_payment() -> None:
    queue = SettlementQueue()
    assert queue.first_movable_level(held=False) is None
    for sequence, level in enumerate((Level.NORMAL, Level.SAME_CITY_NET, Level.URGENT)):
        queue.append(payment(sequence, level))
    assert queue.first_movable_level(held=False) == Level.URGENT
    assert queue.first_movable_level(held=True) == Level.SAME_CITY_NET
    assert queue.count == 3


def test_a_held_queue_without_reversal_or_same_city_net_has_no_movable_level() -> None:
    queue = SettlementQueue()
    for level in (Level.URGENT, Level.ROUND_NET, Level.NORMAL):
        queue.append(payment(0, level))
    assert queue.first_movable_level(held=True) is None


def test_an_empty_queue_blocks_nothing() -> None:
    assert not any(SettlementQueue().blocks(level, held=False, may_pass=False) for level in Level)


def test_a_waiting_payment_blocks_its_own_level_and_all_lower_ones() -> None:
    queue = SettlementQueue()
    queue.append(payment(0, Level.ROUND_NET))
    assert [level for level in Level if queue.blocks(level, held=False, may_pass=False)] == [4, 5, 6, 7]
    assert [level for level in Level if queue.blocks(level, held=False, may_pass=True)] == [5, 6, 7]


def test_a_held_level_blocks_no_other() -> None:
    queue = SettlementQueue()
    queue.append(payment(0, Level.URGENT))
    assert not queue.blocks(Level.SAME_CITY_NET, held=True, may_pass=False)
    queue.append(payment(1, Level.REVERSAL))
    assert queue.blocks(Level.SAME_CITY_NET, held=True, may_pass=False)


def test_a_payment_is_taken_out_from_anywhere_and_put_back_at_either_end() -> None:
    queue = SettlementQueue()
    first, second, third = (payment(sequence, Level.NORMAL) for sequence in range(3))
    for each in (first, second, third):
        queue.append(each)
    queue.remove(second)
    assert list(queue.levels[Level.NORMAL]) == [first, third]
    queue.push(second)
    assert list(queue.levels[Level.NORMAL]) == [second, first, third]
    assert queue.count == 3
