"""Random small days as flow and as messages: over perfect links nothing differs, over bad ones nothing is lost.

A day is drawn from a seed: a few banks with little money, many payments at few instants (cut-off, window and date
switch among them), the actions of banks and of the central bank at the same instants, every discipline, with and
without matching, over one to three dates, sometimes after a weekend with its special session.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.simulate import read
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.check import verify_folder
from cnaps_sim.run.message_log import read_log
from cnaps_sim.run.world import World
from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.codes import Act

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
DAYS = range(600 if SLOW else 40)
BAD_LINKS = range(1000, 1300 if SLOW else 1024)

BANKS = [with_check_digit(f"3131000{number:04d}") for number in range(1, 6)]
EDGES = ["07:00", "17:14:59.999", "17:15", "17:20", "17:29", "17:30", "18:00", "20:30", "23:30"]
ORDERS = ("move_head", "move_tail", "cancel", "reprioritise", "reverse", "recall")
BOOKINGS = ("inject", "fee", "central_bank_debit", "central_bank_credit")
OTHERS = ("set", "debit_control", "credit_control", "log_in", "log_out", "stop_sending", "same_city_net")
LIMITS = ("set_limit", "set_limit", "set_limit")
TERMS = ("overdraft_limit", "floor", "reserved_high", "reserved_urgent", "earmark", "warning_line", "status")


class Drawn:
    """One random scenario; `scenario` holds it."""

    def __init__(self, seed: int, days: int = 0, **more: Any) -> None:
        self.chance = random.Random(seed)
        first = self.chance.choice(["2025-06-17", "2025-06-17", "2025-06-20", "2025-06-23"])
        days = days or self.chance.choice([1, 1, 2, 3])
        working = ["2025-06-17", "2025-06-18", "2025-06-19", "2025-06-20", "2025-06-23", "2025-06-24", "2025-06-25"]
        self.dates = working[working.index(first) :][:days]
        self.grid = [self.clock() for _ in range(self.chance.randint(3, 25))] + EDGES
        self.banks = BANKS[: self.chance.randint(2, 5)]
        self.payments = [self.payment(number) for number in range(self.chance.randint(5, 60))]
        hvps = self.hvps()
        self.limits = LIMITS if hvps.get("matching", {}).get("algorithm") != "bilateral" else ()
        self.scenario: dict[str, Any] = {
            "name": "drawn",
            "date": first,
            "days": days,
            "seed": seed,
            "accounts": [self.account(bank) for bank in self.banks],
            "workload": [{"system": "HVPS", "payments": self.payments}],
            "hvps": hvps,
            "actions": [self.action() for _ in range(self.chance.randint(0, 12))],
            "liquidity": {"from": "accounts"},
            "series_step": "6 h",
            **more,
        }

    def clock(self) -> str:
        minutes = self.chance.randint(8 * 60, 17 * 60 + 10)
        return f"{minutes // 60:02d}:{minutes % 60:02d}{self.chance.choice(['', ':00', ':30.250'])}"

    def instructed(self) -> str:
        date, clock = dt.date.fromisoformat(self.chance.choice(self.dates)), self.chance.choice(self.grid)
        if clock > "20:00" and self.chance.random() < 0.7:
            date -= dt.timedelta(days=1)
        return f"{date}T{clock}"

    def moment(self) -> str:
        return f"{self.chance.choice(self.dates)}T{self.chance.choice([c for c in self.grid if '08' < c <= '17:30'])}"

    def account(self, bank: str) -> dict[str, Any]:
        chance = self.chance
        row: dict[str, Any] = {"account": bank, "balance": chance.choice([0, 0, 20, 50, 100])}
        terms = {"overdraft_limit": 30, "floor": 5, "reserved_high": 10, "warning_line": 40}
        row.update((key, fen) for key, fen in terms.items() if chance.random() < 0.2)
        if chance.random() < 0.15:
            row["status"] = chance.choice(["AS00", "AS02", "AS03", "AS04", "AS05", "AS06"])
            row["balance"] = 0
        return row

    def payment(self, number: int) -> dict[str, Any]:
        chance = self.chance
        debtor = chance.choice(self.banks)
        others = [bank for bank in self.banks if bank != debtor]
        row: dict[str, Any] = {
            "payment_id": f"P{number}",
            "time": self.instructed(),
            "debtor": debtor,
            "creditor": debtor if chance.random() < 0.05 else chance.choice(others),
            "amount": chance.choice([1, 5, 10, 20, 30, 45]),
            "priority": chance.choice(["NORM", "NORM", "NORM", "HIGH", "URGT"]),
        }
        if chance.random() < 0.3:
            row["type"] = chance.choice(["A100", "A200", "A105", "CIPS", "LEND"])
        if chance.random() < 0.05:
            row["currency"] = "USD"
        return row

    def hvps(self) -> dict[str, Any]:
        chance = self.chance
        terms: dict[str, Any] = {
            "discipline": chance.choice(["fifo", "fifo", "bypass", "reject"]),
            "reprioritise": chance.random() < 0.7,
        }
        if terms["discipline"] != "reject" and chance.random() < 0.4:
            triggers: list[dict[str, Any]] = [
                {"continuous": True}, {"every": "30 min"}, {"queued_over": 2},
                {"on_phase": ["cut_off", "clearing_window"]},
            ]  # fmt: skip
            terms["matching"] = {
                "algorithm": chance.choice(["multilateral", "bilateral"]),
                **chance.choice(triggers),
                **({"duration": "5 s"} if chance.random() < 0.3 else {}),
            }
        return terms

    def action(self) -> dict[str, Any]:
        chance, at = self.chance, self.moment()
        do = chance.choice([*ORDERS, *ORDERS, *BOOKINGS, *OTHERS, *self.limits, "stop_sending"])
        if do in ORDERS:
            priority = {"priority": chance.choice(["URGT", "HIGH", "NORM"])} if do == "reprioritise" else {}
            return {"at": at, "do": do, "payment": chance.choice(self.payments)["payment_id"], **priority}
        if do == "same_city_net":
            one, other = chance.sample(self.banks, 2)
            return {"at": at, "do": do, "nets": [{"account": one, "net": 5}, {"account": other, "net": -5}]}
        found: dict[str, Any] = {"at": at, "do": do, "account": chance.choice(self.banks)}
        if do in BOOKINGS:
            found["amount"] = chance.choice([5, 20])
        elif do == "set":
            found["field"] = chance.choice(TERMS)
            is_status = found["field"] == "status"
            found["value"] = chance.choice(["AS01", "AS03", "AS04", "AS06"] if is_status else [0, 10, 40])
        elif do.endswith("control"):
            found["on"] = chance.random() < 0.5
        elif do == "set_limit":
            found["to"] = chance.choice([bank for bank in self.banks if bank != found["account"]])
            found["limit"] = chance.choice([0, 5, 20, 40, "none"])
        elif do == "stop_sending" and (until := self.moment()) > at:
            found["until"] = until
        return found


def bad_network(seed: int) -> dict[str, Any]:
    chance = random.Random(-seed)
    return {
        "latency": chance.choice(["0 ms", "1 ms", "50 ms", "2 s", "30 s", "5 min"]),
        "latency_sigma": chance.choice(["0", "0.5", "2"]),
        "loss": chance.choice(["0", "0.1", "0.5"]),
        "duplicates": chance.choice(["0", "0.1", "0.5"]),
        "resend_after": chance.choice(["100 ms", "10 s", "2 min"]),
        "attempts": chance.choice([1, 2, 5]),
        "signed": chance.random() < 0.1,
    }


@pytest.mark.parametrize("seed", DAYS)
def test_over_perfect_links_all_messages_settle_as_the_flow_does(seed: int) -> None:
    without = cs.simulate(Drawn(seed).scenario)
    network = {"signed": seed % 8 == 0}
    with_messages = cs.simulate(Drawn(seed, messages="all", network=network).scenario)
    for name in ("payments", "transfers", "accounts", "series", "matchings"):
        assert with_messages.table(name).equals(without.table(name)), name
    assert with_messages.manifest["audit"]["verdict"] == "passed"
    told = with_messages.manifest["messages"]
    assert told["payments"] == len(Drawn(seed).payments)
    assert (told["refused"], told["resent"], told["lost"], told["given_up"]) == (0, 0, 0, 0)


class Played:
    """A drawn day that has been played, with everything its banks know."""

    def __init__(self, seed: int) -> None:
        self.world = World(read(Drawn(seed, messages="all", network=bad_network(seed)).scenario))
        Actions(self.world).schedule()
        self.verdict = self.world.run()
        exchange = self.world.exchange
        assert exchange is not None
        self.exchange = exchange
        exchange.summary()
        self.records = [record for _, record, _ in read_log(exchange.log.folder)]
        log = self.world.recorder.whole_log()
        self.acts: dict[int, list[int]] = {}
        for sequence, act in zip(log["sequence"].tolist(), log["act"].tolist(), strict=True):
            self.acts.setdefault(sequence, []).append(act)

    def arrived(self, iso: str, from_centre: bool) -> Counter[str]:
        """How often a payment's message was taken in by its receiver."""
        return Counter(
            record.reference
            for record in self.records
            if record.iso == iso and (record.sender == CENTRE) == from_centre and record.verdict == "accepted"
        )


