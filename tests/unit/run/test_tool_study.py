"""The comparison of liquidity tools: what it plays, and that its figures are those of runs."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.simulate import read
from cnaps_sim.run.tool_study import Tool, ToolStudy, tools_of, with_tools
from cnaps_sim.run.world import World

SMALL: dict[str, str] = {"scale": "0.01", "accounts.count": "60"}


@pytest.fixture(scope="module")
def compared() -> cs.Run:
    return cs.simulate("liquidity-tools", set=SMALL)


def test_each_tool_is_played_alone_between_none_and_all(compared: cs.Run) -> None:
    tools = ["matching", "pools", "pledge", "overdraft", "lending"]
    plays = compared.manifest["tools"]
    assert [play["tools"] for play in plays] == [[], *([tool] for tool in tools), tools]
    assert len({play["opening_fen"] for play in plays}) == 1
    assert plays[1]["sources"]["offset"] > 0
    assert plays[2]["pool_fen"] > 0
    assert plays[3]["pledge_fen"]["peak"] > 0
    assert plays[4]["overdraft_peak_fen"] > 0
    assert plays[5]["loans"]["count"] > 0
    assert all(play["pool_fen"] == 0 for play in plays[:2] + plays[3:6])


def test_the_play_with_all_tools_comes_to_what_the_run_itself_does(compared: cs.Run) -> None:
    play, summary = compared.manifest["tools"][-1], compared.summary["systems"]["HVPS"]
    assert {name: play[name] for name in ("submitted", "settled", "returned")} == {
        name: summary[name] for name in ("submitted", "settled", "returned")
    }
    assert play["delay_rho"] == pytest.approx(summary["delay_rho"], rel=1e-12)
    value: dict[str, Any] = cs.metrics.sources(compared).set_index("measure")["value"].to_dict()
    assert play["sources"] == {name: value[name] for name in ("own", "receipts", "pool", "credit", "offset")}
    use: dict[str, Any] = cs.metrics.tool_use(compared, by=None).set_index("measure")["value"].to_dict()
    assert play["pool_fen"] == use["rescued"] == use["gave"]
    assert play["pledge_fen"] == {"taken": use["pledge"], "peak": use["pledge_peak"]}
    assert play["loans"]["value_fen"] == use["lent"]
    assert play["overdraft_peak_fen"] == use["overdraft_peak"]
    assert play["interest_fen"]["overdraft"] == use["overdraft_interest"]


def test_the_play_without_tools_is_the_day_of_a_scenario_that_has_none(compared: cs.Run) -> None:
    none = {
        "pools": "[]", "credit": "{}", "hvps": "{}", "compare_tools": "false", "accounts.overdraft": "null"
    }  # fmt: skip
    bare = cs.simulate("liquidity-tools", set={**SMALL, **none})
    play, summary = compared.manifest["tools"][0], bare.summary
    assert play["delay_rho"] == pytest.approx(summary["systems"]["HVPS"]["delay_rho"], rel=1e-12)
    assert play["settled"] == summary["systems"]["HVPS"]["settled"]
    assert play["peak_used_fen"] == summary["liquidity"]["peak_used_fen"]
    assert "tools" not in bare.manifest


def test_the_least_opening_is_the_least_in_thousandths_that_gives_the_delay_without_tools() -> None:
    world = World(read("liquidity-tools", SMALL))
    study = ToolStudy(world, 0, lambda _done, _steps: None)
    rows = study.compare([(), (Tool.POOLS,)])
    least = round(rows[1]["least_opening"] * 1000)
    assert 0 < least < 1000
    without = study._rehearsals(()).delay(1000, matched=False)
    pooled = study._rehearsals((Tool.POOLS,))
    assert pooled.delay(least, matched=False).is_at_most(without)
    assert not pooled.delay(least - 1, matched=False).is_at_most(without)
    assert rows == study.compare([(), (Tool.POOLS,)])


#: A bank that holds nothing keeps its payments till noon and splits them; its pool could have paid them at once.
HELD: dict[str, Any] = {
    "name": "held",
    "accounts": [{"account": "A"}, {"account": "B", "balance": 100}, {"account": "C"}],
    "workload": [
        {"system": "HVPS", "payments": [
            {"payment_id": "P1", "time": "09:00", "debtor": "A", "creditor": "C", "amount": 60},
            {"payment_id": "P2", "time": "16:00", "debtor": "C", "creditor": "A", "amount": 60},
        ]}
    ],
    "pools": [{"name": "AB", "accounts": ["A", "B"]}],
    "actions": [{"at": "08:45", "do": "stop_pool", "pool": "AB"}, {"at": "08:50", "do": "start_pool", "pool": "AB"}],
    "compare_tools": True,
}  # fmt: skip


def test_actions_on_pools_are_left_out_where_there_is_none() -> None:
    plays = cs.simulate(HELD).manifest["tools"]
    assert [play["tools"] for play in plays] == [[], ["pools"]]
    assert [play["settled"]["count"] for play in plays] == [0, 2]
    assert [play["peak_used_fen"] for play in plays] == [0, 6_000]


def test_a_tool_with_which_payments_wait_longer_has_no_least_opening() -> None:
    run = cs.simulate({**HELD, "pools": [], "actions": [], "behaviours": [
        {"banks": ["B"], "policy": "hold-until", "until": "12:00"}
    ], "workload": [{"system": "HVPS", "payments": [
        {"payment_id": "P1", "time": "09:00", "debtor": "B", "creditor": "C", "amount": 60}
    ]}]})  # fmt: skip
    held = run.manifest["tools"][1]
    assert held["tools"] == ["behaviours"]
    assert held["delay_rho"] > run.manifest["tools"][0]["delay_rho"] == 0
    assert held["least_opening"] is None


def test_a_world_knows_its_tools_and_a_scenario_can_be_stripped_of_them() -> None:
    world = World(read("liquidity-tools", SMALL))
    assert tools_of(world) == (Tool.MATCHING, Tool.POOLS, Tool.PLEDGE, Tool.OVERDRAFT, Tool.LENDING)
    bare = with_tools(world.loaded.scenario, (), world.population)
    assert bare.pools == ()
    assert bare.credit.pledge.collateral == ()
    assert bare.credit.lending_desk.share == 0


def test_overdraft_limits_of_generated_accounts_are_a_share_of_what_each_class_named_sends() -> None:
    world = World(read("liquidity-tools", SMALL))
    rows, flow = world.population.rows, world.population.flow.rows
    for place, row in enumerate(rows):
        sent = int(flow["amount"][flow["debtor"] == place].sum())
        assert row["overdraft_limit"] == (sent * 20_000 // 1_000_000 if row["kind"] == "state" else 0)
