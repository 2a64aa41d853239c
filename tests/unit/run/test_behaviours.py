"""Behaviours in runs: when banks send what they are told to pay, policy by policy, and policies of one's own."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.participants.behaviours.view import View, Waiting
from cnaps_sim.words.units import parse_clock

_NAMES = itertools.count()


def day(behaviours: list[dict[str, Any]], payments: list[tuple[Any, ...]], **more: Any) -> dict[str, Any]:
    """A scenario of three banks; payments as (id, time, debtor, creditor, amount) and maybe a priority."""
    keys = ("payment_id", "time", "debtor", "creditor", "amount", "priority")
    rows = [dict(zip(keys, payment, strict=False)) for payment in payments]
    balances = more.pop("balances", {"A": 100, "B": 100, "C": 0})
    return {
        "accounts": [{"account": name, "balance": fen} for name, fen in balances.items()],
        "workload": [{"system": "HVPS", "payments": rows}],
        "behaviours": behaviours,
        **more,
    }


def settled(run: cs.Run) -> dict[str, str | None]:
    """When each payment settled: HH:MM[:SS], None if it never did."""
    return {row.payment_id: _clock(row.settled_ms) for row in run.payments.itertuples()}


def submitted(run: cs.Run) -> dict[str, str | None]:
    return {row.payment_id: _clock(row.submitted_ms) for row in run.payments.itertuples()}


def _clock(ms: Any) -> str | None:
    if pd.isna(ms):
        return None
    minutes, rest = divmod(int(ms), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest // 1000:02d}" if rest else "")


FOUR = [
    ("P1", "09:00", "A", "B", 60),
    ("P2", "09:10", "A", "C", 30, "URGT"),
    ("P3", "09:20", "B", "A", 50),
    ("P4", "09:30", "A", "C", 20),
]


def test_payments_held_go_at_the_time_in_the_order_told() -> None:
    run = cs.simulate(day([{"banks": ["A"], "policy": "hold-until", "until": "10:30"}], FOUR))
    assert submitted(run) == {"P1": "10:30", "P2": "10:30", "P3": "09:20", "P4": "10:30"}
    order = run.transfers[run.transfers.time_ms == parse_clock("10:30")].payment_id.tolist()
    assert order == ["P1", "P2", "P4"]


def test_a_level_that_is_not_held_passes_what_the_outbox_holds() -> None:
    run = cs.simulate(day([{"banks": ["A"], "policy": "hold-until", "levels": [6, "7"]}], FOUR))
    assert submitted(run) == {"P1": "10:00", "P2": "09:10", "P3": "09:20", "P4": "10:00"}


def test_a_receipt_reactive_bank_sends_within_its_budget_and_receipts() -> None:
    """Budget 60: P1 uses it up; 50 come in at 09:20 and let the urgent 30 go, then 20 at 09:30."""
    run = cs.simulate(day([{"banks": ["A"], "policy": "receipt-reactive", "budget": 60}], FOUR))
    assert submitted(run) == {"P1": "09:00", "P2": "09:20", "P3": "09:20", "P4": "09:30"}
    half = [{"banks": ["A"], "policy": "receipt-reactive", "budget": 60, "receipt_share": "0.5"}]
    assert submitted(cs.simulate(day(half, FOUR)))["P2"] == "16:45"  # 25 of the 50 are not enough


def test_a_budget_and_a_reserve_can_be_shares_of_the_opening_balance() -> None:
    entry = {"banks": ["A"], "share_of_opening": "0.6"}
    assert submitted(cs.simulate(day([{**entry, "policy": "receipt-reactive"}], FOUR)))["P1"] == "09:00"
    assert submitted(cs.simulate(day([{**entry, "policy": "keep-reserve"}], FOUR)))["P1"] == "09:20"


def test_a_free_rider_sends_what_it_has_received_and_gives_up_at_its_time() -> None:
    run = cs.simulate(day([{"banks": ["A"], "policy": "free-rider"}], FOUR))
    assert submitted(run) == {"P1": "15:00", "P2": "15:00", "P3": "09:20", "P4": "15:00"}
    rich = [*FOUR, ("P5", "11:00", "B", "A", 40)]
    run = cs.simulate(day([{"banks": ["A"], "policy": "free-rider"}], rich))
    assert submitted(run)["P1"] == "11:00"
    told = run.events[run.events.kind == "behaviour"]
    assert list(told.detail) == [
        "policy free-rider",
        "waits no longer and sends what it kept: 1 payments, CNY 20.00",
    ]


def test_urgent_and_high_payments_go_at_once_and_normal_ones_leave_the_reserve() -> None:
    payments = [("N1", "09:00", "A", "B", 60), ("N2", "09:01", "A", "B", 30), ("H1", "09:02", "A", "B", 40, "HIGH")]
    run = cs.simulate(day([{"banks": ["A"], "policy": "urgent-first", "reserve": 40}], payments))
    assert settled(run) == {"N1": "09:00", "N2": None, "H1": "09:02"}
    assert submitted(run)["N2"] == "16:45"


def test_a_throughput_guideline_sends_until_its_share_of_what_was_told_is_reached() -> None:
    payments = [(f"P{i}", f"09:0{i}", "A", "B", 10) for i in range(8)] + [("Q", "13:00", "A", "B", 20)]
    entry = {"banks": ["A"], "policy": "throughput", "shares": {"12:00": "0.5", "14:00": "0.75"}}
    run = cs.simulate(day([entry], payments))
    by_time = run.payments.groupby(run.payments.payment_id.map(submitted(run)))["amount_fen"].sum().to_dict()
    assert by_time == {
        "12:00": 4_000,
        "14:00": 4_000,
        "16:45": 2_000,
    }  # 40 of 80, 80 of 100 (75 are not whole payments)


def test_what_is_never_given_up_is_refused_at_cut_off() -> None:
    run = cs.simulate(day([{"banks": "all", "policy": "free-rider", "until": "never"}], FOUR))
    assert set(run.payments.status) == {"PR09"}
    assert set(run.payments.reason_iso) == {"TM01"}


def test_the_last_entry_that_names_a_bank_counts() -> None:
    entries = [{"banks": "all", "policy": "hold-until"}, {"banks": {"largest": 1}, "policy": "send-at-once"}]
    run = cs.simulate(day(entries, FOUR))
    assert submitted(run) == {"P1": "09:00", "P2": "09:10", "P3": "10:00", "P4": "09:30"}


def test_a_plan_begins_afresh_on_every_date() -> None:
    payments = [("P1", "09:00", "A", "B", 10), ("P2", "2025-06-18T09:00", "A", "B", 10)]
    run = cs.simulate(day([{"banks": ["A"], "policy": "hold-until"}], payments, days=2))
    assert submitted(run) == {"P1": "10:00", "P2": "34:00"}


def test_a_bank_that_was_stopped_goes_on_with_its_plan() -> None:
    stop = [{"at": "08:00", "do": "stop_sending", "account": "A", "until": "09:25"}]
    entry = {"banks": ["A"], "policy": "keep-reserve", "reserve": 80}
    run = cs.simulate(day([entry], FOUR, actions=stop))
    assert submitted(run) == {"P1": "16:45", "P2": "09:25", "P3": "09:20", "P4": "16:45"}
    late = [{"at": "08:00", "do": "stop_sending", "account": "A", "until": "17:00"}]
    assert submitted(cs.simulate(day([entry], FOUR, actions=late)))["P1"] == "17:00"  # silent when its plan ends


# splitting -----------------------------------------------------------------------------------------------------------


def test_large_payments_are_told_in_pieces_that_settle_one_by_one() -> None:
    entry = {"banks": ["A"], "policy": "split", "above": 50, "pieces": 3}
    payments = [("P1", "09:00", "A", "B", "100.01"), ("P2", "09:00", "B", "C", 60), ("P3", "09:01", "A", "B", 50)]
    run = cs.simulate(day([entry], payments, balances={"A": 70, "B": 100, "C": 0}))
    amounts = run.payments.set_index("payment_id")["amount_fen"].to_dict()
    assert amounts == {"P1/1": 3334, "P1/2": 3334, "P1/3": 3333, "P2": 6000, "P3": 5000}
    assert settled(run) == {"P1/1": "09:00", "P1/2": "09:00", "P1/3": None, "P2": "09:00", "P3": None}
    assert run.manifest["workload"]["split"] == {"payments": 1, "pieces": 3, "value_fen": 10_001}


def test_pieces_are_as_few_as_the_largest_piece_allows() -> None:
    entry = {"banks": "all", "policy": "split", "above": 30, "max_piece": 25}
    run = cs.simulate(day([entry], [("P1", "09:00", "A", "B", 60), ("P2", "09:01", "A", "B", 30)]))
    assert run.payments["amount_fen"].tolist() == [2_000, 2_000, 2_000, 3_000]


@pytest.mark.parametrize(
    ("payments", "words"),
    [
        ([("P1", "09:00", "A", "B", 60), ("P1/2", "09:01", "A", "B", 5)], "payment_id: is the id of a piece"),
        ([("P1", "09:00", "A", "B", 600_000)], "behaviours.0.max_piece: splits P1 (CNY 600000.00) (600000 pieces)"),
    ],
)
def test_a_split_that_cannot_be_is_told(payments: list[tuple[Any, ...]], words: str) -> None:
    entry = {"banks": "all", "policy": "split", "above": 1, "max_piece": 1}
    if "P1/2" in str(payments):
        entry = {"banks": "all", "policy": "split", "above": 30, "pieces": 2}
    with pytest.raises(cs.InputError, match=words.replace("(", r"\(").replace(")", r"\)")):
        cs.simulate(day([entry], payments))


# adaptive ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay_cost", "liquidity_cost", "times", "lesson"),
    [
        ("1", "0", ["12:00", "11:00", "10:00", "10:00"], "delay cost CNY 347.22, liquidity CNY 0.00; today it holds u"),
        ("0", "1", ["12:00", "13:00", "13:00", "13:00"], "delay cost CNY 0.00, liquidity CNY 2777.78; today it holds"),
        ("0", "0", ["12:00", "12:00", "12:00", "12:00"], "delay cost CNY 0.00, liquidity CNY 0.00; today it holds un"),
    ],
)
def test_an_adaptive_bank_moves_its_hold_time_towards_the_cheaper_side(
    delay_cost: str, liquidity_cost: str, times: list[str], lesson: str
) -> None:
    """A million waits three hours at 100 % a year: 1 000 000 x 3 / 24 / 360; used for a day: 1 000 000 / 360."""
    dates = ["2025-06-17", "2025-06-18", "2025-06-19", "2025-06-20"]
    payments = [(f"P{i}", f"{date}T09:00", "A", "B", 1_000_000) for i, date in enumerate(dates)]
    entry = {
        "banks": ["A"], "policy": "adaptive", "candidates": ["10:00", "11:00", "12:00", "13:00"],
        "delay_cost": delay_cost, "liquidity_cost": liquidity_cost,
    }  # fmt: skip
    run = cs.simulate(day([entry], payments, days=4, balances={"A": 9_000_000, "B": 0}))
    sent = [_clock(ms - 24 * 3_600_000 * i) for i, ms in enumerate(run.payments.submitted_ms)]
    assert sent == times
    assert lesson in run.events[run.events.detail.str.startswith("yesterday")].detail.iloc[0]


# a policy of one's own -----------------------------------------------------------------------------------------------

HEADER = "class Policy:\n"


@pytest.fixture
def own_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def write(body: str) -> str:
        name = f"own_policy_{next(_NAMES)}"
        lines = "\n".join("    " + line for line in body.strip().splitlines())
        (tmp_path / f"{name}.py").write_text(HEADER + lines + "\n", encoding="utf-8")
        return f"{name}:Policy"

    return write


def test_an_own_policy_decides_at_its_times_which_payments_go_in_which_order(own_policy: Any) -> None:
    path = own_policy("""
