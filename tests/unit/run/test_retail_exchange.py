"""BEPS and IBPS on messages: over perfect links nothing differs from the flow, messages are valid, the log repeats."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.messages import envelope
from cnaps_sim.messages.validate import check
from cnaps_sim.run.check import verify_folder
from cnaps_sim.run.message_log import Record, read_log
from cnaps_sim.words.bank_code import with_check_digit

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
OFFICIAL = Path(__file__).parents[4] / "shared" / "iso20022_official"
BANKS = [with_check_digit(f"3131000{number:04d}") for number in range(1, 5)]
TABLES = ("payments", "transfers", "accounts", "series", "matchings", "rounds")
KINDS = {"BEPS": ["BCRD", "BCRD", "BRTC", "BREG", "BDBT", "BRTD", "BRGD"], "IBPS": ["ICRD", "ICRD", "IDBT"]}


class Drawn:
    """A random small day: little headroom, many instants shared, every kind, orders of banks and the central bank."""

    def __init__(self, seed: int, **more: Any) -> None:
        chance = self.chance = random.Random(seed)
        self.grid = [self.clock(7, 16) for _ in range(12)] + ["15:59:59.999", "16:00", "08:30", "09:00"]
        days = chance.choice([1, 1, 2])
        self.dates = ["2025-06-17", "2025-06-18"][:days]
        beps: list[dict[str, Any]] = []
        for number in range(chance.randint(10, 60)):
            one = self.payment("BEPS", number)
            size = chance.choice([1, 1, 3]) if one["type"] not in ("BRTC", "BRTD") else 1
            for item in range(size):
                beps.append({**one, "payment_id": f"B{number}-{item}", "amount": chance.choice([1, 5, 20, 70])})
                beps[-1] |= {"package": f"K{number}"} if size > 1 else {}
        online = [self.payment("IBPS", number) for number in range(chance.randint(5, 60))]
        payments = [self.payment("HVPS", number) for number in range(20)]
        self.ids = [row["payment_id"] for row in beps + online]
        shares = {"refused_share": "0.15", "unanswered_share": "0.1"}
        self.scenario: dict[str, Any] = {
            "name": "drawn",
            "date": "2025-06-17",
            "days": days,
            "seed": seed,
            "accounts": [self.account(bank) for bank in BANKS],
            "workload": [
                {"system": "BEPS", "payments": beps},
                {"system": "HVPS", "payments": payments},
                {"system": "IBPS", "payments": online},
            ],
            "beps": {**shares, "package_limit": chance.choice([2, 2000]), "reply_median": "1 h"},
            "ibps": {**shares, "item_limit": chance.choice([60, 10_000])},
            "nets": {"release": chance.choice(["08:30", "opening"])},
            "actions": [self.action() for _ in range(chance.randint(0, 12))],
            "liquidity": {"from": "accounts"},
            "series_step": "2 h",
            "record": {"BEPS": "payments", "IBPS": "payments"},
            **more,
        }

    def clock(self, first: int, last: int) -> str:
        return f"{self.chance.randint(first, last):02d}:{self.chance.randint(0, 59):02d}"

    def account(self, bank: str) -> dict[str, Any]:
        chance = self.chance
        return {
            "account": bank, "balance": chance.choice([0, 50, 200]), "pledged": chance.choice([0, 40, 100]),
            "credit_line": chance.choice([0, 30]), "cap_warning_line": chance.choice([20, 50]),
        }  # fmt: skip

    def payment(self, system: str, number: int) -> dict[str, Any]:
        chance = self.chance
        debtor, creditor = chance.sample(BANKS, 2)
        row = {
            "payment_id": f"{system[0]}{number}",
            "time": f"{chance.choice(self.dates)}T{chance.choice(self.grid)}",
            "debtor": debtor,
            "creditor": debtor if chance.random() < 0.04 else creditor,
            "amount": chance.choice([1, 5, 20, 70]),
        }
        return row if system == "HVPS" else {**row, "type": chance.choice(KINDS[system])}

    def action(self) -> dict[str, Any]:
        chance = self.chance
        at = f"{chance.choice(self.dates)}T{chance.choice(self.grid[:12])}"
        do = chance.choice(["cancel", "stop_payment", "recall", "set", "set", "log_out", "log_in", "inject"])
        if do in ("cancel", "stop_payment", "recall"):
            return {"at": at, "do": do, "payment": chance.choice(self.ids)}
        account = {"at": at, "do": do, "account": chance.choice(BANKS)}
        if do == "set":
            return {
                **account,
                "field": chance.choice(["earmark", "pledged", "credit_line"]),
                "value": chance.choice([0, 60]),
            }
        return {**account, "amount": 40} if do == "inject" else account


def records(folder: Path) -> list[Record]:
    return [record for _, record, _ in read_log(folder)]


@pytest.mark.parametrize("seed", range(300) if SLOW else [*range(7), 11])
def test_over_perfect_links_all_messages_net_as_the_flow_does(seed: int, tmp_path: Path) -> None:
    without = cs.simulate(Drawn(seed).scenario)
    told = Drawn(seed, messages="all", network={"signed": seed % 8 == 0}).scenario
    run = cs.simulate(told, out=tmp_path / "run")
    for name in TABLES:
        assert run.table(name).equals(without.table(name)), name
    assert run.manifest["audit"]["verdict"] == without.manifest["audit"]["verdict"] == "passed"
    assert run.manifest["items"] == without.manifest["items"]
    counted = run.manifest["messages"]
    assert (counted["refused"], counted["resent"], counted["lost"], counted["given_up"]) == (0, 0, 0, 0)
    assert verify_folder(tmp_path / "run", headline) == []


@pytest.mark.parametrize("seed", range(1000, 1200) if SLOW else [1000, 1001, 1002, 1138])
def test_over_bad_links_every_unit_ends_once_and_the_log_repeats_the_run(seed: int, tmp_path: Path) -> None:
    chance = random.Random(-seed)
    network = {
        "latency": chance.choice(["50 ms", "8 s", "5 min"]),
        "latency_sigma": chance.choice(["0", "1"]),
        "loss": chance.choice(["0", "0.3"]),
        "duplicates": chance.choice(["0", "0.3"]),
        "resend_after": chance.choice(["100 ms", "10 s"]),
        "attempts": chance.choice([1, 3]),
    }
    run = cs.simulate(Drawn(seed, messages="all", network=network).scenario, out=tmp_path / "run")
    assert run.manifest["audit"]["verdict"] == "passed", run.manifest["audit"]
    assert verify_folder(tmp_path / "run", headline) == []
    rows = run.table("payments").to_pylist()
    retail = [row for row in rows if row["system"] in ("BEPS", "IBPS") and not row["payment_id"].startswith("RTRN")]
    assert sorted(row["payment_id"] for row in retail) == sorted(Drawn(seed).ids)
    assert {row["status"] for row in retail} <= {"PR03", "PR08", "PR09", "PR11", "PR21", "PR23", "PR32"}


def official() -> dict[str, etree.XMLSchema]:
    return {path.stem: etree.XMLSchema(etree.parse(path)) for path in sorted(OFFICIAL.glob("*.xsd"))}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    """A day on which every kind of message of retail clearing travels."""
    drawn = Drawn(3, messages="all")
    drawn.scenario["actions"] += [
        {"at": "2025-06-17T12:00", "do": "ask", "account": BANKS[0], "about": "limits"},
        {"at": "2025-06-17T12:01", "do": "set", "account": BANKS[1], "field": "pledged", "value": 77},
    ]
    return cs.simulate(drawn.scenario, out=tmp_path_factory.mktemp("busy") / "run")


def test_every_message_is_valid_against_the_profile(busy: cs.Run) -> None:
    assert busy.messages_folder is not None
    seen = Counter()  # type: ignore[var-annotated]
    for record in records(busy.messages_folder):
        seen[check(record.data).kind.iso[:8]] += 1
    expected = {"pacs.008", "pacs.003", "pacs.002", "pacs.029", "camt.088", "camt.054", "camt.011", "camt.010"}
    assert expected <= set(seen)


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official schemas are not on this machine")
def test_every_message_is_valid_against_the_official_schemas(busy: cs.Run) -> None:
    assert busy.messages_folder is not None
    schemas = official()
    for record in records(busy.messages_folder):
        document = etree.fromstring(envelope.read(record.data).document)
        assert schemas[record.iso].validate(document), schemas[record.iso].error_log


def test_nets_of_every_round_are_submitted_and_told_as_they_are_posted(busy: cs.Run) -> None:
    assert busy.messages_folder is not None
    rounds = [row for row in busy.table("rounds").to_pylist() if row["sent_ms"] is not None]
    submitted, told, booked = Counter(), Counter(), Counter()  # type: ignore[var-annotated]
    for record in records(busy.messages_folder):
        amounts = [int(fen.replace(b".", b"")) for fen in re.findall(rb'<Amt Ccy="CNY">([\d.]+)<', record.data)]
        if record.iso.startswith("pacs.029"):
            submitted[record.sent_ms] += sum(amounts)
        elif record.iso.startswith("camt.088"):
            told[record.sent_ms, record.receiver] += amounts[0]
        elif record.iso.startswith("camt.054"):
            booked[record.sent_ms, record.receiver] += amounts[0]
    expected = Counter()  # type: ignore[var-annotated]
    for row in rounds:
        expected[row["sent_ms"]] += abs(row["net_fen"])
    assert submitted == +expected
    posted = Counter()  # type: ignore[var-annotated]
    for row in rounds:
        if row["settled_ms"] is not None:
            posted[row["settled_ms"], row["participant"]] += abs(row["net_fen"])
    assert told == booked == +posted


def test_a_sample_leaves_retail_to_the_flow() -> None:
    flow = cs.simulate(Drawn(5).scenario)
    sampled = cs.simulate(Drawn(5, messages={"sample": 1 / 2}).scenario)
    assert sampled.table("payments").equals(flow.table("payments"))
    assert "units" not in sampled.manifest["messages"]
