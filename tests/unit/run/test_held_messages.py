"""Behaviours of banks whose payments travel as messages: when they send, and what they reckon with meanwhile."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.explain.story import explain
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.participants.behaviours.view import View
from cnaps_sim.run.check import verify_folder
from cnaps_sim.run.exchange import chosen_rows
from cnaps_sim.run.message_log import Record, read_log
from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.streams import Streams

A, B, C, D = (with_check_digit(f"1021000{number:04d}") for number in (1, 2, 3, 4))
LETTERS = {"A": A, "B": B, "C": C, "D": D}
SLOW_A = {"links": [{"account": A, "latency": "1 s"}]}


def day(behaviours: list[dict[str, Any]], payments: list[tuple[Any, ...]], **more: Any) -> dict[str, Any]:
    """A scenario of four banks, all but C with 100; payments as (id, time, debtor, creditor, amount[, priority])."""
    keys = ("payment_id", "time", "debtor", "creditor", "amount", "priority")
    rows = [
        dict(zip(keys, (name, time, LETTERS[debtor], LETTERS[creditor], *rest), strict=False))
        for name, time, debtor, creditor, *rest in payments
    ]
    return {
        "accounts": [*({"account": bank, "balance": 100} for bank in (A, B, D)), {"account": C}],
        "workload": [{"system": "HVPS", "payments": rows}],
        "liquidity": {"from": "accounts"},
        "behaviours": [{"banks": [A], **entry} for entry in behaviours],
        "messages": "all",
        **more,
    }


def column(run: cs.Run, name: str) -> dict[str, str | None]:
    """A column of times by payment: HH:MM[:SS[.mmm]], None where there is none."""
    return {row.payment_id: _clock(getattr(row, name)) for row in run.payments.itertuples()}


def _clock(ms: Any) -> str | None:
    if pd.isna(ms):
        return None
    seconds, rest = divmod(int(ms), 1000)
    words = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return words + (f":{seconds % 60:02d}" if seconds % 60 else "") + (f".{rest:03d}" if rest else "")


def sent(run: cs.Run) -> dict[str, str | None]:
    """When the message of each payment was first sent."""
    assert run.messages_folder is not None
    found: dict[str, str | None] = {}
    for _, record, _ in read_log(run.messages_folder):
        if _is_payment(record):
            found.setdefault(record.reference, _clock(record.sent_ms))
    return found


def _is_payment(record: Record) -> bool:
    return record.iso in ("pacs.008.001.08", "pacs.009.001.08") and record.receiver == "0000"


FOUR = [
    ("P1", "09:00", "A", "B", 60),
    ("P2", "09:10", "A", "C", 30, "URGT"),
    ("P3", "09:20", "B", "A", 50),
    ("P4", "09:30", "A", "C", 20),
]


# bundled policies ----------------------------------------------------------------------------------------------------


def test_a_receipt_reactive_bank_writes_its_messages_within_its_budget_and_receipts() -> None:
    """Budget 60: P1 uses it up; 50 come in at 09:20 and let the urgent 30 go, then 20 at 09:30; each takes a second."""
    entry = {"policy": "receipt-reactive", "budget": 60}
    run = cs.simulate(day([entry], FOUR, network=SLOW_A))
    assert sent(run) == {"P1": "09:00", "P2": "09:20", "P3": "09:20", "P4": "09:30"}
    assert column(run, "settled_ms") == {"P1": "09:00:01", "P2": "09:20:01", "P3": "09:20", "P4": "09:30:01"}
    half = cs.simulate(day([{**entry, "receipt_share": "0.5"}], FOUR, network=SLOW_A))
    assert sent(half)["P2"] == "16:45"  # 25 of the 50 are not enough


def test_what_is_on_its_way_counts_as_sent_until_the_centre_has_it() -> None:
    """Reserve 40 of 100: with 50 on their way 20 would leave 30. The 50 are refused at 09:10, and the 20 may go."""
    control = [{"at": "08:30", "do": "credit_control", "account": B, "on": True}]
    payments = [("P1", "09:00", "A", "B", 50), ("P2", "09:01", "A", "C", 20)]
    network = {"links": [{"account": A, "latency": "10 min"}]}
    entry = {"policy": "keep-reserve", "reserve": 40}
    run = cs.simulate(day([entry], payments, network=network, actions=control))
    assert sent(run) == {"P1": "09:00", "P2": "09:10"}
    assert column(run, "submitted_ms") == {"P1": "09:10", "P2": "09:20"}


def test_what_never_arrives_is_reckoned_with_until_the_date_is_over() -> None:
    """P1 is lost; with its 60 on their way another 60 would leave less than nothing. The next date begins with 100."""
    payments = [
        ("P1", "09:00", "A", "B", 60),
        ("P2", "09:01", "A", "C", 60),
        ("P3", "2025-06-18T09:00", "A", "B", 60),
    ]  # fmt: skip
    network = {"links": [{"account": A, "loss": 1}], "attempts": 1}
    entry = {"policy": "keep-reserve", "reserve": 0}
    run = cs.simulate(day([entry], payments, network=network, days=2))
    assert sent(run) == {"P1": "09:00", "P2": "16:45", "P3": "33:00"}
    assert set(run.payments.reason_iso) == {"TM01"}


def test_nothing_that_a_plan_binds_passes_what_it_keeps() -> None:
    """N2 would leave the reserve of 40, but N1 stands before it; H1 is not bound. 15 come in and let N1 go, not N2."""
    payments = [
        ("N1", "09:00", "A", "B", 70),
        ("N2", "09:01", "A", "B", 5),
        ("H1", "09:02", "A", "B", 5, "HIGH"),
        ("R1", "09:03", "B", "A", 15),
    ]  # fmt: skip
    run = cs.simulate(day([{"policy": "urgent-first", "reserve": 40}], payments, network=SLOW_A))
    assert sent(run) == {"N1": "09:03", "N2": "16:45", "H1": "09:02", "R1": "09:03"}


def test_a_bank_that_was_stopped_goes_on_with_its_plan() -> None:
    """The urgent payment is not bound and goes when the stop ends; the others would leave less than 80."""
    stop = [{"at": "08:00", "do": "stop_sending", "account": A, "until": "09:25"}]
    entry = {"policy": "keep-reserve", "reserve": 80}
    run = cs.simulate(day([entry], FOUR, actions=stop, network=SLOW_A))
    assert sent(run) == {"P1": "16:45", "P2": "09:25", "P3": "09:20", "P4": "16:45"}


def test_what_a_bank_that_gives_up_still_keeps_does_not_include_what_is_on_its_way() -> None:
    payments = [("P1", "09:00", "A", "B", 60), ("P2", "09:01", "A", "C", 60)]
    network = {"links": [{"account": A, "latency": "2 h"}]}
    entry = {"policy": "keep-reserve", "reserve": 0, "until": "10:00"}
    run = cs.simulate(day([entry], payments, network=network))
    told = run.events[run.events.kind == "behaviour"]
    assert list(told.detail) == ["policy keep-reserve", "waits no longer and sends what it kept: 1 payments, CNY 60.00"]
    assert column(run, "submitted_ms") == {"P1": "11:00", "P2": "12:00"}


def test_a_throughput_guideline_counts_what_has_been_sent_not_what_has_arrived() -> None:
    """Half of the 80 told by 12:00, and half again at 12:30: nothing more, though the first 40 are on their way."""
    payments = [(f"P{i}", f"09:0{i}", "A", "B", 10) for i in range(8)]
    entry = {"policy": "throughput", "shares": {"12:00": "0.5", "12:30": "0.5"}}
    run = cs.simulate(day([entry], payments, network={"links": [{"account": A, "latency": "1 h"}]}))
    assert [sent(run)[f"P{i}"] for i in range(8)] == ["12:00"] * 4 + ["16:45"] * 4


def test_what_is_never_given_up_is_refused_at_cut_off_and_no_message_of_it_is_written() -> None:
    run = cs.simulate(day([{"policy": "free-rider", "until": "never"}], FOUR[:2]))
    assert set(run.payments.reason_iso) == {"TM01"}
    assert sent(run) == {}


@pytest.mark.parametrize("share", ["0.3", "0.7"])
def test_where_a_sample_travels_one_outbox_keeps_all_payments_of_a_bank_in_order(share: str) -> None:
    """The 100 that come in at 11:00 let ten of twenty go; what travels arrives a second later than what does not."""
    payments = [(f"P{i:02d}", f"09:{i:02d}", "A", "B", 10) for i in range(20)] + [("IN", "11:00", "B", "A", 100)]
    entry = {"policy": "free-rider", "until": "16:00"}
    run = cs.simulate(day([entry], payments, network=SLOW_A, messages={"sample": share}, seed=3))
    travelled, times = sent(run), column(run, "submitted_ms")
    names = [f"P{i:02d}" for i in range(20)]
    assert {travelled[name] for name in names if name in travelled} == {"11:00", "16:00"}
    assert all(times[name] == "11:00" for name in names[:10] if name not in travelled)
    assert all(times[name] == "11:00:01" for name in names[:10] if name in travelled)
    assert all(times[name] in ("16:00", "16:00:01") for name in names[10:])


# policies of one's own -----------------------------------------------------------------------------------------------


class Backwards:
    """Sends the last payment it keeps at ten, the first ones at eleven, and notes what it sees."""

    at = ("10:00", "11:00")
    seen: ClassVar[list[View]] = []

    def decide(self, view: View) -> list[int]:
        """Places of the outbox, last first."""
        self.seen.append(view)
        return list(range(len(view.outbox)))[::-1][:2]


class PaysOn:
    """Spends what it has received and not sent, whenever something comes in."""

    on_receipt = True

    def decide(self, view: View) -> list[int]:
        """What fits, in order."""
        usable, chosen = view.received_fen - view.sent_fen, []
        for place, amount in enumerate(view.outbox.amount.tolist()):
            if amount <= usable:
                chosen.append(place)
                usable -= amount
        return chosen


def test_an_own_policy_sends_in_its_own_order_and_its_messages_arrive_in_it() -> None:
    run = cs.simulate(day([{"policy": f"{__name__}:Backwards"}], FOUR))
    assert sent(run) == {"P3": "09:20", "P4": "10:00", "P2": "10:00", "P1": "11:00"}
    assert list(run.transfers.payment_id) == ["P3", "P4", "P2", "P1"]


def test_an_own_policy_sees_what_is_on_its_way_as_sent() -> None:
    Backwards.seen.clear()
    network = {"links": [{"account": A, "latency": "2 h"}]}
    cs.simulate(day([{"policy": f"{__name__}:Backwards"}], FOUR, network=network))
    first, second = Backwards.seen
    assert first.outbox.amount.tolist() == [6_000, 3_000, 2_000]
    assert (first.balance, first.available[7], first.sent_count, first.sent_fen) == (15_000, 15_000, 0, 0)
    assert second.outbox.amount.tolist() == [6_000]
    assert (second.balance, second.available[7], second.sent_count, second.sent_fen) == (10_000, 10_000, 2, 5_000)


def test_a_chain_of_own_policies_that_pay_on_what_they_receive_takes_one_instant() -> None:
    payments = [("A1", "09:00", "A", "B", 40), ("B1", "09:01", "B", "C", 40), ("C1", "09:30", "C", "A", 40)]
    accounts = [{"account": A}, {"account": B}, {"account": C, "balance": 50}]
    entry = {"banks": [A, B], "policy": f"{__name__}:PaysOn"}
    run = cs.simulate(day([entry], payments, accounts=accounts))
    assert column(run, "settled_ms") == {"A1": "09:30", "B1": "09:30", "C1": "09:30"}


# order within a millisecond ------------------------------------------------------------------------------------------


def played(tmp_path: Path, travelling: list[str], payments: list[tuple[Any, ...]], policy: dict[str, Any]) -> cs.Run:
    """A run over a slow link of B in which exactly some payments travel, repeated from its log."""
    wanted = [row for row, payment in enumerate(payments) if payment[0] in travelling]
    half, count = Decimal("0.5"), len(payments)
    seed = next(seed for seed in itertools.count() if chosen_rows(half, count, Streams(seed)).tolist() == wanted)
    network = {"links": [{"account": B, "latency": "10 min"}]}
    scenario = day([policy], payments, network=network, messages={"sample": "0.5"}, seed=seed)
    run = cs.simulate(scenario, out=tmp_path / "run")
    assert set(sent(run)) == set(travelling)
    assert verify_folder(tmp_path / "run", headline) == []
    return run


def released_by(run: cs.Run, payment_id: str) -> str:
    return str(run.payments.set_index("payment_id").loc[payment_id, "released_by"])


def test_a_bank_hears_what_it_has_to_pay_before_anything_arrives_in_the_same_millisecond(tmp_path: Path) -> None:
    """Both give C at 09:10 the 50 that it needs: A's payment, which A is told of then, and B's message of 09:00."""
    payments = [("Q", "08:59", "C", "B", 50), ("LATE", "09:00", "B", "C", 50), ("NOW", "09:10", "A", "C", 50)]
    run = played(tmp_path, ["LATE"], payments, {"policy": "hold-until", "until": "09:00"})
    assert column(run, "settled_ms") == {"Q": "09:10", "LATE": "09:10", "NOW": "09:10"}
    assert released_by(run, "Q") == "NOW"


def test_a_bank_decides_when_all_that_arrives_in_a_millisecond_has_been_booked(tmp_path: Path) -> None:
    """B's late message lets A pay C at 09:10; what D sends C at 09:10 comes first, though D heard of it last."""
    payments = [
        ("Q", "08:59", "C", "B", 50),
        ("LATE", "09:00", "B", "A", 50),
        ("KEPT", "09:05", "A", "C", 50),
        ("NOW", "09:10", "D", "C", 50),
    ]
    run = played(tmp_path, ["LATE", "NOW"], payments, {"policy": "free-rider"})
    assert column(run, "settled_ms") == {"Q": "09:10", "LATE": "09:10", "KEPT": "09:10", "NOW": "09:10"}
    assert released_by(run, "Q") == "NOW"


# what is told --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({}, "held it in its outbox for 1 h; it was submitted at 10:00:00."),
        (SLOW_A, "held it in its outbox for 1 h; its message was on its way for 1 s and arrived at 10:00:01."),
        (
            {"links": [{"account": A, "loss": 1}]},
            "held it in its outbox for 1 h; its message never reached the centre, and at 17:15:00 it was given up.",
        ),
    ],
)
def test_the_story_of_a_payment_tells_how_long_it_was_held_and_how_long_it_travelled(
    network: dict[str, Any], words: str
) -> None:
    run = cs.simulate(day([{"policy": "hold-until"}], FOUR[:1], network=network))
    assert f"{A} was told on 2025-06-17 at 09:00:00 to make it and {words}" in str(explain(run, "P1"))