at = ["10:00", "11:00"]
def __init__(self, most):
    self.most = most
def decide(self, view):
    small = [i for i in range(len(view.outbox)) if view.outbox.amount[i] <= self.most]
    return reversed(small)
""")
    run = cs.simulate(day([{"banks": ["A"], "policy": path, "parameters": {"most": "3000"}}], FOUR))
    assert submitted(run) == {"P1": "16:45", "P2": "10:00", "P3": "09:20", "P4": "10:00"}
    order = run.transfers[run.transfers.time_ms == parse_clock("10:00")].payment_id.tolist()
    assert order == ["P4", "P2"]


def test_an_own_policy_that_decides_on_receipts_decides_at_the_instant_of_the_receipt(own_policy: Any) -> None:
    """A pays on when it is paid; what it pays lets B decide in turn, at the same instant."""
    path = own_policy("""
on_receipt = True
def decide(self, view):
    usable, chosen = view.received_fen - view.sent_fen, []
    for place, amount in enumerate(view.outbox.amount):
        if amount <= usable:
            chosen.append(place)
            usable -= amount
    return chosen
""")
    payments = [
        ("A1", "09:00", "A", "B", 40), ("B1", "09:01", "B", "C", 40), ("C1", "09:30:00.250", "C", "A", 40),
        ("C2", "10:00", "C", "A", 1),
    ]  # fmt: skip
    entry = {"banks": ["A", "B"], "policy": path}
    run = cs.simulate(day([entry], payments, balances={"A": 0, "B": 0, "C": 50}))
    times = run.payments.set_index("payment_id").settled_ms.to_dict()
    assert times["A1"] == times["B1"] == times["C1"] == parse_clock("09:30:00.250")


def test_a_view_shows_the_bank_its_own_side_and_nothing_else(own_policy: Any) -> None:
    path = own_policy("""