@pytest.mark.parametrize("seed", BAD_LINKS)
def test_over_bad_links_every_payment_ends_once_and_is_told_once(seed: int) -> None:
    played = Played(seed)
    assert played.verdict.passed, played.verdict.breaches
    flow = played.exchange.flow
    final = {Act.SETTLED, Act.REFUSED, Act.RETURNED, Act.CANCELLED}
    settled: Counter[str] = Counter()
    for sequence, record in enumerate(flow.rows):
        assert len([act for act in played.acts[sequence] if act in final]) == 1, flow.payment_ids[sequence]
        if Act.SETTLED in played.acts[sequence]:
            settled[played.world.directory.accounts[int(record["creditor"])]] += int(record["amount"])
    for name, bank in played.exchange.banks.items():
        ended = {"ACSC", "RJCT", "CANC"}
        assert sum(bank.told.get(status, 0) for status in ended) <= sum(
            1 for record in flow.rows if played.world.directory.accounts[int(record["debtor"])] == name
        )
        assert bank.received_fen <= settled[name]
    for iso in ("pacs.008.001.08", "pacs.009.001.08"):
        assert set(played.arrived(iso, from_centre=False).values()) <= {1}
        assert set(played.arrived(iso, from_centre=True).values()) <= {1}


@pytest.mark.parametrize("seed", BAD_LINKS)
def test_the_log_of_a_run_over_bad_links_repeats_it_to_the_fen(seed: int, tmp_path: Path) -> None:
    share: Any = "all" if seed % 4 else {"sample": "0.5"}
    cs.simulate(Drawn(seed, messages=share, network=bad_network(seed)).scenario, out=tmp_path / "run")
    assert verify_folder(tmp_path / "run", headline) == []


