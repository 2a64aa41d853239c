"""Random small days on which banks follow policies and payments travel as messages.

A policy that looks neither at balances nor at receipts does over perfect links what it does without messages, to the
byte of every table. Whatever the policies, the share that travels and the network, every payment ends once, its message
is written once at most, and the log of the run repeats it.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.participants.behaviours.view import View
from cnaps_sim.run.check import verify_folder
from cnaps_sim.run.message_log import read_log
from cnaps_sim.words.bank_code import with_check_digit

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
CALM = range(300 if SLOW else 8)
ANY = range(1000, 1400 if SLOW else 1010)
BANKS = [with_check_digit(f"3131000{number:04d}") for number in range(1, 6)]
TABLES = ("payments", "transfers", "accounts", "series", "matchings", "events")


class AnyOfIt:
    """A policy that sends some of its outbox in any order, whenever it is asked."""

    every = "47 min"
    on_receipt = True

    def decide(self, view: View) -> list[int]:
        """Some places, in any order."""
        count = len(view.outbox)
        return view.rng.permutation(count)[: view.rng.integers(0, count + 1)].tolist() if count else []


class LargestFirst:
    """A policy that sends the two largest payments it keeps, at given times: it looks at its outbox alone."""

    at = ("10:00", "12:00", "13:30")

    def decide(self, view: View) -> list[int]:
        """Two places, the larger amount first."""
        return sorted(range(len(view.outbox)), key=lambda place: -int(view.outbox.amount[place]))[:2]


class Drawn:
    """One random scenario; `scenario` holds it. calm: only policies that look neither at balances nor at receipts."""

    def __init__(self, seed: int, calm: bool, **more: Any) -> None:
        self.chance = chance = random.Random(seed)
        self.dates = ["2025-06-17", "2025-06-18"][: chance.choice([1, 2])]
        minutes = [chance.randint(8 * 60, 17 * 60 + 25) for _ in range(chance.randint(3, 20))]
        self.grid = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes]
        self.grid += ["09:30", "10:00", "12:00", "14:30", "16:59"]
        self.scenario: dict[str, Any] = {
            "name": "drawn",
            "date": self.dates[0],
            "days": len(self.dates),
            "seed": seed,
            "accounts": [{"account": bank, "balance": chance.choice([0, 20, 50, 100])} for bank in BANKS],
            "workload": [{"system": "HVPS", "payments": [self.payment(n) for n in range(chance.randint(5, 60))]}],
            "hvps": {"discipline": chance.choice(["fifo", "bypass"]), **self.matching()},
            "actions": [self.action() for _ in range(chance.randint(0, 4))],
            "liquidity": {"from": "accounts"},
            "series_step": "6 h",
            "behaviours": [self.behaviour(calm) for _ in range(chance.randint(1, 4))],
            **more,
        }

    def payment(self, number: int) -> dict[str, Any]:
        debtor, creditor = self.chance.sample(BANKS, 2)
        return {
            "payment_id": f"P{number}",
            "time": f"{self.chance.choice(self.dates)}T{self.chance.choice(self.grid)}",
            "debtor": debtor,
            "creditor": creditor,
            "amount": self.chance.choice([1, 5, 10, 20, 30, 45]),
            "priority": self.chance.choice(["NORM", "NORM", "HIGH", "URGT"]),
        }

    def matching(self) -> dict[str, Any]:
        trigger: dict[str, Any] = self.chance.choice([{"continuous": True}, {"every": "30 min"}])
        return {"matching": {"algorithm": "multilateral", **trigger}} if self.chance.random() < 0.4 else {}

    def action(self) -> dict[str, Any]:
        chance, (at, until) = self.chance, sorted(self.chance.sample(self.grid, 2))
        act = {"at": at, "account": chance.choice(BANKS)}
        terms = ("floor", "reserved_high", "reserved_urgent", "earmark", "overdraft_limit")
        return chance.choice(
            [
                {**act, "do": "stop_sending", **({"until": until} if until > at else {})},
                {**act, "do": "inject", "amount": 20},
                {**act, "do": "set", "field": chance.choice(terms), "value": chance.choice([0, 10, 30])},
            ]
        )

    def behaviour(self, calm: bool) -> dict[str, Any]:
        chance = self.chance
        until, share = chance.choice(["never", "09:30", "12:00", "16:59"]), chance.choice(["0", "0.3", "1", "3"])
        found: list[dict[str, Any]] = [
            {"policy": "hold-until", "until": until, "levels": chance.choice([[7], [1, 6], [1, 6, 7]])},
            {"policy": "throughput", "until": until},
            {"policy": "split", "above": 20, "pieces": chance.choice([2, 7])},
            {"policy": "adaptive", "candidates": ["10:00", "11:00", "12:00", "13:00"]},
            {"policy": f"{__name__}:LargestFirst", "until": until},
        ]
        if not calm:
            receipts = {"share_of_opening": share, "receipt_share": chance.choice(["0", "0.5", "1"])}
            found += 2 * [
                {"policy": "receipt-reactive", "until": until, **receipts},
                {"policy": "keep-reserve", "until": until, "share_of_opening": share},
                {"policy": "urgent-first", "until": until},
                {"policy": "free-rider", "until": until},
                {"policy": f"{__name__}:AnyOfIt", "until": until},
            ]
        return {"banks": chance.choice(["all", BANKS[:1], BANKS[1:3], {"largest": 2}]), **chance.choice(found)}


def network(chance: random.Random) -> dict[str, Any]:
    """Links that are late, lose and double; often one bank's are perfect all the same."""
    return {
        "latency": chance.choice(["0 ms", "1 ms", "2 s", "30 s", "5 min"]),
        "latency_sigma": chance.choice(["0", "0.5", "2"]),
        "loss": chance.choice(["0", "0.1", "0.5"]),
        "duplicates": chance.choice(["0", "0.3"]),
        "resend_after": chance.choice(["100 ms", "10 s", "2 min"]),
        "attempts": chance.choice([1, 2, 5]),
        "links": [{"account": BANKS[0], "latency": "0 ms", "loss": 0, "duplicates": 0}] * (chance.random() < 0.6),
    }