seen = []
at = ["10:00"]
def decide(self, view):
    self.seen.append(view)
    return []
""")
    payments = [
        *FOUR, ("P5", "09:40", "B", "A", 90), ("P6", "11:00", "B", "A", 1), ("P7", "09:45", "A", "B", 7),
    ]  # fmt: skip
    entries = [{"banks": ["A"], "policy": "keep-reserve", "reserve": 0}, {"banks": ["A"], "policy": path}]
    cs.simulate(day(entries, payments))
    import sys

    (view,) = sys.modules[path.partition(":")[0]].Policy.seen
    names = {field.name for field in dataclasses.fields(View)}
    assert names == {
        "account", "terms", "balance", "opening", "available", "queue", "outbox", "sent_count", "sent_fen",
        "received_count", "received_fen", "sent_to", "received_from", "queued_for_it", "time_ms", "phase", "opens_ms",
        "until_ms", "cut_off_ms", "rng",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(Waiting)} == {
        "amount",
        "creditor",
        "level",
        "since_ms",
        "due_ms",
    }
    assert (view.account, view.balance, view.opening) == ("A", 15_000, 10_000)
    assert view.outbox.amount.tolist() == [6_000, 3_000, 2_000, 700]
    assert view.outbox.creditor.tolist() == ["B", "C", "C", "B"]
    assert view.outbox.level.tolist() == [7, 1, 7, 7]
    assert len(view.queue) == 0
    assert (view.received_count, view.received_fen, view.sent_fen) == (1, 5_000, 0)
    assert (dict(view.received_from), dict(view.sent_to)) == ({"B": 5_000}, {})
    assert view.queued_for_it == 9_000  # P5 waits for money at B; P6 has not been told yet
    assert (view.time_ms, view.phase) == (parse_clock("10:00"), "daytime")
    with pytest.raises(ValueError, match="read-only"):
        view.outbox.amount[0] = 1


def test_a_view_shows_the_queue_with_bookings_of_the_central_bank(own_policy: Any) -> None:
    path = own_policy("""