@pytest.mark.parametrize("seed", [2000, 2001, 2002])
def test_where_nothing_is_lost_every_bank_knows_everything(seed: int) -> None:
    """Late and doubled, but never lost: each payer is told every end once, each payee is told every credit once."""
    network = {"latency": "300 ms", "latency_sigma": "1", "duplicates": "0.4", "attempts": 3, "resend_after": "500 ms"}
    scenario = Drawn(seed, 1, messages="all", network=network).scenario
    scenario["actions"] = [a for a in scenario["actions"] if a["do"] not in ("recall", "stop_sending")]
    world = World(read(scenario))
    Actions(world).schedule()
    assert world.run().passed
    assert world.exchange is not None
    flow, books, names = world.exchange.flow, world.books.accounts, world.directory.accounts
    assert world.exchange.mail.given_up == 0
    for row, name in enumerate(names):
        if (bank := world.exchange.banks.get(name)) is None:
            continue
        sent = flow.rows[flow.rows["debtor"] == row]
        ended = {status: count for status, count in bank.told.items() if status in ("ACSC", "RJCT", "CANC")}
        assert sum(ended.values()) == len(sent)
        assert bank.statuses == {}
        settled = [world.recorder.act_of(sequence) == Act.SETTLED for sequence in range(len(flow))]
        credited = flow.rows[(flow.rows["creditor"] == row) & settled]
        assert (bank.received_count, bank.received_fen) == (len(credited), int(credited["amount"].sum()))
        assert ended.get("ACSC", 0) == int(((flow.rows["debtor"] == row) & settled).sum())
    assert int(books["balance"].sum()) == int(world.opening.sum())