@pytest.mark.parametrize("seed", CALM)
def test_a_policy_that_reacts_to_nothing_does_the_same_with_messages_and_without(seed: int) -> None:
    without = cs.simulate(Drawn(seed, calm=True).scenario)
    with_messages = cs.simulate(Drawn(seed, calm=True, messages="all").scenario)
    for name in TABLES:
        assert with_messages.table(name).equals(without.table(name)), name


@pytest.mark.parametrize("seed", ANY)
def test_whatever_the_policies_and_the_network_every_payment_ends_once_and_the_log_repeats_the_run(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(-seed)
    share: Any = chance.choice(["all", {"sample": "0.5"}, {"sample": "0.2"}])
    links = network(chance) if chance.random() < 0.75 else {}
    drawn = Drawn(seed, calm=False, messages=share, network=links).scenario
    run = cs.simulate(drawn, out=tmp_path / "run")  # raises if its audit fails
    own = run.payments[run.payments.system == "HVPS"]
    told = {row["payment_id"]: row["amount"] * 100 for row in drawn["workload"][0]["payments"]}
    assert dict(own.groupby(own.payment_id.str.partition("/")[0])["amount_fen"].sum()) == told
    assert set(own.status) <= {"PR04", "PR09"}
    assert own.ended_ms.notna().all()
    written: dict[str, set[str]] = defaultdict(set)
    for _, record, _ in read_log(tmp_path / "run" / "messages"):
        if record.iso in ("pacs.008.001.08", "pacs.009.001.08") and record.receiver == "0000":
            written[record.reference].add(record.business_id)
    assert {len(ids) for ids in written.values()} <= {1}
    assert set(written) <= set(own.payment_id)
    assert verify_folder(tmp_path / "run", headline) == []
