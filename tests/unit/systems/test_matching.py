"""Queue matching in a run: when each trigger fires, what a matching that takes time does, whose choice is posted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnaps_sim as cs
from cnaps_sim.core.matching_desk import Matchable
from cnaps_sim.systems.matching import bound_of, table_order

HOUR = 3_600_000
MINUTE = 60_000
NINE = 9 * HOUR
OPENS, CUT_OFF, WINDOW_END = -12_600_000, 62_100_000, 63_000_000


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


def ring(hour: str = "09", amount: int = 10, tag: str = "") -> list[dict[str, Any]]:
    """A owes B, B owes C, C owes A, told to the banks at :00, :01 and :02 of an hour."""
    return [
        pay(f"AB{tag}", f"{hour}:00", "A", "B", amount),
        pay(f"BC{tag}", f"{hour}:01", "B", "C", amount),
        pay(f"CA{tag}", f"{hour}:02", "C", "A", amount),
    ]


def scenario(payments: list[dict[str, Any]], matching: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Three banks that hold nothing, unless `accounts` says otherwise."""
    hvps = {"matching": {"algorithm": "multilateral", **matching}}
    base: dict[str, Any] = {
        "name": "matched",
        "accounts": [{"account": name} for name in "ABC"],
        "workload": [{"system": "HVPS", "payments": payments}],
        "hvps": hvps,
    }
    return {**base, **changes}


def run(payments: list[dict[str, Any]], matching: dict[str, Any], **changes: Any) -> cs.Run:
    done = cs.simulate(scenario(payments, matching, **changes))
    assert done.manifest["audit"]["verdict"] == "passed"
    return done