seen = []
at = ["09:30", "10:00"]
def decide(self, view):
    self.seen.append(view)
    return range(len(view.outbox)) if view.time_ms < 36000000 else []
""")
    payments = [("P1", "09:00", "A", "B", 200), ("P2", "09:50", "A", "B", 5)]
    fee = [{"at": "09:40", "do": "fee", "account": ["A"], "amount": 300}]
    cs.simulate(day([{"banks": ["A"], "policy": path}], payments, actions=fee))
    import sys

    view = sys.modules[path.partition(":")[0]].Policy.seen[1]
    assert view.queue.level.tolist() == [2, 7]
    assert view.queue.amount.tolist() == [30_000, 20_000]
    assert view.queue.since_ms.tolist() == [parse_clock("09:40"), parse_clock("09:30")]


def test_an_own_policy_draws_from_a_stream_of_its_own(own_policy: Any) -> None:
    path = own_policy("""
every = "1 min"
def decide(self, view):
    return [0] if len(view.outbox) and view.rng.random() < 0.05 else []
""")
    scenario = day([{"banks": ["A", "B"], "policy": path}], FOUR)
    first, again = cs.simulate(scenario), cs.simulate(scenario)
    assert submitted(first) == submitted(again)
    assert submitted(first) != submitted(cs.simulate(scenario, seed=2))


FAULTS = {
    "at = ['10:00']\ndef decide(self, view):\n    return 1 / 0": "failed in decide at {file}:4 (ZeroDivisionError: d",
    "at = ['10:00']\ndef decide(self, view):\n    return [9]": "sends a payment that is not in its outbox (9); allow",
    "at = ['10:00']\ndef decide(self, view):\n    return [0, 0]": "sends a payment twice (0); allowed: each place once",
    "at = ['10:00']\ndef decide(self, view):\n    return ['x']": "failed in decide (TypeError: 'str' object cannot be",
    "def decide(self, view):\n    return []": "has no decision points; allowed: at, every or on_receipt of the class",
    "at = ['noon']\ndef decide(self, view):\n    return []": "point that is none, at: not a time of day (noon);",
    "every = [5]\ndef decide(self, view):\n    return []": "that is none, every: not a duration with a unit (a list)",
    "at = 12\ndef decide(self, view):\n    return []": "has decision points that are no list, at (12); allowed: at: ti",
    "at = ['10:00']": "has no method decide(self, view)",
    "def __init__(self, most):\n    pass\ndef decide(self, view):\n    return []": "failed in __init__ (TypeError:",
}


@pytest.mark.parametrize("body", FAULTS)
def test_whatever_an_own_policy_does_wrong_is_one_sentence_that_names_it(body: str, own_policy: Any) -> None:
    path = own_policy(body)
    with pytest.raises(cs.InputError) as caught:
        cs.simulate(day([{"banks": ["A"], "policy": path}], FOUR))
    sentence = str(caught.value)
    assert sentence.startswith("scenario: behaviours.0.policy: ")
    assert path in sentence
    assert FAULTS[body].format(file=path.partition(":")[0] + ".py") in sentence


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_module:Policy", "the module no_such_module cannot be imported, ModuleNotFoundError"),
        ("decimal:Policy", "the module decimal has no class Policy"),
    ],
)
def test_a_policy_that_is_not_there_is_told(path: str, words: str) -> None:
    with pytest.raises(cs.InputError, match=words):
        cs.simulate(day([{"banks": ["A"], "policy": path}], FOUR))


def test_an_entry_that_names_no_bank_of_the_run_is_told() -> None:
    with pytest.raises(cs.InputError, match=r"behaviours.0.banks: the run has no such bank \(city\)"):
        cs.simulate(day([{"banks": {"kind": "city"}, "policy": "free-rider"}], FOUR))
