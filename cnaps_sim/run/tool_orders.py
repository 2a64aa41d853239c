"""Orders about liquidity tools that a scenario gives: limits, pledge loans, pools."""

from __future__ import annotations

from collections.abc import Callable

from cnaps_sim.run.matching import limited_row
from cnaps_sim.run.world import World
from cnaps_sim.scenario.actions import SetLimit
from cnaps_sim.scenario.tool_actions import OnPool, Pledge, Repay
from cnaps_sim.systems.fund_pools import PoolCommand
from cnaps_sim.words.codes import Answer
from cnaps_sim.words.units import format_fen

#: What is carried out here.
ToolOrder = SetLimit | Pledge | Repay | OnPool
#: Notes what the centre has answered: whose order it was, the answer, and what was asked.
Tell = Callable[[str, Answer, str], None]


def carry_out(world: World, order: ToolOrder, tell: Tell) -> None:
    """Carry out one order now."""
    row = world.saps.row
    match order:
        case SetLimit():
            _set_limit(world, order, tell)
        case Pledge():
            answer = world.credit.borrow(row[order.account], order.amount)
            tell(order.account, answer, f"{format_fen(order.amount)} CNY")
        case Repay():
            tell(order.account, world.credit.repay(row[order.account]), "what its own money covers")
        case _:
            assert world.pools is not None, "whoever read the scenario has looked for the pool"
            words = world.pools.order(order.pool, PoolCommand(order.do))
            world.recorder.tell(int(world.clock.now), "action", order.pool, words)


def _set_limit(world: World, order: SetLimit, tell: Tell) -> None:
    """By message where all payments travel as messages."""
    row, towards = world.saps.row[order.account], limited_row(world.saps.row, order.to)
    whom = "all others" if order.to is None else order.to
    words = f"no limit towards {whom}" if order.most is None else f"limit towards {whom} {format_fen(order.most)} CNY"
    exchange = world.exchange
    if exchange is not None and exchange.all_travel:
        exchange.set_limit(row, towards, order.most, lambda answer: tell(order.account, answer, words))
        return
    world.tell_auditor_of_bilateral_limit(row, towards, order.most)
    tell(order.account, world.books.set_limit(int(world.clock.now), row, towards, order.most), words)