def rows(done: cs.Run, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of the matchings, null as None."""
    return list(zip(*(done.table("matchings")[name].to_pylist() for name in names), strict=True))


def settled(done: cs.Run) -> dict[str, int | None]:
    table = done.table("payments")
    return dict(zip(table["payment_id"].to_pylist(), table["settled_ms"].to_pylist(), strict=True))


def told(done: cs.Run, kind: str) -> list[str]:
    events = done.events
    return list(events[events.kind == kind].detail)


# triggers -----------------------------------------------------------------------------------------------------


def test_every_counts_from_the_opening_and_stays_within_daytime() -> None:
    late = [pay("LATE", "17:00", "A", "B", 5)]
    done = run([*ring("09"), *late], {"every": "1 h"})
    # From 20:30 on the evening before: 09:30 comes after the ring, 16:30 before LATE, 17:30 is out of daytime.
    assert rows(done, "time_ms", "trigger", "settled") == [(NINE + HOUR // 2, "every", 3), (WINDOW_END, "close", 0)]
    assert set(settled(done).values()) == {NINE + HOUR // 2, None}


def test_a_matching_at_a_time_of_day_runs_on_every_date() -> None:
    second = [{**row, "time": f"2025-06-18T{row['time']}"} for row in ring("09", tag="2")]
    done = run([*ring("09"), *second], {"at": ["09:10"]}, days=2)
    assert rows(done, "matching", "time_ms", "trigger") == [
        (1, NINE + 10 * MINUTE, "at"),
        (2, 24 * HOUR + NINE + 10 * MINUTE, "at"),
    ]
    assert done.matchings.date.astype(str).tolist() == ["2025-06-17", "2025-06-18"]


@pytest.mark.parametrize(("line", "trigger"), [({"queued_over": 2}, "queued_over"), ({"value_over": 25}, "value_over")])
def test_a_queue_that_grows_past_a_line_is_matched_at_that_instant(line: dict[str, Any], trigger: str) -> None:
    done = run([*ring("09"), *ring("10", tag="2")], line)
    at = [NINE + 2 * MINUTE, NINE + HOUR + 2 * MINUTE]
    assert rows(done, "time_ms", "trigger", "settled") == [(at[0], trigger, 3), (at[1], trigger, 3)]


def test_a_line_does_not_fire_again_until_the_queue_has_been_at_or_below_it() -> None:
    stuck = [pay(f"S{i}", f"09:{i:02d}", "A", "B", 5) for i in range(6)]
    relief = [pay("IN", "10:00", "C", "A", 20), pay("S6", "10:30", "A", "B", 5), pay("S7", "10:31", "A", "B", 5)]
    accounts = [{"account": "A"}, {"account": "B"}, {"account": "C", "balance": 20}]
    done = run([*stuck, *relief], {"queued_over": 3}, accounts=accounts)
    # S3 is the fourth; four leave at 10:00, so S6 makes three and S7 four again.
    times = [time for time, trigger in rows(done, "time_ms", "trigger") if trigger == "queued_over"]
    assert times == [NINE + 3 * MINUTE, NINE + 91 * MINUTE]


def test_balance_warnings_do_not_pass_for_growth_of_the_queue() -> None:
    accounts = [{"account": "A"}, {"account": "B"}, {"account": "C", "balance": 100, "warning_line": 95}]
    stuck = [pay(f"S{i}", f"09:0{i}", "A", "B", 50) for i in range(3)]
    paid = [pay(f"W{i}", f"10:0{i}", "C", "A", 10) for i in range(2)] + [pay("BACK", "10:05", "C", "B", 1)]
    done = run([*stuck, *paid], {"queued_over": 1}, accounts=accounts)
    assert [trigger for (trigger,) in rows(done, "trigger")] == ["queued_over", "close"]
    assert len(told(done, "warning")) == 1


def test_the_cut_off_matches_while_overdraft_limits_count_and_the_window_without() -> None:
    accounts = [{"account": "A", "overdraft_limit": 4}, {"account": "B"}, {"account": "C"}]
    unequal = [pay("AB", "09:00", "A", "B", 10), pay("BC", "09:01", "B", "C", 8), pay("CA", "09:02", "C", "A", 6)]
    done = run(unequal, {"on_phase": ["cut_off"]}, accounts=accounts)
    assert rows(done, "time_ms", "trigger", "settled") == [(CUT_OFF, "phase", 3)]
    done = run(unequal, {"on_phase": ["clearing_window"]}, accounts=accounts)
    assert rows(done, "time_ms", "trigger", "settled") == [(CUT_OFF, "phase", 0), (WINDOW_END, "close", 0)]


def test_the_clearing_window_closes_at_once_when_its_matching_cures_all() -> None:
    done = run(ring(), {"on_phase": ["clearing_window"]})
    assert rows(done, "time_ms", "settled") == [(CUT_OFF, 3)]
    phases = done.events[done.events.kind == "phase"]
    assert [(int(row.time_ms), row.detail[:2]) for row in phases.itertuples()][-2:] == [
        (CUT_OFF, "30"),
        (CUT_OFF, "40"),
    ]


def test_on_entering_daytime_the_payments_of_that_instant_take_part() -> None:
    evening = [{**row, "time": "2025-06-16T20:30"} for row in ring()]
    done = run(evening, {"on_phase": ["daytime"]})
    assert rows(done, "time_ms", "trigger", "settled") == [(OPENS, "phase", 3)]


def test_a_command_matches_after_whatever_else_happens_in_that_instant() -> None:
    actions = [{"at": "09:10", "do": "match"}, {"at": "09:10", "do": "inject", "account": "A", "amount": 1}]
    unequal = [pay("AB", "09:00", "A", "B", 10), pay("BC", "09:01", "B", "C", 10), pay("CA", "09:02", "C", "A", 9)]
    done = run(unequal, {}, actions=actions)
    assert rows(done, "time_ms", "trigger", "settled") == [(NINE + 10 * MINUTE, "action", 3)]


def test_a_command_before_the_opening_is_refused() -> None:
    done = run(ring(), {}, actions=[{"at": "2025-06-16T20:10", "do": "match"}])
    assert told(done, "refusal") == ["match refused: no phase in which queues are matched"]


def test_continuous_matching_settles_with_the_last_arrival_and_records_no_vain_attempt() -> None:
    done = run([*ring("09"), pay("STUCK", "10:00", "A", "B", 5)], {"continuous": True})
    assert rows(done, "time_ms", "trigger", "settled") == [
        (NINE + 2 * MINUTE, "continuous", 3),
        (WINDOW_END, "close", 0),
    ]


def test_continuous_matching_looks_after_a_limit_change_too() -> None:
    unequal = [pay("AB", "09:00", "A", "B", 10), pay("BC", "09:01", "B", "C", 8), pay("CA", "09:02", "C", "A", 6)]
    raised = [{"at": "09:30", "do": "set", "account": "A", "field": "overdraft_limit", "value": 4}]
    done = run(unequal, {"continuous": True}, actions=raised)
    assert rows(done, "time_ms", "settled") == [(NINE + 30 * MINUTE, 3)]


def test_the_last_matching_runs_before_anything_is_returned() -> None:
    done = run(ring(), {})
    assert rows(done, "time_ms", "settled_ms", "trigger", "settled") == [(WINDOW_END, WINDOW_END, "close", 3)]
    assert set(done.payments.status) == {"PR04"}


def test_a_queue_without_payments_to_match_leaves_no_row() -> None:
    done = run(
        [pay("P", "10:00", "A", "B", 1)], {"every": "1 h"}, accounts=[{"account": "A", "balance": 1}, {"account": "B"}]
    )
    assert done.table("matchings").num_rows == 0
    assert "matchings" not in done.recorded


# what is recorded ---------------------------------------------------------------------------------------------


def test_the_tables_name_the_matching_that_released_a_payment() -> None:
    done = run([*ring(), pay("BIG", "09:05", "A", "C", 999)], {"at": ["09:30"], "bound": "lp"})
    assert rows(done, "matching", "algorithm", "considered", "considered_fen", "settled", "settled_fen", "bound_fen",
                "accounts")[0] == (1, "multilateral", 4, 102_900, 3, 3000, 3000, 3)  # fmt: skip
    released = done.table("payments")["released_by"].to_pylist()
    assert released == ["matching:1"] * 3 + [None]
    assert done.table("transfers")["matching"].to_pylist() == [1, 1, 1]
    assert done.table("transfers")["payment_id"].to_pylist() == ["AB", "BC", "CA"]


def test_what_a_matching_lets_go_afterwards_names_the_payment_that_paid_for_it() -> None:
    accounts = [{"account": name} for name in "ABCD"]
    behind = pay("CD", "09:03", "C", "D", 2)
    done = run([pay("AB", "09:00", "A", "B", 10), pay("BA", "09:01", "B", "A", 10), behind], {"at": ["09:30"]},
               accounts=[{**row, "balance": 2} if row["account"] == "C" else row for row in accounts])  # fmt: skip
    assert done.table("transfers")["matching"].to_pylist() == [None, 1, 1]


def test_without_matching_the_column_is_empty() -> None:
    done = cs.simulate("gridlock-ring")
    assert done.table("transfers")["matching"].null_count == done.table("transfers").num_rows
    assert "matchings" not in done.manifest["tables"]
    assert "matching" not in done.manifest


def test_the_same_scenario_gives_the_same_matchings() -> None:
    first, again = (cs.simulate("gridlock-lab") for _ in range(2))
    assert first.manifest["tables"] == again.manifest["tables"]


def test_a_payment_may_not_be_called_like_a_matching() -> None:
    with pytest.raises(cs.InputError, match="is a word of its own in results"):
        run([pay("matching:1", "09:00", "A", "B", 1)], {})


# who takes part -----------------------------------------------------------------------------------------------


def test_an_account_with_a_waiting_net_only_receives() -> None:
    accounts = [{"account": "A", "balance": 5}, {"account": "B"}]
    nets = [{"account": "A", "net": -10}, {"account": "B", "net": 10}]
    actions = [{"at": "09:00", "do": "round_net", "nets": nets}, {"at": "09:30", "do": "central_bank_debit",
               "account": "B", "amount": 10}]  # fmt: skip
    payments = [pay("AB", "09:10", "A", "B", 8), pay("BA", "10:00", "B", "A", 4)]
    done = run(payments, {"at": ["10:30"]}, accounts=accounts, actions=actions)
    assert settled(done)["AB"] is None


def test_a_bilateral_limit_holds_on_arrival_and_in_a_matching() -> None:
    accounts = [{"account": "A", "balance": 100}, {"account": "B"}]
    payments = [pay("AB1", "09:00", "A", "B", 30), pay("AB2", "09:10", "A", "B", 40), pay("BA", "09:20", "B", "A", 50)]
    limits = [{"account": "A", "to": "B", "limit": 50}]
    done = run(payments, {"at": ["09:30"]}, accounts=accounts, limits=limits)
    assert settled(done) == {"AB1": NINE, "AB2": NINE + 30 * MINUTE, "BA": NINE + 30 * MINUTE}


# a matching that takes time -----------------------------------------------------------------------------------


def test_a_matching_that_takes_time_posts_later_and_keeps_its_funds() -> None:
    accounts = [{"account": "A", "balance": 4}, {"account": "B"}, {"account": "C"}]
    unequal = [pay("AB", "09:00", "A", "B", 10), pay("BC", "09:01", "B", "C", 8), pay("CA", "09:02", "C", "A", 6)]
    urgent = pay("URGENT", "09:30:01", "A", "C", 4, priority="URGT")
    done = run([*unequal, urgent], {"at": ["09:30"], "duration": "5 s"}, accounts=accounts)
    half = NINE + 30 * MINUTE
    assert rows(done, "time_ms", "settled_ms", "settled", "accounts")[0] == (half, half + 5000, 3, 3)
    assert {settled(done)[name] for name in ("AB", "BC", "CA")} == {half + 5000}
    assert settled(done)["URGENT"] is None  # its money had been promised


def test_a_chosen_payment_takes_no_orders_and_another_trigger_is_not_obeyed() -> None:
    actions = [
        {"at": "09:30:02", "do": "cancel", "payment": "AB"},
        {"at": "09:30:03", "do": "match"},
    ]
    done = run(ring(), {"at": ["09:30"], "duration": "5 s"}, actions=actions)
    assert told(done, "refusal") == ["cancel refused: a matching under way has chosen the payment"]
    assert told(done, "matching") == ["trigger action not obeyed: matching 1 is under way"]
    assert rows(done, "settled") == [(3,)]


def test_a_matching_that_no_longer_holds_at_its_end_settles_nothing() -> None:
    control = [{"at": "09:30:02", "do": "debit_control", "account": "B", "on": "true"}]
    done = run(ring(), {"at": ["09:30"], "duration": "5 s"}, actions=control)
    assert rows(done, "settled_ms", "considered", "settled", "settled_fen", "accounts")[0] == (None, 3, 0, 0, 0)
    assert told(done, "matching") == [
        "matching 1 settled nothing of its 3 payments, 30.00 CNY: B could no longer take part"
    ]
    assert set(done.payments.reason) == {"RJ99"}


def test_a_matching_under_way_ends_before_the_window_closes() -> None:
    done = run(ring(), {"at": ["17:29:59"], "duration": "1 min"})
    assert rows(done, "time_ms", "settled_ms", "trigger") == [(WINDOW_END - 1000, WINDOW_END, "at")]
    assert set(done.payments.status) == {"PR04"}


def test_continuous_matching_goes_on_when_one_that_took_time_has_ended() -> None:
    second = [{**row, "time": f"09:02:0{place + 1}"} for place, row in enumerate(ring(tag="2"))]
    done = run([*ring(), *second], {"continuous": True, "duration": "10 s"})
    first_ms = NINE + 2 * MINUTE
    assert rows(done, "time_ms", "settled_ms") == [
        (first_ms, first_ms + 10_000),
        (first_ms + 10_000, first_ms + 20_000),
    ]
    assert told(done, "matching") == []


# other algorithms ---------------------------------------------------------------------------------------------

RESEARCH = '''
import numpy as np

def everything(queue):
    """All of it."""
    return np.ones(len(queue), bool)

def nothing(queue):
    return []

def last(queue):
    return [len(queue) - 1]

def too_many(queue):
    return [True] * (len(queue) + 1)

def breaks(queue):
    raise ValueError("no idea")

def scribbles(queue):
    queue.available[:] = 10**12
    return np.ones(len(queue), bool)

LEVELS = []

def sees(queue):
    LEVELS.append((queue.level.tolist(), queue.amount.tolist()))
    return []
'''


@pytest.fixture
def research(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_research.py").write_text(RESEARCH, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "my_research"


def test_a_researchers_function_by_import_path_is_posted(research: str) -> None:
    done = run(ring(), {"algorithm": f"{research}:everything", "at": ["09:30"]})
    assert rows(done, "algorithm", "settled") == [("my_research:everything", 3)]


def test_a_bundled_algorithm_settles_what_keeping_the_order_cannot() -> None:
    star = [
        pay("H1", "09:00", "H", "S1", 30), pay("H2", "09:01", "H", "S2", 20), pay("H3", "09:02", "H", "S3", 10),
        pay("1H", "09:03", "S1", "H", 25), pay("2H", "09:04", "S2", "H", 25), pay("3H", "09:05", "S3", "H", 10),
    ]  # fmt: skip
    accounts = [{"account": "H"}, {"account": "S1"}, {"account": "S2", "balance": 4}, {"account": "S3"}]
    values = {
        name: rows(run(star, {"algorithm": name, "at": ["10:00"]}, accounts=accounts), "settled_fen")[0][0]
        for name in ("multilateral", "bilateral-fifo", "bilateral", "exact")
    }
    assert values == {"multilateral": 0, "bilateral-fifo": 0, "bilateral": 2000, "exact": 2000}


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("last", "the algorithm my_research:last chose payments that account C cannot fund; it would have (-10.00)"),
        ("too_many", "the algorithm my_research:too_many answered for 4 payments where 3 are queued"),
        ("breaks", "the algorithm my_research:breaks failed (ValueError: no idea)"),
        ("missing", "the module my_research has no missing (my_research:missing)"),
    ],
)
def test_a_wrong_function_is_refused_in_one_sentence(research: str, function: str, sentence: str) -> None:
    with pytest.raises(cs.InputError) as caught:
        run(ring(), {"algorithm": f"{research}:{function}", "at": ["09:30"]})
    assert str(caught.value).startswith(f"scenario: hvps.matching.algorithm: {sentence}")


@pytest.mark.parametrize("trigger", [{}, {"on_phase": ["cut_off"]}, {"continuous": True}, {"queued_over": 2}])
def test_whatever_starts_it_the_error_is_the_same(research: str, trigger: dict[str, Any]) -> None:
    with pytest.raises(cs.InputError, match="my_research:breaks failed"):
        run(ring(), {"algorithm": f"{research}:breaks", **trigger})


def test_a_function_cannot_change_what_accounts_have(research: str) -> None:
    with pytest.raises(cs.InputError, match="account A cannot fund"):
        run([pay("AB", "09:00", "A", "B", 10)], {"algorithm": f"{research}:scribbles"})


def test_a_function_sees_levels_first_then_arrivals(research: str) -> None:
    payments = [
        pay("N1", "09:00", "B", "A", 1), pay("N2", "09:01", "A", "B", 2), pay("N3", "09:02", "B", "A", 3),
        pay("H1", "09:03", "A", "B", 4, priority="HIGH"),
    ]  # fmt: skip
    run(payments, {"algorithm": f"{research}:sees"})
    import my_research  # type: ignore[import-not-found]

    assert my_research.LEVELS[-1] == ([6, 7, 7, 7], [400, 100, 200, 300])


def test_a_bound_alone_is_no_matching_of_a_run() -> None:
    with pytest.raises(cs.InputError, match="is no matching of a run"):
        run(ring(), {"algorithm": "cnaps_sim.optimise.lp:settle_nothing"})


# the table of the queue ---------------------------------------------------------------------------------------


def matchable(debtor: list[int], level: list[int], funds: list[int], reserved: int = 0) -> Matchable:
    count = len(debtor)
    before = np.array(funds, np.int64)
    return Matchable(
        np.arange(count), np.array(debtor, np.int32), np.zeros(count, np.int32) + len(funds) - 1,
        np.full(count, 5, np.int64), np.array(level, np.int8), before - reserved, before,
    )  # fmt: skip


def test_the_table_is_by_level_then_arrival() -> None:
    queued = matchable([0, 0, 0, 1, 1], [6, 7, 7, 6, 7], [9, 9, 9])
    assert table_order(queued, np.array([4, 0, 2, 3, 1])).tolist() == [3, 0, 1, 4, 2]


def test_a_moved_payment_keeps_its_place_in_its_own_queue() -> None:
    queued = matchable([0, 0, 1], [7, 7, 7], [9, 9, 9])
    assert table_order(queued, np.array([7, 1, 3])).tolist() == [2, 0, 1]


def test_no_payments_make_an_empty_table() -> None:
    assert table_order(matchable([], [], [0]), np.zeros(0, np.int64)).tolist() == []


def test_the_bound_counts_what_is_reserved_from_normal_payments_and_ignores_the_central_bank() -> None:
    queued = matchable([0], [7], [8, 4 * 10**18], reserved=6)
    assert bound_of(queued, np.array([False, True])) == 5
    assert bound_of(matchable([0], [7], [-8, 0]), np.array([False, False])) == 0
